"""The ORL faces: every loss of metric learning on four blocks of ten held-out people, and the baselines; equal error rate, AUC, TAR, minutes.

    python benchmarks/faces.py ../shared/data/orl_faces              # what is missing in results/faces.json
    python benchmarks/faces.py ../shared/data/orl_faces arcface      # only this loss, measured anew
    NUMBA_NUM_THREADS=1 python benchmarks/faces.py ...               # on one core, beside other work

Each row is a mean over four trainings, which hold out s1-s10, s11-s20, s21-s30 and s31-s40: everybody is a stranger once. Seed 0 throughout.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numba
import numpy as np
from harness import RESULTS, environment

from tinycnn import study
from tinycnn.data.people import read_people
from tinycnn.train.metric_learning import LOSSES, MetricConfig, hold_out, train_embedding

HELD_OUT, FOLDS = 10, 4


def run(folder: Path, loss: str) -> list[dict[str, Any]]:
    """Rows of a loss, and of the baselines."""
    people = read_people(folder)
    config = MetricConfig(loss=loss)
    found: dict[str, list[Any]] = {}
    shots, added, seconds = [], [], 0.0
    for fold in range(FOLDS):
        trained = train_embedding(hold_out(people, HELD_OUT, fold)[0], config)
        report = study.recognition_report(trained, people, ways=(HELD_OUT,), shots=(1,))
        for name, verification in report.verified.items():
            found.setdefault(name, []).append(verification)
        shots.append(report.shots[0].accuracy)
        assert report.added is not None
        added.append(report.added.new_after)
        seconds += sum(epoch.seconds for epoch in trained.epochs)
    rows = []
    for name, each in found.items():
        row: dict[str, Any] = {"name": name, "folds": FOLDS, "seed": config.seed}
        for key, values in (("eer", [v.eer for v in each]), *((f"tar at far {rate}", [v.tar[rate][0] for v in each]) for rate in ("0.1", "0.01"))):
            row[key] = round(100 * float(np.mean(values)), 2)
            row[f"{key} deviation"] = round(100 * float(np.std(values, ddof=1)), 2)
        row["auc"] = round(float(np.mean([v.auc for v in each])), 4)
        if name == loss:
            row |= {"10-way 1-shot": round(100 * float(np.mean(shots)), 2), "new people named rightly": round(100 * float(np.mean(added)), 2)}
            row |= {"epochs": config.epochs, "minutes a training": round(seconds / 60 / FOLDS, 2), "threads": numba.get_num_threads()}
        rows.append({**row, "environment": environment()})
    return rows


def main() -> None:
    """Train what is asked for, or what is missing; rows are saved as soon as they are there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the ORL faces, s1 to s40")
    parser.add_argument("losses", nargs="*", choices=[*LOSSES, []], help="only these, measured anew")
    arguments = parser.parse_args()
    path = RESULTS / "faces.json"
    rows = {row["name"]: row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}
    for loss in arguments.losses or [loss for loss in LOSSES if loss not in rows]:
        for row in run(arguments.folder, loss):
            rows[row["name"]] = row  # the baselines are the same beside every loss
            print(json.dumps({key: value for key, value in row.items() if key != "environment"}), flush=True)
        path.write_text(json.dumps({"rows": list(rows.values())}, indent=1) + "\n")


if __name__ == "__main__":
    main()
