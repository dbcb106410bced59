"""Boxes, masks and keypoints drawn on an image with Pillow, which is always installed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..errors import ArgumentError, ShapeError

__all__ = ["class_colour", "contact_sheet", "draw_boxes", "draw_detections", "to_picture"]

Colour = tuple[int, int, int]
# Apart from one another for colour-blind readers too (Okabe and Ito 2008, without black), then darker ones of the same hues.
COLOURS: tuple[Colour, ...] = (
    (230, 97, 1), (0, 114, 178), (0, 158, 115), (204, 121, 167), (213, 94, 0), (86, 180, 233), (240, 228, 66), (120, 60, 150), (140, 90, 20),
    (0, 90, 80),
)  # fmt: skip
NAMED: dict[str, Colour] = {"good": (46, 125, 50), "bad": (198, 40, 40), "now": (217, 102, 31), "truth": (36, 103, 179), "soft": (138, 148, 160)}
MASK_STRENGTH = 0.45  # of a mask's colour over the image
CROWD = 12  # things whose words can be read beside each other
LARGEST = 2000  # pixels a side of a contact sheet's tile


def class_colour(label: int) -> Colour:
    """The colour of a class, the same everywhere.

    Examples
    --------
    >>> class_colour(1) == class_colour(11), class_colour(1) == class_colour(2)
    (True, False)
    """
    return COLOURS[(int(label) - 1) % len(COLOURS)]


def to_picture(image: Any) -> Image.Image:
    """The RGB picture of a Pillow image, of bytes (H, W), (H, W, 3), or of numbers from 0 to 1 (C, H, W).

    Examples
    --------
    >>> to_picture(np.zeros((3, 4, 6), np.float32)).size
    (6, 4)
    """
    if isinstance(image, Image.Image):
        return image.convert("RGB")
    array = image if isinstance(image, np.ndarray) else np.asarray(getattr(image, "data", image))
    if array.dtype == np.uint8 and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)):
        return Image.fromarray(array).convert("RGB")
    if array.ndim != 3 or array.dtype.kind != "f" or array.shape[0] not in (1, 3):
        raise ShapeError(f"to_picture: {array.dtype} of shape {array.shape} is no image; give floats (1 or 3, H, W) from 0 to 1, or bytes (H, W, 3)")
    planes = np.nan_to_num(array).clip(0, 1)
    planes = planes if len(planes) == 3 else planes.repeat(3, axis=0)
    return Image.fromarray((planes.transpose(1, 2, 0) * 255).round().astype(np.uint8))


def draw_boxes(
    image: Any,
    boxes: Any,
    colours: Sequence[Colour | str],
    words: Sequence[str] = (),
    *,
    masks: Any = None,
    keypoints: Any = None,
    dashed: Sequence[bool] = (),
    scale: float = 1.0,
) -> Image.Image:
    """The image with boxes over it, and where given masks and keypoints.

    Parameters
    ----------
    image
        As `to_picture` takes it; it is not changed.
    boxes : array
        (K, 4) as x1, y1, x2, y2 in pixels.
    colours : sequence
        One a box: red, green and blue, or a name: good, bad, now, truth, soft.
    words : sequence of str, optional
        One a box, written over its upper left corner.
    masks : array, optional
        (K, H, W) or (K, 1, H, W); a pixel of 0.5 or more belongs to the mask.
    keypoints : array, optional
        (K, points, 3) as x, y and visibility; those of visibility 0 are left out.
    dashed : sequence of bool, optional
        One a box.
    scale : float
        The picture is made larger by it, so that words on small images can be read.

    Raises
    ------
    ShapeError, ArgumentError
        When shapes do not fit, or scale is not positive.

    Examples
    --------
    >>> drawn = draw_boxes(np.zeros((3, 20, 30), np.float32), [[2, 3, 12, 15]], ["good"], scale=2)
    >>> drawn.size, drawn.getpixel((4, 12))
    ((60, 40), (46, 125, 50))
    """
    corners = np.asarray(getattr(boxes, "data", boxes) if not isinstance(boxes, np.ndarray) else boxes, np.float64).reshape(-1, 4)
    if len(colours) != len(corners) or (words and len(words) != len(corners)):
        raise ShapeError(f"draw_boxes: {len(corners)} boxes beside {len(colours)} colours and {len(words)} words; give one a box")
    if not (math.isfinite(scale) and scale > 0):
        raise ArgumentError(f"draw_boxes: scale must be a number above 0, not {scale!r}")
    picture = to_picture(image)
    shades = [NAMED[colour] if isinstance(colour, str) else colour for colour in colours]
    if masks is not None and len(corners):
        picture = _with_masks(picture, np.asarray(masks), shades)
    if scale != 1:
        picture = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    width = max(1, round(min(picture.size) / 180))
    for place, (box, colour) in enumerate(zip(corners * scale, shades, strict=True)):
        if not np.isfinite(box).all():
            continue
        _rectangle(draw, box, colour, width, bool(dashed[place]) if len(dashed) else False)
    if keypoints is not None:
        _points(draw, np.asarray(keypoints, np.float64), shades, scale, width)
    for box, colour, text in zip(corners * scale, shades, words, strict=False):
        if text and np.isfinite(box).all():
            _words(draw, picture.size, box, colour, text)
    return picture


def draw_detections(
    image: Any, found: Mapping[str, Any], names: Mapping[Any, str] | None = None, *, threshold: float = 0.5, scale: float = 1.0
) -> Image.Image:
    """The image with what a detector found, at least of a score.

    Parameters
    ----------
    image
        As `to_picture` takes it.
    found : mapping
        boxes (K, 4), labels (K,), scores (K,), and masks or keypoints where there are some: what a detector gives for one image.
    names : mapping, optional
        Of labels; their numbers where left out.
    threshold : float
        The least score that is drawn.
    scale : float
        The picture is made larger by it.

    Notes
    -----
    More than a dozen things stay without words, which would cover them.

    Examples
    --------
    >>> found = {"boxes": np.array([[1.0, 1, 9, 9]]), "labels": np.array([1]), "scores": np.array([0.9])}
    >>> draw_detections(np.zeros((3, 16, 16), np.float32), found, {1: "cell"}).size
    (16, 16)
    """
    arrays = {name: value if isinstance(value, np.ndarray) else np.asarray(getattr(value, "data", value)) for name, value in found.items()}
    kept = np.flatnonzero(arrays["scores"] >= threshold)[::-1]  # the best one is drawn last
    labels = arrays["labels"][kept]
    words = [f"{(names or {}).get(int(label), f'class {label}')} {score:.2f}" for label, score in zip(labels, arrays["scores"][kept], strict=True)]
    if len(words) > CROWD:
        words = []
    masks, keypoints = (arrays[name][kept] if name in arrays else None for name in ("masks", "keypoints"))
    colours = [class_colour(label) for label in labels]
    return draw_boxes(image, arrays["boxes"][kept], colours, words, masks=masks, keypoints=keypoints, scale=scale)


def contact_sheet(pictures: Sequence[Image.Image], captions: Sequence[str] = (), columns: int = 4, gap: int = 8) -> Image.Image:
    """Pictures in rows on white, each with words below.

    Raises
    ------
    ArgumentError
        Without pictures.

    Examples
    --------
    >>> contact_sheet([Image.new("RGB", (10, 10))] * 3, columns=2, gap=2).size
    (26, 26)
    """
    if not pictures:
        raise ArgumentError("contact_sheet: there are no pictures; give at least one")
    wide, high = (min(LARGEST, max(picture.size[axis] for picture in pictures)) for axis in (0, 1))
    text = 16 if captions else 0
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * wide + (columns + 1) * gap, rows * (high + text) + (rows + 1) * gap), "white")
    draw = ImageDraw.Draw(sheet)
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        left, top = gap + column * (wide + gap), gap + row * (high + text + gap)
        small = picture.copy()
        small.thumbnail((wide, high))
        sheet.paste(small, (left, top))
        if captions:
            words, font = captions[place], ImageFont.load_default(11)
            while words and draw.textlength(words, font=font) > wide:
                words = words[:-1]
            draw.text((left, top + high + 2), words, fill=(31, 41, 51), font=font)
    return sheet


def _with_masks(picture: Image.Image, masks: np.ndarray, colours: Sequence[Colour]) -> Image.Image:
    """Each mask's pixels, mixed with its colour."""
    planes = masks.reshape(len(masks), *masks.shape[-2:])
    if planes.shape[1:] != (picture.height, picture.width):
        raise ShapeError(f"draw_boxes: masks of {planes.shape[1:]} on an image of {(picture.height, picture.width)}; they must be as large")
    pixels = np.asarray(picture, np.float64).copy()
    for mask, colour in zip(planes, colours, strict=True):
        inside = mask >= 0.5
        pixels[inside] = (1 - MASK_STRENGTH) * pixels[inside] + MASK_STRENGTH * np.array(colour)
    return Image.fromarray(pixels.round().astype(np.uint8))


