"""Denoisers, the autoencoder, noise by its law, and the blind spot."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, models, no_grad
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.gradcheck import gradcheck
from tinycnn.models import restoration
from tinycnn.nn import Conv2d

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
seeds = st.integers(0, 2**32 - 1)


def random_state(model, seed=0):
    draw = np.random.default_rng(seed)
    model.load_state_dict({key: Tensor(draw.normal(0, 0.3, value.shape).astype(value.dtype)) for key, value in model.state_dict().items()})
    return model


def test_dncnn_by_its_table():
    model = models.get_model("dncnn")
    keys = list(model.state_dict())
    assert keys[:3] == ["model.0.weight", "model.0.bias", "model.2.weight"] and keys[-1] == "model.32.bias"
    # 1 -> 64, 15 of 64 -> 64, 64 -> 1, each 3x3 with biases
    assert sum(parameter.numel() for parameter in model.parameters()) == 64 * 10 + 15 * 64 * 577 + 577
    trained = restoration.DnCNN(depth=5, width=3, batch_norm=True)
    assert sum(parameter.numel() for parameter in trained.parameters()) == 30 + 3 * (81 + 6) + 28
    assert models.list_models("restoration") == ["care_unet", "conv_autoencoder", "dncnn"]


def test_dncnn_takes_the_noise_off():
    model = random_state(restoration.DnCNN(2, depth=3, width=3).double()).eval()
    image = Tensor(np.random.default_rng(1).random((1, 2, 5, 6)))
    first, second, third = (layer for layer in model.modules() if isinstance(layer, Conv2d))
    np.testing.assert_allclose(model(image).data, image.data - model.noise(image).data)
    expected = image - third(second(first(image)))  # the ReLUs lie in the first two
    np.testing.assert_allclose(model(image).data, expected.data)


@pytest.mark.parametrize("size", [(8, 8), (7, 5)])
def test_care_unet_starts_as_the_identity_and_has_gradients(size):
    model = restoration.CareUNet(1, 2, 2).double()
    image = np.random.default_rng(0).random((1, 1, *size))
    np.testing.assert_array_equal(model(Tensor(image)).data, image)
    random_state(model)
    assert gradcheck(lambda x: model(x), [Tensor(image, requires_grad=True)])


def test_the_autoencoder_has_a_code_and_draws_from_it():
    model = random_state(restoration.ConvAutoencoder(1, 3, 2, 2))
    images = Tensor(np.random.default_rng(0).random((2, 1, 8, 12), np.float32))
    code = model.encode(images)
    assert code.shape == (2, 3, 2, 3)
    answer = model(images)
    np.testing.assert_array_equal(answer.data, model.decode(code).data)
    assert answer.shape == images.shape and 0 <= answer.data.min() <= answer.data.max() <= 1
    with pytest.raises(ArgumentError, match="images of 8x10 do not halve 2 times; make the sides multiples of 4"):
        model.encode(Tensor(np.zeros((1, 1, 8, 10), np.float32)))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: restoration.DnCNN(depth=1), "dncnn: needs depth >= 2"),
        (lambda: restoration.CareUNet(width=0), "care_unet: needs depth, width and in_channels of 1 or more"),
        (lambda: restoration.ConvAutoencoder(code_channels=0), "conv_autoencoder: in_channels, code_channels, width and depth must be 1 or more"),
    ],
)
def test_networks_refuse_sizes_that_leave_nothing(build, words):
    with pytest.raises(ArgumentError, match=words):
        build()


def test_noise_has_the_moments_of_its_law():
    draw = np.random.default_rng(0)
    half = np.full((200, 200), 0.5)
    white = restoration.gaussian_noise(half, 0.2, generator=draw)
    assert abs(white.mean() - 0.5) < 0.005 and abs(white.std() - 0.2) < 0.005
    counted = restoration.poisson_noise(half, 20.0, generator=draw)
    assert abs(counted.mean() - 0.5) < 0.005 and abs(counted.var() - 0.5 / 20) < 0.001
    np.testing.assert_allclose(counted * 20, np.round(counted * 20), atol=1e-9)
    lost = restoration.salt_and_pepper(half, 0.3, salt=0.25, generator=draw)
    assert abs((lost == 1).mean() - 0.075) < 0.01 and abs((lost == 0).mean() - 0.225) < 0.01
    rows = restoration.stripe_noise(np.zeros((300, 7)), 0.2, generator=draw)
    assert np.ptp(rows, axis=1).max() == 0 and abs(rows.std() - 0.2) < 0.03
    assert np.ptp(restoration.stripe_noise(np.zeros((3, 7)), 0.2, axis="columns", generator=draw), axis=0).max() == 0


@given(seeds, st.sampled_from(sorted(restoration.NOISES)))
def test_noise_keeps_shape_and_dtype_and_follows_the_seed(seed, name):
    images = np.random.default_rng(seed).random((2, 3, 4), np.float32)
    one, other = (restoration.add_noise(name, images, generator=np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert one.shape == images.shape and one.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: restoration.gaussian_noise(np.zeros((2, 2), np.uint8)), DtypeError, "give floats from 0 to 1, such as images / 255"),
        (lambda: restoration.gaussian_noise(np.zeros(3)), ShapeError, "must have a height and a width"),
        (lambda: restoration.gaussian_noise(np.zeros((2, 2)), -1), ArgumentError, "sigma must be a finite number of 0 or more, not -1"),
        (lambda: restoration.poisson_noise(np.zeros((2, 2)), 0), ArgumentError, "needs peak > 0"),
        (lambda: restoration.poisson_noise(np.full((2, 2), -0.5)), ArgumentError, "least brightness -0.5"),
        (lambda: restoration.salt_and_pepper(np.zeros((2, 2)), 2), ArgumentError, "amount must be a finite number from 0 to 1"),
        (lambda: restoration.stripe_noise(np.zeros((2, 2)), axis="row"), ArgumentError, "neither \"rows\" nor \"columns\""),
        (lambda: restoration.add_noise("snow", np.zeros((2, 2))), ArgumentError, "there is no noise 'snow'; there are gaussian"),
        (lambda: restoration.blind_spot_batch(np.zeros((1, 1, 8, 8)), box=1), ArgumentError, "needs box >= 2"),
        (lambda: restoration.blind_spot_batch(np.zeros((8, 8))), ShapeError, "must be \\(N, C, H, W\\) of at least 2x2"),
        (lambda: restoration.blind_spot_batch(np.zeros((1, 1, 8, 8), int)), DtypeError, "give floats, such as patches / 255"),
        (lambda: restoration.stratified_pixels(0, 1, 2), ArgumentError, "must be 1 or more"),
        (lambda: restoration.masked_mse_loss(np.zeros(2), np.zeros(3), np.zeros(2)), ShapeError, "must have one shape"),
        (lambda: restoration.masked_mse_loss(np.zeros(2), np.zeros(2), np.zeros(2)), ArgumentError, "hides no pixel"),
    ],
)
def test_refusals(call, error, words):
    with pytest.raises(error, match=words):
        call()


@given(seeds, st.integers(2, 20), st.integers(2, 20), st.integers(2, 6), st.integers(1, 3))
def test_the_blind_spot_law(seed, height, width, box, radius):
    patches = np.random.default_rng(seed).permutation(2 * height * width).reshape(2, 1, height, width).astype(np.float64)
    batch = restoration.blind_spot_batch(patches, box=box, radius=radius, generator=np.random.default_rng(seed))
    np.testing.assert_array_equal(batch.target, patches)
    np.testing.assert_array_equal(batch.input != patches, batch.mask == 1)
    for n in range(2):
        hidden = np.argwhere(batch.mask[n, 0] == 1)
        squares = {tuple(cell) for cell in hidden // box}
        assert len(squares) == len(hidden)  # stratified: at most one a square
        for row, column in hidden:
            # All values differ, so where a replacement comes from is known: a neighbour that is not hidden itself.
            ((y, x),) = np.argwhere(patches[n, 0] == batch.input[n, 0, row, column])
            assert max(abs(y - row), abs(x - column)) <= radius and batch.mask[n, 0, y, x] == 0


def test_the_output_at_a_hidden_pixel_does_not_see_its_value():
    model = random_state(restoration.CareUNet(1, 2, 2, residual=False).double())
    patches = np.random.default_rng(0).random((1, 1, 16, 16))
    batch = restoration.blind_spot_batch(patches, box=4, generator=np.random.default_rng(7))
    other = np.where(batch.mask == 1, 0.123, patches)
    again = restoration.blind_spot_batch(other, box=4, generator=np.random.default_rng(7))
    np.testing.assert_array_equal(batch.mask, again.mask)
    with no_grad():
        np.testing.assert_array_equal(model(Tensor(batch.input)).data, model(Tensor(again.input)).data)
    # A replacement that may be the pixel itself breaks it, sooner or later.
    seen = [restoration.blind_spot_batch(patches, box=4, radius=1, with_centre=True, generator=np.random.default_rng(k)) for k in range(5)]
    assert any(((batch.input == patches) & (batch.mask == 1)).any() for batch in seen)


def test_the_loss_and_its_gradient_are_of_hidden_pixels_only():
    draw = np.random.default_rng(0)
    target, mask = draw.random((2, 1, 4, 4)), (draw.random((2, 1, 4, 4)) < 0.3).astype(np.float64)
    x = Tensor(draw.random((2, 1, 4, 4)), requires_grad=True)
    loss = restoration.masked_mse_loss(x, target, mask)
    hidden = mask == 1
    np.testing.assert_allclose(loss.item(), np.mean((x.data[hidden] - target[hidden]) ** 2))
    loss.backward()
    assert not x.grad.data[~hidden].any()
    np.testing.assert_allclose(x.grad.data[hidden], 2 * (x.data - target)[hidden] / hidden.sum())


@pytest.mark.exhaustive
@pytest.mark.skipif(not (SHARED / "weights" / "dncnn").is_dir(), reason="the published weights are not on this machine")
def test_dncnn_gives_the_papers_decibels_on_set12():
    from tinycnn.data import read_picture
    from tinycnn.models import load_weights
    from tinycnn.train.denoising import score_denoiser
    from tinycnn.weights import load

    model = models.get_model("dncnn")
    load_weights(model, load(SHARED / "weights" / "dncnn" / "dncnn_25.pth"))
    images = [read_picture(path, "L") / np.float32(255) for path in sorted((SHARED / "denoise" / "Set12").glob("*.png"))]
    scores = score_denoiser(model.eval(), images, restoration.gaussian_noise)
    assert len(scores) == 12 and np.mean([score.psnr_after for score in scores]) >= 30.44  # the paper's table III has 30.436
