"""Felzenszwalb's segmentation, selective search, sliding windows: by their definitions on drawn images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models import detection
from tinycnn.models.detection.region_similarity import merged, region_similarity, regions_of

seeds = st.integers(0, 2**32 - 1)


def scene(seed=0, side=24):
    """Two rectangles over another colour, a little noise."""
    draw = np.random.default_rng(seed)
    image = np.full((side, side, 3), (0.2, 0.3, 0.6))
    image[4:12, 3:9] = (0.9, 0.2, 0.1)
    image[8:20, 14:21] = (0.1, 0.8, 0.2)
    return np.clip(image + draw.normal(0, 0.01, image.shape), 0, 1)


def test_segmentation_finds_the_flat_regions():
    segments = detection.felzenszwalb(scene(), scale=50, sigma=0, min_size=10)
    assert segments.max() == 2
    assert len(np.unique(segments[4:12, 3:9])) == 1 and (segments == segments[4, 3]).sum() == 48
    assert (segments == segments[8, 14]).sum() == 84
    np.testing.assert_array_equal(np.unique(segments), [0, 1, 2])


@given(seeds, st.sampled_from([1.0, 20.0, 300.0]), st.integers(1, 12))
def test_segments_are_connected_and_large_enough(seed, scale, least):
    image = np.random.default_rng(seed).random((6, 7, 3))
    segments = detection.felzenszwalb(image, scale, 0.5, least)
    sizes = np.bincount(segments.ravel())
    assert sizes.min() >= min(least, 42)
    for number in range(len(sizes)):  # a flood over the 8 neighbours reaches all of it
        places = {tuple(place) for place in np.argwhere(segments == number).tolist()}
        border, seen = [min(places)], {min(places)}
        while border:
            i, j = border.pop()
            near = {(i + a, j + b) for a in (-1, 0, 1) for b in (-1, 0, 1)} & places - seen
            seen |= near
            border += near
        assert seen == places


def test_a_larger_scale_makes_larger_regions():
    image = np.random.default_rng(3).random((16, 16, 3))
    counts = [detection.felzenszwalb(image, scale, 0.8, 1).max() + 1 for scale in (1, 100, 10000)]
    assert counts[0] > counts[1] > counts[2] == 1


def test_refused_segmentation():
    with pytest.raises(ShapeError, match=r"\(4, 4\); it must be \(height, width, channels\)"):
        detection.felzenszwalb(np.zeros((4, 4)))
    with pytest.raises(ArgumentError, match="image is uint8; give float pixels"):
        detection.felzenszwalb(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ArgumentError, match="sigma=-1"):
        detection.felzenszwalb(np.zeros((4, 4, 3)), sigma=-1)


def test_a_union_is_described_by_its_parts():
    image = scene()
    segments = (np.arange(24)[:, None] // 8 * 3 + np.arange(24) // 8).astype(int)
    regions = regions_of(image, segments)
    joined = segments.copy()
    joined[joined == 1] = 0
    joined = np.unique(joined, return_inverse=True)[1].reshape(joined.shape)
    direct, followed = regions_of(image, joined)[0], merged(regions[0], regions[1])
    assert direct.size == followed.size and direct.box == followed.box
    np.testing.assert_allclose(direct.colour, followed.colour)
    np.testing.assert_allclose(direct.texture, followed.texture)
    same = region_similarity(regions[0], regions[0], 576)
    assert 0 <= region_similarity(regions[0], regions[8], 576) <= same + 1
    np.testing.assert_allclose(region_similarity(regions[0], regions[1], 576, ["size", "fill"]), 1 - 128 / 576 + 1)


@given(seeds)
def test_a_hierarchy_ends_with_the_image(seed):
    draw = np.random.default_rng(seed)
    image = draw.random((8, 9, 3))
    segments = detection.felzenszwalb(image, 20, 0.5, 6)
    grouping = detection.hierarchical_grouping(image, segments)
    count = segments.max() + 1
    assert len(grouping.merges) == count - 1 and len(grouping.boxes) == 2 * count - 1
    assert grouping.boxes[-1].tolist() == [0, 0, 9, 8]
    gone = set()
    for number, merge in enumerate(grouping.merges):
        assert merge.result == count + number and not {merge.first, merge.second} & gone
        gone |= {merge.first, merge.second}
        parts = grouping.boxes[[merge.first, merge.second]]
        assert grouping.boxes[merge.result].tolist() == [*parts[:, :2].min(axis=0), *parts[:, 2:].max(axis=0)]


def test_search_finds_the_objects():
    boxes = detection.selective_search(scene(), scales=(30,), sigma=0.3, min_size=10, generator=np.random.default_rng(0))
    assert len({tuple(box) for box in boxes.tolist()}) == len(boxes)
    for true in ([3, 4, 9, 12], [14, 8, 21, 20]):
        assert np.abs(boxes - true).max(axis=1).min() <= 1
    wide = detection.selective_search(scene(), scales=(30,), sigma=0.3, min_size=10, smallest_side=7)
    assert ((wide[:, 2:] - wide[:, :2]) >= 7).all()


@pytest.mark.parametrize("space", ["hsv", "rgi", "intensity", "rgb"])
def test_colour_spaces_stay_within_zero_and_one(space):
    image = np.random.default_rng(0).random((5, 5, 3))
    image[0, 0], image[0, 1] = 0, 1
    view = detection.COLOUR_SPACES[space](image)
    assert view.min() >= 0 and view.max() <= 1 and np.isfinite(view).all()
    if space == "hsv":
        import colorsys

        np.testing.assert_allclose(view[2, 2], colorsys.rgb_to_hsv(*image[2, 2]))


def test_refused_search():
    with pytest.raises(ShapeError, match=r"must be \(height, width, 3\)"):
        detection.selective_search(np.zeros((4, 4, 1)))
    with pytest.raises(ArgumentError, match="colour_spaces"):
        detection.selective_search(np.zeros((4, 4, 3)), colour_spaces=("lab",))
    with pytest.raises(ArgumentError, match="measures"):
        detection.hierarchical_grouping(np.zeros((2, 2, 3)), np.zeros((2, 2), int), ("shape",))
    with pytest.raises(ArgumentError, match="measures is empty"):
        detection.hierarchical_grouping(np.zeros((2, 2, 3)), np.zeros((2, 2), int), ())
    with pytest.raises(ShapeError, match=r"segments \(3, 2\)"):
        detection.hierarchical_grouping(np.zeros((2, 2, 3)), np.zeros((3, 2), int))


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 12), st.integers(1, 12), st.integers(1, 5))
def test_windows_are_counted(height, width, window_height, window_width, stride):
    size, window = (height, width), (window_height, window_width)
    rows = [y for y in range(0, height, stride) if y + window_height <= height]
    columns = [x for x in range(0, width, stride) if x + window_width <= width]
    assert detection.window_count(size, window, stride) == len(rows) * len(columns)
    places = detection.window_places(size, window, stride)
    assert places.tolist() == [[x, y, x + window_width, y + window_height] for y in rows for x in columns]
    total = sum(
        detection.window_count((level.shape[1], level.shape[2]), window, stride)
        for level, _, _ in detection.image_pyramid(np.zeros((1, *size), np.float32), window, 1.5)
    )
    assert detection.pyramid_window_count(size, window, stride, 1.5) == total


def small_classifier(seed=0):
    import tinycnn

    tinycnn.manual_seed(seed)
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(5 * 3 * 3, 6), nn.ReLU(), nn.Linear(6, 3)),
    )


def test_a_classifier_as_convolution_equals_its_windows():
    """Windows of 12 pixels, 2 apart (the pooling's stride): the convolution gives all of their answers at once."""
    classifier = small_classifier().eval()
    image = np.random.default_rng(0).random((3, 20, 24)).astype(np.float32)
    one_by_one = detection.slide(classifier, image, (12, 12), 2)
    at_once = detection.as_convolutions(classifier, (12, 12))(Tensor(image[None])).data[0]
    assert one_by_one.shape == at_once.shape == (3, 5, 7)
    np.testing.assert_allclose(at_once, one_by_one, atol=1e-5)
    with pytest.raises(ArgumentError, match="exactly one Flatten"):
        detection.as_convolutions(nn.Sequential(nn.Linear(3, 2)), (12, 12))
    with pytest.raises(ShapeError, match="at least as large as the window"):
        detection.slide(classifier, image, (32, 12))


class Brightness(nn.Module):
    """Class 1 where the window is bright all over."""

    def forward(self, x):
        darkest = -nn.MaxPool2d(x.shape[-1])(-x)[:, 0, 0, 0]
        return Tensor(np.stack((np.zeros(len(x)), 40 * darkest.data - 20), axis=1))


def test_the_window_size_problem():
    """A window finds objects of its own size, and twice as large ones only in the pyramid's smaller image."""
    image = np.zeros((1, 32, 32), np.float32)
    image[:, 2:6, 2:6] = 1
    image[:, 16:24, 16:24] = 1
    detector = detection.SlidingWindowDetector(Brightness(), (4, 4), stride=2, factor=2.0, nms_thresh=0.1)
    assert [heat.shape for heat in detector.heat_maps(image)] == [(2, 15, 15), (2, 7, 7), (2, 3, 3), (2, 1, 1)]
    found = detector(image)
    assert [2.0, 2.0, 6.0, 6.0] in found["boxes"].tolist()
    assert (found["labels"] == 1).all() and (np.diff(found["scores"]) <= 0).all()
    large = detection.SlidingWindowDetector(Brightness(), (4, 4), stride=2, factor=2.0, nms_thresh=1.0)(image)["boxes"]
    assert [16.0, 16.0, 24.0, 24.0] in large.tolist()
    with pytest.raises(ArgumentError, match="factor=1 must be above 1"):
        detection.pyramid_window_count((9, 9), (3, 3), 1, 1)
    with pytest.raises(ArgumentError, match="stride=0"):
        detection.window_count((9, 9), (3, 3), 0)
