"""`tinycnn animate OP`: convolution arithmetic with your numbers, step by step, as a page, a GIF or stills."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .common import Console, whole_number
from .explain import is_named, read_array, read_option

DESCRIPTION = """\
Show an operator at work on a slide, with your parameters and your numbers in the cells: convolution with stride, dilation and every padding
mode, transposed convolution (scattering, or by inserted zeros), pooling, unpooling with indices, resizing, and any other operator. No TeX."""
EPILOG = """\
examples:
  tinycnn animate conv2d "1 1 1 0 0; 0 1 1 1 0; 0 0 1 1 1; 0 0 1 1 0; 0 1 1 0 0" "1 0 1; 0 1 0; 1 0 1" --html conv.html
  tinycnn animate conv2d input_size=7 kernel_size=3 dilation=2 --gif dilation.gif      drawn numbers
  tinycnn animate conv2d input_size=5 padding=1 padding_mode=reflect --aspect 4:3 --html reflect.html
  tinycnn animate conv_transpose2d "1 2; 3 4" "1 1 1; 1 1 1; 1 1 1" stride=2 --form zeros --gif zeros.gif
  tinycnn animate conv_transpose2d "1 2; 3 4" "1" stride=2 --html nails.html           unpooling by a bed of nails
  tinycnn animate conv_transpose2d kernel_size=3 stride=2 --checkerboard --html checkerboard.html
  tinycnn animate max_pool2d "1 1 2 4; 5 6 7 8; 3 2 1 0; 1 2 3 4" kernel_size=2 --svg step.svg --frame 3
  tinycnn animate max_unpool2d "1 2; 3 4" --pooled "1 2 6 3; 3 5 2 1; 1 2 2 1; 7 3 4 8" --html unpool.html
  tinycnn animate interpolate "1 2; 3 4" scale_factor=2 mode=bilinear align_corners=false --html bilinear.html
"""
OVERLAP_OPTIONS = ("input_size", "kernel_size", "stride", "padding", "output_padding", "dilation")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("operator", metavar="OP", help="an operator, such as conv2d, conv_transpose2d, max_pool2d, max_unpool2d, interpolate")
    words = 'its first arguments: "5 0 8; 1 9 5", or a .npy, .csv or image file; NAME=VALUE for one by name'
    parser.add_argument("arrays", nargs="*", metavar="ARRAY", help=words)
    parser.add_argument("--html", metavar="FILE", help="write one self-contained page: play, arrow keys, slider; print gives all steps")
    parser.add_argument("--gif", metavar="FILE", help="write an animated GIF")
    parser.add_argument("--svg", metavar="FILE", help="write one step as an SVG file")
    parser.add_argument("--frame", type=whole_number(1), metavar="N", help="which step --svg shows (default: the last)")
    parser.add_argument("--aspect", choices=("16:9", "4:3"), default="16:9", help="shape of the slide (default: 16:9)")
    parser.add_argument("--dark", action="store_true", help="white on black, for --gif and --svg; a page follows its reader")
    parser.add_argument("--delay", type=whole_number(20), default=900, metavar="MS", help="milliseconds a step of --gif (default: 900)")
    parser.add_argument("--width", type=whole_number(320), default=960, metavar="PIXELS", help="of --gif (default: 960)")
    parser.add_argument("--form", choices=("scatter", "zeros"), help="of a transposed convolution (default: scatter)")
    parser.add_argument("--pooled", metavar="ARRAY", help="of max_unpool: the image whose pooling remembered the indices")
    words = "of conv_transpose: how many products overlap in each output, and why"
    parser.add_argument("--checkerboard", "--overlap", action="store_true", help=words)
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="decides drawn numbers (default: 0)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Animate and write."""
    from ..study import animate

    console = Console(arguments.json)
    named = [text for text in arguments.arrays if is_named(text)]
    options = dict(read_option(text) for text in named)
    arrays = [read_array(text) for text in arguments.arrays if text not in named]
    if arguments.frame is not None and not arguments.svg:
        raise UsageError("--frame says which step --svg writes; give --svg FILE too")
    if arguments.checkerboard:
        return checkerboard(arguments, arrays, options, console)
    pooled = None if arguments.pooled is None else read_array(arguments.pooled)
    film = animate(arguments.operator, *arrays, form=arguments.form, aspect=arguments.aspect, seed=arguments.seed, pooled=pooled, **options)
    wrote = False
    if arguments.gif:
        film.save_gif(arguments.gif, arguments.delay, arguments.width, arguments.dark)
        console.say(f"wrote {arguments.gif}: {len(film.frames)} steps")
        wrote = True
    if arguments.svg:
        write(arguments.svg, "--svg", lambda: film.svg(arguments.frame or -1, arguments.dark))
        console.say(f"wrote {arguments.svg}: one step")
        wrote = True
    if arguments.html:
        write(arguments.html, "--html", film.html)
        console.say(f"wrote {arguments.html}: open it in a browser; arrow keys step, the space bar plays")
        wrote = True
    if arguments.json:
        print(json.dumps(film.to_dict(), indent=1))
    elif not wrote:
        print(film.text(), end="")
    return 0


def checkerboard(arguments: argparse.Namespace, arrays: list[Any], options: dict[str, Any], console: Console) -> int:
    """The heat-map of overlaps."""
    from ..study import overlaps

    if arguments.operator not in ("conv_transpose1d", "conv_transpose2d", "conv_transpose", "deconv"):
        raise UsageError(f"--checkerboard is for conv_transpose1d and 2d, whose kernels overlap; {arguments.operator} has no such counts")
    if arguments.gif:
        raise UsageError("--checkerboard is one picture and has no --gif; write --html or --svg")
    wrong = [key for key in options if key not in OVERLAP_OPTIONS]
    if wrong:
        raise UsageError(f"--checkerboard has no use for {wrong[0]}; it takes {', '.join(OVERLAP_OPTIONS)}")
    rank = 1 if "1d" in arguments.operator else 2
    for key, array in zip(("input_size", "kernel_size"), arrays, strict=False):
        options.setdefault(key, ((1,) * rank + array.shape)[-rank:])
    found = overlaps(**options, rank=rank, seed=arguments.seed)
    if arguments.html:
        write(arguments.html, "--html", found.html)
        console.say(f"wrote {arguments.html}: {found.verdict}")
    if arguments.svg:
        write(arguments.svg, "--svg", found.svg)
        console.say(f"wrote {arguments.svg}: {found.verdict}")
    if arguments.json:
        print(json.dumps(found.to_dict(), indent=1))
    elif not (arguments.html or arguments.svg):
        print(found.text(), end="")
    return 0


def write(path: str, option: str, text: Callable[[], str]) -> None:
    """Write a file, or say why not."""
    try:
        Path(path).write_text(text(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror or error}; name a file in a folder that exists and can be written") from error
