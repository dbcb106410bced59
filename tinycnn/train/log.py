"""The record of a run on disk: `log.csv` for a spreadsheet, one row an epoch, and `log.jsonl`, one event a line.

Both follow from the run's own lists, which every checkpoint holds. A resumed run writes them anew up to its checkpoint, so
that they read as if it had never stopped.
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
    """Writes the two files into the output folder; without a folder it keeps quiet.

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

    def start(
        self,
        event: dict[str, Any],
        epochs: list[dict[str, float]],
        step_losses: list[float],
        learning_rates: list[float],
        hints: list[dict[str, str]],
    ) -> None:
        """Begin both files anew with everything a resumed run already knows."""
        if self.folder is None:
            return
        self._open(JSONL_NAME, "w").close()
        self._event(event)
        for number, (loss, rate) in enumerate(zip(step_losses, learning_rates, strict=True), start=1):
            self.step(number, loss, rate)
        for hint in hints:
            self.hint(hint)
        for place in range(len(epochs)):
            self.epoch(epochs[: place + 1])
        if not epochs:
            (self.folder / CSV_NAME).unlink(missing_ok=True)

    def step(self, number: int, loss: float, learning_rate: float) -> None:
        """A step's loss, every `log_every` steps, counted over the whole run from 1."""
        if number % self.log_every == 0:
            self._event({"event": "step", "step": number, "loss": loss, "learning_rate": learning_rate})

    def epoch(self, epochs: list[dict[str, float]]) -> None:
        """The newest epoch's event; the table is short and written whole."""
        if self.folder is None:
            return
        self._event({"event": "epoch", **epochs[-1]})
        with self._open(CSV_NAME, "w") as file:
            writer = csv.DictWriter(file, fieldnames=list(epochs[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(epochs)

    def hint(self, hint: dict[str, str]) -> None:
        """A hint that was given."""
        self._event({"event": "hint", **hint})

    def end(self, reason: str) -> None:
        """Why the run stopped: "finished", "SIGINT", "SIGTERM" or an error's sentence."""
        self._event({"event": "end", "reason": reason})

    def _event(self, event: dict[str, Any]) -> None:
        if self.folder is not None:
            with self._open(JSONL_NAME, "a") as file:
                file.write(json.dumps(event) + "\n")

    def _open(self, name: str, mode: str) -> Any:
        path = Path(self.folder or ".") / name
        try:
            return open(path, mode, encoding="utf-8", newline="")
        except OSError as error:
            raise CheckpointError(f"cannot write the log {path}: {error.strerror or error}") from error
