"""Pages on restoration: a photo denoised, a denoiser's training, the blind spot, an autoencoder's code, what each loss asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..models.restoration import BlindSpotBatch
from ..train.autoencoding import CodeStudy
from ..train.denoising import DenoisingRun, Restoration
from ..train.loss_means import LossMean
from ..train.noise2void import Noise2VoidDemonstration
from .picture_page import Shown, curves_svg, picture_page, stretched

__all__ = ["autoencoder_page", "blind_spot_pictures", "denoising_page", "loss_means_page", "noise2void_page", "training_page"]

Array = np.ndarray[Any, Any]
SCORES = ("PSNR before, dB", "after, dB", "SSIM before", "after")
SMOOTH = 15  # steps of the running mean that a noisy curve is drawn with


def score_cells(score: Restoration) -> list[str]:
    """The four numbers as text, in the order of SCORES."""
    return [f"{score.psnr_before:.2f}", f"{score.psnr_after:.2f}", f"{score.ssim_before:.4f}", f"{score.ssim_after:.4f}"]


def mean_scores(scores: Sequence[Restoration]) -> Restoration:
    """The average of several, each number for itself."""
    fields = ("psnr_before", "psnr_after", "ssim_before", "ssim_after")
    return Restoration(*(float(np.mean([getattr(score, field) for score in scores])) for field in fields))


def smoothed(losses: Sequence[float]) -> list[float]:
    """A running mean: the loss of one batch of patches says more of the patches than of the network."""
    width = min(SMOOTH, len(losses))
    return np.convolve(losses, np.full(width, 1 / width), "valid").tolist() if losses else []


def denoising_page(name: str, noisy: Array, restored: Array, clean: Array | None, score: Restoration | None, data: dict[str, Any]) -> str:
    """One photo before and after; with the clean one, the scores and what is still wrong."""
    pictures = [Shown("noisy", noisy), Shown("restored", restored), Shown("taken off", stretched(noisy - restored), "grey is nothing; stretched")]
    rows: list[list[str]] = []
    if clean is not None and score is not None:
        pictures += [Shown("clean", clean), Shown("still wrong", stretched(restored - clean), "grey is nothing; stretched")]
        rows = [[name, *score_cells(score)]]
    lead = f"{data['model']}, weights {data['weights']}" + (f"; {data['noise']} noise of strength {data['strength']:g} added" if rows else "")
    note = "In what was taken off one should see noise alone: where the photo's edges show, the network took them too."
    return picture_page(f"{name} denoised", lead, [("", pictures)], data, ("image", *SCORES), rows, notes=[note])


def training_page(
    title: str, lead: str, run: DenoisingRun, examples: Sequence[tuple[str, Array, Array, Array]], rows: Sequence[Sequence[str]], data: dict[str, Any]
) -> str:
    """What a denoiser learned: test images (name, clean, noisy, restored), scores by image, the loss."""
    sections = [(name, [Shown("noisy", noisy), Shown("restored", restored), Shown("clean", clean)]) for name, clean, noisy, restored in examples]
    curves = curves_svg({"loss": smoothed(run.losses)}, "step")
    return picture_page(title, lead, sections, data, ("image", *SCORES), rows, curves=curves)


def blind_spot_pictures(example: BlindSpotBatch) -> list[Shown]:
    """One patch as the network meets it: what it sees, what it must say, and where it is asked."""
    seen, told, mask = example.input[0], example.target[0], example.mask[0]
    marked = np.repeat(told, 3, axis=0) if told.shape[0] == 1 else told.copy()
    marked = np.where(mask.max(0) == 1, np.array([1.0, 0.45, 0.0], np.float32).reshape(3, 1, 1), 0.35 + 0.4 * marked)
    count, size = int(mask.max(0).sum()), mask.shape[-1] * mask.shape[-2]
    return [
        Shown("input", seen, "hidden pixels hold a neighbour's value"),
        Shown("target", told, "the noisy patch itself"),
        Shown("where it is asked", marked, f"{count} of {size} pixels, {100 * count / size:.1f} %: the loss is of these alone"),
    ]


KEPT = "noise kept: the share of the noise that is still in the result, <restored - clean, noise> / <noise, noise>; 1 is the identity."


def noise2void_page(found: Noise2VoidDemonstration, data: dict[str, Any]) -> str:
    """The blind spot's input and target, three networks that learned from one noisy image, and the failure."""
    sections = [("What the network sees and what it must say", blind_spot_pictures(found.example)), ("", [Shown("clean", found.clean, "never seen")])]
    rows = []
    for case in found.cases:
        pictures = [Shown("noisy", case.noisy), Shown("restored", case.restored)]
        sections.append((case.name, [*pictures, Shown("taken off", stretched(case.noisy - case.restored), "grey is nothing; stretched")]))
        rows.append([case.name, *score_cells(case.scores), f"{case.kept:.2f}"])
    curves = curves_svg({case.name: smoothed(case.losses) for case in found.cases}, "step")
    notes = [
        KEPT,
        "White noise cannot be guessed from the neighbours, the image can: what is guessed is nearly clean. With the spot seen, input and target are "
        "equal, and the network goes towards the identity. Stripes are the same along a whole row, so the neighbours give the noise away, "
        "and it stays: a blind spot removes only noise that is independent from pixel to pixel.",
    ]
    lead = "Noise2Void: networks that learned to denoise from one noisy image alone."
    return picture_page("Noise2Void and its blind spot", lead, sections, data, ("case", *SCORES, "noise kept"), rows, curves=curves, notes=notes)


