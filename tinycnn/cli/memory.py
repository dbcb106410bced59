"""`tinycnn memory`: parameters, multiply-accumulates and memory of one convolution, as a worked exercise."""

import argparse
from dataclasses import asdict

from ..errors import UsageError
from .common import Console, add_machine_options, use_threads, whole_number
from .summary import example_size

DESCRIPTION = """\
Work out one convolution line by line: parameters, multiply-accumulates, and the memory of inference and of training with
backward, optimiser state and im2col workspace. Without options it solves the course's exercise: RGB images of 150 x 100,
5 x 5 kernels, 200 maps, stride 1, SAME padding, batches of 100."""
EPILOG = """\
examples:
  tinycnn memory
  tinycnn memory --input 3,32,32 --kernel 5 --filters 10 --padding 2 --batch 1      760 parameters
  tinycnn memory --dtype float64 --optimizer momentum
"""


def padding(text: str) -> int | str:
    """An argparse type: a number or a name."""
    return int(text) if text.isdigit() else {"same": "same_tf"}.get(text, text)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--input", type=example_size, default=(3, 100, 150), metavar="C,H,W", help="one image (default: 3,100,150)")
    parser.add_argument("--kernel", type=whole_number(1), default=5, metavar="K", help="height and width of a filter (default: 5)")
    parser.add_argument("--filters", type=whole_number(1), default=200, metavar="N", help="output maps (default: 200)")
    parser.add_argument("--stride", type=whole_number(1), default=1, metavar="N", help="step of the window (default: 1)")
    parser.add_argument("--padding", type=padding, default="same_tf", metavar="N|NAME", help="pixels a side, or same, valid, full (default: same)")
    parser.add_argument("--batch", type=whole_number(1), default=100, metavar="N", help="images a batch (default: 100)")
    parser.add_argument("--no-bias", action="store_true", help="filters without a bias")
    parser.add_argument("--dtype", choices=("float16", "float32", "float64"), default="float32", help="4 bytes a number (default), 8 or 2")
    parser.add_argument("--optimizer", default="adam", metavar="NAME", help="none, sgd, momentum, rmsprop, adagrad, adadelta, adam, adamw")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Work out and print."""
    console = Console(arguments.json)
    use_threads(arguments.threads)
    from ..study import layer_memory

    if len(arguments.input) != 3:
        raise UsageError(f"--input {','.join(map(str, arguments.input))}: a convolution's image has three sizes, such as 3,100,150")
    result = layer_memory(
        arguments.input, arguments.filters, arguments.kernel, arguments.stride, arguments.padding, arguments.batch,
        bias=not arguments.no_bias, dtype=arguments.dtype, optimizer=arguments.optimizer,
    )  # fmt: skip
    for line in result.lines():
        console.say(line)
    lines = result.lines()
    console.result({**asdict(result), "inference_bytes": result.inference_bytes, "training_bytes": result.training_bytes, "solution": lines})
    return 0
