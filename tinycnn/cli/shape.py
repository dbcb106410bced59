"""`tinycnn shape WHAT`: the output size of an operator, a stack of layers or a network, with formula, verdict, fixes and frameworks."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, ShapeError, UsageError
from .common import Console
from .main import nearest

DESCRIPTION = """\
Work out what comes out of an operator: the formula, your numbers put in, whether the windows tile the input and which rows are
never read, the nearest fixes, and what PyTorch, TensorFlow, Keras, Caffe and ONNX each answer. Or follow the sizes through a stack
of layers written as text, or through a network of this package: with a warning when maps vanish, and the right number for the
linear layer behind a flatten."""
EPILOG = """\
examples:
  tinycnn shape conv2d --in 7 --k 3 --s 3                      does not tile: (7 - 3)/3 + 1 = 2.33
  tinycnn shape conv2d --in 3x32x32 --k 5 --p 2 --filters 10   760 parameters
  tinycnn shape conv_transpose2d --in 4 --k 3 --s 2 --p 1      which sizes output_padding chooses among
  tinycnn shape "conv 5x5x6 s1 p2 | maxpool 2 | conv 5x5x16 | maxpool 2 | flatten | linear 120" --in 1x28x28
  tinycnn shape lenet5 --html lenet5.html
operators: conv, conv_transpose, max_pool, avg_pool, lp_pool, adaptive_avg_pool, adaptive_max_pool, max_unpool (each with 1d, 2d, 3d),
  unfold, fold, pad, interpolate, pixel_shuffle, pixel_unshuffle, flatten, linear
"""
NAMES = ("same", "same_tf", "same_lower", "valid", "full", "causal")
LONGEST = 10  # digits


def whole(text: str, digits: str) -> int:
    """One number of an option."""
    if not digits.isdigit() or not digits.isascii():
        raise argparse.ArgumentTypeError(f"{text[:60]!r} must be whole numbers such as 3, 3x5 or 3,5; {digits[:20]!r} is none")
    if len(digits) > LONGEST or int(digits) >= 2**31:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is more than an axis can hold; write numbers below {2**31}")
    return int(digits)


def numbers(text: str) -> int | tuple[int, ...]:
    """An argparse type: "3", "3x5" or "3,5"."""
    values = tuple(whole(text, part) for part in re.split("[x,]", text.strip().lower()))
    return values[0] if len(values) == 1 else values


def input_numbers(text: str) -> int | tuple[int, ...]:
    """An argparse type: sizes from 1 up."""
    values = numbers(text)
    if min(values if isinstance(values, tuple) else (values,)) < 1:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} must be sizes from 1 up, such as 32, 32x48 or 3x32x32 (channels first)")
    return values


def padding(text: str) -> int | str | tuple[int, ...]:
    """An argparse type: numbers or a name."""
    if text.lower() in NAMES:
        return text.lower()
    if text[:1].isalpha():
        raise argparse.ArgumentTypeError(f"{text[:40]!r} must be a whole number, or one of {', '.join(NAMES)}{nearest(text.lower(), NAMES)}")
    return numbers(text)


def factor(text: str) -> float:
    """An argparse type: a scale factor."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} must be a number above 0, such as 2 or 0.5")
    return value if not value.is_integer() else int(value)


def add_window_options(parser: argparse.ArgumentParser) -> None:
    """--k, --s, --p, --d and --op."""
    parser.add_argument("--k", "--kernel", dest="kernel", type=numbers, metavar="N", help="kernel, one number or one an axis (3, 3x5)")
    parser.add_argument("--s", "--stride", dest="stride", type=numbers, metavar="N", help="stride (default: 1; of a pooling, its kernel)")
    parser.add_argument("--p", "--padding", dest="padding", type=padding, default=0, metavar="N|NAME", help=f"padding, or {', '.join(NAMES)}")
    parser.add_argument("--d", "--dilation", dest="dilation", type=numbers, default=1, metavar="N", help="dilation (default: 1)")
    parser.add_argument("--op", "--output-padding", dest="output_padding", type=numbers, default=0, metavar="N", help="of a transposed convolution")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("what", metavar="WHAT", help="an operator, a stack of layers in quotes, or a network")
    parser.add_argument("--in", "--input", dest="input", type=input_numbers, metavar="SIZES", help="7, 32x48, or with channels first 3x32x32")
    add_window_options(parser)
    parser.add_argument("--filters", "--out", dest="filters", type=numbers, metavar="N", help="output channels, or features of linear")
    parser.add_argument("--groups", type=numbers, default=1, metavar="N", help="of a convolution (default: 1)")
    parser.add_argument("--ceil", action="store_true", help="ceil_mode of a pooling")
    parser.add_argument("--output-size", type=numbers, metavar="N", help="of adaptive pooling, fold and interpolate")
    parser.add_argument("--scale", type=factor, metavar="X", help="of interpolate, pixel_shuffle and pixel_unshuffle")
    parser.add_argument("--strict", action="store_true", help="fail where the windows do not tile, with the nearest fixes (exit code 1)")
    parser.add_argument("--picture", action="store_true", help="draw the volumes in letters")
    add_result_options(parser)


