"""`tinycnn explain OP`: one operator on your numbers, step by step, forward and backward."""

import argparse
import ast
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from .common import Console, whole_number
from .shape import write_page

DESCRIPTION = """\
Take one operator apart: its formula, your numbers in it, which inputs every output adds up and with which weights, the gradients as explicit
sums, and finite differences beside them. Whole numbers stay exact fractions. What you do not give is drawn from a small worked example."""
EPILOG = """\
examples:
  tinycnn explain max_pool2d "5 0 8 2; 1 9 5 4" kernel_size=2      arrays inline: rows between semicolons
  tinycnn explain conv2d photo.png weight.npy padding=1            from .npy, .csv or an image (grey, the first 8 x 8 pixels)
  tinycnn explain conv2d --backward --html conv.html                 a page to step through with the arrow keys
  tinycnn explain softmax "1 2 3" dim=0 --backward --latex         equations for your slides
  tinycnn explain roi_align --seed 3 --json                          everything as data
  tinycnn explain --list                                             all operators by family
"""
SIDE = 8  # pixels of an image that are taken: more is not readable
LARGEST_FILE = 1_000_000  # bytes of a .csv
CSV_SIGNS = str.maketrans({";": " ", "\t": " ", '"': " "})


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("operator", nargs="?", metavar="OP", help="an operator, such as conv2d")
    words = 'its first arguments: "5 0 8; 1 9 5", or a .npy, .csv or image file; NAME=VALUE for one by name'
    parser.add_argument("arrays", nargs="*", metavar="ARRAY", help=words)
    parser.add_argument("--backward", action="store_true", help="explain the gradients too, with a numeric check")
    parser.add_argument("--grad", metavar="ARRAY", help="upstream gradient (default: 1, 2, 3, ...); implies --backward")
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="decides drawn numbers (default: 0)")
    parser.add_argument("--elements", type=whole_number(1), default=12, metavar="N", help="elements written out in text and LaTeX (default: 12)")
    parser.add_argument("--html", metavar="FILE", help="write one self-contained page")
    parser.add_argument("--latex", action="store_true", help="print LaTeX instead of text")
    parser.add_argument("--list", action="store_true", help="name every operator")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Explain and print."""
    from ..registry import OPERATORS
    from ..study import explain

    console = Console(arguments.json)
    if arguments.list or not arguments.operator:
        for family in sorted({operator.family for operator in OPERATORS.values()}):
            console.say(f"{family}: {', '.join(sorted(name for name, operator in OPERATORS.items() if operator.family == family))}")
        console.result({"operators": sorted(OPERATORS)})
        if not arguments.list:
            raise UsageError("say which operator, such as `tinycnn explain conv2d`")
        return 0
    named = [text for text in arguments.arrays if is_named(text)]
    options = dict(read_option(text) for text in named)
    found = explain(
        arguments.operator,
        *(read_array(text) for text in arguments.arrays if text not in named),
        backward=arguments.backward,
        grad=None if arguments.grad is None else read_array(arguments.grad),
        seed=arguments.seed,
        **options,
    )
    if arguments.html is not None:
        write_page(Path(arguments.html), found.html())
        console.say(f"wrote {arguments.html}: open it in a browser and step with the arrow keys")
    elif arguments.latex:
        print(found.latex(arguments.elements), end="")
    elif not arguments.json:
        print(found.text(arguments.elements), end="")
    if arguments.json:
        print(json.dumps(found.to_dict(), indent=1))
    return 0


def is_named(text: str) -> bool:
    """Whether a word is NAME=VALUE."""
    name, equals, _ = text.partition("=")
    return bool(equals) and name.isidentifier()


def read_option(text: str) -> tuple[str, Any]:
    """NAME=VALUE: a number, a tuple, a word, or an array."""
    name, _, value = text.partition("=")
    if not value.strip():
        raise UsageError(f"{text} has no value; write NAME=VALUE, such as padding=1")
    return name, read_value(value.strip())


def read_value(text: str) -> Any:
    """A value of an option: Python's notation, an array inline or from a file, else a word."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    word = {"true": True, "false": False, "none": None}
    if text.lower() in word:
        return word[text.lower()]
    first = text.replace(",", " ").split()[:1]
    return read_array(text) if is_file(text) or (first and (first[0][0].isdigit() or first[0][0] in "-+.")) else text


def is_file(text: str) -> bool:
    """Whether an argument names a file rather than numbers."""
    return Path(text).suffix.lower() in (".npy", ".csv", ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")


def read_array(text: str) -> np.ndarray:
    """An array: inline, or from a .npy, .csv or image file."""
    from ..study.explain_arguments import parsed_array

    if not is_file(text):
        return parsed_array(text)
    path = Path(text)
    if not path.is_file():
        wrong = f"{text!r} is a folder" if path.is_dir() else f"there is no file {text!r}"
        raise UsageError(f'{wrong}; give a file that exists, or type the numbers: "5 0 8; 1 9 5"')
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        if path.suffix.lower() == ".csv":
            return read_csv(path)
        return read_image(path)
    except UsageError:
        raise
    except (OSError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(
            f"{text} cannot be read as an array: {reason}; give a .npy of plain numbers, a .csv, an image, or type the numbers"
        ) from error


def read_csv(path: Path) -> np.ndarray:
    """Rows on lines, numbers between commas, semicolons, tabs or blanks, in quotes or not."""
    from ..study.explain_arguments import parsed_array

    if path.stat().st_size > LARGEST_FILE:
        raise UsageError(f"{path} has {path.stat().st_size:,} bytes, more than anybody reads; cut out a few rows and columns")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return parsed_array(";".join(line.translate(CSV_SIGNS) for line in lines))


def read_image(path: Path) -> np.ndarray:
    """The upper left corner of an image in grey, 0 to 255."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(path)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise UsageError(
                f"{path} has more pixels than is safe to read; give a smaller image, of which the first {SIDE} x {SIDE} are taken"
            ) from error
    with image:
        return np.asarray(image.crop((0, 0, min(SIDE, image.width), min(SIDE, image.height))).convert("L"), np.float64)
