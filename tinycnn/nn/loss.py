"""Losses of scores, probabilities and numbers as modules. Options that torch has behind its two retired arguments (size_average and reduce)
are keyword-only, as positions would not mean the same.
"""

from typing import Any

from .. import functional as F
from ..errors import ArgumentError, ShapeError
from ..functional._arguments import as_tensor, one_of
from ..functional._losses import real
from ..tensor import Tensor
from .module import Module

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
]


class ReducedLoss(Module):
    """Keeps the reduction: "mean", "sum" or "none"."""

    names: tuple[str, ...] = ("mean", "sum", "none")

    def __init__(self, reduction: str) -> None:
        super().__init__()
        self.reduction = one_of(type(self).__name__, "reduction", reduction, self.names)

    def _register_weight(self, name: str, weight: Any) -> None:
        self.register_buffer(name, None if weight is None else as_tensor(weight))


class CrossEntropyLoss(ReducedLoss):
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
    Takes logits, not probabilities: no Softmax before it. The target may hold probabilities.

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
        """The loss of logits `input` where `target` holds the right labels, or their probabilities."""
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(ReducedLoss):
    """-log_probabilities[target], averaged; takes what LogSoftmax gives. See `tinycnn.functional.nll_loss`."""

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self._register_weight("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of log-probabilities `input` where `target` holds the right labels."""
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class MSELoss(ReducedLoss):
    """The mean of (input - target)^2; see `tinycnn.functional.mse_loss`."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The squared difference."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(ReducedLoss):
    """The mean of |input - target|; see `tinycnn.functional.l1_loss`."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The absolute difference."""
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(ReducedLoss):
    """|input - target|, rounded off below beta; see `tinycnn.functional.smooth_l1_loss`."""

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = real("SmoothL1Loss", "beta", beta, "a number >= 0", lambda x: x >= 0)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of predictions `input`."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(ReducedLoss):
    """A parabola up to delta, lines beyond; see `tinycnn.functional.huber_loss`."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = real("HuberLoss", "delta", delta, "a number > 0", lambda x: x > 0)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of predictions `input`."""
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCELoss(ReducedLoss):
    """-(t log p + (1 - t) log(1 - p)), averaged, of probabilities p; see `tinycnn.functional.binary_cross_entropy`."""

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self._register_weight("weight", weight)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of probabilities `input` against targets from 0 to 1."""
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(ReducedLoss):
    """BCELoss of sigmoid(input), computed without forming it; see `tinycnn.functional.binary_cross_entropy_with_logits`."""

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self._register_weight("weight", weight)
        self._register_weight("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of logits `input` against targets from 0 to 1."""
        return F.binary_cross_entropy_with_logits(
            input, target, weight=self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(ReducedLoss):
    """The Kullback-Leibler divergence; "batchmean" is that of the definition. See `tinycnn.functional.kl_div`."""

    names = ("mean", "sum", "none", "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of log-probabilities `input` against the distribution `target`."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(ReducedLoss):
    """The negative log-likelihood of counts; see `tinycnn.functional.poisson_nll_loss`."""

    def __init__(self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of expected counts (or their logarithms) `input`."""
        return F.poisson_nll_loss(input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction)


class GaussianNLLLoss(ReducedLoss):
    """The negative log-likelihood of numbers under predicted means and variances; see `tinycnn.functional.gaussian_nll_loss`."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any, var: Any) -> Tensor:
        """The loss of means `input` and variances `var`."""
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class SoftMarginLoss(ReducedLoss):
    """log(1 + e^(-y z)) of answers y, 1 or -1; see `tinycnn.functional.soft_margin_loss`."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of scores `input`."""
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(ReducedLoss):
    """The multi-class hinge of Weston and Watkins; see `tinycnn.functional.multi_margin_loss`."""

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if isinstance(p, bool) or p not in (1, 2):
            raise ArgumentError(f"MultiMarginLoss: p must be 1 or 2, not {p!r}")
        self._register_weight("weight", weight)
        if self.weight is not None and self.weight.ndim != 1:
            raise ShapeError(f"MultiMarginLoss: weight has shape {self.weight.shape}; it must be (C,), one number a class")
        self.p = p
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of scores `input` where `target` holds the right labels."""
        return F.multi_margin_loss(input, target, self.p, self.margin, self.weight, reduction=self.reduction)


class MultiLabelMarginLoss(ReducedLoss):
    """The hinge for several right classes; see `tinycnn.functional.multilabel_margin_loss`."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of scores `input` where `target` lists the right labels, ended by -1."""
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(ReducedLoss):
    """One yes-or-no question a class; see `tinycnn.functional.multilabel_soft_margin_loss`."""

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self._register_weight("weight", weight)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss of scores `input` against targets from 0 to 1."""
        return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)
