"""Upsampling as a transposed convolution: the weights that make it bilinear interpolation.

References
----------
Long, Shelhamer and Darrell 2015, "Fully convolutional networks for semantic segmentation", section 3.3; Shelhamer et al. 2016 (arXiv 1605.06211).
"""

from __future__ import annotations

import numpy as np

from ...errors import ArgumentError
from ...nn import ConvTranspose2d

__all__ = ["bilinear_", "bilinear_kernel", "upsampling"]


def bilinear_kernel(size: int) -> np.ndarray:
    """The weights of bilinear interpolation around one input pixel.

    Shapes: (size, size)

    Formula
    -------
    f = ceil(size / 2), c = (size - 1) / 2; k[i, j] = (1 - |i - c| / f) (1 - |j - c| / f)

    Parameters
    ----------
    size
        Rows and columns; 2 s enlarges s times, s even.

    Raises
    ------
    ArgumentError
        For a size below 1.

    Examples
    --------
    >>> bilinear_kernel(4)[0] * 16
    array([1., 3., 3., 1.])
    """
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ArgumentError(f"bilinear_kernel: size must be a whole number from 1 up, not {size!r}; 2 s enlarges s times")
    factor = (size + 1) // 2
    # Caffe's centre of an odd kernel is its middle pixel, that of an even one lies between two.
    line = 1 - np.abs(np.arange(size) - (size - 1) / 2) / factor
    return np.outer(line, line)


def bilinear_(layer: ConvTranspose2d) -> ConvTranspose2d:
    """Make a transposed convolution interpolate: every map by itself, bilinear; changes and returns the layer.

    Raises
    ------
    ArgumentError
        Where the numbers of maps in and out differ, so that no map has one of its own to go to.

    Examples
    --------
    >>> layer = bilinear_(ConvTranspose2d(2, 2, 4, 2, bias=False))
    >>> float(layer.weight.data[0, 1].sum()), float(layer.weight.data[1, 1].sum())
    (0.0, 4.0)
    """
    weight = layer.weight.data
    if weight.shape[0] != weight.shape[1] or weight.shape[2] != weight.shape[3]:
        raise ArgumentError(f"bilinear_: weight {weight.shape} must have as many maps out as in, and a square kernel")
    each = np.arange(weight.shape[0])
    weight[...] = 0  # also where initialisation is skipped: a fixed layer has no other values
    weight[each, each] = bilinear_kernel(weight.shape[2])
    return layer


def upsampling(channels: int, factor: int, learned: bool) -> ConvTranspose2d:
    """A transposed convolution that enlarges `factor` times and starts bilinear; fixed unless learned.

    Shapes
    ------
    (N, channels, H, W) -> (N, channels, factor (H + 1), factor (W + 1)), to be cropped

    Examples
    --------
    >>> import numpy as np
    >>> layer = upsampling(1, 2, learned=False)
    >>> layer(np.ones((1, 1, 3, 3), np.float32)).data[0, 0, 3, 2:6]
    array([1., 1., 1., 1.], dtype=float32)
    """
    layer = bilinear_(ConvTranspose2d(channels, channels, 2 * factor, factor, bias=False))
    layer.weight.requires_grad_(learned)
    return layer
