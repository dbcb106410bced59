"""study.shape_flow and model_flow: the sizes through a stack, where they stop, and the number behind a flatten."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import models, nn
from tinycnn.errors import ShapeError, UsageError
from tinycnn.study.shape_model import model_flow
from tinycnn.study.shape_stack import parse_stack, shape_flow

LENET = "conv 5x5x6 s1 p2 | tanh | avgpool 2 | conv 5x5x16 | avgpool 2 | flatten | linear 120 | linear 84 | linear 10"


def test_lenet_has_its_numbers():
    flow = shape_flow(LENET, (1, 28, 28))
    assert flow.path() == "1x28x28 -> 6x28x28 -> 6x14x14 -> 16x10x10 -> 16x5x5 -> 400 -> 120 -> 84 -> 10"
    assert sum(step.parameters for step in flow.steps) == 61_706  # FEATURES D01, full C3
    assert flow.flatten_features == 400 and flow.fits and not flow.warnings
    assert "in_features=400" in flow.text()


def test_the_slide_where_maps_shrink_too_fast():
    flow = shape_flow("conv 5x5x6 | relu | conv 5x5x10", (3, 32, 32))  # FEATURES A13: 32 -> 28 -> 24
    assert flow.path() == "3x32x32 -> 6x28x28 -> 10x24x24"
    assert flow.warnings == (
        "layer 3, conv 5x5x10: maps vanish: the height goes 28 -> 24, 4 less each time, and after 5 more like it no further one fits; "
        "padding 2 keeps the size",
    )
    assert not shape_flow("conv 5x5x6 p2 | conv 5x5x10 p2", (3, 32, 32)).warnings


def test_it_stops_with_the_sizes_and_the_fixes():
    flow = shape_flow("conv 5x5x6 | maxpool 2 | conv 7x7x6 | conv 9x9x6", (3, 20, 20))
    assert not flow.fits and len(flow.steps) == 3
    assert flow.failure == ("layer 4, conv 9x9x6: does not fit: kernel 9 > padded height 2; the sizes are 3x20x20 -> 6x16x16 -> 6x8x8 -> 6x2x2")
    assert flow.fixes[0].startswith("padding 4")
    assert flow.text().splitlines()[-1].startswith("  fix")


def test_the_right_number_for_the_linear_layer():
    flow = shape_flow("conv 3x3x8 | flatten | linear 100->10", (1, 8, 8))
    assert "takes 100 numbers but gets 288 = 8*6*6; write in_features=288" in flow.failure
    assert flow.fixes == ("linear 288->10",)
    assert shape_flow("conv 3x3x8 | flatten | linear 288->10", (1, 8, 8)).fits
    assert "write flatten before it, which makes 288 numbers" in shape_flow("conv 3x3x8 | linear 10", (1, 8, 8)).failure


def test_rows_that_are_never_read_are_warned_of():
    flow = shape_flow("maxpool 2", (3, 7, 7))
    assert flow.warnings == ("layer 1, maxpool 2: height, width does not tile: (7 - 2)/2 + 1 = 3.50; rounded down to 3, and row 6 is never read",)


def test_other_layers():
    text = "conv 3 f8 s2 p1 g1\nbn; relu | deconv 4x4x4 s2 p1 | upsample 2"
    text += " | pixelshuffle 2 | pad 1 | adaptiveavgpool 6 | pixelunshuffle 2 | gap | flatten"
    flow = shape_flow(text, (3, 16, 16))
    assert [step.output for step in flow.steps] == [
        (8, 8, 8), (8, 8, 8), (8, 8, 8), (4, 16, 16), (4, 32, 32), (1, 64, 64), (1, 66, 66), (1, 6, 6), (4, 3, 3), (4, 1, 1), (4,),
    ]  # fmt: skip
    assert shape_flow("conv1d 3 f4 same | maxpool1d 2", (2, 9)).path() == "2x9 -> 4x9 -> 4x4"
    assert shape_flow("conv3d 3x3x3x4 | avgpool3d 2 ceil", (1, 8, 8, 9)).path() == "1x8x8x9 -> 4x6x6x7 -> 4x3x3x4"
    mixed = shape_flow("conv1d 3 f8 | conv 3 f8", (3, 32))
    assert "gets 8x30, but a layer of 2 spatial axes takes channels and 2 more" in mixed.failure
    assert "put it before the flatten" in shape_flow("flatten | maxpool 2", (2, 4, 4)).failure


@given(
    kernels=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=3),
    size=st.tuples(st.integers(4, 12), st.integers(4, 12)),
)
def test_the_flow_is_what_a_network_of_these_layers_gives(kernels, size):
    text = " | ".join(f"conv {k}x{k}x2 s{s} p{p}" for k, s, p in kernels)
    flow = shape_flow(text, (2, *size))
    net = nn.Sequential(*[nn.Conv2d(2, 2, k, s, p) for k, s, p in kernels])
    with tinycnn.use_kernels("reference"):
        if flow.fits:
            assert net(np.zeros((1, 2, *size), np.float32)).shape[1:] == flow.steps[-1].output
            assert sum(step.parameters for step in flow.steps) == sum(parameter.data.size for parameter in net.parameters())
        else:
            with pytest.raises(ShapeError):
                net(np.zeros((1, 2, *size), np.float32))


def test_a_network_tells_the_same():
    flow = model_flow(models.lenet5(), (1, 28, 28))
    wrong = model_flow(nn.Sequential(nn.Conv2d(1, 6, 5), nn.Flatten(), nn.Linear(9, 2)), (1, 8, 8))
    assert flow.path() == "1x28x28 -> 6x28x28 -> 6x14x14 -> 16x10x10 -> 16x5x5 -> 400 -> 120 -> 84 -> 10"
    assert sum(step.parameters for step in flow.steps) == 61_706
    assert flow.flatten_features == 400
    assert "(28 + 2*2 - 5)/1 + 1 = 28" in flow.text()
    assert "in_features=96" in wrong.failure and wrong.fixes == ("in_features=96 for the linear layer behind the flatten",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the stack is empty"),
        ("conv 5x5x6 || relu", "layer 2 of the stack is empty"),
        ("bloop 3", "there is no layer 'bloop'"),
        ("conv five", "'five' means nothing here"),
        ("conv 5x5x99999999999", "more than an axis can hold"),
        ("conv 5x5x6 | conv 3", "the number of filters is missing"),
        ("flatten 3", "flatten takes no number"),
        ("relu|" * 2000 + "relu", "write at most 1,000"),
    ],
)
def test_malformed_stacks_are_told_what_to_write(text, words):
    with pytest.raises(UsageError, match=words):
        shape_flow(text, (3, 32, 32))


def test_sizes_that_are_none():
    for size in ((), (3, 0, 3), (3, 2.5, 2), (True, 3, 3)):
        with pytest.raises(ShapeError, match="input_size must be whole numbers"):
            shape_flow("relu", size)
    assert parse_stack("conv 3x5x8 s1,2 p0,1")[0].options == {"kernel_size": (3, 5), "filters": 8, "stride": (1, 2), "padding": (0, 1)}
