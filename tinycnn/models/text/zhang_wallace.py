"""Zhang and Wallace's variants of Kim's network: other activations, and other ways to pool a map than its one maximum.

References
----------
Zhang and Wallace 2015, "A sensitivity analysis of (and practitioners' guide to) convolutional neural networks for sentence classification"
(arXiv 1510.03820): section 4.4 number of maps, 4.5 activations, 4.6 pooling. Kalchbrenner, Grefenstette and Blunsom 2014, "A convolutional
neural network for modelling sentences" (arXiv 1404.2188), section 3.2: k-max pooling, whose numbers stay in the order of the words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ... import functional as F
from ...errors import ArgumentError, ShapeError
from ...tensor import Tensor
from ..registry import builder
from .kim import KimCNN

__all__ = ["ACTIVATIONS", "POOLINGS", "ZhangWallaceCNN", "zhang_wallace_cnn"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "tanh": F.tanh,
    "sigmoid": F.sigmoid,
    "softplus": F.softplus,
    "cube": lambda x: x * x * x,
    "tanh-cube": lambda x: F.tanh(x * x * x),
    "identity": lambda x: x,
}
POOLINGS = ("max", "k-max", "local-max", "local-average")


class ZhangWallaceCNN(KimCNN):
    """`KimCNN` with an activation and a pooling by name.

    Shapes
    ------
    (N, L) whole numbers -> (N, num_classes)

    Formula
    -------
    "max": z = max_i c[i]. "k-max": the k largest, in the order of their places. "local-max", "local-average": of each stretch of k neighbouring
    places, stretches side by side; the last may be shorter.

    Parameters
    ----------
    activation : str
        One of `ACTIVATIONS`.
    pooling : str
        One of `POOLINGS`.
    k : int
        Of k-max how many numbers a map gives; of local pooling the length of a stretch. Not used by "max".
    length : int, optional
        L, which local pooling must know.

    Other parameters are Kim's.
    """

    def __init__(
        self,
        num_words: int,
        num_classes: int = 2,
        *,
        activation: str = "relu",
        pooling: str = "max",
        k: int = 1,
        length: int | None = None,
        dimension: int = 300,
        region_sizes: Sequence[int] = (3, 4, 5),
        maps: int = 100,
        dropout: float = 0.5,
        max_norm: float | None = 3.0,
        vectors: str = "rand",
        table: np.ndarray | None = None,
    ) -> None:
        if activation not in ACTIVATIONS:
            raise ArgumentError(f"ZhangWallaceCNN: activation={activation!r} must be one of {', '.join(ACTIVATIONS)}")
        if pooling not in POOLINGS:
            raise ArgumentError(f"ZhangWallaceCNN: pooling={pooling!r} must be one of {', '.join(POOLINGS)}")
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise ArgumentError(f"ZhangWallaceCNN: k={k!r} must be a whole number of 1 or more")
        if pooling.startswith("local") and (length is None or length < max(region_sizes)):
            raise ArgumentError(f"ZhangWallaceCNN: pooling={pooling!r} needs length=, the words of an encoded sentence; it is {length!r}")
        numbers = [1 if pooling == "max" else k] * len(region_sizes)
        if pooling.startswith("local"):
            numbers = [-(-(int(length or 0) - size + 1) // k) for size in region_sizes]
        super().__init__(
            num_words,
            num_classes,
            dimension=dimension,
            region_sizes=region_sizes,
            maps=maps,
            dropout=dropout,
            max_norm=max_norm,
            vectors=vectors,
            table=table,
            pooled=maps * sum(numbers),
        )
        self.activation = activation
        self.pooling = pooling
        self.k = k
        self.length = length

    def activate(self, maps: Tensor) -> Tensor:
        """The activation that was named."""
        return ACTIVATIONS[self.activation](maps)

    def pool(self, maps: Tensor) -> Tensor:
        """The pooling that was named: (N, maps, places) -> (N, maps * numbers a map)."""
        count, channels, places = maps.data.shape
        if self.pooling == "max":
            return F.max(maps, -1).values
        if self.pooling == "k-max":
            if self.k > places:
                raise ShapeError(f"ZhangWallaceCNN: k={self.k} is more than the {places} places of a map; lower k, or give longer rows")
            largest = F.topk(maps, self.k, -1).indices
            return F.gather(maps, -1, Tensor(np.sort(largest.data, -1))).reshape(count, channels * self.k)
        pooled = (F.max_pool1d if self.pooling == "local-max" else F.avg_pool1d)(maps, self.k, self.k, ceil_mode=True)
        return pooled.reshape(count, -1)


@builder(image_size=64, task="text")
def zhang_wallace_cnn(
    num_words: int = 20_000,
    num_classes: int = 2,
    *,
    activation: str = "relu",
    pooling: str = "max",
    k: int = 1,
    length: int | None = None,
    dimension: int = 300,
    region_sizes: Sequence[int] = (3, 4, 5),
    maps: int = 100,
    dropout: float = 0.5,
    max_norm: float | None = 3.0,
    vectors: str = "rand",
    table: np.ndarray | None = None,
) -> ZhangWallaceCNN:
    """Kim's network with any of the choices that Zhang and Wallace compare; their baseline is the default.

    Parameters
    ----------
    activation, pooling, k, length
        As in `ZhangWallaceCNN`; the rest as in `KimCNN`.

    Examples
    --------
    >>> model = zhang_wallace_cnn(30, dimension=8, maps=2, pooling="k-max", k=3)
    >>> model.classifier.in_features  # 3 region sizes, 2 maps, 3 numbers a map
    18
    """
    return ZhangWallaceCNN(
        num_words,
        num_classes,
        activation=activation,
        pooling=pooling,
        k=k,
        length=length,
        dimension=dimension,
        region_sizes=region_sizes,
        maps=maps,
        dropout=dropout,
        max_norm=max_norm,
        vectors=vectors,
        table=table,
    )
