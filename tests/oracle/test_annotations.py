"""Annotations against pycocotools: run lengths, polygons, areas, boxes, and files that its reader takes."""

import contextlib
import io
import json

import numpy as np
import pytest

from tests.data import annotation_values as files
from tinycnn.data import AnnotatedImages, ShapesDetection
from tinycnn.data.annotations import Box, Thing, from_coco, from_voc, to_coco
from tinycnn.data.annotations.coco import _area
from tinycnn.data.annotations.geometry import polygon_area
from tinycnn.metrics.rle import rle_area, rle_box, rle_decode, rle_encode
from tinycnn.metrics.rle_polygon import polygons_to_rle

# pycocotools 2.0 knows NumPy 1.
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
coco_mask = pytest.importorskip("pycocotools.mask")
coco_reader = pytest.importorskip("pycocotools.coco")


def as_bytes(rle):
    return {**rle, "counts": rle["counts"].encode()}


def test_masks_of_shapes_are_the_same_text():
    for _, target in (ShapesDetection(6, size=96, seed=2)[index] for index in range(6)):
        for mask in target["masks"]:
            ours, theirs = rle_encode(mask), coco_mask.encode(np.asfortranarray(mask))
            assert as_bytes(ours) == theirs
            assert np.array_equal(rle_decode(ours), coco_mask.decode(theirs))
            assert rle_area(ours) == coco_mask.area(theirs)
            assert rle_box(ours) == tuple(coco_mask.toBbox(theirs))
            thing = Thing(1, mask=ours, shape="mask")
            assert thing.outer_box() == Box(tuple(coco_mask.toBbox(theirs)), "xywh")
            assert _area(thing, [0, 0, 0, 0]) == coco_mask.area(theirs)


def test_uncompressed_run_lengths():
    theirs = coco_mask.frPyObjects(files.RLE, *files.RLE["size"])
    assert np.array_equal(rle_decode(files.RLE), coco_mask.decode(theirs))
    assert rle_area(files.RLE) == coco_mask.area(theirs) == 8


def test_polygons():
    generator = np.random.default_rng(0)
    for _ in range(40):
        height, width = (int(each) for each in generator.integers(5, 60, 2))
        polygons = [(generator.uniform(-3, 63, 2 * int(generator.integers(3, 9))).round(2)).tolist() for _ in range(int(generator.integers(1, 3)))]
        theirs = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
        assert np.array_equal(rle_decode(polygons_to_rle(polygons, height, width)), coco_mask.decode(theirs))
    assert polygon_area(files.SQUARE) == 42


def test_what_is_written_pycocotools_reads(tmp_path):
    """VOC to COCO's JSON: the same boxes and areas; and its masks of our polygons are the data set's masks."""
    from PIL import Image

    path = tmp_path / "labels.json"
    for value in (from_voc([("a.xml", files.VOC)]), from_coco(files.COCO), files.EVERYTHING):
        path.write_text(json.dumps(to_coco(value)))
        with contextlib.redirect_stdout(io.StringIO()):
            read = coco_reader.COCO(str(path))
        boxes = [read.anns[known]["bbox"] for known in sorted(read.anns)]
        things = [thing for _, thing in value.things()]
        ours = sorted([list(thing.outer_box().to("xywh")) for thing in things])
        assert sorted(boxes) == ours
    for image in files.COCO["images"]:
        Image.new("RGB", (image["width"], image["height"])).save(tmp_path / image["file_name"])
    path.write_text(json.dumps(files.COCO))
    with contextlib.redirect_stdout(io.StringIO()):
        read = coco_reader.COCO(str(path))
    masks = AnnotatedImages(path)[0][1]["masks"]
    for mask, known in zip(masks, (82, 1), strict=True):
        assert np.array_equal(mask, read.annToMask(read.anns[known]))
