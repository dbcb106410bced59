"""The lecture map: every row is there, every command exists, and every number comes out."""

import dataclasses
import importlib
import shlex
from pathlib import Path

import pytest

from tinycnn.cli import main
from tinycnn.cli.main import COMMANDS, Parser
from tinycnn.errors import ArgumentError
from tinycnn.study import glossary, lecture
from tinycnn.study.lecture import checks_of, expected_text, places_of
from tinycnn.study.lecture_run import agrees, run_check
from tinycnn.study.lectures import DECKS, ERRATA, FIXTURES, PARTS, ROWS, Check
from tinycnn.study.lectures.entries import is_command

ROOT = Path(__file__).resolve().parent.parent.parent

# The feature table's rows in their order, each with the numbers of its decks: A02 stands in deck 2.
IN_DECKS = {
    "A": "2 2 2 2 0 2 2 2 2 3 3 24 3 3 3 4 3 2 20 2 2 20 4 01 2 2 40 2 0 2",
    "B": "2 3 3 2 12 0 0 0 0 0 0 0 14 01",
    "C": "3 12 13 012 1 01 0 2 24 2 0 2 024 120 0 0",
    "D": "023 0123 3 01 024 034 0124 24 24 4 4 4 4 2 4 2 2 3 0",
    "E": "2 2 1 0 4 2 2 2 2 2 2 2 0 0 1 01 014 4 4 0",
    "F": "0 4 124 0124 40 0124 0124 4 4 024 2 024 2 01 013 12 1 4 41 1 1 4 0 0 3",
    "G": "012 01 0 12 0 2 2 2 2 01 03",
    "H": "40 4 4 4 43 2 0 2 3",
    "I": "234 024 14 1 0 1 4 4 4 4 01 4 4 0",
    "J": "03 0 02 0 0 0 0 0 2 2 3 3 2 0 034 04 0 4 1",
}
# Rows with a golden number in the feature table.
GOLDEN = "A03 A04 A05 A06 A14 A17 A18 A26 B02 B07 B10 C06 D01 D05 E02 E07 F10 F12 I08 I09 J04"
# Questions whose answer is another row's command, trainings and pictures: their slides have no number.
WITHOUT_NUMBERS = "A22 C05 C07 D18 E19 F17 F23 F25 G11 H03 H04 H05 H09 I12 I13 I14 J01 J02 J03 J06 J07 J10 J15 J16 J17 J19"
ENTRIES = [(row.id, check) for row in ROWS.values() for _, check in checks_of(row)]
CHEAP = sorted({id for id, check in ENTRIES if not check.heavy})
RUNS = sorted({(row.id, run) for row in ROWS.values() for run in row.runs})
ANSWERS = {}  # of commands that several numbers share


def test_all_177_rows_are_there():
    assert list(ROWS) == [f"{part}{number:02d}" for part, decks in IN_DECKS.items() for number, _ in enumerate(decks.split(), 1)]
    assert len(ROWS) == 177
    assert sum(len(rows) for rows in PARTS.values()) == 177


@pytest.mark.parametrize("part", IN_DECKS)
def test_rows_stand_on_slides_of_their_decks(part):
    for number, decks in enumerate(IN_DECKS[part].split(), 1):
        row = ROWS[f"{part}{number:02d}"]
        wanted = sorted(f"S{deck}" for deck in decks)
        assert row.decks.split() == wanted
        assert sorted({deck for deck, _, _ in places_of(row)}) == wanted, row.id


def test_every_slide_says_something():
    for deck in DECKS.values():
        assert len({slide.title for slide in deck.slides}) == len(deck.slides)
        for slide in deck.slides:
            assert slide.row_ids and set(slide.row_ids) <= set(ROWS), slide.title
            assert slide.kind in ("slide", "figure", "question", "exercise")


def test_every_row_runs_and_none_waits():
    for row in ROWS.values():
        assert row.taught.endswith((".", "?")), row.id
        assert row.runs or row.id == "J17", row.id
        assert not any(word in row.missing for word in ("issue", "arrive", "later")), row.id
    said = {row.id: row.status for row in ROWS.values() if row.status != "runs"}
    partly = dict.fromkeys("C15 F04 F14 F17 F22 I03 I04".split(), "partly")
    assert said == {**partly, "F25": "named", "J17": "reading"}
    assert all(ROWS[id].missing for id in partly)


def test_rows_without_numbers_are_those_whose_slides_have_none():
    assert [row.id for row in ROWS.values() if not checks_of(row)] == WITHOUT_NUMBERS.split()


@pytest.mark.parametrize("run", sorted({run for _, run in RUNS if run.startswith("tinycnn glossary ")}))
def test_what_is_only_named_is_in_the_glossary(run):
    (term,) = glossary(" ".join(shlex.split(run)[2:])).terms
    assert len(term.what) > 80


def test_every_golden_row_has_numbers_and_every_erratum_a_row():
    for id in GOLDEN.split():
        assert checks_of(ROWS[id]), id
    assert {id for id, _, _ in FIXTURES} <= set(ROWS)
    assert [erratum.number for erratum in ERRATA] == list(range(1, 13))
    for erratum in ERRATA:
        assert erratum.deck in ROWS[erratum.row].decks
        assert erratum.check is not None or erratum.number == 6  # a matter of dates


