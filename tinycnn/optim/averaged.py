"""Averaged stochastic gradient descent."""

from typing import Any

import numpy as np

from .optimizer import Group
from .plain import PlainOptimizer

__all__ = ["ASGD"]


class ASGD(PlainOptimizer):
    """Gradient descent that also keeps the average of where it has been, under "ax" in the state.

    Formula
    -------
    g <- grad + weight_decay p   (-grad where `maximize`)
    p <- (1 - lambd eta) p - eta g,   eta = lr at first
    ax <- ax + mu (p - ax),   mu = 1 at first
    then eta = lr / (1 + lambd lr t)^alpha and mu = 1 / max(1, t - t0), t the parameter's own count of steps

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise; see Optimizer.
    lr : float
        Learning rate of the first step.
    lambd : float
        Decay, of parameters and rate.
    alpha : float
        Power of the rate's fall.
    t0 : float
        Step at which averaging starts.
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
    Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging".
    Bottou 2010, "Large-scale machine learning with stochastic gradient descent", section 2 and table 1.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "maximize": maximize}
        )

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        for option in ("lambd", "alpha", "t0"):
            self._require(group, option, least=0)

    def _slots(self, group: Group) -> dict[str, float]:
        return {"ax": 0.0}

    def _numbers(self, group: Group) -> dict[str, float]:
        return {"eta": group["lr"], "mu": 1.0}

    def _rule(self, group: Group, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], step: int) -> None:
        average, eta, mu = state["ax"], float(state["eta"]), float(state["mu"])
        p *= 1 - group["lambd"] * eta
        p -= eta * g
        if mu == 1:
            average[...] = p
        else:
            average += mu * (p - average)
        state["eta"][...] = group["lr"] / (1 + group["lambd"] * group["lr"] * step) ** group["alpha"]
        state["mu"][...] = 1 / max(1, step - group["t0"])
