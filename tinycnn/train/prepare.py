"""From a config to the five things that a run needs, all drawn from the config's seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import optim
from .. import random as tinycnn_random
from ..data import DataLoader
from ..nn import Module, init
from ..tensor import Tensor
from .augment import augmented, mixing
from .config import INITIALISATIONS, TrainConfig, build_optimizer, build_scheduler, one_of
from .evaluate import as_batch

TEST_BATCH = 250  # images: large enough to be fast, small enough for the cache
LSUV_IMAGES = 256


class Prepared(NamedTuple):
    """The first five arguments of `train`, in its order: ``train(*prepared, config)``."""

    model: Module
    train_loader: DataLoader
    test_loader: DataLoader
    optimizer: optim.Optimizer
    scheduler: Any


def prepare(build_model: Callable[[], Module], train_set: Any, test_set: Any, config: TrainConfig) -> Prepared:
    """Seed everything, build and initialise the model, and make loaders, optimiser and schedule for a run.

    Parameters
    ----------
    build_model
        Makes the model, drawing its weights from `tinycnn.random`.
    train_set, test_set
        Data sets of (image, label). One whose transform is not random yet gets the config's augmentation.
    config
        The run's hyper-parameters.

    Raises
    ------
    UsageError
        When the config asks for augmentation and `train_set` cannot take another transform.

    Examples
    --------
    >>> from tinycnn import models, train
    >>> from tinycnn.data import TensorDataset
    >>> images = np.zeros((8, 1, 28, 28), np.float32)
    >>> data_set = TensorDataset(images, np.arange(8))
    >>> run = train.prepare(models.lenet5, data_set, data_set, train.TrainConfig(epochs=1, batch_size=4))
    >>> len(run.train_loader)
    2
    """
    tinycnn_random.manual_seed(config.seed)
    model = build_model()
    train_loader, test_loader = build_loaders(augmented(train_set, config), test_set, config)
    initialise(model, config.initialisation, train_loader)
    optimizer = build_optimizer(model, config)
    scheduler = build_scheduler(optimizer, config, math.ceil(len(train_loader) / config.accumulate))
    return Prepared(model, train_loader, test_loader, optimizer, scheduler)


def build_loaders(train_set: Any, test_set: Any, config: TrainConfig) -> tuple[DataLoader, DataLoader]:
    """A shuffling loader whose order follows from (seed, epoch), and one in the data set's order."""
    train_loader = DataLoader(
        train_set,
        config.batch_size,
        shuffle=True,
        generator=np.random.default_rng(config.seed),
        batch_transform=mixing(config, train_set),
    )
    return train_loader, DataLoader(test_set, TEST_BATCH, generator=np.random.default_rng(config.seed))


def initialise(model: Module, scheme: str, batches: Any) -> None:
    """Draw all weights of two or more axes anew by a scheme, and set their biases to zero.

    Parameters
    ----------
    model
        Changed in place.
    scheme
        One of INITIALISATIONS; "default" leaves what the layers drew when they were built.
    batches
        A loader; LSUV looks at its first images.

    Raises
    ------
    UsageError
        For a scheme that does not exist, naming the nearest one.
    """
    one_of("initialisation", scheme, INITIALISATIONS)
    if scheme == "default":
        return
    if scheme == "lsuv":
        init.lsuv_(model, first_images(batches, LSUV_IMAGES))
        return
    rules: dict[str, Callable[[Any], Any]] = {
        "xavier": init.xavier_uniform_,
        "he": init.kaiming_normal_,
        "lecun": init.lecun_normal_,
        "normal": lambda weight: init.normal_(weight, 0.0, 0.01),
        "zeros": init.zeros_,
    }
    for module in model.modules():
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if isinstance(weight, Tensor) and weight.requires_grad and weight.ndim >= 2:
            rules[scheme](weight)
            if isinstance(bias, Tensor):
                init.zeros_(bias)


def first_images(batches: Any, count: int) -> Tensor:
    """Up to `count` images from the loader's first batches."""
    found: list[np.ndarray] = []
    for batch in batches:
        found.append(as_batch(batch)[0].data)
        if sum(map(len, found)) >= count:
            break
    return Tensor(np.concatenate(found)[:count])
