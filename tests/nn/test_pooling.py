"""Layers of pooling, unpooling and padding: each is its function with the options kept."""

import numpy as np
import pytest

from tinycnn import functional as F
from tinycnn import nn
from tinycnn.errors import ArgumentError

SPATIAL = (7, 6, 5)
AXES = [1, 2, 3]


def example(axes):
    return np.random.default_rng(0).uniform(0.5, 1.0, (2, 3, *SPATIAL[:axes]))


@pytest.mark.parametrize("axes", AXES)
def test_pools(axes):
    x = example(axes)
    cases = [
        (f"MaxPool{axes}d", f"max_pool{axes}d", (3, 2, 1, 1), {"ceil_mode": True}),
        (f"AvgPool{axes}d", f"avg_pool{axes}d", (3, 2, 1), {"ceil_mode": True, "count_include_pad": False}),
        (f"LPPool{axes}d", f"lp_pool{axes}d", (2, 3), {"stride": 2}),
        (f"AdaptiveMaxPool{axes}d", f"adaptive_max_pool{axes}d", (3,), {}),
        (f"AdaptiveAvgPool{axes}d", f"adaptive_avg_pool{axes}d", (3,), {}),
    ]
    for layer, function, arguments, options in cases:
        module = getattr(nn, layer)(*arguments, **options)
        np.testing.assert_array_equal(module(x).numpy(), getattr(F, function)(x, *arguments, **options).numpy())
        assert layer in repr(module)


@pytest.mark.parametrize("axes", AXES)
def test_indices_lead_back(axes):
    x = example(axes)
    y, index = getattr(nn, f"MaxPool{axes}d")(2, return_indices=True)(x)
    back = getattr(nn, f"MaxUnpool{axes}d")(2)(y, index, output_size=x.shape)
    assert back.shape == x.shape
    np.testing.assert_array_equal(getattr(nn, f"MaxPool{axes}d")(2)(back).numpy(), y.numpy())
    _, flat = getattr(nn, f"AdaptiveMaxPool{axes}d")(1, return_indices=True)(x)
    np.testing.assert_array_equal(flat.numpy().ravel(), x.reshape(6, -1).argmax(1))


@pytest.mark.parametrize("axes", AXES)
def test_pads(axes):
    x = example(axes)
    sides = (1, 2, 0, 3, 2, 1)[: 2 * axes]
    modes = {"Reflection": "reflect", "Replication": "replicate", "Circular": "circular", "Zero": "constant"}
    for kind, mode in modes.items():
        np.testing.assert_array_equal(getattr(nn, f"{kind}Pad{axes}d")(sides)(x).numpy(), F.pad(x, sides, mode).numpy())
    constant = getattr(nn, f"ConstantPad{axes}d")(2, 1.5)
    np.testing.assert_array_equal(constant(x).numpy(), F.pad(x, (2,) * (2 * axes), value=1.5).numpy())
    assert repr(constant) == f"ConstantPad{axes}d(padding={(2,) * (2 * axes)}, value=1.5)"
    with pytest.raises(ArgumentError, match=rf"ZeroPad{axes}d: padding has 3 numbers; give one, or"):
        getattr(nn, f"ZeroPad{axes}d")((1, 2, 3))


@pytest.mark.parametrize("axes", [2, 3])
def test_fractional(axes):
    make = getattr(nn, f"FractionalMaxPool{axes}d")
    y, index = make(2, output_ratio=0.5, return_indices=True)(example(axes))
    assert y.shape == index.shape == (2, 3, *[size // 2 for size in SPATIAL[:axes]])
    for arguments, message in [
        ({"kernel_size": 2}, "output_size and output_ratio are both left out"),
        ({"kernel_size": 2, "output_size": 2, "output_ratio": 0.5}, "only one of output_size and output_ratio may be specified"),
        ({"kernel_size": 2, "output_ratio": 2.0}, r"output_ratio must be between 0 and 1 \(got 2.0\)"),
        ({"kernel_size": 0, "output_size": 2}, "kernel_size must be at least 1"),
    ]:
        with pytest.raises(ArgumentError, match=f"FractionalMaxPool{axes}d: {message}"):
            make(**arguments)
