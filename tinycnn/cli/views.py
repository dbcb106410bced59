"""`tinycnn views NAME`: convolution from many sides, on your numbers, checked and stepped through."""

import argparse
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArgumentError, DtypeError, ShapeError, UsageError
from .common import Console, positive_number, whole_number
from .explain import is_file, read_array, write_page
from .main import nearest
from .shape import numbers, padding

DESCRIPTION = """\
One convolution, seen from many sides: each view runs on your numbers, shows its steps, and checks itself against the operator.

  window        region, filter, products and sum of every output element
  im2col        windows as columns of a matrix, one matrix product, put back
  toeplitz      the sparse matrix W: zeros and shared weights counted, W x, and W^T g, the transposed convolution
  fourier       pad, transform, multiply, transform back, crop
  transposed    one transposed convolution as scatter-add, as zero insertion, and as W^T
  flip          correlation against true convolution: where they agree, which of them commutes
  equivariance  shift before and after: where they differ, and why at each place; what pooling leaves unchanged
  groups        grouped convolution and channel shuffle: which channel reaches which
  prior         convolution against a dense layer on the same examples: right and wrong prior
  learn         a hidden kernel found by gradient descent, step by step
  gallery       your photo under the classic filters, on one sheet"""
EPILOG = """\
examples:
  tinycnn views window --input "5 0 8; 1 9 5; 6 0 2" --weight "1 0; 0 -1" --html window.html
  tinycnn views toeplitz --weight laplacian                 16 x 36 with 144 structural non-zeros
  tinycnn views transposed --kernel-size 4 --stride 2 --padding 1
  tinycnn views equivariance --shift 0,1 --stride 2         what a stride breaks, and why
  tinycnn views learn --weight sobel_x --html learn.html     drag the slider
  tinycnn views gallery photo.jpg --out sheet.png
arrays: "5 0 8; 1 9 5" (channels between |), a .npy, .csv or image file (its first 8 x 8 pixels; all of it for gallery), or a name:
  images deck, binary; filters identity, blur, gaussian, sharpen, sobel_x, sobel_y, laplacian, emboss and more (see gallery)
"""
PHOTO_PIXELS = 100_000_000


def filter_size(text: str) -> Any:
    """An argparse type: sizes of a kernel from 1 up."""
    values = numbers(text)
    if min(values if isinstance(values, tuple) else (values,)) < 1:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} must be whole numbers from 1 up, such as 3 or 3x5")
    return values


