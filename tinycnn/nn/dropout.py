"""Layers that are random in training and do nothing in evaluation."""

from typing import Any

from .. import functional as F
from ..tensor import Tensor
from .module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    """In training, set each element to zero with probability `p` and scale the others by 1 / (1 - p); see
    `functional.dropout`.

    References
    ----------
    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", section 4.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> nn.Dropout(0.5).eval()(np.ones(3, np.float32)).numpy()
    array([1., 1., 1.], dtype=float32)
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        F.dropout([], p)  # the range of p is the function's to check; here, so that a wrong one fails where it is written
        self.p = p
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """Some elements zero and the rest larger; all as they are in evaluation mode."""
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}, inplace={self.inplace}"
