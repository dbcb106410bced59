"""`tinycnn quantize RUN`: the network in 8-bit integers, what it loses, and where."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArgumentError, UsageError
from .common import Console, add_data_options, add_machine_options, find_run, positive_number, table, use_threads, whole_number
from .shape import finish

DESCRIPTION = """\
Convert a trained network to 8-bit integers: normalisations folded into the weights, ranges of the activations measured on training images, int8
weights, int32 sums, integer arithmetic from the image to the answer. Compares accuracy, memory and time with the floats, and shows layer by layer
where the difference comes from. RUN is a run's folder, a checkpoint file or a name under runs/; or an architecture, with --weights FILE."""
EPILOG = """\
examples:
  tinycnn quantize                                              the newest run, on the data it was trained on
  tinycnn quantize runs/lenet5-mnist --html small.html
  tinycnn quantize runs/lenet5-mnist --per tensor --method mse
  tinycnn quantize runs/lenet5-mnist --compare                  every method, per channel and per tensor
  tinycnn quantize runs/lenet5-mnist --bits 4                   how few bits are enough?
  tinycnn quantize resnet20 --weights resnet20-12fca82f.th --data cifar10 --mean .485,.456,.406 --std .229,.224,.225
"""
ERROR_IMAGES = 64  # for the table of the layers; all their values are kept
TIMED_IMAGES = 64
TIMED_ROUNDS = 10


@dataclass(frozen=True)
class Subject:
    """A trained network, its data, and how images are normalised for it."""

    model: Any
    name: str
    data: Any
    mean: Any
    std: Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="folder, checkpoint or name of a run (default: the newest), or an architecture")
    add_data_options(parser, None, "what the run was trained on")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights of the architecture: .pth, .th, .safetensors, .npz")
    parser.add_argument("--mean", type=channel_numbers, metavar="R,G,B", help="subtracted from pixels of 0 to 1 (default: the run's, or the data's)")
    parser.add_argument("--std", type=channel_numbers, metavar="R,G,B", help="what they are divided by then")
    parser.add_argument("--per", choices=("channel", "tensor"), default="channel", help="one scale a filter (default), or one a layer")
    parser.add_argument("--method", default="minmax", metavar="NAME", help="range of the activations: minmax (default), percentile or mse")
    words = "per cent of the numbers that the method percentile keeps (default: 99.99)"
    parser.add_argument("--percentile", type=positive_number, default=99.99, metavar="X", help=words)
    parser.add_argument("--bits", type=whole_number(2), default=8, metavar="N", help="2 to 8 (default: 8)")
    parser.add_argument("--calibrate", type=whole_number(2), default=512, metavar="N", help="training images to measure ranges on (default: 512)")
    parser.add_argument("--test", type=whole_number(1), metavar="N", help="test images (default: all)")
    parser.add_argument("--compare", action="store_true", help="a table of all methods, per channel and per tensor")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the comparison and the layers as one page that works offline")
    add_machine_options(parser)


