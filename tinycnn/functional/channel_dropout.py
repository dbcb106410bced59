"""Dropout of whole channels, and dropout that keeps mean and variance of what SELU gives."""

import warnings
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, HintWarning, ShapeError
from ..random import default_generator
from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_tensor

__all__ = ["alpha_dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]

# What SELU tends to for large negative numbers, -scale alpha (Klambauer et al., section 3 and appendix A1).
SELU_FLOOR = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946


def _probability(name: str, p: Any) -> float:
    if isinstance(p, bool) or not isinstance(p, int | float | np.floating) or not 0 <= p <= 1:
        raise ArgumentError(f"{name}: p must be a probability from 0 to 1, not {p!r}")
    return float(p)


def _masked(
    name: str, tensor: Tensor, mask_shape: tuple[int, ...], p: float, training: bool, generator: Any, return_mask: bool, alpha: bool
) -> Any:
    """y = scale (kept x + (1 - kept) floor) + shift, one draw for each place of the mask, which broadcasts over x."""
    x = tensor.data
    if not training or p == 0:
        return (tensor, Tensor(np.ones(mask_shape, np.bool_))) if return_mask else tensor
    # float32 numbers are fine enough for any p that float32 can express, and cost half the time.
    kept = default_generator(generator).random(mask_shape, np.float32) >= p
    number = x.dtype.type if x.dtype != object else float
    if p == 1:
        scale = shift = filling = 0.0
    elif alpha:
        scale = ((1 - p) * (1 + p * SELU_FLOOR**2)) ** -0.5
        shift, filling = -scale * p * SELU_FLOOR, scale * SELU_FLOOR
    else:
        scale, shift, filling = 1 / (1 - p), 0.0, 0.0
    factor = kept * number(scale)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (grad * factor,)

    with np.errstate(all="ignore"):
        data = x * factor
    if alpha and p < 1:
        data = data + np.where(kept, number(shift), number(filling + shift))
    y = record(name, data, (tensor,), backward)
    return (y, Tensor(kept)) if return_mask else y


def _channels(tensor: Tensor, batched: bool) -> tuple[int, ...]:
    """The mask's shape: one draw a channel of each sample."""
    shape = tensor.data.shape
    kept = 2 if batched else 1
    return (*shape[:kept], *(1,) * (len(shape) - kept))


@operator(family="dropout", differentiable=("input",))
def dropout1d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
    return_mask: bool = False,
) -> Any:
    """Set whole channels of sequences to zero with probability `p`, and scale the others so that the expectation stays.

    Shapes
    ------
    (N, C, L), or (C, L) for one sample -> as input; the mask is (N, C, 1) or (C, 1)

    Formula
    -------
    kept[n, c] = 1 with probability 1 - p, else 0;  y[n, c, l] = kept[n, c] input[n, c, l] / (1 - p);
    grad_input[n, c, l] = kept[n, c] grad[n, c, l] / (1 - p).

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    p : float
        Probability of a zero, from 0 to 1; 1 gives zeros only.
    training : bool
        False gives the input back.
    inplace : bool
        Accepted and changes nothing: results are always new.
    generator : numpy.random.Generator, optional
        Where the mask is drawn from; the package's generator if left out.
    return_mask : bool
        Also give the mask: a boolean tensor, true where a channel was kept.

    Returns
    -------
    Tensor, or (Tensor, Tensor) where `return_mask`

    Raises
    ------
    ArgumentError
        If p is not from 0 to 1. ShapeError: input has another number of axes.

    References
    ----------
    Tompson et al. 2015, "Efficient object localization using convolutional networks", section 3.2 (SpatialDropout).

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> y, kept = tinycnn.functional.dropout1d(np.ones((4, 3, 5)), return_mask=True)
    >>> kept.shape, bool((y.numpy() == 2 * kept.numpy()).all())
    ((4, 3, 1), True)
    """
    probability = _probability("dropout1d", p)
    tensor = float_tensor("dropout1d", "input", input)
    if tensor.data.ndim not in (2, 3):
        raise ShapeError(f"dropout1d: input has shape {tensor.data.shape}; it must be (N, C, L), or (C, L) for one sample")
    shape = _channels(tensor, tensor.data.ndim == 3)
    return _masked("dropout1d", tensor, shape, probability, bool(training), generator, bool(return_mask), False)


