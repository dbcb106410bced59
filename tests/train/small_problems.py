"""Small problems that a small net learns in a second."""

import numpy as np

from tinycnn import nn
from tinycnn.data import TensorDataset
from tinycnn.nn import Module


def make_small_net() -> Module:
    """16 pixels to 3 classes, with dropout, so that a resumed run must find its place in the random stream."""
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 24, activation="relu"), nn.Dropout(0.2), nn.Linear(24, 3))


def make_stripes(count: int, seed: int) -> TensorDataset:
    """Noisy 4x4 images of class 0, 1 or 2: the row that is bright."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = 0.5 * generator.standard_normal((count, 1, 4, 4))
    images[np.arange(count), 0, labels] += 1.5
    return TensorDataset(images.astype(np.float32), labels)
