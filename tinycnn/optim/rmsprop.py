"""RMSprop."""

from typing import Any

from .. import kernels
from ..kernels.tables import ArrayTable
from .optimizer import Bundle, Group, Optimizer

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Divide each number of the gradient by the root of its running mean square.

    Formula
    -------
    g <- grad + weight_decay p   (-grad where `maximize`)
    v <- alpha v + (1 - alpha) g^2
    s = v, or where `centered` v - m^2 with m <- alpha m + (1 - alpha) g
    p <- p - lr g / (sqrt(s) + eps),   or with momentum b <- momentum b + g / (sqrt(s) + eps), p <- p - lr b

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise; see Optimizer.
    lr : float
        Learning rate.
    alpha : float
        Share of the old mean square that is kept.
    eps : float
        Added to the root.
    weight_decay : float
        Factor of the penalty weight_decay / 2 |p|^2.
    momentum : float
        Share of the last step that is kept.
    centered : bool
        Divide by the standard deviation instead of the root mean square.
    maximize : bool
        Walk uphill.

    Raises
    ------
    ArgumentError
        If an option is out of range, or `params` is not what it should be.

    Notes
    -----
    TensorFlow adds eps inside the root. Where `centered`, rounding can make v - m^2 slightly negative, which PyTorch
    turns into NaN; here it counts as 0.

    References
    ----------
    Tieleman and Hinton 2012, "Lecture 6.5: rmsprop", Neural networks for machine learning.
    Graves 2013, "Generating sequences with recurrent neural networks", equations 38 to 45 (centred, with momentum).
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
            },
        )

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        for option in ("alpha", "eps", "momentum"):
            self._require(group, option, least=0)

    def _slots(self, group: Group) -> dict[str, float]:
        slots = {"square_avg": 0.0}
        if group["centered"]:
            slots["grad_avg"] = 0.0
        if group["momentum"] > 0:
            slots["momentum_buffer"] = 0.0
        return slots

    def _update(self, group: Group, bundle: Bundle, gradients: ArrayTable) -> None:
        kernels.select("rmsprop_step", bundle.arrays[0])(
            bundle.arrays,
            gradients,
            bundle.slots["square_avg"],
            bundle.slots.get("grad_avg"),
            bundle.slots.get("momentum_buffer"),
            group["lr"],
            group["alpha"],
            group["eps"],
            group["weight_decay"],
            group["momentum"],
            group["maximize"],
        )
