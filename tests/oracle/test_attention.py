"""Embedding and attention against torch: values, gradients, and what both refuse; relative positions against torchvision."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tests.oracle.agreement import same, seeds
from tinycnn import Tensor, nn
from tinycnn import functional as F
from tinycnn.errors import TinycnnError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
T = torch.nn.functional


@given(
    st.lists(st.integers(0, 4), max_size=3).map(tuple),
    st.sampled_from([None, 0, 2, -1]),
    st.sampled_from([None, 0.5, 1.5]),
    st.sampled_from([1.0, 2.0, 3.0, float("inf")]),
    st.booleans(),
    st.sampled_from([np.float32, np.float64]),
    seeds,
)
def test_embedding(shape, padding_idx, max_norm, norm_type, by_frequency, dtype, seed):
    rng = np.random.default_rng(seed)
    index, weight = rng.integers(0, 4, shape), rng.standard_normal((4, 3)).astype(dtype)
    table, other = Tensor(weight, requires_grad=True), torch.tensor(weight.copy(), requires_grad=True)
    options = (padding_idx, max_norm, norm_type, by_frequency)
    y, expected = F.embedding(index, table, *options), T.embedding(torch.tensor(index), other, *options)
    np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=1e-6)
    upstream = rng.standard_normal(y.shape).astype(dtype)
    y.backward(upstream)
    expected.backward(torch.tensor(upstream))
    np.testing.assert_allclose(table.grad.data, other.grad.numpy(), rtol=1e-6, atol=1e-6)


@given(
    st.sampled_from([(), (2,), (2, 4)]),
    st.integers(1, 4),
    st.integers(1, 5),
    st.sampled_from(["none", "causal", "bool", "float", "half blind"]),
    st.sampled_from([None, 0.3, -2.0]),
    st.sampled_from([np.float32, np.float64]),
    seeds,
)
def test_scaled_dot_product_attention(heads, length, sources, mask, scale, dtype, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal((*heads, *sizes)) for sizes in ((length, 3), (sources, 3), (sources, 2))]
    given = {"bool": rng.random((length, sources)) < 0.6, "float": rng.standard_normal((length, sources)).astype(dtype)}.get(mask)
    if mask == "half blind":
        given = np.arange(length)[:, None] % 2 + np.zeros((length, sources)) > 0
    theirs = None if given is None else torch.tensor(given)
    options = {"is_causal": mask == "causal", "scale": scale}
    same(
        lambda *a: F.scaled_dot_product_attention(*a, given, **options),
        lambda *a: T.scaled_dot_product_attention(*a, theirs, **options),
        *arrays,
        dtype=dtype,
        seed=seed,
    )


@given(st.sampled_from([(6, 3), (6, 2), (4, 1), (3, 3)]), seeds)
def test_grouped_queries(heads, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal((2, count, 4, 3)) for count in (heads[0], heads[1], heads[1])]
    same(
        lambda *a: F.scaled_dot_product_attention(*a, enable_gqa=True),
        lambda *a: T.scaled_dot_product_attention(*a, enable_gqa=True),
        *arrays,
        seed=seed,
    )


@given(
    st.fixed_dictionaries(
        {
            "bias": st.booleans(),
            "add_bias_kv": st.booleans(),
            "add_zero_attn": st.booleans(),
            "kdim": st.sampled_from([None, 5]),
            "vdim": st.sampled_from([None, 6]),
            "batch_first": st.booleans(),
        }
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "bool", "float", "heads"]),
    st.sampled_from([None, "bool", "float"]),
    seeds,
)
def test_multi_head_attention(options, need_weights, average, mask, padding, seed):
    theirs = torch.nn.MultiheadAttention(8, 2, **options).double()
    mine = nn.MultiheadAttention(8, 2, **options).double()
    mine.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal((length, 3, width)) for length, width in ((4, 8), (5, options["kdim"] or 8), (5, options["vdim"] or 8))]
    if options["batch_first"]:
        arrays = [array.swapaxes(0, 1).copy() for array in arrays]
    masks = {"bool": rng.random((4, 5)) < 0.3, "float": rng.standard_normal((4, 5)), "heads": rng.random((6, 4, 5)) < 0.3}
    paddings = {"bool": rng.random((3, 5)) < 0.3, "float": rng.standard_normal((3, 5))}
    given = {"attn_mask": masks.get(mask), "key_padding_mask": paddings.get(padding)}
    if mask is not None and padding is not None and masks[mask].dtype != paddings[padding].dtype:
        return  # torch warns that it will refuse masks of two kinds
    if any(array is not None and array.dtype == bool for array in given.values()):
        for array in given.values():  # every query may look at the first key
            if array is not None and array.dtype == bool:
                array[..., 0] = False
    call = {"need_weights": need_weights, "average_attn_weights": average}
    torch_masks = {key: None if array is None else torch.tensor(array) for key, array in given.items()}
    same(lambda *a: mine(*a, **call, **given)[0], lambda *a: theirs(*a, **call, **torch_masks)[0], *arrays, seed=seed)
    weights, expected = mine(*arrays, **call, **given)[1], theirs(*map(torch.tensor, arrays), **call, **torch_masks)[1]
    assert (weights is None) == (expected is None)
    if weights is not None:
        np.testing.assert_allclose(weights.data, expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    for (name, one), (other_name, other) in zip(mine.named_parameters(), theirs.named_parameters(), strict=True):
        assert name == other_name
        np.testing.assert_allclose(one.grad.data, other.grad.numpy(), rtol=1e-9, atol=1e-10)


def test_the_layers_start_alike():
    """Spreads of the draws, zeros of the biases, and torch's text."""
    tinycnn.manual_seed(0)
    torch.manual_seed(0)
    for options in ({}, {"kdim": 5, "add_bias_kv": True}):
        mine, theirs = nn.MultiheadAttention(256, 4, **options).state_dict(), torch.nn.MultiheadAttention(256, 4, **options).state_dict()
        assert list(mine) == list(theirs)
        for key, value in theirs.items():
            assert mine[key].shape == tuple(value.shape)
            np.testing.assert_allclose(mine[key].data.std(), value.numpy().std(), rtol=0.25)
    for arguments in ((3, 4), (3, 4, 1), (3, 4, -1, 2.0, 1.0, True)):
        assert repr(nn.Embedding(*arguments)) == repr(torch.nn.Embedding(*arguments))


