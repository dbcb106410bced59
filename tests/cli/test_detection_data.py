"""Annotated folders as the data of detectors: splits, labels, cut and dropped boxes, masks, and what is said about what is left out."""

import json

import numpy as np
import pytest
from PIL import Image

from tinycnn.cli.detection_data import open_detection
from tinycnn.cli.train_detection import detector_options
from tinycnn.errors import DataError, UsageError

VOC = """<annotation><filename>{name}</filename><size><width>40</width><height>30</height><depth>3</depth></size>{objects}</annotation>"""
OBJECT = "<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"


def voc_folder(tmp_path, count=5):
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "JPEGImages").mkdir()
    for number in range(count):
        Image.new("RGB", (40, 30), (10 * number, 0, 255)).save(tmp_path / "JPEGImages" / f"p{number}.png")
        objects = OBJECT.format("cell", 0, 1, 1, 10, 20) + OBJECT.format("dot", 1, 31, 21, 60, 40)
        objects += OBJECT.format("cell", 0, 5, 5, 5 - 1, 9) if number == 2 else ""
        (tmp_path / "Annotations" / f"p{number}.xml").write_text(VOC.format(name=f"p{number}.png", objects=objects))
    return tmp_path


def test_a_voc_folder(tmp_path):
    data = open_detection(f"voc:{voc_folder(tmp_path)}")
    train, test = data.train, data.test
    assert (len(train), len(test)) == (4, 1) and train.classes == test.classes == ("cell", "dot")
    image, target = train[0]
    assert image.shape == (3, 30, 40) and image.dtype == np.float32 and image[2].min() == 1.0
    assert target["boxes"].tolist() == [[0, 0, 10, 20], [30, 20, 40, 30]]  # VOC counts from 1; the second is cut at the border
    assert target["labels"].tolist() == [1, 2] and "masks" not in target and not data.masks
    assert target["difficult"].tolist() == [0, 1]
    assert any("one click: 1," in note and "p2.png" in note for note in data.notes)
    assert data.name == tmp_path.name and open_detection(data.source, images=2).train.data_set.pictures[1].file == "p2.png"


def test_a_coco_file_with_masks_crowds_and_splits(tmp_path):
    Image.new("L", (20, 20), 128).save(tmp_path / "a.png")
    document = {
        "images": [{"id": 7, "file_name": "a.png", "width": 20, "height": 20}],
        "categories": [{"id": 18, "name": "dog"}, {"id": 90, "name": "toothbrush"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 90, "bbox": [2, 2, 8, 8], "area": 64, "iscrowd": 0,
             "segmentation": [[2, 2, 10, 2, 10, 10, 2, 10]]},
            {"id": 2, "image_id": 7, "category_id": 18, "bbox": [12, 12, 4, 4], "area": 16, "iscrowd": 1,
             "segmentation": {"size": [20, 20], "counts": [252, 4, 144]}},
        ],
    }  # fmt: skip
    for name in ("instances_train.json", "instances_val.json"):
        (tmp_path / name).write_text(json.dumps(document))
    data = open_detection(f"coco:{tmp_path}")
    train, test = data.train, data.test
    assert train.classes == ("dog", "toothbrush") and len(train) == len(test) == 1
    target = train[0][1]
    assert target["labels"].tolist() == [2] and target["masks"].shape == (1, 20, 20) and int(target["masks"].sum()) == 64
    assert test[0][1]["iscrowd"].tolist() == [0, 1] and data.masks and data.points == 0


def test_a_folder_without_its_pictures(tmp_path):
    folder = voc_folder(tmp_path)
    for path in (folder / "JPEGImages").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="4 of 4 pictures are not in"):
        open_detection(f"voc:{folder}")


def test_the_nuclei_are_seen_at_their_own_size(tmp_path, monkeypatch):
    place = tmp_path / "nuclei"
    for folder in ("images", "labels"):
        (place / folder).mkdir(parents=True)
    for number in range(6):
        Image.new("RGB", (12, 8), (0, 0, 255)).save(place / "images" / f"{number}.png")
        numbers = np.zeros((8, 12), np.uint16)
        numbers[1:3, 1:4], numbers[4:8, 10:] = 1, 400
        Image.fromarray(numbers).save(place / "labels" / f"{number}.png")
    monkeypatch.setenv("TINYCNN_DATA", str(tmp_path))
    data = open_detection("nuclei", images=3)
    assert (len(data.train), len(data.test), data.classes, data.masks) == (3, 2, ["nucleus"], True)
    image, target = data.train[0]
    assert image.shape == (3, 8, 12) and image[2].max() == 1.0 and image.dtype == np.float32
    assert target["boxes"].tolist() == [[1, 1, 4, 3], [10, 4, 12, 8]] and target["area"].tolist() == [6, 8]
    own = detector_options("maskrcnn_mini", data, [])
    assert own["num_classes"] == 2 and own["min_size"] == 256 and own["box_detections_per_img"] == 200
    assert detector_options("maskrcnn_mini", data, ["min_size=64"])["min_size"] == 64
    with pytest.raises(UsageError, match="--option num_classes: follows from the data, which has 2"):
        detector_options("maskrcnn_mini", data, ["num_classes=4"])
    assert "rpn_pre_nms_top_n_test" not in detector_options("retinanet_mini", data, [])
