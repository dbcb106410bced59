"""Noise2Void shown: what it learns from one noisy image, where it fails, and why the spot must be blind.

References
----------
Krull, Buchholz and Jug 2019, "Noise2Void: learning denoising from single noisy images" (arXiv 1811.10980), sections 3 and 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import functional as F
from .. import random as tinycnn_random
from ..models.restoration import BlindSpotBatch, CareUNet, blind_spot_batch, gaussian_noise, stripe_noise
from .denoising import PatchPlan, Restoration, random_patches, restore, score_restoration, train_denoiser, train_noise2void

Array = np.ndarray[Any, Any]

CASES = ("white noise", "white noise, seen spot", "stripes")


@dataclass(frozen=True)
class Noise2VoidCase:
    """One network that learned from one noisy image."""

    name: str  # of CASES
    noisy: Array  # (H, W)
    restored: Array  # (H, W)
    scores: Restoration
    kept: float  # the share of the noise's energy that is left in the direction of the noise: 1 is the identity
    losses: list[float]
    seconds: float


@dataclass(frozen=True)
class Noise2VoidDemonstration:
    """The clean image, one patch as the network meets it, and the cases."""

    clean: Array
    example: BlindSpotBatch
    cases: list[Noise2VoidCase]


def noise2void_experiment(image: Any, sigma: float = 25 / 255, *, plan: PatchPlan | None = None, width: int = 16) -> Noise2VoidDemonstration:
    """Train on one noisy image three times: white noise, the same without hiding anything, and stripes.

    Formula
    -------
    kept = <restored - clean, noise> / <noise, noise>

    Parameters
    ----------
    image : (H, W)
        Clean, floats from 0 to 1; the networks never see it.
    sigma : float
        Of both noises, 1 is white.
    plan : PatchPlan, optional
        Steps, sizes, rate, seed.
    width : int
        Maps of the U-Net's first level.

    Notes
    -----
    Without a blind spot input and target are equal, and the identity is the best answer. Stripes are the same in a whole row: the neighbours give the
    hidden value away with its noise, and learning to guess it is learning to keep it.
    """
    plan = plan or PatchPlan()
    clean = np.asarray(image, np.float32)
    white = gaussian_noise(clean, sigma, generator=np.random.default_rng(plan.seed))
    striped = stripe_noise(clean, sigma, generator=np.random.default_rng(plan.seed))
    cases = [_case(name, clean, noisy, plan, width) for name, noisy in zip(CASES, (white, white, striped), strict=True)]
    generator = np.random.default_rng(plan.seed)
    example = blind_spot_batch(random_patches([white], plan.patch, 1, generator), generator=generator)
    return Noise2VoidDemonstration(clean, example, cases)


def _case(name: str, clean: Array, noisy: Array, plan: PatchPlan, width: int) -> Noise2VoidCase:
    tinycnn_random.manual_seed(plan.seed)
    model = CareUNet(1, width, residual=False)
    if name == "white noise, seen spot":
        run = train_denoiser(model, [noisy], lambda patches, generator: patches, plan, loss=F.mse_loss)
    else:
        run = train_noise2void(model, [noisy], plan)
    restored = restore(model, noisy)
    noise = (noisy - clean).astype(np.float64)
    kept = float(((restored - clean) * noise).sum() / max(float((noise * noise).sum()), 1e-30))
    return Noise2VoidCase(name, noisy, restored, score_restoration(clean, noisy, restored), kept, run.losses, run.seconds)
