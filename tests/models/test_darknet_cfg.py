"""Darknet's .cfg files as networks: layers by their definitions, heads of all three versions, files, refusals. tests/oracle has cv2.dnn."""

import numpy as np
import pytest

import tinycnn
from tests.models.darknet_files import CFG, GRID, SCALES, drawn_weights
from tinycnn import Tensor, no_grad
from tinycnn.errors import ArgumentError, CheckpointError, ShapeError
from tinycnn.models import detection
from tinycnn.models.detection.darknet_heads import GridHead
from tinycnn.weights import Malformed
from tinycnn.weights.darknet_file import read_darknet

SECOND = (  # YOLO v2's kind
    "[net]\nwidth=32\nheight=32\nchannels=3\n[convolutional]\nfilters=14\nsize=3\nstride=8\npad=1\nactivation=linear\n"
    "[region]\nanchors=1,1.5, 2,2\nclasses=2\ncoords=4\nnum=2\nsoftmax=1\nbias_match=1\nrescore=1\nobject_scale=5\nthresh=.6\n"
)


def one_layer(text, channels=4, side=4):
    """The network of a single section."""
    return detection.DarknetNetwork(f"[net]\nwidth={side}\nheight={side}\nchannels={channels}\n" + text.replace(" ", "\n"))


def run(network, images):
    with no_grad():
        return network.eval()(Tensor(images))


@pytest.mark.parametrize("cfg", [CFG, GRID, SCALES], ids=["every layer", "grid", "scales"])
def test_every_layer_gives_the_shape_that_the_cfg_says(cfg):
    network = detection.DarknetNetwork(cfg)
    network.load_darknet(read_darknet(cfg, drawn_weights(cfg, 0)).arrays)
    images = np.random.default_rng(1).random((2, 3, *network.image_size), np.float32)
    with no_grad():
        outputs = network.eval().outputs(Tensor(images))
    for layer, output in zip(network.layers, outputs, strict=True):
        assert output.shape == (2, *layer.output_shape), layer
        assert np.isfinite(output.data).all()
    assert list(network(images)) == [str(layer.index) for layer in network.heads]


def test_local_layer_by_definition():
    network = one_layer("[local] filters=2 size=3 stride=1 pad=1 activation=linear", channels=2)
    draw = np.random.default_rng(0)
    images, (weight, bias) = draw.random((2, 2, 4, 4), np.float32), (network.state_dict()[f"0.local.{name}"].data for name in ("weight", "bias"))
    bias[...] = draw.random(bias.shape)
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    wanted = np.zeros((2, 2, 4, 4))
    for row in range(4):
        for column in range(4):
            window = padded[:, :, row : row + 3, column : column + 3].reshape(2, -1)
            wanted[:, :, row, column] = window @ weight[4 * row + column].reshape(2, -1).T + bias[:, row, column]
    np.testing.assert_allclose(run(network, images).data, wanted, atol=1e-5)


def test_softmax_route_and_upsampling_by_definition():
    images = np.random.default_rng(2).normal(0, 1, (1, 4, 2, 2)).astype(np.float32)
    found = run(one_layer("[softmax] groups=2", side=2), images).data.reshape(2, 8)
    np.testing.assert_allclose(found, np.exp(rows := images.reshape(2, 8)) / np.exp(rows).sum(axis=1, keepdims=True), rtol=1e-5)
    second_half = run(one_layer("[activation] activation=linear [route] layers=-1 groups=2 group_id=1", side=2), images).data
    np.testing.assert_array_equal(second_half, images[:, 2:])
    larger = run(one_layer("[upsample] stride=2 scale=3", side=2), images).data
    np.testing.assert_allclose(larger, 3 * images.repeat(2, axis=2).repeat(2, axis=3))
    means = run(one_layer("[avgpool]", side=2), images).data
    np.testing.assert_allclose(means, images.mean(axis=(2, 3), keepdims=True), rtol=1e-5, atol=1e-6)


def test_pooling_pads_as_darknet_does():
    """size 2, stride 1 keeps the size: the last column and row are alone; padding is split with the smaller half before."""
    images = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    found = run(one_layer("[maxpool] size=2 stride=1", channels=1), images).data[0, 0]
    wanted = [[images[0, 0, i : i + 2, j : j + 2].max() for j in range(4)] for i in range(4)]
    np.testing.assert_array_equal(found, wanted)


