"""The arguments of an explained call: what the user gave, checked and completed from the operator's worked example."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..errors import UsageError
from ..registry import Operator
from ..tensor import Tensor
from .operator_examples import example_arguments

__all__ = ["arguments_for", "given_names", "parsed_array"]

MOST_ELEMENTS = 4096  # of all inputs together
LONGEST_TEXT = 200_000
MOST_PRODUCTS = 300_000  # elements of the two largest inputs multiplied: what a reference kernel does in seconds
LARGEST_SIZE = 4096  # of what options such as output_size ask for
SIZE_OPTIONS = frozenset(
    "output_size size scale_factor scale repeats sizes padding num_classes minlength bins shape pad kernel_size k dims chunks sampling_ratio".split()
)
LARGEST_ALONE = 256  # of one such number
LARGEST_RATIO = 16  # of a sampling ratio, which is squared in each bin
LIFTED = ("input", "weight", "indices")  # arrays that get axes of batch and channel, in the families of images
IMAGE_FAMILIES = frozenset(
    """
    adaptive_pool conv conv_transpose convolve deform_conv fractional_pool global_pool grid_sample lp_pool min_sum_pool pool regularisation resize roi
    shuffle unfold unpool
    """.split()
)


def parsed_array(text: str) -> np.ndarray:
    """An array written on one line: rows between semicolons, numbers between blanks or commas; images between | . Python's brackets do too.

    Parameters
    ----------
    text : str
        "5 0 8; 1 9 5". Fractions such as 1/3 and the words inf and nan are numbers too.

    Raises
    ------
    UsageError
        For words, or rows of different lengths.

    Examples
    --------
    >>> parsed_array("5 0 8; 1 9 5").tolist()
    [[5.0, 0.0, 8.0], [1.0, 9.0, 5.0]]
    """
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"an array of {len(text):,} characters is more than anybody reads; give at most {MOST_ELEMENTS:,} numbers")
    if text.lstrip().startswith(("[", "(")):
        return _bracketed(text)
    written = ([_row(row, text) for row in block.split(";") if row.strip()] for block in text.split("|"))
    blocks = [rows for rows in written if rows]
    if not blocks:
        raise UsageError('an array is empty; type its numbers, rows between semicolons: "5 0 8; 1 9 5"')
    for rows in blocks:
        lengths = [len(row) for row in rows]
        if len(set(lengths)) != 1:
            wrong = next(place for place, length in enumerate(lengths) if length != lengths[0])
            raise UsageError(
                f"row {wrong + 1} of {text.strip()[:60]!r} has {lengths[wrong]} numbers, row 1 has {lengths[0]}; give every row as many: "
                '"5 0 8; 1 9 5"'
            )
    if len({len(rows) * len(rows[0]) for rows in blocks}) != 1 or len({len(rows) for rows in blocks}) != 1:
        raise UsageError(f"the blocks of {text.strip()[:60]!r} differ in size; give every block between | the same rows and columns")
    array = np.array(blocks, np.float64)
    if len(blocks) > 1:
        return array
    return array[0] if len(blocks[0]) > 1 or ";" in text else array[0, 0]


def _bracketed(text: str) -> np.ndarray:
    """An array in Python's notation, such as [[5, 0], [1, 9]]."""
    try:
        return np.array(ast.literal_eval(text), np.float64)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise UsageError(f'{text.strip()[:60]!r} is no array of numbers; give every row as many: "5 0 8; 1 9 5" or [[5, 0, 8], [1, 9, 5]]') from None


def _row(text: str, whole: str) -> list[float]:
    """The numbers of one row."""
    numbers = []
    for word in text.replace(",", " ").split():
        above, slash, below = word.partition("/")
        try:
            numbers.append(float(above) / float(below) if slash else float(word))
        except (ValueError, ZeroDivisionError):
            raise UsageError(
                f"{word!r} in {whole.strip()[:60]!r} is not a number; type numbers between blanks and rows between semicolons: "
                '"5 0 8; 1 9 5"'
            ) from None
    return numbers


