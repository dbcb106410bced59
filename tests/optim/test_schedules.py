"""Schedules: their formulas written out, their composition, and going on after a save."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, optim
from tinycnn.errors import ArgumentError, CheckpointError, HintWarning
from tinycnn.optim import lr_scheduler as schedules


def sgd(*rates, **options):
    groups = [{"params": [Tensor(np.zeros(1), requires_grad=True)], "lr": rate} for rate in rates or (1.0,)]
    return optim.SGD(groups, **options)


def rates(optimizer, schedule, steps):
    """The learning rates of the first group before each step."""
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


FORMULAS = [
    (lambda o: schedules.StepLR(o, 3, 0.5), lambda t: 0.5 ** (t // 3)),
    (lambda o: schedules.MultiStepLR(o, [7, 2], 0.1), lambda t: 0.1 ** ((t >= 2) + (t >= 7))),
    (lambda o: schedules.ExponentialLR(o, 0.9), lambda t: 0.9**t),
    (lambda o: schedules.ConstantLR(o, 0.25, 4), lambda t: 0.25 if t < 4 else 1),
    (lambda o: schedules.LinearLR(o, 0.1, 0.7, 6), lambda t: 0.1 + 0.6 * min(t, 6) / 6),
    (lambda o: schedules.PolynomialLR(o, 8, 2.0), lambda t: max(0, 1 - t / 8) ** 2),
    (lambda o: schedules.CosineAnnealingLR(o, 10, 0.1), lambda t: 0.1 + 0.9 * (1 + math.cos(math.pi * t / 10)) / 2),
    (lambda o: schedules.LambdaLR(o, lambda t: 1 / (1 + t)), lambda t: 1 / (1 + t)),
    (
        lambda o: schedules.CosineAnnealingWarmRestarts(o, 2, 2),
        # waves of 2, 4, 8, ... epochs
        lambda t: next(
            (1 + math.cos(math.pi * (t - start) / length)) / 2 for start, length in ((0, 2), (2, 4), (6, 8), (14, 16)) if t < start + length
        ),
    ),
]


@pytest.mark.parametrize("make, formula", FORMULAS)
def test_formulas(make, formula):
    optimizer = sgd(1.0, 0.5)
    assert rates(optimizer, make(optimizer), 20) == pytest.approx([formula(t) for t in range(20)])


def test_every_group_keeps_its_own_rate():
    optimizer = sgd(1.0, 0.5)
    schedule = schedules.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.5, 0.25]


def test_one_cycle_by_hand():
    """Ten steps, 0.3 of them up: corners at times 0, 2 and 9."""
    optimizer = sgd(momentum=0.9)
    schedule = schedules.OneCycleLR(optimizer, 1.0, total_steps=10, anneal_strategy="linear", div_factor=10.0)
    momenta = []
    seen = []
    for _ in range(10):
        seen.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        schedule.step()
    down = [1.0 + (1e-5 - 1.0) * k / 7 for k in range(8)]
    assert seen == pytest.approx([0.1, 0.55, *down])
    assert momenta == pytest.approx([0.95, 0.9, *[0.85 + 0.1 * k / 7 for k in range(8)]])


@given(st.integers(1, 60), st.floats(0, 1), st.booleans(), st.sampled_from(["cos", "linear"]))
def test_one_cycle_stays_within_its_corners(total, share, three_phase, strategy):
    optimizer = optim.Adam([Tensor(np.zeros(1), requires_grad=True)])
    schedule = schedules.OneCycleLR(optimizer, 0.5, total_steps=total, pct_start=share, anneal_strategy=strategy, three_phase=three_phase)
    seen = rates(optimizer, schedule, total - 1) + [optimizer.param_groups[0]["lr"]]
    assert all(0.5 / 25 / 1e4 * (1 - 1e-9) <= rate <= 0.5 * (1 + 1e-9) for rate in seen)
    assert 0.85 - 1e-9 <= optimizer.param_groups[0]["betas"][0] <= 0.95 + 1e-9


def test_one_cycle_ends():
    optimizer = sgd(momentum=0.9)
    schedule = schedules.OneCycleLR(optimizer, 1.0, epochs=2, steps_per_epoch=3)
    rates(optimizer, schedule, 6)
    with pytest.raises(ArgumentError, match="step 7 of a cycle of 6; make total_steps the number of batches"):
        schedule.step()


def test_warm_up_then_cosine():
    optimizer = sgd()
    warm_up = schedules.LinearLR(optimizer, 0.2, total_iters=4)
    schedule = schedules.SequentialLR(optimizer, [warm_up, schedules.CosineAnnealingLR(optimizer, 6)], [4])
    expected = [0.2, 0.4, 0.6, 0.8, *[(1 + math.cos(math.pi * t / 6)) / 2 for t in range(6)]]
    assert rates(optimizer, schedule, 10) == pytest.approx(expected)


def test_two_schedules_multiply():
    optimizer = sgd()
    first = schedules.StepLR(optimizer, 2, 0.1)
    second = schedules.LinearLR(optimizer, 0.5, total_iters=2)
    seen = []
    for _ in range(5):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        first.step()
        second.step()
    assert seen == pytest.approx([0.5, 0.75, 0.1, 0.1, 0.01])


def test_a_rate_changed_by_hand_stays_changed():
    optimizer = sgd()
    schedule = schedules.StepLR(optimizer, 2, 0.1)
    rates(optimizer, schedule, 1)
    optimizer.param_groups[0]["lr"] *= 5
    assert rates(optimizer, schedule, 3) == pytest.approx([5.0, 0.5, 0.5])


def test_plateau_waits_reduces_and_cools_down():
    optimizer = sgd()
    schedule = schedules.ReduceLROnPlateau(optimizer, factor=0.5, patience=1, cooldown=2, min_lr=0.2)
    seen = []
    for loss in [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]:
        schedule.step(loss)
        seen.append(optimizer.param_groups[0]["lr"])
    # bad epochs 1, 2 -> reduce; two epochs of rest; bad 1, 2 -> reduce; rest, rest; bad 1
    assert seen == [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]


@pytest.mark.parametrize(
    "mode, threshold_mode, values, better",
    [
        ("min", "rel", (1.0, 0.95), False),
        ("min", "rel", (1.0, 0.85), True),
        ("max", "rel", (1.0, 1.05), False),
        ("max", "rel", (1.0, 1.15), True),
        ("min", "abs", (5.0, 4.95), False),
        ("max", "abs", (5.0, 5.15), True),
    ],
)
def test_what_counts_as_better(mode, threshold_mode, values, better):
    optimizer = sgd()
    schedule = schedules.ReduceLROnPlateau(optimizer, mode, patience=0, threshold=0.1, threshold_mode=threshold_mode, factor=0.5)
    for value in values:
        schedule.step(value)
    assert optimizer.param_groups[0]["lr"] == (1.0 if better else 0.5)


def sequence(optimizer):
    first = schedules.LinearLR(optimizer, total_iters=3)
    return schedules.SequentialLR(optimizer, [first, schedules.ExponentialLR(optimizer, 0.9)], [3])


RESUMABLE = [make for make, _ in FORMULAS] + [
    sequence,
    lambda o: schedules.OneCycleLR(o, 1.0, total_steps=30),
]


@pytest.mark.parametrize("make", RESUMABLE)
def test_saved_schedules_go_on(make):
    whole, halted, resumed = sgd(momentum=0.9), sgd(momentum=0.9), sgd(momentum=0.9)
    expected = rates(whole, make(whole), 12)
    schedule = make(halted)
    rates(halted, schedule, 5)
    states = json.loads(json.dumps([halted.state_dict()["param_groups"], schedule.state_dict()]))
    second = make(resumed)
    resumed.load_state_dict({"state": {}, "param_groups": states[0]})
    second.load_state_dict(states[1])
    assert rates(resumed, second, 7) == pytest.approx(expected[5:], rel=1e-15)


def test_plateau_goes_on():
    optimizer = sgd()
    schedule = schedules.ReduceLROnPlateau(optimizer, patience=2)
    schedule.step(1.0)
    schedule.step(2.0)
    other = schedules.ReduceLROnPlateau(sgd(), patience=7)
    other.load_state_dict(json.loads(json.dumps(schedule.state_dict())))
    assert (other.best, other.num_bad_epochs, other.patience, other.last_epoch) == (1.0, 1, 2, 2)


def test_last_epoch_goes_on():
    optimizer = sgd()
    first = schedules.ExponentialLR(optimizer, 0.5)
    rates(optimizer, first, 2)
    schedule = schedules.ExponentialLR(optimizer, 0.5, last_epoch=1)
    assert schedule.get_last_lr() == [0.25]
    with pytest.raises(ArgumentError, match="group 0 has no initial_lr; load the optimiser's state first"):
        schedules.ExponentialLR(sgd(), 0.5, last_epoch=1)


def test_fractions_of_an_epoch():
    optimizer = sgd()
    schedule = schedules.CosineAnnealingWarmRestarts(optimizer, 4)
    schedule.step(1.0 + 0.5)
    assert optimizer.param_groups[0]["lr"] == pytest.approx((1 + math.cos(math.pi * 1.5 / 4)) / 2)
    assert schedule.last_epoch == 1
    with pytest.raises(ArgumentError, match="epoch must be >= 0"):
        schedule.step(-1)


def test_a_step_too_early_is_hinted_at():
    with pytest.warns(HintWarning, match=r"StepLR.step\(\) came before the first optimizer.step\(\)"):
        schedules.StepLR(sgd(), 2).step()


def test_groups_added_later_are_named():
    optimizer = sgd()
    schedule = schedules.StepLR(optimizer, 2)
    optimizer.add_param_group({"params": [Tensor(np.zeros(1), requires_grad=True)]})
    optimizer.step()
    with pytest.raises(ArgumentError, match="has 2 groups, but had 1 when the schedule was made"):
        schedule.step()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda o: schedules.StepLR("sgd", 1), "optimizer is a str, not a tinycnn.optim optimiser"),
        (lambda o: schedules.StepLR(o, 0), "step_size must be a whole number >= 1"),
        (lambda o: schedules.LinearLR(o, 0.0), "needs 0 < start_factor <= 1"),
        (lambda o: schedules.ConstantLR(o, 2.0), "factor must be from 0 to 1"),
        (lambda o: schedules.LambdaLR(o, [abs, abs]), "2 functions for 1 parameter groups"),
        (lambda o: schedules.OneCycleLR(o, 1.0), "give total_steps, or both epochs and steps_per_epoch"),
        (lambda o: schedules.OneCycleLR(o, 1.0, 10, pct_start=2.0), "pct_start must be a share from 0 to 1"),
        (lambda o: schedules.OneCycleLR(o, [1.0, 2.0], 10), "max_lr has 2 numbers for 1 parameter groups"),
        (lambda o: schedules.ReduceLROnPlateau(o, "low"), "mode 'low' is not one of min, max"),
        (lambda o: schedules.ReduceLROnPlateau(o, factor=1.0), "factor must be from 0 to just under 1"),
        (lambda o: schedules.ReduceLROnPlateau(o, min_lr=[0, 0]), "min_lr has 2 numbers for 1 parameter groups"),
        (lambda o: schedules.SequentialLR(o, [schedules.StepLR(o, 1)], [1]), "1 schedules need 0 milestones"),
        (
            lambda o: schedules.SequentialLR(o, [schedules.StepLR(o, 1)] * 3, [4, 2]),
            r"milestones \[4, 2\] do not rise",
        ),
        (
            lambda o: schedules.SequentialLR(o, [schedules.ReduceLROnPlateau(o)], []),
            "schedule 0 is a ReduceLROnPlateau, whose steps need more than the time",
        ),
        (
            lambda o: schedules.SequentialLR(o, [schedules.StepLR(sgd(), 1)], []),
            r"schedule 0 \(StepLR\) belongs to another optimiser",
        ),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make(sgd())


def test_cycling_momentum_needs_some():
    adagrad = optim.Adagrad([Tensor(np.zeros(1), requires_grad=True)])
    with pytest.raises(ArgumentError, match="Adagrad has neither momentum nor betas to cycle"):
        schedules.OneCycleLR(adagrad, 1.0, 10)


def test_states_of_other_schedules_are_refused():
    schedule = schedules.StepLR(sgd(), 2)
    with pytest.raises(CheckpointError, match=r"not a StepLR's: missing \['step_size'\], unexpected \[\]"):
        schedule.load_state_dict(schedules.ExponentialLR(sgd(), 0.5).state_dict())
    with pytest.raises(CheckpointError, match="the state holds 0 schedules, this SequentialLR 2"):
        sequence(sgd()).load_state_dict({})
