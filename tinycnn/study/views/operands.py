"""The numbers that a view runs on: the user's, checked; the deck's, or drawn ones, where there are none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np

from ... import functional, kernels
from ...errors import UsageError
from ...functional._sliding import Geometry, convolution_geometry, steps
from ...kernels import sizes
from ...tensor import Tensor
from .filters import FILTERS, IMAGES

__all__ = ["Operands", "convolution_operands", "image_of", "pattern", "reference", "require_few", "weight_of"]

MOST_ELEMENTS = 4096  # of an array that a page shows cell by cell
MOST_PRODUCTS = 60_000  # of all windows together: each is written out
MOST_CELLS = 20_000  # of a matrix
LARGEST = 1e9


def reference(function: Callable[..., Tensor], *arrays: Any, **options: Any) -> np.ndarray:
    """Run an operator with the kernels that define it, which compile nothing."""
    with kernels.use("reference"):
        return function(*arrays, **options).numpy()


def _as_array(view: str, argument: str, value: Any) -> np.ndarray:
    """Finite numbers as float64, few enough to be looked at."""
    array = value.data if isinstance(value, Tensor) else value if isinstance(value, np.ndarray) else None
    if array is None:
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise UsageError(f'{view}: {argument} has rows of different lengths; give every row as many numbers: "5 0 8; 1 9 5"') from error
    if array.dtype.kind not in "biuf":
        raise UsageError(f'{view}: {argument} holds {array.dtype}, not numbers; type them with rows between semicolons: "5 0 8; 1 9 5"')
    if not array.size:
        raise UsageError(f'{view}: {argument} is empty; type its numbers, rows between semicolons: "5 0 8; 1 9 5"')
    if array.size > MOST_ELEMENTS:
        raise UsageError(f"{view}: {argument} has {array.size:,} elements, more than anybody can look at; give at most {MOST_ELEMENTS:,}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise UsageError(f"{view}: {argument} holds infinity or NaN, with which no two sums compare; give finite numbers")
    if np.abs(array).max() > LARGEST:
        raise UsageError(f"{view}: {argument} holds {np.abs(array).max():.3g}, too large for sums to be exact; give numbers up to {LARGEST:g}")
    return array


def _named(view: str, argument: str, name: str, known: dict[str, Any]) -> Any:
    if name not in known:
        close = get_close_matches(name, known, n=3, cutoff=0.5)
        offer = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(known)}"
        raise UsageError(f"{view}: there is no {argument} called {name!r}; {offer}")
    return known[name]


def image_of(view: str, value: Any, otherwise: Any = "deck", argument: str = "input") -> np.ndarray:
    """An image (C, H, W): the user's numbers, or one by its name."""
    value = otherwise if value is None else value
    array = _as_array(view, argument, _named(view, "image", value, IMAGES) if isinstance(value, str) else value)
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim > 3:
        raise UsageError(f"{view}: {argument} has shape {array.shape}; it must be one image, (H, W) or (C, H, W)")
    return array.reshape((1,) * (3 - array.ndim) + array.shape)


def weight_of(view: str, value: Any, kernel_size: Any, channels: int, otherwise: Any, seed: int, groups: int = 1) -> np.ndarray:
    """A weight (C_out, C_in / groups, K_h, K_w): the user's, one by its name, or small whole numbers drawn with a seed."""
    if groups < 1 or channels % groups:
        raise UsageError(f"{view}: groups={groups} does not divide the input's {channels} channel{'s' * (channels > 1)}; use a divisor")
    inputs = channels // groups
    if value is not None and kernel_size is not None:
        raise UsageError(f"{view}: weight and kernel_size are both given; a kernel_size asks for a drawn weight, so give one of them")
    if kernel_size is not None:
        size = steps(view, "kernel_size", kernel_size, 2)
        require_few(view, groups * inputs * math.prod(size), MOST_ELEMENTS, "weights", "give a smaller kernel_size")
        return np.random.default_rng(seed).integers(-2, 4, (groups, inputs, *size)).astype(np.float64)
    value = otherwise if value is None else value
    if isinstance(value, str):
        taps = _named(view, "filter", value, {name: filter[0] for name, filter in FILTERS.items()})
        return np.tile(taps, (groups, inputs, 1, 1))
    array = _as_array(view, "weight", value)
    if array.ndim > 4:
        raise UsageError(f"{view}: weight has shape {array.shape}; it must be (K_h, K_w) or (C_out, C_in / groups, K_h, K_w)")
    if array.ndim == 4:
        return array
    array = array.reshape((1,) * (3 - array.ndim) + array.shape)
    if array.shape[0] == 1 and inputs * groups > 1:
        return np.tile(array, (groups, inputs, 1, 1))  # one filter for all channels
    if array.shape[0] % inputs:
        raise UsageError(
            f"{view}: weight has {array.shape[0]} blocks, but every filter takes {inputs} channels; give a multiple of {inputs} blocks between |"
        )
    return array.reshape(-1, inputs, *array.shape[1:])


