"""Inference of whole networks against torchvision's, one process: the same weights, the same images, no graph on either side.

    python benchmarks/inference.py             # batch 1 and 8, all threads; writes results/inference.json
"""

import argparse
from typing import Any

import numpy as np
import torch
import torchvision
from harness import measure, save

import tinycnn
from tinycnn import models, nn

NETWORKS = ("vgg16", "resnet50", "mobilenet_v2")
BATCHES = (1, 8)
TARGET = 1.1


def networks(name: str) -> tuple[Any, Any, Any]:
    """Ours, ours with the normalisations folded into the convolutions, and torchvision's, all of one state dict."""
    theirs = getattr(torchvision.models, name)(weights=None).eval()
    state = {key: value.numpy() for key, value in theirs.state_dict().items()}
    ours, fused = (nn.utils.skip_init(models.get_model, name).eval() for _ in range(2))
    for model in (ours, fused):
        model.load_state_dict(state)
    return ours, nn.fuse(fused), theirs


def compare(name: str, batch: int, rounds: int) -> dict[str, Any]:
    """One row of the table; asserts equal logits first."""
    ours, fused, theirs = networks(name)
    x = np.random.default_rng(0).standard_normal((batch, 3, 224, 224), dtype=np.float32)
    images, their_images = tinycnn.Tensor(x), torch.from_numpy(x)
    last = getattr(torchvision.models, name)(weights=None).eval().to(memory_format=torch.channels_last)
    last.load_state_dict(theirs.state_dict())
    images_last = their_images.to(memory_format=torch.channels_last)
    with tinycnn.no_grad(), torch.no_grad():
        calls = {
            "tinycnn": lambda: ours(images).data,
            "tinycnn fused": lambda: fused(images).data,
            "torch": lambda: theirs(their_images).numpy(),
            "torch channels_last": lambda: last(images_last).numpy(),
        }
        answers = [call() for call in calls.values()]
        scale = np.abs(answers[2]).max()
        for answer in answers:
            np.testing.assert_allclose(answer, answers[2], atol=1e-4 * scale)
        result = measure(calls, rounds)
    return {
        "network": name,
        "batch": batch,
        "milliseconds": {call: round(1e3 * result.median(call), 2) for call in calls},
        "ratio": {call: {peer: round(result.ratio(call, peer), 3) for peer in list(calls)[2:]} for call in list(calls)[:2]},
        "target": TARGET,
    }


def main() -> None:
    """Measure every row, print and save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--network", choices=NETWORKS, help="this one only; saves nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(tinycnn.get_num_threads())
    rows = []
    for name in [arguments.network] if arguments.network else NETWORKS:
        for batch in BATCHES:
            row = compare(name, batch, arguments.rounds)
            rows.append(row)
            times = "  ".join(f"{call} {value:.1f} ms" for call, value in row["milliseconds"].items())
            plain, fused = (row["ratio"][call]["torch"] for call in ("tinycnn", "tinycnn fused"))
            print(f"{name} batch {batch}: {times} | {plain:.2f}, fused {fused:.2f} of torch", flush=True)
    if not arguments.network:
        print(save("inference", {"threads": tinycnn.get_num_threads(), "rows": rows}))


if __name__ == "__main__":
    main()
