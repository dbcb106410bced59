"""Label maps laid over their pictures, with a legend of the classes that occur; drawn by Pillow, so without matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..errors import ShapeError
from .palettes import IGNORED, instance_palette

__all__ = ["colour_labels", "draw_label_maps", "overlay", "overlay_instances"]

IGNORE = 255
LETTER, GAP, SWATCH = 13, 8, 14
LEAST_HEIGHT = 240  # small pictures are enlarged by a whole factor


def colour_labels(labels: Any, palette: np.ndarray, *, ignore_index: int = IGNORE) -> np.ndarray:
    """The colour of every pixel's class; white where the label is ignored.

    Shapes: (H, W) -> (H, W, 3) uint8

    Raises
    ------
    ShapeError
        For a class that the palette lacks.
    """
    classes = np.asarray(labels).astype(np.int64)
    kept = classes != ignore_index
    if kept.any() and not 0 <= classes[kept].min() <= classes[kept].max() < len(palette):
        raise ShapeError(f"colour_labels: classes go from {classes[kept].min()} to {classes[kept].max()}, the palette has {len(palette)} colours")
    coloured = palette[np.where(kept, classes, 0)].copy()
    coloured[~kept] = IGNORED
    return coloured


def overlay(picture: Any, labels: Any, palette: np.ndarray, *, opacity: float = 0.55, ignore_index: int = IGNORE) -> np.ndarray:
    """The picture with its classes painted over it, thinly; what is ignored shows the picture.

    Shapes: (H, W, 3) uint8, (H, W) -> (H, W, 3) uint8

    Raises
    ------
    ShapeError
        When the two differ in size.

    Examples
    --------
    >>> overlay(np.full((1, 2, 3), 100, np.uint8), [[1, 255]], np.array([[0, 0, 0], [200, 0, 0]], np.uint8), opacity=0.5)[0].tolist()
    [[150, 50, 50], [100, 100, 100]]
    """
    image, classes = np.asarray(picture), np.asarray(labels)
    if image.shape[:2] != classes.shape:
        raise ShapeError(f"overlay: the picture is {image.shape[0]}x{image.shape[1]}, its labels {classes.shape}; resize one")
    mixed = (1 - opacity) * image + opacity * colour_labels(classes, palette, ignore_index=ignore_index)
    return np.where((classes == ignore_index)[..., None], image, mixed.round().astype(np.uint8))


def overlay_instances(picture: Any, instances: Any) -> np.ndarray:
    """The picture with every instance in a colour of its own, its outline solid.

    Shapes: (H, W, 3) uint8, (H, W) -> (H, W, 3) uint8
    """
    numbers = np.asarray(instances).astype(np.int64)  # bytes cannot hold the -1 below
    palette = instance_palette(int(numbers.max(initial=0)))
    painted = overlay(picture, np.where(numbers == 0, -1, numbers), palette, opacity=0.4, ignore_index=-1)
    edge = np.zeros(numbers.shape, bool)
    edge[1:] |= numbers[1:] != numbers[:-1]
    edge[:, 1:] |= numbers[:, 1:] != numbers[:, :-1]
    outline = edge & (numbers > 0)
    painted[outline] = palette[numbers[outline]]
    return painted


def draw_label_maps(
    panels: Mapping[str, Any], path: str | Path, *, classes: Sequence[str] = (), palette: np.ndarray | None = None, shown: Sequence[int] = ()
) -> Path:
    """Write pictures of one size beside each other, each under its title, and a legend.

    Parameters
    ----------
    panels : mapping
        Title to picture (H, W, 3) uint8, as `overlay` makes them.
    path : path
        The PNG to write.
    classes : list of str
        Names of the classes.
    palette : (C, 3)
        Their colours; no legend without.
    shown : list of int
        The classes that the legend names, all that occur.

    Returns
    -------
    Path

    Raises
    ------
    ShapeError
        When there is no panel or sizes differ.
    """
    pictures = {title: np.asarray(picture) for title, picture in panels.items()}
    sizes = {picture.shape for picture in pictures.values()}
    if len(sizes) != 1:
        raise ShapeError(f"draw_label_maps: panels must be one or more pictures of one size, not {sorted(sizes)}")
    height, width = next(iter(sizes))[:2]
    factor = max(1, -(-LEAST_HEIGHT // height))
    font = ImageFont.load_default(LETTER)
    across = len(pictures) * (factor * width + GAP) + GAP
    rows = _legend_rows([(classes[k], k) for k in shown], across, font) if palette is not None else []
    top = GAP + LETTER + GAP
    sheet = Image.new("RGB", (across, top + factor * height + GAP + len(rows) * (SWATCH + GAP)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (title, picture) in enumerate(pictures.items()):
        left = GAP + number * (factor * width + GAP)
        draw.text((left, GAP // 2), title, fill="black", font=font)
        enlarged = Image.fromarray(picture.astype(np.uint8)).resize((factor * width, factor * height), Image.Resampling.NEAREST)
        sheet.paste(enlarged, (left, top))
    for row, entries in enumerate(rows):
        down = top + factor * height + GAP + row * (SWATCH + GAP)
        for left, name, number in entries:
            colour = tuple(int(value) for value in palette[number]) if palette is not None else IGNORED
            draw.rectangle((left, down, left + SWATCH, down + SWATCH), fill=colour, outline="black")
            draw.text((left + SWATCH + 4, down - 1), name, fill="black", font=font)
    target = Path(path)
    sheet.save(target)
    return target


def _legend_rows(entries: Sequence[tuple[str, int]], width: int, font: Any) -> list[list[tuple[int, str, int]]]:
    """Where the entries go, as many a line as fit: (left, name, class)."""
    rows: list[list[tuple[int, str, int]]] = [[]]
    left = GAP
    for name, number in entries:
        needed = SWATCH + 4 + int(font.getlength(name)) + 2 * GAP
        if left + needed > width and rows[-1]:
            rows.append([])
            left = GAP
        rows[-1].append((left, name, number))
        left += needed
    return rows if entries else []