def add_result_options(parser: argparse.ArgumentParser) -> None:
    """--html and --json."""
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the answer as one page that works offline")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output, all else on standard error")


def run(arguments: argparse.Namespace) -> int:
    """Answer."""
    from ..study import shape_page as pages
    from ..study.volume_picture import volume_text

    console = Console(arguments.json)
    stack = re.search(r"[|;\n]|\s", arguments.what.strip())
    try:
        if stack:
            return _stack(console, arguments)
        if _is_model(arguments.what):
            return _model(console, arguments)
        answer = _operator(arguments, False)
    except (ArgumentError, ShapeError) as error:
        raise UsageError(str(error)) from error
    if arguments.strict:
        _operator(arguments, True)
    if arguments.picture:
        console.say(volume_text(answer) + "\n")
    console.say(answer.text())
    finish(console, arguments, answer.to_dict(), pages.shape_page(answer) if arguments.html is not None else "")
    return 0


def finish(console: Console, arguments: argparse.Namespace, result: dict[str, Any], page: str) -> None:
    """Write the page and the JSON that were asked for."""
    if arguments.html is not None:
        write_page(arguments.html, page)
        console.say(f"wrote {arguments.html}")
    console.result({**result, "files": [arguments.html] if arguments.html is not None else []})


def write_page(path: Path, text: str) -> None:
    """Write a page, or say why not."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--html {path}: {error.strerror or error}; name a file in a folder that exists and can be written") from error


def _is_model(name: str) -> bool:
    """Whether a word names a network; a word that is nothing is answered with the nearest."""
    from ..study.shape import OPERATOR_NAMES, operator_named

    try:
        operator_named(name)
        return False
    except ArgumentError as error:
        from .. import models

        known = models.list_models()
        if name in known:
            return True
        close = nearest(name[:60], [*OPERATOR_NAMES, *known])
        raise UsageError(
            f"{name[:60]!r} is no operator, no network and no stack of layers{close}; write an operator such as conv2d, a network such as lenet5, "
            'or layers in quotes such as "conv 5x5x6 | maxpool 2" (`tinycnn shape --help` lists the operators)'
        ) from error


def _operator(arguments: argparse.Namespace, strict: bool) -> Any:
    from ..study.shape import shape

    if arguments.input is None:
        raise UsageError(f"{arguments.what}: the input size is missing; add --in, such as --in 7 or --in 3x32x32")
    return shape(
        arguments.what, arguments.input, arguments.kernel, arguments.stride, arguments.padding, arguments.dilation,
        output_padding=arguments.output_padding, ceil_mode=arguments.ceil, filters=arguments.filters, groups=arguments.groups,
        output_size=arguments.output_size, scale_factor=arguments.scale, strict=strict,
    )  # fmt: skip


def _stack(console: Console, arguments: argparse.Namespace) -> int:
    from ..study import shape_page as pages
    from ..study.shape_stack import shape_flow

    _refuse_operator_options(arguments, "a stack of layers carries its own numbers")
    if arguments.input is None:
        raise UsageError("the input size of the stack is missing; add --in, such as --in 3x32x32 (channels first)")
    sizes = arguments.input if isinstance(arguments.input, tuple) else (arguments.input,)
    flow = shape_flow(arguments.what, sizes)
    console.say(flow.text())
    finish(console, arguments, flow.to_dict(), pages.flow_page(flow) if arguments.html is not None else "")
    return 0


def _model(console: Console, arguments: argparse.Namespace) -> int:
    from ..models import input_size
    from ..study import shape_page as pages
    from ..study.shape_model import model_flow
    from .summary import built

    _refuse_operator_options(arguments, "a network has its own numbers")
    size = arguments.input if arguments.input is not None else input_size(arguments.what)
    if not isinstance(size, tuple) or len(size) != 3:
        raise UsageError(f"{arguments.what}: --in must be three sizes, channels first, such as 3x224x224")
    if max(size) > 1024:
        raise UsageError(f"{arguments.what}: --in {max(size)} is too large to run a network on; write sizes up to 1024, or a stack of layers as text")
    flow = model_flow(built(arguments.what, size), size)
    console.say(flow.text())
    finish(console, arguments, flow.to_dict(), pages.flow_page(flow, f"Sizes through {arguments.what}") if arguments.html is not None else "")
    return 0


def _refuse_operator_options(arguments: argparse.Namespace, why: str) -> None:
    """Options that only operators have, given beside a stack or a network."""
    given = {
        "--k": arguments.kernel is not None, "--s": arguments.stride is not None, "--p": arguments.padding != 0, "--d": arguments.dilation != 1,
        "--op": arguments.output_padding != 0, "--filters": arguments.filters is not None, "--groups": arguments.groups != 1,
        "--ceil": arguments.ceil, "--output-size": arguments.output_size is not None, "--scale": arguments.scale is not None,
        "--picture": arguments.picture, "--strict": arguments.strict,
    }  # fmt: skip
    wrong = [option for option, there in given.items() if there]
    if wrong:
        raise UsageError(f"{wrong[0]} is for one operator; {why}: leave it out")