def test_relative_positions_are_those_of_swin():
    attention = pytest.importorskip("torchvision.models.swin_transformer").ShiftedWindowAttention

    theirs = attention(8, [3, 4], [0, 0], 2)
    mine = nn.RelativePositionBias2d(2, 3, 4)
    np.testing.assert_array_equal(mine.relative_position_index.data.ravel(), theirs.relative_position_index.numpy())
    mine.relative_position_bias_table.data[:] = theirs.relative_position_bias_table.detach().numpy()
    np.testing.assert_array_equal(mine().data, theirs.get_relative_position_bias()[0].detach().numpy())


BAD = [
    ({"query": (2, 4, 3), "key": (2, 5, 4), "value": (2, 5, 2)}, {}),
    ({"query": (2, 4, 3), "key": (2, 5, 3), "value": (2, 6, 2)}, {}),
    ({"query": (3, 4, 3), "key": (2, 5, 3), "value": (2, 5, 2)}, {}),
    ({"query": (3,), "key": (3,), "value": (3,)}, {}),
    ({"query": (2, 4, 3), "key": (2, 5, 3), "value": (2, 5, 2)}, {"is_causal": True, "attn_mask": np.ones((4, 5), bool)}),
    ({"query": (2, 4, 3), "key": (2, 5, 3), "value": (2, 5, 2)}, {"attn_mask": np.ones((3, 5), bool)}),
    ({"query": (2, 4, 3), "key": (2, 5, 3), "value": (2, 5, 2)}, {"attn_mask": np.ones((4, 5), np.int64)}),
    ({"query": (2, 4, 3), "key": (2, 5, 3), "value": (2, 5, 2)}, {"dropout_p": 1.5}),
]


@pytest.mark.parametrize("shapes, options", BAD)
def test_both_refuse(shapes, options):
    arrays = {name: np.ones(shape) for name, shape in shapes.items()}
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        torch_options = {key: torch.tensor(value) if isinstance(value, np.ndarray) else value for key, value in options.items()}
        T.scaled_dot_product_attention(**{key: torch.tensor(value) for key, value in arrays.items()}, **torch_options)
    with pytest.raises(TinycnnError):
        F.scaled_dot_product_attention(**arrays, **options)
