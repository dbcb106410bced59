"""The averages of precision and recall, agreement beyond chance, curves and losses: the decks' tables, hand-counted cases, errors."""

import numpy as np
import pytest

from tinycnn import metrics
from tinycnn.errors import ArgumentError, DtypeError, HintWarning, ShapeError


def expanded(matrix):
    """Truth, prediction and weight with one example a cell."""
    counts = np.asarray(matrix)
    rows, columns = np.indices(counts.shape)
    return rows.ravel(), columns.ravel(), counts.ravel()


def test_the_decks_binary_table():
    """TP 80, FN 25, FP 10, TN 35; the slide's accuracy of 0.7 is a slip."""
    true, guess, weight = expanded([[35, 10], [25, 80]])
    assert round(metrics.precision_score(true, guess, sample_weight=weight), 4) == 0.8889
    assert round(metrics.recall_score(true, guess, sample_weight=weight), 4) == 0.7619
    assert round(metrics.f1_score(true, guess, sample_weight=weight), 4) == 0.8205
    assert round(metrics.accuracy_score(true, guess, sample_weight=weight), 4) == 0.7667


def test_the_decks_three_class_table_has_predictions_in_rows():
    table = [[30, 20, 10], [50, 60, 10], [20, 20, 80]]
    report = metrics.class_report(table, orientation="predicted_rows")
    assert report.precision.round(4).tolist() == [0.5, 0.5, 0.6667]
    assert report.recall.round(4).tolist() == [0.3, 0.6, 0.8]
    assert report.f1.round(4).tolist() == [0.375, 0.5455, 0.7273]
    guess, true, weight = expanded(table)
    options = {"sample_weight": weight}
    assert round(metrics.precision_score(true, guess, average="macro", **options), 4) == 0.5556
    assert round(metrics.recall_score(true, guess, average="macro", **options), 4) == 0.5667
    assert round(metrics.f1_score(true, guess, average="macro", **options), 4) == 0.5492
    assert round(metrics.macro_f1_score(true, guess, **options), 4) == 0.5492
    assert round(metrics.macro_f1_score(true, guess, definition="f1_of_means", **options), 4) == 0.5611
    micro = metrics.f1_score(true, guess, average="micro", **options)
    assert round(micro, 4) == 0.5667
    assert micro == metrics.accuracy_score(true, guess, **options)


def test_f1_of_means_is_never_smaller():
    true, guess = [0, 1, 1, 2, 2], [0, 1, 2, 2, 0]
    mean = metrics.macro_f1_score(true, guess)
    f1 = metrics.f1_score(true, guess, average=None)
    assert mean == pytest.approx(f1.mean())
    assert metrics.macro_f1_score(true, guess, definition="f1_of_means") > mean


def test_zero_division_four_ways():
    true, guess = [0, 0, 1], [0, 0, 0]  # class 1 is never predicted
    with pytest.warns(HintWarning, match="precision at 1 is 0/0"):
        assert metrics.precision_score(true, guess, average=None).tolist() == [2 / 3, 0]
    assert metrics.precision_score(true, guess, average=None, zero_division=1).tolist() == [2 / 3, 1]
    assert metrics.precision_score(true, guess, average="macro", zero_division=np.nan) == 2 / 3
    assert metrics.precision_score(true, guess, average="macro", zero_division=0) == 1 / 3
    with pytest.raises(ArgumentError, match=r"zero_division must be 0, 1, nan or 'warn', not 0\.5"):
        metrics.precision_score(true, guess, zero_division=0.5)


def test_several_labels_an_example():
    true, guess = [[1, 0, 1], [0, 1, 0]], [[1, 1, 0], [0, 1, 0]]
    assert metrics.precision_score(true, guess, average="samples") == 0.75
    assert metrics.recall_score(true, guess, average="samples") == 0.75
    assert metrics.f1_score(true, guess, average="micro") == pytest.approx(2 * 2 / (3 + 3))
    assert metrics.accuracy_score(true, guess) == 0.5
    assert metrics.hamming_loss(true, guess) == pytest.approx(2 / 6)
    assert metrics.multilabel_confusion_matrix(true, guess, samplewise=True)[0].tolist() == [[0, 1], [1, 1]]


