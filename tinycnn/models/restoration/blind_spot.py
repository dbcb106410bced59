"""Noise2Void's blind spot: learn to denoise from noisy images alone, by guessing pixels that were hidden.

Some pixels of a noisy patch are replaced by neighbours; the network must give the value that stood there. Noise that is independent from
pixel to pixel cannot be guessed from the neighbours, the image can: the best guess is the clean value. That is also where it ends: noise with
a structure can be guessed, and stays.

References
----------
Krull, Buchholz and Jug 2019, "Noise2Void: learning denoising from single noisy images" (arXiv 1811.10980), section 3.3 and figure 3.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ... import functional as F
from ...errors import ArgumentError, DtypeError, ShapeError
from ...random import default_generator
from ...tensor import Tensor

__all__ = ["BlindSpotBatch", "blind_spot_batch", "masked_mse_loss", "stratified_pixels"]

Array = np.ndarray[Any, Any]


class BlindSpotBatch(NamedTuple):
    """What the network sees, what it must say, and where it is asked; all (N, C, H, W)."""

    input: Array  # the patches with the hidden pixels replaced
    target: Array  # the patches
    mask: Array  # 1 at the hidden pixels, else 0


def stratified_pixels(height: int, width: int, box: int, generator: np.random.Generator | None = None) -> tuple[Array, Array]:
    """One pixel in each box x box square of a grid: random, but spread evenly.

    Parameters
    ----------
    height, width : int
        Of the patch.
    box : int
        Side of a square in pixels; where a square reaches over the edge and its pixel falls outside, it has none.
    generator : numpy.random.Generator, optional
        The package's if left out.

    Returns
    -------
    rows, columns : ndarray
        Of the chosen pixels.

    Raises
    ------
    ArgumentError
        For a size below 1.

    Examples
    --------
    >>> rows, columns = stratified_pixels(8, 8, 4, np.random.default_rng(0))
    >>> (rows // 4).tolist(), (columns // 4).tolist()
    ([0, 0, 1, 1], [0, 1, 0, 1])
    """
    if min(height, width, box) < 1:
        raise ArgumentError(f"stratified_pixels: height, width and box must be 1 or more, not {height}, {width} and {box}")
    draw = default_generator(generator)
    tops, lefts = (grid.ravel() for grid in np.meshgrid(np.arange(0, height, box), np.arange(0, width, box), indexing="ij"))
    rows, columns = tops + draw.integers(0, box, tops.size), lefts + draw.integers(0, box, lefts.size)
    inside = (rows < height) & (columns < width)
    return rows[inside], columns[inside]


def blind_spot_batch(
    patches: Any, *, box: int = 8, radius: int = 2, with_centre: bool = False, generator: np.random.Generator | None = None
) -> BlindSpotBatch:
    """Hide pixels of noisy patches behind the values of neighbours.

    Shapes
    ------
    (N, C, H, W) -> three of (N, C, H, W)

    Parameters
    ----------
    patches : array
        Noisy images, floats.
    box : int
        One pixel is hidden in each box x box square: 8 hides 1.6 %, the paper's share.
    radius : int
        A replacement is drawn uniformly from the square of (2 radius + 1)^2 pixels around; 2 is the published code's.
    with_centre : bool
        Whether the pixel itself may be drawn, as the published code's default has it. Without, replacements are drawn from pixels that are not hidden
        themselves, so that a hidden value is nowhere in the input.
    generator : numpy.random.Generator, optional
        The package's if left out.

    Raises
    ------
    ArgumentError, DtypeError, ShapeError
        If they do not fit.

    Examples
    --------
    >>> batch = blind_spot_batch(np.arange(256.0).reshape(1, 1, 16, 16), generator=np.random.default_rng(0))
    >>> int(batch.mask.sum()), int((batch.input != batch.target).sum())
    (4, 4)
    """
    array = patches.data if isinstance(patches, Tensor) else np.asarray(patches)
    if array.ndim != 4 or min(array.shape[2:], default=0) < 2:
        raise ShapeError(f"blind_spot_batch: patches have shape {array.shape}; they must be (N, C, H, W) of at least 2x2 pixels")
    if array.dtype.kind != "f":
        raise DtypeError(f"blind_spot_batch: patches are {array.dtype}; give floats, such as patches / 255")
    if box < 2 or radius < 1:
        raise ArgumentError(f"blind_spot_batch: needs box >= 2 and radius >= 1, got {box} and {radius}; the paper has 8 and 2")
    draw = default_generator(generator)
    seen, mask = array.copy(), np.zeros_like(array)
    height, width = array.shape[2:]
    for n in range(array.shape[0]):
        rows, columns = stratified_pixels(height, width, box, draw)
        hidden = np.zeros((height, width), bool)
        hidden[rows, columns] = True
        from_rows, from_columns = _replacements(rows, columns, hidden, radius, with_centre, draw)
        # All channels of a pixel come from one neighbour.
        seen[n][:, rows, columns] = array[n][:, from_rows, from_columns]
        mask[n][:, rows, columns] = 1
    return BlindSpotBatch(seen, array, mask)


def _replacements(rows: Array, columns: Array, hidden: Array, radius: int, with_centre: bool, draw: np.random.Generator) -> tuple[Array, Array]:
    """For each hidden pixel one of its neighbours: what falls outside, or on a hidden pixel, is drawn again."""
    height, width = hidden.shape
    from_rows, from_columns = rows.copy(), columns.copy()
    open_ones = np.arange(rows.size)
    while open_ones.size:
        y = rows[open_ones] + draw.integers(-radius, radius + 1, open_ones.size)
        x = columns[open_ones] + draw.integers(-radius, radius + 1, open_ones.size)
        good = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        if not with_centre:
            good[good] = ~hidden[y[good], x[good]]
        from_rows[open_ones[good]], from_columns[open_ones[good]] = y[good], x[good]
        open_ones = open_ones[~good]
    return from_rows, from_columns


def masked_mse_loss(input: Any, target: Any, mask: Any) -> Tensor:
    """The mean squared error of the hidden pixels alone.

    Shapes
    ------
    (N, C, H, W), (N, C, H, W), (N, C, H, W) -> ()

    Formula
    -------
    loss = sum mask (input - target)^2 / sum mask

    Parameters
    ----------
    input : Tensor
        What the network says.
    target : array
        The noisy patches.
    mask : array
        1 where a pixel counts, else 0.

    Raises
    ------
    ShapeError, ArgumentError
        Where the shapes differ, or no pixel counts.

    Examples
    --------
    >>> masked_mse_loss(np.array([1.0, 5.0]), np.array([3.0, 0.0]), np.array([1.0, 0.0])).item()
    4.0
    """
    shapes = [np.shape(value) for value in (input, target, mask)]
    if len(set(shapes)) > 1:
        raise ShapeError(f"masked_mse_loss: input, target and mask must have one shape, not {shapes[0]}, {shapes[1]} and {shapes[2]}")
    weights = mask.data if isinstance(mask, Tensor) else np.asarray(mask)
    count = float(weights.sum())
    if not count > 0:
        raise ArgumentError("masked_mse_loss: the mask hides no pixel, so that there is nothing to compare; make the patch larger or the box smaller")
    return F.sum(F.square(F.sub(input, target)) * weights) * (1.0 / count)
