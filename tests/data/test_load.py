"""`load_dataset` from names, folders, archives and class folders, and the sentence each wrong one gets."""

import numpy as np
import pytest
from PIL import Image

from tests.data.published_formats import SHARED, cifar_arrays, cifar_files, mnist_arrays, tar_bytes, write_mnist, zip_bytes
from tinycnn.data import DataLoader, ImageFolder, Subset, default_transform, load_dataset, read_picture
from tinycnn.data.transforms import Compose, Normalize, RandomCrop, RandomHorizontalFlip, ToTensor
from tinycnn.errors import ArgumentError, DataError


def write_pictures(root, counts, size=(6, 5), mode="RGB", suffix="png"):
    """A folder of random pictures for each class."""
    generator = np.random.default_rng(0)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            shape = (*size, 3) if mode == "RGB" else size
            picture = Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8))
            picture.save(root / name / f"{number:03}.{suffix}")


def test_digits_by_name():
    train, test = load_dataset("digits"), load_dataset("digits", train=False, transform=None)
    assert (len(train), len(test), train.image_shape) == (4000, 1000, (1, 28, 28))
    assert train.classes == tuple("0123456789")
    images = np.concatenate([images.numpy() for images, _ in DataLoader(train, 500)])
    assert abs(images.mean()) < 1e-3 and abs(images.std() - 1) < 1e-3
    assert test[0][0].shape == (28, 28) and test[0][0].dtype == np.uint8


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("layout", ["mnist", "MNIST/raw", "MNIST", "mnist/deeper"])
def test_mnist_is_found_where_tools_leave_it(tmp_path, packed, layout):
    write_mnist(tmp_path / layout, packed)
    for train, count in ((True, 12), (False, 11)):
        dataset = load_dataset("mnist", train, folder=tmp_path, allow_download=False, transform=None)
        images, labels = mnist_arrays(count)
        np.testing.assert_array_equal(dataset.images[:, 0], images)
        np.testing.assert_array_equal(dataset.labels(), labels)
        assert (dataset.mean, dataset.std) == ((0.1307,), (0.3081,))
        assert len(load_dataset(tmp_path / layout, train)) == count


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
@pytest.mark.parametrize("kind", ["python2", "python3", "binary"])
@pytest.mark.parametrize("form", ["folder", "tar", "zip"])
def test_cifar_from_folder_and_archive(tmp_path, name, kind, form):
    files = cifar_files(name, kind)
    place = tmp_path / "data"
    if form == "folder":
        place.mkdir()
        for file, data in files.items():
            (place / file).write_bytes(data)
    else:
        place.write_bytes((tar_bytes if form == "tar" else zip_bytes)(files))
    train, test = load_dataset(place, transform=None), load_dataset(place, False, transform=None)
    last = 5 if name == "cifar10" else 1
    rows, labels = cifar_arrays(4, len(test.classes), last)
    np.testing.assert_array_equal(test.images.reshape(4, -1), rows)
    assert test.labels().tolist() == labels
    assert len(train) == 4 * last and train.image_shape == (3, 32, 32) and len(train.classes) == (10 if last == 5 else 100)


def test_the_default_folder_is_the_users_choice_then_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    write_mnist(tmp_path / "home" / ".cache" / "tinycnn" / "data" / "mnist", counts=(10, 10))
    assert len(load_dataset("mnist", allow_download=False)) == 10
    write_mnist(tmp_path / "chosen" / "mnist")
    monkeypatch.setenv("TINYCNN_DATA", str(tmp_path / "chosen"))
    assert len(load_dataset("mnist", allow_download=False)) == 12


@pytest.mark.parametrize("suffix", ["png", "bmp", "ppm", "jpg"])
def test_class_folders_are_split_once_and_for_all(tmp_path, suffix):
    write_pictures(tmp_path, {"dog": 10, "cat": 15}, suffix=suffix)
    train, test = load_dataset(tmp_path), load_dataset(tmp_path, train=False)
    assert train.classes == test.classes == ("cat", "dog") and train.image_shape == (3, 6, 5)
    assert np.bincount(train.labels()).tolist() == [12, 8] and np.bincount(test.labels()).tolist() == [3, 2]
    assert isinstance(train, Subset) and not set(train.indices) & set(test.indices)
    assert load_dataset(tmp_path).indices.tolist() == train.indices.tolist()
    images, labels = next(iter(DataLoader(train, 20, num_workers=2)))
    assert images.shape == (20, 3, 6, 5) and images.dtype == np.float32 and sorted(set(labels.numpy())) == [0, 1]


