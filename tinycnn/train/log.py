"""The record of a run on disk: `log.csv` for a spreadsheet, one row an epoch, and `log.jsonl`, one event a line.

Every checkpoint holds the events so far. A resumed run writes both files anew up to its checkpoint, so that they read
as if it had never stopped.
"""

from __future__ import annotations

import csv
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CheckpointError
from ..kernels.threads import get_num_threads
from .checkpoint import fields_of

CSV_NAME = "log.csv"
JSONL_NAME = "log.jsonl"


def start_event(config: dict[str, Any], run_info: dict[str, Any]) -> dict[str, Any]:
    """What a reader needs to repeat the run: the hyper-parameters with the seed, the versions and the threads."""
    return {
        "event": "start",
        "config": config,
        "run": run_info,
        "threads": get_num_threads(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
    }


class RunLog:
    """The run's events, and the two files that hold them; without a folder it only remembers.

    Parameters
    ----------
    folder
        The run's output folder, or None.
    log_every
        Steps between step events.
    """

    def __init__(self, folder: Path | None, log_every: int) -> None:
        self.folder = folder
        self.log_every = log_every
        self.events: list[dict[str, Any]] = []  # all but start and end, which belong to a process, not to the run

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The epoch events so far."""
        return fields_of(self.events, "epoch")

    @property
    def hints(self) -> list[dict[str, Any]]:
        """The hints so far."""
        return fields_of(self.events, "hint")

    def start(self, event: dict[str, Any]) -> None:
        """Begin both files anew, with everything a resumed run already knows."""
        if self.folder is None:
            return
        with self._open(JSONL_NAME, "w") as file:
            file.writelines(json.dumps(each) + "\n" for each in (event, *self.events))
        self._write_table()

    def step(self, number: int, loss: float, learning_rate: float) -> None:
        """A step's loss, every `log_every` steps, counted over the whole run from 1."""
        if number % self.log_every == 0:
            self._add({"event": "step", "step": number, "loss": loss, "learning_rate": learning_rate})

    def epoch(self, record: dict[str, Any]) -> None:
        """An epoch's event and its row; the table is short and written whole."""
        self._add({"event": "epoch", **record})
        self._write_table()

    def hint(self, hint: dict[str, str]) -> None:
        """A hint that was given."""
        self._add({"event": "hint", **hint})

    def end(self, reason: str) -> None:
        """Why the run stopped: "finished", "SIGINT", "SIGTERM" or an error's sentence."""
        self._write_line({"event": "end", "reason": reason})

    def _add(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self._write_line(event)

    def _write_line(self, event: dict[str, Any]) -> None:
        if self.folder is not None:
            with self._open(JSONL_NAME, "a") as file:
                file.write(json.dumps(event) + "\n")

    def _write_table(self) -> None:
        if self.folder is None:
            return
        rows = self.epochs
        with self._open(CSV_NAME, "w") as file:
            columns = dict.fromkeys(name for row in rows for name in row)  # a detector is not evaluated after every epoch
            writer = csv.DictWriter(file, fieldnames=list(columns), lineterminator="\n")
            if rows:
                writer.writeheader()
            writer.writerows(rows)

    def _open(self, name: str, mode: str) -> Any:
        path = Path(self.folder or ".") / name
        try:
            return open(path, mode, encoding="utf-8", newline="")
        except OSError as error:
            raise CheckpointError(f"cannot write the log {path}: {error.strerror or error}") from error
