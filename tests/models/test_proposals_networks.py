"""R-CNN, Fast R-CNN, FoveaBox, the pooling pyramid, one object's localisation, and detectors of laptop size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tests.models.measuring import multiply_adds, parameters
from tests.models.test_detection import OneMap, boxes_of, images_of
from tinycnn import Tensor, functional, models, nn, optim
from tinycnn.errors import ArgumentError, ShapeError, UsageError
from tinycnn.models import detection
from tinycnn.models.detection.foveabox import decode_sides, encode_sides, map_points
from tinycnn.models.detection.nvidia_ssd import rows_of
from tinycnn.models.detection.rpn import best_first
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
    """As features the mean colour of the middle and of each side: a window inside of the object differs from the object by its sides."""

    def forward(self, x):
        parts = (x[:, :, 4:12, 4:12], x[:, :, :1], x[:, :, -1:], x[:, :, :, :1], x[:, :, :, -1:])
        return functional.cat([part.mean((2, 3)) for part in parts], 1)


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
    detector = detection.RCNN(Colours().eval(), lambda: LinearSVM(10.0), size=16, context=2, regularisation=1.0, score_thresh=-0.5)
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
        detection.FastRCNN(nn.Sequential(nn.Conv2d(3, 4, 3)), 3)


def test_fast_rcnns_own_loss():
    """Equations (1) to (3): -log p_u + [u >= 1] sum of smooth L1, bent at 1; both averaged over all regions."""
    draw = np.random.default_rng(2)
    logits, numbers = draw.standard_normal((5, 3)), draw.standard_normal((5, 12)) * 3
    labels, wanted = np.array([0, 2, 1, 0, 2]), draw.standard_normal((5, 4))
    classes = boxes = 0.0
    for p, t, u, v in zip(logits, numbers, labels, wanted, strict=True):
        classes -= p[u] - np.log(np.exp(p).sum())
        for x in (t[4 * u : 4 * u + 4] - v) * (u >= 1):
            boxes += 0.5 * x * x if abs(x) < 1 else abs(x) - 0.5
    found = detection.fast_rcnn_loss(Tensor(logits), Tensor(numbers), [labels], [wanted], beta=1.0)
    np.testing.assert_allclose([found["loss_classifier"].item(), found["loss_box_reg"].item()], [classes / 5, boxes / 5])
    heads = tiny_fast_rcnn().roi_heads
    assert heads.box_loss_beta == 1 and heads.box_coder.weights == (10.0, 10.0, 5.0, 5.0)


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
    assert parameters("localisation_mini") == 77_591


MINIS = ("fasterrcnn_mini", "ssd_mini", "retinanet_mini", "maskrcnn_mini", "keypointrcnn_mini", "foveabox_mini", "yolo_v1_mini", "yolo_v3_mini")


@pytest.mark.parametrize("name", MINIS)
def test_minis_are_small(name):
    assert 300_000 < parameters(name) < 650_000
    assert models.input_size(name) == (3, 128, 128)
    assert name in models.list_models("detection")


def test_the_minis_backbone_is_cheap():
    """Body and pyramid: 60 million multiply-adds an image, four maps; anchors from 10 to 88 pixels."""
    backbone = detection.mini_backbone()
    assert multiply_adds(backbone, (3, 128, 128)) == pytest.approx(60.0e6, rel=0.01)
    with tinycnn.no_grad():
        maps = backbone(Tensor(np.zeros((1, 3, 128, 128), np.float32)))
    assert [one.shape[2:] for one in maps.values()] == [(32, 32), (16, 16), (8, 8), (4, 4)]
    assert not any(isinstance(module, tinycnn.ops.FrozenBatchNorm2d) for module in backbone.modules())
    anchors = models.get_model("fasterrcnn_mini").rpn.anchor_generator(images_of(128, 128), list(maps.values()))[0]
    sides = np.sqrt(tinycnn.ops.box_area(anchors).data)
    assert len(models.get_model("ssd_mini").anchor_generator(images_of(128, 128), list(maps.values()))[0]) == 6112
    assert 8 < sides.min() < 11 and 77 < sides.max() < 92


def scene(seed, side=64):
    """Two bright squares of different colours and sizes; their masks and three corners each."""
    draw = np.random.default_rng(seed)
    image = draw.random((3, side, side)).astype(np.float32) * 0.4
    boxes, masks, corners = [], [], []
    for channel, (x, y, length) in enumerate(((4, 6, 14), (26, 24, 30))):
        x, y = x + int(draw.integers(0, 6)), y + int(draw.integers(0, 6))
        image[channel, y : y + length, x : x + length] += 0.6
        mask = np.zeros((side, side), np.uint8)
        mask[y : y + length, x : x + length] = 1
        boxes.append([x, y, x + length, y + length])
        masks.append(mask)
        corners.append([[x, y, 1], [x + length, y, 1], [x, y + length, 1]])
    keypoints = np.array(corners, np.float32)
    return image, {"boxes": np.array(boxes, np.float32), "labels": np.array([1, 2]), "masks": np.stack(masks), "keypoints": keypoints}


def small(name):
    """A mini for images of 64 pixels; SSD has one size."""
    sizes = {"ssd_mini": {}, "yolo_v1_mini": {"image_size": 64, "grid": 8}, "yolo_v3_mini": {"image_size": 64}}
    return models.get_model(name, num_classes=3, **sizes.get(name, {"min_size": 64, "max_size": 64}))


@pytest.mark.parametrize("name", MINIS)
def test_minis_take_a_step(name):
    """Every loss is finite and every parameter is reached; in evaluation the answers have torchvision's names and shapes."""
    tinycnn.manual_seed(0)
    model = small(name)
    images, targets = zip(*(scene(seed) for seed in range(2)), strict=True)
    losses = model(images, targets)
    extra = {"maskrcnn_mini": "mask", "keypointrcnn_mini": "keypoint"}.get(name)
    assert len(losses) == (5 if extra or name.startswith("yolo") else 4 if name == "fasterrcnn_mini" else 2)
    assert all(np.isfinite(loss.item()) and loss.item() > 0 for loss in losses.values())
    sum(losses.values()).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None and np.isfinite(parameter.grad.data).all(), key
        # SSD's map of stride 4 learns no boxes here: no default box of its own fits squares that large.
        assert np.abs(parameter.grad.data).max() > 0 or key.startswith("head.regression_head.module_list.0"), key
    found = model.eval()(images)
    assert len(found) == 2
    for one in found:
        assert one["boxes"].shape == (len(one["scores"]), 4) and one["labels"].shape == one["scores"].shape
        if extra == "mask":
            assert one["masks"].shape == (len(one["scores"]), 1, 64, 64)
        if extra == "keypoint":
            assert one["keypoints"].shape == (len(one["scores"]), 3, 3)