@pytest.mark.parametrize("name", sorted({shlex.split(run)[1] for _, run in RUNS if is_command(run)}))
def test_named_commands_exist_and_take_these_options(name):
    runs = [run for _, run in RUNS if is_command(run) and shlex.split(run)[1] == name]
    for run in runs:
        assert name in COMMANDS, f"{run}: there is no such command"
        command = importlib.import_module(f"tinycnn.cli.{COMMANDS[name][0]}")
        parser = Parser(prog=f"tinycnn {name}")
        command.configure(parser)
        parser.parse_all([word for word in shlex.split(run)[2:] if word != "--help"])


def test_named_examples_exist():
    scripts = [shlex.split(run)[1] for _, run in RUNS if run.startswith("python ")]
    assert scripts
    for script in scripts:
        assert (ROOT / script).is_file(), script


@pytest.mark.parametrize("id", CHEAP)
def test_numbers_come_out(id):
    for of, check in ENTRIES:
        if of == id and not check.heavy:
            outcome = run_check(check, main, ANSWERS)
            assert outcome.passed, outcome.text()


@pytest.mark.exhaustive
@pytest.mark.parametrize("id", sorted({id for id, check in ENTRIES if check.heavy}))
def test_heavy_numbers_come_out(id):
    for of, check in ENTRIES:
        if of == id and check.heavy:
            outcome = run_check(check, main)
            assert outcome.passed, outcome.text()


def test_a_wrong_number_is_seen():
    right = ROWS["A17"].checks[0]
    assert run_check(right, main, ANSWERS).verdict == "agrees"
    wrong = run_check(dataclasses.replace(right, expect=761), main, ANSWERS)
    assert not wrong.passed and wrong.verdict == "DIFFERS"
    assert "gives at parameters: 760" in wrong.text() and "must be: 761" in wrong.text()


@pytest.mark.parametrize(
    "run, pick, failure",
    [
        ("tinycnn shape conv2d --in 7", "output", "exit code 2: tinycnn: conv2d: the kernel is missing"),
        ("tinycnn shape conv2d --in 7 --k 3", "outputs", "KeyError: 'outputs'"),
        ("F.conv2d(np.ones((1, 1, 2, 2)), np.ones((1, 1, 3, 3)))", "", "ShapeError: conv2d"),
        ("x = 1", "", "ValueError: the last line is no expression"),
        ("nothing", "", "NameError: name 'nothing' is not defined"),
    ],
)
def test_a_run_that_fails_says_why(run, pick, failure):
    outcome = run_check(Check("broken", run, 1, pick), main)
    assert not outcome.passed and outcome.failure.startswith(failure)


@pytest.mark.parametrize(
    "answer, expect, within, same",
    [
        ([[[1.0, 2.0]]], [1, 2], 0.0, True),
        ([[1.0], [2.0]], [1, 2], 0.0, False),
        (0.76671, 0.7667, 1e-6, False),
        (float("nan"), 0.0, 1.0, False),
        ([1, 2, 3], [1, 2], 0.0, False),
        (1, True, 0.0, False),
        (True, True, 0.0, True),
        (["a", "b"], ["a", "b"], 0.0, True),
        (["a", "c"], ["a", "b"], 0.0, False),
        ([[1], [2, 3]], [1, 2], 0.0, False),
        (233, "2.33", 0.0, False),
        (None, 1, 0.0, False),
    ],
)  # fmt: skip
def test_agreement(answer, expect, within, same):
    assert agrees(answer, expect, within) is same


def test_words_narrow_the_map():
    assert len(lecture().slides) == sum(len(deck.slides) for deck in DECKS.values()) and len(lecture().rows) == 177
    assert [row.id for row in lecture("s3", "9").rows] == ["A14"]
    assert [row.id for row in lecture("a14").rows] == ["A14"] and {one.deck.id for one in lecture("A14").slides} == {"S3"}
    assert {one.slide.kind for one in lecture("S0", "question").slides} == {"question"}
    assert {"B01", "B02"} <= {row.id for row in lecture("pooling").rows}
    assert [erratum.number for erratum in lecture("S4").errata] == [1, 2, 3]
    assert "does not fit on 7 x 7" in lecture("A14").text() and "erratum 9" in lecture("S3").text()


@pytest.mark.parametrize(
    "words, message",
    [
        (("A31",), "there is no row A31; part A ends with A30"),
        (("9",), "slide 9 of which deck"),
        (("S3", "99"), "nothing fits '99'"),
        (("poolling",), "did you mean pooling"),
        (("x" * 5000,), "write a deck"),
        (("S3", "yolo"), "nothing fits 'yolo'"),
    ],
)
def test_words_that_fit_nothing_are_answered(words, message):
    with pytest.raises(ArgumentError, match=f"lecture: .*{message}") as caught:
        lecture(*words)
    assert len(str(caught.value)) < 400


def test_what_must_come_out_is_written_short():
    assert expected_text(Check("", "", 0.7667, within=5e-5)) == "0.7667 (within 5e-05)"
    assert expected_text(Check("", "", "2.33")) == '"2.33"'


QUICK = ("animate", "conventions", "exercise", "explain", "glossary", "iou", "lecture", "memory", "metrics", "myths", "shape", "solve", "views")


@pytest.mark.exhaustive
@pytest.mark.parametrize("run", sorted({run for _, run in RUNS if is_command(run) and shlex.split(run)[1] in QUICK}))
def test_quick_commands_run(run, tmp_path, monkeypatch, capsys):
    """Those that need no data, no run and no photo; files go into an empty folder."""
    if "photo.jpg" not in run:
        monkeypatch.chdir(tmp_path)
        assert main(shlex.split(run)[1:]) == 0, capsys.readouterr().err
        assert capsys.readouterr().out
