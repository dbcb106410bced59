"""The parts of detectors: laws, hand-made cases, refusals. Whole detectors are held to torchvision's in tests/oracle/test_detection.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, functional, models, nn, ops
from tinycnn import random as tinycnn_random
from tinycnn.errors import ArgumentError, DtypeError, ShapeError, UsageError
from tinycnn.models import detection
from tinycnn.models.detection.fcos import match_points
from tinycnn.models.detection.losses import keypoints_to_heatmap, multibox_loss, retinanet_loss, rpn_loss
from tinycnn.models.detection.rpn import in_rows

seeds = st.integers(0, 2**32 - 1)


def boxes_of(draw, count, side=100.0):
    corners = draw.random((count, 2)) * side * 0.7
    return np.concatenate((corners, corners + 1 + draw.random((count, 2)) * side * 0.3), axis=1)


def images_of(height, width, count=1):
    return detection.ImageList(Tensor(np.zeros((count, 3, height, width), np.float32)), [(height, width)] * count)


def test_anchors_lie_around_the_cells_in_order():
    generator = detection.AnchorGenerator(((16, 32), (64,)), ((0.5, 1.0), (2.0,)))
    maps = [np.zeros((1, 8, 3, 4), np.float32), np.zeros((1, 8, 1, 2), np.float32)]
    (anchors,) = generator(images_of(48, 64), [Tensor(one) for one in maps])
    assert generator.num_anchors_per_location() == [4, 1]
    assert anchors.shape == (3 * 4 * 4 + 2, 4)
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    np.testing.assert_array_equal(centres[4 * 5], (16, 16))  # cell (1, 1) of stride 16
    np.testing.assert_array_equal(centres[-1], (32, 0))  # cell (0, 1) of stride 32
    shapes = anchors[:4, 2:] - anchors[:4, :2]
    np.testing.assert_array_equal(shapes, [[22, 12], [46, 22], [16, 16], [32, 32]])  # rounded half to even; the ratio changes slowest


def test_default_boxes_of_ssd300():
    sides = (38, 19, 10, 5, 3, 1)
    generator = detection.DefaultBoxGenerator(
        [[2], [2, 3], [2, 3], [2, 3], [2], [2]], scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05], steps=[8, 16, 32, 64, 100, 300]
    )
    maps = [Tensor(np.zeros((1, 1, side, side), np.float32)) for side in sides]
    (boxes,) = generator(images_of(300, 300), maps)
    assert boxes.shape == (8732, 4)
    np.testing.assert_allclose((boxes[0, :2] + boxes[0, 2:]) / 2, (4, 4))
    np.testing.assert_allclose(boxes[0, 2] - boxes[0, 0], 21, rtol=1e-6)  # 0.07 of 300


@given(seeds, st.sampled_from([(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)]))
def test_box_coder_goes_there_and_back(seed, weights):
    draw = np.random.default_rng(seed)
    references, objects = boxes_of(draw, 7), boxes_of(draw, 7)
    coder = detection.BoxCoder(weights)
    np.testing.assert_allclose(coder.decode_single(coder.encode_single(objects, references), references), objects, atol=1e-9)
    linear = detection.BoxLinearCoder()
    np.testing.assert_allclose(linear.decode(linear.encode(references, objects), references), objects, atol=1e-9)


def test_box_coder_limits_wild_sizes():
    wild = detection.BoxCoder((1.0, 1.0, 1.0, 1.0)).decode_single(np.array([[0.0, 0, 1e9, 1e9]]), np.array([[0.0, 0, 2, 2]]))
    np.testing.assert_allclose(wild, [[1 - 62.5, 1 - 62.5, 1 + 62.5, 1 + 62.5]])


@given(seeds, st.booleans())
def test_matcher_by_definition(seed, low_quality):
    draw = np.random.default_rng(seed)
    quality = np.round(draw.random((draw.integers(1, 5), draw.integers(1, 12))), 1)  # ties are common
    matches = detection.Matcher(0.7, 0.3, low_quality)(quality)
    for box, match in enumerate(matches):
        column = quality[:, box]
        is_some_objects_best = any(quality[k, box] == quality[k].max() for k in range(len(quality)))
        if column.max() >= 0.7 or (low_quality and is_some_objects_best):
            assert match == column.argmax()
        else:
            assert match == (-1 if column.max() < 0.3 else -2)
    if len(set(quality.argmax(axis=1))) == len(quality):  # no two objects want the same box
        assert set(detection.SSDMatcher(0.5)(quality)) >= set(range(len(quality)))


@given(seeds, st.integers(1, 20), st.floats(0, 1))
def test_sampler_draws_what_there_is(seed, size, share):
    draw = np.random.default_rng(seed)
    labels = draw.integers(-1, 3, 30)
    positive, negative = detection.BalancedPositiveNegativeSampler(size, share)([labels], draw)[0]
    assert (labels[positive] >= 1).all() and (labels[negative] == 0).all()
    assert positive.sum() == min((labels >= 1).sum(), int(size * share))
    assert negative.sum() == min((labels == 0).sum(), size - positive.sum())


def test_rows_of_maps_keep_cells_together():
    maps = np.arange(2 * 6 * 2 * 3, dtype=np.float64).reshape(2, 6, 2, 3)
    rows = in_rows([Tensor(maps), Tensor(maps[:, :, :1, :1])], 3).data
    assert rows.shape == (2, 2 * 3 * 2 + 2, 3)
    for i, j, anchor in ((0, 0, 0), (1, 2, 1)):
        np.testing.assert_array_equal(rows[1, (i * 3 + j) * 2 + anchor], maps[1, anchor * 3 : anchor * 3 + 3, i, j])


def test_pyramid_adds_the_enlarged_coarser_map():
    pyramid = ops.FeaturePyramidNetwork([2, 2], 2, ops.LastLevelMaxPool()).double()
    for block in pyramid.inner_blocks:
        block[0].weight.data[...] = np.eye(2).reshape(2, 2, 1, 1)
    for block in pyramid.layer_blocks:
        block[0].weight.data[...] = 0
        block[0].weight.data[[0, 1], [0, 1], 1, 1] = 1
    fine, coarse = np.random.default_rng(0).random((1, 2, 4, 4)), np.random.default_rng(1).random((1, 2, 2, 2))
    found = pyramid({"a": fine, "b": coarse})
    np.testing.assert_allclose(found["a"].data, fine + coarse.repeat(2, axis=2).repeat(2, axis=3))
    np.testing.assert_allclose(found["b"].data, coarse)
    np.testing.assert_allclose(found["pool"].data, coarse[..., ::2, ::2])


def test_regions_come_from_the_map_of_their_scale():
    draw = np.random.default_rng(3)
    maps = {str(k): draw.random((2, 3, 224 // stride, 224 // stride)) for k, stride in enumerate((4, 8, 16, 32))}
    boxes = [np.array([[0.0, 0, 20, 20], [0, 0, 223, 223], [10, 10, 130, 110]]), np.array([[5.0, 5, 220, 100]])]
    pool = ops.MultiScaleRoIAlign(["0", "1", "2", "3"], 3, 2)
    found = pool(maps, boxes, [(224, 224), (200, 180)]).data
    regions = np.concatenate([np.concatenate((np.full((len(one), 1), k), one), axis=1) for k, one in enumerate(boxes)])
    for region, row in zip(regions, found, strict=True):
        level = int(np.clip(np.floor(4 + np.log2(np.sqrt((region[3] - region[1]) * (region[4] - region[2])) / 224)), 2, 5)) - 2
        expected = ops.roi_align(maps[str(level)], region[None], 3, 1 / (4 * 2**level), 2).data[0]
        np.testing.assert_allclose(row, expected, rtol=1e-12)


def test_points_belong_to_the_smallest_object_around_them():
    points = np.array([[4.0 * k, 4.0, 4.0 * k + 8, 12.0] for k in range(8)])
    objects = np.array([[0.0, 0, 40, 20], [4.0, 4, 20, 16]])
    matches = match_points(points, objects, 1.5, [8])
    for (x1, y1, x2, y2), match in zip(points, matches, strict=True):
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        inside = [
            k
            for k, (a, b, c, d) in enumerate(objects)
            if a < x < c and b < y < d and max(abs(x - (a + c) / 2), abs(y - (b + d) / 2)) < 12
        ]
        assert match == (max(inside) if inside else -1)  # the second object is the smaller one


def test_masks_are_pasted_where_their_boxes_are():
    mask = np.ones((1, 1, 8, 8))
    pasted = detection.paste_masks_in_image(mask, np.array([[-4.0, 3.0, 9.0, 12.0]]), (10, 20))[0, 0]
    assert pasted.shape == (10, 20)
    assert (pasted[4:, :8] == 1).all() and (pasted[:, 13:] == 0).all() and (pasted[:1] == 0).all()
    outside = detection.paste_masks_in_image(mask, np.array([[50.0, 50, 60, 60]]), (10, 20))
    assert not outside.any()
    with pytest.raises(ShapeError, match=r"masks \(1, 1, 8, 8\) and boxes \(2, 4\)"):
        detection.paste_masks_in_image(mask, np.zeros((2, 4)), (10, 20))


@given(seeds)
def test_keypoints_survive_their_heatmaps(seed):
    draw = np.random.default_rng(seed)
    box, side = np.array([[10.0, 20.0, 66.0, 76.0]]), 14  # cells of 4 pixels
    points = np.concatenate((box[0, :2] + draw.random((1, 5, 2)) * 56, np.ones((1, 5, 1))), axis=2)
    cells, seen = keypoints_to_heatmap(points, box, side)
    assert seen.all()
    maps = np.zeros((1, 5, side * side))
    np.put_along_axis(maps, cells[..., None], 1.0, axis=2)
    found, scores = detection.heatmaps_to_keypoints(maps.reshape(1, 5, side, side), box)
    assert np.abs(found[..., :2] - points[..., :2]).max() <= 4
    assert (scores > 0.9).all()


def test_losses_of_images_without_objects_are_finite():
    draw = np.random.default_rng(0)
    anchors = boxes_of(draw, 12)
    empty = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, np.int64)}
    logits, numbers = Tensor(draw.random((1, 12)), requires_grad=True), Tensor(draw.random((1, 12, 4)), requires_grad=True)
    coder = detection.BoxCoder((1.0, 1.0, 1.0, 1.0))
    losses = rpn_loss(
        logits, numbers, [anchors], [empty], detection.Matcher(0.7, 0.3, True), detection.BalancedPositiveNegativeSampler(8, 0.5), coder
    )
    assert losses["loss_rpn_box_reg"].item() == 0 and 0 < losses["loss_objectness"].item() < 2
    classes = Tensor(draw.random((1, 12, 3)), requires_grad=True)
    terms = multibox_loss(classes, numbers, [anchors], [empty], detection.SSDMatcher(0.5), coder)
    assert terms["classification"].item() == 0  # no positive box, so no negative one either


def test_multibox_takes_the_hardest_background():
    anchors = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60], [80, 0, 90, 10], [0, 80, 10, 90], [30, 30, 40, 40]])
    target = {"boxes": np.array([[0.0, 0, 10, 10]]), "labels": np.array([1])}
    logits = np.zeros((1, 5, 2))
    logits[0, 1:, 1] = (3.0, 1.0, 2.0, 0.0)
    found = multibox_loss(
        Tensor(logits), Tensor(np.zeros((1, 5, 4))), [anchors], [target], detection.SSDMatcher(0.5), detection.BoxCoder((1.0,) * 4), 2.0
    )
    each = np.log(1 + np.exp(logits[0, 1:, 1]))
    np.testing.assert_allclose(found["classification"].item(), np.log(2) + each[0] + each[2])
    assert found["bbox_regression"].item() == 0


def test_multibox_counts_no_box_twice():
    """Where matched boxes are more than a quarter there is too little background to take three times as much."""
    anchors = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60], [80, 0, 90, 10]])
    target = {"boxes": anchors[:2], "labels": np.array([1, 1])}
    logits, numbers = Tensor(np.zeros((1, 3, 2))), Tensor(np.zeros((1, 3, 4)))
    found = multibox_loss(logits, numbers, [anchors], [target], detection.SSDMatcher(0.5), detection.BoxCoder((1.0,) * 4))
    np.testing.assert_allclose(found["classification"].item(), 3 * np.log(2) / 2)


def test_retinanet_loss_is_the_mean_over_images():
    """Of a batch as of its images one by one, one of them without an object, and the ignored anchor nowhere."""
    draw = np.random.default_rng(3)
    anchors = [np.array([[0.0, 0, 10, 10], [0, 0, 10, 22], [50, 50, 60, 60], [80, 0, 90, 10]])] * 3
    targets = [
        {"boxes": np.array([[0.0, 0, 10, 10], [51, 50, 60, 60]]), "labels": np.array([1, 0])},
        {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, np.int64)},
        {"boxes": np.array([[80.0, 0, 90, 11]]), "labels": np.array([2])},
    ]
    logits, numbers = draw.standard_normal((3, 4, 3)), draw.standard_normal((3, 4, 4))
    matcher, coder = detection.Matcher(0.5, 0.4), detection.BoxCoder((1.0,) * 4)

    def terms(part, logits=logits):
        found = retinanet_loss(Tensor(logits[part]), Tensor(numbers[part]), anchors[part], targets[part], matcher, coder)
        return np.array([found["classification"].item(), found["bbox_regression"].item()])

    together = terms(slice(None))
    np.testing.assert_allclose(together, np.mean([terms(slice(k, k + 1)) for k in range(3)], axis=0), rtol=1e-12)
    assert matcher(ops.box_iou(targets[0]["boxes"], anchors[0]).data)[1] == matcher.BETWEEN_THRESHOLDS
    other = logits.copy()
    other[0, 1] += 5
    np.testing.assert_array_equal(terms(slice(None), other), together)


def test_retinanet_refuses_a_loss_it_does_not_know():
    backbone = nn.Sequential(nn.Conv2d(3, 4, 3))
    backbone.out_channels = 4
    with pytest.raises(ArgumentError, match="RetinaNet: box_loss='l2' must be one of l1, giou"):
        detection.RetinaNet(backbone, 3, box_loss="l2")


def test_retinanets_boxes_count_as_much_as_the_config_says():
    image, target = np.full((3, 128, 128), 0.4, np.float32), {"boxes": np.array([[20.0, 30, 60, 80]], np.float32), "labels": np.array([2])}
    terms = []
    for weight in (1.0, 0.25):
        tinycnn_random.manual_seed(0)
        model = models.get_model("retinanet_mini", box_loss_weight=weight).train()
        terms.append({name: value.item() for name, value in model([image], [target]).items()})
    assert terms[0]["bbox_regression"] > 0.1
    assert terms[1]["bbox_regression"] == pytest.approx(0.25 * terms[0]["bbox_regression"], rel=1e-5)
    assert terms[1]["classification"] == pytest.approx(terms[0]["classification"], rel=1e-5)


def test_every_builder_is_listed_and_refuses_what_it_does_not_know():
    names = models.list_models("detection")
    assert {"fasterrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2", "ssd300_vgg16", "fcos_resnet50_fpn"} <= set(names)
    assert not set(names) & set(models.list_models())
    with pytest.raises(UsageError, match=r"called .score_tresh.; did you mean score_thresh"):
        models.get_model("ssd300_vgg16", score_tresh=0.1)
    with pytest.raises(UsageError, match="there is no option called 'min_sise'; did you mean min_size"):
        detection.fasterrcnn_resnet50_fpn(min_sise=300)
    with pytest.raises(UsageError, match="there is no task called 'detecting'"):
        models.list_models("detecting")


class OneMap(nn.Module):
    """A backbone of one small map."""

    out_channels = 4

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=8, padding=1)

    def forward(self, x):
        return functional.relu(self.conv(x))


def tiny(cls=detection.FasterRCNN, **options):
    anchors = detection.AnchorGenerator(((16,),), ((1.0,),))
    if cls is detection.FasterRCNN:
        pool = ops.MultiScaleRoIAlign(["0"], 2, 1)
        return cls(OneMap(), 3, rpn_anchor_generator=anchors, box_roi_pool=pool, min_size=32, max_size=64, **options)
    return cls(OneMap(), 3, anchor_generator=anchors, min_size=32, max_size=64, **options)


IMAGE = np.random.default_rng(0).random((3, 32, 40)).astype(np.float32)
TARGET = {"boxes": np.array([[4.0, 4, 20, 24]], np.float32), "labels": np.array([1])}


@pytest.mark.parametrize("cls", [detection.FasterRCNN, detection.RetinaNet])
def test_a_small_detector_learns_one_image(cls):
    tinycnn.manual_seed(0)
    model = tiny(cls)
    optimizer = tinycnn.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.02, momentum=0.9)
    history = []
    for _ in range(12):
        total = sum(model([IMAGE], [TARGET]).values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(total.item())
    assert history[-1] < 0.9 * history[0]
    found = model.eval()([IMAGE])[0]
    assert found["boxes"].shape[1] == 4 and len(found["boxes"]) == len(found["scores"]) == len(found["labels"])


def test_nothing_found_is_an_answer():
    for model in (tiny(box_score_thresh=0.999), tiny(detection.RetinaNet, score_thresh=0.999), tiny(rpn_score_thresh=1.0)):
        (found,) = model.eval()([IMAGE])
        assert found["boxes"].shape == (0, 4) and found["labels"].shape == found["scores"].shape == (0,)


@pytest.mark.parametrize(
    ("images", "targets", "error", "message"),
    [
        ([], [], ArgumentError, "there are no images"),
        ([IMAGE], None, ArgumentError, "in training mode give targets too"),
        ([IMAGE], [], ArgumentError, "there are 1 images but 0 targets"),
        ([IMAGE], [{"boxes": np.zeros((0, 4))}], ArgumentError, "target 0 has no 'labels'"),
        ([IMAGE], [{"boxes": np.zeros((1, 3)), "labels": np.ones(1)}], ShapeError, r"boxes of target 0 have shape \(1, 3\)"),
        ([IMAGE], [{"boxes": TARGET["boxes"], "labels": np.ones(2)}], ShapeError, r"1 boxes but labels of shape \(2,\)"),
        ([IMAGE], [{"boxes": np.array([[5.0, 5, 5, 9]]), "labels": np.ones(1)}], ArgumentError, r"box 0 of target 0 is \[5.0, 5.0, 5.0, 9.0\]"),
        ([IMAGE], [{"boxes": TARGET["boxes"], "labels": np.array([-1])}], ArgumentError, "has the label -1"),
        ([IMAGE[0]], [TARGET], ShapeError, r"image 0 has shape \(32, 40\)"),
        ([IMAGE[:2]], [TARGET], ShapeError, "image 0 has 2 channels"),
        ([(IMAGE * 255).astype(np.uint8)], [TARGET], DtypeError, "give pixels from 0 to 1"),
    ],
)
def test_refusals(images, targets, error, message):
    with pytest.raises(error, match=message):
        tiny().train()(images, targets)


def test_refused_parts():
    with pytest.raises(ArgumentError, match="sizes are for 2 feature maps, aspect_ratios for 1"):
        detection.AnchorGenerator(((8,), (16,)), ((1.0,),))
    with pytest.raises(ArgumentError, match="must have at least one positive number"):
        detection.AnchorGenerator(((0,),), ((1.0,),))
    with pytest.raises(ShapeError, match="there are 1 feature maps, but sizes are given for 2"):
        detection.AnchorGenerator(((8,), (16,)), ((1.0,), (1.0,)))(images_of(32, 32), [Tensor(np.zeros((1, 1, 4, 4)))])
    with pytest.raises(ArgumentError, match="need 3 scales"):
        detection.DefaultBoxGenerator([[2], [2]], scales=[0.1, 0.2])
    with pytest.raises(ArgumentError, match=r"low_threshold 0\.7 is above high_threshold 0\.3"):
        detection.Matcher(0.3, 0.7)
    with pytest.raises(ShapeError, match="have no objects"):
        detection.Matcher(0.7, 0.3)(np.zeros((0, 4)))
    with pytest.raises(ArgumentError, match="batch_size_per_image=0 must be at least 1"):
        detection.BalancedPositiveNegativeSampler(0, 0.5)
    with pytest.raises(ArgumentError, match="the backbone must have an attribute out_channels"):
        detection.FasterRCNN(nn.ReLU(), 2)
    with pytest.raises(ArgumentError, match="give either num_classes or box_predictor"):
        detection.FasterRCNN(OneMap())
    with pytest.raises(ArgumentError, match="points are one each"):
        detection.FCOS(OneMap(), 3, anchor_generator=detection.AnchorGenerator(((8, 9),), ((1.0,),)))
    with pytest.raises(ArgumentError, match="trainable_layers=7 must be 0 to 5"):
        detection.resnet_fpn_backbone("resnet18", trainable_layers=7)
    with pytest.raises(ArgumentError, match="give a ResNet"):
        nn.utils.skip_init(detection.resnet_fpn_backbone, "mobilenet_v3_large", norm_layer=None)
    with pytest.raises(ShapeError, match="there are 1 maps, but in_channels_list has 2 numbers"):
        ops.FeaturePyramidNetwork([2, 2], 2)({"a": np.zeros((1, 2, 4, 4), np.float32)})
    with pytest.raises(ArgumentError, match="none is in"):
        ops.MultiScaleRoIAlign(["0"], 2, 1)({"1": np.zeros((1, 2, 4, 4), np.float32)}, [np.zeros((1, 4))], [(8, 8)])
