"""What the YOLOs share, and their networks: golden numbers, boxes there and back, photos in and out, word trees, clustered anchors, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tests.models.measuring import parameters
from tinycnn import Tensor, nn, no_grad
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.models import detection, get_model, list_models
from tinycnn.models.detection.yolo_grid import class_indices, sigmoid
from tinycnn.models.detection.yolo_v1 import PAPER
from tinycnn.models.detection.yolo_v3 import YOLOv3Head

seeds = st.integers(0, 2**32 - 1)


def logit(p):
    return np.log(p) - np.log1p(-p)


def numbers_of(name, **options):
    """What Darknet would store: parameters, and mean and variance of every normalisation."""
    network = nn.utils.skip_init(get_model, name, **options)
    statistics = sum(buffer.numel() for key, buffer in network.named_buffers() if "running" in key)
    return sum(parameter.numel() for parameter in network.parameters()) + statistics


def test_golden_numbers_of_v1():
    assert 7 * 7 * (2 * 5 + 20) == 1470
    network = nn.utils.skip_init(get_model, "yolo_v1_tiny", width_mult=1 / 16).eval()
    assert network.head[-1].out_features == 1470
    raw = np.random.default_rng(0).random((1, 7, 7, 30))
    assert detection.decode_yolo_v1(raw, 2, (448, 448)).reshape(-1, 4).shape == (98, 4)
    convolutions = [row for row in PAPER if row != "max"]
    assert len(convolutions) == 24
    assert sum(row == "max" for row in PAPER) == 4
    count, channels = 0, 3
    for filters, size, _ in convolutions:
        count += channels * filters * size**2 + filters
        channels = filters
    count += 7 * 7 * 1024 * 4096 + 4096 + 4096 * 1470 + 1470
    assert parameters("yolo_v1") == count
    whole = nn.utils.skip_init(get_model, "yolo_v1", width_mult=1 / 64)
    with no_grad():
        assert whole.eval().raw(Tensor(np.zeros((1, 3, 448, 448), np.float32))).shape == (1, 7, 7, 30)


@pytest.mark.parametrize(
    ("name", "options", "stored"),
    [
        # v1: the sum over tiny-yolov1.cfg; the others: sizes of the published .weights files without their header, by four bytes.
        ("yolo_v1_tiny", {}, 8_649_648 + 4 * 2_288 + (7 * 7 * 256 + 1) * 1470),
        ("yolo_v2", {"num_classes": 80}, 50_983_561),
        ("yolo_v2_tiny", {}, 15_867_885),
        ("yolo_v3", {}, 62_001_757),
        ("yolo_v3_tiny", {}, 8_858_734),
    ],
)
def test_numbers_of_the_published_networks(name, options, stored):
    assert name in list_models("detection")
    assert numbers_of(name, **options) == stored


def test_parameters_in_the_docstrings():
    assert parameters("yolo_v2") == 50_655_389
    assert parameters("yolo_v3") == 61_949_149
    assert parameters("yolo_v3_tiny") == 8_852_366
    assert 3 * (13**2 + 26**2 + 52**2) == 10_647


def test_maps_of_v2_and_v3():
    with no_grad():
        batch = Tensor(np.zeros((1, 3, 64, 96), np.float32))
        second = nn.utils.skip_init(get_model, "yolo_v2", width_mult=1 / 64).eval()
        assert second.raw(batch).shape == (1, 125, 2, 3)
        all_passed = nn.utils.skip_init(get_model, "yolo_v2", width_mult=1 / 64, passthrough=0).eval()
        assert all_passed.backbone.joined.conv.in_channels == 4 * 8 + 16
        assert nn.utils.skip_init(get_model, "yolo_v2_tiny", width_mult=1 / 64).eval().raw(batch).shape == (1, 125, 2, 3)
        third = nn.utils.skip_init(get_model, "yolo_v3_tiny", width_mult=1 / 64).eval()
        assert [raw.shape for raw in third.raw(batch)] == [(1, 255, 2, 3), (1, 255, 4, 6)]
        head = YOLOv3Head([16, 8, 4], [8, 4, 2], [21, 21, 21], 6).eval()
        maps = [Tensor(np.zeros((1, channels, side, side), np.float32)) for channels, side in ((16, 1), (8, 2), (4, 4))]
        assert [raw.shape for raw in head(maps)] == [(1, 21, side, side) for side in (1, 2, 4)]


@given(seeds, st.sampled_from([(4, 4), (3, 5)]))
def test_anchors_go_there_and_back(seed, grid):
    draw = np.random.default_rng(seed)
    size = (64, 96)
    corners = draw.random((6, 2)) * (60, 40)
    boxes = np.concatenate((corners, corners + 2 + draw.random((6, 2)) * 20), axis=1)
    anchors = draw.uniform(5, 40, (6, 2))
    cells, numbers = detection.encode_anchors(boxes, anchors, grid, size)
    raw = np.zeros((6, 6, *grid, 5))
    for k, (row, column) in enumerate(cells):
        raw[k, k, row, column, :4] = [logit(np.clip(numbers[k, 0], 1e-12, 1)), logit(np.clip(numbers[k, 1], 1e-12, 1)), *numbers[k, 2:]]
    decoded = detection.decode_anchors(raw, anchors, size)
    found = [decoded[k, k, row, column] for k, (row, column) in enumerate(cells)]
    np.testing.assert_allclose(found, boxes, atol=1e-6)


def test_decoding_by_hand():
    """Figure 3 of YOLO9000: in cell (1, 2) of stride 16, a box of twice the anchor's width."""
    raw = np.zeros((1, 3, 4, 5))
    raw[0, 1, 2, 2] = np.log(2)
    box = detection.decode_anchors(raw, np.array([[10.0, 8.0]]), (48, 64))[0, 1, 2]
    np.testing.assert_allclose(box, [40 - 10, 24 - 4, 40 + 10, 24 + 4])
    raw[0, 1, 2, 0] = 100.0
    wider = detection.decode_anchors(raw, np.array([[10.0, 8.0]]), (48, 64), scale_x_y=1.2)[0, 1, 2]
    np.testing.assert_allclose(wider, [16 * 3.1 - 10, 20, 16 * 3.1 + 10, 28])
    wild = detection.decode_anchors(np.full((1, 1, 1, 5), 1e4), np.array([[10.0, 8.0]]), (16, 16))
    assert np.isfinite(wild).all()
    np.testing.assert_allclose(sigmoid(np.array([-1e4, 0, 1e4])), [0, 0.5, 1])


