"""The LeNet-5 training step (forward, backward, SGD with momentum) against torch, in one process.

    python benchmarks/lenet_step.py            # batch 64 and 128, 2 threads and 1; writes results/lenet_step.json
"""

import argparse
import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import torch
from harness import measure, save
from tinycnn_steps import tinycnn_step
from torch_steps import torch_lenet5, torch_step

import tinycnn
from tinycnn import models

LEARNING_RATE = 0.01
TARGETS = {2: {"torch": 0.60, "torch channels_last": 0.80}, 1: {"torch": 0.65, "torch channels_last": 0.85}}


def compare(batch: int, threads: int, rounds: int) -> dict[str, Any]:
    """One row of the table; asserts equal losses over three steps first."""
    tinycnn.set_num_threads(threads)
    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, 1, 28, 28), dtype=np.float32)
    y = rng.integers(0, 10, batch)
    torch.manual_seed(0)
    theirs, theirs_last, ours = torch_lenet5(), torch_lenet5(), models.get_model("lenet5")
    theirs_last.load_state_dict(theirs.state_dict())
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        mine.data[...] = other.detach().numpy()
    steps = {
        "tinycnn": tinycnn_step(ours, x, y, lr=LEARNING_RATE),
        "torch": torch_step(theirs, x, y, lr=LEARNING_RATE),
        "torch channels_last": torch_step(theirs_last, x, y, lr=LEARNING_RATE, channels_last=True),
    }
    for _ in range(3):
        losses = [step() for step in steps.values()]
        np.testing.assert_allclose(losses, losses[0], rtol=1e-4)
    result = measure(steps, rounds)
    return {
        "batch": batch,
        "threads": threads,
        "milliseconds": {name: round(1e3 * result.median(name), 3) for name in steps},
        "ratio": {name: round(result.ratio("tinycnn", name), 3) for name in steps if name != "tinycnn"},
        "target": TARGETS[threads],
    }


def main() -> None:
    """Measure every row, print and save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, help="measure this number of threads only, print JSON and save nothing")
    arguments = parser.parse_args()
    if arguments.threads:
        print(json.dumps([compare(batch, arguments.threads, arguments.rounds) for batch in (64, 128)]))
        return
    rows = []
    for threads in (2, 1):
        # Both libraries share one OpenMP runtime, in which one's number of threads can overrule the other's: so a process each.
        limits = {"NUMBA_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        command = [sys.executable, __file__, "--threads", str(threads), "--rounds", str(arguments.rounds)]
        output = subprocess.run(command, env={**os.environ, **limits}, stdout=subprocess.PIPE, text=True, check=True).stdout
        rows += json.loads(output)
    for row in rows:
        times = "  ".join(f"{name} {value:7.3f} ms" for name, value in row["milliseconds"].items())
        ratios = "  ".join(f"{value:.2f} of {name} (target {row['target'][name]:.2f})" for name, value in row["ratio"].items())
        print(f"batch {row['batch']:3d}, {row['threads']} threads: {times} | {ratios}", flush=True)
    print(save("lenet_step", {"rows": rows}))


if __name__ == "__main__":
    main()
