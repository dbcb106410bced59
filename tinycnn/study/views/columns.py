"""im2col: every window as a column of a matrix, one matrix product, and the result put back into an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import functional
from .convolution import weighted_sum
from .operands import MOST_CELLS, Operands, convolution_operands, reference, require_few
from .view import Scene, Step, View, compared, grid, number_text

__all__ = ["im2col"]


def im2col(
    input: Any = None,
    weight: Any = None,
    *,
    kernel_size: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    seed: int = 0,
) -> View:
    """Lay the windows out as a matrix, multiply once, and put the result back: how convolution became one large matrix product.

    Shapes
    ------
    columns (C_in K_h K_w, P), weights (C_out, C_in / groups K_h K_w) -> (C_out, P) -> (C_out, H_out, W_out), P = H_out W_out

    Formula
    -------
    Y = weight.reshape(C_out, -1) @ unfold(x~), y = Y.reshape(C_out, H_out, W_out)

    Parameters
    ----------
    input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed
        As in `window`.

    Returns
    -------
    View

    Raises
    ------
    UsageError
        As `window`. ShapeError, ArgumentError: as `conv2d`.

    References
    ----------
    Chellapilla, Puri and Simard 2006, "High performance convolutional neural networks for document processing", section 3.

    Examples
    --------
    >>> view = im2col("deck", "laplacian")
    >>> view.results["columns"].shape, view.agrees
    ((9, 16), True)
    """
    found = convolution_operands("im2col", input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed)
    outputs, _, height, width = found.weight.shape
    rows, columns = found.size
    require_few("im2col", len(found.input) * height * width * rows * columns, MOST_CELLS, "cells of the matrix", "give a smaller input or kernel")
    options = {"dilation": found.geometry.dilation, "stride": found.geometry.stride}
    matrix = reference(functional.unfold, found.padded, (height, width), **options)
    weights = found.weight.reshape(outputs, -1)
    depth = weights.shape[1]
    parts = [matrix[found.group_of(o) * depth : (found.group_of(o) + 1) * depth] for o in range(outputs)]
    product = np.concatenate([reference(functional.matmul, weights[o : o + 1], parts[o]) for o in range(outputs)])
    scenes = (_gathering(found, matrix), _multiplying(found, matrix, weights, product), _reshaping(product, found))
    copies = matrix.size / found.input.size
    facts = [
        ("call", found.call()),
        ("matrix of windows", f"{matrix.shape[0]} x {matrix.shape[1]} = {matrix.size:,} numbers, {copies:.3g} times the {found.input.size:,} pixels"),
        ("matrix product", f"({outputs} x {depth}) @ ({depth} x {matrix.shape[1]}): {outputs * depth * matrix.shape[1]:,} multiplications"),
    ]
    if found.geometry.groups > 1:
        facts.append(("groups", f"{found.geometry.groups} products, each over its own {depth} rows of the matrix"))
    return View(
        "im2col",
        "Convolution as one matrix product (im2col)",
        "Every window becomes a column; the filters become rows; one matrix product answers all windows; the result is put back into an image.",
        "Y = weight.reshape(C_out, -1) @ columns,   y = Y.reshape(C_out, H_out, W_out)",
        scenes,
        tuple(facts),
        (compared("the matrix product, put back, is conv2d", product.reshape(found.output.shape), found.output),),
        notes=("The matrix costs memory: pixels are copied once for every window that sees them. That is why fast convolutions do without it.",),
        results={"input": found.input, "weight": found.weight, "columns": matrix, "product": product, "output": found.output},
    )


def _gathering(found: Operands, matrix: np.ndarray) -> Scene:
    """Window after window becomes a column."""
    inputs, taps = len(found.input), found.weight[0, 0].size
    (rows, columns), count = found.size, matrix.shape[1]
    height, width = found.padded.shape[1:]
    per_group = found.weight.shape[1]
    heads = [group * (len(found.weight) // found.geometry.groups) for group in range(found.geometry.groups)]  # a filter of each group
    steps = []
    for place in range(count):
        i, j = divmod(place, columns)
        pixels = np.concatenate([found.read_by(o, i, j).reshape(-1) for o in heads])
        cells = [row * count + place for row in range(inputs * taps)]
        steps.append(
            Step(
                f"window ({i}, {j}) becomes column {place}",
                (f"{per_group * len(heads)} channel{'s' * (inputs > 1)} x {taps} taps, read row by row",),
                (("input", "from", tuple(pixels.tolist())), ("columns", "now", tuple(cells))),
                {"columns": {cell: number_text(matrix[row, place]) for row, cell in enumerate(cells)}},
            )
        )
    grids = (grid("input", found.padded, "", found.padded_kinds), grid("columns", matrix, "a column a window, a row a tap", blank=True))
    return Scene("1. Gather", f"{rows} x {columns} windows of an image of {height} x {width}", grids, tuple(steps))


def _multiplying(found: Operands, matrix: np.ndarray, weights: np.ndarray, product: np.ndarray) -> Scene:
    """Element after element of the product."""
    depth, count, steps = weights.shape[1], matrix.shape[1], []
    for number, (o, place) in enumerate(np.ndindex(product.shape)):
        first = found.group_of(o) * depth
        column, value = matrix[first : first + depth, place], number_text(product[o, place])
        steps.append(
            Step(
                f"Y[{o}, {place}]: row {o} times column {place}",
                (weighted_sum(f"Y[{o}, {place}]", column, weights[o], value),),
                (
                    ("weights", "from", tuple(range(o * depth, (o + 1) * depth))),
                    ("columns", "from", tuple((first + row) * count + place for row in range(depth))),
                    ("Y", "now", (number,)),
                ),
                {"Y": {number: value}},
            )
        )
    grids = (grid("weights", weights, "a row a filter"), grid("columns", matrix), grid("Y", product, blank=True))
    return Scene("2. Multiply", "one matrix product for all windows", grids, tuple(steps))


def _reshaping(product: np.ndarray, found: Operands) -> Scene:
    """Element after element goes back to its place."""
    outputs, (rows, columns), steps = len(product), found.size, []
    for o, i in np.ndindex(outputs, rows):
        cells = tuple((o * rows + i) * columns + j for j in range(columns))
        steps.append(
            Step(
                f"Y[{o}, {i * columns}] to Y[{o}, {(i + 1) * columns - 1}] are row {i} of y[{o}]",
                (),
                (("Y", "from", cells), ("output", "now", cells)),
                {"output": {cell: number_text(product.reshape(-1)[cell]) for cell in cells}},
            )
        )
    return Scene("3. Put back", "no number changes, only the shape", (grid("Y", product), grid("output", found.output, blank=True)), tuple(steps))
