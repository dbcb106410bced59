"""Changes to images before a network sees them, under torchvision's names.

Two forms of an image occur, told apart by their number type. A *picture* is uint8, (height, width) or (height, width,
channels), as `numpy.asarray` of a Pillow image gives it. `ToTensor` makes it an *image*: float32, (channels, height,
width), from 0 to 1. Transforms that move pixels take either and keep its form. `batch` does the same to many images of
one size at once, (count, channels, height, width) of either number type, with the same bits as one call an image.

Randomness comes from the generator of the call and from nowhere else. The loader passes one that depends on the seed,
the epoch and the image's index, so that no order of work can change what an image looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from ...errors import ArgumentError, DtypeError, ShapeError
from ...random import default_generator

__all__ = [
    "CenterCrop",
    "Compose",
    "Grayscale",
    "Normalize",
    "RandomCrop",
    "RandomHorizontalFlip",
    "Resize",
    "ToTensor",
    "Transform",
]

Generators = Sequence[np.random.Generator | None]


def check_picture(name: str, image: Any) -> np.ndarray:
    """Return a picture or an image as an array once its shape and number type are those of one."""
    array = np.asarray(image)
    if array.dtype == np.uint8 and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        return array
    if array.dtype in (np.float32, np.float64) and array.ndim == 3:
        return array
    raise ShapeError(
        f"{name}: {array.dtype} of shape {array.shape} is neither a uint8 picture (height, width) or "
        "(height, width, 1|3|4) nor a float image (channels, height, width)"
    )


def to_channels_first(array: np.ndarray) -> np.ndarray:
    """View a picture or an image as (channels, height, width)."""
    if array.dtype != np.uint8:
        return array
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def to_picture(channels_first: np.ndarray, like: np.ndarray) -> np.ndarray:
    """View the result of a transform in the form, picture or image, that its input had."""
    if channels_first.dtype != np.uint8:
        return channels_first
    return channels_first[0] if like.ndim == 2 else channels_first.transpose(1, 2, 0)


class Transform:
    """The base of transforms that move pixels: `draw` takes what is random from the generator, `apply` moves the
    pixels.

    Attributes
    ----------
    random : bool
        Whether `draw` uses the generator; the loader makes none where no transform does.
    """

    random = False

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
        """Return the random choices for one image of shape (channels, height, width)."""
        return None

    def apply(self, image: np.ndarray, choice: Any) -> np.ndarray:
        """Return the changed image, (channels, height, width) in and out, given what `draw` chose."""
        raise NotImplementedError

    def __call__(self, image: Any, generator: np.random.Generator | None = None) -> np.ndarray:
        """Change one picture or image; without a generator the package's own is used."""
        array = check_picture(type(self).__name__, image)
        view = to_channels_first(array)
        choice = self.draw(default_generator(generator), view.shape) if self.random else None
        return to_picture(self.apply(view, choice), array)

    def batch(self, images: np.ndarray, generators: Generators | None = None) -> np.ndarray:
        """Change many images (count, channels, height, width), each with its own generator."""
        return np.stack([self.apply(image, choice) for image, choice in zip(images, self.draw_all(images, generators), strict=True)])

    def draw_all(self, images: np.ndarray, generators: Generators | None) -> list[Any]:
        """Return the random choices for every image of a batch."""
        if not self.random:
            return [None] * len(images)
        chosen = [None] * len(images) if generators is None else generators
        return [self.draw(default_generator(generator), images.shape[1:]) for generator in chosen]

    def __repr__(self) -> str:
        """Show the call that makes this transform."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({arguments})"


class Compose(Transform):
    """Several transforms, one after the other.

    Parameters
    ----------
    transforms : sequence
        Transforms, or plain functions of one image.

    Examples
    --------
    >>> half = Compose([ToTensor(), Normalize([0.5], [0.5])])
    >>> half(np.array([[0, 255]], dtype=np.uint8))
    array([[[-1.,  1.]]], dtype=float32)
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        self.transforms = list(transforms)

    @property
    def random(self) -> bool:  # type: ignore[override]
        """Whether any of the transforms is random."""
        return any(getattr(transform, "random", False) for transform in self.transforms)

    def __call__(self, image: Any, generator: np.random.Generator | None = None) -> np.ndarray:
        """Change one picture or image by each transform in turn."""
        for transform in self.transforms:
            image = transform(image, generator) if isinstance(transform, Transform) else transform(image)
        return image

    @property
    def can_batch(self) -> bool:
        """Whether every step works on whole batches; a plain function of one image does not."""
        return all(getattr(transform, "can_batch", isinstance(transform, Transform)) for transform in self.transforms)

    def batch(self, images: np.ndarray, generators: Generators | None = None) -> np.ndarray:
        """Change many images of one size by each transform in turn."""
        for transform in self.transforms:
            if not isinstance(transform, Transform):
                raise ArgumentError(f"Compose.batch: {transform!r} is not a Transform, so it works on one image at a time only")
            images = transform.batch(images, generators)
        return images


