"""Attention layers, and the bias by relative position that image transformers add to it."""

from typing import Any

import numpy as np

from .. import functional as F
from ..errors import ArgumentError
from ..functional._arguments import whole
from ..tensor import Tensor
from . import init
from .linear import Linear
from .module import Module
from .parameter import Parameter

__all__ = ["MultiheadAttention", "RelativePositionBias2d"]


class MultiheadAttention(Module):
    """Let every position of one sequence look at all positions of another, with several heads; see
    `tinycnn.functional.multi_head_attention_forward`.

    Shapes
    ------
    query (L, N, E), key (S, N, kdim), value (S, N, vdim) -> (L, N, E), weights (N, L, S); the batch first with `batch_first`, or none

    Parameters
    ----------
    embed_dim : int
        E, shared equally by the heads.
    num_heads : int
        Divides embed_dim.
    dropout : float
        Of the weights, in training.
    bias : bool
        Whether the projections add one.
    add_bias_kv : bool
        One more key and value, learnt.
    add_zero_attn : bool
        One more key and value of zeros.
    kdim, vdim : int, optional
        Features of keys and values; embed_dim if left out.
    batch_first : bool
        (N, L, E) instead of (L, N, E).

    Notes
    -----
    State-dict keys are PyTorch's: in_proj_weight (3 E, E), or q_proj_weight, k_proj_weight, v_proj_weight where kdim or vdim differs; in_proj_bias,
    bias_k, bias_v, out_proj.weight, out_proj.bias. Projections start by Xavier's uniform rule, biases at zero.

    References
    ----------
    Vaswani et al. 2017, "Attention is all you need", section 3.2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> x = np.zeros((2, 5, 8), np.float32)
    >>> y, weights = nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x)
    >>> y.shape, weights.shape
    ((2, 5, 8), (2, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        name = "MultiheadAttention"
        self.embed_dim = whole(name, "embed_dim", embed_dim, 1)
        self.num_heads = whole(name, "num_heads", num_heads, 1)
        if embed_dim % num_heads:
            raise ArgumentError(f"{name}: embed_dim={embed_dim} cannot be shared equally by num_heads={num_heads}; choose a divisor")
        F.dropout([], dropout)  # the range is the function's to check
        self.dropout = dropout
        self.kdim = embed_dim if kdim is None else whole(name, "kdim", kdim, 1)
        self.vdim = embed_dim if vdim is None else whole(name, "vdim", vdim, 1)
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        self.add_zero_attn = add_zero_attn

        def parameter(*shape: int) -> Parameter:
            return Parameter(np.zeros(shape, np.float32))

        same = self.kdim == embed_dim and self.vdim == embed_dim
        # Registered in PyTorch's order, None where a key is not there.
        self.register_parameter("in_proj_weight", parameter(3 * embed_dim, embed_dim) if same else None)
        for letter, width in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
            self.register_parameter(f"{letter}_proj_weight", None if same else parameter(embed_dim, width))
        self.register_parameter("in_proj_bias", parameter(3 * embed_dim) if bias else None)
        self.register_parameter("bias_k", parameter(1, 1, embed_dim) if add_bias_kv else None)
        self.register_parameter("bias_v", parameter(1, 1, embed_dim) if add_bias_kv else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias)
        self.reset_parameters()

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw all parameters anew."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight, generator=generator)
        self.out_proj.reset_parameters(generator)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias, generator=generator)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The answers, and the weights or None; in masks true means "may not look"."""
        turned = self.batch_first and np.ndim(getattr(query, "data", query)) == 3
        if turned:
            query, key, value = (F.transpose(x, 0, 1) for x in (query, key, value))
        y, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            self.training,
            key_padding_mask,
            need_weights,
            attn_mask,
            self.in_proj_weight is None,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (F.transpose(y, 0, 1) if turned else y), weights


class RelativePositionBias2d(Module):
    """A learnt number for every offset between two pixels of a map, to be added to attention scores.

    Shapes
    ------
    () -> (heads, height width, height width), pixels in row-major order

    Formula
    -------
    bias[h, i, j] = table[(y_i - y_j + height - 1) (2 width - 1) + x_i - x_j + width - 1, h]; the gradient of a table row is the sum over all
    pairs (i, j) of that offset.

    Parameters
    ----------
    heads : int
        Numbers an offset.
    height, width : int
        Of the map.

    Notes
    -----
    Table and index have the names and order of Swin in torchvision and of CoAtNet in timm: `relative_position_bias_table` with
    (2 height - 1)(2 width - 1) rows, drawn from a normal distribution of deviation 0.02 cut off at 2, and the buffer `relative_position_index`,
    which is not saved (as in timm; torchvision saves it, flattened).

    References
    ----------
    Dai et al. 2021, "CoAtNet: marrying convolution and attention for all data sizes", equation 3.
    Liu et al. 2021, "Swin transformer", equation 4.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.RelativePositionBias2d(4, 7, 7)().shape
    (4, 49, 49)
    """

    def __init__(self, heads: int, height: int, width: int) -> None:
        super().__init__()
        self.heads, self.height, self.width = (
            whole("RelativePositionBias2d", name, value, 1) for name, value in (("heads", heads), ("height", height), ("width", width))
        )
        self.relative_position_bias_table = Parameter(np.empty(((2 * height - 1) * (2 * width - 1), heads), np.float32))
        y, x = np.divmod(np.arange(height * width, dtype=np.int64), width)
        index = (y[:, None] - y + height - 1) * (2 * width - 1) + x[:, None] - x + width - 1
        self.register_buffer("relative_position_index", Tensor(index), persistent=False)
        self.reset_parameters()

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw the table anew."""
        init.trunc_normal_(self.relative_position_bias_table, std=0.02, generator=generator)

    def forward(self) -> Tensor:
        """The bias of every head."""
        return F.permute(F.embedding(self.relative_position_index, self.relative_position_bias_table), 2, 0, 1)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"heads={self.heads}, height={self.height}, width={self.width}"
