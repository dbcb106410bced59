"""Optimisers whose rule is NumPy on one parameter at a time: rare ones, which need no kernel of their own."""

import numpy as np

from ..kernels.tables import ArrayTable
from .optimizer import Bundle, Group, Optimizer

__all__ = ["PlainOptimizer"]


class PlainOptimizer(Optimizer):
    """A subclass gives `_rule`; the sign of `maximize` and weight decay are taken care of here."""

    def _rule(self, group: Group, p: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], step: int) -> None:
        """Change p, and the arrays of its state, in place; `step` counts from 1."""
        raise NotImplementedError

    def _update(self, group: Group, bundle: Bundle, gradients: ArrayTable) -> None:
        decay = group.get("weight_decay", 0)
        for i, (p, gradient) in enumerate(zip(bundle.arrays, gradients, strict=True)):
            g = -gradient if group["maximize"] else gradient
            if decay and group.get("decoupled_weight_decay"):
                p *= 1 - group["lr"] * decay
            elif decay:
                g = g + decay * p
            state = {name: table[i] for name, table in bundle.slots.items()}
            state.update({name: row[i : i + 1].reshape(()) for name, row in bundle.numbers.items()})
            with np.errstate(all="ignore"):
                self._rule(group, p, g, state, int(bundle.steps[i]))


def move_towards(average: np.ndarray, value: np.ndarray, share: float) -> None:
    """average <- share average + (1 - share) value, in place."""
    average *= share
    average += (1 - share) * value
