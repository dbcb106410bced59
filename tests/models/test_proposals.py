"""Box arithmetic, anchors' conventions, suppression that lowers scores, hard negatives, ridge regression: laws and published numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.test_detection import boxes_of, images_of
from tinycnn import Tensor, ops
from tinycnn.errors import ArgumentError, ShapeError, UsageError
from tinycnn.models import detection

seeds = st.integers(0, 2**32 - 1)

# rbgirshick/py-faster-rcnn prints these for its stride 16, scales 8, 16, 32 and ratios 0.5, 1, 2.
PY_FASTER_RCNN = [
    [-84, -40, 99, 55], [-176, -88, 191, 103], [-360, -184, 375, 199],
    [-56, -56, 71, 71], [-120, -120, 135, 135], [-248, -248, 263, 263],
    [-36, -80, 51, 95], [-80, -168, 95, 183], [-168, -344, 183, 359],
]  # fmt: skip


def test_a_decks_iou_by_both_rules():
    one, other = np.array([[0.0, 0.0, 9.0, 9.0]]), np.array([[5.0, 0.0, 14.0, 9.0]])
    np.testing.assert_allclose(detection.iou_by_rule(one, other, "inclusive").data, [[50 / 150]])
    np.testing.assert_allclose(detection.iou_by_rule(one, other).data, [[36 / 126]])
    np.testing.assert_allclose(detection.area_by_rule(one, "inclusive").data, [100])
    assert detection.area_by_rule(np.array([[0, 0, 0, 0]]), "inclusive").tolist() == [1]
    with pytest.raises(ArgumentError, match="rule"):
        detection.iou_by_rule(one, other, "plus_one")


def test_suppression_by_either_rule():
    """Two boxes side by side but for 8 of 12 pixels: 2/3 by pixels, 7/15 by length, so a threshold between keeps one or both."""
    boxes, scores = np.array([[0.0, 0, 9, 0.5], [2, 0, 11, 0.5]]), np.array([0.8, 0.9])
    assert detection.nms_by_rule(boxes, scores, 0.65).tolist() == [1, 0]
    assert detection.nms_by_rule(boxes, scores, 0.65, "inclusive").tolist() == [1]
    np.testing.assert_array_equal(detection.nms_by_rule(boxes, scores, 0.6), ops.nms(boxes, scores, 0.6).data)


@given(seeds)
def test_the_inclusive_rule_counts_pixels(seed):
    draw = np.random.default_rng(seed)
    boxes = np.sort(draw.integers(0, 8, (2, 2, 2)), axis=1).reshape(2, 4)
    seen = [{(x, y) for x in range(a, c + 1) for y in range(b, d + 1)} for a, b, c, d in boxes.tolist()]
    found = detection.iou_by_rule(boxes[:1].astype(float), boxes[1:].astype(float), "inclusive").item()
    np.testing.assert_allclose(found, len(seen[0] & seen[1]) / len(seen[0] | seen[1]))


@given(seeds, st.sampled_from(detection.RULES), st.sampled_from([(1.0,) * 4, (10.0, 10.0, 5.0, 5.0)]))
def test_encoding_goes_there_and_back(seed, rule, weights):
    draw = np.random.default_rng(seed)
    objects, references = boxes_of(draw, 5), boxes_of(draw, 5)
    numbers = detection.encode_boxes(objects, references, weights, rule=rule)
    np.testing.assert_allclose(detection.decode_boxes(numbers, references, weights, rule=rule), objects, atol=1e-9)


def test_the_formula_of_the_slides():
    """P, G: G_x = P_w d_x + P_x, G_w = P_w exp(d_w)."""
    x, y, width, height = 30.0, 40.0, 20.0, 10.0
    proposal = np.array([[x - width / 2, y - height / 2, x + width / 2, y + height / 2]])
    moved = detection.decode_boxes(np.array([[0.1, -0.2, math.log(2), math.log(0.5)]]), proposal)
    np.testing.assert_allclose(ops.box_convert(moved, "xyxy", "cxcywh").data, [[32, 38, 40, 5]])


def test_gradients_of_decoding_and_encoding():
    draw = np.random.default_rng(0)
    references, objects = boxes_of(draw, 3), boxes_of(draw, 3)
    numbers = draw.standard_normal((3, 4)) * 0.3
    numbers[0, 2] = 9.0  # beyond the limit: no gradient
    upstream = draw.standard_normal((3, 4))

    def total(decode, values):
        return float((decode(values) * upstream).sum())

    for function, values in (
        (lambda x: detection.decode_boxes(x, references, (10.0, 10.0, 5.0, 5.0), 1.5), numbers),
        (lambda x: detection.encode_boxes(x, references, (10.0, 10.0, 5.0, 5.0), rule="inclusive"), objects),
        (lambda x: detection.encode_boxes(objects, x), references),
    ):
        leaf = Tensor(values.copy(), requires_grad=True)
        (function(leaf) * Tensor(upstream)).sum().backward()
        for place in np.ndindex(values.shape):
            up, down = values.copy(), values.copy()
            up[place] += 1e-6
            down[place] -= 1e-6
            slope = (total(function, up) - total(function, down)) / 2e-6
            np.testing.assert_allclose(leaf.grad.data[place], slope, rtol=1e-5, atol=1e-6)
    wild = detection.decode_boxes(np.array([[0.0, 0, 99, 0]]), np.array([[0.0, 0, 2, 2]]))
    np.testing.assert_allclose(wild, [[-61.5, 0, 63.5, 2]], atol=1e-9)


def test_presets_of_anchors():
    anchors = detection.cell_anchors_by_convention((128, 256, 512), (0.5, 1, 2), 16, "py-faster-rcnn")
    np.testing.assert_array_equal(anchors, PY_FASTER_RCNN)
    # Detectron2's own test: sizes 32 and 64, ratios 0.25, 1 and 4, stride 4, on a map of 1 x 2.
    found = detection.anchors_by_convention((1, 2), (32, 64), (0.25, 1, 4), 4, "detectron2")
    first = [[-32, -8, 32, 8], [-16, -16, 16, 16], [-8, -32, 8, 32], [-64, -16, 64, 16], [-32, -32, 32, 32], [-16, -64, 16, 64]]
    np.testing.assert_allclose(found, np.concatenate((first, np.add(first, [4, 0, 4, 0]))))
    # Its offset 0.5 moves all by half a stride.
    half = detection.AnchorConvention(offset=0.5, order="size")
    np.testing.assert_allclose(detection.anchors_by_convention((1, 2), (32, 64), (0.25, 1, 4), 4, half), found + 2)


def test_torchvisions_preset_is_the_generator():
    sizes, ratios = (32.0, 50.0), (0.5, 1.0, 1.5)
    generator = detection.AnchorGenerator((sizes,), (ratios,))
    (expected,) = generator(images_of(48, 64), [Tensor(np.zeros((1, 1, 3, 4)))])
    np.testing.assert_array_equal(detection.anchors_by_convention((3, 4), sizes, ratios, 16, "torchvision"), expected)


def test_ssds_preset_is_the_generator():
    generator = detection.DefaultBoxGenerator([[2, 3]], scales=[0.2, 0.4], steps=[16])
    (expected,) = generator(images_of(64, 64), [Tensor(np.zeros((1, 1, 4, 4)))])
    found = detection.anchors_by_convention((4, 4), (0.2 * 64,), (2, 3), 16, "ssd", next_size=0.4 * 64)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    # conv4_3 of SSD300 in Caffe: min_size 30, max_size 60, step 8: the first cell's centre is (4, 4).
    cell = detection.cell_anchors_by_convention((30,), (2,), 8, "ssd", next_size=60)
    np.testing.assert_allclose(cell[0], [-11, -11, 19, 19])
    np.testing.assert_allclose(cell[1, 2] - cell[1, 0], math.sqrt(1800))
    np.testing.assert_allclose(cell[2:, 2] - cell[2:, 0], [30 * math.sqrt(2), 30 / math.sqrt(2)])


def test_the_slides_anchors():
    """64, 128 and 256 pixels, ratios 0.5, 1 and 1.5: nine a cell, of the three areas."""
    anchors = detection.cell_anchors_by_convention((64, 128, 256), (0.5, 1, 1.5), 16, "detectron2")
    assert anchors.shape == (9, 4)
    np.testing.assert_allclose(ops.box_area(anchors).data, np.repeat([64.0**2, 128.0**2, 256.0**2], 3))
    sides = anchors[:, 2:] - anchors[:, :2]
    np.testing.assert_allclose(sides[:, 1] / sides[:, 0], [0.5, 1, 1.5] * 3)


def test_conventions_side_by_side():
    """64 pixels, ratio 2, stride 16: four frameworks, four boxes."""
    rows = {row.convention: row for row in detection.compare_anchor_conventions(64, 2.0, 16)}
    assert list(rows) == list(detection.PRESETS)
    assert rows["torchvision"].box == (-23.0, -45.0, 23.0, 45.0)
    np.testing.assert_allclose(rows["detectron2"].box, np.array([-1, -2, 1, 2]) * 64 / 8**0.5)
    np.testing.assert_allclose(rows["ssd"].box, 8 + np.array([-2, -1, 2, 1]) * 64 / 8**0.5)  # wide, and around the cell's middle
    assert rows["py-faster-rcnn"].box == (-14.0, -36.0, 29.0, 51.0)
    assert (rows["py-faster-rcnn"].width, rows["py-faster-rcnn"].height) == (44.0, 88.0)  # inclusive: 11 x 22 of the stride's anchor, times 4
    assert rows["torchvision"].overlap == 1 and rows["detectron2"].overlap > 0.95 > rows["py-faster-rcnn"].overlap > rows["ssd"].overlap


def test_refused_anchors():
    with pytest.raises(ArgumentError, match="py-faster-rcnn"):
        detection.cell_anchors_by_convention((8,), (1,), 8, "caffe")
    with pytest.raises(ArgumentError, match="give one size and next_size"):
        detection.cell_anchors_by_convention((8,), (2,), 8, "ssd")
    with pytest.raises(ArgumentError, match=r"sizes=\(0,\).* must be positive"):
        detection.cell_anchors_by_convention((0,), (2,), 8)
    with pytest.raises(ArgumentError, match="rounding"):
        detection.AnchorConvention(rounding="up")


def soft_nms_of_the_paper(boxes, scores, method, threshold, sigma, least):
    """Figure 2, line by line, in Python's numbers."""
    left = {k: float(score) for k, score in enumerate(scores)}
    kept = []
    while left:
        best = max(left, key=lambda k: (left[k], -k))
        if left[best] <= least:
            break
        kept.append((best, left.pop(best)))
        a = boxes[best]
        for k in left:
            b = boxes[k]
            shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
            overlap = shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
            if method == "gaussian":
                left[k] *= math.exp(-overlap * overlap / sigma)
            elif overlap > threshold:
                left[k] *= 1 - overlap if method == "linear" else 0
    return kept


