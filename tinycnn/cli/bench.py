"""`tinycnn bench`: how fast this machine runs the algorithms of a convolution, and a training step of LeNet-5.

`tinycnn bench ops` is in bench_ops.py, its cases in bench_cases.py.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from ..errors import UsageError
from .bench_cases import FAMILIES
from .common import Console, add_machine_options, table, use_threads, whole_number

DESCRIPTION = """\
Time the convolution algorithms and a LeNet-5 training step on this machine. Each number is the median of interleaved
runs after a warm-up; before anything is timed, all algorithms must give the same result. PyTorch is timed beside them
where it is installed; it is never needed. With `ops`, time every family of operators instead, on one thread and on two,
against PyTorch in both of its layouts."""
EPILOG = """\
examples:
  tinycnn bench                    a table, in about a minute
  tinycnn bench --threads 1        on one thread
  tinycnn bench --json             for a program
  tinycnn bench ops                every family of operators, in some minutes
  tinycnn bench ops --family loss  one family; may be given several times
"""

# Layer: batch, input channels, height = width, output channels, kernel, padding.
LAYERS = {
    "LeNet conv1": (64, 1, 28, 6, 5, 2),
    "LeNet conv2": (64, 6, 14, 16, 5, 0),
    "ResNet-20 16ch": (32, 16, 32, 16, 3, 1),
    "ResNet-20 64ch": (32, 64, 8, 64, 3, 1),
}
FAST_ALGORITHMS = ("im2col", "direct")
SECONDS_A_ROW = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    words = "lenet: algorithms of a convolution and a training step (default); ops: every operator"
    parser.add_argument("what", nargs="?", choices=("lenet", "ops"), default="lenet", help=words)
    add_machine_options(parser)
    parser.add_argument("--family", action="append", choices=FAMILIES, help="with ops: only this family")
    parser.add_argument("--rounds", type=whole_number(1), metavar="N", help="with ops: rounds of each row (default: 5)")
    parser.add_argument("--no-torch", action="store_true", help="leave PyTorch out even where it is installed")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print the tables."""
    if arguments.what == "ops":
        from . import bench_ops

        arguments.rounds = arguments.rounds or 5
        return bench_ops.run(arguments)
    if arguments.family or arguments.rounds:
        raise UsageError("--family and --rounds belong to `tinycnn bench ops`")
    console = Console(arguments.json)
    use_threads(arguments.threads)
    from ..kernels.threads import get_num_threads
    from .doctor import processor_name

    torch = None if arguments.no_torch else _torch(get_num_threads())
    console.say(f"{processor_name()}, {get_num_threads()} threads" + (f", torch {torch.__version__}" if torch else ""))
    layers = [_time_layer(name, torch) for name in LAYERS]
    columns = ["naive", *FAST_ALGORITHMS, *(["torch"] if torch else [])]
    console.say("\nconvolution forward, milliseconds; naive is plain Python, timed on one image and multiplied;")
    console.say("columns: the memory that im2col needs for them")
    rows = [[layer["layer"], *(f"{layer['milliseconds'][c]:.3f}" for c in columns), f"{layer['columns_mib']:.1f} MiB"] for layer in layers]
    console.say(table(["layer", *columns, "columns"], rows))
    steps = [_time_step(batch, torch) for batch in (64, 128)]
    columns = ["tinycnn", *(["torch"] if torch else [])]
    console.say("\nLeNet-5, one training step (forward, backward, SGD), milliseconds (median)")
    rows = [
        [
            f"batch {step['batch']}",
            *(f"{step['milliseconds'][c]:.2f}" for c in columns),
            f"{step['images_per_second']:,.0f}",
        ]
        for step in steps
    ]
    console.say(table(["step", *columns, "images/s"], rows))
    console.result({"processor": processor_name(), "threads": get_num_threads(), "convolution": layers, "lenet5_step": steps})
    return 0


def _torch(threads: int) -> Any:
    """PyTorch with as many threads, or None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(threads)
    return torch


def _medians(functions: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median milliseconds of each function; the functions take turns, so that a busy moment hits all of them."""
    for function in functions.values():
        function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    end = time.perf_counter() + SECONDS_A_ROW
    while time.perf_counter() < end or len(next(iter(times.values()))) < 3:
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def _time_layer(name: str, torch: Any) -> dict[str, Any]:
    import numpy as np

    from .. import functional
    from ..autograd import no_grad
    from ..errors import TinycnnError

    batch, channels, size, outputs, kernel, padding = LAYERS[name]
    generator = np.random.default_rng(0)
    x = generator.standard_normal((batch, channels, size, size)).astype(np.float32)
    weight = generator.standard_normal((outputs, channels, kernel, kernel)).astype(np.float32)
    bias = generator.standard_normal(outputs).astype(np.float32)

    def with_algorithm(algorithm: str) -> Callable[[], Any]:
        return lambda: functional.conv2d(x, weight, bias, padding=padding, algorithm=algorithm)

    functions = {algorithm: with_algorithm(algorithm) for algorithm in FAST_ALGORITHMS}
    if torch is not None:
        tensors = [torch.from_numpy(array) for array in (x, weight, bias)]
        functions["torch"] = lambda: torch.nn.functional.conv2d(*tensors, padding=padding)
    with no_grad():
        start = time.perf_counter()
        # The definition is plain Python: one image says enough, and all take the same time.
        expected = functional.conv2d(x[:1], weight, bias, padding=padding, algorithm="naive").numpy()
        milliseconds = {"naive": 1e3 * batch * (time.perf_counter() - start)}
        for algorithm, function in functions.items():
            difference = float(np.abs(function().numpy()[:1] - expected).max() / np.abs(expected).max())
            if difference > 1e-4:
                raise TinycnnError(f"bench: {algorithm} differs from naive by {difference:.1e} on {name}; report this")
        milliseconds |= _medians(functions)
    output_size = size + 2 * padding - kernel + 1
    columns = batch * channels * kernel * kernel * output_size * output_size * 4
    return {"layer": name, "milliseconds": milliseconds, "columns_mib": columns / 2**20}


def _time_step(batch: int, torch: Any) -> dict[str, Any]:
    import numpy as np

    generator = np.random.default_rng(0)
    images = generator.standard_normal((batch, 1, 28, 28)).astype(np.float32)
    labels = generator.integers(0, 10, batch)
    functions = {"tinycnn": _our_step(images, labels)}
    if torch is not None:
        functions["torch"] = _their_step(torch, images, labels)
    milliseconds = _medians(functions)
    return {"batch": batch, "milliseconds": milliseconds, "images_per_second": 1e3 * batch / milliseconds["tinycnn"]}


def _our_step(images: Any, labels: Any) -> Callable[[], Any]:
    from .. import functional, optim
    from ..models import get_model
    from ..tensor import Tensor

    model = get_model("lenet5")
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x, target = Tensor(images), Tensor(labels)

    def step() -> None:
        loss = functional.cross_entropy(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def _their_step(torch: Any, images: Any, labels: Any) -> Callable[[], Any]:
    """The same network and the same step in PyTorch."""
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x, target = torch.from_numpy(images), torch.from_numpy(labels)

    def step() -> None:
        loss = nn.functional.cross_entropy(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step
