"""`tinycnn denoise PHOTO`: take the noise off photos by a trained network, and say how well where the clean photo is known."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from .common import Console, table, use_threads, whole_number
from .denoisers import add_noise_options, degrader, load_denoiser, strength_of
from .pictures import Album, add_picture_options, read_folder

DESCRIPTION = """\
Denoise photos. As they are; or with --noise the photos are taken for clean, noise is added, and PSNR and SSIM say how much of
it the network took off. The network: published weights of DnCNN (dncnn_25.pth, for sigma 25), or a folder that
`tinycnn learn-denoising` or `tinycnn noise2void` wrote. A network for grey photos sees each channel of a colour photo for itself."""
EPILOG = """\
examples:
  tinycnn denoise photo.jpg --model dncnn --weights dncnn_25.pth
  tinycnn denoise Set12 --model dncnn --weights dncnn_25.pth --grey --noise gaussian --sigma 25     30.44 dB, the paper's
  tinycnn denoise noisy.png --model pictures/learn-denoising-BSD68 --html denoised.html
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("photo", type=Path, metavar="PHOTO", help="a photo, or a folder of them")
    parser.add_argument("--model", default="dncnn", metavar="NAME|FOLDER", help="dncnn, care_unet, or a folder with a trained one (default: dncnn)")
    parser.add_argument("--weights", metavar="FILE", help="the network's weights: .pth, .safetensors, .npz")
    add_noise_options(parser, "take the photos for clean and add this noise first")
    parser.add_argument("--grey", action="store_true", help="make the photos grey first")
    parser.add_argument("--size", type=whole_number(16), metavar="N", help="make the longer side N pixels first")
    add_picture_options(parser, "pictures/denoise-PHOTO")


def run(arguments: argparse.Namespace) -> int:
    """Restore each photo, score it, write what came out."""
    from ..study.restoration_page import SCORES, denoising_page, mean_scores, score_cells
    from ..train.denoising import restore, score_restoration

    console = Console(arguments.json)
    photos = read_folder(arguments.photo, "L" if arguments.grey else "RGB", size=arguments.size)
    strength = strength_of(arguments, arguments.noise) if arguments.noise else 0.0
    model, name, source = load_denoiser(arguments.model, arguments.weights)
    album = Album(arguments, f"denoise-{arguments.photo.stem}")
    use_threads(arguments.threads)
    console.say(f"{name} with {source}")
    facts = {"model": name, "weights": source, "noise": arguments.noise, "strength": strength, "seed": arguments.seed}
    rows, scores, page = [], {}, ""
    for photo, pixels in photos.items():
        clean = pixels if arguments.noise else None
        noisy = degrader(arguments.noise, strength)(pixels, np.random.default_rng(arguments.seed)) if arguments.noise else pixels
        restored = restore(model, noisy)
        score = None if clean is None else score_restoration(clean, noisy, restored)
        stem = Path(photo).stem
        if clean is not None:
            album.add(f"{stem}-noisy", noisy)
        album.add(f"{stem}-restored", restored)
        if score is not None:
            scores[photo] = score
            rows.append([photo, *score_cells(score)])
        else:
            console.say(f"{photo}: {255 * float(np.std(noisy - restored)):.2f} grey levels taken off (root mean square about the mean)")
        if not page:
            page = denoising_page(photo, noisy, restored, clean, score, facts)
    result = {**facts, "scores": {photo: dataclasses.asdict(score) for photo, score in scores.items()}}
    if scores:
        mean = mean_scores(list(scores.values()))
        console.say(table(["image", *SCORES], [*rows, *([["mean", *score_cells(mean)]] if len(rows) > 1 else [])]))
        result["mean"] = dataclasses.asdict(mean)
    album.finish(console, page, result)
    return 0
