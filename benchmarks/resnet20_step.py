"""The CIFAR ResNet-20 training step (forward, backward, SGD with momentum and weight decay) at batch 128 against torch, in one process.

    python benchmarks/resnet20_step.py            # 2 threads and 1; writes results/resnet20_step.json
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from harness import measure, save

import tinycnn
from tinycnn import models

BATCH = 128
LEARNING_RATE = 0.1
MOMENTUM = 0.9
WEIGHT_DECAY = 1e-4
BLOCKS = 3
TARGETS = {"torch": 0.85, "torch channels_last": 1.00}


class TorchBlock(torch.nn.Module):
    """The basic block with the paper's option A."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = torch.nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(channels)
        self.conv2 = torch.nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(channels)
        self.zeros = (channels - before) // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Branch plus shortcut."""
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        if self.zeros:
            x = torch.nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.zeros, self.zeros))
        return torch.relu_(y + x)


def torch_resnet20() -> torch.nn.Sequential:
    """The same network, with torch's layers."""
    nn = torch.nn
    layers: list[torch.nn.Module] = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(True)]
    before = 16
    for channels in (16, 32, 64):
        for position in range(BLOCKS):
            layers.append(TorchBlock(before, channels, 2 if position == 0 and channels > 16 else 1))
            before = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def our_step(model: Any, x: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """A closure that trains our network one step on the batch."""
    optimizer = tinycnn.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    images, labels = tinycnn.Tensor(x), tinycnn.Tensor(y)

    def step() -> float:
        optimizer.zero_grad()
        loss = tinycnn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def torch_step(model: torch.nn.Module, x: np.ndarray, y: np.ndarray, channels_last: bool) -> Callable[[], float]:
    """The same closure for torch's."""
    images, labels = torch.from_numpy(x), torch.from_numpy(y)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


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
        "tinycnn": our_step(ours, x, y),
        "torch": torch_step(theirs, x, y, False),
        "torch channels_last": torch_step(theirs_last, x, y, True),
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
