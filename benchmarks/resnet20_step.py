"""The CIFAR ResNet-20 training step (forward, backward, SGD with momentum and weight decay) at batch 128 against torch, in one process.

    python benchmarks/resnet20_step.py            # 2 threads and 1; writes results/resnet20_step.json
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
from torch_steps import torch_resnet20, torch_step

import tinycnn
from tinycnn import models

BATCH = 128
RECIPE = {"lr": 0.1, "weight_decay": 1e-4}
TARGETS = {"torch": 0.85, "torch channels_last": 1.00}


def compare(threads: int, rounds: int) -> dict[str, Any]:
    """One row of the table; asserts equal losses over the first steps."""
    tinycnn.set_num_threads(threads)
    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCH, 3, 32, 32), dtype=np.float32)
    y = rng.integers(0, 10, BATCH)
    torch.manual_seed(0)
    theirs, theirs_last, ours = torch_resnet20(), torch_resnet20(), models.get_model("resnet20")
    theirs_last.load_state_dict(theirs.state_dict())
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        mine.data[...] = other.detach().numpy()
    steps = {
        "tinycnn": tinycnn_step(ours, x, y, **RECIPE),
        "torch": torch_step(theirs, x, y, **RECIPE),
        "torch channels_last": torch_step(theirs_last, x, y, channels_last=True, **RECIPE),
    }
    for _ in range(2):
        losses = [step() for step in steps.values()]
        np.testing.assert_allclose(losses, losses[0], rtol=1e-3)
    result = measure(steps, rounds)
    return {
        "batch": BATCH,
        "threads": threads,
        "milliseconds": {name: round(1e3 * result.median(name), 1) for name in steps},
        "ratio": {name: round(result.ratio("tinycnn", name), 3) for name in steps if name != "tinycnn"},
        "target": TARGETS,
    }


def main() -> None:
    """Measure every row, print and save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, help="measure this number of threads only, print JSON and save nothing")
    arguments = parser.parse_args()
    if arguments.threads:
        print(json.dumps(compare(arguments.threads, arguments.rounds)))
        return
    rows = []
    for threads in (2, 1):
        # Both libraries share one OpenMP runtime, in which one's number of threads can overrule the other's: so a process each.
        limits = {"NUMBA_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        command = [sys.executable, __file__, "--threads", str(threads), "--rounds", str(arguments.rounds)]
        output = subprocess.run(command, env={**os.environ, **limits}, stdout=subprocess.PIPE, text=True, check=True).stdout
        rows.append(json.loads(output))
    for row in rows:
        times = "  ".join(f"{name} {value:6.1f} ms" for name, value in row["milliseconds"].items())
        ratios = "  ".join(f"{value:.2f} of {name} (target {row['target'][name]:.2f})" for name, value in row["ratio"].items())
        print(f"batch {row['batch']}, {row['threads']} threads: {times} | {ratios}", flush=True)
    print(save("resnet20_step", {"rows": rows}))


if __name__ == "__main__":
    main()