def test_class_folders_inside_train_and_test(tmp_path):
    write_pictures(tmp_path / "train", {"a": 3, "b": 2}, mode="L", suffix="pgm")
    write_pictures(tmp_path / "test", {"a": 1, "b": 1}, mode="L", suffix="pgm")
    train, test = load_dataset(tmp_path, transform=None), load_dataset(tmp_path, False)
    assert (len(train), len(test), train.image_shape) == (5, 2, (1, 6, 5))
    np.testing.assert_array_equal(train[0][0], np.asarray(Image.open(tmp_path / "train" / "a" / "000.pgm")))
    (tmp_path / "test" / "b").rename(tmp_path / "test" / "c")
    with pytest.raises(DataError, match="train/ and test/ differ in their class folders: b, c"):
        load_dataset(tmp_path, False)


def test_image_shape_scales_and_greys(tmp_path):
    write_pictures(tmp_path, {"a": 5, "b": 5})
    dataset = load_dataset(tmp_path, image_shape=(1, 28, 28))
    assert dataset.image_shape == (1, 28, 28) and dataset[0][0].shape == (1, 28, 28)
    assert load_dataset("digits", image_shape=(1, 32, 32))[0][0].shape == (1, 32, 32)
    with pytest.raises(ArgumentError, match=r"image_shape \(3, 28, 28\) cannot be made of images \(1, 28, 28\)"):
        load_dataset("digits", image_shape=(3, 28, 28))


def test_the_default_transform_augments_only_when_asked(tmp_path):
    digits = load_dataset("digits")
    assert [type(step) for step in digits.transform.transforms] == [ToTensor, Normalize]
    varied = load_dataset("digits", augment=True).transform.transforms
    assert [type(step) for step in varied] == [RandomCrop, ToTensor, Normalize] and varied[0].padding == 2
    assert not load_dataset("digits", train=False, augment=True).random
    (tmp_path / "cifar").write_bytes(tar_bytes(cifar_files("cifar10", "binary")))
    colour = default_transform(load_dataset(tmp_path / "cifar"), augment=True).transforms
    assert [type(step) for step in colour[:2]] == [RandomCrop, RandomHorizontalFlip] and colour[0].padding == 4
    assert isinstance(digits.transform, Compose)


def damaged(tmp_path, change):
    """A class folder with one file changed by `change`."""
    write_pictures(tmp_path, {"a": 6, "b": 6})
    change(tmp_path)
    return lambda: [load_dataset(tmp_path, train)[index] for train in (True, False) for index in range(2)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda root: [p.write_bytes(p.read_bytes()[:60]) for p in (root / "a").iterdir()], "a.000.png: not a readable"),
        (lambda root: [p.write_bytes(b"text") for p in (root / "a").iterdir()], "a.000.png: not a readable PNG, JPEG, BMP"),
        (lambda root: [p.unlink() for p in (root / "b").iterdir()], "b: holds no pictures"),
        (lambda root: write_pictures(root / "more", {"c": 1}), "more: holds no pictures"),
    ],
)
def test_damaged_class_folders_name_the_file(tmp_path, change, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        damaged(tmp_path, change)()
    assert "\n" not in str(caught.value)


def test_pictures_of_different_sizes_need_image_shape(tmp_path):
    write_pictures(tmp_path, {"a": 2})
    Image.new("RGB", (9, 9)).save(tmp_path / "a" / "999.png")
    dataset = ImageFolder(tmp_path)
    with pytest.raises(DataError, match=r"999.png: 9x9 where the first picture, 000.png, is 6x5; give image_shape=\(3, 6, 5\)"):
        dataset[2]
    assert ImageFolder(tmp_path, image_shape=(3, 6, 5))[2][0].shape == (6, 5, 3)


def test_too_few_or_no_pictures(tmp_path):
    with pytest.raises(DataError, match="holds neither MNIST's idx files, nor CIFAR's batches, nor a folder of pictures"):
        load_dataset(tmp_path)
    write_pictures(tmp_path, {"a": 2, "b": 2})
    with pytest.raises(DataError, match="too few pictures to keep one in 5 of each class for testing"):
        load_dataset(tmp_path)
    with pytest.raises(DataError, match="holds no folders; put the pictures of each class into a folder"):
        ImageFolder(tmp_path / "a")
    with pytest.raises(ArgumentError, match=r"image_shape \(2, 3, 3\) must be \(1 or 3 channels, height, width\)"):
        ImageFolder(tmp_path, image_shape=(2, 3, 3))


def test_pictures_of_every_mode_become_bytes(tmp_path):
    path = tmp_path / "picture.png"
    for mode, shape in (("1", (4, 6)), ("L", (4, 6)), ("LA", (4, 6)), ("P", (4, 6, 3)), ("RGB", (4, 6, 3)), ("RGBA", (4, 6, 3))):
        Image.new(mode, (6, 4)).save(path)
        assert read_picture(path).shape == shape and read_picture(path).dtype == np.uint8
        assert read_picture(path, "L").shape == (4, 6) and read_picture(path, "RGB").shape == (4, 6, 3)
    Image.fromarray(np.array([[0, 257, 65535]], np.uint16)).save(path)
    assert read_picture(path).tolist() == [[0, 1, 255]]
    with pytest.raises(ArgumentError, match="mode 'CMYK' must be 'L'"):
        read_picture(path, "CMYK")


def test_picture_bombs_are_refused_before_they_unpack(tmp_path):
    path = tmp_path / "bomb.png"
    Image.new("1", (9000, 9000)).save(path)
    with pytest.raises(DataError, match=r"bomb.png: 9000x9000 = 81000000 pixels are more than the 50000000 allowed"):
        read_picture(path)
    path.write_bytes(path.read_bytes().replace((9000).to_bytes(4, "big"), (60000).to_bytes(4, "big")))
    with pytest.raises(DataError, match=r"bomb.png"):
        read_picture(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "ppm"])
