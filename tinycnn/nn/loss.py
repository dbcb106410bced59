"""Losses as modules. Options are keyword-only: PyTorch has two retired arguments between them, so positions would
not mean the same.
"""

from typing import Any

from .. import functional as F
from ..functional._arguments import as_tensor, one_of
from ..tensor import Tensor
from .module import Module

__all__ = ["BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "L1Loss", "MSELoss", "NLLLoss"]


class _Loss(Module):
    """Keeps the reduction: "mean", "sum" or "none"."""

    def __init__(self, reduction: str) -> None:
        super().__init__()
        self.reduction = one_of(type(self).__name__, "reduction", reduction, ("mean", "sum", "none"))

    def _register_weight(self, name: str, weight: Any) -> None:
        self.register_buffer(name, None if weight is None else as_tensor(weight))


class CrossEntropyLoss(_Loss):
    """-log softmax(logits)[target], averaged; see `tinycnn.functional.cross_entropy`.

    Parameters
    ----------
    weight : array of C numbers, optional
        Factor of each class.
    ignore_index : int
        Targets with this label count nothing.
    reduction : str
        "mean" (by the sum of weights), "sum" or "none".
    label_smoothing : float
        Share of the target spread evenly over all classes, from 0 to 1.

    Notes
    -----
    Takes logits, not probabilities: no Softmax before it.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> loss = nn.CrossEntropyLoss()(np.zeros((2, 10)), np.array([3, 7]))
    >>> round(loss.item(), 4)  # ln 10: every class is equally likely
    2.3026
    """

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0) -> None:
        super().__init__(reduction)
        self._register_weight("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of logits `input` where `target` holds the right labels."""
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_Loss):
    """-log_probabilities[target], averaged; takes what LogSoftmax gives. See `tinycnn.functional.nll_loss`."""

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self._register_weight("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of log-probabilities `input` where `target` holds the right labels."""
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class MSELoss(_Loss):
    """The mean of (input - target)^2; see `tinycnn.functional.mse_loss`."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The squared difference."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The mean of |input - target|; see `tinycnn.functional.l1_loss`."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The absolute difference."""
        return F.l1_loss(input, target, reduction=self.reduction)


class BCELoss(_Loss):
    """-(t log p + (1 - t) log(1 - p)), averaged, of probabilities p; see `tinycnn.functional.binary_cross_entropy`."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of probabilities `input` against targets from 0 to 1."""
        return F.binary_cross_entropy(input, target, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """BCELoss of sigmoid(input), computed without forming it; see `tinycnn.functional.binary_cross_entropy_with_logits`."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of logits `input` against targets from 0 to 1."""
        return F.binary_cross_entropy_with_logits(input, target, reduction=self.reduction)
