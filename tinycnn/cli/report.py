"""`tinycnn report RUN`: the run as a short paper to finish by hand."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..errors import DataError
from .common import Console, add_machine_options, find_run, use_threads

DESCRIPTION = """\
Write a run as a paper of about two pages on the template motivation, method, evaluation, reproduction: task, network, training in words, curves,
tables, settings, machine, and the commands that repeat it are filled in; what only the author knows is asked for in marked places. RUN is a run's
folder, a checkpoint file or a name under runs/; without it the newest run is taken. Without options, paper.html, paper.tex and paper.ipynb go into
the run's folder."""
EPILOG = """\
examples:
  tinycnn report
  tinycnn report runs/lenet5-mnist --author "A. Student" --title "LeNet-5 after 27 years"
  tinycnn report runs/resnet20-cifar10 --html midterm.html
  tinycnn report runs/resnet20-cifar10 --latex midterm.tex && pdflatex midterm.tex
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="folder, checkpoint or name of a run (default: the newest)")
    parser.add_argument("--author", default="", metavar="NAME", help="below the title")
    parser.add_argument("--title", default="", metavar="TEXT", help="of the paper (default: MODEL on DATA)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one page; its marked places can be typed into, and it prints on A4")
    parser.add_argument("--latex", type=Path, metavar="FILE", help="write a document for pdflatex; it finds the run's pictures where they are")
    parser.add_argument("--notebook", type=Path, metavar="FILE", help="write a Jupyter notebook")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read the run, write the papers."""
    from ..study.report import run_report

    console = Console(arguments.json)
    use_threads(arguments.threads)
    source = find_run(arguments.run)
    paper = run_report(source, author=arguments.author, title=arguments.title)
    facts = paper.facts
    files = {"html": arguments.html, "latex": arguments.latex, "notebook": arguments.notebook}
    if not any(files.values()):
        home = facts.folder
        files = {"html": home / "paper.html", "latex": home / "paper.tex", "notebook": home / "paper.ipynb"}
    score = "nothing measured" if facts.score is None else f"{facts.task.score.title} {100 * facts.score:.2f} % of the {facts.task.others}"
    console.say(f"{paper.title}: {len(facts.epochs)} epochs, {score}\n")
    for kind, path in files.items():
        if path is None:
            continue
        if kind == "html":
            text = paper.html()
        elif kind == "latex":
            text = paper.latex(path.parent)
        else:
            text = json.dumps(paper.notebook(), indent=1) + "\n"
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise DataError(f"--{kind} {path}: {error.strerror or error}; name a file in a folder that exists and can be written") from error
        console.say(f"wrote {path}")
    asked = sum(type(block).__name__ == "Ask" for section in paper.sections for block in section.blocks)
    console.say(f"\n{asked} places are left for you: look for 'write here'")
    console.result(
        {
            "title": paper.title,
            "sections": [section.title for section in paper.sections],
            facts.task.key: facts.score,
            "best_epoch": facts.best["epoch"],
            "command": facts.command,
            "left_for_the_author": asked,
            "files": {kind: path for kind, path in files.items() if path is not None},
        }
    )
    return 0
