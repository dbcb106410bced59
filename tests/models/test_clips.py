"""Clips: drawn as promised, classified from frame features; a head that forgets the order gives a clip and its reverse the same answer."""

import json

import numpy as np
import pytest

from tinycnn import Tensor, no_grad, random
from tinycnn.cli import main
from tinycnn.data.moving_shapes import ACTIONS, MovingShapes
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models.clips import ClipClassifier, clip_classifier


def bright(frame):
    """Centre (x, y) and area of what is brighter than the middle between ground and shape."""
    light = frame[0] > (frame[0].min() + frame[0].max()) / 2
    rows, columns = np.nonzero(light)
    return columns.mean(), rows.mean(), light.sum()


def test_clips_do_what_their_label_says():
    seen = set()
    for clip, label in MovingShapes(60, frames=6, size=32, seed=1):
        assert clip.shape == (6, 1, 32, 32) and clip.dtype == np.float32 and 0 <= clip.min() <= clip.max() <= 1
        (x0, y0, area0), (x1, y1, area1) = bright(clip[0]), bright(clip[-1])
        action = ACTIONS[label]
        seen.add(action)
        assert (x1 - x0 > 3) == (action == "right") and (x0 - x1 > 3) == (action == "left"), action
        assert (y1 - y0 > 3) == (action == "down") and (y0 - y1 > 3) == (action == "up"), action
        assert (area1 > 1.6 * area0) == (action == "grows") and (area0 > 1.6 * area1) == (action == "shrinks"), action
    assert seen == set(ACTIONS)


def test_a_clip_depends_on_seed_split_and_number_alone():
    first, again = MovingShapes(5, frames=3, size=16, seed=4)[2], MovingShapes(9, frames=3, size=16, seed=4)[2]
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], MovingShapes(5, frames=3, size=16, seed=4, train=False)[2][0])
    with pytest.raises(ArgumentError, match="frames=2 must be a whole number of 3 or more"):
        MovingShapes(5, frames=2)
    with pytest.raises(IndexError, match="there is no clip 5"):
        MovingShapes(5)[5]


@pytest.mark.parametrize(("over_time", "same"), [("mean", True), ("max", True), ("conv", False)])
def test_only_the_convolution_knows_the_order(over_time, same):
    random.manual_seed(0)
    model = clip_classifier(5, over_time=over_time, features=8).eval()
    clip = MovingShapes(1, frames=5, size=32, seed=2)[0][0]
    with no_grad():
        forth, back = model(Tensor(np.stack([clip, np.ascontiguousarray(clip[::-1])]))).data
    assert np.allclose(forth, back, atol=1e-5) == same


def test_refusals():
    with pytest.raises(ArgumentError, match="over_time must be one of mean, max, conv"):
        ClipClassifier(clip_classifier(), 8, 3, "median")
    with pytest.raises(ArgumentError, match="must be a multiple of 8"):
        clip_classifier(pixels=20)
    with pytest.raises(ShapeError, match=r"clips are \(N, frames, channels, height, width\)"):
        clip_classifier()(Tensor(np.zeros((2, 1, 32, 32), np.float32)))


def test_the_experiment_compares_the_heads(capsys, monkeypatch):
    monkeypatch.setattr("tinycnn.cli.experiment_clips.TEST_CLIPS", 12)
    assert main(["experiment", "clips", "--images", "8", "--epochs", "1", "--batch-size", "8", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["over_time"] for run in found["runs"]] == ["mean", "max", "conv"] and np.array(found["runs"][0]["confusion"]).sum() == 12
    assert main(["experiment", "clips", "resnet20"]) == 2 and "has its own network" in capsys.readouterr().err
