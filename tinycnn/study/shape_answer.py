"""The answer to a question about sizes, as text and as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .shape_axis import Axis
from .shape_fixes import Fix, nearest_fixes
from .shape_frameworks import FrameworkAnswer
from .tables import shape_text, text_table

__all__ = ["ShapeAnswer"]


@dataclass(frozen=True)
class ShapeAnswer:
    """What `shape` found. `input` and `output` have their channels first where they are known; `output` is None where the operator refuses."""

    operator: str
    question: str
    input: tuple[int, ...]
    output: tuple[int, ...] | None
    formula: str
    steps: tuple[tuple[str, str], ...]
    verdicts: tuple[tuple[str, str], ...]
    axes: tuple[Axis, ...] = ()
    frameworks: tuple[FrameworkAnswer, ...] = ()
    notes: tuple[str, ...] = ()
    parameters: int | None = None

    @property
    def fits(self) -> bool:
        """Whether every axis tiles, so that no framework has anything to round."""
        return self.output is not None and all(axis.fits for axis in self.axes)

    @property
    def fixes(self) -> list[tuple[str, Fix]]:
        """The nearest changes of every axis that does not tile; axes with equal numbers share theirs."""
        return [(words, fix) for words, axis in grouped(self.axes) for fix in nearest_fixes(axis)]

    def text(self) -> str:
        """For people."""
        lines = [self.question, "", f"formula   {self.formula}"]
        lines += [f"{words + '  ' if words else ''}{step}" for words, step in self.steps]
        lines += [f"verdict   {words + ' ' if words and len(self.verdicts) > 1 else ''}{verdict}" for words, verdict in self.verdicts]
        lines.append(f"output    {'none' if self.output is None else shape_text(self.output)}{self._count()}")
        lines += [f"note      {note}" for note in self.notes]
        fixes = self.fixes
        if fixes:
            several = len({words for words, _ in fixes}) > 1
            lines += ["", "nearest fixes, one at a time", *(f"  {words + ': ' if several else ''}{fix.text()}" for words, fix in fixes)]
        if self.frameworks:
            rows = [[answer.framework, answer.call, output_text(answer.output), answer.rule] for answer in self.frameworks]
            lines += ["", text_table(("framework", "asked with", "output", "rule"), rows, left=(0, 1, 3))]
        return "\n".join(lines)

    def _count(self) -> str:
        count = math.prod(self.output or ())
        return "" if self.output is None or len(self.output) < 2 else f"  ({count:,} number{'' if count == 1 else 's'})"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "operator": self.operator,
            "question": self.question,
            "input": list(self.input),
            "output": None if self.output is None else list(self.output),
            "formula": self.formula,
            "fits": self.fits,
            "steps": [f"{words}: {step}" if words else step for words, step in self.steps],
            "verdict": [f"{words}: {verdict}" if words else verdict for words, verdict in self.verdicts],
            "axes": [
                {
                    "axis": axis.word,
                    "output": axis.output,
                    "exact": str(axis.quotient) if not axis.transposes else str(axis.output),
                    "unread_at_the_end": axis.leftover,
                    "unread": (axis.unread() or [])[:1000],
                }
                for axis in self.axes
            ],
            "fixes": [
                {"axis": words, "change": fix.change, "output": fix.axis.output, "arithmetic": fix.axis.arithmetic()} for words, fix in self.fixes
            ],
            "frameworks": [
                {"framework": answer.framework, "call": answer.call, "output": list(answer.output), "rule": answer.rule} for answer in self.frameworks
            ],
            "notes": list(self.notes),
            "parameters": self.parameters,
        }


def output_text(output: tuple[int | None, ...]) -> str:
    """Sizes, or "refuses"."""
    return "refuses" if None in output or not output else shape_text([size for size in output if size is not None])


def grouped(axes: tuple[Axis, ...]) -> list[tuple[str, Axis]]:
    """Axes with equal numbers together, under the names of all of them."""
    groups: dict[tuple[Any, ...], list[Axis]] = {}
    for axis in axes:
        key = (axis.size, axis.kernel, axis.stride, axis.before, axis.after, axis.dilation, axis.output_padding)
        groups.setdefault(key, []).append(axis)
    return [(", ".join(axis.word for axis in group), group[0]) for group in groups.values()]
