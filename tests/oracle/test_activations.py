"""Every activation against torch: values and gradients over drawn shapes, a table of special numbers, and what each refuses."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.agreement import same, seeds
from tinycnn import Tensor, nn
from tinycnn import functional as F
from tinycnn.errors import TinycnnError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
T = torch.nn.functional

CASES = [
    ("relu", {}),
    ("relu6", {}),
    ("leaky_relu", {"negative_slope": 0.2}),
    ("leaky_relu", {"negative_slope": -0.3}),
    ("rrelu", {"lower": 0.1, "upper": 0.5}),
    ("elu", {}),
    ("elu", {"alpha": 2.0}),
    ("celu", {"alpha": 2.0}),
    ("celu", {"alpha": -1.5}),
    ("selu", {}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.0, "threshold": 3.0}),
    ("softplus", {"beta": -1.0}),
    ("softsign", {}),
    ("softshrink", {}),
    ("softshrink", {"lambd": 0.0}),
    ("hardshrink", {}),
    ("hardshrink", {"lambd": -1.0}),
    ("hardtanh", {}),
    ("hardtanh", {"min_val": -2.0, "max_val": 0.5}),
    ("hardtanh", {"min_val": 1.0, "max_val": 1.0}),
    ("hardsigmoid", {}),
    ("hardswish", {}),
    ("logsigmoid", {}),
    ("tanhshrink", {}),
    ("threshold", {"threshold": 0.5, "value": 3.0}),
    ("tanh", {}),
    ("sigmoid", {}),
]
shapes = st.lists(st.integers(0, 5), max_size=4).map(tuple)


@pytest.mark.parametrize("name, options", CASES)
@given(shape=shapes, dtype=st.sampled_from([np.float32, np.float64]), seed=seeds)
def test_values_and_gradients(name, options, shape, dtype, seed):
    x = 4 * np.random.default_rng(seed).standard_normal(shape)
    dtype = np.float32 if name == "hardsigmoid" else dtype  # torch's float64 gradient multiplies by a sixth rounded to float32
    same(lambda x: getattr(F, name)(x, **options), lambda x: getattr(T, name)(x, **options), x, dtype=dtype, seed=seed)


SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 6.0, 3.0, -3.0, 1.0, -1.0, 0.5, -0.5, 20.0, 1e-30, -1e-30, 1e4, -1e4, 88.0, -88.0]
# Infinity in float32 gives NaN in torch's gelu, but infinity in its float64: we keep the limit in both.
LISTED = {("gelu", np.float32): [np.inf]}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name, options", [(name, options) for name, options in CASES if options != {"beta": -1.0}])
def test_special_numbers(name, options, dtype):
    """One number at a time: torch's vector loops and scalar loops differ at NaN, and the scalar ones are its definition."""
    for number in SPECIAL:
        x, expected_x = Tensor(np.array([number], dtype), requires_grad=True), torch.tensor(np.array([number], dtype), requires_grad=True)
        y, expected = getattr(F, name)(x, **options), getattr(T, name)(expected_x, **options)
        y.backward(np.ones(1, dtype))
        expected.backward(torch.ones(1, dtype=expected.dtype))
        if number not in LISTED.get((name, dtype), []) or options:
            np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=1e-5, atol=1e-6, err_msg=f"{name}({number})")
        np.testing.assert_allclose(x.grad.data, expected_x.grad.numpy(), rtol=1e-5, atol=1e-6, err_msg=f"the gradient of {name} at {number}")


@given(
    st.sampled_from([(2, 3, 4), (2, 3), (5,), (0, 3), (2, 3, 2, 2), (3,), (2, 0, 3)]), st.integers(1, 4), seeds
)
def test_prelu(shape, count, seed):
    rng = np.random.default_rng(seed)
    x, weight = rng.standard_normal(shape), rng.standard_normal(count)
    try:
        T.prelu(torch.tensor(x), torch.tensor(weight))
    except RuntimeError:
        with pytest.raises(TinycnnError):
            F.prelu(x, weight)
        return
    same(F.prelu, T.prelu, x, weight, seed=seed)