def arguments_for(operator: Operator, arrays: Sequence[Any], options: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Every argument of the call by name: the arrays in order, the options, and examples for what is missing."""
    parameters = inspect.signature(operator.function).parameters
    named = _positional(operator, parameters, arrays)
    given_twice = set(named) & set(options)
    if given_twice:
        raise UsageError(f"explain: {operator.name}'s {min(given_twice)} is given twice, as an array in order and by name; give it once")
    for key, value in options.items():
        if key not in parameters:
            close = get_close_matches(key, parameters, n=3, cutoff=0.5)
            offer = f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(parameters)}"
            raise UsageError(f"explain: {operator.name} has no argument {key!r}; {offer}")
        named[key] = value
    example = example_arguments(operator.name, seed)
    for key, value in named.items():
        _require_option(operator, parameters[key], value, example.get(key))
    _require_sizes(operator, named)
    given = {key: _converted(operator, key, value, example) for key, value in named.items()}
    missing = {key: value for key, value in example.items() if key not in given and not _unneeded(operator, key, given)}
    missing = {key: _fitted(key, value, given, example) for key, value in missing.items()}
    found = {key: (given | missing)[key] for key in parameters if key in given or key in missing}
    _require_readable(operator, found)
    return found


def given_names(operator: Operator, arrays: Sequence[Any], options: Mapping[str, Any]) -> set[str]:
    """The arguments that the user gave; the others were drawn."""
    return {*_positional(operator, inspect.signature(operator.function).parameters, arrays), *options}


def _fitted(key: str, drawn: Any, given: Mapping[str, Any], example: Mapping[str, Any]) -> Any:
    """A drawn array in the size of the user's: one that was as large as an array he gave, or held a class for each of its rows."""
    for name, mine in given.items():
        if key == "normalized_shape" and isinstance(mine, np.ndarray):
            return mine.shape[-1:]
        before = example.get(name)
        if not (isinstance(drawn, np.ndarray) and isinstance(mine, np.ndarray) and isinstance(before, np.ndarray)) or mine.shape == before.shape:
            continue
        if drawn.shape == before.shape and key != "weight":
            return np.resize(drawn, mine.shape)
        rows = key in ("target", "labels") and drawn.dtype.kind in "iu" and drawn.ndim == 1 and mine.ndim == before.ndim == 2
        if rows and len(drawn) == len(before):
            return np.resize(drawn, len(mine)) % max(mine.shape[1], 1)
    return drawn


def _unneeded(operator: Operator, key: str, given: Mapping[str, Any]) -> bool:
    """An optional part of the example that a user's own first array would not fit: scales, biases, masks."""
    parameter = inspect.signature(operator.function).parameters[key]
    if key == "scale_factor":
        return given.get("size") is not None
    return bool(given) and parameter.default is None and key in {"index", *operator.differentiable} - {"src"} and _own_shapes(given)


def _own_shapes(given: Mapping[str, Any]) -> bool:
    return any(isinstance(value, np.ndarray) for value in given.values()) or "size" in given


def _positional(operator: Operator, parameters: Mapping[str, inspect.Parameter], arrays: Sequence[Any]) -> dict[str, Any]:
    """Arrays in order go to the parameters in order; a list of tensors takes all of them."""
    names = list(parameters)
    if not arrays:
        return {}
    first = parameters[names[0]]
    if first.kind is first.VAR_POSITIONAL or names[0] == "tensors":
        listed = arrays[0] if len(arrays) == 1 and isinstance(arrays[0], (tuple, list)) and names[0] == "tensors" else arrays
        return {names[0]: tuple(listed)}
    if operator.name == "einsum" and not isinstance(arrays[0], str):
        return {"operands": tuple(arrays)}
    named: dict[str, Any] = {}
    for place, value in enumerate(arrays):
        if place < len(names) and parameters[names[place]].kind is first.VAR_POSITIONAL:
            named[names[place]] = tuple(arrays[place:])
            break
        if place >= len(names):
            raise UsageError(f"explain: {operator.name} takes {', '.join(names)}; {len(arrays)} arrays are too many")
        named[names[place]] = value
    return named


def _converted(operator: Operator, key: str, value: Any, examples: Mapping[str, Any]) -> Any:
    """A value in the form that the operator takes it: arrays of the right type and with enough axes."""
    example = examples.get(key)
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(example, tuple) and example and isinstance(example[0], np.ndarray):
        if isinstance(value, np.ndarray) or not isinstance(value, Iterable):
            value = (value,)
        return tuple(_converted(operator, key, part, {key: example[0]}) for part in value)
    weights = isinstance(value, list) and any(isinstance(part, (float, list)) for part in value)
    wants_array = isinstance(example, np.ndarray) or (example is None and (key in operator.differentiable or weights))
    if wants_array and isinstance(value, str):
        raise UsageError(f'explain: {operator.name}\'s {key} must be an array, not {value[:40]!r}; type its numbers: "5 0 8; 1 9 5"')
    if isinstance(value, np.ndarray) and not wants_array and example is not None:
        return _option(value)
    if not isinstance(value, np.ndarray) and not (wants_array and not isinstance(value, (str, bool)) and value is not None):
        return _hashable(value)
    array = as_numbers(f"{operator.name}'s {key}", value)
    kind = example.dtype if isinstance(example, np.ndarray) else np.dtype(np.float64) if key in operator.differentiable else array.dtype
    if kind.kind == "f" and array.dtype.kind in "fiub":
        array = array.astype(np.float64)
    elif array.dtype.kind == "f" and bool((array == np.round(array)).all() and (np.abs(array) < 2**53).all()):
        array = array.astype(bool if kind == np.bool_ else np.int64)
    if isinstance(example, np.ndarray) and array.ndim < example.ndim and _lifted(operator, key, array, examples):
        array = array.reshape((1,) * (example.ndim - array.ndim) + array.shape)
    return array


def _lifted(operator: Operator, key: str, array: np.ndarray, examples: Mapping[str, Any]) -> bool:
    """Whether an array that lacks axes gets them: images, one box, and one sample's scores of a loss with a class for each sample."""
    if key in LIFTED and operator.family in IMAGE_FAMILIES:
        return bool(examples[key].ndim >= 3)
    target = examples.get("target")
    classes = isinstance(target, np.ndarray) and target.ndim == 1 and target.dtype.kind in "iu"
    one_sample = operator.family == "loss" and key == "input" and array.ndim == 1 and examples[key].ndim == 2 and classes
    return one_sample or (array.ndim == 1 and array.size > 0 and key.startswith("boxes"))


def _option(value: np.ndarray) -> Any:
    """An array on the place of an option, such as (1, 1) for a padding: whole numbers, one of them alone."""
    listed = [int(part) if part == int(part) else float(part) for part in value.reshape(-1).tolist()]
    return listed[0] if value.size == 1 else tuple(listed)


def _hashable(value: Any) -> Any:
    """An option with tuples for its lists: plans are kept by it."""
    return tuple(_hashable(part) for part in value) if isinstance(value, list) else value


def as_numbers(what: str, value: Any) -> np.ndarray:
    """An array of real numbers, few enough to be read; refused before any of them is touched."""
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        raise UsageError(f"explain: {what} is not an array of numbers; give every row as many numbers, such as [[5, 0, 8], [1, 9, 5]]")
    if array.size > MOST_ELEMENTS:
        raise UsageError(
            f"explain: {what} has {array.size:,} elements {array.shape}, but every one is written out; give at most {MOST_ELEMENTS:,}, "
            "for example a corner x[..., :8, :8]"
        )
    return array


def _require_option(operator: Operator, parameter: inspect.Parameter, value: Any, example: Any) -> None:
    """Refuse what no option takes."""
    if isinstance(parameter.default, bool) and not isinstance(value, (bool, np.bool_)):
        shown = "an array" if isinstance(value, np.ndarray) else repr(value)[:40]
        raise UsageError(f"explain: {operator.name}'s {parameter.name} must be true or false, not {shown}")
    if value is None and parameter.default is parameter.empty and isinstance(example, np.ndarray):
        raise UsageError(f'explain: {operator.name} needs {parameter.name}; type its numbers: "5 0 8; 1 9 5"')
    if isinstance(value, (dict, set, bytes, complex)) or value is ...:
        raise UsageError(f"explain: {operator.name}'s {parameter.name} must be a number, some in parentheses, a word or an array, not {value!r:.40}")


def _require_sizes(operator: Operator, named: Mapping[str, Any]) -> None:
    """Refuse options that ask for more numbers than anybody reads."""
    for key in SIZE_OPTIONS & set(named):
        value = named[key]
        numbers = [part for part in (value if isinstance(value, (tuple, list)) else (value,)) if isinstance(part, (int, float)) and part == part]
        product = 1.0
        for part in numbers:
            product *= max(abs(part), 1)
        alone = LARGEST_RATIO if key == "sampling_ratio" else LARGEST_ALONE
        if product > LARGEST_SIZE or (len(numbers) == 1 and product > alone):
            raise UsageError(
                f"explain: {key} {value} of {operator.name} is too large to write every number out; take one up to {min(alone, 100)}"
            )


def _require_readable(operator: Operator, arguments: Mapping[str, Any]) -> None:
    """Refuse inputs that would take minutes and pages."""
    sizes: dict[str, int] = {}
    for key, value in arguments.items():
        for part in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(part, np.ndarray):
                sizes[key] = sizes.get(key, 0) + part.size
    for key, size in sizes.items():
        if size > MOST_ELEMENTS:
            raise UsageError(f"explain: {operator.name}'s {key} have {size:,} elements, but every one is written out; give at most {MOST_ELEMENTS:,}")
    counted = next((value for key, value in arguments.items() if key in ("input", "tensor") and operator.name in ("one_hot", "bincount")), None)
    if isinstance(counted, np.ndarray) and counted.size and counted.max() > MOST_ELEMENTS:
        raise UsageError(f"explain: {operator.name} makes a place for every number up to {counted.max():,}, too many to read; give smaller ones")
    largest = sorted(sizes.values())[-2:]
    if len(largest) == 2 and largest[0] * largest[1] > MOST_PRODUCTS:
        sizes_text = f"{largest[1]:,} and {largest[0]:,}"
        raise UsageError(f"explain: {operator.name} on arrays of {sizes_text} elements has too many products to read; take smaller ones")
