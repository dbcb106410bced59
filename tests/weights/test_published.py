"""Files that others published, where they lie beside the project."""

import subprocess
from importlib.resources import files

import numpy as np
import pytest

import tinycnn
from tests.data.published_formats import SHARED
from tinycnn import Tensor, models
from tinycnn.cli.photo import pretrained_model, see
from tinycnn.cli.predict import read_image
from tinycnn.errors import CheckpointError
from tinycnn.weights import read
from tinycnn.weights.pretrained import class_names, find_weights, preprocessing

WEIGHTS = SHARED / "weights"


def published(path):
    if not (WEIGHTS / path).exists():
        pytest.skip(f"{WEIGHTS / path} is not on this machine")
    return WEIGHTS / path


@pytest.mark.exhaustive
def test_resnet20s_file_has_the_keys_of_the_papers_layers():
    found = read(published("cifar_resnet/resnet20-12fca82f.th"))
    expected = {"conv1.weight": (16, 3, 3, 3), "linear.weight": (10, 64), "linear.bias": (10,)}
    norms = ["bn1"]
    for stage, width in enumerate((16, 32, 64), 1):
        for block in range(3):
            first = 16 if stage == 1 else width // 2 if block == 0 else width
            expected[f"layer{stage}.{block}.conv1.weight"] = (width, first, 3, 3)
            expected[f"layer{stage}.{block}.conv2.weight"] = (width, width, 3, 3)
            norms += [f"layer{stage}.{block}.bn1", f"layer{stage}.{block}.bn2"]
    for norm in norms:
        width = 16 if norm == "bn1" else 16 * 2 ** (int(norm[5]) - 1)
        expected |= {f"{norm}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")}
    assert {key: array.shape for key, array in found.arrays.items()} == expected
    trained = sum(array.size for key, array in found.arrays.items() if "running" not in key)
    assert trained == 269_722  # He et al. 2015, table 6: 0.27 million
    assert all(np.isfinite(array).all() for array in found.arrays.values())
    assert np.isclose(found.arrays["conv1.weight"].max(), 1.873, atol=1e-3)


@pytest.mark.exhaustive
def test_resnet20_answers_as_published(tmp_path):
    """91.73 % of CIFAR-10's test images: the published error is 8.27 %."""
    file = published("cifar_resnet/resnet20-12fca82f.th")
    unpacked = subprocess.run([SHARED / "unpack", tmp_path], capture_output=True, text=True)
    assert unpacked.returncode == 0, unpacked.stderr
    photos = tinycnn.data.load_dataset("cifar10", train=False, transform=None, folder=tmp_path, allow_download=False)
    net = models.resnet20().eval()
    models.load_weights(net, file)
    mean, std = (np.array(one, np.float32).reshape(3, 1, 1) for one in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    right = 0
    with tinycnn.no_grad():
        for start in range(0, len(photos), 500):
            images, labels = zip(*(photos[k] for k in range(start, start + 500)), strict=True)
            pixels = np.stack(images).astype(np.float32)
            pixels = pixels.transpose(0, 3, 1, 2) if pixels.shape[-1] == 3 else pixels
            right += int((net(Tensor(np.ascontiguousarray((pixels / 255 - mean) / std))).data.argmax(1) == np.array(labels)).sum())
    print(f"{right} of {len(photos)}")
    assert abs(right - 9173) <= 2  # equal to rounding


@pytest.mark.exhaustive
def test_efficientnet_lite0_names_the_sample_photos():
    """171 of 200 at the first guess and 195 among five, as timm's network with the same file."""
    photos = sorted((SHARED / "imagenet_sample_200").glob("*.jpg"))
    if not photos:
        pytest.skip(f"{SHARED} has no photos")
    try:
        file = find_weights("efficientnet_lite0")
    except CheckpointError as error:
        pytest.skip(str(error))
    net, classes = pretrained_model("efficientnet_lite0", file)
    assert classes == 1000
    identifiers = [line.split()[0] for line in files("tinycnn.weights").joinpath("imagenet_classes.txt").read_text().splitlines()]
    found = []
    with tinycnn.no_grad():
        for photo in photos:
            pixels = see(read_image(photo), preprocessing("efficientnet_lite0"))
            order = net(Tensor(pixels[None])).data[0].argsort(kind="stable")[::-1]
            found.append(int(np.flatnonzero(order == identifiers.index(photo.name.split("_")[0]))[0]))
    top1, top5 = sum(rank == 0 for rank in found), sum(rank < 5 for rank in found)
    print(f"{top1} and {top5} of {len(photos)}")
    assert (top1, top5) == (171, 195)


@pytest.mark.exhaustive
def test_dncnns_file():
    arrays = read(published("dncnn/dncnn_25.pth")).arrays
    assert sum(array.ndim == 4 for array in arrays.values()) == 17


@pytest.mark.exhaustive
def test_yolo_fastests_346062_numbers_are_accounted_for():
    found = read(published("yolo-fastest/yolo-fastest-1.1.weights"))
    assert sum(array.size for array in found.arrays.values()) == 346_062
    assert "all 346,062 numbers accounted for" in found.notes[0]
    assert found.arrays["129.conv.weight"].shape == (255, 120, 1, 1)
    variances = [array for key, array in found.arrays.items() if key.endswith("running_var")]
    assert all((array >= 0).all() for array in variances)  # a layer read one number late would not be


def test_class_names_are_the_thousand_in_order():
    names = class_names()
    assert len(names) == 1000
    assert [names[k].split(",")[0] for k in (0, 1, 281, 999)] == ["tench", "goldfish", "tabby", "toilet tissue"]


def test_weights_are_looked_for_in_named_places(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("TINYCNN_WEIGHTS", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"no weights of resnet18 .*looked in \$TINYCNN_WEIGHTS .*checkpoints; give --weights FILE"):
        find_weights("resnet18")
    with pytest.raises(CheckpointError, match="pip install nothing-yet"):
        monkeypatch.setattr("tinycnn.weights.pretrained.PACKAGES", {"alexnet": "nothing-yet"})
        find_weights("alexnet")
    (tmp_path / "resnet18_cifar.pth").touch()
    (tmp_path / "resnet18-f37072fd.pth").touch()
    assert find_weights("resnet18") == tmp_path / "resnet18-f37072fd.pth"
    (tmp_path / "any.npz").touch()
    monkeypatch.setenv("TINYCNN_WEIGHTS", str(tmp_path / "any.npz"))
    assert find_weights("resnet50") == tmp_path / "any.npz"


def test_preprocessing_is_torchvisions_unless_named():
    assert preprocessing("resnet18").resize == 256 and preprocessing("resnet18").mean[0] == 0.485
    assert preprocessing("efficientnet_lite0").std == (128 / 255,) * 3
    assert preprocessing("xception", 32).crop == 299
    assert (preprocessing("resnet20", 32).resize, preprocessing("resnet20", 32).crop) == (37, 32)
