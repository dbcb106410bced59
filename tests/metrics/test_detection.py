"""Average precision, matching rules, verdicts and run lengths on cases counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tinycnn import metrics
from tinycnn.errors import ArgumentError, DataError, ShapeError
from tinycnn.metrics.rle import counts_to_text, text_to_counts


def document(boxes, **more):
    """COCO's truth with one box a tuple (image, category, left, top, width, height)."""
    annotations = [
        {"id": n + 1, "image_id": image, "category_id": category, "bbox": box, "area": box[2] * box[3], "iscrowd": 0, **more.get(str(n), {})}
        for n, (image, category, *box) in enumerate(boxes)
    ]
    images = [{"id": image, "height": 100, "width": 100, "file_name": f"{image}.png"} for image in (3, 7)]
    return {"images": images, "categories": [{"id": 1, "name": "cat"}, {"id": 18, "name": "dog"}], "annotations": annotations}


def results(boxes):
    """COCO's detections of tuples (image, category, score, left, top, width, height)."""
    return [{"image_id": image, "category_id": category, "score": score, "bbox": box} for image, category, score, *box in boxes]


TRUTH = document([(3, 1, 0, 0, 10, 10), (3, 1, 50, 50, 10, 10), (3, 18, 30, 0, 10, 10), (7, 1, 0, 0, 10, 10), (7, 18, 0, 50, 20, 20)])
FOUND = results(
    [
        (3, 1, 0.95, 0, 0, 10, 10),  # true
        (3, 1, 0.9, 1, 0, 10, 10),  # duplicate of the first
        (3, 1, 0.8, 54, 54, 10, 10),  # 36/164 = .22: mislocalised
        (3, 1, 0.7, 30, 0, 10, 9),  # a dog
        (7, 1, 0.6, 80, 80, 5, 5),  # nothing
        (7, 1, 0.5, 0, 2, 10, 10),  # 80/120 = .67: true
        (7, 1, 0.4, 0, 60, 10, 30),  # overlaps the dog by 100/600: neither class nor place
    ]
)


def test_three_areas_of_one_ranking_by_hand():
    """Right, wrong, right, right, wrong of four: precision 1, 1/2, 2/3, 3/4, 3/5 at recall 1/4, 1/4, 1/2, 3/4, 3/4."""
    curve = metrics.precision_recall_of([5, 4, 3, 2, 1], [True, False, True, True, False], 4)
    assert curve.envelope.tolist() == [1, 0.75, 0.75, 0.75, 0.6]
    assert curve.area("voc10") == pytest.approx(0.25 * 1 + 0.25 * 0.75 + 0.25 * 0.75)
    assert curve.area("voc07") == pytest.approx((3 * 1 + 5 * 0.75) / 11)  # recalls 0, .1, .2 and .3 to .7
    assert curve.area("coco") == pytest.approx((26 * 1 + 50 * 0.75) / 101)  # 0 to .25 and .26 to .75
    assert sum(weight for _, _, weight in curve.steps("voc07")) == pytest.approx(1)
    for rule in ("voc07", "voc10", "coco"):
        assert curve.area(rule) == pytest.approx(sum(height * weight for _, height, weight in curve.steps(rule)))


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(0, 5))
def test_areas_lie_in_order_and_range(right, more):
    positives = sum(right) + more
    areas = [metrics.average_precision(range(len(right), 0, -1), right, positives, rule) for rule in ("voc07", "voc10", "coco")]
    if positives == 0:
        assert np.isnan(areas).all()
    else:
        assert all(0 <= area <= 1 + 1e-12 for area in areas)
        # The sampled areas hold recall 0 besides, so that they are never below the exact one's lower sum.
        assert areas[2] >= areas[1] - 0.01


def test_ignored_detections_neither_help_nor_harm():
    one = metrics.precision_recall_of([3, 2, 1], [True, False, True], 2, ignored=[False, True, False])
    assert one.area("voc10") == 1.0


