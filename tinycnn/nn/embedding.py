"""The layer that looks up vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from ..errors import ArgumentError, ShapeError
from ..functional._arguments import whole
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Embedding"]


class Embedding(Module):
    """A table of trained vectors, looked up by whole numbers; see `tinycnn.functional.embedding`.

    Shapes
    ------
    (*) -> (*, embedding_dim)

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Rows and columns of the table.
    padding_idx : int, optional
        A row that starts at zero and gets no gradient; negative counts from the end.
    max_norm, norm_type : float
        Rows with a larger norm are scaled down in the result; the table keeps its own.
    scale_grad_by_freq : bool
        Divide a row's gradient by how often it was looked up.
    sparse : bool
        Must be False.

    Notes
    -----
    The table starts normal with variance 1, PyTorch's default.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.nn.Embedding(10, 3, padding_idx=0)(tinycnn.tensor([[1, 2, 0]])).shape
    (1, 3, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> None:
        super().__init__()
        self.num_embeddings = whole("Embedding", "num_embeddings", num_embeddings, 0)
        self.embedding_dim = whole("Embedding", "embedding_dim", embedding_dim, 0)
        if padding_idx is not None and (
            isinstance(padding_idx, bool) or not isinstance(padding_idx, int) or not -num_embeddings <= padding_idx < num_embeddings
        ):
            raise ArgumentError(f"Embedding: padding_idx {padding_idx!r} is not a row; use {-num_embeddings} to {num_embeddings - 1}")
        if sparse:
            raise ArgumentError("Embedding: sparse=True is not available, gradients are dense; leave it out")
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), np.float32))
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """A layer on a given table, shared; `freeze` keeps it from being trained."""
        table = embeddings if isinstance(embeddings, Tensor) else Tensor(np.asarray(embeddings))
        if table.data.ndim != 2:
            raise ShapeError(f"Embedding.from_pretrained: embeddings have shape {table.data.shape}; they must be (rows, width)")
        rows, width = table.data.shape
        layer = cls(rows, width, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
        layer.weight = Parameter(table.detach(), requires_grad=not freeze)
        return layer

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw the table anew, zeros in the padding row."""
        init.normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, input: Any) -> Tensor:
        """The rows."""
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)

    def extra_repr(self) -> str:
        """The sizes, and what differs from the defaults."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        return text + (f", scale_grad_by_freq={self.scale_grad_by_freq}" if self.scale_grad_by_freq else "")
