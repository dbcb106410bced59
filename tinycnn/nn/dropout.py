"""Layers that are random in training and do nothing in evaluation."""

from typing import Any

from .. import functional as F
from ..tensor import Tensor
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


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


class Dropout1d(Dropout):
    """In training, set whole channels of (N, C, L) or (C, L) to zero; see `functional.dropout1d`."""

    def forward(self, input: Any) -> Tensor:
        """Some channels zero and the rest larger; all as they are in evaluation mode."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(Dropout):
    """In training, set whole channels of (N, C, H, W) to zero; see `functional.dropout2d`."""

    def forward(self, input: Any) -> Tensor:
        """Some channels zero and the rest larger; all as they are in evaluation mode."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(Dropout):
    """In training, set whole channels of (N, C, D, H, W) or (C, D, H, W) to zero; see `functional.dropout3d`."""

    def forward(self, input: Any) -> Tensor:
        """Some channels zero and the rest larger; all as they are in evaluation mode."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(Dropout):
    """In training, set elements to SELU's floor and keep mean and variance; see `functional.alpha_dropout`."""

    def forward(self, input: Any) -> Tensor:
        """Some elements at the floor and all rescaled; all as they are in evaluation mode."""
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(Dropout):
    """In training, set whole channels to SELU's floor and keep mean and variance; see `functional.feature_alpha_dropout`."""

    def forward(self, input: Any) -> Tensor:
        """Some channels at the floor and all rescaled; all as they are in evaluation mode."""
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