def test_verdicts_name_each_kind():
    data = metrics.coco_detections(TRUTH, FOUND)
    verdicts, missed = metrics.detection_verdicts(data)
    assert [each.verdict for each in verdicts] == [
        "true", "duplicate", "mislocalised", "misclassified", "background", "true", "misclassified and mislocalised",
    ]  # fmt: skip
    assert verdicts[1].reason == "overlaps a cat by 0.82 that was found already by the one of score 0.95"
    assert verdicts[2].reason == "overlaps a cat by 0.22 only, under 0.5"
    assert verdicts[3].reason == "overlaps a dog by 0.90, not a cat"
    assert [(each.truth, each.reason.split(":")[0]) for each in missed] == [
        (1, "the nearest detection of its class overlaps by 0.22 only, under 0.5"),
        (2, "taken for cat"),
        (4, "no detection of its class overlaps by 0.1 or more"),
    ]


def test_rules_side_by_side_on_the_same_detections():
    data = metrics.coco_detections(TRUTH, FOUND)
    cat = metrics.voc_curves(data)[1]
    assert cat.right.tolist() == [True, False, False, False, False, True, False]
    assert cat.positives == 3
    assert cat.area("voc10") == pytest.approx((1 + 1 / 3) / 3)
    found = metrics.coco_evaluation(data)
    assert found.mean(threshold=0.5, category=1) == pytest.approx(cat.area("coco"))
    assert found.stats()["AP50"] == pytest.approx(cat.area("coco") / 2)  # no dog was found
    # 0.67 is enough up to 0.65: four of ten thresholds find the second cat.
    assert found.mean("recall", category=1) == pytest.approx((4 * 2 / 3 + 6 * 1 / 3) / 10)


def test_voc_claims_the_best_truth_and_coco_the_best_free_one():
    truth = document([(3, 1, 0, 0, 10, 10), (3, 1, 0, 2, 10, 10)])
    found = results([(3, 1, 0.9, 0, 0, 10, 10), (3, 1, 0.8, 0, 0, 10, 10)])
    data = metrics.coco_detections(truth, found)
    assert metrics.voc_curves(data)[1].right.tolist() == [True, False]
    assert metrics.coco_evaluation(data, thresholds=[0.5]).curves[1, 0].right.tolist() == [True, True]
    assert [each.verdict for each in metrics.detection_verdicts(data, rule="voc")[0]] == ["true", "duplicate"]


def test_difficult_and_crowd_truths_count_neither_way():
    truth = document([(3, 1, 0, 0, 10, 10), (3, 1, 50, 50, 40, 40)], **{"1": {"difficult": 1, "iscrowd": 1}})
    found = results([(3, 1, 0.9, 50, 50, 10, 10), (3, 1, 0.85, 70, 70, 10, 10), (3, 1, 0.8, 0, 0, 10, 10), (3, 1, 0.7, 50, 50, 40, 40)])
    data = metrics.coco_detections(truth, found)
    assert metrics.coco_evaluation(data).stats()["AP"] == 1.0  # small boxes inside the crowd overlap it by 1
    verdicts = [each.verdict for each in metrics.detection_verdicts(data)[0]]
    assert verdicts == ["ignored", "ignored", "true", "ignored"]
    assert metrics.voc_curves(data)[1].area("voc10") == 1.0


def test_the_plus_one_rule_is_a_choice():
    truth, found = document([(3, 1, 0, 0, 4, 4)]), results([(3, 1, 0.9, 0, 2, 4, 4)])
    data = metrics.coco_detections(truth, found)
    assert not metrics.voc_curves(data, threshold=0.4)[1].right[0]  # 8/24
    assert metrics.voc_curves(data, threshold=0.4, plus_one=True)[1].right[0]  # 15/35


def test_nothing_found_and_nothing_true():
    data = metrics.coco_detections(TRUTH, [])
    assert metrics.coco_evaluation(data).stats()["AP"] == 0.0
    assert metrics.voc_curves(data)[1].area("voc07") == 0.0
    assert len(metrics.detection_verdicts(data)[1]) == 5
    empty = metrics.coco_detections(document([]), FOUND)
    assert metrics.coco_evaluation(empty).stats()["AP"] == -1.0
    assert np.isnan(metrics.voc_curves(empty)[1].area("voc10"))


