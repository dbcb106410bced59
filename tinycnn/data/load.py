"""One function from a name or a path to a dataset."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArgumentError, DataError
from .cifar import CIFAR10, CIFAR100, CifarFormat, pick_cifar_files
from .dataset import ArrayDataset, ImageDataset, Subset
from .digits import load_digits
from .download import data_folders, download
from .files import read_files
from .folder import SUFFIXES, ImageFolder
from .idx import idx_file_names, pick_idx_files
from .published import PUBLISHED, Published
from .transforms import Compose, Normalize, RandomCrop, RandomHorizontalFlip, Resize, ToTensor, Transform

__all__ = ["DATASETS", "default_transform", "load_dataset"]

DATASETS = ("digits", *PUBLISHED)
DIGITS_MEAN, DIGITS_STD = (0.1314,), (0.3086,)
TEST_EVERY = 5  # a folder without train/ and test/ keeps every fifth picture of each class for testing
SPLIT_SEED = 0


def load_dataset(
    name_or_path: str | os.PathLike[str],
    train: bool = True,
    *,
    transform: Any = "default",
    augment: bool = False,
    image_shape: Sequence[int] | None = None,
    folder: str | os.PathLike[str] | None = None,
    allow_download: bool = True,
    progress: bool = True,
) -> ImageDataset:
    """Load a data set by name, or from a folder or an archive.

    Parameters
    ----------
    name_or_path : str or path
        "digits" (inside the package), "mnist", "cifar10" or "cifar100"; or a folder or archive that holds MNIST's idx
        files, CIFAR's pickled or binary files; or a folder with a folder of pictures for each class, by itself or
        inside ``train/`` and ``test/``.
    train : bool
        The training split or the test split. Class folders without ``train/`` and ``test/`` are split by a fixed seed,
        one picture in five of each class for testing.
    transform : Transform, function, None or "default"
        What is done to each picture; "default" is `default_transform`, None leaves uint8 pictures.
    augment : bool
        Let the default transform vary the pictures: the usual shift by up to 4 pixels and, for colour pictures,
        mirroring. Only for training.
    image_shape : (int, int, int), optional
        Channels, height and width that pictures are scaled to. Without it arrays keep their size, and class folders
        take that of the first picture.
    folder : path, optional
        The data folder in which names are looked for and downloaded to, instead of `data_folders`.
    allow_download : bool
        Whether a named data set that is not on this machine may be downloaded.
    progress : bool
        Whether downloads write about themselves to standard error.

    Returns
    -------
    ImageDataset
        With `classes`, `mean`, `std` and `image_shape`.

    Raises
    ------
    DataError
        When there is no such data set, or it is truncated, corrupted, mislabelled or of another format; one sentence
        that names the file.

    Examples
    --------
    >>> test = load_dataset("digits", train=False)
    >>> image, label = test[0]
    >>> len(test), image.shape, label, test.classes[label]
    (1000, (1, 28, 28), 3, '3')
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise ArgumentError(f"load_dataset: {type(name_or_path).__name__} is neither a name nor a path; names: {', '.join(DATASETS)}")
    if isinstance(transform, str) and transform != "default":
        raise ArgumentError(f"load_dataset: transform {transform!r} must be a transform, a function, None or 'default'")
    name = str(name_or_path)
    if name == "digits":
        images, labels = load_digits(train)
        dataset: ImageDataset = ArrayDataset(images, labels, classes=PUBLISHED["mnist"].classes, mean=DIGITS_MEAN, std=DIGITS_STD)
    elif name in PUBLISHED:
        dataset = load_published(PUBLISHED[name], train, folder, allow_download, progress)
    else:
        path = Path(name_or_path).expanduser()
        if not path.exists():
            nearest = difflib.get_close_matches(name, DATASETS, n=1)
            hint = f"did you mean {nearest[0]!r}?" if nearest else f"names: {', '.join(DATASETS)}"
            raise DataError(f"load_dataset: {name!r} is neither a data set's name nor a folder or archive here; {hint}")
        dataset = load_path(path, train, image_shape)
    if image_shape is not None:
        dataset = scaled(dataset, image_shape)
    if isinstance(transform, str):
        transform = default_transform(dataset, augment and train)
    return dataset.with_transform(transform)


def default_transform(dataset: ImageDataset, augment: bool = False) -> Transform:
    """Return the usual transform for a dataset: scale to 0..1 and normalise by its mean and standard deviation.

    Parameters
    ----------
    dataset : ImageDataset
        Its `mean`, `std` and `image_shape` are used.
    augment : bool
        First cut the picture out of itself padded by 4 pixels (2 for pictures below 32 pixels, 1 below 16), and mirror
        half of the colour pictures. Grey ones are not mirrored: letters and digits would become others.

    Returns
    -------
    Compose
        The transforms in the order in which they run.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", 2016, section 4.2.
    """
    steps: list[Transform] = []
    channels, height, width = dataset.image_shape
    if augment:
        padding = 4 if min(height, width) >= 32 else 2 if min(height, width) >= 16 else 1
        steps.append(RandomCrop((height, width), padding=padding))
        if channels == 3:
            steps.append(RandomHorizontalFlip())
    return Compose([*steps, ToTensor(), Normalize(dataset.mean, dataset.std)])


