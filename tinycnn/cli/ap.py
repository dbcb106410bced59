"""`tinycnn ap DETECTIONS TRUTH`: average precision by VOC's and COCO's rules, and a verdict for every detection."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, DataError, UsageError
from .common import Console
from .shape import add_result_options, finish

DESCRIPTION = """\
Average precision of detections against the truth, both as COCO's JSON: VOC 2007's 11 points, VOC 2010's area and COCO's 101 points side by
side on the same detections, COCO's summary, and for every detection a verdict with its reason: true, mislocalised, misclassified, duplicate
or background; for every missed truth, what came nearest."""
EPILOG = """\
examples:
  tinycnn ap detections.json instances.json                 boxes, COCO's rule
  tinycnn ap detections.json instances.json --rule voc07 --steps
  tinycnn ap masks.json instances.json --kind segm --html ap.html
detections: [{"image_id": 7, "category_id": 18, "bbox": [left, top, width, height], "score": 0.9}, ...], or "segmentation", or "keypoints"
"""
MOST_BYTES = 1_000_000_000


def share(text: str) -> float:
    """An argparse type: a number above 0, at most 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} must be above 0 and at most 1, such as 0.5")
    return value


def spreads(text: str) -> list[float]:
    """An argparse type: keypoint sigmas, one a keypoint."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if not values or not all(0 < value < 1e6 for value in values):
        raise argparse.ArgumentTypeError(f"{text[:60]!r} must be numbers above 0, one a keypoint, such as 0.05,0.1")
    return values


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("detections", type=Path, metavar="DETECTIONS", help="JSON list of detections with scores")
    parser.add_argument("truth", type=Path, metavar="TRUTH", help="COCO's annotation JSON")
    parser.add_argument("--rule", choices=("voc07", "voc10", "coco"), default="coco", help="of curves, steps and verdicts (default: coco)")
    parser.add_argument("--kind", choices=("bbox", "segm", "keypoints"), default="bbox", help="what must overlap (default: bbox)")
    parser.add_argument("--iou", type=share, default=0.5, metavar="X", help="the least overlap that finds (default: 0.5)")
    parser.add_argument("--background", type=share, default=0.1, metavar="X", help="below it a detection saw background (default: 0.1)")
    parser.add_argument("--plus-one", action="store_true", help="VOC's boxes one pixel wider and higher, as its own code measures")
    parser.add_argument("--sigmas", type=spreads, metavar="X,X,...", help="spreads of keypoints (default: COCO's 17)")
    parser.add_argument("--steps", action="store_true", help="show how each average precision is built")
    parser.add_argument("--all", action="store_true", help="print every verdict, not the first 40")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw precision against recall as PNG or SVG (needs matplotlib)")
    add_result_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print."""
    from ..metrics import coco_detections
    from ..study.detection_page import detection_page
    from ..study.detection_report import detection_report

    console = Console(arguments.json)
    data = coco_detections(read_json(arguments.truth), read_json(arguments.detections))
    try:
        report = detection_report(
            data, kind=arguments.kind, rule=arguments.rule, threshold=arguments.iou, background=arguments.background, plus_one=arguments.plus_one,
            sigmas=arguments.sigmas,
        )  # fmt: skip
    except ArgumentError as error:
        raise UsageError(str(error)) from error
    console.say(report.text(steps=arguments.steps, everything=arguments.all))
    if arguments.plot is not None:
        from ..plot import draw_precision_recall

        curves = {data.categories[category]: curve for category, curve in report.curves.items()}
        console.say(f"wrote {draw_precision_recall(curves, arguments.plot, arguments.rule)}")
    finish(console, arguments, report.to_dict(), detection_page(report) if arguments.html else "")
    return 0


def read_json(path: Path) -> Any:
    """The document of a file."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give a JSON file")
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path}: larger than {MOST_BYTES // 1_000_000} MB")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is no JSON ({str(error)[:80]})") from error
