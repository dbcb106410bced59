"""The three losses against plain loops written from the papers (and Darknet's deltas), their gradients, and targets by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor
from tinycnn.models import detection
from tinycnn.models.detection.yolo_v1_loss import SMALLEST_SIDE, safe_sqrt

seeds = st.integers(0, 2**32 - 1)
SIZE = (48, 64)


def overlap(first, second):
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return shared / (sum(areas) - shared)


def corners(x, y, width, height):
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def sigma(t):
    return 1 / (1 + math.exp(-t))


def entropy(t, wanted):
    return -wanted * math.log(sigma(t)) - (1 - wanted) * math.log(1 - sigma(t))


def objects(draw, most=3, classes=3):
    """Two images; the second may be empty."""
    targets = []
    for least in (1, 0):
        count = int(draw.integers(least, most + 1))
        start = draw.random((count, 2)) * (44, 30)
        boxes = np.concatenate((start, start + 4 + draw.random((count, 2)) * 14), axis=1)
        targets.append({"boxes": boxes, "labels": draw.integers(1, classes + 1, count)})
    return targets


def v1_by_loops(raw, targets, count, roots):
    """Equation (3), cell by cell and predictor by predictor."""
    names = ("loss_xy", "loss_wh", "loss_object", "loss_no_object", "loss_class")
    sums = dict.fromkeys(names, 0.0)
    images, rows, columns, _ = raw.shape
    for n in range(images):
        for i in range(rows):
            for j in range(columns):
                cell = raw[n, i, j]
                predictors = [cell[5 * b : 5 * b + 5] for b in range(count)]
                truth = None
                for box, label in zip(targets[n]["boxes"], targets[n]["labels"], strict=True):
                    x, y = (box[0] + box[2]) / 2 / SIZE[1] * columns, (box[1] + box[3]) / 2 / SIZE[0] * rows
                    if truth is None and int(x) == j and int(y) == i:
                        truth = (x - j, y - i, (box[2] - box[0]) / SIZE[1], (box[3] - box[1]) / SIZE[0]), box, label
                responsible = None
                if truth is not None:
                    overlaps, distances = [], []
                    for x, y, w, h, _ in predictors:
                        w, h = (w * w, h * h) if roots else (w, h)
                        own = corners((j + x) / columns * SIZE[1], (i + y) / rows * SIZE[0], w * SIZE[1], h * SIZE[0])
                        overlaps.append(overlap(own, truth[1]))
                        distances.append(((x - truth[0][0]) / columns) ** 2 + ((y - truth[0][1]) / rows) ** 2
                                         + (w - truth[0][2]) ** 2 + (h - truth[0][3]) ** 2)  # fmt: skip
                    responsible = int(np.argmax(overlaps)) if max(overlaps) > 0 else int(np.argmin(distances))
                    x, y, w, h, confidence = predictors[responsible]
                    if not roots:
                        w, h = math.sqrt(w), math.sqrt(h)
                    sums["loss_xy"] += 5 * ((x - truth[0][0]) ** 2 + (y - truth[0][1]) ** 2)
                    sums["loss_wh"] += 5 * ((w - math.sqrt(truth[0][2])) ** 2 + (h - math.sqrt(truth[0][3])) ** 2)
                    sums["loss_object"] += (confidence - overlaps[responsible]) ** 2
                    for c, p in enumerate(cell[5 * count :]):
                        sums["loss_class"] += (p - (c + 1 == truth[2])) ** 2
                for b in range(count):
                    if b != responsible:
                        sums["loss_no_object"] += 0.5 * predictors[b][4] ** 2
    return {name: value / images for name, value in sums.items()}


@given(seeds, st.booleans())
def test_v1_by_definition(seed, roots):
    draw = np.random.default_rng(seed)
    raw, targets = draw.uniform(0.05, 0.9, (2, 3, 4, 13)), objects(draw)
    found = detection.yolo_v1_loss(Tensor(raw), targets, SIZE, predicts_roots=roots)
    wanted = v1_by_loops(raw, targets, 2, roots)
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert found[name].item() == pytest.approx(value, abs=1e-12), name


def test_v1_targets_by_hand():
    """An image of 8 x 8 pixels, 2 x 2 cells, 2 predictors: the second fits better, and both its neighbours hold nothing."""
    raw = np.zeros((1, 2, 2, 12))
    raw[0, 1, 0, :5] = 0.5, 0.5, 0.25, 0.25, 0.3
    raw[0, 1, 0, 5:10] = 0.5, 0.5, 0.5, 0.5, 0.6
    targets = [{"boxes": np.array([[0.0, 4, 4, 8], [1, 5, 3, 7]]), "labels": np.array([2, 1])}]
    found = detection.responsible_predictors(raw, targets, 2, (8, 8))
    assert (found.image, found.row, found.column, found.predictor, found.label) == ([0], [1], [0], [1], [1])  # the first object has the cell
    np.testing.assert_allclose(found.overlap, [0.25])
    np.testing.assert_allclose(found.truth, [[0.5, 0.5, 0.5, 0.5]])
    terms = {name: term.item() for name, term in detection.yolo_v1_loss(Tensor(raw), targets, (8, 8)).items()}
    assert terms == pytest.approx(
        {
            "loss_xy": 0,
            "loss_wh": 5 * 2 * (0.5 - math.sqrt(0.5)) ** 2,
            "loss_object": (0.6 - 0.25) ** 2,
            "loss_no_object": 0.5 * 0.3**2,  # the predictor beside the responsible one
            "loss_class": 1,
        }
    )


def test_v1_takes_the_nearest_where_nothing_overlaps():
    raw = np.zeros((1, 2, 2, 11))
    raw[0, 0, 0, 5:9] = 0.5, 0.5, 0.1, 0.1  # nearer, but of another place than the object
    targets = [{"boxes": np.array([[0.0, 0, 3.0, 0.4]]), "labels": np.array([1])}]
    found = detection.responsible_predictors(raw, targets, 2, (8, 8))
    centre = (1.5, 0.2)
    assert 0 <= found.predictor[0] <= 1
    distances = [((0 - centre[0]) / 8) ** 2 + ((0 - centre[1]) / 8) ** 2 + (3 / 8) ** 2 + 0.05**2,
                 ((2 - centre[0]) / 8) ** 2 + ((2 - centre[1]) / 8) ** 2 + (3 / 8 - 0.01) ** 2 + (0.05 - 0.01) ** 2]  # fmt: skip
    assert found.overlap.tolist() == [0]
    assert found.predictor[0] == int(np.argmin(distances))


def test_safe_root_is_smooth_at_its_seam_and_finite_at_zero():
    x = Tensor(np.array([-0.5, 0.0, SMALLEST_SIDE / 2, 0.01, 0.81]), requires_grad=True)
    root = safe_sqrt(x)
    root.sum().backward()
    np.testing.assert_allclose(root.data[3:], [0.1, 0.9])
    np.testing.assert_allclose(x.grad.data, [50, 50, 50, 5, 1 / 1.8], rtol=1e-9)
    below, above = (safe_sqrt(np.array([SMALLEST_SIDE * factor])).item() for factor in (1 - 1e-9, 1 + 1e-9))
    assert below == pytest.approx(above, rel=1e-8)
    raw = Tensor(np.zeros((1, 2, 2, 6)), requires_grad=True)
    targets = [{"boxes": np.array([[0.0, 0, 4, 4]]), "labels": np.array([1])}]
    sum(detection.yolo_v1_loss(raw, targets, (8, 8), boxes=1, predicts_roots=False).values()).backward()
    assert np.isfinite(raw.grad.data).all() and raw.grad.data[0, 0, 0, 2] < 0


def v2_by_loops(raw, anchors, targets, tree=None, early=False):
    """Darknet's region layer, box by box."""
    names = ("loss_xy", "loss_wh", "loss_object", "loss_no_object", "loss_class", "loss_anchor")
    sums = dict.fromkeys(names, 0.0)
    images, count, rows, columns, _ = raw.shape
    for n in range(images):
        answered = {}
        for box, label in zip(targets[n]["boxes"], targets[n]["labels"], strict=True):
            x, y = (box[0] + box[2]) / 2 / SIZE[1] * columns, (box[1] + box[3]) / 2 / SIZE[0] * rows
            w, h = box[2] - box[0], box[3] - box[1]
            fits = [overlap(corners(0, 0, w, h), corners(0, 0, *anchor)) for anchor in anchors]
            answered[int(np.argmax(fits)), int(y), int(x)] = (box, label, x - int(x), y - int(y), w, h)
        for a in range(count):
            for i in range(rows):
                for j in range(columns):
                    t = raw[n, a, i, j]
                    own = corners((j + sigma(t[0])) / columns * SIZE[1], (i + sigma(t[1])) / rows * SIZE[0],
                                  anchors[a][0] * math.exp(t[2]), anchors[a][1] * math.exp(t[3]))  # fmt: skip
                    if (a, i, j) not in answered:
                        if all(overlap(own, box) <= 0.6 for box in targets[n]["boxes"]):
                            sums["loss_no_object"] += 0.5 * sigma(t[4]) ** 2
                        sums["loss_anchor"] += 0.005 * ((sigma(t[0]) - 0.5) ** 2 + (sigma(t[1]) - 0.5) ** 2 + t[2] ** 2 + t[3] ** 2)
                        continue
                    box, label, x, y, w, h = answered[a, i, j]
                    weight = 2 - w * h / SIZE[0] / SIZE[1]
                    sums["loss_xy"] += 0.5 * weight * ((sigma(t[0]) - x) ** 2 + (sigma(t[1]) - y) ** 2)
                    sums["loss_wh"] += 0.5 * weight * ((t[2] - math.log(w / anchors[a][0])) ** 2 + (t[3] - math.log(h / anchors[a][1])) ** 2)
                    sums["loss_object"] += 2.5 * (overlap(own, box) - sigma(t[4])) ** 2
                    if tree is None:
                        sums["loss_class"] -= math.log(math.exp(t[4 + label]) / sum(math.exp(z) for z in t[5:]))
                    else:
                        sums["loss_class"] -= math.log(tree.probabilities(t[5:])[label - 1])
    if not early:
        del sums["loss_anchor"]
    return {name: value / images for name, value in sums.items()}


