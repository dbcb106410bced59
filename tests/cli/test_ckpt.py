"""`tinycnn ckpt` and photos named by published networks."""

import json

import numpy as np
import pytest
from PIL import Image

import tinycnn
from tests.weights.hostile import CFG, PROTOTXT, darknet_bytes
from tinycnn.cli.photo import bars, head_size, read_names, see
from tinycnn.weights.pretrained import Preprocessing

STATE = {"conv.weight": np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3), "bn.num_batches_tracked": np.array(3)}


@pytest.fixture
def two_files(elsewhere):
    tinycnn.save(STATE, "a.pth")
    tinycnn.save({**STATE, "conv.weight": STATE["conv.weight"] + 0.5, "extra": np.zeros(2)}, "b.npz")
    return elsewhere


def test_inspect(run_main, two_files):
    code, output, _ = run_main("ckpt", "inspect", "a.pth")
    assert code == 0
    assert "PyTorch zip, 2 tensors, 7 numbers" in output
    assert "conv.weight             1x1x2x3  float32    0    5   2.5" in output
    code, output, _ = run_main("ckpt", "inspect", "a.pth", "--json")
    first = json.loads(output)["tensors"][0]
    assert first == {"key": "conv.weight", "shape": [1, 1, 2, 3], "dtype": "float32", "min": 0.0, "max": 5.0, "mean": 2.5, "not_finite": 0}


def test_inspect_warns_of_nan(run_main, elsewhere):
    tinycnn.save({"a": np.array([1.0, np.nan]), "b": np.array([np.inf])}, "a.npz")
    code, output, _ = run_main("ckpt", "inspect", "a.npz")
    assert code == 0 and "warning: 2 tensors hold NaN or infinity, the first is a" in output


def test_inspect_topologies(run_main, elsewhere):
    (elsewhere / "net.cfg").write_text(CFG)
    (elsewhere / "net.prototxt").write_text(PROTOTXT)
    (elsewhere / "net.weights").write_bytes(darknet_bytes(959))
    assert "5 layers, 959 parameters" in run_main("ckpt", "inspect", "net.cfg")[1]
    assert "4 layers, 146 parameters" in run_main("ckpt", "inspect", "net.prototxt")[1]
    assert "959 numbers accounted for" in run_main("ckpt", "inspect", "net.weights")[1]


def test_diff(run_main, two_files):
    code, output, _ = run_main("ckpt", "diff", "a.pth", "b.npz")
    assert code == 0 and "1 tensors are equal, 2 differ" in output and "0.5" in output
    code, output, _ = run_main("ckpt", "diff", "a.pth", "b.npz", "--json")
    assert json.loads(output)["differ"][1] == {"key": "extra", "first": "missing", "second": "2", "largest_difference": "-"}
    assert "2 tensors are equal, 0 differ" in run_main("ckpt", "diff", "a.pth", "a.pth")[1]


def test_convert(run_main, two_files):
    code, output, _ = run_main("ckpt", "convert", "b.npz", "c.pth")
    assert code == 0 and "c.pth: 3 tensors" in output
    np.testing.assert_array_equal(tinycnn.load("c.pth")["conv.weight"], STATE["conv.weight"] + 0.5)


def test_convert_for_a_model(run_main, elsewhere):
    tinycnn.save(tinycnn.models.lenet5(4).state_dict(), "a.npz")
    assert run_main("ckpt", "convert", "a.npz", "b.pth", "--model", "lenet5")[0] == 0
    assert tinycnn.load("b.pth")["fc3.weight"].shape == (4, 84)
    tinycnn.save({"w": np.zeros(3)}, "c.npz")
    code, _, error = run_main("ckpt", "convert", "c.npz", "d.pth", "--model", "lenet5")
    assert code == 1 and "does not fit lenet5" in error and not (elsewhere / "d.pth").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["inspect"], 2, "required"),
        (["inspect", "a.pth", "b.npz"], 2, "takes one file, not 2"),
        (["diff", "a.pth"], 2, "takes two files, not 1"),
        (["explode", "a.pth"], 2, "invalid choice"),
        (["inspect", "none.pth"], 1, "none.pth: No such file"),
        (["convert", "a.pth", "b.onnx"], 2, "name it with --model"),
        (["convert", "a.pth", "b.txt"], 1, "no suffix that names a format"),
        (["convert", "a.pth", "b.pth", "--model", "lenet6"], 2, "did you mean lenet5"),
    ],
)
def test_wrong_usage_is_one_sentence(run_main, two_files, arguments, code, sentence):
    found, _, error = run_main("ckpt", *arguments)
    assert found == code and sentence in error


# Photos


def test_a_photo_is_resized_cropped_and_normalised():
    picture = Image.new("RGB", (100, 50), (255, 0, 51))
    seen = see(picture, Preprocessing(resize=20, crop=16, mean=(0.5, 0.5, 0.2), std=(0.5, 0.5, 1.0)))
    assert seen.shape == (3, 16, 16) and seen.dtype == np.float32
    np.testing.assert_allclose(seen[:, 8, 8], [1.0, -1.0, 0.0], atol=1e-6)


def test_the_middle_is_cut_out():
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 48:80] = 255
    seen = see(Image.fromarray(pixels), Preprocessing(resize=64, crop=32, mean=(0, 0, 0), std=(1, 1, 1)))
    assert seen.min() == 1.0


def test_names_come_from_the_package_a_file_or_are_numbers(tmp_path):
    assert read_names(None, 1000)[281].startswith("tabby")
    assert read_names(None, 3) == ["class 0", "class 1", "class 2"]
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    assert read_names(str(tmp_path / "names.txt"), 3) == ["cat", "dog", "class 2"]
    assert head_size({"a.weight": np.zeros((4, 3)), "a.bias": np.zeros(4), "n": np.array(1)}) == 4


def test_bars_are_as_long_as_the_probability():
    assert bars([{"probability": 0.5, "name": "cat"}]) == [f"   50.0 %  {'#' * 15:<30}  cat"]


def test_predict_with_an_architecture(run_main, elsewhere, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(elsewhere))
    monkeypatch.delenv("TINYCNN_WEIGHTS", raising=False)
    Image.new("L", (28, 28)).save("black.png")
    code, _, error = run_main("predict", "black.png", "--model", "lenet5")
    assert code == 1 and "no weights of lenet5 on this machine; looked in $TINYCNN_WEIGHTS (not set)" in error
    code, _, error = run_main("predict", "black.png", "--weights", "x.pth")
    assert code == 2 and "--model efficientnet_lite0" in error
    code, _, error = run_main("predict", "black.png", "--model", "lenet6", "--weights", "x.pth")
    assert code == 2 and "did you mean lenet5" in error
