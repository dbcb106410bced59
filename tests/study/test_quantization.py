"""Networks in integers: laws of the scales, folding equal to rounding, each layer to half a step of the floats, and what is refused."""

import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tests.weights.test_published import SHARED, published
from tinycnn import models, nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.study.quantization import (
    CALIBRATIONS,
    Affine,
    Histogram,
    affine_of_range,
    affine_of_weight,
    errors_by_layer,
    fixed_point,
    folded,
    quantization_page,
    quantize,
    trace,
)
from tinycnn.study.quantization.calibration import calibrated
from tinycnn.study.quantization.errors_by_layer import decibels, error_table
from tinycnn.study.quantization.layers import rescaled, shared_fixed_point

ends = st.floats(-1e6, 1e6, allow_nan=False)


@given(first=ends, second=ends, bits=st.integers(2, 8))
def test_a_range_holds_zero_exactly_and_its_ends_to_a_step(first, second, bits):
    found = affine_of_range(min(first, second), max(first, second), bits)
    assert found.low <= found.zero <= found.high
    low, high = found.range
    assert low <= 0 <= high
    if found.scale != 1.0:
        assert low <= min(first, second, 0) + found.scale and high >= max(first, second, 0) - found.scale
    values = np.array([0.0, low, high])
    np.testing.assert_allclose(found.dequantize(found.quantize(values), np.float64), values, atol=1e-9 * max(high - low, 1e-300))


@given(factor=st.floats(1e-8, 1e8))
def test_fixed_point_is_the_factor_to_31_bits(factor):
    multiplier, shift = fixed_point(np.array([factor]))
    assert 0 <= multiplier[0] < 2**31 and 1 <= shift[0] <= 62
    assert abs(int(multiplier[0]) / 2 ** int(shift[0]) / factor - 1) < 2.0**-30
    (large, small), common = shared_fixed_point(factor, factor / 3)
    assert abs(small / 2**common / (factor / 3) - 1) < 2.0**-28 and large >= small


def test_weights_by_channel_and_by_tensor():
    weight, bias = np.array([[2.54, -1.0], [0.0127, 0.0]]), np.zeros(2)
    np.testing.assert_allclose(affine_of_weight(weight, bias, 1.0, True), [0.02, 0.0001])
    np.testing.assert_allclose(affine_of_weight(weight, bias, 1.0, False), [0.02, 0.02])
    # A dead filter's bias must fit 32 bits at its scale.
    dead = affine_of_weight(np.array([[1e-20]]), np.array([0.7]), 0.01, True)
    assert abs(0.7 / (0.01 * dead[0])) <= 2**30


def test_calibrations_by_hand():
    """A thousand numbers in [0, 1] and one far away: minmax keeps it, percentile and mse give it up."""
    x = np.append(np.linspace(0, 1, 100_000), [20.0])
    seen = Histogram()
    seen.widen(x)
    seen.count(x)
    whole, cut, least = (calibrated(seen, name, share=99.9) for name in CALIBRATIONS)
    assert whole.range[1] == pytest.approx(20)
    assert cut.range[1] == pytest.approx(1, abs=0.02)

    def lost(affine):
        return float(((affine.dequantize(affine.quantize(x), np.float64) - x) ** 2).sum())

    assert lost(least) <= min(lost(whole), lost(cut)) * 1.01


