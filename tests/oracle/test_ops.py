"""torchvision's operators: values and gradients over drawn boxes, maps and offsets; what it refuses is refused here."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tests.oracle.agreement import same
from tinycnn import ops
from tinycnn.errors import TinycnnError

torch = pytest.importorskip("torch")
vision = pytest.importorskip("torchvision.ops")
pytestmark = pytest.mark.torch

seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from([np.float32, np.float64])


def boxes(rng, count, kind="real", batch=()):
    """Drawn boxes: "real" numbers, an integer "grid" with ties and boxes without area, or "reversed" ones too."""
    corners = rng.uniform(0, 8, (*batch, count, 2, 2)) if kind == "real" else rng.integers(0, 5, (*batch, count, 2, 2)).astype(float)
    if kind != "reversed":
        corners.sort(axis=-2)
    return corners.reshape(*batch, count, 4)


kinds = st.sampled_from(["real", "grid", "reversed"])


@given(st.sampled_from(["xyxy", "xywh", "cxcywh"]), kinds, dtypes, seeds)
def test_box_area_and_iou_in_three_formats(fmt, kind, dtype, seed):
    rng = np.random.default_rng(seed)
    one, other = boxes(rng, 4, kind, (2,)), boxes(rng, 3, kind)
    same(lambda b: ops.box_area(b, fmt), lambda b: vision.box_area(b, fmt), one, dtype=dtype, seed=seed)
    same(lambda a, b: ops.box_iou(a, b, fmt), lambda a, b: vision.box_iou(a, b, fmt), one, other, dtype=dtype, seed=seed)


@pytest.mark.parametrize("name", ["generalized_box_iou", "distance_box_iou", "complete_box_iou"])
@given(kind=kinds, dtype=dtypes, seed=seeds)
def test_overlaps(name, kind, dtype, seed):
    rng = np.random.default_rng(seed)
    # float32 loses its digits to cancellation where a box is thin: only values are compared there.
    same(getattr(ops, name), getattr(vision, name), boxes(rng, 4, kind), boxes(rng, 3, kind), dtype=dtype, seed=seed, gradients=dtype == np.float64)


@pytest.mark.parametrize("name", ["generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss"])
@given(kind=kinds, reduction=st.sampled_from(["none", "mean", "sum"]), count=st.integers(0, 5), seed=seeds)
def test_box_losses(name, kind, reduction, count, seed):
    rng = np.random.default_rng(seed)
    arguments = boxes(rng, count, kind), boxes(rng, count, kind)
    same(lambda a, b: getattr(ops, name)(a, b, reduction, 1e-6), lambda a, b: getattr(vision, name)(a, b, reduction, 1e-6), *arguments, seed=seed)
    same(getattr(ops, name), getattr(vision, name), np.array([0.0, 0, 2, 3]), np.array([1.0, 1, 4, 2]))


@given(
    st.sampled_from([0.25, 0.0, 1.0, -1.0]), st.sampled_from([0.0, 1.0, 2.0, 2.5]), st.sampled_from(["none", "mean", "sum"]), dtypes, seeds
)
def test_sigmoid_focal_loss(alpha, gamma, reduction, dtype, seed):
    rng = np.random.default_rng(seed)
    options = (alpha, gamma, reduction)
    arrays = 3 * rng.standard_normal((3, 5)), rng.integers(0, 2, (3, 5)).astype(float)
    same(lambda x, y: ops.sigmoid_focal_loss(x, y, *options), lambda x, y: vision.sigmoid_focal_loss(x, y, *options), *arrays, dtype=dtype, seed=seed)


CONVERSIONS = [(a, b) for group in (("xyxy", "xywh", "cxcywh"), ("xywhr", "cxcywhr", "xyxyxyxy")) for a in group for b in group]


@pytest.mark.parametrize(("start", "end"), CONVERSIONS)
@given(dtype=dtypes, seed=seeds)
def test_box_convert(start, end, dtype, seed):
    rng = np.random.default_rng(seed)
    width = {"xywhr": 5, "cxcywhr": 5, "xyxyxyxy": 8}.get(start, 4)
    x = rng.uniform(0.5, 8, (2, 3, width))
    if width == 5:
        x[..., 4] = rng.uniform(-180, 180, (2, 3))
    if width == 8:
        x = vision.box_convert(torch.tensor(np.concatenate([x[..., :4], rng.uniform(-180, 180, (2, 3, 1))], -1)), "xywhr", start).numpy()
    same(lambda b: ops.box_convert(b, start, end), lambda b: vision.box_convert(b, start, end), x, dtype=dtype, seed=seed)
    whole = np.round(x).astype(np.int64)
    expected = vision.box_convert(torch.tensor(whole), start, end)
    np.testing.assert_allclose(ops.box_convert(whole, start, end).data, expected.numpy(), atol=1 if width > 4 else 0)


@pytest.mark.parametrize(("start", "end"), [("xyxy", "xywhr"), ("cxcywhr", "xyxy"), ("xyxy", "yxyx")])
def test_box_convert_refuses_what_torchvision_refuses(start, end):
    width = 5 if start.endswith("r") else 4
    with pytest.raises((ValueError, NotImplementedError)):
        vision.box_convert(torch.zeros(1, width), start, end)
    with pytest.raises(TinycnnError):
        ops.box_convert(np.zeros((1, width)), start, end)


@given(st.sampled_from(["cxcywhr", "xywhr"]), dtypes, seeds)
def test_rotated_iou(fmt, dtype, seed):
    rng = np.random.default_rng(seed)
    sets = [np.concatenate([rng.uniform(0, 4, (n, 2)), rng.uniform(0.5, 4, (n, 2)), rng.uniform(-200, 200, (n, 1))], 1) for n in (4, 3)]
    mine = ops.box_iou(sets[0].astype(dtype), sets[1].astype(dtype), fmt)
    theirs = vision.box_iou(*(torch.tensor(boxes.astype(dtype)) for boxes in sets), fmt)
    np.testing.assert_allclose(mine.data, theirs.numpy(), atol=1e-4 if dtype == np.float32 else 1e-6)


@given(kinds, dtypes, seeds)
def test_clip_and_remove_small(kind, dtype, seed):
    rng = np.random.default_rng(seed)
    x = 3 * boxes(rng, 6, kind) - 4
    same(lambda b: ops.clip_boxes_to_image(b, (6, 9)), lambda b: vision.clip_boxes_to_image(b, (6, 9)), x, dtype=dtype, seed=seed)
    for least in (0, 2, 2.5):
        expected = vision.remove_small_boxes(torch.tensor(x), least).numpy()
        np.testing.assert_array_equal(ops.remove_small_boxes(x, least).data, expected)


@given(st.integers(0, 4), st.integers(1, 6), st.integers(1, 6), st.floats(0, 1), seeds)
def test_masks_to_boxes(count, height, width, share, seed):
    masks = np.random.default_rng(seed).random((count, height, width)) < share
    expected = vision.masks_to_boxes(torch.tensor(masks))
    mine = ops.masks_to_boxes(masks)
    np.testing.assert_array_equal(mine.data, expected.numpy())
    assert mine.dtype == np.float32


@given(st.integers(0, 60), kinds, st.sampled_from([0.0, 0.2, 1 / 3, 0.5, 0.7, 1.0]), dtypes, st.booleans(), seeds)
def test_nms(count, kind, threshold, dtype, ties, seed):
    rng = np.random.default_rng(seed)
    corners = boxes(rng, count, kind).astype(dtype)
    scores = (rng.integers(0, 6, count) if ties else rng.permutation(count)).astype(dtype)
    expected = vision.nms(torch.tensor(corners), torch.tensor(scores), threshold).numpy()
    mine = ops.nms(corners, scores, threshold)
    assert mine.dtype == np.int64
    np.testing.assert_array_equal(mine.data, expected)
    groups = rng.integers(0, 3, count)
    tensors = (torch.tensor(corners), torch.tensor(scores), torch.tensor(groups))
    # Whole numbers survive torchvision's offsets exactly; real ones may not, and are compared with its class-by-class form.
    batched = vision.batched_nms if kind != "real" else vision.boxes._batched_nms_vanilla
    kept = batched(*tensors, threshold).numpy() if count else np.zeros(0, np.int64)
    mine = ops.batched_nms(corners, scores, groups, threshold).data
    assert set(mine) == set(kept)
    np.testing.assert_array_equal(scores[mine], scores[kept])


@given(st.sampled_from([np.nan, np.inf, -np.inf]), dtypes, seeds)
def test_nms_of_strange_numbers(number, dtype, seed):
    rng = np.random.default_rng(seed)
    corners, scores = boxes(rng, 12, "grid").astype(dtype), rng.permutation(12).astype(dtype)
    corners[rng.random(corners.shape) < 0.1] = number
    scores[rng.random(12) < 0.2] = number
    for threshold in (0.0, 0.5):
        expected = vision.nms(torch.tensor(corners), torch.tensor(scores), threshold).numpy()
        np.testing.assert_array_equal(ops.nms(corners, scores, threshold).data, expected)


@pytest.mark.parametrize("arguments", [((3, 5), 3), ((3, 4), 2), ((12,), 3), ((3, 4), (3, 1))])
def test_nms_refuses_what_torchvision_refuses(arguments):
    shape, scores = arguments
    with pytest.raises(RuntimeError):
        vision.nms(torch.zeros(shape), torch.zeros(scores), 0.5)
    with pytest.raises(TinycnnError):
        ops.nms(np.zeros(shape), np.zeros(scores), 0.5)


@st.composite
def regions(draw, position_sensitive=False):
    """(x, rois, bins, scale, sampling_ratio); small boxes, boxes across the border and outside, reversed ones."""
    rng = np.random.default_rng(draw(seeds))
    bins = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    channels = draw(st.integers(1, 3)) * (bins[0] * bins[1] if position_sensitive else 1)
    x = rng.standard_normal((2, channels, draw(st.integers(1, 9)), draw(st.integers(1, 9))))
    count = draw(st.integers(0, 5))
    corners = rng.uniform(-3, 18, (count, 4))
    if draw(st.booleans()):
        corners = np.round(corners)
    if draw(st.booleans()):
        corners[:, 2:] = corners[:, :2] + np.abs(corners[:, 2:] - corners[:, :2])
    rois = np.concatenate([rng.integers(0, 2, (count, 1)), corners], 1)
    return x, rois, bins, draw(st.sampled_from([1.0, 0.5, 0.25, 0.3])), draw(st.sampled_from([-1, 0, 1, 2, 3]))


@given(regions(), st.booleans(), dtypes, seeds)
def test_roi_align(case, aligned, dtype, seed):
    x, rois, bins, scale, ratio = case
    rois = rois.astype(dtype)
    same(
        lambda x: ops.roi_align(x, rois, bins, scale, ratio, aligned),
        lambda x: vision.roi_align(x, torch.tensor(rois), bins, scale, ratio, aligned),
        x,
        dtype=dtype,
        seed=seed,
    )


@given(regions(), dtypes, seeds)
def test_roi_pool(case, dtype, seed):
    x, rois, bins, scale, _ = case
    rois = rois.astype(dtype)
    theirs = lambda x: vision.roi_pool(x, torch.tensor(rois), bins, scale)  # noqa: E731
    same(lambda x: ops.roi_pool(x, rois, bins, scale), theirs, x, dtype=dtype, seed=seed)


@given(regions(position_sensitive=True), dtypes, seeds)
def test_ps_roi_align(case, dtype, seed):
    x, rois, bins, scale, ratio = case
    rois = rois.astype(dtype)
    theirs = lambda x: vision.ps_roi_align(x, torch.tensor(rois), bins, scale, ratio)  # noqa: E731
    same(lambda x: ops.ps_roi_align(x, rois, bins, scale, ratio), theirs, x, dtype=dtype, seed=seed)


@given(regions(position_sensitive=True), dtypes, seeds)
def test_ps_roi_pool(case, dtype, seed):
    x, rois, bins, scale, _ = case
    rois = rois.astype(dtype)
    theirs = lambda x: vision.ps_roi_pool(x, torch.tensor(rois), bins, scale)  # noqa: E731
    same(lambda x: ops.ps_roi_pool(x, rois, bins, scale), theirs, x, dtype=dtype, seed=seed)


def test_boxes_as_a_list():
    rng = np.random.default_rng(0)
    x, lists = rng.standard_normal((2, 3, 8, 8)), [boxes(rng, 2), boxes(rng, 0)]
    expected = vision.roi_align(torch.tensor(x), [torch.tensor(one) for one in lists], 3)
    np.testing.assert_allclose(ops.roi_align(x, lists, 3).data, expected.numpy(), rtol=1e-9)


def test_layers_of_regions():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((1, 8, 9, 9))
    rois = np.concatenate([np.zeros((3, 1)), 2 * boxes(rng, 3)], 1)
    for name, arguments in (("RoIAlign", (2, 0.5, 2, True)), ("RoIPool", (2, 0.5)), ("PSRoIAlign", (2, 0.5, 2)), ("PSRoIPool", (2, 0.5))):
        expected = getattr(vision, name)(*arguments)(torch.tensor(x), torch.tensor(rois))
        np.testing.assert_allclose(getattr(ops, name)(*arguments)(x, rois).data, expected.numpy(), rtol=1e-9, atol=1e-12)


@st.composite
def deformations(draw):
    """(arrays of deform_conv2d with a mask and a bias, options)."""
    rng = np.random.default_rng(draw(seeds))
    groups, offset_groups = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    channels = groups * offset_groups * draw(st.integers(1, 2))
    kernel, stride, dilation = (draw(st.tuples(*[st.integers(1, most)] * 2)) for most in (3, 2, 2))
    padding = draw(st.tuples(*[st.integers(0, 2)] * 2))
    out = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    size = [max(1, (o - 1) * s + d * (k - 1) + 1 - 2 * p) for o, s, d, k, p in zip(out, stride, dilation, kernel, padding)]
    out = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, s, d, k, p in zip(size, stride, dilation, kernel, padding))
    cells = kernel[0] * kernel[1]
    arrays = [
        rng.standard_normal((2, channels, *size)),
        2 * rng.standard_normal((2, 2 * offset_groups * cells, *out)),
        rng.standard_normal((2 * groups, channels // groups, *kernel)),
        rng.standard_normal(2 * groups),
        rng.random((2, offset_groups * cells, *out)),
    ]
    if draw(st.booleans()):
        arrays[1] = np.round(arrays[1])
    return arrays, (stride, padding, dilation)


@given(deformations(), dtypes, seeds)
def test_deform_conv2d(case, dtype, seed):
    arrays, options = case
    same(
        lambda x, offset, weight, bias, mask: ops.deform_conv2d(x, offset, weight, bias, *options, mask),
        lambda x, offset, weight, bias, mask: vision.deform_conv2d(x, offset, weight, bias, *options, mask),
        *arrays,
        dtype=dtype,
        seed=seed,
    )
    same(
        lambda x, offset, weight: ops.deform_conv2d(x, offset, weight, None, *options),
        lambda x, offset, weight: vision.deform_conv2d(x, offset, weight, None, *options),
        *arrays[:3],
        dtype=dtype,
        seed=seed,
    )


def load(module, other):
    """Copy torchvision's values into our layer: the keys are the same."""
    module.double().load_state_dict({key: value.numpy() for key, value in other.double().state_dict().items()})