class ToTensor(Transform):
    """Turn a uint8 picture into a float32 image from 0 to 1; a float image passes unchanged.

    Shapes: (height, width) or (height, width, channels) -> (channels, height, width)

    Formula: image[c, i, j] = picture[i, j, c] / 255

    Examples
    --------
    >>> ToTensor()(np.array([[0, 51, 255]], dtype=np.uint8))
    array([[[0. , 0.2, 1. ]]], dtype=float32)
    """

    def __call__(self, image: Any, generator: np.random.Generator | None = None) -> np.ndarray:
        """Scale one picture."""
        return self.batch(to_channels_first(check_picture("ToTensor", image)))

    def batch(self, images: np.ndarray, generators: Generators | None = None) -> np.ndarray:
        """Scale images that are already (count, channels, height, width)."""
        if images.dtype != np.uint8:
            return images
        scaled = np.empty(images.shape, np.float32)
        return np.divide(images, np.float32(255), out=scaled)


class Normalize(Transform):
    """Shift and scale each channel of a float image.

    Shapes: (channels, height, width) -> the same

    Formula: out[c, i, j] = (image[c, i, j] - mean[c]) / std[c]

    Parameters
    ----------
    mean, std : sequence of float
        One number a channel, in units of the image (0 to 1 after `ToTensor`).

    Raises
    ------
    ArgumentError
        When the two differ in length or a standard deviation is not above zero.
    DtypeError
        When it is given a uint8 picture.

    Examples
    --------
    >>> Normalize([0.5], [0.25])(np.array([[[0.25, 1.0]]], dtype=np.float32))
    array([[[-1.,  2.]]], dtype=float32)
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean = tuple(float(value) for value in mean)
        self.std = tuple(float(value) for value in std)
        if len(self.mean) != len(self.std) or not self.mean:
            raise ArgumentError(f"Normalize: mean has {len(self.mean)} and std {len(self.std)} numbers; give one of each a channel")
        if not all(value > 0 for value in self.std):
            raise ArgumentError(f"Normalize: std {self.std} must be above zero in every channel")

    def apply(self, image: np.ndarray, choice: Any = None) -> np.ndarray:
        """Normalise an array whose third axis from the end is the channels."""
        if image.dtype == np.uint8:
            raise DtypeError("Normalize: takes a float image, not a uint8 picture; put ToTensor() before it")
        if image.shape[-3] != len(self.mean):
            raise ShapeError(f"Normalize: mean and std are for {len(self.mean)} channels, the image {image.shape} has {image.shape[-3]}")
        column = (len(self.mean), 1, 1)
        shifted = image - np.array(self.mean, image.dtype).reshape(column)
        shifted /= np.array(self.std, image.dtype).reshape(column)
        return shifted

    def batch(self, images: np.ndarray, generators: Generators | None = None) -> np.ndarray:
        """Normalise a whole batch at once."""
        return self.apply(images)


def pair_of(name: str, size: int | Sequence[int]) -> tuple[int, int]:
    """Return (height, width) from one number or two."""
    pair = (size, size) if isinstance(size, int | np.integer) else tuple(size)
    if len(pair) != 2 or not all(isinstance(extent, int | np.integer) and extent > 0 for extent in pair):
        raise ArgumentError(f"{name}: size {size!r} must be one whole number above zero, or (height, width)")
    return int(pair[0]), int(pair[1])


class CenterCrop(Transform):
    """Cut out the middle.

    Shapes: (height, width) -> (size[0], size[1])

    Parameters
    ----------
    size : int or (int, int)
        Height and width in pixels.

    Notes
    -----
    An odd remainder is rounded as torchvision rounds it, half to even. An image smaller than `size` is an error here;
    torchvision pads it.

    Examples
    --------
    >>> CenterCrop(1)(np.arange(9, dtype=np.uint8).reshape(3, 3))
    array([[4]], dtype=uint8)
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = pair_of("CenterCrop", size)

    def apply(self, image: np.ndarray, choice: Any = None) -> np.ndarray:
        """Cut the middle out of the last two axes."""
        height, width = self.size
        top, left = round((image.shape[-2] - height) / 2), round((image.shape[-1] - width) / 2)
        if image.shape[-2] < height or image.shape[-1] < width:
            raise ShapeError(f"CenterCrop: an image of {image.shape[-2]}x{image.shape[-1]} is smaller than {height}x{width}; use Resize first")
        return image[..., top : top + height, left : left + width]

    def batch(self, images: np.ndarray, generators: Generators | None = None) -> np.ndarray:
        """Cut the middle out of a whole batch."""
        return self.apply(images)


