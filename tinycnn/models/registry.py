"""The builders by name: each model file marks its own, and nothing else lists them."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from ..errors import UsageError
from ..nn import Module

__all__ = ["builder", "builder_of", "get_model", "input_size", "list_models"]

CLASSIFICATION = "classification"
PHOTO = 224  # pixels a side of ImageNet's photos, as most networks see them

_BUILDERS: dict[str, Callable[..., Module]] = {}
_IMAGE_SIZES: dict[str, int] = {}
_TASKS: dict[str, str] = {}  # of those that do something else than classify

Builder = TypeVar("Builder", bound=Callable[..., Module])


@overload
def builder(function: Builder) -> Builder:
    """Written without arguments."""
@overload
def builder(*, image_size: int, task: str = CLASSIFICATION) -> Callable[[Builder], Builder]:
    """Written with arguments."""
def builder(function: Any = None, *, image_size: int | None = None, task: str = CLASSIFICATION) -> Any:
    """Make a function known to `get_model` and `list_models` under its own name.

    Parameters
    ----------
    function
        The builder, where the decorator is written without arguments.
    image_size
        Pixels a side of the images that the network is made for; left out, the builder's own `image_size`, else 224.
    task
        What the network does: "classification", one row of logits an image, "detection", or "segmentation", scores of every pixel.
    """
    if function is None:
        return functools.partial(builder, image_size=image_size, task=task)
    name = function.__name__
    if name in _BUILDERS:
        raise UsageError(f"there are two builders called {name}")
    _BUILDERS[name] = function
    if task != CLASSIFICATION:
        _TASKS[name] = task
    _IMAGE_SIZES[name] = image_size or _default_of(function, "image_size", PHOTO)
    return function


def list_models(task: str | None = CLASSIFICATION) -> list[str]:
    """The names of one task's networks that `get_model` knows, sorted; of all tasks with None.

    Raises
    ------
    UsageError
        For a task that no network has.

    Examples
    --------
    >>> "lenet5" in list_models(), "fasterrcnn_resnet50_fpn" in list_models("detection")
    (True, True)
    """
    tasks = sorted({CLASSIFICATION, *_TASKS.values()})
    if task is not None and task not in tasks:
        raise UsageError(f"list_models: there is no task called {task!r}; there are {', '.join(tasks)}")
    return sorted(name for name in _BUILDERS if task in (None, _TASKS.get(name, CLASSIFICATION)))


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
    _require("get_model", name)
    accepted = list(inspect.signature(_BUILDERS[name]).parameters)
    for option in options:
        if option not in accepted:
            raise UsageError(f"get_model: {_no_such(f'option of {name}', option, accepted)}")
    return _BUILDERS[name](**options)


def input_size(name: str) -> tuple[int, int, int]:
    """Channels, height and width of the images that a network is made for, as its builder declares them.

    Raises
    ------
    UsageError
        For a name that does not exist; the nearest ones are offered.

    Examples
    --------
    >>> input_size("lenet5"), input_size("inception_v3"), input_size("resnet20")
    ((1, 28, 28), (3, 299, 299), (3, 32, 32))
    """
    _require("input_size", name)
    side = _IMAGE_SIZES[name]
    # A builder that does not ask for the channels is of a time when images were grey.
    return _default_of(_BUILDERS[name], "in_channels", 1), side, side


def builder_of(name: str) -> Callable[..., Module]:
    """The function that builds a network of that name; errors as `input_size`."""
    _require("builder_of", name)
    return _BUILDERS[name]


def _default_of(function: Callable[..., Module], option: str, otherwise: int) -> int:
    """What a builder takes where the option is left out."""
    parameter = inspect.signature(function).parameters.get(option)
    return otherwise if parameter is None else int(parameter.default)


def _require(function: str, name: str) -> None:
    if name not in _BUILDERS:
        raise UsageError(f"{function}: {_no_such('model', name, list_models(None))}")


def _no_such(what: str, name: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(str(name), known, n=3)
    offer = f"did you mean {' or '.join(nearest)}?" if nearest else f"there are {', '.join(known)}"
    return f"there is no {what} called {name!r}; {offer}"
