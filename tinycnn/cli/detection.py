"""`tinycnn detection VIEW`: the steps of a detector, each drawn and worked out."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, ShapeError, UsageError
from .common import Console, is_run, whole_number
from .shape import add_result_options, finish

DESCRIPTION = """\
The steps of a detector, seen one at a time; --html draws them on the image and the arrow keys step.

  anchors    anchors or default boxes of a network, counted map by map, and which true boxes they cover
  matching   positive, negative and ignored anchors with their overlaps; truths that no anchor answers for, in red
  nms        non-maximum suppression box by box: who is best, whom it suppresses and by which overlap
  roialign   the sampling points of a region on a feature map, with bilinear weights
  decode     a head's numbers to a box, with the arithmetic: SSD, RetinaNet, YOLO
  heat       the best score of each cell over an image (needs --image)

What is computed once an image and what once a region has a command of its own: tinycnn region-costs."""
EPILOG = """\
examples:
  tinycnn detection anchors --network ssd300_vgg16 --truths "30 40 120 200"
  tinycnn detection anchors --sizes "32; 64; 128" --ratios "0.5 1 2" --strides "8 16 32" --size 256 --html anchors.html
  tinycnn detection matching --truths "20 20 90 90; 200 5 214 19" --iou 0.7 --low 0.3
  tinycnn detection nms --boxes "0 0 10 10; 1 1 11 11; 20 20 30 30" --scores "0.8 0.9 0.7" --iou 0.5
  tinycnn detection roialign --boxes "1 1 5 4" --bins 2x2 --sampling-ratio 2
  tinycnn detection decode --numbers "1 0.5 0 0.7" --anchor "50 50 90 120" --coder "10 10 5 5"
  tinycnn detection decode --kind yolo --numbers "0.2 -0.3 0.1 0.4 2 1" --anchor "40 60" --cell 2,3 --stride 32
  tinycnn detection nms --network runs/fasterrcnn_mini-shapes --image photo.png --gif suppression.gif
  tinycnn detection decode --network ssd300_vgg16 --weights ssd300_vgg16_coco-b556d3b4.pth --image photo.jpg
  tinycnn detection decode --kind yolo --output map.npy --anchor 81 82 135 169 344 319 --stride 32
