"""Several methods side by side on one picture: the image and what the network says, a map a method, legends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import ArgumentError
from .methods import METHODS
from .overlay import legend, overlay
from .result import Attribution

__all__ = ["Answer", "attribution_sheet", "resized", "tile_of"]

INK, SOFT, PAPER, BAR = "#1f2933", "#5b6773", "#ffffff", "#8fb4e3"
SIDE, GAP, HEADING, FOOT, MOST_COLUMNS = 260, 22, 66, 44, 4


@dataclass(frozen=True)
class Answer:
    """One of the network's first choices."""

    name: str
    probability: float


@lru_cache(maxsize=16)
def font(size: int) -> Any:
    """Pillow's own letters."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def resized(pixels: np.ndarray, side: int) -> Any:
    """A picture whose longer side has `side` pixels: whole blocks where it is enlarged, so that nothing is invented."""
    from PIL import Image

    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    how = Image.Resampling.NEAREST if factor > 2 else Image.Resampling.BICUBIC
    return Image.fromarray(pixels).resize((max(1, round(width * factor)), max(1, round(height * factor))), how)


def tile_of(image: np.ndarray, answer: Attribution, number: int = 0) -> np.ndarray:
    """One method's map over the image."""
    return overlay(image, answer.scaled()[number], answer.signed)


def attribution_sheet(
    image: np.ndarray, answers: Sequence[Attribution], asked: str, top: Sequence[Answer] = (), title: str = "", number: int = 0
) -> Any:
    """Draw the sheet.

    Parameters
    ----------
    image : uint8 (H, W) or (H, W, 3)
        What the network saw, as it looks.
    answers : sequence of Attribution
        One a tile, of the same images.
    asked : str
        The name of the class.
    top : sequence of Answer
        The network's first choices.
    title : str
        Above; the network, for example.
    number : int
        Which image of the batch.

    Returns
    -------
    PIL.Image.Image
        `save` writes it.

    Raises
    ------
    ArgumentError
        Without answers.
    """
    from PIL import Image, ImageDraw

    if not answers:
        raise ArgumentError(f"attribution_sheet: there is no map to draw; name at least one method of {', '.join(METHODS)}")
    columns = min(MOST_COLUMNS, len(answers) + 1)
    rows = -(-(len(answers) + 1) // columns)
    below = max(FOOT, 20 * len(top) + 10)
    heights = [HEADING + SIDE + (below if row == 0 else FOOT) for row in range(rows)]
    sheet = Image.new("RGB", (GAP + columns * (SIDE + GAP), 48 + sum(heights) + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, 16), title or f"where the network sees {asked}", fill=INK, font=font(20))
    y = 48
    for place in range(len(answers) + 1):
        row, column = divmod(place, columns)
        if column == 0 and row:
            y += heights[row - 1]
        x = GAP + column * (SIDE + GAP)
        if place == 0:
            _image_tile(sheet, pen, (x, y), image, asked, top)
        else:
            _answer_tile(sheet, pen, (x, y), image, answers[place - 1], number)
    return sheet


def _image_tile(sheet: Any, pen: Any, corner: tuple[int, int], image: np.ndarray, asked: str, top: Sequence[Answer]) -> None:
    """The image itself and bars of the network's first choices."""
    x, y = corner
    pen.text((x, y + 8), "image", fill=INK, font=font(16))
    pen.text((x, y + 30), _fitting(pen, f"asked about: {asked}"), fill=SOFT, font=font(13))
    plain = np.repeat(image[:, :, None], 3, 2) if image.ndim == 2 else image
    sheet.paste(resized(plain, SIDE), (x, y + HEADING))
    for line, choice in enumerate(top):
        at = y + HEADING + SIDE + 6 + 20 * line
        pen.rectangle((x, at, x + max(1, round(SIDE * choice.probability)), at + 16), fill=BAR)
        pen.text((x + 4, at), _fitting(pen, f"{100 * choice.probability:.1f} %  {choice.name}"), fill=INK, font=font(13))


def _answer_tile(sheet: Any, pen: Any, corner: tuple[int, int], image: np.ndarray, answer: Attribution, number: int) -> None:
    """One method: its name, its layer, the overlay, the legend with the numbers of its ends."""
    x, y = corner
    pen.text((x, y + 8), METHODS[answer.method].title, fill=INK, font=font(16))
    what = f"{answer.layer}, {answer.raw.shape[-2]}x{answer.raw.shape[-1]}" if answer.layer else "pixels"
    pen.text((x, y + 30), _fitting(pen, what), fill=SOFT, font=font(13))
    tile = resized(tile_of(image, answer, number), SIDE)
    sheet.paste(tile, (x, y + HEADING))
    at = y + HEADING + tile.height + 6
    sheet.paste(legend(SIDE, 10, answer.signed), (x, at))
    largest = float(np.abs(answer.map[number]).max())
    pen.text((x, at + 12), f"{-largest:.3g}" if answer.signed else "0", fill=SOFT, font=font(12))
    text = f"{largest:.3g}"
    pen.text((x + SIDE - pen.textlength(text, font=font(12)), at + 12), text, fill=SOFT, font=font(12))


def _fitting(pen: Any, text: str) -> str:
    """The text, its end left out where the tile is too narrow."""
    while len(text) > 4 and pen.textlength(text, font=font(13)) > SIDE - 8:
        text = text[:-4].rstrip() + "..."
    return text
