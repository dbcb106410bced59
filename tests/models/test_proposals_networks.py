"""R-CNN, Fast R-CNN, FoveaBox, the pooling pyramid, one object's localisation, and detectors of laptop size."""

import numpy as np
import pytest

import tinycnn
from tests.models.measuring import parameters
from tests.models.test_detection import OneMap, boxes_of, images_of
from tinycnn import Tensor, functional, models, nn, optim
from tinycnn.errors import ArgumentError, ShapeError, UsageError
from tinycnn.models import detection
from tinycnn.models.detection.foveabox import decode_sides, encode_sides, map_points
from tinycnn.study.linear_svm import LinearSVM


def test_warping_keeps_the_context():
    """The box fills all of the warped square but 16 pixels on each side."""
    image = np.zeros((1, 300, 300), np.float32)
    image[:, 100:200, 120:180] = 1
    warped = detection.warp_region(image, (120, 100, 180, 200), 227, 16)[0] > 0.5
    rows, columns = np.flatnonzero(warped.any(axis=1)), np.flatnonzero(warped.any(axis=0))
    for places in (rows, columns):
        assert abs(places[0] - 16) <= 1 and abs(places[-1] - (227 - 17)) <= 1
    outside = detection.warp_region(image + 1, (-60, -60, 60, 60), 32, 0, fill=7.0)[0]
    assert outside[0, 0] == 7 and outside[-1, -1] == 1 and (outside[:15] == 7).all()
    assert detection.warp_regions(image, np.zeros((0, 4)), 8, 1).shape == (0, 1, 8, 8)
    with pytest.raises(ArgumentError, match="context=4 on both sides leaves nothing of size=8"):
        detection.warp_region(image, (0, 0, 4, 4), 8, 4)
    with pytest.raises(ShapeError, match=r"\(300, 300\)"):
        detection.warp_region(image[0], (0, 0, 4, 4))


class Colours(nn.Module):
    """As features the mean colour of the middle and of the border."""

    def forward(self, x):
        middle = x[:, :, 4:12, 4:12].mean((2, 3))
        return functional.cat([middle, x.mean((2, 3))], 1)


def coloured(seed):
    """One red and one green square on grey, and proposals around them."""
    draw = np.random.default_rng(seed)
    image = np.full((3, 48, 48), 0.5, np.float32)
    boxes = []
    for channel, x in ((0, 4), (1, 28)):
        top, left = int(draw.integers(2, 30)), x + int(draw.integers(0, 4))
        image[:, top : top + 14, left : left + 14] = 0
        image[channel, top : top + 14, left : left + 14] = 1
        boxes.append([left, top, left + 14, top + 14])
    target = {"boxes": np.array(boxes, np.float64), "labels": np.array([1, 2])}
    near = np.concatenate([target["boxes"] + draw.integers(-2, 3, (2, 4)) for _ in range(3)])
    return image, target, np.concatenate((near, boxes_of(draw, 20, 44.0)))


def test_rcnn_learns_from_features():
    images, targets, proposals = zip(*(coloured(seed) for seed in range(5)), strict=True)
    detector = detection.RCNN(Colours().eval(), lambda: LinearSVM(10.0), size=16, context=2, regularisation=1.0)
    with pytest.raises(UsageError, match="call fit first"):
        detector.detect(images[0], proposals[0])
    detector.fit(images[:4], targets[:4], proposals[:4])
    assert sorted(detector.machines) == [1, 2] and sorted(detector.regressors) == [1, 2]
    found = detector.detect(images[4], proposals[4])
    for label, box in zip((1, 2), targets[4]["boxes"], strict=True):
        best = found["boxes"][found["labels"] == label][0]
        assert tinycnn.ops.box_iou(best[None], box[None]).item() > 0.6
    assert (np.diff(found["scores"]) <= 0).all()
    with pytest.raises(ArgumentError, match="2 images, 1 targets"):
        detector.fit(images[:2], targets[:1], proposals[:2])


IMAGE = np.random.default_rng(0).random((3, 32, 40)).astype(np.float32)
TARGET = {"boxes": np.array([[4.0, 4, 20, 24]], np.float32), "labels": np.array([1])}
PROPOSALS = np.array([[4.0, 4, 20, 20], [6, 6, 22, 24], [8, 8, 28, 28], [20, 0, 36, 16], [0, 0, 30, 30]], np.float32)


def tiny_fast_rcnn():
    return detection.FastRCNN(OneMap(), 3, box_roi_pool=detection.RoIPoolOfMap(2), min_size=32, max_size=64)


