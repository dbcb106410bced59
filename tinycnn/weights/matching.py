"""Weights into a model: all of them, or a sentence with a table of what does not fit and, for a wrong head, the way out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArgumentError, CheckpointError
from ..nn import Module
from ..nn.module import IncompatibleKeys
from ..tensor import Tensor
from .load import load

__all__ = ["load_weights"]

HEADS = ("keep", "replace")


def load_weights(model: Module, path_or_state: str | Path | Mapping[str, Any], *, strict: bool = True, head: str = "keep") -> IncompatibleKeys:
    """Load a file or a state dict into a model; with `head="replace"` the last layer may have another number of classes.

    Parameters
    ----------
    model
        Changed in place, all of it or, on an error, nothing.
    path_or_state
        A file that `tinycnn.load` reads, or a mapping of names to arrays.
    strict
        Whether every key must exist on both sides.
    head
        "keep": every layer is loaded. "replace": the last layer, and the last layers of side branches, keep the model's own fresh
        weights where the file's have another number of outputs; everything below them must fit.

    Returns
    -------
    IncompatibleKeys
        What was not loaded: the head's keys among the missing ones where it was replaced.

    Raises
    ------
    CheckpointError
        With a table of the keys that do not fit; where only the number of classes differs, it names `head="replace"`.

    Examples
    --------
    >>> from tinycnn import nn
    >>> ten, two = (nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, classes)) for classes in (10, 2))
    >>> load_weights(two, ten.state_dict(), head="replace")
    IncompatibleKeys(missing_keys=['2.weight', '2.bias'], unexpected_keys=[])
    """
    if head not in HEADS:
        raise ArgumentError(f'load_weights: head must be "keep" or "replace", not {head!r}')
    if not isinstance(model, Module):
        raise ArgumentError(f"load_weights: model is a {type(model).__name__}, not an nn.Module")
    state = load(path_or_state) if isinstance(path_or_state, str | Path) else path_or_state
    if not isinstance(state, Mapping):
        raise ArgumentError(f"load_weights: a {type(state).__name__} is neither a file nor a mapping of names to arrays")
    current = dict(model._current_keys(state))
    other = _other_heads(model, current)
    if head == "replace":
        left = [key for key in model.state_dict() if key in other]
        fitting = {key: value for key, value in current.items() if key not in other}
        # Loading is all or nothing, so the head's own values stand in for those that are left out.
        own = {key: value for key, value in model.state_dict().items() if key in other}
        found = model.load_state_dict({**fitting, **own}, strict)
        return IncompatibleKeys([*found.missing_keys, *left], found.unexpected_keys)
    try:
        return model.load_state_dict(current, strict)
    except CheckpointError as error:
        if not other:
            raise
        before, after = _outputs(current, other), _outputs(model.state_dict(), other)
        raise CheckpointError(
            f"{error}\n    the last layer has {after} outputs in the model and {before} in the weights: "
            'head="replace" loads everything else and leaves the fresh last layer'
        ) from error


def _size(value: Any) -> tuple[int, ...]:
    return tuple(value.shape) if isinstance(value, Tensor | np.ndarray) else np.shape(value)


def _other_heads(model: Module, state: Mapping[str, Any]) -> set[str]:
    """The keys of the layers that differ in the number of outputs alone, where that number is the network's.

    Such a layer is the last of the model or of a branch: its weight differs in the first axis and in nothing else, and all
    layers that differ have the same pair of numbers, the classes here and there.
    """
    own = model.state_dict()
    other: set[str] = set()
    pairs: set[tuple[int, int]] = set()
    for key, target in own.items():
        if key not in state or _size(state[key]) == tuple(target.shape):
            continue
        mine, theirs = tuple(target.shape), _size(state[key])
        if not mine or len(mine) != len(theirs) or mine[1:] != theirs[1:]:
            return set()
        pairs.add((mine[0], theirs[0]))
        other.add(key)
    layers = {key.rpartition(".")[0] for key in other}
    if len(pairs) != 1 or not layers:
        return set()
    last = list(own)[-1].rpartition(".")[0]
    # The classifier may stand before auxiliary branches in the order of the keys; it is never followed by its own successor.
    named = {layer for layer in layers if layer.rpartition(".")[2] in ("fc", "classifier", "head", "last_linear", "linear", "output")}
    return other if last in layers or named else set()


def _outputs(state: Mapping[str, Any], keys: set[str]) -> int:
    return int(_size(state[min(keys)])[0])
