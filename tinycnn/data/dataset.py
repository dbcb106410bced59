"""Datasets: things with a length and numbered samples, each a tuple of an image and its label."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np

from ..errors import ArgumentError, DataError, ShapeError
from ..random import default_generator
from ..tensor import Tensor
from .idx import check_labels
from .transforms import Generators, ToTensor, Transform

__all__ = ["ArrayDataset", "Dataset", "ImageDataset", "Subset", "TensorDataset", "random_split"]

TO_TENSOR = ToTensor()


@runtime_checkable
class Dataset(Protocol):
    """What `DataLoader` needs of a dataset: a length, and samples by number."""

    def __len__(self) -> int:
        """Return how many samples there are."""

    def __getitem__(self, index: int) -> Any:
        """Return one sample, usually (image, label)."""


def check_index(index: int, length: int) -> int:
    """Return the index counted from the start; an IndexError ends a `for` loop over a dataset, as over a list."""
    if not -length <= index < length:
        raise IndexError(f"sample {index} of a dataset of {length}")
    return int(index) % length


def apply_transform(transform: Any, image: Any, generator: np.random.Generator | None) -> Any:
    """Pass one image through a transform of this package, a plain function of one image, or nothing."""
    if transform is None:
        return image
    return transform(image, generator) if isinstance(transform, Transform) else transform(image)


class ImageDataset:
    """The base of labelled image datasets.

    Attributes
    ----------
    classes : tuple of str
        Class names in the order of the labels.
    mean, std : tuple of float
        Of each channel over the training split, in units of an image from 0 to 1.
    image_shape : (int, int, int)
        Channels, height and width of an image before the transform.
    transform : Transform, function of one image, or None
        What is done to each picture; None leaves the uint8 picture, and the loader then only scales it to 0..1.
    """

    classes: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    image_shape: tuple[int, int, int] = (0, 0, 0)
    transform: Any = None

    def __len__(self) -> int:
        """Return how many samples there are."""
        raise NotImplementedError

    def picture(self, index: int) -> tuple[np.ndarray, int]:
        """Return a picture as it was read, uint8 (height, width) or (height, width, channels), and its label."""
        raise NotImplementedError

    def labels(self) -> np.ndarray:
        """Return all labels, int64 (count,), without reading images."""
        raise NotImplementedError

    def sample(self, index: int, generator: np.random.Generator | None = None) -> tuple[Any, int]:
        """Return one transformed image and its label, with the generator for the transform's random choices."""
        image, label = self.picture(check_index(index, len(self)))
        return apply_transform(self.transform, image, generator), label

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """Return one transformed image and its label; random transforms draw from the package's generator."""
        return self.sample(index)

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        """Go through all samples in order."""
        return (self[index] for index in range(len(self)))

    def with_transform(self, transform: Any) -> Self:
        """Return a dataset of the same pictures, which both share, with another transform."""
        other = copy.copy(self)
        other.transform = transform
        return other

    @property
    def random(self) -> bool:
        """Whether the transform is random, so that each sample needs a generator."""
        return bool(getattr(self.transform, "random", False))


