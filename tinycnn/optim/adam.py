"""Adam and its relatives."""

from typing import Any

from .. import kernels
from ..kernels.tables import ArrayTable
from .optimizer import Bundle, Group, Optimizer

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps along the mean gradient, each number scaled by the root of its mean square.

    Formula
    -------
    g <- grad + weight_decay p   (-grad where `maximize`)
    m <- beta1 m + (1 - beta1) g
    v <- beta2 v + (1 - beta2) g^2
    p <- p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps),   t = 1, 2, ... the parameter's own count of
    steps

    With `amsgrad` the largest v so far takes v's place in the last line. With `decoupled_weight_decay` the first
    line is g <- grad, and
    p <- (1 - lr weight_decay) p comes before the last.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to optimise; see Optimizer.
    lr : float
        Learning rate: about the largest change of a number in one step.
    betas : (float, float)
        Shares of the old means of g and g^2 that are kept.
    eps : float
        Added to the root, so that numbers without gradient divide by something.
    weight_decay : float
        Factor of the penalty weight_decay / 2 |p|^2.
    amsgrad, maximize, decoupled_weight_decay : bool
        The variants above, and walking uphill.

    Raises
    ------
    ArgumentError
        If an option is out of range, or `params` is not what it should be.

    References
    ----------
    Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 1.
    Reddi, Kale and Kumar 2018, "On the convergence of Adam and beyond", algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor
    >>> x = Tensor(np.array([1.0, 1.0]), requires_grad=True)
    >>> x.grad = Tensor(np.array([1000.0, -0.001]))
    >>> Adam([x], lr=0.1).step()
    >>> x.detach().numpy().round(4)  # the first step is lr long whatever the gradient's size
    array([0.9, 1.1])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        self._require(group, "eps", least=0)
        self._require_betas(group)

    def _slots(self, group: Group) -> dict[str, float]:
        slots = {"exp_avg": 0.0, "exp_avg_sq": 0.0}
        return {**slots, "max_exp_avg_sq": 0.0} if group["amsgrad"] else slots

    def _update(self, group: Group, bundle: Bundle, gradients: ArrayTable) -> None:
        kernels.select("adam_step", bundle.arrays[0])(
            bundle.arrays,
            gradients,
            bundle.slots["exp_avg"],
            bundle.slots["exp_avg_sq"],
            bundle.slots.get("max_exp_avg_sq"),
            bundle.steps,
            group["lr"],
            *group["betas"],
            group["eps"],
            group["weight_decay"],
            group["decoupled_weight_decay"],
            group["maximize"],
        )


class AdamW(Adam):
    """Adam with decoupled weight decay: p <- (1 - lr weight_decay) p, apart from the gradient and its scaling.

    Formula
    -------
    p <- p - lr weight_decay p, and then Adam's step with g = grad.

    Parameters
    ----------
    params, lr, betas, eps, amsgrad, maximize
        As in Adam.
    weight_decay : float
        Share of a parameter that a step of lr 1 would remove.

    Notes
    -----
    In Adam a penalty's gradient is divided by the root of its own mean square, so that large weights are hardly
    decayed more than small ones.
    The paper's decay is not multiplied by the base learning rate, only by the schedule; PyTorch's, and this one, is
    multiplied by lr.

    References
    ----------
    Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)
