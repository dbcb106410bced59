"""The fully connected layer, and the one that changes only the shape before it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functional as F
from ..functional._arguments import whole
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Flatten", "Linear", "Unflatten"]


class Linear(Module):
    """Multiply by a trained matrix and add a trained vector: y = x W^T + b; see `tinycnn.functional.linear`.

    Shapes
    ------
    (..., in_features) -> (..., out_features)

    Parameters
    ----------
    in_features, out_features : int
        Size of the last axis before and after.
    bias : bool
        Whether b exists.
    activation : None or "relu"
        Applied to the result at the store.

    Notes
    -----
    `weight` and `bias` start uniform in +-1 / sqrt(in_features), PyTorch's default.

    Examples
    --------
    >>> from tinycnn import nn
    >>> layer = nn.Linear(3, 2)
    >>> layer, layer(np.zeros((5, 3), np.float32)).shape
    (Linear(in_features=3, out_features=2, bias=True), (5, 2))
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *, activation: str | None = None) -> None:
        super().__init__()
        self.in_features = whole("Linear", "in_features", in_features, 1)
        self.out_features = whole("Linear", "out_features", out_features, 1)
        self.activation = activation
        self.weight = Parameter(np.empty((out_features, in_features), np.float32))
        self.register_parameter("bias", Parameter(np.empty(out_features, np.float32)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw weight and bias anew by the default rule."""
        init.default_(self.weight, self.bias, generator)

    def forward(self, input: Any) -> Tensor:
        """x W^T + b."""
        return F.linear(input, self.weight, self.bias, activation=self.activation)

    def extra_repr(self) -> str:
        """The sizes, and what differs from the defaults."""
        text = f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        return text if self.activation is None else f"{text}, activation={self.activation!r}"


class Flatten(Module):
    """Make one axis of the axes `start_dim` to `end_dim`; the batch axis is left alone by default.

    Shapes
    ------
    (N, C, H, W) -> (N, C H W)

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.Flatten()(np.zeros((2, 3, 4, 5), np.float32)).shape
    (2, 60)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Any) -> Tensor:
        """The same elements in fewer axes."""
        return F.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The range of axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Make several axes of one: the inverse of Flatten.

    Shapes
    ------
    (N, C H W) -> (N, C, H, W) with dim = 1 and unflattened_size = (C, H, W)

    Parameters
    ----------
    dim : int
        The axis to take apart.
    unflattened_size : tuple of int
        Its new sizes; one may be -1 and follows from the others.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.Unflatten(1, (3, 4, 5))(np.zeros((2, 60), np.float32)).shape
    (2, 3, 4, 5)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, input: Any) -> Tensor:
        """The same elements in more axes."""
        return F.unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """The axis and its sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
