"""CIFAR-10: one epoch of every midterm architecture's small variant, and ResNet-20 by its recipe; parameters, MACs, minutes and accuracy.

    python benchmarks/cifar.py                 # what is missing in results/cifar.json; needs CIFAR-10 in TINYCNN_DATA or the cache
    python benchmarks/cifar.py vgg16_cifar     # only these, measured anew
    NUMBA_NUM_THREADS=1 taskset -c 0 python benchmarks/cifar.py    # on one core, beside other work
    python benchmarks/cifar.py --pace          # the minutes of an epoch on all cores, from the median of some steps of each network
"""

import argparse
import json
import math
import statistics
import tempfile
import time
from typing import Any

import numba
import numpy as np
from harness import RESULTS, environment, trained
from tinycnn_steps import tinycnn_step

from tinycnn import models, nn, study

# Network and epochs; resnet20 runs its whole recipe.
RUNS = {
    "vgg16_cifar": 1,
    "mobilenet_cifar": 1,
    "mobilenet_v2_cifar": 1,
    "resnet20": 15,
    "shufflenet_v1_cifar": 1,
    "shufflenet_v2_cifar": 1,
    "googlenet_cifar": 1,
    "inception_v3_cifar": 1,
    "inception_v4_cifar": 1,
    "xception_cifar": 1,
    "resnext_cifar": 1,
    "densenet_cifar": 1,
    "efficientnet_cifar": 1,
}
IMAGE = (3, 32, 32)
BATCH, STEPS_AN_EPOCH = 128, math.ceil(50_000 / 128)


def run(name: str, epochs: int) -> dict[str, Any]:
    """Train in a process of its own, and count what the network costs."""
    with tempfile.TemporaryDirectory() as folder:
        result, busy = trained(name, "--data", "cifar10", "--epochs", str(epochs), "--out", f"{folder}/run", "--no-pictures")
    costs = study.summary(nn.utils.skip_init(models.get_model, name), IMAGE)
    return {
        "network": name,
        "parameters": costs.parameters,
        "macs": costs.macs,
        "epochs": epochs,
        "threads": numba.get_num_threads(),
        "minutes_an_epoch": round(result["training_seconds"] / 60 / epochs, 2),
        "processor_minutes_an_epoch": round(busy / 60 / epochs, 2),  # compiling and evaluation included; other work on the machine does not count
        "train_loss": round(result["epochs"][-1]["train_loss"], 4),  # mean over the last epoch; knowing nothing gives log 10 = 2.3026
        "test_loss": round(result["test_loss"], 4),
        "test_accuracy": round(100 * result["test_accuracy"], 2),
        "seed": result["config"]["seed"],
        "environment": environment(),
    }


def pace(name: str) -> dict[str, Any]:
    """The minutes of an epoch's steps on all threads, were each as fast as the median of 15; compiling, loading and evaluation left out."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((BATCH, *IMAGE), dtype=np.float32), rng.integers(0, 10, BATCH)
    step = tinycnn_step(models.get_model(name), x, y, lr=0.01)
    seconds = []
    for _ in range(18):
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return {"threads": numba.get_num_threads(), "minutes_an_epoch": round(statistics.median(seconds[3:]) * STEPS_AN_EPOCH / 60, 2)}


def main() -> None:
    """Train what is asked for, or what is missing; each row is saved as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", choices=[*RUNS, []], help="only these, measured anew")
    parser.add_argument("--pace", action="store_true", help="train nothing; time the steps of what was trained")
    arguments = parser.parse_args()
    networks = arguments.networks
    path = RESULTS / "cifar.json"
    rows = {row["network"]: row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}
    for name in networks or [name for name in RUNS if (name in rows) == arguments.pace]:
        if arguments.pace:
            rows[name]["pace"] = pace(name)
        else:
            rows[name] = {**run(name, RUNS[name]), "pace": rows.get(name, {}).get("pace")}
        ordered = [rows[known] for known in RUNS if known in rows]
        path.write_text(json.dumps({"rows": ordered}, indent=1) + "\n")
        print(json.dumps({key: value for key, value in rows[name].items() if key != "environment"}), flush=True)


if __name__ == "__main__":
    main()