def test_mutated_pictures_load_or_get_one_sentence(tmp_path, suffix):
    write_pictures(tmp_path, {"a": 1}, suffix=suffix)
    path = tmp_path / "a" / f"000.{suffix}"
    original, generator = path.read_bytes(), np.random.default_rng(0)
    for _ in range(150):
        mutated = bytearray(original)
        for at in generator.integers(0, len(mutated), 3):
            mutated[at] = generator.integers(256)
        path.write_bytes(bytes(mutated[: generator.integers(1, len(mutated) + 1)] if generator.random() < 0.3 else mutated))
        try:
            assert read_picture(path).dtype == np.uint8
        except DataError as error:
            assert str(error).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda root: load_dataset("minst"), DataError, "'minst' is neither a data set's name .*; did you mean 'mnist'"),
        (lambda root: load_dataset("/no/such"), DataError, "names: digits, mnist, cifar10, cifar100"),
        (lambda root: load_dataset(3), ArgumentError, "int is neither a name nor a path"),
        (lambda root: load_dataset("digits", transform="none"), ArgumentError, "transform 'none' must be"),
        (lambda root: load_dataset(root / "half"), DataError, "half: train-labels-idx1-ubyte.gz is missing"),
        (lambda root: load_dataset(root / "text"), DataError, "text: neither a folder nor a .tar, .tar.gz or .zip"),
        (lambda root: load_dataset(root / "zip"), DataError, "zip: holds neither MNIST's idx files nor CIFAR's batches"),
        (lambda root: load_dataset(root / "short"), DataError, "cifar10's training split lacks data_batch_5"),
    ],
)
def test_errors_say_what_to_do(call, error, sentence, tmp_path):
    write_mnist(tmp_path / "half")
    (tmp_path / "half" / "train-labels-idx1-ubyte.gz").unlink()
    (tmp_path / "text").write_text("hello")
    (tmp_path / "zip").write_bytes(zip_bytes({"readme.md": b"hello"}))
    files = cifar_files("cifar10", "python2")
    (tmp_path / "short").write_bytes(tar_bytes({name: data for name, data in files.items() if name != "data_batch_5"}))
    with pytest.raises(error, match=sentence) as caught:
        call(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not (SHARED / "orl_faces").is_dir(), reason="no real faces in ../shared/data")
def test_real_class_folders():
    faces = load_dataset(SHARED / "orl_faces")
    assert len(faces.classes) == 40 and len(faces) == 320 and faces.image_shape == (1, 112, 92)
    images, labels = next(iter(DataLoader(faces, 16, shuffle=True, num_workers=2)))
    assert images.shape == (16, 1, 112, 92) and labels.numpy().min() >= 0 and labels.numpy().max() < 40


@pytest.mark.skipif(not (SHARED / "mnist").is_dir(), reason="no real MNIST in ../shared/data")
def test_the_real_mnist_is_normalised():
    dataset = load_dataset(SHARED / "mnist")
    assert len(dataset) == 60000 and np.bincount(dataset.labels()).min() == 5421
    np.testing.assert_allclose(dataset.images.mean() / 255, dataset.mean[0], atol=5e-5)
    np.testing.assert_allclose(dataset.images.std() / 255, dataset.std[0], atol=5e-5)
