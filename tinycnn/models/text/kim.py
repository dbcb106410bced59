"""Kim's network for sentences: filters over regions of words, of each the largest answer in the sentence, and one linear layer.

References
----------
Kim 2014, "Convolutional neural networks for sentence classification" (arXiv 1408.5882): section 2 the network, 2.1 dropout and the bound on
the norm, 3.1 the sizes, 3.3 how the vectors start.

Differs from the paper:
  - "Each filter is applied to both channels and the results are added": read as with a colour image, a filter has weights of its own for each.
  - The paper does not say how filters start. As in its published code they are drawn evenly from -0.01 to 0.01, and the last layer is zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functional as F
from ...errors import ArgumentError, ShapeError
from ...nn import Conv1d, Dropout, Embedding, Linear, Module, ModuleList, init
from ...tensor import Tensor
from ..registry import builder

__all__ = ["VECTORS", "KimCNN", "kim_cnn", "max_norm_"]

VECTORS = ("rand", "static", "non-static", "multichannel")
VECTOR_RANGE = 0.25  # random vectors are drawn evenly from -0.25 to 0.25: about the variance of word2vec's
FILTER_RANGE = 0.01


def max_norm_(weight: Tensor, limit: float) -> Tensor:
    """Bring rows that have become longer than `limit` back to that length, in place.

    Formula
    -------
    w[r] <- limit w[r] / |w[r]| where |w[r]| > limit

    Parameters
    ----------
    weight : Tensor
        (rows, width): of the last layer, a row a class.
    limit : float
        The paper's s, 3; above 0.

    Returns
    -------
    Tensor
        The weight itself.

    References
    ----------
    Hinton et al. 2012, "Improving neural networks by preventing co-adaptation of feature detectors" (arXiv 1207.0580), appendix A.1.

    Examples
    --------
    >>> import tinycnn
    >>> max_norm_(tinycnn.tensor([[3.0, 4.0], [0.6, 0.8]]), 2.0).numpy().round(4).tolist()
    [[1.2000000476837158, 1.600000023841858], [0.6000000238418579, 0.800000011920929]]
    """
    if not limit > 0:
        raise ArgumentError(f"max_norm_: limit={limit!r} must be above 0; the paper has 3")
    if weight.data.ndim != 2:
        raise ShapeError(f"max_norm_: weight has shape {weight.data.shape}; it must be (rows, width)")
    lengths = np.linalg.norm(weight.data.astype(np.float64), axis=1, keepdims=True)
    weight.data[...] *= np.where(lengths > limit, limit / np.maximum(lengths, limit), 1.0).astype(weight.data.dtype)
    weight._wrote()
    return weight


class KimCNN(Module):
    """Words to vectors, regions of words to maps, the largest of each map to the classes.

    Shapes
    ------
    (N, L) whole numbers -> (N, num_classes), L at least the largest region

    Formula
    -------
    c[m, i] = relu(b[m] + w[m] . x[i : i + h]); z[m] = max_i c[m, i]; y = W dropout(z) + b

    Parameters
    ----------
    num_words : int
        Rows of the table of vectors; row 0 is padding and stays zero.
    num_classes : int
        Length of the output row.
    dimension : int
        Numbers of a word's vector.
    region_sizes : sequence of int
        Words a filter sees; a size twice is allowed, as Zhang and Wallace do.
    maps : int
        Filters of each region size.
    dropout : float
        Share of the pooled numbers that is dropped in training.
    max_norm : float or None
        The longest row of the last layer that `constrain_` leaves; None for no bound.
    vectors : str
        "rand" (drawn and trained), "static" (given and kept), "non-static" (given and trained), "multichannel" (both at once).
    table : ndarray, optional
        (num_words, dimension), the given vectors; drawn evenly from -0.25 to 0.25 without it.
    pooled : int, optional
        Numbers that `pool` makes of the maps of all region sizes together; one a map if left out.
    """

    def __init__(
        self,
        num_words: int,
        num_classes: int = 2,
        *,
        dimension: int = 300,
        region_sizes: Sequence[int] = (3, 4, 5),
        maps: int = 100,
        dropout: float = 0.5,
        max_norm: float | None = 3.0,
        vectors: str = "rand",
        table: np.ndarray | None = None,
        pooled: int | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        _require(name, num_words=num_words, num_classes=num_classes, dimension=dimension, maps=maps)
        sizes = tuple(region_sizes)
        if not sizes or any(isinstance(size, bool) or not isinstance(size, int) or size < 1 for size in sizes):
            raise ArgumentError(f"{name}: region_sizes {sizes} must be whole numbers of 1 or more, such as (3, 4, 5)")
        if vectors not in VECTORS:
            raise ArgumentError(f"{name}: vectors={vectors!r} must be one of {', '.join(VECTORS)}")
        if max_norm is not None and not max_norm > 0:
            raise ArgumentError(f"{name}: max_norm={max_norm!r} must be above 0, or None for no bound")
        self.region_sizes = sizes
        self.maps = maps
        self.max_norm = max_norm
        self.vectors = vectors
        rows = _table(name, num_words, dimension, table)
        self.embedding = Embedding.from_pretrained(rows, freeze=vectors == "static", padding_idx=0)
        self.frozen = Embedding.from_pretrained(rows.copy(), padding_idx=0) if vectors == "multichannel" else None
        channels = dimension * (2 if vectors == "multichannel" else 1)
        self.regions = ModuleList(Conv1d(channels, maps, size) for size in sizes)
        self.drop = Dropout(dropout)
        self.classifier = Linear(len(sizes) * maps if pooled is None else pooled, num_classes)
        for region in self.regions:
            init.uniform_(region.weight, -FILTER_RANGE, FILTER_RANGE)
            init.zeros_(region.bias)
        init.zeros_(self.classifier.weight)
        init.zeros_(self.classifier.bias)

    def activate(self, maps: Tensor) -> Tensor:
        """What is done to every number of a map."""
        return F.relu(maps)

    def pool(self, maps: Tensor) -> Tensor:
        """(N, maps, places) -> (N, maps * numbers a map): here the largest of each."""
        return F.max(maps, -1).values

    def region_maps(self, input: Any) -> list[Tensor]:
        """Of each region size the activated maps (N, maps, L - h + 1): what every filter says at every place."""
        words = input.data if isinstance(input, Tensor) else np.asarray(input)
        if words.ndim != 2 or words.shape[1] < max(self.region_sizes):
            raise ShapeError(
                f"{type(self).__name__}: input has shape {words.shape}; "
                f"it must be (N, L) with L at least the largest region, {max(self.region_sizes)}"
            )
        vectors = self.embedding(input)
        if self.frozen is not None:
            vectors = F.cat([vectors, self.frozen(input)], -1)
        channels_first = vectors.transpose(1, 2)
        return [self.activate(region(channels_first)) for region in self.regions]

    def forward(self, input: Any) -> Tensor:
        """Logits of the classes, one row a sentence."""
        pooled = F.cat([self.pool(maps) for maps in self.region_maps(input)], 1)
        return self.classifier(self.drop(pooled))

    def constrain_(self) -> None:
        """Keep the bound on the norm; called after every step of the optimiser."""
        if self.max_norm is not None:
            max_norm_(self.classifier.weight, self.max_norm)


def _require(name: str, **counts: Any) -> None:
    for argument, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ArgumentError(f"{name}: {argument}={value!r} must be a whole number of 1 or more")


def _table(name: str, num_words: int, dimension: int, table: np.ndarray | None) -> np.ndarray:
    """The vectors that the words start from; that of padding is zero."""
    if table is None:
        rows = init.uniform_(Tensor(np.empty((num_words, dimension), np.float32)), -VECTOR_RANGE, VECTOR_RANGE).data
    else:
        rows = np.array(table, np.float32)
        if rows.shape != (num_words, dimension):
            raise ShapeError(f"{name}: table has shape {rows.shape}; it must be (num_words, dimension) = ({num_words}, {dimension})")
    rows[0] = 0
    return rows


@builder(image_size=64, task="text")
def kim_cnn(
    num_words: int = 20_000,
    num_classes: int = 2,
    *,
    dimension: int = 300,
    region_sizes: Sequence[int] = (3, 4, 5),
    maps: int = 100,
    dropout: float = 0.5,
    max_norm: float | None = 3.0,
    vectors: str = "rand",
    table: np.ndarray | None = None,
) -> KimCNN:
    """Kim's sentence network with the paper's sizes; num_words * 300 + 360,300 + 602 parameters for two classes.

    Parameters
    ----------
    num_words, num_classes, dimension, region_sizes, maps, dropout, max_norm, vectors, table
        As in `KimCNN`.

    Examples
    --------
    >>> model = kim_cnn(50)
    >>> sum(parameter.numel() for parameter in model.parameters()) == 50 * 300 + 360_300 + 602
    True
    """
    return KimCNN(
        num_words,
        num_classes,
        dimension=dimension,
        region_sizes=region_sizes,
        maps=maps,
        dropout=dropout,
        max_norm=max_norm,
        vectors=vectors,
        table=table,
    )
