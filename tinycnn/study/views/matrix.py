"""The convolution as a sparse matrix with shared entries: W x is the convolution, W^T g the transposed one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import functional, kernels
from ...errors import UsageError
from ...tensor import Tensor
from ..toeplitz import conv2d_matrix
from .convolution import weighted_sum
from .operands import MOST_CELLS, Operands, convolution_operands, image_of, pattern, reference, require_few
from .view import Grid, Scene, Step, View, compared, grid, number_text

__all__ = ["toeplitz"]

COLOURS = 12  # that a page tells apart
MOST_TAPS = 256


def toeplitz(
    input: Any = None,
    weight: Any = None,
    *,
    grad: Any = None,
    kernel_size: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    seed: int = 0,
) -> View:
    """Write the convolution out as a matrix: count its zeros and what it shares, multiply by it, and by its transpose.

    Shapes
    ------
    W is (C_out H_out W_out, C_in H W)

    Formula
    -------
    conv2d(x).ravel() = W @ x.ravel(); the gradient with respect to x is W.T @ grad.ravel(): conv_transpose2d(grad) with the same weight.

    Parameters
    ----------
    input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed
        As in `window`.
    grad : array, optional
        What the transpose is applied to, of the output's shape; 1, 2, 3, ... if left out.

    Returns
    -------
    View

    Raises
    ------
    UsageError
        As `window`. ShapeError, ArgumentError: as `conv2d`.

    Notes
    -----
    Entries that no tap connects are structural zeros: they stay zero whatever the weights. Entries of one tap share one parameter.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", sections 9.1 and 9.2.
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", section 4.1.

    Examples
    --------
    >>> facts = dict(toeplitz("deck", "laplacian").facts)
    >>> facts["structural non-zeros"], facts["non-zero values"]
    ('144 of 576 (25.0 %)', '80')
    """
    found = convolution_operands("toeplitz", input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed)
    size = math.prod((len(found.weight), *found.size)) * found.input.size
    require_few("toeplitz", size, MOST_CELLS, "cells of the matrix", "give a smaller input, such as 8 x 8")
    require_few("toeplitz", found.weight.size, MOST_TAPS, "weights", "give a smaller filter")
    upstream = pattern(found.output.shape) if grad is None else image_of("toeplitz", grad, argument="grad")
    if upstream.shape != found.output.shape:
        raise UsageError(f"toeplitz: grad has shape {upstream.shape}; it must be the output's, {found.output.shape}")
    options = found.options
    sparse = conv2d_matrix(found.weight, found.input.shape[1:], **options)
    matrix = sparse.toarray()
    taps = _tap_places(found)
    kinds = np.full(matrix.shape, "zero", object)
    for number, (rows, columns) in reversed(list(enumerate(taps))):
        kinds[rows, columns] = f"w{number % COLOURS}"
    picture = _matrix_grid(matrix, kinds)
    back = matrix.T @ upstream.reshape(-1)
    scenes = (_rows(found, picture, matrix), _columns(found, picture, matrix, upstream, back), _sharing(found, picture, taps))
    return View(
        "toeplitz",
        "Convolution as multiplication by a sparse matrix",
        "A convolution is a linear layer whose matrix is mostly zero and repeats a few numbers: sparse interactions and parameter sharing.",
        "conv2d(x).ravel() = W @ x.ravel(),   conv_transpose2d(g).ravel() = W.T @ g.ravel()",
        scenes,
        _facts(found, matrix, sparse.nnz, taps),
        _checks(found, matrix, upstream, back),
        notes=_notes(found),
        results={"matrix": matrix, "input": found.input, "output": found.output, "grad": upstream, "transposed": back.reshape(found.input.shape)},
    )


def _tap_places(found: Operands) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows and columns of the matrix where each weight stands: the pattern of a filter that has only this tap."""
    places: list[tuple[np.ndarray, np.ndarray]] = []
    for tap in range(found.weight.size):
        one = np.zeros(found.weight.size)
        one[tap] = 1
        rows, columns = np.nonzero(conv2d_matrix(one.reshape(found.weight.shape), found.input.shape[1:], **found.options).toarray())
        places.append((rows, columns))
    return places


def _matrix_grid(matrix: np.ndarray, kinds: np.ndarray) -> Grid:
    """The matrix with a dot for each structural zero, and a colour a weight."""
    plain = grid("W", matrix, "a dot: no tap connects them; equal colours: the same weight", kinds.reshape(-1).tolist())
    cells = tuple("·" if kind == "zero" else cell for cell, kind in zip(plain.cells, plain.kinds))
    return Grid("W", matrix.shape, cells, plain.words, plain.kinds)


def _facts(found: Operands, matrix: np.ndarray, structural: int, taps: list[tuple[np.ndarray, np.ndarray]]) -> tuple[tuple[str, str], ...]:
    """What is counted."""
    values = np.unique(found.weight[found.weight != 0])
    shared = [len(rows) for rows, _ in taps]
    uses = f"{min(shared)}" if min(shared) == max(shared) else f"{min(shared)} to {max(shared)}"
    return (
        ("call", found.call()),
        ("W", f"{matrix.shape[0]} x {matrix.shape[1]}"),
        ("structural non-zeros", f"{structural} of {matrix.size} ({100 * structural / matrix.size:.1f} %)"),
        ("non-zero values", str(int(np.count_nonzero(matrix)))),
        ("distinct parameters", f"{found.weight.size}, of which {len(values)} distinct values other than 0"),
        ("each parameter stands at", f"{uses} places of W"),
        ("a dense layer of these sizes", f"{matrix.size:,} parameters: {matrix.size / found.weight.size:,.3g} times as many"),
        ("without sharing (locally connected)", f"{structural:,} parameters: {structural / found.weight.size:,.3g} times as many"),
    )


