"""conv2d forward, grad-input and grad-weight on real layer shapes against torch (NCHW), in one process.

    python benchmarks/conv_table.py            # 2 threads; writes results/conv_table.json
"""

import argparse
from typing import Any

import numpy as np
import torch
from conv_shapes import CONV_SHAPES
from harness import geometric_mean, measure, save

import tinycnn
from tinycnn import kernels

PARTS = ("forward", "grad-input", "grad-weight")
TARGET = 0.95


def compare(shape: Any, rounds: int) -> dict[str, Any]:
    """The three ratios of one layer shape; asserts equal results first."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape.x_shape, dtype=np.float32)
    weight = rng.standard_normal(shape.weight_shape, dtype=np.float32) / np.float32(np.sqrt(np.prod(shape.weight_shape[1:])))
    bias = rng.standard_normal(shape.weight_shape[0], dtype=np.float32)
    stride, dilation, padding = (shape.stride,) * 2, (shape.dilation,) * 2, (shape.padding,) * 4
    geometry = (stride, padding, dilation, shape.groups, "zeros")
    tx, tweight, tbias = torch.from_numpy(x), torch.from_numpy(weight), torch.from_numpy(bias)

    def torch_forward() -> torch.Tensor:
        with torch.no_grad():
            return torch.nn.functional.conv2d(tx, tweight, tbias, shape.stride, shape.padding, shape.dilation, shape.groups)

    upstream = rng.standard_normal(tuple(torch_forward().shape), dtype=np.float32)
    tupstream = torch.from_numpy(upstream)

    def torch_backward(mask: list[bool]) -> Any:
        return torch.ops.aten.convolution_backward(
            tupstream, tx, tweight, [shape.weight_shape[0]], list(stride), [shape.padding] * 2, list(dilation), False, [0, 0],
            shape.groups, mask,
        )  # fmt: skip

    forward, grad_x, grad_weight = (kernels.select(name, x) for name in ("conv2d", "conv2d_grad_x", "conv2d_grad_weight"))
    pairs = {
        "forward": (lambda: forward(x, weight, bias, *geometry, None), torch_forward),
        "grad-input": (lambda: grad_x(upstream, weight, x.shape, *geometry), lambda: torch_backward([True, False, False])[0]),
        "grad-weight": (lambda: grad_weight(upstream, x, weight.shape, *geometry), lambda: torch_backward([False, True, False])[1]),
    }
    row: dict[str, Any] = {"name": shape.name}
    for part, (ours, theirs) in pairs.items():
        expected = theirs().numpy()
        np.testing.assert_allclose(ours(), expected, rtol=1e-4, atol=1e-4 * float(np.abs(expected).max()))
        result = measure({"ours": ours, "torch": theirs}, rounds)
        row[part] = {"ratio": round(result.ratio("ours", "torch"), 3), "milliseconds": round(1e3 * result.median("ours"), 3)}
    return row


def main() -> None:
    """Measure every shape, print and save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", help="measure only shapes whose name contains this, and save nothing")
    arguments = parser.parse_args()
    tinycnn.set_num_threads(arguments.threads)
    torch.set_num_threads(arguments.threads)
    rows = []
    for shape in CONV_SHAPES:
        if arguments.only in shape.name:
            row = compare(shape, arguments.rounds)
            rows.append(row)
            print(f"{row['name']:28s}" + "".join(f"  {part} {row[part]['ratio']:5.2f}" for part in PARTS), flush=True)
    means = {part: round(geometric_mean([row[part]["ratio"] for row in rows]), 3) for part in PARTS}
    print(f"{'geometric mean':28s}" + "".join(f"  {part} {means[part]:5.2f}" for part in PARTS) + f"   (target {TARGET})")
    if not arguments.only:
        result = {"threads": arguments.threads, "target": TARGET, "geometric_mean": means, "rows": rows}
        print(save("conv_table" if arguments.threads == 2 else f"conv_table_{arguments.threads}_threads", result))


if __name__ == "__main__":
    main()
