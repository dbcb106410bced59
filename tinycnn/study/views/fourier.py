"""The convolution theorem: pad, transform, multiply, transform back, crop."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import fft

from ... import functional
from .operands import MOST_ELEMENTS, Operands, convolution_operands, reference, require_few
from .view import Check, Scene, Step, View, cell_texts, compared, grid, number_text

__all__ = ["fourier"]

MOST_STEPS = 400  # frequencies that are multiplied one by one


def fourier(
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
    """Convolve through the Fourier transform: a sum over windows becomes one product a frequency.

    Shapes
    ------
    All transforms are (..., L_h, L_w) with L = padded size + kernel span - 1, so that nothing wraps round.

    Formula
    -------
    y = crop(F^-1(F(x~) conj(F(w)))): correlation, what networks compute. Without the conjugate it is the flipped, true convolution.

    Parameters
    ----------
    input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed
        As in `window`. The transforms run with stride 1; a stride picks its rows and columns at the end.

    Returns
    -------
    View

    Raises
    ------
    UsageError
        As `window`. ShapeError, ArgumentError: as `conv2d`.

    References
    ----------
    Mathieu, Henaff and LeCun 2014, "Fast training of convolutional networks through FFTs".

    Examples
    --------
    >>> view = fourier("deck", "laplacian")
    >>> view.results["output"][0, 0].tolist(), view.agrees
    ([-30.0, -1.0, 23.0, -7.0], True)
    """
    found = convolution_operands("fourier", input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed)
    taps = _spread(found)
    size = tuple(found.padded.shape[1 + axis] + taps.shape[2 + axis] - 1 for axis in range(2))
    planes = len(found.input) + found.weight.shape[0] * found.weight.shape[1]
    require_few("fourier", planes * size[0] * size[1], MOST_ELEMENTS, "frequencies", "give a smaller input or fewer channels")
    image, kernel = fft.fft2(found.padded, size), fft.fft2(taps, size)
    depth = taps.shape[1]
    groups_of = [slice(found.group_of(o) * depth, (found.group_of(o) + 1) * depth) for o in range(len(taps))]
    product = np.stack([(image[part] * kernel[o].conj()).sum(0) for o, part in enumerate(groups_of)])
    plain = np.stack([(image[part] * kernel[o]).sum(0) for o, part in enumerate(groups_of)])
    inverse, full = fft.ifft2(product).real, fft.ifft2(plain).real
    (rows, columns), (down, right) = found.size, found.geometry.stride
    picked = np.ix_(range(len(taps)), range(0, rows * down, down), range(0, columns * right, right))
    output = inverse[picked]
    flipped = full[:, taps.shape[2] - 1 :, taps.shape[3] - 1 :][picked]
    true = reference(functional.convolve2d, found.input, found.weight, **found.options)
    return View(
        "fourier",
        "Convolution through the Fourier transform",
        "Pad both to one size, transform, multiply frequency by frequency, transform back, crop.",
        "y = crop( F⁻¹( F(x) · conj(F(w)) ) ):  correlation is the product with the conjugate;  F(x) · F(w) is the true, flipped convolution",
        (_whole(found, taps, image, kernel, product, inverse, picked, output), _single(image, kernel, product, groups_of)),
        _facts(found, size, taps),
        (
            compared("F(x) conj(F(w)), cropped, is conv2d", output, found.output),
            compared("F(x) F(w), cropped, is convolve2d: the kernel flipped", flipped, true),
            compared("padded twice as far it comes out the same: nothing wrapped round", _larger(found, taps, size, picked, groups_of), output),
            *_circular(found, taps, groups_of),
        ),
        notes=("Transforms shorter than this wrap round: they give the convolution of a periodic image, which is circular padding.",),
        results={"image": image, "kernel": kernel, "product": product, "inverse": inverse, "output": output},
    )


def _spread(found: Operands) -> np.ndarray:
    """The filters with dilation's zeros between their taps."""
    gaps, (height, width) = found.geometry.dilation, found.weight.shape[2:]
    taps = np.zeros((*found.weight.shape[:2], gaps[0] * (height - 1) + 1, gaps[1] * (width - 1) + 1))
    taps[..., :: gaps[0], :: gaps[1]] = found.weight
    return taps


def _larger(found: Operands, taps: np.ndarray, size: tuple[int, ...], picked: Any, groups_of: list[slice]) -> np.ndarray:
    """The same with transforms of twice the size."""
    double = tuple(2 * each for each in size)
    image, kernel = fft.fft2(found.padded, double), fft.fft2(taps, double)
    return fft.ifft2(np.stack([(image[part] * kernel[o].conj()).sum(0) for o, part in enumerate(groups_of)])).real[picked]


def _circular(found: Operands, taps: np.ndarray, groups_of: list[slice]) -> list[Check]:
    """Without padding the product of transforms is the convolution with circular padding."""
    size, reach = found.input.shape[1:], (taps.shape[2] - 1, taps.shape[3] - 1)
    if reach[0] >= size[0] or reach[1] >= size[1]:
        return []
    image, kernel = fft.fft2(found.input), fft.fft2(taps, size)
    wrapped = fft.ifft2(np.stack([(image[part] * kernel[o].conj()).sum(0) for o, part in enumerate(groups_of)])).real
    options = found.geometry._replace(stride=(1, 1), padding=(0, reach[0], 0, reach[1]), padding_mode="circular")
    expected = reference(functional.conv2d, found.input, found.weight, **options._asdict())
    return [compared("not padded at all, it is conv2d with circular padding", wrapped, expected)]


