"""Search: the points are the seed's, the results are sorted and written down."""

import json

import numpy as np
import pytest

from tinycnn.errors import UsageError
from tinycnn.train import TrainConfig, grid, random_choices, search

CONFIG = TrainConfig(epochs=4, batch_size=16, schedule="constant")


def test_a_grid_has_every_combination():
    points = grid({"momentum": [0.0, 0.9], "batch_size": [8, 16, 32]})
    assert len(points) == 6
    assert points[1] == {"momentum": 0.0, "batch_size": 16}


def test_random_points_follow_from_the_seed_and_lie_in_the_space():
    space = {"learning_rate": ("log", 1e-4, 1e-1), "momentum": ("uniform", 0.5, 0.99), "batch_size": [8, 16]}
    points = random_choices(space, 200, seed=3)
    assert points == random_choices(space, 200, seed=3)
    assert points != random_choices(space, 200, seed=4)
    rates = np.array([point["learning_rate"] for point in points])
    assert rates.min() >= 1e-4 and rates.max() <= 1e-1
    # A range that counts by factors has as many points below its geometric middle as above.
    assert 70 < np.count_nonzero(rates < 10**-2.5) < 130
    assert {point["batch_size"] for point in points} == {8, 16}


@pytest.mark.parametrize(
    ("space", "match"),
    [
        ({"learning_rat": [0.1]}, "did you mean 'learning_rate'"),
        ({"momentum": []}, "momentum has no values to choose from"),
        ({"learning_rate": ("log", 0.0, 1.0)}, "a log range needs 0 < low < high"),
        ({"momentum": ("uniform", 0.9, 0.1)}, "a uniform range needs low < high"),
    ],
)
def test_a_space_that_is_none_is_refused(space, match):
    with pytest.raises(UsageError, match=match):
        random_choices(space, 1, seed=0)


def test_a_search_sorts_writes_and_repeats(tmp_path, small_net, stripes, capsys):
    trials = grid({"learning_rate": [1e-7, 0.1], "initialisation": ["default", "zeros"]})
    found = search(small_net, *stripes, trials, CONFIG, output=tmp_path)
    assert found[0].changes == {"learning_rate": 0.1, "initialisation": "default"}
    assert [trial.test_accuracy for trial in found] == sorted((trial.test_accuracy for trial in found), reverse=True)
    lines = [json.loads(line) for line in (tmp_path / "search.jsonl").read_text().splitlines()]
    assert [line["number"] for line in lines] == [1, 2, 3, 4]
    assert "trial 4/4" in capsys.readouterr().err
    again = search(small_net, *stripes, trials, CONFIG, show=False)
    assert [(trial.number, trial.test_loss) for trial in again] == [(trial.number, trial.test_loss) for trial in found]


def test_a_trial_that_diverges_is_last_and_says_why(small_net, stripes):
    trials = [{"learning_rate": 1e18}, {"learning_rate": 0.05}]
    found = search(small_net, *stripes, trials, CONFIG, show=False)
    assert [trial.number for trial in found] == [2, 1]
    assert "learning rate is too high" in found[1].error


def test_a_wrong_trial_is_refused_before_any_training(small_net, stripes):
    with pytest.raises(UsageError, match="momentum must lie in"):
        search(small_net, *stripes, [{}, {"momentum": 2.0}], CONFIG, show=False)
