"""study.myths: every counter-example runs, comes to what it must, and prints what is shown."""

import warnings

import numpy as np
import pytest

import tinycnn
from tinycnn.errors import ArgumentError
from tinycnn.study import myths
from tinycnn.study.myth_rows import ROWS
from tinycnn.study.myths import PREAMBLE


@pytest.mark.parametrize("myth", ROWS, ids=lambda myth: myth.name)
def test_the_counter_example_holds(myth, capsys):
    found = myths(myth.name).rows
    assert [row.name for row in found] == [myth.name] and found[0].holds
    assert found[0].output and len(myth.code.splitlines()) <= 10
    assert myth.claim.endswith(".") and myth.who and myth.why.endswith(".") and myth.verdict in ("wrong", "half true")
    # As a reader would run it: a program of its own, with the real print.
    with tinycnn.use_kernels("reference"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tinycnn.manual_seed(0)
        exec(PREAMBLE + myth.code, {})
    assert capsys.readouterr().out.rstrip("\n") == found[0].output


def test_names():
    assert len({myth.name for myth in ROWS}) == len(ROWS) >= 15
    assert {myth.name for myth in myths(["batch-norm", "macs-flops"]).rows} == {
        "batch-norm-variance", "batch-norm-momentum", "bias-before-batch-norm", "macs-flops",
    }  # fmt: skip
    with pytest.raises(ArgumentError, match="there is no myth 'macro-f2'; did you mean macro-f1"):
        myths("macro-f2")
    with pytest.raises(ArgumentError, match="there are one-by-one-convolution"):
        myths(["", "x"])


def test_the_users_random_numbers_are_left_alone():
    tinycnn.manual_seed(5)
    expected = tinycnn.functional.dropout(np.ones(8)).numpy()
    tinycnn.manual_seed(5)
    myths("dropout")
    assert (tinycnn.functional.dropout(np.ones(8)).numpy() == expected).all()


def test_text_json_and_page():
    found = myths(["one-by-one", "macro-f1"])
    text, page = found.text(), found.html()
    for myth in found.rows:
        assert myth.claim in text and myth.output.splitlines()[0] in text
        assert myth.name in page
    assert found.to_dict()["myths"][0]["holds"] is True
    assert "http" not in page and "<script" in page
