"""NAdam, RAdam, Adamax, ASGD, Rprop, LARS and LBFGS: numbers by hand, states, options, mistakes; and the schedules beside them."""

import copy
import json
import math

import numpy as np
import pytest

from tinycnn import Tensor, optim
from tinycnn.errors import ArgumentError, CheckpointError
from tinycnn.optim import lr_scheduler as schedules
from tinycnn.optim.line_search import Trial, cubic_minimum, strong_wolfe

SHAPES = [(3, 2), (5,), ()]
# Options under which every kind of state is kept.
ALL = [
    (optim.NAdam, {"weight_decay": 0.1}),
    (optim.RAdam, {"betas": (0.5, 0.6), "decoupled_weight_decay": True, "weight_decay": 0.1}),
    (optim.Adamax, {}),
    (optim.ASGD, {"lambd": 0.1, "t0": 2}),
    (optim.Rprop, {}),
    (optim.LARS, {"lr": 0.5, "nesterov": True, "weight_decay": 0.01}),
]


def leaf(values, dtype=np.float64):
    return Tensor(np.array(values, dtype), requires_grad=True)


def parameters(seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [leaf(rng.standard_normal(shape), dtype) for shape in SHAPES]


def walk(optimizer, tensors, rng, count):
    for _ in range(count):
        for tensor in tensors:
            tensor.grad = Tensor(np.asarray(rng.standard_normal(tensor.shape), tensor.dtype))
        optimizer.step()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind, options", ALL)
def test_going_on_from_a_state_gives_the_same_bits(kind, options, dtype):
    one, two = parameters(0, dtype), parameters(0, dtype)
    first = kind([{"params": one[:1]}, {"params": one[1:], "lr": 0.01}], **options)
    walk(first, one, np.random.default_rng(1), 5)
    state = copy.deepcopy(first.state_dict())
    json.dumps(state["param_groups"])
    for a, b in zip(one, two):
        b.data[...] = a.data
        assert a.data.dtype == dtype
    second = kind([{"params": two[:1]}, {"params": two[1:]}])
    second.load_state_dict(state)
    assert [group["lr"] for group in second.param_groups] == [group["lr"] for group in first.param_groups]
    walk(first, one, np.random.default_rng(2), 4)
    walk(second, two, np.random.default_rng(2), 4)
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a.data, b.data)


@pytest.mark.parametrize("kind, options", ALL)
def test_a_group_added_later_and_maximize(kind, options):
    x, y = leaf([1.0, -2.0]), leaf([0.5])
    uphill = kind([x], maximize=True, **options)
    uphill.add_param_group({"params": [y], "lr": 0.0})
    mirrored = leaf([1.0, -2.0])
    downhill = kind([mirrored], **options)
    for gradient in ([1.0, 2.0], [0.5, -1.0]):
        x.grad, mirrored.grad, y.grad = Tensor(np.array(gradient)), Tensor(-np.array(gradient)), Tensor(np.ones(1))
        uphill.step()
        downhill.step()
    np.testing.assert_allclose(x.data, mirrored.data, rtol=1e-12)
    if kind is not optim.Rprop:
        np.testing.assert_allclose(y.data, [0.5])


@pytest.mark.parametrize("kind, options", ALL)
def test_every_one_finds_the_valley(kind, options):
    x = leaf([3.0, -2.0])
    optimizer = kind([x], lr=0.05) if kind is not optim.LARS else kind([x], lr=1.0, trust_coefficient=0.01)
    for _ in range(400):
        x.grad = Tensor(2 * (x.data - 1.0))
        optimizer.step()
    assert np.abs(x.data - 1).max() < 0.1


def test_nadam_first_step_by_hand():
    x = leaf([1.0])
    x.grad = Tensor(np.array([2.0]))
    optim.NAdam([x], lr=0.1, betas=(0.9, 0.5), eps=0.0, momentum_decay=1.0).step()
    now, following = (0.9 * (1 - 0.5 * 0.96**t) for t in (1, 2))
    root = math.sqrt(0.5 * 4 / (1 - 0.5))
    step = following * 0.2 / (1 - now * following) + (1 - now) * 2.0 / (1 - now)
    np.testing.assert_allclose(x.data, [1 - 0.1 * step / root])


