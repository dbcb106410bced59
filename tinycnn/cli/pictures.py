"""What the commands that make pictures share: photos in, a folder of pictures and one page out, and networks whose features are asked for."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, UsageError
from .common import Console, add_machine_options, whole_number

Array = np.ndarray[Any, Any]
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm", ".tif", ".tiff", ".gif", ".webp")
MOST_PIXELS = 4_000_000  # that a network of 64 maps a layer is shown at once: about 2 GB


def add_picture_options(parser: argparse.ArgumentParser, folder: str) -> None:
    """--out, --html, --seed, --threads and --json; `folder` says what --out is by default."""
    parser.add_argument("--out", type=Path, metavar="FOLDER", help=f"where the pictures and page.html go (default: {folder})")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page there instead")
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="decides everything random (default: 0)")
    add_machine_options(parser)


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """--model and --weights of a network trained on photos."""
    parser.add_argument("--model", default="efficientnet_lite0", metavar="NAME", help="the network that looks (default: efficientnet_lite0)")
    parser.add_argument("--weights", metavar="FILE", help="its weights (default: looked for as `tinycnn predict` does)")


class Album:
    """The folder of one command's pictures and its page."""

    def __init__(self, arguments: argparse.Namespace, name: str) -> None:
        self.folder: Path = arguments.out if arguments.out is not None else Path("pictures") / re.sub(r"[^\w.-]+", "_", name)
        self.page: Path = arguments.html if arguments.html is not None else self.folder / "page.html"
        self.files: list[Path] = []
        # Before any work: an hour of training must not end in a folder that cannot be written.
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--out {self.folder}: {error.strerror or error}") from error
        for place in (self.folder, self.page.parent):
            if not place.is_dir() or not os.access(place, os.W_OK):
                raise UsageError(f"{place} is not a folder that can be written")

    def add(self, name: str, pixels: Array) -> None:
        """Write a picture, floats from 0 to 1."""
        from ..study.picture_page import png_bytes

        path = self.folder / f"{name}.png"
        path.write_bytes(png_bytes(pixels))
        self.files.append(path)

    def finish(self, console: Console, page: str, result: dict[str, Any]) -> None:
        """Write the page, and say what was written."""
        from .shape import write_page

        write_page(self.page, page)
        self.files.append(self.page)
        console.say(f"wrote {self.page}" + (f" and {len(self.files) - 1} more files in {self.folder}" if len(self.files) > 1 else ""))
        console.result({**result, "files": self.files})


def read_photo(path: Path, size: int | None = None, mode: str = "RGB", multiple: int = 1) -> Array:
    """A photo as floats from 0 to 1, (3, H, W), or (1, H, W) with mode "L".

    Parameters
    ----------
    path : Path
        Of the file.
    size : int, optional
        Of the longer side in pixels.
    mode : "RGB" or "L"
        Colour or grey.
    multiple : int
        Both sides become multiples of it.
    """
    from PIL import Image

    from .predict import read_image

    picture = read_image(path).convert(mode)
    scale = 1.0 if size is None else size / max(picture.size)
    width, height = (max(multiple, round(side * scale / multiple) * multiple) for side in picture.size)
    if width * height > MOST_PIXELS:
        raise UsageError(f"{path}: {width} x {height} pixels are more than {MOST_PIXELS:,}; make it smaller by --size 1600")
    if (width, height) != picture.size:
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    pixels = np.asarray(picture, np.float32) / np.float32(255)
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))


def read_folder(path: Path, mode: str = "L", most: int | None = None, size: int | None = None) -> dict[str, Array]:
    """The photos of a folder, or one photo, by name; in the order of the names."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    files = sorted(each for each in path.iterdir() if each.suffix.lower() in IMAGES) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} holds no photos; looked for {', '.join(IMAGES)}")
    return {each.name: read_photo(each, size, mode) for each in files[:most]}


def feature_network(arguments: argparse.Namespace) -> tuple[Any, Any, Path]:
    """The network of --model with its weights, as `FeatureNetwork`, how it sees photos, and where the weights lie."""
    from ..models import input_size
    from ..study import FeatureNetwork
    from ..weights.pretrained import find_weights, preprocessing
    from .photo import known, pretrained_model

    name = known(arguments.model)
    if input_size(name)[0] != 3:
        raise UsageError(f"--model {name} looks at grey images; take one for colour, such as efficientnet_lite0 or vgg16")
    source = Path(arguments.weights) if arguments.weights else find_weights(name)
    model, _ = pretrained_model(name, source)
    how = preprocessing(name, input_size(name)[-1])
    return FeatureNetwork(model, how.mean, how.std), how, source


def pace(found: Any) -> str:
    """How long learning took, in words."""
    steps = len(found.losses)
    return f"{steps} steps in {found.seconds:.1f} s, the median step {found.milliseconds_per_step:.1f} ms; loss {found.losses[-1]:.5f}"


def names_of(text: str | None) -> list[str] | None:
    """A,B,C as a list; nothing for nothing."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]
