"""Rectifier layers: ReLU6, and those that let a part of negative numbers through."""

from typing import Any

import numpy as np

from .. import functional as F
from ..functional._arguments import whole
from ..functional._elementwise_map import number
from ..tensor import Tensor
from .module import Module
from .parameter import Parameter

__all__ = ["LeakyReLU", "PReLU", "RReLU", "ReLU6"]


class ReLU6(Module):
    """min(max(x, 0), 6), with slope 0 at both corners; `inplace` is accepted and changes nothing.

    References
    ----------
    Howard et al. 2017, "MobileNets: efficient convolutional neural networks for mobile vision applications".
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """min(max(x, 0), 6)."""
        return F.relu6(input)

    def extra_repr(self) -> str:
        """The arguments."""
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Module):
    """x where it is positive, else negative_slope x.

    References
    ----------
    Maas, Hannun and Ng 2013, "Rectifier nonlinearities improve neural network acoustic models".
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        number("LeakyReLU", "negative_slope", negative_slope)
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """x, or negative_slope x."""
        return F.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"negative_slope={self.negative_slope}{', inplace=True' if self.inplace else ''}"


class PReLU(Module):
    """x where it is positive, else weight x: a learnt slope for everything, or one a channel (axis 1).

    Notes
    -----
    Do not let weight decay pull the slopes to zero, says the paper: that is a bias towards ReLU.

    References
    ----------
    He et al. 2015, "Delving deep into rectifiers", section 2.1.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        super().__init__()
        self.num_parameters = whole("PReLU", "num_parameters", num_parameters, 0)
        self.init = number("PReLU", "init", init)
        self.weight = Parameter(np.full(self.num_parameters, float(init), np.float32))

    def forward(self, input: Any) -> Tensor:
        """x, or weight x."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """x where it is positive, else a slope times x: drawn between lower and upper in training, their mean in evaluation.

    References
    ----------
    Xu et al. 2015, "Empirical evaluation of rectified activations in convolution network".
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        F.rrelu([], lower, upper)  # the range is the function's to check
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """x, or a slope times x."""
        return F.rrelu(input, self.lower, self.upper, self.training)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"lower={self.lower}, upper={self.upper}{', inplace=True' if self.inplace else ''}"
