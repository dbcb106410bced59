"""`tinycnn gradcheck OP|MODEL`: analytic gradients beside finite differences, kinks explained, error against step size."""

import argparse
import json
from pathlib import Path

from ..errors import GradcheckError, UsageError
from .common import Console, whole_number
from .explain import is_named, read_array, read_option, write_page

DESCRIPTION = """\
Check the gradients of an operator on your numbers, or of a network on a tiny drawn batch, against finite differences, side by side: the relative
error of every entry, which entries lie on a kink and which comparison makes it, and the V-shaped curve of the error against the step size.
The exit code is 1 if a gradient is wrong."""
EPILOG = """\
examples:
  tinycnn gradcheck relu "-1 0 2"                                      0 is a kink: slopes 0 and 1
  tinycnn gradcheck max_pool2d "1 3; 3 2" kernel_size=2 --report tie.html
  tinycnn gradcheck conv2d "1 2 3; 4 5 6; 7 8 9" "1 0; 0 -1" padding=1 --json
  tinycnn gradcheck lenet5 --report lenet5.html                        every parameter along a direction, and its worst entries
  tinycnn gradcheck resnet20 input_size="(3, 16, 16)" training=true
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("subject", metavar="OP|MODEL", help="an operator, such as relu, or a network, such as lenet5")
    words = 'its first arguments: "5 0 8; 1 9 5", or a .npy, .csv or image file; NAME=VALUE for one by name'
    parser.add_argument("arrays", nargs="*", metavar="ARRAY", help=words)
    parser.add_argument("--grad", metavar="ARRAY", help="upstream gradient (default: drawn)")
    parser.add_argument("--entries", type=whole_number(1), default=64, metavar="N", help="entries compared at most (default: 64)")
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="decides everything drawn (default: 0)")
    parser.add_argument("--report", "--html", dest="report", metavar="FILE", help="write one self-contained page")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check and print; a wrong gradient is a failure after the report is written."""
    from ..study import gradcheck_report

    console = Console(arguments.json)
    named = [text for text in arguments.arrays if is_named(text)]
    report = gradcheck_report(
        arguments.subject,
        *(read_array(text) for text in arguments.arrays if text not in named),
        grad=None if arguments.grad is None else read_array(arguments.grad),
        seed=arguments.seed,
        entries=arguments.entries,
        **dict(read_option(text) for text in named),
    )
    if arguments.report:
        if Path(arguments.report).suffix.lower() not in (".html", ".htm"):
            raise UsageError(f"--report {arguments.report}: a report is a page, so name a .html file; --json prints data")
        write_page(Path(arguments.report), report.html())
        console.say(report.sentence)
        console.say(f"wrote {arguments.report}: open it in a browser and step with the arrow keys")
    elif not arguments.json:
        print(report.text(), end="")
    if arguments.json:
        print(json.dumps(report.to_dict(), indent=1))
    if not report:
        raise GradcheckError(report.sentence)
    return 0