def _rectangle(draw: ImageDraw.ImageDraw, box: np.ndarray, colour: Colour, width: int, dashed: bool) -> None:
    left, top, right, bottom = (float(value) for value in box.clip(-1e5, 1e5))
    right, bottom = max(right, left), max(bottom, top)
    if not dashed:
        draw.rectangle((left, top, right, bottom), outline=colour, width=width)
        return
    dash = 3.0 * width + 2
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    for start, end in ((corners[0], corners[1]), (corners[3], corners[2]), (corners[0], corners[3]), (corners[1], corners[2])):
        length = math.hypot(end[0] - start[0], end[1] - start[1])
        for k in range(min(500, int(length / (2 * dash)) + 1)):
            near, far = min(1.0, 2 * k * dash / max(length, 1e-9)), min(1.0, (2 * k + 1) * dash / max(length, 1e-9))
            ends = [tuple(a + share * (b - a) for a, b in zip(start, end, strict=True)) for share in (near, far)]
            draw.line((*ends[0], *ends[1]), fill=colour, width=width)


def _points(draw: ImageDraw.ImageDraw, keypoints: np.ndarray, colours: Sequence[Colour], scale: float, width: int) -> None:
    radius = width + 1.5
    for points, colour in zip(keypoints, colours, strict=True):
        for x, y, visible in points:
            if visible > 0:
                at = (x * scale - radius, y * scale - radius, x * scale + radius, y * scale + radius)
                draw.ellipse(at, fill=colour, outline=(255, 255, 255))


def _words(draw: ImageDraw.ImageDraw, size: tuple[int, int], box: np.ndarray, colour: Colour, text: str) -> None:
    """Words on a strip of the box's colour, inside the picture."""
    font = ImageFont.load_default(max(9, min(18, min(size) // 22)))
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    wide, high = right - left + 4, bottom - top + 4
    x = min(max(float(box[0]), 0.0), max(size[0] - wide, 0.0))
    y = float(box[1]) - high if box[1] >= high else min(max(float(box[1]), 0.0), max(size[1] - high, 0.0))
    draw.rectangle((x, y, x + wide, y + high), fill=colour)
    bright = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 150
    draw.text((x + 2 - left, y + 2 - top), text, fill=(0, 0, 0) if bright else (255, 255, 255), font=font)
