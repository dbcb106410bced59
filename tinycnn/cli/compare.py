"""`tinycnn compare A B`: two networks, or a pair of designs, side by side."""

import argparse

from ..errors import UsageError
from .common import Console, add_machine_options, use_threads
from .summary import add_cost_options, built

DESCRIPTION = """\
Put two networks side by side: parameters, MACs, FLOPs and memory, with the arithmetic. One name is a pair of designs:
separable (standard against depthwise separable convolution), bottleneck (3x3 against 1x1-3x3-1x1), inception (naive
against reduced), gap (flatten against global average pooling), residual (plain against residual), pooling (without and
with)."""
EPILOG = """\
examples:
  tinycnn compare separable                       589,824 against 67,840 parameters
  tinycnn compare inception --batch 32
  tinycnn compare lenet5 lenet5_1998 --input 1,32,32
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("models", nargs="+", metavar="MODEL", help="two models, or the name of a pair")
    add_cost_options(parser)
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Work out both and print the table."""
    console = Console(arguments.json)
    use_threads(arguments.threads)
    from ..models import input_size
    from ..study import compare, compare_pair
    from ..study.summary import summary

    names = arguments.models
    if len(names) == 1:
        if arguments.input is not None:
            raise UsageError(f"--input: the pair {names[0]} has its own input; name two models to choose one")
        result = compare_pair(names[0], arguments.batch, arguments.optimizer)
    elif len(names) == 2:
        first, second = (
            summary(built(name, arguments.input), arguments.input or input_size(name), arguments.batch, optimizer=arguments.optimizer, name=name)
            for name in names
        )
        result = compare(first, second)
    else:
        raise UsageError(f"compare: {len(names)} names; give two models, or one pair")
    console.say(result.text())
    console.result(result.to_dict())
    return 0
