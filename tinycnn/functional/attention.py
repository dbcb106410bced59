"""Attention: every position asks all positions, and takes the average of their values weighted by how well the keys answer."""

import math
from typing import Any

import numpy as np

from ..errors import ArgumentError, DtypeError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, float_tensor, same_dtype
from ._elementwise_map import number
from .dropout import dropout
from .index import masked_fill
from .product import matmul
from .softmax import softmax

__all__ = ["scaled_dot_product_attention"]


@operator(family="attention", differentiable=("query", "key", "value", "attn_mask"))
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Average values, weighted by the softmax of how well each query fits each key.

    Shapes
    ------
    query (*, L, E), key (*, S, E), value (*, S, V), attn_mask broadcast to (*, L, S) -> (*, L, V)

    Formula
    -------
    score[l, s] = scale sum_e query[l, e] key[s, e] + mask[l, s]; p[l] = softmax(score[l]); y[l, v] = sum_s p[l, s] value[s, v];
    grad_value[s, v] = sum_l p[l, s] grad[l, v]; grad_p[l, s] = sum_v grad[l, v] value[s, v];
    grad_score = softmax's gradient of grad_p; grad_query[l, e] = scale sum_s grad_score[l, s] key[s, e]; grad_key likewise.

    Parameters
    ----------
    query, key, value : Tensor
        float32 or float64, all of one dtype, with two axes or more.
    attn_mask : Tensor, optional
        bool, true where a query may look; or numbers of the query's dtype that are added to the scores.
    dropout_p : float
        The probability with which a weight is set to zero; drawn whenever it is above 0.
    is_causal : bool
        Let query l look at keys 0 to l only; not together with attn_mask.
    scale : float, optional
        1 / sqrt(E) if left out.
    enable_gqa : bool
        Let groups of query heads (axis -3) share one head of keys and values.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If sizes do not fit. DtypeError: integers, or two dtypes. ArgumentError: attn_mask beside is_causal, or a wrong number.

    Notes
    -----
    A query that may look at nothing gets zeros and no gradient, as in PyTorch from 2.5 on; the plain softmax of minus infinities is NaN. True means
    "may look", as in this function of PyTorch's; in MultiheadAttention true means "may not", there too.

    References
    ----------
    Vaswani et al. 2017, "Attention is all you need", equation 1.
    Ainslie et al. 2023, "GQA: training generalized multi-query transformer models", section 2.2.

    Examples
    --------
    >>> import tinycnn
    >>> q, k, v = [[1.0, 0.0]], [[50.0, 0.0], [-50.0, 0.0]], [[1.0, 2.0], [3.0, 4.0]]
    >>> tinycnn.functional.scaled_dot_product_attention(q, k, v).tolist()
    [[1.0, 2.0]]
    """
    name = "scaled_dot_product_attention"
    q, k, v = float_tensor(name, "query", query), float_tensor(name, "key", key), float_tensor(name, "value", value)
    same_dtype(name, query=q, key=k, value=v)
    k, v = _check(name, q, k, v, enable_gqa)
    length, width = q.data.shape[-2:]
    sources = k.data.shape[-2]
    if scale is None and not width:
        raise ShapeError(f"{name}: query {q.data.shape} has no features, so 1 / sqrt(E) has no value; give scale")
    factor = 1 / math.sqrt(width) if scale is None else float(number(name, "scale", scale))
    mask = None
    if attn_mask is not None:
        if is_causal:
            raise ArgumentError(f"{name}: attn_mask and is_causal=True exclude each other; put the triangle into attn_mask")
        mask = _mask(name, attn_mask, q)
    elif is_causal:
        mask = Tensor(np.tri(length, sources, dtype=np.bool_))
    scores = matmul(q * factor, k.mT)
    if mask is not None:
        try:
            shape = np.broadcast_shapes(mask.data.shape, scores.data.shape)
        except ValueError:
            shape = None
        if shape is None or shape[-2:] != scores.data.shape[-2:]:
            raise ShapeError(f"{name}: attn_mask {mask.data.shape} does not broadcast to the scores {scores.data.shape}, (*, queries, keys)")
        with np.errstate(invalid="ignore"):
            scores = masked_fill(scores, ~mask.data, -math.inf) if mask.data.dtype == np.bool_ else scores + mask
    weights = dropout(_safe_softmax(scores, mask is not None), dropout_p)
    return matmul(weights, v)


def _safe_softmax(scores: Tensor, masked: bool) -> Tensor:
    """Softmax over the last axis; zeros, and no gradient, for rows that hold nothing but minus infinity."""
    blind = np.isneginf(scores.data).all(axis=-1, keepdims=True) if masked and scores.data.size else np.zeros((), np.bool_)
    if not blind.any():
        return softmax(scores, -1)
    return masked_fill(softmax(masked_fill(scores, blind, 0.0), -1), blind, 0.0)


def _check(name: str, q: Tensor, k: Tensor, v: Tensor, enable_gqa: bool) -> tuple[Tensor, Tensor]:
    """Refuse sizes that do not fit; keys and values with one head for every query head."""
    shapes = f"query {q.data.shape}, key {k.data.shape}, value {v.data.shape}"
    if min(q.data.ndim, k.data.ndim, v.data.ndim) < 2:
        raise ShapeError(f"{name}: {shapes}: each needs two axes or more, (*, positions, features)")
    if q.data.shape[-1] != k.data.shape[-1]:
        raise ShapeError(f"{name}: {shapes}: queries have {q.data.shape[-1]} features and keys {k.data.shape[-1]}; they must be equal")
    if k.data.shape[-2] != v.data.shape[-2]:
        raise ShapeError(f"{name}: {shapes}: there are {k.data.shape[-2]} keys for {v.data.shape[-2]} values; they must be equal")
    if enable_gqa:
        if min(q.data.ndim, k.data.ndim, v.data.ndim) < 3:
            raise ShapeError(f"{name}: {shapes}: enable_gqa=True needs heads, (*, heads, positions, features)")
        heads = q.data.shape[-3]
        if any(not t.data.shape[-3] or heads % t.data.shape[-3] for t in (k, v)):
            raise ShapeError(f"{name}: {shapes}: the {heads} heads of queries are not a multiple of those of keys and values")
        k, v = _shared_heads(k, heads), _shared_heads(v, heads)
    try:
        np.broadcast_shapes(q.data.shape[:-2], k.data.shape[:-2], v.data.shape[:-2])
    except ValueError:
        hint = "; with fewer heads of keys than of queries use enable_gqa=True" if q.data.ndim > 3 and not enable_gqa else ""
        raise ShapeError(f"{name}: {shapes}: the leading axes do not broadcast{hint}") from None
    return k, v


def _shared_heads(x: Tensor, heads: int) -> Tensor:
    """Every head of (*, heads, positions, features) repeated, neighbours first, until there are so many."""
    shape = x.data.shape
    if shape[-3] == heads:
        return x
    times = heads // shape[-3]
    repeated: Tensor = x.unsqueeze(-3).expand(*shape[:-2], times, *shape[-2:])
    result: Tensor = repeated.reshape(*shape[:-3], heads, *shape[-2:])
    return result


def _mask(name: str, attn_mask: Any, q: Tensor) -> Tensor:
    mask = as_tensor(attn_mask)
    if mask.data.dtype not in (np.bool_, q.data.dtype):
        raise DtypeError(f"{name}: attn_mask is {mask.data.dtype}; give bool, true where a query may look, or the query's {q.data.dtype}")
    return mask
