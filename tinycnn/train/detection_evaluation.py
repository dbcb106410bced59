"""How good a detector is on a test set: COCO's average precision of boxes, masks and keypoints, and the images it is most wrong about."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd import no_grad
from ..errors import UsageError
from ..metrics import Detected, DetectionData, Truth, coco_evaluation, detection_verdicts, rle_encode, voc_curves
from ..nn import Module

__all__ = ["DetectionEvaluation", "ImageErrors", "class_names", "evaluate_detector", "worst_images"]

KEPT_MASK = 0.5  # probability from which a pixel belongs to a mask
SPREAD = 0.1  # of keypoints whose data set tells none
CONFIDENT = 0.3  # a wrong detection of a lower score is no serious error


@dataclass(frozen=True)
class DetectionEvaluation:
    """What `evaluate_detector` found."""

    scores: dict[str, float]  # AP, AP50, AP75 of boxes, VOC07 and VOC10; mask_AP ..., keypoint_AP ... where there are such
    data: DetectionData  # truths and detections, images by their numbers
    answers: list[dict[str, np.ndarray]]  # the detections of each image, best first
    seconds: float

    @property
    def images_per_second(self) -> float:
        """Of detecting alone."""
        return len(self.answers) / max(self.seconds, 1e-9)


@dataclass(frozen=True)
class ImageErrors:
    """What is wrong in one image."""

    image: int
    missed: int  # truths that nothing found
    wrong: dict[str, int]  # confident wrong detections by verdict
    error: float  # missed truths plus the scores of confident wrong detections


def class_names(data_set: Any) -> dict[Any, str]:
    """The names of a data set's labels 1, 2 ..., from its `classes`; the numbers themselves where it has none.

    Examples
    --------
    >>> class Cells(list):
    ...     classes = ("red", "white")
    >>> class_names(Cells())
    {1: 'red', 2: 'white'}
    """
    names = getattr(data_set, "classes", None)
    if names is not None:
        return {number: str(name) for number, name in enumerate(names, start=1)}
    labels = sorted({int(label) for place in range(len(data_set)) for label in _array(data_set[place][1]["labels"])})
    return {label: f"class {label}" for label in labels} or {1: "class 1"}


def evaluate_detector(model: Module, data_set: Any, *, batch_size: int = 4, most: int | None = None) -> DetectionEvaluation:
    """Run a detector over a data set, in evaluation mode and without gradients, and measure it.

    Parameters
    ----------
    model : Module
        One of `models.detection`, or called like them.
    data_set
        Of (image, target): image float32 (C, H, W) from 0 to 1, target a dict of boxes (K, 4), labels (K,), and where it has them masks
        (K, H, W), keypoints (K, points, 3), iscrowd (K,) and VOC's difficult (K,). `classes` may name the labels 1, 2 ...; `sigmas` the spreads of
        keypoints.
    batch_size : int
        Images at a time.
    most : int, optional
        Look at the first so many images only.

    Raises
    ------
    UsageError
        When the data set is empty.
    """
    count = len(data_set) if most is None else min(most, len(data_set))
    if not count:
        raise UsageError("evaluate_detector: the data set is empty; give one with images")
    was_training = model.training
    model.eval()
    truths: list[Truth] = []
    found: list[Detected] = []
    answers: list[dict[str, np.ndarray]] = []
    seconds = 0.0
    try:
        with no_grad():
            for start in range(0, count, batch_size):
                samples = [data_set[place] for place in range(start, min(start + batch_size, count))]
                began = time.perf_counter()
                output = model([_array(image) for image, _ in samples])
                seconds += time.perf_counter() - began
                for place, ((_, target), answer) in enumerate(zip(samples, output, strict=True), start=start):
                    arrays = {name: _array(value) for name, value in answer.items()}
                    truths += _truths(place, target)
                    found += _detected(place, arrays)
                    answers.append({name: value for name, value in arrays.items() if name != "masks"})
    finally:
        model.train(was_training)
    names = class_names(data_set)
    for category in (*(each.category for each in truths), *(each.category for each in found)):
        names.setdefault(category, f"class {category}")
    data = DetectionData(tuple(range(count)), dict(sorted(names.items())), tuple(truths), tuple(found))
    return DetectionEvaluation(_scores(data, getattr(data_set, "sigmas", None)), data, answers, seconds)


def _array(value: Any) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else np.asarray(getattr(value, "data", value))


def _xywh(box: np.ndarray) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    return x1, y1, x2 - x1, y2 - y1


def _truths(image: int, target: Mapping[str, Any]) -> list[Truth]:
    boxes, labels = _array(target["boxes"]).reshape(-1, 4), _array(target["labels"])
    crowd, difficult = (_array(target.get(name, np.zeros(len(boxes)))) for name in ("iscrowd", "difficult"))
    truths = []
    for k, box in enumerate(boxes):
        xywh = _xywh(box)
        mask = rle_encode(_array(target["masks"])[k] > 0) if "masks" in target else None
        points = _array(target["keypoints"])[k] if "keypoints" in target else None
        truths.append(
            Truth(
                image, int(labels[k]), xywh, xywh[2] * xywh[3], bool(crowd[k]), bool(difficult[k]), mask,
                None if points is None else tuple(float(value) for value in points.reshape(-1)),
                0 if points is None else int((points[:, 2] > 0).sum()),
            )
        )  # fmt: skip
    return truths


def _detected(image: int, answer: Mapping[str, np.ndarray]) -> list[Detected]:
    found = []
    for k, box in enumerate(answer["boxes"]):
        xywh = _xywh(box)
        mask = rle_encode(answer["masks"][k].reshape(answer["masks"].shape[-2:]) >= KEPT_MASK) if "masks" in answer else None
        points = tuple(float(value) for value in answer["keypoints"][k].reshape(-1)) if "keypoints" in answer else None
        found.append(Detected(image, int(answer["labels"][k]), float(answer["scores"][k]), xywh, xywh[2] * xywh[3], mask, points))
    return found


def _scores(data: DetectionData, sigmas: Sequence[float] | None) -> dict[str, float]:
    """AP, AP50 and AP75 of what truths and detections both have, VOC's two of the boxes; 0 where there is nothing to find."""
    kinds = [("bbox", "")]
    masks = (*(each.mask for each in data.truths), *(each.mask for each in data.detections))
    if data.detections and not any(mask is None for mask in masks):
        kinds.append(("segm", "mask_"))
    points = (*(each.keypoints for each in data.truths), *(each.keypoints for each in data.detections))
    if data.detections and not any(point is None for point in points):
        kinds.append(("keypoints", "keypoint_"))
    scores: dict[str, float] = {}
    for kind, prefix in kinds:
        spreads = None
        if kind == "keypoints":
            count = len(data.detections[0].keypoints or ()) // 3
            spreads = sigmas if sigmas is not None else None if count == 17 else (SPREAD,) * count
        stats = coco_evaluation(data, kind=kind, sigmas=spreads).stats()
        scores |= {prefix + name: max(0.0, stats[name]) for name in ("AP", "AP50", "AP75")}
    known = [curve for curve in voc_curves(data).values() if curve.positives]
    return scores | {rule.upper(): float(np.mean([curve.area(rule) for curve in known])) if known else 0.0 for rule in ("voc07", "voc10")}


