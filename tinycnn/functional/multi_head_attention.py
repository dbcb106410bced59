"""Multi-head attention with its projections: what MultiheadAttention computes, on tensors given one by one."""

import math
from typing import Any

import numpy as np

from ..errors import ArgumentError, DtypeError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, float_tensor, same_dtype, whole
from .attention import scaled_dot_product_attention
from .dropout import dropout
from .joining import cat
from .linear import linear
from .product import matmul
from .softmax import softmax

__all__ = ["multi_head_attention_forward"]

_NAME = "multi_head_attention_forward"


@operator(
    family="multi_head_attention",
    differentiable=(
        "query", "key", "value", "in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj_weight", "out_proj_bias",
        "q_proj_weight", "k_proj_weight", "v_proj_weight",
    ),
)  # fmt: skip
def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Project queries, keys and values, attend with several heads at once, and project the heads' answers back.

    Shapes
    ------
    query (L, N, E), key (S, N, K), value (S, N, V) -> (L, N, E) and weights (N, L, S), or (N, heads, L, S) where not averaged; all without N too

    Formula
    -------
    q = query Wq^T + bq, k and v likewise, each cut into heads of d = E / heads features; head h: softmax(q_h k_h^T / sqrt(d) + mask) v_h;
    y = heads side by side, times out_proj_weight^T, plus out_proj_bias. Gradients by the chain rule through these steps.

    Parameters
    ----------
    query, key, value : Tensor
        Sequence first, batch second.
    embed_dim_to_check : int
        E, compared with the query.
    num_heads : int
        Divides E.
    in_proj_weight, in_proj_bias : Tensor
        (3 E, E) and (3 E,): queries, keys, values; the bias may be None, the weight too with `use_separate_proj_weight`.
    bias_k, bias_v : Tensor or None
        (1, 1, E): one more key and value.
    add_zero_attn : bool
        One more key and value of zeros.
    dropout_p : float
        Of the weights, in training.
    out_proj_weight, out_proj_bias : Tensor
        (E, E) and (E,) or None.
    training : bool
        Whether dropout drops.
    key_padding_mask : Tensor, optional
        (N, S): bool, true for keys to ignore, or numbers to add.
    need_weights : bool
        Give the weights too.
    attn_mask : Tensor, optional
        (L, S) or (N heads, L, S): bool, true where a query may not look, or numbers to add.
    use_separate_proj_weight : bool
        Take q_proj_weight (E, E), k_proj_weight (E, K) and v_proj_weight (E, V).
    static_k, static_v : Tensor, optional
        (N heads, S, d) instead of the projections.
    average_attn_weights : bool
        Give the heads' mean weights.
    is_causal : bool
        Says that attn_mask is the causal one; it must be given.

    Returns
    -------
    (Tensor, Tensor or None)

    Raises
    ------
    ShapeError
        If sizes do not fit. DtypeError: integers, or two dtypes. ArgumentError: is_causal without attn_mask.

    Notes
    -----
    True means "may not look" here and "may look" in scaled_dot_product_attention, as in PyTorch. A query that may look at nothing gets NaN with
    need_weights=True and zeros without, as there.

    References
    ----------
    Vaswani et al. 2017, "Attention is all you need", section 3.2.2.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> x, eye = np.ones((3, 1, 2)), np.eye(2)
    >>> y, p = tinycnn.functional.multi_head_attention_forward(
    ...     x, x, x, 2, 1, np.concatenate([eye, eye, eye]), None, None, None, False, 0.0, eye, None)
    >>> y.numpy().ravel().round(12), p.shape
    (array([1., 1., 1., 1., 1., 1.]), (1, 3, 3))
    """
    q, k, v = (float_tensor(_NAME, name, x) for name, x in (("query", query), ("key", key), ("value", value)))
    same_dtype(_NAME, query=q, key=k, value=v)
    batched = _check(q, k, v, embed_dim_to_check, whole(_NAME, "num_heads", num_heads, 1))
    if is_causal and attn_mask is None:
        raise ArgumentError(f"{_NAME}: is_causal=True only says what attn_mask is; give the mask too")
    if not batched:
        q, k, v = q.unsqueeze(1), k.unsqueeze(1), v.unsqueeze(1)
    length, batch, width = q.data.shape
    mask = _mask("attn_mask", attn_mask, q, ((length, len(k.data)), (batch * num_heads, length, len(k.data))))
    if mask is not None and mask.data.ndim == 3:
        mask = mask.reshape(batch, num_heads, length, -1)
    padding = _mask("key_padding_mask", key_padding_mask, q, ((batch, len(k.data)), *(() if batched else ((len(k.data),),))))
    if padding is not None:
        padding = padding.reshape(batch, 1, 1, -1)
    weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else _thirds(in_proj_weight, width)
    q, k, v = (linear(x, w, b) for x, w, b in zip((q, k, v), weights, _thirds(in_proj_bias, width)))
    if (bias_k is None) != (bias_v is None):
        raise ArgumentError(f"{_NAME}: bias_k and bias_v belong together; give both or none")
    extra = 0
    if bias_k is not None:
        k, v = (cat([x, float_tensor(_NAME, "bias_k and bias_v", b).expand(1, batch, width)]) for x, b in ((k, bias_k), (v, bias_v)))
        extra += 1
    q, k, v = (x.reshape(-1, batch, num_heads, width // num_heads).permute(1, 2, 0, 3) for x in (q, k, v))
    k, v = (_static(name, x, given) for name, x, given in (("static_k", k, static_k), ("static_v", v, static_v)))
    if add_zero_attn:
        zeros = Tensor(np.zeros((*k.data.shape[:2], 1, k.data.shape[3]), k.data.dtype))
        k, v = cat([k, zeros], 2), cat([v, zeros], 2)
        extra += 1
    mask = _sum(_longer(mask, extra), _longer(padding, extra))
    y, shares = _attend(q, k, v, mask, dropout_p if training else 0.0, need_weights)
    y = linear(y.permute(2, 0, 1, 3).reshape(length, batch, width), out_proj_weight, out_proj_bias)
    if shares is not None and average_attn_weights:
        shares = shares.mean(1)
    return (y, shares) if batched else (y.squeeze(1), None if shares is None else shares.squeeze(0))


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float, need_weights: bool) -> tuple[Tensor, Tensor | None]:
    """The heads' answers (N, heads, L, d), and their weights where they are asked for."""
    if not need_weights:
        return scaled_dot_product_attention(q, k, v, mask, dropout_p), None
    scores = matmul(q * (1 / math.sqrt(q.data.shape[-1])), k.mT)
    with np.errstate(invalid="ignore"):  # a query that may look at nothing has NaN
        weights = dropout(softmax(scores if mask is None else scores + mask, -1), dropout_p)
        return matmul(weights, v), weights


