"""Clips of a drawn shape that moves, grows or turns: what is done can be told from several frames and from no single one."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from ..errors import ArgumentError

__all__ = ["ACTIONS", "MovingShapes"]

ACTIONS = ("left", "right", "up", "down", "grows", "shrinks", "turns left", "turns right", "rests")
FINER = 4  # drawn so many times larger and averaged, so that edges are smooth
DIRECTIONS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, -1.0), "down": (0.0, 1.0)}


class MovingShapes:
    """Clips of a triangle, square or five-cornered star on a noisy background, labelled by what it does.

    Parameters
    ----------
    n : int
        How many clips.
    frames : int
        Of a clip, 3 or more.
    size : int
        Height and width in pixels, 16 or more.
    seed : int
        Chooses the clips; clip i depends on seed, `train` and i alone.
    train : bool
        Clips of False are others, whatever the seeds.

    Raises
    ------
    ArgumentError
        When a number is out of range.

    Notes
    -----
    The shape, its size, place, angle, colour and speed are drawn at random, the same way for every class, so that one frame tells nothing about the
    class. A sample is (clip float32 (frames, 1, size, size) from 0 to 1, label); labels follow `classes`.

    Examples
    --------
    >>> clips = MovingShapes(10, frames=4, size=24)
    >>> clip, label = clips[0]
    >>> clip.shape, clip.dtype.name, clips.classes[label] in ACTIONS
    ((4, 1, 24, 24), 'float32', True)
    """

    classes = ACTIONS

    def __init__(self, n: int, frames: int = 8, size: int = 32, seed: int = 0, *, train: bool = True) -> None:
        for name, value, least in (("n", n, 1), ("frames", frames, 3), ("size", size, 16), ("seed", seed, 0)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ArgumentError(f"MovingShapes: {name}={value!r} must be a whole number of {least} or more")
        self.n, self.frames, self.size, self.seed, self.train = int(n), int(frames), int(size), int(seed), bool(train)

    def __len__(self) -> int:
        """The number of clips."""
        return self.n

    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        """All clips in order."""
        return (self[place] for place in range(len(self)))

    def __getitem__(self, place: int) -> tuple[np.ndarray, int]:
        """One clip and its label."""
        if not -self.n <= place < self.n:
            raise IndexError(f"MovingShapes: there is no clip {place}; there are {self.n}")
        generator = np.random.default_rng([self.seed, int(self.train), place % self.n])
        label = int(generator.integers(len(ACTIONS)))
        return self._clip(generator, ACTIONS[label]), label

    def _clip(self, generator: np.random.Generator, action: str) -> np.ndarray:
        """Draw the frames. In the middle of the clip every action has a shape of the same distribution of place, radius and angle."""
        size, half = self.size, (self.frames - 1) / 2
        corners, star = (3, False) if (kind := generator.integers(3)) == 0 else (4, False) if kind == 1 else (5, True)
        radius = size * generator.uniform(0.16, 0.26)
        x, y = generator.uniform(0.38 * size, 0.62 * size, 2)
        angle = generator.uniform(0, 2 * math.pi)
        speed = size * generator.uniform(0.25, 0.4) / self.frames
        turn = generator.uniform(1.0, 1.6) * 2 * math.pi / (corners * self.frames)  # a frame's turn is less than half of what looks the same
        growth = generator.uniform(0.7, 1.0) / self.frames
        shade, ground = generator.uniform(0.6, 1.0), generator.uniform(0.0, 0.3)
        dx, dy = DIRECTIONS.get(action, (0.0, 0.0))
        spin = {"turns left": -1.0, "turns right": 1.0}.get(action, 0.0)
        swell = {"grows": 1.0, "shrinks": -1.0}.get(action, 0.0)
        clip = np.empty((self.frames, 1, size, size), np.float32)
        for frame in range(self.frames):
            t = frame - half
            outline = _outline(corners, star, x + dx * speed * t, y + dy * speed * t, radius * math.exp(swell * growth * t), angle + spin * turn * t)
            clip[frame, 0] = ground + (shade - ground) * _filled(outline, size)
        clip += generator.normal(0, 0.04, clip.shape).astype(np.float32)
        np.clip(clip, 0, 1, out=clip)
        return clip


def _outline(corners: int, star: bool, x: float, y: float, radius: float, angle: float) -> list[tuple[float, float]]:
    count = corners * (2 if star else 1)
    turns = [angle + 2 * math.pi * k / count for k in range(count)]
    lengths = [radius * (0.45 if star and k % 2 else 1.0) for k in range(count)]
    return [(x + length * math.cos(turn), y + length * math.sin(turn)) for turn, length in zip(turns, lengths, strict=True)]


def _filled(outline: list[tuple[float, float]], size: int) -> np.ndarray:
    """The share of every pixel that lies inside."""
    picture = Image.new("L", (size * FINER, size * FINER))
    ImageDraw.Draw(picture).polygon([(x * FINER, y * FINER) for x, y in outline], fill=255)
    fine = np.asarray(picture, np.float32).reshape(size, FINER, size, FINER)
    share: np.ndarray = fine.mean(axis=(1, 3)) / np.float32(255)
    return share
