"""What the training commands reach: test accuracy over three seeds, and the seconds a run takes.

    python benchmarks/accuracy.py              # writes results/accuracy.json; MNIST where TINYCNN_DATA or the cache holds it
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from harness import ROOT, save

COMMANDS = (
    ("bundled digits, 4,000 / 1,000", ["train", "lenet5"]),
    ("MNIST, 60,000 / 10,000", ["train", "lenet5", "--data", "mnist"]),
)
SEEDS = (0, 1, 2)


def run(command: list[str], seed: int) -> tuple[float, float]:
    """(test accuracy in per cent, seconds) of one run in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        full = [sys.executable, "-m", "tinycnn", *command, "--seed", str(seed), "--out", f"{folder}/run", "--json"]
        start = time.perf_counter()
        result = json.loads(subprocess.run(full, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True).stdout)
        return 100 * float(result["test_accuracy"]), time.perf_counter() - start


def main() -> None:
    """Train, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="measure only commands whose data contains this, and save nothing")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for data, command in COMMANDS:
        if arguments.only not in data:
            continue
        results = [run(command, seed) for seed in SEEDS]
        row = {
            "command": f"`tinycnn {' '.join(command)}`",
            "data": data,
            "seeds": SEEDS,
            "test_accuracy": [round(accuracy, 2) for accuracy, _ in results],
            "seconds": statistics.median(seconds for _, seconds in results),
        }
        rows.append(row)
        print(row, flush=True)
    if not arguments.only:
        print(save("accuracy", {"rows": rows}))


if __name__ == "__main__":
    main()
