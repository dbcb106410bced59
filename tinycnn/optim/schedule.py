"""The base of learning-rate schedules, their sequence and their product.

A schedule is a formula: the learning rate at time t, from the rate the group started with. Most frameworks multiply
the current rate by a ratio at each step, which drifts and hides the formula. Here the formula is evaluated at t;
what somebody else did to the rate in between (a second schedule, ReduceLROnPlateau, a user) is kept as a factor, so
that schedules combine as PyTorch's do.
"""

import warnings
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ..errors import ArgumentError, CheckpointError, HintWarning
from .optimizer import Optimizer

__all__ = ["ChainedScheduler", "LRScheduler", "SequentialLR"]


class LRScheduler:
    """Sets `group["lr"]` of every parameter group at each `step()`; a subclass gives the formula in `_lr_at`.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set. Their values now are the starting ones, kept as `group["initial_lr"]`.
    last_epoch : int
        The time already passed; -1 starts anew. Usually `load_state_dict` is the better way to go on.

    Attributes
    ----------
    last_epoch : int
        The time: 0 after construction, one more after each `step()`. Epochs or batches, whichever `step()` is called
        for.
    base_lrs : list of float
        The starting rate of each group.
    """

    # Whether the formula alone decides, whatever others did to the rate.
    _absolute = False
    # Whether `step()` needs nothing but the time.
    _runs_on_time = True
    # Attributes that state_dict leaves out.
    _unsaved: tuple[str, ...] = ("optimizer",)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self._require_optimizer(optimizer)
        self.optimizer = optimizer
        for index, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ArgumentError(
                    f"{self._name}: last_epoch={last_epoch} goes on with a schedule, but group {index} has no "
                    "initial_lr; "
                    "load the optimiser's state first, or start with last_epoch=-1"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        resumed = last_epoch != -1
        self._factors = [
            1.0 if resumed or self._absolute or base == 0 else group["lr"] / base for group, base in zip(optimizer.param_groups, self.base_lrs)
        ]
        self._last_lr: list[float] = []
        self._started_at = optimizer.steps_taken
        self._calls = 0
        self.last_epoch = last_epoch + 1
        self._set(self.last_epoch)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _require_optimizer(self, optimizer: Any) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"{self._name}: optimizer is a {type(optimizer).__name__}, not a tinycnn.optim optimiser")

    def _lr_at(self, time: float) -> list[float]:
        """The formula: one rate a group."""
        raise NotImplementedError

    def _set(self, time: float) -> None:
        """Write the rates of a time into the groups."""
        groups = self.optimizer.param_groups
        if len(groups) != len(self.base_lrs):
            raise ArgumentError(
                f"{self._name}: the optimiser has {len(groups)} groups, but had {len(self.base_lrs)} when the schedule "
                "was made; "
                "make the schedule after add_param_group"
            )
        for index, written in enumerate(self._last_lr if not self._absolute else []):
            current = groups[index]["lr"]
            if current != written and written != 0:
                self._factors[index] *= current / written
        for group, rate, factor in zip(groups, self._lr_at(time), self._factors):
            group["lr"] = rate * factor
        self._last_lr = [group["lr"] for group in groups]

    def _restart(self) -> None:
        """Begin at time 0 with the plain formula."""
        self.last_epoch = 0
        self._last_lr = []
        self._factors = [1.0] * len(self.base_lrs)
        self._set(0)

    def _warn_if_early(self) -> None:
        if self._calls == 0 and self.optimizer.steps_taken == self._started_at:
            warnings.warn(
                f"{self._name}.step() came before the first optimizer.step(), so the first learning rate is never used; call optimizer.step() first",
                HintWarning,
                stacklevel=3,
            )
        self._calls += 1

    def step(self) -> None:
        """Go on by one unit of time; call it after `optimizer.step()`."""
        self._warn_if_early()
        self._forward()

    def _forward(self) -> None:
        self.last_epoch += 1
        self._set(self.last_epoch)

    def get_last_lr(self) -> list[float]:
        """The rates set last, one a group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser, as numbers, strings and lists."""
        return {name: value for name, value in self.__dict__.items() if name not in self._unsaved}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where `state_dict()` was taken; the optimiser's own state holds the rates themselves."""
        expected = set(self.state_dict())
        if set(state_dict) != expected:
            missing, extra = sorted(expected - set(state_dict)), sorted(set(state_dict) - expected)
            raise CheckpointError(f"load_state_dict: the state is not a {self._name}'s: missing {missing}, unexpected {extra}")
        self.__dict__.update({name: list(value) if isinstance(value, list) else value for name, value in state_dict.items()})
        self._started_at = -1  # the steps before the load were other ones


