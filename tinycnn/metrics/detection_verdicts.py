"""Why each detection is right or wrong, and why each truth was missed, in words."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ._targets import Array, one_of
from .detection_coco import AREAS, match_group
from .detection_overlaps import overlaps
from .detection_records import DetectionData, Id, grouped
from .detection_voc import match_group_voc

VERDICTS = ("true", "mislocalised", "misclassified", "misclassified and mislocalised", "duplicate", "background", "ignored")


@dataclass(frozen=True)
class Verdict:
    """Of detection number `detection`: one of VERDICTS, the reason, and the truth (by number) it is about with its overlap."""

    detection: int
    verdict: str
    reason: str
    truth: int | None
    overlap: float


@dataclass(frozen=True)
class Missed:
    """A truth that counts and that nothing found."""

    truth: int
    reason: str


def detection_verdicts(
    data: DetectionData,
    *,
    rule: str = "coco",
    threshold: float = 0.5,
    background: float = 0.1,
    kind: str = "bbox",
    most: int = 100,
    plus_one: bool = False,
    sigmas: Any = None,
) -> tuple[list[Verdict], list[Missed]]:
    """Say of every detection whether and why it is right or wrong, and of every missed truth what came nearest.

    Parameters
    ----------
    data : of `coco_detections`
    rule : "coco" or "voc": who finds which truth
    threshold : the least overlap that finds
    background : below this overlap with everything a detection saw background
    kind : "bbox", "segm" or "keypoints"
    most : with COCO's rule, how many detections of a class count in one image
    plus_one : with VOC's rule, sides one pixel longer
    sigmas : the keypoints' spreads

    Returns
    -------
    (verdicts in the order of the detections, missed truths in the order of the truths)

    Raises
    ------
    ArgumentError : an unknown word, or not 0 <= background <= threshold <= 1

    Notes
    -----
    In this order: true (or ignored), duplicate (enough overlap with a truth of the class that another has), misclassified (enough
    overlap with a truth of another class), mislocalised (some overlap with one of the class), both, background.

    References
    ----------
    D. Hoiem, Y. Chodpathumwan and Q. Dai, Diagnosing error in object detectors, 2012; D. Bolya et al., TIDE, 2020.

    Examples
    --------
    >>> from tinycnn.metrics.detection_records import Detected, Truth
    >>> truths = (Truth(1, 1, (0, 0, 4, 4), 16.0), Truth(1, 2, (8, 0, 4, 4), 16.0))
    >>> found = (Detected(1, 1, 0.9, (0, 0, 4, 4), 16.0), Detected(1, 1, 0.8, (8, 0, 4, 4), 16.0))
    >>> verdicts, missed = detection_verdicts(DetectionData((1,), {1: "cat", 2: "dog"}, truths, found))
    >>> [each.verdict for each in verdicts], missed[0].reason
    (['true', 'misclassified'], 'taken for cat: a detection of it overlaps by 1.00, at least 0.5')
    """
    one_of("detection_verdicts", "rule", rule, ("coco", "voc"))
    if not 0 <= background <= threshold <= 1 or threshold == 0:
        raise ArgumentError(f"detection_verdicts: wants 0 <= background <= threshold <= 1 with threshold above 0, not {background} and {threshold}")
    judge = _Judge(data, rule, threshold, background, kind, most)
    groups = grouped(data)
    for image in data.images:
        found = [place for category in data.categories for place in groups.get((image, category), ([], []))[0]]
        truths = [place for category in data.categories for place in groups.get((image, category), ([], []))[1]]
        records = [data.detections[place] for place in found], [data.truths[place] for place in truths]
        judge.image(found, truths, overlaps(kind, *records, sigmas, plus_one and rule == "voc"))
    return sorted(judge.verdicts, key=lambda each: each.detection), sorted(judge.missed, key=lambda each: each.truth)


class _Judge:
    """Verdicts image by image."""

    def __init__(self, data: DetectionData, rule: str, threshold: float, background: float, kind: str, most: int) -> None:
        self.data, self.rule, self.threshold, self.background, self.kind, self.most = data, rule, threshold, background, kind, most
        self.verdicts: list[Verdict] = []
        self.missed: list[Missed] = []

    def image(self, found: list[int], truths: list[int], table: Array) -> None:
        """Judge the detections of one image against its truths; `table` holds all their overlaps."""
        taken: dict[int, int] = {}
        uncounted: set[int] = set()
        for category in self.data.categories:
            rows = [row for row, place in enumerate(found) if self.data.detections[place].category == category]
            columns = [column for column, place in enumerate(truths) if self.data.truths[place].category == category]
            own = [truths[column] for column in columns]
            rows, late = (rows[: self.most], rows[self.most :]) if self.rule == "coco" else (rows, [])
            part = table[np.ix_(rows, columns)]
            if self.rule == "coco":
                limits = np.array([self.threshold])
                matching, left_out = match_group(self.data, [found[row] for row in rows], own, part, limits, self.kind, AREAS["all"])
            else:
                matching, left_out = match_group_voc(self.data, own, part, self.threshold)
            uncounted |= {own[place] for place in np.flatnonzero(left_out)}
            for row, place, ignored in zip(rows, matching.truth[0].tolist(), matching.ignored[0].tolist(), strict=True):
                if place >= 0:
                    self._hit(found[row], own[place], float(table[row, columns[place]]), ignored)
                    taken[own[place]] = found[row]
                elif ignored:
                    self._add(found[row], "ignored", "its area is outside the range", None, 0.0)
                else:
                    self._wrong(found[row], truths, table[row], taken)
            for row in late:
                self._add(found[row], "ignored", f"beyond the {self.most} detections of a class that count in one image", None, 0.0)
        for column, place in enumerate(truths):
            if place not in taken and place not in uncounted:
                self._miss(place, found, table[:, column])

    def _add(self, detection: int, verdict: str, reason: str, truth: int | None, overlap: float) -> None:
        self.verdicts.append(Verdict(detection, verdict, reason, truth, overlap))

    def _name(self, category: Id) -> str:
        return self.data.categories[category]

    def _hit(self, detection: int, truth: int, overlap: float, ignored: bool) -> None:
        name = self._name(self.data.truths[truth].category)
        if ignored:
            true = self.data.truths[truth]
            what = "crowd" if true.crowd else "difficult" if true.difficult else "unlabelled"
            self._add(detection, "ignored", f"overlaps a {what} {name} by {overlap:.2f}: counts neither way", truth, overlap)
        else:
            self._add(detection, "true", f"overlaps a {name} by {overlap:.2f}, at least {self.threshold:g}", truth, overlap)

    def _wrong(self, detection: int, truths: list[int], row: Array, taken: dict[int, int]) -> None:
        category = self.data.detections[detection].category
        same = np.array([self.data.truths[place].category == category for place in truths], bool)
        best = {key: _best(np.where(mask, row, -1.0)) for key, mask in (("same", same), ("other", ~same))}
        (own, near), (strange, far) = best["same"], best["other"]
        if near >= self.threshold:
            first = taken.get(truths[own])
            by = f" by the one of score {self.data.detections[first].score:.3g}" if first is not None else ""
            self._add(detection, "duplicate", f"overlaps a {self._name(category)} by {near:.2f} that was found already{by}", truths[own], near)
        elif far >= self.threshold:
            name = self._name(self.data.truths[truths[strange]].category)
            self._add(detection, "misclassified", f"overlaps a {name} by {far:.2f}, not a {self._name(category)}", truths[strange], far)
        elif near >= self.background and near > 0:
            reason = f"overlaps a {self._name(category)} by {near:.2f} only, under {self.threshold:g}"
            self._add(detection, "mislocalised", reason, truths[own], near)
        elif far >= self.background and far > 0:
            name = self._name(self.data.truths[truths[strange]].category)
            reason = f"overlaps a {name} by {far:.2f}: neither the class nor the place"
            self._add(detection, "misclassified and mislocalised", reason, truths[strange], far)
        else:
            top = max(near, far, 0.0)
            self._add(detection, "background", f"overlaps nothing by {self.background:g} or more (at most {top:.2f})", None, top)

    def _miss(self, truth: int, found: list[int], column: Array) -> None:
        category = self.data.truths[truth].category
        same = np.array([self.data.detections[place].category == category for place in found], bool)
        _, near = _best(np.where(same, column, -1.0))
        strange, far = _best(np.where(~same, column, -1.0))
        if near >= self.threshold:
            reason = f"a detection overlaps by {near:.2f}, but the rule gave it to another truth or left it out"
        elif far >= self.threshold:
            name = self._name(self.data.detections[found[strange]].category)
            reason = f"taken for {name}: a detection of it overlaps by {far:.2f}, at least {self.threshold:g}"
        elif near >= self.background and near > 0:
            reason = f"the nearest detection of its class overlaps by {near:.2f} only, under {self.threshold:g}"
        else:
            reason = f"no detection of its class overlaps by {self.background:g} or more"
        self.missed.append(Missed(truth, reason))


def _best(values: Array) -> tuple[int, float]:
    """Place and value of the largest; -1 and -1.0 of nothing."""
    if not len(values) or values.max() < 0:
        return -1, -1.0
    place = int(np.argmax(values))
    return place, float(values[place])