def _check(q: Tensor, k: Tensor, v: Tensor, width: Any, heads: int) -> bool:
    """Refuse sizes that do not fit; whether there is a batch axis."""
    shapes = f"query {q.data.shape}, key {k.data.shape}, value {v.data.shape}"
    if q.data.ndim not in (2, 3) or k.data.ndim != q.data.ndim or v.data.ndim != q.data.ndim:
        raise ShapeError(f"{_NAME}: {shapes}: all must be (positions, batch, features), or all (positions, features)")
    if q.data.shape[-1] != whole(_NAME, "embed_dim_to_check", width, 1):
        raise ShapeError(f"{_NAME}: {shapes}: the query has {q.data.shape[-1]} features, the projections take {width}")
    if width % heads:
        raise ShapeError(f"{_NAME}: {width} features cannot be shared equally among {heads} heads; choose a divisor of {width}")
    if k.data.shape[:-1] != v.data.shape[:-1] or q.data.shape[1:-1] != k.data.shape[1:-1]:
        raise ShapeError(f"{_NAME}: {shapes}: keys and values must have the same positions, and all the same batch")
    return q.data.ndim == 3


def _mask(argument: str, mask: Any, q: Tensor, shapes: tuple[tuple[int, ...], ...]) -> Tensor | None:
    """Numbers to add to the scores, of the query's dtype: true becomes minus infinity."""
    if mask is None:
        return None
    tensor = as_tensor(mask)
    if tensor.data.dtype == np.bool_:
        tensor = Tensor(np.where(tensor.data, -math.inf, 0).astype(q.data.dtype))
    elif tensor.data.dtype != q.data.dtype:
        raise DtypeError(f"{_NAME}: {argument} is {tensor.data.dtype}; give bool, true where a query may not look, or the query's {q.data.dtype}")
    if tensor.data.shape not in shapes:
        raise ShapeError(f"{_NAME}: {argument} has shape {tensor.data.shape}; it must be {' or '.join(map(str, shapes))}")
    return tensor


def _thirds(packed: Any, width: int) -> tuple[Any, Any, Any]:
    """The rows of a packed weight or bias for queries, keys and values."""
    if packed is None:
        return None, None, None
    tensor = float_tensor(_NAME, "in_proj_weight or in_proj_bias", packed)
    if not tensor.data.ndim or len(tensor.data) != 3 * width:
        raise ShapeError(f"{_NAME}: in_proj_weight or in_proj_bias has shape {tensor.data.shape}; its first axis must be 3 x {width} = {3 * width}")
    return tensor[:width], tensor[width : 2 * width], tensor[2 * width :]


def _static(name: str, x: Tensor, given: Any) -> Tensor:
    """Keys or values given ready made as (N heads, S, d), or the projected ones."""
    if given is None:
        return x
    tensor = float_tensor(_NAME, name, given)
    batch, heads, _, features = x.data.shape
    if tensor.data.ndim != 3 or tensor.data.shape[0] != batch * heads or tensor.data.shape[2] != features:
        raise ShapeError(f"{_NAME}: {name} has shape {tensor.data.shape}; it must be ({batch * heads}, positions, {features})")
    result: Tensor = tensor.reshape(batch, heads, -1, features)
    return result


def _longer(mask: Tensor | None, extra: int) -> Tensor | None:
    """The mask with zeros for the keys that were added at the end."""
    if mask is None or not extra:
        return mask
    return cat([mask, Tensor(np.zeros((*mask.data.shape[:-1], extra), mask.data.dtype))], -1)


def _sum(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    if first is None or second is None:
        return first if second is None else second
    return first + second
