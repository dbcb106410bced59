"""`tinycnn summary MODEL`: a network taken apart, as text, JSON, a page with its graph, or a drawing."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .common import Console, add_machine_options, use_threads, whole_number

if TYPE_CHECKING:
    from ..nn import Module

DESCRIPTION = """\
Take a network apart, layer by layer: output shape, parameters, multiply-accumulates (MACs) and floating-point operations
(FLOPs, each MAC is two), memory of inference and of a training step, and receptive field, with the arithmetic shown.
Branches, functional calls and attention are seen: the network is run once and every operator writes itself down."""
EPILOG = """\
examples:
  tinycnn summary lenet5
  tinycnn summary lenet5 --html lenet5.html          the graph with shapes and costs, one page, works offline
  tinycnn summary lenet5 --batch 128 --optimizer momentum --measure
  tinycnn summary lenet5 --tikz lenet5.tex --dot lenet5.dot --svg lenet5.svg
"""


def example_size(text: str) -> tuple[int, ...]:
    """An argparse type: "3,224,224"."""
    try:
        sizes = tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be whole numbers such as 3,224,224 (channels, height, width)")
    return sizes


def add_cost_options(parser: argparse.ArgumentParser) -> None:
    """--input, --batch and --optimizer."""
    parser.add_argument(
        "--input", type=example_size, metavar="C,H,W", help="one example (default: what the network is made for, most for 3,224,224)"
    )
    parser.add_argument("--batch", type=whole_number(1), default=1, metavar="N", help="examples a batch, for the memory (default: 1)")
    parser.add_argument(
        "--optimizer", default="adam", metavar="NAME", help="whose state is counted: none, sgd, momentum, rmsprop, adagrad, adadelta, adam, adamw"
    )


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("model", metavar="MODEL", help="a name, such as lenet5; an unknown one is answered with the nearest")
    add_cost_options(parser)
    parser.add_argument("--num-classes", type=whole_number(1), metavar="N", help="outputs of the network (default: its own)")
    parser.add_argument("--measure", action="store_true", help="run the steps with the whole batch and measure their peaks of memory")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one page with the graph and a table that sorts")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the graph as a drawing for the web")
    parser.add_argument("--dot", type=Path, metavar="FILE", help="write the graph for Graphviz")
    parser.add_argument("--tikz", type=Path, metavar="FILE", help="write the graph for LaTeX")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record, work out, write."""
    console = Console(arguments.json)
    use_threads(arguments.threads)
    from ..models import input_size
    from ..study.drawing import dot, drawing_of, svg, tikz
    from ..study.summary import summary
    from ..study.summary_page import summary_page

    model = built(arguments.model, arguments.input, arguments.num_classes, finite=arguments.measure)
    size = arguments.input or input_size(arguments.model)
    result = summary(model, size, arguments.batch, optimizer=arguments.optimizer, measure=arguments.measure, name=arguments.model)
    console.say(result.text())
    if arguments.html is not None:
        arguments.html.write_text(summary_page(result), encoding="utf-8")
    for path, draw in ((arguments.svg, svg), (arguments.dot, dot), (arguments.tikz, tikz)):
        if path is not None:
            path.write_text(draw(drawing_of(result)), encoding="utf-8")
    written = [path for path in (arguments.html, arguments.svg, arguments.dot, arguments.tikz) if path is not None]
    for path in written:
        console.say(f"wrote {path}")
    console.result({**result.to_dict(), "files": written})
    return 0


def builder_options(name: str) -> Mapping[str, inspect.Parameter]:
    """The options of a builder; none for a name that does not exist."""
    from .. import models

    return inspect.signature(getattr(models, name)).parameters if name in models.list_models() else {}


def built(name: str, size: tuple[int, ...] | None, num_classes: int | None = None, *, finite: bool = False) -> Module:
    """The network by name; its weights are drawn only where `finite` numbers are needed."""
    from .. import models
    from ..nn.utils import skip_init

    options = {}
    accepted = builder_options(name)
    if size is not None and "in_channels" in accepted and size[0] != accepted["in_channels"].default:
        options["in_channels"] = size[0]
    if size is not None and "image_size" in accepted:
        options["image_size"] = size[-1]
    if num_classes is not None:
        options["num_classes"] = num_classes
    return models.get_model(name, **options) if finite else skip_init(models.get_model, name, **options)
