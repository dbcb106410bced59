"""Write the README's tables of measured results from benchmarks/results/*.json.

    python benchmarks/readme_tables.py         # rewrites README.md between its markers
"""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def load(name: str) -> dict[str, Any]:
    """One saved result."""
    loaded: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return loaded


def where(result: dict[str, Any]) -> str:
    """One line on machine, versions and commit."""
    facts = result["environment"]
    versions = ", ".join(f"{name} {facts[name]}" for name in ("torch", "numpy", "numba") if name in facts)
    return f"{facts['processor']}, {facts['cores']} cores, Python {facts['python']}, {versions}; {facts['date']}, commit {facts['commit']}."


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def commits(rows: list[dict[str, Any]]) -> str:
    """When and at which commits rows were measured."""
    facts = {(row["environment"]["date"], row["environment"]["commit"]) for row in rows}
    return "; ".join(f"{date}, commit {commit}" for date, commit in sorted(facts))


def training_step(name: str) -> str:
    """A network's training step, from the result of this name."""
    result = load(name)
    rows = []
    for row in result["rows"]:
        milliseconds, ratio = row["milliseconds"], row["ratio"]
        rows.append(
            [
                str(row["batch"]),
                str(row["threads"]),
                *(f"{milliseconds[library]:.2f}" for library in ("tinycnn", "torch", "torch channels_last")),
                *(f"{ratio[library]:.2f}" for library in ("torch", "torch channels_last")),
            ]
        )
    header = ["batch", "threads", "tinycnn, ms", "torch, ms", "torch channels_last, ms", "of torch", "of channels_last"]
    return table(header, rows) + "\n\n" + where(result)


def convolution() -> str:
    """Geometric means over the layer shapes."""
    result = load("conv_table")
    means = result["geometric_mean"]
    parts = list(means)
    rows = [["geometric mean", *(f"{means[part]:.2f}" for part in parts)]]
    rows += [[row["name"], *(f"{row[part]['ratio']:.2f}" for part in parts)] for row in result["rows"]]
    return table(["layer", *parts], rows) + "\n\n" + where(result)


def accuracy() -> str:
    """What training reaches."""
    result = load("accuracy")
    rows = [
        [row["command"], row["data"], ", ".join(f"{value:.2f} %" for value in row["test_accuracy"]), f"{row['seconds']:.0f} s"]
        for row in result["rows"]
    ]
    return table(["command", "data", "test accuracy", "time, median"], rows) + "\n\n" + where(result)


def memory() -> str:
    """Peak memory of training steps and of inference."""
    result = load("peak_memory")
    rows = []
    for row in result["megabytes"]:
        figures = (row[library][figure] for figure in ("peak", "growth") for library in ("tinycnn", "torch"))
        rows.append([row["work"], str(row["batch"]), *(f"{figure:.0f}" for figure in figures)])
    header = ["", "batch", "tinycnn, MB", "torch, MB", "tinycnn after import", "torch after import"]
    return table(header, rows) + "\n\n" + where(result)


def cifar() -> str:
    """The small variants on CIFAR-10."""
    result = load("cifar")
    rows = [
        [
            f"`{row['network']}`",
            f"{row['parameters']:,}",
            f"{row['macs'] / 1e6:.1f} M",
            str(row["epochs"]),
            # One thread cannot have computed for longer than it took.
            f"{row['processor_minutes_an_epoch']:.1f}" if "processor_minutes_an_epoch" in row else f"at most {row['minutes_an_epoch']:.1f}",
            f"{row['pace']['minutes_an_epoch']:.1f}" if row.get("pace") else "",
            f"{row['test_loss']:.2f}",
            f"{row['test_accuracy']:.2f} %",
        ]
        for row in result["rows"]
    ]
    first = result["rows"][0]["environment"]
    header = ["network", "parameters", "MACs an image", "epochs", "minutes of one core an epoch", "of two", "test loss", "test accuracy"]
    shared = f"{first['cores']} cores shared with other work, one seed, one thread"
    return table(header, rows) + f"\n\n{first['processor']}, {shared}; {commits(result['rows'])}."


def inference() -> str:
    """Whole networks in evaluation mode."""
    result = load("inference")
    rows = []
    for row in result["rows"]:
        times, ratios = row["milliseconds"], row["ratio"]
        cells = [f"{times[name]:.1f}" for name in ("tinycnn", "tinycnn fused", "torch", "torch channels_last")]
        rows.append([row["network"], str(row["batch"]), *cells, f"{ratios['tinycnn']['torch']:.2f}", f"{ratios['tinycnn fused']['torch']:.2f}"])
    header = ["network", "batch", "tinycnn, ms", "after nn.fuse, ms", "torch, ms", "torch channels_last, ms", "of torch", "fused of torch"]
    return table(header, rows) + "\n\n" + where(result)


