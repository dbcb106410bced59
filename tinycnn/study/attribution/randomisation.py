"""The sanity check: a map that stays when the network forgets what it learned explains the image, not the network."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...nn import Module
from .methods import METHODS, attribute, method_named
from .probe import Probe

__all__ = ["Randomisation", "randomisation", "rank_correlation"]


@dataclass(frozen=True)
class Randomisation:
    """How like the true map each method's map stays, layer after layer from the top."""

    layers: tuple[str, ...]  # randomised so far, the last of them newly
    likeness: dict[str, tuple[float, ...]]  # a method's rank correlations, one a layer

    def text(self) -> str:
        """A line a layer."""
        width = max(len(name) for name in (*self.layers, "randomised up to"))
        lines = [f"{'randomised up to':<{width}}  " + "  ".join(f"{name:>20}" for name in self.likeness)]
        for row, layer in enumerate(self.layers):
            lines.append(f"{layer:<{width}}  " + "  ".join(f"{values[row]:>20.3f}" for values in self.likeness.values()))
        return "\n".join(lines)


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's: the correlation of the ranks; 0 where one of them is the same everywhere."""
    from scipy.stats import rankdata

    first, second = (rankdata(part.reshape(-1)) for part in (one, other))
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size else 0.0


def randomisation(
    model: Module, input: Any, methods: Sequence[str] = ("grad_cam", "saliency", "guided_backprop"), target: Any = None, *, seed: int = 0
) -> Randomisation:
    """Replace the weights by random ones, layer by layer from the classifier down, and compare each method's map with the true one.

    Parameters
    ----------
    model, input, target
        As in `attribute`; the class is fixed by the true network.
    methods : sequence of str
        Keys of `METHODS`.
    seed : int
        Decides the random weights: each weight tensor's own numbers in another order, so that their distribution stays.

    Returns
    -------
    Randomisation
        Rank correlations of magnitudes; a method that passes falls towards 0.

    Raises
    ------
    ArgumentError
        Without methods; and as `attribute`.

    References
    ----------
    Adebayo, Gilmer, Muelly, Goodfellow, Hardt and Kim 2018, "Sanity checks for saliency maps", section 4.

    Examples
    --------
    >>> from tinycnn import models
    >>> check = randomisation(models.lenet5(), np.eye(28, dtype=np.float32)[None, None], ["saliency"])
    >>> check.layers
    ('fc3', 'fc2', 'fc1', 'conv2', 'conv1')
    """
    names = [method_named(name) for name in methods]
    if not names:
        raise ArgumentError(f"randomisation: name at least one method; there are {', '.join(METHODS)}")
    wanted = Probe("randomisation", model, input, target).target
    true = {name: np.abs(attribute(model, input, name, wanted).map) for name in names}
    forgetful = copy.deepcopy(model)
    random = np.random.default_rng(seed)
    layers: list[str] = []
    likeness: dict[str, list[float]] = {name: [] for name in names}
    weighty = [(path, module) for path, module in forgetful.named_modules() if getattr(module, "weight", None) is not None and module.weight.ndim > 1]
    for path, module in reversed(weighty):
        values = module.weight.data
        values[...] = random.permutation(values.reshape(-1)).reshape(values.shape)
        layers.append(path or type(module).__name__)
        for name in names:
            likeness[name].append(rank_correlation(true[name], np.abs(attribute(forgetful, input, name, wanted).map)))
    return Randomisation(tuple(layers), {name: tuple(values) for name, values in likeness.items()})
