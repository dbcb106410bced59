"""`tinycnn train` and `tinycnn eval`: what they print, leave on disk, and refuse."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinycnn import plot
from tinycnn.train import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("--epochs", "1", "--batch-size", "20", "--lr", "0.02", "--no-pictures")


def test_a_run_leaves_everything(trained_run, tiny_mnist):
    names = {path.name for path in trained_run.iterdir()}
    assert {"checkpoint.npz", "log.csv", "log.jsonl", "config.json", "report.html"} <= names
    if plot.available():
        pictures = {"curves.png", "confusion.png", "filters.png", "activations.png", "predictions.png"}
        assert pictures <= names
        for name in pictures:
            with Image.open(trained_run / name) as picture:
                assert min(picture.size) >= 150
    facts = json.loads((trained_run / "config.json").read_text())
    assert facts["run"]["model"] == "lenet5"
    assert facts["run"]["data"] == str(tiny_mnist)
    assert facts["config"]["epochs"] == 2
    assert facts["environment"]["NumPy"] == np.__version__


def test_the_report_stands_alone(trained_run):
    text = (trained_run / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)
    assert not re.search(r"https?:|<script|<link|url\(", text)
    for words in ("lenet5 on", "61,706", "6 × 28 × 28", "Class by class", "learning rate", "Environment"):
        assert words in text


def test_summary_and_default_folder(run_main, elsewhere, tiny_mnist):
    code, output, _ = run_main("train", "lenet5", "--data", tiny_mnist, *QUICK)
    assert code == 0
    assert "lenet5: 61,706 parameters, running on CPU" in output
    assert re.search(r"test accuracy +\d+\.\d+ % of 30 images", output)
    assert (elsewhere / "runs" / "lenet5-tiny" / "checkpoint.npz").exists()


def test_a_second_run_gets_a_number(run_main, elsewhere, tiny_mnist):
    for _ in range(2):
        assert run_main("train", "lenet5", "--data", tiny_mnist, *QUICK)[0] == 0
    assert {path.name for path in (elsewhere / "runs").iterdir() if path.is_dir()} == {"lenet5-tiny", "lenet5-tiny-2"}


def test_json_is_alone_on_standard_output(run_main, elsewhere, tiny_mnist):
    code, output, error = run_main("train", "lenet5", "--data", tiny_mnist, "--json", *QUICK)
    assert code == 0
    result = json.loads(output)
    assert result["model"] == "lenet5"
    assert 0 <= result["test_accuracy"] <= 1
    assert result["config"]["batch_size"] == 20
    assert len(result["epochs"]) == 1
    assert "test accuracy" in error


def test_a_recipe_that_does_not_exist_is_refused_before_anything_else(run_main, elsewhere, tiny_mnist):
    code, _, error = run_main("train", "lenet5", "--data", tiny_mnist, "--recipe", "paper")
    assert code == 2 and "has no named recipe" in error
    assert not (elsewhere / "runs").exists()


def test_a_finished_run_stands_on_the_leaderboard(run_main, elsewhere, tiny_mnist):
    settings = ("--set", "average=0.9", "--set", "mixup=0.2", "--set", "cutout=4", "--set", "accumulate=2")
    code, output, error = run_main("train", "lenet5", "--data", tiny_mnist, "--json", *QUICK, *settings)
    assert code == 0 and "averaged weights" in error and "mean 0." in error
    result = json.loads(output)
    assert 0 <= result["epochs"][0]["average_accuracy"] <= 1
    (line,) = (elsewhere / "runs" / "leaderboard.jsonl").read_text().splitlines()
    entry = json.loads(line)
    assert (entry["model"], entry["data"], entry["epochs"], entry["parameters"]) == ("lenet5", "tiny", 1, 61706)
    assert entry["accuracy"] == result["test_accuracy"]


def test_resume_ends_with_the_same_bits(run_main, elsewhere, tiny_mnist):
    options = ("--data", tiny_mnist, "--epochs", "2", "--batch-size", "20", "--no-pictures")
    assert run_main("train", "lenet5", *options, "--out", "whole")[0] == 0
    assert run_main("train", "lenet5", *options, "--out", "again")[0] == 0
    # The first epoch's checkpoint is the previous one; without the newest, the run goes on from there.
    (elsewhere / "again" / "checkpoint.npz").write_bytes(b"cut short")
    code, _, error = run_main("train", "--resume", "again", "--no-pictures")
    assert code == 0
    assert "previous" in error
    whole, again = load_checkpoint("whole"), load_checkpoint("again")
    assert again.epoch == 2
    for name, array in whole.model.items():
        assert np.array_equal(array, again.model[name]), name


def test_resume_without_a_name_takes_the_newest_run(run_main, elsewhere, tiny_mnist):
    assert run_main("train", "lenet5", "--data", tiny_mnist, *QUICK)[0] == 0
    code, _, _ = run_main("train", "lenet5", "--data", tiny_mnist, "--resume", "--no-pictures")
    assert code == 0
    assert {path.name for path in (elsewhere / "runs").iterdir() if path.is_dir()} == {"lenet5-tiny"}


def test_resume_refuses_another_plan(run_main, elsewhere, tiny_mnist):
    assert run_main("train", "lenet5", "--data", tiny_mnist, "--out", "run", *QUICK)[0] == 0
    code, _, error = run_main("train", "--resume", "run", "--epochs", "9")
    assert code == 2
    assert "epochs was 1 and is now 9" in error
    code, _, error = run_main("train", "--resume", "run", "--data", "digits")
    assert code == 2
    assert "was trained with data" in error


@pytest.mark.parametrize("place", ["file/run", "/proc/tinycnn-run"])
def test_an_unwritable_folder_is_one_sentence(run_main, elsewhere, tiny_mnist, place):
    (elsewhere / "file").write_text("not a folder")
    code, output, error = run_main("train", "lenet5", "--data", tiny_mnist, "--out", place, *QUICK)
    assert code == 1
    assert place in error
    assert output == ""


def spoil(folder, tiny_mnist, name, change):
    """A copy of the tiny data with one file changed."""
    folder.mkdir()
    for path in tiny_mnist.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    path = folder / name
    path.write_bytes(change(path.read_bytes()))
    return folder


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("train-images-idx3-ubyte", lambda data: data[:5000]),
        ("train-images-idx3-ubyte", lambda data: b""),
        ("train-images-idx3-ubyte", lambda data: b"\x89PNG\r\n\x1a\n" + data[8:]),
        ("train-labels-idx1-ubyte.gz", lambda data: data[:30]),
        ("t10k-labels-idx1-ubyte.gz", lambda data: data[:-6] + b"\x00\x01\x02\x03\x04\x05"),
    ],
    ids=["cut", "empty", "png", "cut gzip", "wrong checksum"],
)
def test_damaged_data_is_one_sentence(run_main, elsewhere, tiny_mnist, name, change):
    folder = spoil(elsewhere / "spoilt", tiny_mnist, name, change)
    code, _, error = run_main("train", "lenet5", "--data", folder, *QUICK)
    assert code == 1
    assert name.split("-")[0] in error


def test_data_that_is_not_there(run_main, elsewhere):
    for place in ("./no-such-folder", "no/such.zip"):
        code, _, error = run_main("train", "lenet5", "--data", place, *QUICK)
        assert code in (1, 2)
        assert place in error


def test_eval_prints_classes_and_draws(run_main, trained_run):
    code, output, _ = run_main("eval", trained_run)
    assert code == 0
    assert re.search(r"accuracy \d+\.\d+ %", output)
    assert len(re.findall(r"^\d +0?\.?\d", output, re.MULTILINE)) == 10
    assert "report.html" in output


def test_eval_json_agrees_with_training(run_main, trained_run):
    code, output, _ = run_main("eval", trained_run / "checkpoint.npz", "--json", "--no-pictures")
    assert code == 0
    result = json.loads(output)
    last = load_checkpoint(trained_run).epochs[-1]
    assert result["test_accuracy"] == pytest.approx(last["test_accuracy"])
    assert result["test_loss"] == pytest.approx(last["test_loss"], rel=1e-6)
    assert np.sum(result["confusion"]) == 30


def test_eval_on_other_data_keeps_the_run_as_it_is(run_main, elsewhere, trained_run, make_tiny_mnist):
    make_tiny_mnist(elsewhere / "other", test=20)
    before = (trained_run / "report.html").read_bytes()
    code, output, _ = run_main("eval", trained_run, "--data", "other")
    assert code == 0
    assert "20 test images of other" in output
    assert (trained_run / "eval-other" / "report.html").exists()
    assert (trained_run / "report.html").read_bytes() == before


# NumPy leaves a broken zip file open until it is collected, which is what the ignored warning says.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04" + b"\x00" * 50], ids=["empty", "text", "zip"])
def test_a_corrupted_checkpoint_is_one_sentence(run_main, elsewhere, content):
    (elsewhere / "checkpoint.npz").write_bytes(content)
    Image.new("L", (28, 28)).save("black.png")
    for command in (["eval", "checkpoint.npz"], ["predict", "black.png", "--model", "checkpoint.npz"]):
        code, output, error = run_main(*command)
        assert code == 1
        assert "checkpoint.npz" in error
        assert output == ""


def test_a_checkpoint_of_other_making_is_one_sentence(run_main, elsewhere, trained_run):
    from tinycnn.train import save_checkpoint

    checkpoint = load_checkpoint(trained_run)
    checkpoint.run_info = {}
    save_checkpoint(elsewhere / "bare.npz", checkpoint)
    code, _, error = run_main("eval", "bare.npz")
    assert code == 1
    assert "does not say its model" in error


def test_without_matplotlib_training_works_and_says_what_to_install(run_main, elsewhere, tiny_mnist, monkeypatch):
    monkeypatch.setattr(plot, "available", lambda: False)
    options = QUICK[:-1]
    code, output, _ = run_main("train", "lenet5", "--data", tiny_mnist, "--out", "run", *options)
    assert code == 0
    assert "pip install 'tinycnn[plot]'" in output
    assert not list((elsewhere / "run").glob("*.png"))
    assert "pip install" in (elsewhere / "run" / "report.html").read_text()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_saves_and_says_how_to_go_on(run_main, elsewhere, tiny_mnist):
    command = [sys.executable, "-m", "tinycnn", "train", "lenet5", "--data", str(tiny_mnist), "--epochs", "100000", "--no-pictures"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    first = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    error = first + process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in error
    assert "--resume" in error
    assert load_checkpoint("runs/lenet5-tiny").epoch >= 1
