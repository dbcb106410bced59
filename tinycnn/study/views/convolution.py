"""The sliding window: for every output element its region, the filter, the products and their sum."""

from __future__ import annotations

from typing import Any

import numpy as np

from .operands import Operands, convolution_operands
from .view import Scene, Step, View, cell_texts, compared, grid, number_text, sum_text

__all__ = ["window"]



def window(
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
    """Slide the window: region, filter, products and sum of every output element.

    Shapes
    ------
    (C_in, H, W), (C_out, C_in / groups, K_h, K_w) -> (C_out, H_out, W_out)

    Formula
    -------
    y[o, i, j] = sum_{c, a, b} weight[o, c, a, b] x~[c, i s_h + a d_h, j s_w + b d_w], with x~ the padded input

    Parameters
    ----------
    input, weight : array or str, optional
        An image (H, W) or (C, H, W), or its name (deck, binary); a filter, or its name in `FILTERS`. Default: the deck's image, its Laplacian.
    kernel_size : int or (height, width), optional
        Instead of a weight: small whole numbers drawn with the seed.
    stride, padding, dilation, groups, padding_mode
        As in `tinycnn.functional.conv2d`, in pixels.
    seed : int
        Decides drawn weights.

    Returns
    -------
    View

    Raises
    ------
    UsageError
        If an array is no image or filter, or too large to be looked at. ShapeError, ArgumentError: as `conv2d`.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", figure 9.1.

    Examples
    --------
    >>> view = window("deck", "identity")
    >>> view.scenes[0].steps[0].lines[-1]
    'y[0, 0, 0] = 9·1 = 9, where 8 of 9 weights are 0'
    """
    found = convolution_operands("window", input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed)
    steps, sums = window_steps(found)
    grids = (
        grid("input", found.padded, "with its padding" if any(found.geometry.padding) else "", found.padded_kinds),
        grid("filter", found.weight),
        grid("region", np.zeros(found.weight.shape[1:]), "what the window sees", blank=True),
        grid("products", np.zeros(found.weight.shape[1:]), "region times filter", blank=True),
        grid("output", found.output, blank=True),
    )
    outputs, inputs, height, width = found.weight.shape
    rows, columns = found.size
    products = outputs * rows * columns * inputs * height * width
    facts = [
        ("call", found.call()),
        ("windows", f"{rows} x {columns}"),
        ("products", f"{outputs} x {rows} x {columns} outputs of {inputs} x {height} x {width} = {products:,} multiplications"),
    ]
    if found.geometry.groups > 1:
        facts.append(("groups", f"each filter reads {inputs} of {len(found.input)} channels, so 1/{found.geometry.groups} of the products"))
    return View(
        "window",
        "Convolution as a sliding window",
        "The filter stands at every place of the image; what lies below it is multiplied element by element and added up.",
        "y[o, i, j] = Σ weight[o, c, a, b] · input[c, i·stride + a·dilation, j·stride + b·dilation]   over c, a, b",
        (Scene("Window by window", "", grids, tuple(steps)),),
        tuple(facts),
        (compared("the sums of the products are conv2d", sums, found.output),),
        results={"input": found.input, "weight": found.weight, "output": found.output},
    )


def window_steps(found: Operands) -> tuple[list[Step], np.ndarray]:
    """A step an output element, and the sums of their products."""
    steps, sums = [], np.empty_like(found.output)
    pixels, weights = found.padded.reshape(-1), found.weight.reshape(len(found.weight), -1)
    for number, (o, i, j) in enumerate(np.ndindex(found.output.shape)):
        places = found.read_by(o, i, j).reshape(-1)
        region = pixels[places]
        products = region * weights[o]
        sums[o, i, j] = products.sum()
        value = number_text(found.output[o, i, j])
        first = o * weights.shape[1]
        steps.append(
            Step(
                f"y[{o}, {i}, {j}]",
                (weighted_sum(f"y[{o}, {i}, {j}]", region, weights[o], value),),
                (
                    ("input", "from", tuple(places.tolist())),
                    ("filter", "from", tuple(range(first, first + weights.shape[1]))),
                    ("output", "now", (number,)),
                ),
                {"region": dict(enumerate(cell_texts(region))), "products": dict(enumerate(cell_texts(products))), "output": {number: value}},
                {"input": {place: f"×{number_text(tap)}" for place, tap in zip(places.tolist(), weights[o])}},
            )
        )
    return steps, sums


def weighted_sum(name: str, values: np.ndarray, weights: np.ndarray, result: str) -> str:
    """A weighted sum with the numbers in it; products with weights of zero are counted, not written."""
    kept = np.flatnonzero(weights)
    silent = len(weights) - len(kept)
    words = f", where {silent} of {len(weights)} weights are 0" if silent else ""
    return f"{name} = {sum_text((values[k], weights[k]) for k in kept)} = {result}{words}"
