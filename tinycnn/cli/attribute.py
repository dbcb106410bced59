"""`tinycnn attribute IMAGE`: where a network looks, by several methods side by side."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArgumentError, DataError, ShapeError, UsageError
from .common import Console, add_machine_options, find_run, use_threads, whole_number
from .shape import finish

DESCRIPTION = """\
Maps of one number a pixel: what a network's score of a class has to do with each part of the image. CAM, Grad-CAM, Grad-CAM++, Layer-CAM, Score-CAM,
saliency, SmoothGrad, guided backpropagation, deconvnet, integrated gradients and occlusion; or what is inside: a layer's maps, its filters, the
patches that a unit answers to most, the attention masks, the pixels that really move a layer (effective receptive field), and the check that a
method's map changes when the network forgets what it learned."""
EPILOG = """\
examples:
  tinycnn attribute photo.jpg --model efficientnet_lite0 --out sheet.png
  tinycnn attribute photo.jpg --model efficientnet_lite0 --method grad_cam occlusion --target "tabby" --html maps.html
  tinycnn attribute seven.png --model runs/lenet5-digits --method all --out sheet.png
  tinycnn attribute photo.jpg --model efficientnet_lite0 --layers        every layer that has maps
  tinycnn attribute photo.jpg --model efficientnet_lite0 --show activations --layer _blocks.4 --out maps.png
  tinycnn attribute photo.jpg --model cbam_resnet18 --untrained --show masks --out masks.png
  tinycnn attribute --model runs/lenet5-mnist --show patches --data mnist --layer conv2 --unit 3 --out patches.png
  tinycnn attribute --model resnet18 --untrained --show field --layer layer3 --out field.png
"""
USUAL = ("grad_cam", "layer_cam", "guided_backprop", "integrated_gradients", "occlusion")
SHOWS = ("maps", "activations", "filters", "patches", "masks", "field", "check")
WITHOUT_IMAGE = ("filters", "patches", "field")
FIELD_IMAGES = 4  # random ones, over which the influence is summed
FIRST_CHOICES = 5


@dataclass(frozen=True)
class Subject:
    """A network, the image as it wants it and as people see it, and its classes' names."""

    model: Any
    name: str
    pixels: np.ndarray  # (1, C, H, W)
    shown: np.ndarray  # uint8 (H, W) or (H, W, 3)
    names: list[str]
    mean: Any  # with which pixels are normalised
    std: Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="PNG, JPEG, BMP, GIF, TIFF ... file; filters, patches and field need none")
    parser.add_argument("--model", metavar="RUN", help="folder, checkpoint or name of a run (default: the newest), or an architecture")
    parser.add_argument("--weights", metavar="FILE", help="weights of the architecture: .pth, .safetensors, .npz")
    parser.add_argument("--classes", metavar="FILE", help="names of the architecture's classes, one a line (default: ImageNet's where it has 1,000)")
    parser.add_argument("--untrained", action="store_true", help="the architecture with random weights, for comparison")
    parser.add_argument("--method", nargs="+", default=list(USUAL), metavar="NAME", help=f"one or more methods, or all (default: {' '.join(USUAL)})")
    parser.add_argument("--target", metavar="CLASS", help="number or name of the class asked about (default: the network's first choice)")
    parser.add_argument("--layer", metavar="PATH", help="whose maps are weighed (default: the last before the pooling)")
    parser.add_argument("--layers", action="store_true", help="list the layers that have maps, and stop")
    words = "maps of the methods (default), a layer's activations, filters, strongest patches, attention masks, receptive field, or the sanity check"
    parser.add_argument("--show", choices=SHOWS, default="maps", help=words)
    parser.add_argument("--patch", type=whole_number(1), metavar="N", help="occlusion: pixels a side of the patch (default: a sixth of the image)")
    parser.add_argument("--stride", type=whole_number(1), metavar="N", help="occlusion: its step (default: half the patch)")
    parser.add_argument("--steps", type=whole_number(1), default=32, metavar="N", help="integrated gradients: points on the way (default: 32)")
    parser.add_argument("--samples", type=whole_number(1), default=25, metavar="N", help="SmoothGrad: noisy copies (default: 25)")
    parser.add_argument("--channels", type=whole_number(1), default=64, metavar="N", help="Score-CAM: strongest maps to try (default: 64)")
    words = "deconvnet: start at this map of --layer rather than at the class; patches: of this map"
    parser.add_argument("--unit", type=whole_number(0), metavar="N", help=words)
    words = "patches: whose test images are searched, such as mnist (default: what the run was trained on)"
    parser.add_argument("--data", metavar="NAME|PATH", help=words)
    parser.add_argument("--out", type=Path, metavar="FILE", help="the picture to write, such as sheet.png")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the maps as one page that works offline")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask and draw."""
    from ..study.attribution.methods import METHODS, method_named

    console = Console(arguments.json)
    try:
        wanted = list(METHODS) if "all" in arguments.method else [method_named(name) for name in arguments.method]
        use_threads(arguments.threads)
        subject = read_subject(arguments)
        if arguments.layers:
            return _list_layers(subject, console)
        if arguments.show == "maps":
            return _maps(arguments, subject, wanted, console)
        return _inside(arguments, subject, wanted, console)
    except (ArgumentError, ShapeError) as error:
        raise UsageError(str(error)) from error


