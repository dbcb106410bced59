"""Learning to denoise: patches of images, with clean targets or with blind spots, and how good the result is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import functional as F
from .. import optim
from ..autograd import no_grad
from ..errors import ArgumentError, ShapeError
from ..metrics import peak_signal_noise_ratio, structural_similarity
from ..models.restoration import blind_spot_batch, masked_mse_loss
from ..nn import Module
from ..tensor import Tensor
from .experiments import take_steps

Array = np.ndarray[Any, Any]
Degrade = Callable[..., Array]  # called as degrade(images, generator=...)


@dataclass(frozen=True)
class PatchPlan:
    """How a denoiser learns: sizes in pixels, `learning_rate` of Adam, which falls to nothing along half a cosine."""

    steps: int = 200
    batch_size: int = 8
    patch: int = 64
    learning_rate: float = 1e-3
    seed: int = 0


@dataclass(frozen=True)
class DenoisingRun:
    """What learning did: the loss of each step, the seconds of all, and the median step's milliseconds, which compiling does not disturb."""

    losses: list[float] = field(repr=False)
    seconds: float
    milliseconds_per_step: float

    @classmethod
    def of(cls, steps: Iterator[float]) -> DenoisingRun:
        """Take the steps, each of which gives its loss, and watch the clock.

        Examples
        --------
        >>> DenoisingRun.of(iter([0.5, 0.25])).losses
        [0.5, 0.25]
        """
        losses, marks = [], [time.perf_counter()]
        for loss in steps:
            losses.append(loss)
            marks.append(time.perf_counter())
        seconds = time.perf_counter() - marks[0]
        # A loss is given in the middle of its step, so that from one to the next is one step.
        between = np.diff(marks[1:]) if len(losses) > 1 else np.array([seconds])
        return cls(losses, seconds, 1000 * float(np.median(between)))


@dataclass(frozen=True)
class Restoration:
    """One image's scores, in decibels and from 0 to 1, before and after."""

    psnr_before: float
    psnr_after: float
    ssim_before: float
    ssim_after: float


def random_patches(images: Sequence[Array], size: int, count: int, generator: np.random.Generator) -> Array:
    """Squares cut out of images anywhere, turned and mirrored at random.

    Parameters
    ----------
    images : sequence of (H, W) or (C, H, W)
        Floats.
    size : int
        Side in pixels.
    count : int
        How many.
    generator : numpy.random.Generator
        Decides which.

    Returns
    -------
    ndarray
        float32, (count, C, size, size).

    Raises
    ------
    ShapeError
        Without images, or where one is smaller than a patch.

    Examples
    --------
    >>> random_patches([np.zeros((9, 12))], 8, 3, np.random.default_rng(0)).shape
    (3, 1, 8, 8)
    """
    volumes = [image[None] if image.ndim == 2 else image for image in map(np.asarray, images)]
    if not volumes or any(volume.ndim != 3 or min(volume.shape[1:]) < size for volume in volumes):
        shapes = ", ".join(str(volume.shape) for volume in volumes) or "none"
        raise ShapeError(f"random_patches: images (H, W) or (C, H, W) must be at least {size}x{size}, got {shapes}; take a smaller patch")
    patches = []
    for _ in range(count):
        volume = volumes[generator.integers(len(volumes))]
        top, left = (int(generator.integers(length - size + 1)) for length in volume.shape[1:])
        patch = np.rot90(volume[:, top : top + size, left : left + size], int(generator.integers(4)), (1, 2))
        patches.append(patch[:, :, ::-1] if generator.integers(2) else patch)
    return np.ascontiguousarray(np.stack(patches), dtype=np.float32)


def clean_target_batches(images: Sequence[Array], degrade: Degrade, plan: PatchPlan) -> Iterator[tuple[Tensor, Any]]:
    """Noisy patches and the clean ones, with fresh noise each time."""
    generator = np.random.default_rng(plan.seed)
    while True:
        clean = random_patches(images, plan.patch, plan.batch_size, generator)
        yield Tensor(degrade(clean, generator=generator)), Tensor(clean)


def blind_spot_batches(images: Sequence[Array], plan: PatchPlan, **options: Any) -> Iterator[tuple[Tensor, Any]]:
    """Noisy patches with hidden pixels, and what was hidden; `options` go to `blind_spot_batch`."""
    generator = np.random.default_rng(plan.seed)
    while True:
        batch = blind_spot_batch(random_patches(images, plan.patch, plan.batch_size, generator), generator=generator, **options)
        yield Tensor(batch.input), (batch.target, batch.mask)


