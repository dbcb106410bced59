"""Image, boxes, masks and keypoints move together: the box of the moved mask is the moved box, and there and back is where we were."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.data import ShapesDetection
from tinycnn.data.transforms import (
    ColorJitter,
    ImageOnly,
    JointAffine,
    JointCompose,
    JointElastic,
    JointHorizontalFlip,
    JointIoUCrop,
    JointPad,
    JointQuarterTurns,
    JointRandomCrop,
    JointResize,
    JointVerticalFlip,
    JointZoomOut,
    Normalize,
    Resize,
    ToTensor,
    boxes_of_masks,
    mosaic,
)
from tinycnn.data.transforms.joint_crop import crop_target
from tinycnn.data.transforms.joint_elastic import bent_points
from tinycnn.errors import ArgumentError, ShapeError

HEIGHT, WIDTH = 24, 36


@st.composite
def samples(draw, count=3):
    """An image whose value is 9 on every thing's first keypoint pixel, with rectangles for masks."""
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    things = draw(st.integers(0, count))
    masks = np.zeros((things, HEIGHT, WIDTH), np.uint8)
    points = np.zeros((things, 2, 3))
    for place in range(things):
        left, top = int(generator.integers(0, WIDTH - 6)), int(generator.integers(0, HEIGHT - 6))
        right, bottom = int(generator.integers(left + 3, WIDTH + 1)), int(generator.integers(top + 3, HEIGHT + 1))
        masks[place, top:bottom, left:right] = 1
        points[place, 0] = left + 1.5, top + 1.5, 2
        points[place, 1] = 0, 0, 0
    target = {"boxes": boxes_of_masks(masks, np.float64), "labels": np.arange(1, things + 1), "masks": masks, "keypoints": points, "image_id": 7}
    return generator.random((3, HEIGHT, WIDTH)), target


def assert_same(target, other, atol=1e-9):
    assert set(target) == set(other)
    for key in ("boxes", "labels", "masks", "keypoints"):
        assert np.allclose(target[key], other[key], rtol=0, atol=atol), key


UPRIGHT = {
    "horizontal flip": JointHorizontalFlip(1.0),
    "vertical flip": JointVerticalFlip(1.0),
    "crop": JointRandomCrop((15, 20), 0.0),
    "overlap crop": JointIoUCrop((0.0, 0.3), min_visible=0.0),
    "pad": JointPad((1, 2, 3, 4)),
    "zoom out": JointZoomOut(2.0, p=1.0),
    "twice as large": JointResize((2 * HEIGHT, 2 * WIDTH)),
    "half a turn": JointAffine((180, 180), min_visible=0.0),
    "a quarter turn": JointAffine((90, 90), min_visible=0.0),
    "random quarters": JointQuarterTurns(),
    "shifted": JointAffine(0, translate=(0.2, 0.2), min_visible=0.0),
    "twice the scale": JointAffine(0, scale=(2, 2), interpolation="nearest", min_visible=0.0),
}


@pytest.mark.parametrize("name", list(UPRIGHT))
@given(sample=samples())
def test_the_box_of_the_moved_mask_is_the_moved_box(name, sample):
    image, target = sample
    transform = UPRIGHT[name]
    moved_image, moved = transform(image, target, np.random.default_rng(3))
    assert np.allclose(moved["boxes"], boxes_of_masks(moved["masks"], np.float64), atol=1e-6)
    assert moved["masks"].shape[1:] == moved_image.shape[1:]
    assert moved["image_id"] == 7
    assert len(moved["labels"]) == len(moved["boxes"]) == len(moved["keypoints"])
    unmasked = {key: value for key, value in target.items() if key != "masks"}
    other = transform(image, unmasked, np.random.default_rng(3))[1]
    kept = np.isin(other["labels"], moved["labels"])  # a sliver of a box can hold no pixel's middle
    assert np.allclose(other["boxes"][kept], moved["boxes"], atol=1e-6)
    for points, mask, (x1, y1, x2, y2) in zip(moved["keypoints"], moved["masks"], moved["boxes"], strict=True):
        x, y, seen = points[0]
        if seen and 0 < x < mask.shape[1] and 0 < y < mask.shape[0]:
            assert x1 <= x <= x2
            assert y1 <= y <= y2
            assert mask[int(y), int(x)] == 1
        assert points[1].tolist() == [0, 0, 0]  # what is not labelled stays so


