"""Image metrics against scikit-image, segmentation metrics against torchmetrics and scikit-learn, over drawn images."""

import warnings

import numpy as np
import pytest

from tinycnn import metrics
from tinycnn.errors import TinycnnError

pytestmark = pytest.mark.torch


def drawn_images(draw):
    shape = tuple(draw.integers(7, 20, int(draw.integers(1, 4))))
    kind = draw.integers(4)
    if kind == 0:
        return draw.integers(0, 256, (2, *shape)).astype(np.uint8)
    if kind == 1:
        return draw.integers(-300, 300, (2, *shape)).astype(np.int16)
    return draw.random((2, *shape)).astype([np.float32, np.float64][draw.integers(2)]) * (1 if draw.random() < 0.5 else 2) - (draw.random() < 0.5)


@pytest.mark.parametrize("seed", range(20))
def test_images_are_scikit_images(seed):
    theirs = pytest.importorskip("skimage.metrics")
    draw = np.random.default_rng(seed)
    a, b = drawn_images(draw)
    tolerance = 1e-4 if a.dtype == np.float32 else 1e-10

    def same(name, *arguments, **options):
        answers = []
        for package in (metrics, theirs):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    answers.append(getattr(package, name)(*arguments, **options))
                except (TinycnnError, ValueError):
                    answers.append(None)
        own, other = answers
        assert (own is None) == (other is None), (name, a.dtype, a.shape, options)
        if own is not None:
            for mine, their in zip(own, other, strict=True) if isinstance(own, tuple) else [(own, other)]:
                np.testing.assert_allclose(mine, their, rtol=tolerance, atol=tolerance, err_msg=str((name, options)))

    same("mean_squared_error", a, b)
    for word in ("euclidean", "min-max", "mean"):
        same("normalized_root_mse", a, b, normalization=word)
    for reach in (None, 255, 1.0):
        same("peak_signal_noise_ratio", a, b, data_range=reach)
        for options in (
            {}, {"win_size": 5}, {"win_size": 4}, {"win_size": 21}, {"gaussian_weights": True}, {"gaussian_weights": True, "sigma": 0.7},
            {"use_sample_covariance": False, "K1": 0.02, "K2": 0.1}, {"channel_axis": 0}, {"channel_axis": -1, "full": True}, {"gradient": True},
            {"gradient": True, "full": True, "channel_axis": 0, "win_size": 3},
        ):  # fmt: skip
            if a.ndim > 1 or "channel_axis" not in options:
                same("structural_similarity", a, b, data_range=reach, **options)


@pytest.mark.parametrize("seed", range(20))
def test_segmentation_is_torchmetrics(seed):
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("torchmetrics.functional")
    draw = np.random.default_rng(seed)
    classes = int(draw.integers(2, 5))
    true, guess = draw.integers(0, classes, (2, 2, 6, 5))
    true = np.where(draw.random(true.shape) < 0.2, 255, true)
    a, b = torch.tensor(guess), torch.tensor(true)
    scores = metrics.segmentation_scores(metrics.segmentation_confusion(true, guess, classes))
    options = {"num_classes": classes, "ignore_index": 255}
    for own, name, average in (
        (scores.class_iou, "jaccard_index", None),
        (scores.mean_iou, "jaccard_index", "macro"),
        (scores.frequency_weighted_iou, "jaccard_index", "weighted"),
        (scores.class_dice, "f1_score", None),
        (scores.mean_accuracy, "accuracy", "macro"),
        (scores.pixel_accuracy, "accuracy", "micro"),
    ):
        other = getattr(theirs.classification, f"multiclass_{name}")(a, b, average=average, **options)
        np.testing.assert_allclose(own, other, rtol=1e-6, err_msg=f"{name} {average}")
