"""Optimisers, schedules and gradient clipping against PyTorch, over random options."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import nn, optim
from tinycnn.optim import lr_scheduler as ours

torch = pytest.importorskip("torch")
theirs = torch.optim.lr_scheduler
pytestmark = pytest.mark.torch

share = st.floats(0.0, 0.95)
rate = st.floats(1e-3, 0.3)
flag = st.booleans()
OPTIONS = {
    "SGD": {"lr": rate, "momentum": share, "dampening": share, "weight_decay": share, "maximize": flag},
    "Adam": {"lr": rate, "betas": st.tuples(share, share), "weight_decay": share, "amsgrad": flag, "maximize": flag},
    "AdamW": {"lr": rate, "betas": st.tuples(share, share), "weight_decay": share, "amsgrad": flag, "maximize": flag},
    "RMSprop": {"lr": rate, "alpha": st.floats(0.5, 0.95), "weight_decay": share, "momentum": share, "maximize": flag},
    "Adagrad": {"lr": rate, "lr_decay": share, "weight_decay": share, "initial_accumulator_value": share},
    "Adadelta": {"lr": rate, "rho": share, "eps": rate, "weight_decay": share, "maximize": flag},
}
SHAPES = [(3, 2, 2), (5,), (1, 4)]


def ten_steps(name, options, seed, dtype):
    """Both libraries on the same random numbers; one parameter has a gradient every other step only."""
    rng = np.random.default_rng(seed)
    start = [rng.standard_normal(shape).astype(dtype) for shape in SHAPES]
    mine = [nn.Parameter(array.copy()) for array in start]
    other = [torch.nn.Parameter(torch.from_numpy(array.copy())) for array in start]
    optimizer = getattr(optim, name)(mine, **options)
    reference = getattr(torch.optim, name)(other, **options)
    for step in range(10):
        for position, (a, b) in enumerate(zip(mine, other)):
            gradient = rng.standard_normal(a.shape).astype(dtype)
            rests = position == 1 and step % 2 == 0
            a.grad = None if rests else tinycnn.Tensor(gradient)
            b.grad = None if rests else torch.from_numpy(gradient.copy())
        optimizer.step()
        reference.step()
    return mine, other, optimizer, reference


@pytest.mark.parametrize("name", OPTIONS)
@given(st.data())
def test_ten_steps(name, data):
    options = {option: data.draw(values, option) for option, values in OPTIONS[name].items()}
    if name == "RMSprop":
        # Where the variance is centred, eps keeps the rounding errors of v - m^2 from deciding.
        options.update(centered=data.draw(flag), eps=data.draw(rate))
    if name == "SGD" and options["momentum"] > 0 and data.draw(flag):
        options.update(nesterov=True, dampening=0.0)
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    mine, other, _, _ = ten_steps(name, options, data.draw(st.integers(0, 1000)), dtype)
    tolerance = 1e-9 if dtype == np.float64 else 1e-3
    for a, b in zip(mine, other):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", OPTIONS)
def test_defaults_and_state_names(name):
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    mine, other, optimizer, reference = ten_steps(name, options, 0, np.float64)
    for a, b in zip(mine, other):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-9)
    state, expected = optimizer.state_dict(), reference.state_dict()
    assert list(state["state"]) == sorted(expected["state"])
    for number, their in expected["state"].items():
        for slot, value in their.items():
            np.testing.assert_allclose(state["state"][number][slot], value.numpy(), rtol=1e-9)
    group, their_group = state["param_groups"][0], expected["param_groups"][0]
    assert {key: value for key, value in group.items() if key in their_group} == group


@pytest.mark.parametrize("name", OPTIONS)
def test_torchs_state_can_be_loaded(name):
    mine, other, _, reference = ten_steps(name, {}, 1, np.float64)
    resumed = getattr(optim, name)(mine)
    state = reference.state_dict()
    known = resumed.param_groups[0].keys()
    plain = {
        "state": {number: {slot: value.numpy() for slot, value in own.items() if value is not None} for number, own in state["state"].items()},
        "param_groups": [{key: value for key, value in group.items() if key in known} for group in state["param_groups"]],
    }
    resumed.load_state_dict(plain)
    for a, b in zip(mine, other):
        a.grad, b.grad = tinycnn.Tensor(np.ones(a.shape)), torch.ones(*b.shape, dtype=torch.float64)
    resumed.step()
    reference.step()
    for a, b in zip(mine, other):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-9)


SCHEDULES = [
    ("StepLR", {"step_size": 7}),
    ("MultiStepLR", {"milestones": [30, 5, 5, 21]}),
    ("ExponentialLR", {"gamma": 0.93}),
    ("ConstantLR", {}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.01, "end_factor": 0.5, "total_iters": 20}),
    ("PolynomialLR", {"total_iters": 30, "power": 1.5}),
    ("CosineAnnealingLR", {"T_max": 12, "eta_min": 0.003}),
    ("CosineAnnealingLR", {"T_max": 50}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.001}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 50}),
    ("OneCycleLR", {"max_lr": [0.7, 0.3], "total_steps": 60, "three_phase": True, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.7, "epochs": 5, "steps_per_epoch": 11, "pct_start": 0.12, "div_factor": 3.0}),
    ("LambdaLR", {"lr_lambda": lambda t: 0.95**t}),
    ("MultiplicativeLR", {"lr_lambda": lambda t: 1 - 0.5 / t}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.7, "step_size_up": 5, "step_size_down": 3}),
    ("CyclicLR", {"base_lr": [0.1, 0.2], "max_lr": [0.3, 0.9], "step_size_up": 4, "mode": "triangular2", "base_momentum": 0.5}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.7, "step_size_up": 6, "mode": "exp_range", "gamma": 0.9, "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.7, "step_size_up": 6, "scale_fn": lambda n: 1 / (1 + n), "scale_mode": "iterations"}),
]


def optimizers(kind="SGD"):
    options = {"momentum": 0.9} if kind == "SGD" else {}
    mine = [{"params": [nn.Parameter(np.zeros(1))]}, {"params": [nn.Parameter(np.zeros(1))], "lr": 0.02}]
    other = [
        {"params": [torch.zeros(1, requires_grad=True)]},
        {"params": [torch.zeros(1, requires_grad=True)], "lr": 0.02},
    ]
    return getattr(optim, kind)(mine, lr=0.5, **options), getattr(torch.optim, kind)(other, lr=0.5, **options)


def compare(mine, other, schedules, references, steps=50, arguments=lambda step: ()):
    """Rates, and momentum or beta1, of both over many epochs."""
    for step in range(steps):
        for a, b in zip(mine.param_groups, other.param_groups):
            assert a["lr"] == pytest.approx(b["lr"], rel=1e-9, abs=1e-12), step
            for option in ("momentum", "betas"):
                if option in a:
                    assert a[option] == pytest.approx(b[option], rel=1e-9)
        mine.step()
        other.step()
        for schedule in (*schedules, *references):
            schedule.step(*arguments(step))
    for schedule, reference in zip(schedules, references):
        assert schedule.get_last_lr() == pytest.approx(reference.get_last_lr(), rel=1e-9, abs=1e-12)
        assert schedule.last_epoch == reference.last_epoch


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name, options", SCHEDULES)
def test_fifty_epochs(name, options, kind):
    mine, other = optimizers(kind)
    compare(mine, other, [getattr(ours, name)(mine, **options)], [getattr(theirs, name)(other, **options)])


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("seed", range(3))
def test_plateau(mode, threshold_mode, seed):
    mine, other = optimizers()
    numbers = np.random.default_rng(seed).standard_normal(50).cumsum() + 5
    options = {
        "mode": mode,
        "threshold_mode": threshold_mode,
        "patience": 2,
        "cooldown": 1,
        "min_lr": 0.01,
        "factor": 0.5,
    }
    first, second = ours.ReduceLROnPlateau(mine, **options), theirs.ReduceLROnPlateau(other, **options)
    compare(mine, other, [first], [second], arguments=lambda step: (numbers[step],))


def test_warm_up_and_others_in_sequence():
    mine, other = optimizers()
    sequences = []
    for library, optimizer in ((ours, mine), (theirs, other)):
        parts = [
            library.LinearLR(optimizer, 0.1, total_iters=5),
            library.CosineAnnealingLR(optimizer, 20, 0.01),
            library.StepLR(optimizer, 4),
        ]
        sequences.append(library.SequentialLR(optimizer, parts, [5, 25]))
    compare(mine, other, sequences[:1], sequences[1:])


def test_chained_schedules():
    mine, other = optimizers()
    chains = [
        [library.LinearLR(optimizer), library.StepLR(optimizer, 6, 0.5), library.ExponentialLR(optimizer, 0.97)]
        for library, optimizer in ((ours, mine), (theirs, other))
    ]
    compare(mine, other, *chains)


def test_chained_scheduler():
    mine, other = optimizers()
    chains = []
    for library, optimizer in ((ours, mine), (theirs, other)):
        parts = [library.LinearLR(optimizer), library.StepLR(optimizer, 6, 0.5), library.MultiplicativeLR(optimizer, lambda t: 0.99)]
        chains.append(library.ChainedScheduler(parts))
    for _ in range(20):
        assert chains[0].get_last_lr() == pytest.approx(chains[1].get_last_lr(), rel=1e-9)
        mine.step()
        other.step()
        for chain in chains:
            chain.step()


@given(st.integers(0, 100), st.floats(0.01, 10.0), st.sampled_from([1.0, 2.0, 3.5, float("inf")]))
def test_clipping(seed, most, kind):
    rng = np.random.default_rng(seed)
    mine = [nn.Parameter(np.zeros(shape)) for shape in SHAPES]
    other = [torch.zeros(shape, dtype=torch.float64, requires_grad=True) for shape in SHAPES]
    for a, b in zip(mine, other):
        gradient = rng.standard_normal(a.shape)
        a.grad, b.grad = tinycnn.Tensor(gradient.copy()), torch.from_numpy(gradient.copy())
    norm = nn.utils.clip_grad_norm_(mine, most, kind).item()
    assert norm == pytest.approx(torch.nn.utils.clip_grad_norm_(other, most, kind).item())
    for a, b in zip(mine, other):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-10)
