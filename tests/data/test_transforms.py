"""Transforms: by hand on small pictures, batches equal to single calls, random ones seeded by their generator alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.data.seeding import sample_generators
from tinycnn.data.transforms import (
    CenterCrop,
    Compose,
    Grayscale,
    Normalize,
    RandomCrop,
    RandomHorizontalFlip,
    Resize,
    ToTensor,
)
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

NINE = np.arange(9, dtype=np.uint8).reshape(3, 3)


def test_to_tensor_moves_the_channels_first_and_scales():
    picture = np.zeros((2, 4, 3), np.uint8)
    picture[1, 2] = [255, 51, 0]
    image = ToTensor()(picture)
    assert image.shape == (3, 2, 4) and image.dtype == np.float32
    np.testing.assert_array_equal(image[:, 1, 2], np.float32([1, 51 / 255, 0]))
    assert ToTensor()(NINE).shape == (1, 3, 3)
    assert ToTensor()(image) is not None and np.array_equal(ToTensor()(image), image)


def test_normalise_is_exact_in_every_channel():
    image = np.stack([np.full((2, 2), value, np.float32) for value in (0.5, 1.0)])
    np.testing.assert_array_equal(Normalize([0.25, 1.0], [0.5, 2.0])(image)[:, 0, 0], [0.5, 0.0])
    assert Normalize([0.5], [0.5])(np.zeros((1, 2, 2))).dtype == np.float64


@pytest.mark.parametrize(("size", "expected"), [(1, [[4]]), (3, NINE.tolist()), ((1, 3), [[3, 4, 5]]), ((3, 1), [[1], [4], [7]])])
def test_center_crop_by_hand(size, expected):
    assert CenterCrop(size)(NINE).tolist() == expected


def test_random_crop_reaches_every_place_equally():
    crop = RandomCrop(2, padding=1)
    generator = np.random.default_rng(0)
    framed = np.pad(NINE, 1)
    places = {framed[i : i + 2, j : j + 2].tobytes(): 0 for i in range(4) for j in range(4)}
    for _ in range(3200):
        places[crop(NINE, generator).tobytes()] += 1
    # Binomial(3200, 1/16): mean 200, standard deviation 13.7; five of those.
    assert len(places) == 16 and all(abs(count - 200) < 69 for count in places.values())


def test_flip_by_hand_and_by_chance():
    assert RandomHorizontalFlip(1.0)(NINE)[0].tolist() == [2, 1, 0]
    assert RandomHorizontalFlip(0.0)(NINE)[0].tolist() == [0, 1, 2]
    generator = np.random.default_rng(0)
    mirrored = sum(int(RandomHorizontalFlip(0.25)(NINE, generator)[0, 0] == 2) for _ in range(1600))
    assert abs(mirrored - 400) < 5 * 17.4


def test_resize_by_hand():
    assert Resize((1, 1))(np.array([[10, 20], [30, 40]], np.uint8)).tolist() == [[25]]
    assert Resize(4)(np.zeros((8, 16, 3), np.uint8)).shape == (4, 8, 3)
    assert Resize((5, 7))(np.zeros((3, 8, 8), np.float32)).shape == (3, 5, 7)


def test_grey_by_hand():
    red, green, blue = np.eye(3, dtype=np.uint8) * 255
    picture = np.stack([red, green, blue])[None]
    # 0.299 * 255 = 76.2, 0.587 * 255 = 149.7, 0.114 * 255 = 29.1
    assert Grayscale()(picture)[0, :, 0].tolist() == [76, 150, 29]
    assert Grayscale()(NINE) is not None and np.array_equal(Grayscale()(NINE), NINE)


@given(st.integers(0, 2**32), st.sampled_from([1, 3]), st.booleans())
def test_a_batch_has_the_bits_of_single_calls(seed, channels, as_float):
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (5, channels, 9, 8), dtype=np.uint8)
    steps = [
        RandomCrop((8, 7), padding=2, fill=0),
        RandomHorizontalFlip(),
        CenterCrop((7, 6)),
        Resize((6, 6)),
        Grayscale(),
        ToTensor(),
        Normalize([0.3], [0.7]),
    ]
    transform = Compose([ToTensor(), *steps] if as_float else steps)
    assert transform.random and transform.can_batch
    many = transform.batch(images, sample_generators(seed, 3, np.arange(5)))
    for index, image in enumerate(images):
        picture = image[0] if channels == 1 else image.transpose(1, 2, 0)
        alone = transform(picture, sample_generators(seed, 3, np.array([index]))[0])
        np.testing.assert_array_equal(alone, many[index])


def test_inputs_are_never_changed():
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    before = picture.copy()
    steps = [RandomCrop(4, padding=1), RandomHorizontalFlip(1.0), ToTensor(), Normalize([0, 0, 0], [1, 1, 1])]
    for step in (*steps[:3], Compose(steps)):
        step(picture, np.random.default_rng(0))
        step.batch(picture.transpose(2, 0, 1)[None].copy(), [np.random.default_rng(0)])
        np.testing.assert_array_equal(picture, before)


def test_compose_takes_plain_functions_one_image_at_a_time():
    transform = Compose([np.flipud, ToTensor()])
    assert transform(NINE)[0, 0, 0] == np.float32(6) / np.float32(255)
    assert not transform.can_batch and not transform.random
    with pytest.raises(ArgumentError, match=r"flipud.* is not a Transform, so it works on one image at a time only"):
        transform.batch(NINE[None, None])


def test_repr_shows_the_call():
    assert repr(RandomCrop(32, padding=4)) == "RandomCrop(size=(32, 32), padding=4, fill=0)"


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: ToTensor()(np.zeros(3, np.uint8)), ShapeError, r"ToTensor: uint8 of shape \(3,\) is neither"),
        (lambda: ToTensor()(np.zeros((3, 3), np.int64)), ShapeError, "ToTensor: int64"),
        (lambda: RandomCrop(2)(np.zeros((3, 8, 8), np.uint8)), ShapeError, r"RandomCrop: uint8 of shape \(3, 8, 8\)"),
        (lambda: Normalize([0.5], [0.5])(NINE), DtypeError, r"put ToTensor\(\) before it"),
        (lambda: Normalize([0, 0], [1, 1])(ToTensor()(NINE)), ShapeError, "for 2 channels, the image .* has 1"),
        (lambda: Normalize([0, 0], [1]), ArgumentError, "mean has 2 and std 1 numbers"),
        (lambda: Normalize([0], [0]), ArgumentError, r"std \(0.0,\) must be above zero"),
        (lambda: CenterCrop(0), ArgumentError, "CenterCrop: size 0 must be one whole number above zero"),
        (lambda: CenterCrop((1, 2, 3)), ArgumentError, r"CenterCrop: size \(1, 2, 3\) must be"),
        (lambda: CenterCrop(4)(NINE), ShapeError, "CenterCrop: an image of 3x3 is smaller than 4x4; use Resize first"),
        (lambda: RandomCrop(9, padding=2)(NINE), ShapeError, "RandomCrop: an image of 3x3 with padding 2 is smaller"),
        (lambda: RandomCrop(9, padding=-1), ArgumentError, "RandomCrop: padding -1 must be a whole number"),
        (lambda: RandomHorizontalFlip(1.5), ArgumentError, "p 1.5 must be a probability from 0 to 1"),
        (lambda: Resize(-3), ArgumentError, "Resize: size -3 must be"),
        (lambda: Grayscale()(np.zeros((2, 4, 4), np.float32)), ShapeError, "Grayscale: takes 1 or 3 channels, not 2"),
    ],
)
def test_errors_say_what_to_do(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
