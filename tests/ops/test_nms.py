"""Suppression: against the definition in whole numbers over thousands of drawn sets, and its stated order."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import ops
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

seeds = st.integers(0, 2**32 - 1)
THRESHOLDS = [Fraction(0), Fraction(1, 4), Fraction(1, 3), Fraction(1, 2), Fraction(3, 5), Fraction(1)]


def definition(boxes, scores, threshold, groups=None):
    """By the words of the definition, in Python's whole numbers and fractions: nothing is rounded."""
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        for j in kept:
            if groups is not None and groups[i] != groups[j]:
                continue
            a, b = boxes[i], boxes[j]
            shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
            together = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
            if together and Fraction(shared, together) > threshold:
                break
        else:
            kept.append(i)
    return kept


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threshold", THRESHOLDS, ids=str)
def test_thousands_of_sets_on_a_grid(dtype, threshold):
    """Ties of scores and overlaps of exactly the threshold are frequent there. A third is not a float: the quotient 1/3 rounds as it does."""
    rng = np.random.default_rng(int(60 * threshold))
    as_float = float(dtype(float(threshold)))
    for _ in range(400):
        count = int(rng.integers(0, 12))
        corners = np.sort(rng.integers(0, 5, (count, 2, 2)), axis=1).reshape(count, 4)
        scores, groups = rng.integers(0, 4, count), rng.integers(0, 3, count)
        numbers = [[int(value) for value in box] for box in corners]
        boxes, marks = corners.astype(dtype), scores.astype(dtype)
        assert ops.nms(boxes, marks, as_float).tolist() == definition(numbers, scores.tolist(), threshold)
        assert ops.batched_nms(boxes, marks, groups, as_float).tolist() == definition(numbers, scores.tolist(), threshold, groups.tolist())


@given(st.integers(0, 200), seeds)
def test_what_is_kept_covers_little_and_covers_what_is_gone(count, seed):
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.uniform(0, 9, (count, 2, 2)), axis=1).reshape(count, 4)
    scores = rng.permutation(count).astype(float)
    kept = ops.nms(corners, scores, 0.3).data
    assert (np.diff(scores[kept]) < 0).all()
    iou = ops.box_iou(corners, corners).data
    among = iou[np.ix_(kept, kept)] - np.eye(len(kept))
    assert among.max(initial=0) <= 0.3
    for gone in set(range(count)) - set(kept.tolist()):
        assert any(iou[gone, j] > 0.3 and scores[j] > scores[gone] for j in kept)
    np.testing.assert_array_equal(ops.nms(corners[kept], scores[kept], 0.3).data, np.arange(len(kept)))


@given(st.integers(1, 60), seeds)
def test_categories_one_by_one_and_together(count, seed):
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.uniform(-9, 9, (count, 2, 2)), axis=1).reshape(count, 4)
    scores, groups = rng.permutation(count).astype(float), rng.integers(-1, 3, count)
    together = ops.batched_nms(corners, scores, groups, 0.4).data
    apart = [np.flatnonzero(groups == group)[ops.nms(corners[groups == group], scores[groups == group], 0.4).data] for group in np.unique(groups)]
    assert sorted(together.tolist()) == sorted(np.concatenate(apart).tolist())
    assert (np.diff(scores[together]) < 0).all()


def test_equal_scores_keep_the_first():
    boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [5, 5, 6, 6], [0, 0, 2, 2]], np.float32)
    assert ops.nms(boxes, np.ones(4, np.float32), 0.5).tolist() == [0, 2]


def test_exactly_the_threshold_stays():
    boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 1]], np.float32)
    assert ops.nms(boxes, np.array([2, 1], np.float32), 0.5).tolist() == [0, 1]
    assert ops.nms(boxes, np.array([2, 1], np.float32), np.nextafter(0.5, 0)).tolist() == [0]


def test_strange_boxes_and_scores():
    nan = float("nan")
    boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, nan, 2], [1, 1, 1, 1], [1, 1, 1, 1], [2, 2, 0, 0]])
    assert ops.nms(boxes, np.array([3.0, 2, 9, 5, 4, 1]), 0.5).tolist() == [2, 3, 4, 0, 5]
    assert ops.nms(boxes[:2], np.array([1.0, nan]), 0.5).tolist() == [1]
    assert ops.nms(np.zeros((0, 4)), np.zeros(0), 0.5).tolist() == []
    assert ops.nms(np.zeros((0, 4)), np.zeros(0), 0.5).dtype == np.int64


def test_views_and_read_only_arrays():
    rng = np.random.default_rng(0)
    corners = np.sort(rng.uniform(0, 9, (20, 2, 2)), axis=1).reshape(20, 4)
    scores = rng.random(20)
    expected = ops.nms(corners, scores, 0.3).tolist()
    wide, frozen = np.asfortranarray(corners), scores[::-1][::-1]
    frozen.flags.writeable = False
    assert ops.nms(wide, frozen, 0.3).tolist() == expected
    assert ops.nms(tinycnn.Tensor(corners, requires_grad=True), scores, 0.3).tolist() == expected


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((3, 5)), np.zeros(3), 0.5), ShapeError, r"nms: boxes has shape \(3, 5\)"),
        ((np.zeros((3, 4)), np.zeros(2), 0.5), ShapeError, r"scores has shape \(2,\) beside 3 boxes"),
        ((np.zeros((3, 4)), np.zeros(3, np.float32), 0.5), DtypeError, "boxes is float64 but scores is float32"),
        ((np.zeros((3, 4), np.int64), np.zeros(3), 0.5), DtypeError, "boxes is int64"),
        ((np.zeros((3, 4)), np.zeros(3), "half"), ArgumentError, "iou_threshold must be a number, not 'half'"),
        ((np.zeros((3, 4)), np.zeros(3), float("nan")), ArgumentError, "iou_threshold must be a number, not nan"),
    ],
)
def test_messages(arguments, error, message):
    with pytest.raises(error, match=message):
        ops.nms(*arguments)


def test_messages_of_categories():
    with pytest.raises(ShapeError, match=r"idxs has shape \(2,\) beside 3 boxes"):
        ops.batched_nms(np.zeros((3, 4)), np.zeros(3), [0, 1], 0.5)
    with pytest.raises(DtypeError, match="categories are whole numbers"):
        ops.batched_nms(np.zeros((3, 4)), np.zeros(3), np.array([0.5, 1, 2]), 0.5)
