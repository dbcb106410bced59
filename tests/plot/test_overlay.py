"""Palettes by their published colours; overlays by hand; the sheet with its legend; curves and bars."""

import numpy as np
import pytest
from PIL import Image

from tinycnn import plot
from tinycnn.errors import ShapeError
from tinycnn.plot.palettes import IGNORED

# The 21 colours that the VOC development kit prints, in the order of the classes.
VOC = """0 0 0  128 0 0  0 128 0  128 128 0  0 0 128  128 0 128  0 128 128  128 128 128  64 0 0  192 0 0  64 128 0  192 128 0  64 0 128
192 0 128  64 128 128  192 128 128  0 64 0  128 64 0  0 192 0  128 192 0  0 64 128"""


def test_vocs_colours():
    np.testing.assert_array_equal(plot.voc_colour_map(21).ravel(), [int(number) for number in VOC.split()])
    assert plot.voc_colour_map()[255].tolist() == [224, 224, 192]
    assert len({tuple(colour) for colour in plot.voc_colour_map()}) == 256


def test_camvids_colours_and_which_palette_is_taken():
    assert plot.camvid_palette().shape == (11, 3) and plot.camvid_palette(32).shape == (32, 3)
    assert len({tuple(colour) for colour in plot.camvid_palette(32)}) == 32
    np.testing.assert_array_equal(plot.palette_for("data/camvid_half", 11), plot.camvid_palette())
    np.testing.assert_array_equal(plot.palette_for("camvid", 5), plot.voc_colour_map(5))


def test_neighbouring_instances_differ():
    palette = plot.instance_palette(50).astype(int)
    assert palette.shape == (51, 3) and not palette[0].any()
    assert abs(np.diff(palette[1:], axis=0)).max(1).min() > 60


def test_colours_of_labels():
    palette = np.array([[1, 2, 3], [200, 0, 0]], np.uint8)
    assert plot.colour_labels([[0, 1, 255]], palette)[0].tolist() == [[1, 2, 3], [200, 0, 0], list(IGNORED)]
    with pytest.raises(ShapeError, match="classes go from 0 to 2, the palette has 2"):
        plot.colour_labels([[0, 2]], palette)


def test_overlay_mixes_and_leaves_the_unlabelled_alone():
    picture = np.full((2, 2, 3), 100, np.uint8)
    palette = np.array([[0, 0, 0], [200, 100, 0]], np.uint8)
    mixed = plot.overlay(picture, [[0, 1], [255, 1]], palette, opacity=0.25)
    assert mixed.tolist() == [[[75, 75, 75], [125, 100, 75]], [[100, 100, 100], [125, 100, 75]]]
    with pytest.raises(ShapeError, match="the picture is 2x2"):
        plot.overlay(picture, [[0]], palette)


def test_instances_have_outlines_and_the_background_its_picture():
    labels = np.zeros((9, 9), np.uint8)
    labels[2:5, 2:8], labels[5:8, 2:8] = 1, 2
    picture = np.full((9, 9, 3), 80, np.uint8)
    painted = plot.overlay_instances(picture, labels)
    palette = plot.instance_palette(2)
    assert (painted[labels == 0] == 80).all()
    np.testing.assert_array_equal(painted[5, 4], palette[2])  # where two cells touch
    assert painted[3, 4].tolist() != palette[1].tolist()
    np.testing.assert_array_equal(plot.overlay_instances(picture, np.zeros((9, 9), int)), picture)


def test_a_sheet_with_a_legend(tmp_path):
    palette = plot.voc_colour_map(3)
    panels = {"picture": np.zeros((60, 80, 3), np.uint8), "truth": np.full((60, 80, 3), 40, np.uint8)}
    path = plot.draw_label_maps(panels, tmp_path / "sheet.png", classes=["ground", "disc", "square"], palette=palette, shown=[0, 2])
    with Image.open(path) as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape[1] == 2 * (4 * 80 + 8) + 8 and pixels.shape[0] > 4 * 60
    colours = {tuple(colour) for colour in pixels.reshape(-1, 3)}
    assert tuple(palette[2]) in colours and tuple(palette[1]) not in colours
    plain = plot.draw_label_maps({"one": panels["truth"]}, tmp_path / "plain.png")
    with Image.open(plain) as sheet:
        assert sheet.height < pixels.shape[0]
    many = plot.draw_label_maps(
        panels, tmp_path / "many.png", classes=[f"a rather long name {k}" for k in range(21)], palette=plot.voc_colour_map(21), shown=range(21)
    )
    with Image.open(many) as sheet:
        assert sheet.height > pixels.shape[0] + 3 * 20
    with pytest.raises(ShapeError, match="one size"):
        plot.draw_label_maps({"a": panels["truth"], "b": np.zeros((3, 3, 3), np.uint8)}, path)
    with pytest.raises(ShapeError, match="one or more"):
        plot.draw_label_maps({}, path)


def test_curves_and_bars(tmp_path):
    pytest.importorskip("matplotlib")
    history = [{"epoch": k, "loss": 1 / k, "pixel_accuracy": 1 - 0.5 / k, "validation_iou": 0.1 * k if k % 2 else None} for k in range(1, 6)]
    rows = [("sky", 0.9, 0.8, 0.85, 100), ("pole", float("nan"), float("nan"), float("nan"), 0)]
    for path in (
        plot.draw_pixel_curves(history, tmp_path / "curves.png"),
        plot.draw_class_scores(rows, tmp_path / "bars.png", plot.voc_colour_map(2)),
    ):
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("L"))
        assert pixels.shape[1] > 400 and (pixels < 128).mean() > 0.001
    with pytest.raises(ShapeError, match="at least one epoch"):
        plot.draw_pixel_curves([], tmp_path / "no.png")
    with pytest.raises(ShapeError, match="at least one class"):
        plot.draw_class_scores([], tmp_path / "no.png")
