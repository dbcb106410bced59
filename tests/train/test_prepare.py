"""From a config to a run: seeds, starting weights, augmentation."""

import numpy as np
import pytest

from tinycnn import nn
from tinycnn.data import ArrayDataset
from tinycnn.data.transforms import ToTensor
from tinycnn.errors import UsageError
from tinycnn.train import TrainConfig, initialise, prepare

CONFIG = TrainConfig(epochs=1, batch_size=16)


def bytes_of(count: int) -> ArrayDataset:
    images = np.zeros((count, 6, 6), np.uint8)
    images[:, 2:4, 2:4] = 255
    return ArrayDataset(images, np.arange(count) % 3, transform=ToTensor())


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.Flatten(), nn.Linear(128, 3))


def test_everything_follows_from_the_seed(small_net, stripes):
    first, second = prepare(small_net, *stripes, CONFIG), prepare(small_net, *stripes, CONFIG)
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        np.testing.assert_array_equal(one.data, other.data)
    for epoch in (0, 1):
        first.train_loader.set_epoch(epoch)
        second.train_loader.set_epoch(epoch)
        for (images, _), (same, _) in zip(first.train_loader, second.train_loader, strict=True):
            np.testing.assert_array_equal(images.data, same.data)


def test_shifts_move_the_picture_and_lose_nothing_of_it():
    run = prepare(small, bytes_of(48), bytes_of(6), CONFIG.replace(shift=1))
    places = set()
    for images, _ in run.train_loader:
        assert images.shape[1:] == (1, 6, 6)
        np.testing.assert_allclose(images.data.sum((1, 2, 3)), 4.0)
        places |= {tuple(np.argwhere(image[0])[0]) for image in images.data}
    assert places == {(row, column) for row in (1, 2, 3) for column in (1, 2, 3)}
    for images, _ in run.test_loader:
        np.testing.assert_array_equal(images.data[:, 0, 2:4, 2:4], 1.0)


def test_a_data_set_that_varies_already_is_left_alone():
    first = prepare(small, bytes_of(16), bytes_of(6), CONFIG.replace(flip=True)).train_loader.dataset
    assert prepare(small, first, bytes_of(6), CONFIG.replace(shift=2)).train_loader.dataset is first


def test_a_data_set_that_cannot_vary_is_refused(small_net, stripes):
    with pytest.raises(UsageError, match="a TensorDataset cannot take the config's shift; give an ArrayDataset, or a config with shift=0"):
        prepare(small_net, *stripes, CONFIG.replace(shift=1))


@pytest.mark.parametrize(
    ("scheme", "spread"),
    [
        ("xavier", np.sqrt(2 / (9 + 72))),
        ("he", np.sqrt(2 / 9)),
        ("lecun", np.sqrt(1 / 9)),
        ("normal", 0.01),
        ("zeros", 0.0),
    ],
)
def test_each_scheme_draws_weights_of_its_size(scheme, spread):
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Conv2d(8, 200, 3), nn.Flatten(), nn.Linear(800, 3))
    initialise(model, scheme, None)
    assert np.isclose(model[0].weight.data.std(), spread, rtol=0.35, atol=1e-9)
    assert not model[0].bias.data.any()


def test_lsuv_gives_every_layer_unit_variance(small_net, stripes):
    run = prepare(small_net, *stripes, CONFIG.replace(initialisation="lsuv"))
    outputs = []
    run.model[1].activation = None
    run.model[1].register_forward_hook(lambda layer, inputs, output: outputs.append(output.data.var()))
    for images, _ in run.train_loader:
        run.model(images)
    assert np.isclose(np.mean(outputs), 1.0, atol=0.2)


def test_an_unknown_scheme_is_refused(small_net):
    with pytest.raises(UsageError, match="did you mean 'lecun'"):
        initialise(small_net(), "lecum", None)