def _checks(found: Operands, matrix: np.ndarray, upstream: np.ndarray, back: np.ndarray) -> tuple[Any, ...]:
    """Both products against the operators."""
    x = Tensor(found.input, requires_grad=True)
    with kernels.use("reference"):
        functional.conv2d(x, found.weight, **found.options).backward(upstream)
    assert x.grad is not None
    checks = [
        compared("W @ x is conv2d", (matrix @ found.input.reshape(-1)).reshape(found.output.shape), found.output),
        compared("W.T @ g is the gradient of conv2d", back.reshape(found.input.shape), x.grad.numpy()),
    ]
    if found.geometry.padding_mode == "zeros":
        keep = {name: found.options[name] for name in ("stride", "padding", "dilation", "groups")}
        transposed = reference(functional.conv_transpose2d, upstream, found.weight, **keep, output_padding=_left_over(found))
        checks.append(compared("W.T @ g is conv_transpose2d", back.reshape(found.input.shape), transposed))
    return tuple(checks)


def _left_over(found: Operands) -> tuple[int, ...]:
    """Pixels at the end of each axis that no window starts at: the output padding of the way back."""
    options, spare = found.geometry, []
    for axis in range(2):
        around = sum(options.padding[2 * axis : 2 * axis + 2])
        span = options.dilation[axis] * (found.weight.shape[2 + axis] - 1) + 1
        spare.append((found.input.shape[1 + axis] + around - span) % options.stride[axis])
    return tuple(spare)


def _notes(found: Operands) -> tuple[str, ...]:
    """What the pattern is called."""
    if found.geometry.stride != (1, 1):
        return ("With a stride the matrix keeps only some rows of the one with stride 1, so its diagonals are steeper.",)
    if found.geometry.padding_mode == "circular" and any(found.geometry.padding):
        return ("With circular padding every block is circulant: each row is the one above, shifted by one, round the end.",)
    return ("Constant along the diagonals within each block, and blocks constant along the diagonals of blocks: doubly blocked Toeplitz.",)


def _label(array: np.ndarray, place: int) -> str:
    return f"[{', '.join(str(int(part)) for part in np.unravel_index(place, array.shape))}]"


def _rows(found: Operands, picture: Grid, matrix: np.ndarray) -> Scene:
    """A step an output element: a row of W times x."""
    x, y, width, steps = found.input.reshape(-1), found.output.reshape(-1), matrix.shape[1], []
    for row in range(len(matrix)):
        columns = [column for column in range(width) if picture.kinds[row * width + column] != "zero"]
        value = number_text(y[row])
        steps.append(
            Step(
                f"row {row} of W times x is y{_label(found.output, row)}",
                (weighted_sum(f"y{_label(found.output, row)}", x[columns], matrix[row, columns], value),),
                (("W", "from", tuple(row * width + column for column in columns)), ("x", "from", tuple(columns)), ("y", "now", (row,))),
                {"y": {row: value}},
            )
        )
    grids = (picture, grid("x", found.input, "read row by row"), grid("y", found.output, blank=True))
    return Scene("W x: convolution", "a row of W is the filter, laid over the image", grids, tuple(steps))


def _columns(found: Operands, picture: Grid, matrix: np.ndarray, upstream: np.ndarray, back: np.ndarray) -> Scene:
    """A step an input pixel: a column of W times g."""
    g, width, steps = upstream.reshape(-1), matrix.shape[1], []
    for column in range(width):
        rows = [row for row in range(len(matrix)) if picture.kinds[row * width + column] != "zero"]
        value, name = number_text(back[column]), f"(W.T g){_label(found.input, column)}"
        steps.append(
            Step(
                f"column {column} of W times g",
                (weighted_sum(name, g[rows], matrix[rows, column], value),),
                (("W", "from", tuple(row * width + column for row in rows)), ("g", "from", tuple(rows)), ("W.T g", "now", (column,))),
                {"W.T g": {column: value}},
            )
        )
    grids = (picture, grid("g", upstream, "of the output's shape"), grid("W.T g", found.input, "of the input's shape", blank=True))
    return Scene("Wᵀ g: transposed convolution", "a column of W lists the outputs that saw one pixel", grids, tuple(steps))


def _sharing(found: Operands, picture: Grid, taps: list[tuple[np.ndarray, np.ndarray]]) -> Scene:
    """A step a weight: all places of the matrix that hold it."""
    width, steps = picture.shape[1], []
    for tap, (rows, columns) in enumerate(taps):
        places = tuple((rows * width + columns).tolist())
        value = number_text(found.weight.reshape(-1)[tap])
        marks = (("weight", "now", (tap,)), ("W", "term", places))
        steps.append(Step(f"weight{_label(found.weight, tap)} = {value}", (f"one parameter at {len(places)} places of W",), marks))
    weight = grid("weight", found.weight, "", [f"w{tap % COLOURS}" for tap in range(found.weight.size)])
    return Scene("Sharing", "one parameter, many places", (weight, picture), tuple(steps))
