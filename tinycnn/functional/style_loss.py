"""Losses of whole images: their style, by the correlations of features, and their roughness."""

from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_tensor, one_of, same_dtype
from ._losses import REDUCTIONS, reduced
from .product import matmul
from .regression_loss import mse_loss

__all__ = ["gram_matrix", "style_loss", "total_variation"]

NORMALIZATIONS = ("none", "positions", "elements")


def _features(name: str, argument: str, value: Any) -> Tensor:
    tensor = float_tensor(name, argument, value)
    if tensor.data.ndim < 2:
        raise ShapeError(f"{name}: {argument} has shape {tensor.shape}; it must be (N, C, d1, ...)")
    return tensor


@operator(family="loss", differentiable=("input",))
def gram_matrix(input: Any, *, normalization: str = "none") -> Tensor:
    """The products of all pairs of feature maps, summed over the positions: what style transfer calls style.

    Shapes
    ------
    (N, C, d1, ...) -> (N, C, C)

    Formula
    -------
    G[n, a, b] = f sum_i input[n, a, i] input[n, b, i]; grad_input[n, a, i] = f sum_b (grad[n, a, b] + grad[n, b, a]) input[n, b, i].
    f = 1 for "none", 1 / (d1 ...) for "positions", 1 / (C d1 ...) for "elements".

    Parameters
    ----------
    input : Tensor
        Features.
    normalization : str
        "none", "positions" or "elements".

    Returns
    -------
    Tensor
        Symmetric, without negative eigenvalues.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    Gatys sums without a factor and divides in the loss by 4 C^2 M^2, M positions; the lecture has (1 / N) X X^T ("positions"), Johnson's fast
    transfer and PyTorch's tutorial "elements".

    References
    ----------
    Gatys, Ecker and Bethge 2015, "A neural algorithm of artistic style" (arXiv 1508.06576), equation 3. Johnson, Alahi and Fei-Fei 2016
    (arXiv 1603.08155), section 3.2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.gram_matrix([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
    [[[5.0, 11.0], [11.0, 25.0]]]
    """
    name = "gram_matrix"
    one_of(name, "normalization", normalization, NORMALIZATIONS)
    tensor = _features(name, "input", input)
    images, channels = tensor.data.shape[:2]
    positions = int(np.prod(tensor.data.shape[2:]))
    rows = tensor.reshape((images, channels, positions))
    product = matmul(rows, rows.transpose(1, 2))
    count = {"none": 1, "positions": positions, "elements": channels * positions}[normalization]
    return product if count == 1 else product * (1.0 / count if count else float("nan"))


@operator(family="loss", kernels=("mse_loss",), differentiable=("input", "target"))
def style_loss(input: Any, target: Any, *, normalization: str = "elements", reduction: str = "mean") -> Tensor:
    """How different two feature maps are in style: the squared difference of their Gram matrices.

    Shapes
    ------
    (N, C, d1, ...), (N, C, e1, ...) -> () or, with reduction "none", (N, C, C)

    Formula
    -------
    loss = (gram_matrix(input) - gram_matrix(target))^2

    Parameters
    ----------
    input, target : Tensor
        Features of one number of images and channels; the sizes of the images may differ.
    normalization : str
        As in `gram_matrix`.
    reduction : str
        "mean" (over the C^2 entries and the images), "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    Gatys' layer loss is "sum" with "positions" divided by 4 C^2, for maps of one size.

    References
    ----------
    Gatys, Ecker and Bethge 2015, "A neural algorithm of artistic style" (arXiv 1508.06576), equation 4.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.style_loss([[[1.0, 1.0]]], [[[0.0, 0.0]]]).item()
    1.0
    """
    name = "style_loss"
    one_of(name, "reduction", reduction, REDUCTIONS)
    one_of(name, "normalization", normalization, NORMALIZATIONS)
    features, wanted = _features(name, "input", input), _features(name, "target", target)
    same_dtype(name, input=features, target=wanted)
    if features.data.shape[:2] != wanted.data.shape[:2]:
        raise ShapeError(f"{name}: input {features.shape} and target {wanted.shape} differ in images or channels, the first two sizes")
    styles = (gram_matrix(tensor, normalization=normalization) for tensor in (features, wanted))
    return mse_loss(*styles, reduction=reduction)


