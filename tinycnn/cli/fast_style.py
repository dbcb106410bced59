"""`tinycnn fast-style PHOTO`: style in one pass, by a network that has learned it; or teach one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import CheckpointError, UsageError
from .common import Console, positive_number, use_threads, whole_number
from .pictures import Album, add_network_options, add_picture_options, feature_network, names_of, read_folder, read_photo
from .style import weight

DESCRIPTION = """\
Style in one pass. With --network FILE, a trained transformation network (PyTorch's published candy, mosaic, rain_princess and
udnie fit) paints PHOTO. With --style PICTURE and --images FOLDER one is taught first, by the losses of `tinycnn style`."""
EPILOG = """\
examples:
  tinycnn fast-style photo.jpg --network candy.pth
  tinycnn fast-style photo.jpg --style painting.jpg --images photos --size 128 --steps 200 --width 16
  tinycnn fast-style other.jpg --network pictures/fast-style-photo/network.npz
"""
BLOCKS = 5
SMALLEST = 32  # pixels that the networks of `tinycnn style` need


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("photo", type=Path, metavar="PHOTO", help="a photo, or a folder of them")
    parser.add_argument("--network", type=Path, metavar="FILE", help="weights of a trained transformation network")
    parser.add_argument("--style", type=Path, metavar="PICTURE", help="teach a network this style")
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="photos to learn from")
    add_network_options(parser)
    parser.add_argument("--size", type=whole_number(SMALLEST), default=256, metavar="N", help="longer side in pixels (default: 256)")
    parser.add_argument("--patch", type=whole_number(SMALLEST), default=128, metavar="N", help="side of the squares it learns from (default: 128)")
    parser.add_argument("--steps", type=whole_number(1), default=200, metavar="N", help="training steps (default: 200)")
    parser.add_argument("--width", type=whole_number(1), default=32, metavar="N", help="maps of its first layer (default: 32)")
    parser.add_argument("--style-layers", metavar="A,B", help="as in `tinycnn style`")
    parser.add_argument("--style-weight", type=weight, default=5.0, metavar="X", help="(default: 5)")
    parser.add_argument("--lr", type=positive_number, default=1e-3, metavar="X", help="Adam's rate (default: 0.001)")
    add_picture_options(parser, "pictures/fast-style-PHOTO")


def run(arguments: argparse.Namespace) -> int:
    """Teach or load, then paint."""
    from .. import random
    from ..study.fast_style import stylise
    from ..study.style_page import fast_style_page
    from ..weights import save

    console = Console(arguments.json)
    if (arguments.network is None) == (arguments.style is None) or (arguments.style is None) != (arguments.images is None):
        raise UsageError("give --network FILE, or --style PICTURE together with --images FOLDER")
    photos = read_folder(arguments.photo, "RGB", size=arguments.size)
    style, seconds = None, 0.0
    losses: list[dict[str, float]] = []
    random.manual_seed(arguments.seed)
    if arguments.network is not None:
        transformer = load_transformer(arguments.network)
        album = Album(arguments, f"fast-style-{arguments.photo.stem}")
    else:
        style = read_photo(arguments.style, arguments.size)
        album = Album(arguments, f"fast-style-{arguments.photo.stem}")
        transformer, losses, seconds = _taught(arguments, style, console)
        save(transformer.state_dict(), album.folder / "network.npz")
        album.files.append(album.folder / "network.npz")
    use_threads(arguments.threads)
    shown = []
    for name, pixels in photos.items():
        shown.append((name, pixels, stylise(transformer, pixels)))
        album.add(f"{Path(name).stem}-painted", shown[-1][2])
    data: dict[str, Any] = {"network": arguments.network, "style": arguments.style, "steps": len(losses), "seconds": seconds, "seed": arguments.seed}
    if losses:
        data |= {"first": losses[0], "last": losses[-1], "milliseconds_per_step": 1000 * seconds / len(losses)}
    album.finish(console, fast_style_page(f"{arguments.photo.name} in one pass", style, shown[:6], losses, data), data)
    return 0


def _taught(arguments: argparse.Namespace, style: Any, console: Console) -> tuple[Any, list[dict[str, float]], float]:
    """A network that has learned the style, its losses, and how long that took."""
    import time

    from ..models import fast_style
    from ..study import train_fast_style

    images = {name: pixels for name, pixels in read_folder(arguments.images, "RGB", most=500).items() if min(pixels.shape[1:]) >= arguments.patch}
    if not images:
        raise UsageError(f"--patch {arguments.patch}: every photo in {arguments.images} is smaller; take smaller squares")
    network, _, source = feature_network(arguments)
    transformer = fast_style(width=arguments.width, blocks=BLOCKS)
    console.say(f"learns from {len(images)} photos by {arguments.model} with {source}")
    options = {"style_layers": names_of(arguments.style_layers), "style_weight": arguments.style_weight, "size": arguments.patch}
    started = time.perf_counter()
    losses = train_fast_style(
        transformer, network, style, list(images.values()), steps=arguments.steps, rate=arguments.lr, seed=arguments.seed, **options
    )
    seconds = time.perf_counter() - started
    pace = 1000 * seconds / len(losses)
    console.say(f"{len(losses)} steps in {seconds:.1f} s, {pace:.0f} ms a step; loss {losses[0]['total']:.4g} to {losses[-1]['total']:.4g}")
    return transformer, losses, seconds


def load_transformer(path: Path) -> Any:
    """A transformation network with the weights in a file; its width and blocks are told by them."""
    from ..models import fast_style, load_weights
    from ..weights import load

    state = load(path)
    first = state.get("conv1.conv2d.weight")
    if first is None or first.ndim != 4:
        raise CheckpointError(f"{path} holds no conv1.conv2d.weight, so it is no transformation network of fast style transfer")
    blocks = len({key.split(".")[0] for key in state if key.startswith("res")})
    transformer = fast_style(width=max(int(first.shape[0]), 1), blocks=max(blocks, 1))
    load_weights(transformer, state)
    return transformer.eval()
