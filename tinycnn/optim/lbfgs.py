"""Limited-memory BFGS: a quasi-Newton method for losses that are the same at every call."""

import copy
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..autograd import enable_grad
from ..errors import ArgumentError
from ..functional._arguments import whole
from ..tensor import Tensor
from .line_search import Trial, strong_wolfe
from .optimizer import Group, Optimizer

__all__ = ["LBFGS"]

CURVED = 1e-10  # a pair of changes below this curvature says nothing of the Hessian


class LBFGS(Optimizer):
    """Steps along H g, H an estimate of the inverse Hessian from the last changes of parameters and gradient.

    Formula
    -------
    With all parameters as one vector x, s = x_(k+1) - x_k and y = g_(k+1) - g_k kept for the last `history_size` steps:
    d = -H g by the two-loop recursion, H_0 = (s y / y y) I;  x <- x + t d, t = lr, or found by the line search.

    Parameters
    ----------
    params : iterable of Tensor
        What to optimise, in one group.
    lr : float
        The step, or the first one that the line search tries; the very first step is at most lr / sum |g|.
    max_iter : int
        Iterations in one call of `step`.
    max_eval : int, optional
        Evaluations of the loss in one call; 5/4 of max_iter if left out.
    tolerance_grad : float
        Stop when no number of the gradient is larger.
    tolerance_change : float
        Stop when neither the loss nor any parameter changes by more.
    history_size : int
        Pairs (s, y) that are kept: the memory is 2 history_size vectors.
    line_search_fn : None or "strong_wolfe"
        How t is found.

    Raises
    ------
    ArgumentError
        If an option is out of range, `params` has several groups, or `step` is called without a closure.

    Notes
    -----
    `step(closure)` calls the closure several times: it must clear the gradients, compute the loss, run backward and return the loss.
    Dropout and changing batches make the loss another function each time, which the method cannot bear.

    References
    ----------
    Liu and Nocedal 1989, "On the limited memory BFGS method for large scale optimization".
    Nocedal and Wright 2006, "Numerical optimization", algorithms 7.4 and 7.5.

    Examples
    --------
    >>> from tinycnn import Tensor
    >>> x = Tensor(np.array([-1.2, 1.0]), requires_grad=True)
    >>> optimizer = LBFGS([x], max_iter=100, tolerance_change=1e-14, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     a, b = x[0], x[1]
    ...     loss = (1 - a) ** 2 + 100 * (b - a**2) ** 2  # Rosenbrock's valley, least at (1, 1)
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> x.detach().numpy().round(5)
    array([1., 1.])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        whole("LBFGS", "max_iter", max_iter, 1)
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Refused beyond the first: all parameters are one vector with one step."""
        if self.param_groups:
            raise ArgumentError("LBFGS: there can be one parameter group only, because all parameters are one vector; pass one list")
        super().add_param_group(param_group)

    def _check_options(self, group: Group) -> None:
        super()._check_options(group)
        for option in ("max_iter", "max_eval", "history_size"):
            whole("LBFGS", option, group[option], 1)
        self._require(group, "tolerance_grad", least=0)
        self._require(group, "tolerance_change", least=0)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ArgumentError(f'LBFGS: line_search_fn {group["line_search_fn"]!r} is neither None nor "strong_wolfe"')

    # The parameters as one vector

    def _gradient(self) -> np.ndarray:
        parts = []
        for parameter in self._parameters():
            gradient = np.zeros(parameter.shape, parameter.dtype) if parameter.grad is None else parameter.grad.data
            if gradient.shape != parameter.shape:
                raise ArgumentError(f"LBFGS: a parameter has shape {parameter.shape}, its gradient {gradient.shape}; they must be alike")
            parts.append(gradient.reshape(-1))
        return np.concatenate(parts)

    def _walk(self, step: float, direction: np.ndarray) -> None:
        """x <- x + step direction."""
        start = 0
        for parameter in self._parameters():
            stop = start + parameter.data.size
            parameter.data += (step * direction[start:stop]).reshape(parameter.shape).astype(parameter.dtype, copy=False)
            parameter._wrote()
            start = stop

    def _trial(self, closure: Callable[[], Any], direction: np.ndarray, step: float) -> Trial:
        """Loss and gradient at x + step direction; x is as before afterwards."""
        kept = [parameter.data.copy() for parameter in self._parameters()]
        self._walk(step, direction)
        loss, gradient = self._evaluate(closure)
        for parameter, values in zip(self._parameters(), kept, strict=True):
            parameter.data[...] = values
            parameter._wrote()
        return Trial(step, loss, gradient, float(gradient @ direction))

    def _evaluate(self, closure: Callable[[], Any]) -> tuple[float, np.ndarray]:
        with enable_grad():
            loss = closure()
        return float(loss), self._gradient()

    # A step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to `max_iter` iterations; returns the closure's first result.

        Parameters
        ----------
        closure : function
            Clears the gradients, computes the loss, runs backward and returns the loss.
        """
        if closure is None:
            raise ArgumentError("LBFGS.step: needs a closure that clears gradients, computes the loss, runs backward and returns the loss")
        for parameter in self._parameters():
            self._check_parameter(parameter)
        group = self.param_groups[0]
        state = self.state.setdefault(group["params"][0], {"func_evals": 0, "n_iter": 0})
        with enable_grad():
            first = closure()
        loss, gradient = float(first), self._gradient()
        state["func_evals"] += 1
        self.steps_taken += 1
        if not gradient.size or np.abs(gradient).max() <= group["tolerance_grad"]:
            return first
        self._iterate(group, state, closure, loss, gradient)
        return first

    def _iterate(self, group: Group, state: dict[str, Any], closure: Callable[[], Any], loss: float, gradient: np.ndarray) -> None:
        evaluations = 1
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self._direction(state, gradient, group["history_size"])
            state.update(d=direction, prev_flat_grad=gradient.copy(), prev_loss=loss)
            fresh = state["n_iter"] == 1
            state["t"] = step = min(1.0, 1.0 / float(np.abs(gradient).sum())) * group["lr"] if fresh else group["lr"]
            slope = float(gradient @ direction)
            if slope > -group["tolerance_change"]:
                return
            before, cost = loss, 0
            if group["line_search_fn"] is not None:
                start = Trial(0.0, loss, gradient, slope)
                reach, most = float(np.abs(direction).max()), group["max_eval"] - evaluations
                evaluate = functools.partial(self._trial, closure, direction)
                found, cost = strong_wolfe(evaluate, start, step, reach, most)
                state["t"], loss, gradient = found.step, found.loss, found.gradient
                self._walk(found.step, direction)
            else:
                self._walk(step, direction)
                if iteration != group["max_iter"]:
                    # After the last step nobody looks at the loss any more.
                    (loss, gradient), cost = self._evaluate(closure), 1
            evaluations += cost
            state["func_evals"] += cost
            still = np.abs(state["t"] * direction).max() <= group["tolerance_change"] or abs(loss - before) < group["tolerance_change"]
            if evaluations >= group["max_eval"] or np.abs(gradient).max() <= group["tolerance_grad"] or still:
                return

    def _direction(self, state: dict[str, Any], gradient: np.ndarray, history: int) -> np.ndarray:
        """-H gradient, after the newest pair of changes has been added to the memory."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -gradient
        change, moved = gradient - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = float(change @ moved)
        changes, moves, inverses = state["old_dirs"], state["old_stps"], state["ro"]
        if curvature > CURVED:
            if len(changes) == history:
                for kept in (changes, moves, inverses):
                    del kept[0]
            changes.append(change)
            moves.append(moved)
            inverses.append(1.0 / curvature)
            state["H_diag"] = curvature / float(change @ change)
        direction = -gradient
        shares = [0.0] * len(changes)
        for i in reversed(range(len(changes))):
            shares[i] = float(moves[i] @ direction) * inverses[i]
            direction = direction - shares[i] * changes[i]
        direction = direction * state["H_diag"]
        for y, s, inverse, share in zip(changes, moves, inverses, shares, strict=True):
            direction = direction + (share - float(y @ direction) * inverse) * s
        return direction

    # Saving and loading: the state is one for all parameters, and lies with the first

    def _copied_out(self, own: dict[str, Any]) -> dict[str, Any]:
        return copy.deepcopy(own)

    def _copied_in(self, parameter: Tensor, number: Any, own: Mapping[str, Any]) -> dict[str, Any]:
        return copy.deepcopy(dict(own))
