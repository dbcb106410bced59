"""Synthetic shapes for detectors: what a detector's data set must give, and that its truths are true."""

import numpy as np
import pytest

from tinycnn.data import DataLoader, KeptInMemory, ShapesDetection
from tinycnn.data.shape_outlines import OUTLINES, placed_outline
from tinycnn.data.shapes import filled
from tinycnn.data.transforms import JointCompose, JointHorizontalFlip, boxes_of_masks
from tinycnn.errors import ArgumentError

DATA = ShapesDetection(32, size=128, seed=3, classes=tuple(OUTLINES))
PAIRS = [DATA[index] for index in range(12)]


def test_the_targets_are_torchvisions():
    for index, (image, target) in enumerate(PAIRS):
        count = len(target["boxes"])
        assert image.shape == (3, 128, 128)
        assert image.dtype == np.float32
        assert 0 <= image.min() < 0.3 < 0.6 < image.max() <= 1
        expected = {
            "boxes": (np.float32, (count, 4)),
            "labels": (np.int64, (count,)),
            "masks": (np.uint8, (count, 128, 128)),
            "keypoints": (np.float32, (count, 3, 3)),
            "area": (np.float32, (count,)),
            "iscrowd": (np.int64, (count,)),
        }
        assert {name: (target[name].dtype.type, target[name].shape) for name in expected} == expected
        assert target["image_id"] == index
        assert set(target["labels"]) <= {1, 2, 3, 4, 5}


def test_boxes_areas_and_points_are_those_of_the_masks():
    for _, target in PAIRS:
        assert np.array_equal(target["boxes"], boxes_of_masks(target["masks"]))
        assert np.array_equal(target["area"], target["masks"].sum((1, 2)))
        assert target["masks"].sum(0).max() == 1  # a pixel shows one shape only
        for points, mask in zip(target["keypoints"], target["masks"], strict=True):
            for x, y, seen in points:
                assert 0 <= x <= 128
                assert 0 <= y <= 128
                near = mask[max(int(y) - 1, 0) : int(y) + 2, max(int(x) - 1, 0) : int(x) + 2].any()
                assert seen == (2 if near else 1)


def test_no_toy():
    """1 to 8 shapes of 8 to 60 % of the side, some of them overlapping, all classes, hidden and visible keypoints."""
    targets = [DATA[index][1] for index in range(32)]
    counts = [len(target["boxes"]) for target in targets]
    assert (min(counts), max(counts)) == (1, 8)
    assert set(np.concatenate([target["labels"] for target in targets])) == {1, 2, 3, 4, 5}
    sides = np.concatenate([(target["boxes"][:, 2:] - target["boxes"][:, :2]).max(1) for target in targets])
    assert sides.max() <= 0.6 * 128 + 2
    assert sides.min() < 0.15 * 128
    assert set(np.concatenate([target["keypoints"][..., 2].ravel() for target in targets])) == {1, 2}


def test_seeds_are_disjoint():
    """The same numbers give the same image; another seed, another index and the test images give others."""
    first = ShapesDetection(2, size=48, seed=1, extent=(0.2, 0.6))
    again = ShapesDetection(9, size=48, seed=1, extent=(0.2, 0.6))
    assert np.array_equal(first[1][0], again[1][0])
    others = [again[0][0], ShapesDetection(2, size=48, seed=2, extent=(0.2, 0.6))[1][0]]
    others += [ShapesDetection(2, size=48, seed=1, train=False, extent=(0.2, 0.6))[1][0]]
    for other in others:
        assert np.abs(first[1][0] - other).mean() > 0.05


@pytest.mark.parametrize("name", list(OUTLINES))
@pytest.mark.parametrize("angle", [0, 37, 90, 200])
def test_an_outline_is_filled_as_its_area_says(name, angle):
    corners, points = placed_outline(name, angle, 1.1, 50.0)
    assert np.allclose(corners.min(0), 0)
    assert np.isclose(corners.max(), 50)
    window, cover = filled(corners + 3.3, 64)
    x, y = corners.T
    area = abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2
    assert np.isclose(cover.sum(), area, rtol=0.01)
    whole = np.zeros((64, 64))
    whole[window] = cover
    for point_x, point_y in points + 3.3:
        assert whole[int(point_y), int(point_x)] > 0.3


