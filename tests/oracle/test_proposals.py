"""Felzenszwalb's segmentation as scikit-image's; anchors, keypoint cells as torchvision's, mask IoU as pycocotools'; NVIDIA's SSD layer by layer."""

import numpy as np
import pytest

from tinycnn.models import detection

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize(("scale", "sigma", "least"), [(1, 0.8, 20), (100, 0.5, 5), (300, 0.0, 30), (50, 1.3, 1)])
def test_segmentation(scale, sigma, least):
    segmentation = pytest.importorskip("skimage.segmentation")
    draw = np.random.default_rng(7)
    image = draw.random((30, 26, 3)) * 0.2
    image[8:20, 5:17] += (0.6, 0.1, 0.3)
    image[15:28, 12:24, 1] += 0.5
    theirs = segmentation.felzenszwalb(image, scale=scale, sigma=sigma, min_size=least)
    ours = detection.felzenszwalb(image, scale, sigma, least)
    assert len(np.unique(theirs)) > 1
    # The same cut; the numbers of the regions are anybody's.
    pairs = np.unique(np.stack((ours.ravel(), theirs.ravel())), axis=1)
    assert pairs.shape[1] == ours.max() + 1 == theirs.max() + 1


def test_cell_anchors():
    torch = pytest.importorskip("torch")
    anchor_utils = pytest.importorskip("torchvision.models.detection.anchor_utils")
    sizes, ratios = (32, 47, 128), (0.5, 1.0, 1.5)
    theirs = anchor_utils.AnchorGenerator((sizes,), (ratios,)).cell_anchors[0]
    np.testing.assert_array_equal(detection.cell_anchors_by_convention(sizes, ratios, 16, "torchvision"), theirs.numpy())
    assert torch.is_tensor(theirs)


def test_coding_with_gradients():
    torch = pytest.importorskip("torch")
    utils = pytest.importorskip("torchvision.models.detection._utils")
    draw = np.random.default_rng(0)
    corners = draw.random((2, 6, 2)) * 50
    references, objects = np.concatenate((corners, corners + 3 + draw.random((2, 6, 2)) * 40), axis=2)
    weights = (10.0, 10.0, 5.0, 5.0)
    theirs = utils.encode_boxes(torch.tensor(objects), torch.tensor(references), torch.tensor(weights, dtype=torch.float64))
    np.testing.assert_allclose(detection.encode_boxes(objects, references, weights), theirs.numpy(), rtol=1e-12)
    leaf = torch.tensor(theirs.numpy(), requires_grad=True)
    upstream = draw.standard_normal((6, 4))
    (utils.BoxCoder(weights).decode_single(leaf, torch.tensor(references)) * torch.tensor(upstream)).sum().backward()
    from tinycnn import Tensor

    ours = Tensor(theirs.numpy().copy(), requires_grad=True)
    (detection.decode_boxes(ours, references, weights) * Tensor(upstream)).sum().backward()
    np.testing.assert_allclose(ours.grad.data, leaf.grad.numpy(), rtol=1e-10)


def test_masks_and_keypoints():
    torch = pytest.importorskip("torch")
    roi_heads = pytest.importorskip("torchvision.models.detection.roi_heads")
    draw = np.random.default_rng(0)
    corners = draw.random((5, 2)) * 12
    boxes = np.concatenate((corners, corners + 2 + draw.random((5, 2)) * 12), axis=1)
    masks, matches = (draw.random((3, 24, 28)) > 0.5).astype(np.uint8), draw.integers(0, 3, 5)
    theirs = roi_heads.project_masks_on_boxes(torch.tensor(masks), torch.tensor(boxes), torch.tensor(matches), 7)
    np.testing.assert_allclose(detection.project_masks_on_boxes(masks, boxes, matches, 7), theirs.numpy(), rtol=1e-10)
    points = np.concatenate((draw.random((5, 4, 2)) * 30, draw.integers(0, 3, (5, 4, 1))), axis=2)
    cells, seen = roi_heads.keypoints_to_heatmap(torch.tensor(points), torch.tensor(boxes), 14)
    ours = detection.keypoints_to_heatmap(points, boxes, 14)
    np.testing.assert_array_equal(ours[0], cells.numpy())
    np.testing.assert_array_equal(ours[1], seen.numpy().astype(bool))


