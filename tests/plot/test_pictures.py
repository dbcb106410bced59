"""Every picture is a PNG of a sensible size that is not blank, drawn without pyplot."""

import sys

import numpy as np
import pytest
from PIL import Image

from tinycnn import plot
from tinycnn.errors import ShapeError, UsageError
from tinycnn.plot import canvas

pytest.importorskip("matplotlib")

HISTORY = [
    {
        "epoch": i,
        "train_loss": 2.0 / i,
        "train_accuracy": 1 - 0.5 / i,
        "test_loss": 2.1 / i,
        "test_accuracy": 1 - 0.6 / i,
    }
    for i in range(1, 6)
]
NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def looks_like_a_picture(path, least_width=400):
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert least_width <= image.width <= 2000
        assert 150 <= image.height <= 2600
        pixels = np.asarray(image.convert("L"))
    assert (pixels < 128).mean() > 0.001, "blank"
    assert (pixels == 255).mean() > 0.02, "no white margin"


def answers(count, wrong=()):
    """Probabilities of a model that is right but for the given images, which it takes for the next class."""
    target = np.arange(count) % 10
    scores = np.full((count, 10), 0.01)
    guess = np.where(np.isin(np.arange(count), wrong), (target + 1) % 10, target)
    scores[np.arange(count), guess] = 0.91
    return target, scores


@pytest.mark.parametrize("epochs", [1, 5])
def test_curves(tmp_path, epochs):
    looks_like_a_picture(plot.draw_curves(HISTORY[:epochs], tmp_path / "curves.png"))


def test_curves_leave_out_what_is_not_known(tmp_path):
    history = [{"epoch": 1, "train_loss": float("nan"), "train_accuracy": None}, {"epoch": 2, "train_loss": 1.0}]
    looks_like_a_picture(plot.draw_curves(history, tmp_path / "curves.png"))


def test_curves_of_nothing_are_refused(tmp_path):
    with pytest.raises(ShapeError, match="at least one epoch"):
        plot.draw_curves([], tmp_path / "curves.png")


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_confusion(tmp_path, classes):
    matrix = np.diag(np.full(classes, 9)) + np.eye(classes, k=1, dtype=int)
    names = NAMES if classes == 10 else None
    looks_like_a_picture(plot.draw_confusion(matrix, tmp_path / "confusion.png", names))


def test_confusion_wants_a_square(tmp_path):
    with pytest.raises(ShapeError, match="square"):
        plot.draw_confusion(np.zeros((2, 3)), tmp_path / "confusion.png")


@pytest.mark.parametrize("shape", [(6, 1, 5, 5), (16, 3, 3, 3), (8, 2, 3, 3), (100, 1, 3, 3)])
def test_filters(tmp_path, shape):
    weight = np.random.default_rng(0).standard_normal(shape)
    looks_like_a_picture(plot.draw_filters(weight, tmp_path / "filters.png"))


def test_filters_that_are_all_zero_do_not_divide_by_zero(tmp_path):
    plot.draw_filters(np.zeros((2, 1, 3, 3)), tmp_path / "filters.png")


def test_filters_want_four_axes(tmp_path):
    with pytest.raises(ShapeError, match=r"\(out, in, height, width\)"):
        plot.draw_filters(np.zeros((2, 3)), tmp_path / "filters.png")


@pytest.mark.parametrize("shape", [(30, 28, 28), (30, 32, 32, 3)])
def test_image_grids(tmp_path, shape):
    images = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    target, scores = answers(30, wrong=(3, 7))
    looks_like_a_picture(plot.draw_wrong(images, target, scores, tmp_path / "wrong.png", NAMES))
    looks_like_a_picture(plot.draw_predictions(images, target, scores, tmp_path / "predictions.png"))


def test_no_mistakes_no_picture(tmp_path):
    target, scores = answers(10)
    assert plot.draw_wrong(np.zeros((10, 8, 8)), target, scores, tmp_path / "wrong.png") is None
    assert not (tmp_path / "wrong.png").exists()


def test_grids_refuse_sizes_that_disagree(tmp_path):
    target, scores = answers(10)
    with pytest.raises(ShapeError, match="must agree"):
        plot.draw_wrong(np.zeros((9, 8, 8)), target, scores, tmp_path / "wrong.png")


def test_activations(tmp_path):
    generator = np.random.default_rng(0)
    records = [
        plot.LayerRecord("conv1", "Conv2d", generator.standard_normal((6, 28, 28)), 156),
        plot.LayerRecord("pool1", "MaxPool2d", generator.random((40, 14, 14)), 0),
        plot.LayerRecord("flatten", "Flatten", generator.random(7840), 0),
        plot.LayerRecord("fc", "Linear", generator.standard_normal(10), 78410),
    ]
    probabilities = np.full(10, 0.1)
    looks_like_a_picture(
        plot.draw_activations(np.zeros((28, 28)), records, probabilities, tmp_path / "activations.png")
    )


def test_activations_of_a_deep_net_stay_on_one_page(tmp_path):
    records = [plot.LayerRecord(f"conv{i}", "Conv2d", np.ones((4, 8, 8)), 10) for i in range(60)]
    path = plot.draw_activations(np.zeros((8, 8, 3)), records, np.full(30, 1 / 30), tmp_path / "activations.png")
    looks_like_a_picture(path)


def test_pyplot_is_never_touched(tmp_path):
    before = "matplotlib.pyplot" in sys.modules
    plot.draw_curves(HISTORY, tmp_path / "curves.png")
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_without_matplotlib_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(canvas, "available", lambda: False)
    with pytest.raises(UsageError, match=r"pip install 'tinycnn\[plot\]'"):
        plot.draw_curves(HISTORY, tmp_path / "curves.png")