def signed(text: str) -> Any:
    """An argparse type: "1" or "-1,2"."""
    try:
        values = tuple(int(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in (1, 2) or max(map(abs, values)) >= 2**31:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} must be whole pixels, such as 1 (to the right) or 2,-1 (down and to the left)")
    return values if len(values) == 2 else values[0]


def part_of_one(text: str) -> float:
    """An argparse type: from 0 to below 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} must be a number from 0 to below 1, such as 0.9")
    return value


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options; those left out keep the view's own defaults."""
    parser.add_argument("view", metavar="NAME", help="one of the views above")
    parser.add_argument("image", nargs="?", metavar="INPUT", help="the same as --input")
    parser.add_argument("--input", metavar="ARRAY", help="the image: numbers, a file or a name (default: the deck's 6 x 6)")
    parser.add_argument("--weight", metavar="ARRAY", help="the filter: numbers, a file or a name")
    parser.add_argument("--grad", metavar="ARRAY", help="toeplitz: what the transpose is applied to (default: 1, 2, 3, ...)")
    parser.add_argument("--kernel-size", type=filter_size, metavar="N", help="draw a filter of this size instead of --weight")
    parser.add_argument("--stride", type=numbers, metavar="N", help="step of the window in pixels (3, or 3x5 for height and width)")
    parser.add_argument("--padding", type=padding, metavar="N|NAME", help="pixels around the image (1; 1x2; top,bottom,left,right), or same, full")
    parser.add_argument("--dilation", type=numbers, metavar="N", help="distance between a filter's taps in pixels")
    parser.add_argument("--groups", type=whole_number(1), metavar="N", help="channel groups")
    parser.add_argument("--padding-mode", metavar="MODE", help="zeros, reflect, symmetric, replicate or circular")
    parser.add_argument("--output-padding", type=numbers, metavar="N", help="transposed: pixels added at the bottom and the right")
    parser.add_argument("--shift", type=signed, metavar="N", help="equivariance: pixels right, or down,right (default: 1; up: --shift=-1,0)")
    parser.add_argument("--pool", type=whole_number(1), metavar="N", help="equivariance: a max pooling behind the convolution (default: 1, none)")
    parser.add_argument("--steps", type=whole_number(1), metavar="N", help="learn: steps of gradient descent (default: 200)")
    parser.add_argument("--lr", type=positive_number, metavar="X", help="learn: learning rate (default: the best for the image)")
    parser.add_argument("--momentum", type=part_of_one, metavar="X", help="learn: momentum (default: the best for the image)")
    parser.add_argument("--channels", type=whole_number(1), metavar="N", help="groups: channels (default: 12)")
    parser.add_argument("--filters", metavar="NAMES", help="gallery: names between commas (default: all)")
    parser.add_argument("--side", type=whole_number(1), metavar="N", help="gallery: longest side of the photo in pixels (default: 320)")
    parser.add_argument("--out", metavar="FILE", help="gallery: write the sheet as one PNG")
    parser.add_argument("--seed", type=whole_number(0), metavar="N", help="decides drawn numbers (default: 0)")
    parser.add_argument("--elements", type=whole_number(1), default=6, metavar="N", help="steps written out as text (default: 6)")
    parser.add_argument("--html", metavar="FILE", help="write one self-contained page")
    parser.add_argument("--json", action="store_true", help="print everything as JSON on standard output, all else on standard error")


OWN = ("view", "image", "out", "elements", "html", "json", "debug")  # options of the command, not of a view


def run(arguments: argparse.Namespace) -> int:
    """Build the view and print it."""
    from ..study.views import VIEWS, gallery
    from ..study.views.gallery import sheet

    console = Console(arguments.json)
    if arguments.view not in VIEWS:
        raise UsageError(f"there is no view {arguments.view!r}{nearest(arguments.view, list(VIEWS))}; there are {', '.join(VIEWS)}")
    view = VIEWS[arguments.view]
    if arguments.image is not None and arguments.input is not None:
        raise UsageError("the input is given twice, in order and as --input; give it once")
    given = {name: value for name, value in vars(arguments).items() if name not in OWN and value is not None}
    if arguments.image is not None:
        given["input"] = arguments.image
    if arguments.out and view is not gallery:
        raise UsageError("--out writes the sheet of `tinycnn views gallery`; other views take --html FILE")
    require_options(arguments.view, view, given, VIEWS)
    for name in ("input", "weight", "grad"):
        if name in given:
            given[name] = read_photo(given[name]) if view is gallery and name == "input" else read_operand(given[name])
    try:
        found = view(**given)
    except (ArgumentError, DtypeError, ShapeError) as error:
        raise UsageError(str(error)) from error
    if arguments.out:
        write_bytes(Path(arguments.out), sheet(found))
        console.say(f"wrote {arguments.out}")
    if arguments.html:
        write_page(Path(arguments.html), found.html())
        console.say(f"wrote {arguments.html}: open it in a browser and step with the arrow keys")
    elif not arguments.json and not arguments.out:
        print(found.text(arguments.elements), end="")
    console.result(found.to_dict())
    return 0


def require_options(name: str, view: Callable[..., Any], given: dict[str, Any], views: dict[str, Callable[..., Any]]) -> None:
    """Refuse an option that the view has no use for, with the views that have."""
    for option in given:
        if option not in inspect.signature(view).parameters:
            takers = [other for other, function in views.items() if option in inspect.signature(function).parameters]
            raise UsageError(f"the view {name} has no use for --{option.replace('_', '-')}; {', '.join(takers)} take{'s' * (len(takers) == 1)} it")


def read_operand(text: str) -> Any:
    """Numbers or a file as an array; a plain word stays a name."""
    if not text.strip(" ;|,"):
        raise UsageError(f'{text!r} holds no numbers; type them with rows between semicolons: "5 0 8; 1 9 5"')
    return text if text.isidentifier() and not is_file(text) else read_array(text)


def read_photo(text: str) -> Any:
    """A whole picture for the gallery: a file, numbers, or an image's name."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    from ..study.views.filters import IMAGES

    if text in IMAGES:
        return IMAGES[text]
    path = Path(text)
    if path.suffix.lower() in (".npy", ".csv") or not (is_file(text) or os.path.isfile(text)):
        return np.asarray(read_operand(text)) if not text.isidentifier() else refuse_name(text, list(IMAGES))
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > PHOTO_PIXELS:
                raise UsageError(f"{text} has {picture.width:,} x {picture.height:,} pixels, at most {PHOTO_PIXELS:,} are read; make it smaller")
            return ImageOps.exif_transpose(picture)  # as the camera was held
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {text!r}; give a picture that exists") from error
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise UsageError(f"{text} cannot be read as a picture: {error}") from error


def refuse_name(text: str, known: list[str]) -> Any:
    """Say which pictures have names."""
    raise UsageError(f"there is no picture called {text!r}{nearest(text, known)}; give a file, or one of {', '.join(known)}")


def write_bytes(path: Path, data: bytes) -> None:
    """Write the sheet, or say why not."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"--out {path}: {error.strerror or error}; name a file in a folder that exists and can be written") from error
