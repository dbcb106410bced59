"""Detectors against torchvision's, one process: the same weights and image, no graph on either side, from image to boxes.

    python benchmarks/detection.py             # all threads; writes results/detection.json
"""

import argparse
from typing import Any

import numpy as np
import torch
import torchvision
from harness import measure, save

import tinycnn
from tinycnn import models, nn

# Network and the side of its square image in pixels, which both sides resize by the same rule.
NETWORKS = {"fasterrcnn_resnet50_fpn": 640, "fasterrcnn_mobilenet_v3_large_320_fpn": 320, "ssd300_vgg16": 300, "ssdlite320_mobilenet_v3_large": 320}
TARGET = 1.1
SHARPER = 30.0  # an untrained head is unsure of everything; scaled, some scores pass the threshold and the last suppression has work


def networks(name: str, side: int) -> tuple[Any, Any]:
    """Ours and torchvision's, of one state dict."""
    options = {"min_size": side, "max_size": side} if name.startswith("fasterrcnn") else {}
    torch.manual_seed(0)
    theirs = getattr(torchvision.models.detection, name)(weights=None, weights_backbone=None, **options).eval()
    with torch.no_grad():
        for key, parameter in theirs.named_parameters():
            if "cls_score.weight" in key:
                parameter *= SHARPER
    ours = nn.utils.skip_init(models.get_model, name, **options).eval()
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs


def compare(name: str, side: int, rounds: int) -> dict[str, Any]:
    """One row of the table; asserts first that both find equally many boxes."""
    ours, theirs = networks(name, side)
    image = np.random.default_rng(0).uniform(size=(3, side, side)).astype(np.float32)
    images, their_images = [tinycnn.Tensor(image)], [torch.from_numpy(image)]
    with tinycnn.no_grad(), torch.no_grad():
        calls = {"tinycnn": lambda: ours(images), "torchvision": lambda: theirs(their_images)}
        found, wanted = (call()[0] for call in calls.values())
        np.testing.assert_allclose(np.sort(found["scores"].numpy()), np.sort(wanted["scores"].numpy()), atol=1e-3)
        result = measure(calls, rounds)
    return {
        "network": name,
        "pixels": side,
        "boxes": len(wanted["scores"]),
        "milliseconds": {call: round(1e3 * result.median(call), 1) for call in calls},
        "ratio": round(result.ratio("tinycnn", "torchvision"), 3),
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
        row = compare(name, NETWORKS[name], arguments.rounds)
        rows.append(row)
        times = "  ".join(f"{call} {value:.0f} ms" for call, value in row["milliseconds"].items())
        print(f"{name} at {row['pixels']} px, {row['boxes']} boxes: {times} | {row['ratio']:.2f} of torchvision", flush=True)
    if not arguments.network:
        print(save("detection", {"threads": tinycnn.get_num_threads(), "rows": rows}))


if __name__ == "__main__":
    main()
