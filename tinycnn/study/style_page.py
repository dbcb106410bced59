"""Pages on images that were searched for: style transfer and its reconstructions, dreams, and attacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .adversarial import Attack
from .input_optimisation import InputRun
from .picture_page import Shown, curves_svg, picture_page, stretched

__all__ = ["adversarial_page", "attack_row", "dream_page", "fast_style_page", "style_page"]

Array = np.ndarray[Any, Any]
ATTACK_HEADER = ("attack", "largest change", "answer before", "answer after", "as an 8-bit file", "of the class aimed at, before", "after")


def terms_of(losses: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """The weighted terms as one list each, by name."""
    return {name: [step[name] for step in losses] for name in losses[0]} if losses else {}


def style_page(title: str, content: Array, style: Array, run: InputRun, reconstructed: Mapping[str, InputRun], data: dict[str, Any]) -> str:
    """Content, style, result; below, what each layer alone knows of both.

    Parameters
    ----------
    title : str
        Plain text.
    content, style : (3, H, W)
        The style as it was shown to the network.
    run : InputRun
        The result.
    reconstructed : mapping
        Of `reconstructions`: name and what was found.
    data : dict
        Plain numbers; model, content_layers, style_layers, normalization and colours are told in the lead.
    """
    sections = [("", [Shown("content", content), Shown("style", style), Shown("result", run.image)])]
    for kind, words in (("content, ", "The content, as each layer alone has it"), ("style, ", "The style, as the layers up to each have it")):
        pictures = [
            Shown(name.removeprefix(kind), one.image, f"loss {one.losses[0]['total']:.3g} to {min(step['total'] for step in one.losses):.3g}")
            for name, one in reconstructed.items()
            if name.startswith(kind)
        ]
        if pictures:
            sections.append((words, pictures))
    lead = (
        f"Features of {data['model']}: content from {', '.join(data['content_layers'])}; style, as Gram matrices "
        f"normalised by {data['normalization']}, from {', '.join(data['style_layers'])}; colours: {data['colours']}."
    )
    best = min(step["total"] for step in run.losses)
    rows = [[name, f"{values[0]:.4g}", f"{values[-1]:.4g}"] for name, values in terms_of(run.losses).items()]
    notes = [f"{len(run.losses)} evaluations in {run.seconds:.1f} s by {data['optimizer']}; the least total was {best:.4g}."]
    curves = curves_svg(terms_of(run.losses), "evaluation")
    return picture_page(title, lead, sections, data, ("term", "first", "last"), rows, curves=curves, notes=notes)


def fast_style_page(
    title: str, style: Array | None, photos: Sequence[tuple[str, Array, Array]], losses: Sequence[Mapping[str, float]], data: dict[str, Any]
) -> str:
    """Photos before and after one pass; where the network was taught here, its style and its loss."""
    sections = [("", [Shown("style", style)] if style is not None else [])]
    sections += [(name, [Shown("photo", before), Shown("in one pass", after)]) for name, before, after in photos]
    rows = [[name, f"{values[0]:.4g}", f"{values[-1]:.4g}"] for name, values in terms_of(losses).items()]
    lead = "One pass through a network that has learned one style." + (f" Taught in {len(losses)} steps." if losses else "")
    shown = [(heading, pictures) for heading, pictures in sections if pictures]
    return picture_page(title, lead, shown, data, ("term", "first", "last"), rows, curves=curves_svg(terms_of(losses), "step"))


def dream_page(title: str, lead: str, start: Array | None, found: Sequence[tuple[str, InputRun]], data: dict[str, Any]) -> str:
    """What a layer, a unit or a class likes; with the photo where there was one."""
    pictures = [] if start is None else [Shown("photo", start)]
    rows, curves = [], {}
    for name, run in found:
        change = "" if start is None else f"mean change {255 * float(np.abs(run.image - start).mean()):.1f} grey levels"
        pictures.append(Shown(name, run.image, change))
        key = "excitement" if "excitement" in run.losses[0] else "activation"
        sign = 1.0 if key == "excitement" else -1.0
        values = [sign * step[key] for step in run.losses]
        rows.append([name, f"{values[0]:.4g}", f"{values[-1]:.4g}"])
        curves[name] = values
    return picture_page(title, lead, [("", pictures)], data, ("what", "answer at first", "at last"), rows, curves=curves_svg(curves, "step"))


def attack_row(found: Attack, names: Sequence[str], in_file: int) -> list[str]:
    """One attack as cells, in the order of ATTACK_HEADER."""
    before, after = found.clean_probabilities, found.adversarial_probabilities

    def answer(probabilities: Array) -> str:
        best = int(probabilities.argmax())
        return f"{short_name(names[best])} {100 * float(probabilities[best]):.1f} %"

    shares = [f"{100 * float(probabilities[found.label]):.2f} %" for probabilities in (before, after)]
    levels = f"{255 * found.change:.2f} of 255"
    return [f"{found.method}, {255 * found.epsilon:g}", levels, answer(before), answer(after), short_name(names[in_file]), *shares]


def short_name(name: str) -> str:
    """The first of a class's names."""
    return name.split(",")[0]


def adversarial_page(title: str, found: Sequence[Attack], rows: Sequence[Sequence[str]], data: dict[str, Any]) -> str:
    """The photo, each attacked photo beside its stretched change, and what the network says of each."""
    first = found[0]
    sections = [("", [Shown("photo", first.clean, f"{rows[0][2]}")])]
    for one, row in zip(found, rows, strict=True):
        change = stretched(one.adversarial.astype(np.float64) - one.clean)
        pictures = [Shown("attacked", one.adversarial, row[3]), Shown("the change", change, "grey is nothing; stretched")]
        sections.append((f"{one.method}, at most {255 * one.epsilon:g} grey levels", pictures))
    aim = f"towards {short_name(data['aim'])}" if first.targeted else f"away from {short_name(data['aim'])}"
    lead = f"The smallest changes that move {data['model']} {aim}."
    notes = [
        "fgsm: one step of the whole budget along the sign of the gradient. pgd: many small steps, each brought back into the budget.",
        "As an 8-bit file: the answer after the attacked picture is rounded to whole grey levels, as a PNG holds it.",
    ]
    return picture_page(title, lead, sections, data, ATTACK_HEADER, rows, notes=notes)
