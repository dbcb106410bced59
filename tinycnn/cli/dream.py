"""`tinycnn dream PHOTO`: show a network more of what it sees; or, without a photo, the image that a unit or a class likes best."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .common import Console, positive_number, use_threads, whole_number
from .main import nearest
from .pictures import Album, add_network_options, add_picture_options, feature_network, names_of, read_photo

DESCRIPTION = """\
DeepDream: climb the gradient of how strongly some layers answer to a photo, at a small size first and then larger. With --unit
LAYER:NUMBER or --class NAME and no photo: activation maximisation, the image that a channel or a class likes best, from noise,
held together by total variation, decay and blur. Both options may be repeated."""
EPILOG = """\
examples:
  tinycnn dream photo.jpg
  tinycnn dream photo.jpg --layers blocks.3.2,blocks.4.2 --octaves 4 --steps 20
  tinycnn dream --class tabby --class "pizza" --size 128
  tinycnn dream --model vgg16 --weights vgg16.pth --unit conv3_1:0 --unit conv5_1:17
"""


def octave_scale(text: str) -> float:
    """An argparse type: a finite number above 1."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 1 < value < 10:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number above 1 and below 10, such as 1.4")
    return value


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("photo", nargs="?", type=Path, metavar="PHOTO", help="where the dream begins")
    add_network_options(parser)
    parser.add_argument("--layers", metavar="A,B", help="dream: whose answers grow (default: the two coarsest maps)")
    parser.add_argument("--unit", action="append", default=[], metavar="LAYER:N", help="maximise channel N of a layer")
    parser.add_argument("--class", action="append", default=[], dest="classes_wanted", metavar="NAME|N", help="maximise a class")
    parser.add_argument("--classes", metavar="FILE", help="names of the network's classes, one a line (default: ImageNet's where it has 1,000)")
    parser.add_argument("--size", type=whole_number(32), default=256, metavar="N", help="longer side in pixels (default: 256)")
    parser.add_argument("--octaves", type=whole_number(1), default=3, metavar="N", help="dream: sizes (default: 3)")
    parser.add_argument("--octave-scale", type=octave_scale, default=1.4, metavar="X", help="dream: from one size to the next (default: 1.4)")
    parser.add_argument("--jitter", type=whole_number(0), default=16, metavar="N", help="dream: shift before each step, in pixels (default: 16)")
    parser.add_argument("--steps", type=whole_number(1), metavar="N", help="in each octave (default: 10); of a maximisation (default: 60)")
    parser.add_argument("--lr", type=positive_number, metavar="X", help="mean change of a number in a step (default: 0.02); Adam's rate (0.03)")
    add_picture_options(parser, "pictures/dream-PHOTO")


def run(arguments: argparse.Namespace) -> int:
    """Dream, or maximise."""
    console = Console(arguments.json)
    wanted = bool(arguments.unit or arguments.classes_wanted)
    if (arguments.photo is None) != wanted:
        raise UsageError("give a photo to dream of, or without one --unit LAYER:N or --class NAME")
    if wanted and arguments.layers is not None:
        raise UsageError("--layers is for dreaming of a photo; a unit names its layer itself: --unit conv3_1:0")
    photo = read_photo(arguments.photo, arguments.size) if arguments.photo is not None else None
    network, _, source = feature_network(arguments)
    use_threads(arguments.threads)
    console.say(f"{arguments.model} with {source}")
    found = _maximised(arguments, network) if photo is None else [_dreamt(arguments, network, photo)]
    return _written(arguments, console, photo, found, str(source))


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    given = {"steps": arguments.steps, "rate": arguments.lr}
    return {"seed": arguments.seed, **{name: value for name, value in given.items() if value is not None}}


