"""Each optimiser against its paper's formula in plain NumPy, numbers worked out by hand, and the classic mistakes."""

import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, nn, optim
from tinycnn.errors import ArgumentError, CheckpointError

ALL = [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad, optim.Adadelta]


def leaf(values, dtype=np.float64):
    return Tensor(np.array(values, dtype), requires_grad=True)


def run(optimizer, parameters, gradients):
    """One step a row of gradients."""
    for row in gradients:
        for parameter, gradient in zip(parameters, row):
            parameter.grad = None if gradient is None else Tensor(np.array(gradient, parameter.dtype))
        optimizer.step()


def sgd_rule(p, gradients, lr=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    buffer = None
    for g in gradients:
        g = g + weight_decay * p
        if momentum:
            buffer = g if buffer is None else momentum * buffer + (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
        p = p - lr * g
    return p


def adam_rule(p, gradients, lr=0.1, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, decoupled=False):
    m = v = greatest = np.zeros_like(p)
    for t, g in enumerate(gradients, 1):
        if decoupled:
            p = p - lr * weight_decay * p
        else:
            g = g + weight_decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        greatest = np.maximum(greatest, v)
        mean, square = m / (1 - betas[0] ** t), (greatest if amsgrad else v) / (1 - betas[1] ** t)
        p = p - lr * mean / (np.sqrt(square) + eps)
    return p


def rmsprop_rule(p, gradients, lr=0.1, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
    v = m = b = np.zeros_like(p)
    for g in gradients:
        g = g + weight_decay * p
        v = alpha * v + (1 - alpha) * g**2
        m = alpha * m + (1 - alpha) * g
        step = g / (np.sqrt(v - m**2 if centered else v) + eps)
        b = momentum * b + step
        p = p - lr * b
    return p


def adagrad_rule(p, gradients, lr=0.1, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
    s = np.full_like(p, initial_accumulator_value)
    for t, g in enumerate(gradients):
        g = g + weight_decay * p
        s = s + g**2
        p = p - lr / (1 + t * lr_decay) * g / (np.sqrt(s) + eps)
    return p


def adadelta_rule(p, gradients, lr=0.1, rho=0.9, eps=1e-6, weight_decay=0.0):
    v = u = np.zeros_like(p)
    for g in gradients:
        g = g + weight_decay * p
        v = rho * v + (1 - rho) * g**2
        delta = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u = rho * u + (1 - rho) * delta**2
        p = p - lr * delta
    return p


CASES = [
    (optim.SGD, sgd_rule, {}),
    (optim.SGD, sgd_rule, {"momentum": 0.9}),
    (optim.SGD, sgd_rule, {"momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1}),
    (optim.SGD, sgd_rule, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    (optim.Adam, adam_rule, {}),
    (optim.Adam, adam_rule, {"betas": (0.5, 0.7), "weight_decay": 0.1, "amsgrad": True, "eps": 1e-3}),
    (optim.RMSprop, rmsprop_rule, {}),
    (optim.RMSprop, rmsprop_rule, {"alpha": 0.8, "momentum": 0.7, "centered": True, "weight_decay": 0.1, "eps": 0.1}),
    (optim.Adagrad, adagrad_rule, {}),
    (optim.Adagrad, adagrad_rule, {"lr_decay": 0.2, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    (optim.Adadelta, adadelta_rule, {}),
    (optim.Adadelta, adadelta_rule, {"rho": 0.5, "weight_decay": 0.1, "eps": 1e-2}),
]


@pytest.mark.parametrize("cls, rule, options", CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("maximize", [False, True])
def test_five_steps_follow_the_formula(cls, rule, options, dtype, maximize):
    rng = np.random.default_rng(1)
    start = rng.standard_normal((3, 4))
    gradients = rng.standard_normal((5, 3, 4))
    parameter = leaf(start, dtype)
    run(cls([parameter], lr=0.1, maximize=maximize, **options), [parameter], gradients[:, None])
    expected = rule(start, -gradients if maximize else gradients, **options)
    assert parameter.dtype == dtype
    np.testing.assert_allclose(parameter.data, expected, rtol=1e-12 if dtype == np.float64 else 2e-5)


def test_adamw_decays_apart_from_the_gradient():
    rng = np.random.default_rng(2)
    start, gradients = rng.standard_normal(6), rng.standard_normal((5, 6))
    expected = adam_rule(start, gradients, weight_decay=0.2, decoupled=True)
    for make in (
        lambda p: optim.AdamW([p], lr=0.1, weight_decay=0.2),
        lambda p: optim.Adam([p], lr=0.1, weight_decay=0.2, decoupled_weight_decay=True),
    ):
        parameter = leaf(start)
        run(make(parameter), [parameter], gradients[:, None])
        np.testing.assert_allclose(parameter.data, expected, rtol=1e-12)


def test_one_step_by_hand():
    x = leaf([1.0, -2.0])
    run(optim.SGD([x], lr=0.5, weight_decay=0.1), [x], [[[2.0, 4.0]]])
    # 1 - 0.5 (2 + 0.1) = -0.05;  -2 - 0.5 (4 - 0.2) = -3.9
    np.testing.assert_allclose(x.data, [-0.05, -3.9])
    x = leaf([0.0])
    run(optim.RMSprop([x], lr=0.1, alpha=0.75, eps=0.0), [x], [[[3.0]]])
    # v = 0.25 9 = 2.25, its root 1.5; 3 / 1.5 = 2
    np.testing.assert_allclose(x.data, [-0.2])
    x = leaf([0.0])
    run(optim.Adadelta([x], lr=1.0, rho=0.75, eps=0.25), [x], [[[3.0]]])
    # sqrt(0.25) / sqrt(2.25 + 0.25) 3 = 1.5 / sqrt(2.5)
    np.testing.assert_allclose(x.data, [-1.5 / math.sqrt(2.5)])


@given(st.floats(1e-6, 1e6), st.sampled_from([-1.0, 1.0]))
def test_adams_first_step_is_lr_long(size, sign):
    """Law: with eps = 0 the first step is lr times the gradient's sign, whatever its size."""
    x = leaf([0.0])
    run(optim.Adam([x], lr=0.25, eps=0.0), [x], [[[sign * size]]])
    assert x.item() == pytest.approx(-0.25 * sign)


@given(st.integers(0, 100), st.floats(0.1, 100.0))
def test_adagrad_does_not_see_the_gradients_scale(seed, scale):
    gradients = np.random.default_rng(seed).standard_normal((4, 1, 5))
    results = []
    for factor in (1.0, scale):
        x = leaf(np.zeros(5))
        run(optim.Adagrad([x], eps=0.0), [x], factor * gradients)
        results.append(x.data)
    np.testing.assert_allclose(*results, rtol=1e-9)


@pytest.mark.parametrize("cls", ALL)
def test_reference_kernels_give_the_same(cls):
    rng = np.random.default_rng(3)
    start, gradients = rng.standard_normal((2, 3)), rng.standard_normal((3, 1, 2, 3))
    results = []
    for name in ("cpu", "reference"):
        x = leaf(start)
        with tinycnn.use_kernels(name):
            run(cls([x]), [x], gradients)
        results.append(x.data)
    np.testing.assert_allclose(*results, rtol=1e-12)


@pytest.mark.parametrize("cls", ALL)
def test_parameters_without_gradient_rest(cls):
    """A parameter that joins later counts its own steps."""
    rng = np.random.default_rng(4)
    start = rng.standard_normal(3)
    gradients = rng.standard_normal((4, 3))
    early, late, alone = leaf(start), leaf(start), leaf(start)
    run(cls([early, late]), [early, late], [(gradients[0], None), *((g, g) for g in gradients[1:])])
    run(cls([alone]), [alone], gradients[1:, None])
    np.testing.assert_array_equal(late.data, alone.data)
    assert early._version == 4
    assert late._version == 3


def test_groups_and_types_side_by_side():
    a, b, c = leaf([1.0], np.float32), leaf([1.0], np.float64), leaf([1.0])
    sgd = optim.SGD([{"params": [a, b]}, {"params": c, "lr": 0.5}], lr=0.1)
    run(sgd, [a, b, c], [([1.0], [1.0], [1.0])])
    assert (a.dtype, b.dtype) == (np.float32, np.float64)
    assert [round(x.item(), 6) for x in (a, b, c)] == [0.9, 0.9, 0.5]
    d = leaf([1.0])
    sgd.add_param_group({"params": [d], "momentum": 0.9})
    run(sgd, [a, b, c, d], [([0.0], [0.0], [0.0], [1.0])])
    assert d.item() == 0.9


def test_named_parameters_keep_their_names():
    model = nn.Linear(2, 1)
    sgd = optim.SGD(model.named_parameters())
    assert sgd.param_groups[0]["param_names"] == ["weight", "bias"]
    assert sgd.param_groups[0]["params"][0] is model.weight


def test_changing_options_between_steps_counts():
    x, y = leaf([0.0]), leaf([0.0])
    sgd = optim.SGD([x], lr=0.1)
    run(sgd, [x], [[[1.0]]])
    sgd.param_groups[0].update(lr=1.0, momentum=0.5)
    run(sgd, [x], [[[1.0]], [[1.0]]])
    # -0.1, then b = 1: -1, then b = 1.5: -1.5
    assert x.item() == pytest.approx(-2.6)
    assert y.item() == 0


def test_strided_parameters_and_gradients_are_updated_where_they_lie():
    memory = np.zeros((3, 4))
    x = Tensor(memory.T, requires_grad=True)
    x.grad = Tensor(np.arange(12.0).reshape(3, 4).T)
    optim.SGD([x], lr=1.0, momentum=0.9).step()
    np.testing.assert_array_equal(memory, -np.arange(12.0).reshape(3, 4))


def test_replaced_arrays_are_noticed():
    model = nn.Linear(3, 2)
    adam = optim.Adam(model.parameters())
    for convert in (model.double, model.float, model.double):
        model.zero_grad()
        model.weight.grad = Tensor(np.ones((2, 3), model.weight.dtype))
        before = model.weight.data.copy()
        adam.step()
        assert (model.weight.data != before).all()
        convert()


def test_closure_runs_with_gradients_on():
    x = leaf([3.0])
    sgd = optim.SGD([x], lr=0.1)

    def closure():
        assert tinycnn.is_grad_enabled()
        x.grad = Tensor(2 * x.data)
        return 9.0

    with tinycnn.no_grad():
        assert sgd.step(closure) == 9.0
    assert x.item() == pytest.approx(2.4)


def test_zero_grad():
    x, y = leaf([1.0]), leaf([1.0])
    sgd = optim.SGD([x, y])
    x.grad = Tensor(np.ones(1))
    sgd.zero_grad(set_to_none=False)
    assert x.grad.item() == 0
    assert y.grad is None
    sgd.zero_grad()
    assert x.grad is None


@pytest.mark.parametrize("cls, rule, options", CASES)
def test_saved_state_goes_on_to_the_same_bits(cls, rule, options):
    rng = np.random.default_rng(5)
    start, gradients = rng.standard_normal(7), rng.standard_normal((6, 1, 7))
    whole, first = leaf(start, np.float32), leaf(start, np.float32)
    run(cls([whole], **options), [whole], gradients)
    optimizer = cls([first], **options)
    run(optimizer, [first], gradients[:3])
    state = optimizer.state_dict()
    # What a checkpoint does to it: groups through JSON, arrays through bytes, keys possibly strings.
    state = {
        "state": {str(number): copy.deepcopy(own) for number, own in state["state"].items()},
        "param_groups": json.loads(json.dumps(state["param_groups"])),
    }
    second = leaf(first.data.copy(), np.float32)
    resumed = cls([second], lr=123.0)
    resumed.load_state_dict(state)
    assert resumed.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    run(resumed, [second], gradients[3:])
    assert second.data.tobytes() == whole.data.tobytes()


def test_state_dict_is_a_snapshot_in_plain_values():
    x = leaf([1.0, 2.0])
    adam = optim.Adam([x])
    run(adam, [x], [[[1.0, 1.0]]])
    state = adam.state_dict()
    assert state["param_groups"][0]["params"] == [0]
    assert set(state["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}
    assert type(state["state"][0]["step"]) is int
    kept = state["state"][0]["exp_avg"].copy()
    run(adam, [x], [[[5.0, 5.0]]])
    np.testing.assert_array_equal(state["state"][0]["exp_avg"], kept)
    assert adam.state_dict()["state"][0]["step"] == 2


def test_every_constructor_shows_its_options():
    text = repr(optim.SGD([leaf([1.0])], lr=0.25))
    assert "lr: 0.25" in text
    assert "group 0: 1 parameters" in text


MISTAKES = [
    (lambda: optim.SGD([]), "params holds no parameters; the model has none, or the generator was used up"),
    (lambda: optim.SGD(leaf([1.0])), r"params is one Tensor, not an iterable of them; pass \[tensor\]"),
    (lambda: optim.SGD(nn.Linear(2, 2)), r"params is a module; pass model.parameters\(\)"),
    (lambda: optim.SGD({"params": [leaf([1.0])]}), r"params is one dict; pass a list of them"),
    (lambda: optim.SGD(3), "params is a int, not an iterable of parameters"),
    (lambda: optim.SGD([np.zeros(3)]), "params holds a ndarray, not a Tensor"),
    (lambda: optim.SGD([leaf([1.0])] * 2), r"a parameter of shape \(1,\) appears twice"),
    (lambda: optim.SGD([{"params": {leaf([1.0])}}]), "params is a set, whose order changes between runs"),
    (lambda: optim.SGD([{"lr": 0.1}]), 'a parameter group has no "params"'),
    (lambda: optim.SGD([{"params": [leaf([1.0])], "rate": 1}]), "unknown option 'rate' in a parameter group"),
    (lambda: optim.SGD([Tensor(np.array([1]))]), "a parameter is int64; only float32 and float64"),
    (lambda: optim.SGD([leaf([1.0])], lr=-1), "lr must be a finite number >= 0, not -1"),
    (lambda: optim.SGD([leaf([1.0])], lr=math.nan), "lr must be a finite number >= 0, not nan"),
    (lambda: optim.SGD([leaf([1.0])], lr="0.1"), "lr must be a finite number >= 0, not '0.1'"),
    (lambda: optim.SGD([leaf([1.0])], momentum=-0.1), "momentum must be a finite number >= 0"),
    (lambda: optim.SGD([leaf([1.0])], weight_decay=-0.1), "weight_decay must be a finite number >= 0"),
    (lambda: optim.SGD([leaf([1.0])], nesterov=True), "nesterov needs momentum > 0 and dampening = 0"),
    (
        lambda: optim.Adam([leaf([1.0])], betas=(0.9, 1.0)),
        "beta2 must be a finite number from 0 to just under 1, not 1.0",
    ),
    (lambda: optim.Adam([leaf([1.0])], betas=0.9), "betas must be two numbers, not 0.9"),
    (lambda: optim.Adam([leaf([1.0])], eps=-1), "eps must be a finite number >= 0"),
    (lambda: optim.RMSprop([leaf([1.0])], alpha=-1), "alpha must be"),
    (lambda: optim.Adagrad([leaf([1.0])], lr_decay=-1), "lr_decay must be"),
    (lambda: optim.Adadelta([leaf([1.0])], rho=1.5), "rho must be"),
]


@pytest.mark.parametrize("make, message", MISTAKES)
def test_mistakes_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_results_of_operators_are_refused():
    x = leaf([1.0])
    with pytest.raises(ArgumentError, match="an operator's result, which is computed anew in each forward"):
        optim.SGD([x * 2.0])


def test_read_only_memory_is_refused():
    array = np.zeros(3)
    array.flags.writeable = False
    with pytest.raises(ArgumentError, match="lies in read-only memory; copy it"):
        optim.SGD([Tensor(array, requires_grad=True)])


def test_a_gradient_of_another_shape_is_refused():
    x = leaf([1.0, 2.0])
    x.grad = Tensor(np.zeros(3))
    with pytest.raises(ArgumentError, match=r"a parameter is float64 of shape \(2,\), its gradient float64 of shape \(3,\)"):
        optim.SGD([x]).step()


def test_states_that_do_not_fit_are_refused():
    adam = optim.Adam([leaf([1.0, 2.0])])
    run(adam, adam.param_groups[0]["params"], [[[1.0, 1.0]]])
    state = adam.state_dict()
    with pytest.raises(CheckpointError, match=r"this SGD has groups of \[1, 1\] parameters, the state dict of \[1\]"):
        optim.SGD([{"params": [leaf([1.0])]}, {"params": [leaf([1.0])]}]).load_state_dict(state)
    with pytest.raises(CheckpointError, match=r"'exp_avg' of parameter 0 has shape \(2,\), the parameter \(3,\)"):
        optim.Adam([leaf([1.0, 2.0, 3.0])]).load_state_dict(state)
    with pytest.raises(CheckpointError, match='a dict with "state" and "param_groups"'):
        adam.load_state_dict({})
