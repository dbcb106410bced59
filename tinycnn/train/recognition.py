"""How well vectors tell people apart: all pairs verified, n-way k-shot episodes, and people added without training."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import metrics
from ..data.dataset import ArrayDataset
from ..errors import ArgumentError
from .gallery import Gallery, fingerprint
from .metric_learning import MetricRun, embed, known_by_classifier, unit_rows

__all__ = ["FewShot", "NewPeople", "Verification", "add_people", "few_shot", "pair_scores", "verify_pairs"]

FAR = (0.1, 0.01, 0.001)


@dataclass(frozen=True, eq=False)
class Verification:
    """Two pictures, one person or two? Answered for all pairs."""

    genuine: int  # pairs of one person
    impostor: int  # pairs of two
    auc: float  # area under the ROC curve
    eer: float  # equal error rate
    threshold: float  # the cosine at which the two errors are equal
    tar: dict[str, tuple[float, float]]  # allowed false-accept rate: (true-accept rate, threshold)
    roc: tuple[list[float], list[float], list[float]]  # false- and true-accept rates, and the thresholds, falling
    genuine_scores: np.ndarray
    impostor_scores: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Plain values without the scores, for JSON."""
        shown = ("genuine", "impostor", "auc", "eer", "threshold", "tar")
        return {name: getattr(self, name) for name in shown}


@dataclass(frozen=True)
class FewShot:
    """Episodes of `ways` people with `shots` pictures each, and other pictures to be named."""

    ways: int
    shots: int
    episodes: int
    accuracy: float
    interval: float  # half of the 95 % confidence interval of the mean

    def text(self) -> str:
        """One line.

        Examples
        --------
        >>> FewShot(5, 1, 200, 0.953, 0.0061).text()
        '5-way 1-shot: 95.3 % +- 0.6 of 200 episodes'
        """
        return f"{self.ways}-way {self.shots}-shot: {100 * self.accuracy:.1f} % +- {100 * self.interval:.1f} of {self.episodes} episodes"


@dataclass(frozen=True)
class NewPeople:
    """What adding people to a gallery does, and what it does not need."""

    known: int
    added: int
    known_before: float  # share of known people's other pictures named rightly
    known_after: float
    new_before: float  # of the new people's: nobody can be right before they are enrolled
    new_refused: float  # share of the new people's pictures that the gallery rightly called unknown before
    new_after: float
    seconds: float  # to enrol all new people
    weights_changed: bool
    classifier_known: float | None  # of the classifier that was trained along, where there is one: on the known people's pictures
    classifier_new: float | None  # on the new people's, for whom it has no output


