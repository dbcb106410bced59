"""Hear which operators a network calls: what the recording of a forward pass and the export to ONNX are built on.

While somebody listens, the interpreter's own profiler hook tells of each Python function that is entered and left, and those
that the registry knows are passed on. So functional calls, methods and signs such as `+` are heard however they were
imported, only the listening thread is heard, and nothing is slower when nobody listens.
"""

from __future__ import annotations

import enum
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from .nn import Module
from .registry import OPERATORS
from .tensor import Tensor

__all__ = ["Hearing", "Listener", "listening", "profiled"]

Profiler = Callable[[FrameType, str, Any], Any]

_MODULE_CALL = Module.__call__.__code__
# Two notations that have no name in the registry, as nobody calls them by one.
NOTATIONS: dict[str, Callable[..., Any]] = {"getitem": Tensor.__getitem__, "detach": Tensor.detach}


class Hearing(enum.Enum):
    """How a listener takes a call."""

    WHOLE = "as one call: what it is made of is not told, only its end"
    PARTS = "the simpler operators it is made of are told in its place, then its end"
    NOTHING = "not at all"


class Listener:
    """What hears of the calls, all of them in the thread that listens; a subclass says what to do with them."""

    def entered(self, module: Module) -> None:
        """A module is called, outside of any operator heard whole."""

    def left(self) -> None:
        """The module entered last has returned or raised."""

    def called(self, operator: str, arguments: dict[str, Any]) -> Hearing:
        """An operator is called with these arguments, defaults included; says how to go on."""
        raise NotImplementedError

    def returned(self, operator: str, result: Any) -> None:
        """The operator heard whole has ended; the result is None where it raised."""
        raise NotImplementedError

    def passed(self, operator: str, result: Any) -> None:
        """An operator heard in parts has ended; the result is None where it raised."""

    def inside(self, frame: FrameType, event: str, argument: Any) -> None:
        """Within an operator heard whole a Python function is entered ("call") or left ("return", with its result)."""


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell a listener of every operator that this thread calls within the block.

    Examples
    --------
    >>> from tinycnn import nn, zeros
    >>> class Names(Listener):
    ...     def called(self, operator, arguments):
    ...         print(operator, sorted(arguments))
    ...         return Hearing.NOTHING
    >>> with listening(Names()):
    ...     _ = -nn.Softsign()(zeros(3))
    softsign ['input']
    neg ['input']
    """
    with profiled(_Ear(listener).hear):
        yield


@contextmanager
def profiled(profiler: Profiler) -> Iterator[None]:
    """Within the block, tell a profiler of this thread's calls; the one there was before, if any, is put back."""
    previous = sys.getprofile()
    sys.setprofile(profiler)
    try:
        yield
    finally:
        sys.setprofile(previous)


class _Ear:
    """Picks modules and operators out of what the interpreter tells."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._operators = _operators_by_code()
        self._open: list[tuple[FrameType, str]] = []  # operators whose end is of interest
        self._whole = False  # whether the last of them is heard whole

    def hear(self, frame: FrameType, event: str, argument: Any) -> None:
        """Take one event of the profiler hook."""
        if event not in ("call", "return"):
            return
        if self._whole:
            if event == "return" and frame is self._open[-1][0]:
                self._whole = False
                self._listener.returned(self._open.pop()[1], argument)
            else:
                self._listener.inside(frame, event, argument)
        elif frame.f_code is _MODULE_CALL:
            if event == "call":
                self._listener.entered(frame.f_locals["self"])
            else:
                self._listener.left()
        elif event == "return":
            if self._open and frame is self._open[-1][0]:
                self._listener.passed(self._open.pop()[1], argument)
        elif frame.f_code in self._operators:
            operator, names = self._operators[frame.f_code]
            given = frame.f_locals
            hearing = self._listener.called(operator, {name: given[name] for name in names})
            if hearing is not Hearing.NOTHING:
                self._open.append((frame, operator))
                self._whole = hearing is Hearing.WHOLE


def _operators_by_code() -> dict[CodeType, tuple[str, list[str]]]:
    """Name and argument names of every operator, by the code that the interpreter runs for it."""
    functions = {**{name: operator.function for name, operator in OPERATORS.items()}, **NOTATIONS}
    found = {}
    for name, function in functions.items():
        names, *collecting = inspect.getargs(function.__code__)
        found[function.__code__] = name, [*names, *(one for one in collecting if one is not None)]
    return found
