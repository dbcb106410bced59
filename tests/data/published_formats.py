"""Small files in the publishers' formats, written here from the formats' descriptions."""

import gzip
import io
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def idx_bytes(array: np.ndarray) -> bytes:
    """An idx file that holds `array`."""
    code = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}[array.dtype.str[1:]]
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def mnist_arrays(count: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Random images of MNIST's size and every label at least once."""
    generator = np.random.default_rng(count)
    return generator.integers(0, 256, (count, 28, 28), dtype=np.uint8), (np.arange(count) % 10).astype(np.uint8)


def write_mnist(folder: Path, packed: bool = True, counts: tuple[int, int] = (12, 11)) -> None:
    """Both splits of a small MNIST."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in zip(("train", "t10k"), counts, strict=True):
        images, labels = mnist_arrays(count)
        for name, array in ((f"{split}-images-idx3-ubyte", images), (f"{split}-labels-idx1-ubyte", labels)):
            data = idx_bytes(array)
            (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(data) if packed else data)


def cifar_arrays(count: int = 4, classes: int = 10, seed: int = 0) -> tuple[np.ndarray, list[int]]:
    """Random rows of 3,072 pixels and labels."""
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (count, 3072), dtype=np.uint8), generator.integers(0, classes, count).tolist()


def short(text: bytes) -> bytes:
    """Python 2's str, below 256 bytes, in protocol 2."""
    return b"U" + bytes([len(text)]) + text


def python2_pickle(rows: np.ndarray, labels: list[int], key: bytes = b"labels") -> bytes:
    """The pickle that Python 2 and an old NumPy write, opcode by opcode: this is how CIFAR was published."""
    array = b"cnumpy.core.multiarray\n_reconstruct\n" + b"cnumpy\nndarray\n" + b"K\x00\x85" + short(b"b") + b"\x87R"
    dtype = b"cnumpy\ndtype\n" + short(b"u1") + b"K\x00K\x01\x87R"
    dtype += b"(K\x03" + short(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape = b"M" + struct.pack("<H", len(rows)) + b"M\x00\x0c\x86"
    state = b"(K\x01" + shape + dtype + b"\x89" + b"T" + struct.pack("<I", rows.size) + rows.tobytes() + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02}q\x01(" + short(b"data") + array + state + short(key) + numbers + b"u."


def cifar_files(form: str, kind: str) -> dict[str, bytes]:
    """Every file of a small CIFAR: form "cifar10" or "cifar100", kind "python2", "python3" or "binary"."""
    classes, label_key = (10, b"labels") if form == "cifar10" else (100, b"fine_labels")
    names = [f"data_batch_{part}" for part in range(1, 6)] + ["test_batch"] if form == "cifar10" else ["train", "test"]
    files = {}
    for seed, name in enumerate(names):
        rows, labels = cifar_arrays(4, classes, seed)
        if kind == "binary":
            coarse = b"" if form == "cifar10" else b"\x07"
            records = [coarse + bytes([label]) + row.tobytes() for row, label in zip(rows, labels, strict=True)]
            files[name + ".bin"] = b"".join(records)
        elif kind == "python2":
            files[name] = python2_pickle(rows, labels, label_key)
        else:
            files[name] = pickle.dumps({b"data": rows, label_key: labels}, protocol=2 + seed % 4)
    return files


def tar_bytes(files: dict[str, bytes], folder: str = "inside/") -> bytes:
    """A .tar.gz of these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(folder + name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def zip_bytes(files: dict[str, bytes], folder: str = "inside/") -> bytes:
    """A .zip of these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(folder + name, data)
    return packed.getvalue()
