"""Read an answer file and mark it: right, wrong, and which mistake it looks like."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..errors import UsageError
from .exercise_sheet import Blank, Sheet, matrix_text, same_numbers
from .explain_arguments import parsed_array

__all__ = ["Mark", "Report", "marked", "parsed_answer", "read_answers"]

LONGEST = 10_000  # characters of one answer
MOST_ANSWERS = 10_000
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")


@dataclass(frozen=True)
class Mark:
    """What became of one blank."""

    id: str
    label: str
    given: str
    right: bool
    points: int
    possible: int
    remark: str
    expected: str | None = None

    def text(self) -> str:
        """One line."""
        verdict = "right" if self.right else "not answered" if not self.given else "wrong"
        remark = f": {self.remark}" if self.remark else ""
        expected = f" (expected {self.expected})" if self.expected is not None and not self.right else ""
        return f"{self.id:<4} {self.points}/{self.possible}  {verdict}{remark}{expected}"


@dataclass(frozen=True)
class Report:
    """All marks of a sheet."""

    marks: tuple[Mark, ...]

    @property
    def score(self) -> int:
        """Points reached."""
        return sum(mark.points for mark in self.marks)

    @property
    def possible(self) -> int:
        """Points there were."""
        return sum(mark.possible for mark in self.marks)

    def text(self) -> str:
        """For people."""
        return "\n".join([*(mark.text() for mark in self.marks), "", f"{self.score} of {self.possible} points"])

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"score": self.score, "possible": self.possible, "marks": [vars(mark) for mark in self.marks]}

    def __str__(self) -> str:
        return self.text()


def read_answers(text: str, kind: str = "") -> dict[str, Any]:
    """Answers by id from a file's text.

    Parameters
    ----------
    text : str
        JSON ({"1a": "1 2; 3 4", "1b": 7}), CSV (1a,1 2; 3 4) or lines (1a: 1 2; 3 4).
    kind : str
        ".json" or ".csv"; else JSON is known by its brace and all other text is lines.

    Raises
    ------
    UsageError
        For a text that is none of these, or an id given twice.

    Examples
    --------
    >>> read_answers("# my answers\\n1a: 1 2; 3 4\\n1b = 2/3\\n")
    {'1a': '1 2; 3 4', '1b': '2/3'}
    """
    text = text.removeprefix("\ufeff")
    if kind == ".json" or text.lstrip().startswith("{"):
        return _from_json(text)
    pairs = _from_csv(text) if kind == ".csv" else _from_lines(text)
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise UsageError(f"the answers give {key[:40]!r} twice; keep one of the two lines")
        found[key] = value
    return found


def _from_json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f'the answers are no JSON ({error}); write {{"1a": "1 2; 3 4", "1b": 7}}') from error
    if isinstance(found, dict) and isinstance(found.get("answers"), dict):
        found = found["answers"]
    if not isinstance(found, dict):
        raise UsageError('the answers must be one JSON object with an answer an id: {"1a": "1 2; 3 4", "1b": 7}')
    return found


def _from_csv(text: str) -> list[tuple[str, str]]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UsageError(f"the answers are no CSV ({error}); write one line an answer: 1a,1 2; 3 4") from error
    if rows and rows[0][0].strip().lower() == "id":
        rows = rows[1:]
    short = next((row for row in rows if len(row) < 2), None)
    if short is not None:
        raise UsageError(f"the line {short[0][:40]!r} has no answer; write an id, a comma and the answer: 1a,1 2; 3 4")
    return [(row[0].strip(), " ".join(cell.strip() for cell in row[1:])) for row in rows]


def _from_lines(text: str) -> list[tuple[str, str]]:
    pairs = []
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if not line:
            continue
        match = re.match(r"([^:=\s]+)\s*[:=](.*)", line)
        if match is None:
            raise UsageError(f"the line {line[:60]!r} is no answer; write an id, a colon and the answer: 1a: 1 2; 3 4")
        pairs.append((match[1], match[2].strip()))
    return pairs


def parsed_answer(value: Any, blank: Blank) -> np.ndarray:
    """One answer as numbers, in the shape that the blank has where that is possible.

    Raises
    ------
    UsageError
        For words, rows of different lengths, or something that is no number at all.
    """
    if isinstance(value, str):
        array = _from_text(value.strip(), blank)
    else:
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise UsageError("rows of different lengths; give every row as many numbers") from error
        if array.dtype.kind not in "iuf" or array.size == 0:
            raise UsageError('not a number; write numbers, such as 7, "2/3" or "1 2; 3 4"')
        array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise UsageError("not a finite number; write numbers, such as 7, 2/3 or 1 2; 3 4")
    if float(np.abs(array).max()) > 1e15:
        raise UsageError("too large to be an answer here; every one is below 1e15")
    wanted = blank.answer.shape
    inner = tuple(size for size in array.shape if size != 1)
    return array.reshape(wanted) if inner == tuple(size for size in wanted if size != 1) else array.reshape(-1) if blank.is_open else array


def _from_text(text: str, blank: Blank) -> np.ndarray:
    if len(text) > LONGEST:
        raise UsageError(f"an answer of {len(text):,} characters; none is longer than {LONGEST:,}")
    text = text.replace("\u2212", "-")  # the minus sign of mathematics
    if THOUSANDS.fullmatch(text) and blank.answer.ndim == 0:
        text = text.replace(",", "")
    if not text.strip(";|%[]() \t"):
        raise UsageError("not a number; write numbers, such as 7, 2/3 or 1 2; 3 4")
    percent = text.endswith("%") and not blank.whole
    array = parsed_array(text.removesuffix("%").strip("[]() \t"))
    return array / 100 if percent else array


def marked(sheet: Sheet, answers: Mapping[str, Any], solution: bool = False) -> Report:
    """Mark every blank of a sheet."""
    if len(answers) > MOST_ANSWERS:
        raise UsageError(f"{len(answers):,} answers; this sheet has {len(sheet.blanks)} blanks")
    known = {blank.id: blank for blank in sheet.blanks}
    for key in answers:
        if str(key) not in known:
            close = get_close_matches(str(key)[:40], known, n=1, cutoff=0.5)
            offer = f"; did you mean {close[0]}?" if close else ""
            raise UsageError(f"there is no blank {str(key)[:40]!r} on this sheet{offer}; it has {', '.join(known)}")
    given = {str(key): value for key, value in answers.items()}
    return Report(tuple(_marked(blank, given.get(blank.id), solution) for blank in sheet.blanks))


def _marked(blank: Blank, value: Any, solution: bool) -> Mark:
    expected = matrix_text(blank.answer) if solution else None
    if value is None or (isinstance(value, str) and not value.strip()):
        return Mark(blank.id, blank.label, "", False, 0, blank.points, "", expected)
    shown = (value if isinstance(value, str) else json.dumps(value, default=str))[:200]
    try:
        array = parsed_answer(value, blank)
    except UsageError as error:
        return Mark(blank.id, blank.label, shown, False, 0, blank.points, f"cannot be read: {error}", expected)
    right = same_numbers(array, blank.answer, blank.whole)
    return Mark(blank.id, blank.label, shown, right, blank.points if right else 0, blank.points, "" if right else remark_on(array, blank), expected)


def remark_on(array: np.ndarray, blank: Blank) -> str:
    """What a wrong answer looks like, without naming the right one."""
    for trap in blank.traps:
        if same_numbers(array, trap.answer, blank.whole):
            return trap.hint
    answer = blank.answer
    if array.ndim == 2 and same_numbers(array.T, answer, blank.whole):
        return "rows and columns are swapped"
    if array.shape != answer.shape:
        return "" if blank.is_open else f"it has {_shape_text(array)}, the blank asks for {blank.expects}"
    if same_numbers(-array, answer, blank.whole):
        return "the sign is the wrong way round"
    if not blank.whole and same_numbers(array / 100, answer, blank.whole):
        return "as a share of 1, not per cent"
    if answer.ndim:
        pairs = zip(array.reshape(-1), answer.reshape(-1), strict=True)
        good = sum(same_numbers(np.asarray(one), np.asarray(other), blank.whole) for one, other in pairs)
        return f"{good} of {answer.size} numbers are right"
    return ""


def _shape_text(array: np.ndarray) -> str:
    if array.ndim == 0 or array.size == 1:
        return "one number"
    return f"{' x '.join(map(str, array.shape))} numbers"