class SequentialLR(LRScheduler):
    """Several schedules, one after the other: for example a warm-up and then a cosine.

    Parameters
    ----------
    optimizer : Optimizer
        The one that all schedules were made for.
    schedulers : list of LRScheduler
        In order. Each one starts at its own time 0.
    milestones : list of int
        The times at which the next one takes over; one fewer than schedules.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor, optim
    >>> sgd = optim.SGD([Tensor(np.zeros(1), requires_grad=True)], lr=1.0)
    >>> warm_up = optim.lr_scheduler.LinearLR(sgd, start_factor=0.25, total_iters=3)
    >>> rest = optim.lr_scheduler.StepLR(sgd, step_size=2)
    >>> schedule = SequentialLR(sgd, [warm_up, rest], milestones=[3])
    >>> rates = []
    >>> for _ in range(6):
    ...     rates.append(round(sgd.param_groups[0]["lr"], 3))
    ...     sgd.step()
    ...     schedule.step()
    >>> rates
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.1]
    """

    _unsaved = ("optimizer", "schedulers")

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1) -> None:
        self._require_optimizer(optimizer)
        self.schedulers = list(schedulers)
        self._check(optimizer, list(milestones))
        self.optimizer = optimizer
        self.milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        self._started_at = optimizer.steps_taken
        self._calls = 0
        for scheduler in self.schedulers:
            scheduler.last_epoch = -1
        self._restart()

    def _check(self, optimizer: Optimizer, milestones: list[int]) -> None:
        if not self.schedulers or len(milestones) != len(self.schedulers) - 1:
            raise ArgumentError(
                f"SequentialLR: {len(self.schedulers)} schedules need {max(len(self.schedulers) - 1, 0)} milestones "
                "between them, "
                f"not {len(milestones)}"
            )
        if any(later <= earlier for earlier, later in pairwise(milestones)):
            raise ArgumentError(f"SequentialLR: milestones {milestones} do not rise")
        for index, scheduler in enumerate(self.schedulers):
            if not isinstance(scheduler, LRScheduler) or not scheduler._runs_on_time:
                raise ArgumentError(
                    f"SequentialLR: schedule {index} is a {type(scheduler).__name__}, whose steps need more than the time; step it by itself"
                )
            if scheduler.optimizer is not optimizer:
                raise ArgumentError(f"SequentialLR: schedule {index} ({type(scheduler).__name__}) belongs to another optimiser")

    def _restart(self) -> None:
        self.last_epoch = 0
        self._begin(bisect_right(self.milestones, 0))

    def _begin(self, index: int) -> None:
        self.schedulers[index]._restart()
        self._last_lr = self.schedulers[index].get_last_lr()

    def _forward(self) -> None:
        self.last_epoch += 1
        index = bisect_right(self.milestones, self.last_epoch)
        if index > 0 and self.milestones[index - 1] == self.last_epoch:
            self._begin(index)
        else:
            self.schedulers[index]._forward()
            self._last_lr = self.schedulers[index].get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """The time, and the state of every schedule under "schedulers"."""
        return {**super().state_dict(), "schedulers": [scheduler.state_dict() for scheduler in self.schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where `state_dict()` was taken."""
        _load_parts(self, self.schedulers, state_dict)


class ChainedScheduler(LRScheduler):
    """Several schedules at once, stepped in order: each goes on from the rate that the one before left.

    Parameters
    ----------
    schedulers : list of LRScheduler
        All of one optimiser.
    optimizer : Optimizer, optional
        That one; the first schedule's if left out.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor, optim
    >>> sgd = optim.SGD([Tensor(np.zeros(1), requires_grad=True)], lr=1.0)
    >>> halves = optim.lr_scheduler.ConstantLR(sgd, 0.5, total_iters=2)
    >>> schedule = ChainedScheduler([halves, optim.lr_scheduler.ExponentialLR(sgd, 0.5)])
    >>> rates = []
    >>> for _ in range(4):
    ...     rates.append(sgd.param_groups[0]["lr"])
    ...     sgd.step()
    ...     schedule.step()
    >>> rates
    [0.5, 0.25, 0.25, 0.125]
    """

    _runs_on_time = False
    _unsaved = ("optimizer", "schedulers")

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self.schedulers = list(schedulers) if isinstance(schedulers, Sequence) else []
        if not self.schedulers:
            raise ArgumentError("ChainedScheduler: schedulers must be a list of at least one schedule")
        owner = getattr(self.schedulers[0], "optimizer", None) if optimizer is None else optimizer
        self._require_optimizer(owner)
        for index, scheduler in enumerate(self.schedulers):
            if not isinstance(scheduler, LRScheduler) or (not scheduler._runs_on_time and not isinstance(scheduler, ChainedScheduler)):
                raise ArgumentError(
                    f"ChainedScheduler: schedule {index} is a {type(scheduler).__name__}, whose steps need more than the time; step it by itself"
                )
            if scheduler.optimizer is not owner:
                raise ArgumentError(f"ChainedScheduler: schedule {index} ({type(scheduler).__name__}) belongs to another optimiser")
        self.optimizer = self.schedulers[0].optimizer
        self.last_epoch = 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Step every schedule once, in order."""
        for scheduler in self.schedulers:
            scheduler.step()
        self.last_epoch += 1
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The time, and the state of every schedule under "schedulers"."""
        return {**super().state_dict(), "schedulers": [scheduler.state_dict() for scheduler in self.schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where `state_dict()` was taken."""
        _load_parts(self, self.schedulers, state_dict)


def _load_parts(whole: LRScheduler, parts: Sequence[LRScheduler], state_dict: Mapping[str, Any]) -> None:
    """Load the states under "schedulers" into the parts, and the rest into the whole."""
    states = state_dict.get("schedulers", [])
    if len(states) != len(parts):
        raise CheckpointError(f"load_state_dict: the state holds {len(states)} schedules, this {type(whole).__name__} {len(parts)}")
    for scheduler, state in zip(parts, states):
        scheduler.load_state_dict(state)
    whole.__dict__.update({name: list(value) if isinstance(value, list) else value for name, value in state_dict.items() if name != "schedulers"})
    whole._started_at = -1  # the steps before the load were other ones