@given(seeds, st.sampled_from(["linear", "gaussian", "hard"]))
def test_soft_nms_by_definition(seed, method):
    draw = np.random.default_rng(seed)
    count = int(draw.integers(0, 9))
    boxes, scores = boxes_of(draw, count, 10.0), draw.random(count)
    kept = soft_nms_of_the_paper(boxes.tolist(), scores, method, 0.3, 0.5, 0.01)
    found = detection.soft_nms(boxes, scores, method, 0.3, 0.5, 0.01)
    assert found.keep.tolist() == [place for place, _ in kept]
    np.testing.assert_allclose(found.scores, [score for _, score in kept])
    if method == "hard":
        assert found.keep.tolist() == [k for k in ops.nms(boxes, scores, 0.3).tolist() if scores[k] > 0.01]


@given(seeds, st.sampled_from(["gaussian", "linear"]))
def test_matrix_nms_by_definition(seed, kernel):
    draw = np.random.default_rng(seed)
    count = int(draw.integers(1, 7))
    masks, labels = draw.random((count, 4, 4)) > 0.5, draw.integers(0, 2, count)
    scores, overlaps = draw.random(count), detection.mask_iou(masks, masks)
    overlaps = np.minimum(overlaps, 0.99)  # two equal masks make the linear kernel 0 / 0

    def lowering(overlap):
        return math.exp(-2 * overlap**2) if kernel == "gaussian" else 1 - overlap

    expected = []
    for j in range(count):
        factor = 1.0
        for i in range(count):
            if scores[i] > scores[j] and labels[i] == labels[j]:
                above = [overlaps[k, i] for k in range(count) if scores[k] > scores[i] and labels[k] == labels[i]]
                factor = min(factor, lowering(overlaps[i, j]) / lowering(max(above, default=0)))
        expected.append(scores[j] * factor)
    np.testing.assert_allclose(detection.matrix_nms(overlaps, scores, labels, kernel), expected)


