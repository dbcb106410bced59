"""`tinycnn report`: the run's numbers stand in the page, the document and the notebook; what is no run is refused in a sentence."""

import contextlib
import io
import json
import re
import shutil

import numpy as np
import pytest

from tinycnn.errors import CheckpointError
from tinycnn.study import run_report
from tinycnn.study.report import Ask, read_run
from tinycnn.study.report.curves import curves_svg, curves_tikz
from tinycnn.train import load_checkpoint, save_checkpoint

SECTIONS = ["Motivation", "Method", "Evaluation", "Reproduction"]


def test_three_papers_with_the_runs_numbers(trained_run, run_main, tmp_path):
    files = {kind: tmp_path / f"paper.{kind}" for kind in ("html", "tex", "ipynb")}
    options = ["--html", files["html"], "--latex", files["tex"], "--notebook", files["ipynb"], "--author", "A & B <c>", "--json"]
    code, out, err = run_main("report", trained_run, *options)
    assert code == 0
    answer = json.loads(out)
    assert answer["sections"] == SECTIONS
    assert answer["left_for_the_author"] == 4
    last = load_checkpoint(trained_run).epochs[-1]
    accuracy = f"{100 * last['test_accuracy']:.2f} %"
    page = files["html"].read_text()
    assert accuracy in page and "A &amp; B &lt;c&gt;" in page
    assert [re.search(rf"<h2>\d {title}</h2>", page) is not None for title in SECTIONS] == [True] * 4
    assert page.count('class="ask"') == 4 and 'src="http' not in page
    assert "61,706" in page and "LeCun" in page  # the parameters, the paper's authors
    text = files["tex"].read_text()
    assert accuracy.replace("%", r"\%") in text and r"A \& B $<$c$>$" in text
    for opening in set(re.findall(r"\\begin\{(\w+)\}", text)):
        assert text.count(rf"\begin{{{opening}}}") == text.count(rf"\end{{{opening}}}"), opening
    assert "wrote" in err


def test_the_notebook_runs(trained_run):
    notebook = run_report(trained_run).notebook()
    assert notebook["nbformat"] == 4
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), {})
    facts = read_run(trained_run)
    assert facts.checksum in said.getvalue()
    assert f"{100 * facts.epochs[-1]['test_accuracy']:.2f} %" in said.getvalue()


def test_without_options_the_files_lie_in_the_run(trained_run, run_main, tmp_path):
    home = tmp_path / "run"
    shutil.copytree(trained_run, home)
    (home / "config.json").unlink()  # the environment is then the log's
    assert run_main("report", home, "--title", "A title")[0] == 0
    assert all((home / name).exists() for name in ("paper.html", "paper.tex", "paper.ipynb"))
    assert "<title>A title</title>" in (home / "paper.html").read_text()
    # The command in full repeats the settings that are not the default.
    command = read_run(home).command
    assert command.startswith("tinycnn train lenet5 --data ") and "--lr 0.02" in command and "--epochs 2" in command


def test_curves_leave_out_what_is_not_finite():
    rows = [{"epoch": k, "train_loss": 1 / k, "test_loss": np.nan, "train_accuracy": 0.5, "test_accuracy": 0.1 * k} for k in (1, 2, 3)]
    assert "nan" not in curves_svg(rows) and curves_svg(rows).count("<polyline") == 4
    assert "nan" not in "".join(curves_tikz(rows))
    assert curves_svg(rows[:1]).count("<circle") == 3


def test_refusals(trained_run, run_main, elsewhere):
    code, _, err = run_main("report", trained_run, "--html", "nowhere/paper.html")
    assert code == 1 and "--html nowhere" in err
    assert run_main("report", "no-run")[0] == 2
    assert run_main("report")[0] == 1
    checkpoint = load_checkpoint(trained_run)
    checkpoint.events = []
    (elsewhere / "early").mkdir()
    save_checkpoint(elsewhere / "early", checkpoint)
    with pytest.raises(CheckpointError, match="has not finished an epoch"):
        run_report(elsewhere / "early")
    checkpoint.run_info = {**checkpoint.run_info, "model": "lenet6"}
    checkpoint.events = load_checkpoint(trained_run).events
    (elsewhere / "other").mkdir()
    save_checkpoint(elsewhere / "other", checkpoint)
    with pytest.raises(CheckpointError, match="names the network 'lenet6'"):
        run_report(elsewhere / "other")
    checkpoint.run_info = {"model": "lenet5"}
    (elsewhere / "third").mkdir()
    save_checkpoint(elsewhere / "third", checkpoint)
    with pytest.raises(CheckpointError, match="does not say its model_options"):
        run_report(elsewhere / "third")


def test_every_section_asks_the_author(trained_run):
    for section in run_report(trained_run).sections:
        assert sum(isinstance(block, Ask) for block in section.blocks) == 1
