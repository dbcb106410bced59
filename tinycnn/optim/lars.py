"""Layer-wise adaptive rate scaling."""

from typing import Any

import numpy as np

from .optimizer import Group
from .plain import PlainOptimizer

__all__ = ["LARS"]


class LARS(PlainOptimizer):
    """Momentum whose rate is set for each parameter array by the ratio of its norm to its gradient's: for very large batches.

    Formula
    -------
    With norms over the whole array:
    q = trust_coefficient |p| / (|grad| + weight_decay |p| + eps), or 1 where |p| or |grad| is 0
    g <- q (grad + weight_decay p)   (-grad where `maximize`)
    b <- momentum b + g;   p <- p - lr b,   or with Nesterov p <- p - lr (g + momentum b)

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise; see Optimizer.
    lr : float
        Global learning rate.
    momentum : float
        Share of the last step that is kept.
    weight_decay : float
        Factor of the penalty weight_decay / 2 |p|^2.
    trust_coefficient : float or None
        How far a step may go, as a share of the array's norm. None turns the scaling off: for a group of biases and normalisation
        parameters, which are usually left out together with their weight decay.
    eps : float
        Added to the denominator.
    nesterov, maximize : bool
        Look ahead by the momentum first; walk uphill.

    Raises
    ------
    ArgumentError
        If an option is out of range, or `params` is not what it should be.

    Notes
    -----
    The paper has the rate inside the buffer, b <- momentum b + lr g; here it multiplies the buffer, as in this package's and PyTorch's SGD,
    which differs as soon as a schedule changes lr. PyTorch has no LARS.

    References
    ----------
    You, Gitman and Ginsburg 2017, "Large batch training of convolutional networks", algorithm 1.

    Examples
    --------
    >>> from tinycnn import Tensor
    >>> x = Tensor(np.array([3.0, 4.0]), requires_grad=True)
    >>> x.grad = Tensor(np.array([0.0, 10.0]))  # |p| = 5, |grad| = 10: q = 0.1 * 5 / 10
    >>> LARS([x], lr=1.0, momentum=0.0, trust_coefficient=0.1, eps=0.0).step()
    >>> x.detach().numpy()
    array([3. , 3.5])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.9,
        weight_decay: float = 0,
        trust_coefficient: float | None = 1e-3,
        eps: float = 1e-8,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "weight_decay": weight_decay,
                "trust_coefficient": trust_coefficient,
                "eps": eps,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        self._require(group, "momentum", least=0)
        self._require(group, "eps", least=0)
        if group["trust_coefficient"] is not None:
            self._require(group, "trust_coefficient", least=0)

    def _slots(self, group: Group) -> dict[str, float]:
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def _rule(self, group: Group, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], step: int) -> None:
        # g holds the weight decay already; the norm in the denominator is of the gradient alone.
        plain = g - group["weight_decay"] * p if group["weight_decay"] else g
        own, slope = (float(np.sqrt(np.square(array, dtype=np.float64).sum())) for array in (p, plain))
        if group["trust_coefficient"] is not None and own > 0 and slope > 0:
            g = group["trust_coefficient"] * own / (slope + group["weight_decay"] * own + group["eps"]) * g
        buffer = state.get("momentum_buffer")
        if buffer is not None:
            buffer *= group["momentum"]
            buffer += g
            g = g + group["momentum"] * buffer if group["nesterov"] else buffer
        p -= group["lr"] * g
