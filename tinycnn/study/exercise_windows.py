"""Exercises with sliding windows: convolution, its columns, its transpose, pooling and unpooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from .exercise_draw import Draw, array_of, blank, element_steps, exact, explained, gradient, result
from .exercise_sheet import Exercise, Given, Step
from .shape_axis import Axis

__all__ = ["convolution", "im2col", "pooling", "transposed", "unpooling"]


def _flipped(weight: np.ndarray) -> np.ndarray:
    return weight[..., ::-1, ::-1].copy()


def _options_text(options: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in options.items())


def convolution(draw: Draw, level: int) -> Exercise:
    """Level 1: a filter alone; level 2: stride or padding, and a bias; level 3: two channels."""
    channels = 2 if level == 3 else 1
    kernel = 2 if level == 3 else draw.choice((2, 3))
    size = 3 if level == 3 else draw.whole(kernel + 1, 5)
    options: dict[str, Any] = {"stride": 1, "padding": 0}
    if level == 2:
        options = dict(draw.choice(({"stride": 2, "padding": 0}, {"stride": 1, "padding": 1}, {"stride": 2, "padding": 1})))
        if options["padding"] and options["stride"] == 1:
            size = 3
    image, weight = draw.matrix(1, channels, size, size), draw.matrix(1, channels, kernel, kernel, low=-2, high=2)
    bias = draw.matrix(1, low=1, high=4) if level > 1 else None
    extra: dict[str, Any] = {} if bias is None else {"bias": bias}
    found = explained("conv2d", image, weight, **extra, **options)
    part = found.results[0]
    traps = [
        (result("conv2d", image, _flipped(weight), **extra, **options), "the filter was flipped; frameworks lay it on as it is (cross-correlation)")
    ]
    if bias is not None:
        traps.append((result("conv2d", image, weight, **options), "the bias is missing"))
    if channels > 1:
        first = result("conv2d", image[:, :1], weight[:, :1], **extra, **options)
        traps.append((first, "the second channel is missing: a filter adds up over all channels"))
        traps.append((exact(part) + bias, "the bias is added once a filter, not once a channel"))
    traps.append((result("conv2d", image, weight.swapaxes(2, 3).copy(), **extra, **options), "the filter's rows and columns were swapped"))
    if options["padding"]:
        traps.append((result("conv2d", image, weight, **extra, stride=options["stride"]), "the padding is missing: zeros surround the image"))
    if options["stride"] > 1:
        traps.append((result("conv2d", image, weight, **extra, padding=options["padding"]), "the stride is missing: the window moves further"))
    givens = [Given("input" if channels == 1 else f"input, channel {c}", image[0, c]) for c in range(channels)]
    givens += [Given("filter" if channels == 1 else f"filter, channel {c}", weight[0, c]) for c in range(channels)]
    givens += [Given("bias", str(int(bias[0])))] if bias is not None else []
    givens += [Given("options", _options_text(options))]
    return Exercise(
        "",
        "",
        "Convolve the input with the filter, as frameworks do (the filter is not flipped).",
        tuple(givens),
        (blank("output y", exact(part), traps),),
        element_steps(part, "y", "At every place the products are added up" + (", starting from the bias:" if bias is not None else ":")),
    )


def im2col(draw: Draw, level: int) -> Exercise:
    """The columns, and the product with the flattened filter."""
    size, kernel = (3, 2) if level < 3 else (4, 2)
    options: dict[str, Any] = {"stride": 1 if level < 3 else 2, "padding": 0 if level < 2 else 1}
    if level == 2:
        size, options["stride"] = 2, 1
    image, weight = draw.distinct(1, 1, size, size, below=10 if size < 4 else 20), draw.matrix(1, 1, kernel, kernel, low=-2, high=2)
    columns = result("unfold", image, kernel_size=kernel, **options)
    found = explained("conv2d", image, weight, **options).results[0]
    product = exact(found).reshape(-1)
    flat = weight.reshape(1, -1)
    steps = [
        Step(f"Column {number} is window {number}, read row by row:", " ".join(str(int(value)) for value in column))
        for number, column in enumerate(columns.T)
    ]
    steps += element_steps(found, "y", "The row of the filter times every column:")
    return Exercise(
        "",
        "",
        "Write the windows of the image as columns (im2col): one column a place of the window, row by row; each column holds its window row by "
        "row. Then "
        "multiply the filter, as one row, with the columns.",
        (Given("input", image[0, 0]), Given("filter", weight[0, 0]), Given("options", _options_text(options))),
        (
            blank("columns", columns, [(columns[::-1], "the windows are read from the upper left, row by row")]),
            blank(
                "filter row times columns",
                product,
                [
                    ((flat[:, ::-1] @ columns).reshape(-1), "the filter was flipped"),
                    ((flat.reshape(kernel, kernel).T.reshape(1, -1) @ columns).reshape(-1), "the filter is read row by row, as the windows are"),
                ],
            ),
        ),
        tuple(steps),
    )


def transposed(draw: Draw, level: int) -> Exercise:
    """Level 1: stride 1; level 2: stride 2; level 3: cropped by padding, with output_padding."""
    options: dict[str, Any] = {"stride": 1 if level == 1 else 2, "padding": 1 if level == 3 else 0}
    kernel = 2 if level == 1 else draw.choice((2, 3)) if level == 2 else 3
    if level == 3:
        options["output_padding"] = draw.choice((0, 1))
    image, weight = draw.matrix(1, 1, 2, 2, low=1, high=5), draw.matrix(1, 1, kernel, kernel, low=-1, high=3)
    found = explained("conv_transpose2d", image, weight, **options).results[0]
    axis = Axis("transposed", "axis", 2, kernel, options["stride"], options["padding"], options["padding"], 1, options.get("output_padding", 0))
    last = np.array([element.terms[-1].value if element.terms else element.value for element in found.elements]).reshape(found.values.shape)
    uncropped = {**options, "padding": 0}
    traps = [
        (result("conv_transpose2d", image, _flipped(weight), **options), "the filter was flipped; it is painted as it is"),
        (array_of(last), "where paintings overlap they are added up, not painted over"),
    ]
    if options["padding"]:
        traps.append((result("conv_transpose2d", image, weight, **uncropped), "padding crops the result on every side"))
    forward = Axis("conv", "axis", 2, kernel, options["stride"], options["padding"], options["padding"]).output
    shorter = Axis("transposed", "axis", 2, kernel, options["stride"], 0, 0).output
    return Exercise(
        "",
        "",
        "Work out the transposed convolution: every input element paints its multiple of the filter, and the paintings are added up.",
        (Given("input", image[0, 0]), Given("filter", weight[0, 0]), Given("options", _options_text(options))),
        (
            blank(
                "height of the output",
                axis.output,
                [
                    (forward, "that is the formula of the convolution; the transposed one turns it round"),
                    (2 * options["stride"] + (options["stride"] == 1), "the kernel reaches beyond the last stride"),
                    (shorter, "padding crops, and output padding adds at the end"),
                ],
            ),
            blank("output y", exact(found), traps),
        ),
        (
            Step("The size:", f"{axis.formula()}; {axis.substitution()}"),
            *element_steps(found, "y", "Every element adds up the paintings that reach it:"),
        ),
    )


def pooling(draw: Draw, level: int) -> Exercise:
    """Level 1: 2 x 2; level 2: overlapping windows over padding; level 3: ceil_mode, and the gradient of the maximum."""
    size = 4 if level == 1 else draw.choice((4, 5)) if level == 2 else 5 if draw.whole(0, 1) else 3
    options: dict[str, Any] = {"kernel_size": 2, "stride": 2}
    if level == 2:
        options = {"kernel_size": 3, "stride": 2, "padding": 1}
    if level == 3:
        options["ceil_mode"] = True
    image = draw.distinct(1, 1, size, size, below=30)
    top, mean = explained("max_pool2d", image, **options).results[0], explained("avg_pool2d", image, **options).results[0]
    least = -result("max_pool2d", -image, **options)
    mean_traps = [(result("avg_pool2d", image, divisor_override=1, **options), "that is the sum: divide it by the number of elements")]
    if level == 2:
        mean_traps.insert(0, (result("avg_pool2d", image, count_include_pad=False, **options), "divided by the wrong count: padded zeros count here"))
    if level == 3:
        inside = result("avg_pool2d", image, **options) * _inside(size) / 4
        mean_traps.insert(0, (inside, "divided by the wrong count: what hangs over the edge is neither added nor counted"))
    top_traps = [(exact(mean), "that is the mean; here the largest counts"), (least, "that is the smallest")]
    if level == 3:
        top_traps.append((result("max_pool2d", image, kernel_size=2, stride=2), "ceil mode keeps the window that hangs over the edge"))
    blanks = [blank("max pooling", exact(top), top_traps), blank("average pooling", exact(mean), mean_traps, whole=False)]
    steps = [*element_steps(top, "max", "The largest of every window:"), *element_steps(mean, "mean", "The mean of every window:")]
    givens = [Given("input", image[0, 0]), Given("options", _options_text(options))]
    words = "Work out max pooling and average pooling."
    if level == 2:
        words += " Padded cells never win the maximum; for the mean they are zeros that count."
    if level == 3:
        upstream = draw.matrix(*top.values.shape, low=1, high=6)
        back = explained("max_pool2d", image, grad=upstream, **options).gradients[0]
        givens.append(Given("upstream gradient of the max pooling", array_of(upstream)))
        spread = gradient("avg_pool2d", image, of="input", grad=upstream, **options)
        blanks.append(
            blank("gradient of the input of the max pooling", exact(back), [(spread, "the whole gradient goes to the winner; it is not shared")])
        )
        steps += element_steps(back, "grad", "The gradient goes to the winner of each window alone:")
        words += " Windows that hang over the edge count what lies inside. Then send the upstream gradient back through the max pooling."
    return Exercise("", "", words, tuple(givens), tuple(blanks), tuple(steps))


def _inside(size: int) -> np.ndarray:
    """How many elements of each 2 x 2 window of ceil_mode lie inside: the sum over an image of ones."""
    return result("avg_pool2d", np.pad(np.ones((1, 1, size, size)), ((0, 0), (0, 0), (0, 1), (0, 1))), kernel_size=2, stride=2, divisor_override=1)


def unpooling(draw: Draw, level: int) -> Exercise:
    """Max pooling with indices, then unpooling of other numbers to those places."""
    height, width = {1: (4, 4), 2: (4, 6), 3: (6, 6)}[level]
    image = draw.distinct(1, 1, height, width, below=60)
    pooled = explained("max_pool2d", image, kernel_size=2, return_indices=True)
    indices = array_of(pooled.results[1].values).astype(np.int64)
    other = draw.matrix(1, 1, height // 2, width // 2, low=1, high=9)
    back = explained("max_unpool2d", other, indices.reshape(other.shape), kernel_size=2).results[0]
    corner, copies = result("unpool2d", other, scale=2, mode="bed_of_nails"), result("unpool2d", other, scale=2, mode="nearest")
    local = (indices // width % 2) * 2 + indices % width % 2
    return Exercise(
        "",
        "",
        "Max pooling with 2 x 2 windows (stride 2) also gives the place of each maximum: its number in the image, counted from 0, row by row. "
        "Give the "
        "maxima and their places, then put the other matrix back to those places (max unpooling).",
        (Given("input", image[0, 0]), Given("to be unpooled", other[0, 0])),
        (
            blank("maxima", exact(pooled.results[0]), [(-result("max_pool2d", -image, kernel_size=2), "those are the smallest")]),
            blank(
                "places of the maxima",
                indices,
                [(indices + 1, "places are counted from 0"), (local, "places are counted in the whole image, not in the window")],
            ),
            blank(
                "unpooled",
                exact(back),
                [
                    (corner, "the numbers go where the maxima were, not to the corner of each block"),
                    (copies, "only one place of each block gets the number, the others stay 0"),
                ],
            ),
        ),
        (
            *element_steps(pooled.results[0], "max", "The maxima:"),
            Step(
                "Their places, row times width plus column:",
                "; ".join(f"{index // width}*{width} + {index % width} = {index}" for index in indices.reshape(-1).tolist()),
            ),
            *(step for step in element_steps(back, "y", "The numbers go back to those places, all else is 0:") if not step.formula.endswith(" = 0")),
        ),
    )
