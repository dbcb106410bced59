"""Schedules that go up and down: one cycle, and cosine with restarts."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ArgumentError
from ..functional._arguments import one_of, whole
from .optimizer import Group, Optimizer
from .schedule import LRScheduler

__all__ = ["CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


def _one_per_group(name: str, argument: str, optimizer: Optimizer, value: float | Sequence[float]) -> list[float]:
    """A number for all groups, or one for each."""
    count = len(optimizer.param_groups)
    if isinstance(value, Sequence):
        if len(value) != count:
            raise ArgumentError(f"{name}: {argument} has {len(value)} numbers for {count} parameter groups; give one for each")
        return [float(number) for number in value]
    return [float(value)] * count


def _require_momentum(name: str, optimizer: Optimizer) -> None:
    if "betas" not in optimizer.defaults and "momentum" not in optimizer.defaults:
        raise ArgumentError(f"{name}: {type(optimizer).__name__} has neither momentum nor betas to cycle; pass cycle_momentum=False")


def _set_momentum(group: Group, momentum: float) -> None:
    """Momentum, or the first of the betas."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine wave down from the starting rate, again and again, each `T_mult` times as long as the one before.

    Formula
    -------
    lr(t) = eta_min + (lr_0 - eta_min) (1 + cos(pi T_cur / T_i)) / 2, T_cur the time since the last restart, T_i =
    T_0 T_mult^i

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    T_0 : int
        Length of the first wave.
    T_mult : int
        Factor between the lengths of neighbours.
    eta_min : float
        The lowest rate.
    last_epoch : int
        As in LRScheduler.

    References
    ----------
    Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", equation 5.
    """

    _absolute = True

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_0 = whole("CosineAnnealingWarmRestarts", "T_0", T_0, 1)
        self.T_mult = whole("CosineAnnealingWarmRestarts", "T_mult", T_mult, 1)
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _lr_at(self, time: float) -> list[float]:
        length = self.T_0
        while self.T_mult > 1 and time >= length:
            time -= length
            length *= self.T_mult
        wave = (1 + math.cos(math.pi * (time % length) / length)) / 2
        return [self.eta_min + (base - self.eta_min) * wave for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on by one, or to a time between epochs: `step(epoch + batch / batches)`."""
        if epoch is None:
            super().step()
            return
        if epoch < 0:
            raise ArgumentError(f"CosineAnnealingWarmRestarts.step: epoch must be >= 0, not {epoch!r}")
        self._calls += 1
        self.last_epoch = math.floor(epoch)
        self._set(epoch)