def pair_scores(vectors: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of all pairs whether they are one person, int64, and the cosine of their vectors.

    Examples
    --------
    >>> pair_scores(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), np.array([7, 7, 8]))
    (array([1, 0, 0]), array([1., 0., 0.]))
    """
    unit, known = unit_rows(vectors), np.asarray(labels)
    first, second = np.triu_indices(len(unit), 1)
    return (known[first] == known[second]).astype(np.int64), (unit @ unit.T)[first, second]


def verify_pairs(vectors: np.ndarray, labels: np.ndarray, far: Sequence[float] = FAR) -> Verification:
    """Verify all pairs of pictures.

    Parameters
    ----------
    vectors, labels : ndarray
        (N, D) and (N,), of people whom the network was not trained on.
    far : sequence of float
        False-accept rates that are allowed.

    Returns
    -------
    Verification

    Raises
    ------
    ArgumentError
        When no two pictures show one person, or all do.
    """
    same, scores = pair_scores(vectors, labels)
    if not 0 < same.sum() < len(same):
        alike = int(same.sum())
        raise ArgumentError(f"verify_pairs: of {len(same)} pairs {alike} are of one person; both kinds are needed: two people, two pictures of one")
    false, true, thresholds = metrics.roc_curve(same, scores)
    eer, threshold = metrics.equal_error_rate(same, scores)
    return Verification(
        genuine=int(same.sum()),
        impostor=int(len(same) - same.sum()),
        auc=metrics.auc(false, true),
        eer=float(eer),
        threshold=float(threshold),
        tar={f"{rate:g}": tuple(map(float, metrics.tar_at_far(same, scores, rate))) for rate in far},  # type: ignore[misc]
        roc=(false.tolist(), true.tolist(), thresholds.tolist()),
        genuine_scores=scores[same == 1],
        impostor_scores=scores[same == 0],
    )


def few_shot(
    vectors: np.ndarray, labels: np.ndarray, ways: int = 5, shots: int = 1, *, queries: int = 5, episodes: int = 200, seed: int = 0
) -> FewShot:
    """Draw people, keep some pictures of each, and name others of theirs by the nearest mean direction.

    Parameters
    ----------
    vectors, labels : ndarray
        (N, D) and (N,).
    ways, shots : int
        People of an episode, and pictures that are known of each; one-shot is shots=1.
    queries : int
        Pictures of each that are named, at most; those there are beside the known ones.
    episodes : int
        How many draws.
    seed : int
        Decides them.

    Returns
    -------
    FewShot

    Raises
    ------
    ArgumentError
        When there are too few people with more than `shots` pictures.

    References
    ----------
    Snell, Swersky and Zemel 2017, "Prototypical networks for few-shot learning" (arXiv 1703.05175), algorithm 1, here with cosines.
    """
    unit, known = unit_rows(vectors), np.asarray(labels)
    members = [rows for label in np.unique(known) if len(rows := np.flatnonzero(known == label)) > shots]
    if ways < 2 or shots < 1 or queries < 1 or episodes < 1 or len(members) < ways:
        raise ArgumentError(
            f"few_shot: ways={ways} (from 2), shots={shots}, queries={queries}, episodes={episodes} (each from 1), but "
            f"{len(members)} people have more than {shots} pictures; at least {ways} are needed"
        )
    generator = np.random.default_rng(seed)
    accuracies = []
    for _ in range(episodes):
        right, asked = 0, 0
        drawn = [generator.permutation(members[each]) for each in generator.choice(len(members), ways, replace=False)]
        means = unit_rows(np.stack([unit[rows[:shots]].mean(0) for rows in drawn]))
        for way, rows in enumerate(drawn):
            answers = (unit[rows[shots : shots + queries]] @ means.T).argmax(1)
            right, asked = right + int((answers == way).sum()), asked + len(answers)
        accuracies.append(right / asked)
    spread = float(np.std(accuracies, ddof=1)) if episodes > 1 else math.nan
    return FewShot(ways, shots, episodes, float(np.mean(accuracies)), 1.96 * spread / math.sqrt(episodes))


def add_people(run: MetricRun, known: ArrayDataset, new: ArrayDataset, *, shots: int = 1, threshold: float = -1.0, seed: int = 0) -> NewPeople:
    """The decks' claim as an experiment: a person is added by one picture, nothing is retrained, and nobody is forgotten.

    Parameters
    ----------
    run
        A network trained on the known people.
    known, new
        Pictures of those it was trained on, and of people it never saw.
    shots
        Pictures by which each person is enrolled.
    threshold
        From which cosine a picture is named at all; -1 names everyone.
    seed
        Which pictures those are.

    Returns
    -------
    NewPeople
    """
    before = fingerprint(run.model)
    gallery = Gallery(threshold, before)
    generator = np.random.default_rng(seed)
    known_rest, known_names = _enrol(gallery, run, known, shots, generator)
    rest, enrolled, names = _split(run, new, shots, generator)
    known_before = _named(gallery, known_rest, known_names)
    answers = [gallery.identify(vector, 1)[0] for vector in rest]
    new_before = float(np.mean([answer.accepted and answer.name == name for answer, name in zip(answers, names, strict=True)]))
    started = time.perf_counter()
    for name, vectors in enrolled.items():
        gallery.enrol(name, vectors)
    seconds = time.perf_counter() - started
    return NewPeople(
        known=len(known.classes),
        added=len(enrolled),
        known_before=known_before,
        known_after=_named(gallery, known_rest, known_names),
        new_before=new_before,
        new_refused=float(np.mean([not answer.accepted for answer in answers])),
        new_after=_named(gallery, rest, names),
        seconds=seconds,
        weights_changed=fingerprint(run.model) != before,
        classifier_known=_by_classifier(run, known),
        classifier_new=_by_classifier(run, new),
    )


def _split(run: MetricRun, people: ArrayDataset, shots: int, generator: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray], list[str]]:
    """Vectors of the pictures to be named, vectors to enrol by name, and the names of the former."""
    vectors, labels = embed(run, people.images), people.labels()
    rest, names = [], []
    enrolled = {}
    for label, name in enumerate(people.classes):
        rows = generator.permutation(np.flatnonzero(labels == label))
        if len(rows) <= shots:
            raise ArgumentError(f"add_people: {name} has {len(rows)} pictures; more than shots={shots} are needed, or none is left to be named")
        enrolled[name] = vectors[rows[:shots]]
        rest += [vectors[row] for row in rows[shots:]]
        names += [name] * (len(rows) - shots)
    return np.stack(rest), enrolled, names


def _enrol(
    gallery: Gallery, run: MetricRun, people: ArrayDataset, shots: int, generator: np.random.Generator
) -> tuple[np.ndarray, list[str]]:
    rest, enrolled, names = _split(run, people, shots, generator)
    for name, vectors in enrolled.items():
        gallery.enrol(name, vectors)
    return rest, names


def _named(gallery: Gallery, vectors: np.ndarray, names: list[str]) -> float:
    """Share of the pictures that the gallery names rightly and accepts."""
    answers = [gallery.identify(vector, 1)[0] for vector in vectors]
    return float(np.mean([answer.accepted and answer.name == name for answer, name in zip(answers, names, strict=True)]))


def _by_classifier(run: MetricRun, people: ArrayDataset) -> float | None:
    """Share of the pictures that the classifier names rightly."""
    answers = known_by_classifier(run, people.images)
    if answers is None:
        return None
    return float(np.mean([answer == people.classes[label] for answer, label in zip(answers, people.labels(), strict=True)]))
