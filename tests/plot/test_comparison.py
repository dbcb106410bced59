"""Pictures of compared networks and of codes: they are written, in the form their name asks for, and refuse what is empty."""

import numpy as np
import pytest
from PIL import Image

from tinycnn import plot
from tinycnn.errors import ShapeError

pytestmark = pytest.mark.skipif(not plot.available(), reason="needs matplotlib")
EPOCHS = [{"epoch": 1, "train_accuracy": 0.4, "test_accuracy": 0.3}, {"epoch": 2, "train_accuracy": 0.6, "test_accuracy": 0.5}]
DRAW = {
    "errors": lambda path: plot.draw_errors({"plain20": EPOCHS, "resnet20": EPOCHS}, path, "Degradation"),
    "gradients": lambda path: plot.draw_gradient_flow({"a": [("conv1", 1e-3), ("fc", 1e-2)], "b": [("conv1", 0.0)]}, path),
    "layers": lambda path: plot.draw_layer_transfer({"frozen": [0.9, 0.8]}, ["-", "stem"], path),
    "bubbles": lambda path: plot.draw_bubbles([("vgg16", 138e6, 15.5, 71.6), ("resnet18", 11.7e6, 1.8, 69.8)], path),
    "range": lambda path: plot.draw_range_test([1e-3, 1e-2, 1e-1], [2.0, 1.0, 9.0], [2.0, 1.5, 4.0], 1e-2, path),
    "map": lambda path: plot.draw_map(np.random.default_rng(0).random((9, 2)), np.arange(9) % 3, ["a", "b", "c"], path),
    "neighbours": lambda path: plot.draw_neighbours([np.zeros((8, 8), np.uint8)], [[np.zeros((8, 8, 3), np.uint8)] * 2], [[True, False]], path),
}


@pytest.mark.parametrize("name", DRAW)
def test_each_picture_is_written(tmp_path, name):
    with Image.open(DRAW[name](tmp_path / "picture.png")) as picture:
        assert min(picture.size) > 100
        assert len(np.unique(np.asarray(picture.convert("L")))) > 3


def test_a_name_that_ends_in_svg_makes_one(tmp_path):
    text = DRAW["bubbles"](tmp_path / "picture.svg").read_text()
    assert "<svg" in text and "vgg16" in text.replace("<!-- ", "").replace(" -->", "")


@pytest.mark.parametrize(
    "call",
    [
        lambda path: plot.draw_errors({}, path),
        lambda path: plot.draw_gradient_flow({"a": []}, path),
        lambda path: plot.draw_layer_transfer({"a": [1.0]}, [], path),
        lambda path: plot.draw_bubbles([("a", 0, 1.0, 50.0)], path),
        lambda path: plot.draw_range_test([], [], [], 0.1, path),
        lambda path: plot.draw_map(np.zeros((3, 3)), np.zeros(3), [], path),
        lambda path: plot.draw_neighbours([], [], [], path),
    ],
)
def test_nothing_to_draw_is_refused(tmp_path, call):
    with pytest.raises(ShapeError, match=r"draw_\w+: "):
        call(tmp_path / "picture.png")