def test_reorganising_by_definition():
    draw = np.random.default_rng(1)
    maps = draw.random((2, 8, 4, 6))
    ours, darknets = (function(Tensor(maps)).data for function in (detection.reorg, detection.darknet_reorg))
    assert ours.shape == darknets.shape == (2, 32, 2, 3)
    flat, wanted = maps.reshape(2, -1), np.zeros((2, 8, 4, 6))
    for n in range(2):
        for k in range(8):
            for j in range(4):
                for i in range(6):  # the program's own arithmetic of addresses
                    offset = k // 2
                    address = i * 2 + offset % 2 + 6 * 2 * (j * 2 + offset // 2 + 4 * 2 * (k % 2))
                    wanted[n, k, j, i] = flat[n, address]
                    row, column = divmod(offset, 2)
                    for channel in range(8):
                        place = (row * 2 + column) * 8 + channel
                        if j < 2 and i < 3:
                            assert ours[n, place, j, i] == maps[n, channel, 2 * j + row, 2 * i + column]
    np.testing.assert_array_equal(darknets, wanted.reshape(darknets.shape))
    with pytest.raises(ShapeError, match="its sides must be multiples of 2"):
        detection.reorg(Tensor(maps[:, :, :3]))
    with pytest.raises(ShapeError, match="darknet_reorg: 2 channels of 4 x 6"):
        detection.darknet_reorg(Tensor(maps[:, :2]))


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
@pytest.mark.parametrize(("height", "width"), [(20, 33), (41, 17), (32, 32), (1, 40)])
def test_boxes_come_back_from_the_networks_image(resize, height, width):
    transform = detection.YOLOTransform(32, resize)
    boxes = np.array([[0.0, 0, width, height], [width / 4, height / 4, width / 2, height]])
    batch, moved = transform([np.ones((3, height, width), np.float32)], [{"boxes": boxes, "labels": np.array([1, 2])}])
    assert batch.tensors.shape == (1, 3, 32, 32)
    top, left, new_height, new_width = transform.placed(height, width)
    np.testing.assert_allclose(moved[0]["boxes"][0], [left, top, left + new_width, top + new_height])
    inside = batch.tensors.data[0, :, top : top + new_height, left : left + new_width]
    np.testing.assert_allclose(inside, 1, atol=1e-6)
    assert batch.tensors.data.sum() == pytest.approx(3 * (new_height * new_width + 0.5 * (32 * 32 - new_height * new_width)))
    (back,) = transform.postprocess([{"boxes": moved[0]["boxes"], "labels": np.array([1, 2])}], batch.image_sizes, [(height, width)])
    np.testing.assert_allclose(back["boxes"], boxes, atol=1e-9)


def test_boxes_in_the_bars_are_gone():
    transform = detection.YOLOTransform(32)
    answer = {"boxes": np.array([[0.0, 0, 32, 4], [0, 0, 32, 12]]), "labels": np.array([1, 2]), "scores": np.array([0.9, 0.8])}
    (found,) = transform.postprocess([answer], [(32, 32)], [(16, 32)])
    assert found["labels"].tolist() == [2]
    np.testing.assert_allclose(found["boxes"], [[0, 0, 32, 4]])


@given(seeds)
def test_word_tree_by_definition(seed):
    draw = np.random.default_rng(seed)
    count = int(draw.integers(2, 12))
    parents = [int(draw.integers(-1, number)) for number in range(count)]
    tree = detection.WordTree(parents)
    logits = draw.normal(0, 2, (3, count))
    conditional, probabilities = tree.conditional(logits), tree.probabilities(logits)
    labels = draw.integers(0, count, 3)
    total = 0.0
    for row in range(3):
        for node in range(count):
            brothers = [other for other in range(count) if parents[other] == parents[node]]
            assert conditional[row, node] == pytest.approx(np.exp(logits[row, node]) / np.exp(logits[row, brothers]).sum())
        leaves = [node for node in range(count) if node not in parents]
        assert probabilities[row, leaves].sum() == pytest.approx(1)
        total -= np.log(probabilities[row, labels[row]])
        node, probability = tree.decide(logits[row], 0.4)
        assert probability == pytest.approx(probabilities[row, node])
        assert probability > 0.4 or parents[node] == -1
    assert tree.loss(Tensor(logits), labels).item() == pytest.approx(total)
    tinycnn.gradcheck(lambda z: tree.loss(z, labels), [logits])


def test_anchors_by_clustering():
    draw = np.random.default_rng(2)
    centres = np.array([[10.0, 14], [30, 20], [50, 90]])
    sides = np.concatenate([centre * draw.uniform(0.9, 1.1, (30, 2)) for centre in centres])
    found = detection.anchor_clusters(sides, 3, start=centres)
    np.testing.assert_allclose(found.anchors, [sides[30 * k : 30 * k + 30].mean(axis=0) for k in range(3)])
    np.testing.assert_array_equal(found.assignments, np.repeat(range(3), 30))
    overlaps = [min(w, a) * min(h, b) / (w * h + a * b - min(w, a) * min(h, b)) for (w, h), k in zip(sides, found.assignments, strict=True)
                for a, b in [found.anchors[k]]]  # fmt: skip
    assert found.mean_overlap == pytest.approx(np.mean(overlaps))
    more = [detection.anchor_clusters(sides, count, generator=np.random.default_rng(0)).mean_overlap for count in (1, 3, 9)]
    assert more == sorted(more)
    # Scale matters to Euclid, not to the overlap: the same clusters at any unit.
    np.testing.assert_allclose(detection.anchor_clusters(sides * 7, 3, start=centres * 7).anchors, found.anchors * 7)


class Maps(nn.Module):
    """Two small maps, coarse to fine, of strides 32 and 16."""

    out_channels = [4, 4]

    def __init__(self):
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(3, 4, 3, stride=16, padding=1), nn.Conv2d(4, 4, 3, stride=2, padding=1)

    def forward(self, input):
        fine = self.fine(input)
        return {"0": self.coarse(fine), "1": fine}


def small(kind):
    """A detector of three classes for images of 64 pixels."""
    if kind == "v1":
        return detection.yolo_v1_tiny(3, image_size=64, grid=4, width_mult=1 / 16)
    if kind == "v2":
        backbone = nn.Sequential(nn.Conv2d(3, 4, 3, stride=32, padding=1), nn.LeakyReLU(0.1))
        backbone.out_channels = 4
        return detection.YOLOv2(backbone, 3, image_size=64, anchors=((0.5, 0.5), (1.0, 1.5)))
    head = YOLOv3Head([4, 4], [4, 4], [16, 16], 2)
    return detection.YOLOv3(Maps(), head, 3, image_size=64, anchors=((12, 14), (20, 20), (30, 40), (50, 60)), masks=((2, 3), (0, 1)))


@pytest.mark.parametrize("kind", ["v1", "v2", "v3"])
def test_detectors_learn_and_detect(kind):
    """A few steps on one image lower the loss; then it answers as every detector does."""
    network = small(kind)
    image = np.random.default_rng(3).random((3, 48, 64), np.float32)
    target = {"boxes": np.array([[4.0, 6, 30, 40], [34, 10, 60, 30]], np.float32), "labels": np.array([1, 3])}
    optimizer = tinycnn.optim.SGD(network.parameters(), lr=0.002 if kind == "v1" else 0.01, momentum=0.9)
    totals = []
    for _ in range(12):
        terms = network([image], [target])
        optimizer.zero_grad()
        total = sum(terms.values())
        total.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        totals.append(total.item())
    assert totals[-1] < 0.8 * totals[0], totals
    assert {"loss_xy", "loss_wh", "loss_object", "loss_no_object", "loss_class"} <= set(terms)
    nothing = network([image], [{"boxes": np.zeros((0, 4)), "labels": np.zeros(0)}])
    assert nothing["loss_xy"].item() == nothing["loss_class"].item() == 0 < nothing["loss_no_object"].item()
    with no_grad():
        (found,) = network.eval()([image])
    assert sorted(found) == ["boxes", "labels", "scores"]
    boxes = found["boxes"].data
    assert set(found["labels"].data) <= {1, 2, 3}
    assert (boxes >= 0).all() and (boxes[:, 2] <= 64).all() and (boxes[:, 3] <= 48).all() and (np.diff(found["scores"].data) <= 0).all()
    with pytest.raises(ArgumentError, match="label 4; the network's classes are 1 to 3"):
        network.train()([image], [{**target, "labels": np.array([1, 4])}])


def test_v1_answers_with_confidence_times_class():
    network = small("v1").eval()
    wanted = np.zeros((4, 4, 13), np.float32)
    wanted[1, 2, :5] = 0.5, 0.5, 0.5, 0.25, 0.8
    wanted[1, 2, 10:] = 0.1, 0.9, 0
    network.head[-1].weight.data[...] = 0
    network.head[-1].bias.data[...] = wanted.reshape(-1)
    with no_grad():
        (found,) = network([np.zeros((3, 64, 128), np.float32)])
    np.testing.assert_allclose(found["scores"].data, [0.72, 0.08], rtol=1e-6)
    assert found["labels"].tolist() == [2, 1]
    np.testing.assert_allclose(found["boxes"].data[0], [64, 22, 96, 26], rtol=1e-6)


def test_word_tree_decides_in_v2():
    tree = detection.WordTree([-1, -1, 0], ["animal", "artefact", "cat"])
    raw = np.zeros((1, 1, 1, 2, 8))
    raw[..., 4] = [3.0, -9.0]
    raw[..., 5:] = [5.0, 0, 0]
    scores = detection.region_scores(raw, tree, 0.5, 0.01)
    np.testing.assert_allclose(scores[0, 0, 0], [[0, 0, sigmoid(3.0)], [0, 0, 0]])  # the only child of its parent has probability 1
    plain = detection.region_scores(raw, None, 0.5, 0.01)
    np.testing.assert_allclose(plain[0, 0, 0, 0].sum(), sigmoid(3.0))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: detection.YOLOTransform(32, "crop"), ArgumentError, "resize='crop' must be 'stretch' or 'letterbox'"),
        (lambda: detection.YOLOTransform(0), ArgumentError, "size=0 must be at least 1"),
        (lambda: detection.YOLOTransform(32)([np.zeros((1, 4, 4), np.float32)]), ShapeError, r"each image is one \(3, height, width\)"),
        (lambda: detection.YOLOTransform(32)([np.zeros((3, 4, 4), np.uint8)]), DtypeError, "give pixels from 0 to 1"),
        (lambda: detection.split_anchors(Tensor(np.zeros((1, 26, 2, 2))), 5), ShapeError, "with 20 classes give 125"),
        (lambda: class_indices("X", [{"labels": np.array([0])}], 3), ArgumentError, "X: target 0 has the label 0"),
        (lambda: get_model("yolo_v1", image_size=440), ArgumentError, "image_size=440 must be 64 times grid=7; give image_size=448"),
        (lambda: get_model("yolo_v1_tiny", image_size=100), ArgumentError, "must be grid=7 times 1, 2, 4, ... or 64; give 56"),
        (lambda: get_model("yolo_v1_tiny", width_mult=0), ArgumentError, "width_mult=0 must be above 0"),
        (lambda: get_model("yolo_v2_tiny", image_size=100, width_mult=1 / 64), ArgumentError, "image_size=100 must be a multiple of 32"),
        (lambda: get_model("yolo_v3_tiny", masks=((0, 9), (1,)), width_mult=1 / 64), ArgumentError, "must name anchors from 0 to 5"),
        (lambda: get_model("yolo_v3_tiny", masks=((0,),), width_mult=1 / 64), ArgumentError, "1 masks; it has two scales"),
        (lambda: get_model("yolo_v3", masks=((0,),)), ArgumentError, "1 masks; it has three scales"),
        (
            lambda: detection.yolo_v2_tiny(4, width_mult=1 / 64, word_tree=detection.WordTree([-1])),
            ArgumentError, "num_classes=4, but the word tree has 1 nodes",
        ),
        (lambda: detection.YOLOv1(nn.Identity(), nn.Identity(), 3, grid=0), ArgumentError, "grid=0, boxes=2 and num_classes=3"),
        (lambda: detection.WordTree([]), ArgumentError, "there are no classes"),
        (lambda: detection.WordTree([-1, 1]), ArgumentError, "parent of class 1 is 1; it must be -1 or a class before it"),
        (lambda: detection.WordTree([-1], ["a", "b"]), ArgumentError, "1 classes but 2 names"),
        (lambda: detection.WordTree.read("animal -1\ncat"), ArgumentError, "line 2 is 'cat'"),
        (lambda: detection.WordTree([-1]).probabilities(np.zeros(2)), ShapeError, "there are 1 classes"),
        (lambda: detection.anchor_clusters([[1, 2, 3]], 1), ShapeError, r"must be \(boxes, 2\)"),
        (lambda: detection.anchor_clusters([[1, 0]], 1), ArgumentError, r"a box of sides \[1.0, 0.0\] has no area"),
        (lambda: detection.anchor_clusters([[1, 2], [1, 2]], 2), ArgumentError, "number of different boxes, 1"),
        (lambda: detection.anchor_clusters([[1, 2]], 1, start=[[1]]), ShapeError, r"must be \(1, 2\)"),
    ],
)  # fmt: skip
def test_refusals(call, error, match):
    with pytest.raises(error, match=match):
        call()