class RandomCrop(Transform):
    """Cut out a place chosen at random, each equally likely.

    Shapes: (height + 2 padding, width + 2 padding) -> (size[0], size[1])

    Parameters
    ----------
    size : int or (int, int)
        Height and width in pixels.
    padding : int
        Rows and columns of `fill` put on every side first.
    fill : int
        The value of the padding, in units of the image.

    Examples
    --------
    >>> RandomCrop(2)(np.full((3, 3), 7, dtype=np.uint8), np.random.default_rng(0))
    array([[7, 7],
           [7, 7]], dtype=uint8)
    """

    random = True

    def __init__(self, size: int | Sequence[int], padding: int = 0, fill: float = 0) -> None:
        self.size = pair_of("RandomCrop", size)
        if not isinstance(padding, int | np.integer) or padding < 0:
            raise ArgumentError(f"RandomCrop: padding {padding!r} must be a whole number of zero or more")
        self.padding = int(padding)
        self.fill = fill

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, int]:
        """Choose the top left corner inside the padded image."""
        rows, columns = (extent + 2 * self.padding - size for extent, size in zip(shape[-2:], self.size, strict=True))
        if rows < 0 or columns < 0:
            raise ShapeError(
                f"RandomCrop: an image of {shape[-2]}x{shape[-1]} with padding {self.padding} is smaller than "
                f"{self.size[0]}x{self.size[1]}; pad more or use Resize first"
            )
        return int(generator.integers(rows + 1)), int(generator.integers(columns + 1))

    def pad(self, images: np.ndarray) -> np.ndarray:
        """Return the images inside a frame of `fill`."""
        width = self.padding
        if width == 0:
            return images
        framed = np.full((*images.shape[:-2], images.shape[-2] + 2 * width, images.shape[-1] + 2 * width), self.fill, images.dtype)
        framed[..., width:-width, width:-width] = images
        return framed

    def apply(self, image: np.ndarray, choice: tuple[int, int]) -> np.ndarray:
        """Cut the chosen place out of one image."""
        top, left = choice
        return self.pad(image)[..., top : top + self.size[0], left : left + self.size[1]]

    def batch(self, images: np.ndarray, generators: Generators | None = None) -> np.ndarray:
        """Cut each image's own place out of a batch."""
        height, width = self.size
        choices = self.draw_all(images, generators)
        framed = self.pad(images)
        cut = np.empty((*images.shape[:2], height, width), images.dtype)
        for number, (top, left) in enumerate(choices):
            cut[number] = framed[number, :, top : top + height, left : left + width]
        return cut


