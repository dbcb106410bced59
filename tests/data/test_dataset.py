"""Datasets in memory: samples, views, subsets and splits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.data import ArrayDataset, Dataset, Subset, TensorDataset, random_split
from tinycnn.data.transforms import ToTensor
from tinycnn.errors import ArgumentError, DataError, ShapeError
from tinycnn.tensor import Tensor

GREY = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
COLOUR = np.arange(2 * 3 * 3 * 4, dtype=np.uint8).reshape(2, 3, 3, 4)


def test_samples_are_pictures_without_a_transform_and_images_with_one():
    grey, colour = ArrayDataset(GREY, [0, 1]), ArrayDataset(COLOUR, [1, 0])
    assert isinstance(grey, Dataset)
    np.testing.assert_array_equal(grey[1][0], GREY[1])
    np.testing.assert_array_equal(colour[0][0], COLOUR[0].transpose(1, 2, 0))
    assert (grey[1][1], colour[0][1], grey[-1][1]) == (1, 1, 1)
    assert (grey.image_shape, colour.image_shape) == ((1, 3, 4), (3, 3, 4))
    image = colour.with_transform(ToTensor())[0][0]
    np.testing.assert_array_equal(image, COLOUR[0].astype(np.float32) / np.float32(255))
    assert colour.transform is None
    assert [label for _, label in grey] == [0, 1] and grey.labels().tolist() == [0, 1]


def test_mean_and_deviation_are_measured_if_not_given():
    dataset = ArrayDataset(COLOUR, [0, 1])
    np.testing.assert_allclose(dataset.mean, COLOUR.mean((0, 2, 3)) / 255)
    np.testing.assert_allclose(dataset.std, COLOUR.std((0, 2, 3)) / 255)
    assert ArrayDataset(np.full((1, 2, 2), 7, np.uint8), [0]).std == (1.0,)
    assert ArrayDataset(COLOUR, [0, 1], mean=(1, 2, 3), std=(4, 5, 6)).mean == (1, 2, 3)


def test_float_images_pass():
    dataset = ArrayDataset(np.ones((2, 1, 2, 2), np.float32), [0, 0], transform=ToTensor())
    np.testing.assert_array_equal(dataset[0][0], np.ones((1, 2, 2), np.float32))
    np.testing.assert_array_equal(dataset.batch(np.array([0, 1]))[0], np.ones((2, 1, 2, 2), np.float32))


def test_subsets_pass_on_what_the_dataset_knows():
    dataset = ArrayDataset(COLOUR, [1, 0], classes=["cat", "dog"])
    subset = Subset(dataset, [1])
    assert (len(subset), subset.classes, subset.image_shape, subset.mean) == (1, ("cat", "dog"), (3, 3, 4), dataset.mean)
    assert subset.labels().tolist() == [0] and subset.picture(0)[1] == 0
    changed = subset.with_transform(ToTensor())
    assert changed[0][0].dtype == np.float32 and subset[0][0].dtype == np.uint8
    assert Subset(subset, [0])[0][1] == 0


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_a_random_split_divides_without_overlap(lengths):
    dataset = TensorDataset(np.arange(sum(lengths)))
    parts = random_split(dataset, lengths, np.random.default_rng(1))
    assert [len(part) for part in parts] == lengths
    assert sorted(part[index][0] for part in parts for index in range(len(part))) == list(range(sum(lengths)))
    again = random_split(dataset, lengths, np.random.default_rng(1))
    assert all(np.array_equal(one.indices, two.indices) for one, two in zip(parts, again, strict=True))


@pytest.mark.parametrize(("total", "fractions", "counts"), [(10, [0.5, 0.5], [5, 5]), (11, [0.5, 0.3, 0.2], [6, 3, 2])])
def test_fractions_give_their_rest_to_the_first_parts(total, fractions, counts):
    assert [len(part) for part in random_split(TensorDataset(np.arange(total)), fractions)] == counts


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: ArrayDataset(GREY[0], [0]), ShapeError, r"images uint8 of shape \(3, 4\) must be"),
        (lambda: ArrayDataset(GREY.astype(np.int64), [0, 1]), ShapeError, "images int64"),
        (lambda: ArrayDataset(GREY, [0]), DataError, "1 labels for 2 images"),
        (lambda: ArrayDataset(GREY, [0, 2], classes=["a", "b"]), DataError, "label 2 at position 1 is outside 0..1"),
        (lambda: ArrayDataset(GREY, [0, -1]), DataError, "label -1 at position 1"),
        (lambda: ArrayDataset(GREY, [0.5, 1.0]), DataError, "labels float64 of shape .* must be whole numbers"),
        (lambda: ArrayDataset(GREY, [0, 1])[2], IndexError, "sample 2 of a dataset of 2"),
        (lambda: TensorDataset(), ShapeError, "takes one or more arrays"),
        (lambda: TensorDataset(Tensor(np.zeros(2)), np.zeros(3)), ShapeError, r"not first sizes \[2, 3\]"),
        (lambda: Subset(TensorDataset(np.zeros(2)), [2]), ArgumentError, "index 2 is outside 0..1"),
        (lambda: random_split(range(4), [1, 2]), ArgumentError, r"lengths \[1, 2\] add up to 3, the dataset has 4"),
        (lambda: random_split(range(4), [0.5, 0.6]), ArgumentError, "add up to 1.1, not to 1"),
    ],
)
def test_errors_say_what_to_do(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
