"""Colours of style transfer: give the style the content's colours beforehand, or keep only the brightness of the result.

References
----------
Gatys, Bethge, Hertzmann and Shechtman 2016, "Preserving color in neural artistic style transfer" (arXiv 1606.05897).
Gatys et al. 2017, "Controlling perceptual factors in neural style transfer" (arXiv 1611.07865), section 5.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError

__all__ = ["match_colours", "match_histograms", "with_colours_of"]

Array = np.ndarray[Any, Any]

# Luminance and two colour axes of the NTSC standard from RGB.
YIQ = np.array([[0.299, 0.587, 0.114], [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])
LEAST_VARIANCE = 1e-6  # of a colour axis: an image of one colour has none


def _colours(function: str, image: Any) -> Array:
    pixels = np.asarray(image)
    if pixels.ndim != 3 or pixels.shape[0] != 3 or pixels.dtype.kind != "f":
        raise ShapeError(f"{function}: an image is {pixels.dtype} of shape {pixels.shape}; give floats (3, H, W)")
    return pixels


def _powers(pixels: Array) -> tuple[Array, Array, Array]:
    """Mean, square root and inverse square root of the covariance of the colours."""
    rows = pixels.reshape(3, -1).astype(np.float64)
    mean = rows.mean(1, keepdims=True)
    covariance = (rows - mean) @ (rows - mean).T / rows.shape[1]
    values, vectors = np.linalg.eigh(covariance + LEAST_VARIANCE * np.eye(3))
    return mean, vectors * np.sqrt(values) @ vectors.T, vectors / np.sqrt(values) @ vectors.T


def match_colours(image: Any, reference: Any) -> Array:
    """Turn and stretch the cloud of colours so that mean and covariance are the reference's.

    Shapes
    ------
    (3, H, W), (3, H', W') -> (3, H, W)

    Formula
    -------
    y = S_r^(1/2) S_i^(-1/2) (x - m_i) + m_r, with means m and covariances S of the colours

    Parameters
    ----------
    image, reference : array
        RGB floats from 0 to 1.

    Returns
    -------
    ndarray
        Not cut to 0..1, which would bend the moments.

    Raises
    ------
    ShapeError
        For anything but (3, H, W) of floats.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> found = match_colours(draw.random((3, 8, 8)), 0.3 + 0.1 * draw.random((3, 9, 9)))
    >>> bool(0.33 < found.mean() < 0.37)
    True
    """
    x, wanted = _colours("match_colours", image), _colours("match_colours", reference)
    mean, _, inverse = _powers(x)
    target_mean, root, _ = _powers(wanted)
    return (root @ inverse @ (x.reshape(3, -1) - mean) + target_mean).reshape(x.shape).astype(x.dtype)


def match_histograms(image: Any, reference: Any) -> Array:
    """Give each channel the reference's histogram: the k-th darkest value becomes the reference's value of that rank.

    Shapes
    ------
    (3, H, W), (3, H', W') -> (3, H, W)

    Parameters
    ----------
    image, reference : array
        RGB floats.

    Raises
    ------
    ShapeError
        For anything but (3, H, W) of floats.

    Examples
    --------
    >>> image = np.array([[[0.0, 1.0]]] * 3)
    >>> match_histograms(image, np.array([[[0.7, 0.2]]] * 3))[0].tolist()
    [[0.2, 0.7]]
    """
    x, wanted = _colours("match_histograms", image), _colours("match_histograms", reference)
    result = np.empty_like(x)
    for channel in range(3):
        order = x[channel].argsort(axis=None, kind="stable")
        values = np.sort(wanted[channel], axis=None)
        places = np.linspace(0, values.size - 1, order.size)
        result[channel].flat[order] = np.interp(places, np.arange(values.size), values)
    return result


def with_colours_of(brightness: Any, colours: Any) -> Array:
    """The brightness of one image, the colours of the other: luminance transfer's last step.

    Shapes
    ------
    (3, H, W), (3, H, W) -> (3, H, W)

    Formula
    -------
    Y of the first, I and Q of the second, in NTSC's YIQ

    Parameters
    ----------
    brightness, colours : array
        RGB floats of one size.

    Raises
    ------
    ShapeError
        For anything but two (3, H, W) of floats of one size.

    Examples
    --------
    >>> grey = np.full((3, 1, 1), 0.5)
    >>> with_colours_of(grey, np.array([0.4, 0.2, 0.2]).reshape(3, 1, 1)).ravel().round(2).tolist()
    [0.64, 0.44, 0.44]
    """
    first, second = _colours("with_colours_of", brightness), _colours("with_colours_of", colours)
    if first.shape != second.shape:
        raise ShapeError(f"with_colours_of: both images must have one size, not {first.shape[1:]} and {second.shape[1:]}")
    # Adding the same to all three channels changes Y alone: Y's weights add up to 1, those of I and Q to 0.
    difference = np.tensordot(YIQ[0], first - second, 1)
    return (second + difference).astype(first.dtype)
