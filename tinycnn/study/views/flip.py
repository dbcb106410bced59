"""Correlation, which frameworks call convolution, against the true convolution with its flipped kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import functional
from .convolution import weighted_sum
from .operands import MOST_PRODUCTS, Operands, convolution_operands, reference
from .view import Check, Scene, Step, View, compared, grid, number_text

__all__ = ["flip"]

UNEVEN = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, -1.0]])


def flip(
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
    """Run correlation and true convolution side by side: where they agree, why, and which of them commutes.

    Shapes
    ------
    As `window`.

    Formula
    -------
    correlation: y[i, j] = sum w[a, b] x[i + a, j + b]; convolution: y[i, j] = sum w[a, b] x[i + K_h - 1 - a, j + K_w - 1 - b]

    Parameters
    ----------
    input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed
        As in `window`. The weight left out is one without symmetry. Commutativity is shown for one channel and up to 23 x 23 pixels.

    Returns
    -------
    View

    Raises
    ------
    UsageError
        As `window`. ShapeError, ArgumentError: as `conv2d`.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 9.1, equations 9.4 to 9.6.

    Examples
    --------
    >>> dict(flip("deck", "laplacian").facts)["they agree at"]
    '16 of 16 places'
    """
    found = convolution_operands("flip", input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed, UNEVEN)
    true = reference(functional.convolve2d, found.input, found.weight, **found.options)
    turned = np.ascontiguousarray(found.weight[..., ::-1, ::-1])
    by_hand = reference(functional.conv2d, found.input, turned, **found.options)
    equal = np.isclose(true, found.output, rtol=1e-12, atol=1e-12)
    symmetric = bool(np.array_equal(turned, found.weight))
    checks = [compared("convolution is correlation with the kernel flipped in both axes", by_hand, true)]
    scenes = [_side_by_side(found, turned, true, equal)]
    facts = [
        ("call", found.call()),
        ("they agree at", f"{int(equal.sum())} of {equal.size} places"),
        ("the kernel is", "the same after a turn by 180°, so they agree on every image" if symmetric else "not the same after a turn by 180°"),
    ]
    if found.input.shape[0] == 1 and found.weight.shape[:2] == (1, 1) and found.input.size**2 <= MOST_PRODUCTS * 5:
        scene, more = _commuting(found)
        scenes.append(scene)
        checks += more
    return View(
        "flip",
        "Correlation against convolution",
        "What frameworks call convolution does not flip the kernel. Signal processing flips it, and so gains commutativity; a network "
        "learns its weights and would only learn them flipped.",
        "correlation  y[i, j] = Σ w[a, b] · x[i + a, j + b]\nconvolution  y[i, j] = Σ w[a, b] · x[i + K - 1 - a, j + K - 1 - b]",
        tuple(scenes),
        tuple(facts),
        tuple(checks),
        notes=("tinycnn.functional has both: conv2d correlates, convolve2d flips.",),
        results={"input": found.input, "weight": found.weight, "flipped": turned, "correlation": found.output, "convolution": true},
    )


def _side_by_side(found: Operands, turned: np.ndarray, true: np.ndarray, equal: np.ndarray) -> Scene:
    """Every output element in both ways."""
    pixels, steps = found.padded.reshape(-1), []
    straight, back = (array.reshape(len(array), -1) for array in (found.weight, turned))
    for number, (o, i, j) in enumerate(np.ndindex(true.shape)):
        places = found.read_by(o, i, j).reshape(-1)
        region, taps = pixels[places], tuple(range(o * straight.shape[1], (o + 1) * straight.shape[1]))
        first, second = number_text(found.output[o, i, j]), number_text(true[o, i, j])
        colour = "now" if equal[o, i, j] else "bad"
        steps.append(
            Step(
                f"[{o}, {i}, {j}]: " + (f"both {first}" if equal[o, i, j] else f"{first} against {second}"),
                (
                    weighted_sum(f"correlation[{o}, {i}, {j}]", region, straight[o], first),
                    weighted_sum(f"convolution[{o}, {i}, {j}]", region, back[o], second),
                ),
                (
                    ("input", "from", tuple(places.tolist())),
                    ("kernel", "from", taps),
                    ("kernel, flipped", "from", taps),
                    ("correlation", colour, (number,)),
                    ("convolution", colour, (number,)),
                ),
                {"correlation": {number: first}, "convolution": {number: second}},
            )
        )
    grids = (
        grid("input", found.padded, "", found.padded_kinds),
        grid("kernel", found.weight),
        grid("kernel, flipped", turned),
        grid("correlation", found.output, "conv2d", blank=True),
        grid("convolution", true, "convolve2d", blank=True),
    )
    return Scene("Side by side", "the same region under the kernel and under the flipped one", grids, tuple(steps))


def _commuting(found: Operands) -> tuple[Scene, list[Check]]:
    """Image and kernel change places, with padding that keeps every overlap."""
    image, kernel = found.input, found.weight[0]
    full = {"padding": "full"}
    orders = ((image, kernel), (kernel, image))
    one, two = (reference(functional.convolve2d, a, b[None], **full) for a, b in orders)
    three, four = (reference(functional.conv2d, a, b[None], **full) for a, b in orders)
    same, cells = np.isclose(three, four, rtol=1e-12, atol=1e-12).reshape(-1), tuple(range(one.size))
    differing = tuple(np.flatnonzero(~same).tolist())
    steps = (
        Step("convolution commutes", ("x * w = w * x: every element is equal",), (("x * w", "good", cells), ("w * x", "good", cells))),
        Step(
            "correlation does not" if differing else "this kernel is so symmetric that correlation commutes on this image too",
            (f"x ⋆ w and w ⋆ x differ at {len(differing)} of {len(cells)} places",),
            (("x ⋆ w", "bad", differing), ("w ⋆ x", "bad", differing)),
        ),
        Step(
            "they mirror each other",
            ("x ⋆ w turned by 180° is w ⋆ x: the first element of one is the last of the other",),
            (("x ⋆ w", "now", (0,)), ("w ⋆ x", "now", (len(cells) - 1,))),
        ),
    )
    words = "all overlaps"
    grids = (grid("x * w", one, words), grid("w * x", two, words), grid("x ⋆ w", three, words), grid("w ⋆ x", four, words))
    checks = [
        compared("convolution commutes: x * w = w * x", one, two),
        compared("correlation mirrors: x ⋆ w is w ⋆ x turned by 180°", three, four[..., ::-1, ::-1]),
    ]
    return Scene("Commutativity", "image and kernel change places", grids, steps), checks