def _dreamt(arguments: argparse.Namespace, network: Any, photo: Any) -> tuple[str, Any]:
    """What the layers are called, and the dream."""
    from ..study import deep_dream

    layers = names_of(arguments.layers) or network.spread_layers(*photo.shape[1:])[-2:]
    more = {"octaves": arguments.octaves, "octave_scale": arguments.octave_scale, "jitter": arguments.jitter}
    return ", ".join(layers), deep_dream(network, photo, layers, **more, **_options(arguments))


def _maximised(arguments: argparse.Namespace, network: Any) -> list[tuple[str, Any]]:
    """Each unit and class with the image it likes best."""
    from ..study import maximise_activation

    wanted: list[tuple[str, str | None, int]] = []
    for text in arguments.unit:
        match = re.fullmatch(r"(.+):(\d{1,6})", text)
        if not match:
            raise UsageError(f"--unit {text}: write LAYER:NUMBER, such as conv3_1:0")
        network.module_of(match[1])
        wanted.append((text, match[1], int(match[2])))
    if arguments.classes_wanted:
        wanted += [(name, None, number) for name, number in classes_named(arguments, network)]
    size = (arguments.size, arguments.size)
    return [(name, maximise_activation(network, layer, unit, size=size, **_options(arguments))) for name, layer, unit in wanted]


def class_names(arguments: argparse.Namespace, network: Any, size: int = 64) -> list[str]:
    """The names of the network's classes."""
    import numpy as np

    from ..autograd import no_grad
    from .photo import read_names

    with no_grad():
        count = int(network.logits(np.zeros((1, network.channels, size, size), np.float32)).shape[1])
    return read_names(arguments.classes, count)


def class_number(text: str, names: list[str], option: str) -> int:
    """The number of a class that was given by number or by (part of) its name."""
    if text.isdecimal() and len(text) < 9:
        if int(text) >= len(names):
            raise UsageError(f"{option} {text}: the network knows classes 0 to {len(names) - 1}")
        return int(text)
    words = [[part.strip().lower() for part in name.split(",")] for name in names]
    exact = [number for number, parts in enumerate(words) if text.lower() in parts]
    within = exact or [number for number, parts in enumerate(words) if any(text.lower() in part.split() for part in parts)]
    if not within:
        raise UsageError(f"{option} {text}: no class is called that{nearest(text.lower(), [part for parts in words for part in parts])}")
    if len(within) > 1 and not exact:
        raise UsageError(f"{option} {text}: could be {', '.join(f'{number} ({names[number]})' for number in within[:4])}; give the number")
    return within[0]


def classes_named(arguments: argparse.Namespace, network: Any) -> list[tuple[str, int]]:
    """Each class asked for: its first name and its number."""
    names = class_names(arguments, network)
    numbers = [class_number(text, names, "--class") for text in arguments.classes_wanted]
    return [(names[number].split(",")[0], number) for number in numbers]


def _written(arguments: argparse.Namespace, console: Console, photo: Any, found: list[tuple[str, Any]], source: str) -> int:
    from ..study.style_page import dream_page

    stem = arguments.photo.stem if arguments.photo is not None else "-".join(name for name, _ in found)[:60]
    album = Album(arguments, f"dream-{stem}")
    result: dict[str, Any] = {"model": arguments.model, "weights": source, **_options(arguments)}
    if photo is not None:
        album.add("photo", photo)
    for name, one in found:
        album.add("dream" if photo is not None else re.sub(r"[^\w.-]+", "_", name), one.image)
        first, last = one.losses[0], one.losses[-1]
        key = next(iter(first))
        console.say(f"{name}: {key} {abs(first[key]):.4g} to {abs(last[key]):.4g} in {len(one.losses)} steps, {one.seconds:.1f} s")
    result["found"] = {name: {**one.to_dict(), "milliseconds_per_step": 1000 * one.seconds / len(one.losses)} for name, one in found}
    title = f"{arguments.photo.name}, dreamt of" if photo is not None else "What units like best"
    lead = f"{arguments.model} climbs: {', '.join(name for name, _ in found)}."
    album.finish(console, dream_page(title, lead, photo, found, result), result)
    return 0