def test_keypoints_must_be_as_many_as_the_head_gives():
    image, target = scene(0)
    with pytest.raises(ShapeError, match=r"target 0 have shape \(2, 2, 3\); they must be \(objects, 3, 3\)"):
        small("keypointrcnn_mini")([image], [{**target, "keypoints": target["keypoints"][:, :2]}])


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", MINIS)
def test_minis_overfit(name):
    """After 80 steps on three images every object is found where it is, by its class, with its mask and its corners."""
    tinycnn.manual_seed(0)
    model = small(name)
    images, targets = zip(*(scene(seed) for seed in range(3)), strict=True)
    optimizer = optim.AdamW(model.parameters(), lr=2e-3)
    for step in range(80):
        optimizer.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 10) * (1 if step < 56 else 0.1)
        optimizer.zero_grad()
        sum(model(images, targets).values()).backward()
        optimizer.step()
    for found, target in zip(model.eval()(images), targets, strict=True):
        for label, box, mask, corners in zip(target["labels"], target["boxes"], target["masks"], target["keypoints"], strict=True):
            best = int(np.flatnonzero(found["labels"].data == label)[0])
            assert tinycnn.ops.box_iou(found["boxes"].data[best : best + 1], box[None]).item() > 0.5
            if "masks" in found:
                assert detection.mask_iou(found["masks"].data[best], mask[None]).item() > 0.5
            if "keypoints" in found:
                assert np.abs(found["keypoints"].data[best, :, :2] - corners[:, :2]).max() < 6