def test_refused_suppression():
    with pytest.raises(ArgumentError, match="method"):
        detection.soft_nms(np.zeros((1, 4)), np.ones(1), "cosine")
    with pytest.raises(ArgumentError, match="sigma=0 must be above 0"):
        detection.soft_nms(np.zeros((1, 4)), np.ones(1), "gaussian", sigma=0)
    with pytest.raises(ShapeError, match=r"boxes \(1, 4\) and scores \(2,\)"):
        detection.soft_nms(np.zeros((1, 4)), np.ones(2))
    with pytest.raises(ShapeError, match=r"overlaps \(2, 3\)"):
        detection.matrix_nms(np.zeros((2, 3)), np.ones(2))
    assert detection.matrix_nms(np.zeros((0, 0)), np.ones(0)).shape == (0,)


def test_masks_overlap_by_pixels():
    masks = np.zeros((3, 4, 4), bool)
    masks[0, :2], masks[1, 1:3] = True, True  # the third is empty
    np.testing.assert_allclose(detection.mask_iou(masks, masks), [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 0]])
    with pytest.raises(ShapeError, match="of the same image"):
        detection.mask_iou(masks, masks[:, 1:])


def test_pasting_undoes_cutting():
    mask = np.zeros((1, 20, 30))
    mask[0, 5:15, 8:24] = 1
    box = np.array([[8.0, 5.0, 24.0, 15.0]])
    # Aligned corners fall on pixels' borders, so the continuous rule is exact.
    pasted = detection.paste_masks_in_image(np.ones((1, 1, 8, 8)), box, (20, 30), rule="continuous")[0, 0]
    inner = np.zeros((20, 30))
    inner[6:14, 9:23] = 1
    assert (pasted[inner == 1] == 1).all() and (pasted[mask[0] == 0] < 0.51).all() and ((pasted > 0.5) == (mask[0] == 1)).all()
    cut = detection.project_masks_on_boxes(mask, box + [-8, 0, 8, 0], np.array([0]), 4)
    np.testing.assert_allclose(cut[0, 1], [0, 1, 1, 0.0625], atol=0.07)
    assert detection.paste_masks_in_image(np.ones((0, 1, 8, 8)), np.zeros((0, 4)), (5, 6), rule="continuous").shape == (0, 1, 5, 6)
    with pytest.raises(ArgumentError, match="rule"):
        detection.paste_masks_in_image(np.ones((1, 1, 8, 8)), box, (20, 30), rule="plus_one")


