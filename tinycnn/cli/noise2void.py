"""`tinycnn noise2void PHOTO`: learn to denoise a photo from that photo alone, through blind spots; or see where that fails."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from ..errors import UsageError
from .common import Console, table, use_threads, whole_number
from .denoisers import add_noise_options, degrader, save_denoiser, strength_of
from .learn_denoising import add_plan_options, plan_of
from .pictures import Album, add_picture_options, pace, read_photo

DESCRIPTION = """\
Noise2Void: a few pixels of each noisy patch are replaced by neighbours, and a U-Net learns to say what stood there. No clean
photo is needed. PHOTO is noisy as it is, or with --noise taken for clean and made noisy, so that the result can be scored.
--demonstrate trains three times on the same photo: white noise; the same with the spot seen, which leads to the identity;
stripes, which neighbours give away and which therefore stay. The page shows what the network sees and what it must say."""
EPILOG = """\
examples:
  tinycnn noise2void cells.png --steps 300 --html cells.html
  tinycnn noise2void house.png --grey --noise gaussian --sigma 25
  tinycnn noise2void house.png --grey --demonstrate
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("photo", type=Path, metavar="PHOTO", help="the photo to learn from")
    add_noise_options(parser, "take the photo for clean and add this noise first")
    parser.add_argument("--demonstrate", action="store_true", help="train three times: white noise, spot seen, stripes")
    parser.add_argument("--grey", action="store_true", help="make the photo grey first")
    parser.add_argument("--size", type=whole_number(32), metavar="N", help="make the longer side N pixels first")
    parser.add_argument("--box", type=whole_number(2), default=8, metavar="N", help="one pixel is hidden in each NxN square (default: 8, 1.6 %%)")
    parser.add_argument("--radius", type=whole_number(1), default=2, metavar="N", help="replacements come from up to N pixels away (default: 2)")
    parser.add_argument("--with-centre", action="store_true", help="let a pixel replace itself, as the published code's default does")
    add_plan_options(parser, steps=300, width=16)
    add_picture_options(parser, "pictures/noise2void-PHOTO")


def run(arguments: argparse.Namespace) -> int:
    """Learn and show."""
    from .. import random
    from ..models.restoration import blind_spot_batch, care_unet
    from ..study.picture_page import Shown, curves_svg, picture_page, stretched
    from ..study.restoration_page import SCORES, blind_spot_pictures, score_cells, smoothed
    from ..train.denoising import random_patches, restore, score_restoration, train_noise2void

    console = Console(arguments.json)
    strength = strength_of(arguments, arguments.noise or "gaussian")
    if arguments.demonstrate and arguments.noise not in (None, "gaussian"):
        raise UsageError(f"--demonstrate has its own noises; leave --noise {arguments.noise} out")
    photo = read_photo(arguments.photo, arguments.size, "L" if arguments.grey or arguments.demonstrate else "RGB")
    plan = plan_of(arguments)
    if min(photo.shape[1:]) < plan.patch:
        raise UsageError(f"--patch {plan.patch}: {arguments.photo} has {photo.shape[1]} x {photo.shape[2]} pixels; take smaller patches")
    album = Album(arguments, f"noise2void-{arguments.photo.stem}")
    use_threads(arguments.threads)
    if arguments.demonstrate:
        return _demonstrate(arguments, console, album, photo[0], strength)
    noisy = photo
    if arguments.noise:
        noisy = degrader(arguments.noise, strength)(photo, np.random.default_rng(arguments.seed))
    hiding = {"box": arguments.box, "radius": arguments.radius, "with_centre": arguments.with_centre}
    options = {"in_channels": photo.shape[0], "width": arguments.width, "depth": 2, "residual": False}
    random.manual_seed(arguments.seed)
    model = care_unet(**options)
    found = train_noise2void(model, [noisy], plan, **hiding)
    console.say(pace(found))
    restored = restore(model, noisy)
    generator = np.random.default_rng(arguments.seed)
    example = blind_spot_batch(random_patches([noisy], plan.patch, 1, generator), generator=generator, **hiding)
    pictures = [Shown("noisy", noisy), Shown("restored", restored), Shown("taken off", stretched(noisy - restored), "grey is nothing; stretched")]
    rows, score = [], None
    if arguments.noise:
        score = score_restoration(photo, noisy, restored)
        pictures.append(Shown("clean", photo, "never seen"))
        rows = [[arguments.photo.name, *score_cells(score)]]
        console.say(table(["image", *SCORES], rows))
    for name, pixels in (("noisy", noisy), ("restored", restored)):
        album.add(name, pixels)
    facts = {"noise": arguments.noise, "strength": strength if arguments.noise else None, "seed": arguments.seed, **hiding}
    album.files += save_denoiser(album.folder, model, {"model": "care_unet", "options": options, **facts})
    result = {**facts, "steps": len(found.losses), "seconds": found.seconds, "milliseconds_per_step": found.milliseconds_per_step}
    result["score"] = None if score is None else dataclasses.asdict(score)
    sections = [("", pictures), ("What the network sees and what it must say", blind_spot_pictures(example))]
    lead = "Noise2Void: a network that learned to denoise from this photo alone."
    curves = curves_svg({"loss": smoothed(found.losses)}, "step")
    page = picture_page(f"{arguments.photo.name}, its noise guessed away", lead, sections, result, ("image", *SCORES), rows, curves=curves)
    album.finish(console, page, result)
    return 0


def _demonstrate(arguments: argparse.Namespace, console: Console, album: Album, photo: np.ndarray, strength: float) -> int:
    """Three cases, a table, and the page."""
    from ..study.restoration_page import SCORES, noise2void_page, score_cells
    from ..train.noise2void import noise2void_experiment

    found = noise2void_experiment(photo, strength / 255, plan=plan_of(arguments), width=arguments.width)
    console.say(table(["case", *SCORES, "noise kept"], [[case.name, *score_cells(case.scores), f"{case.kept:.2f}"] for case in found.cases]))
    cases = []
    for case in found.cases:
        stem = case.name.replace(", ", "-").replace(" ", "-")
        album.add(f"{stem}-noisy", case.noisy)
        album.add(f"{stem}-restored", case.restored)
        cases.append({"name": case.name, **dataclasses.asdict(case.scores), "kept": case.kept, "seconds": case.seconds, "steps": len(case.losses)})
    result = {"cases": cases, "seed": arguments.seed, "strength": strength}
    album.finish(console, noise2void_page(found, result), result)
    return 0
