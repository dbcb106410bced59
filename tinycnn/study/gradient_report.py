"""A gradient check to be read: every entry analytic beside numeric, the error against the step size, and kinks with their reasons.

    EntryCheck       one element of one input, with the comparison that decides its kink
    Sweep            the error of difference quotients at steps from 1e-1 to 1e-12, in one precision
    ParameterCheck    one parameter of a network along a drawn direction, and its worst entries
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import UsageError
from .explanation import Check
from .tables import text_table
from .tracetext import plain

__all__ = ["EntryCheck", "GradientReport", "ParameterCheck", "Sweep", "relative_error", "table_rows"]

EXPECTED = {  # (order of the truncation error, the step that balances it with rounding, as a power of the machine epsilon)
    "central": (2, 1 / 3),
    "one-sided": (1, 1 / 2),
}


def relative_error(analytic: float, numeric: float, floor: float) -> float:
    """|a - n| / max(|a|, |n|, floor): the floor keeps gradients of zero from counting their rounding as an error of 100 %.

    Examples
    --------
    >>> round(relative_error(2.0, 2.02, 0.0), 6)
    0.009901
    >>> relative_error(0.0, 0.0, 0.0)
    0.0
    """
    size = max(abs(analytic), abs(numeric), floor)
    return abs(analytic - numeric) / size if size else 0.0


@dataclass(frozen=True)
class EntryCheck:
    """One entry. `margin` is how far the nearest comparison it takes part in is from a tie; `decided` is a verdict by a rule of its own, as for
    networks, whose differences err more than those of one operator."""

    check: Check
    value: float
    error: float
    why: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    margin: float = math.inf
    profile: tuple[tuple[float, float], ...] = ()  # of a kink: shift, and what it adds to sum(grad y)
    decided: str = ""

    @property
    def name(self) -> str:
        """Such as input[0, 1]."""
        return f"{self.check.of}[{', '.join(map(str, self.check.index))}]"

    @property
    def kind(self) -> str:
        """ "agrees", "kink", "DIFFERS" or "undefined"."""
        if self.decided:
            return self.decided
        if not math.isfinite(self.check.left) or not math.isfinite(self.check.right):
            return "undefined"
        if not self.check.agrees:
            return "DIFFERS"
        return "kink" if self.check.kink else "agrees"

    @property
    def verdict(self) -> str:
        """In words."""
        left, right, analytic = plain(self.check.left), plain(self.check.right), plain(self.check.analytic)
        if self.kind == "undefined":
            return "the value jumps or ends here, so no difference quotient has a limit"
        if self.kind == "kink":
            return f"kink: slope {left} from the left, {right} from the right; {analytic} lies between, a subgradient"
        if self.kind == "DIFFERS" and self.check.kink:
            return f"DIFFERS: a kink with slopes {left} and {right}, and {analytic} is not between them"
        return "agrees" if self.kind == "agrees" else f"DIFFERS: {analytic} analytic, {plain(self.check.numeric)} numeric"


@dataclass(frozen=True)
class Sweep:
    """Errors of one kind of difference quotient in one precision: the median over the entries, for each step."""

    dtype: str
    kind: str
    steps: tuple[float, ...]
    errors: tuple[float, ...]

    @property
    def best(self) -> int:
        """The place of the smallest error."""
        return int(np.nanargmin(self.errors))

    @property
    def truncation(self) -> float | None:
        """The measured slope to the right of the best step, in decades of error a decade of step; None where no two errors show it."""
        rising = [place for place in range(self.best) if 3 * self.errors[self.best] < self.errors[place] < 0.3]
        return self._slope(rising)

    @property
    def rounding(self) -> float | None:
        """The measured slope to the left of the best step."""
        falling = [place for place in range(self.best + 1, len(self.steps)) if 3 * self.errors[self.best] < self.errors[place] < 0.3]
        return self._slope(falling)

    def _slope(self, places: list[int]) -> float | None:
        if len(places) < 2:
            return None
        steps = np.log10([self.steps[place] for place in places])
        errors = np.log10([max(self.errors[place], 1e-300) for place in places])
        return float(np.polyfit(steps, errors, 1)[0])

    @property
    def epsilon(self) -> float:
        """Of the precision."""
        return float(np.finfo(self.dtype).eps)

    def words(self) -> list[str]:
        """The curve explained."""
        order, power = EXPECTED[self.kind]
        best = f"{self.dtype}, {self.kind}: best step {self.steps[self.best]:.0e}, error {self.errors[self.best]:.1e}"
        theory = f"theory: about eps^{'1/3' if order == 2 else '1/2'} = {self.epsilon**power:.0e}"
        truncation, rounding = self.truncation, self.rounding
        if truncation is None and self.best > 0:
            right = "larger steps: the truncated Taylor series already shows, over too few steps for its slope to be fitted"
        elif truncation is None:
            right = "no truncation rises above the rounding, even at h = 0.1: along the step the result is a straight line, or nearly"
        else:
            right = f"larger steps: error ~ h^{truncation:.1f}, the truncated Taylor series (theory h^{order})"
        left = "" if rounding is None else f"smaller steps: error ~ h^{rounding:.1f}, rounding (theory eps/h)"
        return [best if self.best == 0 else f"{best} ({theory})", *(line for line in (right, left) if line)]


@dataclass(frozen=True)
class ParameterCheck:
    """A parameter along a random direction of length 1, and the entries with the largest errors."""

    name: str
    shape: tuple[int, ...]
    analytic: float
    numeric: float
    left: float
    right: float
    error: float
    entries: tuple[EntryCheck, ...]
    kind: str  # "agrees", "kink" or "DIFFERS"


@dataclass
class GradientReport:
    """Everything a gradient check found out. True if nothing differs.

    Examples
    --------
    >>> from tinycnn.study import gradcheck_report
    >>> report = gradcheck_report("relu", [-1.0, 0.0, 2.0])
    >>> bool(report), [entry.kind for entry in report.entries]
    (True, ['agrees', 'kink', 'agrees'])
    """

    subject: str
    summary: str
    call: str
    seed: int
    entries: list[EntryCheck] = field(default_factory=list)
    parameters: list[ParameterCheck] = field(default_factory=list)
    sweeps: list[Sweep] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    excused: bool = False  # the operator's gradient is not that of its value, and says so

    @property
    def passed(self) -> bool:
        """Whether every entry agrees or is a subgradient."""
        return self.excused or not (
            any(entry.kind == "DIFFERS" for entry in self.entries) or any(parameter.kind == "DIFFERS" for parameter in self.parameters)
        )

    @property
    def kinks(self) -> list[EntryCheck]:
        """Entries on a kink."""
        return [entry for entry in self.entries if entry.check.kink]

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        if self.parameters:
            wrong = [parameter.name for parameter in self.parameters if parameter.kind == "DIFFERS"]
            worst = max(parameter.error for parameter in self.parameters)
            if wrong and not self.excused:
                return f"gradcheck {self.subject}: the gradients of {', '.join(wrong[:4])} DIFFER from finite differences"
            return f"{self.subject}: all {len(self.parameters)} parameters agree with finite differences, largest relative error {worst:.1e}"
        wrong = [entry.name for entry in self.entries if entry.kind == "DIFFERS"]
        if wrong and not self.excused:
            return f"gradcheck {self.subject}: the gradients at {', '.join(wrong[:4])} DIFFER from finite differences"
        counts = {kind: sum(entry.kind == kind for entry in self.entries) for kind in ("agrees", "kink", "undefined")}
        parts = [f"{counts['agrees']} entries agree"]
        parts += [f"{counts['kink']} on kinks have a subgradient"] if counts["kink"] else []
        parts += [f"{counts['undefined']} have no derivative"] if counts["undefined"] else []
        return f"{self.subject}: {', '.join(parts)}"

    def __bool__(self) -> bool:
        return self.passed

    def text(self) -> str:
        """For a terminal."""
        return as_text(self)

    def html(self) -> str:
        """One self-contained page: the arrow keys step through the entries."""
        from .gradient_page import page

        return page(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and strings, for JSON."""
        return as_dict(self)

    def _repr_html_(self) -> str:
        from .gradient_page import notebook_frame

        return notebook_frame(self)

    def __str__(self) -> str:
        return self.text()


