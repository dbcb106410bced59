"""Where frameworks and papers differ: the same small input under each rule, computed by this package's own functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import functional, kernels, ops
from ..errors import ArgumentError
from ..tensor import Tensor
from .tables import text_table

__all__ = ["Convention", "ConventionRow", "Rule", "conventions"]

DIGITS = 4


@dataclass(frozen=True)
class Rule:
    """One rule: its name, who follows it, the call that shows it, and what the call gave (filled in by `conventions`)."""

    name: str
    who: str
    call: str
    result: Any = None


@dataclass(frozen=True)
class ConventionRow:
    """One point on which frameworks differ; `setup` makes the input that all rules get."""

    topic: str
    question: str
    setup: tuple[str, ...]
    rules: tuple[Rule, ...]
    consequence: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Convention:
    """Rows with their results."""

    rows: tuple[ConventionRow, ...]

    def text(self) -> str:
        """For people."""
        parts = []
        for row in self.rows:
            cells = [[rule.name, rule.who, result_text(rule.result)] for rule in row.rules]
            parts += [f"{row.topic}: {row.question}", *(f"  {line}" for line in row.setup), ""]
            parts += [f"  {line}" for line in text_table(("rule", "who", "result"), cells, left=(0, 1, 2)).splitlines()]
            parts += ["", *(f"  {rule.name}: {rule.call}" for rule in row.rules)]
            parts += [f"  so: {row.consequence}", f"  source: {'; '.join(row.sources)}", ""]
        return "\n".join(parts).rstrip()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rows": [
                {
                    "topic": row.topic, "question": row.question, "setup": list(row.setup), "consequence": row.consequence,
                    "sources": list(row.sources),
                    "rules": [{"name": rule.name, "who": rule.who, "call": rule.call, "result": rule.result} for rule in row.rules],
                }
                for row in self.rows
            ]
        }  # fmt: skip


def result_text(result: Any) -> str:
    """Nested lists of numbers, short."""
    if isinstance(result, list):
        return f"[{', '.join(map(result_text, result))}]"
    return f"{result:.{DIGITS}g}" if isinstance(result, float) and result == result else str(result)


def conventions(topics: Sequence[str] = ()) -> Convention:
    """Run every rule of the rows asked for.

    Parameters
    ----------
    topics : list of str
        Words of which a row's topic must contain one; all rows if left out.

    Returns
    -------
    Convention

    Raises
    ------
    ArgumentError
        If no row has such a topic, with all topics.

    Notes
    -----
    The call beside each result is the text that was run: `F` is `tinycnn.functional`, `np` NumPy, `ops` `tinycnn.ops`. Where a rule is no option of
    this package, the call shows it through documented parameters.

    Examples
    --------
    >>> row = conventions(["ceil"]).rows[0]
    >>> [(rule.name, rule.result) for rule in row.rules][:2]
    [('floor', [1.5, 3.5]), ('ceil', [1.5, 3.5, 5.0])]
    """
    from .convention_rows import ROWS

    for topic in topics:
        if not topic.strip() or not any(_words(topic) in _words(row.topic) for row in ROWS):
            raise ArgumentError(f"conventions: there is no topic {topic[:60]!r}; there are {', '.join(row.topic for row in ROWS)}")
    rows = [row for row in ROWS if not topics or any(_words(topic) in _words(row.topic) for topic in topics)]
    return Convention(tuple(map(_run, rows)))


def _words(topic: str) -> str:
    """A topic without capitals, dashes and underscores."""
    return topic.strip().lower().replace("_", " ").replace("-", " ")


def _run(row: ConventionRow) -> ConventionRow:
    """The row with its results: the calls are constants of this package, run as they are shown, with kernels that nothing compiles."""
    from .. import metrics

    names: dict[str, Any] = {"F": functional, "ops": ops, "np": np, "confusion_matrix": metrics.confusion_matrix}
    with kernels.use("reference"):
        for line in row.setup:
            exec(line, names)
        rules = tuple(Rule(rule.name, rule.who, rule.call, _plain(eval(rule.call, dict(names)))) for rule in row.rules)
    return ConventionRow(row.topic, row.question, row.setup, rules, row.consequence, row.sources)


def _plain(value: Any) -> Any:
    """Lists of numbers, rounded, axes of length 1 in front dropped."""
    if isinstance(value, Tensor):
        value = value.numpy()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    array = np.asarray(value)
    while array.ndim > 1 and array.shape[0] == 1:
        array = array[0]
    return array.round(DIGITS).tolist() if array.dtype.kind == "f" else array.tolist()
