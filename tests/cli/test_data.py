"""What `--data` accepts, and the views of a data set that the commands use."""

import numpy as np
import pytest
from PIL import Image

from tinycnn.cli.data import VALIDATE_EVERY, open_data, short_name
from tinycnn.train import TrainConfig


@pytest.fixture(scope="module")
def colour_folder(tmp_path_factory):
    """Class folders of colour pictures that are neither square nor 32 pixels high."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for name in ("apple", "pear"):
        (folder / name).mkdir()
        for i in range(10):
            pixels = generator.integers(0, 256, (48, 64, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


@pytest.mark.parametrize(
    ("path", "name"),
    [("digits", "digits"), ("mnist", "mnist"), ("data/cifar-10.tar.gz", "cifar-10"), ("a/b.zip", "b"), ("a/b/", "b")],
)
def test_short_name(path, name):
    assert short_name(path) == name


def test_digits():
    data = open_data("digits")
    assert (len(data.train), len(data.test), data.channels, data.image_size) == (4000, 1000, 1, 28)
    assert data.facts()["data"] == "digits"
    assert data.test_pictures[3].shape == (28, 28)
    assert data.test_batch(3).shape == (1, 1, 28, 28)
    # The same pixels, seen and normalised.
    shown = (data.test_pictures[3] / 255.0 - data.train.mean[0]) / data.train.std[0]
    assert np.allclose(data.test_batch(3)[0, 0], shown, atol=1e-5)


def test_the_training_images_are_split_by_class_without_overlap():
    data = open_data("digits")
    learn, validate = data.split_training(TrainConfig())
    assert len(learn) + len(validate) == 4000
    assert not set(learn.indices) & set(validate.indices)
    assert np.array_equal(np.bincount(validate.labels()), np.full(10, 400 // VALIDATE_EVERY))


def test_only_the_learning_set_is_shifted():
    data = open_data("digits")
    config = TrainConfig(shift=2)
    assert data.learning_set(config).random
    assert not data.test_set().random
    assert not data.learning_set(TrainConfig()).random
    learn, validate = data.split_training(config)
    assert learn.random
    assert not validate.random
    assert np.array_equal(data.first_batch(config)[0].data, data.first_batch(config)[0].data)


def test_pictures_in_class_folders_are_scaled_to_what_the_models_take(colour_folder):
    data = open_data(str(colour_folder))
    assert (data.channels, data.image_size, data.classes) == (3, 32, ["apple", "pear"])
    assert data.test_pictures[0].shape == (32, 32, 3)
    assert data.facts()["data"] == str(colour_folder.resolve())


def test_a_colour_network_from_class_folders_to_a_prediction(run_main, elsewhere, colour_folder):
    options = ("--epochs", "1", "--batch-size", "8", "--set", "flip=true", "--out", "run")
    code, output, _ = run_main("train", "lenet5", "--data", colour_folder, *options)
    assert code == 0
    code, output, _ = run_main("predict", colour_folder / "pear" / "3.png", "--model", "run")
    assert code == 0
    assert "apple" in output
    assert "pear" in output
    code, _, error = run_main("eval", "run", "--data", "digits")
    assert code == 2
    assert "images with 2 classes, digits has 10" in error


def test_a_model_for_digits_refuses_colour(run_main, elsewhere, colour_folder):
    code, _, error = run_main("train", "lenet5_1998", "--data", colour_folder)
    assert code == 2
    assert "lenet5_1998 has 10 classes, the data has 2" in error
    assert not (elsewhere / "runs").exists()
