"""Smooth relatives of ReLU as layers; each is its function in `tinycnn.functional`."""

from typing import Any

from .. import functional as F
from ..functional._arguments import one_of
from ..functional._elementwise_map import number
from ..tensor import Tensor
from .module import Module

__all__ = ["CELU", "ELU", "GELU", "GLU", "SELU", "Mish", "SiLU"]


class ELU(Module):
    """x where it is positive, else alpha (e^x - 1).

    References
    ----------
    Clevert, Unterthiner and Hochreiter 2016, "Fast and accurate deep network learning by exponential linear units".
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = number("ELU", "alpha", alpha)
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """x where it is positive, else alpha (e^x - 1)."""
        return F.elu(input, self.alpha)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"alpha={self.alpha}{', inplace=True' if self.inplace else ''}"


class CELU(Module):
    """x where it is positive, else alpha (e^(x / alpha) - 1).

    References
    ----------
    Barron 2017, "Continuously differentiable exponential linear units".
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        F.celu([], alpha)  # alpha is the function's to check
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """x where it is positive, else alpha (e^(x / alpha) - 1)."""
        return F.celu(input, self.alpha)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"alpha={self.alpha}{', inplace=True' if self.inplace else ''}"


class SELU(Module):
    """ELU scaled so that layer by layer means go to 0 and variances to 1.

    References
    ----------
    Klambauer et al. 2017, "Self-normalizing neural networks".
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """ELU scaled so that layer by layer means go to 0 and variances to 1."""
        return F.selu(input)

    def extra_repr(self) -> str:
        """The arguments."""
        return "inplace=True" if self.inplace else ""


class GELU(Module):
    """x times the share of a normal distribution that lies below x.

    References
    ----------
    Hendrycks and Gimpel 2016, "Gaussian error linear units (GELUs)".
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = one_of("GELU", "approximate", approximate, ("none", "tanh"))

    def forward(self, input: Any) -> Tensor:
        """x times the share of a normal distribution that lies below x."""
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """x / (1 + e^-x), also called swish.

    References
    ----------
    Elfwing, Uchibe and Doya 2018, "Sigmoid-weighted linear units for neural network function approximation".
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """x / (1 + e^-x), also called swish."""
        return F.silu(input)

    def extra_repr(self) -> str:
        """The arguments."""
        return "inplace=True" if self.inplace else ""


class Mish(Module):
    """x tanh(log(1 + e^x)).

    References
    ----------
    Misra 2020, "Mish: a self regularized non-monotonic activation function".
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """x tanh(log(1 + e^x))."""
        return F.mish(input)

    def extra_repr(self) -> str:
        """The arguments."""
        return "inplace=True" if self.inplace else ""


class GLU(Module):
    """One half along `dim` times the sigmoid of the other half.

    References
    ----------
    Dauphin et al. 2017, "Language modeling with gated convolutional networks".
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Tensor:
        """One half along `dim` times the sigmoid of the other half."""
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"dim={self.dim}"
