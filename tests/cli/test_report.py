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
from tinycnn.study.report.measures import TASKS
from tinycnn.train import DETECTION_CONFIG, SegmentationConfig, load_checkpoint, save_checkpoint
from tinycnn.train.checkpoint import Checkpoint

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
    drawn = TASKS["classification"].quantities
    assert "nan" not in curves_svg(rows, drawn) and curves_svg(rows, drawn).count("<polyline") == 4
    assert "nan" not in "".join(curves_tikz(rows, drawn))
    assert curves_svg(rows[:1], drawn).count("<circle") == 3


PIXEL_EPOCHS = [
    {"epoch": 1, "loss": 0.9, "pixel_accuracy": 0.5, "validation_accuracy": None, "validation_iou": None, "seconds": 6.0},
    {"epoch": 2, "loss": 0.4, "pixel_accuracy": 0.75, "validation_accuracy": 0.7, "validation_iou": 0.625, "seconds": 6.0},
    {"epoch": 3, "loss": 0.3, "pixel_accuracy": 0.8, "validation_accuracy": None, "validation_iou": None, "seconds": 6.0},
]
BOX_EPOCHS = [{"epoch": k, "train_loss": 1.0 / k, "score_AP50": 0.25 * k, "score_AP": 0.125 * k, "seconds": 30.0} for k in (1, 2)]


def run_of(folder, info, config, epochs):
    """A finished run's folder, as `tinycnn train` leaves it, without weights."""
    folder.mkdir()
    events = [{"event": "epoch", **epoch} for epoch in epochs]
    save_checkpoint(folder, Checkpoint(model={}, config=config, run_info=info, events=events))
    return folder


def test_a_run_that_names_pixels(tmp_path, run_main):
    info = {"task": "segmentation", "model": "unet_small", "model_options": {"num_classes": 3, "in_channels": 3}, "data": "nuclei"}
    info |= {"classes": ["background", "interior", "border"], "instances": True, "channels": 3, "image_size": 32}
    place = run_of(tmp_path / "run", info, SegmentationConfig(epochs=3, colour=0.3).to_dict(), PIXEL_EPOCHS)
    code, out, err = run_main("report", place, "--json")
    assert code == 0 and "mean IoU 62.50 % of the validation images" in err
    answer = json.loads(out)
    assert answer["validation_iou"] == 0.625 and answer["best_epoch"] == 2
    page = (place / "paper.html").read_text()
    assert "does each pixel of an image of nuclei belong to?" in page and "After epoch 2 the mean IoU of the validation images is 62.50 %" in page
    assert "the loss cross_entropy" in page
    for cell in json.loads((place / "paper.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), {})


def test_a_run_that_finds_things_within_its_minutes(tmp_path, run_main):
    info = {"task": "detection", "model": "ssd_mini", "model_options": {"num_classes": 4}, "minutes": 1.5, "data": "shapes"}
    info |= {"classes": ["triangle", "half disc", "arrow"]}
    place = run_of(tmp_path / "run", info, DETECTION_CONFIG.replace(epochs=100_000).to_dict(), BOX_EPOCHS)
    code, out, _ = run_main("report", place, "--json")
    assert code == 0
    answer = json.loads(out)
    assert answer["score_AP50"] == 0.5 and "--minutes 1.5" in answer["command"] and "--epochs" not in answer["command"]
    page = (place / "paper.html").read_text()
    assert "1.5 minutes, in which 2 epochs were begun" in page and "The run stopped" not in page and "AP50" in page


def test_a_run_that_never_measured_its_score(tmp_path):
    info = {"task": "detection", "model": "ssd_mini", "model_options": {"num_classes": 4}, "data": "shapes", "classes": ["a", "b", "c"]}
    place = run_of(tmp_path / "run", info, DETECTION_CONFIG.to_dict(), [{"epoch": 1, "train_loss": 1.0, "seconds": 1.0}])
    paper = run_report(place)
    assert paper.facts.score is None and "was not measured in this run" in paper.html()
    other = run_of(tmp_path / "other", {**info, "task": "poetry"}, {}, BOX_EPOCHS)
    with pytest.raises(CheckpointError, match="task: poetry is not one of classification, segmentation, detection"):
        run_report(other)


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
