"""`tinycnn exercise`: seeded sheets of exercises, blank, solved and checked."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..errors import DataError, UsageError
from .common import Console, whole_number

DESCRIPTION = """\
Sheets of exercises with small numbers: sizes, convolution by hand, transposed convolution, pooling, parameters, memory, receptive field,
softmax, batch norm, gradients, IoU, NMS, average precision and more. The same seed gives the same numbers, blank and solved; --check marks
an answer file and says which mistake a wrong answer looks like."""
EPILOG = """\
examples:
  tinycnn exercise --list
  tinycnn exercise convolution --seed 7                      a blank sheet; --solution the same one, solved step by step
  tinycnn exercise iou nms ap --seed 3 --html sheet.html     a page to fill in; it checks itself, offline, and prints well
  tinycnn exercise all --level 2 --latex sheet.tex
  tinycnn exercise convolution --seed 7 --check answers.txt  lines such as "1a: 1 2; 3 4", or .json, .csv
"""
LARGEST = 1_000_000  # bytes of an answer file


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help="convolution, iou, ...; several, or all (--list names them)")
    parser.add_argument("--list", action="store_true", help="name every topic")
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="decides the numbers (default: 0)")
    parser.add_argument("--count", type=whole_number(1), default=1, metavar="N", help="exercises of each topic, up to 50 (default: 1)")
    parser.add_argument("--level", type=int, choices=(1, 2, 3), default=1, help="1 easy (default) to 3")
    parser.add_argument("--solution", action="store_true", help="solved, step by step; with --check the expected values")
    parser.add_argument("--check", type=Path, metavar="ANSWERS", help="mark an answer file of the same topics, seed, count and level")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one self-contained page")
    parser.add_argument("--latex", type=Path, metavar="FILE", help="write a LaTeX document (- prints it)")
    parser.add_argument("--notebook", type=Path, metavar="FILE", help="write a Jupyter notebook")
    parser.add_argument("--json", action="store_true", help="print the sheet, or the marks, as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Draw the sheet and write or mark it."""
    from ..study.exercise import exercise
    from ..study.exercise_answers import read_answers
    from ..study.exercise_topics import TOPICS

    console = Console(arguments.json)
    if arguments.list:
        for name, topic in TOPICS.items():
            console.say(f"{name:<17} {topic.title}: {topic.trains}")
        console.result({"topics": [{"name": name, "title": topic.title, "trains": topic.trains} for name, topic in TOPICS.items()]})
        return 0
    if not arguments.topics:
        raise UsageError("say which topic, such as `tinycnn exercise convolution`; `tinycnn exercise --list` names them")
    sheet = exercise(arguments.topics, arguments.seed, arguments.count, arguments.level)
    if arguments.check is not None:
        report = sheet.check(read_answers(answer_text(arguments.check), arguments.check.suffix.lower()), arguments.solution)
        console.say(report.text())
        console.result(report.to_dict())
        return 0
    texts = {
        arguments.html: lambda: sheet.html(arguments.solution),
        arguments.latex: lambda: sheet.latex(arguments.solution),
        arguments.notebook: lambda: json.dumps(sheet.notebook(arguments.solution), indent=1),
    }
    files = [path for path in texts if path is not None]
    for path in files:
        text = texts[path]()
        if str(path) == "-":
            print(text, end="")
        else:
            path.write_text(text, encoding="utf-8")
            console.say(f"wrote {path}")
    if not files:
        console.say(sheet.text(arguments.solution).rstrip())
    console.result({**sheet.to_dict(arguments.solution), "files": files})
    return 0


def answer_text(path: Path) -> str:
    """The text of an answer file."""
    if not path.is_file():
        raise UsageError(f'--check {path}: there is no such file; write one with lines such as "1a: 1 2; 3 4"')
    if path.stat().st_size > LARGEST:
        raise DataError(f"{path} has {path.stat().st_size:,} bytes; an answer file has a line an answer, at most {LARGEST:,} bytes")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f'{path} is no text; write lines such as "1a: 1 2; 3 4"') from error
