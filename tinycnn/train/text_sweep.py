"""Cross-validation of a network for sentences, and the sensitivity sweep of Zhang and Wallace; both go on at any fold."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.sentences import Sentences, fold_numbers
from ..errors import CheckpointError, UsageError
from .text import TextConfig, train_text

__all__ = ["SWEEPS", "FoldResult", "Variant", "cross_validate", "sweep_text", "variants_of"]

# The paper's tables: what each question tries.
SWEEPS: dict[str, tuple[dict[str, Any], ...]] = {
    "region": (
        *({"region_sizes": (size,)} for size in (1, 3, 5, 7, 10, 15, 20, 25, 30)),
        *({"region_sizes": sizes} for sizes in ((7,), (3, 4, 5), (6, 7, 8), (7, 8, 9), (7, 7, 7), (7, 7, 7, 7), (14, 15, 16))),
    ),
    "maps": tuple({"maps": maps} for maps in (10, 50, 100, 200, 400, 600, 1000, 2000)),
    "pooling": (
        {"pooling": "max"},
        *({"pooling": "k-max", "k": k} for k in (5, 10, 15, 20)),
        *({"pooling": "local-max", "k": k} for k in (3, 10, 20, 30)),
        *({"pooling": "local-average", "k": k} for k in (3, 10, 20, 30)),
    ),
    "dropout": tuple({"dropout": share} for share in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)),
    "activation": tuple({"activation": name} for name in ("softplus", "sigmoid", "relu", "tanh", "cube", "tanh-cube", "identity")),
    "norm": tuple({"max_norm": bound} for bound in (0.0, 1.0, 3.0, 5.0, 10.0, 20.0)),
}


@dataclass(frozen=True)
class FoldResult:
    """One fold of a cross-validation."""

    fold: int
    accuracy: float
    best_epoch: int
    seconds: float


@dataclass(frozen=True)
class Variant:
    """One choice of a sweep and what became of it."""

    name: str
    config: TextConfig
    folds: list[FoldResult]

    @property
    def mean(self) -> float:
        """Mean accuracy over the folds that are done."""
        return float(np.mean([fold.accuracy for fold in self.folds])) if self.folds else float("nan")

    @property
    def deviation(self) -> float:
        """Standard deviation over the folds, NaN below two."""
        return float(np.std([fold.accuracy for fold in self.folds], ddof=1)) if len(self.folds) > 1 else float("nan")


def cross_validate(
    sentences: Sentences,
    config: TextConfig | None = None,
    folds: int = 10,
    *,
    only: Sequence[int] | None = None,
    store: str | Path | None = None,
    vectors_file: str | Path | None = None,
    lower: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> list[FoldResult]:
    """Train as often as there are folds, each time measured on the fold that was left out.

    Parameters
    ----------
    sentences
        All of them.
    config
        `TextConfig()` if left out; its seed decides the division too.
    folds
        How many parts.
    only
        Folds to do now, from 0; all if left out.
    store
        A .json file: what it holds is not computed again, and every fold is added as soon as it is done.
    vectors_file, lower, say
        As in `train_text`.

    Returns
    -------
    list of FoldResult
        Those done, in the order of the folds.

    Raises
    ------
    UsageError
        For folds that do not exist.
    CheckpointError
        When the store belongs to another config or data set, or cannot be read or written.
    """
    config = (config or TextConfig()).require_sound()
    numbers = fold_numbers(len(sentences), folds, config.seed)
    wanted = list(range(folds) if only is None else only)
    if any(not 0 <= fold < folds for fold in wanted):
        raise UsageError(f"cross_validate: folds {wanted} must be from 0 to {folds - 1}")
    identity = _identity(sentences, config, folds, vectors_file, lower)
    done = _read_store(store, identity)
    for fold in wanted:
        if fold in done:
            say(f"fold {fold}: {100 * done[fold].accuracy:.2f} %, done before")
            continue
        started = time.perf_counter()
        run = train_text(
            sentences.part(np.flatnonzero(numbers != fold)),
            sentences.part(np.flatnonzero(numbers == fold)),
            config,
            vectors_file=vectors_file,
            lower=lower,
            say=say,
        )
        assert run.accuracy is not None
        done[fold] = FoldResult(fold, run.accuracy, run.best_epoch, time.perf_counter() - started)
        say(f"fold {fold}: {100 * run.accuracy:.2f} % of its sentences are right, after epoch {run.best_epoch}")
        _write_store(store, identity, done)
    return [done[fold] for fold in sorted(done)]


def variants_of(what: str, config: TextConfig) -> list[tuple[str, TextConfig]]:
    """The names and configs of one of `SWEEPS`, each the given config with one choice changed."""
    if what not in SWEEPS:
        raise UsageError(f"sweep: there is no sweep {what!r}; there are {', '.join(SWEEPS)}")
    found = []
    for changes in SWEEPS[what]:
        words = " ".join(f"{key}={','.join(map(str, value)) if isinstance(value, tuple) else value}" for key, value in changes.items())
        found.append((words, replace(config, **changes)))
    return list(dict(found).items())


def sweep_text(
    sentences: Sentences,
    what: str,
    config: TextConfig | None = None,
    folds: int = 10,
    *,
    only: Sequence[int] | None = None,
    folder: str | Path | None = None,
    vectors_file: str | Path | None = None,
    lower: bool = True,
    values: Sequence[int] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[Variant]:
    """Cross-validate every variant of a sweep; with `folder` it can be stopped and gone on with at any fold.

    Parameters
    ----------
    sentences, config, folds, only, vectors_file, lower, say
        As in `cross_validate`; every variant has the same division.
    what
        One of `SWEEPS`.
    folder
        Where each variant keeps its folds.
    values
        Which of the variants, from 0; all if left out.

    Returns
    -------
    list of Variant
    """
    variants = variants_of(what, config or TextConfig())
    if values is not None:
        if any(not 0 <= value < len(variants) for value in values):
            raise UsageError(f"sweep: values {list(values)} must be from 0 to {len(variants) - 1}, as {what} has {len(variants)} variants")
        variants = [variants[value] for value in values]
    results = []
    for name, each in variants:
        say(name)
        file = None if folder is None else Path(folder) / f"{what}-{name.replace(' ', '-').replace('=', '-').replace(',', '_')}.json"
        done = cross_validate(sentences, each, folds, only=only, store=file, vectors_file=vectors_file, lower=lower, say=say)
        results.append(Variant(name, each, done))
    return results


def _identity(sentences: Sentences, config: TextConfig, folds: int, vectors_file: Any, lower: bool) -> dict[str, Any]:
    """What results must have in common to be averaged, as JSON has it."""
    facts = {
        "config": asdict(config),
        "folds": folds,
        "data": sentences.name,
        "sentences": len(sentences),
        "vectors_file": None if vectors_file is None else Path(vectors_file).name,
        "lower": lower,
    }
    return dict(json.loads(json.dumps(facts)))


def _read_store(store: str | Path | None, identity: dict[str, Any]) -> dict[int, FoldResult]:
    if store is None or not Path(store).exists():
        return {}
    try:
        kept = json.loads(Path(store).read_text(encoding="utf-8"))
        found = {int(entry["fold"]): FoldResult(**entry) for entry in kept["results"]}
        stated = kept["of"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{store}: is no store of folds that can be read; delete it to begin anew") from error
    if stated != identity:
        different = sorted(key for key in identity if not isinstance(stated, dict) or stated.get(key) != identity[key])
        raise CheckpointError(f"{store}: holds folds of another {' and '.join(different)}; name another --out, or delete it")
    return found


def _write_store(store: str | Path | None, identity: dict[str, Any], done: dict[int, FoldResult]) -> None:
    """Write beside and rename, so that a run killed at any moment leaves a whole file."""
    if store is None:
        return
    target = Path(store)
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"of": identity, "results": [asdict(done[fold]) for fold in sorted(done)]}, indent=1)
        partial.write_text(text + "\n", encoding="utf-8")
        os.replace(partial, target)
    except OSError as error:
        raise CheckpointError(f"{target}: cannot be written ({error.strerror or error})") from error