@operator(family="dropout", differentiable=("input",))
def dropout2d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
    return_mask: bool = False,
) -> Any:
    """Set whole channels of images to zero with probability `p`, and scale the others so that the expectation stays.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H, W); the mask is (N, C, 1, 1)

    Formula
    -------
    kept[n, c] = 1 with probability 1 - p, else 0;  y[n, c, i, j] = kept[n, c] input[n, c, i, j] / (1 - p);
    grad_input[n, c, i, j] = kept[n, c] grad[n, c, i, j] / (1 - p).

    Parameters
    ----------
    input, p, training, inplace, generator, return_mask
        As in `dropout1d`.

    Returns
    -------
    Tensor, or (Tensor, Tensor) where `return_mask`

    Raises
    ------
    ArgumentError
        If p is not from 0 to 1. ShapeError: input has fewer than two axes.

    Notes
    -----
    As in PyTorch, and with its warning, three axes are read as (N, C, L), not as one image (C, H, W); other numbers of axes from two up
    are read as (N, C, ...). Neighbouring pixels of a map are so much alike that dropping single ones changes little; Keras calls it
    SpatialDropout2D.

    References
    ----------
    Tompson et al. 2015, "Efficient object localization using convolutional networks", section 3.2 (SpatialDropout).

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> y, kept = tinycnn.functional.dropout2d(np.ones((4, 3, 2, 2)), 0.75, return_mask=True)
    >>> kept.shape, bool((y.numpy() == 4 * kept.numpy()).all())
    ((4, 3, 1, 1), True)
    """
    probability = _probability("dropout2d", p)
    tensor = float_tensor("dropout2d", "input", input)
    axes = tensor.data.ndim
    if axes < 2:
        raise ShapeError(f"dropout2d: input has shape {tensor.data.shape}; it must be (N, C, H, W)")
    if axes != 4:
        advice = "for one image use input.unsqueeze(0), for sequences dropout1d" if axes == 3 else "use dropout, dropout1d or dropout3d"
        warnings.warn(f"dropout2d: input of {axes} axes is read as (N, C, ...); {advice}", HintWarning, stacklevel=2)
    shape = _channels(tensor, True)
    return _masked("dropout2d", tensor, shape, probability, bool(training), generator, bool(return_mask), False)


@operator(family="dropout", differentiable=("input",))
def dropout3d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
    return_mask: bool = False,
) -> Any:
    """Set whole channels of volumes to zero with probability `p`, and scale the others so that the expectation stays.

    Shapes
    ------
    (N, C, D, H, W), or (C, D, H, W) for one sample -> as input; the mask is (N, C, 1, 1, 1) or (C, 1, 1, 1)

    Formula
    -------
    As `dropout1d`, over three spatial axes.

    Parameters
    ----------
    input, p, training, inplace, generator, return_mask
        As in `dropout1d`.

    Returns
    -------
    Tensor, or (Tensor, Tensor) where `return_mask`

    Raises
    ------
    ArgumentError
        If p is not from 0 to 1. ShapeError: input is a single number.

    Notes
    -----
    As in PyTorch, and with its warning, any other number of axes is read as one sample (C, ...).

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> tinycnn.functional.dropout3d(np.ones((2, 3, 1, 2, 2)), return_mask=True)[1].shape
    (2, 3, 1, 1, 1)
    """
    probability = _probability("dropout3d", p)
    tensor = float_tensor("dropout3d", "input", input)
    axes = tensor.data.ndim
    if axes < 1:
        raise ShapeError("dropout3d: input is a single number; it must be (N, C, D, H, W), or (C, D, H, W) for one sample")
    if axes not in (4, 5):
        text = f"dropout3d: input of {axes} axes is read as one sample (C, ...); use dropout, dropout1d or dropout2d"
        warnings.warn(text, HintWarning, stacklevel=2)
    shape = _channels(tensor, axes == 5)
    return _masked("dropout3d", tensor, shape, probability, bool(training), generator, bool(return_mask), False)


