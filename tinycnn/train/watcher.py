"""Somebody who looks on while a network learns: what the loop calls, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .run import Run


class Watcher:
    """Does nothing at every moment of a run; a subclass says what it wants to see.

    A watcher may read everything. What it changes in the optimiser between `before_update` and `after_update` holds for one step, so that
    schedule and checkpoint know nothing of it.
    """

    def begin(self, run: Run, test_loader: Any, stopping: Callable[[], bool]) -> None:
        """The run is about to start; `stopping()` tells whether Ctrl-C asked it to end."""

    def before_step(self) -> None:
        """A batch is about to be learned from; the run waits until this returns."""

    def before_update(self) -> None:
        """The gradients are there and the weights are still the old ones."""

    def after_update(self) -> None:
        """The optimiser has changed the weights."""

    def after_step(self) -> None:
        """The step is counted."""

    def after_epoch(self) -> None:
        """The epoch's row is in the log."""

    def end(self) -> None:
        """The run is over."""