ANCHORS = np.array([[6.0, 8.0], [12.0, 10.0]])


@given(seeds, st.booleans(), st.booleans())
def test_v2_by_definition(seed, with_tree, early):
    draw = np.random.default_rng(seed)
    raw, targets = draw.normal(0, 0.7, (2, 2, 3, 4, 8)), objects(draw)
    tree = detection.WordTree([-1, -1, 0]) if with_tree else None
    found = detection.yolo_v2_loss(Tensor(raw), ANCHORS, targets, SIZE, word_tree=tree, towards_anchors=early)
    wanted = v2_by_loops(raw, ANCHORS, targets, tree, early)
    assert sorted(found) == sorted(wanted)
    for name, value in wanted.items():
        assert found[name].item() == pytest.approx(value, abs=1e-10), name


def v3_by_loops(raws, anchors, masks, targets, iou_thresh=1.0):
    """Darknet's yolo layer, box by box."""
    sums = dict.fromkeys(("loss_xy", "loss_wh", "loss_object", "loss_no_object", "loss_class"), 0.0)
    for raw, mask in zip(raws, masks, strict=True):
        images, _, rows, columns, _ = raw.shape
        for n in range(images):
            answered = {}
            for box, label in zip(targets[n]["boxes"], targets[n]["labels"], strict=True):
                x, y = (box[0] + box[2]) / 2 / SIZE[1] * columns, (box[1] + box[3]) / 2 / SIZE[0] * rows
                w, h = box[2] - box[0], box[3] - box[1]
                shared = [overlap(corners(0, 0, w, h), corners(0, 0, *anchor)) for anchor in anchors]
                for a, number in enumerate(mask):
                    if shared[number] > iou_thresh or number == np.argmax(shared):
                        place = (a, int(y), int(x))
                        labels = answered[place][1] | {label} if place in answered else {label}
                        answered[place] = (box, labels, x - int(x), y - int(y), w, h)
            for a, number in enumerate(mask):
                for i in range(rows):
                    for j in range(columns):
                        t = raw[n, a, i, j]
                        own = corners((j + sigma(t[0])) / columns * SIZE[1], (i + sigma(t[1])) / rows * SIZE[0],
                                      anchors[number][0] * math.exp(t[2]), anchors[number][1] * math.exp(t[3]))  # fmt: skip
                        if (a, i, j) not in answered:
                            if all(overlap(own, box) <= 0.5 for box in targets[n]["boxes"]):
                                sums["loss_no_object"] += entropy(t[4], 0)
                            continue
                        box, labels, x, y, w, h = answered[a, i, j]
                        weight = 2 - w * h / SIZE[0] / SIZE[1]
                        sums["loss_xy"] += weight * (entropy(t[0], x) + entropy(t[1], y))
                        sides = (t[2] - math.log(w / anchors[number][0])) ** 2 + (t[3] - math.log(h / anchors[number][1])) ** 2
                        sums["loss_wh"] += 0.5 * weight * sides
                        sums["loss_object"] += entropy(t[4], 1)
                        sums["loss_class"] += sum(entropy(z, float(c in labels)) for c, z in enumerate(t[5:], 1))
    return {name: value / len(targets) for name, value in sums.items()}