def read_subject(arguments: argparse.Namespace) -> Subject:
    """The network and the image."""
    from PIL import Image

    from .predict import is_architecture, prepare, read_image

    if arguments.image is None and arguments.show not in WITHOUT_IMAGE:
        raise UsageError(f"--show {arguments.show} looks at an image: tinycnn attribute IMAGE --model RUN")
    picture = Image.new("RGB", (256, 256), "grey") if arguments.image is None else read_image(Path(arguments.image))
    if arguments.untrained or is_architecture(arguments):
        return _architecture(arguments, picture)
    from .runs import restore

    restored = restore(find_run(arguments.model))
    info = restored.info
    shown, _ = prepare(picture, info)
    planes = shown[None] if shown.ndim == 2 else shown.transpose(2, 0, 1)
    mean, std = (np.asarray(info[key], np.float32).reshape(-1, 1, 1) for key in ("mean", "std"))
    pixels = np.ascontiguousarray((planes / np.float32(255) - mean) / std, dtype=np.float32)[None]
    arguments.data = arguments.data or info["data"]
    shown, names = shown.round().clip(0, 255).astype(np.uint8), [str(name) for name in info["classes"]]
    return Subject(restored.model, info["model"], pixels, shown, names, info["mean"], info["std"])


def _architecture(arguments: argparse.Namespace, picture: Any) -> Subject:
    """A network by its name, with published weights or random ones."""
    from ..models import get_model, input_size
    from ..weights.pretrained import Preprocessing, find_weights, preprocessing
    from .photo import known, pretrained_model, read_names, see

    if arguments.model is None:
        raise UsageError("--untrained goes with an architecture: --model resnet18")
    name = known(arguments.model)
    channels, side, _ = input_size(name)
    how = preprocessing(name, side)
    if arguments.untrained:
        model = get_model(name).eval()
        how = Preprocessing(side, side, how.interpolation, how.mean, how.std)
        classes = 0
    else:
        model, classes = pretrained_model(name, Path(arguments.weights) if arguments.weights else find_weights(name))
    pixels = see(picture, how)
    shown = pixels.transpose(1, 2, 0) * np.asarray(how.std, np.float32) + np.asarray(how.mean, np.float32)
    shown = (255 * shown).round().clip(0, 255).astype(np.uint8)
    if channels == 1:
        pixels, shown = pixels.mean(0, keepdims=True), shown.mean(2).astype(np.uint8)
    names = read_names(arguments.classes, classes or _count_classes(model, pixels))
    words = f"{name}{', untrained' if arguments.untrained else ''}"
    return Subject(model, words, pixels[None], shown, names, how.mean[:channels], how.std[:channels])


def _count_classes(model: Any, pixels: np.ndarray) -> int:
    from ..study.attribution.probe import Probe

    return Probe("attribute", model, pixels[None]).classes


