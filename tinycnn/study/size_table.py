"""The size arithmetic of sliding windows as a table of cases that other projects can test against.

    python -m tinycnn.study.size_table docs/size_cases.json

writes it anew. The expected sizes are those of `tinycnn.kernels.sizes`; the test suite checks every one of them against a count of windows,
made one by one, and a sample against PyTorch.
"""

import json
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from ..errors import ArgumentError
from ..kernels import sizes

__all__ = ["size_cases"]

Case = list[int | str | None]

DESCRIPTION = {
    "what": "Output sizes of sliding-window operators along one axis. Every table has its columns named; one row is one case.",
    "output": "the size of the result; null where the operator must refuse the arguments",
    "before, after": "elements of padding at the two ends of the axis; in a transposed convolution, elements cropped there",
    "conv": "floor((input + before + after - dilation (kernel - 1) - 1) / stride) + 1; null if the kernel spans more than the padded input",
    "pool": "as conv; with ceil_mode 1 the last window may stick out by less than a stride, but must start inside the input or the padding "
    "before it; null if a padding is more than half of the kernel, or no window is left",
    "named": "what a padding by name stands for, and its output: same keeps the size and needs stride 1 (PyTorch), same_tf gives "
    "ceil(input / stride) with the odd element after (TensorFlow, Keras, ONNX SAME_UPPER), same_lower with the odd element before "
    "(ONNX SAME_LOWER), full lets every overlap count, causal pads before only",
    "conv_transpose": "(input - 1) stride - before - after + dilation (kernel - 1) + output_padding + 1; null if that is below 1, or if "
    "output_padding is less than neither stride nor dilation",
}


def _conv() -> Iterator[Case]:
    paddings = ((0, 0), (1, 1), (2, 2), (0, 1), (2, 1), (5, 0))
    for size, kernel, stride, (before, after), dilation in product((1, 2, 3, 5, 7, 8, 12, 32), (1, 2, 3, 5), (1, 2, 3), paddings, (1, 2, 3)):
        output = sizes.conv_output_size(size, kernel, stride, before, after, dilation)
        yield [size, kernel, stride, before, after, dilation, output if output >= 1 else None]


def _pool() -> Iterator[Case]:
    grid = product((1, 2, 3, 4, 5, 7, 9, 10, 28), (1, 2, 3, 4), (1, 2, 3, 4), ((0, 0), (1, 1), (2, 2), (0, 1)), (1, 2), (0, 1))
    for size, kernel, stride, (before, after), dilation, ceil_mode in grid:
        output = sizes.pool_output_size(size, kernel, stride, before, after, dilation, bool(ceil_mode))
        allowed = max(before, after) <= kernel // 2
        yield [size, kernel, stride, before, after, dilation, ceil_mode, output if allowed and output >= 1 else None]


def _named() -> Iterator[Case]:
    names = ("same", "same_tf", "same_lower", "full", "causal")
    for size, kernel, stride, dilation, name in product((1, 2, 5, 6, 7, 23, 24, 224), (1, 2, 3, 4, 7), (1, 2, 3, 4), (1, 2), names):
        try:
            before, after = sizes.same_padding(size, kernel, stride, dilation, name)
        except ArgumentError:
            yield [size, kernel, stride, dilation, name, None, None, None]
            continue
        yield [size, kernel, stride, dilation, name, before, after, sizes.conv_output_size(size, kernel, stride, before, after, dilation)]


def _conv_transpose() -> Iterator[Case]:
    grid = product((1, 2, 3, 5, 8), (1, 2, 3, 4), (1, 2, 3), ((0, 0), (1, 1), (2, 2), (0, 1)), (1, 2, 3), (0, 1, 2))
    for size, kernel, stride, (before, after), dilation, output_padding in grid:
        output = sizes.conv_transpose_output_size(size, kernel, stride, before, after, dilation, output_padding)
        allowed = output_padding < max(stride, dilation) and output >= 1
        yield [size, kernel, stride, before, after, dilation, output_padding, output if allowed else None]


def size_cases() -> dict[str, Any]:
    """Every case, in tables by operator.

    Returns
    -------
    dict
        "description" says what the columns mean; "conv", "pool", "named" and "conv_transpose" each hold "columns" and "cases".

    Examples
    --------
    >>> from tinycnn.study.size_table import size_cases
    >>> table = size_cases()["conv"]
    >>> dict(zip(table["columns"], table["cases"][-1]))
    {'input': 32, 'kernel': 5, 'stride': 3, 'before': 5, 'after': 0, 'dilation': 3, 'output': 9}
    """
    window = ["input", "kernel", "stride", "before", "after", "dilation"]
    return {
        "description": DESCRIPTION,
        "conv": {"columns": [*window, "output"], "cases": list(_conv())},
        "pool": {"columns": [*window, "ceil_mode", "output"], "cases": list(_pool())},
        "named": {"columns": ["input", "kernel", "stride", "dilation", "padding", "before", "after", "output"], "cases": list(_named())},
        "conv_transpose": {"columns": [*window, "output_padding", "output"], "cases": list(_conv_transpose())},
    }


def as_text(table: dict[str, Any]) -> str:
    """The table as JSON, one case a line."""
    parts = [f'"description": {json.dumps(table["description"], indent=2)}']
    for name, part in table.items():
        if name != "description":
            cases = ",\n".join(json.dumps(case, separators=(",", ":")) for case in part["cases"])
            parts.append(f'"{name}": {{\n"columns": {json.dumps(part["columns"])},\n"cases": [\n{cases}\n]}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_text(size_cases()))
