"""Run an entry of the lecture map and compare what comes out with what must."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import TinycnnError
from ..tensor import Tensor
from .lectures.entries import PREAMBLE, Check, is_command

__all__ = ["Outcome", "agrees", "run_check"]

LINES = 12  # of what a command says, shown beside its number


@dataclass(frozen=True)
class Outcome:
    """What a run gave: the number, whether it is right, what the command said, and what went wrong if it failed."""

    check: Check
    answer: Any
    passed: bool
    said: str = ""
    failure: str = ""

    @property
    def verdict(self) -> str:
        """In one word, or the failure."""
        return self.failure or ("agrees" if self.passed else "DIFFERS")

    def text(self) -> str:
        """What was run, what it gave, what it must be, the verdict."""
        from .lecture import expected_text

        sign = "$ " if is_command(self.check.run) else ">>> "
        first, *rest = self.check.run.splitlines()
        lines = [f"{self.check.what}", f"  {sign}{first}", *(f"  {sign}{line}" for line in rest)]
        said = self.said.splitlines()
        lines += [f"    {line}" for line in said[:LINES]] + ([f"    ... {len(said) - LINES} lines more"] if len(said) > LINES else [])
        where = f" at {self.check.pick}" if self.check.pick else ""
        lines += [f"  gives{where}: {short(self.answer)}", f"  must be: {expected_text(self.check)}", f"  {self.verdict}"]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "what": self.check.what, "run": self.check.run, "pick": self.check.pick, "expect": self.check.expect, "within": self.check.within,
            "answer": self.answer, "passed": self.passed, "failure": self.failure,
        }  # fmt: skip


def short(answer: Any) -> str:
    """An answer for a line."""
    text = f"{answer:.9g}" if isinstance(answer, float) else str(answer)
    return text if len(text) <= 400 else f"{text[:400]} ..."


def run_check(check: Check, main: Callable[[Sequence[str]], int], answers: dict[str, Any] | None = None) -> Outcome:
    """Run one entry.

    Parameters
    ----------
    check : Check
        What is run and what must come out.
    main : callable
        Takes a command line's words and returns an exit code: `tinycnn.cli.main`. Commands run in this process and answer in JSON.
    answers : dict
        Keeps what commands have answered, so that several numbers of one command run it once.

    Returns
    -------
    Outcome
        A command or a line that fails makes an outcome with its failure, no exception.

    Examples
    --------
    >>> from tinycnn.study.lecture import lecture
    >>> from tinycnn.cli import main
    >>> run_check(lecture("A17").rows[0].checks[0], main).answer
    760
    """
    said, failure, answer = "", "", None
    try:
        if is_command(check.run):
            data, said, failure = _commanded(check.run, main, {} if answers is None else answers)
            answer = None if failure else picked(data, check.pick)
        else:
            answer = _evaluated(check.run)
    except (TinycnnError, ArithmeticError, AttributeError, LookupError, NameError, TypeError, ValueError) as error:
        failure = f"{type(error).__name__}: {error}"
    return Outcome(check, answer, not failure and agrees(answer, check.expect, check.within), said, failure)


def _commanded(command: str, main: Callable[[Sequence[str]], int], answers: dict[str, Any]) -> tuple[Any, str, str]:
    """A command's JSON, what it said to people, and its complaint."""
    if command not in answers:
        out, words = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(words):
            code = main([*shlex.split(command)[1:], "--json"])
        said = words.getvalue().strip()
        answers[command] = (None, "", f"exit code {code}: {said[-300:]}") if code else (json.loads(out.getvalue()), said, "")
    answer: tuple[Any, str, str] = answers[command]
    return answer


def picked(answer: Any, path: str) -> Any:
    """A part of a JSON answer: keys, places, and names of things in a list, with points between.

    Examples
    --------
    >>> picked({"axes": [{"output": 2}, {"output": 3}]}, "axes.1.output")
    3
    >>> picked([{"name": "recall", "value": 0.5}], "recall.value")
    0.5
    """
    for part in path.split(".") if path else []:
        if not isinstance(answer, list):
            answer = answer[part]
        elif part.isdigit():
            answer = answer[int(part)]
        else:
            answer = {item.get("name", item.get("title")): item for item in answer}[part]
    return answer


def _evaluated(lines: str) -> Any:
    """The value of the last line. The lines are constants of this package, run as they are shown."""
    names: dict[str, Any] = {}
    exec("\n".join(PREAMBLE), names)
    tree = ast.parse(lines)
    last = tree.body.pop()
    if not isinstance(last, ast.Expr):
        raise ValueError("the last line is no expression")
    exec(compile(tree, "<lecture>", "exec"), names)
    return plain(eval(compile(ast.Expression(last.value), "<lecture>", "eval"), names))


def plain(value: Any) -> Any:
    """Numbers, words and lists of them."""
    if isinstance(value, Tensor):
        value = value.detach().numpy()
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def agrees(answer: Any, expect: Any, within: float = 0.0) -> bool:
    """Whether an answer is what was expected: a text is contained, numbers differ by at most `within`, leading axes of length 1 are dropped.

    Examples
    --------
    >>> agrees([[[1.0, 2.0]]], [1, 2]), agrees(0.76667, 0.7667, 5e-5), agrees("so 2.33", "2.33"), agrees([1, 2], [1, 3])
    (True, True, True, False)
    """
    if isinstance(expect, str):
        return isinstance(answer, str) and expect in answer
    if isinstance(expect, bool):
        return answer is expect
    try:
        found, wanted = np.asarray(answer), np.asarray(expect)
    except ValueError:  # ragged
        return False
    while found.ndim > wanted.ndim and found.shape[0] == 1:
        found = found[0]
    if found.shape != wanted.shape:
        return False
    if wanted.dtype.kind not in "iuf" or found.dtype.kind not in "iuf":
        return found.dtype.kind == wanted.dtype.kind and bool((found == wanted).all())
    return bool((np.abs(found.astype(np.float64) - wanted) <= within).all())
