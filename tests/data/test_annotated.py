"""Annotated pictures as a detector's data set: labels, cut boxes, masks, keypoints, and the real BCCD cells."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.data import annotation_values as files
from tests.data.published_formats import SHARED
from tinycnn.data import AnnotatedImages, DataLoader
from tinycnn.data.annotations import Annotations, Box, Category, Picture, Thing, from_coco
from tinycnn.data.transforms import JointHorizontalFlip
from tinycnn.errors import ArgumentError, DataError


@pytest.fixture
def coco_folder(tmp_path):
    (tmp_path / "labels.json").write_text(json.dumps(files.COCO))
    for image in files.COCO["images"]:
        Image.new("RGB", (image["width"], image["height"]), (255, 0, 51)).save(tmp_path / image["file_name"].replace(".jpg", ".png"))
        (tmp_path / image["file_name"].replace(".jpg", ".png")).rename(tmp_path / image["file_name"])
    return tmp_path


def test_coco_as_targets(coco_folder):
    data = AnnotatedImages(coco_folder)
    assert data.classes == ("dog", "toothbrush")
    assert data.ids == {18: 1, 90: 2}
    assert data.swap == (0, 2, 1)
    image, target = data[0]
    assert (image.shape, image.dtype) == ((3, 12, 20), np.float32)
    assert np.allclose(image[:, 0, 0], [1, 0, 0.2])
    assert target["image_id"] == 397133
    assert target["boxes"].tolist() == [[2, 2, 9, 8], [2, 6, 4, 10]]
    assert target["labels"].tolist() == [1, 2]
    assert target["iscrowd"].tolist() == [0, 1]
    assert target["area"].tolist() == [42, 8]
    assert target["masks"].sum((1, 2)).tolist() == [42, 8]
    assert target["keypoints"].shape == (2, 3, 3)
    assert data[1][1]["keypoints"][0].tolist() == [[2, 3, 2], [4, 5, 1], [0, 0, 0]]
    assert data[1][1]["masks"][0].sum() > 0  # the box's own pixels where nothing else was drawn


def test_boxes_without_area_are_left_out_and_others_cut(tmp_path):
    Image.new("L", (20, 10)).save(tmp_path / "a.png")
    things = tuple(
        Thing(1, Box(values, "xywh")) for values in ((5.0, 5.0, 0.0, 3.0), (15.0, 5.0, 10.0, 3.0), (30.0, 1.0, 4.0, 4.0), (1.0, 1.0, 2.0, 2.0))
    )
    value = Annotations("coco", (Picture("a.png", (10, 20), things, 1),), (Category(1, "dog"),))
    data = AnnotatedImages(value, images=tmp_path)
    assert data[0][1]["boxes"].tolist() == [[15, 5, 20, 8], [1, 1, 3, 3]]
    assert data.notes == [
        "boxes left out, for they have no area inside their picture or are one click: 2, the first of a.png",
        "boxes that leave their picture, cut at its border: 1",
    ]
    assert "masks" not in data[0][1]
    with pytest.raises(ArgumentError, match="need images="):
        AnnotatedImages(value)


def test_a_loader_with_a_joint_transform(coco_folder):
    data = AnnotatedImages(coco_folder, transform=JointHorizontalFlip(1.0))
    _, targets = zip(*next(iter(DataLoader(data, 2, collate_fn=list))), strict=True)
    assert targets[0]["boxes"].tolist() == [[11, 2, 18, 8], [16, 6, 18, 10]]


def test_what_is_missing_is_said(coco_folder):
    with pytest.raises(DataError, match="there is no split 'train'; there are all"):
        AnnotatedImages(coco_folder, split="train")
    (coco_folder / "b.jpg").unlink()
    with pytest.raises(DataError, match="1 of 2 pictures are not in"):
        AnnotatedImages(coco_folder)
    (coco_folder / "b.jpg").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a readable"):
        AnnotatedImages(coco_folder)
    wrong = from_coco({**files.COCO, "annotations": [{**files.COCO["annotations"][1], "segmentation": {"size": [2, 2], "counts": [0, 4]}}]})
    Image.new("RGB", (40, 30)).save(coco_folder / "b.jpg")
    with pytest.raises(DataError, match="a mask of 2 x 2 lies on a picture of 12 x 20"):
        AnnotatedImages(wrong, images=coco_folder)[0]


@pytest.mark.skipif(not (SHARED / "bccd").is_dir(), reason="no real BCCD in ../shared/data")
def test_the_real_cells():
    """../shared/data/README.md: 364 photos of 640 x 480; RBC 4155, WBC 372, platelets 361; two boxes are bad."""
    data = AnnotatedImages(SHARED / "bccd")
    assert data.classes == ("Platelets", "RBC", "WBC")
    assert len(data) == 364
    counts = np.bincount([data.ids[thing.category] for picture in data.pictures for thing in picture.things])
    assert counts.tolist() == [0, 361, 4155, 372]
    assert data.notes == ["boxes left out, for they have no area inside their picture or are one click: 2, the first of BloodImage_00343.jpg"]
    image, target = data[0]
    assert image.shape == (3, 480, 640)
    assert len(target["boxes"]) == len(target["labels"]) > 0
    test = AnnotatedImages(SHARED / "bccd", split="test")
    assert test.classes == data.classes
    assert {picture.file for picture in test.pictures} < {picture.file for picture in data.pictures}