def require_gradient(condition: bool, name: str, reason: str) -> None:
    """Refuse what has nothing to check."""
    if not condition:
        raise UsageError(f"gradcheck: {name} {reason}")


def table_rows(report: GradientReport) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The header and the rows of the comparison: parameters of a network, entries of an operator."""

    def row(name: str, what: str, analytic: float, numeric: float, error: float, kind: str) -> tuple[str, ...]:
        shown = ("0" if error == 0 else f"{error:.0e}") if kind in ("agrees", "DIFFERS") else "-"
        return (name, what, f"{analytic:+.8g}", f"{numeric:+.8g}", shown, kind)

    if report.parameters:
        rows = [row(p.name, "x".join(map(str, p.shape)), p.analytic, p.numeric, p.error, p.kind) for p in report.parameters]
        return ("parameter", "shape", "analytic", "numeric", "error", "verdict"), rows
    rows = [row(e.name, plain(e.value), e.check.analytic, e.check.numeric, e.error, e.kind) for e in report.entries]
    return ("entry", "value", "analytic", "numeric", "error", "verdict"), rows


def as_text(report: GradientReport) -> str:
    """Tables and sentences."""
    lines = [report.call, report.sentence, *report.notes]
    if report.entries or report.parameters:
        header, rows = table_rows(report)
        lines += ["", text_table(header, rows, left=(0, 5))]
    for entry in report.kinks:
        lines += ["", f"{entry.name} = {plain(entry.value)}: {entry.verdict}", *(f"  because {why}" for why in entry.why)]
        lines += [f"  it bends {', '.join(entry.outputs)}"] if entry.outputs else []
    if report.parameters:
        worst = sorted(((e, p) for p in report.parameters for e in p.entries), key=lambda pair: -pair[0].error)[:8]
        lines += ["", "worst entries"]
        lines += [f"  {e.name}: analytic {e.check.analytic:+.8g}, numeric {e.check.numeric:+.8g}: {e.verdict}" for e, _ in worst]
    if report.sweeps:
        header = ("step", *(f"{sweep.dtype} {sweep.kind}" for sweep in report.sweeps))
        body = [
            (f"{step:.0e}", *(f"{sweep.errors[place]:.1e}{' *' if place == sweep.best else '  '}" for sweep in report.sweeps))
            for place, step in enumerate(report.sweeps[0].steps)
        ]
        lines += ["", "median relative error against the step h (* best)", text_table(header, body)]
        lines += [line for sweep in report.sweeps for line in sweep.words()]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def finite(value: float) -> float | str:
    """A number for JSON; what is not finite as a word."""
    return value if math.isfinite(value) else plain(value)


def entry_dict(entry: EntryCheck) -> dict[str, Any]:
    """An entry for JSON."""
    check = entry.check
    return {
        "entry": entry.name, "of": check.of, "index": list(check.index), "value": finite(entry.value), "analytic": finite(check.analytic),
        "numeric": finite(check.numeric), "left": finite(check.left), "right": finite(check.right), "error": finite(entry.error),
        "kind": entry.kind, "verdict": entry.verdict, "why": list(entry.why), "outputs": list(entry.outputs), "margin": finite(entry.margin),
        "profile": [[finite(x), finite(y)] for x, y in entry.profile],
    }  # fmt: skip


def as_dict(report: GradientReport) -> dict[str, Any]:
    """Everything."""
    return {
        "subject": report.subject,
        "call": report.call,
        "seed": report.seed,
        "passed": report.passed,
        "sentence": report.sentence,
        "notes": report.notes,
        "entries": [entry_dict(entry) for entry in report.entries],
        "parameters": [
            {
                "name": p.name, "shape": list(p.shape), "analytic": finite(p.analytic), "numeric": finite(p.numeric), "left": finite(p.left),
                "right": finite(p.right), "error": finite(p.error), "kind": p.kind, "entries": [entry_dict(entry) for entry in p.entries],
            }
            for p in report.parameters
        ],
        "sweeps": [
            {
                "dtype": s.dtype, "kind": s.kind, "steps": list(s.steps), "errors": [finite(error) for error in s.errors],
                "best_step": s.steps[s.best], "words": s.words(), "truncation": s.truncation, "rounding": s.rounding,
            }
            for s in report.sweeps
        ],
    }  # fmt: skip