V3_ANCHORS = np.array([[5.0, 6.0], [8.0, 7.0], [10.0, 14.0], [16.0, 16.0]])
MASKS = ((2, 3), (0, 1))


@given(seeds, st.sampled_from([1.0, 0.3]))
def test_v3_by_definition(seed, iou_thresh):
    draw = np.random.default_rng(seed)
    raws, targets = [draw.normal(0, 0.7, (2, 2, rows, 4 * rows // 3, 8)) for rows in (3, 6)], objects(draw, most=4)
    found = detection.yolo_v3_loss([Tensor(raw) for raw in raws], V3_ANCHORS, MASKS, targets, SIZE, iou_thresh=iou_thresh)
    wanted = v3_by_loops(raws, V3_ANCHORS, MASKS, targets, iou_thresh)
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert found[name].item() == pytest.approx(value, abs=1e-10), name


def test_two_objects_of_one_anchor_in_v3_keep_both_classes():
    targets = [{"boxes": np.array([[9.0, 10, 19, 24], [10, 10, 20, 24]]), "labels": np.array([1, 3])}]
    raws = [Tensor(np.zeros((1, 2, 3, 4, 8))), Tensor(np.zeros((1, 2, 6, 8, 8)))]
    found = detection.yolo_v3_loss(raws, V3_ANCHORS, MASKS, targets, SIZE)
    assert found["loss_object"].item() == pytest.approx(math.log(2))
    assert found["loss_class"].item() == pytest.approx(3 * math.log(2))
    np.testing.assert_allclose(found["loss_wh"].item(), 0, atol=1e-12)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_gradients(version):
    """In float64; each term's, with answers and overlaps that are constants held still by a box that they do not depend on."""
    draw = np.random.default_rng(version)
    targets = objects(draw)
    if version == 1:
        raw = draw.uniform(0.2, 0.8, (2, 3, 4, 13))

        def terms(x):
            found = detection.yolo_v1_loss(x, targets, SIZE)
            return tuple(found[name] for name in found if name != "loss_object")
    elif version == 2:
        raw = draw.normal(0, 0.5, (2, 2, 3, 4, 8))

        def terms(x):
            found = detection.yolo_v2_loss(x, ANCHORS, targets, SIZE, towards_anchors=True)
            return tuple(found[name] for name in found if name != "loss_object")
    else:
        raw = draw.normal(0, 0.5, (2, 2, 6, 8, 8))

        def terms(x):
            return tuple(detection.yolo_v3_loss([x], V3_ANCHORS, ((0, 1),), targets, SIZE).values())

    tinycnn.gradcheck(terms, [raw])


def test_the_overlap_in_the_confidence_is_a_constant():
    """So the object's term moves the confidence alone, by 2 (C - IoU)."""
    draw = np.random.default_rng(4)
    targets = objects(draw)
    raw = Tensor(draw.uniform(0.2, 0.8, (2, 3, 4, 13)), requires_grad=True)
    found = detection.responsible_predictors(raw.data, targets, 2, SIZE)
    detection.yolo_v1_loss(raw, targets, SIZE)["loss_object"].backward()
    wanted = np.zeros_like(raw.data)
    places = (found.image, found.row, found.column, 5 * found.predictor + 4)
    wanted[places] = 2 * (raw.data[places] - found.overlap) / 2
    np.testing.assert_allclose(raw.grad.data, wanted, atol=1e-12)
