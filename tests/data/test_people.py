"""Balanced batches hold what they promise; folders of people and Omniglot's archives are read in order, and damage is one sentence."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tinycnn.data.balanced import BalancedBatches
from tinycnn.data.people import read_face, read_omniglot, read_people
from tinycnn.errors import ArgumentError, DataError


@given(st.lists(st.integers(1, 7), min_size=2, max_size=6), st.integers(2, 6), st.integers(2, 5), st.integers(0, 99))
def test_batches_hold_classes_times_samples(counts, classes, samples, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    classes = min(classes, len(counts))
    batches = BalancedBatches(labels, classes, samples, seed)
    epoch = list(batches.epoch(3))
    assert len(epoch) == len(batches)
    seen = []
    for batch in epoch:
        rows = batch.reshape(classes, samples)
        assert (labels[rows] == labels[rows[:, :1]]).all() and len(set(labels[rows[:, 0]])) == classes
        for row in rows:  # no picture twice before all of the class came once
            assert len(set(row)) == min(samples, counts[labels[row[0]]])
        seen += list(labels[rows[:, 0]])
    assert set(seen) == set(range(len(counts)))
    assert all(np.array_equal(a, b) for a, b in zip(epoch, batches.epoch(3), strict=True))


def test_batches_that_cannot_be():
    with pytest.raises(ArgumentError, match="classes=3 must be at least 2 and at most the 2"):
        BalancedBatches(np.array([0, 1]), 3, 2)
    with pytest.raises(ArgumentError, match="samples=1 must be at least 2"):
        BalancedBatches(np.array([0, 1]), 2, 1)


def write_people(root, names=("s10", "s2", "s1"), pictures=2, size=(8, 6)):
    """A folder as the ORL faces lie in; every person has an own brightness."""
    for number, name in enumerate(names):
        (root / name).mkdir(parents=True)
        for picture in range(pictures):
            Image.fromarray(np.full(size, 40 * number + picture, np.uint8)).save(root / name / f"{10 if picture == 0 else 9}.pgm")
    return root


def test_people_in_the_order_of_their_numbers(tmp_path):
    people = read_people(write_people(tmp_path / "faces"), (4, 3))
    assert people.classes == ("s1", "s2", "s10") and people.image_shape == (1, 4, 3)
    # 9.pgm before 10.pgm, each picture scaled.
    assert people.images[:, 0, 0, 0].tolist() == [81, 80, 41, 40, 1, 0]
    assert people.labels().tolist() == [0, 0, 1, 1, 2, 2]


def test_scaling_takes_means(tmp_path):
    image = np.array([[0, 100, 8, 8], [200, 100, 8, 8]], np.uint8)
    Image.fromarray(image).save(tmp_path / "one.png")
    assert read_face(tmp_path / "one.png", (1, 2)).tolist() == [[100, 8]]


def test_people_that_cannot_be_read(tmp_path):
    (tmp_path / "bare").mkdir()
    with pytest.raises(DataError, match="holds no folders"):
        read_people(tmp_path / "bare")
    (tmp_path / "broken" / "s1").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no pictures"):
        read_people(tmp_path / "broken")
    (tmp_path / "broken" / "s1" / "1.pgm").write_bytes(b"P5 4 4 255\n12")
    with pytest.raises(DataError, match="not a readable"):
        read_people(tmp_path / "broken")
    with pytest.raises(ArgumentError, match=r"image_size=\(0, 3\)"):
        read_people(tmp_path / "broken", (0, 3))


def png(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def write_omniglot(path, characters=("Greek/character01", "Greek/character02", "Latin/character01"), pictures=2, size=16):
    """An archive like Omniglot's: black ink on white."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(characters):
            for drawing in range(pictures):
                image = np.full((size, size), 255, np.uint8)
                image[number] = 0
                image[:, drawing] = 0
                archive.writestr(f"images_background/{name}/{number:04d}_{drawing:02d}.png", png(image))
    return path


def test_omniglot_is_ink_on_paper(tmp_path):
    write_omniglot(tmp_path / "images_one.zip")
    found = read_omniglot(tmp_path / "images_one.zip", 16)
    assert found.classes == ("Greek/character01", "Greek/character02", "Latin/character01")
    assert found.labels().tolist() == [0, 0, 1, 1, 2, 2] and found.image_shape == (1, 16, 16)
    for row, image in enumerate(found.images[:, 0]):
        assert (image[row // 2] == 255).all() and (image[:, row % 2] == 255).all() and image.sum() == 255 * 31
    folder = read_omniglot(tmp_path, 16)
    np.testing.assert_array_equal(folder.images, found.images)


def test_archives_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match=r"holds no images_\*.zip"):
        read_omniglot(tmp_path)
    path = tmp_path / "images.zip"
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"cannot be read as a \.zip archive"):
        read_omniglot(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(DataError, match="holds no pictures ALPHABET"):
        read_omniglot(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Greek/character01/1.png", b"\x89PNG no picture")
    with pytest.raises(DataError, match="is not a readable PNG"):
        read_omniglot(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Greek/character01/1.png", bytes(1 << 21))
    with pytest.raises(DataError, match="far more than any character"):
        read_omniglot(path)
    whole = write_omniglot(path).read_bytes()
    for cut in range(40, len(whole), 97):  # every damage is one sentence
        path.write_bytes(whole[:cut])
        with pytest.raises(DataError):
            read_omniglot(path)