class Everything(nn.Module):
    """Each kind of step: strided and grouped convolutions, both ways of a normalisation, a residual, pools, a table, a gate, a concatenation."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4, activation="relu")
        self.second = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.after = nn.BatchNorm2d(4)
        self.before = nn.BatchNorm2d(8)
        self.pool = nn.MaxPool2d(3, 2, 1, ceil_mode=True)
        self.mean = nn.AvgPool2d(2)
        self.gate = tinycnn.ops.SqueezeExcitation(8, 2)
        self.swish = nn.Hardswish()
        self.drop = nn.Dropout()
        self.head = nn.Linear(8, 3)
        random = np.random.default_rng(1)
        for norm in (self.norm, self.after, self.before):
            for tensor, low in ((norm.weight, 0.5), (norm.bias, -0.5), (norm.running_mean, -0.5), (norm.running_var, 0.5)):
                tensor.data[...] = low + random.random(tensor.shape)

    def forward(self, input):
        x = self.norm(self.first(input))
        y = tinycnn.functional.relu6(self.after(self.second(x)) + x)
        z = self.before(tinycnn.cat([self.pool(y), self.swish(self.pool(x))], 1))
        z = self.mean(self.gate(z)[:, :, ::1, :4])
        return self.head(self.drop(z.mean((2, 3))).reshape(len(input), -1) * 2.0)


@pytest.fixture(scope="module")
def everything():
    model = Everything().eval()
    return model, np.random.default_rng(0).standard_normal((6, 2, 9, 8)).astype(np.float32)


def test_the_program_and_its_folding_are_the_network(everything):
    model, images = everything
    program = trace(model, images)
    true = model(tinycnn.Tensor(images)).data
    np.testing.assert_array_equal(program.run(images), true)
    plain = folded(program)
    np.testing.assert_allclose(plain.run(images), true, rtol=1e-4, atol=1e-5)
    operators = [step.operator for step in plain.steps]
    assert "batch_norm" not in operators and "dropout" not in operators
    assert operators.count("conv2d") == 5  # two convolutions, two of the gate, and the normalisation that had none before it


def test_integers_are_near_the_floats_everywhere(everything):
    model, images = everything
    small = quantize(model, images)
    assert small.forms["float"] == 1  # the gate's product
    true, found = model(tinycnn.Tensor(images)).data, small(images).data
    assert decibels(true, found) > 25
    rows = errors_by_layer(small, images)
    assert min(row.alone for row in rows) > 30
    assert all(row.clipped == 0 for row in rows)  # minmax on the same images
    # Any number of images, and the same for each of them.
    np.testing.assert_array_equal(small(images[2:3]).data[0], found[2])
    coarse = quantize(model, images, bits=4)
    assert decibels(true, coarse(images).data) < decibels(true, found) - 10
    assert "alone" in error_table(rows)
    page = quantization_page("<a net>", [("accuracy", "99 %")], rows, [{"ranges": "mse", "scales": "per tensor", "accuracy": "98 %"}])
    assert "&lt;a net&gt;" in page and page.count('class="far"') == len(rows)


def test_a_layer_alone_is_within_a_step(everything):
    """A convolution's operands are the integers; what it adds is half a step of the result and half a step a product of the weights' rounding."""
    _, images = everything
    model = nn.Sequential(nn.Conv2d(2, 3, 3, activation="relu")).eval()
    small = quantize(model, images)
    layer, result = small.layers[0], small.affines[small.program.output]
    source = small.affines[small.program.input]
    q = source.quantize(images)
    weight = layer.weight * layer.weight_scale[:, None, None, None]
    exact = tinycnn.functional.conv2d(source.dequantize(q, np.float64), weight, layer.bias * source.scale * layer.weight_scale).data
    assert np.abs(result.dequantize(layer.run([q])[0], np.float64) - np.clip(exact, 0, result.range[1])).max() <= result.scale / 2 * 1.0001
    assert small.forms == {"int8": 1}


def test_rescaling_keeps_the_numbers():
    q = np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 16, 16)
    one, other = Affine(0.02, 3), Affine(0.05, -10)
    assert np.abs(other.dequantize(rescaled(q, one, other), np.float64) - one.dequantize(q, np.float64)).max() <= 0.025 + 1e-9


def test_per_channel_is_not_worse_where_filters_differ_in_size(everything):
    _, images = everything
    model = nn.Sequential(nn.Conv2d(2, 4, 3)).eval()
    model[0].weight.data[...] *= np.array([1, 0.1, 0.01, 0.001], np.float32).reshape(4, 1, 1, 1)
    true = model(tinycnn.Tensor(images)).data[:, 2:]
    errors = []
    for per_channel in (True, False):
        layer = quantize(model, images, per_channel=per_channel).layers[0]
        weight = layer.weight * layer.weight_scale[:, None, None, None]
        found = tinycnn.functional.conv2d(images.astype(np.float64), weight, layer.bias * layer.source.scale * layer.weight_scale).data[:, 2:]
        errors.append(np.abs(found - true).max())
    assert errors[0] < errors[1] / 5


def test_tables_are_the_operator(everything):
    _, images = everything
    model = nn.Sequential(nn.Hardswish()).eval()
    small = quantize(model, images)
    source, result = small.affines[small.program.input], small.affines[small.program.output]
    real = source.dequantize(source.quantize(images))
    np.testing.assert_array_equal(small.integers(images), result.quantize(model(tinycnn.Tensor(real)).data))
    assert small.forms == {"table": 1}


def test_size_and_words():
    small = quantize(models.lenet5(), np.random.default_rng(0).random((4, 1, 28, 28), np.float32))
    assert small.float_bytes == 4 * 61_706
    assert small.nbytes == 61_470 + 236 * (4 + 8 + 8)  # weights; a filter's bias, multiplier and shift
    assert "7 int8" in repr(small)


class Sneaky(nn.Module):
    """Works something out beside the operators."""

    def forward(self, input):
        return input * float(input.data.mean())


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m, x: quantize(m, x, method="median"), ArgumentError, "no calibration 'median'"),
        (lambda m, x: quantize(m, x, bits=9), ArgumentError, "bits=9 must be 2 to 8"),
        (lambda m, x: quantize(m, x, method="percentile", percentile=40), ArgumentError, "percentile=40"),
        (lambda m, x: quantize(m, x[:1]), ArgumentError, "1 images to calibrate with"),
        (lambda m, x: quantize(m, x, count=1), ArgumentError, "count=1"),
        (lambda m, x: quantize(m, 3), ArgumentError, "images is int"),
        (lambda m, x: quantize(m, x * np.float32(np.inf)), ArgumentError, "finite"),
        (lambda m, x: quantize(m, x)(x[:, :, :5]), ShapeError, "as calibrated, not"),
        (lambda m, x: quantize(Sneaky(), x), ArgumentError, "gives something else for other images"),
        (lambda m, x: trace(m, x[:1]), ArgumentError, "two or more"),
    ],
)
def test_refusals(everything, call, error, words):
    model = nn.Sequential(nn.Conv2d(2, 3, 3)).eval()
    with np.errstate(all="ignore"), pytest.raises(error, match=words):
        call(model, everything[1])


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["mobilenet_v2", "squeezenet1_1", "densenet121", "googlenet", "mobilenet_v3_small", "shufflenet_v2_x0_5"])
def test_every_kind_of_network_converts(name):
    model = models.get_model(name).eval()
    images = np.random.default_rng(0).standard_normal((4, *models.input_size(name))).astype(np.float32)
    small = quantize(model, images)
    assert decibels(model(tinycnn.Tensor(images)).data, small(images).data) > 5


def lost_points(model, calibration, images, labels):
    """Accuracy in per cent of the floats less that of the integers."""

    def accuracy(network):
        answers = [network(tinycnn.Tensor(images[k : k + 250])).data.argmax(1) for k in range(0, len(images), 250)]
        return 100 * float(np.mean(np.concatenate(answers) == labels))

    with tinycnn.no_grad():
        before, after = accuracy(model), accuracy(quantize(model, calibration))
    print(f"{before:.2f} % in floats, {after:.2f} % in integers")
    return before - after


def normalised(photos, mean, std):
    """All images of a data set and their labels."""
    pixels = np.stack([np.asarray(photos[k][0]) for k in range(len(photos))]).astype(np.float32)
    planes = pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2) if pixels.shape[-1] in (1, 3) else pixels
    mean, std = (np.asarray(numbers, np.float32).reshape(-1, 1, 1) for numbers in (mean, std))
    return np.ascontiguousarray((planes / np.float32(255) - mean) / std), np.asarray(photos.labels())


@pytest.mark.exhaustive
def test_lenet5_loses_less_than_a_point():
    from tinycnn.cli.data import open_data
    from tinycnn.train import prepare, recipe, train

    data = open_data("digits")
    config = recipe("lenet5", "digits", seed=0)
    prepared = prepare(models.lenet5, data.learning_set(config), data.test_set(), config)
    train(*prepared, config, show=False)
    calibration = normalised(data.train, data.train.mean, data.train.std)[0][:512]
    assert lost_points(prepared.model.eval(), calibration, *normalised(data.test, data.train.mean, data.train.std)) < 1


@pytest.mark.exhaustive
def test_resnet20_loses_less_than_a_point(tmp_path):
    file = published("cifar_resnet/resnet20-12fca82f.th")
    unpacked = subprocess.run([SHARED / "unpack", tmp_path], capture_output=True, text=True)
    assert unpacked.returncode == 0, unpacked.stderr
    options = {"transform": None, "folder": tmp_path, "allow_download": False}
    train, test = (tinycnn.data.load_dataset("cifar10", train=split, **options) for split in (True, False))
    net = models.resnet20().eval()
    models.load_weights(net, file)
    statistics = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    calibration = normalised(tinycnn.data.Subset(train, range(0, len(train), 98)), *statistics)[0]
    assert lost_points(net, calibration, *normalised(test, *statistics)) < 1
