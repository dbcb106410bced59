"""`tinycnn segment PHOTO`: what every pixel of a photo belongs to, painted over it.

A network trained here is asked by its run; one that others trained on Pascal VOC's classes by its name and weights.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CheckpointError, DataError, UsageError
from .common import RUNS, Console, add_machine_options, find_run, known_runs, table, use_threads, whole_number
from .predict import read_image

DESCRIPTION = """\
Name the class of every pixel of a photo, or count its cells: PHOTO-segmented.png shows the photo and, beside it, the
classes painted over it with their names. Without --model the segmentation network trained last is asked. The name of a
network asks for weights that others published, such as torchvision's: they are looked for in --weights, $TINYCNN_WEIGHTS
and PyTorch's download folder."""
EPILOG = """\
examples:
  tinycnn segment photo.jpg                                  with the newest segmentation run under runs/
  tinycnn segment street.png --model runs/segnet-camvid --size 480
  tinycnn segment cells.png --model runs/unet-nuclei --labels cells-numbered.png
  tinycnn segment photo.jpg --model deeplabv3_resnet50 --weights deeplabv3_resnet50_coco-cd0a2569.pth
"""
SHORTER = 520  # pixels to which torchvision resizes for its segmentation networks
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
LARGEST = 4096  # pixels a side that a network is asked about at once


@dataclass(frozen=True)
class Asked:
    """A network, what it must know of pictures, and where it came from."""

    model: Any
    info: dict[str, Any]  # model, data, classes, instances, image_size, mean, std
    source: Path
    shorter: bool  # whether image_size is of the shorter side


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="PNG, JPEG, BMP, GIF, TIFF ... files")
    parser.add_argument("--model", metavar="RUN", help="folder, checkpoint or name of a run (default: the newest that names pixels), or a network")
    parser.add_argument("--weights", metavar="FILE", help="weights of the network: .pth, .safetensors, .npz")
    parser.add_argument(
        "--size",
        type=whole_number(0),
        metavar="N",
        help="pixels of the photo's longer side as the network sees it; 0: as it is (default: as large as the training pictures)",
    )
    parser.add_argument("--opacity", type=_share, default=0.55, metavar="X", help="how much of the colour covers the photo, 0 to 1 (default: 0.55)")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="also write the numbers of the classes, or of the cells, as a PNG")
    parser.add_argument("--out", type=Path, default=Path("."), metavar="FOLDER", help="where PHOTO-segmented.png goes (default: here)")
    add_machine_options(parser)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number from 0 to 1")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Read, ask, paint."""
    from ..train import require_writable

    console = Console(arguments.json)
    if arguments.labels is not None and len(arguments.photos) > 1:
        raise UsageError(f"--labels {arguments.labels} is one file, there are {len(arguments.photos)} photos; ask for them one by one")
    if arguments.labels is not None and arguments.labels.suffix.lower() != ".png":
        raise UsageError(f"--labels {arguments.labels}: name a file that ends in .png; no other kind keeps the numbers")
    photos = [read_image(Path(name)).convert("RGB") for name in arguments.photos]
    use_threads(arguments.threads)
    asked = _network(arguments)
    folder = require_writable(arguments.out)
    console.say(f"{asked.info['model']} from {asked.source}")
    answers = []
    for name, photo in zip(arguments.photos, photos, strict=True):
        classes, seen = _ask(asked, photo, arguments.size)
        answers.append(_show(asked, name, photo, classes, seen, folder, arguments, console))
    console.result({"model": asked.info["model"], "source": asked.source, "photos": answers})
    return 0


# The network


def _network(arguments: argparse.Namespace) -> Asked:
    """The run that is asked, or the published network."""
    from ..models import list_models
    from .runs import restore

    name = arguments.model
    if arguments.weights is not None and name not in list_models("segmentation"):
        raise UsageError(f"--weights goes with a network that names pixels: --model {' or '.join(('fcn_resnet50', 'deeplabv3_resnet50'))}, or such")
    if name in list_models("segmentation") and not any(path.exists() for path in (Path(name), RUNS / name)):
        return _published(name, arguments.weights)
    source = find_run(name) if name is not None else newest_run()
    restored = restore(source, task="segmentation")
    return Asked(restored.model, restored.info, source, False)


def newest_run() -> Path:
    """The newest run under runs/ that names pixels.

    Raises
    ------
    DataError
        When there is none.
    """
    for folder in known_runs():
        try:
            facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(facts, dict) and isinstance(facts.get("run"), dict) and facts["run"].get("task") == "segmentation":
            return folder
    raise DataError("there is no network that names pixels under runs/ yet; `tinycnn train unet --data shapes` makes one in a few minutes")


