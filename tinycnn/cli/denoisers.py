"""Denoisers on disk: a folder with weights.npz and denoiser.json, or published weights of DnCNN; noise as the command line names it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CheckpointError, DataError, UsageError
from .common import positive_number
from .main import nearest

Array = np.ndarray[Any, Any]
NETWORKS = ("dncnn", "care_unet")
WEIGHTS, CARD = "weights.npz", "denoiser.json"
OPTIONS = ("in_channels", "depth", "width", "residual", "batch_norm")
MOST = 4096  # of any option: a damaged file must not ask for all memory
GREYS = ("gaussian", "stripes")  # whose strength is in grey levels of 255
STRENGTHS = {"gaussian": 25.0, "stripes": 25.0, "poisson": 30.0, "salt-pepper": 0.05}


def add_noise_options(parser: argparse.ArgumentParser, words: str) -> None:
    """--noise and --strength."""
    parser.add_argument("--noise", choices=tuple(STRENGTHS), help=words)
    parser.add_argument(
        "--strength",
        "--sigma",
        type=positive_number,
        metavar="X",
        help="gaussian, stripes: sigma in grey levels of 255 (default: 25); poisson: photons of a white pixel (30); salt-pepper: a share (0.05)",
    )


def strength_of(arguments: argparse.Namespace, noise: str) -> float:
    """The strength in the command line's units."""
    value = STRENGTHS[noise] if arguments.strength is None else arguments.strength
    if noise == "salt-pepper" and value > 1:
        raise UsageError(f"--strength {value:g}: salt and pepper take a share of the pixels, from 0 to 1")
    return float(value)


def degrader(noise: str, strength: float) -> Any:
    """A function of images and a generator that adds the noise."""
    from ..models.restoration import add_noise

    units = strength / 255 if noise in GREYS else strength
    return lambda images, generator=None: add_noise(noise, images, units, generator=generator)


def build(name: str, options: dict[str, Any]) -> Any:
    """A denoiser by name; options that it does not have are left out."""
    import inspect

    from ..models import restoration

    if name not in NETWORKS:
        raise UsageError(f"there is no denoiser {name!r}{nearest(name, list(NETWORKS))}; there are {', '.join(NETWORKS)}")
    builder = getattr(restoration, name)
    known = inspect.signature(builder).parameters
    return builder(**{key: value for key, value in options.items() if key in known and value is not None})


def save_denoiser(folder: Path, model: Any, card: dict[str, Any]) -> list[Path]:
    """Write the weights and what is needed to build the network again."""
    from ..weights import save

    save(model.state_dict(), folder / WEIGHTS)
    (folder / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return [folder / WEIGHTS, folder / CARD]


def load_denoiser(name: str, weights: str | None) -> tuple[Any, str, str]:
    """A trained denoiser: the model, its name, and where its weights came from.

    Parameters
    ----------
    name : str
        A folder that a command here wrote, or "dncnn" for published weights.
    weights : str, optional
        A file of such weights.
    """
    from ..models import load_weights
    from ..weights import load
    from ..weights.pretrained import find_weights

    folder = Path(name)
    if weights is None and folder.is_dir():
        card = _card(folder)
        model = build(card["model"], card["options"])
        load_weights(model, folder / WEIGHTS)
        return model.eval(), card["model"], str(folder)
    if name not in NETWORKS:
        raise UsageError(f"--model {name}: is neither a folder that `tinycnn learn-denoising` wrote nor one of {', '.join(NETWORKS)}")
    if weights is not None:
        source = Path(weights)
    else:
        try:
            source = find_weights("dncnn_25" if name == "dncnn" else name)
        except CheckpointError as error:
            advice = f"give --weights FILE, or teach one by `tinycnn learn-denoising FOLDER --model {name}`"
            raise CheckpointError(f"there are no weights of {name} on this machine; {advice}; published for dncnn: dncnn_25.pth") from error
    state = load(source)
    model = build(name, _options_of(name, state))
    try:
        load_weights(model, state)
    except CheckpointError as error:
        raise CheckpointError(f"{source} does not fit {name}: {error}") from error
    return model.eval(), name, str(source)


def _options_of(name: str, state: dict[str, Array]) -> dict[str, Any]:
    """Width and depth that the shapes of the weights tell, and whether batch normalisation is there."""
    kernels = [array for key, array in state.items() if key.endswith("weight") and array.ndim == 4]
    if not kernels:
        raise CheckpointError(f"the weights hold no convolution, so they are not {name}'s")
    shape = {"in_channels": kernels[0].shape[1], "width": kernels[0].shape[0], "batch_norm": any(key.endswith("running_mean") for key in state)}
    # A level down of the U-Net is one pair of convolutions, and there is one pair more at the bottom.
    levels = len({key.split(".")[1] for key in state if key.startswith("down.")}) - 1
    return {**shape, "depth": len(kernels) if name == "dncnn" else max(levels, 1)}


def _card(folder: Path) -> dict[str, Any]:
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        options = card["options"]
        plain = all(key in OPTIONS and (value is None or (isinstance(value, bool | int) and 0 <= value <= MOST)) for key, value in options.items())
    except FileNotFoundError as error:
        raise DataError(f"{folder} holds no {CARD}; `tinycnn learn-denoising` writes one") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder / CARD} is damaged: {type(error).__name__}") from error
    if not plain or card["model"] not in NETWORKS:
        raise DataError(f"{folder / CARD} does not describe a denoiser; {', '.join(OPTIONS)} of {', '.join(NETWORKS)} are known")
    return dict(card)
