"""An animation as a GIF, drawn by Pillow from the same layout as the SVG, with a palette of the theme's own colours."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, DataError, UsageError
from .animation import Animation
from .animation_layout import Box, Layout, Words, layout_of, scene
from .animation_svg import DARK, LIGHT, SOFT, THICK

__all__ = ["MOST_GIF_FRAMES", "picture", "save"]

MOST_GIF_FRAMES = 120
WIDTHS = (320, 1920)
DELAYS = (20, 60_000)
# Pillow's own font has no signs beyond Latin letters.
SIGNS = str.maketrans({"\N{MULTIPLICATION SIGN}": "x", "\N{ASTERISK OPERATOR}": "*", "\N{RIGHTWARDS ARROW}": "->"})
BLENDS = 5  # shades between a fill and its text, for smooth letters


@lru_cache(maxsize=64)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _palette(dark: bool) -> Any:
    """An image that holds the theme's colours and the shades between each fill and its text."""
    from PIL import Image

    colours: dict[tuple[int, int, int], None] = {}
    theme = DARK if dark else LIGHT
    pairs = [(fill, ink) for fill, _, ink in theme.values()] + [(theme["paper"][0], SOFT["dark" if dark else "light"])]
    for fill, border, ink in theme.values():
        colours.update(dict.fromkeys(map(_rgb, (fill, border, ink))))
    for fill, ink in pairs:
        a, b = _rgb(fill), _rgb(ink)
        for step in range(1, BLENDS + 1):
            colours[tuple(round(x + (y - x) * step / BLENDS) for x, y in zip(a, b, strict=True))] = None  # type: ignore[index]
    flat = [part for colour in list(colours)[:256] for part in colour]
    image = Image.new("P", (1, 1))
    image.putpalette(flat + flat[:3] * (256 - len(flat) // 3))
    return image


def picture(animation: Animation, number: int, width: int = 960, dark: bool = False, layout: Layout | None = None) -> Any:
    """A frame as a Pillow image, RGB."""
    from PIL import Image, ImageDraw

    layout = layout or layout_of(animation)
    scale = width / layout.width
    theme = DARK if dark else LIGHT
    image = Image.new("RGB", (width, round(layout.height * scale)), theme["paper"][0])
    pen = ImageDraw.Draw(image)
    for part in scene(animation, number, layout):
        if isinstance(part, Box):
            if part.place is not None:
                corners = [part.x * scale, part.y * scale, (part.x + part.width) * scale, (part.y + part.height) * scale]
                pen.rectangle([round(x) for x in corners], theme[part.role][0], theme[part.role][1])
                if part.role in THICK:
                    thick = round((5 if part.role == "now" else 3) * scale) or 1
                    pen.rectangle([round(x) for x in corners], outline=theme[part.role][1], width=thick)
        elif part.text:
            _write(pen, part, scale, _ink(part.role, theme, dark))
    return image


def _ink(role: str, theme: dict[str, tuple[str, str, str]], dark: bool) -> str:
    if role in ("soft", "count"):
        return SOFT["dark" if dark else "light"]
    kind = role.partition("-")[2]
    return theme[kind][2] if kind else theme["paper"][2]


def _write(pen: Any, part: Words, scale: float, colour: str) -> None:
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[part.anchor]
    text = part.text.translate(SIGNS)
    pen.text((part.x * scale, part.y * scale), text, fill=colour, font=_font(max(6, round(part.size * scale))), anchor=anchor)


def save(animation: Animation, path: str | Path, delay: int = 900, width: int = 960, dark: bool = False) -> Path:
    """Write the GIF; returns its path.

    Raises
    ------
    UsageError
        For more frames than a GIF of bounded size holds. ArgumentError: a delay or width out of range. DataError: a path that cannot be written.
    """
    for name, value, (low, high), unit in (("delay", delay, DELAYS, "milliseconds"), ("width", width, WIDTHS, "pixels")):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ArgumentError(f"animate: {name} {value!r} must be a whole number of {unit} from {low} to {high}")
    if len(animation.frames) > MOST_GIF_FRAMES:
        raise UsageError(
            f"animate: {len(animation.frames)} frames are too many for a GIF, which holds at most {MOST_GIF_FRAMES}; take a smaller input or a "
            "larger stride, or write a page (--html), which plays them all"
        )
    palette, layout = _palette(dark), layout_of(animation)
    images = [picture(animation, number, width, dark, layout).quantize(palette=palette, dither=0) for number in range(len(animation.frames))]
    try:
        with open(path, "wb") as file:
            images[0].save(
                file, "GIF", save_all=True, append_images=images[1:], duration=[delay] * (len(images) - 1) + [3 * delay], loop=0, optimize=False
            )
    except OSError as error:
        raise DataError(f"animate: {path}: {error.strerror or error}; name a file in a folder that exists and can be written") from error
    return Path(path)