def autoencoder_page(found: CodeStudy, run: DenoisingRun, data: dict[str, Any]) -> str:
    """Images, codes, reconstructions; the images without each map of the code; walks between codes."""
    reach = max(float(np.abs(found.codes).max()), 1e-30)
    sections: list[tuple[str, list[Shown]]] = []
    for number, (image, code, restored) in enumerate(zip(found.images, found.codes, found.restored, strict=True)):
        pictures = [Shown("image", image), *(Shown(f"code, map {k}", 0.5 + level / (2 * reach), _extent(level)) for k, level in enumerate(code))]
        pictures.append(Shown("from the code", restored, f"mean squared error {float(np.mean((restored - image) ** 2)):.4f}"))
        pictures += [Shown(f"without map {k}", picture) for k, picture in enumerate(found.without[number])]
        sections.append((f"Image {number}", pictures))
    for number, walk in enumerate(found.between):
        stations = [Shown(f"{100 * share:.0f} %", picture) for share, picture in zip(np.linspace(0, 1, len(walk)), walk, strict=True)]
        sections.append((f"From image {number} to image {number + 1}, on a straight line between their codes", stations))
    rows = [[f"map {k}", f"{worth:.5f}"] for k, worth in enumerate(found.importance)]
    shape = "x".join(str(side) for side in found.codes.shape[1:])
    lead = f"A code of {shape} numbers for each image, {found.squeeze:g} times fewer than pixels; mean squared error {found.error:.4f}."
    curves = curves_svg({"loss": smoothed(run.losses)}, "step")
    notes = ["Without a map: it is set to its mean over these images. A negative number is grey to black, a positive one grey to white, one scale."]
    return picture_page("An autoencoder's code", lead, sections, data, ("without", "error grows by"), rows, curves=curves, notes=notes)


def _extent(level: Array) -> str:
    return f"{float(level.min()):.2f} to {float(level.max()):.2f}"


def loss_means_page(pictures: Array, probabilities: Array, found: Sequence[LossMean], data: dict[str, Any]) -> str:
    """What may be true, and what each loss makes of it."""
    words = "may be true with this probability"
    possible = [Shown(f"{100 * share:.0f} %", picture, words) for picture, share in zip(pictures, probabilities, strict=True)]
    learned = [Shown(one.loss, one.learned, f"asks for the {one.asks_for}; off by {one.difference:.3f} at most") for one in found]
    expected = [Shown(f"the {one.asks_for}", one.expected) for one in found]
    sections = [("Images that one blurred observation leaves possible", possible), ("Learned", learned), ("Expected", expected)]
    rows = [[one.loss, one.asks_for, f"{one.difference:.4f}"] for one in found]
    lead = "The same draws under three losses: the mean is blurred, the median and the mode are sharp."
    note = (
        "A network trained by the squared error gives the mean of all clean images that fit: blurred wherever it cannot know. "
        "u = E[u|z], not argmax p(u|z)."
    )
    return picture_page("What a loss asks for", lead, sections, data, ("loss", "asks for", "largest difference"), rows, notes=[note])
