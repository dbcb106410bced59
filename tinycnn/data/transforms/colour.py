"""Colours changed at random: brightness, contrast, saturation and hue by a little, channels exchanged, the negative."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ArgumentError, ShapeError
from .image import Grayscale, MaybeApplied, Transform

__all__ = ["ColorJitter", "RandomChannelPermutation", "RandomInvert"]

Factors = list[tuple[str, float]]  # what is changed, in this order, and by how much


def _range(name: str, strength: float | Sequence[float], centre: float, least: float, most: float) -> tuple[float, float]:
    """The bounds that one number spans around the centre, or two bounds, checked."""
    if isinstance(strength, int | float | np.number):
        if strength < 0:
            raise ArgumentError(f"ColorJitter: {name} {strength!r} must be 0 or more, or (lowest, highest)")
        low, high = max(least, centre - float(strength)), centre + float(strength)
    else:
        low, high = (float(bound) for bound in strength)
    if not least <= low <= high <= most:
        raise ArgumentError(f"ColorJitter: {name} from {low} to {high} must lie between {least} and {most}, the lower first")
    return low, high


class ColorJitter(Transform):
    """Change brightness, contrast, saturation and hue by random factors, in a random order.

    Shapes: (height, width, 3) or (3, height, width) -> the same; grey images know brightness and contrast only

    Formula: brightness: f image; contrast: f image + (1 - f) mean(grey(image)); saturation: f image + (1 - f) grey(image); hue: the angle
    of the colour circle plus f turns. Each is cut to the range of the image.

    Parameters
    ----------
    brightness, contrast, saturation : float or (float, float)
        The factor lies within 1 - x and 1 + x, or within the two bounds.
    hue : float or (float, float)
        Turns of the colour circle, up to half a turn each way.

    Raises
    ------
    ArgumentError
        When a range is empty or out of bounds.

    Notes
    -----
    On float images the four functions are torchvision's; a uint8 picture is rounded to the nearest byte, where torchvision cuts off.

    References
    ----------
    A. G. Howard, "Some improvements on deep convolutional neural network based image classification", 2013, section 2.

    Examples
    --------
    >>> brighter = ColorJitter(brightness=(2.0, 2.0))
    >>> brighter(np.array([[10, 200]], np.uint8), np.random.default_rng(0))
    array([[ 20, 255]], dtype=uint8)
    """

    random = True

    def __init__(
        self,
        brightness: float | Sequence[float] = 0,
        contrast: float | Sequence[float] = 0,
        saturation: float | Sequence[float] = 0,
        hue: float | Sequence[float] = 0,
    ) -> None:
        self.brightness = _range("brightness", brightness, 1.0, 0.0, np.inf)
        self.contrast = _range("contrast", contrast, 1.0, 0.0, np.inf)
        self.saturation = _range("saturation", saturation, 1.0, 0.0, np.inf)
        if isinstance(hue, int | float) and not 0 <= hue <= 0.5:
            raise ArgumentError(f"ColorJitter: hue {hue!r} must lie from 0 to 0.5 turns, or be (lowest, highest)")
        self.hue = _range("hue", hue if not isinstance(hue, int | float) else (-float(hue), float(hue)), 0.0, -0.5, 0.5)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Factors:
        """Choose the order and the factors; what cannot change anything is left out."""
        ranges = {"brightness": self.brightness, "contrast": self.contrast, "saturation": self.saturation, "hue": self.hue}
        chosen = []
        for number in generator.permutation(4):
            name = tuple(ranges)[number]
            low, high = ranges[name]
            neutral = 0.0 if name == "hue" else 1.0
            if (low, high) != (neutral, neutral):
                chosen.append((name, float(generator.uniform(low, high))))
        return chosen

    def apply(self, image: np.ndarray, choice: Factors) -> np.ndarray:
        """Change one image step by step in float32, from 0 to 1."""
        if len(image) not in (1, 3):
            raise ShapeError(f"ColorJitter: takes 1 or 3 channels, not {len(image)}")
        whole = np.float32(255 if image.dtype == np.uint8 else 1)
        values = image.astype(np.float32 if image.dtype == np.uint8 else image.dtype) / whole
        for name, factor in choice:
            values = adjust(values, name, factor)
        values *= whole
        return np.rint(values).astype(np.uint8) if image.dtype == np.uint8 else values


class RandomChannelPermutation(Transform):
    """Put the channels into a random order, each order as likely.

    Shapes: (height, width, C) or (C, height, width) -> the same

    Examples
    --------
    >>> red = np.array([[[9, 0, 0]]], np.uint8)
    >>> sorted(RandomChannelPermutation()(red, np.random.default_rng(0)).ravel().tolist())
    [0, 0, 9]
    """

    random = True

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Choose the order."""
        return generator.permutation(shape[0])

    def apply(self, image: np.ndarray, choice: np.ndarray) -> np.ndarray:
        """Exchange."""
        return image[choice]


class RandomInvert(MaybeApplied):
    """Make the negative with probability `p`.

    Formula: 255 - image of a picture, 1 - image of floats

    Parameters
    ----------
    p : float
        Probability from 0 to 1.

    Raises
    ------
    ArgumentError
        When p is none.

    Examples
    --------
    >>> RandomInvert(1.0)(np.array([[0, 55]], np.uint8))
    array([[255, 200]], dtype=uint8)
    """

    def apply(self, image: np.ndarray, choice: bool) -> np.ndarray:
        """Invert."""
        return image.dtype.type(255 if image.dtype == np.uint8 else 1) - image if choice else image


def adjust(image: np.ndarray, name: str, factor: float) -> np.ndarray:
    """Return a float image (channels, height, width) from 0 to 1 with one property changed."""
    if name == "brightness":
        changed = image * image.dtype.type(factor)
    elif name == "contrast":
        changed = _blend(image, GREY.apply(image).mean(dtype=np.float64), factor)
    elif name == "saturation":
        changed = _blend(image, GREY.apply(image), factor)
    else:
        return image if len(image) == 1 else turn_hue(image, factor)
    return np.clip(changed, 0, 1)


GREY = Grayscale()


def _blend(image: np.ndarray, other: np.ndarray | float, factor: float) -> np.ndarray:
    kind = image.dtype.type
    return np.asarray(kind(factor) * image + kind(1 - factor) * np.asarray(other, image.dtype))


def turn_hue(image: np.ndarray, turns: float) -> np.ndarray:
    """Return a colour image (3, height, width) with every hue turned on the colour circle; value and saturation stay.

    Formula: through hue, saturation, value: with V = max, C = max - min and hue h in sixths of a turn, channel n of (5, 3, 1) is
    V - C max(0, min(k, 4 - k, 1)), k = (n + h) mod 6.
    """
    red, green, blue = image
    value = image.max(0)
    spread = value - image.min(0)
    safe = np.where(spread == 0, 1, spread)
    hue = np.where(value == red, (green - blue) / safe, np.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe))
    hue = np.where(spread == 0, 0, hue) + 6 * turns
    channels = []
    for offset in (5, 3, 1):
        place = (offset + hue) % 6
        channels.append(value - spread * np.maximum(0, np.minimum(np.minimum(place, 4 - place), 1)))
    return np.stack(channels).astype(image.dtype)