def test_mask_overlaps():
    coco = pytest.importorskip("pycocotools.mask")
    draw = np.random.default_rng(5)
    masks = draw.random((7, 20, 30)) < draw.random((7, 1, 1))
    masks[3] = False
    encoded = coco.encode(np.asfortranarray(masks.transpose(1, 2, 0).astype(np.uint8)))
    theirs = coco.iou(encoded[:4], encoded[2:], [0] * 5)
    np.testing.assert_allclose(detection.mask_iou(masks[:4], masks[2:]), np.nan_to_num(theirs), rtol=1e-12)


def nvidia_in_torch(name, classes):
    """The layers of DeepLearningExamples' SSD300 v1.1 under their names, and what they give, in the order of its default boxes."""
    torch = pytest.importorskip("torch")
    nn = torch.nn
    network = pytest.importorskip("torchvision").models.get_model(name, weights=None)
    body = nn.Sequential(*list(network.children())[:7])
    first = body[6][0]
    for layer in (first.conv2 if name == "resnet50" else first.conv1, first.downsample[0]):
        layer.stride = (1, 1)
    channels = {"resnet18": (256, 512, 512, 256, 256, 128), "resnet50": (1024, 512, 512, 256, 256, 256)}[name]
    blocks = []
    for k, hidden in enumerate((256, 256, 128, 128, 128)):
        step = {"stride": 2, "padding": 1} if k < 3 else {}
        blocks.append(
            nn.Sequential(
                nn.Conv2d(channels[k], hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(),
                nn.Conv2d(hidden, channels[k + 1], 3, bias=False, **step), nn.BatchNorm2d(channels[k + 1]), nn.ReLU(),
            )
        )  # fmt: skip
    model = nn.Module()
    model.feature_extractor = nn.Module()
    model.feature_extractor.feature_extractor = body
    model.additional_blocks = nn.ModuleList(blocks)
    boxes = (4, 6, 6, 6, 4, 4)
    model.loc = nn.ModuleList([nn.Conv2d(maps, count * 4, 3, padding=1) for maps, count in zip(channels, boxes, strict=True)])
    model.conf = nn.ModuleList([nn.Conv2d(maps, count * classes, 3, padding=1) for maps, count in zip(channels, boxes, strict=True)])

    def answer(images):
        maps = [body(images)]
        for block in blocks:
            maps.append(block(maps[-1]))
        for columns, layers in ((4, model.loc), (classes, model.conf)):
            parts = [layer(one).reshape(len(images), columns, -1) for one, layer in zip(maps, layers, strict=True)]
            yield torch.cat(parts, 2)

    return model, answer


@pytest.mark.parametrize("name", ["resnet18", pytest.param("resnet50", marks=pytest.mark.exhaustive)])
def test_nvidias_ssd(name, tmp_path):
    """The same keys, and the same 8,732 rows once theirs, shape by shape, are put cell by cell."""
    torch = pytest.importorskip("torch")
    from tests.oracle.model_agreement import randomise, same_keys
    from tinycnn import Tensor, nn, no_grad
    from tinycnn.weights import load_weights

    theirs, answer = nvidia_in_torch(name, 5)
    mine = nn.utils.skip_init(detection.NvidiaSSD, name, 5)
    same_keys(mine, theirs)
    randomise(theirs.double()).eval()
    with np.errstate(all="ignore"):
        mine.double().eval()
    # As its trainer saves it: under "model", from a DataParallel, beside other things.
    state = {f"module.{key}": value for key, value in theirs.state_dict().items()}
    torch.save({"epoch": 64, "iteration": 1, "model": state}, tmp_path / "nvidia_ssd.pt")
    assert load_weights(mine, tmp_path / "nvidia_ssd.pt") == ([], [])
    images = np.random.default_rng(0).standard_normal((1, 3, 300, 300))
    with no_grad(), torch.no_grad():
        ours = mine._judged(list(mine._maps(Tensor(images)).values()))
        numbers, logits = (part.numpy() for part in answer(torch.from_numpy(images)))
    order, start = [], 0
    for side, count in zip((38, 19, 10, 5, 3, 1), (4, 6, 6, 6, 4, 4), strict=True):
        places = start + np.arange(count * side * side).reshape(count, side * side)
        order.append(places.T.reshape(-1))
        start += places.size
    for mapping, other in ((ours["bbox_regression"], numbers), (ours["cls_logits"], logits)):
        expected = other[:, :, np.concatenate(order)].transpose(0, 2, 1)
        np.testing.assert_allclose(mapping.data, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
