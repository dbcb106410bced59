"""The optimisers written in NumPy against PyTorch: twenty steps of random gradients in groups, and their states."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import nn, optim

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

share = st.floats(0.0, 0.95)
rate = st.floats(1e-3, 0.3)
flag = st.booleans()
betas = st.tuples(share, share)
OPTIONS = {
    "NAdam": {"lr": rate, "betas": betas, "weight_decay": share, "momentum_decay": rate, "decoupled_weight_decay": flag, "maximize": flag},
    "RAdam": {"lr": rate, "betas": betas, "weight_decay": share, "decoupled_weight_decay": flag, "maximize": flag},
    "Adamax": {"lr": rate, "betas": betas, "eps": rate, "weight_decay": share, "maximize": flag},
    "ASGD": {"lr": rate, "lambd": share, "alpha": share, "t0": st.sampled_from([0.0, 5.0, 1e6]), "weight_decay": share, "maximize": flag},
    "Rprop": {"lr": rate, "etas": st.tuples(st.floats(0.1, 0.9), st.floats(1.1, 2)), "step_sizes": st.just((1e-3, 0.5)), "maximize": flag},
}
SHAPES = [(3, 2, 2), (5,), (1, 4), ()]


@pytest.fixture(autouse=True)
def wide():
    """torch keeps single numbers of state in its default type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def built(name, options, second, start):
    """Both optimisers over two groups; the second has options of its own."""
    mine = [nn.Parameter(array.copy()) for array in start]
    other = [torch.nn.Parameter(torch.from_numpy(array.copy())) for array in start]
    groups = [[{"params": parameters[:2]}, {"params": parameters[2:], **second}] for parameters in (mine, other)]
    return mine, other, getattr(optim, name)(groups[0], **options), getattr(torch.optim, name)(groups[1], **options)


def steps(mine, other, optimizer, reference, rng, count):
    """One parameter has a gradient every other step only."""
    for step in range(count):
        for position, (a, b) in enumerate(zip(mine, other)):
            gradient = np.asarray(rng.standard_normal(a.shape), a.dtype)
            rests = position == 1 and step % 2 == 0
            a.grad = None if rests else tinycnn.Tensor(gradient)
            b.grad = None if rests else torch.from_numpy(gradient.copy())
        optimizer.step()
        reference.step()


@pytest.mark.parametrize("name", OPTIONS)
@given(st.data())
def test_twenty_steps_in_groups(name, data):
    options = {option: data.draw(values, option) for option, values in OPTIONS[name].items()}
    second = {"lr": data.draw(rate, "second lr")}
    if "weight_decay" in options:
        second["weight_decay"] = data.draw(share, "second decay")
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    start = [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]
    mine, other, optimizer, reference = built(name, options, second, start)
    steps(mine, other, optimizer, reference, rng, 20)
    # Where a mean square is a difference of rounding errors, float32 steps differ by its root.
    tolerance = 1e-10 if dtype == np.float64 else 1e-3 if name in ("NAdam", "RAdam") and options["betas"][1] < 0.3 else 1e-5
    for a, b in zip(mine, other):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=tolerance, atol=20 * tolerance)


@pytest.mark.parametrize("name", OPTIONS)
def test_defaults_names_and_states(name):
    rng = np.random.default_rng(0)
    start = [np.asarray(rng.standard_normal(shape)) for shape in SHAPES]
    mine, other, optimizer, reference = built(name, {}, {}, start)
    steps(mine, other, optimizer, reference, rng, 7)
    state, expected = optimizer.state_dict(), reference.state_dict()
    for number, their in expected["state"].items():
        assert set(state["state"][number]) == set(their)
        for slot, value in their.items():
            np.testing.assert_allclose(state["state"][number][slot], value.numpy(), rtol=1e-10, atol=1e-14)
    group, their_group = state["param_groups"][0], expected["param_groups"][0]
    assert {key: value for key, value in group.items() if key in their_group} == group
    plain = {
        "state": {number: {slot: value.numpy() for slot, value in own.items()} for number, own in expected["state"].items()},
        "param_groups": [{key: value for key, value in one.items() if key in group} for one in expected["param_groups"]],
    }
    resumed = getattr(optim, name)([{"params": mine[:2]}, {"params": mine[2:]}])
    resumed.load_state_dict(plain)
    steps(mine, other, resumed, reference, rng, 3)
    for a, b in zip(mine, other):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-10, atol=1e-12)


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def logistic(x, rows, labels, exp, log):
    return log(1 + exp(-labels * (rows @ x))).sum() + 0.01 * (x * x).sum()


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("problem", ["rosenbrock", "logistic"])
@pytest.mark.parametrize("history", [3, 100])
def test_lbfgs(search, problem, history):
    """Three calls of a few iterations each: parameters, and how often the loss was evaluated."""
    rng = np.random.default_rng(3)
    start, rows, labels = rng.standard_normal(6), rng.standard_normal((30, 6)), np.sign(rng.standard_normal(30))
    options = {"lr": 1.0 if search else 0.01, "max_iter": 7, "history_size": history, "line_search_fn": search}
    mine, other = nn.Parameter(start.copy()), torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer, reference = optim.LBFGS([mine], **options), torch.optim.LBFGS([other], **options)

    def ours():
        optimizer.zero_grad()
        if problem == "rosenbrock":
            loss = rosenbrock(mine)
        else:
            loss = logistic(mine, tinycnn.Tensor(rows), tinycnn.Tensor(labels), tinycnn.exp, tinycnn.log)
        loss.backward()
        return loss

    def theirs():
        reference.zero_grad()
        if problem == "rosenbrock":
            loss = rosenbrock(other)
        else:
            loss = logistic(other, torch.from_numpy(rows), torch.from_numpy(labels), torch.exp, torch.log)
        loss.backward()
        return loss.detach()

    for _ in range(3):
        assert float(optimizer.step(ours)) == pytest.approx(float(reference.step(theirs)), rel=1e-8)
        np.testing.assert_allclose(mine.data, other.detach().numpy(), rtol=1e-7, atol=1e-9)
    own, expected = optimizer.state_dict()["state"][0], reference.state_dict()["state"][0]
    assert (own["func_evals"], own["n_iter"]) == (expected["func_evals"], expected["n_iter"])
    assert set(expected) - {"al"} <= set(own)
    np.testing.assert_allclose(own["d"], expected["d"].numpy(), rtol=1e-5, atol=1e-8)
