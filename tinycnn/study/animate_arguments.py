"""Arrays for convolutions where only their sizes are given: drawn digits, and weights that are easy to multiply by."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import UsageError
from ..functional._sliding import steps

__all__ = ["completed", "require_readable"]

SIZES = ("kernel_size", "input_size", "in_channels", "out_channels")
LARGEST = 64
MOST_ROWS, MOST_COLUMNS = 24, 60  # that fit on a slide at any size worth reading
MOST_PRODUCTS = 40_000  # elements of input and weight multiplied


def completed(name: str, arrays: tuple[Any, ...], options: dict[str, Any], seed: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arrays of a convolution, what is missing drawn: an input of digits, weights from -1 to 2; and the options the operator knows."""
    rank, transposes = int(name[-2]), "transpose" in name
    given = {key: options.pop(key) for key in SIZES if key in options}
    named = dict(zip(("input", "weight", "bias"), arrays[:3], strict=False)) | {
        key: options.pop(key) for key in ("input", "weight", "bias") if key in options
    }
    if "kernel_size" in given and named.get("weight") is not None:
        raise UsageError(f"{name}: kernel_size and weight are both given; the weight's shape decides, so leave kernel_size out")
    if "input_size" in given and named.get("input") is not None:
        raise UsageError(f"{name}: input_size and input are both given; the input's shape decides, so leave input_size out")
    rng = np.random.default_rng(seed)
    channels = _count(name, "in_channels", given.get("in_channels"), _channels(named.get("input"), rank, 1))
    filters = _count(name, "out_channels", given.get("out_channels"), 1)
    groups = options.get("groups", 1)
    size = _sizes(name, "input_size", given.get("input_size", 2 if transposes else 5), rank)
    kernel = _sizes(name, "kernel_size", given.get("kernel_size", 3), rank)
    if named.get("input") is None:
        drawn = rng.integers(0, 10, (1, channels, *size)).astype(np.float64)
        named["input"] = np.arange(1.0, drawn.size + 1).reshape(drawn.shape) if transposes else drawn
    if named.get("weight") is None:
        groups = groups if isinstance(groups, int) and not isinstance(groups, bool) and groups > 0 else 1
        filters = max(filters, groups)
        lead = (channels, filters // groups) if transposes else (filters, max(channels // groups, 1))
        named["weight"] = _weights(rng, (*lead, *kernel))
    if transposes and not arrays and "stride" not in options:
        options["stride"] = 2
    bias = named.get("bias")
    return (named["input"], named["weight"], bias if bias is None or np.ndim(bias) else [bias]), options


def require_readable(name: str, arrays: tuple[Any, ...]) -> None:
    """Refuse what would not fit on a slide before anything is computed with it."""
    sizes = []
    for array in arrays:
        try:
            shape = np.shape(array)
        except ValueError:
            continue  # rows of different lengths, which the arguments' own check words better
        rows, columns = (1, 1, *shape)[-2:]
        if rows > MOST_ROWS or columns > MOST_COLUMNS:
            raise UsageError(
                f"animate: {name} on {rows} x {columns} numbers would not be readable from the back of a lecture hall; take a smaller input, "
                "about 9 x 9"
            )
        sizes.append(int(np.prod(shape)))
    if len(sizes) > 1 and sizes[0] * sizes[1] > MOST_PRODUCTS:
        raise UsageError(f"animate: {name} on {sizes[0]:,} and {sizes[1]:,} numbers has more products than anybody watches; take smaller arrays")


def _weights(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    weights = rng.integers(-1, 3, shape).astype(np.float64)
    return weights if weights.any() else np.ones(shape)


def _channels(array: Any, rank: int, otherwise: int) -> int:
    shape = np.shape(array) if array is not None else ()
    return int(shape[-rank - 1]) if len(shape) > rank else otherwise


def _count(name: str, key: str, value: Any, otherwise: int) -> int:
    if value is None:
        return otherwise
    count = steps(name, key, value, 1)[0]
    if count > 8:
        raise UsageError(f"{name}: {key} {count} is more than fits on a slide; take at most 8")
    return count


def _sizes(name: str, key: str, value: Any, rank: int) -> tuple[int, ...]:
    found = steps(name, key, tuple(value) if isinstance(value, list) else value, rank)
    if max(found) > LARGEST:
        raise UsageError(f"{name}: {key} {max(found)} is more than fits on a slide; take about 9")
    return found
