"""Regions of interest: each box of a feature map, whatever its size, as a small map of fixed size."""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..functional._arguments import contiguous, float_tensor, pair
from ..registry import operator
from ..tensor import Tensor
from ._arguments import real_number, regions

__all__ = ["ps_roi_align", "ps_roi_pool", "roi_align", "roi_pool"]

MOST_SAMPLES = 4096  # a side of one bin
MOST_BYTES = 2**40


def _checked(
    name: str, input: Any, boxes: Any, output_size: Any, spatial_scale: Any, position_sensitive: bool = False
) -> tuple[Tensor, np.ndarray, np.ndarray, float, tuple[int, int]]:
    """(input, its array, regions, scale, bins); raises before any work."""
    tensor = float_tensor(name, "input", input)
    x = tensor.data
    if x.ndim != 4:
        raise ShapeError(f"{name}: input has shape {x.shape}; it must be (N, C, H, W)")
    if 0 in x.shape[2:]:
        raise ShapeError(f"{name}: input has shape {x.shape}; height and width must be at least 1")
    bins = pair(name, "output_size", output_size, 1)
    scale = real_number(name, "spatial_scale", spatial_scale)
    if not math.isfinite(scale):
        raise ArgumentError(f"{name}: spatial_scale must be finite, not {scale}")
    rois = regions(name, tensor, boxes)
    if position_sensitive and x.shape[1] % (bins[0] * bins[1]):
        raise ShapeError(
            f"{name}: input has {x.shape[1]} channels, which {bins[0]} x {bins[1]} = {bins[0] * bins[1]} bins do not divide; "
            "each bin reads channels of its own"
        )
    if len(rois) * max(x.shape[1], 1) * bins[0] * bins[1] * x.itemsize > MOST_BYTES or max(bins) > 2**31:
        raise ArgumentError(f"{name}: output_size {bins} for {len(rois)} regions of {x.shape[1]} channels is more than {MOST_BYTES} bytes")
    return tensor, contiguous(x), rois, scale, bins


