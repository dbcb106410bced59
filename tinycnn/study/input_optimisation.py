"""The image as the unknown: gradient descent on pixels, the weights stay. Style transfer and activation maximisation are this and a loss."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import optim
from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor

__all__ = ["InputRun", "optimise_image"]

Array = np.ndarray[Any, Any]
Terms = Callable[[Tensor], dict[str, Tensor]]

RATES = {"lbfgs": 1.0, "adam": 0.02}


@dataclass(frozen=True)
class InputRun:
    """An image that was searched for."""

    image: Array  # (C, H, W), cut to 0..1
    losses: list[dict[str, float]] = field(repr=False)  # of each evaluation, the weighted terms and their sum as "total"
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, without the pixels."""
        return {"first": self.losses[0], "last": self.losses[-1], "evaluations": len(self.losses), "seconds": self.seconds}


def optimise_image(
    start: Any,
    terms: Terms,
    *,
    optimizer: str = "lbfgs",
    steps: int = 50,
    rate: float | None = None,
    after_step: Callable[[int, Array], None] | None = None,
) -> InputRun:
    """Change an image until a loss is small.

    Formula
    -------
    X* = argmin over X of the sum of terms(X)

    Parameters
    ----------
    start : (C, H, W)
        Where to begin, floats from 0 to 1.
    terms : callable
        Gives the loss in parts, by name, for an image (1, C, H, W).
    optimizer : "lbfgs" or "adam"
        L-BFGS with a line search needs fewer evaluations and more memory; its steps are evaluations of the loss.
    steps : int
        How many, at most.
    rate : float, optional
        The first step that L-BFGS tries, or Adam's learning rate; 1 and 0.02 if left out.
    after_step : callable, optional
        Called with the number and the image (1, C, H, W) after each step of Adam; it may change the pixels in place.

    Raises
    ------
    ArgumentError, ShapeError
        If they do not fit.

    Examples
    --------
    >>> from tinycnn import functional as F
    >>> run = optimise_image(np.zeros((1, 2, 2)), lambda x: {"distance": F.mse_loss(x, np.full((1, 1, 2, 2), 0.25))}, steps=5)
    >>> run.image.round(4).tolist()
    [[[0.25, 0.25], [0.25, 0.25]]]
    """
    pixels = np.array(start)
    if pixels.ndim != 3 or pixels.dtype.kind != "f":
        raise ShapeError(f"optimise_image: start must be floats of shape (C, H, W), got {pixels.dtype} of {pixels.shape}")
    if optimizer not in RATES:
        raise ArgumentError(f"optimise_image: optimizer {optimizer!r} is not one of {', '.join(RATES)}")
    if steps < 1 or (rate is not None and not rate > 0):
        raise ArgumentError(f"optimise_image: needs steps >= 1 and a rate above 0, got {steps} and {rate}")
    if after_step is not None and optimizer != "adam":
        raise ArgumentError("optimise_image: after_step changes the image behind L-BFGS' back; take optimizer='adam'")
    image = Tensor(pixels[None], requires_grad=True)
    losses: list[dict[str, float]] = []

    def closure() -> Tensor:
        image.grad = None
        parts = terms(image)
        total = sum(parts.values(), start=Tensor(np.zeros((), pixels.dtype)))
        total.backward()
        losses.append({name: float(part.item()) for name, part in parts.items()} | {"total": float(total.item())})
        return total

    started = time.perf_counter()
    speed = RATES[optimizer] if rate is None else rate
    if optimizer == "lbfgs":
        # Zero tolerances: in float32 the loss of small features would stop it at once.
        search = optim.LBFGS([image], speed, steps, steps, 0.0, 0.0, 20, "strong_wolfe")
        search.step(closure)
    else:
        adam = optim.Adam([image], lr=speed)
        for step in range(steps):
            closure()
            adam.step()
            np.clip(image.data, 0, 1, out=image.data)
            if after_step is not None:
                after_step(step, image.data)
            image._wrote()
    return InputRun(np.clip(image.data[0], 0, 1), losses, time.perf_counter() - started)
