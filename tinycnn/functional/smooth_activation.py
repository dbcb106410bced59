"""Smooth activations that are made of one exponential, in forms that neither overflow nor lose digits."""

from typing import Any

from ..registry import operator
from ..tensor import Tensor
from ._elementwise_map import mapped, number

__all__ = ["logsigmoid", "softplus", "softsign", "tanhshrink"]


@operator(family="smooth_activation", kernels=("softplus", "softplus_grad_x"), differentiable=("input",))
def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """A smooth ReLU: the logarithm of one plus the exponential.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = log(1 + e^(beta input)) / beta, or input where beta input > threshold; grad_input = grad / (1 + e^(-beta input)), or grad there.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    beta : float
        How sharp the bend is.
    threshold : float
        From where on the input itself is given.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If beta or threshold is no number. DtypeError: integers.

    Notes
    -----
    Computed from e^-|beta input|, so that nothing overflows whatever the threshold is. float32 is within 4 units in the last place. beta =
    0 divides by zero, as in PyTorch.

    References
    ----------
    Dugas et al. 2001, "Incorporating second-order functional knowledge for better option pricing", equation 4.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.softplus([-1000.0, 1000.0]).tolist()
    [0.0, 1000.0]
    """
    return mapped("softplus", input, number("softplus", "beta", beta), number("softplus", "threshold", threshold))


@operator(family="smooth_activation", kernels=("logsigmoid", "logsigmoid_grad_x"), differentiable=("input",))
def logsigmoid(input: Any) -> Tensor:
    """The logarithm of the sigmoid, without taking the logarithm of a rounded number.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = min(input, 0) - log(1 + e^-|input|); grad_input = grad / (1 + e^input).

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.

    Returns
    -------
    Tensor

    Raises
    ------
    DtypeError
        For integers.

    Notes
    -----
    logsigmoid(x) = -softplus(-x). float32 is within 4 units in the last place.

    References
    ----------
    Mächler 2012, "Accurately computing log(1 - exp(-|a|))", section 3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.logsigmoid([-1000.0, 1000.0]).tolist()
    [-1000.0, 0.0]
    """
    return mapped("logsigmoid", input)


@operator(family="smooth_activation", kernels=("softsign", "softsign_grad_x"), differentiable=("input",))
def softsign(input: Any) -> Tensor:
    """Squash numbers into -1 to 1, more slowly than tanh does.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input / (1 + |input|); grad_input = grad / (1 + |input|)^2.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.

    Returns
    -------
    Tensor

    Raises
    ------
    DtypeError
        For integers.

    Notes
    -----
    At infinity the value and the gradient are NaN, as in PyTorch.

    References
    ----------
    Bergstra et al. 2009, "Quadratic polynomials learn better image features", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.softsign([-1.0, 0.0, 3.0]).tolist()
    [-0.5, 0.0, 0.75]
    """
    return mapped("softsign", input)


@operator(family="smooth_activation", kernels=("tanhshrink", "tanhshrink_grad_x"), differentiable=("input",))
def tanhshrink(input: Any) -> Tensor:
    """What the hyperbolic tangent takes away.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input - tanh(input); grad_input = grad tanh(input)^2.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.

    Returns
    -------
    Tensor

    Raises
    ------
    DtypeError
        For integers.

    Notes
    -----
    Near zero, where y is input^3 / 3, the difference cancels: its error is a unit in the last place of the input, as in PyTorch.

    References
    ----------
    Kavukcuoglu, Ranzato and LeCun 2010, "Fast inference in sparse coding algorithms", on trainable shrinkage.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.tanhshrink([0.0, 1000.0]).tolist()
    [0.0, 999.0]
    """
    return mapped("tanhshrink", input)