def _facts(found: Operands, size: tuple[int, ...], taps: np.ndarray) -> tuple[tuple[str, str], ...]:
    sides = " and ".join(
        f"{found.padded.shape[1 + axis]} + {taps.shape[2 + axis]} - 1 = {size[axis]}" for axis in range(2)
    )
    return (
        ("call", found.call()),
        ("transforms", f"of {size[0]} x {size[1]}: {sides}"),
        ("products in space", f"{found.output.size * found.weight[0].size:,}"),
        ("products of frequencies", f"{len(taps) * taps.shape[1] * size[0] * size[1]:,}, beside the transforms; they do not grow with the kernel"),
    )


def _whole(
    found: Operands, taps: np.ndarray, image: Any, kernel: Any, product: Any, inverse: np.ndarray, picked: Any, output: np.ndarray
) -> Scene:
    """The six steps."""
    size, (down, right) = image.shape[1:], found.geometry.stride
    wide, spread = (np.zeros((*array.shape[:-2], *size)) for array in (found.padded, taps))
    wide[..., : found.padded.shape[1], : found.padded.shape[2]] = found.padded
    spread[..., : taps.shape[2], : taps.shape[3]] = taps
    places = np.arange(inverse.size).reshape(inverse.shape)[picked].reshape(-1)
    all_cells = {name: tuple(range(array.size)) for name, array in (("X", image), ("W", kernel), ("P", product), ("p", inverse), ("y", output))}

    def filled(name: str, array: Any) -> dict[str, dict[int, str]]:
        return {name: dict(enumerate(cell_texts(array)))}

    def corner(name: str, array: np.ndarray) -> tuple[str, str, tuple[int, ...]]:
        """The cells that are no padding."""
        inside = np.zeros((*array.shape[:-2], *size), bool)
        inside[..., : array.shape[-2], : array.shape[-1]] = True
        return name, "from", tuple(np.flatnonzero(inside).tolist())

    padded = (corner("x", found.padded), corner("w", taps))
    steps = (
        Step("1. pad", (f"both with zeros to {size[0]} x {size[1]}, below and at the right",), padded),
        Step("2. transform the image", ("X = F(x): one complex number a frequency",), (padded[0], ("X", "now", all_cells["X"])), filled("X", image)),
        Step("3. transform the filter", ("W = F(w)",), (padded[1], ("W", "now", all_cells["W"])), filled("W", kernel)),
        Step(
            "4. multiply",
            ("P = X · conj(W), added up over the input channels; the conjugate makes it a correlation",),
            (("X", "from", all_cells["X"]), ("W", "from", all_cells["W"]), ("P", "now", all_cells["P"])),
            filled("P", product),
        ),
        Step(
            "5. transform back",
            ("p = F⁻¹(P), real up to rounding",),
            (("P", "from", all_cells["P"]), ("p", "now", all_cells["p"])),
            filled("p", np.round(inverse, 10) + 0.0),
        ),
        Step(
            "6. crop",
            (f"the first {found.size[0]} x {found.size[1]} windows" + (f", {down} rows and {right} columns apart" if down * right > 1 else ""),),
            (("p", "from", tuple(places.tolist())), ("y", "now", all_cells["y"])),
            filled("y", np.round(output, 10) + 0.0),
        ),
    )
    grids = (
        grid("x", wide, "padded"),
        grid("w", spread, "padded"),
        grid("X", image, "F(x)", blank=True),
        grid("W", kernel, "F(w)", blank=True),
        grid("P", product, "X · conj(W)", blank=True),
        grid("p", inverse, "F⁻¹(P)", blank=True),
        grid("y", output, "cropped", blank=True),
    )
    return Scene("Pad, transform, multiply, crop", "", grids, steps, focus=True)


def _single(image: Any, kernel: Any, product: Any, groups_of: list[slice]) -> Scene:
    """One product a frequency."""
    steps, area = [], image.shape[1] * image.shape[2]
    depth = kernel.shape[1]
    for number, (o, u, v) in enumerate(np.ndindex(product.shape)):
        if number == MOST_STEPS:
            break
        channels = range(groups_of[o].start, groups_of[o].stop)
        spot, value = u * image.shape[2] + v, number_text(product[o, u, v])
        terms = " + ".join(f"({number_text(image[c, u, v])})·conj({number_text(kernel[o, k, u, v])})" for k, c in enumerate(channels))
        steps.append(
            Step(
                f"frequency ({u}, {v})",
                (f"P[{o}, {u}, {v}] = {terms} = {value}",),
                (
                    ("X", "from", tuple(c * area + spot for c in channels)),
                    ("W", "from", tuple((o * depth + k) * area + spot for k in range(depth))),
                    ("P", "now", (number,)),
                ),
                {"P": {number: value}},
            )
        )
    grids = (grid("X", image, "F(x)"), grid("W", kernel, "F(w)"), grid("P", product, "X · conj(W)", blank=True))
    return Scene("Frequency by frequency", "no frequency sees another", grids, tuple(steps))
