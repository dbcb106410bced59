"""`tinycnn region-costs`: what a detector computes once an image and what once a region."""

from __future__ import annotations

import argparse

from ..errors import ArgumentError, ShapeError, UsageError
from .common import Console, use_threads, whole_number
from .shape import add_result_options, finish

DESCRIPTION = """\
Count a network's multiply-accumulates for one image as R-CNN spends them (all of it for every region), as Fast R-CNN does (the convolutions
once, the rest for every region), and as Faster R-CNN does (its own proposals). --measure times the parts on this machine too."""
EPILOG = """\
examples:
  tinycnn region-costs                                          VGG-16, 600 x 1000 pixels, 2000 regions: the paper's 47 s
  tinycnn region-costs alexnet --crop 227 --measure
  tinycnn region-costs vgg11 --image-size 480 640 --regions 500 --html costs.html
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("network", nargs="?", default="vgg16", metavar="NETWORK", help="vgg11 to vgg19, or alexnet (default: vgg16)")
    parser.add_argument(
        "--image-size", nargs=2, type=whole_number(32), default=(600, 1000), metavar=("H", "W"), help="pixels of the image (default: 600 1000)"
    )
    parser.add_argument("--regions", type=whole_number(1), default=2000, metavar="N", help="proposals of R-CNN and Fast R-CNN (default: 2000)")
    parser.add_argument("--proposals", type=whole_number(1), default=300, metavar="N", help="proposals of Faster R-CNN's own (default: 300)")
    parser.add_argument("--crop", type=whole_number(32), default=224, metavar="N", help="pixels a side of a warped region (default: 224)")
    parser.add_argument("--anchors", type=whole_number(1), default=9, metavar="N", help="of a cell of the proposal network (default: 9)")
    parser.add_argument("--measure", action="store_true", help="run the parts twice and print seconds of this machine")
    parser.add_argument("--threads", type=whole_number(1), metavar="N", help="CPU threads (default: all this process may use)")
    add_result_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Count and print."""
    from .. import models, nn
    from ..study.region_costs import region_costs, region_costs_page, region_seconds

    console = Console(arguments.json)
    use_threads(arguments.threads)
    # Counting needs no numbers in the weights; measuring does, since some are slower than others.
    network = models.get_model(arguments.network) if arguments.measure else nn.utils.skip_init(models.get_model, arguments.network)
    features, classifier = getattr(network, "features", None), getattr(network, "classifier", None)
    if not isinstance(features, nn.Sequential) or not isinstance(classifier, nn.Sequential):
        raise UsageError(f"{arguments.network}: it is not made of features and a classifier of linear layers, as vgg16 and alexnet are")
    # The last pooling is what RoI pooling takes the place of.
    layers = list(features)
    body = nn.Sequential(*layers[:-1]) if isinstance(layers[-1], nn.MaxPool2d) else features
    channels = next(layer.out_channels for layer in reversed(layers) if isinstance(layer, nn.Conv2d))
    inputs = next(layer.in_features for layer in classifier if isinstance(layer, nn.Linear))
    anchors = arguments.anchors
    # RPNHead's layers in a row: the 3x3 convolution, then objectness and box numbers of every anchor as one 1x1.
    proposer = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, 5 * anchors, 1))
    size = tuple(arguments.image_size)
    options = {"crop": arguments.crop, "pooled": (inputs,), "proposal_network": proposer}
    for part in (body, classifier, proposer):
        part.eval()
    try:
        seconds = region_seconds(body, classifier, size, **options) if arguments.measure else None
        costs = region_costs(body, classifier, size, arguments.regions, own_proposals=arguments.proposals, seconds=seconds, **options)
    except (ArgumentError, ShapeError) as error:
        raise UsageError(str(error)) from error
    console.say(f"{arguments.network}, one image of {size[0]} x {size[1]} pixels, crops of {arguments.crop}\n\n{costs.as_text()}")
    finish(console, arguments, costs.to_dict(), region_costs_page(costs, arguments.network) if arguments.html else "")
    return 0
