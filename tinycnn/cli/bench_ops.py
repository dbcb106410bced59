"""`tinycnn bench ops`: every family of operators against PyTorch, in one process.

The candidates of a row take turns in short chunks, so that a slow moment of the machine hits all of them; a ratio is the median over rounds of the
ratio within a round. Between chunks everyone rests: worker threads of one library spin for a while after its last call and would steal a
processor from the next one. Before a row is timed, both libraries must give the same numbers.
"""

import argparse
import importlib
import math
import statistics
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from ..errors import TinycnnError
from .bench_cases import CASES, FAMILIES, Case
from .common import Console, table, use_threads

TOLERANCE = 1e-4
CHUNK_SECONDS = 0.02
REST_SECONDS = 0.006
LAYOUTS = ("torch", "channels_last")

Call = Callable[[], Any]


def run(arguments: argparse.Namespace) -> int:
    """Measure the chosen families and print one table a number of threads."""
    from ..kernels import threads

    console = Console(arguments.json)
    counts = [arguments.threads] if arguments.threads else sorted({1, min(2, threads.max_threads())})
    families = arguments.family or list(FAMILIES)
    torch, torchvision = (None, None) if arguments.no_torch else (_module("torch"), _module("torchvision"))
    results = []
    before = threads.get_num_threads()
    try:
        for count in counts:
            use_threads(count)
            if torch is not None:
                torch.set_num_threads(count)
            rows = _measure_families(console, families, torch, torchvision, arguments.rounds, count)
            results.append({"threads": count, "rows": rows, "geometric_means": _means(rows, families)})
    finally:
        threads.set_num_threads(before)
    console.result({"torch": None if torch is None else torch.__version__, "rounds": arguments.rounds, "tables": results})
    return 0


def _module(name: str) -> Any:
    """A module, or None where it is not installed or does not fit the rest of the installation."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError, RuntimeError):
        return None


def _measure_families(console: Console, families: list[str], torch: Any, torchvision: Any, rounds: int, threads: int) -> list[dict[str, Any]]:
    columns = ["tinycnn ms", *(["/ torch", "/ channels_last"] if torch else [])]
    console.say(f"\n{threads} thread{'s' if threads > 1 else ''}: milliseconds, and the ratio to PyTorch (below 1 tinycnn is faster)")
    rows: list[dict[str, Any]] = []
    for family in families:
        found = [row for case in CASES if case.family == family for row in _rows(case, torch, torchvision, rounds)]
        if not found:
            continue
        rows += found
        lines = [[row["label"], row["part"], f"{row['milliseconds']:.3f}", *(_ratio(row["ratios"].get(layout)) for layout in LAYOUTS if torch)]
                 for row in found]  # fmt: skip
        lines += _summary(found) if torch else []
        console.say("\n" + table([family, "part", *columns], lines))
    return rows


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _summary(rows: list[dict[str, Any]]) -> list[list[str]]:
    """The geometric mean of a family, and its worst row."""
    compared = [row for row in rows if "torch" in row["ratios"]]
    if not compared:
        return []
    means = [_geometric_mean([row["ratios"][layout] for row in compared if layout in row["ratios"]]) for layout in LAYOUTS]
    worst = max(compared, key=lambda row: row["ratios"]["torch"])
    return [
        ["geometric mean", "", "", *(_ratio(mean) for mean in means)],
        [f"worst: {worst['label']}", worst["part"], "", _ratio(worst["ratios"]["torch"]), ""],
    ]


def _means(rows: list[dict[str, Any]], families: list[str]) -> dict[str, dict[str, float | None]]:
    """The geometric mean ratio of every family by torch's layout."""
    return {
        family: {layout: _geometric_mean([row["ratios"][layout] for row in rows if row["family"] == family and layout in row["ratios"]])
                 for layout in LAYOUTS}
        for family in families
    }  # fmt: skip


def _geometric_mean(values: list[float]) -> float | None:
    return math.exp(statistics.fmean(map(math.log, values))) if values else None


def _rows(case: Case, torch: Any, torchvision: Any, rounds: int) -> Iterator[dict[str, Any]]:
    """Time every part of a case, if tinycnn has its operator."""
    ours, theirs = _libraries(case, torch, torchvision)
    if not hasattr(ours, case.needs):
        return
    for part in case.parts:
        generator = np.random.default_rng(0)
        arrays = [argument.make(generator) for argument in case.arguments]
        calls = {"tinycnn": _our_call(case, part, ours, arrays)}
        if theirs is not None:
            image_like = arrays[0].ndim == 4
            for layout in LAYOUTS if image_like else LAYOUTS[:1]:
                calls[layout] = _their_call(case, part, torch, theirs, arrays, layout)
        _require_equal(case, part, calls)
        seconds = _interleaved(calls, rounds)
        yield {
            "family": case.family,
            "label": case.label,
            "part": part,
            "milliseconds": 1e3 * statistics.median(seconds["tinycnn"]),
            "ratios": {
                name: statistics.median(a / b for a, b in zip(seconds["tinycnn"], values, strict=True))
                for name, values in seconds.items()
                if name != "tinycnn"
            },
        }


def _libraries(case: Case, torch: Any, torchvision: Any) -> tuple[ModuleType | None, Any]:
    """The two modules that have the case's operator."""
    if case.family == "detection":
        return _module("tinycnn.ops"), getattr(torchvision, "ops", None)
    functional = importlib.import_module("tinycnn.functional")
    return functional, None if torch is None or not hasattr(torch.nn.functional, case.needs) else torch.nn.functional


