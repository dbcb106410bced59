"""Classification metrics against counts made by hand and by plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.metrics import accuracy, class_report, confusion_matrix, top_k_accuracy

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@given(labels)
def test_confusion_matrix_counts_true_rows_and_predicted_columns(pairs):
    expected = np.zeros((5, 5), dtype=np.int64)
    for truth, guess in pairs:
        expected[truth, guess] += 1
    target, prediction = zip(*pairs, strict=True)
    matrix = confusion_matrix(target, prediction, 5)
    assert np.array_equal(matrix, expected)
    assert matrix.dtype == np.int64
    assert accuracy(target, prediction) == pytest.approx(np.trace(expected) / len(pairs))


def test_orientation_with_one_mistake():
    matrix = confusion_matrix([2], [0], 3)
    assert matrix[2, 0] == 1
    assert matrix.sum() == 1


@given(labels)
def test_class_report_follows_from_counts_of_hits(pairs):
    target, prediction = (np.array(column) for column in zip(*pairs, strict=True))
    report = class_report(confusion_matrix(target, prediction, 5))
    for k in range(5):
        hits = int(np.sum((target == k) & (prediction == k)))
        called, actual = int(np.sum(prediction == k)), int(np.sum(target == k))
        assert report.precision[k] == (hits / called if called else 0.0)
        assert report.recall[k] == (hits / actual if actual else 0.0)
        assert report.support[k] == actual
        # F1 = 2 TP / (2 TP + FP + FN), the form without the two quotients.
        assert report.f1[k] == pytest.approx(2 * hits / (called + actual) if called + actual else 0.0)


def test_class_report_rows_carry_names():
    rows = class_report([[2, 0], [1, 1]]).rows(["cat", "dog"])
    assert rows[0] == ("cat", pytest.approx(2 / 3), 1.0, pytest.approx(0.8), 2)
    with pytest.raises(ShapeError, match="1 names for 2 classes"):
        class_report([[2, 0], [1, 1]]).rows(["cat"])


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_top_k_agrees_with_a_stable_sort(k, seed):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 3, (12, 6)).astype(np.float64)
    target = generator.integers(0, 6, 12)
    hits = [target[n] in sorted(range(6), key=lambda j: (-scores[n, j], j))[:k] for n in range(12)]
    assert top_k_accuracy(target, scores, k) == pytest.approx(np.mean(hits))


def test_top_1_is_accuracy_of_argmax_even_with_ties():
    scores = np.array([[0.5, 0.5], [0.5, 0.5]])
    assert top_k_accuracy([0, 1], scores, 1) == accuracy([0, 1], scores.argmax(1)) == 0.5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: accuracy([0, 1], [0]), ShapeError, "2 targets but 1 predictions"),
        (lambda: accuracy([], []), ShapeError, "at least one class number"),
        (lambda: accuracy([0.5], [1]), DtypeError, "argmax"),
        (
            lambda: confusion_matrix([0, 3], [0, 1], 3),
            ArgumentError,
            "classes from 0 to 3, but 3 classes are numbered 0 to 2",
        ),
        (lambda: confusion_matrix([0, 1], [0, -1], 3), ArgumentError, "y_pred holds classes from -1"),
        (lambda: top_k_accuracy([0], [[0.1, 0.2]], 3), ArgumentError, "k must be from 1 to 2"),
        (lambda: top_k_accuracy([2], [[0.1, 0.2]], 1), ArgumentError, "scores have 2 columns"),
        (lambda: top_k_accuracy([0], [[0.1, np.nan]], 1), ArgumentError, "NaN"),
        (lambda: top_k_accuracy([0, 1], [[0.1, 0.2]], 1), ShapeError, r"\(N, C\) with N = 2"),
        (lambda: class_report([[1, 2, 3]]), ShapeError, r"square \(C, C\), not \(1, 3\)"),
    ],
)
def test_errors_name_the_rule_and_the_numbers(call, error, message):
    with pytest.raises(error, match=message):
        call()
