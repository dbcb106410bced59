"""Adagrad and Adadelta: learning rates that each number earns from its own gradients."""

from typing import Any

from .. import kernels
from ..kernels.tables import ArrayTable
from .optimizer import Bundle, Group, Optimizer

__all__ = ["Adadelta", "Adagrad"]


class Adagrad(Optimizer):
    """Divide each number of the gradient by the root of the sum of all its squares so far.

    Formula
    -------
    g <- grad + weight_decay p   (-grad where `maximize`)
    s <- s + g^2
    p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps),   t = 1, 2, ... the parameter's own count of steps

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise; see Optimizer.
    lr : float
        Learning rate.
    lr_decay : float
        How fast the learning rate falls as 1 / t.
    weight_decay : float
        Factor of the penalty weight_decay / 2 |p|^2.
    initial_accumulator_value : float
        Where s starts.
    eps : float
        Added to the root.
    maximize : bool
        Walk uphill.

    Raises
    ------
    ArgumentError
        If an option is out of range, or `params` is not what it should be.

    References
    ----------
    Duchi, Hazan and Singer 2011, "Adaptive subgradient methods for online learning and stochastic optimization",
    figure 1, diagonal matrices.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor
    >>> x = Tensor(np.zeros(1), requires_grad=True)
    >>> optimizer = Adagrad([x], lr=1.0)
    >>> for gradient in (3.0, 4.0):
    ...     x.grad = Tensor(np.array([gradient]))
    ...     optimizer.step()
    >>> x.detach().numpy().round(6)  # -3 / sqrt(9) - 4 / sqrt(25)
    array([-1.8])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
                "maximize": maximize,
            },
        )

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        for option in ("lr_decay", "initial_accumulator_value", "eps"):
            self._require(group, option, least=0)

    def _slots(self, group: Group) -> dict[str, float]:
        return {"sum": group["initial_accumulator_value"]}

    def _update(self, group: Group, bundle: Bundle, gradients: ArrayTable) -> None:
        kernels.select("adagrad_step", bundle.arrays[0])(
            bundle.arrays,
            gradients,
            bundle.slots["sum"],
            bundle.steps,
            group["lr"],
            group["lr_decay"],
            group["eps"],
            group["weight_decay"],
            group["maximize"],
        )


class Adadelta(Optimizer):
    """Steps in the parameter's own units: the ratio of the root mean squares of past steps and past gradients.

    Formula
    -------
    g <- grad + weight_decay p   (-grad where `maximize`)
    v <- rho v + (1 - rho) g^2
    d = sqrt(u + eps) / sqrt(v + eps) g
    u <- rho u + (1 - rho) d^2
    p <- p - lr d

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise; see Optimizer.
    lr : float
        Factor of the step; 1 in the paper.
    rho : float
        Share of the old mean squares that is kept, from 0 to 1.
    eps : float
        Added under both roots; it also makes the first step, sqrt(eps) long.
    weight_decay : float
        Factor of the penalty weight_decay / 2 |p|^2.
    maximize : bool
        Walk uphill.

    Raises
    ------
    ArgumentError
        If an option is out of range, or `params` is not what it should be.

    References
    ----------
    Zeiler 2012, "ADADELTA: an adaptive learning rate method", algorithm 1.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize})

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        self._require(group, "rho", least=0, below=1 + 1e-12)
        self._require(group, "eps", least=0)

    def _slots(self, group: Group) -> dict[str, float]:
        return {"square_avg": 0.0, "acc_delta": 0.0}

    def _update(self, group: Group, bundle: Bundle, gradients: ArrayTable) -> None:
        kernels.select("adadelta_step", bundle.arrays[0])(
            bundle.arrays,
            gradients,
            bundle.slots["square_avg"],
            bundle.slots["acc_delta"],
            group["lr"],
            group["rho"],
            group["eps"],
            group["weight_decay"],
            group["maximize"],
        )