def invalid(target, valid):
    return {**target, "valid": np.array(valid)}


@pytest.mark.parametrize("name", ["fasterrcnn_mini", "ssd_mini", "retinanet_mini"])
def test_what_is_not_valid_is_not_learned(name):
    """SNIPER's option: all valid is the usual loss; an object that is not counts neither as object nor as background."""
    tinycnn.manual_seed(1)
    model = small(name)
    image, target = scene(0)

    def losses(target):
        tinycnn.manual_seed(2)
        with tinycnn.no_grad():
            return {key: value.item() for key, value in model([image], [target]).items()}

    usual, alone = losses(target), losses({key: value[:1] for key, value in target.items()})
    assert losses(invalid(target, [True, True])) == usual
    without = losses(invalid(target, [True, False]))
    assert without != usual
    if name != "fasterrcnn_mini":  # where nothing is drawn at random: the boxes to be learned are those of the first object alone
        assert without["bbox_regression"] == pytest.approx(alone["bbox_regression"], rel=1e-5)
        # RetinaNet's loss is over all anchors; SSD's negatives are the hardest few, which may lie elsewhere.
        assert without["classification"] < alone["classification"] or (name == "ssd_mini" and without == alone)


def test_chips_hold_what_they_teach():
    draw = np.random.default_rng(4)
    image = draw.random((3, 60, 80)).astype(np.float32)
    boxes = np.array([[4.0, 4, 14, 12], [30, 10, 70, 50], [60, 44, 66, 52]])
    masks = np.zeros((3, 60, 80), np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int), strict=True):
        mask[y1:y2, x1:x2] = 1
    points = np.concatenate((boxes[:, None, :2] + 1, np.full((3, 1, 1), 2.0)), axis=2)
    target = {"boxes": boxes, "labels": np.array([1, 2, 3]), "masks": masks, "keypoints": points}
    scales = (detection.TrainingScale(2.0, 0, 16), detection.TrainingScale(1.0, 12))
    chips = detection.ScaleChips([(image, target)], scales, chip=48, stride=4)
    taught = []
    for number in range(len(chips)):
        pixels, cut = chips[number]
        scale = chips.places[number].scale
        corner = np.rint(chips.places[number].chip.box[:2])
        assert pixels.shape == (3, 48, 48) and len(cut["masks"]) == len(cut["boxes"]) == len(cut["keypoints"]) == len(cut["valid"])
        for box, label, valid, mask, point in zip(cut["boxes"], cut["labels"], cut["valid"], cut["masks"], cut["keypoints"], strict=True):
            assert (box >= 0).all() and (box <= 48).all()
            if valid:
                taught.append(int(label))
                np.testing.assert_allclose(box / scale.factor + np.tile(corner, 2), boxes[label - 1])
                assert scale.low <= np.sqrt(np.prod(boxes[label - 1, 2:] - boxes[label - 1, :2])) <= scale.high
                x1, y1, x2, y2 = box.astype(int)
                assert mask.sum() == (y2 - y1) * (x2 - x1) == mask[y1:y2, x1:x2].sum()
                np.testing.assert_allclose(point[0], [*(box[:2] + scale.factor), 2])
        if scale.factor == 1.0:
            np.testing.assert_allclose(pixels, image[:, int(corner[1]) : int(corner[1]) + 48, int(corner[0]) : int(corner[0]) + 48], atol=1e-6)
    assert sorted(taught) == [1, 2, 3]
    false = [np.array([[10.0, 40, 16, 46], [12, 42, 18, 48]])]
    more = detection.ScaleChips([(image, target)], scales, chip=48, stride=4, proposals=false)
    assert len(more) == len(chips) + 1 and any(not chip["valid"].any() for _, chip in (more[k] for k in range(len(more))))
    with pytest.raises(ArgumentError, match="1 images and 0 arrays"):
        detection.ScaleChips([(image, target)], scales, proposals=[])
    with pytest.raises(ArgumentError, match="none of 1 images"):
        detection.ScaleChips([(image, target)], (detection.TrainingScale(1.0, 500, 600),))


