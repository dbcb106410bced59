"""`tinycnn solve`: which kernel, stride, padding, dilation, output padding or input size gives this output."""

from __future__ import annotations

import argparse
import re
from typing import Any

from ..errors import ArgumentError, UsageError
from .common import Console
from .shape import add_result_options, finish, whole

DESCRIPTION = """\
Size arithmetic backwards. Give what you know and write `any` for what you do not: all choices that give the output are listed, smallest
first. conv, pool and conv_transpose search; `same` tells the padding that keeps the size; `invert` the transposed convolution, with
its output_padding, that brings a convolution's size back."""
EPILOG = """\
examples:
  tinycnn solve conv --in 224 --out 112 --k 7 --s 2 --p any
  tinycnn solve conv --in 32 --out same --k 1-7 --p any           which padding keeps the size?
  tinycnn solve conv --in any --out 16 --k 3 --s 2 --p 1          input sizes 31 and 32
  tinycnn solve conv_transpose --in 4 --out 8 --k 3 --s 2 --p 1 --op any
  tinycnn solve same --k 2                                        even kernels: uneven padding
  tinycnn solve invert --in 8 --k 3 --s 2 --p 1                   output_padding 1
a number may be 3, some to choose from 1,3,5, a range 1-7, or any; `?` in quotes is the same as any
"""
MOST = 100_000  # numbers of a range
MOST_KERNELS = 100  # that `same` answers at once


def choice(text: str) -> Any:
    """An argparse type: 3, 1,3,5, 1-7 or any."""
    low = text.strip().lower()
    if low in ("any", "?"):
        return "?"
    spread = re.fullmatch(r"(\d+)(?:-|\.\.)(\d+)", low)
    if spread:
        first, last = whole(text, spread[1]), whole(text, spread[2])
        if first > last or last - first > MOST:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} must be a range from small to large, such as 1-7, of at most {MOST:,} numbers")
        return list(range(first, last + 1))
    if not re.fullmatch(r"\d+(,\d+)*", low):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} must be a whole number, some to choose from (1,3,5), a range (1-7), or any")
    values = [whole(text, part) for part in low.split(",")]
    return values[0] if len(values) == 1 else values


def size_or_same(text: str) -> Any:
    """An argparse type: as `choice`, or same."""
    return "same" if text.strip().lower() == "same" else choice(text)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("what", metavar="WHAT", help="conv, pool, conv_transpose, same or invert")
    parser.add_argument("--in", "--input", dest="size", type=choice, metavar="N|any", help="input size (default: any)")
    parser.add_argument("--out", "--output", dest="output", type=size_or_same, metavar="N|any|same", help="output size (default: any)")
    parser.add_argument("--k", "--kernel", dest="kernel", type=choice, metavar="N|any", help="kernel (default: any)")
    parser.add_argument("--s", "--stride", dest="stride", type=choice, metavar="N|any", help="stride (default: 1; of a pooling: any)")
    parser.add_argument("--p", "--padding", dest="padding", type=choice, metavar="N|any", help="padding on each side (default: 0)")
    parser.add_argument("--d", "--dilation", dest="dilation", type=choice, metavar="N|any", help="dilation (default: 1)")
    parser.add_argument("--op", "--output-padding", dest="output_padding", type=choice, metavar="N|any", help="of conv_transpose (default: 0)")
    parser.add_argument("--ceil", action="store_true", help="ceil_mode of a pooling")
    parser.add_argument("--exact", action="store_true", help="only what leaves nothing over")
    add_result_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Search and print."""
    from ..study.shape_page import solutions_page
    from ..study.solve import KINDS

    console = Console(arguments.json)
    name = {"deconv": "conv_transpose", "maxpool": "pool", "avgpool": "pool", "max_pool": "pool", "avg_pool": "pool"}.get(
        arguments.what, arguments.what
    )
    name = re.sub(r"[123]d$", "", name).rstrip("_")
    name = "pool" if name in ("max_pool", "avg_pool", "lp_pool") else name
    if name not in (*KINDS, "same", "invert"):
        raise UsageError(
            f"solve has no {arguments.what[:40]!r}; write conv, pool, conv_transpose, same or invert, such as `tinycnn solve conv --in 224 --out 112`"
        )
    try:
        if name == "same":
            return _same(console, arguments)
        found = _invert(arguments) if name == "invert" else _search(name, arguments)
    except ArgumentError as error:
        raise UsageError(str(error)) from error
    console.say(found.text())
    finish(console, arguments, found.to_dict(), solutions_page(found) if arguments.html is not None else "")
    return 0


def _search(name: str, arguments: argparse.Namespace) -> Any:
    from ..study.solve import solve

    kernel = "?" if arguments.kernel is None else arguments.kernel
    stride = "?" if arguments.stride is None and name == "pool" else arguments.stride
    return solve(
        name, size=arguments.size, output=arguments.output, kernel=kernel, stride=stride, padding=arguments.padding,
        dilation=arguments.dilation, output_padding=arguments.output_padding, ceil_mode=arguments.ceil and name == "pool", exact=arguments.exact,
    )  # fmt: skip


def _one(arguments: argparse.Namespace, option: str, default: int | None) -> int:
    """An option that must be one number here."""
    value = getattr(arguments, option)
    if value is None and default is not None:
        return default
    if not isinstance(value, int):
        letter = {"size": "in", "kernel": "k", "stride": "s", "padding": "p", "dilation": "d"}[option]
        raise UsageError(f"solve {arguments.what}: --{letter} must be one whole number, such as --{letter} 3")
    return value


def _invert(arguments: argparse.Namespace) -> Any:
    from ..study.solve import invert_convolution

    values = {"size": None, "kernel": None, "stride": 1, "padding": 0, "dilation": 1}
    return invert_convolution(*(_one(arguments, option, default) for option, default in values.items()))


def _same(console: Console, arguments: argparse.Namespace) -> int:
    from ..study.solve import same_padding_of, solve

    kernels = arguments.kernel if isinstance(arguments.kernel, list) else [_one(arguments, "kernel", None)]
    dilation = _one(arguments, "dilation", 1)
    if arguments.stride not in (None, 1):
        raise UsageError(
            "solve same: with a stride the size shrinks; `same` asks for stride 1 (TensorFlow's SAME: `tinycnn shape conv2d --p same_tf`)"
        )
    if len(kernels) > MOST_KERNELS:
        raise UsageError(f"solve same: {len(kernels):,} kernels are too many to list; give at most {MOST_KERNELS}")
    lines = [same_padding_of(kernel, dilation) for kernel in kernels]
    for line in lines:
        console.say(line)
    size = max(kernels) * dilation
    page = ""
    if arguments.html is not None:
        from ..study.shape_page import solutions_page

        page = solutions_page(solve("conv", size=size, output="same", kernel=kernels, padding="?", dilation=dilation))
    finish(console, arguments, {"answers": lines}, page)
    return 0
