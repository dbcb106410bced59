"""`tinycnn data`: what is in a data set and its mean and deviation; annotations checked and converted."""

import argparse
from typing import Any

import numpy as np

from . import data_annotations
from .common import Console, check_action, table

DESCRIPTION = """\
stats: count a data set's images by class; mean and standard deviation of each channel over its training images.
check: say in words what in annotations (VOC, COCO, YOLO, LabelMe, VIA, LabelBox, RectLabel) will silently break.
convert: write annotations in another format, and tell what it cannot hold."""
EPILOG = """\
examples:
  tinycnn data stats digits
  tinycnn data stats cifar10
  tinycnn data stats ~/photos --json        a folder with a folder of pictures for each class
  tinycnn data check ~/BCCD                 a folder with annotations and pictures, or one file of annotations
  tinycnn data check labels.json --images ~/photos
  tinycnn data convert ~/BCCD boxes.json --to coco
"""
ACTIONS = ("stats", "check", "convert")
CHUNK = 1000  # images read at a time


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", metavar="ACTION", help="stats, check or convert")
    parser.add_argument(
        "data",
        metavar="NAME|PATH",
        help="digits, mnist, cifar10, cifar100, or a folder or archive; for check and convert: annotations, a file or folder",
    )
    data_annotations.configure(parser)
    parser.add_argument("--download", action=argparse.BooleanOptionalAction, default=True, help="fetch a data set that is not on this machine")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output, all else on standard error")


def run(arguments: argparse.Namespace) -> int:
    """Compute and print."""
    check_action(arguments.action, ACTIONS)
    if arguments.action != "stats":
        return data_annotations.check(arguments) if arguments.action == "check" else data_annotations.convert(arguments)
    from .data import open_data

    console = Console(arguments.json)
    data = open_data(arguments.data, arguments.download)
    means, deviations = channel_means(data.train)
    size = data.image_size
    console.say(f"{data.name}: {len(data.train):,} training and {len(data.test):,} test images of {data.channels} x {size} x {size} pixels\n")
    used = list(zip(data.train.mean, data.train.std, strict=True))
    rows = [
        [str(channel), f"{mean:.4f}", f"{deviation:.4f}", f"{used[channel][0]:.4f}", f"{used[channel][1]:.4f}"]
        for channel, (mean, deviation) in enumerate(zip(means, deviations, strict=True))
    ]
    console.say(table(["channel", "mean", "standard deviation", "used: mean", "standard deviation"], rows))
    counts = [np.bincount(split.labels(), minlength=len(data.classes)) for split in (data.train, data.test)]
    shown = [[name, f"{counts[0][label]:,}", f"{counts[1][label]:,}"] for label, name in enumerate(data.classes)]
    console.say("\n" + table(["class", "training", "test"], shown))
    console.result(
        {
            "data": data.name,
            "train": len(data.train),
            "test": len(data.test),
            "mean": means,
            "std": deviations,
            "classes": {name: [int(count[label]) for count in counts] for label, name in enumerate(data.classes)},
        }
    )
    return 0


def channel_means(dataset: Any) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over all images, bytes as 0 to 1, in one pass of bounded memory."""
    total = np.zeros(dataset.image_shape[0])
    squares, pixels = np.zeros_like(total), 0
    for start in range(0, len(dataset), CHUNK):
        pictures = [dataset.picture(index)[0] for index in range(start, min(start + CHUNK, len(dataset)))]
        images = np.stack([picture[..., None] if picture.ndim == 2 else picture for picture in pictures])
        flat = images.reshape(-1, images.shape[-1]).astype(np.float64) / (255 if images.dtype == np.uint8 else 1)
        total += flat.sum(0)
        squares += (flat**2).sum(0)
        pixels += len(flat)
    mean = total / pixels
    return mean.tolist(), np.sqrt(np.maximum(squares / pixels - mean**2, 0)).tolist()
