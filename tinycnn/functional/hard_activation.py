"""Activations made of straight lines, where the corners decide: each says which side's slope it takes there."""

from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..registry import operator
from ..tensor import Tensor
from ._elementwise_map import mapped, number

__all__ = ["hardshrink", "hardsigmoid", "hardswish", "hardtanh", "softshrink", "threshold"]


@operator(
    family="hard_activation",
    kernels=("hardtanh", "hardtanh_grad_x"),
    differentiable=("input",),
    kinks="both ends, where the derivative is taken as 0",
)
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Cut numbers off below one bound and above another.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = min(max(input, min_val), max_val); grad_input = grad where min_val < input < max_val, else 0.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    min_val, max_val : float
        The bounds.
    inplace : bool
        Accepted and changes nothing.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If a bound is no number, or min_val is the larger. DtypeError: integers.

    Notes
    -----
    `clamp` passes the gradient at the bounds, this does not: both as in PyTorch. NaN stays NaN.

    References
    ----------
    Collobert 2004, "Large scale machine learning", PhD thesis, section 5.2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.hardtanh([-3.0, 0.5, 3.0]).tolist()
    [-1.0, 0.5, 1.0]
    """
    low, high = number("hardtanh", "min_val", min_val), number("hardtanh", "max_val", max_val)
    if low > high:
        raise ArgumentError(f"hardtanh: min_val={min_val!r} is greater than max_val={max_val!r}; exchange them")
    return mapped("hardtanh", input, low, high)


@operator(
    family="hard_activation",
    kernels=("hardsigmoid", "hardsigmoid_grad_x"),
    differentiable=("input",),
    kinks="-3 and 3, where the derivative is taken as 0",
)
def hardsigmoid(input: Any, inplace: bool = False) -> Tensor:
    """A sigmoid of three straight lines.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = min(max(input + 3, 0), 6) / 6; grad_input = grad / 6 where -3 < input < 3, else 0.

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
    PyTorch's and MobileNetV3's slope is 1/6. Keras 2, Theano and ONNX's default is 0.2, with ends at -2.5 and 2.5.

    References
    ----------
    Howard et al. 2019, "Searching for MobileNetV3", section 5.2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.hardsigmoid([-4.0, 0.0, 4.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return mapped("hardsigmoid", input)


@operator(
    family="hard_activation",
    kernels=("hardswish", "hardswish_grad_x"),
    differentiable=("input",),
    kinks="-3, where the derivative is taken as 0, and 3, where it is taken as 1",
)
def hardswish(input: Any, inplace: bool = False) -> Tensor:
    """SiLU with straight lines for its sigmoid.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input min(max(input + 3, 0), 6) / 6; grad_input = 0 where input <= -3, grad where input >= 3, else grad (input / 3 + 1/2).

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
    Minus infinity gives NaN, being minus infinity times zero, as in PyTorch.

    References
    ----------
    Howard et al. 2019, "Searching for MobileNetV3", section 5.2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.hardswish([-1.5, 0.0, 4.0]).tolist()
    [-0.375, 0.0, 4.0]
    """
    return mapped("hardswish", input)


@operator(
    family="hard_activation",
    kernels=("hardshrink", "hardshrink_grad_x"),
    differentiable=("input",),
    kinks="plus and minus lambd, where the value jumps and the derivative is taken as 0",
    method=True,
)
def hardshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """Set small numbers to zero and leave the others.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = 0 where -lambd <= input <= lambd, else input; grad_input = 0 there, else grad.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    lambd : float
        Half the width of the dead zone.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If lambd is no number. DtypeError: integers.

    Notes
    -----
    With a negative lambd nothing is small, as in PyTorch.

    References
    ----------
    Donoho and Johnstone 1994, "Ideal spatial adaptation by wavelet shrinkage", section 1.2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.hardshrink([-1.0, 0.25, 2.0]).tolist()
    [-1.0, 0.0, 2.0]
    """
    return mapped("hardshrink", input, number("hardshrink", "lambd", lambd))


@operator(
    family="hard_activation",
    kernels=("softshrink", "softshrink_grad_x"),
    differentiable=("input",),
    kinks="plus and minus lambd, where the derivative is taken as 0",
)
def softshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """Move numbers towards zero by lambd, the small ones onto it.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = sign(input) max(|input| - lambd, 0); grad_input = 0 where -lambd <= input <= lambd, else grad.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    lambd : float
        Half the width of the dead zone, zero or more.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If lambd is no number of zero or more. DtypeError: integers.

    Notes
    -----
    The proximal operator of lambd |x|.

    References
    ----------
    Donoho 1995, "De-noising by soft-thresholding", section 1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.softshrink([-1.0, 0.25, 2.0]).tolist()
    [-0.5, 0.0, 1.5]
    """
    if not number("softshrink", "lambd", lambd) >= 0 or lambd > np.finfo(np.float64).max:
        raise ArgumentError(f"softshrink: lambd must be a finite number of zero or more, not {lambd!r}")
    return mapped("softshrink", input, lambd)


@operator(
    family="hard_activation",
    kernels=("threshold", "threshold_grad_x"),
    differentiable=("input",),
    kinks="the threshold, where the derivative is taken as 0",
)
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Replace every number that is not above a threshold.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input where input > threshold, else value; grad_input = grad where input > threshold, else 0.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    threshold : float
        The largest number that is replaced.
    value : float
        What replaces it.
    inplace : bool
        Accepted and changes nothing.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If threshold or value is no number. DtypeError: integers.

    Notes
    -----
    threshold(x, 0, 0) is ReLU. NaN is not replaced, as in PyTorch. ONNX's ThresholdedRelu is value = 0.

    References
    ----------
    Konda, Memisevic and Krueger 2015, "Zero-bias autoencoders and the benefits of co-adapting features", section 3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.threshold([-1.0, 0.25, 2.0], 0.5, 9.0).tolist()
    [9.0, 9.0, 2.0]
    """
    return mapped("threshold", input, number("threshold", "threshold", threshold), number("threshold", "value", value))
