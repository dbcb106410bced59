"""Losses of yes-or-no questions."""

from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_tensor, one_of, same_dtype
from ._losses import REDUCTIONS, broadcast_pairs, common_shape, element_weights, elementwise, pairs, reduced
from .elementwise import add, mul, sub
from .reduction import mean

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
]


def _weighted(name: str, losses: Tensor, weight: Any, like: Tensor, reduction: str) -> Tensor:
    return reduced(mul(losses, element_weights(name, weight, like, broadcast=True)), reduction)


@operator(
    family="loss", kernels=("binary_cross_entropy_with_logits",), differentiable=("input", "target", "weight", "pos_weight")
)
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """The cross-entropy of yes-or-no questions, from the scores.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*)

    Formula
    -------
    loss = -y log s(z) - (1 - y) log(1 - s(z)) = max(z, 0) - z y + log(1 + e^-|z|); grad_z = s(z) - y, which does not vanish where s saturates;
    grad_y = -z. With weights: weight (-pos_weight y log s(z) - (1 - y) log(1 - s(z))).

    Parameters
    ----------
    input : Tensor
        Scores z before the sigmoid s.
    target : Tensor
        y from 0 to 1.
    weight : Tensor, optional
        A factor for each element; broadcasts to input's shape. The mean still divides by the number of elements.
    reduction : str
        "mean", "sum" or "none".
    pos_weight : Tensor, optional
        A factor for the yes-part; broadcasts to input's shape, usually one number a class on the last axis. Above 1 it favours recall.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    The gradient by the squared error of the sigmoid carries one more factor s (1 - s): at z = -4, y = 1 it is -0.0173 where this is -0.9820.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 6.2.2.2.

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.binary_cross_entropy_with_logits([0.0], [1.0]).item(), 4)
    0.6931
    """
    name = "binary_cross_entropy_with_logits"
    inputs = pairs(name, input, target, reduction)
    if pos_weight is not None:
        losses = _favouring(name, *inputs, pos_weight)
        return reduced(losses, reduction) if weight is None else _weighted(name, losses, weight, inputs[0], reduction)
    if weight is not None:
        return _weighted(name, elementwise(name, inputs, "none"), weight, inputs[0], reduction)
    return elementwise(name, inputs, reduction)


def _favouring(name: str, z: Tensor, y: Tensor, pos_weight: Any) -> Tensor:
    """(1 - y) z + (1 + (pos_weight - 1) y) log(1 + e^-z): the yes-part multiplied by pos_weight."""
    factor = float_tensor(name, "pos_weight", pos_weight)
    same_dtype(name, input=z, pos_weight=factor)
    if common_shape(name, input=z.data, pos_weight=factor.data) != z.data.shape:
        raise ShapeError(f"{name}: pos_weight of shape {factor.shape} does not broadcast to {z.shape}, the shape of input")
    doubt = elementwise(name, (z, Tensor(np.ones(z.data.shape, z.data.dtype))), "none")
    return add(mul(sub(1.0, y), z), mul(add(mul(sub(factor, 1.0), y), 1.0), doubt))


@operator(family="loss", kernels=("binary_cross_entropy",), differentiable=("input", "target", "weight"))
def binary_cross_entropy(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Tensor:
    """The cross-entropy of yes-or-no questions, from probabilities.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*)

    Formula
    -------
    loss = weight (-y log p - (1 - y) log(1 - p)), logarithms cut off at -100; grad_p = weight (p - y) / max(p (1 - p), 1e-12);
    grad_y = weight (log(1 - p) - log p).

    Parameters
    ----------
    input : Tensor
        Probabilities p from 0 to 1.
    target : Tensor
        y from 0 to 1.
    weight : Tensor, optional
        A factor for each element; broadcasts to input's shape. The mean still divides by the number of elements.
    reduction : str
        "mean", "sum" or "none".
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If a p or a y lies outside 0 to 1. ShapeError, DtypeError: if they do not fit.

    Notes
    -----
    The cut-offs are torch's. From scores use `binary_cross_entropy_with_logits`, which needs none.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 6.2.2.2.

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.binary_cross_entropy([0.5], [1.0]).item(), 4)
    0.6931
    """
    name = "binary_cross_entropy"
    inputs = pairs(name, input, target, reduction)
    for argument, tensor in zip(("input", "target"), inputs, strict=True):
        values = tensor.data
        if values.size and not (values.min() >= 0 and values.max() <= 1):
            advice = "; use binary_cross_entropy_with_logits for scores" if argument == "input" else ""
            raise ArgumentError(
                f"{name}: {argument} goes from {values.min():g} to {values.max():g}, but probabilities lie from 0 to 1{advice}"
            )
    if weight is not None:
        return _weighted(name, elementwise(name, inputs, "none"), weight, inputs[0], reduction)
    return elementwise(name, inputs, reduction)


@operator(family="loss", kernels=("soft_margin_loss",), differentiable=("input", "target"))
def soft_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The cross-entropy of yes-or-no questions whose answers are called 1 and -1.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*); they broadcast.

    Formula
    -------
    loss = log(1 + e^(-y z)); grad_z = -y s(-y z), grad_y = -z s(-y z), s the sigmoid.

    Parameters
    ----------
    input : Tensor
        Scores z.
    target : Tensor
        y, 1 or -1, of input's dtype.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    Equal to `binary_cross_entropy_with_logits` with answers 1 and 0. torch overflows to infinity beyond y z = -88 in float32, this does not.

    References
    ----------
    Hastie, Tibshirani and Friedman 2009, "The Elements of Statistical Learning", section 10.5 (binomial deviance).

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.soft_margin_loss([0.0, 100.0], [1.0, -1.0], reduction="sum").item(), 4)
    100.6931
    """
    name = "soft_margin_loss"
    return elementwise(name, broadcast_pairs(name, input, target, reduction), reduction)


@operator(family="loss", kernels=("binary_cross_entropy_with_logits",), differentiable=("input", "target", "weight"))
def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Tensor:
    """The cross-entropy of one yes-or-no question a class, averaged over the classes.

    Shapes
    ------
    (*, C), (*, C) -> () or, with reduction "none", (*)

    Formula
    -------
    loss = (1 / C) sum_k weight[k] (-y[k] log s(z[k]) - (1 - y[k]) log(1 - s(z[k]))); grad_z[k] = weight[k] (s(z[k]) - y[k]) / C.

    Parameters
    ----------
    input : Tensor
        Scores z.
    target : Tensor
        y from 0 to 1.
    weight : Tensor, optional
        One number a class, or anything that broadcasts to input's shape.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    The classes are the last axis, also of images, as in torch.

    References
    ----------
    Bishop 2006, "Pattern Recognition and Machine Learning", section 5.2.

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.multilabel_soft_margin_loss([[0.0, 0.0]], [[1.0, 0.0]]).item(), 4)
    0.6931
    """
    name = "multilabel_soft_margin_loss"
    one_of(name, "reduction", reduction, REDUCTIONS)
    inputs = pairs(name, input, target, reduction)
    if not inputs[0].data.ndim:
        raise ShapeError(f"{name}: input is a single number; it must be (C,) or (N, C)")
    losses = elementwise(name, inputs, "none", kernel="binary_cross_entropy_with_logits")
    if weight is not None:
        losses = mul(losses, element_weights(name, weight, inputs[0], broadcast=True))
    return reduced(mean(losses, -1), reduction)
