"""Erasing, colour, warps and mixing: by hand on small images, their laws, and independence of workers and batches."""

import numpy as np
import pytest

from tinycnn.data import ArrayDataset, DataLoader
from tinycnn.data.seeding import sample_generators
from tinycnn.data.transforms import (
    ColorJitter,
    Compose,
    CutMix,
    Cutout,
    ElasticTransform,
    MixUp,
    RandomAffine,
    RandomChannelPermutation,
    RandomChoice,
    RandomErasing,
    RandomInvert,
    RandomRotation,
    ToTensor,
)
from tinycnn.data.transforms.colour import adjust, turn_hue
from tinycnn.errors import ArgumentError, ShapeError

PICTURES = np.random.default_rng(0).integers(0, 256, (9, 3, 12, 10), dtype=np.uint8)
EVERY = {
    "erasing": RandomErasing(0.7),
    "cutout": Cutout(5),
    "colour": ColorJitter(0.4, 0.4, 0.4, 0.1),
    "channels": RandomChannelPermutation(),
    "negative": RandomInvert(),
    "rotation": RandomRotation(30, "bilinear"),
    "affine": RandomAffine(10, (0.1, 0.2), (0.8, 1.2), 5),
    "elastic": ElasticTransform(20.0, 3.0),
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("floats", [False, True])
def test_a_batch_has_the_bits_of_single_calls_and_leaves_its_input_alone(name, floats):
    transform = EVERY[name]
    images = ToTensor().batch(PICTURES) if floats else PICTURES
    before = images.copy()
    batch = transform.batch(images, sample_generators(1, 2, np.arange(9)))
    np.testing.assert_array_equal(images, before)
    assert batch.dtype == images.dtype and batch.shape == images.shape
    assert (batch != images).any()
    for number, generator in enumerate(sample_generators(1, 2, np.arange(9))):
        single = images[number] if floats else images[number].transpose(1, 2, 0)
        alone = transform(single, generator)
        np.testing.assert_array_equal(batch[number], alone if floats else alone.transpose(2, 0, 1))


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_no_bit_of_augmented_and_mixed_batches(workers):
    dataset = ArrayDataset(PICTURES, np.arange(9) % 3, transform=Compose([*EVERY.values(), ToTensor()]))

    def bits(count):
        mix = RandomChoice([MixUp(alpha=0.5, num_classes=3), CutMix(num_classes=3)])
        loader = DataLoader(dataset, 4, True, num_workers=count, generator=np.random.default_rng(3), batch_transform=mix)
        return [tuple(part.numpy().tobytes() for part in batch) for _ in range(2) for batch in loader]

    expected = bits(0)
    assert bits(workers) == expected
    assert expected[:3] != expected[3:]


def test_erasing_covers_the_share_it_was_asked_for():
    erase, ones = RandomErasing(0.5, (0.1, 0.2), (0.5, 2.0)), np.ones((1, 40, 40), np.float32)
    shares = np.array([1 - erase(ones, np.random.default_rng(seed)).mean() for seed in range(300)])
    hit = shares[shares > 0]
    # Binomial(300, 1/2): standard deviation 8.7; five of those. Rounding moves an edge by half a pixel of 9 to 25.
    assert abs(len(hit) - 150) < 44
    assert 0.08 < hit.min() < 0.12 and 0.18 < hit.max() < 0.22


def test_cutout_is_a_square_cut_at_the_border():
    areas = {int((1 - Cutout(4)(np.ones((1, 8, 8), np.float32), np.random.default_rng(seed))).sum()) for seed in range(400)}
    assert max(areas) == 16 and min(areas) == 4
    assert areas <= {rows * columns for rows in (2, 3, 4) for columns in (2, 3, 4)}


def test_colour_by_hand():
    grey = np.full((3, 2, 2), 0.5, np.float32)
    np.testing.assert_allclose(adjust(grey, "brightness", 1.5), 0.75)
    np.testing.assert_allclose(adjust(grey, "contrast", 3.0), 0.5, atol=1e-6)
    np.testing.assert_allclose(adjust(grey, "saturation", 0.0), 0.5, atol=1e-3)
    red = np.array([1.0, 0, 0], np.float32).reshape(3, 1, 1)
    np.testing.assert_allclose(turn_hue(red, 1 / 3).ravel(), [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(turn_hue(red, -1 / 3).ravel(), [0, 0, 1], atol=1e-6)
    image = np.random.default_rng(0).random((3, 5, 5))
    np.testing.assert_allclose(turn_hue(turn_hue(image, 0.2), -0.2), image, atol=1e-12)


def test_no_strength_changes_nothing():
    image = np.random.default_rng(0).random((3, 7, 6)).astype(np.float32)
    for transform in (ColorJitter(), RandomRotation(0), RandomAffine(0), ElasticTransform(0.0)):
        np.testing.assert_array_equal(transform(image, np.random.default_rng(0)), image)


def test_channels_come_in_every_order_and_negatives_as_often_as_asked():
    draw = np.random.default_rng(0)
    pixel = np.array([[[1, 2, 3]]], np.uint8)
    orders = {tuple(RandomChannelPermutation()(pixel, draw).ravel().tolist()) for _ in range(60)}
    assert sorted(orders) == [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)]
    image = np.full((3, 2, 2), 0.25, np.float32)
    negatives = [RandomInvert(0.3)(image, draw)[0, 0, 0] for _ in range(1000)]
    assert set(negatives) == {np.float32(0.25), np.float32(0.75)} and 0.24 < np.mean(np.array(negatives) == 0.75) < 0.36
    for p, expected in ((0, image), (1, 1 - image)):
        np.testing.assert_array_equal(RandomInvert(p)(image, draw), expected)


def test_rotation_and_shift_by_hand():
    nine = np.arange(9, dtype=np.uint8).reshape(3, 3)
    np.testing.assert_array_equal(RandomRotation((90, 90))(nine, np.random.default_rng(0)), np.rot90(nine))
    np.testing.assert_array_equal(RandomRotation((180, 180), "bilinear")(nine, np.random.default_rng(0)), nine[::-1, ::-1])
    half = RandomAffine(0, scale=(2.0, 2.0), interpolation="bilinear")(nine, np.random.default_rng(0))
    assert half[1, 1] == 4 and half[0, 0] == 2 and half[2, 2] == 6


def test_an_elastic_deformation_moves_pixels_a_little_and_keeps_values():
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 10:18, 10:18] = 1
    bent = ElasticTransform(34.0, 4.0)(image, np.random.default_rng(0))
    assert bent.min() >= 0 and bent.max() <= 1
    assert 40 < bent.sum() < 90 and (bent != image).any()


def test_mixup_targets_are_the_shares_of_the_images():
    images = np.eye(5, dtype=np.float32).reshape(5, 5, 1, 1)
    mixed, targets = MixUp(alpha=0.4, num_classes=5)(images, np.arange(5), np.random.default_rng(1))
    np.testing.assert_allclose(mixed.reshape(5, 5), targets, atol=1e-7)
    assert targets.dtype == np.float32 and (np.count_nonzero(targets, 1) == 2).all()
    again = MixUp(alpha=0.4, num_classes=5)(images, targets, np.random.default_rng(1))[1]
    np.testing.assert_allclose(again.sum(1), 1, atol=1e-6)


def test_cutmix_targets_are_the_area_left_and_boxes_reach_all_sizes():
    images = np.stack([np.full((1, 16, 16), value, np.float32) for value in (0, 1)])
    shares = []
    for seed in range(200):
        mixed, targets = CutMix(num_classes=2)(images, np.array([0, 1]), np.random.default_rng(seed))
        np.testing.assert_allclose(mixed.mean((1, 2, 3)), targets[:, 1], atol=1e-6)
        shares.append(targets[0, 0])
    assert min(shares) < 0.2 and max(shares) > 0.95


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: RandomErasing(1.5), ArgumentError, "RandomErasing: p 1.5 must be a probability"),
        (lambda: RandomErasing(scale=(0.5, 0.1)), ArgumentError, r"scale \(0.5, 0.1\) must be two shares"),
        (lambda: RandomErasing(ratio=(0, 1)), ArgumentError, r"ratio \(0, 1\) must be two numbers"),
        (lambda: Cutout(0), ArgumentError, "Cutout: size 0 must be a whole number of pixels above zero"),
        (lambda: ColorJitter(-1), ArgumentError, "brightness -1 must be 0 or more"),
        (lambda: ColorJitter(hue=0.7), ArgumentError, "hue 0.7 must lie from 0 to 0.5 turns"),
        (lambda: ColorJitter(contrast=(2, 1)), ArgumentError, "contrast from 2.0 to 1.0 must lie between"),
        (lambda: ColorJitter(1)(np.zeros((2, 4, 4), np.float32)), ShapeError, "takes 1 or 3 channels, not 2"),
        (lambda: RandomInvert(-0.1), ArgumentError, "RandomInvert: p -0.1 must be a probability from 0 to 1"),
        (lambda: RandomRotation(-5), ArgumentError, "RandomRotation: degrees -5 must be 0 or more"),
        (lambda: RandomRotation(5, "cubic"), ArgumentError, "interpolation 'cubic' must be one of nearest, bilinear"),
        (lambda: RandomAffine((5, 1)), ArgumentError, "degrees from 5.0 to 1.0 is empty"),
        (lambda: RandomAffine(5, (2, 0)), ArgumentError, "translate .* must be two shares"),
        (lambda: RandomAffine(5, scale=(0, 1)), ArgumentError, "scale .* must be two numbers"),
        (lambda: ElasticTransform(-1.0), ArgumentError, "needs alpha >= 0 and sigma > 0"),
        (lambda: MixUp(alpha=0, num_classes=3), ArgumentError, "MixUp: alpha 0 must be above zero"),
        (lambda: CutMix(num_classes=0), ArgumentError, "CutMix: num_classes 0 must be"),
        (lambda: MixUp(num_classes=2)(np.zeros((2, 1, 2, 2), np.float32), np.array([0, 2])), ArgumentError, "labels from 0 to 2 do not fit"),
        (lambda: MixUp(num_classes=2)(np.zeros((2, 1, 2, 2), np.uint8), np.array([0, 1])), ShapeError, "takes float images"),
        (lambda: RandomChoice([]), ArgumentError, "needs at least one transform"),
    ],
)
def test_errors_say_what_to_do(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