def channel_numbers(text: str) -> tuple[float, ...]:
    """An argparse type: "0.5,0.5,0.5"."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not np.isfinite(numbers).all():
        raise argparse.ArgumentTypeError(f"{text!r} must be numbers such as 0.485,0.456,0.406, one a channel")
    return numbers


def run(arguments: argparse.Namespace) -> int:
    """Convert, evaluate both, compare."""
    from ..study.quantization import CALIBRATIONS
    from .main import nearest

    console = Console(arguments.json)
    if arguments.method not in CALIBRATIONS:
        raise UsageError(f"--method {arguments.method}{nearest(arguments.method, list(CALIBRATIONS))}; there are {', '.join(CALIBRATIONS)}")
    if arguments.bits > 8:
        raise UsageError(f"--bits {arguments.bits}: 2 to 8, for the integers lie in 8 bits")
    if not 50 < arguments.percentile <= 100:
        raise UsageError(f"--percentile {arguments.percentile}: above 50, at most 100")
    use_threads(arguments.threads)
    subject = read_subject(arguments)
    try:
        return _compare(arguments, subject, console)
    except ArgumentError as error:
        raise UsageError(str(error)) from error


def read_subject(arguments: argparse.Namespace) -> Subject:
    """The network with its data, refused where they do not fit."""
    from .data import open_data
    from .runs import check_model_name, model_options, restore

    if arguments.weights is None:
        source = find_run(arguments.run)
        restored = restore(source)
        data = open_data(arguments.data or restored.info["data"], arguments.download)
        info, model = restored.info, restored.model
    else:
        from ..models import get_model
        from ..weights import load_weights

        if arguments.run is None or arguments.data is None:
            raise UsageError("--weights goes with an architecture and data: tinycnn quantize resnet20 --weights FILE --data cifar10")
        check_model_name(arguments.run)
        data = open_data(arguments.data, arguments.download)
        model = get_model(arguments.run, **model_options(arguments.run, len(data.classes), data.channels, data.image_size))
        load_weights(model, arguments.weights)
        info = {"model": arguments.run, **data.facts()}
    for words, own, other in (
        ("classes", len(info["classes"]), len(data.classes)),
        ("channels", info["channels"], data.channels),
        ("pixels a side", info["image_size"], data.image_size),
    ):
        if own != other:
            raise UsageError(f"quantize: the network was trained on images with {own} {words}, {data.name} has {other}")
    mean, std = arguments.mean or info["mean"], arguments.std or info["std"]
    for option, numbers in (("--mean", mean), ("--std", std)):
        if len(numbers) != data.channels:
            raise UsageError(f"{option} has {len(numbers)} numbers, the images {data.channels} channels; give one a channel")
    if min(std) <= 0:
        raise UsageError(f"--std {','.join(map(str, std))}: pixels are divided by it, so it must be above 0")
    return Subject(model.eval(), info["model"], data, mean, std)


def calibration_images(subject: Subject, count: int) -> Any:
    """Training images at even distances, as the network sees test images."""
    from ..data.transforms import Compose, Normalize, ToTensor
    from .data import with_transform

    train = with_transform(subject.data.train, Compose([ToTensor(), Normalize(subject.mean, subject.std)]))
    places = np.unique(np.linspace(0, len(train) - 1, min(count, len(train))).round().astype(np.intp))
    return np.stack([np.asarray(train[int(place)][0]) for place in places])


def test_loader(subject: Subject, count: int | None) -> Any:
    """Batches of the test images, or of the first of them."""
    from ..data import DataLoader, Subset

    images = subject.data.test_set(subject.mean, subject.std)
    return DataLoader(images if count is None else Subset(images, range(min(count, len(images)))), batch_size=250)


def milliseconds(call: Callable[[], Any]) -> float:
    """The shortest of some calls: other work on the machine only ever makes them longer."""
    call()
    spent = []
    for _ in range(TIMED_ROUNDS):
        began = time.perf_counter()
        call()
        spent.append(time.perf_counter() - began)
    return 1e3 * min(spent)


def _compare(arguments: argparse.Namespace, subject: Subject, console: Console) -> int:
    from ..autograd import no_grad
    from ..study.quantization import CALIBRATIONS, errors_by_layer, quantization_page, quantize
    from ..study.quantization.errors_by_layer import error_table
    from ..study.tables import bytes_text
    from ..tensor import Tensor
    from ..train import evaluate

    pixels = calibration_images(subject, arguments.calibrate)
    options = {"per_channel": arguments.per == "channel", "method": arguments.method}
    shared = {"percentile": arguments.percentile, "bits": arguments.bits, "count": max(2, len(pixels))}
    small = quantize(subject.model, pixels, **options, **shared)
    loader = test_loader(subject, arguments.test)
    floats, integers = evaluate(subject.model, loader), evaluate(small, loader)
    same = float(np.mean(floats.predictions == integers.predictions))
    some = Tensor(np.ascontiguousarray(pixels[:TIMED_IMAGES]))
    with no_grad():
        times = [milliseconds(partial(model, some)) for model in (subject.model, small)]
    console.say(f"{subject.name} on the {floats.count:,} test images of {subject.data.name}; ranges from {len(pixels)} training images\n")
    rows = [
        [name, f"{100 * one.accuracy:.2f} %", f"{one.loss:.4f}", bytes_text(size), f"{spent:.1f} ms"]
        for name, one, size, spent in zip(
            ("floats", f"{arguments.bits}-bit integers"), (floats, integers), (small.float_bytes, small.nbytes), times, strict=True
        )
    ]
    console.say(table(["", "accuracy", "loss", "weights", f"{len(some)} images"], rows))
    console.say(f"\nthe same answer for {100 * same:.2f} % of the images; {small.float_bytes / small.nbytes:.2f} times smaller, {_speed(times)}")
    console.say(f"steps: {', '.join(f'{count} {form}' for form, count in small.forms.items())}\n")
    layers = errors_by_layer(small, pixels[:ERROR_IMAGES])
    console.say(error_table(layers))
    comparison = []
    if arguments.compare:
        for method in CALIBRATIONS:
            for per in ("channel", "tensor"):
                found = evaluate(quantize(subject.model, pixels, per_channel=per == "channel", method=method, **shared), loader)
                lost = 100 * (floats.accuracy - found.accuracy)
                comparison.append({"ranges": method, "scales": f"per {per}", "accuracy": f"{100 * found.accuracy:.2f} %", "lost": f"{lost:+.2f}"})
        console.say("\n" + table(["ranges", "scales", "accuracy", "points lost"], [list(row.values()) for row in comparison]))
    title = f"{subject.name} on {subject.data.name}, in {arguments.bits}-bit integers"
    facts = [
        ("accuracy in floats", f"{100 * floats.accuracy:.2f} %"),
        ("in integers", f"{100 * integers.accuracy:.2f} %"),
        ("weights in floats", bytes_text(small.float_bytes)),
        ("in integers", bytes_text(small.nbytes)),
        ("same answers", f"{100 * same:.2f} %"),
        (f"a batch of {len(some)}", _speed(times)),
    ]
    result = {
        "model": subject.name,
        "data": subject.data.name,
        "test_images": floats.count,
        "options": small.options,
        "accuracy": {"float": floats.accuracy, "integer": integers.accuracy},
        "points_lost": 100 * (floats.accuracy - integers.accuracy),
        "same_answers": same,
        "bytes": {"float": small.float_bytes, "integer": small.nbytes},
        "milliseconds": {"batch": len(some), "float": times[0], "integer": times[1]},
        "forms": small.forms,
        "layers": [row.to_dict() for row in layers],
        "comparison": comparison,
    }
    finish(console, arguments, result, quantization_page(title, facts, layers, comparison) if arguments.html is not None else "")
    return 0


def _speed(times: list[float]) -> str:
    """How long integers take beside floats."""
    ratio = times[1] / times[0]
    return f"{1 / ratio:.2f} times faster" if ratio < 1 else f"{ratio:.2f} times slower"