class MaybeApplied(Transform):
    """The base of transforms that are applied with probability `p` or leave an image as it is."""

    random = True

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(f"{type(self).__name__}: p {p!r} must be a probability from 0 to 1")
        self.p = float(p)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> bool:
        """Choose whether to apply it."""
        return bool(generator.random() < self.p)


class RandomHorizontalFlip(MaybeApplied):
    """Mirror left and right with probability `p`.

    Shapes: (height, width) -> the same

    Parameters
    ----------
    p : float
        Probability from 0 to 1.

    Examples
    --------
    >>> RandomHorizontalFlip(p=1.0)(np.array([[1, 2, 3]], dtype=np.uint8))
    array([[3, 2, 1]], dtype=uint8)
    """

    def apply(self, image: np.ndarray, choice: bool) -> np.ndarray:
        """Mirror the last axis if chosen."""
        return image[..., ::-1] if choice else image

    def batch(self, images: np.ndarray, generators: Generators | None = None) -> np.ndarray:
        """Mirror the chosen images of a batch."""
        mirrored = np.array(self.draw_all(images, generators), bool)
        flipped = images.copy()
        flipped[mirrored] = images[mirrored][..., ::-1]
        return flipped


class Resize(Transform):
    """Scale to another size by Pillow's bilinear filter, which averages where it shrinks.

    Shapes: (height, width) -> `size`, or the shorter side to `size` when that is one number

    Parameters
    ----------
    size : int or (int, int)
        Pixels: the shorter side, or (height, width).

    Examples
    --------
    >>> Resize((1, 1))(np.array([[10, 20], [30, 40]], dtype=np.uint8))
    array([[25]], dtype=uint8)
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size: int | tuple[int, int] = int(size) if isinstance(size, int | np.integer) else pair_of("Resize", size)
        pair_of("Resize", self.size)

    def target(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width that an image of this size is scaled to."""
        if not isinstance(self.size, int):
            return self.size
        shorter = min(height, width)
        return max(1, self.size * height // shorter), max(1, self.size * width // shorter)

    def apply(self, image: np.ndarray, choice: Any = None) -> np.ndarray:
        """Scale each channel."""
        height, width = self.target(*image.shape[-2:])
        mode = "L" if image.dtype == np.uint8 else "F"
        planes = [Image.fromarray(np.ascontiguousarray(plane if mode == "L" else plane.astype(np.float32))) for plane in image]
        scaled = [np.asarray(plane.resize((width, height), Image.Resampling.BILINEAR)) for plane in planes]
        return np.stack(scaled).astype(image.dtype, copy=False)


class Grayscale(Transform):
    """Turn a colour picture into grey levels by the luma weights of ITU-R 601-2, as Pillow and torchvision do.

    Shapes: (3, height, width) -> (1, height, width); grey stays as it is

    Formula: grey[i, j] = 0.299 red[i, j] + 0.587 green[i, j] + 0.114 blue[i, j], rounded in a uint8 picture

    Examples
    --------
    >>> Grayscale()(np.array([[[255, 0, 0]]], dtype=np.uint8))
    array([[[76]]], dtype=uint8)
    """

    WEIGHTS = (0.299, 0.587, 0.114)

    def apply(self, image: np.ndarray, choice: Any = None) -> np.ndarray:
        """Weigh the first three channels of the third axis from the end."""
        if image.shape[-3] == 1:
            return image
        if image.shape[-3] < 3:
            raise ShapeError(f"Grayscale: takes 1 or 3 channels, not {image.shape[-3]}")
        grey = sum(np.float32(weight) * image[..., channel, :, :] for channel, weight in enumerate(self.WEIGHTS))
        grey = np.asarray(grey)[..., None, :, :]
        return np.rint(grey).astype(np.uint8) if image.dtype == np.uint8 else grey.astype(image.dtype)

    def batch(self, images: np.ndarray, generators: Generators | None = None) -> np.ndarray:
        """Weigh the channels of a whole batch."""
        return self.apply(images)