@np.errstate(all="ignore")  # infinity gives NaN, without a warning
def _differences(x: np.ndarray) -> list[np.ndarray]:
    """x[i + 1] - x[i] along each of the two last axes, 0 at the end."""
    down, right = np.zeros(x.shape, x.dtype), np.zeros(x.shape, x.dtype)
    np.subtract(x[..., 1:, :], x[..., :-1, :], out=down[..., :-1, :])
    np.subtract(x[..., :, 1:], x[..., :, :-1], out=right[..., :, :-1])
    return [down, right]


@np.errstate(all="ignore")  # infinity gives NaN, without a warning
def _roughness(down: np.ndarray, right: np.ndarray, isotropic: bool, squared: bool) -> tuple[np.ndarray, list[np.ndarray]]:
    """The term of each pixel, and its derivatives by the two differences."""
    if squared:
        return down * down + right * right, [2 * down, 2 * right]
    if isotropic:
        lengths = np.sqrt(down * down + right * right)
        return lengths, [np.where(lengths == 0, lengths.dtype.type(0), difference / lengths) for difference in (down, right)]
    return np.abs(down) + np.abs(right), [np.sign(down), np.sign(right)]


@operator(family="loss", differentiable=("input",), kinks="equal neighbours, where the gradient is 0")
def total_variation(input: Any, *, isotropic: bool = False, squared: bool = False, reduction: str = "sum") -> Tensor:
    """How rough images are: the differences of neighbouring pixels, added up.

    Shapes
    ------
    (..., H, W) -> () or, with reduction "none", (N,) for images (N, C, H, W), else ()

    Formula
    -------
    With dh[i, j] = x[i + 1, j] - x[i, j] and dw[i, j] = x[i, j + 1] - x[i, j], 0 behind the last pixel:
    sum |dh| + |dw|; isotropic sum sqrt(dh^2 + dw^2); squared sum dh^2 + dw^2. grad_x = the adjoint of the differences at the slopes of the terms.

    Parameters
    ----------
    input : Tensor
        Images.
    isotropic : bool
        Take the length of the two differences together: rotations by 90 degrees and diagonals cost alike.
    squared : bool
        Squares instead of absolute differences; both forms are the same then.
    reduction : str
        "sum" over all, "mean" (the sum divided by the number of elements of input) or "none": one number an image.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    TensorFlow's `image.total_variation` is anisotropic, one number an image. Mahendran and Vedaldi raise dh^2 + dw^2 to a power beta / 2: 1 is
    isotropic, 2 squared.

    References
    ----------
    Rudin, Osher and Fatemi 1992, "Nonlinear total variation based noise removal algorithms". Mahendran and Vedaldi 2015 (arXiv 1412.0035), section 2.

    Examples
    --------
    >>> import tinycnn
    >>> image = [[0.0, 3.0], [4.0, 0.0]]
    >>> tinycnn.functional.total_variation(image).item()  # 4 + 3 + 3 + 4
    14.0
    >>> tinycnn.functional.total_variation(image, isotropic=True).item()  # 5 + 3 + 4
    12.0
    """
    name = "total_variation"
    one_of(name, "reduction", reduction, REDUCTIONS)
    tensor = float_tensor(name, "input", input)
    x = tensor.data
    if x.ndim < 2:
        raise ShapeError(f"{name}: input has shape {tensor.shape}; it must have a height and a width")
    down, right = _differences(x)
    terms, slopes = _roughness(down, right, isotropic, squared)
    each = reduction == "none" and x.ndim == 4
    scale = 1.0 / x.size if reduction == "mean" and x.size else 1.0
    sums = terms.sum((1, 2, 3) if each else None, dtype=None if x.dtype == object else np.float64) * scale
    if reduction == "mean" and not x.size:
        sums = sums * np.nan

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = grad.reshape(-1, 1, 1, 1) if each else grad
        by_down, by_right = (slope * (upstream * x.dtype.type(scale)) for slope in slopes)
        grad_x = -by_down - by_right
        grad_x[..., 1:, :] += by_down[..., :-1, :]
        grad_x[..., :, 1:] += by_right[..., :, :-1]
        return (grad_x,)

    return reduced(record(name, np.asarray(sums, x.dtype), (tensor,), backward), "none")
