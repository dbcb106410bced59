"""Distances, losses of pairs and triplets of vectors, and the heads of face recognition as modules."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import functional as F
from ..errors import ArgumentError
from ..functional._arguments import whole
from ..functional._losses import real
from ..tensor import Tensor
from . import init
from .loss import ReducedLoss
from .module import Module
from .parameter import Parameter

__all__ = [
    "ArcFace",
    "CosFace",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "PairwiseDistance",
    "SphereFace",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class CosineSimilarity(Module):
    """The cosine of the angle between vectors; see `tinycnn.functional.cosine_similarity`."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Tensor:
        """The similarity of x1 and x2 along the axis dim."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of the differences of vectors; see `tinycnn.functional.pairwise_distance`."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Any, x2: Any) -> Tensor:
        """The distance of x1 and x2 along the last axis."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class HingeEmbeddingLoss(ReducedLoss):
    """Distances of like and unlike pairs; see `tinycnn.functional.hinge_embedding_loss`."""

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of distances `input` of pairs that are like (1) or unlike (-1)."""
        return F.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(ReducedLoss):
    """Which of two scores should be larger; see `tinycnn.functional.margin_ranking_loss`."""

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Tensor:
        """The loss where the first (1) or the second (-1) should be larger."""
        return F.margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(ReducedLoss):
    """Pairs by their angle; see `tinycnn.functional.cosine_embedding_loss`."""

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Tensor:
        """The loss of pairs that are like (1) or unlike (-1)."""
        return F.cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class TripletMarginLoss(ReducedLoss):
    """The anchor closer to its like than to the other, by a margin; see `tinycnn.functional.triplet_margin_loss`."""

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.margin = real("TripletMarginLoss", "margin", margin, "a number > 0", lambda x: x > 0)
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        """The loss of triplets."""
        return F.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, reduction=self.reduction
        )


class TripletMarginWithDistanceLoss(ReducedLoss):
    """TripletMarginLoss with a distance of one's own; see `tinycnn.functional.triplet_margin_with_distance_loss`."""

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        if distance_function is not None and not callable(distance_function):
            raise ArgumentError(f"TripletMarginWithDistanceLoss: distance_function must be a function of two tensors, not {distance_function!r}")
        self.distance_function = distance_function
        self.margin = real("TripletMarginWithDistanceLoss", "margin", margin, "a number > 0", lambda x: x > 0)
        self.swap = swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        """The loss of triplets."""
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class _Head(Module):
    """One trained vector a class."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        name = type(self).__name__
        self.in_features = whole(name, "in_features", in_features, 1)
        self.out_features = whole(name, "out_features", out_features, 1)
        self.weight = Parameter(np.empty((out_features, in_features), np.float32))
        self.reset_parameters()

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw the vectors anew, by Glorot's rule."""
        init.xavier_uniform_(self.weight, generator=generator)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}"


class ArcFace(_Head):
    """Scores for a softmax with an angular margin at the right class; see `tinycnn.functional.arcface_logits`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> head = nn.ArcFace(8, 3)
    >>> logits = head(np.ones((2, 8), np.float32), [0, 2])
    >>> logits.shape, nn.CrossEntropyLoss()(logits, [0, 2]).shape
    ((2, 3), ())
    """

    def __init__(
        self, in_features: int, out_features: int, scale: float = 64.0, margin: float = 0.5, easy_margin: bool = False
    ) -> None:
        super().__init__(in_features, out_features)
        self.scale = scale
        self.margin = margin
        self.easy_margin = easy_margin

    def forward(self, input: Any, target: Any) -> Tensor:
        """Scores (N, C) of vectors (N, D) whose classes are known."""
        return F.arcface_logits(input, self.weight, target, self.scale, self.margin, self.easy_margin)


class CosFace(_Head):
    """Scores for a softmax with a margin on the cosine of the right class; see `tinycnn.functional.cosface_logits`."""

    def __init__(self, in_features: int, out_features: int, scale: float = 64.0, margin: float = 0.35) -> None:
        super().__init__(in_features, out_features)
        self.scale = scale
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Tensor:
        """Scores (N, C) of vectors (N, D) whose classes are known."""
        return F.cosface_logits(input, self.weight, target, self.scale, self.margin)


class SphereFace(_Head):
    """Scores for a softmax with the angle of the right class multiplied; see `tinycnn.functional.sphereface_logits`."""

    def __init__(self, in_features: int, out_features: int, scale: float | None = None, margin: int = 4) -> None:
        super().__init__(in_features, out_features)
        self.scale = scale
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Tensor:
        """Scores (N, C) of vectors (N, D) whose classes are known."""
        return F.sphereface_logits(input, self.weight, target, self.scale, self.margin)
