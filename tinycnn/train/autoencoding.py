"""Learning an autoencoder, and looking into its code: what each map of the code stands for, and what lies between two codes.

References
----------
Hinton and Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import functional as F
from .. import optim
from ..autograd import no_grad
from ..errors import ArgumentError, ShapeError
from ..models.restoration import ConvAutoencoder
from ..tensor import Tensor
from .denoising import DenoisingRun
from .experiments import take_steps

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class CodeStudy:
    """Images, their codes, and what the decoder makes of them."""

    images: Array  # (N, C, H, W)
    codes: Array  # (N, K, h, w)
    restored: Array  # (N, C, H, W)
    without: Array  # (N, K, C, H, W): each map of the code set to its mean over the images
    between: Array  # (N - 1, S, C, H, W): from each image to the next on a straight line between their codes

    @property
    def squeeze(self) -> float:
        """How many numbers of an image one number of the code stands for."""
        return float(self.images[0].size / self.codes[0].size)

    @property
    def error(self) -> float:
        """The mean squared error."""
        return float(np.mean((self.restored.astype(np.float64) - self.images) ** 2))

    @property
    def importance(self) -> list[float]:
        """How much the mean squared error grows without each map of the code."""
        wrong = np.mean((self.without.astype(np.float64) - self.images[:, None]) ** 2, axis=(0, 2, 3, 4))
        return [float(value) for value in wrong - self.error]


def _checked(function: str, model: ConvAutoencoder, images: Any) -> Array:
    pixels = np.ascontiguousarray(images, np.float32)
    if pixels.ndim != 4 or pixels.shape[1] != model.in_channels or not len(pixels):
        raise ShapeError(f"{function}: images have shape {pixels.shape}; give (N, {model.in_channels}, H, W), floats from 0 to 1, N at least 1")
    return pixels


def train_autoencoder(
    model: ConvAutoencoder, images: Any, *, steps: int = 400, batch_size: int = 32, learning_rate: float = 3e-3, seed: int = 0
) -> DenoisingRun:
    """Learn to give images back, by the mean squared error.

    Parameters
    ----------
    model : ConvAutoencoder
        Trained in place and left in evaluation mode.
    images : (N, C, H, W)
        Floats from 0 to 1.
    steps, batch_size, learning_rate
        Of Adam, whose rate falls to nothing along half a cosine.
    seed : int
        Decides which images meet in a step.

    Raises
    ------
    ArgumentError, ShapeError
        If they do not fit.

    Examples
    --------
    >>> run = train_autoencoder(ConvAutoencoder(width=2, depth=1), np.zeros((3, 1, 4, 4)), steps=2, batch_size=2)
    >>> len(run.losses)
    2
    """
    pixels = _checked("train_autoencoder", model, images)
    if steps < 1 or batch_size < 1 or not learning_rate > 0:
        raise ArgumentError(f"train_autoencoder: needs steps, batch_size >= 1 and learning_rate > 0, got {steps}, {batch_size}, {learning_rate}")
    adam = optim.Adam(list(model.parameters()), lr=learning_rate)
    generator = np.random.default_rng(seed)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            batch = pixels[generator.integers(len(pixels), size=batch_size)]
            yield Tensor(batch), Tensor(batch)

    def set_rate(number: int) -> None:
        adam.param_groups[0]["lr"] = learning_rate * (1 + np.cos(np.pi * number / steps)) / 2

    run = DenoisingRun.of(take_steps(model, batches(), adam, steps, F.mse_loss, set_rate))
    model.eval()
    return run


def study_code(model: ConvAutoencoder, images: Any, *, stations: int = 7) -> CodeStudy:
    """Encode images, take the maps of the code away one at a time, and walk from each code to the next.

    Parameters
    ----------
    model : ConvAutoencoder
        Trained.
    images : (N, C, H, W)
        Floats from 0 to 1.
    stations : int
        Pictures of each walk, both ends among them.

    Raises
    ------
    ArgumentError, ShapeError
        If they do not fit.

    Examples
    --------
    >>> found = study_code(ConvAutoencoder(code_channels=3, width=2, depth=1), np.zeros((2, 1, 4, 6)), stations=5)
    >>> found.codes.shape, found.without.shape, found.between.shape
    ((2, 3, 2, 3), (2, 3, 1, 4, 6), (1, 5, 1, 4, 6))
    """
    pixels = _checked("study_code", model, images)
    if stations < 2:
        raise ArgumentError(f"study_code: stations must be 2 or more, not {stations}")
    with no_grad():
        codes = model.encode(Tensor(pixels)).data
        restored = model.decode(Tensor(codes)).data
        missing = []
        for channel in range(codes.shape[1]):
            silent = codes.copy()
            silent[:, channel] = codes[:, channel].mean(0)
            missing.append(model.decode(Tensor(silent)).data)
        shares = np.linspace(0, 1, stations, dtype=np.float32).reshape(-1, 1, 1, 1)
        walks = [model.decode(Tensor(first * (1 - shares) + second * shares)).data for first, second in itertools.pairwise(codes)]
    between = np.stack(walks) if walks else np.empty((0, stations, *pixels.shape[1:]), np.float32)
    return CodeStudy(pixels, codes, restored, np.stack(missing, axis=1), between)
