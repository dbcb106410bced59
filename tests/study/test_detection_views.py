"""The views of a detector's steps: what they show is what the operators gave; hand-made cases, refusals, commands."""

import json

import numpy as np
import pytest
from PIL import Image

from tinycnn import nn, ops
from tinycnn.cli import main
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models import detection
from tinycnn.models.detection.retinanet import RetinaNet
from tinycnn.study.detection import (
    anchor_view,
    candidates,
    decode_view,
    decode_yolo,
    detector_anchors,
    heat_view,
    matching_view,
    network_decode_view,
    network_nms_view,
    nms_view,
    roi_align_view,
)
from tinycnn.study.detection.anchors import lay, seen_image

BOXES = np.array([[0.0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]])


class Body(nn.Module):
    """A backbone of one convolution with stride 8."""

    out_channels = 4

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 8, stride=8)

    def forward(self, input):
        return self.conv(input)


def small_detector():
    anchors = detection.AnchorGenerator(((16,),), ((0.5, 1.0),))
    return RetinaNet(Body(), 3, anchor_generator=anchors, min_size=32, max_size=64, score_thresh=0.0).eval()


def test_anchors_are_the_generators_and_cover_what_the_operator_says():
    laid = detector_anchors(small_detector(), np.zeros((3, 32, 48), np.float32))
    assert laid.size == (32, 64) and laid.maps[0].rows == 4 and laid.maps[0].columns == 8  # 48 pixels are padded to a multiple of 32
    view = anchor_view(laid, [[0, 0, 16, 16], [20, 4, 24, 8]])
    assert view.data["counts"] == [64]
    overlaps = ops.box_iou([[0.0, 0, 16, 16], [20, 4, 24, 8]], laid.boxes.astype(np.float32)).data
    np.testing.assert_allclose(view.data["best_iou"], overlaps.max(axis=1), 1e-6)
    assert laid.place(8 * 2 + 1) == "map 0, cell (1, 0), shape 1"
    assert "covered by at least one anchor" in view.text() and view.page().count('class="window') == 3


def test_default_boxes_of_ssd300_are_counted():
    generator = detection.DefaultBoxGenerator([[2], [2, 3], [2, 3], [2, 3], [2], [2]])
    view = anchor_view(lay(generator, (300, 300), [(side, side) for side in (38, 19, 10, 5, 3, 1)]))
    assert view.data["boxes"] == 8732 and view.data["counts"] == [5776, 2166, 600, 150, 36, 4]


def test_matching_names_positive_ignored_and_lost():
    anchors = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [40, 40, 50, 50]])
    truths = [[0, 0, 10, 11], [90, 90, 94, 94], [40, 40, 47, 47]]
    view = matching_view(anchors, truths, detection.Matcher(0.7, 0.3))
    assert view.data["matches"].tolist() == [0, -2, -2] and view.data["unmatched"].tolist() == [1, 2]
    assert "no anchor answers for truth 1, 2" in view.text() and "0.3 <= 0.490 < 0.7" in view.text()
    weak = matching_view(anchors, truths, detection.Matcher(0.7, 0.3, allow_low_quality_matches=True))
    assert weak.data["matches"][2] == 2 and "the best that truth 2 has" in weak.text()
    assert view.page().count("box missed") == 2


def test_nms_steps_are_what_the_operator_keeps():
    view = nms_view(BOXES, [0.8, 0.9, 0.6, 0.7], 0.5)
    assert view.data["kept"].tolist() == ops.nms(BOXES, np.array([0.8, 0.9, 0.6, 0.7]), 0.5).tolist() == [1, 3]
    first = view.data["steps"][0]
    assert first["box"] == 1 and first["suppressed"] == [0, 2] and first["left"] == [3]
    np.testing.assert_allclose(first["iou"], [81 / 119, 72 / 118])
    assert "suppressed by box 1" in view.text()  # the reason of the explanation's own run
    assert view.page().count('class="window') == 4  # before, a step for each kept box, after
    apart = nms_view(BOXES, [0.8, 0.9, 0.6, 0.7], 0.5, [1, 2, 1, 1])
    assert apart.data["kept"].tolist() == [1, 0, 3]


def test_every_suppressed_box_has_one_step():
    draw = np.random.default_rng(4)
    corners = draw.random((14, 2)) * 20
    boxes = np.concatenate((corners, corners + 5 + draw.random((14, 2)) * 10), axis=1)
    view = nms_view(boxes, draw.random(14), 0.3)
    gone = sorted(j for step in view.data["steps"] for j in step["suppressed"])
    assert sorted([*gone, *view.data["kept"].tolist()]) == list(range(14))


