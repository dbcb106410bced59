"""Plans: everything about a kernel call that follows from shapes and options alone, worked out once.

A plan holds sizes, offset tables and panel lists; never values and never packed weights, which would be stale after the next optimiser step.
Argument checks run when a plan is made: finding one is the proof that the arguments fit.
"""

import functools
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

BYTES_LIMIT = 64 << 20  # of all plans of one function together; the least recently used are dropped beyond it


def plan_bytes(plan: Any) -> int:
    """The memory that a plan holds: its arrays, wherever they are nested, and a flat allowance for the rest."""
    if isinstance(plan, np.ndarray):
        return int(plan.nbytes) + 112
    if isinstance(plan, tuple | list):
        return 64 + sum(plan_bytes(part) for part in plan)
    if hasattr(plan, "__dict__"):
        return 64 + sum(plan_bytes(part) for part in vars(plan).values())
    if hasattr(plan, "__slots__"):
        return 64 + sum(plan_bytes(getattr(plan, name)) for name in plan.__slots__)
    return sys.getsizeof(plan)


class PlanCache(Generic[P, R]):
    """A function of hashable arguments that remembers its results: least recently used, bounded in bytes, locked."""

    def __init__(self, make: Callable[P, R], bytes_limit: int = BYTES_LIMIT) -> None:
        functools.update_wrapper(self, make)
        self._make = make
        self._bytes_limit = bytes_limit
        self._plans: OrderedDict[Hashable, tuple[R, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __call__(self, *key: P.args, **options: P.kwargs) -> R:
        if options:
            raise TypeError("a plan is looked up by position, so that one set of arguments has one key")
        found = self._plans.get(key)
        if found is not None:
            try:
                self._plans.move_to_end(key)
            except KeyError:  # another thread dropped it just now; the plan in hand is still right
                pass
            return found[0]
        plan = self._make(*key, **options)
        size = plan_bytes(plan)
        with self._lock:
            if key not in self._plans:
                self._plans[key] = (plan, size)
                self._bytes += size
            while self._bytes > self._bytes_limit and len(self._plans) > 1:
                _, (_, dropped) = self._plans.popitem(last=False)
                self._bytes -= dropped
        return plan

    def clear(self) -> None:
        """Forget every plan."""
        with self._lock:
            self._plans.clear()
            self._bytes = 0

    def __len__(self) -> int:
        return len(self._plans)


def plan_cache(make: Callable[P, R]) -> PlanCache[P, R]:
    """Decorate a function of hashable, positional arguments so that equal arguments share one plan."""
    return PlanCache(make)
