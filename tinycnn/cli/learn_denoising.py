"""`tinycnn learn-denoising FOLDER`: train DnCNN or CARE's U-Net on patches of clean photos, with fresh noise at every step."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from .common import Console, positive_number, table, use_threads, whole_number
from .denoisers import add_noise_options, build, degrader, save_denoiser, strength_of
from .pictures import Album, add_picture_options, pace, read_folder

DESCRIPTION = """\
Teach a network to take noise off: patches are cut from clean photos at random, noise is added anew at every step, Adam
with a rate that falls along half a cosine. --loss l2 leads to the mean of what the photo may have been, l1 to the median.
--test FOLDER scores photos that were not learned from; give it another content (cells, faces) to see how far what was learned
carries: a content-aware network restores what it has seen. The network goes into --out, where `tinycnn denoise` finds it."""
EPILOG = """\
examples:
  tinycnn learn-denoising BSD68 --model dncnn --noise gaussian --sigma 25 --steps 400 --depth 9 --width 32 --test Set12
  tinycnn learn-denoising BSD68 --model care_unet --noise poisson --strength 20 --loss l1
  tinycnn denoise photo.jpg --model pictures/learn-denoising-BSD68
"""
SHOWN = 3  # test images on the page


def add_plan_options(parser: argparse.ArgumentParser, steps: int, width: int) -> None:
    """--steps, --batch-size, --patch, --lr and --width."""
    parser.add_argument("--steps", type=whole_number(1), default=steps, metavar="N", help=f"training steps (default: {steps})")
    parser.add_argument("--batch-size", type=whole_number(1), default=8, metavar="N", help="patches a step (default: 8)")
    parser.add_argument("--patch", type=whole_number(8), default=64, metavar="N", help="side of a patch in pixels (default: 64)")
    parser.add_argument("--lr", type=positive_number, default=1e-3, metavar="X", help="Adam's rate at the start (default: 0.001)")
    parser.add_argument("--width", type=whole_number(1), default=width, metavar="N", help=f"maps of the first layer (default: {width})")


def plan_of(arguments: argparse.Namespace) -> Any:
    """The options as a PatchPlan."""
    from ..train.denoising import PatchPlan

    return PatchPlan(arguments.steps, arguments.batch_size, arguments.patch, arguments.lr, arguments.seed)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("photos", type=Path, metavar="FOLDER", help="clean photos to learn from")
    parser.add_argument("--model", default="dncnn", metavar="NAME", help="dncnn or care_unet (default: dncnn)")
    parser.add_argument("--depth", type=whole_number(1), metavar="N", help="layers of DnCNN (default: 17), halvings of the U-Net (default: 2)")
    parser.add_argument("--batch-norm", action="store_true", help="batch normalisation in the hidden layers, as DnCNN's paper trains it")
    parser.add_argument("--colour", action="store_true", help="learn colour photos (default: grey)")
    add_noise_options(parser, "what to take off (default: gaussian)")
    parser.add_argument("--loss", choices=("l2", "l1"), default="l2", help="squared or absolute error (default: l2)")
    add_plan_options(parser, steps=400, width=64)
    parser.add_argument("--test", action="append", type=Path, default=[], metavar="FOLDER", help="photos to score afterwards; may be repeated")
    parser.add_argument("--images", type=whole_number(1), metavar="N", help="learn from N photos only")
    add_picture_options(parser, "pictures/learn-denoising-FOLDER")


def run(arguments: argparse.Namespace) -> int:
    """Learn, score, write."""
    from .. import functional, random
    from ..study.restoration_page import SCORES, training_page
    from ..train.denoising import restore, train_denoiser

    console = Console(arguments.json)
    noise = arguments.noise or "gaussian"
    strength = strength_of(arguments, noise)
    mode = "RGB" if arguments.colour else "L"
    learned = read_folder(arguments.photos, mode, arguments.images)
    tests = {folder: read_folder(folder, mode) for folder in arguments.test}
    options = {
        "in_channels": 3 if arguments.colour else 1,
        "depth": arguments.depth,
        "width": arguments.width,
        "batch_norm": arguments.batch_norm,
    }
    random.manual_seed(arguments.seed)
    model = build(arguments.model, options)
    plan = plan_of(arguments)
    small = [name for name, pixels in learned.items() if min(pixels.shape[1:]) < plan.patch]
    if small:
        raise UsageError(f"--patch {plan.patch}: {small[0]} is smaller; take smaller patches")
    album = Album(arguments, f"learn-denoising-{arguments.photos.stem}")
    use_threads(arguments.threads)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    console.say(f"{arguments.model}, {parameters:,} parameters, learns from {len(learned)} photos: {noise} noise of strength {strength:g}")
    loss = functional.mse_loss if arguments.loss == "l2" else functional.l1_loss
    degrade = degrader(noise, strength)
    found = train_denoiser(model, list(learned.values()), degrade, plan, loss=loss)
    console.say(pace(found))
    card = {"model": arguments.model, "options": options, "noise": noise, "strength": strength, "loss": arguments.loss, "seed": arguments.seed}
    album.files += save_denoiser(album.folder, model, card)
    rows, examples, result = _tested(model, tests, degrade, album, arguments.seed)
    if not examples:
        name, clean = next(iter(learned.items()))
        noisy = degrade(clean, generator=np.random.default_rng(arguments.seed))
        examples = [(f"{name}, which it learned from", clean, noisy, restore(model, noisy))]
    if rows:
        console.say(table(["image", *SCORES], rows))
    size = f"{plan.batch_size} patches {plan.patch}x{plan.patch}"
    lead = f"{arguments.model}, {parameters:,} parameters, {len(found.losses)} steps of {size}, {noise} noise of {strength:g}."
    cost = {"steps": len(found.losses), "seconds": found.seconds, "milliseconds_per_step": found.milliseconds_per_step}
    facts = {**card, "parameters": parameters, **cost, "tests": result}
    page = training_page(f"{arguments.model} learned from {arguments.photos.name}", lead, found, examples, rows, facts)
    album.finish(console, page, facts)
    return 0


def _tested(
    model: Any, tests: Mapping[Path, Mapping[str, Any]], degrade: Any, album: Album, seed: int
) -> tuple[list[list[str]], list[Any], dict[str, Any]]:
    """Rows of scores, the first images of each folder (name, clean, noisy, restored), and the scores as plain numbers."""
    from ..study.restoration_page import mean_scores, score_cells
    from ..train.denoising import restore, score_restoration

    rows: list[list[str]] = []
    examples, result = [], {}
    for folder, photos in tests.items():
        scores = {}
        for name, clean in photos.items():
            noisy = degrade(clean, generator=np.random.default_rng(seed))
            restored = restore(model, noisy)
            scores[name] = score_restoration(clean, noisy, restored)
            if len(scores) <= SHOWN:
                examples.append((f"{folder.name}, {name}", clean, noisy, restored))
                album.add(f"{folder.name}-{Path(name).stem}-restored", restored)
        rows += [[f"{folder.name}, {name}", *score_cells(score)] for name, score in scores.items()]
        mean = mean_scores(list(scores.values()))
        rows.append([f"{folder.name}, mean", *score_cells(mean)])
        result[str(folder)] = {"mean": dataclasses.asdict(mean), "images": {name: dataclasses.asdict(score) for name, score in scores.items()}}
    return rows, examples, result