def _samples(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value > MOST_SAMPLES:
        raise ArgumentError(f"{name}: sampling_ratio must be a whole number up to {MOST_SAMPLES}, not {value!r}; 0 or less takes one sample a pixel")
    return int(value)


@operator(
    family="roi", kernels=("roi_align", "roi_align_grad_x"), differentiable=("input",)
)
def roi_align(
    input: Any,
    boxes: Any,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Average a grid of bilinear samples in each bin of each box: nothing is rounded.

    Shapes
    ------
    (N, C, H, W), (K, 5) or N tensors (L, 4) -> (K, C, rows, columns)

    Formula
    -------
    With s = spatial_scale, b = 1/2 if aligned else 0, the box starts at (s y1 - b, s x1 - b) and has the height h = s (y2 - y1), at least 1
    unless aligned. Bin i has g samples along y, at s y1 - b + (i + (a + 1/2) / g) h / rows for a < g; likewise along x;

        y[k, c, i, j] = (1 / g_y g_x) sum over the bin's samples of bilinear(input[n_k, c], sample)
        grad_input[n, c, p, q] = sum over samples that read pixel (p, q) of its bilinear weight grad[k, c, i, j] / (g_y g_x)

    A sample more than one pixel outside (below -1 or above H) counts as zero, one outside by less reads the border.

    Parameters
    ----------
    input : Tensor
        Feature maps, float32 or float64.
    boxes : Tensor (K, 5) or list of Tensor (L, 4)
        (image, x1, y1, x2, y2), or for each image its boxes; in pixels of the image that the scale refers to.
    output_size : int or (rows, columns)
        Bins.
    spatial_scale : float
        Pixels of the map a pixel of the boxes: 1/16 for a map of stride 16.
    sampling_ratio : int
        Samples along each side of a bin; 0 or less takes ceil(h / rows), one a pixel.
    aligned : bool
        Subtract the half pixel, so that integer coordinates are pixel corners; the first implementations did not.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: a box that names an image which is not there, an option out of range.

    Notes
    -----
    No gradient goes to the boxes. ONNX RoiAlign-16's "half_pixel" is aligned=True, version 10 and "output_half_pixel" aligned=False;
    Detectron2 uses aligned=True, TensorFlow's crop_and_resize samples corners instead. Reversed boxes with aligned=True have no samples and give 0
    (unless sampling_ratio is set), where torchvision fails; boxes with NaN give 0.

    References
    ----------
    He et al. 2017, "Mask R-CNN", section 3, figure 3.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> ops.roi_align(x, np.array([[0, 0.0, 0.0, 4.0, 4.0]]), 2, sampling_ratio=1, aligned=True).tolist()
    [[[[2.5, 4.5], [10.5, 12.5]]]]
    """
    tensor, x, rois, scale, bins = _checked("roi_align", input, boxes, output_size, spatial_scale)
    options = (scale, bins, _samples("roi_align", sampling_ratio), bool(aligned))
    y = kernels.select("roi_align", x)(x, rois, *options)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (kernels.select("roi_align_grad_x", x)(contiguous(grad), rois, x.shape, *options),)

    return record("roi_align", y, (tensor,), backward)


@operator(family="roi", kernels=("roi_pool", "roi_pool_grad_x"), differentiable=("input",), kinks="ties inside a bin")
def roi_pool(input: Any, boxes: Any, output_size: int | tuple[int, int], spatial_scale: float = 1.0) -> Tensor:
    """Keep the largest pixel in each bin of each box, the box's corners and the bins' edges rounded to whole pixels.

    Shapes
    ------
    (N, C, H, W), (K, 5) or N tensors (L, 4) -> (K, C, rows, columns)

    Formula
    -------
    With corners r = round(spatial_scale corner), halves away from zero, and the height h = max(r(y2) - r(y1) + 1, 1), bin i covers the rows
    r(y1) + floor(i h / rows) to r(y1) + ceil((i + 1) h / rows) - 1 inside the image; columns likewise;
    y[k, c, i, j] = the maximum over them; grad_input collects grad[k, c, i, j] at the first pixel in row-major order that attains it.

    Parameters
    ----------
    input, boxes, output_size, spatial_scale
        As in `roi_align`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: a box that names an image which is not there, an option out of range.

    Notes
    -----
    Neighbouring bins overlap where the height does not divide. A bin outside the image gives 0. As in torchvision, NaN never wins, and a bin of
    nothing but NaN or minus infinity gives -3.4e38. Caffe's original layer is the same; the rounding is what RoIAlign does away with.

    References
    ----------
    Girshick 2015, "Fast R-CNN", section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> ops.roi_pool(x, np.array([[0, 0.0, 0.0, 3.0, 3.0]]), 2).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """
    tensor, x, rois, scale, bins = _checked("roi_pool", input, boxes, output_size, spatial_scale)
    y, place = kernels.select("roi_pool", x)(x, rois, scale, bins)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (kernels.select("roi_pool_grad_x", x)(contiguous(grad), place, rois, x.shape),)

    return record("roi_pool", y, (tensor,), backward)


@operator(family="roi", kernels=("ps_roi_align", "ps_roi_align_grad_x"), differentiable=("input",))
def ps_roi_align(
    input: Any, boxes: Any, output_size: int | tuple[int, int], spatial_scale: float = 1.0, sampling_ratio: int = -1
) -> Tensor:
    """RoIAlign in which each bin reads channels of its own: a score map for each part of an object.

    Shapes
    ------
    (N, C rows columns, H, W), (K, 5) or N tensors (L, 4) -> (K, C, rows, columns)

    Formula
    -------
    y[k, c, i, j] = `roi_align`(input, ..., aligned=True)[k, (c rows + i) columns + j, i, j]; gradients likewise.

    Parameters
    ----------
    input, boxes, output_size, spatial_scale, sampling_ratio
        As in `roi_align`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the bins do not divide the channels; the other errors as in `roi_align`.

    Notes
    -----
    A box without height or width and sampling_ratio <= 0 has no samples: 0 / 0 = NaN, as in torchvision.

    References
    ----------
    Li et al. 2017, "Light-head R-CNN: in defense of two-stage object detector", section 3.2; Dai et al. 2016, "R-FCN", section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> x = np.arange(4.0).reshape(1, 4, 1, 1) * np.ones((1, 4, 6, 6))
    >>> ops.ps_roi_align(x, np.array([[0, 1.0, 1.0, 5.0, 5.0]]), 2).tolist()
    [[[[0.0, 1.0], [2.0, 3.0]]]]
    """
    tensor, x, rois, scale, bins = _checked("ps_roi_align", input, boxes, output_size, spatial_scale, True)
    options = (scale, bins, _samples("ps_roi_align", sampling_ratio))
    y = kernels.select("ps_roi_align", x)(x, rois, *options)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (kernels.select("ps_roi_align_grad_x", x)(contiguous(grad), rois, x.shape, *options),)

    return record("ps_roi_align", y, (tensor,), backward)


@operator(family="roi", kernels=("ps_roi_pool", "ps_roi_pool_grad_x"), differentiable=("input",))
def ps_roi_pool(input: Any, boxes: Any, output_size: int | tuple[int, int], spatial_scale: float = 1.0) -> Tensor:
    """Average the whole pixels of each bin, each bin reading channels of its own.

    Shapes
    ------
    (N, C rows columns, H, W), (K, 5) or N tensors (L, 4) -> (K, C, rows, columns)

    Formula
    -------
    With corners r = round(spatial_scale corner) and the height h = max(r(y2) - r(y1), 1), bin i covers rows r(y1) + floor(i h / rows) to
    r(y1) + ceil((i + 1) h / rows) - 1, each bound cut to 0 ... H - 1; y[k, c, i, j] = the mean of input[n_k, (c rows + i) columns + j] over
    them; each of those pixels receives grad[k, c, i, j] over their number.

    Parameters
    ----------
    input, boxes, output_size, spatial_scale
        As in `roi_align`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the bins do not divide the channels; the other errors as in `roi_align`.

    Notes
    -----
    The upper bounds are cut at H - 1 and W - 1, exclusive, so the last row and column are never read: torchvision's code, kept. Its backward
    cuts at H and W instead; here the gradient is that of the forward. An empty bin gives 0.

    References
    ----------
    Dai et al. 2016, "R-FCN: object detection via region-based fully convolutional networks", section 2, equation 1.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> x = np.arange(4.0).reshape(1, 4, 1, 1) * np.ones((1, 4, 6, 6))
    >>> ops.ps_roi_pool(x, np.array([[0, 1.0, 1.0, 5.0, 5.0]]), 2).tolist()
    [[[[0.0, 1.0], [2.0, 3.0]]]]
    """
    tensor, x, rois, scale, bins = _checked("ps_roi_pool", input, boxes, output_size, spatial_scale, True)
    y = kernels.select("ps_roi_pool", x)(x, rois, scale, bins)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (kernels.select("ps_roi_pool_grad_x", x)(contiguous(grad), rois, x.shape, scale, bins),)

    return record("ps_roi_pool", y, (tensor,), backward)