class ArrayDataset(ImageDataset):
    """Labelled images of one size, all in memory.

    Shapes: images (count, height, width) or (count, channels, height, width); labels (count,)

    Parameters
    ----------
    images : ndarray
        uint8 from 0 to 255, or float32 from 0 to 1.
    labels : ndarray or list of int
        The class of each image, from 0 to ``len(classes) - 1``.
    classes : sequence of str, optional
        Class names; "0", "1", ... up to the largest label if left out.
    mean, std : sequence of float, optional
        Of each channel; computed from the images if left out.
    transform : Transform or function, optional
        What is done to each picture.

    Raises
    ------
    ShapeError
        When the images' shape is none of the two.
    DataError
        When the counts differ or a label is out of range.

    Examples
    --------
    >>> dataset = ArrayDataset(np.zeros((3, 28, 28), np.uint8), [2, 0, 1], transform=ToTensor())
    >>> image, label = dataset[0]
    >>> image.shape, label, dataset.classes
    ((1, 28, 28), 2, ('0', '1', '2'))
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray | Sequence[int],
        *,
        classes: Sequence[str] | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        transform: Any = None,
    ) -> None:
        images, numbers = np.asarray(images), np.asarray(labels)
        if images.ndim not in (3, 4) or images.dtype not in (np.uint8, np.float32) or 0 in images.shape[1:]:
            raise ShapeError(
                f"ArrayDataset: images {images.dtype} of shape {images.shape} must be uint8 or float32 "
                "(count, height, width) or (count, channels, height, width)"
            )
        if numbers.ndim != 1 or (numbers.dtype.kind not in "iu" and numbers.size):
            raise DataError(f"ArrayDataset: labels {numbers.dtype} of shape {numbers.shape} must be whole numbers, one an image")
        if len(images) != len(numbers):
            raise DataError(f"ArrayDataset: {len(numbers)} labels for {len(images)} images")
        self.grey = images.ndim == 3
        self.images = np.ascontiguousarray(images[:, None] if self.grey else images)
        if classes is None:
            classes = [str(label) for label in range(int(numbers.max(initial=-1)) + 1)]
        self.classes = tuple(classes)
        self.targets = check_labels(numbers, len(self.classes), "ArrayDataset")
        self.image_shape = (images.shape[1] if images.ndim == 4 else 1, images.shape[-2], images.shape[-1])
        if mean is None or std is None:
            mean, std = channel_statistics(self.images)
        self.mean, self.std = tuple(mean), tuple(std)
        self.transform = transform

    def __len__(self) -> int:
        """Return how many images there are."""
        return len(self.images)

    def labels(self) -> np.ndarray:
        """Return all labels, int64 (count,)."""
        return self.targets

    def picture(self, index: int) -> tuple[np.ndarray, int]:
        """Return one picture before the transform and its label."""
        image = self.images[index]
        if image.dtype == np.uint8:
            image = image[0] if self.grey else image.transpose(1, 2, 0)
        return image, int(self.targets[index])

    @property
    def can_batch(self) -> bool:
        """Whether `batch` can do what the transform does; a plain function of one image cannot take a batch."""
        return self.transform is None or bool(getattr(self.transform, "can_batch", isinstance(self.transform, Transform)))

    def batch(self, indices: np.ndarray, generators: Generators | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the images, float32 (count, channels, height, width), and labels of many samples at once.

        The bits are those of one `sample` each, at a fraction of the time.
        """
        images = self.images[indices]
        if self.transform is not None:
            images = self.transform.batch(images, generators)
        return TO_TENSOR.batch(images), self.targets[indices]


