"""Real data: segmentation, detection, denoising and text, each by its command and beside a paper's figure or a baseline, with minutes and seeds.

    python benchmarks/real_data.py ../shared/data            # what is missing in results/real_data.json
    python benchmarks/real_data.py ../shared/data segnet     # only these, measured anew
    python benchmarks/real_data.py ../shared/data --keep F   # leave the runs in folder F, with curves and pictures

The faces have a benchmark of their own, faces.py, and the 8-bit networks quantize.py.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
from harness import RESULTS, ROOT, environment
from scipy import ndimage

from tinycnn.data import load_label_maps
from tinycnn.models.segmentation import match_instances

Result = dict[str, Any]


@dataclass(frozen=True)
class Study:
    """A command, what of its answer counts, and what to hold it against."""

    title: str
    arguments: tuple[str, ...]  # of `tinycnn`; {data} is the folder of the data, {out} that of the run
    figure: Callable[[Result], str]
    beside: str | Callable[[], str]
    runs: str = "seed 0"


def classes_of_pixels(result: Result) -> str:
    """The three scores of the papers."""
    figures = (result[key] for key in ("mean_iou", "mean_accuracy", "pixel_accuracy"))
    return "mean IoU {:.1f} %, mean accuracy {:.1f} %, pixels {:.1f} %".format(*(100 * figure for figure in figures))


def cells_found(result: Result) -> str:
    """How many nuclei are right."""
    return f"F1 of nuclei at IoU > 0.5 {result['instance_f1']:.3f}"


def mask_precision(result: Result) -> str:
    """Average precision of the masks and of the boxes."""
    scores = result["scores"]
    return f"mask AP50 {scores['mask_AP50']:.3f}, box AP50 {scores['AP50']:.3f}"


def box_precision(result: Result) -> str:
    """Average precision of the boxes, the mean over the classes."""
    scores = result["scores"]
    return f"mAP50 {scores['AP50']:.3f}, AP {scores['AP']:.3f}"


def decibels(result: Result) -> str:
    """Before and after, mean of the test images."""
    (test,) = result["tests"].values()
    return f"PSNR {test['mean']['psnr_before']:.2f} -> {test['mean']['psnr_after']:.2f} dB"


def cases(result: Result) -> str:
    """Noise2Void on white noise, with the spot seen, on stripes."""
    return "; ".join(f"{case['name']} {case['psnr_before']:.1f} -> {case['psnr_after']:.1f} dB" for case in result["cases"])


def folds(result: Result) -> str:
    """Mean and deviation over folds."""
    return f"{100 * result['mean']:.2f} % +- {100 * result['deviation']:.2f} of sentences"


def share(result: Result) -> str:
    """Right answers of the test sentences."""
    return f"{100 * result['accuracy']:.1f} % of sentences"


def threshold_baseline() -> str:
    """The nuclei of the test pictures by Otsu's threshold and connected components, brighter than the background or darker."""
    counts = np.zeros(3, np.int64)
    for picture, truth in load_label_maps("nuclei", "test"):
        grey = picture.mean(2)
        levels, edges = np.histogram(grey, 256)
        below = np.cumsum(levels)[:-1].astype(float)
        mean_below = np.cumsum(levels * edges[1:])[:-1]
        whole, mean = levels.sum(), (levels * edges[1:]).sum()
        apart = (mean * below - whole * mean_below) ** 2 / np.maximum(below * (whole - below), 1)
        above = grey > edges[1:][apart.argmax()]
        rarer = above if above.mean() < 0.5 else ~above
        counts += match_instances(truth, ndimage.label(rarer)[0], 0.5)
    found, invented, missed = counts
    return f"Otsu's threshold and connected components: {2 * found / (2 * found + invented + missed):.3f}"


