"""Smooth relatives of ReLU: exponential, gated and self-gated linear units, in forms that neither overflow nor lose digits."""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, one_of
from ._arrays import axis
from ._elementwise_map import mapped, number

__all__ = ["celu", "elu", "gelu", "glu", "mish", "selu", "silu"]


@operator(family="linear_units", kernels=("elu", "elu_grad_x"), differentiable=("input",), kinks="0, unless alpha is 1; alpha is taken")
def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Let negative numbers fade into -alpha instead of cutting them off.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input where input > 0, else alpha (e^input - 1); grad_input = grad where input > 0, else alpha e^input grad.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    alpha : float
        Minus the limit far below zero.
    inplace : bool
        Accepted and changes nothing.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If alpha is no number. DtypeError: integers.

    Notes
    -----
    e^x - 1 is computed without cancellation: float32 is within 3 units in the last place. NaN as input stays NaN and passes the gradient,
    as in PyTorch.

    References
    ----------
    Clevert, Unterthiner and Hochreiter 2016, "Fast and accurate deep network learning by exponential linear units", equation 15.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.elu([-1000.0, 0.0, 2.0], 0.5).tolist()
    [-0.5, 0.0, 2.0]
    """
    return mapped("elu", input, number("elu", "alpha", alpha))


@operator(family="linear_units", kernels=("celu", "celu_grad_x"), differentiable=("input",))
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """ELU whose derivative has no jump, whatever alpha is.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input where input > 0, else alpha (e^(input / alpha) - 1); grad_input = grad where input > 0, else e^(input / alpha) grad.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    alpha : float
        Minus the limit far below zero; not zero.
    inplace : bool
        Accepted and changes nothing.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If alpha is no number, or zero. DtypeError: integers.

    Notes
    -----
    With alpha = 1 it is ELU.

    References
    ----------
    Barron 2017, "Continuously differentiable exponential linear units", equation 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.celu([-1000.0, 0.0, 2.0], 0.5).tolist()
    [-0.5, 0.0, 2.0]
    """
    if number("celu", "alpha", alpha) == 0:
        raise ArgumentError("celu: alpha is 0 but divides the input; relu is its limit")
    return mapped("celu", input, alpha)


@operator(family="linear_units", kernels=("selu", "selu_grad_x"), differentiable=("input",), kinks="0, where the slope below it is taken")
def selu(input: Any, inplace: bool = False) -> Tensor:
    """ELU scaled so that layer by layer means go to 0 and variances to 1.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = 1.0507 input where input > 0, else 1.0507 1.6733 (e^input - 1); grad_input = 1.0507 grad where input > 0, else 1.7581 e^input grad.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    inplace : bool
        Accepted and changes nothing.

    Returns
    -------
    Tensor

    Raises
    ------
    DtypeError
        For integers.

    Notes
    -----
    The two constants solve the fixed-point equations for mean 0 and variance 1. It wants `lecun_normal_` weights and alpha dropout.

    References
    ----------
    Klambauer et al. 2017, "Self-normalizing neural networks", equation 2 and its supplement for the digits.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.selu([0.0]).tolist()
    [0.0]
    """
    return mapped("selu", input)


@operator(family="linear_units", kernels=("gelu", "gelu_grad_x", "gelu_tanh", "gelu_tanh_grad_x"), differentiable=("input",))
def gelu(input: Any, approximate: str = "none") -> Tensor:
    """Weigh every number by the share of a normal distribution that lies below it.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    "none": y = input Phi(input), grad_input = grad (Phi(input) + input phi(input)), Phi and phi the normal distribution and density;
    "tanh": y = input (1 + tanh(u)) / 2 with u = sqrt(2 / pi) (input + 0.044715 input^3).

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    approximate : "none" or "tanh"
        The definition, or the paper's approximation of it.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        For another name. DtypeError: integers.

    Notes
    -----
    Keras has approximate=False or True, ONNX the same two words. float32 is within 10 units in the last
    place, and x^2 / 2 more far below zero, where PyTorch's 1 + erf has no digit left. Minus infinity gives NaN, as in PyTorch; infinity gives
    infinity, as in its float64, where its float32 gives NaN.

    References
    ----------
    Hendrycks and Gimpel 2016, "Gaussian error linear units (GELUs)", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.gelu([0.0, 100.0]).tolist()
    [0.0, 100.0]
    """
    return mapped("gelu", input, kernel="gelu" if one_of("gelu", "approximate", approximate, ("none", "tanh")) == "none" else "gelu_tanh")


@operator(family="linear_units", kernels=("silu", "silu_grad_x"), differentiable=("input",))
def silu(input: Any, inplace: bool = False) -> Tensor:
    """Weigh every number by its own sigmoid; also called swish.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input s with s = 1 / (1 + e^-input); grad_input = grad s (1 + input (1 - s)).

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    inplace : bool
        Accepted and changes nothing.

    Returns
    -------
    Tensor

    Raises
    ------
    DtypeError
        For integers.

    Notes
    -----
    Swish has a learnt factor inside the sigmoid, which is 1 here. float32 is within 4 units in the last place. Minus infinity gives NaN, as
    in PyTorch.

    References
    ----------
    Elfwing, Uchibe and Doya 2018, "Sigmoid-weighted linear units for neural network function approximation", section 2.
    Ramachandran, Zoph and Le 2017, "Searching for activation functions".

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.silu([0.0, 100.0]).tolist()
    [0.0, 100.0]
    """
    return mapped("silu", input)


@operator(family="linear_units", kernels=("mish", "mish_grad_x"), differentiable=("input",))
def mish(input: Any, inplace: bool = False) -> Tensor:
    """Weigh every number by the hyperbolic tangent of its softplus.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input t with t = tanh(log(1 + e^input)); grad_input = grad (t + input (1 - t^2) / (1 + e^-input)).

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    inplace : bool
        Accepted and changes nothing.

    Returns
    -------
    Tensor

    Raises
    ------
    DtypeError
        For integers.

    Notes
    -----
    t = n / (n + 2) with n = e^input (e^input + 2): one exponential, no logarithm. float32 is within 6 units in the last place. Minus
    infinity gives NaN, as in PyTorch.

    References
    ----------
    Misra 2020, "Mish: a self regularized non-monotonic activation function", section 3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.mish([0.0, 100.0]).tolist()
    [0.0, 100.0]
    """
    return mapped("mish", input)


@operator(family="linear_units", kernels=("glu", "glu_grad_x"), differentiable=("input",))
def glu(input: Any, dim: int = -1) -> Tensor:
    """Let one half of the channels open and shut the other half.

    Shapes
    ------
    (*, 2 n, *) -> (*, n, *)

    Formula
    -------
    With a and b the halves along `dim` and s = 1 / (1 + e^-b): y = a s; grad_a = grad s, grad_b = grad a s (1 - s).

    Parameters
    ----------
    input : Tensor
        float32 or float64, an even size along `dim`.
    dim : int
        The axis that is halved.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the axis is odd, or the input has none. ArgumentError: no such axis. DtypeError: integers.

    Notes
    -----
    The first half is the value and the second the gate, as in the paper and in PyTorch.

    References
    ----------
    Dauphin et al. 2017, "Language modeling with gated convolutional networks", equation 1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.glu([3.0, 0.0]).tolist()
    [1.5]
    """
    tensor = float_tensor("glu", "input", input)
    shape = tensor.data.shape
    if not shape:
        raise ShapeError("glu: input is a single number; it needs an axis of even size to halve")
    along = axis("glu", dim, len(shape))
    if shape[along] % 2:
        raise ShapeError(f"glu: axis {along} of input {shape} has size {shape[along]}, which is odd; halves need an even size")
    half = shape[along] // 2
    middle = (math.prod(shape[:along]), 2, half * math.prod(shape[along + 1 :]))
    x = contiguous(tensor.data).reshape(middle)
    y = kernels.select("glu", x)(x)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (kernels.select("glu_grad_x", x)(contiguous(grad).reshape(y.shape), x).reshape(shape),)

    return record("glu", y.reshape(*shape[:along], half, *shape[along + 1 :]), (tensor,), backward, saved=(tensor,))
