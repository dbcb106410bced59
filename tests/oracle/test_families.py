"""Activations, losses and linear against torch: values and gradients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.agreement import same, seeds
from tinycnn import functional as F

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
@given(seed=seeds)
def test_activations(name, dtype, seed):
    x = 4 * np.random.default_rng(seed).standard_normal((3, 50))
    same(getattr(F, name), getattr(torch, name), x, dtype=dtype, seed=seed)


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_activations_at_special_numbers(name):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 100.0, -100.0])
    same(getattr(F, name), getattr(torch, name), x, dtype=np.float32)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@given(dim=st.integers(-3, 2), seed=seeds)
def test_softmax(name, dim, seed):
    x = 10 * np.random.default_rng(seed).standard_normal((3, 4, 5))
    same(lambda x: getattr(F, name)(x, dim), lambda x: getattr(torch.nn.functional, name)(x, dim), x, seed=seed)


@given(
    st.sampled_from([(4, 5), (2, 3, 4), (2, 3, 2, 2), (5,)]),
    st.booleans(),
    st.sampled_from(["mean", "sum", "none"]),
    st.sampled_from([0.0, 0.2]),
    st.booleans(),
    seeds,
)
def test_cross_entropy_and_nll(shape, weighted, reduction, smoothing, ignored, seed):
    rng = np.random.default_rng(seed)
    x = 3 * rng.standard_normal(shape)
    classes = shape[0] if len(shape) == 1 else shape[1]
    labels = rng.integers(0, classes, (shape[0], *shape[2:]) if len(shape) > 1 else ())
    if ignored and len(shape) > 1:
        labels[rng.random(labels.shape) < 0.3] = -100
    weight = rng.random(classes) if weighted else None
    torch_weight = None if weight is None else torch.tensor(weight)
    options = {"reduction": reduction, "label_smoothing": smoothing}
    same(
        lambda x: F.cross_entropy(x, labels, weight, **options),
        lambda x: torch.nn.functional.cross_entropy(x, torch.tensor(labels), torch_weight, **options),
        x,
        seed=seed,
    )
    same(
        lambda x: F.nll_loss(x, labels, weight, reduction=reduction),
        lambda x: torch.nn.functional.nll_loss(x, torch.tensor(labels), torch_weight, reduction=reduction),
        x,
        seed=seed,
    )


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"])
@given(reduction=st.sampled_from(["mean", "sum", "none"]), seed=seeds)
def test_elementwise_losses(name, reduction, seed):
    rng = np.random.default_rng(seed)
    same(
        lambda a, b: getattr(F, name)(a, b, reduction=reduction),
        lambda a, b: getattr(torch.nn.functional, name)(a, b, reduction=reduction),
        rng.random((3, 4)),
        rng.random((3, 4)),
        seed=seed,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(st.lists(st.integers(1, 4), max_size=2), st.integers(1, 40), st.integers(1, 40), seeds)
def test_linear(dtype, batch, inputs, outputs, seed):
    rng = np.random.default_rng(seed)
    arrays = (rng.standard_normal((*batch, inputs)), rng.standard_normal((outputs, inputs)), rng.standard_normal(outputs))
    same(F.linear, torch.nn.functional.linear, *arrays, dtype=dtype, seed=seed)
