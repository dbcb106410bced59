"""What a network makes of people it never saw: verification beside two baselines, few-shot naming, a map, and people added without training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .. import random as tinycnn_random
from ..data.dataset import ArrayDataset
from ..errors import UsageError
from ..train.metric_learning import MetricConfig, MetricRun, build_network, choose_people, embed
from ..train.recognition import FewShot, NewPeople, Verification, add_people, few_shot, pair_scores, verify_pairs
from .projection import pca

__all__ = ["HardPair", "RecognitionReport", "recognition_report"]

HARDEST = 4  # pairs shown of each kind
STRICT = "0.01"  # the false-accept rate whose threshold decides


@dataclass(frozen=True)
class HardPair:
    """Two pictures that the network finds alike, or unlike, wrongly."""

    first: int
    second: int
    score: float
    same: bool


@dataclass(frozen=True, eq=False)
class RecognitionReport:
    """All that is known of one network and one set of strangers; `text` and the page show it."""

    config: MetricConfig
    source: str
    known: tuple[str, ...]  # whom it was trained on
    strangers: tuple[str, ...]
    images: np.ndarray  # uint8 (N, height, width) or (N, height, width, 3), the strangers' pictures
    labels: np.ndarray
    places: np.ndarray  # (N, 2), their vectors' principal components
    shares: tuple[float, float]  # of the whole variance
    verified: dict[str, Verification]  # the network, and the baselines
    shots: tuple[FewShot, ...]
    added: NewPeople | None  # None where there are no pictures of the known people
    hardest: tuple[HardPair, ...]
    alarms: tuple[str, ...]

    @property
    def main(self) -> Verification:
        """The trained network's."""
        return next(iter(self.verified.values()))

    @property
    def threshold(self) -> float:
        """The cosine that lets in `STRICT` of the strangers' pairs; 1 where none can be let in."""
        return min(1.0, self.main.tar[STRICT][1])

    def text(self) -> str:
        """Tables for the terminal."""
        pictures, first = len(self.images), self.main
        lines = [
            f"{len(self.strangers)} people that the network never saw, {pictures} pictures: {first.genuine:,} pairs of one person, "
            f"{first.impostor:,} of two",
            "",
            f"{'':18s}{'EER':>8s}{'AUC':>9s}" + "".join(f"{'TAR at ' + rate:>15s}" for rate in first.tar),
        ]
        for name, found in self.verified.items():
            shown = "".join(f"{100 * accepted:13.1f} %" for accepted, _ in found.tar.values())
            lines.append(f"{name:18s}{100 * found.eer:6.2f} %{found.auc:9.4f}{shown}")
        lines += ["", *(each.text() for each in self.shots)]
        if self.added is not None:
            lines += ["", *added_sentences(self.added)]
        return "\n".join([*lines, *(f"\nALARM: {alarm}" for alarm in self.alarms)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values without pictures, for JSON."""
        return {
            "source": self.source,
            "config": asdict(self.config),
            "known": list(self.known),
            "strangers": list(self.strangers),
            "pictures": len(self.images),
            "verification": {name: found.to_dict() for name, found in self.verified.items()},
            "few_shot": [asdict(each) for each in self.shots],
            "added": None if self.added is None else asdict(self.added),
            "hardest": [asdict(each) for each in self.hardest],
            "alarms": list(self.alarms),
        }


def recognition_report(
    run: MetricRun,
    people: ArrayDataset,
    *,
    ways: Sequence[int] = (5, 10),
    shots: Sequence[int] = (1, 5),
    episodes: int = 200,
    seed: int = 0,
) -> RecognitionReport:
    """Evaluate a network on the people of a data set whom it was not trained on.

    Parameters
    ----------
    run : MetricRun
        Of `train_embedding` or `load_metric_run`.
    people : ArrayDataset
        Known people may be among them: by name they are told from strangers, and used to show what adding people does.
    ways, shots : sequence of int
        Sizes of the few-shot episodes; pairs for which there are too few people or pictures are left out.
    episodes : int
        Draws of each.
    seed : int
        Decides them, and by which pictures people are enrolled.

    Returns
    -------
    RecognitionReport

    Raises
    ------
    UsageError
        When fewer than two of the people are strangers.

    Notes
    -----
    Two baselines stand beside the network: itself before training, and the cosine of the plain pictures less the mean picture.
    """
    old = [label for label, name in enumerate(people.classes) if name in run.people]
    new = [label for label in range(len(people.classes)) if label not in old]
    if len(new) < 2:
        raise UsageError(
            f"recognition_report: of {len(people.classes)} people {len(new)} are strangers to the network; two at least are needed. "
            "Give pictures of people whom it was not trained on"
        )
    labels = people.labels()
    rows = np.flatnonzero(np.isin(labels, new))
    images, known_images = people.images[rows], people.images[np.isin(labels, old)]
    names = np.searchsorted(new, labels[rows])
    vectors = embed(run, images)
    verified = {run.config.loss: verify_pairs(vectors, names), **_baselines(run, images, known_images, names)}
    places, shares = pca(vectors, 2)
    counts = np.bincount(names)
    return RecognitionReport(
        config=run.config,
        source=run.source,
        known=run.people,
        strangers=tuple(people.classes[label] for label in new),
        images=images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1),
        labels=names,
        places=places,
        shares=(float(shares[0]), float(shares[1])),
        verified=verified,
        shots=tuple(
            few_shot(vectors, names, way, shot, episodes=episodes, seed=seed)
            for way in ways
            for shot in shots
            if (counts > shot).sum() >= way
        ),
        added=_added(run, people, old, new, min(1.0, verified[run.config.loss].tar[STRICT][1]), seed),
        hardest=_hardest(vectors, names),
        alarms=tuple(str(finding) for finding in run.findings),
    )


def _baselines(run: MetricRun, images: np.ndarray, known: np.ndarray, names: np.ndarray) -> dict[str, Verification]:
    tinycnn_random.manual_seed(run.config.seed)
    untrained = MetricRun(build_network(run.config, run.image_size, len(run.mean)), run.config, run.image_size, run.mean, run.std)
    mean = (known if len(known) else images).mean(0, dtype=np.float64)
    plain = (images - mean).reshape(len(images), -1)
    return {"before training": verify_pairs(embed(untrained, images), names), "plain pictures": verify_pairs(plain, names)}


def _added(run: MetricRun, people: ArrayDataset, old: list[int], new: list[int], threshold: float, seed: int) -> NewPeople | None:
    if not old or np.bincount(people.labels()).min() < 2:
        return None
    return add_people(run, choose_people(people, old), choose_people(people, new), threshold=threshold, seed=seed)


def _hardest(vectors: np.ndarray, names: np.ndarray) -> tuple[HardPair, ...]:
    """The pairs of one person with the smallest scores, then those of two with the largest."""
    same, scores = pair_scores(vectors, names)
    first, second = np.triu_indices(len(names), 1)
    order = np.argsort(scores, kind="stable")
    alike = [pair for pair in order if same[pair]][:HARDEST]
    unlike = [pair for pair in order[::-1] if not same[pair]][:HARDEST]
    return tuple(HardPair(int(first[pair]), int(second[pair]), float(scores[pair]), bool(same[pair])) for pair in alike + unlike)


def added_sentences(added: NewPeople) -> list[str]:
    """What the experiment of adding people showed, a sentence a line."""

    def share(value: float) -> str:
        return f"{100 * value:.1f} %"

    sentences = [
        f"{added.known} known people enrolled by one picture each: {share(added.known_before)} of their other pictures are named rightly.",
        f"{added.added} new people: {share(added.new_refused)} of their pictures are rightly called unknown before anybody enrols them.",
        f"After enrolling them by one picture each, which took {1000 * added.seconds:.1f} ms, {share(added.new_after)} of their other pictures "
        f"are named rightly, and {share(added.known_after)} of the known people's.",
        f"Weights of the network changed: {'yes' if added.weights_changed else 'none'}.",
    ]
    if added.classifier_known is not None and added.classifier_new is not None:
        sentences.append(
            f"The classifier trained along names {share(added.classifier_known)} of the known people's pictures rightly and "
            f"{share(added.classifier_new)} of the new people's: it has no output for them and would have to be trained again."
        )
    return sentences