@pytest.mark.parametrize("name", list(UPRIGHT))
def test_pixels_go_where_points_go(name):
    """A single bright block, and a keypoint in its middle."""
    image = np.zeros((1, HEIGHT, WIDTH))
    image[0, 9:12, 15:18] = 1
    mask = image.astype(np.uint8)
    target = {"boxes": np.array([[15.0, 9, 18, 12]]), "masks": mask, "keypoints": np.array([[[16.5, 10.5, 2]]])}
    moved_image, moved = UPRIGHT[name](image, target, np.random.default_rng(5))
    if len(moved["boxes"]) and moved["keypoints"][0, 0, 2]:
        weights = moved_image[0] / moved_image.sum()
        rows, columns = np.indices(weights.shape) + 0.5
        centre = (weights * columns).sum(), (weights * rows).sum()
        assert np.allclose(centre, moved["keypoints"][0, 0, :2], atol=0.51 if "crop" in name else 0.26)


@given(sample=samples())
def test_there_and_back(sample):
    image, target = sample
    size = JointResize((2 * HEIGHT, 2 * WIDTH)), JointResize((HEIGHT, WIDTH))
    for first, second in (
        (JointHorizontalFlip(1.0), JointHorizontalFlip(1.0)),
        (JointVerticalFlip(1.0, swap=(1, 0)), JointVerticalFlip(1.0, swap=(1, 0))),
        (JointAffine((180, 180), min_visible=0.0), JointAffine((180, 180), min_visible=0.0)),
        size,
    ):
        middle = first(image, target, np.random.default_rng(0))
        back_image, back = second(*middle, np.random.default_rng(0))
        assert_same(target, back, 1e-6)
        if first is not size[0]:
            assert np.allclose(image, back_image, atol=1e-6)
    turns = JointQuarterTurns()
    for quarters in range(4):
        turned_image, turned = turns.apply(image, target, quarters)
        assert turned_image.shape == (3, *((WIDTH, HEIGHT) if quarters % 2 else (HEIGHT, WIDTH)))
        back_image, back = turns.apply(turned_image, turned, -quarters % 4)
        assert_same(target, back, 1e-12)
        assert np.array_equal(image, back_image)
    padded = JointPad((2, 3, 4, 5))(image, target)
    assert_same(target, crop_target(padded[1], (2, 4, HEIGHT, WIDTH)))
    assert np.array_equal(image, padded[0][:, 2 : 2 + HEIGHT, 4 : 4 + WIDTH])


def test_the_target_given_is_not_written_to():
    image, target = ShapesDetection(3, size=64, extent=(0.2, 0.6))[1]
    before = {key: np.copy(value) for key, value in target.items()}
    for transform in (*UPRIGHT.values(), JointElastic(20.0, 4.0)):
        transform(image, target, np.random.default_rng(0))
        assert all(np.array_equal(before[key], target[key]) for key in target)


def test_a_turned_box_from_its_mask_is_tight_and_from_its_corners_too_large():
    image, target = ShapesDetection(9, size=128, objects=(1, 1), extent=(0.3, 0.5))[2]
    tight = JointAffine((45, 45))(image, target, np.random.default_rng(0))[1]
    loose = JointAffine((45, 45), boxes_from="corners")(image, target, np.random.default_rng(0))[1]
    area = [np.prod(each["boxes"][0, 2:] - each["boxes"][0, :2]) for each in (tight, loose)]
    assert area[0] < area[1]
    assert np.array_equal(tight["boxes"], boxes_of_masks(tight["masks"]))
    back = JointAffine((-45, -45), min_visible=0.0)(
        *JointAffine((45, 45), min_visible=0.0)(image, target, np.random.default_rng(0)), np.random.default_rng(0)
    )[1]
    seen = back["keypoints"][..., 2] > 0
    assert np.allclose(back["keypoints"][seen], target["keypoints"][seen], atol=1e-3)
    both = (back["masks"] & target["masks"]).sum() / (back["masks"] | target["masks"]).sum()
    assert both > 0.9