def test_orientation_and_labels():
    counts = metrics.confusion_matrix(["a", "b", "b"], ["a", "a", "b"], labels=["b", "a"])
    assert counts.tolist() == [[1, 1], [0, 1]]
    turned = metrics.confusion_matrix(["a", "b", "b"], ["a", "a", "b"], labels=["b", "a"], orientation="predicted_rows")
    assert turned.tolist() == counts.T.tolist()
    assert metrics.confusion_matrix([], [], labels=[0, 1]).tolist() == [[0, 0], [0, 0]]
    with pytest.warns(HintWarning, match="only the label 1 occurs"):
        assert metrics.confusion_matrix([1, 1], [1, 1]).tolist() == [[2]]


def test_agreement_beyond_chance():
    true, guess, weight = expanded([[20, 5], [10, 15]])  # the textbook's example: 0.4
    assert metrics.cohen_kappa_score(true, guess, sample_weight=weight) == pytest.approx(0.4)
    assert metrics.matthews_corrcoef(true, guess, sample_weight=weight) == pytest.approx((20 * 15 - 5 * 10) / np.sqrt(30 * 20 * 25 * 25))
    assert metrics.balanced_accuracy_score(true, guess, sample_weight=weight) == pytest.approx(0.7)
    assert metrics.balanced_accuracy_score(true, guess, sample_weight=weight, adjusted=True) == pytest.approx(0.4)
    # Three apart costs nine times what one apart does.
    assert metrics.cohen_kappa_score([0, 1, 2, 3], [0, 1, 2, 0], weights="quadratic") == pytest.approx(1 - 9 / 10)  # chance costs 10
    with pytest.warns(HintWarning, match="one and the same label"):
        assert np.isnan(metrics.cohen_kappa_score([1, 1], [1, 1]))
    with pytest.warns(HintWarning, match=r"classes \[1\], which y_true has not"):
        assert metrics.balanced_accuracy_score([0, 0], [0, 1]) == 0.5


def test_curves_and_areas_by_counting_pairs():
    draw = np.random.default_rng(3)
    true, scores = draw.integers(0, 2, 40), draw.integers(0, 8, 40)
    high, low = scores[true == 1], scores[true == 0]
    pairs = np.sign(high[:, None] - low[None, :])
    assert metrics.roc_auc_score(true, scores) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    precision, recall, thresholds = metrics.precision_recall_curve(true, scores)
    for at, threshold in enumerate(thresholds):
        called = scores >= threshold
        assert precision[at] == pytest.approx(true[called].mean())
        assert recall[at] == pytest.approx(true[called].sum() / true.sum())
    fpr, fnr, thresholds = metrics.det_curve(true, scores)
    for at, threshold in enumerate(thresholds):
        assert fpr[at] == pytest.approx((low >= threshold).mean())
        assert fnr[at] == pytest.approx((high < threshold).mean())
    with pytest.warns(HintWarning, match="only one class"):
        assert np.isnan(metrics.roc_auc_score([1, 1], [0.2, 0.3]))
    with pytest.warns(HintWarning, match="no positive example"):
        assert metrics.average_precision_score([0, 0], [0.2, 0.3]) == 0


def test_verification_rates():
    assert metrics.equal_error_rate([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]) == (0.0, 0.8)
    same, other = np.array([0.9, 0.8, 0.7, 0.3]), np.array([0.6, 0.4, 0.2, 0.1])
    rate, threshold = metrics.equal_error_rate([1] * 4 + [0] * 4, np.concatenate([same, other]))
    assert rate == 0.25
    assert np.mean(other >= threshold) == np.mean(same < threshold) == 0.25
    assert metrics.tar_at_far([1] * 4 + [0] * 4, np.concatenate([same, other]), 0.0) == (0.75, 0.7)
    assert metrics.tar_at_far([1] * 4 + [0] * 4, np.concatenate([same, other]), 0.5) == (1.0, 0.3)
    assert metrics.tar_at_far([0, 1], [0.9, 0.1], 0.5) == (0.0, np.inf)


