"""Denoising three ways: a network that sees clean images, one that sees only noisy ones, and one that is fooled by stripes.

A small U-Net learns to take noise off a drawn picture: from pairs of noisy and clean patches; from the noisy picture alone, by
guessing hidden pixels (Noise2Void); and the same with stripes, which neighbours give away, so that they stay. `tinycnn
learn-denoising`, `tinycnn noise2void` and `tinycnn denoise` do the same with photos.

    python examples/09_denoising.py                     # a drawn picture, a few minutes on two cores
    python examples/09_denoising.py --photo house.png   # your own
    python examples/09_denoising.py --smoke             # few steps, seconds
"""

import argparse
import sys

import numpy as np

import tinycnn
from tinycnn.models.restoration import care_unet, gaussian_noise, stripe_noise
from tinycnn.train.denoising import PatchPlan, restore, score_restoration, train_denoiser, train_noise2void

SIGMA = 25 / 255  # of the noise, where 1 is white
WIDTH = 16  # maps of the network's first level


def drawn_picture(size: int = 96) -> np.ndarray:
    """Discs and bars of several greys: flat areas and sharp edges."""
    y, x = np.indices((size, size)) / size
    picture = 0.2 + 0.2 * x
    for centre_y, centre_x, radius, grey in ((0.3, 0.3, 0.2, 0.9), (0.7, 0.6, 0.25, 0.6), (0.6, 0.6, 0.1, 0.1)):
        picture[(y - centre_y) ** 2 + (x - centre_x) ** 2 < radius**2] = grey
    picture[(np.abs(y - 0.15) < 0.03) | (np.abs(x - 0.85) < 0.02)] = 1.0
    return picture.astype(np.float32)


def main() -> int:
    """Learn three times and compare."""
    parser = argparse.ArgumentParser(description="Denoise a picture with and without clean examples.")
    parser.add_argument("--photo", help="a grey or colour photo, taken for clean")
    parser.add_argument("--smoke", action="store_true", help="few steps")
    arguments = parser.parse_args()
    clean = drawn_picture()
    if arguments.photo:
        from tinycnn.data import read_picture

        clean = read_picture(arguments.photo, "L") / np.float32(255)
    plan = PatchPlan(steps=3, batch_size=1, patch=16) if arguments.smoke else PatchPlan(steps=400, batch_size=8, patch=64)
    white = gaussian_noise(clean, SIGMA, generator=np.random.default_rng(0))
    striped = stripe_noise(clean, SIGMA, generator=np.random.default_rng(0))

    print("what it learned from          PSNR before  after     SSIM before   after")
    for name, noisy, learn in (
        ("clean pictures", white, lambda model: train_denoiser(model, [clean], gaussian_noise, plan)),
        ("the noisy picture alone", white, lambda model: train_noise2void(model, [white], plan)),
        ("the striped picture alone", striped, lambda model: train_noise2void(model, [striped], plan)),
    ):
        tinycnn.manual_seed(0)
        model = care_unet(width=4 if arguments.smoke else WIDTH, residual=False)
        run = learn(model)
        score = score_restoration(clean, noisy, restore(model, noisy))
        print(
            f"{name:<27} {score.psnr_before:8.2f} dB {score.psnr_after:6.2f} dB {score.ssim_before:9.4f} {score.ssim_after:9.4f}"
            f"   {run.milliseconds_per_step:.0f} ms a step"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
