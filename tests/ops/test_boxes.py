"""Boxes, overlaps and their losses: gradients, laws, numbers worked out by hand, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck, ops
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

seeds = st.integers(0, 2**32 - 1)
OVERLAPS = [ops.box_iou, ops.generalized_box_iou, ops.distance_box_iou, ops.complete_box_iou]
LOSSES = [ops.generalized_box_iou_loss, ops.distance_box_iou_loss, ops.complete_box_iou_loss]


def drawn(rng, *shape):
    """Boxes with sides of at least 1/2 and no two equal coordinates."""
    corner = rng.uniform(0, 5, (*shape, 2))
    return np.concatenate([corner, corner + rng.uniform(0.5, 5, (*shape, 2))], -1)


@given(seeds)
def test_gradients(seed):
    rng = np.random.default_rng(seed)
    one, other = drawn(rng, 3), drawn(rng, 2)
    for overlap in (ops.box_iou, ops.generalized_box_iou, ops.distance_box_iou):
        assert gradcheck(overlap, [one, other])
    for loss in (ops.generalized_box_iou_loss, ops.distance_box_iou_loss):
        for reduction in ("none", "mean", "sum"):
            assert gradcheck(lambda a, b, loss=loss, reduction=reduction: loss(a, b, reduction), [one, drawn(rng, 3)])
    assert gradcheck(ops.box_area, one)
    assert gradcheck(lambda b: ops.clip_boxes_to_image(b, (6, 5)), one)
    targets = rng.random((3, 4))
    assert gradcheck(lambda x, y: ops.sigmoid_focal_loss(x, y, 0.3, 2.5, "sum"), [rng.standard_normal((3, 4)), targets])


@given(seeds)
def test_gradients_of_conversions(seed):
    rng = np.random.default_rng(seed)
    boxes = drawn(rng, 3)
    turned = np.concatenate([boxes, rng.uniform(-170, 170, (3, 1))], 1)
    for start in ("xyxy", "xywh", "cxcywh"):
        for end in ("xyxy", "xywh", "cxcywh"):
            assert gradcheck(lambda b, start=start, end=end: ops.box_convert(b, start, end), boxes)
    for end in ("cxcywhr", "xyxyxyxy"):
        assert gradcheck(lambda b, end=end: ops.box_convert(b, "xywhr", end), turned)
    assert gradcheck(lambda b: ops.box_convert(b, "xyxyxyxy", "xywhr"), ops.box_convert(turned, "xywhr", "xyxyxyxy").data)


def test_the_weight_of_the_aspect_term_is_a_constant_of_the_gradient():
    """So CIoU's gradient is not its slope: with alpha fixed at its value, it is."""
    one, other = np.array([[0.0, 0.0, 3.0, 2.0]]), np.array([[1.0, 0.5, 2.0, 4.0]])

    def aspect(a):
        return 4 / np.pi**2 * (np.arctan((a[0, 2] - a[0, 0]) / (a[0, 3] - a[0, 1])) - np.arctan(1 / 3.5)) ** 2

    iou = ops.box_iou(one, other).item()
    alpha = aspect(one) / (1 - iou + aspect(one) + 1e-7)
    x = Tensor(one, requires_grad=True)
    ops.complete_box_iou(x, other).sum().backward()
    for k in range(4):
        step = np.zeros((1, 4))
        step[0, k] = 1e-6
        slope = [(ops.distance_box_iou(one + sign * step, other).item() - alpha * aspect(one + sign * step)) for sign in (1, -1)]
        assert x.grad.data[0, k] == pytest.approx((slope[0] - slope[1]) / 2e-6, rel=1e-6, abs=1e-8)


