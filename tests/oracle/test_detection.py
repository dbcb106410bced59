"""Torchvision's detectors: the same keys, and from the same weights the same boxes, scores, labels, masks, keypoints and losses."""

import numpy as np
import pytest

from tests.oracle.model_agreement import randomise, same_keys
from tinycnn import Tensor, nn, no_grad
from tinycnn.models import get_model

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")

pytestmark = pytest.mark.torch

SMALL = {"min_size": 96, "max_size": 128}
CHEAP = ["fasterrcnn_mobilenet_v3_large_320_fpn", "ssdlite320_mobilenet_v3_large"]
HEAVY = [
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2",
    "keypointrcnn_resnet50_fpn",
    "retinanet_resnet50_fpn",
    "retinanet_resnet50_fpn_v2",
    "fcos_resnet50_fpn",
    "ssd300_vgg16",
]


def pair(name, **options):
    """Ours and theirs with the same weights in float64, such that boxes move a little and scores differ."""
    options = {"num_classes": 4, **({} if name.startswith("ssd") else SMALL), **options}
    theirs = torchvision.models.detection.__dict__[name](weights=None, weights_backbone=None, **options)
    mine = nn.utils.skip_init(get_model, name, **options)
    same_keys(mine, theirs)
    randomise(theirs.double())
    randomise(theirs.backbone, 0, (2, 3, 128, 128))
    with torch.no_grad():
        for key, parameter in theirs.named_parameters():
            last = ("bbox_pred", "bbox_reg", "regression_head", "cls_logits", "classification_head")
            if key.endswith("weight") and any(part in key for part in last):
                parameter.mul_(0.2)
        if name == "ssd300_vgg16":  # its images go from 0 to 255, and no normalisation tames them
            theirs.backbone.features[0].weight.div_(100)
    with np.errstate(all="ignore"):
        mine.double()
    assert mine.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()}) == ([], [])
    return mine, theirs


def photos(sizes=((90, 120), (128, 100))):
    draw = np.random.default_rng(0)
    return [draw.random((3, *size)) for size in sizes]


# Sizes that are doubled: torchvision moves true boxes by ratios of float32, which decide otherwise where an overlap is a threshold itself.
DOUBLED = ((48, 64), (64, 48))


def truth(masks=False, keypoints=False):
    """Three objects in the first photo, one in the second; of sizes DOUBLED."""
    draw = np.random.default_rng(1)
    first = {"boxes": np.array([[5.0, 5, 30, 25], [15, 10, 55, 40], [2.5, 20, 20, 42.5]]), "labels": np.array([1, 3, 2])}
    second = {"boxes": np.array([[10.0, 15, 35, 60]]), "labels": np.array([2])}
    for target, (height, width) in ((first, DOUBLED[0]), (second, DOUBLED[1])):
        count = len(target["boxes"])
        if masks:
            target["masks"] = (draw.random((count, height, width)) < 0.5).astype(np.uint8)
        if keypoints:
            corner, opposite = target["boxes"][:, None, :2], target["boxes"][:, None, 2:]
            places = corner + draw.random((count, 17, 2)) * (opposite - corner)
            target["keypoints"] = np.concatenate((places, draw.random((count, 17, 1)) < 0.7), axis=2).astype(np.float32)  # as torchvision asks
    return [first, second]


@pytest.mark.parametrize("name", [*CHEAP, *(pytest.param(name, marks=pytest.mark.exhaustive) for name in HEAVY)])
def test_detections(name):
    threshold = "score_thresh" if name.startswith(("ssd", "retina", "fcos")) else "box_score_thresh"
    mine, theirs = pair(name, **{threshold: 0.001})
    mine.eval(), theirs.eval()
    with no_grad(), torch.no_grad():
        ours, others = mine(photos()), theirs([torch.from_numpy(photo) for photo in photos()])
    for one, other in zip(ours, others, strict=True):
        assert sorted(one) == sorted(other)
        assert len(one["boxes"]) == len(other["boxes"]) > 3
        for key in one:
            expected = other[key].numpy()
            assert one[key].shape == expected.shape, key
            if key == "labels":
                np.testing.assert_array_equal(one[key].data, expected)
            else:
                largest = np.abs(expected).max(initial=1e-30)
                assert np.abs(one[key].data - expected).max(initial=0) <= 1e-6 * largest, key


@pytest.mark.parametrize("name", [*CHEAP, *(pytest.param(name, marks=pytest.mark.exhaustive) for name in HEAVY)])
def test_losses_and_their_gradients(name):
    """With a sample so large that every anchor and region is in it, nothing is drawn by chance."""
    everything = {"rpn_batch_size_per_image": 2**20, "box_batch_size_per_image": 2**20, "rpn_positive_fraction": 1.0, "box_positive_fraction": 1.0}
    mine, theirs = pair(name, **(everything if "rcnn" in name else {}))
    for model in (mine, theirs):
        model.train()
        for module in model.modules():
            if type(module).__name__ in ("BatchNorm2d", "Dropout"):
                module.eval()
    if "rcnn" in name:
        for model in (mine, theirs):
            model.rpn.fg_bg_sampler.batch_size_per_image = 2**20
    targets = truth("mask" in name, "keypoint" in name)
    ours = mine([Tensor(photo) for photo in photos(DOUBLED)], targets)
    others = theirs(
        [torch.from_numpy(photo) for photo in photos(DOUBLED)],
        [{key: torch.from_numpy(value) for key, value in target.items()} for target in targets],
    )
    assert set(ours) == set(others)
    for key, value in others.items():
        assert abs(ours[key].item() - value.item()) <= 1e-6 * max(1.0, abs(value.item())), (key, ours[key].item(), value.item())
    sum(ours.values()).backward()
    sum(others.values()).backward()
    expected = dict(theirs.named_parameters())
    for key, parameter in mine.named_parameters():
        gradient = expected[key].grad
        if gradient is None:
            assert parameter.grad is None or not parameter.grad.data.any(), key
            continue
        largest = max(float(gradient.abs().max()), 1e-8)
        assert np.abs(parameter.grad.data - gradient.numpy()).max() <= 1e-5 * largest, key


@pytest.mark.parametrize("name", [*CHEAP, *HEAVY])
def test_parameter_counts(name):
    theirs = torchvision.models.detection.__dict__[name](weights=None, weights_backbone=None)
    mine = nn.utils.skip_init(get_model, name)
    assert sum(parameter.numel() for parameter in mine.parameters()) == sum(parameter.numel() for parameter in theirs.parameters())
    same_keys(mine, theirs)
