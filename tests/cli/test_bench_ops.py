"""`tinycnn bench ops`: the table of operators, with and without torch."""

import json

import numpy as np
import pytest

from tinycnn.cli import bench_ops
from tinycnn.cli.bench_cases import CASES, FAMILIES, Argument, Case
from tinycnn.errors import TinycnnError

TINY = (
    Case("activation", "relu", "relu", (Argument("normal", (2, 3, 4, 4)),), lambda F, x: F.relu(x)),
    Case("loss", "mse", "mse_loss", (Argument("normal", (4, 3)), Argument("normal", (4, 3), False)), lambda F, x, y: F.mse_loss(x, y)),
    Case(
        "conv", "small", "conv2d", (Argument("normal", (2, 4, 7, 7)), Argument("normal", (6, 2, 3, 3)), Argument("normal", (6,))),
        lambda F, x, weight, bias: F.conv2d(x, weight, bias, stride=2, padding=1, groups=2),
        ("forward", "grad-input", "grad-weight"), {"stride": 2, "padding": 1, "groups": 2},
    ),
    Case("pooling", "not there", "no_such_pool2d", (Argument("normal", (2, 3)),), lambda F, x: F.no_such_pool2d(x)),
)  # fmt: skip


@pytest.fixture
def tiny_cases(monkeypatch):
    monkeypatch.setattr(bench_ops, "CASES", TINY)
    monkeypatch.setattr(bench_ops, "CHUNK_SECONDS", 0.0)
    monkeypatch.setattr(bench_ops, "REST_SECONDS", 0.0)


def test_every_family_has_cases_with_labels_of_their_own():
    assert {case.family for case in CASES} == set(FAMILIES)
    labels = [(case.family, case.label) for case in CASES]
    assert len(set(labels)) == len(labels)


def test_arguments_are_what_their_kinds_say():
    generator = np.random.default_rng(0)
    assert Argument("labels", (50,), False, 3).make(generator).max() == 2
    boxes = Argument("boxes", (20, 4), False, 100).make(generator)
    assert boxes.shape == (20, 4)
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert Argument("rois", (20, 5), False, 100).make(generator).shape == (20, 5)
    mask = Argument("mask", (100,), False).make(generator)
    assert set(mask.tolist()) == {0.0, 1.0}


def test_without_torch_our_times_are_printed_alone(run_main, tiny_cases):
    code, output, error = run_main("bench", "ops", "--no-torch", "--rounds", "1", "--threads", "1", "--json")
    assert code == 0
    tables = json.loads(output)["tables"]
    assert [entry["threads"] for entry in tables] == [1]
    rows = [(row["family"], row["label"], row["part"]) for row in tables[0]["rows"]]
    assert rows == [
        ("conv", "small", "forward"), ("conv", "small", "grad-input"), ("conv", "small", "grad-weight"),
        ("loss", "mse", "forward"), ("loss", "mse", "forward+backward"),
        ("activation", "relu", "forward"), ("activation", "relu", "forward+backward"),
    ]  # fmt: skip
    assert all(row["milliseconds"] > 0 and row["ratios"] == {} for row in tables[0]["rows"])
    assert "relu" in error
    assert "channels_last" not in error


def test_only_the_family_asked_for(run_main, tiny_cases):
    code, output, _ = run_main("bench", "ops", "--no-torch", "--rounds", "1", "--threads", "1", "--family", "loss")
    assert code == 0
    assert "mse" in output
    assert "relu" not in output


def test_a_case_whose_results_differ_is_refused():
    calls = {"tinycnn": lambda: np.ones(3), "torch": lambda: np.array([1.0, 1.0, 1.01])}
    with pytest.raises(TinycnnError, match=r"mse, forward: tinycnn and torch differ by 9\.9e-03"):
        bench_ops._require_equal(TINY[1], "forward", calls)
    with pytest.raises(TinycnnError, match="differ by nan"):
        bench_ops._require_equal(TINY[1], "forward", {"tinycnn": lambda: np.full(3, np.nan), "torch": lambda: np.ones(3)})
    with pytest.raises(TinycnnError, match=r"shape \(3,\), torch \(2,\)"):
        bench_ops._require_equal(TINY[1], "forward", {"tinycnn": lambda: np.ones(3), "torch": lambda: np.ones(2)})


def test_options_of_ops_are_refused_elsewhere(run_main):
    code, _, error = run_main("bench", "--rounds", "3")
    assert code == 2
    assert "`tinycnn bench ops`" in error
    code, _, error = run_main("bench", "ops", "--family", "cooking")
    assert code == 2
    assert "cooking" in error


@pytest.mark.torch
def test_ratios_against_torch(run_main, tiny_cases):
    pytest.importorskip("torch")
    code, output, error = run_main("bench", "ops", "--rounds", "1", "--threads", "1", "--json")
    assert code == 0
    table = json.loads(output)["tables"][0]
    assert all(row["ratios"]["torch"] > 0 for row in table["rows"])
    assert {row["family"] for row in table["rows"] if "channels_last" in row["ratios"]} == {"activation", "conv"}
    assert table["geometric_means"]["loss"]["torch"] > 0
    assert table["geometric_means"]["pooling"] == {"torch": None, "channels_last": None}
    assert "geometric mean" in error
    assert "worst: small" in error