def test_probabilities():
    assert metrics.log_loss([0, 1], [0.0, 1.0]) == pytest.approx(0, abs=1e-12)
    assert metrics.log_loss([1, 0], [0.5, 0.5], normalize=False) == pytest.approx(2 * np.log(2))
    assert metrics.brier_score_loss(["no", "yes"], [0.2, 0.6], pos_label="yes") == pytest.approx((0.04 + 0.16) / 2)
    assert metrics.expected_calibration_error([1, 1, 0, 0], [0.75] * 4) == pytest.approx(0.25)
    assert metrics.expected_calibration_error([1, 0], [0.9, 0.6], norm="max") == pytest.approx(0.6)
    with pytest.warns(HintWarning, match="do not sum to 1"):
        metrics.log_loss([0, 1], [[0.9, 0.9], [0.1, 0.1]])


def test_top_k_ties_go_to_the_larger_class_here():
    assert metrics.top_k_accuracy_score([0, 1, 2], np.full((3, 3), 0.2), k=1) == pytest.approx(1 / 3)
    assert metrics.top_k_accuracy_score([2, 2], np.full((2, 3), 0.2), k=1, labels=[0, 1, 2]) == 1
    assert metrics.top_k_accuracy([2, 2], np.full((2, 3), 0.2), k=1) == 0
    with pytest.warns(HintWarning, match="always a hit"):
        assert metrics.top_k_accuracy_score([0, 1], [0.2, 0.9], k=2) == 1


