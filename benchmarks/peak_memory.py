"""Peak memory of training steps and of inference, ours and torch's, each in a process of its own.

    python benchmarks/peak_memory.py           # writes results/peak_memory.json

Measured is the peak resident size of a process that imports one library and works with it: what it takes of the machine, compiled code included.
Beside it stands the growth after import, without what only importing costs.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

STEPS = 20
CALLS = 3  # of inference, which takes longer
# What is done, and the batch.
WORK = (
    ("LeNet-5 step", 64),
    ("LeNet-5 step", 128),
    ("LeNet-5 step", 1024),
    ("ResNet-20 step", 128),
    *((f"{name} inference", batch) for name in ("vgg16", "resnet50", "mobilenet_v2") for batch in (1, 8)),
)


def peak_megabytes() -> float:
    """The largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def training_step(network: str, library: str, batch: int) -> tuple[float, Callable[[], Any]]:
    """The peak after import, and a step of LeNet-5's or ResNet-20's training."""
    rng = np.random.default_rng(0)
    shape, name = ((1, 28, 28), "lenet5") if network == "LeNet-5" else ((3, 32, 32), "resnet20")
    x, y = rng.standard_normal((batch, *shape), dtype=np.float32), rng.integers(0, 10, batch)
    if library == "torch":
        import torch_steps

        before = peak_megabytes()
        return before, torch_steps.torch_step(getattr(torch_steps, f"torch_{name}")(), x, y, lr=0.01)
    import tinycnn_steps

    before = peak_megabytes()
    return before, tinycnn_steps.tinycnn_step(tinycnn_steps.tinycnn.models.get_model(name), x, y, lr=0.01)


def inference(name: str, library: str, batch: int) -> tuple[float, Callable[[], Any]]:
    """The peak after import, and a forward pass of a network whose weights are there: ours are not drawn, which would take float64 for a moment."""
    x = np.random.default_rng(0).standard_normal((batch, 3, 224, 224), dtype=np.float32)
    if library == "torch":
        import torch
        import torchvision

        before = peak_megabytes()
        theirs, images = getattr(torchvision.models, name)(weights=None).eval(), torch.from_numpy(x)
        return before, torch.no_grad()(lambda: theirs(images))
    import tinycnn

    before = peak_megabytes()
    ours = tinycnn.nn.utils.skip_init(tinycnn.models.get_model, name).eval()
    for parameter in ours.parameters():
        parameter.data.fill(0.01)
    return before, tinycnn.no_grad()(lambda: ours(tinycnn.Tensor(x)))


def run(work: str, library: str, batch: int) -> dict[str, float]:
    """Do it a few times in this process; its peak, and by how much that grew after import and after the first time."""
    network, kind = work.rsplit(" ", 1)
    before, call = (training_step if kind == "step" else inference)(network, library, batch)
    call()
    first = peak_megabytes()
    for _ in range(STEPS if kind == "step" else CALLS):
        call()
    peak = peak_megabytes()
    return {"peak": peak, "growth": peak - before, "growth_after_first_step": peak - first}


def main() -> None:
    """Measure both libraries, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", choices=["torch", "tinycnn"], help="measure one, in this process")
    parser.add_argument("--work", choices=sorted({work for work, _ in WORK}), default="LeNet-5 step")
    parser.add_argument("--batch", type=int, default=128)
    arguments = parser.parse_args()
    if arguments.library:
        print(json.dumps(run(arguments.work, arguments.library, arguments.batch)))
        return
    from harness import save  # imports numba, which torch's process is not to carry

    rows: list[dict[str, Any]] = []
    for work, batch in WORK:
        row: dict[str, Any] = {"work": work, "batch": batch}
        for library in ("tinycnn", "torch"):
            command = [sys.executable, __file__, "--library", library, "--work", work, "--batch", str(batch)]
            subprocess.run(command, capture_output=True, check=True)  # fills the kernel cache
            row[library] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        rows.append(row)
        figures = (f"{name} {row[name]['peak']:.0f} MB, of which after import {row[name]['growth']:.0f}" for name in ("tinycnn", "torch"))
        print(f"{work}, batch {batch}: " + "; ".join(figures), flush=True)
    print(save("peak_memory", {"megabytes": rows}))


if __name__ == "__main__":
    main()