STUDIES = {
    "unet": Study("U-Net, a quarter of its width, nuclei", ("train", "unet", "--data", "nuclei"), cells_found, threshold_baseline),
    "maskrcnn": Study(
        "Mask R-CNN, small, nuclei",
        ("train", "maskrcnn_mini", "--data", "nuclei", "--minutes", "15", "--lr", "2e-3", "--batch-size", "4"),
        mask_precision,
        "the U-Net above",
    ),
    "bccd": Study(
        "Faster R-CNN, small, blood cells (BCCD), three classes",
        (
            *("train", "fasterrcnn_mini", "--data", "bccd", "--minutes", "30", "--batch-size", "8"),
            *("--option", "min_size=240", "--option", "max_size=320"),
        ),
        box_precision,
        "from nothing, on 205 pictures; usual figures start from ImageNet's or COCO's weights",
    ),
    "segnet": Study(
        "SegNet, a quarter of its width, CamVid at 240 x 180",
        ("train", "segnet", "--data", "camvid"),
        classes_of_pixels,
        "full width, 480 x 360, 40,000 steps: 50.0 %, 59.9 %, 88.8 % (its paper, table 3)",
    ),
    "fcn": Study(
        "FCN-8s, a quarter of its width, CamVid at 240 x 180",
        ("train", "fcn8s_vgg16", "--data", "camvid"),
        classes_of_pixels,
        "FCN with learnt deconvolution, full width, 480 x 360, 40,000 steps: 48.7 %, 56.1 %, 83.2 % (SegNet's paper, table 3)",
    ),
    "dncnn": Study(
        "DnCNN, 9 layers of 32, 2,000 steps on BSD68, Set12, sigma 25",
        ("learn-denoising", "{data}/denoise/BSD68", "--depth", "9", "--width", "32", "--steps", "2000", "--test", "{data}/denoise/Set12"),
        decibels,
        "17 layers of 64, trained to its end: 30.44 dB (its paper); the published weights here: 30.445",
    ),
    "noise2void": Study(
        "Noise2Void, one image of Set12",
        ("noise2void", "{data}/denoise/Set12/01.png", "--grey", "--demonstrate", "--steps", "1000"),
        cases,
        "no clean image is used; stripes are kept, as the paper's section 4.6 expects of structured noise",
    ),
    "rt-polarity": Study(
        "Kim's network, random vectors, rt-polarity, ten folds",
        ("text", "train", "rt-polarity", "--folder", "{data}/text", "--folds", "10", "--epochs", "8"),
        folds,
        "CNN-rand 76.1 % (Kim 2014, table 2)",
        "10 folds, seed 0",
    ),
    "trec": Study(
        "Kim's network, random vectors, TREC",
        ("text", "train", "trec", "--folder", "{data}/text", "--epochs", "8"),
        share,
        "CNN-rand 91.2 % (Kim 2014, table 2)",
    ),
}
PLACED = {"train": ("--out", "{out}"), "text": ("--out", "{out}"), "learn-denoising": ("--out", "{out}"), "noise2void": ("--out", "{out}")}


def run(name: str, data: Path, folder: Path) -> dict[str, Any]:
    """Run the command in a process of its own."""
    study = STUDIES[name]
    places = {"data": data, "out": folder / name}
    command = [text.format(**places) for text in (*study.arguments, *PLACED[study.arguments[0]], "--json")]
    began = time.perf_counter()
    answer = subprocess.run([sys.executable, "-m", "tinycnn", *command], stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True).stdout
    return {
        "name": name,
        "study": study.title,
        "command": " ".join(("tinycnn", *study.arguments)).replace("{data}", "../shared/data"),
        "figure": study.figure(json.loads(answer)),
        "beside": study.beside if isinstance(study.beside, str) else study.beside(),
        "minutes": round((time.perf_counter() - began) / 60, 1),  # compiling, testing and pictures included
        "threads": numba.get_num_threads(),
        "runs": study.runs,
        "environment": environment(),
    }


def main() -> None:
    """Run what is asked for, or what is missing; each row is saved as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the folder of the data sets")
    parser.add_argument("studies", nargs="*", choices=[*STUDIES, []], help="only these, measured anew")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the runs stay")
    arguments = parser.parse_args()
    data = arguments.data.resolve()
    os.environ["TINYCNN_DATA"] = str(data)
    path = RESULTS / "real_data.json"
    rows = {row["name"]: row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}
    for name in arguments.studies or [name for name in STUDIES if name not in rows]:
        with tempfile.TemporaryDirectory() as folder:
            row = run(name, data, (arguments.keep or Path(folder)).resolve())
        rows = {row["name"]: row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}
        rows[name] = row
        path.write_text(json.dumps({"rows": [rows[known] for known in STUDIES if known in rows]}, indent=1) + "\n")
        print(json.dumps({key: value for key, value in row.items() if key != "environment"}), flush=True)


if __name__ == "__main__":
    main()
