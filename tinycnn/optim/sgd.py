"""Stochastic gradient descent."""

from typing import Any

from .. import kernels
from ..errors import ArgumentError
from ..kernels.tables import ArrayTable
from .optimizer import Bundle, Group, Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent with momentum, Nesterov's variant and weight decay.

    Formula
    -------
    g <- grad + weight_decay p   (-grad where `maximize`)
    b <- g in a parameter's first step, momentum b + (1 - dampening) g afterwards
    p <- p - lr b,   or with Nesterov p <- p - lr (g + momentum b)

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise; see Optimizer.
    lr : float
        Learning rate: length of a step for a gradient of 1.
    momentum : float
        Share of the last step that is kept.
    dampening : float
        Share of the gradient that momentum leaves out.
    weight_decay : float
        Factor of the penalty weight_decay / 2 |p|^2.
    nesterov : bool
        Look ahead by the momentum first; needs momentum and no dampening.
    maximize : bool
        Walk uphill.

    Raises
    ------
    ArgumentError
        If an option is out of range, or `params` is not what it should be.

    Notes
    -----
    As in PyTorch the learning rate multiplies the whole buffer: p <- p - lr b. Polyak's and Sutskever's form has it
    inside, b <- momentum b + lr g, which differs as soon as a schedule changes lr.

    References
    ----------
    Polyak 1964, "Some methods of speeding up the convergence of iteration methods".
    Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", equations 1 to 4.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor
    >>> x = Tensor(np.array([1.0]), requires_grad=True)
    >>> optimizer = SGD([x], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     x.grad = Tensor(2 * x.data)  # of the loss x^2
    ...     optimizer.step()
    >>> x.detach().numpy()  # 1 - 0.1 2 = 0.8;  0.8 - 0.1 (0.9 2 + 1.6) = 0.46
    array([0.46])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        self._require(group, "momentum", least=0)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ArgumentError(
                f"SGD: nesterov needs momentum > 0 and dampening = 0, not {group['momentum']!r} and {group['dampening']!r}; try momentum=0.9"
            )

    def _slots(self, group: Group) -> dict[str, float]:
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def _update(self, group: Group, bundle: Bundle, gradients: ArrayTable) -> None:
        kernels.select("sgd_step", bundle.arrays[0])(
            bundle.arrays,
            gradients,
            bundle.slots.get("momentum_buffer"),
            bundle.fresh,
            group["lr"],
            group["momentum"],
            group["dampening"],
            group["weight_decay"],
            group["nesterov"],
            group["maximize"],
        )
