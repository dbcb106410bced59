"""Boxes, masks, keypoints and steps drawn with Pillow: the right pixels have the right colour, and what does not fit is refused."""

import numpy as np
import pytest
from PIL import Image

from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models.detection import Matcher
from tinycnn.plot import class_colour, contact_sheet, draw_boxes, draw_detections, draw_scene, scene_frames
from tinycnn.study.detection import matching_view, nms_view, roi_align_view

GREY = np.full((3, 60, 80), 0.5, np.float32)
BAD, GOOD = (198, 40, 40), (46, 125, 50)


def test_edges_masks_and_points_lie_where_they_should():
    mask = np.zeros((1, 60, 80))
    mask[0, 20:30, 20:30] = 1
    drawn = draw_boxes(GREY, [[10, 12, 50, 40]], ["bad"], masks=mask, keypoints=[[[60, 50, 2], [5, 5, 0]]])
    assert drawn.getpixel((10, 25)) == drawn.getpixel((30, 12)) == drawn.getpixel((50, 25)) == drawn.getpixel((60, 50)) == BAD
    assert drawn.getpixel((5, 5)) == (128, 128, 128) and drawn.getpixel((45, 35)) == (128, 128, 128)
    red = drawn.getpixel((25, 25))
    assert red[0] > 128 > red[1] and draw_boxes(GREY, [[10, 12, 50, 40]], ["bad"], scale=2).getpixel((20, 50)) == BAD


def test_detections_below_the_threshold_are_left_out():
    found = {"boxes": np.array([[5.0, 20, 30, 50], [40, 20, 70, 50]]), "labels": np.array([1, 2]), "scores": np.array([0.9, 0.2])}
    drawn = draw_detections(GREY, found, {1: "cell", 2: "dog"}, threshold=0.5)
    assert drawn.getpixel((5, 45)) == class_colour(1) and drawn.getpixel((40, 45)) == (128, 128, 128)
    assert draw_detections(GREY, found, threshold=0.1).getpixel((40, 45)) == class_colour(2)


def test_a_crowd_stays_without_words():
    def drawn(count):
        boxes = np.array([[8.0 * k + 1, 20, 8.0 * k + 7, 30] for k in range(count)])
        found = {"boxes": boxes, "labels": np.ones(count, int), "scores": np.full(count, 0.9)}
        return np.asarray(draw_detections(np.zeros((3, 40, 120), np.float32), found, {1: "cell"}))

    assert (drawn(12)[:17] > 0).any() and not (drawn(13)[:17] > 0).any()
    assert (drawn(13)[20:31] > 0).any()


def test_scenes_are_drawn_as_the_page_shows_them():
    view = matching_view(np.array([[0.0, 0, 20, 20]]), [[0, 0, 20, 21], [40, 30, 60, 50]], Matcher(0.7, 0.3), image=GREY, size=(60, 80))
    (scene,) = view.scenes
    picture = draw_scene(scene)
    assert picture.size == (640, 480) and picture.getpixel((40 * 8, 300)) == BAD  # the truth that no anchor answers for
    assert draw_scene(scene, 0).getpixel((20 * 8, 80)) == GOOD
    frames = scene_frames(nms_view([[0, 0, 10, 10], [1, 1, 11, 11]], [0.8, 0.9], 0.5).scenes[0])
    assert len(frames) == 3 and len({frame.shape for frame in frames}) == 1  # before, one step, after
    samples = draw_scene(roi_align_view(np.arange(12.0).reshape(3, 4), [0.5, 0.5, 3, 2.5], (1, 1)).scenes[0])
    assert len(samples.getcolors(10**6)) > 5


def test_sheets_and_refusals():
    sheet = contact_sheet([Image.new("RGB", (20, 10), "red")] * 3, ["one", "two", "three"], columns=2)
    assert sheet.size == (2 * 20 + 3 * 8, 2 * 26 + 3 * 8) and sheet.getpixel((10, 10)) == (255, 0, 0)
    with pytest.raises(ArgumentError, match="there are no pictures"):
        contact_sheet([])
    with pytest.raises(ShapeError, match="1 boxes beside 2 colours"):
        draw_boxes(GREY, [[0, 0, 1, 1]], ["bad", "good"])
    with pytest.raises(ShapeError, match=r"masks of .* on an image of"):
        draw_boxes(GREY, [[0, 0, 1, 1]], ["bad"], masks=np.zeros((1, 5, 5)))
    with pytest.raises(ShapeError, match="is no image"):
        draw_boxes(np.zeros((2, 3, 3)), np.zeros((0, 4)), [])