def test_fast_rcnn_learns_its_proposals():
    tinycnn.manual_seed(0)
    model = tiny_fast_rcnn()
    optimizer = optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    history = []
    for _ in range(15):
        losses = model([IMAGE], [PROPOSALS], [TARGET])
        assert set(losses) == {"loss_classifier", "loss_box_reg"}
        total = sum(losses.values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(total.item())
    assert model.backbone.conv.weight.grad is not None  # through RoI pooling
    assert history[-1] < 0.7 * history[0]
    (found,) = model.eval()([IMAGE], [PROPOSALS])
    assert found["labels"].data[0] == 1
    with pytest.raises(ArgumentError, match="1 images and 0 arrays of proposals"):
        model([IMAGE], [])
    with pytest.raises(ShapeError, match=r"proposals of image 0 have shape \(2, 3\)"):
        model([IMAGE], [np.zeros((2, 3))])
    with pytest.raises(ArgumentError, match="in training mode give targets"):
        model.train()([IMAGE], [PROPOSALS])
    with pytest.raises(ArgumentError, match="either num_classes or box_predictor"):
        detection.FastRCNN(OneMap())
    with pytest.raises(ArgumentError, match="out_channels"):
        detection.FastRCNN(nn.Conv2d(3, 4, 3), 3)


def test_fast_rcnn_pools_what_roi_pool_pools():
    features = np.random.default_rng(1).random((2, 3, 6, 8))
    boxes = [np.array([[0.0, 0, 60, 40]]), np.array([[16.0, 8, 50, 47]])]
    found = detection.RoIPoolOfMap(3)({"0": Tensor(features)}, boxes, [(48, 64), (40, 64)]).data
    regions = np.array([[0, 0.0, 0, 60, 40], [1, 16, 8, 50, 47]])
    np.testing.assert_array_equal(found, tinycnn.ops.roi_pool(features, regions, 3, 1 / 8).data)


def test_background_is_near_objects():
    matcher = detection.BandMatcher(0.5, 0.1)
    quality = np.array([[0.5, 0.49, 0.1, 0.09], [0.0, 0.1, 0.0, 0.0]])
    assert matcher(quality).tolist() == [0, -1, -1, -2]
    with pytest.raises(ArgumentError, match=r"lowest=0\.6"):
        detection.BandMatcher(0.5, 0.6)


def test_fast_rcnn_of_the_paper():
    assert parameters("fastrcnn_vgg16") == 134_690_729
    assert "fastrcnn_vgg16" in models.list_models("regions")  # it wants proposals, so it is no "detection" builder


def test_foveas():
    points = map_points([(4, 4), (2, 2)], (32, 32), (16.0, 32.0))
    assert points[0].tolist() == [4, 4, 16] and points[-1].tolist() == [24, 24, 32]
    boxes = np.array([[0.0, 0, 30, 30], [8, 8, 24, 24]])  # sides 30 and 16
    matches = detection.fovea_targets(points, boxes, eta=2.0, sigma=0.5)
    for (x, y, base), match in zip(points, matches, strict=True):
        fitting = []
        for k, (a, b, c, d) in enumerate(boxes):
            side = np.sqrt((c - a) * (d - b))
            if abs(x - (a + c) / 2) <= (c - a) / 4 and abs(y - (b + d) / 2) <= (d - b) / 4 and base / 2 <= side <= base * 2:
                fitting.append((side, k))
        assert match == (min(fitting)[1] if fitting else -1)
    assert set(matches) == {-1, 0, 1} or set(matches) == {-1, 1}
    inside = points[matches == 1]
    numbers = encode_sides(inside, np.tile(boxes[1], (len(inside), 1)))
    np.testing.assert_allclose(decode_sides(numbers, inside), np.tile(boxes[1], (len(inside), 1)))
    np.testing.assert_allclose(encode_sides(np.array([[4.0, 4, 8]]), np.array([[0.0, 0, 12, 20]])), np.log([[0.5, 0.5, 1, 2]]))
    assert (detection.fovea_targets(points, np.zeros((0, 4))) == -1).all()
    with pytest.raises(ArgumentError, match="gives 1 maps, but base_sides"):
        detection.FoveaBox(OneMap(), 3, min_size=32).eval()([IMAGE])


def test_the_pooling_pyramid_shares_everything():
    with tinycnn.no_grad():
        pyramid = detection.PoolingPyramid(nn.Conv2d(3, 4, 1, stride=16), 4, 8, 6).eval()
        maps = pyramid(Tensor(np.random.default_rng(0).random((1, 3, 300, 300), np.float32)))
    sides = [one.shape[-1] for one in maps.values()]
    assert sides == [19, 10, 5, 3, 2, 1]
    for fine, coarse in zip(list(maps.values())[:-1], list(maps.values())[1:], strict=True):
        assert coarse.data[0, 2, 0, 0] == fine.data[0, 2, :2, :2].max()
    head = detection.SharedHead(8, 6, 3).eval()
    with tinycnn.no_grad():
        output = head(list(maps.values()))
    boxes = detection.DefaultBoxGenerator([[2, 3]] * 6)(images_of(300, 300), list(maps.values()))[0]
    assert len(boxes) == output["cls_logits"].shape[1] == output["bbox_regression"].shape[1] == 3000
    # One more level costs no parameter.
    assert sum(p.numel() for p in detection.PoolingPyramid(nn.Conv2d(3, 4, 1), 4, 8, 2).parameters()) == sum(
        p.numel() for p in pyramid.parameters()
    )
    with pytest.raises(ArgumentError, match="levels=0"):
        detection.PoolingPyramid(nn.Conv2d(3, 4, 1), 4, 8, 0)
    assert parameters("ppn_mobilenetv1", num_classes=21) < 0.2 * parameters("ssd300_vgg16", num_classes=21)


def test_one_object_is_named_and_found():
    tinycnn.manual_seed(0)
    model = models.get_model("localisation_mini", num_classes=2)
    draw = np.random.default_rng(0)
    images = draw.random((4, 3, 64, 64)).astype(np.float32)
    labels, boxes = np.array([0, 1, 0, 1]), np.array([[0.1, 0.1, 0.5, 0.5], [0.4, 0.2, 0.9, 0.6], [0.2, 0.5, 0.6, 0.9], [0.5, 0.5, 1, 1]])
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    history = []
    for _ in range(12):
        terms = detection.localisation_loss(model(Tensor(images)), labels, boxes)
        total = terms["classification"] + terms["localisation"]
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(total.item())
    assert history[-1] < 0.3 * history[0]
    output = model(Tensor(images))
    assert output["logits"].data.argmax(axis=1).tolist() == labels.tolist()
    with pytest.raises(ArgumentError, match="boxes reach 64; they are parts of the image"):
        detection.localisation_loss(output, labels, boxes * 64)
    with pytest.raises(ShapeError, match=r"labels \(3,\)"):
        detection.localisation_loss(output, labels[:3], boxes)
    assert "localisation_mini" in models.list_models("localisation")
    assert parameters("localisation_mini") == sum(p.numel() for p in models.get_model("localisation_mini").parameters())


MINIS = ("fasterrcnn_mini", "ssd_mini", "retinanet_mini", "maskrcnn_mini", "keypointrcnn_mini", "foveabox_mini")


@pytest.mark.parametrize("name", MINIS)
def test_minis_are_small(name):
    assert 300_000 < parameters(name) < 1_000_000
    assert models.input_size(name) == 128
    assert name in models.list_models("detection")


def one_batch():
    """Two images of 64 pixels with a bright square each; its mask and corners."""
    images, targets = [], []
    for k, (x, y, side) in enumerate(((10, 12, 24), (30, 8, 18))):
        image = np.random.default_rng(k).random((3, 64, 64)).astype(np.float32) * 0.3
        image[k, y : y + side, x : x + side] = 1
        mask = np.zeros((1, 64, 64), np.uint8)
        mask[0, y : y + side, x : x + side] = 1
        corners = np.array([[[x, y, 1], [x + side, y, 1], [x, y + side, 1], [x + side, y + side, 1]]], np.float32)
        images.append(image)
        targets.append({"boxes": np.array([[x, y, x + side, y + side]], np.float32), "labels": np.array([1]), "masks": mask, "keypoints": corners})
    return images, targets


@pytest.mark.parametrize("name", MINIS)
def test_minis_learn_one_batch(name):
    tinycnn.manual_seed(0)
    size = {} if name == "ssd_mini" else {"min_size": 64, "max_size": 64}
    model = models.get_model(name, num_classes=2, **size)
    images, targets = one_batch()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    history = []
    for _ in range(8):
        losses = model(images, targets)
        total = sum(losses.values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(total.item())
    assert np.isfinite(history).all()
    assert history[-1] < 0.6 * history[0], history
    found = model.eval()(images)
    assert len(found) == 2 and found[0]["boxes"].shape[1] == 4
    if name == "maskrcnn_mini":
        assert found[0]["masks"].shape[1:] == (1, 64, 64)
    if name == "keypointrcnn_mini":
        assert found[0]["keypoints"].shape[1:] == (4, 3)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", MINIS)
def test_minis_overfit_one_batch(name):
    """After 150 steps on two images each object is found where it is."""
    tinycnn.manual_seed(0)
    model = models.get_model(name, num_classes=2, **({} if name == "ssd_mini" else {"min_size": 64, "max_size": 64}))
    images, targets = one_batch()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(150):
        optimizer.zero_grad()
        sum(model(images, targets).values()).backward()
        optimizer.step()
    for found, target in zip(model.eval()(images), targets, strict=True):
        assert tinycnn.ops.box_iou(found["boxes"].data[:1], target["boxes"]).item() > 0.7