def _published(name: str, weights: str | None) -> Asked:
    """A network with the weights in a file; torchvision's have an auxiliary classifier, ours only where the file does."""
    import inspect

    from .. import models
    from ..data import VOC_NAMES
    from ..nn.utils import skip_init
    from ..weights import load
    from ..weights.pretrained import find_weights
    from .photo import head_size

    source = Path(weights) if weights else find_weights(name)
    state = load(source)
    options: dict[str, Any] = {}
    if "aux_loss" in inspect.signature(getattr(models.segmentation, name)).parameters:
        options["aux_loss"] = any(key.startswith("aux_classifier.") for key in state)
    model = skip_init(models.get_model, name, **options)
    classes = head_size(model, state)
    if classes != head_size(model, model.state_dict()):
        model = skip_init(models.get_model, name, num_classes=classes, **options)
    try:
        models.load_weights(model, state)
    except CheckpointError as error:
        raise CheckpointError(f"{source} does not fit {name}: {error}") from error
    names = list(VOC_NAMES) if classes == len(VOC_NAMES) else [f"class {k}" for k in range(classes)]
    info = {"model": name, "data": "voc", "classes": names, "instances": False, "image_size": SHORTER, **IMAGENET}
    return Asked(model.eval(), info, source, True)


# The answer


def _ask(asked: Asked, photo: Any, size: int | None) -> tuple[Any, tuple[int, int]]:
    """The class of every pixel of the photo, and the (width, height) at which the network saw it."""
    import numpy as np
    from PIL import Image

    from ..errors import ShapeError
    from ..train import pixel_scores

    seen = _seen_size(asked, photo.size, size)
    if max(seen) > LARGEST:
        raise UsageError(f"the network would see {seen[0]} x {seen[1]} pixels, more than {LARGEST} a side; a smaller --size is quicker, too")
    pixels = np.asarray(photo if seen == photo.size else photo.resize(seen, Image.Resampling.BILINEAR))
    try:
        scores = pixel_scores(asked.model, pixels[None], asked.info["mean"], asked.info["std"])[0]
    except ShapeError as error:
        raise UsageError(f"{error}; a larger --size helps") from error
    classes = scores.argmax(0).astype(np.uint8)
    return np.asarray(Image.fromarray(classes).resize(photo.size, Image.Resampling.NEAREST)), seen


def _seen_size(asked: Asked, photo: tuple[int, int], size: int | None) -> tuple[int, int]:
    """Width and height after resizing: `size` on the longer side, else what the network was trained with."""
    if size == 0:
        return photo
    if size is None and asked.shorter:
        factor = asked.info["image_size"] / min(photo)
    else:
        factor = (size or asked.info["image_size"]) / max(photo)
    return max(1, round(photo[0] * factor)), max(1, round(photo[1] * factor))


def _show(
    asked: Asked, name: str, photo: Any, classes: Any, seen: tuple[int, int], folder: Path, arguments: argparse.Namespace, console: Console
) -> dict[str, Any]:
    """Paint, print and sum up one photo."""
    import numpy as np
    from PIL import Image

    from .. import plot
    from ..models.segmentation import instances_by_border

    info, pixels = asked.info, np.asarray(photo)
    note = "" if seen == photo.size else f", seen at {seen[0]} x {seen[1]} (--size changes that)"
    target = folder / f"{Path(name).stem}-segmented.png"
    shares = np.bincount(classes.ravel(), minlength=len(info["classes"])) / classes.size
    rows = [(info["classes"][k], float(shares[k])) for k in np.argsort(-shares, kind="stable") if shares[k]]
    console.say(f"\n{name}: {photo.width} x {photo.height} pixels{note}")
    console.say(table(["class", "% of the pixels"], [[words, f"{100 * share:.2f}"] for words, share in rows]))
    numbers, count = classes, None
    if info["instances"]:
        # Cells are told apart at the photo's own size, so that their outlines are.
        numbers = instances_by_border(classes)
        count = int(numbers.max(initial=0))
        areas = np.bincount(numbers.ravel())[1:]
        console.say(f"{count} cells" + (f", {areas.mean():.0f} pixels on average, {areas.min()} to {areas.max()}" if count else ""))
        plot.draw_label_maps({"photo": pixels, f"{count} cells": plot.overlay_instances(pixels, numbers)}, target)
    else:
        palette = plot.palette_for(info["data"], len(info["classes"]))
        painted = plot.overlay(pixels, classes, palette, opacity=arguments.opacity)
        shown = np.flatnonzero(shares).tolist()
        plot.draw_label_maps({"photo": pixels, "classes": painted}, target, classes=info["classes"], palette=palette, shown=shown)
    console.say(f"picture: {target}")
    if arguments.labels is not None:
        Image.fromarray(numbers.astype(np.uint8 if numbers.max(initial=0) < 256 else np.uint16)).save(arguments.labels)
        console.say(f"labels: {arguments.labels}")
    return {
        "photo": name,
        "seen": seen,
        "classes": [{"name": words, "share": share} for words, share in rows],
        "cells": count,
        "picture": target,
        "labels": arguments.labels,
    }
