"""The builders by name: each model file marks its own, and nothing else lists them."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import UsageError
from ..nn import Module

__all__ = ["builder", "get_model", "list_models"]

_BUILDERS: dict[str, Callable[..., Module]] = {}

Builder = TypeVar("Builder", bound=Callable[..., Module])


def builder(function: Builder) -> Builder:
    """Make a function known to `get_model` and `list_models` under its own name."""
    if function.__name__ in _BUILDERS:
        raise UsageError(f"there are two builders called {function.__name__}")
    _BUILDERS[function.__name__] = function
    return function


def list_models() -> list[str]:
    """The names that `get_model` knows, sorted.

    Examples
    --------
    >>> "lenet5" in list_models()
    True
    """
    return sorted(_BUILDERS)


def get_model(name: str, **options: Any) -> Module:
    """Build a network by its name.

    Parameters
    ----------
    name
        One of `list_models()`.
    **options
        The builder's own keywords, such as ``num_classes``; one it does not have is refused.

    Raises
    ------
    UsageError
        For a name or a keyword that does not exist; the nearest ones are offered.

    Examples
    --------
    >>> sum(parameter.numel() for parameter in get_model("lenet5").parameters())
    61706
    """
    if name not in _BUILDERS:
        raise UsageError(f"get_model: {_no_such('model', name, list_models())}")
    accepted = list(inspect.signature(_BUILDERS[name]).parameters)
    for option in options:
        if option not in accepted:
            raise UsageError(f"get_model: {_no_such(f'option of {name}', option, accepted)}")
    return _BUILDERS[name](**options)


def _no_such(what: str, name: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(str(name), known, n=3)
    offer = f"did you mean {' or '.join(nearest)}?" if nearest else f"there are {', '.join(known)}"
    return f"there is no {what} called {name!r}; {offer}"