class OneCycleLR(LRScheduler):
    """Up from a low rate to `max_lr`, then down to almost nothing, while momentum goes the other way; step it after
    every batch.

    Formula
    -------
    Phases over total_steps = N, each annealed by half a cosine or a line:
        two    0 .. pct_start N - 1: max_lr / div_factor to max_lr;   .. N - 1: to max_lr / div_factor /
        final_div_factor three  up as above; down to max_lr / div_factor in as many steps; the rest down to the lowest

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates, and momentum or beta1, to set.
    max_lr : float, or list of one number a group
        The highest rate.
    total_steps : int, optional
        Batches in all; or give `epochs` and `steps_per_epoch`.
    epochs, steps_per_epoch : int, optional
        Their product is total_steps.
    pct_start : float
        Share of the steps that go up, from 0 to 1.
    anneal_strategy : str
        "cos" or "linear".
    cycle_momentum : bool
        Whether momentum moves too, from `max_momentum` to `base_momentum` and back.
    base_momentum, max_momentum : float, or list of one number a group
        Its range.
    div_factor, final_div_factor : float
        max_lr over the first rate, and the first rate over the last.
    three_phase : bool
        The paper's original form, with a phase of annihilation at the end.
    last_epoch : int
        As in LRScheduler.

    References
    ----------
    Smith and Topin 2019, "Super-convergence: very fast training of neural networks using large learning rates",
    section 3.
    """

    _absolute = True

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self._require_optimizer(optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ArgumentError("OneCycleLR: give total_steps, or both epochs and steps_per_epoch")
            total_steps = whole("OneCycleLR", "epochs", epochs, 1) * whole("OneCycleLR", "steps_per_epoch", steps_per_epoch, 1)
        self.total_steps = whole("OneCycleLR", "total_steps", total_steps, 1)
        if not 0 <= pct_start <= 1:
            raise ArgumentError(f"OneCycleLR: pct_start must be a share from 0 to 1, not {pct_start!r}")
        self.anneal_strategy = one_of("OneCycleLR", "anneal_strategy", anneal_strategy, ("cos", "linear"))
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            _require_momentum(self._name, optimizer)
        # The numbers of each group at the corners of the cycle.
        highest = _one_per_group(self._name, "max_lr", optimizer, max_lr)
        first = [rate / div_factor for rate in highest]
        last = [rate / final_div_factor for rate in first]
        strong = _one_per_group(self._name, "max_momentum", optimizer, max_momentum)
        weak = _one_per_group(self._name, "base_momentum", optimizer, base_momentum)
        up = float(pct_start * self.total_steps) - 1
        end = float(self.total_steps - 1)
        # (time of the end, rates there, momentum there), after the corner that the cycle starts from.
        self._corners: list[tuple[float, list[float], list[float]]] = [(0.0, first, strong), (up, highest, weak)]
        if three_phase:
            self._corners.append((2 * up, first, strong))
        self._corners.append((end, last, strong))
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, first):
                group["initial_lr"] = rate
        super().__init__(optimizer, last_epoch)

    def _anneal(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * share
        return end + (start - end) * (1 + math.cos(math.pi * share)) / 2

    def _phase(self, time: float) -> tuple[int, float]:
        """Which phase a time lies in, and how far."""
        phase = 1
        while phase < len(self._corners) - 1 and time > self._corners[phase][0]:
            phase += 1
        start, end = self._corners[phase - 1][0], self._corners[phase][0]
        # A phase without steps is over when it starts.
        return phase, (time - start) / (end - start) if end != start else 1.0

    def _lr_at(self, time: float) -> list[float]:
        phase, share = self._phase(time)
        return [self._anneal(a, b, share) for a, b in zip(self._corners[phase - 1][1], self._corners[phase][1])]

    def _set(self, time: float) -> None:
        if time > self.total_steps:
            raise ArgumentError(f"OneCycleLR: step {time} of a cycle of {self.total_steps}; make total_steps the number of batches of the whole run")
        super()._set(time)
        if not self.cycle_momentum:
            return
        phase, share = self._phase(time)
        corners = zip(self._corners[phase - 1][2], self._corners[phase][2])
        for group, (start, end) in zip(self.optimizer.param_groups, corners):
            _set_momentum(group, self._anneal(start, end, share))

    def state_dict(self) -> dict[str, Any]:
        """The time; the corners of the cycle follow from the constructor's arguments."""
        return {name: value for name, value in super().state_dict().items() if name != "_corners"}


class CyclicLR(LRScheduler):
    """Up and down a line between two rates, again and again, while momentum goes the other way; step it after every batch.

    Formula
    -------
    With up = step_size_up, T = up + step_size_down, cycle n = 1 + floor(t / T) and x = t / T - (n - 1):
    h = x T / up while x <= up / T, then (1 - x) T / step_size_down;
    lr(t) = base_lr + (max_lr - base_lr) h f,  momentum(t) = max_momentum - (max_momentum - base_momentum) h f;
    f = 1 ("triangular"), 2^(1 - n) ("triangular2"), gamma^t ("exp_range"), or scale_fn of n or t.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates, and momentum or beta1, to set.
    base_lr, max_lr : float, or list of one number a group
        The lowest and the highest rate.
    step_size_up, step_size_down : int
        Batches from the lowest to the highest rate and back; down as up if left out.
    mode : str
        "triangular", "triangular2" or "exp_range".
    gamma : float
        The factor of "exp_range".
    scale_fn : function, optional
        Its own f, in place of `mode`; not saved by `state_dict`.
    scale_mode : str
        What scale_fn is a function of: "cycle" (n) or "iterations" (t).
    cycle_momentum : bool
        Whether momentum moves too.
    base_momentum, max_momentum : float, or list of one number a group
        Its range.
    last_epoch : int
        As in LRScheduler.

    References
    ----------
    Smith 2017, "Cyclical learning rates for training neural networks", section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor, optim
    >>> sgd = optim.SGD([Tensor(np.zeros(1), requires_grad=True)], lr=9.0)
    >>> schedule = CyclicLR(sgd, 0.0, 1.0, step_size_up=2, mode="triangular2", cycle_momentum=False)
    >>> rates = []
    >>> for _ in range(8):
    ...     rates.append(sgd.param_groups[0]["lr"])
    ...     sgd.step()
    ...     schedule.step()
    >>> rates
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25]
    """

    _absolute = True
    _unsaved = ("optimizer", "scale_fn")

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self._require_optimizer(optimizer)
        self.step_size_up = whole("CyclicLR", "step_size_up", step_size_up, 1)
        self.step_size_down = self.step_size_up if step_size_down is None else whole("CyclicLR", "step_size_down", step_size_down, 1)
        if scale_fn is None:
            one_of("CyclicLR", "mode", mode, ("triangular", "triangular2", "exp_range"))
        self.mode = mode
        self.gamma = gamma
        self.scale_fn = scale_fn
        self.scale_mode = one_of("CyclicLR", "scale_mode", scale_mode, ("cycle", "iterations"))
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            _require_momentum(self._name, optimizer)
        lowest = _one_per_group(self._name, "base_lr", optimizer, base_lr)
        self.max_lrs = _one_per_group(self._name, "max_lr", optimizer, max_lr)
        self.base_momentums = _one_per_group(self._name, "base_momentum", optimizer, base_momentum)
        self.max_momentums = _one_per_group(self._name, "max_momentum", optimizer, max_momentum)
        for group, rate in zip(optimizer.param_groups, lowest):
            if last_epoch == -1:
                group["initial_lr"] = rate
        super().__init__(optimizer, last_epoch)

    def _height(self, time: float) -> float:
        """How far above the lowest rate, from 0 to 1: h f."""
        total = self.step_size_up + self.step_size_down
        cycle = math.floor(1 + time / total)
        place = 1 + time / total - cycle
        turn = self.step_size_up / total
        height = place / turn if place <= turn else (place - 1) / (turn - 1)
        if self.scale_fn is not None:
            return height * self.scale_fn(cycle if self.scale_mode == "cycle" else time)
        if self.mode == "triangular2":
            return height / 2.0 ** (cycle - 1)
        return height * self.gamma**time if self.mode == "exp_range" else height

    def _lr_at(self, time: float) -> list[float]:
        height = self._height(time)
        return [low + (high - low) * height for low, high in zip(self.base_lrs, self.max_lrs)]

    def _set(self, time: float) -> None:
        super()._set(time)
        if self.cycle_momentum:
            height = self._height(time)
            for group, low, high in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums):
                _set_momentum(group, high - (high - low) * height)
