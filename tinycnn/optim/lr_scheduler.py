"""Learning-rate schedules under torch.optim.lr_scheduler's names: formulas of time, t = 0, 1, 2, ... the number of
`step()` calls.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import ArgumentError
from ..functional._arguments import whole
from .cycles import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from .optimizer import Optimizer
from .plateau import ReduceLROnPlateau
from .schedule import ChainedScheduler, LRScheduler, SequentialLR

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class _FactorLR(LRScheduler):
    """Schedules that multiply every group's starting rate by the same number."""

    def _factor_at(self, time: float) -> float:
        raise NotImplementedError

    def _lr_at(self, time: float) -> list[float]:
        factor = self._factor_at(time)
        return [base * factor for base in self.base_lrs]


class StepLR(_FactorLR):
    """Multiply by `gamma` every `step_size` epochs: lr(t) = lr_0 gamma^floor(t / step_size).

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor, optim
    >>> sgd = optim.SGD([Tensor(np.zeros(1), requires_grad=True)], lr=1.0)
    >>> schedule = StepLR(sgd, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     sgd.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = whole("StepLR", "step_size", step_size, 1)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor_at(self, time: float) -> float:
        return self.gamma ** (time // self.step_size)


class MultiStepLR(_FactorLR):
    """Multiply by `gamma` at each milestone: lr(t) = lr_0 gamma^(number of milestones <= t)."""

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor_at(self, time: float) -> float:
        return self.gamma ** bisect_right(self.milestones, time)


class ExponentialLR(_FactorLR):
    """Multiply by `gamma` every epoch: lr(t) = lr_0 gamma^t."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor_at(self, time: float) -> float:
        return self.gamma**time


class ConstantLR(_FactorLR):
    """Multiply by `factor` for the first `total_iters` epochs, by 1 afterwards."""

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        if not 0 <= factor <= 1:
            raise ArgumentError(f"ConstantLR: factor must be from 0 to 1, not {factor!r}")
        self.factor = factor
        self.total_iters = whole("ConstantLR", "total_iters", total_iters, 0)
        super().__init__(optimizer, last_epoch)

    def _factor_at(self, time: float) -> float:
        return self.factor if time < self.total_iters else 1.0


class LinearLR(_FactorLR):
    """A straight line of factors from `start_factor` to `end_factor` over `total_iters` epochs: the usual warm-up.

    Formula
    -------
    lr(t) = lr_0 (start + (end - start) min(t, total_iters) / total_iters)

    References
    ----------
    Goyal et al. 2017, "Accurate, large minibatch SGD: training ImageNet in 1 hour", section 2.2, gradual warm-up.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ArgumentError(f"LinearLR: needs 0 < start_factor <= 1 and 0 <= end_factor <= 1, not {start_factor!r} and {end_factor!r}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = whole("LinearLR", "total_iters", total_iters, 1)
        super().__init__(optimizer, last_epoch)

    def _factor_at(self, time: float) -> float:
        share = min(time, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * share


class PolynomialLR(_FactorLR):
    """Down to 0 over `total_iters` epochs: lr(t) = lr_0 (1 - min(t, total_iters) / total_iters)^power."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = whole("PolynomialLR", "total_iters", total_iters, 1)
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _factor_at(self, time: float) -> float:
        return (1 - min(time, self.total_iters) / self.total_iters) ** self.power


class CosineAnnealingLR(LRScheduler):
    """Half a cosine wave from the starting rate down to `eta_min` in `T_max` epochs; it rises again if steps go on.

    Formula
    -------
    lr(t) = eta_min + (lr_0 - eta_min) (1 + cos(pi t / T_max)) / 2

    References
    ----------
    Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", equation 5, without the
    restarts.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = whole("CosineAnnealingLR", "T_max", T_max, 1)
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _lr_at(self, time: float) -> list[float]:
        wave = (1 + math.cos(math.pi * time / self.T_max)) / 2
        return [self.eta_min + (base - self.eta_min) * wave for base in self.base_lrs]


def _one_function_per_group(name: str, optimizer: Optimizer, functions: Any) -> list[Callable[[int], float]]:
    """A function for all groups, or one for each."""
    count = len(optimizer.param_groups)
    found = list(functions) if isinstance(functions, list | tuple) else [functions] * count
    if len(found) != count:
        raise ArgumentError(f"{name}: {len(found)} functions for {count} parameter groups; give one for each, or one for all")
    for function in found:
        if not callable(function):
            raise ArgumentError(f"{name}: lr_lambda must be a function of the time, not {function!r}")
    return found


class LambdaLR(LRScheduler):
    """Any formula: lr(t) = lr_0 f(t), with one function for all groups or one for each.

    The functions are not saved by `state_dict`; give the same ones to the constructor when going on.
    """

    _absolute = True
    _unsaved = ("optimizer", "lr_lambdas")

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self._require_optimizer(optimizer)
        self.lr_lambdas = _one_function_per_group("LambdaLR", optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def _lr_at(self, time: float) -> list[float]:
        return [base * function(int(time)) for base, function in zip(self.base_lrs, self.lr_lambdas)]


class MultiplicativeLR(LRScheduler):
    """Multiply by a function of the time at each step: lr(t) = lr(t - 1) f(t) = lr_0 f(1) f(2) ... f(t).

    The functions are not saved by `state_dict`; give the same ones to the constructor when going on.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor, optim
    >>> sgd = optim.SGD([Tensor(np.zeros(1), requires_grad=True)], lr=1.0)
    >>> schedule = MultiplicativeLR(sgd, lambda t: 1 / t)
    >>> for _ in range(4):
    ...     sgd.step()
    ...     schedule.step()
    >>> round(1 / schedule.get_last_lr()[0])
    24
    """

    _unsaved = ("optimizer", "lr_lambdas")

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self._require_optimizer(optimizer)
        self.lr_lambdas = _one_function_per_group("MultiplicativeLR", optimizer, lr_lambda)
        self._products = [1.0] * len(self.lr_lambdas)
        self._multiplied = 0  # the time that the products reach
        super().__init__(optimizer, last_epoch)

    def _lr_at(self, time: float) -> list[float]:
        if time < self._multiplied:
            self._products, self._multiplied = [1.0] * len(self.lr_lambdas), 0
        while self._multiplied < time:
            self._multiplied += 1
            self._products = [product * function(self._multiplied) for product, function in zip(self._products, self.lr_lambdas)]
        return [base * product for base, product in zip(self.base_lrs, self._products)]
