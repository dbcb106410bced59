"""A step of training in tinycnn, for the benchmarks; nothing of torch is imported here."""

from collections.abc import Callable

import numpy as np

import tinycnn


def tinycnn_step(model: tinycnn.nn.Module, x: np.ndarray, y: np.ndarray, *, lr: float, weight_decay: float = 0.0) -> Callable[[], float]:
    """A closure that trains our network one step on the batch: SGD with a momentum of 0.9."""
    optimizer = tinycnn.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)
    images, labels = tinycnn.Tensor(x), tinycnn.Tensor(y)

    def step() -> float:
        optimizer.zero_grad()
        loss = tinycnn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
