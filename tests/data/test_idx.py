"""The idx reader: exact on every number type, one sentence on everything that is not what it says."""

import gzip
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.published_formats import SHARED, idx_bytes, mnist_arrays
from tinycnn.data import parse_idx, read_idx
from tinycnn.data.idx import pick_idx_files
from tinycnn.errors import DataError


@pytest.mark.parametrize("code", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (0, 3), (1, 2, 1, 2)])
def test_every_type_and_dimension_comes_back(code, shape):
    array = (np.arange(np.prod(shape)) - 3).reshape(shape).astype(code)
    for data in (idx_bytes(array), gzip.compress(idx_bytes(array))):
        read = parse_idx(data)
        assert read.dtype == array.dtype and read.dtype.isnative
        np.testing.assert_array_equal(read, array)


def test_file_names_are_in_the_sentence(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte: cannot be read \(No such file"):
        read_idx(path)
    path.write_bytes(idx_bytes(np.zeros((2, 3), np.uint8))[:-1])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte: truncated: the header states 2 x 3 = 6 bytes, .* 5;"):
        read_idx(path)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not an idx file: it begins with nothing"),
        (b"PNG\x00\x00\x00", "not an idx file: it begins with 50 4e 47 00, and MNIST's images begin with 00 00 08 03"),
        (bytes([0, 0, 7, 1]) + bytes(8), "not an idx file"),
        (bytes([0, 0, 8, 0]), "not an idx file"),
        (bytes([0, 0, 8, 3, 0, 0]), "ends inside its header of 16 bytes after 6"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 2, 1, 2, 3]), "too long: the header states 2 = 2 bytes, the file holds 3"),
        (bytes([0, 0, 8, 4]) + b"\xff" * 16 + b"1", "truncated: the header states 4294967295 x 4294967295"),
        (gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 2, 1, 2]), mtime=0)[:-3], "truncated or corrupted gzip data"),
        (b"\x1f\x8b nonsense", "truncated or corrupted gzip data"),
    ],
)
def test_wrong_files_get_one_sentence(data, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        parse_idx(data, "labels.gz")
    assert str(caught.value).startswith("labels.gz: ") and "\n" not in str(caught.value)


def test_a_gzip_bomb_stops_at_the_limit(monkeypatch):
    monkeypatch.setattr("tinycnn.data.idx.MAX_FILE_BYTES", 1 << 20)
    bomb = gzip.compress(bytes(200 << 20), compresslevel=1)
    tracemalloc.start()
    with pytest.raises(DataError, match="unpacks to more than 1048576 bytes"):
        parse_idx(bomb, "bomb.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"train-labels-idx1-ubyte": None}, "folder: train-labels-idx1-ubyte.gz is missing"),
        ({"train-labels-idx1-ubyte": idx_bytes(np.zeros(11, np.uint8))}, "11 labels for 12 images"),
        ({"train-labels-idx1-ubyte": idx_bytes(np.full(12, 10, np.uint8))}, "label 10 at position 0 is outside 0..9"),
        ({"train-labels-idx1-ubyte": idx_bytes(np.zeros((12, 1), np.uint8))}, "not one uint8 label an image"),
        ({"train-images-idx3-ubyte": idx_bytes(np.zeros(12, np.uint8))}, r"not uint8 images \(count, height, width\)"),
        ({"train-images-idx3-ubyte": idx_bytes(np.zeros((12, 28, 28), np.float32))}, "holds float32"),
    ],
)
def test_files_that_do_not_fit_together(change, sentence):
    images, labels = mnist_arrays(12)
    files = {"train-images-idx3-ubyte": idx_bytes(images), "train-labels-idx1-ubyte": idx_bytes(labels), **change}
    files = {name: data for name, data in files.items() if data is not None}
    with pytest.raises(DataError, match=sentence):
        pick_idx_files(files, True, "folder")


@given(st.data())
def test_a_mutated_file_loads_as_declared_or_is_refused(data):
    images, _ = mnist_arrays(2)
    plain = idx_bytes(images[:, :4, :4])
    original = data.draw(st.sampled_from([plain, gzip.compress(plain, mtime=0)]))
    mutated = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(mutated[: data.draw(st.integers(0, len(mutated)))]) if data.draw(st.booleans()) else bytes(mutated)
    try:
        array = parse_idx(cut)
    except DataError as error:
        assert "\n" not in str(error)
    else:
        content = gzip.decompress(cut) if cut[:2] == b"\x1f\x8b" else cut
        shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, 4 + 4 * content[3], 4))
        assert array.shape == shape


@pytest.mark.skipif(not (SHARED / "mnist").is_dir(), reason="no real MNIST in ../shared/data")
def test_the_real_mnist():
    folder = SHARED / "mnist"
    images = read_idx(folder / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(folder / "t10k-labels-idx1-ubyte.gz")
    assert images.shape == (10000, 28, 28) and images.dtype == np.uint8
    # The test labels' counts, 0 to 9, as published with the database.
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
