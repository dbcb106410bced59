"""Frozen configurations whose fields are also the keywords of constructors and builders, so that no list of thirty keywords is written twice."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from ...errors import UsageError

__all__ = ["spelled_out"]

Result = TypeVar("Result")


def spelled_out(config_type: type) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Let a function with a keyword `config` take the configuration's fields as keywords too.

    Parameters
    ----------
    config_type
        A frozen dataclass. The decorated function is called with a finished `config`; its signature shows every field with its default.

    Raises
    ------
    UsageError
        At a call with a keyword that is neither the function's nor a field; the nearest is offered.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Limits:
    ...     lower: int = 0
    ...     upper: int = 9
    >>> @spelled_out(Limits)
    ... def within(x, *, config):
    ...     return config.lower <= x <= config.upper
    >>> within(5), within(5, upper=4), within(5, config=Limits(7)), list(inspect.signature(within).parameters)
    (True, False, False, ['x', 'config', 'lower', 'upper'])
    """
    fields = {field.name: field for field in dataclasses.fields(config_type)}

    def decorate(function: Callable[..., Result]) -> Callable[..., Result]:
        signature = inspect.signature(function)
        own = [parameter for name, parameter in signature.parameters.items() if name != "config"]
        default = signature.parameters["config"].default

        @functools.wraps(function)
        def wrapper(*arguments: Any, config: Any = None, **keywords: Any) -> Result:
            changes = {name: keywords.pop(name) for name in list(keywords) if name in fields}
            for name in keywords:
                known = [*(parameter.name for parameter in own), *fields]
                if name not in known:
                    near = difflib.get_close_matches(name, known, n=2)
                    offer = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
                    raise UsageError(f"{function.__qualname__}: there is no option called {name!r}; {offer}")
            base = config if config is not None else (config_type() if default is inspect.Parameter.empty else default)
            return function(*arguments, config=dataclasses.replace(base, **changes), **keywords)

        annotated = f"{config_type.__name__} | None"
        extra = [inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotated)]
        shown = default if default is not inspect.Parameter.empty else config_type()
        for name, field in fields.items():
            extra.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=getattr(shown, name), annotation=field.type))
        wrapper.__signature__ = signature.replace(parameters=[*own, *extra])  # type: ignore[attr-defined]
        return wrapper

    return decorate
