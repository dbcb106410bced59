"""Which operators a network calls, with their arguments: what an export walks.

While a trace runs, every place that holds a registered operator (a module's global name, a method, a layer's class) holds a
function around it instead, which reports the call. An operator that the listener has no use for is let through, so that
the simpler operators it is made of are reported in its place.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from ..registry import OPERATORS
from ..tensor import Tensor

__all__ = ["Listener", "listening"]

GETITEM = "getitem"  # indexing has no name in the registry, as nobody calls it by one


class Listener:
    """What hears of the calls; a subclass says which operators it knows and what to do with them."""

    def concerns(self, arguments: Any) -> bool:
        """Whether any argument comes from the traced input."""
        raise NotImplementedError

    def knows(self, name: str) -> bool:
        """Whether an operator is reported as one call."""
        raise NotImplementedError

    def heard(self, name: str, arguments: SimpleNamespace, result: Any) -> None:
        """Take a call and its result."""
        raise NotImplementedError

    def unheard(self, name: str, result: Any) -> None:
        """An operator that is not known has run, and its parts have been reported."""
        raise NotImplementedError


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Within the block, report every operator that this thread calls; operators inside a reported one are not."""
    functions = {id(operator.function): (name, operator.function) for name, operator in OPERATORS.items()}
    getitem = vars(Tensor)["__getitem__"]
    functions[id(getitem)] = (GETITEM, getitem)
    busy = threading.local()
    thread = threading.get_ident()
    wrapped = {key: _reporting(name, function, listener, busy, thread) for key, (name, function) in functions.items()}
    replaced: list[tuple[Any, str, Any]] = []
    modules = [module for name, module in list(sys.modules.items()) if name.split(".")[0] == __name__.split(".")[0]]
    classes = {value for module in modules for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__}
    try:
        for place in [*modules, *classes]:
            for attribute, value in list(vars(place).items()):
                inner = value.__func__ if isinstance(value, staticmethod) else value
                if id(inner) in wrapped:
                    replaced.append((place, attribute, value))
                    stand_in = wrapped[id(inner)]
                    setattr(place, attribute, staticmethod(stand_in) if isinstance(value, staticmethod) else stand_in)
        yield
    finally:
        for place, attribute, value in replaced:
            setattr(place, attribute, value)


def _reporting(name: str, function: Callable[..., Any], listener: Listener, busy: Any, thread: int) -> Callable[..., Any]:
    """A function that does what `function` does, and tells the listener."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != thread or getattr(busy, "inside", False) or not listener.concerns((args, kwargs)):
            return function(*args, **kwargs)
        if not listener.knows(name):
            result = function(*args, **kwargs)
            listener.unheard(name, result)
            return result
        busy.inside = True
        try:
            result = function(*args, **kwargs)
        finally:
            busy.inside = False
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        listener.heard(name, SimpleNamespace(**bound.arguments), result)
        return result

    return call
