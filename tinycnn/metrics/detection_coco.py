"""COCO's evaluation: average precision and recall over overlaps, areas and numbers of detections, of boxes, masks or keypoints."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ._targets import Array
from .detection_curves import PrecisionRecall, precision_recall_of
from .detection_matching import Matching, match_coco
from .detection_overlaps import overlaps
from .detection_records import DetectionData, Id, grouped

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}


@dataclass(frozen=True)
class CocoEvaluation:
    """Precision (T, R, K, A, M) and recall (T, K, A, M) over thresholds, recalls, classes, areas and most detections; -1 without truths.

    `curves` are the ranked detections of every class at every threshold, all areas, the most detections.
    """

    kind: str
    categories: tuple[Id, ...]
    thresholds: Array
    areas: tuple[str, ...]
    most: tuple[int, ...]
    precision: Array
    recall: Array
    curves: dict[tuple[Id, int], PrecisionRecall]

    def mean(
        self, what: str = "precision", threshold: float | None = None, area: str = "all", most: int | None = None, category: Any = None
    ) -> float:
        """The mean of precision or recall over what is not fixed; -1 where there are no truths, as pycocotools has it."""
        table = self.precision if what == "precision" else self.recall[:, None]
        chosen = slice(None) if threshold is None else np.flatnonzero(np.isclose(self.thresholds, threshold))
        kept = table[chosen][..., self.areas.index(area), self.most.index(most if most is not None else self.most[-1])]
        if category is not None:
            kept = kept[..., self.categories.index(category)]
        known = kept[kept > -1]
        return float(known.mean()) if len(known) else -1.0

    def stats(self) -> dict[str, float]:
        """COCO's summary: 12 numbers of boxes and masks, 10 of keypoints."""
        result = {"AP": self.mean(), "AP50": self.mean(threshold=0.5), "AP75": self.mean(threshold=0.75)}
        ranges = [area for area in self.areas if area != "all"]
        result |= {f"AP{area}": self.mean(area=area) for area in ranges}
        if self.kind == "keypoints":
            result |= {"AR": self.mean("recall"), "AR50": self.mean("recall", 0.5), "AR75": self.mean("recall", 0.75)}
        else:
            result |= {f"AR{most}": self.mean("recall", most=most) for most in self.most}
        return result | {f"AR{area}": self.mean("recall", area=area) for area in ranges}


def coco_evaluation(
    data: DetectionData, *, kind: str = "bbox", thresholds: Any = None, most: tuple[int, ...] | None = None, sigmas: Any = None
) -> CocoEvaluation:
    """Evaluate detections as COCO does.

    Parameters
    ----------
    data : of `coco_detections`
    kind : "bbox", "segm" or "keypoints": what must overlap
    thresholds : the overlaps that find; by default 0.5, 0.55 ... 0.95
    most : how many detections of a class count in one image; by default 1, 10 and 100, of keypoints 20
    sigmas : the keypoints' spreads; by default COCO's 17

    Returns
    -------
    CocoEvaluation

    Raises
    ------
    ArgumentError : an unknown kind, thresholds outside 0 to 1
    DataError : objects without the mask or the keypoints

    Notes
    -----
    Equal to pycocotools (to rounding), except that a truth with id 0 counts like any other: there it can never be found.

    References
    ----------
    T.-Y. Lin et al., Microsoft COCO: common objects in context, 2014.

    Examples
    --------
    >>> from tinycnn.metrics.detection_records import Detected, Truth
    >>> truth = Truth(image=1, category=1, xywh=(0, 0, 40, 40), area=1600.0)
    >>> found = Detected(image=1, category=1, score=0.9, xywh=(0, 0, 40, 30), area=1200.0)
    >>> stats = coco_evaluation(DetectionData((1,), {1: "cell"}, (truth,), (found,))).stats()
    >>> round(stats["AP"], 3), stats["AP50"], stats["AR1"], stats["APsmall"]
    (0.6, 1.0, 0.6, -1.0)
    """
    limits = THRESHOLDS if thresholds is None else np.asarray(thresholds, dtype=np.float64).reshape(-1)
    if not len(limits) or limits.min() <= 0 or limits.max() > 1:
        raise ArgumentError(f"coco_evaluation: thresholds must be above 0 and at most 1, not {limits.tolist()}")
    numbers = tuple(sorted(most if most is not None else (20,) if kind == "keypoints" else (1, 10, 100)))
    if not numbers or numbers[0] < 1:
        raise ArgumentError(f"coco_evaluation: most must be whole numbers from 1 up, not {numbers}")
    areas = tuple(area for area in AREAS if kind != "keypoints" or area != "small")
    categories = tuple(data.categories)
    shape = (len(limits), len(categories), len(areas), len(numbers))
    precision = np.full((shape[0], len(RECALLS), *shape[1:]), -1.0)
    recall = np.full(shape, -1.0)
    curves = {}
    for k, a, m, t, curve in _curves(data, kind, limits, areas, numbers, sigmas):
        if a == 0 and m == len(numbers) - 1:
            curves[categories[k], t] = curve
        if curve.positives:
            precision[t, :, k, a, m] = [height for _, height, _ in curve.steps("coco")]
            recall[t, k, a, m] = curve.recall[-1] if len(curve.right) else 0.0
    return CocoEvaluation(kind, categories, limits, areas, numbers, precision, recall, curves)


def _curves(
    data: DetectionData, kind: str, limits: Array, areas: tuple[str, ...], numbers: tuple[int, ...], sigmas: Any
) -> Iterator[tuple[int, int, int, int, PrecisionRecall]]:
    """The ranked detections of every class, area, number and threshold."""
    groups = grouped(data)
    for k, category in enumerate(data.categories):
        present = [groups[image, category] for image in data.images if (image, category) in groups]
        tables = [_table(data, found[: numbers[-1]], truths, kind, sigmas) for found, truths in present]
        for a, area in enumerate(areas):
            matched = [
                match_group(data, found[: numbers[-1]], truths, table, limits, kind, AREAS[area])
                for (found, truths), table in zip(present, tables, strict=True)
            ]
            positives = sum(int((~ignored).sum()) for _, ignored in matched)
            for m, most in enumerate(numbers):
                scores = [data.detections[place].score for found, _ in present for place in found[:most]]
                for t in range(len(limits)):
                    right = [hit for matching, _ in matched for hit in (matching.truth[t, :most] >= 0)]
                    skipped = [each for matching, _ in matched for each in matching.ignored[t, :most]]
                    yield k, a, m, t, precision_recall_of(scores, right, positives, skipped)


def _table(data: DetectionData, found: list[int], truths: list[int], kind: str, sigmas: Any) -> Array:
    return overlaps(kind, [data.detections[place] for place in found], [data.truths[place] for place in truths], sigmas)


def match_group(
    data: DetectionData, found: list[int], truths: list[int], table: Array, limits: Array, kind: str, area: tuple[float, float]
) -> tuple[Matching, Array]:
    """COCO's matching in one image and class, and which truths do not count (crowds, other areas, no keypoints).

    Detections of other areas that find nothing do not count either.
    """
    true = [data.truths[place] for place in truths]
    crowd = np.array([each.crowd for each in true], bool)
    apart = [not area[0] <= each.area <= area[1] or (kind == "keypoints" and each.num_keypoints == 0) for each in true]
    ignored = crowd | np.array(apart, bool)
    matching = match_coco(table, limits, crowd, ignored)
    outside = np.array([not area[0] <= data.detections[place].area <= area[1] for place in found], bool)
    return Matching(matching.truth, matching.ignored | ((matching.truth < 0) & outside)), ignored
