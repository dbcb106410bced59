"""Dropout: noise that keeps units from relying on each other."""

from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError
from ..random import default_generator
from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_tensor
from ._arrays import as_array

__all__ = ["dropout"]


@operator(family="dropout", differentiable=("input",))
def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
    return_mask: bool = False,
) -> Any:
    """Set each element to zero with probability `p`, and scale the others so that the expectation stays.

    Shapes
    ------
    (...) -> (...)

    Formula
    -------
    kept[i] = 1 with probability 1 - p, else 0, drawn independently;

        y[i] = kept[i] x[i] / (1 - p)
        grad_x[i] = kept[i] grad[i] / (1 - p)

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
        Also give the mask: a boolean tensor, true where an element was kept.

    Returns
    -------
    Tensor, or (Tensor, Tensor) where `return_mask`

    Raises
    ------
    ArgumentError
        If p is not from 0 to 1.

    Notes
    -----
    The paper scales by 1 - p at test time; scaling by 1 / (1 - p) in training ("inverted" dropout, as in all
    frameworks today) has the same expectation and leaves the test-time network alone.

    References
    ----------
    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", section 4.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> y, kept = tinycnn.functional.dropout(np.ones(1000), 0.25, return_mask=True)
    >>> bool((y.numpy() == kept.numpy() / 0.75).all())
    True
    >>> tinycnn.functional.dropout(np.ones(3), 1.0).numpy()
    array([0., 0., 0.])
    """
    if isinstance(p, bool) or not isinstance(p, int | float | np.floating) or not 0 <= p <= 1:
        raise ArgumentError(f"dropout: p must be a probability from 0 to 1, not {p!r}")
    tensor = float_tensor("dropout", "input", input)
    x = tensor.data
    if not training or p == 0:
        return (tensor, Tensor(np.ones(x.shape, np.bool_))) if return_mask else tensor
    # float32 numbers are fine enough for any p that float32 can express, and cost half the time.
    kept = as_array(default_generator(generator).random(x.shape, np.float32) >= p)
    factor = as_array(kept * x.dtype.type(1 / (1 - p) if p < 1 else 0))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (as_array(grad * factor),)

    y = record("dropout", as_array(x * factor), (tensor,), backward)
    return (y, Tensor(kept)) if return_mask else y