def test_blocks_load_torchvisions_keys():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((2, 6, 4, 4))
    for mine, other, inputs in (
        (ops.SqueezeExcitation(6, 2), vision.SqueezeExcitation(6, 2), (x,)),
        (
            ops.Conv2dNormActivation(6, 4, 3, dilation=2, groups=2).eval(),
            vision.Conv2dNormActivation(6, 4, 3, dilation=2, groups=2).eval(),
            (x,),
        ),
        (ops.Conv2dNormActivation(6, 4, 1, norm_layer=None), vision.Conv2dNormActivation(6, 4, 1, norm_layer=None), (x,)),
        (ops.FrozenBatchNorm2d(6), vision.FrozenBatchNorm2d(6), (x,)),
        (ops.MLP(4, [5, 3], bias=False), vision.MLP(4, [5, 3], bias=False), (x,)),
        (ops.Permute([0, 2, 3, 1]), vision.Permute([0, 2, 3, 1]), (x,)),
        (
            ops.DeformConv2d(6, 4, 3, padding=1, groups=2),
            vision.DeformConv2d(6, 4, 3, padding=1, groups=2),
            (x, rng.standard_normal((2, 18, 4, 4))),
        ),
    ):
        if isinstance(other, vision.FrozenBatchNorm2d):
            other.running_var += torch.rand(6)
            other.running_mean += torch.rand(6)
        load(mine, other)
        expected = other(*(torch.tensor(value) for value in inputs)).detach().numpy()
        np.testing.assert_allclose(mine(*inputs).data, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("arguments", [(-0.1, 3), (1.1, 3), (0.5, 2)])
def test_drop_block_refuses_what_torchvision_refuses(arguments):
    with pytest.raises(ValueError):
        vision.drop_block2d(torch.zeros(1, 1, 5, 5), *arguments)
    with pytest.raises(TinycnnError):
        ops.drop_block2d(np.zeros((1, 1, 5, 5)), *arguments)


@pytest.mark.parametrize("size", [5, 8])
def test_drop_block_drops_and_scales_as_torchvision_does(size):
    """The random numbers differ: the share of zeros over many maps does not, and the sum of factors is the number of elements."""
    ones = np.ones((50, 400, size, size))
    mine = ops.drop_block2d(ones, 0.3, 3, generator=np.random.default_rng(0)).data
    torch.manual_seed(0)
    theirs = vision.drop_block2d(torch.tensor(ones), 0.3, 3).numpy()
    assert abs((mine == 0).mean() - (theirs == 0).mean()) < 0.01
    assert mine.sum() == pytest.approx(ones.size) == pytest.approx(theirs.sum())


def test_everything_torchvision_names_is_here_or_listed():
    later = {"MultiScaleRoIAlign", "FeaturePyramidNetwork", "Conv3dNormActivation"}
    assert set(vision.__all__) - set(tinycnn.ops.__all__) <= later
