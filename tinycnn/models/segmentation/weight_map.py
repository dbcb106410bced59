"""U-Net's weight map: rare classes and the narrow background between touching cells count more.

References
----------
Ronneberger, Fischer and Brox 2015, section 3, equation 2: w0 = 10, sigma = 5 pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError, DtypeError, ShapeError

__all__ = ["border_distances", "unet_weight_map"]


def instance_labels(function: str, labels: Any) -> np.ndarray:
    """A map of instance numbers, checked: whole numbers from 0 on, 0 the background."""
    array = np.asarray(labels)
    if array.dtype.kind not in "iub":
        raise DtypeError(f"{function}: labels must be whole numbers, one an instance, not {array.dtype}")
    if array.ndim != 2:
        raise ShapeError(f"{function}: labels must be (H, W), not {array.shape}")
    if array.size and array.min() < 0:
        raise ArgumentError(f"{function}: labels go down to {array.min()}; 0 is the background and 1, 2 ... are the instances")
    return array.astype(np.int64)


def border_distances(labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """How far every pixel is from the nearest cell and from the second nearest.

    Shapes: (H, W) -> (H, W), (H, W)

    Parameters
    ----------
    labels
        0 the background, k the k-th cell.

    Returns
    -------
    d1, d2
        In pixels, 0 inside a cell for d1; infinite where there are fewer cells.

    Raises
    ------
    DtypeError, ShapeError, ArgumentError
        If labels are no such map.

    Examples
    --------
    >>> d1, d2 = border_distances([[1, 0, 0, 0, 2]])
    >>> d1.tolist(), d2.tolist()
    ([[0.0, 1.0, 2.0, 1.0, 0.0]], [[4.0, 3.0, 2.0, 3.0, 4.0]])
    """
    from scipy import ndimage  # not above: importing tinycnn would take as long again

    array = instance_labels("border_distances", labels)
    first = np.full(array.shape, np.inf)
    second = first.copy()
    for cell in np.unique(array[array > 0]):
        distance = ndimage.distance_transform_edt(array != cell)
        second = np.minimum(second, np.maximum(first, distance))
        first = np.minimum(first, distance)
    return first, second


def unet_weight_map(labels: Any, *, w0: float = 10.0, sigma: float = 5.0, balance: bool = True) -> np.ndarray:
    """How much every pixel counts in the loss.

    Shapes: (H, W) -> (H, W) float32

    Formula
    -------
    w = w_c + w0 exp(-(d1 + d2)^2 / (2 sigma^2)), the second term in the background only; w_c = pixels / (2 pixels of the class),
    the classes being cells and background, or 1 without `balance`

    Parameters
    ----------
    labels
        0 the background, k the k-th cell; see `border_distances` for d1 and d2.
    w0
        Weight of a background pixel between two cells that touch.
    sigma
        Width in pixels.
    balance
        Whether cells and background weigh the same in total.

    Raises
    ------
    ArgumentError
        For a w0 below 0 or a sigma not above 0; as `border_distances`.

    Notes
    -----
    The paper separates touching cells by a pixel of background first, as `border_classes` does; the map is for labels so separated.

    Examples
    --------
    >>> unet_weight_map([[1, 0, 2, 0, 0, 0]], balance=False).astype(float).round(2).tolist()
    [[1.0, 10.23, 1.0, 8.26, 5.87, 3.78]]
    """
    if not (w0 >= 0 and sigma > 0 and np.isfinite([w0, sigma]).all()):
        raise ArgumentError(f"unet_weight_map: w0={w0} must be a number >= 0 and sigma={sigma} > 0 pixels; the paper has 10 and 5")
    array = instance_labels("unet_weight_map", labels)
    inside = array > 0
    weights = np.ones(array.shape)
    if balance and inside.any() and not inside.all():
        weights = np.where(inside, inside.size / (2 * inside.sum()), inside.size / (2 * (~inside).sum()))
    first, second = border_distances(array)
    return (weights + np.where(inside, 0.0, w0 * np.exp(-((first + second) ** 2) / (2 * sigma**2)))).astype(np.float32)