def test_keypoints_half_way():
    """One of two labelled points is right, the other e^-1 off."""
    truth = metrics.Truth(1, 1, (0, 0, 10, 10), 50.0, keypoints=(0, 0, 2, 5, 5, 1, 9, 9, 0), num_keypoints=2)
    found = metrics.Detected(1, 1, 0.9, (0, 0, 10, 10), 50.0, keypoints=(0, 0, 1, 5, 7, 1, 0, 0, 1))
    assert metrics.keypoint_similarity([found], [truth], sigmas=[0.1] * 3)[0, 0] == pytest.approx((1 + np.exp(-1)) / 2)
    with pytest.raises(DataError, match="has 3 keypoints, the sigmas are of 17"):
        metrics.keypoint_similarity([found], [truth])


@given(arrays.arrays(np.uint8, st.tuples(st.integers(0, 9), st.integers(0, 9)), elements=st.integers(0, 1)))
def test_run_lengths_keep_the_mask(mask):
    for compressed in (True, False):
        rle = metrics.rle_encode(mask, compressed)
        assert np.array_equal(metrics.rle_decode(rle), mask)
        assert metrics.rle_area(rle) == mask.sum()


@given(st.lists(st.integers(0, 2**31), max_size=12))
def test_text_of_runs_reads_back(counts):
    assert text_to_counts(counts_to_text(counts)) == counts


def test_masks_overlap_as_their_pixels_do():
    draw = np.random.default_rng(0)
    one, two = draw.random((2, 7, 9)) < 0.4
    common, either = (one & two).sum(), (one | two).sum()
    rles = [metrics.rle_encode(mask) for mask in (one, two)]
    assert metrics.rle_iou(rles[:1], rles, [False, True])[0].tolist() == [1.0, common / one.sum()]
    assert metrics.rle_iou(rles[:1], rles[1:])[0, 0] == common / either
    assert metrics.rle_area(metrics.rle_merge(rles)) == either
    square = metrics.polygons_to_rle([[1, 1, 4, 1, 4, 3, 1, 3]], 5, 6)
    assert metrics.rle_box(square) == (1.0, 1.0, 3.0, 2.0) and metrics.rle_area(square) == 6