@given(shapes, st.integers(-4, 3), seeds)
def test_glu(shape, dim, seed):
    x = np.random.default_rng(seed).standard_normal(shape)
    try:
        T.glu(torch.tensor(x), dim)
    except (RuntimeError, IndexError):
        with pytest.raises(TinycnnError):
            F.glu(x, dim)
        return
    same(lambda x: F.glu(x, dim), lambda x: T.glu(x, dim), x, seed=seed)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@given(shape=shapes, dim=st.one_of(st.none(), st.integers(-4, 3)), seed=seeds)
def test_softmax_family(name, shape, dim, seed):
    x = np.random.default_rng(seed).standard_normal(shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            getattr(T, name)(torch.tensor(x), dim)
        except (RuntimeError, IndexError):
            with pytest.raises(TinycnnError):
                getattr(F, name)(x, dim)
            return
        same(lambda x: getattr(F, name)(x, dim), lambda x: getattr(T, name)(x, dim), x, seed=seed)


REFUSED = [
    ("hardtanh", (2.0, 1.0)),
    ("softshrink", (-1.0,)),
    ("softshrink", (float("nan"),)),
    ("celu", (0.0,)),
    ("gelu", ("erf",)),
    ("rrelu", (0.5, 0.2)),
    ("rrelu", (0.5, 0.2, True)),
    ("glu", (5,)),
    ("softmin", (5,)),
]


@pytest.mark.parametrize("name, arguments", REFUSED)
def test_both_refuse(name, arguments):
    x = np.ones((2, 4))
    torch_arguments = {"approximate": arguments[0]} if name == "gelu" else {}
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        getattr(T, name)(torch.tensor(x), *(() if torch_arguments else arguments), **torch_arguments)
    with pytest.raises(TinycnnError):
        getattr(F, name)(x, *arguments)


LAYERS = [
    ("ReLU6", ()), ("ReLU6", (True,)), ("LeakyReLU", ()), ("LeakyReLU", (0.2, True)), ("PReLU", ()), ("PReLU", (4, 0.1)), ("RReLU", ()),
    ("RReLU", (0.2, 0.4, True)), ("ELU", ()), ("ELU", (2.0, True)), ("CELU", (2.0,)), ("SELU", ()), ("SELU", (True,)), ("GELU", ()),
    ("GELU", ("tanh",)), ("SiLU", ()), ("SiLU", (True,)), ("Mish", ()), ("Mish", (True,)), ("Softplus", ()), ("Softplus", (2, 10)),
    ("Softsign", ()), ("Softshrink", (0.3,)), ("Hardshrink", (0.3,)), ("Hardtanh", ()), ("Hardtanh", (-2, 2, True)), ("Hardsigmoid",
    (True,)), ("Hardswish", (True,)), ("LogSigmoid", ()), ("Softmin", (1,)), ("Softmax2d", ()), ("GLU", (1,)), ("GLU", ()), ("Threshold",
    (0.1, 2, True)), ("Tanhshrink", ()),
]  # fmt: skip


@pytest.mark.parametrize("name, arguments", LAYERS)
def test_layers(name, arguments):
    """Text, parameters, values and gradients, in training where nothing is drawn and in evaluation."""
    mine = getattr(nn, name)(*arguments)
    torch_arguments = {"approximate": arguments[0]} if name == "GELU" and arguments else {}
    theirs = getattr(torch.nn, name)(*(() if torch_arguments else arguments), **torch_arguments)
    assert repr(mine) == repr(theirs)
    assert {key: value.shape for key, value in mine.state_dict().items()} == {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    for key, value in theirs.state_dict().items():
        np.testing.assert_array_equal(mine.state_dict()[key].data, value.numpy())
    mine, theirs = mine.double().eval(), theirs.double().eval()
    x = np.random.default_rng(0).standard_normal((2, 4, 3, 6))
    # torch's inplace layers may not write on a leaf
    if name == "Hardsigmoid":  # torch's float64 gradient multiplies by a sixth rounded to float32
        np.testing.assert_allclose(mine(Tensor(x)).data, theirs(torch.tensor(x)).numpy(), rtol=1e-12)
        return
    same(mine, lambda x: theirs(x * 1), x)
