"""How general is what each layer has learned? The first parts of one task's network are given to another task's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import random as tinycnn_random
from ..data import Subset
from ..errors import UsageError
from ..nn import Module, freeze_except
from .config import TrainConfig, build_optimizer, build_scheduler
from .loop import train
from .parts import model_parts
from .prepare import build_loaders
from .surgery import replace_head


class PartTransfer(NamedTuple):
    """The second task's test accuracy with so many parts of the first task's network."""

    parts: int  # kept, from the input on
    until: str  # the last part kept; "-" for none
    frozen: float
    tuned: float


class ClassHalf(Subset):
    """The samples of some classes, numbered from 0 anew.

    Parameters
    ----------
    dataset : Dataset
        With `labels()`.
    first, last : int
        The classes from first up to, not including, last.
    """

    def __init__(self, dataset: Any, first: int, last: int) -> None:
        labels = dataset.labels()
        super().__init__(dataset, np.flatnonzero((labels >= first) & (labels < last)))
        if not len(self.indices):
            raise UsageError(f"ClassHalf: no sample has a class from {first} to {last - 1}")
        self.first = first
        self.classes = tuple(self.classes[first:last])

    def labels(self) -> np.ndarray:
        """The labels, from 0."""
        return super().labels() - self.first

    def picture(self, index: int) -> tuple[np.ndarray, int]:
        """One picture before the transform, and its label from 0."""
        picture, label = super().picture(index)
        return picture, label - self.first

    def sample(self, index: int, generator: np.random.Generator | None = None) -> Any:
        """One sample with its label from 0."""
        image, label = super().sample(index, generator)
        return image, label - self.first

    def batch(self, indices: np.ndarray, generators: Any = None) -> tuple[np.ndarray, ...]:
        """Many samples with their labels from 0."""
        images, labels = super().batch(indices, generators)
        return images, labels - self.first


def split_classes(dataset: Any, half: int) -> ClassHalf:
    """The first (0) or the second (1) half of a data set's classes.

    Raises
    ------
    UsageError
        When there are fewer than four classes.
    """
    count = len(dataset.classes)
    if count < 4:
        raise UsageError(f"split_classes: {count} classes are too few for two tasks; at least 4 are needed")
    return ClassHalf(dataset, 0, count // 2) if half == 0 else ClassHalf(dataset, count // 2, count)


def layer_transfer(
    build_model: Callable[[], Module],
    first: Sequence[Any],
    second: Sequence[Any],
    classes: Sequence[int],
    config: TrainConfig,
) -> list[PartTransfer]:
    """Train on a first task, then on a second with more and more of the first network's parts kept.

    Parameters
    ----------
    build_model
        Makes a fresh network.
    first, second
        Training and test set of each task.
    classes
        Of each task.
    config
        The same for every training.

    Returns
    -------
    list of PartTransfer
        From no part kept to all but the head. Frozen, early parts cost little when they are general; late ones cost more, as they are
        specific to the first task. Fine-tuned, they should never cost anything.

    References
    ----------
    Yosinski, Clune, Bengio, Lipson 2014, "How transferable are features in deep neural networks?", figures 1 and 2.
    """
    base, _ = _learn(build_model, first, classes[0], config)
    state = {name: value.data.copy() for name, value in base.state_dict().items()}
    names = [name for name in model_parts(base) if name not in ("head", "neck")]
    runs = []
    for count in range(len(names) + 1):
        kept = [path for name in names[:count] for path in model_parts(base)[name]]
        accuracies = []
        for frozen in (True, False) if count else (False,):
            _, accuracy = _learn(build_model, second, classes[1], config, kept, state, frozen)
            accuracies.append(accuracy)
        runs.append(PartTransfer(count, names[count - 1] if count else "-", accuracies[0], accuracies[-1]))
    return runs


def _learn(
    build_model: Callable[[], Module],
    sets: Sequence[Any],
    classes: int,
    config: TrainConfig,
    kept: Sequence[str] = (),
    state: dict[str, np.ndarray] | None = None,
    frozen: bool = False,
) -> tuple[Module, float]:
    """Train a fresh network with some modules' weights from elsewhere; the network and its last test accuracy."""
    tinycnn_random.manual_seed(config.seed)
    model = build_model()
    replace_head(model, classes)
    own = {name: array for name, array in (state or {}).items() if any(name.startswith(f"{path}.") for path in kept)}
    model.load_state_dict(own, strict=False)
    if frozen:
        free = [path for paths in model_parts(model).values() for path in paths if path not in kept]
        freeze_except(model, free)
    train_loader, test_loader = build_loaders(sets[0], sets[1], config)
    optimizer = build_optimizer(model, config)
    scheduler = build_scheduler(optimizer, config, -(-len(train_loader) // config.accumulate))
    result = train(model, train_loader, test_loader, optimizer, scheduler, config, show=False)
    return model, result.epochs[-1].test_accuracy
