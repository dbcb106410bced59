"""`tinycnn data check` and `tinycnn data convert`: what in annotations will silently break, and what another format cannot hold."""

import argparse
from collections import Counter
from dataclasses import asdict
from typing import Any

from ..errors import DataError, UsageError
from .common import Console, table

ORDER = {"error": "ERROR", "warning": "warning", "note": "note"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of both."""
    parser.add_argument("out", nargs="?", metavar="OUT", help="for convert: the folder, or file, that is written")
    parser.add_argument("--to", metavar="FORMAT", help="for convert: coco, voc, yolo, labelme, via, via-csv or labelbox")
    parser.add_argument("--form", metavar="FORMAT", help="for check and convert: the format that is read, where a folder holds several")
    parser.add_argument("--images", metavar="FOLDER", help="for check and convert: where the pictures are (default: beside the annotations)")
    parser.add_argument("--zero-based", action="store_true", help="for check and convert: VOC's XML counts pixels from 0, in continuous pixels")


def check(arguments: argparse.Namespace) -> int:
    """Print the findings; that one is an error is a failure."""
    from ..data.annotations.check import LEVELS, check_annotations, picture_folder

    console = Console(arguments.json)
    splits = _read(arguments)
    findings = check_annotations(splits, picture_folder(arguments.data, arguments.images))
    _overview(console, splits)
    for finding in findings:
        console.say(f"{ORDER[finding.level]:<8} {finding.rule}: {finding.sentence}")
        for case in finding.examples:
            console.say(f"         {case[:160]}")
    counted = Counter(finding.level for finding in findings)
    console.say(", ".join(f"{counted[level]} {level}{'s' if counted[level] != 1 else ''}" for level in LEVELS))
    console.result({"form": next(iter(splits.values())).form, "counts": counted, "findings": [asdict(finding) for finding in findings]})
    if counted["error"]:
        raise DataError(f"{arguments.data}: {counted['error']} of the findings are errors: training or evaluation will be wrong")
    return 0


def convert(arguments: argparse.Namespace) -> int:
    """Write the other format and tell what is lost."""
    from ..data.annotations.convert import TARGETS, losses, write_annotations
    from ..data.annotations.reading import read_annotations
    from .main import nearest

    if arguments.to not in TARGETS:
        offer = nearest(arguments.to, TARGETS) if arguments.to else ""
        raise UsageError(f"data convert: give --to FORMAT{offer}; there are {', '.join(TARGETS)}")
    if arguments.out is None:
        raise UsageError("data convert: say where to write: tinycnn data convert IN OUT --to FORMAT")
    console = Console(arguments.json)
    annotations = read_annotations(arguments.data, _form(arguments), one_based=not arguments.zero_based, images=arguments.images)
    lost = losses(annotations, arguments.to)
    written = write_annotations(annotations, arguments.to, arguments.out, one_based=not arguments.zero_based)
    things = sum(len(picture.things) for picture in annotations.pictures)
    place = written[0] if len(written) == 1 else f"{len(written):,} files in {arguments.out}"
    console.say(f"{annotations.form} to {arguments.to}: {len(annotations.pictures):,} pictures, {things:,} things, written to {place}")
    for note in annotations.notes:
        console.say(f"note: {note}")
    console.say("\n".join(f"lost: {sentence}" for sentence in lost) if lost else "nothing is lost")
    console.result({"form": annotations.form, "to": arguments.to, "pictures": len(annotations.pictures), "things": things, "lost": lost})
    return 0


def _form(arguments: argparse.Namespace) -> str | None:
    from ..data.annotations.reading import FORMS
    from .main import nearest

    if arguments.form is not None and arguments.form not in FORMS:
        offer = nearest(arguments.form, list(FORMS))
        raise UsageError(f"data {arguments.action}: there is no format {arguments.form!r}{offer}; there are {', '.join(FORMS)}")
    return arguments.form


def _read(arguments: argparse.Namespace) -> dict[str, Any]:
    from ..data.annotations.reading import read_splits

    return read_splits(arguments.data, _form(arguments), one_based=not arguments.zero_based, images=arguments.images)


def _overview(console: Console, splits: dict[str, Any]) -> None:
    """Pictures and things of each split, and the classes with ids, labels and counts."""
    for name, annotations in splits.items():
        things = sum(len(picture.things) for picture in annotations.pictures)
        of = "" if name == "all" else f", {name}"
        console.say(f"{annotations.form}{of}: {len(annotations.pictures):,} pictures, {things:,} things, {len(annotations.categories)} classes")
    first = next(iter(splits.values()))
    counts = [Counter(thing.category for _, thing in annotations.things()) for annotations in splits.values()]
    labels = first.labels()
    rows = [
        [category.name[:40], str(category.id)[:20], str(labels[category.id]), *(f"{count[category.id]:,}" for count in counts)]
        for category in first.categories
    ]
    heads = ["things"] if len(counts) == 1 else list(splits)
    console.say("\n" + table(["class", "id", "label", *heads], rows[:100]) + "\n")
