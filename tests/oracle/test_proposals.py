"""Felzenszwalb's segmentation as scikit-image's; anchors and keypoint cells as torchvision's."""

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
