"""`tinycnn autoencode`: train a convolutional autoencoder and look into its code."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError
from .common import Console, add_data_options, positive_number, use_threads, whole_number
from .pictures import Album, add_picture_options, pace

if TYPE_CHECKING:
    from ..data import ImageDataset

MOST = 20_000  # images to learn from: more are not needed, and CIFAR-10 as floats would take 600 MB

DESCRIPTION = """\
Squeeze images into a small code and draw them again from it. The page shows test images, their code map by map, what is drawn
from it, what each map is good for (the image without it), and what lies on the straight line between two codes."""
EPILOG = """\
examples:
  tinycnn autoencode                                   digits, a code of 2x7x7 numbers
  tinycnn autoencode --code 1 --depth 2 --steps 800    half of that
  tinycnn autoencode --data cifar10 --code 8 --width 32
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_data_options(parser)
    parser.add_argument("--code", type=whole_number(1), default=2, metavar="N", help="maps of the code (default: 2)")
    parser.add_argument("--depth", type=whole_number(1), default=2, metavar="N", help="how often the sides are halved (default: 2)")
    parser.add_argument("--width", type=whole_number(1), default=16, metavar="N", help="maps of the first layer (default: 16)")
    parser.add_argument("--steps", type=whole_number(1), default=400, metavar="N", help="training steps (default: 400)")
    parser.add_argument("--batch-size", type=whole_number(1), default=32, metavar="N", help="images a step (default: 32)")
    parser.add_argument("--lr", type=positive_number, default=3e-3, metavar="X", help="Adam's rate at the start (default: 0.003)")
    parser.add_argument("--show", type=whole_number(1), default=5, metavar="N", help="test images on the page (default: 5)")
    add_picture_options(parser, "pictures/autoencode-DATA")


def run(arguments: argparse.Namespace) -> int:
    """Learn, look, write."""
    from .. import random
    from ..data import load_dataset
    from ..models.restoration import conv_autoencoder
    from ..study.restoration_page import autoencoder_page
    from ..train.autoencoding import study_code, train_autoencoder
    from ..weights import save
    from .data import check_data_name, short_name

    console = Console(arguments.json)
    check_data_name(arguments.data)
    name = short_name(arguments.data)
    learn, test = (load_dataset(arguments.data, split, transform=None, allow_download=arguments.download) for split in (True, False))
    channels, height, width = learn.image_shape
    if height % 2**arguments.depth or width % 2**arguments.depth:
        side = 2**arguments.depth
        raise UsageError(f"--depth {arguments.depth}: images of {height}x{width} do not halve so often; both sides must be multiples of {side}")
    album = Album(arguments, f"autoencode-{name}")
    use_threads(arguments.threads)
    random.manual_seed(arguments.seed)
    model = conv_autoencoder(channels, code_channels=arguments.code, width=arguments.width, depth=arguments.depth)
    options = {"steps": arguments.steps, "batch_size": arguments.batch_size, "learning_rate": arguments.lr, "seed": arguments.seed}
    found = train_autoencoder(model, _pixels(learn, MOST), **options)
    console.say(pace(found))
    looked = study_code(model, _pixels(test, arguments.show))
    shape = "x".join(str(side) for side in looked.codes.shape[1:])
    console.say(f"code of {shape}, {looked.squeeze:g} times smaller; mean squared error of {len(looked.images)} test images {looked.error:.5f}")
    for k, worth in enumerate(looked.importance):
        console.say(f"  without map {k}: {worth:+.5f}")
    for number, pixels in enumerate(looked.restored):
        album.add(f"image-{number}", looked.images[number])
        album.add(f"image-{number}-from-code", pixels)
    save(model.state_dict(), album.folder / "weights.npz")
    album.files.append(album.folder / "weights.npz")
    result = {"data": name, **options, "code": list(looked.codes.shape[1:]), "test_error": looked.error, "importance": looked.importance}
    result |= {"seconds": found.seconds, "milliseconds_per_step": found.milliseconds_per_step}
    album.finish(console, autoencoder_page(looked, found, result), result)
    return 0


def _pixels(dataset: ImageDataset, most: int) -> np.ndarray:
    """The first images of a data set, (N, C, H, W), from 0 to 1."""
    images = np.stack([dataset.picture(number)[0] for number in range(min(most, len(dataset)))])
    planes = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(planes, np.float32) / np.float32(255)
