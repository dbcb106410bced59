"""A run's book-keeping: where it stands, what it keeps on disk, what it shows and what it advises.

The loop itself is in loop.py and calls these in order; nothing here changes a weight except going on from a checkpoint.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from .. import optim
from .. import random as tinycnn_random
from ..errors import TrainingError, UsageError
from ..nn import Module
from ..tensor import Tensor
from . import hints
from .average import WeightAverage
from .checkpoint import NEWEST, Checkpoint, has_checkpoint, load_checkpoint, require_writable, save_checkpoint
from .config import TrainConfig
from .diagnose import locate_non_finite
from .evaluate import Evaluation, LossFunction
from .hints import Hint
from .interrupt import Interruption
from .log import RunLog, start_event
from .progress import Progress, readable_seconds

# These decide nothing about the weights, so a run may go on with others.
FREE_TO_CHANGE = ("checkpoint_every", "log_every")


@dataclass(frozen=True)
class EpochRecord:
    """One row of the log."""

    epoch: int  # from 1
    train_loss: float  # mean over the epoch's images, while the model was learning from them
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    learning_rate: float  # of the epoch's last step
    seconds: float  # of the epoch, evaluation included; of its last part when the run was resumed inside it
    images_per_second: float  # of the learning part
    average_loss: float | None = None  # test loss of the averaged weights, where the config asks for them
    average_accuracy: float | None = None


@dataclass
class TrainResult:
    """What a run leaves behind."""

    epochs: list[Any] = field(default_factory=list)  # EpochRecord, of a detector DetectionEpoch
    step_losses: list[float] = field(default_factory=list)  # one a step
    learning_rates: list[float] = field(default_factory=list)  # one a step
    hints: list[Hint] = field(default_factory=list)
    interrupted: str | None = None  # "SIGINT" or "SIGTERM"
    exit_code: int = 0  # 130 after SIGINT, 143 after SIGTERM
    checkpoint: Path | None = None  # the newest one


class Run:
    """Where a run stands, and everything that is done with that.

    Parameters
    ----------
    model, optimizer, scheduler, config
        As `train` got them.
    steps_per_epoch
        Batches of the training loader.
    output
        Folder to keep the run in, or None.
    run_info
        Names kept in checkpoint and log.
    show, stream
        For `Progress`.
    save
        Writes a checkpoint.
    average
        The moving average of the weights, or None.
    """

    record_type: Callable[..., Any] = EpochRecord  # of a row of the log

    def __init__(
        self,
        model: Module,
        optimizer: optim.Optimizer,
        scheduler: Any,
        config: TrainConfig,
        *,
        steps_per_epoch: int,
        output: str | Path | None,
        run_info: dict[str, Any] | None,
        show: bool,
        stream: TextIO | None,
        save: Callable[[Path, Checkpoint], Path] = save_checkpoint,
        average: WeightAverage | None = None,
    ) -> None:
        self.average = average
        self.model, self.optimizer, self.scheduler, self.config = model, optimizer, scheduler, config
        self.folder = None if output is None else require_writable(output)
        self.run_info = dict(run_info or {})
        self.save = save
        self.progress = Progress(config.epochs, steps_per_epoch, show, stream)
        self.log = RunLog(self.folder, config.log_every)
        self.epoch = 0  # the epoch the run is in, from 0
        self.step = 0  # batches of it already learned from
        self._step_loss, self._step_images = 0.0, 0  # of the batches since the last step
        self.sums = {"loss": 0.0, "correct": 0.0, "images": 0.0}  # of the epoch so far
        self.losses: list[float] = []
        self.rates: list[float] = []
        self._epoch_started = time.perf_counter()
        self._images_before = 0.0
        self._learning_seconds = 0.0

    # Where it begins

    def go_on(self) -> None:
        """Take everything from the folder's checkpoint; a run that has none yet begins at the beginning."""
        if self.folder is None or not has_checkpoint(self.folder):
            return
        found = load_checkpoint(self.folder)
        # A field that the run's version did not know yet had the value that changes nothing: the default.
        known = TrainConfig.from_dict(found.config).to_dict()
        require_same(known, self.config.to_dict(), found.run_info, self.run_info)
        self.model.load_state_dict({name: Tensor(array) for name, array in found.model.items()})
        if found.optimizer is not None:
            self.optimizer.load_state_dict(found.optimizer)
        if found.scheduler is not None and self.scheduler is not None:
            self.scheduler.load_state_dict(found.scheduler)
        if found.average is not None and self.average is not None:
            self.average.load_state_dict(found.average)
        if found.generator is not None:
            tinycnn_random.set_state(found.generator)
        self.epoch, self.step, self.sums = found.epoch, found.step, dict(found.sums)
        self.log.events = found.events
        self.losses, self.rates = found.step_losses.tolist(), found.learning_rates.tolist()
        if found.note:
            self.progress.say(found.note)
        self.progress.say(f"going on at epoch {self.epoch + 1}, after {len(self.losses)} steps")

    def begin(self) -> None:
        """Open the log, with everything a resumed run already knows."""
        self.log.start(start_event(self.config.to_dict(), self.run_info))

    # While it learns

    def begin_epoch(self) -> None:
        """Start the epoch's clock."""
        self._epoch_started = time.perf_counter()
        self._images_before = self.sums["images"]
        self._learning_seconds = 0.0

    def leave_out(self, seconds: float) -> None:
        """Let the epoch's clock forget a pause."""
        self._epoch_started += seconds

    def require_finite(self, loss: float, images: Tensor, labels: Tensor, loss_function: LossFunction) -> None:
        """Stop the run before a NaN or an infinity reaches the weights, and say where it came from."""
        if math.isfinite(loss):
            return
        found = locate_non_finite(self.model, images, labels, loss_function)
        cause = str(found) if found else "a second run of the same batch is finite: dropout drew other units"
        sentence = f"the loss became {loss} at step {len(self.losses) + 1} (epoch {self.epoch + 1}); {cause}"
        self.log.end(sentence)
        raise TrainingError(sentence)

    def note_batch(self, loss: float, images: Tensor, labels: Tensor, logits: Tensor) -> None:
        """Count a batch that was learned from; of mixed images the class of the largest share is the right one."""
        count = len(labels)
        right = labels.data if labels.ndim == 1 else labels.data.argmax(1)
        self.count_batch(loss, count)
        self.sums["correct"] += int(np.count_nonzero(logits.data.argmax(1) == right))
        if not self.losses and self.step == 1:
            self.advise(hints.unscaled_inputs(images.data))
            self.advise(hints.probabilities_as_logits(self.model, logits.data))

    def count_batch(self, loss: float, count: int) -> None:
        """Count a batch of so many images and their mean loss."""
        self.step += 1
        self._step_loss += loss * count
        self._step_images += count
        self.sums["loss"] += loss * count
        self.sums["images"] += count

    def note_step(self, learning_rate: float) -> None:
        """Count a step that was taken, log it and show it."""
        loss, count = self._step_loss / self._step_images, self._step_images
        self._step_loss, self._step_images = 0.0, 0
        self.losses.append(loss)
        self.rates.append(learning_rate)
        self._learning_seconds = time.perf_counter() - self._epoch_started
        self.log.step(len(self.losses), loss, learning_rate)
        self.progress.step(self.epoch, self.step, *self._means(), count)

    def keep_if_due(self) -> None:
        """Write a checkpoint every `checkpoint_every` steps."""
        every = self.config.checkpoint_every
        if every and len(self.losses) % every == 0:
            self.keep()

    def close_epoch(self, test: Evaluation, averaged: Evaluation | None, test_images: Tensor) -> None:
        """Write the epoch's row, look whether it deserves advice, and keep the run."""
        learned_from = self.sums["images"] - self._images_before
        record = EpochRecord(
            self.epoch + 1,
            self.sums["loss"] / max(self.sums["images"], 1.0),
            self.sums["correct"] / max(self.sums["images"], 1.0),
            test.loss,
            test.accuracy,
            self.rates[-1],
            time.perf_counter() - self._epoch_started,
            learned_from / max(self._learning_seconds, 1e-9),
            None if averaged is None else averaged.loss,
            None if averaged is None else averaged.accuracy,
        )
        self.log.epoch(dataclasses.asdict(record))
        self.progress.epoch(_line_of(record, self.config.epochs))
        # Not earlier: a schedule that warms up barely moves the weights at first.
        self.advise(hints.stuck_at_log_classes(self.losses, len(test.confusion)))
        self.advise(hints.learning_rate_too_high(self.losses))
        self.advise(hints.dead_relus(self.model, test_images))
        self.epoch, self.step = self.epoch + 1, 0
        self.sums = dict.fromkeys(self.sums, 0.0)
        self.keep()

    def advise(self, hint: Hint | None) -> None:
        """Give a hint, each kind once a run."""
        if hint is None or any(given["kind"] == hint.kind for given in self.log.hints):
            return
        self.log.hint(hint.to_dict())
        self.progress.say(str(hint))

    # What stays

    def checkpoint(self) -> Checkpoint:
        """The run as it stands now; the arrays are the run's own."""
        return Checkpoint(
            model={name: value.data for name, value in self.model.state_dict().items()},
            optimizer=self.optimizer.state_dict(),
            scheduler=None if self.scheduler is None else self.scheduler.state_dict(),
            generator=tinycnn_random.get_state(),
            epoch=self.epoch,
            step=self.step,
            average=None if self.average is None else self.average.state_dict(),
            sums=self.sums,
            config=self.config.to_dict(),
            run_info=self.run_info,
            events=self.log.events,
            step_losses=np.array(self.losses),
            learning_rates=np.array(self.rates),
        )

    def keep(self) -> None:
        """Write the run as it stands now."""
        if self.folder is not None:
            self.save(self.folder / NEWEST, self.checkpoint())

    def finish(self, interruption: Interruption) -> TrainResult:
        """Save an interrupted run and say how to go on; hand back what the run leaves behind."""
        if interruption.signal:
            self.keep()
            self.progress.say(self._how_to_go_on(interruption.name))
        self.log.end(interruption.name or "finished")
        return TrainResult(
            [self.record_type(**record) for record in self.log.epochs],
            self.losses,
            self.rates,
            [Hint(**hint) for hint in self.log.hints],
            interruption.name or None,
            interruption.exit_code,
            None if self.folder is None else self.folder / NEWEST,
        )

    def _means(self) -> tuple[float, float | None]:
        images = max(self.sums["images"], 1.0)
        return self.sums["loss"] / images, self.sums["correct"] / images

    def _how_to_go_on(self, name: str) -> str:
        place = f"stopped by {name} in epoch {self.epoch + 1}, after {len(self.losses)} steps"
        if self.folder is None:
            return f"{place}; nothing was saved, because the run has no output folder"
        return f"{place}; everything is saved in {self.folder}: go on with the same command and --resume"


def _line_of(record: EpochRecord, epochs: int) -> str:
    averaged = "" if record.average_accuracy is None else f" (averaged weights {100 * record.average_accuracy:.2f} %)"
    return (
        f"epoch {record.epoch}/{epochs}  loss {record.train_loss:.4f}  accuracy {100 * record.train_accuracy:.2f} %  "
        f"test loss {record.test_loss:.4f}  test accuracy {100 * record.test_accuracy:.2f} %{averaged}  "
        f"{record.images_per_second:,.0f} images/s  {readable_seconds(record.seconds)}"
    )


def require_same(
    old_config: dict[str, Any], new_config: dict[str, Any], old_info: dict[str, Any], new_info: dict[str, Any]
) -> None:
    """Going on with other hyper-parameters, or another model, would be neither the old run nor a new one."""
    pairs = [(name, old_config[name], new_config.get(name)) for name in old_config if name not in FREE_TO_CHANGE]
    pairs += [(name, old_info[name], new_info[name]) for name in old_info if name in new_info]
    changed = [f"{name} was {old!r} and is now {new!r}" for name, old, new in pairs if old != new]
    if changed:
        raise UsageError(
            f"resume: {'; '.join(changed)}; go on with the old values, or begin a new run in another output folder"
        )
