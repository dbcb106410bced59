"""Help, exit codes, and one sentence for everything that is wrong with a command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinycnn.cli import main
from tinycnn.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


def tinycnn(*arguments, **options):
    """The command in a process of its own, as users start it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", "tinycnn", *arguments], capture_output=True, text=True, env=environment, **options)


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_shows_examples(capsys, command):
    assert main(["--help"] if command is None else [command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert f"tinycnn {command or 'train'}" in text


def test_no_arguments_print_the_help(capsys):
    assert main([]) == 0
    assert "commands:" in capsys.readouterr().out


def test_help_and_version_load_no_command():
    assert tinycnn("train", "--help").returncode == 0
    version = tinycnn("--version")
    assert version.stdout.startswith("tinycnn 0.")
    names = ("matplotlib", "tinycnn.train", "tinycnn.cli.train")
    program = f"import sys, tinycnn.cli; print(*(name in sys.modules for name in {names}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert loaded.stdout.split() == ["False", "False", "False"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["trian"], "did you mean train"),
        (["train"], "name a model"),
        (["train", "lenet55"], "did you mean lenet5"),
        (["train", "lenet5", "--epochs", "0"], "whole number from 1 up"),
        (["train", "lenet5", "--lr", "nan"], "finite number above 0"),
        (["train", "lenet5", "--lr", "-1"], "finite number above 0"),
        (["train", "lenet5", "--lr", "fast"], "finite number above 0"),
        (["train", "lenet5", "--batch-size", "1.5"], "whole number from 1 up"),
        (["train", "lenet5", "--threads", "999"], "--threads 999: this process may use 1 to"),
        (["train", "lenet5", "--optimizer", "adm"], "did you mean 'adam'"),
        (["train", "lenet5", "--epoch", "3"], "did you mean --epochs"),
        (["train", "lenet5", "--data", "mnits"], "mnist"),
        (["train", "lenet5", "--set", "momentun=0.5"], "did you mean momentum"),
        (["train", "lenet5", "--set", "momentum"], "write NAME=VALUE"),
        (["train", "lenet5", "--set", "momentum=much"], "'much' is not a number"),
        (["train", "lenet5", "--set", "nesterov=perhaps"], "true or false"),
        (["train", "lenet5", "--resume"], "no run"),
        (["train", "--resume", "nowhere"], "no run or checkpoint 'nowhere'"),
        (["eval", "nowhere"], "no run or checkpoint 'nowhere'"),
        (["predict"], "IMAGE"),
        (["search", "lenet5", "--set", "lr"], "NAME=A,B,C"),
        (["search", "lenet5", "--set", "lrate=1,2"], "no hyper-parameter 'lrate'"),
        (["search", "lenet5", "--range", "lr=0.1:1"], "--range needs --random"),
        (["search", "lenet5", "--random", "2", "--range", "lr=1:0.1"], "lower bound"),
        (["search", "lenet5", "--random", "2", "--range", "lr=1"], "LOW:HIGH"),
        (["experiment", "innit"], "did you mean init"),
        (["warmup", "--only", "lenet"], "did you mean lenet5"),
        (["warmup", "--processes", "9"], "--processes"),
        (["--versoin"], "did you mean --version"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(run_main, elsewhere, arguments, sentence):
    code, output, error = run_main(*arguments)
    assert code == 2
    assert sentence in error
    assert output == ""
    assert not (elsewhere / "runs").exists()


def test_predict_without_any_run_says_how_to_get_one(run_main, elsewhere):
    from PIL import Image

    Image.new("L", (28, 28)).save("black.png")
    code, _, error = run_main("predict", "black.png")
    assert code == 1
    assert "tinycnn train lenet5" in error


def test_debug_shows_the_traceback(capsys, elsewhere):
    assert main(["train", "nonsense", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
        (OSError(28, "No space left on device", "runs/x"), 1, "runs/x: No space left on device"),
        (MemoryError(), 1, "smaller --batch-size"),
        (ValueError("strange"), 1, "bug in tinycnn, please report it: ValueError: strange"),
    ],
)
def test_what_goes_wrong_inside_becomes_a_sentence(capsys, monkeypatch, error, code, sentence):
    from tinycnn.cli import doctor

    def fail(arguments):
        raise error

    monkeypatch.setattr(doctor, "run", fail)
    assert main(["doctor"]) == code
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert "Traceback" not in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="pipes close differently there")
def test_a_closed_pipe_is_no_traceback():
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "tinycnn", "--version"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    os.close(writing)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "the output was closed" in done.stderr