@given(seeds)
def test_overlaps_are_symmetric_bounded_and_do_not_see_where_or_how_large(seed):
    rng = np.random.default_rng(seed)
    one, other = drawn(rng, 4), drawn(rng, 3)
    scale, shift = rng.uniform(0.5, 3), np.tile(rng.uniform(-9, 9, 2), 2)
    for overlap in OVERLAPS:
        value = overlap(one, other).data
        np.testing.assert_allclose(value, overlap(other, one).data.T, rtol=1e-12)
        np.testing.assert_allclose(overlap(scale * one + shift, scale * other + shift).data, value, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(np.diag(overlap(one, one).data), 1, rtol=1e-12)
        assert value.max() <= 1
    iou = ops.box_iou(one, other).data
    assert iou.min() >= 0
    assert (ops.generalized_box_iou(one, other).data <= iou + 1e-12).all()
    assert (ops.generalized_box_iou(one, other).data > -1).all()
    assert (ops.complete_box_iou(one, other).data <= ops.distance_box_iou(one, other).data + 1e-12).all()
    assert (ops.distance_box_iou(one, other).data <= iou + 1e-12).all()


@given(seeds, st.sampled_from([np.float32, np.float64]))
def test_iou_is_the_same_with_a_gradient_and_without(seed, dtype):
    rng = np.random.default_rng(seed)
    one, other = (rng.integers(0, 6, (n, 4)).astype(dtype) for n in (4, 3))  # reversed ones and ones without area among them
    with np.errstate(all="ignore"):
        recorded = ops.box_iou(Tensor(one, requires_grad=True), other)
    assert recorded.requires_grad
    np.testing.assert_array_equal(ops.box_iou(one, other).data, recorded.data)


@given(seeds)
def test_losses_are_one_less_the_overlap_of_each_pair(seed):
    rng = np.random.default_rng(seed)
    one, other = drawn(rng, 5), drawn(rng, 5)
    for loss, overlap in zip(LOSSES, OVERLAPS[1:], strict=True):
        np.testing.assert_allclose(loss(one, other).data, 1 - np.diag(overlap(one, other).data), atol=1e-6)
        assert loss(one, other, "mean").item() == pytest.approx(loss(one, other).data.mean())
        assert loss(one[:0], other[:0], "mean").item() == 0


@given(seeds)
def test_formats_there_and_back(seed):
    rng = np.random.default_rng(seed)
    boxes = drawn(rng, 2, 3)
    turned = np.concatenate([boxes, rng.uniform(-170, 170, (2, 3, 1))], -1)
    for end in ("xywh", "cxcywh"):
        np.testing.assert_allclose(ops.box_convert(ops.box_convert(boxes, "xyxy", end), end, "xyxy").data, boxes, rtol=1e-12)
        other = ops.box_convert(boxes, "xyxy", end)
        np.testing.assert_allclose(ops.box_iou(other, other, end).data, ops.box_iou(boxes, boxes).data, rtol=1e-10)
        np.testing.assert_allclose(ops.box_area(other, end).data, ops.box_area(boxes).data, rtol=1e-12)
    for end in ("cxcywhr", "xyxyxyxy"):
        np.testing.assert_allclose(ops.box_convert(ops.box_convert(turned, "xywhr", end), end, "xywhr").data, turned, rtol=1e-9)


@given(seeds, st.sampled_from([0.0, 90.0, 180.0, -90.0]))
def test_rotated_boxes_at_right_angles_overlap_as_upright_ones(seed, degrees):
    rng = np.random.default_rng(seed)
    upright = ops.box_convert(drawn(rng, 3), "xyxy", "cxcywh").data
    turned = np.concatenate([upright, np.full((3, 1), degrees)], 1)
    if degrees in (90.0, -90.0):
        turned[:, [2, 3]] = turned[:, [3, 2]]
    np.testing.assert_allclose(ops.box_iou(turned, turned, "cxcywhr").data, ops.box_iou(upright, upright, "cxcywh").data, atol=1e-9)


def test_rotated_iou_by_hand():
    """A square and itself turned by 45 degrees share a regular octagon: of area 8 (sqrt 2 - 1) for sides of 2."""
    square, diamond = [[0.0, 0.0, 2.0, 2.0, 0.0]], [[0.0, 0.0, 2.0, 2.0, 45.0]]
    octagon = 8 * (2**0.5 - 1)
    assert ops.box_iou(np.array(square), np.array(diamond), "cxcywhr").item() == pytest.approx(octagon / (8 - octagon), rel=1e-12)


def test_numbers_worked_out_by_hand():
    one, other = [[0.0, 0.0, 4.0, 4.0]], [[2.0, 2.0, 6.0, 6.0]]
    assert ops.box_iou(one, other).item() == pytest.approx(4 / 28)
    assert ops.generalized_box_iou(one, other).item() == pytest.approx(4 / 28 - 8 / 36)
    assert ops.distance_box_iou(one, other).item() == pytest.approx(4 / 28 - 8 / 72)
    assert ops.box_area([[1, 2, 4, 8]]).tolist() == [18]
    assert ops.box_area(np.array([[250, 250, 255, 255]], np.uint8)).dtype == np.int32
    assert ops.clip_boxes_to_image([[-1.0, -2.0, 9.0, 3.0]], (4, 5)).tolist() == [[0.0, 0.0, 5.0, 3.0]]
    assert ops.remove_small_boxes([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, float("nan")]], 2).tolist() == [0]


