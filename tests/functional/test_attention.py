"""Attention: gradients, what masks mean, and the symmetries of asking and answering."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, gradcheck, nn
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

attend = F.scaled_dot_product_attention
seeds = st.integers(0, 2**32 - 1)


def inputs(seed, length=4, sources=5, width=3, values=2, heads=(2,)):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((*heads, *sizes)) for sizes in ((length, width), (sources, width), (sources, values))]


def by_loops(q, k, v, mask, scale):
    """The formula, element by element; mask holds numbers to add."""
    y = np.zeros((*q.shape[:-1], v.shape[-1]))
    for place in np.ndindex(q.shape[:-1]):
        scores = [sum(a * b for a, b in zip(q[place], key)) * scale + mask[place[-1], s] for s, key in enumerate(k[place[:-1]])]
        shares = np.exp(np.array(scores) - max(scores))
        y[place] = sum(share * row for share, row in zip(shares / shares.sum(), v[place[:-1]]))
    return y


@given(st.integers(1, 4), st.integers(1, 5), st.sampled_from([(), (2,), (2, 3)]), st.sampled_from([None, 0.7]), seeds)
def test_is_its_formula(length, sources, heads, scale, seed):
    q, k, v = inputs(seed, length, sources, heads=heads)
    mask = np.random.default_rng(seed).standard_normal((length, sources))
    expected = by_loops(q, k, v, mask, 1 / np.sqrt(3) if scale is None else scale)
    np.testing.assert_allclose(attend(q, k, v, mask, scale=scale).data, expected, rtol=1e-10, atol=1e-12)


@given(seeds)
def test_gradients(seed):
    arrays = inputs(seed)
    mask = np.random.default_rng(seed).standard_normal((4, 5))
    assert gradcheck(lambda q, k, v, m: attend(q, k, v, m), [*arrays, mask])
    assert gradcheck(lambda q, k, v: attend(q, k, v, is_causal=True), arrays)
    assert gradcheck(lambda q, k, v: attend(q, k, v, scale=-0.3), arrays)


@given(seeds)
def test_the_order_of_keys_does_not_matter_and_queries_move_with_their_answers(seed):
    q, k, v = inputs(seed)
    rng = np.random.default_rng(seed)
    keys, queries = rng.permutation(5), rng.permutation(4)
    y = attend(q, k, v).data
    np.testing.assert_allclose(attend(q, k[:, keys], v[:, keys]).data, y, rtol=1e-10)
    np.testing.assert_allclose(attend(q[:, queries], k, v).data, y[:, queries], rtol=1e-10)


@given(st.integers(0, 2), seeds)
def test_causal_answers_do_not_know_the_future(t, seed):
    q, k, v = inputs(seed)
    y = attend(q, k, v, is_causal=True).data
    changed_k, changed_v = k.copy(), v.copy()
    changed_k[:, t + 1 :] += 1
    changed_v[:, t + 1 :] -= 1
    later = attend(q, changed_k, changed_v, is_causal=True).data
    np.testing.assert_array_equal(later[:, : t + 1], y[:, : t + 1])
    assert (later[:, -1] != y[:, -1]).any()
    np.testing.assert_allclose(y, attend(q, k, v, np.tri(4, 5, dtype=bool)).data, rtol=1e-12)


@given(seeds)
def test_answers_lie_between_the_values_and_are_linear_in_them(seed):
    q, k, v = inputs(seed)
    y = attend(q, k, v).data
    assert (y <= v.max(1, keepdims=True) + 1e-12).all() and (y >= v.min(1, keepdims=True) - 1e-12).all()
    np.testing.assert_allclose(attend(q, k, 3 * v).data, 3 * y, rtol=1e-12)


def test_a_bool_mask_is_minus_infinity():
    q, k, v = inputs(0)
    mask = np.random.default_rng(1).random((2, 4, 5)) < 0.6
    mask[..., 0] = True
    np.testing.assert_array_equal(attend(q, k, v, mask).data, attend(q, k, v, np.where(mask, 0.0, -np.inf)).data)


@pytest.mark.parametrize("kind", ["bool", "float"])
def test_who_may_look_at_nothing_gets_zeros_and_no_gradient(kind):
    q, k, v = (Tensor(array, requires_grad=True) for array in inputs(0))
    mask = np.ones((4, 5), bool)
    mask[2] = False
    y = attend(q, k, v, mask if kind == "bool" else np.where(mask, 0.0, -np.inf))
    np.testing.assert_array_equal(y.data[:, 2], 0)
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(q.grad.data[:, 2], 0)
    assert all(np.isfinite(tensor.grad.data).all() for tensor in (q, k, v))
    assert q.grad.data[:, 1].any()


def test_grouped_queries():
    q = inputs(0, heads=(2, 6))[0]
    k, v = inputs(1, heads=(2, 3))[1:]
    y = attend(q, k, v, enable_gqa=True).data
    np.testing.assert_array_equal(y, attend(q, k.repeat(2, 1), v.repeat(2, 1)).data)
    assert gradcheck(lambda q, k, v: attend(q, k, v, enable_gqa=True), [q, k, v])


def test_dropout():
    q, k, v = inputs(0, heads=(200,))
    tinycnn.manual_seed(0)
    first = attend(q, k, v, dropout_p=0.5).data
    tinycnn.manual_seed(0)
    np.testing.assert_array_equal(attend(q, k, v, dropout_p=0.5).data, first)
    assert (first != attend(q, k, v).data).any()
    np.testing.assert_array_equal(attend(q, k, v, dropout_p=1.0).data, 0)


def test_empty_sizes():
    q, k, v = inputs(0)
    assert attend(q[:0], k[:0], v[:0]).shape == (0, 4, 2)
    assert attend(q[:, :0], k, v).shape == (2, 0, 2)
    np.testing.assert_array_equal(attend(q, k[:, :0], v[:, :0]).data, np.zeros((2, 4, 2)))


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"key": np.ones((2, 5, 4))}, ShapeError, "queries have 3 features and keys 4; they must be equal"),
        ({"value": np.ones((2, 6, 2))}, ShapeError, "there are 5 keys for 6 values"),
        ({"key": np.ones((3, 5, 3)), "value": np.ones((3, 5, 2))}, ShapeError, "the leading axes do not broadcast"),
        ({"query": np.ones(3)}, ShapeError, "each needs two axes or more"),
        ({"value": np.ones((2, 5, 2), np.float32)}, DtypeError, "query is float64 but value is float32"),
        ({"attn_mask": np.ones((3, 5), bool)}, ShapeError, r"attn_mask \(3, 5\) does not broadcast to the scores \(2, 4, 5\)"),
        ({"attn_mask": np.ones((4, 5), np.int64)}, DtypeError, "attn_mask is int64; give bool, true where a query may look"),
        ({"attn_mask": np.ones((4, 5), bool), "is_causal": True}, ArgumentError, "attn_mask and is_causal=True exclude each other"),
        ({"dropout_p": 1.5}, ArgumentError, "p must be a probability from 0 to 1"),
        ({"scale": "big"}, ArgumentError, "scale must be a number"),
        ({"query": np.ones((2, 4, 0)), "key": np.ones((2, 5, 0))}, ShapeError, "has no features"),
        ({"query": np.ones((3, 4, 3)), "enable_gqa": True}, ShapeError, "the 3 heads of queries are not a multiple"),
    ],
)
def test_messages(change, error, message):
    arguments = dict(zip(("query", "key", "value"), inputs(0))) | change
    with pytest.raises(error, match=message):
        attend(**arguments)


# Multi-head attention


def layer(**options):
    tinycnn.manual_seed(1)
    return nn.MultiheadAttention(8, 2, **options).double()


def sequence(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize(
    "options", [{}, {"bias": False}, {"add_bias_kv": True, "add_zero_attn": True}, {"kdim": 5, "vdim": 6}, {"batch_first": True}]
)
@pytest.mark.parametrize("need_weights", [True, False])
def test_multi_head_gradients(options, need_weights):
    attention = layer(**options)
    k, v = options.get("kdim", 8), options.get("vdim", 8)
    names = [name for name, _ in attention.named_parameters()]

    def function(q, key, value, *parameters):
        for name, tensor in zip(names, parameters):
            owner = attention.get_submodule(name.rpartition(".")[0])
            owner._parameters[name.rpartition(".")[2]] = tensor
        return attention(q, key, value, need_weights=need_weights)[0]

    arrays = [sequence(0, 3, 3, 8), sequence(1, 3, 3, k), sequence(2, 3, 3, v)]
    assert gradcheck(function, [*arrays, *(parameter.data.copy() for parameter in attention.parameters())])


def test_the_heads_work_apart():
    """One head at a time by hand, side by side, through the last projection."""
    attention = layer()
    x = sequence(0, 5, 1, 8)
    weight, bias = attention.in_proj_weight.data, attention.in_proj_bias.data
    projected = x[:, 0] @ weight.T + bias
    q, k, v = projected[:, :8], projected[:, 8:16], projected[:, 16:]
    heads = [attend(q[:, part], k[:, part], v[:, part]).data for part in (slice(0, 4), slice(4, 8))]
    expected = np.concatenate(heads, 1) @ attention.out_proj.weight.data.T + attention.out_proj.bias.data
    y, weights = attention(x, x, x)
    np.testing.assert_allclose(y.data[:, 0], expected, rtol=1e-10)
    np.testing.assert_allclose(weights.data.sum(-1), 1, rtol=1e-12)


def test_weights_or_none_give_the_same_answers():
    attention = layer()
    x = sequence(0, 5, 2, 8)
    padding = np.zeros((2, 5), bool)
    padding[1, 3:] = True
    mask = ~np.tri(5, dtype=bool)
    for options in ({}, {"key_padding_mask": padding}, {"attn_mask": mask}, {"key_padding_mask": padding, "attn_mask": mask}):
        y, weights = attention(x, x, x, **options)
        other, none = attention(x, x, x, need_weights=False, **options)
        assert none is None
        np.testing.assert_allclose(y.data, other.data, rtol=1e-10, atol=1e-12)
        each = attention(x, x, x, average_attn_weights=False, **options)[1]
        assert each.shape == (2, 2, 5, 5)
        np.testing.assert_allclose(each.data.mean(1), weights.data, rtol=1e-12)
    assert (weights.data[1, :, 3:] == 0).all()
    assert (weights.data[:, 0, 1:] == 0).all()


def test_layouts_agree():
    attention, first = layer(), layer(batch_first=True)
    first.load_state_dict(attention.state_dict())
    x = sequence(0, 5, 2, 8)
    y, weights = attention(x, x, x)
    other, same = first(x.swapaxes(0, 1), x.swapaxes(0, 1), x.swapaxes(0, 1))
    np.testing.assert_allclose(other.data.swapaxes(0, 1), y.data, rtol=1e-12)
    np.testing.assert_allclose(same.data, weights.data, rtol=1e-12)
    alone, shares = attention(x[:, 0], x[:, 0], x[:, 0])
    np.testing.assert_allclose(alone.data, y.data[:, 0], rtol=1e-12)
    np.testing.assert_allclose(shares.data, weights.data[0], rtol=1e-12)


def test_keys_of_the_state_dict():
    assert list(layer().state_dict()) == ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
    assert list(layer(kdim=5, add_bias_kv=True).state_dict()) == [
        "q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj.weight", "out_proj.bias"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda x: layer()(x, x[:4], x), ShapeError, "keys and values must have the same positions"),
        (lambda x: layer()(x[..., :4], x, x), ShapeError, "the query has 4 features, the projections take 8"),
        (lambda x: layer()(x, x[0], x[0]), ShapeError, "all must be"),
        (lambda x: layer()(x, x, x, is_causal=True), ArgumentError, "is_causal=True only says what attn_mask is"),
        (lambda x: layer()(x, x, x, attn_mask=np.ones((5, 4), bool)), ShapeError, r"shape \(5, 4\); it must be \(5, 5\) or \(4, 5, 5\)"),
        (lambda x: layer()(x, x, x, key_padding_mask=np.ones((2, 5), np.int64)), DtypeError, "key_padding_mask is int64; give bool"),
        (lambda x: nn.MultiheadAttention(8, 3), ArgumentError, "embed_dim=8 cannot be shared equally by num_heads=3"),
        (lambda x: nn.MultiheadAttention(8, 2, dropout=2), ArgumentError, "p must be a probability"),
    ],
)
def test_multi_head_messages(call, error, message):
    with pytest.raises(error, match=message):
        call(sequence(0, 5, 2, 8))


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_relative_position_bias_depends_on_the_offset_only(height, width, heads):
    bias = nn.RelativePositionBias2d(heads, height, width)
    values = bias().detach().numpy()
    assert values.shape == (heads, height * width, height * width)
    places = [(y, x) for y in range(height) for x in range(width)]
    known = {}
    for i, (y, x) in enumerate(places):
        for j, (other_y, other_x) in enumerate(places):
            offset = (y - other_y, x - other_x)
            np.testing.assert_array_equal(known.setdefault(offset, values[:, i, j]), values[:, i, j])
    rows = (2 * height - 1) * (2 * width - 1)
    assert len(known) == rows == len(bias.relative_position_bias_table.data)
    assert len({tuple(value) for value in known.values()}) == rows  # each offset has a row of its own
    bias().backward(np.ones(values.shape, np.float32))
    np.testing.assert_array_equal(bias.relative_position_bias_table.grad.data.sum(0), (height * width) ** 2)
    assert list(bias.state_dict()) == ["relative_position_bias_table"]


def test_relative_position_bias_joins_the_scores():
    bias = nn.RelativePositionBias2d(2, 2, 3).double()
    q, k, v = inputs(0, 6, 6, heads=(5, 2))
    mask = bias()
    y = attend(q, k, v, mask)
    y.backward(np.ones(y.shape))
    assert bias.relative_position_bias_table.grad.shape == (15, 2)
    np.testing.assert_allclose(y.data[1], attend(q[1], k[1], v[1], mask.detach()).data, rtol=1e-12)
