"""CIFAR's readers against files written from the formats' descriptions, and against the real ones."""

import hashlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.published_formats import SHARED, cifar_arrays, cifar_files, python2_pickle
from tinycnn.data import load_dataset, parse_cifar_binary, parse_cifar_pickle
from tinycnn.data.cifar import CIFAR10, CIFAR100, CIFAR100_CLASSES, pick_cifar_files
from tinycnn.data.published import PUBLISHED
from tinycnn.errors import DataError

FORMS = {"cifar10": CIFAR10, "cifar100": CIFAR100}


@pytest.mark.parametrize("kind", ["python2", "python3", "binary"])
@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_each_published_form_comes_back(name, kind):
    files = cifar_files(name, kind)
    parts = 5 if name == "cifar10" else 1
    for train, seeds in ((True, range(parts)), (False, [parts])):
        images, labels = pick_cifar_files(files, FORMS[name], train, "folder")
        expected = [cifar_arrays(4, len(FORMS[name].classes), seed) for seed in seeds]
        np.testing.assert_array_equal(images.reshape(-1, 3072), np.concatenate([rows for rows, _ in expected]))
        np.testing.assert_array_equal(labels, np.concatenate([numbers for _, numbers in expected]))
        assert images.dtype == np.uint8 and labels.dtype == np.int64


def test_there_are_a_hundred_classes_in_alphabetical_order():
    assert len(CIFAR100_CLASSES) == len(set(CIFAR100_CLASSES)) == 100
    assert list(CIFAR100_CLASSES) == sorted(CIFAR100_CLASSES)


ROWS, LABELS = cifar_arrays(3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([1], "holds a list, not CIFAR's dictionary"),
        ({"labels": LABELS}, "has no key 'data', so it is no batch of cifar10"),
        ({"data": ROWS}, "has no key 'labels'"),
        ({"data": ROWS, "labels": LABELS[:2]}, "2 labels for 3 images"),
        ({"data": ROWS, "labels": [0, 10, 1]}, "label 10 at position 1 is outside 0..9"),
        ({"data": ROWS, "labels": [0, -1, 1]}, "label -1 at position 1 is outside 0..9"),
        ({"data": ROWS, "labels": ["cat", 1, 2]}, "'labels' are not a list of class numbers"),
        ({"data": ROWS, "labels": [2**80, 1, 2]}, "'labels' are not a list of class numbers"),
        ({"data": ROWS[:, :9], "labels": LABELS}, "not an array of uint8 rows with 3072 pixels"),
        ({"data": ROWS.astype(np.float32), "labels": LABELS}, "not an array of uint8 rows"),
        ({"data": ROWS.tolist(), "labels": LABELS}, "not an array of uint8 rows"),
        ({"data": ROWS[:0], "labels": []}, "not an array of uint8 rows"),
    ],
)
def test_wrong_pickles_get_one_sentence(content, sentence):
    with pytest.raises(DataError, match=sentence):
        parse_cifar_pickle(pickle.dumps(content), CIFAR10, "data_batch_1")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "0 bytes are not a whole number of cifar10 records of 3073 bytes"),
        (bytes(3072), "3072 bytes are not a whole number"),
        (bytes([10]) + bytes(3072), "label 10 at position 0 is outside 0..9 .* mislabelled or of another data set"),
    ],
)
def test_wrong_binaries_get_one_sentence(data, sentence):
    with pytest.raises(DataError, match=sentence):
        parse_cifar_binary(data, CIFAR10, "data_batch_1.bin")


def test_missing_batches_are_named():
    files = cifar_files("cifar10", "binary")
    del files["data_batch_2.bin"], files["data_batch_4.bin"]
    with pytest.raises(DataError, match=r"cifar10's training split lacks data_batch_2.bin, data_batch_4.bin"):
        pick_cifar_files(files, CIFAR10, True, "folder")


@given(st.data())
def test_mutated_batches_load_with_their_shape_or_get_one_sentence(data):
    rows, labels = cifar_arrays(2)
    kinds = {
        "pickle": (python2_pickle(rows, labels), parse_cifar_pickle),
        "binary": (b"".join(bytes([n]) + row.tobytes() for row, n in zip(rows, labels, strict=True)), parse_cifar_binary),
    }
    original, parse = kinds[data.draw(st.sampled_from(sorted(kinds)))]
    mutated = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, 250) | st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.just(len(mutated)) | st.integers(0, len(mutated)))
    try:
        images, numbers = parse(bytes(mutated[:cut]), CIFAR10, "mutant")
    except DataError as error:
        assert str(error).startswith("mutant: ") and "\n" not in str(error)
    else:
        assert images.shape == (len(numbers), 3, 32, 32) and numbers.min() >= 0 and numbers.max() <= 9


@pytest.mark.skipif(not (SHARED / "cifar10").is_dir(), reason="no real CIFAR-10 in ../shared/data")
def test_the_real_test_batch_in_both_forms(tmp_path):
    subprocess.run([sys.executable, "-c", REBUILD, str(SHARED / "cifar10"), str(tmp_path)], check=True, capture_output=True)
    pickled = (tmp_path / "test_batch").read_bytes()
    assert hashlib.md5(pickled, usedforsecurity=False).hexdigest() == "40351d587109b95175f43aff81a1287e"
    images, labels = parse_cifar_pickle(pickled, CIFAR10)
    assert images.shape == (10000, 3, 32, 32)
    assert np.bincount(labels).tolist() == [1000] * 10
    np.testing.assert_array_equal(labels, np.load(SHARED / "cifar10" / "test_batch.labels.npy"))
    # The first test picture is a cat, the second a ship.
    assert [CIFAR10.classes[label] for label in labels[:2]] == ["cat", "ship"]
    binary = np.concatenate([labels[:, None].astype(np.uint8), images.reshape(len(images), -1)], axis=1).tobytes()
    again, numbers = parse_cifar_binary(binary, CIFAR10)
    np.testing.assert_array_equal(again, images)
    np.testing.assert_array_equal(numbers, labels)
    (tmp_path / "test_batch.bin").write_bytes(binary)
    (tmp_path / "test_batch").unlink()
    dataset = load_dataset(tmp_path, train=False, transform=None)
    assert dataset.classes == PUBLISHED["cifar10"].classes and len(dataset) == 10000


# Puts the packed test batch together again as the publisher pickled it, the way ../shared/data/unpack does.
REBUILD = """
import lzma, pathlib, struct, sys
import numpy as np
source, target = map(pathlib.Path, sys.argv[1:])
planes = np.frombuffer(lzma.open(source / "test_batch.grad.xz").read(), np.uint8).reshape(3, -1, 32, 32)
planes = np.cumsum(np.cumsum(planes, axis=2, dtype=np.uint8), axis=3, dtype=np.uint8)
pixels = np.stack([planes[1] + planes[0], planes[0], planes[2] + planes[0]], 1)
frame = lzma.open(source / "test_batch.frame.xz").read()
length, = struct.unpack_from("<I", frame)
(target / "test_batch").write_bytes(frame[4:4 + length] + pixels.tobytes() + frame[4 + length:])
"""
