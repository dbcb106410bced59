"""Tiny data and trained runs, so that every command is tried in seconds."""

import gzip
import struct

import numpy as np
import pytest

from tinycnn.cli import main


def write_idx(path, array):
    """An array of bytes as an idx file."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()) if path.suffix == ".gz" else header + array.tobytes())


def write_tiny_mnist(folder, train=60, test=30):
    """A folder that looks like MNIST: each class is a bright bar at its own height."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    for name, count in (("train", train), ("t10k", test)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = generator.integers(0, 30, (count, 28, 28)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 * label + 3 : 2 * label + 6, 5:23] = 220
        write_idx(folder / f"{name}-images-idx3-ubyte", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", labels)
    return folder


@pytest.fixture(scope="session")
def make_tiny_mnist():
    return write_tiny_mnist


@pytest.fixture(scope="session")
def tiny_mnist(tmp_path_factory):
    return write_tiny_mnist(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory, tiny_mnist):
    """A run of lenet5 on the tiny data, with pictures where matplotlib is installed."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    options = ["--epochs", "2", "--batch-size", "20", "--lr", "0.02", "--set", "shift=0"]
    assert main(["train", "lenet5", "--data", str(tiny_mnist), "--out", str(folder), *options]) == 0
    return folder


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working folder of its own, so that runs/ is empty and nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run_main(capsys):
    """Run a command line: exit code, standard output and standard error; a failure must be one sentence."""

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err + captured.out
        if code in (1, 2):
            complaints = [line for line in captured.err.splitlines() if line.startswith("tinycnn: ") and not line.startswith("tinycnn: note")]
            assert len(complaints) == 1, captured.err
            assert "bug in tinycnn" not in complaints[0]
        return code, captured.out, captured.err

    return run
