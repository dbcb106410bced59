"""Adam with another momentum, another warm-up, another norm: NAdam, RAdam, Adamax."""

import math
from typing import Any

import numpy as np

from .optimizer import Group
from .plain import PlainOptimizer, move_towards

__all__ = ["Adamax", "NAdam", "RAdam"]


class NAdam(PlainOptimizer):
    """Adam with Nesterov's momentum: the step looks ahead along the mean gradient.

    Formula
    -------
    g <- grad + weight_decay p   (-grad where `maximize`)
    mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2),   t = 1, 2, ... the parameter's own count of steps
    m <- beta1 m + (1 - beta1) g;   v <- beta2 v + (1 - beta2) g^2
    m' = mu_(t+1) m / (1 - mu_1 ... mu_(t+1)) + (1 - mu_t) g / (1 - mu_1 ... mu_t)
    p <- p - lr m' / (sqrt(v / (1 - beta2^t)) + eps)

    With `decoupled_weight_decay` the first line is g <- grad, and p <- (1 - lr weight_decay) p comes before the last.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise; see Optimizer.
    lr : float
        Learning rate: about the largest change of a number in one step.
    betas : (float, float)
        Shares of the old means of g and g^2 that are kept.
    eps : float
        Added to the root.
    weight_decay : float
        Factor of the penalty weight_decay / 2 |p|^2.
    momentum_decay : float
        How fast mu rises from beta1 / 2 to beta1.
    decoupled_weight_decay, maximize : bool
        Decay as in AdamW; walking uphill.

    Raises
    ------
    ArgumentError
        If an option is out of range, or `params` is not what it should be.

    References
    ----------
    Dozat 2016, "Incorporating Nesterov momentum into Adam", algorithm 2.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
        )

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        self._require_betas(group)
        self._require(group, "eps", least=0)
        self._require(group, "momentum_decay", least=0)

    def _slots(self, group: Group) -> dict[str, float]:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def _numbers(self, group: Group) -> dict[str, float]:
        return {"mu_product": 1.0}

    def _rule(self, group: Group, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], step: int) -> None:
        beta1, beta2 = group["betas"]
        mean, square, product = state["exp_avg"], state["exp_avg_sq"], state["mu_product"]
        now, following = (beta1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1))
        product *= now
        move_towards(mean, g, beta1)
        move_towards(square, g * g, beta2)
        root = np.sqrt(square / (1 - beta2**step)) + group["eps"]
        kept = float(product)
        p -= (group["lr"] * (1 - now) / (1 - kept)) * g / root
        p -= (group["lr"] * following / (1 - kept * following)) * mean / root


class RAdam(PlainOptimizer):
    """Adam whose first steps are rectified: as long as the mean square is not yet known, steps are plain momentum.

    Formula
    -------
    g <- grad + weight_decay p   (-grad where `maximize`)
    m <- beta1 m + (1 - beta1) g;   v <- beta2 v + (1 - beta2) g^2;   m' = m / (1 - beta1^t)
    rho = 2 / (1 - beta2) - 1;   rho_t = rho - 2 t beta2^t / (1 - beta2^t)
    where rho_t > 5:  r = sqrt((rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t)),
                      p <- p - lr r m' sqrt(1 - beta2^t) / (sqrt(v) + eps)
    otherwise:        p <- p - lr m'

    With `decoupled_weight_decay` the first line is g <- grad, and p <- (1 - lr weight_decay) p comes before the last.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise; see Optimizer.
    lr : float
        Learning rate.
    betas : (float, float)
        Shares of the old means of g and g^2 that are kept.
    eps : float
        Added to the root.
    weight_decay : float
        Factor of the penalty weight_decay / 2 |p|^2.
    decoupled_weight_decay, maximize : bool
        Decay as in AdamW; walking uphill.

    Raises
    ------
    ArgumentError
        If an option is out of range, or `params` is not what it should be.

    References
    ----------
    Liu et al. 2020, "On the variance of the adaptive learning rate and beyond", algorithm 2 (which has 4 in place of 5).
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
        )

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        self._require_betas(group)
        self._require(group, "eps", least=0)

    def _slots(self, group: Group) -> dict[str, float]:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def _rule(self, group: Group, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], step: int) -> None:
        beta1, beta2 = group["betas"]
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        move_towards(mean, g, beta1)
        move_towards(square, g * g, beta2)
        correction = 1 - beta2**step
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / correction
        rate = group["lr"] / (1 - beta1**step)
        if length > 5:
            rectified = math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
            p -= (rate * rectified * math.sqrt(correction)) * mean / (np.sqrt(square) + group["eps"])
        else:
            p -= rate * mean


class Adamax(PlainOptimizer):
    """Adam with the largest gradient of late in place of the root mean square.

    Formula
    -------
    g <- grad + weight_decay p   (-grad where `maximize`)
    m <- beta1 m + (1 - beta1) g;   u <- max(beta2 u, |g| + eps)
    p <- p - lr / (1 - beta1^t) m / u

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise; see Optimizer.
    lr : float
        Learning rate: the largest change of a number in one step.
    betas : (float, float)
        Shares of m and u that are kept.
    eps : float
        The smallest u.
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
    Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 2 (which has no eps).

    Examples
    --------
    >>> from tinycnn import Tensor
    >>> x = Tensor(np.array([1.0, 1.0]), requires_grad=True)
    >>> x.grad = Tensor(np.array([1000.0, -0.001]))
    >>> Adamax([x], lr=0.1).step()
    >>> x.detach().numpy().round(4)
    array([0.9, 1.1])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize})

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        self._require_betas(group)
        self._require(group, "eps", least=0)

    def _slots(self, group: Group) -> dict[str, float]:
        return {"exp_avg": 0.0, "exp_inf": 0.0}

    def _rule(self, group: Group, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], step: int) -> None:
        beta1, beta2 = group["betas"]
        mean, largest = state["exp_avg"], state["exp_inf"]
        move_towards(mean, g, beta1)
        largest *= beta2
        np.maximum(largest, np.abs(g) + group["eps"], out=largest)
        p -= (group["lr"] / (1 - beta1**step)) * mean / largest
