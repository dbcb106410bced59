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

NETWORKS = ("fasterrcnn_mini", "ssd_mini", "yolo_v1_mini", "yolo_v3_mini", "retinanet_mini", "maskrcnn_mini", "keypointrcnn_mini")
MINUTES = 15


def run(name: str, folder: Path) -> dict[str, Any]:
    """Train in a process of its own."""
    result, busy = trained(name, "--data", "shapes", "--minutes", str(MINUTES), "--out", str(folder / name))
    network = nn.utils.skip_init(models.get_model, name)
    return {
        "network": name,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "minutes": MINUTES,
        "processor_minutes": round(busy / 60, 1),  # compiling, evaluation and pictures included; other work on the machine does not count
        "threads": numba.get_num_threads(),
        "learning_rate": result["config"]["learning_rate"],
        "batch_size": result["config"]["batch_size"],
        "epochs": len(result["epochs"]),  # of 4,000 images, the last one begun
        "scores": {key: round(value, 4) for key, value in result["scores"].items()},
        "milliseconds_per_image": round(result["milliseconds_per_image"], 1),
        "seed": result["config"]["seed"],
        "environment": environment(),
    }


def measured(path: Path) -> dict[str, Any]:
    """The rows that are there, by their network; another run may have added some meanwhile."""
    return {row["network"]: row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}


def main() -> None:
    """Train what is asked for, or what is missing; each row is saved as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", choices=[*NETWORKS, []], help="only these, measured anew")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the runs stay")
    arguments = parser.parse_args()
    path = RESULTS / "shapes.json"
    for name in arguments.networks or [name for name in NETWORKS if name not in measured(path)]:
        with tempfile.TemporaryDirectory() as folder:
            row = run(name, arguments.keep or Path(folder))
        rows = {**measured(path), name: row}
        path.write_text(json.dumps({"rows": [rows[known] for known in NETWORKS if known in rows]}, indent=1) + "\n")
        print(json.dumps({key: value for key, value in row.items() if key != "environment"}), flush=True)


if __name__ == "__main__":
    main()
