"""Peak memory of the LeNet-5 training step, ours and torch's, each in a process of its own.

    python benchmarks/peak_memory.py           # writes results/peak_memory.json

Measured is the growth of the peak resident size after import: everything a step makes the process touch, just-in-time code included.
"""

import argparse
import json
import resource
import subprocess
import sys
from typing import Any

import numpy as np
from harness import save

STEPS = 20


def peak_megabytes() -> float:
    """The largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(library: str, batch: int) -> dict[str, float]:
    """Train a few steps in this process and say by how much its peak grew after import."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, 1, 28, 28), dtype=np.float32)
    y = rng.integers(0, 10, batch)
    import lenet_step

    before = peak_megabytes()
    if library == "torch":
        step = lenet_step.torch_step(lenet_step.torch_lenet5(), x, y, False)
    else:
        step = lenet_step.our_step(lenet_step.models.get_model("lenet5"), x, y)
    step()
    first = peak_megabytes()
    for _ in range(STEPS):
        step()
    return {"growth": peak_megabytes() - before, "growth_after_first_step": peak_megabytes() - first}


def main() -> None:
    """Measure both libraries, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", choices=["torch", "tinycnn"], help="measure one, in this process")
    parser.add_argument("--batch", type=int, default=128)
    arguments = parser.parse_args()
    if arguments.library:
        print(json.dumps(run(arguments.library, arguments.batch)))
        return
    rows: list[dict[str, Any]] = []
    for batch in (64, 128, 1024):
        row: dict[str, Any] = {"batch": batch}
        for library in ("tinycnn", "torch"):
            command = [sys.executable, __file__, "--library", library, "--batch", str(batch)]
            subprocess.run(command, capture_output=True, check=True)  # fills the kernel cache
            row[library] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        rows.append(row)
        print(f"batch {batch}: " + ", ".join(f"{name} {row[name]['growth']:.1f} MB" for name in ("tinycnn", "torch")), flush=True)
    print(save("peak_memory", {"megabytes": rows}))


if __name__ == "__main__":
    main()
