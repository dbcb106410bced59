"""A data set as the commands need it: both splits, their transforms, and what a checkpoint must remember of them."""

import copy
from pathlib import Path
from typing import Any

import numpy as np

from ..data import (
    DATASETS,
    DataLoader,
    Subset,
    load_dataset,
)
from ..data.transforms import Compose, Normalize, ToTensor, Transform
from ..errors import UsageError
from .main import nearest

# The sizes for which the models are built; pictures of another size are scaled to the one of their kind.
GREY_SIZE, COLOUR_SIZE = 28, 32
# One training image in so many is put aside where a command chooses by accuracy.
VALIDATE_EVERY = 6
TEST_BATCH = 250


def short_name(name_or_path: str) -> str:
    """What a data set is called in the name of a run's folder."""
    if name_or_path in DATASETS:
        return name_or_path
    name = Path(name_or_path).expanduser().resolve().name
    for suffix in (".gz", ".tar", ".tgz", ".zip"):
        name = name.removesuffix(suffix)
    return name or "data"


def check_data_name(name_or_path: str) -> None:
    """Refuse what is neither a known name nor a path, naming the nearest ones."""
    if name_or_path not in DATASETS and not Path(name_or_path).expanduser().exists():
        names = ", ".join(DATASETS)
        offer = nearest(name_or_path, DATASETS)
        raise UsageError(f"there is no data set, folder or archive {name_or_path!r}{offer}; the names are {names}")


def open_data(name_or_path: str, allow_download: bool = True) -> "OpenedData":
    """Open both splits of a data set."""
    check_data_name(name_or_path)
    options: dict[str, Any] = {"transform": None, "allow_download": allow_download}
    train = load_dataset(name_or_path, True, **options)
    channels, height, width = train.image_shape
    if (height, width) not in ((GREY_SIZE, GREY_SIZE), (COLOUR_SIZE, COLOUR_SIZE)):
        size = GREY_SIZE if channels == 1 else COLOUR_SIZE
        options["image_shape"] = (channels, size, size)
        train = load_dataset(name_or_path, True, **options)
    test = load_dataset(name_or_path, False, **options)
    source = name_or_path if name_or_path in DATASETS else str(Path(name_or_path).expanduser().resolve())
    return OpenedData(short_name(name_or_path), source, train, test)


def with_transform(dataset: Any, transform: Transform) -> Any:
    """The same images with another transform; the arrays are shared."""
    view = copy.copy(dataset)
    if hasattr(view, "dataset"):
        view.dataset = with_transform(view.dataset, transform)
    view.transform = transform
    return view


class Pictures:
    """A data set's images as people see them, (height, width) or (height, width, 3) of bytes, read when asked for."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> np.ndarray[Any, Any]:
        return np.asarray(self.dataset.picture(int(index))[0])


class OpenedData:
    """Both splits of a data set, and views of them for learning, choosing and measuring."""

    def __init__(self, name: str, source: str, train: Any, test: Any) -> None:
        self.name, self.source, self.train, self.test = name, source, train, test
        self.classes = list(train.classes)
        self.channels, self.image_size, _ = train.image_shape
        self.test_pictures = Pictures(test)

    def facts(self) -> dict[str, Any]:
        """What predict and eval need to know without opening the data."""
        return {
            "data": self.source,
            "classes": self.classes,
            "channels": self.channels,
            "image_size": self.image_size,
            "mean": [float(value) for value in self.train.mean],
            "std": [float(value) for value in self.train.std],
        }

    def learning_set(self, config: Any) -> Any:
        """The training images, varied at random as the config says."""
        return with_transform(self.train, self._transform(config))

    def test_set(self, mean: Any = None, std: Any = None) -> Any:
        """The test images, normalised as the training images are, or as a network was trained with."""
        normalise = Normalize(self.train.mean if mean is None else mean, self.train.std if std is None else std)
        return with_transform(self.test, Compose([ToTensor(), normalise]))

    def test_loader(self, mean: Any = None, std: Any = None) -> DataLoader:
        """Batches of the test images in their order."""
        return DataLoader(self.test_set(mean, std), batch_size=TEST_BATCH)

    def test_batch(self, index: int) -> np.ndarray[Any, Any]:
        """One test image as a batch (1, channels, height, width)."""
        return np.asarray(self.test_set()[index][0])[None]

    def split_training(self, config: Any) -> tuple[Any, Any]:
        """Training images to learn from, and one in six of each class put aside to choose by."""
        labels = self.train.labels()
        aside = np.zeros(len(labels), bool)
        generator = np.random.default_rng(config.seed)
        for label in np.unique(labels):
            rows = generator.permutation(np.flatnonzero(labels == label))
            aside[rows[: max(1, len(rows) // VALIDATE_EVERY)]] = True
        plain = Compose([ToTensor(), Normalize(self.train.mean, self.train.std)])
        learn = Subset(self.learning_set(config), np.flatnonzero(~aside))
        return learn, Subset(with_transform(self.train, plain), np.flatnonzero(aside))

    def first_batch(self, config: Any) -> tuple[Any, Any]:
        """One batch of training images, never shifted, and its labels."""
        plain = Compose([ToTensor(), Normalize(self.train.mean, self.train.std)])
        loader = DataLoader(
            with_transform(self.train, plain),
            batch_size=min(config.batch_size, len(self.train)),
            shuffle=True,
            generator=np.random.default_rng(config.seed),
        )
        images, labels = next(iter(loader))
        return images, labels

    def _transform(self, config: Any) -> Compose:
        from ..train.augment import augmentation

        normalise = Compose([ToTensor(), Normalize(self.train.mean, self.train.std)])
        return augmentation(config, (self.image_size, self.image_size), normalise)
