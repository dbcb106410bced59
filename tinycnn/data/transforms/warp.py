"""Images are turned, moved, stretched and bent: each output pixel reads the input at a place of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...errors import ArgumentError
from .image import Transform

__all__ = ["ElasticTransform", "RandomAffine", "RandomRotation"]

ORDERS = {"nearest": 0, "bilinear": 1}


def _order(name: str, interpolation: str) -> str:
    if interpolation not in ORDERS:
        raise ArgumentError(f"{name}: interpolation {interpolation!r} must be one of {', '.join(ORDERS)}")
    return interpolation


def read_at(image: np.ndarray, rows: np.ndarray, columns: np.ndarray, interpolation: str, fill: float) -> np.ndarray:
    """Read each channel of (channels, height, width) at fractional places; outside the image lies `fill`."""
    from scipy import ndimage  # not above: it takes as long to load as the rest of the data package

    order = ORDERS[interpolation]
    if order == 0:
        # Half a pixel is rounded to even, as torch rounds; SciPy rounds it up.
        rows, columns = np.rint(rows), np.rint(columns)
    wide = image.astype(np.float32) if image.dtype == np.uint8 else image
    planes = [ndimage.map_coordinates(plane, (rows, columns), order=order, mode="grid-constant", cval=fill, prefilter=False) for plane in wide]
    moved = np.stack(planes)
    return np.rint(moved).astype(np.uint8) if image.dtype == np.uint8 else moved.astype(image.dtype, copy=False)


class AffineChoice(NamedTuple):
    """One affine map: degrees against the clock in an image whose rows go down is a negative angle, as in torchvision."""

    angle: float  # degrees, clockwise
    translate: tuple[int, int]  # pixels right and down
    scale: float
    shear: tuple[float, float]  # degrees, along x and along y


def affine_matrix(choice: AffineChoice) -> np.ndarray:
    """The map without its shift, (2, 2), of (x, y) measured from the middle of the image: rotation times shear, torchvision's factorisation.

    Examples
    --------
    >>> (affine_matrix(AffineChoice(90.0, (0, 0), 2.0, (0.0, 0.0))).round(6) + 0.0).tolist()
    [[0.0, -2.0], [2.0, 0.0]]
    """
    turn, across, down = (math.radians(angle) for angle in (choice.angle, *choice.shear))
    a = math.cos(turn - down) / math.cos(down)
    b = -math.cos(turn - down) * math.tan(across) / math.cos(down) - math.sin(turn)
    c = math.sin(turn - down) / math.cos(down)
    d = -math.sin(turn - down) * math.tan(across) / math.cos(down) + math.cos(turn)
    return choice.scale * np.array([[a, b], [c, d]])


def affine(image: np.ndarray, choice: AffineChoice, interpolation: str = "nearest", fill: float = 0) -> np.ndarray:
    """Move an image (channels, height, width) by an affine map around its middle.

    Formula: out[p] = image[M^-1 p], M = T R(angle) Shear(x, y) scale, with p measured from the middle of the image
    """
    height, width = image.shape[-2:]
    inverse = np.linalg.inv(affine_matrix(choice))
    y, x = np.mgrid[:height, :width].astype(np.float64)
    x -= (width - 1) / 2 + choice.translate[0]
    y -= (height - 1) / 2 + choice.translate[1]
    columns = inverse[0, 0] * x + inverse[0, 1] * y + (width - 1) / 2
    rows = inverse[1, 0] * x + inverse[1, 1] * y + (height - 1) / 2
    return read_at(image, rows, columns, interpolation, fill)


def _interval(name: str, argument: str, value: float | Sequence[float]) -> tuple[float, float]:
    """From one number -x to x, or two numbers as they are."""
    if isinstance(value, int | float | np.number):
        if value < 0:
            raise ArgumentError(f"{name}: {argument} {value!r} must be 0 or more, or (lowest, highest)")
        return -float(value), float(value)
    low, high = (float(bound) for bound in value)
    if low > high:
        raise ArgumentError(f"{name}: {argument} from {low} to {high} is empty; give the lower bound first")
    return low, high


class RandomAffine(Transform):
    """Turn, shift, scale and shear by random amounts, around the middle of the image.

    Shapes: (height, width) -> the same

    Parameters
    ----------
    degrees : float or (float, float)
        The angle lies within -x and x, or within the two bounds; clockwise.
    translate : (float, float), optional
        Largest shift across and down, as shares of width and height.
    scale : (float, float), optional
        Smallest and largest scale.
    shear : float or (float, float), optional
        Degrees of shear along x: within -x and x, or within the two bounds.
    interpolation : str
        "nearest" or "bilinear".
    fill : float
        The value outside the image, in its units.

    Raises
    ------
    ArgumentError
        When a range is empty or out of bounds.

    Notes
    -----
    A border pixel is a mean of image and fill, weighted by the distances. torchvision, given a fill, counts the image's share squared.

    Examples
    --------
    >>> quarter = RandomAffine((90, 90))
    >>> quarter(np.array([[1, 2], [3, 4]], np.uint8), np.random.default_rng(0))
    array([[3, 1],
           [4, 2]], dtype=uint8)
    """

    random = True

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: str = "nearest",
        fill: float = 0,
    ) -> None:
        name = type(self).__name__
        self.degrees = _interval(name, "degrees", degrees)
        self.translate = None if translate is None else tuple(float(share) for share in translate)
        if self.translate is not None and (len(self.translate) != 2 or not all(0 <= share <= 1 for share in self.translate)):
            raise ArgumentError(f"{name}: translate {self.translate} must be two shares from 0 to 1, across and down")
        self.scale = None if scale is None else tuple(float(bound) for bound in scale)
        if self.scale is not None and (len(self.scale) != 2 or not 0 < self.scale[0] <= self.scale[1]):
            raise ArgumentError(f"{name}: scale {self.scale} must be two numbers, 0 < smallest <= largest")
        self.shear = None if shear is None else _interval(name, "shear", shear)
        self.interpolation = _order(name, interpolation)
        self.fill = fill

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> AffineChoice:
        """Choose angle, shift, scale and shear, in this order."""
        height, width = shape[-2:]
        angle = float(generator.uniform(*self.degrees))
        shift = (0, 0)
        if self.translate is not None:
            across, down = self.translate[0] * width, self.translate[1] * height
            shift = round(generator.uniform(-across, across)), round(generator.uniform(-down, down))
        scale = 1.0 if self.scale is None else float(generator.uniform(self.scale[0], self.scale[1]))
        shear = 0.0 if self.shear is None else float(generator.uniform(*self.shear))
        return AffineChoice(angle, shift, scale, (shear, 0.0))

    def apply(self, image: np.ndarray, choice: AffineChoice) -> np.ndarray:
        """Move one image by the chosen map."""
        return affine(image, choice, self.interpolation, self.fill)


class RandomRotation(RandomAffine):
    """Turn an image around its middle by a random angle; its size stays, its corners are cut.

    Shapes: (height, width) -> the same

    Parameters
    ----------
    degrees : float or (float, float)
        The angle lies within -x and x, or within the two bounds; against the clock, as torchvision turns here.
    interpolation : str
        "nearest" or "bilinear".
    fill : float
        The value outside the image, in its units.

    Examples
    --------
    >>> RandomRotation((90, 90))(np.array([[1, 2], [3, 4]], np.uint8), np.random.default_rng(0))
    array([[2, 4],
           [1, 3]], dtype=uint8)
    """

    def __init__(self, degrees: float | Sequence[float], interpolation: str = "nearest", fill: float = 0) -> None:
        super().__init__(degrees, interpolation=interpolation, fill=fill)

    def apply(self, image: np.ndarray, choice: AffineChoice) -> np.ndarray:
        """Turn one image by the chosen angle."""
        return super().apply(image, choice._replace(angle=-choice.angle))


class ElasticTransform(Transform):
    """Bend an image as a sheet of rubber: every pixel moves by a random, smooth displacement.

    Shapes: (height, width) -> the same

    Formula: out[i, j] = image[i + alpha dy[i, j], j + alpha dx[i, j]], dx and dy uniform in [-1, 1], smoothed by a Gaussian of `sigma`

    Parameters
    ----------
    alpha : float
        Strength: displacements before smoothing, in pixels.
    sigma : float
        Width of the smoothing in pixels: small values tear, large ones shift the image as a whole.
    interpolation : str
        "nearest" or "bilinear".
    fill : float
        The value outside the image, in its units.

    Raises
    ------
    ArgumentError
        When alpha is negative or sigma is not above zero.

    Notes
    -----
    torchvision multiplies the displacement by 2 / size where its own coordinates span 2 / size a pixel, so alpha means pixels there too.
    Simard et al. used alpha 34 and sigma 4 on digits of 29 pixels.

    References
    ----------
    P. Y. Simard, D. Steinkraus, J. C. Platt, "Best practices for convolutional neural networks applied to visual document analysis", 2003,
    section 2.

    Examples
    --------
    >>> ElasticTransform(alpha=0.0)(np.array([[1, 2], [3, 4]], np.uint8), np.random.default_rng(0))
    array([[1, 2],
           [3, 4]], dtype=uint8)
    """

    random = True

    def __init__(self, alpha: float = 50.0, sigma: float = 5.0, interpolation: str = "bilinear", fill: float = 0) -> None:
        if not alpha >= 0 or not sigma > 0:
            raise ArgumentError(f"ElasticTransform: needs alpha >= 0 and sigma > 0, not {alpha!r} and {sigma!r}")
        self.alpha, self.sigma = float(alpha), float(sigma)
        self.interpolation = _order("ElasticTransform", interpolation)
        self.fill = fill

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Choose the displacement (2, height, width) in pixels, down and across."""
        from scipy import ndimage

        noise = generator.uniform(-1, 1, (2, *shape[-2:]))
        return np.stack([self.alpha * ndimage.gaussian_filter(plane, self.sigma, mode="reflect") for plane in noise])

    def apply(self, image: np.ndarray, choice: np.ndarray) -> np.ndarray:
        """Read the image at the displaced places."""
        rows, columns = np.mgrid[: image.shape[-2], : image.shape[-1]] + choice
        return read_at(image, rows, columns, self.interpolation, self.fill)
