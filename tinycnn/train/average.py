"""A moving average of the weights, which jumps about less than the weights themselves and often classifies better."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import UsageError
from ..nn import Module
from ..tensor import Tensor


class WeightAverage:
    """The exponential moving average of everything in a model's state: weights and batch statistics.

    Formula
    -------
    after step t = 1, 2, ...: a <- a + (1 - d) (w - a), d = min(decay, (1 + t) / (10 + t)), so that the first weights are soon forgotten

    Parameters
    ----------
    model
        Whose state is averaged; the average begins at what it is now.
    decay
        Share of the average that stays at each step, below 1; 0.999 looks back over some thousand steps.

    Raises
    ------
    UsageError
        When the decay is out of range.

    Notes
    -----
    Whole numbers, such as batch normalisation's counter, are copied. torch's `AveragedModel` copies batch statistics unless told otherwise
    and has no warm-up; the warm-up is TensorFlow's `ExponentialMovingAverage(num_updates)`.

    References
    ----------
    Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging". Szegedy et al. 2016 (arXiv 1512.00567), section 8:
    evaluated with a running average.

    Examples
    --------
    >>> from tinycnn import nn
    >>> layer = nn.Linear(1, 1)
    >>> average = WeightAverage(layer, decay=0.999)
    >>> before = layer.weight.item()
    >>> layer.weight.data[...] += 1
    >>> average.update()
    >>> with average.in_place():
    ...     print(round(layer.weight.item() - before, 3))
    0.818
    """

    def __init__(self, model: Module, decay: float) -> None:
        if not 0 <= decay < 1:
            raise UsageError(f"WeightAverage: decay must lie in [0, 1), got {decay!r}")
        self.model, self.decay, self.steps = model, float(decay), 0
        self._current = model.state_dict()
        self._average = {name: value.data.copy() for name, value in self._current.items()}

    def update(self) -> None:
        """Move the average towards the weights as they are now."""
        self.steps += 1
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, average in self._average.items():
            value = self._current[name].data
            if average.dtype.kind == "f":
                average += average.dtype.type(share) * (value - average)
            else:
                average[...] = value

    @contextlib.contextmanager
    def in_place(self) -> Iterator[Module]:
        """Let the model have the averaged weights inside a `with` block, and its own again after it."""
        own = {name: value.data.copy() for name, value in self._current.items()}
        self._write(self._average)
        try:
            yield self.model
        finally:
            self._write(own)

    def copy_to_model(self) -> None:
        """Give the model the averaged weights for good."""
        self._write(self._average)

    def _write(self, arrays: dict[str, np.ndarray]) -> None:
        self.model.load_state_dict(arrays)

    def state_dict(self) -> dict[str, Any]:
        """The average and the number of its steps, to go on from."""
        return {"steps": self.steps, "average": dict(self._average)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.steps = int(state["steps"])
        for name, average in self._average.items():
            found = state["average"][name]
            average[...] = found.data if isinstance(found, Tensor) else found
