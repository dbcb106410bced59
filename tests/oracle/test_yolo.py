"""Networks of Darknet's .cfg files are held to cv2.dnn, which reads the same files, and yolo-fastest's published weights to real photos."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tinycnn
from tests.models.darknet_files import CFG, drawn_weights
from tinycnn import ops
from tinycnn.models import detection
from tinycnn.models.detection.box_coder import LARGEST_LOG
from tinycnn.models.detection.yolo_grid import decode_anchors, sigmoid, split_anchors
from tinycnn.models.detection.yolo_v2 import region_scores
from tinycnn.models.detection.yolo_v3 import yolo_scores
from tinycnn.weights.darknet_file import read_darknet

pytestmark = pytest.mark.torch

SHARED_DATA = Path(os.environ.get("TINYCNN_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
FOLDER = SHARED_DATA / "weights" / "yolo-fastest"
CFG_FILE, WEIGHTS, NAMES = FOLDER / "yolo-fastest-1.1.cfg", FOLDER / "yolo-fastest-1.1.weights", FOLDER / "coco.names"
SAMPLES = SHARED_DATA / "imagenet_sample_200"
with_weights = pytest.mark.skipif(not FOLDER.exists(), reason="yolo-fastest is not in ../shared/data")

# cv2's name of the last of the layers that a section becomes, by section.
LAST = {
    0: "leaky_1", 1: "pool_1", 2: "mish_3", 3: "pool_3", 4: "logistic_5", 5: "relu_6", 6: "upsample_6", 7: "concat_7", 8: "slice_8",
    9: "swish_10", 10: "pool_10", 11: "reorg_11", 13: "conv_13",
}  # fmt: skip
CV2_SHOWS = {"yolo": 0.2, "region": 0.001}  # scores above this, of [region] the section's thresh
CV2_SUPPRESSES = {"yolo": 1.0, "region": 0.4}  # scores of boxes that overlap a better one more: in [region] alone
# What is evidently on a photo, and about where, marked by hand; the photos of scikit-image first.
EVIDENT = {
    "astronaut.png": ("person", (15, 5, 370, 512)),
    "coffee.png": ("cup", (165, 20, 440, 300)),
    "chelsea.png": ("cat", (0, 0, 405, 300)),
    "motorcycle_left.png": ("motorbike", (60, 70, 700, 470)),
    "n02096585_Boston_bull.jpg": ("dog", (15, 10, 256, 256)),
    "n02391049_zebra.jpg": ("zebra", (0, 5, 242, 256)),
    "n02504013_Indian_elephant.jpg": ("elephant", (0, 0, 225, 195)),
    "n03345487_fire_engine.jpg": ("truck", (0, 60, 256, 240)),
    "n06874185_traffic_light.jpg": ("traffic light", (80, 0, 215, 256)),
}


def theirs_and_ours(cfg, numbers, images):
    """cv2's network, given a batch; what all layers of ours give of it; and ours."""
    cv2 = pytest.importorskip("cv2", reason="install opencv-python-headless<5")
    theirs = cv2.dnn.readNetFromDarknet(np.frombuffer(cfg.encode(), np.uint8), np.frombuffer(numbers, np.uint8))
    theirs.setInput(images)
    network = detection.DarknetNetwork(cfg)
    network.load_darknet(read_darknet(cfg, numbers).arrays)
    with tinycnn.no_grad():
        ours = network.eval().outputs(tinycnn.Tensor(images))
    return theirs, ours, network