@pytest.mark.parametrize(("aligned", "ratio"), [(True, 2), (False, 1), (True, 0)])
def test_roi_samples_add_up_to_the_operator(aligned, ratio):
    grid = np.random.default_rng(1).random((6, 8))
    view = roi_align_view(grid, [2.0, 1.0, 11.0, 9.0], (2, 3), 0.5, ratio, aligned)
    expected = ops.roi_align(grid[None, None], np.array([[0.0, 2, 1, 11, 9]]), (2, 3), 0.5, ratio, aligned).data[0, 0]
    for one in view.data["bins"]:
        mean = np.mean([each["value"] for each in one["samples"]])
        np.testing.assert_allclose(mean, expected[one["bin"]], rtol=1e-12)
        assert all(sum(weight for *_, weight in each["taps"]) == pytest.approx(1) for each in one["samples"])


def test_decoder_shows_the_coders_boxes():
    coder = detection.BoxCoder((10.0, 10.0, 5.0, 5.0))
    numbers, anchors = np.array([[1.0, 0.5, -0.2, 0.7], [0, 0, 0, 0]]), np.array([[50.0, 50, 90, 120], [0, 0, 8, 8]])
    view = decode_view(numbers, anchors, [[0.0, 1, 3], [0, 5, 0]], weights=(10, 10, 5, 5))
    np.testing.assert_array_equal(view.data["boxes"], coder.decode_single(numbers, anchors))
    assert view.data["order"].tolist() == [1, 0] and view.data["classes"].tolist() == [2, 1]
    assert "70 + 40·1 / 10" in view.text() and "40·exp(-0.2 / 5)" in view.text()


def test_yolo_by_its_formula():
    output = np.full((2 * 7, 3, 4), -9.0)
    output[7:, 1, 2] = [0.5, -0.5, 0.2, -0.1, 3.0, 2.0, 1.0]
    view = decode_yolo(output, [[8, 8], [20, 10]], 16, threshold=0.1)
    sigmoid = lambda value: 1 / (1 + np.exp(-value))  # noqa: E731
    x, y, w, h = (sigmoid(0.5) + 2) * 16, (sigmoid(-0.5) + 1) * 16, 20 * np.exp(0.2), 10 * np.exp(-0.1)
    best = int(view.data["order"][0])
    assert best == (1 * 4 + 2) * 2 + 1
    np.testing.assert_allclose(view.data["boxes"][best], [x - w / 2, y - h / 2, x + w / 2, y + h / 2])
    np.testing.assert_allclose(view.data["scores"][best], sigmoid(3.0) * sigmoid(2.0))
    two = decode_yolo(output, [[8, 8], [20, 10]], 16, version=2)
    np.testing.assert_allclose(two.data["scores"][best], sigmoid(3.0) * np.exp(2) / (np.exp(2) + np.exp(1)))


def test_heat_is_the_best_score_of_a_cell():
    detector = small_detector()
    image = np.random.default_rng(0).random((3, 32, 32)).astype(np.float32)
    view = heat_view(detector, image)
    best = detector([image])[0]["scores"].data.max()
    assert view.data["maps"][0].shape == (4, 4)
    np.testing.assert_allclose(max(one.max() for one in view.data["maps"]), best, rtol=1e-5)
    with pytest.raises(ArgumentError, match="Body has neither anchor_generator"):
        heat_view(Body(), image)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nms_view(BOXES, [1.0]), "4 boxes and 1 scores"),
        (lambda: nms_view(np.zeros((61, 4)) + [0, 0, 1, 1], np.zeros(61)), "more than anybody follows"),
        (lambda: nms_view([[0, 0, 0, 5]], [1.0]), "without width or height"),
        (lambda: nms_view([[0, 0, np.nan, 5]], [1.0]), "not finite"),
        (lambda: nms_view(BOXES, [1, 1, 1, 1], 1.5), "between 0 and 1"),
        (lambda: roi_align_view(np.zeros(3), [0, 0, 1, 1]), "one map"),
        (lambda: roi_align_view(np.zeros((3, 3)), [0, 0, 1, 1], (0, 1)), "output_size"),
        (lambda: decode_view([[0, 0, 0]], [[0, 0, 1, 1]]), "four finite numbers"),
        (lambda: decode_yolo(np.zeros((5, 2, 2)), [[1, 1]], 8), "5 \\+ classes"),
        (lambda: matching_view(BOXES, [], detection.Matcher(0.5, 0.5)), "holds 0 boxes"),
        (lambda: lay(detection.AnchorGenerator(((8,),), ((1.0,),)), (9999, 9999), [(900, 900)]), "more than 500,000"),
    ],
)
def test_refusals(call, words):
    with pytest.raises((ArgumentError, ShapeError), match=words):
        call()