def test_left_and_right_are_the_shapes_own():
    """From the middle to the tip, the right point is clockwise of it on the screen (y down) and the left one the other way."""
    for name in OUTLINES:
        for angle in (0, 90, 215):
            _, (tip, right, left) = placed_outline(name, angle, 1.0, 40.0)
            base = (right + left) / 2
            ahead = tip - base
            for point, sign in ((right, 1), (left, -1)):
                across = ahead[0] * (point - base)[1] - ahead[1] * (point - base)[0]
                assert np.sign(across) == sign


def test_mirrored_twice_it_is_itself():
    twice = JointCompose([JointHorizontalFlip(1.0, swap=DATA.swap)] * 2)
    image, target = PAIRS[4]
    back, same = DATA.with_transform(twice)[4]
    assert np.array_equal(image, back)
    for key in ("boxes", "masks", "keypoints", "labels"):
        assert np.allclose(target[key], same[key], atol=1e-4)


def test_a_loader_reads_it_with_random_transforms():
    data = DATA.with_transform(JointHorizontalFlip(0.5))
    assert data.random
    loader = DataLoader(data, batch_size=4, collate_fn=list, generator=np.random.default_rng(0))
    batch = next(iter(loader))
    mirrored = [bool(np.array_equal(image, pair[0][..., ::-1])) for (image, _), pair in zip(batch, PAIRS, strict=False)]
    same = [bool(np.array_equal(image, pair[0])) for (image, _), pair in zip(batch, PAIRS, strict=False)]
    assert [one != other for one, other in zip(mirrored, same, strict=True)] == [True] * 4


def test_it_ends_as_a_list_does():
    assert len(list(ShapesDetection(2, size=40, extent=(0.3, 0.6)))) == 2
    with pytest.raises(IndexError, match="sample 2 of a dataset of 2"):
        ShapesDetection(2)[2]
    function = ShapesDetection(1, size=40, extent=(0.3, 0.6), transform=lambda image, target: (image[:1], target))
    assert function[0][0].shape == (1, 40, 40)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": -1}, "n -1 must be a whole number of 0 or more"),
        ({"n": 1, "size": 16}, "size 16 must be a whole number of 32 or more"),
        ({"n": 1, "seed": 0.5}, "seed 0.5 must be"),
        ({"n": 1, "classes": ("triangle", "circle")}, "must be different ones of triangle"),
        ({"n": 1, "classes": ()}, "must be different ones of"),
        ({"n": 1, "objects": (3, 2)}, r"objects \(3, 2\) must be"),
        ({"n": 1, "extent": (0.5, 0.2)}, r"extent \(0.5, 0.2\) must be"),
        ({"n": 1, "size": 32, "extent": (0.08, 0.6)}, "6 pixels or more"),
        ({"n": 1, "visible": 2}, "visible 2 must be a share"),
    ],
)
def test_what_cannot_be_is_refused(arguments, words):
    with pytest.raises(ArgumentError, match=words):
        ShapesDetection(**arguments)


def test_samples_kept_in_memory_are_the_same_ones():
    drawn = ShapesDetection(3, size=80, seed=5)
    for kept in (KeptInMemory(drawn), KeptInMemory(drawn, megabytes=0.01), KeptInMemory(drawn, megabytes=0)):
        for place in (0, 1, 0, 2, 1):
            (image, target), (again, same) = drawn[place], kept[place]
            assert image.dtype == again.dtype
            np.testing.assert_array_equal(image, again)
            assert list(target) == list(same)
            for name in target:
                np.testing.assert_array_equal(target[name], same[name])
            again[:], same["boxes"][:] = 0, 0  # a caller's changes stay the caller's


def test_an_image_of_more_levels_is_kept_as_it_is():
    class Fine(ShapesDetection):
        def pair(self, index):
            image, target = super().pair(index)
            return image + np.float32(1e-4), target

    fine = Fine(1, size=80)
    kept = KeptInMemory(fine)
    kept[0]
    np.testing.assert_array_equal(kept[0][0], fine[0][0])
