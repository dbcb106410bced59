"""Networks with side branches answer several times in training; each answer has its loss."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .evaluate import LossFunction


def main_output(output: Any) -> Tensor:
    """The network's own logits: the output, or the first of several.

    Examples
    --------
    >>> import numpy as np
    >>> main_output((Tensor(np.zeros((1, 2))), None)).shape
    (1, 2)
    """
    first = output[0] if isinstance(output, tuple | list) else output
    return first if isinstance(first, Tensor) else Tensor(first)


def with_side_branches(criterion: LossFunction, weight: float = 0.3) -> LossFunction:
    """A criterion for the outputs of a network that may have side branches.

    Formula
    -------
    loss = criterion(main, target) + weight sum over branches of criterion(branch, target)

    Parameters
    ----------
    criterion
        Called as criterion(output, target).
    weight
        Of each branch; GoogLeNet's paper has 0.3, torchvision's recipe for Inception v3 has 0.4.

    Returns
    -------
    function
        Called as loss(output, target), where output is a tensor, or a tuple of the main output and the branches'. None stands for a branch
        that is switched off.

    References
    ----------
    Szegedy et al. 2015, "Going deeper with convolutions", section 5. Lee et al. 2015, "Deeply-supervised nets".

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import functional
    >>> loss = with_side_branches(functional.cross_entropy, 0.5)
    >>> logits = np.zeros((1, 2), np.float32)
    >>> round(loss((logits, logits, None), np.array([0])).item(), 4), round(functional.cross_entropy(logits, np.array([0])).item(), 4)
    (1.0397, 0.6931)
    """

    def loss(output: Any, target: Tensor) -> Tensor:
        if not isinstance(output, tuple | list):
            return criterion(output, target)
        total = criterion(output[0], target)
        for branch in output[1:]:
            if branch is not None and weight:
                total = total + criterion(branch, target) * weight
        return total

    return loss
