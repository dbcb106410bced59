"""The drawings of a detector's steps with Pillow: one step as a picture, or all of them as frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from .boxes import NAMED, draw_boxes, to_picture

__all__ = ["draw_scene", "scene_frames"]

WIDE = 640  # pixels of the picture
PANEL = (245, 247, 249)
INK = (31, 41, 51)
HOT = (229, 72, 45)
LINES = {"grid": (200, 206, 213)}
# Kind of a box: its colour and whether it is dashed, as on the pages.
LOOKS = {
    "truth": ("truth", False), "positive": ("good", False), "kept": ("good", False), "best": ("now", False), "ignored": ("now", True),
    "missed": ("bad", False), "suppressed": ("bad", True), "faint": ("soft", False), "tap": ("now", False),
}  # fmt: skip


def draw_scene(scene: Any, step: int | None = None) -> Image.Image:
    """One picture of a scene.

    Parameters
    ----------
    scene : study.detection Scene
        With `width`, `height`, `image`, `marks` and `steps`.
    step : int, optional
        The step to show; those that paper gets where left out.
    """
    steps = scene.steps if step is None else [scene.steps[step]]
    shown = [mark for _, marks, final in steps for mark in marks if final or step is not None]
    return _drawn(scene, [*scene.marks, *shown])


def scene_frames(scene: Any) -> list[np.ndarray]:
    """Every step as an array of bytes (height, width, 3), with the words of the step below."""
    frames = []
    for number, (words, _, _) in enumerate(scene.steps):
        picture = draw_scene(scene, number)
        frame = Image.new("RGB", (picture.width, picture.height + 22), "white")
        frame.paste(picture, (0, 0))
        text = ImageDraw.Draw(frame)
        while words and text.textlength(words) > picture.width - 12:
            words = words[:-1]
        text.text((6, picture.height + 5), words, fill=INK)
        frames.append(np.asarray(frame))
    return frames


def _drawn(scene: Any, marks: Sequence[tuple[Any, ...]]) -> Image.Image:
    """The marks over the image, or over an empty panel."""
    scale = WIDE / max(scene.width, 1)
    size = (WIDE, max(1, round(scene.height * scale)))
    if scene.image is None:
        picture = Image.new("RGB", size, PANEL)
    else:
        picture = to_picture(np.asarray(getattr(scene.image, "data", scene.image), np.float32)).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture, "RGBA")
    for mark in marks:
        if mark[0] == "tile":
            draw.rectangle(tuple(value * scale for value in mark[1]), fill=(*HOT, int(190 * min(max(mark[2], 0.0), 1.0))))
        elif mark[0] == "line":
            draw.line(tuple(value * scale for value in mark[1]), fill=LINES.get(mark[2], NAMED["truth"]), width=1)
    boxes = [mark for mark in marks if mark[0] == "box"]
    looks = [LOOKS.get(mark[2], ("soft", False)) for mark in boxes]
    corners = np.array([mark[1] for mark in boxes], np.float64).reshape(-1, 4) * scale
    picture = draw_boxes(picture, corners, [colour for colour, _ in looks], [mark[3] for mark in boxes], dashed=[dashed for _, dashed in looks])
    draw = ImageDraw.Draw(picture)
    for mark in marks:
        if mark[0] == "dot":
            x, y = mark[1] * scale, mark[2] * scale
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=NAMED["truth"], outline="white")
        elif mark[0] == "text":
            draw.text((mark[1] * scale, mark[2] * scale), mark[3], fill=INK, anchor="mm")
    return picture