def scaled(dataset: ImageDataset, image_shape: Sequence[int]) -> ImageDataset:
    """Return the dataset with pictures of another height and width; class folders have done it already."""
    shape = tuple(int(extent) for extent in image_shape)
    if dataset.image_shape == shape or not isinstance(dataset, ArrayDataset):
        return dataset
    if len(shape) != 3 or shape[0] != dataset.image_shape[0]:
        raise ArgumentError(f"load_dataset: image_shape {shape} cannot be made of images {dataset.image_shape}; the channels must agree")
    images = Resize(shape[1:]).batch(dataset.images)
    plain = images[:, 0] if dataset.grey else images
    return ArrayDataset(plain, dataset.labels(), classes=dataset.classes, mean=dataset.mean, std=dataset.std)


def load_published(published: Published, train: bool, folder: str | os.PathLike[str] | None, allow_download: bool, progress: bool) -> ArrayDataset:
    """Find a named data set on this machine, else download it."""
    roots = data_folders() if folder is None else [Path(folder).expanduser()]
    form = {"cifar10": CIFAR10, "cifar100": CIFAR100}.get(published.name)
    names = cifar_names(form, train) if form else mnist_names(train)
    for place in (root / place for root in roots for place in published.places):
        if not place.exists():
            continue
        files = read_files(place, names)
        if files:
            return from_files(files, published, form, train, str(place))
    if not allow_download:
        needed = ", ".join(file.name for file in published.files[train])
        raise DataError(f"{published.name}: not found; put {needed} into {roots[0] / published.folder}, or allow the download")
    place = download(published, train, roots[0], progress)
    return from_files(read_files(place, names), published, form, train, str(place))


def mnist_names(train: bool) -> set[str]:
    """Return every name that one of MNIST's two files of a split may have."""
    images, labels = idx_file_names(train)
    return {*images, *labels}


def cifar_names(form: CifarFormat, train: bool) -> set[str]:
    """Return every name that a file of a CIFAR split may have."""
    return {*form.pickles[train], *form.binaries[train]}


def from_files(files: dict[str, bytes], published: Published, form: CifarFormat | None, train: bool, place: str) -> ArrayDataset:
    """Read a split from the files in memory."""
    images, labels = pick_idx_files(files, train, place) if form is None else pick_cifar_files(files, form, train, place)
    return ArrayDataset(images, labels, classes=published.classes, mean=published.mean, std=published.std)


def load_path(path: Path, train: bool, image_shape: Sequence[int] | None) -> ImageDataset:
    """Load what a folder or an archive holds, judged by the names of its files."""
    holders: tuple[tuple[str, CifarFormat | None], ...] = (
        ("mnist", None),
        ("cifar10", CIFAR10),
        ("cifar100", CIFAR100),
    )
    every = {split: {name: cifar_names(form, split) if form else mnist_names(split) for name, form in holders} for split in (True, False)}
    files = read_files(path, set().union(*every[train].values()))
    for name, form in holders:
        found = {file: data for file, data in files.items() if file in every[train][name]}
        if found:
            dataset = from_files(found, PUBLISHED[name], form, train, str(path))
            if name == "mnist" and dataset.image_shape != (1, 28, 28):
                raise DataError(f"{path}: its images are {dataset.image_shape[1]}x{dataset.image_shape[2]}, MNIST's are 28x28")
            return dataset
    if not path.is_dir():
        raise DataError(f"{path}: holds neither MNIST's idx files nor CIFAR's batches; unpack an archive of class folders first")
    return load_class_folders(path, train, image_shape)


def load_class_folders(path: Path, train: bool, image_shape: Sequence[int] | None) -> ImageDataset:
    """Load pictures in class folders, inside train/ and test/ or split here."""
    training = path / "train"
    testing = next((path / name for name in ("test", "val", "valid") if (path / name).is_dir()), None)
    if training.is_dir() and testing is not None:
        first = ImageFolder(training, image_shape=image_shape)
        if train:
            return first
        second = ImageFolder(testing, image_shape=image_shape or first.image_shape)
        if second.classes != first.classes:
            differing = sorted(set(first.classes) ^ set(second.classes))
            raise DataError(f"{path}: {training.name}/ and {testing.name}/ differ in their class folders: {', '.join(differing[:5])}")
        return second
    if not any(child.is_dir() for child in path.iterdir()):
        raise DataError(
            f"{path}: holds neither MNIST's idx files, nor CIFAR's batches, nor a folder of pictures ({', '.join(SUFFIXES)}) for each class"
        )
    whole = ImageFolder(path, image_shape=image_shape)
    test = np.zeros(len(whole), bool)
    generator = np.random.RandomState(SPLIT_SEED)
    labels = whole.labels()
    for label in range(len(whole.classes)):
        rows = generator.permutation(np.flatnonzero(labels == label))
        test[rows[: len(rows) // TEST_EVERY]] = True
    if not test.any():
        raise DataError(f"{path}: too few pictures to keep one in {TEST_EVERY} of each class for testing; add some, or make train/ and test/")
    return Subset(whole, np.flatnonzero(~test if train else test))
