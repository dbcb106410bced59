"""Schedules that go up and down: one cycle, and cosine with restarts."""

import math
from collections.abc import Sequence
from typing import Any

from ..errors import ArgumentError
from ..functional._arguments import one_of, whole
from .optimizer import Optimizer
from .schedule import LRScheduler

__all__ = ["CosineAnnealingWarmRestarts", "OneCycleLR"]


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
        self._uses_beta1 = "betas" in optimizer.defaults
        if cycle_momentum and not self._uses_beta1 and "momentum" not in optimizer.defaults:
            raise ArgumentError(f"OneCycleLR: {type(optimizer).__name__} has neither momentum nor betas to cycle; pass cycle_momentum=False")
        # The numbers of each group at the corners of the cycle.
        highest = self._one_per_group("max_lr", optimizer, max_lr)
        first = [rate / div_factor for rate in highest]
        last = [rate / final_div_factor for rate in first]
        strong = self._one_per_group("max_momentum", optimizer, max_momentum)
        weak = self._one_per_group("base_momentum", optimizer, base_momentum)
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

    def _one_per_group(self, argument: str, optimizer: Optimizer, value: float | Sequence[float]) -> list[float]:
        count = len(optimizer.param_groups)
        if isinstance(value, Sequence):
            if len(value) != count:
                raise ArgumentError(f"OneCycleLR: {argument} has {len(value)} numbers for {count} parameter groups; give one for each")
            return [float(number) for number in value]
        return [float(value)] * count

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
            momentum = self._anneal(start, end, share)
            if self._uses_beta1:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum

    def state_dict(self) -> dict[str, Any]:
        """The time; the corners of the cycle follow from the constructor's arguments."""
        return {name: value for name, value in super().state_dict().items() if name != "_corners"}
