"""How the live page's arrays become curves and pictures."""

import numpy as np
import pytest

from tinycnn.train.live.curves import Curve
from tinycnn.train.live.pictures import activation_picture, histogram, image_picture, weight_picture


def test_a_curve_keeps_its_mean_and_its_length():
    values = np.random.default_rng(0).standard_normal(5000)
    curve = Curve(most=50)
    for value in values:
        curve.add(float(value))
    points = np.array(curve.points())
    assert 25 <= len(points) <= 51
    counted = len(points) * curve.each
    assert points[:, 1].mean() == pytest.approx(values[:counted].mean(), abs=1e-4)
    assert points[0, 0] == (curve.each + 1) / 2 and np.allclose(np.diff(points[:, 0]), curve.each)


@pytest.mark.parametrize("shape", [(3,), (1000,), (5, 7), (2, 3, 4), (30, 90, 90), (2, 3, 4, 5), (0,)])
def test_any_output_becomes_a_picture(shape):
    shown = activation_picture(np.full(shape, -2.0, np.float32))
    assert len(shown["data"]) == 4 * -(-shown["n"] * shown["h"] * shown["w"] // 3)
    assert shown["n"] <= 24 and max(shown["h"], shown["w"]) <= 40


@pytest.mark.parametrize(
    ("shape", "kind"), [((6, 1, 5, 5), "signed"), ((64, 3, 7, 7), "colours"), ((16, 6, 3, 3), "signed"), ((10, 84), "signed"), ((8, 4, 9), "signed")]
)
def test_any_weight_becomes_a_picture(shape, kind):
    weight = np.random.default_rng(0).standard_normal(shape)
    weight.flat[0] = np.nan
    shown = weight_picture(weight)
    assert shown["kind"] == kind and 0 < shown["scale"] <= np.nanmax(np.abs(weight))
    assert sum(histogram(weight)["counts"]) == weight.size - 1


@pytest.mark.parametrize(
    ("shape", "kind"), [((16,), "grey"), ((100,), "grey"), ((3, 5), "grey"), ((1, 8, 8), "grey"), ((3, 8, 8), "colour"), ((4, 90, 8), "grey")]
)
def test_any_input_becomes_a_picture(shape, kind):
    shown = image_picture(np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape))
    channels = 3 if kind == "colour" else 1
    assert shown["kind"] == kind and len(shown["data"]) == 4 * -(-shown["h"] * shown["w"] * channels // 3)
