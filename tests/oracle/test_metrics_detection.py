"""COCO's evaluation and run lengths against pycocotools over drawn data sets: crowds, empty images, ties, sparse ids, no detections."""

import contextlib
import copy
import io

import numpy as np
import pytest

from tinycnn import metrics

pytestmark = pytest.mark.torch
mask_tools = pytest.importorskip("pycocotools.mask")


def pycoco_stats(truth, results, kind):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = copy.deepcopy(truth)
        known.createIndex()
        if results:
            found = known.loadRes(copy.deepcopy(results))
        else:
            found = COCO()
            found.dataset = {**copy.deepcopy(truth), "annotations": []}
            found.createIndex()
        evaluation = COCOeval(known, found, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def drawn_box(draw, coarse):
    x, y, w, h = draw.random(4) * [120, 120, 110, 110]
    return [float(round(each)) if coarse else float(each) for each in (x, y, w + 2, h + 2)]


def moved(draw, box, coarse):
    shifted = np.array(box) + draw.normal(0, 1 + 0.1 * np.array([box[2], box[3]] * 2) * draw.random(), 4)
    shifted[2:] = np.maximum(shifted[2:], 1)
    return [float(round(each)) if coarse else float(each) for each in shifted]


def drawn_mask(draw, box):
    mask = np.zeros((160, 180), np.uint8)
    x, y, w, h = (int(each) for each in box)
    mask[max(y, 0) : y + h, max(x, 0) : x + w] = draw.random() < 2
    if draw.random() < 0.5:
        mask &= (draw.random(mask.shape) < 0.9).astype(np.uint8)
    return mask


def drawn_set(seed, kind):
    draw = np.random.default_rng(seed)
    coarse, ties = draw.random() < 0.5, draw.random() < 0.5
    images = [{"id": int(each), "height": 160, "width": 180} for each in draw.permutation(50)[: int(draw.integers(1, 6))]]
    categories = [{"id": int(each), "name": f"class {each}"} for each in draw.permutation(90)[: int(draw.integers(1, 5))] + 1]
    annotations, results = [], []
    for image in images:
        for _ in range(int(draw.integers(0, 7))):
            box = drawn_box(draw, coarse)
            one = {
                "id": len(annotations) + 1, "image_id": image["id"], "category_id": categories[draw.integers(len(categories))]["id"],
                "bbox": box, "area": box[2] * box[3] * (0.7 if draw.random() < 0.3 else 1), "iscrowd": int(draw.random() < 0.2),
            }  # fmt: skip
            if kind == "segm":
                mask = drawn_mask(draw, box)
                x, y, w, h = box
                polygon = [[x, y, x + w, y + 3, x + w / 2, y + h, x - 2.5, y + h / 2]]
                one["segmentation"] = polygon if draw.random() < 0.5 else metrics.rle_encode(mask, compressed=bool(draw.random() < 0.5))
            if kind == "keypoints":
                seen = draw.integers(0, 3, 17) * (draw.random() < 0.85)
                points = draw.random((17, 2)) * box[2:] + box[:2]
                one["keypoints"] = np.column_stack([points, seen]).ravel().tolist()
                one["num_keypoints"] = int((seen > 0).sum())
            annotations.append(one)
    for true in annotations * int(draw.integers(0, 4)):
        if draw.random() < 0.75:
            score = float(draw.integers(1, 5) / 5 if ties else draw.random())
            other = draw.random() < 0.2
            found = {
                "image_id": images[draw.integers(len(images))]["id"] if draw.random() < 0.1 else true["image_id"],
                "category_id": categories[draw.integers(len(categories))]["id"] if other else true["category_id"], "score": score,
            }  # fmt: skip
            box = moved(draw, true["bbox"], coarse) if draw.random() < 0.8 else list(true["bbox"])
            if kind == "bbox":
                found["bbox"] = box
            elif kind == "segm":
                found["segmentation"] = metrics.rle_encode(drawn_mask(draw, box))
            else:
                points = np.array(true["keypoints"]).reshape(17, 3) + np.column_stack([draw.normal(0, 5, (17, 2)), np.zeros(17)])
                found["keypoints"] = points.ravel().tolist()
            results.append(found)
    draw.shuffle(results)
    return {"images": images, "categories": categories, "annotations": annotations}, results


def check(seed, kind):
    truth, results = drawn_set(seed, kind)
    theirs = pycoco_stats(truth, results, kind)
    own = metrics.coco_evaluation(metrics.coco_detections(truth, results), kind=kind)
    np.testing.assert_allclose(own.precision, theirs.eval["precision"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(own.recall, theirs.eval["recall"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(list(own.stats().values()), theirs.stats, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
@pytest.mark.parametrize("seed", range(10))
def test_stats_are_pycocotools(seed, kind):
    check(seed, kind)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
def test_stats_of_many_sets(kind):
    for seed in range(10, 200):
        check(seed, kind)


def test_more_than_the_most_detections():
    draw = np.random.default_rng(0)
    truth = {
        "images": [{"id": 3, "height": 99, "width": 99}], "categories": [{"id": 8, "name": "dot"}],
        "annotations": [{"id": n + 1, "image_id": 3, "category_id": 8, "bbox": [n, 0, 3, 3], "area": 9, "iscrowd": 0} for n in range(30)],
    }  # fmt: skip
    results = [
        {"image_id": 3, "category_id": 8, "score": float(draw.integers(1, 20)), "bbox": [float(draw.integers(0, 30)), 0, 3, 3]} for _ in range(130)
    ]
    theirs = pycoco_stats(truth, results, "bbox")
    own = metrics.coco_evaluation(metrics.coco_detections(truth, results))
    np.testing.assert_allclose(list(own.stats().values()), theirs.stats, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_run_lengths(seed):
    draw = np.random.default_rng(seed)
    shape = tuple(draw.integers(1, 40, 2))
    density = draw.choice([0.0, 0.02, 0.5, 1.0])
    masks = [(draw.random(shape) < density).astype(np.uint8) for _ in range(4)]
    theirs = [mask_tools.encode(np.asfortranarray(mask)) for mask in masks]
    own = [metrics.rle_encode(mask) for mask in masks]
    assert [each["counts"] for each in own] == [each["counts"].decode() for each in theirs]
    crowd = [0, 1, 0, 1]
    np.testing.assert_array_equal(metrics.rle_iou(own, own, crowd), mask_tools.iou(theirs, theirs, crowd))
    for mine, their, mask in zip(own, theirs, masks, strict=True):
        assert np.array_equal(metrics.rle_decode(mine), mask)
        assert np.array_equal(metrics.rle_decode({**their, "counts": their["counts"]}), mask)
        assert metrics.rle_area(mine) == mask_tools.area(their)
        assert list(metrics.rle_box(mine)) == mask_tools.toBbox(their).tolist()
    for intersect in (False, True):
        assert metrics.rle_merge(own, intersect)["counts"] == mask_tools.merge(theirs, intersect)["counts"].decode()


@pytest.mark.parametrize("seed", range(40))
def test_polygons(seed):
    draw = np.random.default_rng(seed)
    height, width = (int(each) for each in draw.integers(5, 60, 2))
    polygons = []
    for _ in range(int(draw.integers(1, 4))):
        points = draw.random(2 * int(draw.integers(3, 9))) * 1.4 * max(height, width) - 5
        polygons.append((np.round(points) if draw.random() < 0.5 else points).tolist())
    theirs = mask_tools.merge(mask_tools.frPyObjects(polygons, height, width))
    assert metrics.polygons_to_rle(polygons, height, width)["counts"] == theirs["counts"].decode()