def compare_rows(rows, raw, head, side):
    """cv2's rows, anchor by anchor within a cell: centre and sides in parts of the image, confidence, scores (0 where it hides them)."""
    anchors = head.anchors[list(head.mask)]
    corners = decode_anchors(raw, anchors, (side, side)) / side
    scores = yolo_scores(raw) if head.kind == "yolo" else region_scores(raw, None, 0.5, 0.0)
    corners, scores, confidence = (np.moveaxis(array[0], 0, 2).reshape(len(rows), -1) for array in (corners, scores, sigmoid(raw[..., 4:5])))
    np.testing.assert_allclose(rows[:, :2], (corners[:, :2] + corners[:, 2:]) / 2, atol=1e-4)
    largest = np.tile(anchors / side * np.exp(LARGEST_LOG), (len(rows) // len(anchors), 1))  # cv2 has no limit
    np.testing.assert_allclose(np.minimum(rows[:, 2:4], largest), corners[:, 2:] - corners[:, :2], atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(rows[:, 4:5], confidence, atol=1e-4)
    shown = rows[:, 5:] > 0
    assert shown.any()
    np.testing.assert_allclose(rows[:, 5:][shown], scores[shown], atol=1e-4)
    theirs = ops.box_convert(rows[:, :4], "cxcywh", "xyxy")
    overlaps = ops.box_iou(theirs, theirs).data
    for row, kind in zip(*np.nonzero(~shown), strict=True):
        better = shown[:, kind] & (scores[:, kind] >= scores[row, kind])
        hidden = (overlaps[row][better] > CV2_SUPPRESSES[head.kind] - 1e-3).any()
        assert hidden or scores[row, kind] <= CV2_SHOWS[head.kind] + 1e-4, (row, kind)


@pytest.mark.parametrize("seed", [0, 1])
def test_every_layer_is_cv2s(seed):
    images = np.random.default_rng(seed).random((1, 3, 32, 32), np.float32)
    theirs, ours, network = theirs_and_ours(CFG, drawn_weights(CFG, seed), images)
    for number, name in LAST.items():
        np.testing.assert_allclose(ours[number].data, np.asarray(theirs.forward(name)), atol=1e-4, err_msg=name)
    rows = np.asarray(theirs.forward()).reshape(-1, 7)
    compare_rows(rows, split_anchors(ours[-1], 2).data, detection.DarknetDetector(network).heads[0], 32)


@with_weights
def test_yolo_fastest_is_cv2s():
    with Image.open(SAMPLES / "n02504013_Indian_elephant.jpg") as photo:
        pixels = np.asarray(photo.convert("RGB").resize((320, 320)), np.float32) / 255
    images = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
    theirs, ours, network = theirs_and_ours(CFG_FILE.read_text(), WEIGHTS.read_bytes(), images)
    detector = detection.DarknetDetector(network)
    for layer, head in zip(network.heads, detector.heads, strict=True):
        np.testing.assert_allclose(ours[layer.index].data, np.asarray(theirs.forward(f"conv_{layer.index - 1}")), atol=1e-4)
        rows = np.asarray(theirs.forward(f"yolo_{layer.index}")).reshape(-1, 85)
        compare_rows(rows, split_anchors(ours[layer.index], 3).data, head, 320)


@with_weights
def test_yolo_fastest_finds_what_is_on_the_photos():
    detector = detection.darknet_detector(CFG_FILE, WEIGHTS, NAMES, score_thresh=0.3).eval()
    assert detector.transform.resize == "stretch"  # its .cfg is the fork's
    seen = 0
    for file, (name, where) in EVIDENT.items():
        path = SAMPLES / file
        if not path.exists():
            skimage = pytest.importorskip("skimage", reason="install scikit-image, whose photos these are")
            path = Path(skimage.__file__).parent / "data" / file
        with Image.open(path) as photo, tinycnn.no_grad():
            (found,) = detector([np.asarray(photo.convert("RGB"), np.float32).transpose(2, 0, 1) / np.float32(255)])
        best = [k for k, label in enumerate(found["labels"].data) if detector.names[label - 1] == name]
        assert best, (file, [detector.names[label - 1] for label in found["labels"].data])
        overlaps = ops.box_iou(found["boxes"].data[best], np.array([where], np.float32)).data
        assert overlaps.max() >= 0.5, (file, found["boxes"].data[best], overlaps)
        seen += best[0] == 0  # and is what it is surest of
    assert seen >= len(EVIDENT) - 1
