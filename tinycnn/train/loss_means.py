"""What a loss asks for: the squared error the mean of all that may be true, the absolute error the median, a narrow window the mode.

A degraded image leaves several clean images possible. Learned numbers, one a pixel, meet draws from them under three losses, with the engine's own
losses, gradients and optimiser; nothing here knows what a mean or a median is.

References
----------
Bishop 2006, "Pattern recognition and machine learning", section 1.5.5. Lehtinen et al. 2018, "Noise2Noise" (arXiv 1803.04189), section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import functional as F
from .. import optim
from ..errors import ArgumentError
from ..tensor import Tensor

Array = np.ndarray[Any, Any]


def window_loss(input: Any, target: Any, width: float = 0.1) -> Tensor:
    """One minus a Gaussian window around the target: with a narrow window only a direct hit counts, as in maximum a posteriori.

    Formula
    -------
    loss = mean over pictures of 1 - exp(-|x - u|^2 / (2 width^2 P)), |.|^2 over the P pixels of a picture

    Parameters
    ----------
    input : Tensor
        One picture, (...).
    target : array
        N of them, (N, ...).
    width : float
        Of the window, in the pictures' units.

    Examples
    --------
    >>> round(window_loss(np.array([0.0]), np.array([[0.0], [9.0]])).item(), 6)  # one hit, one miss
    0.5
    """
    if not width > 0:
        raise ArgumentError(f"window_loss: width must be above 0, not {width!r}")
    axes = tuple(range(1, np.ndim(target)))
    return 1 - F.mean(F.exp(F.mean(F.square(F.sub(input, target)), axes) * (-0.5 / width**2)))


@dataclass(frozen=True)
class LossMean:
    """What was learned under one loss, and what theory says."""

    loss: str
    asks_for: str  # "mean", "median" or "mode"
    learned: Array
    expected: Array

    @property
    def difference(self) -> float:
        """The largest between both."""
        return float(np.abs(self.learned - self.expected).max())


LOSSES: dict[str, str] = {"squared error (L2)": "mean", "absolute error (L1)": "median", "hit or miss (MAP)": "mode"}


def edge_pictures(size: int = 24) -> tuple[Array, Array]:
    """Clean images that one blurred image leaves possible: an edge at four places, and how likely each is.

    Returns
    -------
    pictures : (4, size, size)
    probabilities : (4,)

    Examples
    --------
    >>> pictures, probabilities = edge_pictures(8)
    >>> pictures[:, 0].sum(-1).tolist(), probabilities.tolist()
    ([6.0, 5.0, 3.0, 2.0], [0.4, 0.2, 0.2, 0.2])
    """
    if size < 8:
        raise ArgumentError(f"edge_pictures: size must be 8 or more, not {size}")
    places = [size // 4, 3 * size // 8, 5 * size // 8, 3 * size // 4]
    columns = np.arange(size)
    pictures = np.stack([np.broadcast_to(columns >= place, (size, size)) for place in places]).astype(np.float64)
    return pictures, np.array([0.4, 0.2, 0.2, 0.2])


def loss_means_experiment(pictures: Any, probabilities: Any, *, draws: int = 1000, steps: int = 300, rate: float = 0.03) -> list[LossMean]:
    """Learn one picture under each loss from draws of several.

    Parameters
    ----------
    pictures : (K, ...)
        What may be true.
    probabilities : (K,)
        How likely each is; their sum is 1.
    draws : int
        How many are drawn in all, each as often as its share says.
    steps, rate
        Of Adam, whose rate falls to nothing.

    Returns
    -------
    list of LossMean
        In the order of LOSSES.

    Raises
    ------
    ArgumentError
        Where probabilities and pictures do not fit.

    Notes
    -----
    The window starts wide, where its loss is nearly the squared error, and narrows while learning goes on: with a narrow one from the start nothing
    is near enough to be hit, and there is no gradient. Which mode it ends in is the one that wins on the way, here the likeliest.

    Examples
    --------
    >>> for found in loss_means_experiment([[0.0], [1.0], [4.0]], [0.3, 0.45, 0.25]):
    ...     print(found.asks_for, found.learned.round(2))
    mean [1.45]
    median [1.]
    mode [1.]
    """
    values, shares = np.asarray(pictures, np.float64), np.asarray(probabilities, np.float64)
    if shares.shape != values.shape[:1] or values.ndim < 2 or shares.min(initial=1) < 0 or abs(shares.sum() - 1) > 1e-9:
        raise ArgumentError(f"loss_means_experiment: pictures {values.shape} need as many probabilities, which add up to 1, got {shares.tolist()}")
    counts = np.round(shares * draws).astype(int)
    drawn = np.repeat(values, counts, axis=0)
    expected = {"mean": drawn.mean(0), "median": np.median(drawn, 0), "mode": values[int(counts.argmax())]}
    return [LossMean(name, what, _learn(what, drawn, steps, rate), expected[what]) for name, what in LOSSES.items()]


def _learn(what: str, drawn: Array, steps: int, rate: float) -> Array:
    spread = float(np.ptp(drawn)) or 1.0
    x = Tensor(drawn.mean(0) if what == "mode" else np.full(drawn.shape[1:], float(drawn.min())), requires_grad=True)
    optimizer = optim.Adam([x], lr=rate * spread)
    criteria: Mapping[str, Callable[[float], Tensor]] = {
        "mean": lambda _: F.mean(F.square(F.sub(x, drawn))),
        "median": lambda _: F.mean(F.abs(F.sub(x, drawn))),
        "mode": lambda progress: window_loss(x, drawn, spread * 0.02 ** progress),
    }
    for step in range(steps):
        progress = step / steps
        optimizer.param_groups[0]["lr"] = rate * spread * (1 + np.cos(np.pi * progress)) / 2
        optimizer.zero_grad()
        criteria[what](progress).backward()
        optimizer.step()
    return np.asarray(x.data)
