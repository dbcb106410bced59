"""Measure candidates against each other on a machine that is shared and noisy.

Candidates take turns in short chunks, so that a slow moment of the machine hits all of them; the answer is the median over rounds of the ratio
within a round. Between chunks everyone rests: worker threads of one library spin for a while after its last call and would steal
a core from the next one.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numba
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"

CHUNK_SECONDS = 0.03
REST_SECONDS = 0.006


@dataclass
class Measurement:
    """Seconds a call, by candidate and round."""

    seconds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """The middle of a candidate's rounds, in seconds a call."""
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, base: str) -> float:
        """The median over rounds of name's time divided by base's: below 1, `name` is faster."""
        return statistics.median(a / b for a, b in zip(self.seconds[name], self.seconds[base], strict=True))


def measure(candidates: dict[str, Callable[[], Any]], rounds: int = 9, chunk: float = CHUNK_SECONDS) -> Measurement:
    """Time the candidates in turns."""
    calls = {}
    for name, function in candidates.items():
        for _ in range(3):
            function()
        start = time.perf_counter()
        function()
        calls[name] = max(1, round(chunk / max(time.perf_counter() - start, 1e-7)))
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, function in candidates.items():
            time.sleep(REST_SECONDS)
            function()
            start = time.perf_counter()
            for _ in range(calls[name]):
                function()
            seconds[name].append((time.perf_counter() - start) / calls[name])
    return Measurement(seconds)


def geometric_mean(values: list[float]) -> float:
    """exp of the mean logarithm: the right mean of ratios."""
    return float(np.exp(np.mean(np.log(values))))


def environment() -> dict[str, Any]:
    """Where and with what a figure was measured."""
    facts: dict[str, Any] = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _output(["git", "rev-parse", "--short", "HEAD"]),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }
    try:
        import torch

        facts["torch"] = torch.__version__
    except ImportError:
        pass
    return facts


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False).stdout.strip()


def _processor() -> str:
    for line in _output(["lscpu"]).splitlines():
        if line.startswith("Model name:"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def save(name: str, result: dict[str, Any]) -> Path:
    """Write a result with its environment to benchmarks/results/NAME.json."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"environment": environment(), **result}, indent=1) + "\n")
    return path


def trained(*arguments: str) -> tuple[dict[str, Any], float]:
    """What `tinycnn train ARGUMENTS --json` prints, in a process of its own, and the seconds that its processors computed."""
    before = processor_seconds()
    command = [sys.executable, "-m", "tinycnn", "train", *arguments, "--json"]
    result = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True).stdout)
    return result, processor_seconds() - before


def processor_seconds() -> float:
    """What all finished child processes computed."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
