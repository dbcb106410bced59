"""What the classification metrics check before they count: kinds of labels, lengths, weights, and what 0/0 shall be."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError, DtypeError, HintWarning, ShapeError

Array = np.ndarray[Any, Any]
AVERAGES = (None, "binary", "micro", "macro", "weighted", "samples")


@dataclass(frozen=True)
class Targets:
    """Truth and prediction of one kind ("binary", "multiclass" or "multilabel"), with all labels that occur, sorted."""

    kind: str
    labels: Array
    true: Array
    predicted: Array
    weight: Array | None


def plain(value: Any) -> Any:
    """The ndarray of a Tensor; anything else as it is."""
    return value.numpy() if hasattr(value, "numpy") else value


def label_array(function: str, name: str, value: Any) -> tuple[Array, str]:
    """Labels as an array (N,), or (N, L) of zeros and ones, and their kind."""
    values = np.asarray(plain(value))
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2) or (values.ndim == 2 and values.shape[1] == 0):
        raise ShapeError(f"{function}: {name} must be labels (N,) or zeros and ones (N, L), not of shape {values.shape}")
    if values.dtype.kind == "f":
        if not np.all(values == np.floor(values)):  # NaN too
            raise DtypeError(f"{function}: {name} must be classes, not continuous numbers; put a threshold to them, or take argmax(axis=1)")
    elif values.dtype.kind == "O" and not all(isinstance(label, str) for label in values.ravel()):
        raise DtypeError(f"{function}: {name} mixes strings with other labels; write all labels as strings")
    elif values.dtype.kind not in "iubUO":
        raise DtypeError(f"{function}: {name} must be whole numbers, booleans or strings, not {values.dtype}")
    if values.ndim == 2:
        if values.dtype.kind in "UO" or not np.isin(values, (0, 1)).all():
            raise ArgumentError(f"{function}: {name} of shape {values.shape} means several labels an example and must hold zeros and ones only")
        return values.astype(np.int64), "multilabel"
    return values, "binary" if len(np.unique(values)) <= 2 else "multiclass"


def weights_of(function: str, sample_weight: Any, count: int) -> Array | None:
    """Finite weights (N,), or None."""
    if sample_weight is None:
        return None
    weight = np.asarray(plain(sample_weight))
    if weight.shape != (count,):
        raise ShapeError(f"{function}: sample_weight must be one number an example, ({count},), not of shape {weight.shape}")
    if weight.dtype.kind not in "iufb" or not np.isfinite(weight).all():
        raise ArgumentError(f"{function}: sample_weight must be finite numbers")
    return weight.astype(np.int64) if weight.dtype.kind in "iub" else weight


def target_pair(function: str, y_true: Any, y_pred: Any, sample_weight: Any = None, empty: bool = False) -> Targets:
    """Truth and prediction checked against each other."""
    true, true_kind = label_array(function, "y_true", y_true)
    predicted, predicted_kind = label_array(function, "y_pred", y_pred)
    if len(true) != len(predicted):
        raise ShapeError(f"{function}: y_true has {len(true)} examples but y_pred has {len(predicted)}")
    if len(true) == 0 and not empty:
        raise ShapeError(f"{function}: there are no examples; give at least one")
    if (true_kind == "multilabel") != (predicted_kind == "multilabel"):
        raise ArgumentError(f"{function}: y_true is {true_kind} but y_pred {predicted_kind}; give both as labels (N,) or as zeros and ones (N, L)")
    weight = weights_of(function, sample_weight, len(true))
    if true_kind == "multilabel":
        if true.shape != predicted.shape:
            raise ShapeError(f"{function}: y_true is {true.shape} but y_pred is {predicted.shape}")
        return Targets("multilabel", np.arange(true.shape[1]), true, predicted, weight)
    if len(true) and (true.dtype.kind in "UO") != (predicted.dtype.kind in "UO"):
        raise DtypeError(f"{function}: y_true is of {true.dtype} and y_pred of {predicted.dtype}; write both as strings or both as numbers")
    labels = np.unique(np.concatenate([true, predicted])) if len(true) else np.zeros(0, np.int64)
    kind = "binary" if len(labels) <= 2 and true_kind == predicted_kind == "binary" else "multiclass"
    return Targets(kind, labels, true, predicted, weight)


def positions(values: Array, labels: Array) -> Array:
    """The place of each value among the labels, -1 where it is none of them."""
    order = np.argsort(labels, kind="stable")
    place = np.searchsorted(labels, values, sorter=order)
    found = order[np.minimum(place, len(labels) - 1)]
    return np.where(labels[found] == values, found, -1)


def distinct_labels(function: str, labels: Any) -> Array:
    """The `labels` argument as an array without repetitions."""
    wanted = np.asarray(plain(labels))
    if wanted.ndim != 1 or len(wanted) == 0:
        raise ArgumentError(f"{function}: labels must be a list of at least one label, not of shape {wanted.shape}")
    if len(np.unique(wanted)) != len(wanted):
        raise ArgumentError(f"{function}: labels {wanted.tolist()} name one label twice")
    return wanted


def zero_division_value(function: str, zero_division: Any, nan: bool = True) -> float:
    """The number that stands for 0/0."""
    allowed = isinstance(zero_division, (int, float)) and (zero_division in (0, 1) or (nan and np.isnan(zero_division)))
    if zero_division == "warn":
        return 0.0
    if not allowed:
        raise ArgumentError(f"{function}: zero_division must be 0, 1{', nan' if nan else ''} or 'warn', not {zero_division!r}")
    return float(zero_division)


def quotient(top: Array, bottom: Array, zero_division: Any, words: str) -> Array:
    """Element by element; 0/0 is `zero_division`, with a hint in words where that is "warn"."""
    top, bottom = np.asarray(top, np.float64), np.asarray(bottom, np.float64)
    empty = bottom == 0
    value = 0.0 if zero_division == "warn" else float(zero_division)
    result = np.where(empty, value, top / np.where(empty, 1.0, bottom))
    if zero_division == "warn" and empty.any():
        where = "" if result.size == 1 else f" at {', '.join(map(str, np.flatnonzero(empty)))}"
        warnings.warn(f"{words}{where} is 0/0 and set to 0; zero_division=0, 1 or nan says what it shall be", HintWarning, stacklevel=4)
    return result


def average_of(values: Array, weight: Array | None) -> float:
    """The (weighted) mean of those that are not NaN; weights that are all 0 count as equal."""
    known = ~np.isnan(values)
    if not known.any():
        return float("nan")
    if weight is None or weight[known].sum() == 0:
        return float(np.mean(values[known]))
    return float(np.average(values[known], weights=weight[known]))


def one_of(function: str, name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Refuse a word that is none of those allowed."""
    if not (value is None or isinstance(value, str)) or value not in allowed:
        raise ArgumentError(f"{function}: {name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")