def test_bent_together():
    """The bent mask of a disc around a keypoint is a blob around the bent keypoint; without masks the box is a little larger."""
    rows, columns = np.indices((64, 64))
    discs = np.stack([(rows - 20) ** 2 + (columns - 24) ** 2 <= 25, (rows - 44) ** 2 + (columns - 40) ** 2 <= 25]).astype(np.uint8)
    points = np.array([[[24.5, 20.5, 2]], [[40.5, 44.5, 2]]])
    target = {"boxes": boxes_of_masks(discs, np.float64), "masks": discs, "keypoints": points}
    bend = JointElastic(60.0, 6.0)
    image, moved = bend(discs.max(0)[None].astype(np.float64), target, np.random.default_rng(1))
    assert image.shape == (1, 64, 64)
    for mask, (point,), box in zip(moved["masks"], moved["keypoints"], moved["boxes"], strict=True):
        y, x = (each.mean() + 0.5 for each in np.nonzero(mask))
        assert np.hypot(point[0] - x, point[1] - y) < 1
        assert np.array_equal(box, boxes_of_masks(mask[None])[0])
    assert np.abs(moved["keypoints"] - points).max() > 0.5
    unmasked = bend(image, {"boxes": target["boxes"]}, np.random.default_rng(1))[1]
    assert (unmasked["boxes"][:, :2] <= moved["boxes"][:, :2] + 1).all()
    assert (unmasked["boxes"][:, 2:] >= moved["boxes"][:, 2:] - 1).all()
    displacement = bend.draw(np.random.default_rng(1), (1, 64, 64), target)
    there = bent_points(points[..., :2], displacement)
    x, y = np.floor(there[:, 0]).astype(int).T
    read_from = np.stack([x + 0.5 + displacement[1, y, x], y + 0.5 + displacement[0, y, x]], -1)
    assert np.abs(read_from - points[:, 0, :2]).max() < 1.5


def test_what_leaves_is_left_out():
    target = {
        "boxes": np.array([[0.0, 0, 4, 4], [10, 10, 14, 14]]),
        "labels": np.array([1, 2]),
        "keypoints": np.array([[[1.0, 1, 2]], [[11, 11, 2]]]),
    }
    moved = crop_target(target, (8, 8, 8, 8))
    assert moved["labels"].tolist() == [2]
    assert moved["keypoints"].tolist() == [[[3, 3, 2]]]
    assert crop_target(target, (2, 2, 8, 8), min_visible=0.5)["labels"].tolist() == []
    assert crop_target(target, (2, 2, 8, 8), min_visible=0.2)["keypoints"].tolist() == [[[0, 0, 0]]]


def test_the_overlap_crop_keeps_an_overlap():
    image, target = ShapesDetection(4, size=96, seed=5)[0]
    crop = JointIoUCrop((0.5,))
    for seed in range(5):
        window = crop.draw(np.random.default_rng(seed), image.shape, target)
        top, left, height, width = window
        x1, y1, x2, y2 = np.clip(target["boxes"] - [left, top, left, top], 0, [width, height, width, height]).T
        common = (x2 - x1) * (y2 - y1)
        own = np.prod(target["boxes"][:, 2:] - target["boxes"][:, :2], 1)
        iou = common / (own + height * width - common)
        assert iou.max() >= 0.5 or window == (0, 0, 96, 96)


def test_mosaic_holds_four_images():
    data = ShapesDetection(4, size=64, extent=(0.2, 0.6))
    image, target = mosaic([data[k] for k in range(4)], (96, 128), np.random.default_rng(0), min_visible=0.3)
    assert image.shape == (3, 96, 128)
    assert np.array_equal(target["boxes"].shape[0], len(target["labels"]))
    assert target["masks"].shape == (len(target["labels"]), 96, 128)
    inner = boxes_of_masks(target["masks"])  # of a shape that was cut, smaller than the cut box; masks are scaled by the nearest pixel
    assert (inner[:, :2] >= target["boxes"][:, :2] - 1.5).all()
    assert (inner[:, 2:] <= target["boxes"][:, 2:] + 1.5).all()
    assert (np.prod(target["boxes"][:, 2:] - target["boxes"][:, :2], 1) > 0).all()