"""
VIEWS = ("anchors", "matching", "nms", "roialign", "decode", "heat")
EXAMPLE = "10 12 110 102; 14 18 116 108; 4 30 96 118; 150 60 240 200; 158 66 246 196; 60 140 120 230"
EXAMPLE_SCORES = "0.9 0.82 0.6 0.95 0.7 0.5"
EXAMPLE_TRUTHS = "20 24 84 90; 140 60 236 220; 60 170 74 182"


def rows_of(text: str) -> list[list[float]]:
    """An argparse type: rows of numbers, with ; between the rows."""
    try:
        rows = [[float(part) for part in re.split(r"[\s,]+", row.strip())] for row in text.split(";") if row.strip()]
    except ValueError:
        rows = []
    if not rows or not all(abs(value) < 1e9 for row in rows for value in row):
        raise argparse.ArgumentTypeError(f'{text[:50]!r} must be numbers, rows apart by ;, such as "0 0 10 10; 1 1 11 11"')
    return rows


def numbers_of(text: str) -> list[float]:
    """An argparse type: one row of numbers."""
    return [value for row in rows_of(text) for value in row]


def two_sizes(text: str) -> tuple[int, int]:
    """An argparse type: 256 or 600x1000, height first."""
    try:
        values = [int(part) for part in text.split("x")]
    except ValueError:
        values = []
    if len(values) not in (1, 2) or not all(1 <= value <= 4096 for value in values):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} must be one or two whole numbers from 1 to 4096, such as 256 or 600x1000")
    return values[0], values[-1]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("view", choices=VIEWS, metavar="VIEW", help=", ".join(VIEWS))
    add_anchor_options(parser)
    parser.add_argument("--weights", metavar="FILE", help="of the network, for heat, nms and decode: .pth, .safetensors, .npz")
    parser.add_argument("--iou", type=float, default=0.5, metavar="X", help="overlap that suppresses, or makes positive (default: 0.5)")
    parser.add_argument("--low", type=float, metavar="X", help="matching: below it negative (default: --iou minus 0.1)")
    parser.add_argument("--best", action=argparse.BooleanOptionalAction, default=True, help="matching: a truth's best anchor is positive too")
    _add_other_options(parser)
    add_result_options(parser)


def add_anchor_options(parser: argparse.ArgumentParser) -> None:
    """Where anchors come from, what they are drawn on, and the files of the drawing."""
    parser.add_argument("--image", type=Path, metavar="FILE", help="a picture to draw on")
    parser.add_argument("--size", type=two_sizes, metavar="HxW", help="pixels of the image where no picture is given (default: 256)")
    parser.add_argument("--network", metavar="NAME", help="a detector or a run")
    parser.add_argument("--truths", type=rows_of, metavar="BOXES", help="true boxes as corners, in the pixels of what the network gets")
    parser.add_argument("--sizes", type=rows_of, metavar="ROWS", help="sides of anchors, a row a map (without --network)")
    parser.add_argument("--ratios", type=numbers_of, metavar="X ...", help="height / width of anchors (default: 0.5 1 2)")
    parser.add_argument("--strides", type=numbers_of, metavar="N ...", help="pixels a cell of each map (default: half of each map's first side)")
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw it on the image, as a picture")
    parser.add_argument("--gif", type=Path, metavar="FILE", help="draw all steps on the image, as an animation")


def _add_other_options(parser: argparse.ArgumentParser) -> None:
    """Those of nms, roialign and decode."""
    parser.add_argument("--boxes", type=rows_of, metavar="BOXES", help="boxes of nms, or the region of roialign")
    parser.add_argument("--scores", type=numbers_of, metavar="X ...", help="one a box")
    parser.add_argument("--labels", type=numbers_of, metavar="N ...", help="classes; different ones do not suppress each other")
    parser.add_argument("--input", type=rows_of, metavar="ROWS", help="roialign: the map's numbers (default: 0 to 47, 6 x 8)")
    parser.add_argument("--bins", type=two_sizes, default=(2, 2), metavar="HxW", help="roialign: output_size (default: 2x2)")
    parser.add_argument("--spatial-scale", type=float, default=1.0, metavar="X", help="roialign: cells a pixel (default: 1)")
    parser.add_argument("--sampling-ratio", type=int, default=2, metavar="N", help="roialign: samples a bin and axis; 0: by its size (default: 2)")
    parser.add_argument("--aligned", action=argparse.BooleanOptionalAction, default=True, help="roialign: shifted by half a cell (default: yes)")
    parser.add_argument("--kind", choices=("coder", "yolo"), default="coder", help="decode: SSD, RetinaNet, R-CNN; or YOLO v2 and v3")
    parser.add_argument("--numbers", type=numbers_of, metavar="X ...", help="decode: four numbers; of YOLO t_x t_y t_w t_h t_o and one a class")
    parser.add_argument("--anchor", type=numbers_of, metavar="X ...", help="decode: the reference box; of YOLO its width and height")
    parser.add_argument("--coder", type=numbers_of, default=[1.0, 1.0, 1.0, 1.0], metavar="X ...", help="decode: weights, such as 10 10 5 5")
    parser.add_argument("--cell", type=numbers_of, default=[0.0, 0.0], metavar="I,J", help="decode: YOLO's row and column")
    parser.add_argument("--stride", type=float, default=32.0, metavar="N", help="decode: YOLO's pixels a cell (default: 32)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="decode: YOLO's whole output (A (5 + classes), rows, columns) as .npy")
    parser.add_argument("--most", type=whole_number(1), metavar="N", help="decode, nms with --network: rows or boxes (default: 8, 40)")


def run(arguments: argparse.Namespace) -> int:
    """Show the view."""
    console = Console(arguments.json)
    image = _image(arguments.image)
    views = {"anchors": _anchors, "matching": _matching, "nms": _nms, "roialign": _roialign, "decode": _decode, "heat": _heat}
    try:
        view = views[arguments.view](arguments, image)
    except (ArgumentError, ShapeError) as error:
        raise UsageError(str(error)) from error
    console.say(view.text())
    write_pictures(view, arguments, console)
    finish(console, arguments, view.to_dict(), view.page() if arguments.html is not None else "")
    return 0


def write_pictures(view: Any, arguments: argparse.Namespace, console: Console) -> None:
    """The drawing as --png and --gif want it."""
    if arguments.png is None and arguments.gif is None:
        return
    from .. import plot
    from ..data.video import write_video

    try:
        if arguments.png is not None:
            plot.contact_sheet([plot.draw_scene(scene) for scene in view.scenes], columns=2).save(arguments.png)
            console.say(f"wrote {arguments.png}")
        if arguments.gif is not None:
            frames = [frame for scene in view.scenes for frame in plot.scene_frames(scene)]
            if not frames:
                raise UsageError("--gif: this view has no steps; --png draws it")
            console.say(f"wrote {write_video(arguments.gif, frames, 0.8)}")
    except (OSError, ValueError) as error:
        raise UsageError(f"--png and --gif: {getattr(error, 'strerror', None) or error}; name a .png and a .gif in a folder that exists") from error


def _image(path: Path | None) -> Any:
    """The picture (3, H, W) from 0 to 1."""
    import numpy as np

    if path is None:
        return None
    from .predict import read_image

    pixels = np.asarray(read_image(path).convert("RGB"), np.float32) / np.float32(255)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _laid(arguments: argparse.Namespace, image: Any) -> tuple[Any, Any]:
    """The anchors, and the image in their pixels."""
    import numpy as np

    from ..models.detection import AnchorGenerator
    from ..study.detection.anchors import detector_anchors, lay, seen_image

    if arguments.network is not None:
        detector = _detector(arguments.network, None)
        if image is None:
            height, width = arguments.size or _made_for(arguments.network)
            image, drawn = np.zeros((3, height, width), np.float32), None
        else:
            drawn = seen_image(detector, image)
        return detector_anchors(detector, image), drawn
    sizes = arguments.sizes or [[32.0], [64.0], [128.0]]
    strides = arguments.strides or [max(1.0, row[0] / 2) for row in sizes]
    if len(strides) != len(sizes) or min(strides) < 1:
        raise UsageError(f"--strides: {len(strides)} strides for {len(sizes)} rows of --sizes; give one stride of 1 or more a row")
    height, width = (int(side) for side in np.shape(image)[-2:]) if image is not None else arguments.size or (256, 256)
    generator = AnchorGenerator(sizes, [arguments.ratios or [0.5, 1.0, 2.0]] * len(sizes))
    maps = [(-(-height // round(stride)), -(-width // round(stride))) for stride in strides]
    return lay(generator, (height, width), maps), image


def _made_for(network: str) -> tuple[int, int]:
    from ..models.registry import input_size

    if is_run(Path(network)):
        from ..train import load_checkpoint

        network = load_checkpoint(network).run_info.get("model", "")
    _, height, width = input_size(network)
    return height, width


def _detector(name: str, weights: str | None) -> Any:
    """A detector by name; without weights all zero, which is enough for its anchors."""
    from ..models import get_model, list_models, load_weights
    from ..nn.utils import skip_init
    from ..weights import load
    from .main import nearest

    if is_run(Path(name)):
        from .detect import restore_detector

        return restore_detector(Path(name))[0]
    known = list_models("detection")
    if name not in known:
        raise UsageError(f"--network: there is no detector {name!r}{nearest(name, known)}; there are {', '.join(known)}")
    model = skip_init(get_model, name)
    if weights is not None:
        load_weights(model, load(weights))
    else:
        for value in model.state_dict().values():
            value.data[...] = 0
    return model.eval()


def _anchors(arguments: argparse.Namespace, image: Any) -> Any:
    from ..study.detection import anchor_view

    laid, drawn = _laid(arguments, image)
    title = f"Anchors of {arguments.network}" if arguments.network else "Anchors"
    return anchor_view(laid, arguments.truths or (), image=drawn, title=title)


def _matching(arguments: argparse.Namespace, image: Any) -> Any:
    from ..models.detection import Matcher, SSDMatcher
    from ..study.detection import matching_view

    laid, drawn = _laid(arguments, image)
    low = arguments.low if arguments.low is not None else max(0.0, arguments.iou - 0.1)
    if not 0 <= low <= arguments.iou <= 1:
        raise UsageError(f"--low {low:g} and --iou {arguments.iou:g}: wants 0 <= low <= iou <= 1")
    ssd = arguments.network is not None and arguments.network.startswith("ssd")
    matcher = SSDMatcher(arguments.iou) if ssd else Matcher(arguments.iou, low, arguments.best)
    return matching_view(laid, arguments.truths or rows_of(EXAMPLE_TRUTHS), matcher, image=drawn)


def _nms(arguments: argparse.Namespace, image: Any) -> Any:
    from ..study.detection import network_nms_view, nms_view

    if arguments.network is not None:
        return network_nms_view(*_asked(arguments, image, "nms"), arguments.iou, arguments.most or 40)
    boxes = arguments.boxes or rows_of(EXAMPLE)
    scores = arguments.scores or (numbers_of(EXAMPLE_SCORES) if arguments.boxes is None else None)
    if scores is None:
        raise UsageError("--scores: give one score for each of --boxes")
    return nms_view(boxes, scores, arguments.iou, arguments.labels, image=image)


def _roialign(arguments: argparse.Namespace, image: Any) -> Any:
    import numpy as np

    from ..study.detection import roi_align_view

    rows = arguments.input or np.arange(48.0).reshape(6, 8).tolist()
    if len({len(row) for row in rows}) != 1:
        raise UsageError("--input: all rows must have the same length")
    box = arguments.boxes[0] if arguments.boxes else [1.0, 0.6, 6.4, 4.8]
    return roi_align_view(rows, box, arguments.bins, arguments.spatial_scale, arguments.sampling_ratio, arguments.aligned)


def _decode(arguments: argparse.Namespace, image: Any) -> Any:
    import numpy as np

    from ..study.detection import decode_view, decode_yolo, network_decode_view

    if arguments.network is not None:
        return network_decode_view(*_asked(arguments, image, "decode"), arguments.most or 8)
    if arguments.output is not None:
        if arguments.anchor is None or len(arguments.anchor) % 2:
            raise UsageError("--output: give the anchors of this map too, --anchor W H W H ..., in pixels")
        pairs = np.reshape(arguments.anchor, (-1, 2))
        return decode_yolo(_array(arguments.output), pairs, arguments.stride, image=image, most=arguments.most or 8)
    if arguments.kind == "coder":
        numbers, anchor = arguments.numbers or [1.0, 0.5, -0.2, 0.7], arguments.anchor or [50.0, 50.0, 90.0, 120.0]
        return decode_view([numbers], [anchor], weights=arguments.coder, image=image)
    said, cell = arguments.numbers or [0.2, -0.3, 0.1, 0.4, 2.0, 1.0], [int(value) for value in arguments.cell]
    if len(cell) != 2 or not all(0 <= value < 200 for value in cell) or len(said) < 6:
        raise UsageError("--cell wants a row and a column such as 2,3, and --numbers t_x t_y t_w t_h t_o and one a class")
    output = np.full((len(said), cell[0] + 2, cell[1] + 2), -20.0)
    output[:, cell[0], cell[1]] = said
    return decode_yolo(output, [arguments.anchor or [40.0, 60.0]], arguments.stride, threshold=1e-4, image=image)


def _heat(arguments: argparse.Namespace, image: Any) -> Any:
    from ..study.detection import heat_view

    return heat_view(*_asked(arguments, image, "heat"))


def _asked(arguments: argparse.Namespace, image: Any, view: str) -> tuple[Any, Any]:
    """A trained detector and the image that it is asked about."""
    trained = arguments.network is not None and (arguments.weights is not None or is_run(Path(arguments.network)))
    if image is None or not trained:
        raise UsageError(f"{view}: give --image FILE, and --network NAME with --weights FILE, or a run as --network; untrained weights say nothing")
    return _detector(arguments.network, arguments.weights), image


def _array(path: Path) -> Any:
    """The numbers of a .npy file, which can run nothing."""
    import numpy as np

    from ..errors import DataError

    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path}: {getattr(error, 'strerror', None) or 'is no .npy file of numbers'}") from error