def test_numbers_of_a_grid_in_darknets_order():
    """Classes of all cells, confidences of all predictors, boxes of all predictors; each cell row by row."""
    head = detection.DarknetDetector(detection.DarknetNetwork(GRID)).heads[0]
    assert head == GridHead("detection", 2, 2, 1, True, 5.0, 0.5)
    row = np.arange(44.0)[None]
    cells = head.numbers(Tensor(row)).data
    assert cells.shape == (1, 2, 2, 11)
    for place in range(4):
        cell = cells[0, place // 2, place % 2]
        assert cell[10] == place
        for box in range(2):
            predictor = 2 * place + box
            assert cell[5 * box + 4] == 4 + predictor
            assert cell[5 * box : 5 * box + 4].tolist() == [12 + 4 * predictor + k for k in range(4)]


@pytest.mark.parametrize(
    ("cfg", "labels", "resize"),
    [(GRID, 1, "letterbox"), (SECOND, 2, "letterbox"), (SCALES, 2, "letterbox"), (SCALES + "iou_loss=ciou\n", 2, "stretch")],
    ids=["v1", "v2", "v3", "fork"],
)
def test_detectors_of_all_versions_learn_and_detect(cfg, labels, resize):
    network = detection.DarknetNetwork(cfg)
    network.load_darknet(read_darknet(cfg, drawn_weights(cfg, 3)).arrays)
    detector = detection.DarknetDetector(network, score_thresh=0.01)
    assert detector.transform.resize == resize
    images = [np.random.default_rng(k).random((3, 24, 36), np.float32) for k in range(2)]
    targets = [{"boxes": np.array([[4.0, 5, 20, 20]]), "labels": np.array([labels])}, {"boxes": np.zeros((0, 4)), "labels": np.zeros(0)}]
    terms = detector(images, targets)
    assert list(terms) == ["loss_xy", "loss_wh", "loss_object", "loss_no_object", "loss_class"]
    sum(terms.values()).backward()
    gradients = [parameter.grad.data for parameter in detector.parameters()]
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert any(gradient.any() for gradient in gradients)
    with no_grad():
        found = detector.eval()(images)
    assert len(found) == 2
    for one in found:
        assert len(one["boxes"].data) == len(one["scores"].data) == len(one["labels"].data)
        assert (one["boxes"].data >= 0).all() and (one["boxes"].data <= (36, 24, 36, 24)).all()
        assert set(one["labels"].data) <= set(range(1, labels + 1))


def test_the_grid_of_a_cfg_has_yolo_v1s_loss_and_boxes():
    detector = detection.DarknetDetector(detection.DarknetNetwork(GRID))
    head, row = detector.heads[0], np.random.default_rng(5).uniform(0.1, 0.9, (1, 44))
    boxes, scores = head.decode(head.numbers(Tensor(row)).data, (16, 16), None, (0.0, 0.0))
    assert boxes.shape == (1, 8, 4) and scores.shape == (1, 8, 1)
    x, y, width, height = row[0, 12 + 4 * 3 :][:4]  # the second box of the second cell
    middle = np.array([(1 + x) * 8, y * 8] * 2)
    reach = np.array([width**2, height**2]) * 8
    np.testing.assert_allclose(boxes[0, 3], middle + np.concatenate((-reach, reach)))
    np.testing.assert_allclose(scores[0, 3], row[0, 1] * row[0, 4 + 3])


def test_files_there_and_back(tmp_path):
    (tmp_path / "net.cfg").write_text(SECOND)
    (tmp_path / "net.weights").write_bytes(drawn_weights(SECOND, 7))
    (tmp_path / "net.names").write_text("cat\n\ndog\n")
    detector = detection.darknet_detector(tmp_path / "net.cfg", tmp_path / "net.weights", tmp_path / "net.names", score_thresh=0.05)
    assert detector.names == ["cat", "dog"] and detector.num_classes == 2
    stored = read_darknet(SECOND, (tmp_path / "net.weights").read_bytes()).arrays
    assert all((detector.backbone.state_dict()[key].data == array).all() for key, array in stored.items())
    np.testing.assert_allclose(detector.heads[0].anchors, [[8, 12], [16, 16]])  # cells of 8 pixels
    tree = detection.WordTree([-1, 0])
    assert detection.darknet_detector(tmp_path / "net.cfg", word_tree=tree).word_tree is tree
    with pytest.raises(CheckpointError, match=r"missing.cfg: it cannot be read: No such file"):
        detection.darknet_network(tmp_path / "missing.cfg")
    (tmp_path / "large.cfg").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(Malformed, match="larger than 1,048,576 bytes"):
        detection.darknet_network(tmp_path / "large.cfg")
    (tmp_path / "other.cfg").write_text(SCALES)
    with pytest.raises(CheckpointError, match="do not belong together"):
        detection.darknet_network(tmp_path / "other.cfg", tmp_path / "net.weights")


def changed(cfg, old, new):
    assert old in cfg
    return lambda: detection.DarknetDetector(detection.DarknetNetwork(cfg.replace(old, new)))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: detection.DarknetNetwork("[net]\nwidth=8\nheight=8"), ArgumentError, "a .net. section and no layers"),
        (lambda: detection.DarknetNetwork("no cfg"), CheckpointError, "line 1 is neither"),
        (lambda: one_layer("[convolutional] filters=2 activation=wavy"), ArgumentError, r"layer 0 \[convolutional\]: activation=wavy is not one of"),
        (lambda: one_layer("[convolutional] filters=2 xnor=1 activation=leaky"), ArgumentError, "xnor=1 is not supported"),
        (lambda: one_layer("[dropout] probability=often"), ArgumentError, "probability=often is not a number"),
        (lambda: one_layer("[reorg] stride=2", channels=3), ArgumentError, r"3 channels are no multiple of stride\^2 = 4"),
        (
            lambda: one_layer("[maxpool] size=2 stride=2 [convolutional] filters=5 size=1 activation=linear [shortcut] from=0 activation=linear"),
            ArgumentError, r"it adds \(4, 2, 2\) of layer 0 to \(5, 2, 2\)",
        ),
        (lambda: run(one_layer("[avgpool]"), np.zeros((1, 3, 4, 4), np.float32)), ShapeError, r"input has shape \(1, 3, 4, 4\)"),
        (lambda: detection.DarknetDetector(one_layer("[avgpool]")), ArgumentError, "has no .yolo., .region. or .detection. layer"),
        (changed(SCALES, "mask=0,1", "mask=0,4"), ArgumentError, "mask=0,4 must name anchors from 0 to 3"),
        (changed(SCALES, "classes=2\nnum=4\n[route]", "classes=3\nnum=4\n[route]"), ArgumentError, "14 channels, 2 anchors and 3 classes need 16"),
        (changed(SCALES, "anchors=4,5, ", "anchors=4,5,6, "), ArgumentError, "9 numbers in anchors="),
        (changed(SECOND, "softmax=1", "softmax=0"), ArgumentError, "softmax=0 is not supported; published files have softmax=1"),
        (changed(SECOND, "thresh=.6", "tree=9k.tree"), ArgumentError, "has tree=; give word_tree"),
        (changed(GRID, "rescore=1", "rescore=0"), ArgumentError, "rescore=0 is not supported; published files have rescore=1"),
        (changed(GRID, "side=2", "side=3"), ArgumentError, "it gets 44 numbers; 3 x 3 cells of 2 boxes and 1 classes need 99"),
        (
            lambda: detection.DarknetDetector(detection.DarknetNetwork(SCALES), ["cat"]), ArgumentError, "1 names for 2 classes"),
        (
            lambda: detection.DarknetDetector(detection.DarknetNetwork(SECOND), word_tree=detection.WordTree([-1])),
            ArgumentError, "the word tree has 1 nodes for 2 classes",
        ),
        (
            lambda: detection.DarknetDetector(detection.DarknetNetwork(SCALES + SECOND[SECOND.index("[region]") :].replace("[region]", ROUTED))),
            ArgumentError, "the heads differ in kind",
        ),
    ],
)  # fmt: skip
def test_refusals(call, error, match):
    with pytest.raises(error, match=match):
        call()


ROUTED = "[route]\nlayers=1\n[region]"


def test_scales_of_different_anchors_detect_but_do_not_learn():
    start, end = SCALES.rsplit("4,5, 8,8,", 1)
    detector = detection.DarknetDetector(detection.DarknetNetwork(start + "4,6, 8,8," + end))
    image = np.zeros((3, 32, 32), np.float32)
    with no_grad():
        assert len(detector.eval()([image])) == 1
    with pytest.raises(ArgumentError, match="list different anchors; to learn, all must list the same"):
        detector.train()([image], [{"boxes": np.array([[4.0, 5, 20, 20]]), "labels": np.array([1])}])


def test_weights_of_another_cfg_are_refused():
    network = detection.DarknetNetwork(SECOND)
    with pytest.raises(CheckpointError, match=r"'9\.conv\.weight' is not a parameter of this .cfg"):
        network.load_darknet({"9.conv.weight": np.zeros(1)})
    assert tinycnn.models.get_model("yolo_v2_tiny", width_mult=1 / 64).images_seen.item() == 0
