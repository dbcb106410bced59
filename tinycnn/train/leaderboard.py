"""Every finished run as one line of a file, and the ranking of them."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError

NAME = "leaderboard.jsonl"


@dataclass(frozen=True)
class Entry:
    """One run."""

    model: str
    data: str
    epochs: int
    minutes: float  # of training
    accuracy: float  # on the test images, 0 to 1
    seed: int
    parameters: int
    commit: str  # of the source, "" where there is none
    folder: str
    written: str  # date and time


def source_commit() -> str:
    """The short hash of the source tree's commit, with a + where files differ from it; nothing outside a clone.

    Examples
    --------
    >>> isinstance(source_commit(), str)
    True
    """
    home = Path(__file__).resolve().parents[2]
    if not (home / ".git").exists():
        return ""
    try:
        answer = subprocess.run(
            ["git", "-C", str(home), "describe", "--always", "--dirty=+", "--exclude=*"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()


def add_to_leaderboard(path: str | Path, **facts: Any) -> Entry:
    """Append a run to the file; commit and date are filled in.

    Parameters
    ----------
    path
        The JSON-lines file, made when it does not exist.
    **facts
        The fields of `Entry` but for `commit` and `written`.
    """
    entry = Entry(commit=source_commit(), written=time.strftime("%Y-%m-%d %H:%M:%S"), **facts)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(dataclasses.asdict(entry)) + "\n")
    return entry


def read_leaderboard(path: str | Path) -> list[Entry]:
    """All runs of the file, in the order in which they ended; none where there is no file.

    Raises
    ------
    DataError
        For a line that is no entry, with its number.
    """
    path = Path(path)
    if not path.exists():
        return []
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entries.append(Entry(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise DataError(f"{path}: line {number} is not a run of a leaderboard; delete it") from error
    return entries


def ranked(entries: Iterable[Entry], data: str | None = None) -> list[Entry]:
    """The best first: by data set, then accuracy, then fewer minutes."""
    chosen = [entry for entry in entries if data is None or entry.data == data]
    return sorted(chosen, key=lambda entry: (entry.data, -entry.accuracy, entry.minutes))