def detectors() -> str:
    """Whole detectors, from image to boxes."""
    result = load("detection")
    rows = []
    for row in result["rows"]:
        times = [f"{row['milliseconds'][name]:.0f}" for name in ("tinycnn", "torchvision")]
        rows.append([row["network"], str(row["pixels"]), *times, f"{row['ratio']:.2f}"])
    return table(["network", "pixels a side", "tinycnn, ms", "torchvision, ms", "of torchvision"], rows) + "\n\n" + where(result)


def real_data() -> str:
    """Networks on real data, the faces among them."""
    found = load("real_data")["rows"]
    rows = [[each["study"], f"`{each['command']}`", each["figure"], each["beside"], f"{each['minutes']:.0f}", each["runs"]] for each in found]
    faces = {row["name"]: row for row in load("faces")["rows"]}
    own, plain = faces["arcface"], faces["plain pictures"]
    rows.append(
        [
            "ArcFace, ORL faces, ten people never seen",
            "`python benchmarks/faces.py ../shared/data/orl_faces`",
            f"equal error rate {own['eer']:.1f} % +- {own['eer deviation']:.1f}, TAR {own['tar at far 0.1']:.1f} % at FAR 0.1",
            f"the plain pictures: {plain['eer']:.1f} % +- {plain['eer deviation']:.1f}, {plain['tar at far 0.1']:.1f} %",
            f"{own['minutes a training'] * own['folds']:.0f}",
            f"{own['folds']} trainings, seed {own['seed']}",
        ]
    )
    first = found[0]["environment"]
    header = ["network and data", "command", "result", "beside it", "minutes", "runs"]
    return table(header, rows) + f"\n\n{first['processor']}, {first['cores']} cores; {commits([*found, own])}."


def quantised() -> str:
    """Networks in 8-bit integers."""
    result = load("quantize")
    rows = []
    for row in result["rows"]:
        best = next(way for way in row["ways"] if way["ranges"] == "mse" and way["per_channel"])
        sizes, times = row["bytes"], row["milliseconds"]["64"]
        accuracies = f"{row['float_accuracy']:.2f} %", f"{best['accuracy']:.2f} %"
        kilobytes = f"{sizes['float'] / 1e3:.0f} kB", f"{sizes['int8'] / 1e3:.0f} kB"
        rows.append([row["network"], row["data"], *accuracies, *kilobytes, f"{times['float']:.2f}", f"{times['int8']:.2f}"])
    header = ["network", "data", "floats", "8 bits", "weights", "8 bits", "ms for 64 images", "8 bits"]
    return table(header, rows) + "\n\n" + where(result)


def shapes() -> str:
    """Small detectors on drawn shapes."""
    found = load("shapes")["rows"]
    names = {"AP": "AP", "AP50": "AP50", "mask_AP50": "mask AP50", "keypoint_AP50": "OKS-AP50"}
    rows = []
    for row in found:
        scores = [f"{row['scores'][name]:.3f}" if name in row["scores"] else "" for name in names]
        cost = f"{row['minutes']:.0f}", str(row["threads"]), f"{row['milliseconds_per_image']:.1f}"
        rows.append([f"`{row['network']}`", f"{row['parameters']:,}", *scores, *cost])
    first = found[0]["environment"]
    header = ["network", "parameters", *names.values(), "minutes", "threads", "ms an image"]
    return table(header, rows) + f"\n\n{first['processor']}, one seed, batches of {found[0]['batch_size']}; {commits(found)}."


TABLES = {
    "training step": partial(training_step, "lenet_step"),
    "ResNet-20 step": partial(training_step, "resnet20_step"),
    "inference": inference,
    "detectors": detectors,
    "convolution": convolution,
    "accuracy": accuracy,
    "cifar": cifar,
    "memory": memory,
    "real data": real_data,
    "quantised": quantised,
    "shapes": shapes,
}


def filled(text: str) -> str:
    """The README with every marked table written anew."""
    for name, make in TABLES.items():
        pattern = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"README.md has no markers for the table {name!r}")
        text = pattern.sub(lambda match, make=make: match[1] + make() + "\n" + match[2], text)
    return text


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(filled(readme.read_text()))
    print(readme)