def test_boxes_without_area_reversed_and_strange():
    point, box, reversed_box = [[1.0, 1.0, 1.0, 1.0]], [[0.0, 0.0, 2.0, 2.0]], [[2.0, 2.0, 0.0, 0.0]]
    with np.errstate(invalid="ignore"):
        assert np.isnan(ops.box_iou(point, point).item())
    assert ops.box_iou(point, box).item() == 0
    assert ops.box_iou(reversed_box, box).item() == 0
    assert ops.generalized_box_iou_loss(point, point).item() == pytest.approx(1)
    assert np.isnan(ops.box_iou([[0.0, 0.0, float("nan"), 1.0]], box).item())
    assert ops.box_iou(np.zeros((0, 4), np.float32), box).shape == (0, 1)
    assert ops.box_iou(np.zeros((2, 1, 4)), np.ones((5, 4))).shape == (2, 1, 5)


def test_masks():
    masks = np.zeros((3, 5, 6), np.bool_)
    masks[0, 1:3, 2:5] = True
    masks[1, 4, 0] = True
    np.testing.assert_array_equal(ops.masks_to_boxes(masks).data, [[2, 1, 4, 2], [0, 4, 0, 4], [0, 0, 0, 0]])
    assert ops.masks_to_boxes(np.zeros((0, 5, 5))).shape == (0, 4)


@given(seeds)
def test_focal_loss_is_cross_entropy_without_focus(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal(9), rng.integers(0, 2, 9).astype(float)
    plain = np.log1p(np.exp(-np.where(y == 1, x, -x)))
    np.testing.assert_allclose(ops.sigmoid_focal_loss(x, y, -1, 0).data, plain, rtol=1e-10)
    np.testing.assert_allclose(ops.sigmoid_focal_loss(x, y, 0.5, 0).data, plain / 2, rtol=1e-10)
    assert (ops.sigmoid_focal_loss(x, y, -1, 3).data <= plain).all()


BOX = np.zeros((2, 4))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.box_area(np.zeros((2, 5))), ShapeError, r"box_area: boxes has shape \(2, 5\); it must be \(..., 4\)"),
        (lambda: ops.box_area(None), DtypeError, "box_area: boxes is None"),
        (lambda: ops.box_area(BOX, "yxyx"), ArgumentError, "box_area: fmt 'yxyx' is not one of xyxy, xywh, cxcywh"),
        (lambda: ops.box_iou(BOX[0], BOX), ShapeError, r"box_iou: boxes1 has shape \(4,\); it must be \(..., N, 4\)"),
        (lambda: ops.box_iou(BOX, BOX.astype(np.float32)), DtypeError, "boxes1 is float64 but boxes2 is float32"),
        (lambda: ops.box_iou(np.zeros((2, 1, 4)), np.zeros((3, 1, 4))), ShapeError, "do not broadcast"),
        (lambda: ops.box_iou(np.zeros((1, 2, 5)), np.zeros((2, 5)), "xywhr"), ShapeError, "rotated boxes have shapes"),
        (lambda: ops.box_convert(BOX, "xyxy", "xywhr"), ArgumentError, "no conversion from 'xyxy' to 'xywhr'"),
        (lambda: ops.clip_boxes_to_image(BOX, 5), ArgumentError, r"size must be \(height, width\), not 5"),
        (lambda: ops.clip_boxes_to_image(BOX, (5, -1)), ArgumentError, "width must be zero or more, not -1"),
        (lambda: ops.remove_small_boxes(BOX, None), ArgumentError, "min_size must be a number, not None"),
        (lambda: ops.masks_to_boxes(np.zeros((3, 3))), ShapeError, r"masks has shape \(3, 3\); it must be \(N, H, W\)"),
        (lambda: ops.generalized_box_iou_loss(BOX, BOX[:1]), ShapeError, "they must be equal, box by box"),
        (lambda: ops.distance_box_iou_loss(BOX, BOX, "average"), ArgumentError, "reduction 'average' is not one of none, mean, sum"),
        (lambda: ops.sigmoid_focal_loss(BOX, BOX, alpha=2), ArgumentError, "alpha must be from 0 to 1, or -1"),
        (lambda: ops.sigmoid_focal_loss(BOX, BOX[:1]), ShapeError, "they must be equal"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()