def spoiled(document, **changes):
    return {**document, "annotations": [{**document["annotations"][0], **changes}]}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.coco_detections([], []), DataError, "wants COCO's document"),
        (lambda: metrics.coco_detections(TRUTH, {}), DataError, "wants a list of detections"),
        (lambda: metrics.coco_detections(TRUTH, [3]), DataError, r"detections\[0\]: image_id must be"),
        (lambda: metrics.coco_detections(TRUTH, results([(9, 1, 0.5, 0, 0, 1, 1)])), DataError, "image_id 9 is none of the 2 images"),
        (lambda: metrics.coco_detections(TRUTH, results([(3, 2, 0.5, 0, 0, 1, 1)])), DataError, "ids may be sparse"),
        (lambda: metrics.coco_detections(TRUTH, results([(3, 1, np.nan, 0, 0, 1, 1)])), DataError, "score must be a finite number"),
        (lambda: metrics.coco_detections(TRUTH, results([(3, 1, 0.5, 4, 4, -1, 1)])), DataError, "are these corners"),
        (lambda: metrics.coco_detections(TRUTH, results([(3, 1, 0.5, 4, 4)])), DataError, "bbox must be"),
        (lambda: metrics.coco_detections(spoiled(TRUTH, segmentation=[[1, 2]]), []), DataError, r"annotations\[0\]: polygon: wants"),
        (lambda: metrics.coco_detections(spoiled(TRUTH, keypoints=[1, 2]), []), DataError, "keypoints must be"),
        (lambda: metrics.coco_evaluation(metrics.coco_detections(TRUTH, FOUND), kind="segm"), DataError, "has no segmentation"),
        (lambda: metrics.coco_evaluation(metrics.coco_detections(TRUTH, FOUND), kind="box"), ArgumentError, "bbox, segm, keypoints"),
        (lambda: metrics.coco_evaluation(metrics.coco_detections(TRUTH, FOUND), thresholds=[2]), ArgumentError, "above 0 and at most 1"),
        (lambda: metrics.voc_curves(metrics.coco_detections(TRUTH, FOUND), threshold=0), ArgumentError, "above 0 and at most 1"),
        (lambda: metrics.detection_verdicts(metrics.coco_detections(TRUTH, FOUND), background=0.9), ArgumentError, "background <= threshold"),
        (lambda: metrics.average_precision([1], [True], 1, "coco17"), ArgumentError, "rule must be one of"),
        (lambda: metrics.precision_recall_of([1], [True, False], 1), ShapeError, "must all be"),
        (lambda: metrics.rle_encode(np.zeros(3)), ShapeError, r"\(H, W\)"),
        (lambda: metrics.rle_decode({"size": [2, 2], "counts": [3]}), DataError, "the runs add up to 3 pixels"),
        (lambda: metrics.rle_decode({"size": [2, 2], "counts": "P"}), DataError, "breaks off"),
        (lambda: metrics.rle_decode({"size": [2, 2], "counts": "!"}), DataError, "no place in a compressed"),
        (lambda: metrics.rle_decode({"size": [2, -2], "counts": "4"}), DataError, "size must be"),
        (lambda: metrics.rle_decode({"size": [2, 2], "counts": "O5"}), DataError, "negative run"),
        (lambda: metrics.rle_decode("4"), DataError, "a run-length mask is"),
        (lambda: metrics.rle_iou([metrics.rle_encode([[1]])], [metrics.rle_encode([[1, 1]])]), ArgumentError, "one size"),
        (lambda: metrics.rle_merge([]), ArgumentError, "at least one mask"),
        (lambda: metrics.polygons_to_rle([[0, 0, np.inf, 1, 1, 1]], 3, 3), DataError, "finite numbers"),
    ],
)
def test_errors_name_the_rule(call, error, message):
    with pytest.raises(error, match=message):
        call()


@given(st.integers(0, 2**32 - 1))
def test_voc_is_its_definition_in_plain_loops(seed):
    """All detections of a class in order of score; each claims the truth of its image that it overlaps most."""
    draw = np.random.default_rng(seed)
    boxes = [(int(draw.choice([3, 7])), 1, *(float(each) for each in draw.integers(1, 12, 4))) for _ in range(draw.integers(0, 6))]
    hard = {str(place): {"difficult": 1} for place in range(len(boxes)) if draw.random() < 0.2}
    found = [(image, 1, float(draw.random()), *(each + float(draw.integers(0, 2)) for each in box)) for image, _, *box in boxes * 2]
    curve = metrics.voc_curves(metrics.coco_detections(document(boxes, **hard), results(found)))[1]
    taken, right = set(), []
    for image, _, _, *box in sorted(found, key=lambda each: -each[2]):
        same = [place for place, true in enumerate(boxes) if true[0] == image]
        overlap = [float(metrics.box_overlaps([box], [boxes[place][2:]])[0, 0]) for place in same]
        best = int(np.argmax(overlap)) if same else -1
        if best >= 0 and overlap[best] >= 0.5 and str(same[best]) in hard:
            continue
        right.append(best >= 0 and overlap[best] >= 0.5 and same[best] not in taken)
        if right[-1]:
            taken.add(same[best])
    positives = len(boxes) - len(hard)
    assert curve.right.tolist() == right and curve.positives == positives
    if positives and right:
        precision = [sum(right[: n + 1]) / (n + 1) for n in range(len(right))]
        recall = [sum(right[: n + 1]) / positives for n in range(len(right))]
        eleven = [max((p for p, r in zip(precision, recall, strict=True) if r >= level), default=0) for level in np.linspace(0, 1, 11)]
        assert curve.area("voc07") == pytest.approx(sum(eleven) / 11)
        exact = sum((r - before) * max(precision[n:]) for n, (r, before) in enumerate(zip(recall, [0, *recall[:-1]], strict=True)))
        assert curve.area("voc10") == pytest.approx(exact)