class Nearest:
    """A machine of one number: the threshold between the two classes."""

    def fit(self, codes, labels):
        self.place = (codes[labels == 1].min() + codes[labels == 0].max()) / 2
        return self

    def decision(self, codes):
        return np.repeat(2 * (codes - self.place), 2, axis=1)


def test_mining_finds_what_is_nearest_to_the_objects():
    draw = np.random.default_rng(0)
    images = [draw.random((40, 1)) * 5 for _ in range(6)]
    machine = Nearest()
    mined = detection.mine_hard_negatives(machine, np.array([[6.0]]), images, rounds=2)
    hardest = max(float(image.max()) for image in images)
    assert hardest in mined.negatives
    assert machine.place == (6 + hardest) / 2  # as if it had seen all 240
    assert len(mined.negatives) < 60 and sum(mined.added[6:]) == 0
    with pytest.raises(ArgumentError, match="0 positives"):
        detection.mine_hard_negatives(machine, np.zeros((0, 1)), images)
    with pytest.raises(ArgumentError, match=r"easy=-0\.5 must be at most the margin"):
        detection.mine_hard_negatives(machine, np.ones((1, 1)), images, easy=-0.5)


def test_online_hard_examples_are_not_copies():
    boxes = np.concatenate((np.tile([[0.0, 0, 10, 10]], (5, 1)), boxes_of(np.random.default_rng(0), 4) + 200))
    losses = np.array([5.0, 9, 7, 8, 6, 1, 2, 3, 4])
    chosen = detection.online_hard_examples(losses, boxes, 3)
    assert chosen[0] == 1 and (chosen[1:] >= 5).all() and (np.diff(losses[chosen]) < 0).all()
    with pytest.raises(ArgumentError, match="count=0"):
        detection.online_hard_examples(losses, boxes, 0)


