"""Elementwise layers, softmax, and the layer that does nothing."""

from typing import Any

import numpy as np

from .. import functional as F
from ..errors import ShapeError
from ..functional._elementwise_map import number
from ..tensor import Tensor
from .module import Module

__all__ = [
    "Identity",
    "LogSigmoid",
    "LogSoftmax",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softsign",
    "Tanh",
    "Tanhshrink",
]


class Identity(Module):
    """Give the input back: a place holder that keeps positions and names.

    Arguments of any kind are accepted and ignored, so that it can stand in for another layer.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """The input itself."""
        return input


class ReLU(Module):
    """max(x, 0), with slope 0 at 0; `inplace` is accepted and changes nothing.

    References
    ----------
    Nair and Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """max(x, 0)."""
        return F.relu(input)

    def extra_repr(self) -> str:
        """`inplace` where it was asked for."""
        return "inplace=True" if self.inplace else ""


class Tanh(Module):
    """The hyperbolic tangent, (e^x - e^-x) / (e^x + e^-x)."""

    def forward(self, input: Any) -> Tensor:
        """tanh(x)."""
        return F.tanh(input)


class Sigmoid(Module):
    """The logistic function, 1 / (1 + e^-x)."""

    def forward(self, input: Any) -> Tensor:
        """1 / (1 + e^-x)."""
        return F.sigmoid(input)


class Softmax(Module):
    """Positive numbers that sum to 1 along `dim`: e^x_i / sum_j e^x_j.

    Notes
    -----
    CrossEntropyLoss wants what comes before this layer, the logits.
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Tensor:
        """Probabilities."""
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithm of softmax along `dim`, computed without forming it: x_i - log sum_j e^x_j."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Tensor:
        """Logarithms of probabilities."""
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class Softmin(Module):
    """Positive numbers that sum to 1 along `dim`, larger for smaller inputs: softmax of -x."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Tensor:
        """Probabilities."""
        return F.softmin(input, self.dim)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"dim={self.dim}"


class Softmax2d(Module):
    """Softmax over the channels of an image, (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Any) -> Tensor:
        """Probabilities at every pixel."""
        shape = tuple(getattr(input, "shape", np.shape(input)))
        if len(shape) not in (3, 4):
            raise ShapeError(f"Softmax2d: input has shape {shape}; it must be (N, C, H, W) or (C, H, W)")
        return F.softmax(input, -3)


class Softplus(Module):
    """log(1 + e^(beta x)) / beta, and x itself where beta x is above threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = number("Softplus", "beta", beta)
        self.threshold = number("Softplus", "threshold", threshold)

    def forward(self, input: Any) -> Tensor:
        """A smooth max(x, 0)."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"beta={self.beta}, threshold={self.threshold}"


class LogSigmoid(Module):
    """log(1 / (1 + e^-x)), without rounding the sigmoid first."""

    def forward(self, input: Any) -> Tensor:
        """-log(1 + e^-x)."""
        return F.logsigmoid(input)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Any) -> Tensor:
        """x / (1 + |x|)."""
        return F.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input: Any) -> Tensor:
        """x - tanh(x)."""
        return F.tanhshrink(input)
