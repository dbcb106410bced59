"""Regression losses: how far numbers are from the numbers they should be."""

from typing import Any

from ..registry import operator
from ..tensor import Tensor
from ._losses import element_weights, elementwise, pairs, real, reduced
from .elementwise import div, mul
from .reduction import sum as total

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


def _weighted_mean(name: str, inputs: tuple[Tensor, Tensor], weight: Any, reduction: str) -> Tensor:
    """The mean divides by the sum of the weights."""
    weights = element_weights(name, weight, inputs[0], broadcast=False)
    losses = mul(elementwise(name, inputs, "none"), weights)
    return div(total(losses), total(weights)) if reduction == "mean" else reduced(losses, reduction)


@operator(family="loss", kernels=("mse_loss",), differentiable=("input", "target", "weight"))
def mse_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Tensor:
    """The squared difference.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*)

    Formula
    -------
    loss = weight (input - target)^2; grad_input = 2 weight (input - target), grad_target = -grad_input; the mean divides by the number of elements,
    with weights by their sum.

    Parameters
    ----------
    input, target : Tensor
        float32 or float64 of one shape.
    reduction : str
        "mean", "sum" or "none".
    weight : Tensor, optional
        A factor for each element, in input's shape.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    There is no factor 1/2, as in torch; textbooks often have one, which halves the gradient. torch broadcasts with a warning, here other
    shapes are an error.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 5.5.1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.mse_loss([1.0, 2.0], [3.0, 2.0]).item()
    2.0
    """
    inputs = pairs("mse_loss", input, target, reduction)
    return elementwise("mse_loss", inputs, reduction) if weight is None else _weighted_mean("mse_loss", inputs, weight, reduction)


@operator(
    family="loss",
    kernels=("l1_loss",),
    differentiable=("input", "target", "weight"),
    kinks="input = target, where the derivative is taken as 0",
)
def l1_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Tensor:
    """The absolute difference.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*)

    Formula
    -------
    loss = weight |input - target|; grad_input = weight sign(input - target), 0 where they are equal; grad_target = -grad_input.

    Parameters
    ----------
    input, target, reduction, weight
        As in `mse_loss`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    Its minimum over a constant prediction is the median, that of `mse_loss` the mean.

    References
    ----------
    Bishop 2006, "Pattern Recognition and Machine Learning", section 1.5.5.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.l1_loss([1.0, 2.0], [3.0, 2.0]).item()
    1.0
    """
    inputs = pairs("l1_loss", input, target, reduction)
    return elementwise("l1_loss", inputs, reduction) if weight is None else _weighted_mean("l1_loss", inputs, weight, reduction)


@operator(family="loss", kernels=("smooth_l1_loss", "l1_loss"), differentiable=("input", "target"), kinks="input = target where beta = 0")
def smooth_l1_loss(input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """The absolute difference, rounded off to a parabola where it is below beta.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*)

    Formula
    -------
    With d = input - target: loss = d^2 / (2 beta) where |d| < beta, else |d| - beta / 2; grad_input = d / beta, else sign(d);
    grad_target = -grad_input.

    Parameters
    ----------
    input, target, reduction
        As in `mse_loss`.
    beta : float
        Where the parabola meets the lines, in units of input; 0 gives `l1_loss`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: beta below 0.

    Notes
    -----
    `huber_loss(delta)` is beta times this loss. Fast R-CNN has beta 1; its RPN in torchvision 1/9.

    References
    ----------
    Girshick 2015, "Fast R-CNN" (arXiv 1504.08083), equation 3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.smooth_l1_loss([0.5, 3.0], [0.0, 0.0], reduction="none").tolist()
    [0.125, 2.5]
    """
    name = "smooth_l1_loss"
    inputs = pairs(name, input, target, reduction)
    corner = real(name, "beta", beta, "a number >= 0", lambda x: x >= 0)
    return elementwise(name, inputs, reduction, corner, name if corner else "l1_loss")


@operator(family="loss", kernels=("huber_loss",), differentiable=("input", "target", "weight"))
def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Tensor:
    """Half the squared difference where it is small, a line where it is large: outliers pull with a bounded force.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*)

    Formula
    -------
    With d = input - target: loss = weight d^2 / 2 where |d| <= delta, else weight delta (|d| - delta / 2); grad_input = weight d, else
    weight delta sign(d); grad_target = -grad_input.

    Parameters
    ----------
    input, target, reduction
        As in `mse_loss`.
    delta : float
        Where the parabola meets the lines, in units of input; above 0.
    weight : Tensor, optional
        A factor for each element, in input's shape.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: delta not above 0.

    Notes
    -----
    The mean divides by the number of elements, with weights as well, as torch does here; that of `mse_loss` and `l1_loss` by the sum
    of the weights. Towards delta = infinity it becomes half of `mse_loss`.

    References
    ----------
    Huber 1964, "Robust estimation of a location parameter", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.huber_loss([0.5, 3.0], [0.0, 0.0], reduction="none", delta=2.0).tolist()
    [0.125, 4.0]
    """
    name = "huber_loss"
    inputs = pairs(name, input, target, reduction)
    corner = real(name, "delta", delta, "a number > 0", lambda x: x > 0)
    if weight is None:
        return elementwise(name, inputs, reduction, corner)
    return reduced(mul(elementwise(name, inputs, "none", corner), element_weights(name, weight, inputs[0], broadcast=False)), reduction)
