"""Networks of Darknet's .cfg files are held to cv2.dnn, which reads the same files: all raw maps, and the boxes of the heads."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tinycnn
from tinycnn.models import detection
from tinycnn.models.detection.yolo_grid import decode_anchors, sigmoid, split_anchors
from tinycnn.models.detection.yolo_v2 import region_scores
from tinycnn.models.detection.yolo_v3 import yolo_scores
from tinycnn.weights.darknet_file import darknet_pieces, parse_cfg, read_darknet

cv2 = pytest.importorskip("cv2", reason="install opencv-python-headless<5")

pytestmark = pytest.mark.torch

SHARED_DATA = Path(os.environ.get("TINYCNN_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
FOLDER = SHARED_DATA / "weights" / "yolo-fastest"
PHOTO = SHARED_DATA / "imagenet_sample_200" / "n02504013_Indian_elephant.jpg"
CFG = """
[net]
width=32
height=32
channels=3
[convolutional]
filters=8
size=3
stride=1
pad=1
batch_normalize=1
activation=leaky
[maxpool]
size=2
stride=2
[convolutional]
filters=8
size=3
stride=2
pad=1
groups=4
activation=mish
[maxpool]
size=2
stride=1
[convolutional]
filters=8
size=1
stride=1
activation=logistic
[shortcut]
from=-2
activation=relu
[upsample]
stride=2
[route]
layers=-1,1
[route]
layers=-1
groups=2
group_id=1
[convolutional]
filters=8
size=3
stride=1
pad=1
activation=swish
[maxpool]
size=3
stride=1
[reorg]
stride=2
[dropout]
probability=.5
[convolutional]
filters=14
size=1
stride=1
activation=linear
[region]
anchors=1.5,2, 3,1
classes=2
coords=4
num=2
softmax=1
bias_match=1
rescore=1
thresh=.001
"""


# cv2's name of the last of the layers that a section becomes, by section.
LAST = {
    0: "leaky_1", 1: "pool_1", 2: "mish_3", 3: "pool_3", 4: "logistic_5", 5: "relu_6", 6: "upsample_6", 7: "concat_7", 8: "slice_8",
    9: "swish_10", 10: "pool_10", 11: "reorg_11", 13: "conv_13",
}  # fmt: skip


def theirs_and_ours(cfg, numbers, images):
    """cv2's network, given a batch; what all layers of ours give of it; and ours."""
    theirs = cv2.dnn.readNetFromDarknet(np.frombuffer(cfg.encode(), np.uint8), np.frombuffer(numbers, np.uint8))
    theirs.setInput(images)
    network = detection.DarknetNetwork(cfg)
    network.load_darknet(read_darknet(cfg, numbers).arrays)
    with tinycnn.no_grad():
        ours = network.eval().outputs(tinycnn.Tensor(images))
    return theirs, ours, network


def drawn_weights(seed):
    """Of CFG, as a .weights file."""
    draw = np.random.default_rng(seed)
    arrays = {}
    for layer in parse_cfg(CFG)[1]:
        for name, shape in layer.parameters:
            values = draw.normal(0, 0.4, shape)
            arrays[f"{layer.index}.{name}"] = np.abs(values) + 0.5 if name.endswith("running_var") else values
    return b"".join(darknet_pieces(CFG, arrays))


def compare_rows(rows, raw, head, side):
    """cv2's rows, anchor by anchor within a cell: centre and sides in parts of the image, confidence, scores (0 up to a threshold)."""
    boxes = decode_anchors(raw, head.anchors[list(head.mask)], (side, side)) / side
    scores = yolo_scores(raw) if head.kind == "yolo" else region_scores(raw, None, 0.5, 0.0)
    boxes, scores, confidence = (np.moveaxis(array[0], 0, 2).reshape(len(rows), -1) for array in (boxes, scores, sigmoid(raw[..., 4:5])))
    np.testing.assert_allclose(rows[:, :2], (boxes[:, :2] + boxes[:, 2:]) / 2, atol=1e-4)
    np.testing.assert_allclose(rows[:, 2:4], boxes[:, 2:] - boxes[:, :2], atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(rows[:, 4:5], confidence, atol=1e-4)
    shown = rows[:, 5:] > 0
    assert shown.any()
    np.testing.assert_allclose(rows[:, 5:][shown], scores[shown], atol=1e-4)
    assert (scores[~shown] <= 0.21).all()  # cv2 shows 0 up to the section's thresh, .2 where it has none


@pytest.mark.parametrize("seed", [0, 1])
def test_every_layer_is_cv2s(seed):
    images = np.random.default_rng(seed).random((1, 3, 32, 32), np.float32)
    theirs, ours, network = theirs_and_ours(CFG, drawn_weights(seed), images)
    for number, name in LAST.items():
        np.testing.assert_allclose(ours[number].data, np.asarray(theirs.forward(name)), atol=1e-4, err_msg=name)
    rows = np.asarray(theirs.forward()).reshape(-1, 7)
    compare_rows(rows, split_anchors(ours[-1], 2).data, detection.DarknetDetector(network).heads[0], 32)


@pytest.mark.skipif(not FOLDER.exists(), reason="yolo-fastest is not in ../shared/data")
def test_yolo_fastest_is_cv2s():
    cfg, numbers = (FOLDER / "yolo-fastest-1.1.cfg").read_text(), (FOLDER / "yolo-fastest-1.1.weights").read_bytes()
    with Image.open(PHOTO) as photo:
        pixels = np.asarray(photo.convert("RGB").resize((320, 320)), np.float32) / 255
    images = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
    theirs, ours, network = theirs_and_ours(cfg, numbers, images)
    detector = detection.DarknetDetector(network)
    for layer, head in zip(network.heads, detector.heads, strict=True):
        np.testing.assert_allclose(ours[layer.index].data, np.asarray(theirs.forward(f"conv_{layer.index - 1}")), atol=1e-4)
        rows = np.asarray(theirs.forward(f"yolo_{layer.index}")).reshape(-1, 85)
        compare_rows(rows, split_anchors(ours[layer.index], 3).data, head, 320)