def test_ridge_regression_is_the_minimum():
    draw = np.random.default_rng(1)
    features, proposals = draw.standard_normal((30, 3)), boxes_of(draw, 30)
    objects = boxes_of(draw, 30)
    regressor = detection.RidgeBoxRegressor(7.0).fit(features, proposals, objects)
    rows = np.concatenate((features, np.ones((30, 1))), axis=1)
    wanted = detection.encode_boxes(objects, proposals)
    gradient = -2 * rows.T @ (wanted - rows @ regressor.weights) + 2 * 7.0 * regressor.weights
    np.testing.assert_allclose(gradient, 0, atol=1e-9)
    assert detection.RidgeBoxRegressor().regularisation == 1000
    # An infinite penalty leaves every proposal where it is.
    still = detection.RidgeBoxRegressor(1e15).fit(features, proposals, objects)
    np.testing.assert_allclose(still.predict(features, proposals), proposals, atol=1e-9)
    with pytest.raises(UsageError, match="call fit first"):
        detection.RidgeBoxRegressor().predict(features, proposals)
    with pytest.raises(ArgumentError, match="must be above 0"):
        detection.RidgeBoxRegressor(0)
    with pytest.raises(ShapeError, match=r"\(N, D\), \(N, 4\), \(N, 4\)"):
        regressor.fit(features, proposals[:3], objects)


def test_pairs_of_the_regression_are_near():
    objects = np.array([[0.0, 0, 10, 10], [20, 20, 30, 30]])
    proposals = np.array([[0.0, 0, 10, 6], [0, 0, 10, 7], [20, 20, 31, 30], [50, 50, 60, 60]])  # 0.6 exactly is not above 0.6
    near, matches = detection.near_pairs(proposals, objects)
    assert near.tolist() == [1, 2] and matches.tolist() == [0, 1]
    assert detection.near_pairs(proposals, np.zeros((0, 4)))[0].shape == (0,)


@given(seeds)
def test_scales_share_the_objects(seed):
    draw = np.random.default_rng(seed)
    boxes = boxes_of(draw, 8, 450.0)
    held = np.zeros(8, bool)
    for scale in detection.SNIPER_SCALES:
        valid = detection.valid_at_scale(boxes, scale)
        chips = detection.positive_chips((480, 640), boxes, scale)
        for chip in chips:
            assert valid[chip.objects].all()
            assert (chip.box >= 0).all() and chip.box[2] <= 640 and chip.box[3] <= 480
            inside = boxes[chip.objects]
            assert (inside[:, :2] >= chip.box[:2]).all() and (inside[:, 2:] <= chip.box[2:]).all()
            held[chip.objects] = True
        proposals = boxes_of(draw, 30, 450.0)
        for chip in detection.negative_chips((480, 640), proposals, chips, scale):
            assert len(chip.objects) >= 2
    assert held[detection.valid_at_scale(boxes, detection.TrainingScale(1.0, 0, 100))].all()  # small ones always fit into a chip


def test_refused_scales():
    with pytest.raises(ArgumentError, match="low=5 between 0 and high=4"):
        detection.TrainingScale(1.0, 5, 4)
    with pytest.raises(ArgumentError, match="chip=0"):
        detection.positive_chips((10, 10), np.zeros((0, 4)), detection.SNIPER_SCALES[0], chip=0)
    with pytest.raises(ArgumentError, match=r"overlaps \(1, 2\)"):
        detection.ignored_by_scale(np.zeros((1, 2)), np.ones(1, bool), np.zeros(3, int))