def test_images_alone_and_compositions():
    image, target = ShapesDetection(1, size=64, extent=(0.2, 0.6))[0]
    picture = (image.transpose(1, 2, 0) * 255).astype(np.uint8)
    steps = JointCompose([JointHorizontalFlip(0.5), ImageOnly(ColorJitter(0.2)), ImageOnly(ToTensor()), ImageOnly(Normalize((0.5,) * 3, (0.5,) * 3))])
    assert steps.random
    changed, moved = steps(picture, target, np.random.default_rng(0))
    assert (changed.shape, changed.dtype) == ((3, 64, 64), np.float32)
    assert len(moved["boxes"]) == len(target["boxes"])
    assert "JointHorizontalFlip(p=0.5" in repr(steps.transforms[0])
    with pytest.raises(ShapeError, match="changes the image's size"):
        ImageOnly(Resize((32, 32)))(picture, target)
    plain = JointCompose([lambda image, target: (image[:1], target)])
    assert not plain.random
    assert plain(image, target)[0].shape == (1, 64, 64)


IMAGE = np.zeros((3, 8, 8), np.float32)
BOXES = np.array([[0.0, 0, 4, 4]])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: JointHorizontalFlip(2), ArgumentError, "p 2 must be a probability"),
        (lambda: JointHorizontalFlip(1, swap=(0, 2)), ArgumentError, "each number from 0 to 1 once"),
        (lambda: JointRandomCrop((0, 3)), ArgumentError, "must be .height, width."),
        (lambda: JointRandomCrop((3, 3), 2), ArgumentError, "min_visible 2 must be a share"),
        (lambda: JointIoUCrop(()), ArgumentError, "must be overlaps"),
        (lambda: JointIoUCrop(scale=(0.9, 0.1)), ArgumentError, "lower bound first"),
        (lambda: JointPad(-1), ArgumentError, "padding -1 must be"),
        (lambda: JointZoomOut(0.5), ArgumentError, "most 0.5 must be from 1 to 100"),
        (lambda: JointAffine(10, boxes_from="air"), ArgumentError, "must be one of masks, corners"),
        (lambda: JointAffine(10, min_visible=3), ArgumentError, "min_visible 3"),
        (lambda: JointElastic(min_visible=3), ArgumentError, "min_visible 3"),
        (lambda: JointElastic(alpha=-1), ArgumentError, "alpha >= 0"),
        (lambda: ImageOnly(3), ArgumentError, "is not a Transform"),
        (lambda: mosaic([], (8, 8)), ArgumentError, "takes four samples, not 0"),
        (lambda: mosaic([(IMAGE, {"boxes": BOXES})] * 4, (2, 2)), ArgumentError, "at least .4, 4."),
        (lambda: JointPad(1)(IMAGE, {}), ArgumentError, "a target is a dict with 'boxes'"),
        (lambda: JointPad(1)(IMAGE, {"boxes": np.zeros((2, 3))}), ShapeError, r"must be float \(K, 4\)"),
        (lambda: JointPad(1)(IMAGE, {"boxes": BOXES, "masks": np.zeros((1, 2, 2))}), ShapeError, r"must be \(1, 8, 8\)"),
        (lambda: JointPad(1)(IMAGE, {"boxes": BOXES, "keypoints": np.zeros((1, 2))}), ShapeError, r"must be \(1, points, 3\)"),
        (lambda: JointPad(1)(IMAGE, {"boxes": BOXES, "labels": np.zeros(3)}), ShapeError, r"must be \(1,\)"),
        (lambda: JointPad(1)(np.zeros((8, 8)), {"boxes": BOXES}), ShapeError, "neither a uint8 picture"),
        (lambda: JointHorizontalFlip(1, (1, 0))(IMAGE, {"boxes": BOXES, "keypoints": np.zeros((1, 3, 3))}), ShapeError, "swap names 2 keypoints"),
    ],
)
def test_what_cannot_be_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