@pytest.mark.parametrize(
    "words",
    [
        ("anchors", "--truths", "30 40 120 200"),
        ("matching",),
        ("nms",),
        ("roialign", "--boxes", "1 1 5 4"),
        ("decode", "--coder", "10 10 5 5"),
        ("decode", "--kind", "yolo", "--cell", "2,3"),
    ],
)
def test_commands_write_pages_without_requests(words, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["detection", *words, "--html", str(page), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["title"] and found["tables"] and found["files"] == [str(page)]
    text = page.read_text()
    assert "http" not in text.replace("http://www.w3.org", "") and "<h1>" in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nms", "--boxes", "0 0 1", "--scores", "1"), "shape (1, 3)"),
        (("nms", "--boxes", "0 0 1 x"), "must be numbers"),
        (("anchors", "--network", "ssd30"), "did you mean ssd300_vgg16"),
        (("heat",), "give --image"),
        (("matching", "--iou", "0.2", "--low", "0.4"), "0 <= low <= iou"),
        (("anchors", "--image", "missing.png"), "No such file"),
        (("nowhere",), "invalid choice"),
    ],
)
def test_wrong_commands_are_one_sentence(words, sentence, capsys):
    assert main(["detection", *words]) in (1, 2)
    error = capsys.readouterr().err
    assert sentence in error and "Traceback" not in error and error.count("\n") == 1


def test_a_networks_output_is_decoded_and_suppressed():
    detector, image = small_detector(), np.random.default_rng(3).random((3, 32, 48)).astype(np.float32)
    found = candidates(detector, image, 6)
    assert len(found.boxes) == len(found.rows) == 6 and (np.diff(found.scores) <= 0).all() and found.weights == (1.0, 1.0, 1.0, 1.0)
    decoded = network_decode_view(detector, image, 4)
    np.testing.assert_array_equal(decoded.data["rows"], found.rows[:4])
    np.testing.assert_allclose(np.clip(decoded.data["boxes"], 0, [64, 32, 64, 32]), found.boxes[:4], atol=1e-9)
    assert f"of {64:,} rows, by score (sigmoid)" in decoded.text()
    view = network_nms_view(detector, image, 0.4, 6, least=0.0)
    kept = ops.batched_nms(found.boxes, found.scores, found.labels, 0.4).data
    np.testing.assert_array_equal(view.data["kept"], kept)
    with pytest.raises(ArgumentError, match="no box has a score of 1"):
        network_nms_view(detector, image, least=1.0)


def test_what_the_network_sees_is_drawn_with_its_padding():
    image = np.full((3, 32, 48), 0.75, np.float32)
    seen = seen_image(small_detector(), image)
    assert seen.shape == (3, 32, 64)
    np.testing.assert_allclose(seen[:, :, :48], 0.75, atol=1e-6)


def test_the_drawing_as_picture_and_animation(tmp_path, capsys):
    picture, animation = tmp_path / "nms.png", tmp_path / "nms.gif"
    assert main(["detection", "nms", "--png", str(picture), "--gif", str(animation)]) == 0
    with Image.open(picture) as drawn, Image.open(animation) as moving:
        assert drawn.width > 600 and moving.n_frames == 5  # before, three kept boxes, after
    assert main(["anchors", "--sizes", "16", "--size", "64", "--truths", "10 10 30 30", "--png", str(picture)]) == 0
    assert "covered by" in capsys.readouterr().out
    assert main(["anchors", "--size", "64", "--png", str(tmp_path / "no" / "a.png")]) == 2


def test_a_whole_output_of_yolo_is_decoded_from_a_file(tmp_path, capsys):
    output = np.full((12, 3, 3), -9.0)
    output[[6 + 4, 6 + 5], 1, 2] = 5.0  # the second anchor of row 1, column 2
    np.save(tmp_path / "map.npy", output)
    command = ["detection", "decode", "--kind", "yolo", "--output", str(tmp_path / "map.npy"), "--stride", "8", "--json"]
    assert main([*command, "--anchor", "10 10 20 24"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tables"][0]["rows"][0][1:3] == ["(1, 2)", "20 x 24"]
    assert main(command) == 2 and "give the anchors of this map" in capsys.readouterr().err
    (tmp_path / "map.npy").write_bytes(b"no numbers")
    assert main([*command, "--anchor", "10 10"]) == 1 and "is no .npy file of numbers" in capsys.readouterr().err
