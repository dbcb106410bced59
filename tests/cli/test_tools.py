"""doctor, warmup, bench, search and experiment."""

import json

import pytest

from tinycnn.cli import bench, doctor
from tinycnn.cli.warmup_jobs import JOBS

TINY = ("--epochs", "1", "--batch-size", "20")


def test_doctor_names_what_it_found(run_main):
    code, output, _ = run_main("doctor")
    assert code == 0
    for words in (
        "Python",
        "numpy",
        "numba",
        "threads",
        "float32 at once",
        "kernel cache",
        "OpenMP",
        "GPU",
        "matplotlib",
    ):
        assert words in output


def test_doctor_json(run_main):
    code, output, _ = run_main("doctor", "--json")
    result = json.loads(output)
    assert code == 0
    assert result["ok"] is True
    assert {check["state"] for check in result["checks"]} <= {"ok", "note"}


def test_doctor_fails_only_when_something_is_broken(run_main, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "_kernels", lambda: doctor.Check("kernels", "broken", "wrong", "mend it"))
    from tinycnn.cli import main

    assert main(["doctor"]) == 1
    output = capsys.readouterr().out
    assert "BROKEN" in output
    assert "fix: mend it" in output


def test_doctor_says_how_to_install_what_is_missing(monkeypatch):
    monkeypatch.setattr(doctor, "EXTRAS", {"no_such_package": ("plot", "pictures")})
    (check,) = doctor._extras()
    assert (check.state, check.fix) == ("note", "pip install 'tinycnn[plot]'")


def test_warmup_lists_and_compiles(run_main):
    code, output, _ = run_main("warmup", "--list")
    assert code == 0
    assert output.split("\n")[:-1] == list(JOBS)
    code, output, error = run_main("warmup", "--only", "columns and padding", "--only", "pooling of small images", "--json")
    assert code == 0
    assert set(json.loads(output)["jobs"]) == {"columns and padding", "pooling of small images"}
    assert "[ 2/2]" in error


@pytest.mark.parametrize("name", ["lenet5", "convolution 1x1", "linear and loss", "optimizers"])
def test_warmup_jobs_run(name):
    JOBS[name]()


def test_bench_measures_and_agrees(run_main, monkeypatch):
    monkeypatch.setattr(bench, "SECONDS_A_ROW", 0.0)
    monkeypatch.setattr(bench, "LAYERS", {"small": (2, 3, 9, 4, 3, 1)})
    code, output, error = run_main("bench", "--json", "--no-torch")
    assert code == 0
    result = json.loads(output)
    assert [layer["layer"] for layer in result["convolution"]] == list(bench.LAYERS)
    for layer in result["convolution"]:
        assert set(layer["milliseconds"]) == {"naive", *bench.FAST_ALGORITHMS}
        assert min(layer["milliseconds"].values()) > 0
    assert "direct" in error


def test_search_ranks_a_grid(run_main, elsewhere, tiny_mnist):
    code, output, _ = run_main("search", "lenet5", "--data", tiny_mnist, "--set", "lr=0.001,0.02", "--set", "shift=0", *TINY, "--out", "found")
    assert code == 0
    assert "rank" in output
    assert "the best: tinycnn train lenet5" in output
    assert len((elsewhere / "found" / "search.jsonl").read_text().splitlines()) == 2


def test_search_at_random_as_json(run_main, elsewhere, tiny_mnist):
    code, output, _ = run_main("search", "lenet5", "--data", tiny_mnist, "--random", "2", "--range", "lr=0.001:0.1:log", *TINY, "--json")
    assert code == 0
    trials = json.loads(output)["trials"]
    assert len(trials) == 2
    assert all(0.001 <= trial["changes"]["learning_rate"] <= 0.1 for trial in trials)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("init", ["--steps", "3"], ["xavier", "lsuv", "zeros"]),
        ("lr-range", ["--steps", "12"], ["learning rate", "The loss"]),
        ("overfit", ["--steps", "120"], ["Passed"]),
        ("optimizers", [], ["adadelta", "rmsprop"]),
    ],
)
def test_experiments(run_main, elsewhere, tiny_mnist, name, options, words):
    code, output, _ = run_main("experiment", name, "--data", tiny_mnist, *TINY, *options)
    assert code == 0, output
    for word in words:
        assert word in output


def test_experiment_json(run_main, elsewhere, tiny_mnist):
    code, output, _ = run_main("experiment", "lr-range", "--data", tiny_mnist, "--steps", "12", *TINY, "--json")
    assert code == 0
    assert json.loads(output)["experiment"] == "lr-range"
