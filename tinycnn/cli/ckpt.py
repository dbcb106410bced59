"""`tinycnn ckpt inspect|diff|convert`: files of weights, whoever wrote them, without running anything in them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from .common import Console, table

DESCRIPTION = """\
Look into files of weights and rewrite them: PyTorch's .pth, .pt and .th, .safetensors, .npz, a run's checkpoint, Darknet's
.weights. Nothing in a file is ever run. inspect also reads the topologies .cfg (Darknet) and .prototxt (Caffe)."""
EPILOG = """\
examples:
  tinycnn ckpt inspect resnet18-f37072fd.pth
  tinycnn ckpt diff before.npz after.npz
  tinycnn ckpt convert resnet18-f37072fd.pth resnet18.safetensors
  tinycnn ckpt convert runs/lenet5-digits/checkpoint.npz lenet5.onnx --model lenet5
"""
ACTIONS = {"inspect": 1, "diff": 2, "convert": 2}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("files", nargs="+", metavar="FILE", help="one file to inspect, two to compare, or the old and the new one")
    parser.add_argument("--cfg", metavar="FILE", help="the .cfg of a Darknet .weights file (default: the one beside it)")
    parser.add_argument("--model", metavar="NAME", help="convert: an architecture that the weights must fit; .onnx files need it")
    parser.add_argument("--input", metavar="C,H,W", help="convert to .onnx: size of an image (default: what the network is made for)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output, all else on standard error")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    wanted = ACTIONS[arguments.action]
    if len(arguments.files) != wanted:
        words = "one file" if wanted == 1 else "two files"
        raise UsageError(f"`tinycnn ckpt {arguments.action}` takes {words}, not {len(arguments.files)}")
    console = Console(arguments.json)
    {"inspect": _inspect, "diff": _diff, "convert": _convert}[arguments.action](arguments, console)
    return 0


def _inspect(arguments: argparse.Namespace, console: Console) -> None:
    path = Path(arguments.files[0])
    if path.suffix in (".cfg", ".prototxt"):
        return _inspect_topology(path, console)
    from ..weights import read

    found = read(path, cfg=arguments.cfg)
    entries = [_entry(key, array, found.stored.get(key, array.dtype.name)) for key, array in found.arrays.items()]
    total = sum(array.size for array in found.arrays.values())
    console.say(f"{path}: {found.format}, {len(entries)} tensors, {total:,} numbers")
    rows = [[one["key"], _shape(one["shape"]), one["dtype"], *(_number(one[name]) for name in ("min", "max", "mean"))] for one in entries]
    console.say(table(["key", "shape", "dtype", "min", "max", "mean"], rows))
    for note in found.notes:
        console.say(f"note: {note}")
    sick = [one["key"] for one in entries if one["not_finite"]]
    if sick:
        console.say(f"warning: {len(sick)} tensors hold NaN or infinity, the first is {sick[0]}: whoever trained this network saw it diverge")
    console.result({"file": path, "format": found.format, "numbers": total, "notes": found.notes, "tensors": entries})
    return None


def _inspect_topology(path: Path, console: Console) -> None:
    """The layers of a .cfg or .prototxt with their shapes and parameters."""
    from ..weights import parse_cfg, parse_prototxt
    from ..weights.files import read_whole

    text = read_whole(path).decode("utf-8", "replace")
    if path.suffix == ".cfg":
        layers = [(str(layer.index), layer.kind, layer.output_shape, layer.count) for layer in parse_cfg(text)[1]]
    else:
        layers = [(layer.name, layer.kind, layer.output_shape, layer.count) for layer in parse_prototxt(text).layers]
    total = sum(layer[3] for layer in layers)
    console.say(f"{path}: {len(layers)} layers, {total:,} parameters")
    console.say(table(["layer", "kind", "output", "parameters"], [[name, kind, _shape(shape), f"{count:,}"] for name, kind, shape, count in layers]))
    named = [dict(zip(("layer", "kind", "output_shape", "parameters"), layer, strict=True)) for layer in layers]
    console.result({"file": path, "parameters": total, "layers": named})


def _entry(key: str, array: np.ndarray, stored: str) -> dict[str, Any]:
    """What there is to say of a tensor."""
    entry: dict[str, Any] = {"key": key, "shape": array.shape, "dtype": stored, "min": None, "max": None, "mean": None, "not_finite": 0}
    if array.size and array.dtype.kind in "fiub":
        finite = np.isfinite(array)
        entry["not_finite"] = int(array.size - finite.sum())
        kept = array[finite]
        if kept.size:
            with np.errstate(over="ignore"):
                mean = float(kept.mean(dtype=np.float64))
            entry |= {"min": float(kept.min()), "max": float(kept.max()), "mean": mean}
    return entry


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "()"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _diff(arguments: argparse.Namespace, console: Console) -> None:
    from ..weights import read

    first, second = (read(name, cfg=arguments.cfg).arrays for name in arguments.files)
    rows = []
    equal = 0
    for key in dict.fromkeys([*first, *second]):
        one, other = first.get(key), second.get(key)
        if one is None or other is None:
            rows.append([key, "missing" if one is None else _shape(one.shape), "missing" if other is None else _shape(other.shape), "-"])
        elif one.shape != other.shape:
            rows.append([key, _shape(one.shape), _shape(other.shape), "-"])
        elif not np.array_equal(one, other, equal_nan=one.dtype.kind == "f" and other.dtype.kind == "f"):
            wide = np.complex128 if "c" in one.dtype.kind + other.dtype.kind else np.float64
            with np.errstate(invalid="ignore", over="ignore"):
                largest = float(np.abs(one.astype(wide) - other.astype(wide)).max())
            rows.append([key, _shape(one.shape), _shape(other.shape), _number(largest)])
        else:
            equal += 1
    console.say(f"{equal} tensors are equal, {len(rows)} differ")
    if rows:
        console.say(table(["key", *arguments.files, "largest difference"], rows))
    fields = ("key", "first", "second", "largest_difference")
    console.result({"equal": equal, "differ": [dict(zip(fields, row, strict=True)) for row in rows]})


def _convert(arguments: argparse.Namespace, console: Console) -> None:
    from ..models import input_size
    from ..tensor import Tensor
    from ..weights import export_onnx, read, save

    source, target = map(Path, arguments.files)
    if target.suffix == ".onnx" and not arguments.model:
        raise UsageError("an .onnx file holds the network too: name it with --model")
    found = read(source, cfg=arguments.cfg)
    state: dict[str, Any] = dict(found.arrays)
    if arguments.model:
        from .photo import known, pretrained_model

        model, _ = pretrained_model(known(arguments.model), source)
        if target.suffix == ".onnx":
            sizes = _sizes(arguments.input) if arguments.input else input_size(arguments.model)
            export_onnx(model, Tensor(np.zeros((1, *sizes), np.float32)), target)
        state = model.state_dict()
    if target.suffix != ".onnx":
        save(state, target, cfg=arguments.cfg)
    for note in found.notes:
        console.say(f"note: {note}")
    console.say(f"{target}: {len(state)} tensors, {target.stat().st_size:,} bytes")
    console.result({"source": source, "target": target, "tensors": len(state), "notes": found.notes})


def _sizes(text: str) -> tuple[int, ...]:
    """C,H,W as numbers."""
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    if len(sizes) != 3 or min(sizes) < 1:
        raise UsageError(f"--input {text}: give three whole numbers, such as 3,224,224")
    return sizes