def worst_images(evaluation: DetectionEvaluation, count: int = 12, *, confident: float = CONFIDENT, threshold: float = 0.5) -> list[ImageErrors]:
    """The images with the largest error first; images without an error are left out.

    Parameters
    ----------
    evaluation : DetectionEvaluation
        Of `evaluate_detector`.
    count : int
        At most so many.
    confident : float
        Wrong detections count from this score.
    threshold : float
        The least overlap that finds.
    """
    data = evaluation.data
    verdicts, missed = detection_verdicts(data, threshold=threshold)
    wrong: dict[Any, dict[str, int]] = {image: {} for image in data.images}
    error: dict[Any, float] = dict.fromkeys(data.images, 0.0)
    lost: dict[Any, int] = dict.fromkeys(data.images, 0)
    for each in verdicts:
        detection = data.detections[each.detection]
        if each.verdict not in ("true", "ignored") and detection.score >= confident:
            wrong[detection.image][each.verdict] = wrong[detection.image].get(each.verdict, 0) + 1
            error[detection.image] += detection.score
    for truth in missed:
        image = data.truths[truth.truth].image
        lost[image] += 1
        error[image] += 1.0
    order = sorted((image for image in data.images if error[image] > 0), key=lambda image: -error[image])
    return [ImageErrors(int(image), lost[image], wrong[image], error[image]) for image in order[:count]]