def test_report_says_micro_where_it_is_not_accuracy():
    assert "accuracy" in metrics.classification_report([0, 1, 2], [0, 1, 1], zero_division=0)
    text = metrics.classification_report([0, 1, 2], [0, 1, 1], labels=[0, 1], zero_division=0)
    assert "micro avg" in text and "accuracy" not in text
    found = metrics.classification_report([0, 1], [0, 1], output_dict=True)
    assert found["accuracy"] == 1.0 and found["1"]["support"] == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.f1_score([0, 1, 2], [0, 1, 2]), ArgumentError, "average='binary' does not fit multiclass labels"),
        (lambda: metrics.f1_score([3, 4], [3, 4]), ArgumentError, r"pos_label=1 does not occur; the labels are \[3, 4\]"),
        (lambda: metrics.f1_score([0, 1], [0, 1], average="mean"), ArgumentError, "average must be one of None, 'binary'"),
        (lambda: metrics.f1_score([0.5, 1], [0, 1]), DtypeError, "y_true must be classes, not continuous"),
        (lambda: metrics.f1_score(["a", "b"], [0, 1]), DtypeError, "write both as strings or both as numbers"),
        (lambda: metrics.f1_score([[1, 0]], [1]), ArgumentError, "y_true is multilabel but y_pred binary"),
        (lambda: metrics.f1_score([[1, 2]], [[1, 0]]), ArgumentError, "zeros and ones only"),
        (lambda: metrics.f1_score([0, 1], [0, 1], average="samples"), ArgumentError, "several labels an example"),
        (lambda: metrics.f1_score([[1, 0]], [[1, 0]], average=None, labels=[2]), ArgumentError, "columns from 0 to 1"),
        (lambda: metrics.accuracy_score([], []), ShapeError, "there are no examples"),
        (lambda: metrics.accuracy_score([0, 1], [0]), ShapeError, "2 examples but y_pred has 1"),
        (lambda: metrics.accuracy_score([0, 1], [0, 1], sample_weight=[1]), ShapeError, "one number an example"),
        (lambda: metrics.accuracy_score([0, 1], [0, 1], sample_weight=[1, np.nan]), ArgumentError, "finite"),
        (lambda: metrics.fbeta_score([0, 1], [0, 1], beta=-1), ArgumentError, "beta must not be negative"),
        (lambda: metrics.macro_f1_score([0, 1], [0, 1], definition="both"), ArgumentError, "'mean_of_f1', 'f1_of_means'"),
        (lambda: metrics.confusion_matrix([0, 1], [0, 1], labels=[5]), ArgumentError, "none of the labels"),
        (lambda: metrics.confusion_matrix([0, 1], [0, 1], labels=[1, 1]), ArgumentError, "name one label twice"),
        (lambda: metrics.confusion_matrix([0, 1], [0, 1], 2, labels=[0]), ArgumentError, "give one of them"),
        (lambda: metrics.confusion_matrix(["a"], ["a"], 2), ArgumentError, "holds strings"),
        (lambda: metrics.confusion_matrix([[1, 0]], [[1, 0]]), ArgumentError, "multilabel_confusion_matrix"),
        (lambda: metrics.confusion_matrix([0], [0], orientation="rows"), ArgumentError, "'true_rows', 'predicted_rows'"),
        (lambda: metrics.cohen_kappa_score([0, 1], [0, 1], weights="cubic"), ArgumentError, "weights must be one of"),
        (lambda: metrics.matthews_corrcoef([[1, 0]], [[1, 0]]), ArgumentError, "one label an example"),
        (lambda: metrics.classification_report([0, 1], [0, 1], target_names=["a"]), ArgumentError, "1 target_names for 2 labels"),
        (lambda: metrics.roc_curve([1, 2], [0.1, 0.2]), ArgumentError, "say by pos_label"),
        (lambda: metrics.roc_curve([0, 1], [0.1, np.nan]), ArgumentError, "finite numbers"),
        (lambda: metrics.roc_curve([0, 1], [0.1]), ShapeError, "both must be"),
        (lambda: metrics.det_curve([1, 1], [0.1, 0.2]), ArgumentError, "only one class occurs"),
        (lambda: metrics.auc([0, 2, 1], [0, 1, 2]), ArgumentError, "rise or fall"),
        (lambda: metrics.auc([0], [0]), ShapeError, "at least 2 points"),
        (lambda: metrics.roc_auc_score([0, 1, 2], np.eye(3)), ArgumentError, "multi_class must be one of"),
        (lambda: metrics.roc_auc_score([0, 1, 2], 2 * np.eye(3), multi_class="ovr"), ArgumentError, "sum to 1"),
        (lambda: metrics.roc_auc_score([0, 1, 1], np.eye(3), multi_class="ovr"), ArgumentError, "give all classes by labels="),
        (lambda: metrics.roc_auc_score([0, 1], [0.1, 0.2], max_fpr=2), ArgumentError, "max_fpr must be above 0"),
        (lambda: metrics.average_precision_score([0, 1], [0.1, 0.2], pos_label=3), ArgumentError, "does not occur"),
        (lambda: metrics.top_k_accuracy_score([0, 1, 2], np.eye(3), k=0), ArgumentError, "k must be at least 1"),
        (lambda: metrics.tar_at_far([0, 1], [0, 1], 1.5), ArgumentError, "far must be from 0 to 1"),
        (lambda: metrics.log_loss([0, 1], [[2, 0], [0, 1]]), ArgumentError, "probabilities must be from 0 to 1"),
        (lambda: metrics.log_loss([0, 0], [[1, 0], [0, 1]]), ArgumentError, "only one class is known"),
        (lambda: metrics.brier_score_loss([0, 1, 2], [0.1, 0.2, 0.3]), ArgumentError, "are of two classes"),
        (lambda: metrics.calibration_curve([0, 1], [0.1, 0.2], strategy="even"), ArgumentError, "strategy must be one of"),
        (lambda: metrics.expected_calibration_error([0, 1], [0.1, 0.2], n_bins=0), ArgumentError, "n_bins must be at least 1"),
    ],
)
def test_errors_name_the_rule(call, error, message):
    with pytest.raises(error, match=message):
        call()