def test_radam_starts_as_momentum():
    """With beta2 = 0.999 the first five steps are not adapted: rho_5 = 5.0 - ..., so that p <- p - lr m'."""
    x = leaf([0.0])
    optimizer = optim.RAdam([x], lr=0.1, betas=(0.0, 0.999))
    for gradient in (1.0, 10.0, 100.0):
        x.grad = Tensor(np.array([gradient]))
        optimizer.step()
    np.testing.assert_allclose(x.data, [-11.1])


def test_asgd_averages():
    x = leaf([0.0])
    optimizer = optim.ASGD([x], lr=1.0, lambd=0.0, t0=1)
    visited = []
    for gradient in (-1.0, -2.0, -3.0):
        x.grad = Tensor(np.array([gradient]))
        optimizer.step()
        visited.append(float(x.data[0]))
    assert visited == [1.0, 3.0, 6.0]
    # mu is 1 in the first three steps: 1 at first, 1 / max(1, 1 - 1), 1 / max(1, 2 - 1).
    np.testing.assert_allclose(optimizer.state_dict()["state"][0]["ax"], [6.0])
    x.grad = Tensor(np.array([-4.0]))
    optimizer.step()
    np.testing.assert_allclose(optimizer.state_dict()["state"][0]["ax"], [8.0])  # 6 + (10 - 6) / 2


def lars_rule(p, gradients, lr, momentum, weight_decay, trust, eps, nesterov):
    buffer = np.zeros_like(p)
    for g in gradients:
        own, slope = np.linalg.norm(p), np.linalg.norm(g)
        ratio = trust * own / (slope + weight_decay * own + eps) if own and slope else 1.0
        step = ratio * (g + weight_decay * p)
        buffer = momentum * buffer + step
        p = p - lr * (step + momentum * buffer if nesterov else buffer)
    return p


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum, weight_decay", [(0.0, 0.0), (0.9, 0.1)])
def test_lars_is_the_papers_rule(momentum, weight_decay, nesterov):
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal((3, 2)), rng.standard_normal((6, 3, 2))
    x = leaf(start)
    optimizer = optim.LARS([x], 0.5, momentum, weight_decay, 0.02, 1e-3, nesterov)
    for gradient in gradients:
        x.grad = Tensor(gradient)
        optimizer.step()
    np.testing.assert_allclose(x.data, lars_rule(start, gradients, 0.5, momentum, weight_decay, 0.02, 1e-3, nesterov), rtol=1e-12)


def test_lars_without_norm_or_trust_is_sgd():
    for value, options in (([0.0, 0.0], {}), ([1.0, 2.0], {"trust_coefficient": None})):
        x, y = leaf(value), leaf(value)
        one, two = optim.LARS([x], lr=0.1, momentum=0.0, **options), optim.SGD([y], lr=0.1)
        x.grad = y.grad = Tensor(np.array([3.0, -1.0]))
        one.step()
        two.step()
        np.testing.assert_array_equal(x.data, y.data)


def closure_of(optimizer, x, count=None):
    def closure():
        optimizer.zero_grad()
        loss = ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()
        loss.backward()
        if count is not None:
            count.append(loss.item())
        return loss

    return closure


def test_lbfgs_solves_rosenbrock():
    x, count = leaf([-1.2, 1.0, 0.5]), []
    optimizer = optim.LBFGS([x], max_iter=200, tolerance_change=1e-14, line_search_fn="strong_wolfe")
    first = optimizer.step(closure_of(optimizer, x, count))
    np.testing.assert_allclose(x.data, 1, atol=1e-6)
    assert first.item() == count[0]
    assert optimizer.state_dict()["state"][0]["func_evals"] == len(count)
    before = x.data.copy()
    optimizer.step(closure_of(optimizer, x))
    np.testing.assert_allclose(x.data, before, atol=1e-6)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_goes_on_from_a_state_with_the_same_bits(search):
    options = {"max_iter": 4, "line_search_fn": search, "lr": 1.0 if search else 1e-3}
    x, y = leaf([-1.2, 1.0]), leaf([0.0, 0.0])
    one, two = optim.LBFGS([x], **options), optim.LBFGS([y])
    one.step(closure_of(one, x))
    state = one.state_dict()
    kept = state["state"][0]["d"].copy()
    y.data[...] = x.data
    two.load_state_dict(state)
    for _ in range(2):
        one.step(closure_of(one, x))
        two.step(closure_of(two, y))
    np.testing.assert_array_equal(x.data, y.data)
    np.testing.assert_array_equal(state["state"][0]["d"], kept)


