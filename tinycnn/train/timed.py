"""A schedule measured in minutes instead of steps: the run ends, with its learning rate at the end of its plan, when the time is spent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from .. import optim
from ..errors import UsageError
from .config import TrainConfig, build_scheduler

__all__ = ["TimedSchedule"]

TICKS = 2000  # parts of the time between which the learning rate changes


class TimedSchedule:
    """The config's schedule over a given time; call `step` after every step of the optimiser.

    Parameters
    ----------
    optimizer : optim.Optimizer
        Whose learning rates are set.
    config : TrainConfig
        Its `schedule` and `warmup` give the shape; its `epochs` are not looked at.
    minutes : float
        Of the whole run. They begin after the first step, in which kernels may still be compiled, and go on while a run is evaluated.
    clock : callable
        Seconds that never go back.

    Raises
    ------
    UsageError
        When minutes is not a positive number.

    Notes
    -----
    The steps that fit into the time depend on the machine, so two runs of the same seed differ.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor, optim
    >>> sgd = optim.SGD([Tensor(np.zeros(1), requires_grad=True)], lr=1.0)
    >>> seconds = iter([0.0, 30.0, 30.0, 60.0, 60.0])
    >>> schedule = TimedSchedule(sgd, TrainConfig(schedule="cosine"), 1, clock=lambda: next(seconds))
    >>> sgd.step()
    >>> schedule.step()  # the time begins
    >>> schedule.step()
    >>> round(sgd.param_groups[0]["lr"], 2), schedule.over
    (0.5, False)
    >>> schedule.over
    True
    """

    def __init__(self, optimizer: optim.Optimizer, config: TrainConfig, minutes: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        if not (isinstance(minutes, int | float) and math.isfinite(minutes) and minutes > 0):
            raise UsageError(f"TimedSchedule: minutes must be a finite number above 0, not {minutes!r}")
        self.minutes, self.clock = float(minutes), clock
        self.schedule = build_scheduler(optimizer, config.replace(epochs=1), TICKS)
        self.ticks = 0
        self._spent = 0.0  # seconds of the parts of the run before this one
        self._began: float | None = None

    @property
    def seconds(self) -> float:
        """Spent so far."""
        return self._spent + (0.0 if self._began is None else self.clock() - self._began)

    @property
    def share(self) -> float:
        """The part of the time that is spent, from 0 to 1."""
        return min(1.0, self.seconds / (60 * self.minutes))

    @property
    def over(self) -> bool:
        """Whether the time is spent."""
        return self.share >= 1.0

    def step(self) -> None:
        """Set the learning rate that belongs to this moment."""
        if self._began is None:
            self._began = self.clock()
            return
        now = min(TICKS - 1, int(self.share * TICKS))
        while self.ticks < now:
            self.ticks += 1
            if self.schedule is not None:
                self.schedule.step()

    def state_dict(self) -> dict[str, Any]:
        """The time that is spent, and the schedule's own state."""
        return {"seconds": self.seconds, "ticks": self.ticks, "schedule": None if self.schedule is None else self.schedule.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave; the time in between does not count."""
        self._spent, self._began, self.ticks = float(state["seconds"]), None, int(state["ticks"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