def _our_call(case: Case, part: str, library: Any, arrays: list[np.ndarray]) -> Call:
    from ..autograd import no_grad
    from ..tensor import Tensor

    if part in ("grad-input", "grad-weight"):
        return _our_gradient(case, part, arrays)
    tensors = [Tensor(array.copy()) for array in arrays]

    def forward() -> Any:
        with no_grad():
            return case.run(library, *tensors).numpy()

    if part == "forward":
        return forward
    for tensor, argument in zip(tensors, case.arguments, strict=True):
        tensor.requires_grad_(argument.gradient)
    leaves: list[Any] = [tensor for tensor in tensors if tensor.requires_grad]
    upstream: list[Any] = []

    def both() -> list[Any]:
        result = case.run(library, *tensors)
        if not upstream:
            upstream.append(_upstream(result.shape))
        for leaf in leaves:
            leaf.grad = None
        result.backward(upstream[0])
        return [leaf.grad.numpy() for leaf in leaves]

    return both


def _their_call(case: Case, part: str, torch: Any, library: Any, arrays: list[np.ndarray], layout: str) -> Call:
    def convert(array: np.ndarray) -> Any:
        tensor = torch.from_numpy(array.copy())
        image_like = layout == "channels_last" and tensor.ndim == 4 and tensor.is_floating_point()
        return tensor.contiguous(memory_format=torch.channels_last) if image_like else tensor

    tensors = [convert(array) for array in arrays]
    if part in ("grad-input", "grad-weight"):
        return _their_gradient(case, part, torch, tensors, convert)

    def forward() -> Any:
        with torch.no_grad():
            return case.run(library, *tensors).numpy()

    if part == "forward":
        return forward
    for tensor, argument in zip(tensors, case.arguments, strict=True):
        tensor.requires_grad_(argument.gradient)
    leaves = [tensor for tensor in tensors if tensor.requires_grad]
    upstream: list[Any] = []

    def both() -> list[Any]:
        result = case.run(library, *tensors)
        if not upstream:
            upstream.append(convert(_upstream(tuple(result.shape))))
        return [gradient.numpy() for gradient in torch.autograd.grad(result, leaves, upstream[0])]

    return both


def _upstream(shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(np.random.default_rng(1).standard_normal(shape), np.float32)


def _geometry(case: Case) -> tuple[Any, ...]:
    """(stride, padding, dilation, groups) of a convolution."""
    options = case.options or {}
    return tuple(options.get(name, default) for name, default in (("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1)))


def _output_shape(case: Case) -> tuple[int, ...]:
    from ..kernels.sizes import conv_output_size

    stride, padding, dilation, _ = _geometry(case)
    images, _, *sizes = case.arguments[0].shape
    filters, _, kernel, _ = case.arguments[1].shape
    return (images, filters, *(conv_output_size(size, kernel, stride, padding, padding, dilation) for size in sizes))


def _our_gradient(case: Case, part: str, arrays: list[np.ndarray]) -> Call:
    """One gradient of a convolution alone, without the forward pass."""
    from .. import kernels

    x, weight = arrays[:2]
    stride, padding, dilation, groups = _geometry(case)
    geometry = ((stride,) * 2, (padding,) * 4, (dilation,) * 2, groups, "zeros")
    upstream = _upstream(_output_shape(case))
    if part == "grad-input":
        kernel = kernels.select("conv2d_grad_x", x)
        return lambda: kernel(upstream, weight, x.shape, *geometry)
    kernel = kernels.select("conv2d_grad_weight", x)
    return lambda: kernel(upstream, x, weight.shape, *geometry)


def _their_gradient(case: Case, part: str, torch: Any, tensors: list[Any], convert: Callable[[np.ndarray], Any]) -> Call:
    x, weight = tensors[:2]
    stride, padding, dilation, groups = _geometry(case)
    upstream = convert(_upstream(_output_shape(case)))
    wanted = [part == "grad-input", part == "grad-weight", False]
    options = ([stride] * 2, [padding] * 2, [dilation] * 2, False, [0, 0], groups, wanted)
    position = wanted.index(True)
    return lambda: torch.ops.aten.convolution_backward(upstream, x, weight, None, *options)[position].numpy()


def _require_equal(case: Case, part: str, calls: dict[str, Call]) -> None:
    """Raise unless all candidates give the same arrays to TOLERANCE of the largest number."""
    expected = _arrays(calls["tinycnn"]())
    for name, call in calls.items():
        found = _arrays(call())
        for a, b in zip(expected, found, strict=True):
            if a.shape != b.shape:
                raise TinycnnError(f"bench: {case.label}, {part}: tinycnn gives shape {a.shape}, {name} {b.shape}; report this")
            size = max(float(np.abs(b).max(initial=0)), 1e-30)
            difference = float(np.abs(a - b).max(initial=0)) / size
            if not difference <= TOLERANCE:
                raise TinycnnError(f"bench: {case.label}, {part}: tinycnn and {name} differ by {difference:.1e} of the largest number; report this")


def _arrays(value: Any) -> list[np.ndarray]:
    return [np.asarray(part) for part in (value if isinstance(value, list) else [value])]


def _interleaved(calls: dict[str, Call], rounds: int) -> dict[str, list[float]]:
    """Seconds a call, by candidate and round."""
    repeats = {}
    for name, call in calls.items():
        call()
        start = time.perf_counter()
        call()
        repeats[name] = max(1, round(CHUNK_SECONDS / max(time.perf_counter() - start, 1e-7)))
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            time.sleep(REST_SECONDS)
            call()
            start = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            seconds[name].append((time.perf_counter() - start) / repeats[name])
    return seconds