@operator(family="dropout", differentiable=("input",))
def alpha_dropout(
    input: Any,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
    return_mask: bool = False,
) -> Any:
    """Set elements to SELU's floor with probability `p`, and rescale so that mean 0 and variance 1 stay.

    Shapes
    ------
    (...) -> (...)

    Formula
    -------
    f = -1.7580993..., the limit of selu at minus infinity;  a = ((1 - p) (1 + p f^2))^(-1/2);  b = -a p f;
    kept[i] = 1 with probability 1 - p, else 0;  y[i] = a (kept[i] input[i] + (1 - kept[i]) f) + b;
    grad_input[i] = a kept[i] grad[i].

    Parameters
    ----------
    input : Tensor
        float32 or float64; mean 0 and variance 1, as after SELU, are kept.
    p, inplace, generator, return_mask
        As in `dropout1d`; p = 1 gives zeros only.
    training : bool
        False, the default here as in PyTorch, gives the input back.

    Returns
    -------
    Tensor, or (Tensor, Tensor) where `return_mask`

    Raises
    ------
    ArgumentError
        If p is not from 0 to 1.

    References
    ----------
    Klambauer et al. 2017, "Self-normalizing neural networks", section 3, "Alpha dropout".

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> y, kept = tinycnn.functional.alpha_dropout(np.zeros(1000), 0.2, training=True, return_mask=True)
    >>> sorted(set(y.numpy().round(4).tolist())), bool(((y.numpy() > 0) == kept.numpy()).all())
    ([-1.2362, 0.309], True)
    """
    probability = _probability("alpha_dropout", p)
    tensor = float_tensor("alpha_dropout", "input", input)
    return _masked("alpha_dropout", tensor, tensor.data.shape, probability, bool(training), generator, bool(return_mask), True)


@operator(family="dropout", differentiable=("input",))
def feature_alpha_dropout(
    input: Any,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
    return_mask: bool = False,
) -> Any:
    """Set whole channels to SELU's floor with probability `p`, and rescale so that mean 0 and variance 1 stay.

    Shapes
    ------
    (N, C, ...) -> (N, C, ...); the mask is (N, C, 1, ...)

    Formula
    -------
    As `alpha_dropout` with kept[n, c] drawn once a channel of each sample.

    Parameters
    ----------
    input, p, training, inplace, generator, return_mask
        As in `alpha_dropout`.

    Returns
    -------
    Tensor, or (Tensor, Tensor) where `return_mask`

    Raises
    ------
    ArgumentError
        If p is not from 0 to 1. ShapeError: input has fewer than two axes, and there is something to drop.

    References
    ----------
    Klambauer et al. 2017, "Self-normalizing neural networks", section 3, "Alpha dropout".

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> tinycnn.functional.feature_alpha_dropout(np.zeros((2, 3, 4, 4)), training=True, return_mask=True)[1].shape
    (2, 3, 1, 1)
    """
    probability = _probability("feature_alpha_dropout", p)
    tensor = float_tensor("feature_alpha_dropout", "input", input)
    if tensor.data.ndim < 2:
        if training and probability:
            raise ShapeError(f"feature_alpha_dropout: input has shape {tensor.data.shape}; it must be (N, C, ...)")
        shape = tensor.data.shape
    else:
        shape = _channels(tensor, True)
    return _masked("feature_alpha_dropout", tensor, shape, probability, bool(training), generator, bool(return_mask), True)
