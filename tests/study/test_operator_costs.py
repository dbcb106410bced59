"""MACs and FLOPs against loops that count, and against the numbers of the course and the papers."""

import math

import numpy as np
import pytest

from tests.study.small_networks import images
from tinycnn import functional as F
from tinycnn import models, nn
from tinycnn.registry import OPERATORS
from tinycnn.study import compare_pair, cost_of, has_formula, layer_memory, record_forward, summary
from tinycnn.study.operator_costs import ELEMENTWISE, MOVES, PASSES, REDUCTIONS


def only_cost(module, *shape):
    calls = record_forward(module, shape).calls
    assert len(calls) == 1
    return cost_of(calls[0])


def counted_macs(input_shape, weight_shape, stride, padding, dilation, groups):
    """One multiplication for every tap, filter and place of a padded image: counted, not computed."""
    taps = np.ones(weight_shape, np.float64)
    x = np.ones(input_shape, np.float64)
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=1)
    return int(F.conv2d(x, taps, stride=stride, dilation=dilation, groups=groups, algorithm="naive").numpy().sum())


@pytest.mark.parametrize("stride, padding, dilation, groups", [(1, 0, 1, 1), (2, 1, 1, 1), (1, 2, 2, 2), (3, 1, 1, 4)])
def test_convolution_counts_every_tap(stride, padding, dilation, groups):
    conv = nn.Conv2d(4, 8, 3, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=False)
    cost = only_cost(conv, 2, 4, 11, 9)
    assert cost.macs == counted_macs((2, 4, 11, 9), (8, 4 // groups, 3, 3), stride, padding, dilation, groups)
    assert cost.flops == 2 * cost.macs


def test_a_formula_evaluates_to_its_number():
    cost = only_cost(nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), 1, 3, 224, 224)
    assert cost.formula == "64*3*7*7 * 112*112"
    assert eval(cost.formula) == cost.macs == 118_013_952
    assert cost.columns == 3 * 7 * 7 * 112 * 112 * 4


@pytest.mark.parametrize(
    "module, shape, macs, flops",
    [
        (nn.Linear(20, 10), (3, 20), 600, 1230),
        (nn.Linear(20, 10, activation="relu"), (1, 20), 200, 420),
        (nn.ConvTranspose2d(4, 6, 3, stride=2, bias=False), (1, 4, 5, 5), 4 * 6 * 9 * 25, 2 * 4 * 6 * 9 * 25),
        (nn.Conv1d(2, 3, 5, bias=False), (1, 2, 9), 3 * 2 * 5 * 5, 2 * 3 * 2 * 5 * 5),
        (nn.MaxPool2d(2), (1, 3, 8, 8), 0, 4 * 3 * 16),
        (nn.AdaptiveAvgPool2d(1), (1, 3, 8, 8), 0, 3 * 64),
        (nn.BatchNorm2d(3), (1, 3, 4, 4), 0, 2 * 48),
        (nn.ReLU(), (2, 5), 0, 10),
        (nn.Sigmoid(), (2, 5), 0, 30),
        (nn.Flatten(), (2, 3, 4), 0, 0),
        (nn.Softmax(1), (2, 5), 0, 50),
        (nn.Dropout(), (2, 5), 0, 0),
    ],
)
def test_costs_of_layers(module, shape, macs, flops):
    cost = only_cost(module, *shape)
    assert (cost.macs, cost.flops) == (macs, flops)


def test_a_residual_costs_additions():
    class Added(nn.Module):
        def forward(self, input):
            return F.conv2d(input, images(3, 3, 1, 1), residual=input)

    cost = only_cost(Added(), 1, 3, 4, 4)
    assert (cost.macs, cost.flops, cost.formula) == (144, 2 * 144 + 48, "3*3*1*1 * 4*4 + residual")


def test_products_and_attention():
    class Products(nn.Module):
        def forward(self, input):
            scores = input @ input.transpose(-1, -2)
            attended = F.scaled_dot_product_attention(input, input, input)
            return scores, attended, F.einsum("bij,bkj->bik", input, input)

    costs = {call.operator: cost_of(call) for call in record_forward(Products(), (2, 7, 5)).calls}
    assert costs["matmul"].macs == costs["einsum"].macs == 2 * 7 * 7 * 5
    assert costs["scaled_dot_product_attention"].macs == 2 * 7 * 7 * (5 + 5)


def test_an_operator_without_formula_says_so():
    class Sorted(nn.Module):
        def forward(self, input):
            return F.sort(input)[0]

    result = summary(Sorted(), (5,))
    assert (result.rows[0].cost.macs, result.rows[0].cost.flops) == (None, None)
    assert any("no formula for sort" in note for note in result.notes)
    assert "?" in result.text()


# What may stay without a formula: costs that depend on values, and what stands behind a network rather than in it.
WITHOUT = {"loss", "boxes", "box_losses", "nms", "overlaps", "roi", "reduction", "index", "grid_sample", "shape"}


def test_every_operator_is_known_or_reported():
    for name, operator in OPERATORS.items():
        assert has_formula(name) or operator.family in WITHOUT, f"{name} of {operator.family} has no formula; add it to operator_costs.py"
    assert not has_formula("nms")


def test_the_tables_name_operators_that_exist():
    extra = {"getitem", "detach"}
    for name in (*ELEMENTWISE, *MOVES, *PASSES, *REDUCTIONS):
        assert name in OPERATORS or name in extra, name


# The numbers of the course


def test_parameters_of_ten_filters():
    assert layer_memory((3, 32, 32), 10, 5, 1, 2, batch=1).parameters == 760
    assert summary(nn.Conv2d(3, 10, 5, padding=2), (3, 32, 32)).parameters == 760


def test_the_memory_exercise():
    exercise = layer_memory()
    assert exercise.parameters == (5 * 5 * 3 + 1) * 200 == 15_200
    assert exercise.macs == 225_000_000
    assert (exercise.output_bytes_image, exercise.output_bytes) == (12_000_000, 1_200_000_000)
    assert (exercise.input_bytes, exercise.columns_bytes) == (18_000_000, 450_000_000)
    text = "\n".join(exercise.lines())
    for words in ("15,200", "225,000,000", "12.0 MB (11.44 MiB)", "1.20 GB (1.118 GiB)", "450 MB", "optimiser state (adam, 2"):
        assert words in text
    recorded = record_forward(nn.Conv2d(3, 200, 5, padding=2), (1, 3, 100, 150)).calls[0]
    assert cost_of(recorded).macs == exercise.macs
    assert recorded.output.nbytes == exercise.output_bytes_image


@pytest.mark.parametrize(
    "options, message",
    [
        ({"filters": 0}, "filters must be a whole number from 1 up, not 0"),
        ({"batch": 1.5}, "batch must be a whole number from 1 up"),
        ({"optimizer": "lion"}, "optimizer 'lion' is not one of none, sgd"),
        ({"input_size": (3, 100)}, "input_size must be"),
    ],
)
def test_refused_exercises(options, message):
    from tinycnn.errors import ArgumentError

    with pytest.raises(ArgumentError, match=f"layer_memory: {message}"):
        layer_memory(**options)


@pytest.mark.parametrize(
    "name, parameters, macs",
    [
        ("separable", (589_824, 67_840), (462_422_016, 53_186_560)),
        ("inception", (1_089_536, 346_112), (854_196_224, 271_351_808)),
        ("gap", (25_089_000, 513_000), (25_088_000, 512_000)),
        ("residual", (73_728, 73_728), (231_211_008, 231_211_008)),
        ("bottleneck", (589_824, 69_632), (462_422_016, 54_591_488)),
    ],
)
def test_pairs(name, parameters, macs):
    pair = compare_pair(name)
    assert (pair.first.parameters, pair.second.parameters) == parameters
    assert (pair.first.macs, pair.second.macs) == macs


def test_residual_costs_only_additions():
    pair = compare_pair("residual")
    assert pair.second.flops - pair.first.flops == 64 * 56 * 56


def test_pooling_saves_memory():
    pair = compare_pair("pooling")
    assert pair.second.parameters == pair.first.parameters
    assert pair.second.memory.kept < 0.6 * pair.first.memory.kept
    assert pair.second.macs < 0.6 * pair.first.macs


def test_an_unknown_pair_is_answered_with_those_there_are():
    from tinycnn.errors import UsageError

    with pytest.raises(UsageError, match="there is no pair 'seperable'; there are separable, bottleneck"):
        compare_pair("seperable")


def test_a_pointwise_convolution_is_a_linear_layer_at_every_pixel():
    x, weight, bias = images(2, 16, 5, 7), images(6, 16), images(6)
    maps = F.conv2d(x, weight[:, :, None, None], bias).numpy()
    rows = F.linear(x.transpose(0, 2, 3, 1), weight, bias).numpy().transpose(0, 3, 1, 2)
    np.testing.assert_allclose(maps, rows, rtol=0, atol=2e-6 * math.sqrt(16))


def test_lenet():
    result = summary(models.lenet5(), (1, 28, 28))
    assert result.parameters == sum(row.parameters for row in result.rows) == 61_706
    # LeCun 1998, section II.B, has 32x32 images and a sparse C3; these are the sums of today's layers, written out.
    assert result.macs == 6 * 25 * 28 * 28 + 16 * 6 * 25 * 10 * 10 + 400 * 120 + 120 * 84 + 84 * 10 == 416_520
