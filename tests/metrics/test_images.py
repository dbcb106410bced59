"""Segmentation and image metrics on hand-counted maps and on the definition written as loops."""

import numpy as np
import pytest

from tinycnn import metrics
from tinycnn.errors import ArgumentError, DtypeError, HintWarning, ShapeError

TRUE = np.array([[0, 0, 1], [0, 255, 1]])
GUESS = np.array([[0, 1, 1], [0, 3, 1]])


def test_counts_leave_out_the_ignored_pixel():
    counts = metrics.segmentation_confusion(TRUE, GUESS, 4)
    assert counts[:2, :2].tolist() == [[2, 1], [0, 2]]
    assert counts.sum() == 5
    scores = metrics.segmentation_scores(counts)
    assert scores.pixel_accuracy == 4 / 5
    assert scores.mean_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert scores.mean_iou == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert scores.mean_dice == pytest.approx(4 / 5)
    assert scores.frequency_weighted_iou == pytest.approx(2 / 3)
    assert scores.absent_classes == (2, 3)
    assert "2, 3, left out of the means" in scores.text()


@pytest.mark.parametrize(("absent", "value"), [("skip", 2 / 3), ("zero", 1 / 3), ("one", 5 / 6)])
def test_absent_classes_count_as_named(absent, value):
    assert metrics.mean_iou(TRUE, GUESS, 4, absent=absent) == pytest.approx(value)


def test_absent_nan_stays_nan():
    assert np.isnan(metrics.mean_iou(TRUE, GUESS, 4, absent="nan"))
    assert np.isnan(metrics.pixel_accuracy([255], [0], 2))


def test_mean_over_images_is_not_the_mean_over_the_data_set():
    true, guess = np.array([[0, 0], [0, 1]]), np.array([[0, 0], [1, 1]])
    assert metrics.mean_iou(true, guess, 2, per="image") == pytest.approx((1 + (0 + 1 / 2) / 2) / 2)
    assert metrics.mean_dice(true, guess, 2, per="image") == pytest.approx((1 + (0 + 2 / 3) / 2) / 2)
    assert metrics.mean_iou(true, guess, 2) == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_similarity_is_its_definition():
    draw = np.random.default_rng(0)
    a, b = draw.random((2, 9, 8))
    mean, gradient, full = metrics.structural_similarity(a, b, data_range=1.0, full=True, gradient=True)
    values = []
    for i in range(3, 6):
        for j in range(3, 5):
            x, y = (image[i - 3 : i + 4, j - 3 : j + 4].ravel() for image in (a, b))
            (va, vab), (_, vb) = np.cov(x, y)
            c1, c2 = 0.01**2, 0.03**2
            value = (2 * x.mean() * y.mean() + c1) * (2 * vab + c2) / ((x.mean() ** 2 + y.mean() ** 2 + c1) * (va + vb + c2))
            assert full[i, j] == pytest.approx(value)
            values.append(value)
    assert mean == pytest.approx(np.mean(values))
    assert gradient.shape == a.shape


def test_gradient_is_the_derivative_of_the_mean_of_the_map():
    draw = np.random.default_rng(1)
    a, b = draw.random((2, 12, 12))
    step = draw.normal(size=a.shape)
    options = {"data_range": 1.0, "full": True, "use_sample_covariance": False}
    slope = metrics.structural_similarity(a, b, gradient=True, **options)[1]

    def mean(shift):
        return metrics.structural_similarity(a, b + shift * step, **options)[1].mean()

    inside = np.zeros(a.shape)
    inside[6, 6] = 1  # away from the edges, where the mirrored window's derivative is another
    step = inside
    assert slope[6, 6] == pytest.approx((mean(1e-6) - mean(-1e-6)) / 2e-6, rel=1e-5)


def test_noise_ratio():
    black = np.zeros((2, 2), np.uint8)
    assert metrics.peak_signal_noise_ratio(black, black + 1) == pytest.approx(20 * np.log10(255))
    assert metrics.peak_signal_noise_ratio(black, black) == np.inf
    assert metrics.peak_signal_noise_ratio([-1.0, 1.0], [-1.0, 0.0]) == pytest.approx(10 * np.log10(4 / 0.5))
    assert metrics.mean_squared_error(black, black + 255) == 255**2  # no overflow of bytes


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.mean_iou([0], [[0]], 2), ShapeError, "resize the prediction"),
        (lambda: metrics.mean_iou([0.5], [0], 2), DtypeError, "argmax over the class axis"),
        (lambda: metrics.mean_iou([2], [0], 2), ArgumentError, "target holds classes from 2 to 2"),
        (lambda: metrics.mean_iou([0], [255], 2), ArgumentError, "prediction holds classes from 255"),
        (lambda: metrics.mean_iou([0], [0], 2, absent="drop"), ArgumentError, "'skip', 'zero', 'one', 'nan'"),
        (lambda: metrics.mean_iou([0], [0], 2, per="batch"), ArgumentError, "per must be one of"),
        (lambda: metrics.mean_iou([0], [0], 0), ArgumentError, "num_classes must be at least 1"),
        (lambda: metrics.mean_squared_error([0, 1], [0]), ShapeError, "one shape"),
        (lambda: metrics.peak_signal_noise_ratio([0.0, 255.0], [0.0, 254.0]), ArgumentError, "give data_range, such as 255"),
        (lambda: metrics.peak_signal_noise_ratio([0.0], [1.0], data_range=0), ArgumentError, "above 0"),
        (lambda: metrics.structural_similarity(np.ones((9, 9)), np.ones((9, 9))), ArgumentError, "of floats nothing tells the data_range"),
        (lambda: metrics.structural_similarity(np.ones((5, 9)), np.ones((5, 9)), data_range=1), ShapeError, "window of 7 is larger"),
        (lambda: metrics.structural_similarity(np.ones((9, 9)), np.ones((9, 9)), data_range=1, win_size=4), ArgumentError, "must be odd, not 4"),
        (lambda: metrics.normalized_root_mse([1.0], [1.0], normalization="max"), ArgumentError, "normalization must be one of"),
    ],
)
def test_errors_name_the_rule(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_guessed_range_is_said():
    image = np.arange(64, dtype=np.int16).reshape(8, 8)
    with pytest.warns(HintWarning, match="data_range is taken to be 65535"):
        assert metrics.structural_similarity(image, image) == 1.0