def require_few(view: str, count: int, most: int, what: str, fix: str) -> None:
    """Refuse what nobody could look at, before any work."""
    if count > most:
        raise UsageError(f"{view}: this would show {count:,} {what}, at most {most:,} can be looked at; {fix}")


def pattern(shape: tuple[int, ...]) -> np.ndarray:
    """The numbers 1, 2, 3, ... as an upstream gradient: no two are alike, so that no mistake cancels."""
    return np.arange(1.0, math.prod(shape) + 1).reshape(shape)


@dataclass(frozen=True)
class Operands:
    """One convolution of one image: input (C, H, W), weight (C_out, C_in / groups, K_h, K_w), checked options."""

    input: np.ndarray
    weight: np.ndarray
    geometry: Geometry

    @property
    def options(self) -> dict[str, Any]:
        """As `conv2d` takes them."""
        return self.geometry._asdict()

    @cached_property
    def output(self) -> np.ndarray:
        """What `conv2d` answers, (C_out, H_out, W_out)."""
        return reference(functional.conv2d, self.input, self.weight, **self.options)

    @cached_property
    def size(self) -> tuple[int, int]:
        """(H_out, W_out)."""
        return conv_size(self.input.shape[1:], self.weight.shape[2:], self.geometry)

    @cached_property
    def padded(self) -> np.ndarray:
        """The input with its padding, as windows see it."""
        top, bottom, left, right = self.geometry.padding
        mode = "constant" if self.geometry.padding_mode == "zeros" else self.geometry.padding_mode
        return reference(functional.pad, self.input, (left, right, top, bottom), mode=mode)

    @cached_property
    def padded_kinds(self) -> list[str]:
        """Which cells of the padded input are padding."""
        top, bottom, left, right = self.geometry.padding
        inside = np.pad(np.ones(self.input.shape, bool), ((0, 0), (top, bottom), (left, right)))
        return ["" if real else "pad" for real in inside.reshape(-1)]

    def group_of(self, output: int) -> int:
        """The group that an output channel belongs to."""
        return output // (self.weight.shape[0] // self.geometry.groups)

    def read_by(self, output: int, i: int, j: int) -> np.ndarray:
        """Flat places in the padded input that one output element reads, one a tap."""
        _, inputs, height, width = self.weight.shape
        (down, right), (gap_h, gap_w) = self.geometry.stride, self.geometry.dilation
        c, a, b = np.ix_(range(inputs), range(height), range(width))
        channel = self.group_of(output) * inputs + c
        rows, columns = self.padded.shape[1:]
        return (channel * rows + i * down + a * gap_h) * columns + j * right + b * gap_w

    def call(self, operator: str = "conv2d") -> str:
        """The call with its options that are not the defaults."""
        stride, padding, dilation, groups, mode = self.geometry
        words = [f"input {'x'.join(map(str, self.input.shape))}", f"weight {'x'.join(map(str, self.weight.shape))}"]
        words += [f"stride={stride}"] * (stride != (1, 1)) + [f"padding={padding}"] * any(padding) + [f"dilation={dilation}"] * (dilation != (1, 1))
        words += [f"groups={groups}"] * (groups != 1) + [f"padding_mode={mode!r}"] * (mode != "zeros")
        return f"{operator}({', '.join(words)})"


def conv_size(size: tuple[int, ...], kernel: tuple[int, ...], geometry: Geometry) -> tuple[int, int]:
    """(H_out, W_out) of a convolution."""
    around = geometry.padding
    rows, columns = (
        sizes.conv_output_size(
            size[axis], kernel[axis], geometry.stride[axis], around[2 * axis], around[2 * axis + 1], geometry.dilation[axis]
        )
        for axis in range(2)
    )
    return rows, columns


def convolution_operands(
    view: str,
    input: Any,
    weight: Any,
    kernel_size: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    seed: int = 0,
    otherwise: Any = "laplacian",
) -> Operands:
    """Read and check everything that a convolution takes, and that it is small enough to be shown."""
    image = image_of(view, input)
    kernel = weight_of(view, weight, kernel_size, len(image), otherwise, seed, groups)
    geometry = convolution_geometry(view, 2, (1, *image.shape), kernel.shape, None, stride, padding, dilation, groups, padding_mode)
    found = Operands(image, kernel, geometry)
    (top, bottom, left, right), (rows, columns) = geometry.padding, image.shape[1:]
    require_few(
        view, len(image) * (rows + top + bottom) * (columns + left + right), MOST_ELEMENTS, "padded pixels", "give a smaller input or less padding"
    )
    products = kernel.size * math.prod(found.size)
    require_few(view, products, MOST_PRODUCTS, "products", "give a smaller input or kernel, or a larger stride")
    return found
