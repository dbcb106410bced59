"""NaN and infinity: the run stops and names the layer and the reason."""

import numpy as np
import pytest

from tinycnn import functional, nn
from tinycnn.errors import TrainingError
from tinycnn.tensor import Tensor
from tinycnn.train import TrainConfig, locate_non_finite, prepare, train


@pytest.fixture
def batch():
    generator = np.random.default_rng(0)
    return Tensor(generator.standard_normal((6, 1, 4, 4)).astype(np.float32)), Tensor(np.arange(6) % 3)


def net() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))


def test_nan_images(batch):
    batch[0].data[2, 0, 1, 1] = np.nan
    found = locate_non_finite(net(), *batch, functional.cross_entropy)
    assert "is in the images: the data itself holds it" in str(found)


def test_the_first_layer_with_a_bad_parameter(batch):
    model = net()
    model[3].weight.data[0, 0] = np.nan
    found = locate_non_finite(model, *batch, functional.cross_entropy)
    assert (found.layer, found.what) == ("3", "parameter weight")
    model[1].bias.data[0] = np.inf
    found = locate_non_finite(model, *batch, functional.cross_entropy)
    assert (found.layer, found.what) == ("1", "parameter bias")
    assert "learning rate is too high" in found.reason


def test_a_layer_that_takes_the_logarithm_of_zero(batch):
    class Logarithm(nn.Module):
        def forward(self, input):
            return Tensor(np.log(input.data * 0))

    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3), Logarithm())
    found = locate_non_finite(model, *batch, functional.cross_entropy)
    assert (found.layer, found.what) == ("2", "output")
    assert "Logarithm made it of finite values: a logarithm of 0" in found.reason


def test_an_overflow_after_large_values_blames_the_learning_rate(batch):
    model = net()
    model[1].weight.data[...] *= 1e20
    model[3].weight.data[...] = 1e30
    found = locate_non_finite(model, *batch, functional.cross_entropy)
    assert found.layer == "3"
    assert "learning rate is too high" in found.reason


def test_unscaled_images_are_the_likelier_reason(batch):
    batch[0].data[...] = np.abs(batch[0].data) * 1e30
    model = net()
    model[1].weight.data[...] = 1e30
    found = locate_non_finite(model, *batch, functional.cross_entropy)
    assert found.layer == "1"
    assert "are not scaled; divide by 255" in found.reason


def test_a_loss_that_takes_the_logarithm_of_a_probability(batch):
    class Certain(nn.Module):
        def forward(self, input):
            rows = np.zeros((len(input), 3), np.float32)
            rows[:, 0] = 1.0
            return Tensor(rows)

    def log_of_probability(output, target):
        return Tensor(-np.log(output.data[np.arange(len(target)), target.data]).mean())

    found = locate_non_finite(nn.Sequential(Certain()), *batch, log_of_probability)
    assert str(found).startswith("the first NaN or infinity is in the loss: the loss took the logarithm of a probability")


def test_a_bad_gradient(batch):
    model = net()
    for parameter in model.parameters():
        parameter.grad = Tensor(np.zeros(parameter.shape, np.float32))
    model[1].weight.grad.data[0, 0] = np.inf
    found = locate_non_finite(model, *batch, functional.cross_entropy)
    assert (found.layer, found.what) == ("1", "gradient of weight")


def test_a_healthy_net_has_none(batch):
    assert locate_non_finite(net(), *batch, functional.cross_entropy) is None


def test_a_run_with_a_mad_learning_rate_stops_with_the_reason(tmp_path, small_net, stripes):
    config = TrainConfig(epochs=30, batch_size=16, learning_rate=1e18, schedule="constant")
    with pytest.raises(TrainingError, match=r"the loss became (nan|inf|-inf) at step \d+ .*layer .*learning rate is too high"):
        train(*prepare(small_net, *stripes, config), config, show=False, output=tmp_path)
    assert '"event": "end", "reason": "the loss became' in (tmp_path / "log.jsonl").read_text()
