"""The classification metrics against scikit-learn over drawn labels, weights and scores: the same answers, the same refusals."""

import warnings

import numpy as np
import pytest

from tinycnn import metrics
from tinycnn.errors import TinycnnError

pytestmark = pytest.mark.torch
theirs = pytest.importorskip("sklearn.metrics")
CASES = 15


def answer(function, *arguments, **options):
    """The result, or None for a refusal; hints are no matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*arguments, **options)
        except (TinycnnError, ValueError):
            return None


def same(name, *arguments, tolerance=1e-12, **options):
    own, other = (answer(getattr(package, name), *arguments, **options) for package in (metrics, theirs))
    assert (own is None) == (other is None), (name, arguments, options, own, other)
    if own is None:
        return False
    pairs = zip(own, other, strict=True) if isinstance(own, tuple) else [(own, other)]
    for mine, their in pairs:
        if isinstance(mine, str):  # theirs writes whole supports as 3.0 where nothing was right
            assert [word.removesuffix(".0") for word in mine.split()] == [word.removesuffix(".0") for word in their.split()], options
        elif mine is None or isinstance(mine, dict):
            assert mine == their, (name, options)
        else:
            mine, their = np.asarray(mine, np.float64), np.asarray(their, np.float64)
            np.testing.assert_allclose(mine, their, rtol=tolerance, atol=tolerance, err_msg=str((name, options)))
    return True


def drawn_labels(draw):
    """Truth and prediction: few or many classes, absent ones, a single one, strings, several labels an example."""
    count, classes = int(draw.integers(0, 14)), int(draw.integers(1, 5))
    if draw.random() < 0.3:
        shape = (count, int(draw.integers(2, 5)))
        density = draw.choice([0.0, 0.3, 0.7, 1.0])
        return (draw.random(shape) < density).astype(int), (draw.random(shape) < draw.choice([0.0, 0.5])).astype(int)
    true, guess = draw.integers(0, classes, count), draw.integers(0, classes, count)
    words = draw.random()
    if words < 0.2:
        names = np.array(["cat", "dog", "emu", "fox"])
        return names[true], names[guess]
    return (true * 3 - 1, guess * 3 - 1) if words < 0.4 else (true, guess)


@pytest.mark.parametrize("seed", range(CASES))
def test_counts_and_averages(seed):
    draw = np.random.default_rng(seed)
    true, guess = drawn_labels(draw)
    weight = [None, draw.integers(0, 4, len(true)), draw.random(len(true))][draw.integers(3)]
    if weight is not None and weight.sum() == 0:
        weight = None  # theirs refuses some of these
    labels = None if draw.random() < 0.6 else draw.permutation(np.unique(true))[: int(draw.integers(1, 4))] if true.ndim == 1 else [0, 1]
    zero = [0, 1, np.nan, "warn"][draw.integers(4)]
    for average in (None, "binary", "micro", "macro", "weighted", "samples"):
        for name in ("precision_score", "recall_score", "f1_score"):
            same(name, true, guess, average=average, labels=labels, sample_weight=weight, zero_division=zero)
        same("fbeta_score", true, guess, beta=2, average=average, labels=labels, sample_weight=weight, zero_division=zero)
        same("precision_recall_fscore_support", true, guess, beta=0.5, average=average, labels=labels, sample_weight=weight, zero_division=zero)
        same("jaccard_score", true, guess, average=average, labels=labels, sample_weight=weight, zero_division=0 if zero is np.nan else zero)
    same("multilabel_confusion_matrix", true, guess, labels=labels, sample_weight=weight)
    same("multilabel_confusion_matrix", true, guess, samplewise=True, sample_weight=weight)
    for normalize in (None, "true", "pred", "all"):
        same("confusion_matrix", true, guess, labels=labels, sample_weight=weight, normalize=normalize)
    for name in ("accuracy_score", "zero_one_loss", "hamming_loss", "balanced_accuracy_score", "matthews_corrcoef"):
        same(name, true, guess, sample_weight=weight)
    for weights in (None, "linear", "quadratic"):
        same("cohen_kappa_score", true, guess, weights=weights, labels=labels, sample_weight=weight)


@pytest.mark.parametrize("seed", range(15))
def test_report(seed):
    draw = np.random.default_rng(seed)
    true, guess = drawn_labels(draw)
    labels = None if draw.random() < 0.6 or true.ndim == 2 else np.unique(true)[:2]
    same("classification_report", true, guess, labels=labels, digits=3, zero_division=0)
    same("classification_report", true, guess, labels=labels, output_dict=True, zero_division=1)


@pytest.mark.parametrize("seed", range(CASES))
def test_curves_and_areas_of_two_classes(seed):
    draw = np.random.default_rng(seed)
    count = int(draw.integers(1, 20))
    true, scores = draw.integers(0, 2, count), draw.integers(0, 6, count) / 5
    if draw.random() < 0.2:
        true = 2 * true - 1
    weight = [None, draw.integers(0, 4, count), draw.random(count)][draw.integers(3)]
    if weight is not None and weight.sum() == 0:
        weight = None
    for drop in (False, True):
        for name in ("roc_curve", "precision_recall_curve", "det_curve"):
            if name == "det_curve" and weight is not None and (weight == 0).any():
                continue  # theirs looks at the classes before the weights
            same(name, true, scores, sample_weight=weight, drop_intermediate=drop)
    if weight is None or all(weight[true == each].sum() > 0 for each in np.unique(true)):
        same("roc_auc_score", true, scores, sample_weight=weight)
        same("roc_auc_score", true, scores, sample_weight=weight, max_fpr=0.3)
        same("average_precision_score", true, scores, sample_weight=weight)
    for name in ("brier_score_loss", "log_loss"):
        same(name, true, scores, sample_weight=weight)
    same("top_k_accuracy_score", true, scores, k=1, sample_weight=weight)


@pytest.mark.parametrize("seed", range(CASES))
def test_scores_of_several_classes(seed):
    draw = np.random.default_rng(seed)
    count, classes = int(draw.integers(3, 20)), int(draw.integers(3, 5))
    true, scores = draw.integers(0, classes, count), draw.random((count, classes))
    if draw.random() < 0.3:
        scores = np.round(scores, 1) + 0.05
    scores /= scores.sum(axis=1, keepdims=True)
    weight = None if draw.random() < 0.5 else draw.random(count) + 0.1
    for labels in (None, list(range(classes))):
        for average in ("macro", "weighted", "micro", None):
            same("roc_auc_score", true, scores, multi_class="ovr", average=average, labels=labels, sample_weight=weight)
            if len(np.unique(true)) == classes:
                same("roc_auc_score", true, scores, multi_class="ovo", average=average or "macro", labels=labels)
        for k in (1, 2, classes):
            same("top_k_accuracy_score", true, scores, k=k, labels=labels, sample_weight=weight)
            same("top_k_accuracy_score", true, scores, k=k, labels=labels, normalize=False)
        same("log_loss", true, scores, labels=labels, sample_weight=weight)
        same("log_loss", true, scores.astype(np.float32), labels=labels, normalize=False, tolerance=1e-5)
        same("brier_score_loss", true, scores, labels=labels, sample_weight=weight)
    many = (draw.random((count, classes)) < 0.5).astype(int)
    for average in ("macro", "weighted", "micro", "samples", None):
        for name in ("roc_auc_score", "average_precision_score"):
            same(name, many, scores, average=average, sample_weight=weight)
        same("average_precision_score", true, scores, average=average)


@pytest.mark.parametrize("seed", range(8))
def test_calibration(seed):
    from sklearn.calibration import calibration_curve

    draw = np.random.default_rng(seed)
    prob = draw.random(40)
    hit = (draw.random(40) < prob).astype(int)
    for strategy in ("uniform", "quantile"):
        for bins in (2, 5, 10):
            for mine, their in zip(
                metrics.calibration_curve(hit, prob, n_bins=bins, strategy=strategy), calibration_curve(hit, prob, n_bins=bins, strategy=strategy)
            ):
                np.testing.assert_allclose(mine, their, rtol=1e-12)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_calibration_error_is_torchmetrics(norm):
    torch = pytest.importorskip("torch")
    other = pytest.importorskip("torchmetrics.functional.classification")
    for seed in range(10):
        draw = np.random.default_rng(seed)
        scores = draw.random((50, 4))
        scores /= scores.sum(axis=1, keepdims=True)
        true = draw.integers(0, 4, 50)
        own = metrics.expected_calibration_error(true, scores, n_bins=7, norm=norm)
        assert own == pytest.approx(
            float(other.multiclass_calibration_error(torch.tensor(scores), torch.tensor(true), num_classes=4, n_bins=7, norm=norm)), rel=1e-6
        )
        prob, hit = scores[:, 0], (true == 0).astype(int)
        own = metrics.expected_calibration_error(hit, prob, n_bins=7, norm=norm)
        assert own == pytest.approx(float(other.binary_calibration_error(torch.tensor(prob), torch.tensor(hit), n_bins=7, norm=norm)), rel=1e-6)


def test_equal_error_rate_is_torchmetrics():
    torch = pytest.importorskip("torch")
    other = pytest.importorskip("torchmetrics.functional.classification")
    for seed in range(10):
        draw = np.random.default_rng(seed)
        hit = draw.integers(0, 2, 200)
        scores = draw.random(200) + 0.3 * hit
        own = metrics.equal_error_rate(hit, scores)[0]
        # Theirs takes the mean of both rates at the nearest threshold; ours lies between the neighbouring thresholds.
        assert own == pytest.approx(float(other.binary_eer(torch.tensor(scores / 2), torch.tensor(hit))), abs=1.5 / 80)


@pytest.mark.parametrize("seed", range(8))
def test_classes_are_torchmetrics(seed):
    torch = pytest.importorskip("torch")
    other = pytest.importorskip("torchmetrics.functional.classification")
    draw = np.random.default_rng(seed)
    scores = draw.random((40, 4))
    scores /= scores.sum(axis=1, keepdims=True)
    true = np.concatenate([np.arange(4), draw.integers(0, 4, 36)])
    guess = scores.argmax(axis=1)
    a, b, p = torch.tensor(guess), torch.tensor(true), torch.tensor(scores)
    zero = {"labels": range(4), "zero_division": 0}
    for average in ("micro", "macro", "weighted", None):
        for name in ("precision", "recall", "f1_score"):
            own = getattr(metrics, name.removesuffix("_score") + "_score")(true, guess, average=average, **zero)
            np.testing.assert_allclose(own, getattr(other, f"multiclass_{name}")(a, b, num_classes=4, average=average), rtol=1e-5)
    assert metrics.cohen_kappa_score(true, guess, weights="quadratic", labels=range(4)) == pytest.approx(
        float(other.multiclass_cohen_kappa(a, b, num_classes=4, weights="quadratic")), rel=1e-5, abs=1e-6
    )
    correlation = float(other.multiclass_matthews_corrcoef(a, b, num_classes=4))
    assert metrics.matthews_corrcoef(true, guess) == pytest.approx(correlation, rel=1e-5, abs=1e-6)
    assert metrics.roc_auc_score(true, scores, multi_class="ovr") == pytest.approx(float(other.multiclass_auroc(p, b, num_classes=4)), rel=1e-5)
    assert metrics.average_precision_score(true, scores) == pytest.approx(float(other.multiclass_average_precision(p, b, num_classes=4)), rel=1e-5)
    assert metrics.top_k_accuracy_score(true, scores, k=2) == pytest.approx(
        float(other.multiclass_accuracy(p, b, num_classes=4, top_k=2, average="micro")), rel=1e-5
    )
