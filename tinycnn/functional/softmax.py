"""Scores made into probabilities along an axis: softmax, its logarithm, its mirror image, and a differentiable draw."""

import warnings
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, DtypeError
from ..random import default_generator
from ..registry import operator
from ..tensor import FLOATS, Tensor
from ._arguments import as_tensor, contiguous, float_tensor
from ._elementwise_map import number

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


def _along(name: str, tensor: Tensor, dim: Any) -> Tensor:
    """A function of the classes along one axis, on (outer, classes, inner)."""
    shape = tensor.data.shape
    axes = max(tensor.data.ndim, 1)
    if isinstance(dim, bool) or not isinstance(dim, int | np.integer) or not -axes <= dim < axes:
        raise ArgumentError(f"{name}: dim {dim!r} is not a whole number from {-axes} to {axes - 1}, the axes of a tensor of shape {shape}")
    axis = int(dim) % axes
    full = shape or (1,)
    middle = (int(np.prod(full[:axis])), full[axis], int(np.prod(full[axis + 1 :])))
    x = contiguous(tensor.data).reshape(middle)
    y = kernels.select(name, x)(x)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (kernels.select(name + "_grad_x", x)(contiguous(grad).reshape(middle), y).reshape(shape),)

    return record(name, y.reshape(shape), (tensor,), backward)


def _chosen(name: str, tensor: Tensor, dim: int | None) -> int:
    """The axis given, or torch's guess for a missing one: 0 of 0, 1 and 3 axes, else 1."""
    if dim is not None:
        return dim
    guess = 0 if tensor.data.ndim in (0, 1, 3) else 1
    warnings.warn(f"{name}: dim is not given, {guess} is guessed as torch does; name the axis that holds the classes, dim={guess}", stacklevel=3)
    return guess


def _scores(name: str, input: Any, dtype: Any) -> Tensor:
    """The scores, converted first where a dtype is given."""
    if dtype is None:
        return float_tensor(name, "input", input)
    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = None
    if kind not in FLOATS:
        raise DtypeError(f"{name}: dtype {dtype!r} is not float32 or float64")
    converted: Tensor = as_tensor(input).to(kind)
    return converted


