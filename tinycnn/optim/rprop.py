"""Resilient backpropagation."""

from typing import Any

import numpy as np

from ..errors import ArgumentError
from .optimizer import Group
from .plain import PlainOptimizer

__all__ = ["Rprop"]


class Rprop(PlainOptimizer):
    """Steps by the gradient's sign alone: each number has a step of its own, longer while the sign stays, shorter when it turns.

    Formula
    -------
    s <- min(max(s eta, smallest), largest), eta = etas[1] where grad and the last grad have one sign, etas[0] where they differ, else 1
    g <- 0 where the sign turned, else grad   (-grad where `maximize`)
    p <- p - s sign(g); the last grad <- g

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise; see Optimizer.
    lr : float
        The first step.
    etas : (float, float)
        Factors of the step, 0 < etas[0] < 1 < etas[1].
    step_sizes : (float, float)
        The shortest and the longest step.
    maximize : bool
        Walk uphill.

    Raises
    ------
    ArgumentError
        If an option is out of range, or `params` is not what it should be.

    Notes
    -----
    For whole-batch gradients: the sign of a mini-batch's gradient is mostly noise. As in PyTorch nothing is taken back when the loss rises
    (Rprop- in Igel and Huesken 2000).

    References
    ----------
    Riedmiller and Braun 1993, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm".

    Examples
    --------
    >>> from tinycnn import Tensor
    >>> x = Tensor(np.zeros(1), requires_grad=True)
    >>> optimizer = Rprop([x], lr=1.0)
    >>> for gradient in (-5.0, -0.1, 3.0, 1.0):  # steps 1, then 1.2, then the sign turns: 0.6, taken only at the next
    ...     x.grad = Tensor(np.array([gradient]))
    ...     optimizer.step()
    >>> x.detach().numpy().round(6)
    array([1.6])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize})

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        for option, first, second in (("etas", "shrink", "grow"), ("step_sizes", "shortest", "longest")):
            pair = group[option]
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise ArgumentError(f"Rprop: {option} must be two numbers, not {pair!r}")
            for name, value in zip((first, second), pair):
                self._require({f"{option} ({name})": value}, f"{option} ({name})", least=0)
        if not 0 < group["etas"][0] < 1 < group["etas"][1]:
            raise ArgumentError(f"Rprop: etas {group['etas']!r} must be one factor below 1 and one above; the default is (0.5, 1.2)")

    def _slots(self, group: Group) -> dict[str, float]:
        return {"prev": 0.0, "step_size": group["lr"]}

    def _rule(self, group: Group, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], step: int) -> None:
        last, length = state["prev"], state["step_size"]
        agreement = np.sign(g * last)
        kind = p.dtype.type
        shrink, grow = map(kind, group["etas"])
        length *= np.where(agreement > 0, grow, np.where(agreement < 0, shrink, kind(1)))
        np.clip(length, *group["step_sizes"], out=length)
        last[...] = np.where(agreement < 0, kind(0), g)
        p -= np.sign(last) * length
