"""What a network that others trained on ImageNet says of a photo: the file of its weights, its preprocessing, its classes' names."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CheckpointError, DataError, UsageError
from .common import Console, nearest

TOP = 5
BAR = 30  # characters of a bar for certainty


def name_photos(arguments: argparse.Namespace, pictures: list[Any], console: Console) -> int:
    """Build the network, load its weights, and name what is in each picture."""
    from ..autograd import no_grad
    from ..models import input_size
    from ..tensor import Tensor
    from ..weights.pretrained import find_weights, preprocessing
    from .predict import softmax

    name = arguments.model
    source = Path(arguments.weights) if arguments.weights else find_weights(known(name))
    model, classes = pretrained_model(known(name), source)
    names = read_names(arguments.classes, classes)
    how = preprocessing(name, input_size(name)[-1])
    console.say(f"{name} with {source}")
    answers = []
    for path, picture in zip(arguments.images, pictures, strict=True):
        pixels = see(picture, how)
        with no_grad():
            output = model(Tensor(pixels[None]))
        logits = output if isinstance(output, Tensor) else output[0]
        probabilities = softmax(logits.data[0].astype(np.float64))
        best = probabilities.argsort(kind="stable")[::-1][: arguments.top or TOP]
        top = [{"class": int(k), "name": names[k], "probability": float(probabilities[k])} for k in best]
        console.say(f"\n{path}")
        for line in bars(top):
            console.say(line)
        answers.append({"image": path, "top": top})
    console.result({"model": name, "weights": source, "predictions": answers})
    return 0


def known(name: str) -> str:
    """The name, where an architecture has it."""
    from ..models import list_models

    if name not in list_models():
        raise UsageError(f"there is no architecture {name!r}{nearest(name, list_models())}")
    return name


def pretrained_model(name: str, source: Path) -> tuple[Any, int]:
    """The network in evaluation mode with the weights in a file, and how many classes it tells apart."""
    from ..models import get_model, load_weights
    from ..nn.utils import skip_init
    from ..weights import load

    state = load(source)
    model = skip_init(get_model, name)
    classes = head_size(model, state)
    if classes != head_size(model, model.state_dict()):
        try:
            model = skip_init(get_model, name, num_classes=classes)
        except UsageError:
            pass  # its number of classes is fixed; loading says what does not fit
    try:
        load_weights(model, state)
    except CheckpointError as error:
        raise CheckpointError(f"{source} does not fit {name}: {error}") from error
    return model.eval(), classes


def head_size(model: Any, state: Mapping[str, Any]) -> int:
    """The outputs of the model's last layer as the weights have it; the model's own where they lack that layer."""
    own = model.state_dict()
    last = [key for key in own if key.endswith(".weight") and own[key].ndim > 1][-1]
    found = model._current_keys(state).get(last, own[last])
    return int(found.shape[0]) if found.ndim else 0


def read_names(path: str | None, classes: int) -> list[str]:
    """The classes' names: from a file, ImageNet's where there are 1,000 of them, else their numbers."""
    from ..weights.pretrained import class_names

    if path is None:
        return list(class_names()) if classes == len(class_names()) else [f"class {k}" for k in range(classes)]
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise DataError(f"{path}: cannot be read as a list of names ({error})") from error
    names = [line.strip() for line in lines if line.strip()]
    return [names[k] if k < len(names) else f"class {k}" for k in range(classes)]


def see(picture: Any, how: Any) -> np.ndarray:
    """The picture as the network wants it: (3, crop, crop), the shorter side resized, the middle cut out, normalised."""
    from PIL import Image

    picture = picture.convert("RGB")
    shorter = min(picture.size)
    width, height = (max(how.crop, round(side * how.resize / shorter)) for side in picture.size)
    picture = picture.resize((width, height), Image.Resampling[how.interpolation.upper()])
    left, top = round((width - how.crop) / 2), round((height - how.crop) / 2)
    pixels = np.asarray(picture.crop((left, top, left + how.crop, top + how.crop)), np.float32) / np.float32(255)
    normal = (pixels - np.asarray(how.mean, np.float32)) / np.asarray(how.std, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))


def bars(top: list[dict[str, Any]]) -> list[str]:
    """A line a class: its probability, a bar as long, its name."""
    return [f"  {100 * one['probability']:5.1f} %  {'#' * round(BAR * one['probability']):<{BAR}}  {one['name']}" for one in top]