@operator(family="softmax", kernels=("softmax", "softmax_grad_x"), differentiable=("input",), method=True)
def softmax(input: Any, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """Turn scores into probabilities that add up to one along an axis.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y[k] = e^x[k] / sum_l e^x[l]; grad_x[k] = y[k] (grad[k] - sum_l grad[l] y[l]).

    Parameters
    ----------
    input : Tensor
        float32 or float64 scores.
    dim : int
        The axis of the classes. Left out, it is guessed, with a warning: 0 of 1 or 3 axes, else 1.
    dtype : dtype, optional
        float32 or float64, to convert the scores to first.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If `dim` is no axis. DtypeError: integers without `dtype`.

    Notes
    -----
    The largest score is subtracted first, so that nothing overflows. TensorFlow and Keras take the last axis, Caffe axis 1.

    References
    ----------
    Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs".

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.softmax([[0.0, 0.0]], dim=1).tolist()
    [[0.5, 0.5]]
    """
    tensor = _scores("softmax", input, dtype)
    return _along("softmax", tensor, _chosen("softmax", tensor, dim))


@operator(family="softmax", kernels=("log_softmax", "log_softmax_grad_x"), differentiable=("input",), method=True)
def log_softmax(input: Any, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`, computed without taking the logarithm of a rounded probability.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y[k] = x[k] - log sum_l e^x[l]; grad_x[k] = grad[k] - e^y[k] sum_l grad[l].

    Parameters
    ----------
    input : Tensor
        float32 or float64 scores.
    dim : int
        The axis of the classes. Left out, it is guessed, with a warning: 0 of 1 or 3 axes, else 1.
    dtype : dtype, optional
        float32 or float64, to convert the scores to first.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If `dim` is no axis. DtypeError: integers without `dtype`.

    Notes
    -----
    log(softmax(x)) is minus infinity where a probability underflows; this is not.

    References
    ----------
    Blanchard, Higham and Higham 2021, "Accurately computing the log-sum-exp and softmax functions", section 3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.log_softmax([[0.0, -1000.0]], dim=1).tolist()
    [[0.0, -1000.0]]
    """
    tensor = _scores("log_softmax", input, dtype)
    return _along("log_softmax", tensor, _chosen("log_softmax", tensor, dim))


@operator(family="softmax", differentiable=("input",))
def softmin(input: Any, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """Probabilities that are larger for smaller scores: softmax of the negated input.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y[k] = e^-x[k] / sum_l e^-x[l]; grad_x[k] = -y[k] (grad[k] - sum_l grad[l] y[l]).

    Parameters
    ----------
    input : Tensor
        float32 or float64, for instance distances.
    dim : int
        The axis of the classes. Left out, it is guessed, with a warning: 0 of 1 or 3 axes, else 1.
    dtype : dtype, optional
        float32 or float64, to convert the scores to first.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If `dim` is no axis. DtypeError: integers without `dtype`.

    Notes
    -----
    A composition of negation and `softmax`, as in PyTorch.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 6.2.2.3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.softmin([[0.0, 1000.0]], dim=1).tolist()
    [[1.0, 0.0]]
    """
    tensor = _scores("softmin", input, dtype)
    return _along("softmax", -tensor, _chosen("softmin", tensor, dim))


@operator(family="softmax", differentiable=("logits",), kinks="with hard=True the value jumps; the gradient is the soft one's")
def gumbel_softmax(
    logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1, *, generator: np.random.Generator | None = None
) -> Tensor:
    """Draw from a categorical distribution so that gradients still reach its scores.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    g[k] = -log e[k], e[k] drawn from the exponential distribution; y = softmax((logits + g) / tau). With `hard` the value is 1 at the largest y and
    0 elsewhere, while the gradient stays that of y ("straight through").

    Parameters
    ----------
    logits : Tensor
        float32 or float64, logarithms of unnormalised probabilities.
    tau : float
        The temperature: small is nearer to a choice, large to equal shares.
    hard : bool
        Give whole choices.
    eps : float
        Accepted for PyTorch's sake, which ignores it too.
    dim : int
        The axis of the classes.
    generator : numpy.random.Generator, optional
        Where the noise is drawn from; the package's generator if left out.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If tau is no number or `dim` no axis. DtypeError: integers.

    Notes
    -----
    argmax(logits + g) has exactly the distribution softmax(logits): the "Gumbel-max trick".

    References
    ----------
    Jang, Gu and Poole 2017, "Categorical reparameterization with Gumbel-softmax", equations 2 and 3.
    Maddison, Mnih and Teh 2017, "The concrete distribution".

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> y = tinycnn.functional.gumbel_softmax(np.zeros((2, 3)), hard=True)
    >>> y.numpy().sum(axis=1)
    array([1., 1.])
    """
    tensor = float_tensor("gumbel_softmax", "logits", logits)
    number("gumbel_softmax", "eps", eps)
    temperature = float(number("gumbel_softmax", "tau", tau))
    noise = default_generator(generator).standard_exponential(tensor.data.shape, np.float64)
    with np.errstate(all="ignore"):  # an exponential draw of exactly 0, or tau = 0: infinite scores and NaN, as in torch
        gumbels = np.asarray(-np.log(noise), tensor.data.dtype)
        soft = _along("softmax", (tensor + Tensor(gumbels)) / temperature, dim)
    if not hard or not soft.data.size:
        return soft
    axis = dim % max(soft.data.ndim, 1)
    y = soft.data.reshape(soft.data.shape or (1,))
    chosen = np.zeros_like(y)
    np.put_along_axis(chosen, y.argmax(axis, keepdims=True), 1, axis)
    return record("gumbel_softmax", chosen.reshape(soft.data.shape), (soft,), lambda grad, needs: (grad,))