def channel_statistics(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return each channel's mean and standard deviation over (count, channels, height, width), bytes as 0 to 1."""
    scale = 255.0 if images.dtype == np.uint8 else 1.0
    if not len(images):
        return (0.0,) * images.shape[1], (1.0,) * images.shape[1]
    means, deviations = [], []
    for channel in range(images.shape[1]):
        plane = images[:, channel]
        means.append(float(plane.mean(dtype=np.float64)) / scale)
        deviations.append(float(plane.std(dtype=np.float64)) / scale or 1.0)
    return tuple(means), tuple(deviations)


class TensorDataset:
    """Samples that are the rows of one or more arrays or tensors, without any transform.

    Parameters
    ----------
    *tensors : Tensor or ndarray
        All with the same first size.

    Raises
    ------
    ShapeError
        When there is none, or the first sizes differ.

    Examples
    --------
    >>> dataset = TensorDataset(np.eye(3, dtype=np.float32), np.arange(3))
    >>> dataset[1]
    (array([0., 1., 0.], dtype=float32), 1)
    """

    def __init__(self, *tensors: Tensor | np.ndarray) -> None:
        self.arrays = tuple(tensor.data if isinstance(tensor, Tensor) else np.asarray(tensor) for tensor in tensors)
        lengths = [len(array) if array.ndim else -1 for array in self.arrays]
        if not lengths or min(lengths) < 0 or len(set(lengths)) != 1:
            raise ShapeError(f"TensorDataset: takes one or more arrays with the same first size, not first sizes {lengths}")

    random = False
    can_batch = True

    def __len__(self) -> int:
        """Return the common first size."""
        return len(self.arrays[0])

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Return row `index` of every array."""
        at = check_index(index, len(self))
        rows = [array[at] for array in self.arrays]
        return tuple(row.item() if row.ndim == 0 and row.dtype.kind in "iu" else row for row in rows)

    def batch(self, indices: np.ndarray, generators: Generators | None = None) -> tuple[np.ndarray, ...]:
        """Return many rows of every array at once."""
        return tuple(array[indices] for array in self.arrays)


class Subset(ImageDataset):
    """Some samples of another dataset, in a chosen order.

    Parameters
    ----------
    dataset : Dataset
        Where the samples come from. Its classes, mean, std, image_shape and transform are the subset's too.
    indices : sequence of int
        Which ones.

    Raises
    ------
    ArgumentError
        When an index is out of range.

    Examples
    --------
    >>> Subset(TensorDataset(np.arange(5)), [3, 1])[0]
    (3,)
    """

    def __init__(self, dataset: Any, indices: Sequence[int] | np.ndarray) -> None:
        self.dataset = dataset
        self.indices = np.asarray(indices, dtype=np.int64).reshape(-1)
        wrong = self.indices[(self.indices < 0) | (self.indices >= len(dataset))]
        if len(wrong):
            raise ArgumentError(f"Subset: index {wrong[0]} is outside 0..{len(dataset) - 1}")
        self.classes = getattr(dataset, "classes", ())
        self.mean = getattr(dataset, "mean", ())
        self.std = getattr(dataset, "std", ())
        self.image_shape = getattr(dataset, "image_shape", (0, 0, 0))
        self.transform = getattr(dataset, "transform", None)

    def __len__(self) -> int:
        """Return how many samples were chosen."""
        return len(self.indices)

    def with_transform(self, transform: Any) -> Self:
        """Return the same choice of the same pictures with another transform."""
        other = super().with_transform(transform)
        other.dataset = self.dataset.with_transform(transform)
        return other

    def labels(self) -> np.ndarray:
        """Return the chosen samples' labels."""
        return self.dataset.labels()[self.indices]

    def picture(self, index: int) -> tuple[np.ndarray, int]:
        """Return one chosen picture before the transform and its label."""
        return self.dataset.picture(int(self.indices[index]))

    def sample(self, index: int, generator: np.random.Generator | None = None) -> Any:
        """Return one chosen sample."""
        at = int(self.indices[check_index(index, len(self))])
        return self.dataset.sample(at, generator) if hasattr(self.dataset, "sample") else self.dataset[at]

    @property
    def random(self) -> bool:
        """Whether the dataset's transform is random."""
        return bool(getattr(self.dataset, "random", False))

    @property
    def can_batch(self) -> bool:
        """Whether the dataset can return many samples at once."""
        return bool(getattr(self.dataset, "can_batch", False))

    def batch(self, indices: np.ndarray, generators: Generators | None = None) -> tuple[np.ndarray, ...]:
        """Return many chosen samples at once."""
        return self.dataset.batch(self.indices[indices], generators)


def random_split(dataset: Any, lengths: Sequence[float], generator: np.random.Generator | None = None) -> list[Subset]:
    """Divide a dataset at random into parts that share no sample.

    Parameters
    ----------
    dataset : Dataset
        What to divide.
    lengths : sequence of int or of float
        Samples in each part, adding up to all of them; or fractions adding up to 1, whose remainder goes to the first
        parts one by one.
    generator : numpy.random.Generator, optional
        Where the order comes from.

    Returns
    -------
    list of Subset
        One for each length.

    Raises
    ------
    ArgumentError
        When the lengths do not add up.

    Examples
    --------
    >>> parts = random_split(TensorDataset(np.arange(10)), [0.75, 0.25], np.random.default_rng(0))
    >>> [len(part) for part in parts]
    [8, 2]
    """
    total = len(dataset)
    counts = [int(length) for length in lengths]
    if any(isinstance(length, float) for length in lengths):
        if any(length < 0 for length in lengths) or abs(sum(lengths) - 1) > 1e-9:
            raise ArgumentError(f"random_split: fractions {list(lengths)} add up to {sum(lengths)}, not to 1")
        counts = [int(total * length) for length in lengths]
        for part in range(total - sum(counts)):
            counts[part % len(counts)] += 1
    if sum(counts) != total or any(count < 0 for count in counts):
        raise ArgumentError(f"random_split: lengths {list(lengths)} add up to {sum(counts)}, the dataset has {total} samples")
    order = default_generator(generator).permutation(total)
    ends = np.cumsum(counts)
    return [Subset(dataset, order[end - count : end]) for end, count in zip(ends, counts, strict=True)]
