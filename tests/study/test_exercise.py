"""study.exercise: laws that every sheet of every topic keeps, and answers worked out by hand."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinycnn.errors import UsageError
from tinycnn.study import exercise
from tinycnn.study.exercise import topic_named
from tinycnn.study.exercise_draw import is_sound
from tinycnn.study.exercise_page import hashed
from tinycnn.study.exercise_sheet import Sheet, matrix_text, same_numbers, units, value_text
from tinycnn.study.exercise_topics import SHORT, TOPICS

TOPIC = st.sampled_from(list(TOPICS))
SEED = st.integers(0, 2**32)
LEVEL = st.integers(1, 3)
SOME = settings(max_examples=max(4, settings.default.max_examples // 4))  # a sheet takes some 30 ms


def disguised(sheet: Sheet) -> Sheet:
    """The same sheet with other answers of the same shapes, other traps and other solutions."""
    exercises = []
    for each in sheet.exercises:
        blanks = tuple(replace(blank, answer=np.asarray(blank.answer + Fraction(17, 1)), traps=()) for blank in each.blanks)
        exercises.append(replace(each, blanks=blanks, steps=()))
    return replace(sheet, exercises=tuple(exercises))


def page_without_hashes(page: str) -> str:
    return page.split('<script type="application/json"')[0]


@SOME
@given(TOPIC, SEED, LEVEL)
def test_a_solution_passes_its_own_check_and_a_wrong_answer_does_not(topic, seed, level):
    sheet = exercise(topic, seed=seed, level=level)
    answers = sheet.answers()
    report = sheet.check(answers)
    assert report.score == report.possible == sheet.points and all(mark.right for mark in report.marks)
    for blank in sheet.blanks:
        for place in range(blank.answer.size):
            wrong = blank.answer.astype(object).copy()
            wrong.reshape(-1)[place] += 1
            marks = {mark.id: mark for mark in sheet.check({**answers, blank.id: matrix_text(wrong)}).marks}
            assert not marks[blank.id].right and marks[blank.id].points == 0
            assert all(mark.right for key, mark in marks.items() if key != blank.id)


@SOME
@given(TOPIC, SEED, LEVEL)
def test_every_trap_is_wrong_and_gets_its_hint(topic, seed, level):
    sheet = exercise(topic, seed=seed, level=level)
    for each in sheet.exercises:
        assert is_sound(each) and each.statement and each.steps and each.givens
    for blank in sheet.blanks:
        assert blank.answer.size and np.isfinite(blank.answer.astype(float)).all()
        if blank.whole:
            assert all(float(value).is_integer() for value in blank.answer.reshape(-1))
        for trap in blank.traps:
            assert not same_numbers(trap.answer, blank.answer, blank.whole)
            mark = sheet.check({blank.id: trap.answer.astype(float).tolist()}).marks[sheet.blanks.index(blank)]
            assert not mark.right and mark.remark == trap.hint, (topic, level, blank.label)


@SOME
@given(TOPIC, SEED, LEVEL)
def test_the_blank_sheet_does_not_depend_on_the_answers(topic, seed, level):
    """What is printed before solving is the same whatever the answers are: it holds none of them."""
    sheet = exercise(topic, seed=seed, level=level)
    other = disguised(sheet)
    assert sheet.text() == other.text() and sheet.latex() == other.latex()
    assert sheet.notebook() == other.notebook() and sheet.to_dict() == other.to_dict()
    assert page_without_hashes(sheet.html()) == page_without_hashes(other.html())
    assert sheet.text(True) != other.text(True)
    data = json.loads(sheet.html().split('id="data">')[1].split("</script>")[0])
    assert set(data) == {"salt", "command", "points", "blanks"}
    for blank, plain in zip(sheet.blanks, data["blanks"], strict=True):
        assert set(plain) == {"id", "whole", "open", "points", "columns", "cells", "traps"}
        assert len(plain["cells"]) == (1 if blank.is_open else blank.answer.size)
        assert all(len(cell) == 16 for cell in plain["cells"])


@SOME
@given(TOPIC, SEED, LEVEL)
def test_blank_and_solved_have_the_same_numbers(topic, seed, level):
    sheet, again = exercise(topic, seed=seed, level=level), exercise(topic, seed=seed, level=level)
    assert sheet.text(True) == again.text(True)
    asked = [line for line in sheet.text().splitlines() if line.startswith("   ") and "____" not in line]
    solved = again.text(True).splitlines()
    assert asked and all(line in solved for line in asked)


@pytest.mark.exhaustive
@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_over_many_seeds(topic):
    texts = set()
    for number in range(90):
        sheet = exercise(topic, seed=number, level=1 + number % 3)
        assert all(is_sound(each) for each in sheet.exercises)
        assert sheet.check(sheet.answers()).score == sheet.points
        texts.add(sheet.text().split("points", 1)[1])
    assert len(texts) >= 85


@pytest.mark.parametrize("topic", TOPICS)
def test_seeds_and_numbers_differ(topic):
    texts = {exercise(topic, seed=seed, level=1 + seed).text().split("points", 1)[1] for seed in range(3)}
    assert len(texts) == 3
    several = exercise(topic, seed=1, count=2)
    asked = {str([given.value for given in each.givens]) for each in several.exercises}
    assert len(asked) == 2
    assert [blank.id[0] for blank in several.blanks] == sorted(blank.id[0] for blank in several.blanks)


def test_names_of_topics():
    assert topic_named("Transposed Convolution") == "transposed" and topic_named("max_pool2d") == "pooling"
    assert set(SHORT.values()) <= set(TOPICS)
    assert [each.topic for each in exercise("all").exercises] == list(TOPICS)
    assert [each.topic for each in exercise(["nms", "iou", "nms"]).exercises] == ["nms", "iou"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"topic": "convolutoin"}, "did you mean convolution"),
        ({"topic": "weather"}, "there is no topic 'weather'; there are shapes"),
        ({"topic": []}, "name a topic"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"count": 51}, "count must be a whole number from 1 to 50"),
        ({"level": 4}, "level must be a whole number from 1 to 3"),
        ({"level": True}, "level must be"),
    ],
)
def test_refusals(arguments, words):
    with pytest.raises(UsageError, match=words):
        exercise(**arguments)


def by_label(sheet, start):
    return next(blank.answer for blank in sheet.blanks if blank.label.startswith(start))


def given_of(sheet, start):
    return next(each.value for each in sheet.exercises[0].givens if each.name.startswith(start))


@SOME
@given(SEED)
def test_numbers_against_plain_arithmetic(seed):
    """The answers of a few topics, worked out here in another way."""
    flow = exercise("convolution", seed=seed)
    image, weight = given_of(flow, "input"), given_of(flow, "filter")
    windows = np.lib.stride_tricks.sliding_window_view(image, weight.shape)
    assert (windows * weight).sum(axis=(2, 3)).tolist() == by_label(flow, "output").astype(float).tolist()

    sheet = exercise("iou", seed=seed)
    one, other = (np.array(given_of(sheet, f"box {name}").split(), int) for name in "AB")
    mask = np.zeros((2, 20, 20), bool)
    for layer, (left, top, right, bottom) in zip(mask, (one, other), strict=True):
        layer[top:bottom, left:right] = True
    shared, union = int((mask[0] & mask[1]).sum()), int((mask[0] | mask[1]).sum())
    assert [blank.answer.item() for blank in sheet.blanks] == [shared, union, Fraction(shared, union)]

    layers = [given.value for given in exercise("receptive-field", seed=seed).exercises[0].givens]
    seen = {0}
    for text in reversed(layers):
        kernel, stride = int(text.split(" x ")[0]), int(text.split("stride ")[1])
        seen = {place * stride + tap for place in seen for tap in range(kernel)}
    assert by_label(exercise("receptive-field", seed=seed), "receptive").item() == max(seen) + 1


def test_texts_of_numbers():
    assert [value_text(value) for value in (Fraction(6, 4), 2.0, -0.5, Fraction(5))] == ["3/2", "2", "-0.500", "5"]
    assert value_text(Fraction(32017, 55575)) in ("32017/55575", "0.576")
    assert units(0.0005) == 1 and units(-1.2345) == -1234 and units(Fraction(1, 3)) == 333
    assert hashed("a") == "af63dc4c8601ec8c"  # the published value of FNV-1a, 64 bits
