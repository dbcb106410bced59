"""Matching a state dict with a module before anything is written, and saying in a table where the two differ."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from ..errors import CheckpointError
from ..tensor import Tensor

# Batch normalisation's counter of batches: files from before PyTorch 0.4.1 lack it, and nothing but momentum=None reads it.
COUNTER = "num_batches_tracked"
ROWS = 30  # rows of the table of differences; a wholly different architecture would print hundreds


class Plan(NamedTuple):
    """The copies to make, and the keys that only one side has."""

    copies: list[tuple[Tensor, np.ndarray]]
    missing: list[str]
    unexpected: list[str]


def plan_loading(owner: str, targets: Mapping[str, Tensor], values: Mapping[str, Any], strict: bool) -> Plan:
    """Pair each target with its value; raises CheckpointError where shapes or, if strict, keys do not fit."""
    if not isinstance(values, Mapping):
        raise CheckpointError(f"load_state_dict: a {type(values).__name__} is not a mapping of names to arrays; pass model.state_dict()")
    arrays = {key: _array(key, value) for key, value in values.items()}
    missing = [key for key in targets if key not in arrays and not key.endswith(COUNTER)]
    unexpected = [key for key in arrays if key not in targets]
    misshaped = [key for key in targets if key in arrays and arrays[key].shape != targets[key].shape]
    if misshaped or (strict and (missing or unexpected)):
        raise CheckpointError(_explain(owner, targets, arrays, misshaped, missing, unexpected))
    return Plan([(targets[key], arrays[key]) for key in targets if key in arrays], missing, unexpected)


def copy_state(plan: Plan) -> None:
    """Write the values in place, which every graph that has saved the old ones is told of."""
    for target, array in plan.copies:
        target.data[...] = array
        target._wrote()


def _array(key: str, value: Any) -> np.ndarray:
    """The value as an ndarray of numbers."""
    array = value.data if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise CheckpointError(f"load_state_dict: {key!r} holds {array.dtype} values, not real numbers")
    return array


def _explain(
    owner: str,
    targets: Mapping[str, Tensor],
    arrays: Mapping[str, np.ndarray],
    misshaped: list[str],
    missing: list[str],
    unexpected: list[str],
) -> str:
    """A sentence with the counts, a table of the keys, and the likely reason where there is one."""
    kinds = [(misshaped, "mis-shaped"), (missing, "missing"), (unexpected, "unexpected")]
    counts = ", ".join(f"{len(keys)} {word}" for keys, word in kinds if keys)
    rows = [("key", "in the model", "in the state dict")]
    rows += [(key, str(targets[key].shape), str(arrays[key].shape)) for key in misshaped]
    rows += [(key, str(targets[key].shape), "missing") for key in missing]
    rows += [(key, "unexpected", str(arrays[key].shape)) for key in unexpected]
    widths = [max(len(row[column]) for row in rows[: ROWS + 1]) for column in range(2)]
    lines = [f"    {key:<{widths[0]}}  {model:<{widths[1]}}  {state}" for key, model, state in rows[: ROWS + 1]]
    if len(rows) > ROWS + 1:
        lines.append(f"    ... and {len(rows) - ROWS - 1} more")
    hint = _hint(missing, unexpected)
    return "\n".join([f"load_state_dict: keys do not fit {owner}: {counts}", *lines, *([hint] if hint else [])])


def _hint(missing: list[str], unexpected: list[str]) -> str:
    """The nearest fix: a common prefix to strip, or a key that is spelled almost alike."""
    if not missing or not unexpected:
        return ""
    for key in unexpected:
        prefix, dot, rest = key.partition(".")
        if dot and rest in missing and all(other.startswith(f"{prefix}.") for other in unexpected):
            return f"    every unexpected key starts with {prefix + dot!r}; strip it from the keys"
    for key in unexpected:
        near = get_close_matches(key, missing, n=1, cutoff=0.8)
        if near:
            return f"    {key!r} looks like {near[0]!r}; rename it, or load with strict=False to skip it"
    return ""
