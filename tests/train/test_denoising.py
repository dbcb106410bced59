"""Denoisers learn; the blind spot is blind; losses lead where theory says."""

import dataclasses

import numpy as np
import pytest

import tinycnn
from tinycnn import Tensor, nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models.restoration import CareUNet, DnCNN, gaussian_noise
from tinycnn.train.denoising import PatchPlan, random_patches, restore, score_denoiser, train_denoiser, train_noise2void
from tinycnn.train.loss_means import edge_pictures, loss_means_experiment, window_loss
from tinycnn.train.noise2void import CASES, noise2void_experiment

TINY = PatchPlan(steps=25, batch_size=2, patch=16, learning_rate=1e-2)
LONGER = dataclasses.replace(TINY, steps=150, batch_size=4)


def waves(size=32):
    return (0.5 + 0.4 * np.sin(np.arange(size) / 4)[:, None] * np.cos(np.arange(size) / 5)).astype(np.float32)


def test_patches_are_cut_from_the_images_and_follow_the_seed():
    image = np.arange(15 * 20, dtype=np.float64).reshape(15, 20)
    patches = random_patches([image], 5, 20, np.random.default_rng(3))
    np.testing.assert_array_equal(patches, random_patches([image], 5, 20, np.random.default_rng(3)))
    for patch in patches[:, 0]:
        # However it is turned, its pixels are a square of the image.
        rows, columns = np.unique(patch // 20), np.unique(patch % 20)
        assert len(rows) == len(columns) == 5 and rows.max() - rows.min() == 4 and columns.max() - columns.min() == 4
    with pytest.raises(ShapeError, match="at least 16x16, got \\(1, 15, 20\\); take a smaller patch"):
        random_patches([image], 16, 1, np.random.default_rng(0))


def test_a_denoiser_learns_and_the_seed_decides():
    def learn():
        model = DnCNN(depth=3, width=8)
        return model, train_denoiser(model, [waves()], gaussian_noise, LONGER)

    tinycnn.manual_seed(1)
    model, run = learn()
    tinycnn.manual_seed(1)
    again, second = learn()
    assert run.losses == second.losses
    assert np.mean(run.losses[-5:]) < 0.6 * (25 / 255) ** 2
    before = score_denoiser(model, [waves()], gaussian_noise)[0]
    assert before.psnr_after > before.psnr_before + 1 and before.ssim_after > before.ssim_before
    assert score_denoiser(again, [np.zeros((20, 20), np.float32), waves()], gaussian_noise)[1] == before
    with pytest.raises(ArgumentError, match="steps and batch_size must be 1 or more, not 0"):
        train_denoiser(model, [waves()], gaussian_noise, PatchPlan(steps=0))


def test_noise2void_never_asks_where_nothing_was_hidden():
    """A network that changes unmasked pixels only is never told so: the loss does not see it."""

    class Watching(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(np.ones(1, np.float32))
            self.seen = []

        def forward(self, images):
            self.seen.append(images.data.copy())
            return images * self.scale

    model = Watching()
    noisy = gaussian_noise(np.full((16, 16), 0.5, np.float32), generator=np.random.default_rng(0))
    run = train_noise2void(model, [noisy], PatchPlan(steps=1, batch_size=1, patch=16), box=4)
    (seen,) = model.seen
    # What was hidden stands nowhere else in the input, so a guess is all it can be.
    hidden = set(noisy.ravel().tolist()) - set(seen.ravel().tolist())
    assert len(hidden) >= 16 and run.losses[0] > 0


def test_noise2void_shows_its_failure():
    found = noise2void_experiment(waves(), plan=TINY, width=4)
    assert [case.name for case in found.cases] == list(CASES)
    white, seen, stripes = found.cases
    assert (found.example.input != found.example.target).sum() == found.example.mask.sum()
    assert np.ptp(stripes.noisy - found.clean, axis=1).max() < 1e-6
    # Without a blind spot the network is on its way to the identity, whose kept share is 1.
    assert white.kept < seen.kept and all(np.isfinite(case.kept) for case in found.cases)


def test_restore_keeps_the_shape():
    model = CareUNet(3, 2).eval()
    image = np.random.default_rng(0).random((3, 9, 14))
    np.testing.assert_allclose(restore(model, image), image, atol=1e-6)
    with pytest.raises(ShapeError, match="give \\(H, W\\) or"):
        restore(model, np.zeros((1, 1, 4, 4)))


def test_losses_lead_to_mean_median_and_mode():
    pictures, shares = edge_pictures(8)
    for found in loss_means_experiment(pictures, shares, draws=100, steps=200):
        assert found.difference < 0.02, found.asks_for
    blurred, sharp = (np.unique(found.expected).size for found in loss_means_experiment(pictures, shares, draws=10, steps=1)[::2])
    assert (blurred, sharp) == (5, 2)  # the mean of sharp edges is a staircase, the mode an edge
    with pytest.raises(ArgumentError, match="which add up to 1"):
        loss_means_experiment(pictures, [0.5, 0.5, 0.5, 0.5])
    with pytest.raises(ArgumentError, match="width must be above 0"):
        window_loss(Tensor(np.zeros(1)), np.zeros((1, 1)), 0.0)
    with pytest.raises(ArgumentError, match="size must be 8 or more"):
        edge_pictures(4)
