"""A detector's run: `Run`'s book-keeping with the terms of the loss by name, and average precision in place of accuracy."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import TrainingError
from . import hints
from .detection_evaluation import DetectionEvaluation
from .progress import readable_seconds
from .run import Run
from .timed import TimedSchedule

__all__ = ["DetectionEpoch", "DetectionRun"]

TIMED_EVALUATIONS = 6  # of a run that is limited in minutes
TERM, SCORE = "term_", "test_"  # how the columns of log.csv begin that hold a term's mean and an evaluation's number


@dataclass(frozen=True)
class DetectionEpoch:
    """One row of a detector's log."""

    epoch: int  # from 1
    train_loss: float  # mean over the epoch's images of the sum of all terms
    terms: dict[str, float]  # mean of each term, by its name
    scores: dict[str, float]  # of the test images: AP, AP50 ...; empty in an epoch that was not evaluated
    learning_rate: float  # of the epoch's last step
    seconds: float  # evaluation included; of its last part when the run was resumed inside it
    images_per_second: float  # of the learning part

    def row(self) -> dict[str, Any]:
        """As the log has it: a column a number.

        Examples
        --------
        >>> DetectionEpoch(1, 2.0, {"loss_mask": 0.5}, {"AP50": 0.25}, 0.1, 3.0, 4.0).row()["term_loss_mask"]
        0.5
        """
        plain = dataclasses.asdict(self)
        terms, scores = plain.pop("terms"), plain.pop("scores")
        return {**plain, **{TERM + name: value for name, value in terms.items()}, **{SCORE + name: value for name, value in scores.items()}}

    @classmethod
    def from_row(cls, **row: Any) -> DetectionEpoch:
        """What `row` gave."""
        terms = {name.removeprefix(TERM): value for name, value in row.items() if name.startswith(TERM)}
        scores = {name.removeprefix(SCORE): value for name, value in row.items() if name.startswith(SCORE)}
        own = {field.name: row[field.name] for field in dataclasses.fields(cls) if field.name in row}
        return cls(**own, terms=terms, scores=scores)


class DetectionRun(Run):
    """Where a detector's run stands; arguments as `Run`'s."""

    record_type = DetectionEpoch.from_row
    _share_evaluated = 0.0  # of the time, when the last evaluation began

    @property
    def timed(self) -> TimedSchedule | None:
        """The schedule, where it is limited in minutes."""
        return self.scheduler if isinstance(self.scheduler, TimedSchedule) else None

    def begin(self) -> None:
        """Open the log; the bar of a timed run knows the time left from the clock."""
        super().begin()
        timed = self.timed
        if timed is not None:
            self.progress.time_left = lambda: 60 * timed.minutes - timed.seconds

    def evaluation_is_due(self, every: int | None) -> bool:
        """Whether the epoch that ends is one of every so many or the last; of a timed run, whether enough time went by since the last one."""
        if self.timed is None:
            return (self.epoch + 1) % (every or 1) == 0 or self.epoch + 1 == self.config.epochs
        share = self.timed.share
        due = (self.epoch + 1) % every == 0 if every else share - self._share_evaluated >= 1 / TIMED_EVALUATIONS
        if not due and share < 1:
            return False
        self._share_evaluated = share
        return True

    def require_finite_terms(self, terms: Mapping[str, float]) -> None:
        """Stop the run before a NaN or an infinity reaches the weights, and say which term it came from."""
        wrong = [f"{name} is {value}" for name, value in terms.items() if not math.isfinite(value)]
        if not wrong:
            return
        sentence = (
            f"the loss is not finite at step {len(self.losses) + 1} (epoch {self.epoch + 1}): {', '.join(wrong)}; a smaller learning rate, "
            "a longer warm-up or clip_norm=5 often helps"
        )
        self.log.end(sentence)
        raise TrainingError(sentence)

    def note_terms(self, terms: Mapping[str, float], images: int) -> None:
        """Count a batch that was learned from."""
        self.count_batch(sum(terms.values()), images)
        for name, value in terms.items():
            self.sums[TERM + name] = self.sums.get(TERM + name, 0.0) + value * images

    def close_detection_epoch(self, evaluation: DetectionEvaluation | None, averaged: DetectionEvaluation | None = None) -> None:
        """Write the epoch's row and keep the run."""
        images = max(self.sums["images"], 1.0)
        scores = {} if evaluation is None else dict(evaluation.scores)
        if averaged is not None:
            scores |= {f"average_{name}": value for name, value in averaged.scores.items()}
        record = DetectionEpoch(
            self.epoch + 1,
            self.sums["loss"] / images,
            {name.removeprefix(TERM): value / images for name, value in self.sums.items() if name.startswith(TERM)},
            scores,
            self.rates[-1],
            time.perf_counter() - self._epoch_started,
            (self.sums["images"] - self._images_before) / max(self._learning_seconds, 1e-9),
        )
        self.log.epoch(record.row())
        self.progress.epoch(_line_of(record, f"/{self.config.epochs}" if self.timed is None else f", {self.timed.share:.0%} of the time"))
        self.advise(hints.learning_rate_too_high(self.losses))
        self.epoch, self.step = self.epoch + 1, 0
        self.sums = dict.fromkeys(self.sums, 0.0)
        self.keep()

    def _means(self) -> tuple[float, float | None]:
        return self.sums["loss"] / max(self.sums["images"], 1.0), None


def _line_of(record: DetectionEpoch, place: str) -> str:
    terms = " + ".join(f"{name.removeprefix('loss_')} {value:.3f}" for name, value in record.terms.items())
    scores = "  ".join(f"{name} {value:.4f}" for name, value in record.scores.items() if name.endswith(("AP", "AP50")))
    return (
        f"epoch {record.epoch}{place}  loss {record.train_loss:.4f} = {terms}  {scores}  "
        f"{record.images_per_second:.3g} images/s  {readable_seconds(record.seconds)}"
    )