def target_of(subject: Subject, text: str | None) -> int | None:
    """The class that the user named by number or by a part of its name."""
    if text is None:
        return None
    if text.isdecimal():
        return int(text)
    same = [k for k, name in enumerate(subject.names) if name.lower() == text.lower()]
    like = same or [k for k, name in enumerate(subject.names) if text.lower() in name.lower()]
    if not like:
        raise UsageError(f"--target {text}: {subject.name} has no class of that name; give its number, 0 to {len(subject.names) - 1}")
    if len(like) > 1:
        raise UsageError(f"--target {text} fits {len(like)} classes: {', '.join(f'{k} {subject.names[k]}' for k in like[:5])}; give the number")
    return like[0]


def options_of(arguments: argparse.Namespace, method: str, subject: Subject) -> dict[str, Any]:
    """The options that a method takes, of those on the command line."""
    from ..study.attribution.methods import METHODS

    side = min(subject.pixels.shape[2:])
    patch = arguments.patch or max(1, side // 6)
    given = {
        "patch": patch,
        "stride": arguments.stride or max(1, patch // 2),
        "steps": arguments.steps,
        "samples": arguments.samples,
        "channels": arguments.channels,
        "layer": arguments.layer,
        "unit": arguments.unit,
    }
    if method == "deconvnet" and arguments.unit is None:
        given["layer"] = None  # from the class: the other methods' layer is not meant
    return {name: given[name] for name in METHODS[method].options if given.get(name) is not None}


def _maps(arguments: argparse.Namespace, subject: Subject, wanted: list[str], console: Console) -> int:
    """Each method's map, the sheet and the page."""
    from ..study.attribution import attribute, attribution_page, attribution_sheet
    from ..study.attribution.probe import Probe
    from ..study.attribution.sheet import Answer
    from .predict import softmax

    target = target_of(subject, arguments.target)
    probe = Probe("attribute", subject.model, subject.pixels, target)
    asked = probe.target[0]
    probabilities = softmax(probe.logits(subject.pixels)[0].astype(np.float64))
    best = probabilities.argsort(kind="stable")[::-1][:FIRST_CHOICES]
    top = [Answer(subject.names[k], float(probabilities[k])) for k in best]
    console.say(f"{subject.name}: " + ", ".join(f"{one.name} {100 * one.probability:.1f} %" for one in top))
    console.say(f"asked about {asked} {subject.names[asked]}, logit {probe.score[0]:.3f}\n")
    answers, refused = [], {}
    for name in wanted:
        try:
            answers.append(attribute(subject.model, subject.pixels, name, asked, **options_of(arguments, name, subject)))
        except ArgumentError as error:
            if "all" not in arguments.method:
                raise
            refused[name] = str(error)
            console.say(f"{name:<22} left out: {error}")
            continue
        one = answers[-1]
        extra = f"; adds up to {one.facts['change']:.3f} with a gap of {one.facts['gap']:.2g}" if "gap" in one.facts else ""
        span = f"{one.map.min():.3g} to {one.map.max():.3g}"
        console.say(f"{name:<22} peak at row {one.peak()[0]}, column {one.peak()[1]}; {span}; {one.layer or 'pixels'}{extra}")
    title = f"{subject.name}: where it sees {subject.names[asked]}"
    if arguments.out is not None:
        save(attribution_sheet(subject.shown, answers, subject.names[asked], top, title), arguments.out, console)
    page = attribution_page(subject.shown, answers, subject.names[asked], top, title) if arguments.html is not None else ""
    result = {
        "model": subject.name,
        "target": asked,
        "name": subject.names[asked],
        "top": [{"class": int(k), "name": subject.names[k], "probability": float(probabilities[k])} for k in best],
        "maps": [one.to_dict() for one in answers],
        "left_out": refused,
        "picture": arguments.out,
    }
    finish(console, arguments, result, page)
    return 0


def _inside(arguments: argparse.Namespace, subject: Subject, wanted: list[str], console: Console) -> int:
    """A picture of what is inside the network, or the sanity check."""
    from ..study.attribution import activation_grid, attention_masks, filter_grid, randomisation
    from ..study.attribution.masks import mask_grid

    if arguments.html is not None:
        raise UsageError(f"--html writes the maps of methods; --show {arguments.show} is a picture: give --out FILE")
    if arguments.show == "check":
        check = randomisation(subject.model, subject.pixels, wanted, target_of(subject, arguments.target))
        console.say("rank correlation with the true map after the weights of layer upon layer were shuffled; 0: the map shows what was learned\n")
        console.say(check.text())
        console.result({"layers": list(check.layers), "likeness": {name: list(values) for name, values in check.likeness.items()}})
        return 0
    if arguments.out is None:
        raise UsageError(f"--show {arguments.show} draws a picture: say where it goes, --out {arguments.show}.png")
    if arguments.show == "activations":
        picture = activation_grid(subject.model, subject.pixels, arguments.layer)
    elif arguments.show == "filters":
        picture = filter_grid(subject.model, arguments.layer)
    elif arguments.show == "patches":
        picture = _patches(arguments, subject, console)
    elif arguments.show == "field":
        return _field(arguments, subject, console)
    else:
        picture = mask_grid(subject.shown, attention_masks(subject.model, subject.pixels), f"{subject.name}: attention masks")
    save(picture, arguments.out, console)
    console.result({"model": subject.name, "show": arguments.show, "picture": arguments.out})
    return 0


def _patches(arguments: argparse.Namespace, subject: Subject, console: Console) -> Any:
    """Where in a data set a unit is strongest."""
    from ..study.attribution import patch_grid, top_patches
    from .data import open_data

    if arguments.layer is None or arguments.unit is None or arguments.data is None:
        raise UsageError("--show patches needs a unit and images: --layer PATH --unit N --data NAME; --layers lists the layers")
    data = open_data(arguments.data)
    own, other = subject.pixels.shape[1:], (data.channels, data.image_size, data.image_size)
    if own != other:
        raise UsageError(f"--data {arguments.data}: its images are {'x'.join(map(str, other))}, the network takes {'x'.join(map(str, own))}")
    best = top_patches(subject.model, data.test_loader(subject.mean, subject.std), arguments.layer, arguments.unit)
    for patch in best:
        console.say(f"image {patch.image:>6}  {patch.value:>9.4g} at row {patch.place[0]}, column {patch.place[1]} of the map")
    return patch_grid(best, f"{arguments.layer}, map {arguments.unit}: where it is strongest on {data.name}")


def _field(arguments: argparse.Namespace, subject: Subject, console: Console) -> int:
    """The effective receptive field of a layer's middle element."""
    from ..study.attribution.layers import last_maps
    from ..study.effective_field import effective_receptive_field

    layer = arguments.layer or last_maps("attribute", subject.model, subject.pixels)
    noise = np.random.default_rng(0).standard_normal((FIELD_IMAGES, *subject.pixels.shape[1:])).astype(np.float32)
    field = effective_receptive_field(subject.model, layer, noise)
    sides = field.box[2] - field.box[0] + 1, field.box[3] - field.box[1] + 1
    console.say(f"{layer}: theoretical field {sides[0]}x{sides[1]} pixels; {100 * field.share():.1f} % of them carry 95 % of the influence")
    try:
        field.save(arguments.out)
    except OSError as error:
        raise DataError(f"--out {arguments.out}: {error.strerror or error}; name a .png file in a folder that exists") from error
    console.say(f"wrote {arguments.out}")
    console.result({"model": subject.name, "show": "field", "layer": layer, "field": sides, "share": field.share(), "picture": arguments.out})
    return 0


def _list_layers(subject: Subject, console: Console) -> int:
    """The layers that have maps."""
    from ..study.attribution.layers import last_maps, map_layers
    from ..study.attribution.probe import undisturbed

    with undisturbed(subject.model):
        layers = map_layers(subject.model, subject.pixels)
        usual = last_maps("attribute", subject.model, subject.pixels)
    for path, shape in layers:
        if path:
            console.say(f"{path:<40} {shape[1]:>5} maps of {shape[2]}x{shape[3]}" + ("   (the default)" if path == usual else ""))
    console.result({"layers": [{"path": path, "shape": list(shape)} for path, shape in layers if path], "default": usual})
    return 0


def save(picture: Any, path: Path, console: Console) -> None:
    """Write a picture, or say why not."""
    try:
        picture.save(path)
    except (OSError, ValueError) as error:
        raise DataError(f"--out {path}: {getattr(error, 'strerror', None) or error}; name a .png file in a folder that exists") from error
    console.say(f"wrote {path}")