def test_lbfgs_at_the_minimum_stays():
    x = leaf([1.0, 1.0])
    optimizer = optim.LBFGS([x])
    optimizer.step(closure_of(optimizer, x))
    np.testing.assert_array_equal(x.data, [1.0, 1.0])
    assert optimizer.state_dict()["state"][0] == {"func_evals": 1, "n_iter": 0}


def test_lbfgs_with_a_parameter_without_gradient():
    x, idle = leaf([-1.2, 1.0]), leaf([7.0])
    optimizer = optim.LBFGS([x, idle], line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, x))
    np.testing.assert_array_equal(idle.data, [7.0])


def trial(function, slope, step):
    return Trial(step, function(step), np.array([slope(step)]), slope(step))


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0])
def test_strong_wolfe_conditions_hold(first):
    """On a line with its least value at 2: enough of the promised descent, and little slope left."""

    def function(t):
        return (t - 2) ** 2 + 0.1 * math.cos(3 * t)

    def slope(t):
        return 2 * (t - 2) - 0.3 * math.sin(3 * t)

    start = trial(function, slope, 0.0)
    found, evaluations = strong_wolfe(lambda t: trial(function, slope, t), start, first, 1.0, 25)
    assert found.loss <= start.loss + 1e-4 * found.step * start.slope
    assert abs(found.slope) <= -0.9 * start.slope
    assert 1 <= evaluations <= 26


def test_the_cubic_finds_a_cubics_minimum():
    def function(t):
        return t**3 - 3 * t

    def slope(t):
        return 3 * t * t - 3

    ends = [trial(function, slope, t) for t in (0.2, 3.0)]
    assert cubic_minimum(*ends, 0.2, 3.0) == pytest.approx(1)
    assert cubic_minimum(*ends[::-1], 0.2, 3.0) == pytest.approx(1)
    assert cubic_minimum(ends[0], ends[0], 0.0, 4.0) == 2.0


X = [leaf([1.0])]
MISTAKES = [
    (lambda: optim.NAdam(X, momentum_decay=-1), "momentum_decay must be a finite number >= 0"),
    (lambda: optim.NAdam(X, betas=(1.0, 0.9)), "beta1 must be a finite number from 0 to just under 1"),
    (lambda: optim.RAdam(X, betas=0.9), "betas must be two numbers"),
    (lambda: optim.Adamax(X, eps=-1), "eps must be a finite number >= 0"),
    (lambda: optim.ASGD(X, lambd=-1), "lambd must be a finite number >= 0"),
    (lambda: optim.Rprop(X, etas=(1.1, 1.2)), "must be one factor below 1 and one above"),
    (lambda: optim.Rprop(X, etas=0.5), "etas must be two numbers, not 0.5"),
    (lambda: optim.Rprop(X, step_sizes=(-1, 1)), r"step_sizes \(shortest\) must be a finite number >= 0"),
    (lambda: optim.LARS(X, trust_coefficient=-1), "trust_coefficient must be a finite number >= 0"),
    (lambda: optim.LARS(X, momentum="x"), "momentum must be a finite number >= 0"),
    (lambda: optim.LBFGS(X, line_search_fn="armijo"), "'armijo' is neither None nor \"strong_wolfe\""),
    (lambda: optim.LBFGS(X, max_iter=0), "max_iter must be a whole number >= 1"),
    (lambda: optim.LBFGS(X, history_size=0), "history_size must be a whole number >= 1"),
    (lambda: optim.LBFGS([{"params": X}, {"params": [leaf([1.0])]}]), "there can be one parameter group only"),
    (lambda: optim.LBFGS(X).step(), "needs a closure that clears gradients"),
]


@pytest.mark.parametrize("make, message", MISTAKES)
def test_mistakes_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_states_of_single_numbers_are_checked():
    x = leaf([1.0, 2.0])
    optimizer = optim.NAdam([x])
    x.grad = Tensor(np.ones(2))
    optimizer.step()
    state = optimizer.state_dict()
    state["state"][0]["mu_product"] = np.ones(2)
    with pytest.raises(CheckpointError, match=r"'mu_product' of parameter 0 has shape \(2,\), the parameter \(\)"):
        optim.NAdam([leaf([1.0, 2.0])]).load_state_dict(state)