def _learn(model: Module, batches: Iterator[tuple[Tensor, Any]], plan: PatchPlan, loss: Callable[..., Tensor]) -> DenoisingRun:
    if plan.steps < 1 or plan.batch_size < 1:
        raise ArgumentError(f"PatchPlan: steps and batch_size must be 1 or more, not {plan.steps} and {plan.batch_size}")
    optimizer = optim.Adam(list(model.parameters()), lr=plan.learning_rate)

    def set_rate(number: int) -> None:
        optimizer.param_groups[0]["lr"] = plan.learning_rate * (1 + np.cos(np.pi * number / plan.steps)) / 2

    run = DenoisingRun.of(take_steps(model, batches, optimizer, plan.steps, loss, set_rate))
    model.eval()
    return run


def train_denoiser(
    model: Module, images: Sequence[Array], degrade: Degrade, plan: PatchPlan | None = None, *, loss: Callable[..., Tensor] = F.mse_loss
) -> DenoisingRun:
    """Learn from clean images that are made noisy: the supervised way.

    Parameters
    ----------
    model : Module
        Gives images of its input's shape; it is trained in place and left in evaluation mode.
    images : sequence of (H, W) or (C, H, W)
        Clean, floats from 0 to 1.
    degrade : callable
        Called as degrade(images, generator=...).
    plan : PatchPlan, optional
        Steps, sizes, rate, seed.
    loss : callable
        Squared error leads to the mean of what the image may have been, absolute error to the median.

    Examples
    --------
    >>> from tinycnn.models.restoration import DnCNN, gaussian_noise
    >>> run = train_denoiser(DnCNN(depth=2, width=2), [np.zeros((8, 8))], gaussian_noise, PatchPlan(steps=2, batch_size=1, patch=8))
    >>> len(run.losses)
    2
    """
    plan = plan or PatchPlan()
    return _learn(model, clean_target_batches(images, degrade, plan), plan, loss)


def train_noise2void(model: Module, images: Sequence[Array], plan: PatchPlan | None = None, **options: Any) -> DenoisingRun:
    """Learn from noisy images alone, by the blind spot; `options` go to `blind_spot_batch`.

    Parameters
    ----------
    model : Module
        As in `train_denoiser`.
    images : sequence of (H, W) or (C, H, W)
        Noisy.
    plan : PatchPlan, optional
        Steps, sizes, rate, seed.

    References
    ----------
    Krull, Buchholz and Jug 2019 (arXiv 1811.10980).
    """
    plan = plan or PatchPlan()
    return _learn(model, blind_spot_batches(images, plan, **options), plan, lambda output, told: masked_mse_loss(output, *told))


def restore(model: Module, image: Any) -> Array:
    """The network's answer to one image (H, W) or (C, H, W), of that shape; one for grey images sees each channel for itself."""
    pixels = np.asarray(image, np.float32)
    if pixels.ndim not in (2, 3):
        raise ShapeError(f"restore: image has shape {pixels.shape}; give (H, W) or (C, H, W)")
    planes = (-1, 1) if getattr(model, "in_channels", None) == 1 else (1, -1)
    batch = pixels.reshape((*planes, *pixels.shape[-2:]))
    with no_grad():
        answers = [model(Tensor(np.ascontiguousarray(one[None]))).data for one in batch]
    return np.concatenate(answers).reshape(pixels.shape)


def score_restoration(clean: Array, noisy: Array, restored: Array) -> Restoration:
    """PSNR and SSIM of two images against the clean one, all cut to 0..1; SSIM by Wang's window."""

    def ssim(image: Array) -> float:
        axis = 0 if image.ndim == 3 else None
        window = {"gaussian_weights": True, "use_sample_covariance": False} if min(image.shape[-2:]) >= 11 else {"win_size": 3}
        return float(structural_similarity(clean, np.clip(image, 0, 1), data_range=1.0, channel_axis=axis, **window))

    psnr = [peak_signal_noise_ratio(clean, np.clip(image, 0, 1), data_range=1.0) for image in (noisy, restored)]
    return Restoration(psnr[0], psnr[1], ssim(noisy), ssim(restored))


def score_denoiser(model: Module, images: Sequence[Array], degrade: Degrade, seed: int = 0) -> list[Restoration]:
    """Scores of each image; its noise is drawn from the seed anew, so that it does not matter which others are tested."""
    scores = []
    for image in images:
        clean = np.asarray(image, np.float32)
        noisy = degrade(clean, generator=np.random.default_rng(seed))
        scores.append(score_restoration(clean, noisy, restore(model, noisy)))
    return scores