def test_nvidias_keys():
    """A few of the published checkpoint's; tests/oracle compares all of them and the outputs."""
    model = nn.utils.skip_init(models.get_model, "nvidia_ssd300_resnet50")
    shapes = {key: value.shape for key, value in model.state_dict().items()}
    first = "feature_extractor.feature_extractor"
    assert next(iter(shapes)) == f"{first}.0.weight" and shapes[f"{first}.6.5.conv3.weight"] == (1024, 256, 1, 1)
    assert shapes["additional_blocks.0.0.weight"] == (256, 1024, 1, 1) and shapes["additional_blocks.4.4.running_mean"] == (256,)
    assert shapes["loc.0.weight"] == (16, 1024, 3, 3) and shapes["conf.5.bias"] == (4 * 81,)
    assert {key.split(".")[0] for key in shapes} == {"feature_extractor", "additional_blocks", "loc", "conf"}
    with pytest.raises(ArgumentError, match="no backbone 'vgg16'; there are resnet18, resnet34, resnet50"):
        detection.NvidiaSSD("vgg16")


def test_nvidias_default_boxes():
    """By the loops of its `DefaultBoxes`: 8,732, centres and sides cut to the image; ours go cell by cell, its shape by shape."""
    model = nn.utils.skip_init(detection.NvidiaSSD, "resnet18")
    sides = (38, 19, 10, 5, 3, 1)
    maps = [Tensor(np.zeros((1, 1, side, side))) for side in sides]
    (found,) = model.anchor_generator(images_of(300, 300), maps)
    sizes, steps, ratios = (21, 45, 99, 153, 207, 261, 315), (8, 16, 32, 64, 100, 300), ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
    expected = []
    for k, side in enumerate(sides):
        one, two = sizes[k] / 300, sizes[k + 1] / 300
        shapes = [(one, one), ((one * two) ** 0.5,) * 2]
        for ratio in ratios[k]:
            width, height = one * ratio**0.5, one / ratio**0.5
            shapes += [(width, height), (height, width)]
        for i in range(side):
            for j in range(side):
                centre = min((j + 0.5) * steps[k] / 300, 1), min((i + 0.5) * steps[k] / 300, 1)
                expected += [(*centre, min(width, 1), min(height, 1)) for width, height in shapes]
    x, y, width, height = np.array(expected).T * 300
    assert len(found) == 8732
    np.testing.assert_allclose(found, np.stack((x - width / 2, y - height / 2, x + width / 2, y + height / 2), axis=1), atol=1e-4)


def test_nvidias_rows_take_the_column_first():
    """Channel c of a head is column c // boxes of box c % boxes."""
    answer = Tensor(np.arange(2 * 6 * 1 * 2, dtype=np.float64).reshape(2, 6, 1, 2))
    rows = rows_of([answer], [nn.Identity()], 3).data
    assert rows.shape == (2, 4, 3)
    for column in range(3):
        for box in range(2):
            for cell in range(2):
                assert rows[1, cell * 2 + box, column] == answer.data[1, column * 2 + box, 0, cell]


@given(st.lists(st.sampled_from([0.0, 1.0, 1.0, 2.5, -1.0, np.inf, -np.inf, np.nan]), max_size=30), st.integers(0, 12))
def test_the_best_few_as_sorting_all_gives_them(scores, most):
    scores = np.array(scores, np.float32)
    assert best_first(scores, most).tolist() == np.argsort(-scores, kind="stable")[:most].tolist()
