"""The schedule that watches a number instead of the clock."""

import math
from collections.abc import Sequence
from typing import Any

from ..errors import ArgumentError
from ..functional._arguments import one_of, whole
from .optimizer import Optimizer
from .schedule import LRScheduler

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiply the learning rates by `factor` once a number has not improved for more than `patience` epochs.

    Formula
    -------
    For mode "min": better means value < best (1 - threshold) where threshold_mode is "rel", value < best - threshold
    where "abs";
    for "max" alike with > and +. After a reduction bad epochs do not count for `cooldown` epochs.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    mode : str
        "min" for a loss, "max" for an accuracy.
    factor : float
        What rates are multiplied by; under 1.
    patience : int
        Bad epochs that are borne.
    threshold : float
        How much better counts as better.
    threshold_mode : str
        "rel" or "abs".
    cooldown : int
        Epochs after a reduction in which bad ones do not count.
    min_lr : float, or list of one number a group
        Rates never fall below.
    eps : float
        A reduction by no more than this is not made.

    Raises
    ------
    ArgumentError
        If an option is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor, optim
    >>> sgd = optim.SGD([Tensor(np.zeros(1), requires_grad=True)], lr=1.0)
    >>> schedule = ReduceLROnPlateau(sgd, patience=1)
    >>> for loss in (0.5, 0.6, 0.6):
    ...     schedule.step(loss)
    >>> sgd.param_groups[0]["lr"]
    0.1
    """

    _runs_on_time = False

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        self._require_optimizer(optimizer)
        if not 0 <= factor < 1:
            raise ArgumentError(f"ReduceLROnPlateau: factor must be from 0 to just under 1, not {factor!r}")
        count = len(optimizer.param_groups)
        if isinstance(min_lr, Sequence) and len(min_lr) != count:
            raise ArgumentError(f"ReduceLROnPlateau: min_lr has {len(min_lr)} numbers for {count} parameter groups; give one for each")
        self.optimizer = optimizer
        self.mode = one_of("ReduceLROnPlateau", "mode", mode, ("min", "max"))
        self.factor = factor
        self.patience = whole("ReduceLROnPlateau", "patience", patience, 0)
        self.threshold = threshold
        self.threshold_mode = one_of("ReduceLROnPlateau", "threshold_mode", threshold_mode, ("rel", "abs"))
        self.cooldown = whole("ReduceLROnPlateau", "cooldown", cooldown, 0)
        self.min_lrs = list(min_lr) if isinstance(min_lr, Sequence) else [min_lr] * count
        self.eps = eps
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self.last_epoch = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def _is_better(self, value: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        margin = self.best * (1 + sign * self.threshold) if self.threshold_mode == "rel" else self.best + sign * self.threshold
        return value < margin if self.mode == "min" else value > margin

    def step(self, metrics: Any) -> None:  # type: ignore[override]  # time is not enough here
        """Look at the epoch's number; call it once an epoch."""
        value = float(metrics)
        self.last_epoch += 1
        if self._is_better(value):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _reduce(self) -> None:
        if len(self.optimizer.param_groups) != len(self.min_lrs):
            raise ArgumentError(
                f"ReduceLROnPlateau: the optimiser has {len(self.optimizer.param_groups)} groups, min_lrs "
                f"{len(self.min_lrs)}; "
                "extend min_lrs after add_param_group"
            )
        for group, least in zip(self.optimizer.param_groups, self.min_lrs):
            rate = max(group["lr"] * self.factor, least)
            if group["lr"] - rate > self.eps:
                group["lr"] = rate
