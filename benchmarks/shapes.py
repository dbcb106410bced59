"""Small detectors, from nothing, on drawn shapes: average precision on 500 test images after 15 minutes.

    python benchmarks/shapes.py                    # what is missing in results/shapes.json
    python benchmarks/shapes.py fasterrcnn_mini    # only these, measured anew
    python benchmarks/shapes.py --keep FOLDER      # leave the runs there, with curves and pictures
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numba
from harness import RESULTS, environment, trained

from tinycnn import models, nn

# Network and learning rate.
RUNS = {
    "fasterrcnn_mini": 2e-3,
    "ssd_mini": 2e-3,
    "yolo_v1_mini": 2e-3,
    "yolo_v3_mini": 2e-3,
    "retinanet_mini": 2e-3,
    "maskrcnn_mini": 2e-3,
    "keypointrcnn_mini": 2e-3,
}
BATCH = 16
MINUTES = 15


def run(name: str, folder: Path) -> dict[str, Any]:
    """Train in a process of its own."""
    options = ("--minutes", str(MINUTES), "--lr", str(RUNS[name]), "--batch-size", str(BATCH), "--set", "flip=true", "--out", str(folder / name))
    result, busy = trained(name, "--data", "shapes", *options)
    network = nn.utils.skip_init(models.get_model, name)
    return {
        "network": name,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "minutes": MINUTES,
        "processor_minutes": round(busy / 60, 1),  # compiling, evaluation and pictures included; other work on the machine does not count
        "threads": numba.get_num_threads(),
        "learning_rate": RUNS[name],
        "batch_size": BATCH,
        "epochs": len(result["epochs"]),  # of 4,000 images, the last one begun
        "scores": {key: round(value, 4) for key, value in result["scores"].items()},
        "milliseconds_per_image": round(result["milliseconds_per_image"], 1),
        "seed": result["config"]["seed"],
        "environment": environment(),
    }


def main() -> None:
    """Train what is asked for, or what is missing; each row is saved as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", choices=[*RUNS, []], help="only these, measured anew")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the runs stay")
    arguments = parser.parse_args()
    path = RESULTS / "shapes.json"
    rows = {row["network"]: row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}
    for name in arguments.networks or [name for name in RUNS if name not in rows]:
        with tempfile.TemporaryDirectory() as folder:
            rows[name] = run(name, arguments.keep or Path(folder))
        path.write_text(json.dumps({"rows": [rows[known] for known in RUNS if known in rows]}, indent=1) + "\n")
        print(json.dumps({key: value for key, value in rows[name].items() if key != "environment"}), flush=True)


if __name__ == "__main__":
    main()