# Schedules


def sgd(rate=1.0, **options):
    return optim.SGD([leaf([0.0])], lr=rate, **options)


def rates(optimizer, schedule, steps):
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


def test_cyclic_momentum_goes_the_other_way():
    optimizer = sgd(momentum=0.5)
    schedule = schedules.CyclicLR(optimizer, 0.0, 1.0, 2, 4)
    pairs = []
    for _ in range(7):
        pairs.append((optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]))
        optimizer.step()
        schedule.step()
    expected = [0, 0.5, 1, 0.75, 0.5, 0.25, 0]
    np.testing.assert_allclose(pairs, [(h, 0.9 - 0.1 * h) for h in expected], atol=1e-12)
    adam = optim.Adam([leaf([0.0])])
    schedules.CyclicLR(adam, 0.1, 1.0)
    assert adam.param_groups[0]["betas"] == (0.9, 0.999)


@pytest.mark.parametrize(
    "make",
    [
        lambda o: schedules.CyclicLR(o, 0.1, 1.0, 3, mode="exp_range", gamma=0.9, cycle_momentum=False),
        lambda o: schedules.MultiplicativeLR(o, lambda t: 1 - 0.3 / t),
        lambda o: schedules.ChainedScheduler([schedules.StepLR(o, 2), schedules.MultiplicativeLR(o, lambda t: 0.9)]),
    ],
)
def test_schedules_go_on_after_a_save(make):
    whole = sgd()
    expected = rates(whole, make(whole), 12)
    one = sgd()
    schedule = make(one)
    rates(one, schedule, 5)
    state, options = json.loads(json.dumps(schedule.state_dict())), one.state_dict()
    two = sgd()
    resumed = make(two)
    two.load_state_dict(options)
    resumed.load_state_dict(state)
    assert rates(two, resumed, 7) == pytest.approx(expected[5:])


def test_multiplicative_in_a_sequence():
    optimizer = sgd()
    parts = [schedules.ConstantLR(optimizer, 0.5, 10), schedules.MultiplicativeLR(optimizer, lambda t: 0.5)]
    schedule = schedules.SequentialLR(optimizer, parts, [2])
    assert rates(optimizer, schedule, 5) == pytest.approx([0.5, 0.5, 1.0, 0.5, 0.25])


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda o: schedules.CyclicLR(o, 0.1, 1.0, 0), "step_size_up must be a whole number >= 1"),
        (lambda o: schedules.CyclicLR(o, 0.1, 1.0, mode="square"), "mode 'square' is not one of triangular"),
        (lambda o: schedules.CyclicLR(o, [0.1, 0.2], 1.0), "base_lr has 2 numbers for 1 parameter groups"),
        (lambda o: schedules.CyclicLR(optim.Rprop([leaf([1.0])]), 0.1, 1.0), "Rprop has neither momentum nor betas to cycle"),
        (lambda o: schedules.MultiplicativeLR(o, 0.5), "lr_lambda must be a function of the time, not 0.5"),
        (lambda o: schedules.MultiplicativeLR(o, [abs, abs]), "2 functions for 1 parameter groups"),
        (lambda o: schedules.ChainedScheduler([]), "must be a list of at least one schedule"),
        (lambda o: schedules.ChainedScheduler([schedules.ReduceLROnPlateau(o)]), "is a ReduceLROnPlateau, whose steps need more"),
        (lambda o: schedules.ChainedScheduler([schedules.StepLR(o, 1), schedules.StepLR(sgd(), 1)]), "belongs to another optimiser"),
        (lambda o: schedules.SequentialLR(o, [schedules.ChainedScheduler([schedules.StepLR(o, 1)])], []), "schedule 0 is a ChainedScheduler"),
    ],
)
def test_mistakes_of_schedules_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make(sgd())


def test_states_of_chains_are_counted():
    optimizer = sgd()
    chain = schedules.ChainedScheduler([schedules.StepLR(optimizer, 1)])
    with pytest.raises(CheckpointError, match="the state holds 0 schedules, this ChainedScheduler 1"):
        chain.load_state_dict({})
