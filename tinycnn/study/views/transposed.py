"""One transposed convolution in three ways: painting, zeros between the pixels and a flipped filter, and the matrix transposed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import functional
from ...functional._sliding import Geometry, TransposedGeometry, convolution_geometry, transposed_geometry
from ...kernels import sizes
from ..toeplitz import conv2d_matrix
from .convolution import weighted_sum
from .operands import MOST_CELLS, MOST_PRODUCTS, Operands, conv_size, image_of, reference, require_few, weight_of
from .view import Grid, Scene, Step, View, compared, grid, number_text

__all__ = ["transposed"]

IMAGE = np.array([[1.0, 2.0], [3.0, 4.0]])
STROKE = np.arange(1.0, 10.0).reshape(3, 3)  # without symmetry, so that the flip is seen


def transposed(
    input: Any = None,
    weight: Any = None,
    *,
    kernel_size: Any = None,
    stride: Any = 2,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    seed: int = 0,
) -> View:
    """Compute a transposed convolution as scatter-add, as a convolution of a stretched image, and as multiplication by W^T.

    Shapes
    ------
    (C_in, H, W), (C_in, C_out / groups, K_h, K_w) -> (C_out, H_out, W_out); H_out = (H - 1) s - top - bottom + d (K - 1) + 1 + output padding

    Formula
    -------
    Painting: y[o, i s + a d - top, ...] += weight[c, o, a, b] x[c, i, j]. Stretching: conv2d(zeros between the pixels of x, flipped weight),
    padded by d (K - 1) - top. Matrix: W.T @ x.ravel(), W the matrix of the conv2d with these options.

    Parameters
    ----------
    input : array or str, optional
        An image (H, W) or (C_in, H, W); 2 x 2 numbers if left out.
    weight : array or str, optional
        (K_h, K_w) or (C_in, C_out / groups, K_h, K_w); a name as in `FILTERS`; 1 to 9 if left out.
    kernel_size : int or (height, width), optional
        Instead of a weight: small whole numbers drawn with the seed.
    stride, padding, output_padding, dilation, groups
        As in `tinycnn.functional.conv_transpose2d`, in pixels.
    seed : int
        Decides drawn weights.

    Returns
    -------
    View

    Raises
    ------
    UsageError
        As `window`. ShapeError, ArgumentError: as `conv_transpose2d`.

    References
    ----------
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", relationships 8 to 14.
    Odena, Dumoulin and Olah 2016, "Deconvolution and checkerboard artifacts".

    Examples
    --------
    >>> view = transposed([[1, 2], [3, 4]], [[1, 1, 1], [1, 1, 1], [1, 1, 1]], stride=2)
    >>> view.results["output"][0, 2].tolist(), view.agrees
    ([4.0, 4.0, 10.0, 6.0, 6.0], True)
    """
    image = image_of("transposed", input, IMAGE)
    kernel = _weight(weight, kernel_size, len(image), seed)
    options = transposed_geometry(
        "transposed", 2, (1, *image.shape), kernel.shape, None, stride, padding, output_padding, groups, dilation, None, True
    )
    require_few("transposed", image.size * kernel[0].size, MOST_PRODUCTS, "products", "give a smaller input or kernel")
    size = [
        sizes.conv_transpose_output_size(
            image.shape[1 + axis],
            kernel.shape[2 + axis],
            options.stride[axis],
            options.padding[2 * axis],
            options.padding[2 * axis + 1],
            options.dilation[axis],
            options.output_padding[axis],
        )
        for axis in range(2)
    ]
    outputs = kernel.shape[1] * options.groups
    require_few("transposed", image.size * outputs * math.prod(size), MOST_CELLS, "cells of W^T", "give a smaller input, such as 4 x 4, or stride")
    expected = reference(functional.conv_transpose2d, image, kernel, **options._asdict())
    painting, painted = _painting(image, kernel, options, expected)
    stretching, convolved = _stretching(image, kernel, options)
    multiplying, multiplied = _multiplying(image, kernel, options, expected)
    strokes = _strokes(image, kernel, options)
    return View(
        "transposed",
        "One transposed convolution, three ways",
        "Paint the filter at every pixel; or put zeros between the pixels and convolve with the flipped filter; or multiply by W transposed.",
        "H_out = (H - 1)·stride - top - bottom + dilation·(K - 1) + 1 + output_padding",
        (painting, stretching, multiplying),
        _facts(image, kernel, options, expected, strokes),
        (
            compared("scatter-add is conv_transpose2d", painted, expected),
            compared("zeros between the pixels and a flipped filter is conv_transpose2d", convolved, expected),
            compared("multiplication by W transposed is conv_transpose2d", multiplied, expected),
        ),
        notes=("It is no inverse: it returns the size of a convolution's input, not its values.",),
        results={
            "input": image, "weight": kernel, "scatter": painted, "zero_insertion": convolved, "matrix": multiplied, "output": expected,
            "strokes": strokes,
        },
    )  # fmt: skip


def _weight(weight: Any, kernel_size: Any, channels: int, seed: int) -> np.ndarray:
    """(C_in, C_out / groups, K_h, K_w): blocks between | go to the input channels in turn; one block serves every channel."""
    found = weight_of("transposed", weight, kernel_size, 1, STROKE, seed)
    return np.tile(found, (channels, 1, 1, 1)) if len(found) == 1 else found


def _strokes(image: np.ndarray, kernel: np.ndarray, options: TransposedGeometry) -> np.ndarray:
    """How many strokes of one channel reach each pixel of the result."""
    ones, stroke = np.ones((1, *image.shape[1:])), np.ones((1, 1, *kernel.shape[2:]))
    return reference(functional.conv_transpose2d, ones, stroke, **options._replace(groups=1)._asdict())[0]


def _facts(
    image: np.ndarray, kernel: np.ndarray, options: TransposedGeometry, expected: np.ndarray, strokes: np.ndarray
) -> tuple[tuple[str, str], ...]:
    words = f"conv_transpose2d(input {'x'.join(map(str, image.shape))}, weight {'x'.join(map(str, kernel.shape))}, stride={options.stride}"
    for name in ("padding", "output_padding", "dilation", "groups"):
        value = getattr(options, name)
        if value not in ((0, 0), (0, 0, 0, 0), (1, 1), 1):
            words += f", {name}={value}"
    uneven = any(kernel.shape[2 + axis] % options.stride[axis] for axis in range(2))
    low, high = int(strokes.min()), int(strokes.max())
    return (
        ("call", words + ")"),
        ("output", "x".join(map(str, expected.shape))),
        ("strokes that meet in a pixel", f"{low} to {high}" if low != high else str(low)),
        ("checkerboard", "possible: the stride does not divide the kernel" if uneven else "none from overlaps: the stride divides the kernel"),
    )


def _painting(image: np.ndarray, kernel: np.ndarray, options: TransposedGeometry, expected: np.ndarray) -> tuple[Scene, np.ndarray]:
    """A step an input pixel: it adds its multiple of the filter to the canvas."""
    (top, bottom, left, right), (step_h, step_w), (gap_h, gap_w) = options.padding, options.stride, options.dilation
    rows, columns = expected.shape[1] + top + bottom, expected.shape[2] + left + right
    canvas = np.zeros((len(expected), rows, columns))
    inside = np.zeros(canvas.shape, bool)
    inside[:, top : rows - bottom, left : columns - right] = True
    per_group, height, width = kernel.shape[1:]
    inputs, steps = len(image) // options.groups, []
    o, a, b = np.ix_(range(per_group), range(height), range(width))
    for number, (c, i, j) in enumerate(np.ndindex(image.shape)):
        places = ((c // inputs * per_group + o) * rows + i * step_h + a * gap_h) * columns + j * step_w + b * gap_w
        added = image[c, i, j] * kernel[c]
        canvas.reshape(-1)[places] += added
        flat = places.reshape(-1).tolist()
        taps = tuple(range(c * kernel[0].size, (c + 1) * kernel[0].size))
        steps.append(
            Step(
                f"input[{c}, {i}, {j}] = {number_text(image[c, i, j])} paints",
                (f"{number_text(image[c, i, j])} times the filter is added at rows {i * step_h}.., columns {j * step_w}.. of the canvas",),
                (("input", "now", (number,)), ("filter", "from", taps), ("canvas", "from", tuple(flat))),
                {"canvas": {place: number_text(canvas.reshape(-1)[place]) for place in flat}},
                {"canvas": {place: f"+{number_text(value)}" for place, value in zip(flat, added.reshape(-1))}},
            )
        )
    result = canvas[:, top : rows - bottom, left : columns - right]
    kept = (("canvas", "now", tuple(np.flatnonzero(inside).tolist())),)
    steps.append(Step("crop", ("the padding of the convolution that this one transposes is cut off",), kept))
    kinds = ["" if keep else "pad" for keep in inside.reshape(-1)]
    words = "hatched: cropped at the end" if any(options.padding) else ""
    grids = (grid("input", image), grid("filter", kernel), grid("canvas", np.zeros_like(canvas), words, kinds))
    return Scene("1. Scatter and add", "every pixel paints the filter; overlapping strokes add up", grids, tuple(steps)), result


def _stretching(image: np.ndarray, kernel: np.ndarray, options: TransposedGeometry) -> tuple[Scene, np.ndarray]:
    """Zeros between the pixels, padding, and a convolution with the flipped filter."""
    step_h, step_w = options.stride
    rows, columns = ((image.shape[1 + axis] - 1) * options.stride[axis] + 1 for axis in range(2))
    spread = np.zeros((len(image), rows, columns))
    spread[:, ::step_h, ::step_w] = image
    real = np.zeros(spread.shape)
    real[:, ::step_h, ::step_w] = 1
    around = []
    for axis in range(2):
        reach = options.dilation[axis] * (kernel.shape[2 + axis] - 1)
        around.append((reach - options.padding[2 * axis], reach - options.padding[2 * axis + 1] + options.output_padding[axis]))
    margins = np.array((*around[1], *around[0]))
    # First wider, then cropped: a crop may reach beyond a small image into the padding on its other side.
    for step in (margins.clip(0), margins.clip(None, 0)):
        spread, real = (reference(functional.pad, array, tuple(step.tolist())) for array in (spread, real))
    padded = spread
    flipped = _flipped(kernel, options.groups)
    geometry = convolution_geometry(
        "transposed", 2, (1, *padded.shape), flipped.shape, None, 1, 0, options.dilation, options.groups, "zeros"
    )
    found = Operands(padded, flipped, geometry)
    weights, pixels, steps = flipped.reshape(len(flipped), -1), padded.reshape(-1), []
    for number, (o, i, j) in enumerate(np.ndindex(found.output.shape)):
        places = found.read_by(o, i, j).reshape(-1)
        value = number_text(found.output[o, i, j])
        taps = tuple(range(o * weights.shape[1], (o + 1) * weights.shape[1]))
        met = real.reshape(-1)[places] != 0
        steps.append(
            Step(
                f"y[{o}, {i}, {j}]",
                (
                    f"{int(met.sum())} of {len(places)} cells below the window are pixels, the others inserted zeros",
                    weighted_sum(f"y[{o}, {i}, {j}]", pixels[places[met]], weights[o][met], value),
                ),
                (("stretched", "from", tuple(places.tolist())), ("flipped filter", "from", taps), ("output", "now", (number,))),
                {"output": {number: value}},
                {"stretched": {place: f"×{number_text(tap)}" for place, tap in zip(places.tolist(), weights[o])}},
            )
        )
    words = f"{step_h - 1} and {step_w - 1} zeros between rows and columns, then padding of the filter's reach less the cropping"
    kinds = ["" if cell else "pad" for cell in real.reshape(-1)]
    grids = (grid("stretched", padded, words, kinds), grid("flipped filter", flipped), grid("output", found.output, blank=True))
    return Scene("2. Insert zeros, convolve", "stride 1 over a stretched image, with the filter turned by 180°", grids, tuple(steps)), found.output


def _flipped(kernel: np.ndarray, groups: int) -> np.ndarray:
    """(C_in, C_out / groups, ...) as (C_out, C_in / groups, ...), both spatial axes reversed."""
    inputs, per_group, height, width = kernel.shape
    parts = kernel[..., ::-1, ::-1].reshape(groups, inputs // groups, per_group, height, width)
    return np.ascontiguousarray(parts.transpose(0, 2, 1, 3, 4).reshape(groups * per_group, inputs // groups, height, width))


def _multiplying(image: np.ndarray, kernel: np.ndarray, options: TransposedGeometry, expected: np.ndarray) -> tuple[Scene, np.ndarray]:
    """The matrix of the convolution from the result's size to the input's, transposed."""
    keep = {name: getattr(options, name) for name in ("stride", "padding", "dilation", "groups")}
    matrix = conv2d_matrix(kernel, expected.shape[1:], **keep).toarray()
    pattern = conv2d_matrix(np.ones_like(kernel), expected.shape[1:], **keep).toarray() != 0
    geometry = Geometry(options.stride, options.padding, options.dilation, options.groups, "zeros")
    rows, columns = conv_size(expected.shape[1:], kernel.shape[2:], geometry)
    # With much output padding the convolution has more rows than the input: those see no pixel.
    seen = np.arange(len(matrix)).reshape(len(image), rows, columns)[:, : image.shape[1], : image.shape[2]].reshape(-1)
    turned, connected = matrix[seen].T, pattern[seen].T
    x = image.reshape(-1)
    y = turned @ x
    width, steps = turned.shape[1], []
    for row in range(len(turned)):
        places = np.flatnonzero(connected[row]).tolist()
        value, name = number_text(y[row]), f"y[{', '.join(str(int(part)) for part in np.unravel_index(row, expected.shape))}]"
        steps.append(
            Step(
                f"row {row} of Wᵀ times x is {name}",
                (weighted_sum(name, x[places], turned[row, places], value),),
                (("W^T", "from", tuple(row * width + place for place in places)), ("x", "from", tuple(places)), ("y", "now", (row,))),
                {"y": {row: value}},
            )
        )
    kinds = ["" if cell else "zero" for cell in connected.reshape(-1)]
    plain = grid("W^T", turned, "the matrix of conv2d with these options, transposed", kinds)
    cells = tuple("·" if kind == "zero" else cell for cell, kind in zip(plain.cells, kinds))
    grids = (Grid("W^T", turned.shape, cells, plain.words, plain.kinds), grid("x", image, "read row by row"), grid("y", expected, blank=True))
    return Scene("3. Multiply by Wᵀ", "the same numbers as one matrix product", grids, tuple(steps)), y.reshape(expected.shape)
