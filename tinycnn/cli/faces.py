"""`tinycnn faces train|evaluate|enrol|verify|identify`: metric learning on faces or characters, and a gallery of people."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from .common import (
    Console,
    add_machine_options,
    check_action,
    find_run,
    known_runs,
    new_run_folder,
    positive_number,
    table,
    use_threads,
    whole_number,
)
from .main import nearest

DESCRIPTION = """\
Tell people apart by the distance of vectors, not by a class each: somebody is added by one picture, and nothing is trained again.

  train DATA              train on most of the people; the others test it
  evaluate DATA           strangers only: ROC, EER, TAR at FAR, n-way k-shot, people added, map and hardest pairs (--html)
  enrol NAME PICTURE...   add a person, or pictures of one, to a gallery
  verify NAME PICTURE     does the picture show that person?
  identify PICTURE...     whom does each picture show?

DATA is a folder with a folder of pictures for each person, such as the ORL faces, or Omniglot's folder or archive."""
EPILOG = """\
examples:
  tinycnn faces train ../shared/data/orl_faces --loss arcface
  tinycnn faces evaluate ../shared/data/orl_faces --html faces.html
  tinycnn faces enrol Ada ../shared/data/orl_faces/s31/1.pgm && tinycnn faces verify Ada ../shared/data/orl_faces/s31/2.pgm
  tinycnn faces train ../shared/data/omniglot/images_background_small1.zip --model conv4 --loss triplet --epochs 20
"""
ACTIONS = ("train", "evaluate", "enrol", "verify", "identify")
GALLERY = Path("people.npz")
FACE_SIZE = (56, 46)
CHARACTER_SIZE = 28
MAX_ASKED = 1000  # pictures of one command


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", metavar="ACTION", help=", ".join(ACTIONS))
    parser.add_argument("words", nargs="*", metavar="DATA|NAME|PICTURE", help="what the action asks for")
    parser.add_argument("--run", metavar="RUN", help="folder or name of a run (default: runs/faces-*, the newest)")
    parser.add_argument("--gallery", type=Path, default=GALLERY, metavar="FILE", help=f"the enrolled people (default: {GALLERY})")
    parser.add_argument("--threshold", type=float, metavar="X", help="enrol: cosine from which two pictures are one person (default: the run's)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="train: where the run is kept")
    parser.add_argument("--html", type=Path, metavar="FILE", help="train, evaluate: the evaluation as one page")
    parser.add_argument("--model", metavar="NAME", help="train: small_face or conv4 (default: small_face; for characters conv4)")
    parser.add_argument("--loss", metavar="NAME", help="softmax, arcface, cosface, sphereface, contrastive[-hadsell], triplet[-semi-hard|-random]")
    parser.add_argument("--margin", type=positive_number, metavar="X", help="of the loss (default: its usual one)")
    parser.add_argument("--scale", type=positive_number, metavar="S", help="s of arcface and cosface (default: 16)")
    for name, least, words in (
        ("classes", 2, "people of a batch (default: 10)"),
        ("samples", 2, "pictures of each (default: 4)"),
        ("epochs", 1, "passes over the training people (default: 40)"),
        ("shift", 0, "pixels a training picture moves at random (default: 3)"),
        ("held-out", 2, "people kept for the test (default: a quarter)"),
        ("fold", 0, "which block of people is held out, from 0 (default: the last)"),
        ("seed", 0, "decides everything random (default: 0)"),
        ("episodes", 1, "few-shot draws (default: 200)"),
    ):
        parser.add_argument(f"--{name}", type=whole_number(least), metavar="N", help=words)
    parser.add_argument("--lr", type=positive_number, metavar="X", help="Adam's rate (default: 0.001)")
    parser.add_argument("--ways", default="5,10", metavar="A,B", help="evaluate: people of an episode (default: 5,10)")
    parser.add_argument("--shots", default="1,5", metavar="A,B", help="evaluate: known pictures of each (default: 1,5)")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, evaluate, or use a gallery."""
    check_action(arguments.action, ACTIONS, "faces")
    console = Console(arguments.json)
    use_threads(arguments.threads)
    return {"train": _train, "evaluate": _evaluate, "enrol": _enrol, "verify": _verify, "identify": _identify}[arguments.action](arguments, console)


def _read_data(arguments: argparse.Namespace, size: tuple[int, int] | None = None) -> tuple[Any, bool]:
    """The people, and whether they are characters."""
    from ..data.people import read_omniglot, read_people

    if len(arguments.words) != 1:
        raise UsageError(f"faces {arguments.action}: name one folder of people, or Omniglot's folder or archive")
    place = Path(arguments.words[0])
    if not place.exists():
        raise DataError(f"{place}: there is no such folder or archive")
    characters = place.suffix == ".zip" or (place.is_dir() and any(place.glob("images_*.zip")))
    if characters and size is not None and size[0] != size[1]:
        raise UsageError(f"{place} holds square characters, but the run's pictures are {size[0]}x{size[1]}; name a run of characters by --run")
    return (read_omniglot(place, size[0] if size else CHARACTER_SIZE) if characters else read_people(place, size or FACE_SIZE)), characters


def _numbers(option: str, text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and int(part) >= 1 for part in parts):
        raise UsageError(f"{option} {text}: write whole numbers from 1 up with commas, such as 5,10")
    return [int(part) for part in parts]


def _config(arguments: argparse.Namespace, characters: bool) -> Any:
    from ..train.metric_learning import LOSSES, MetricConfig

    if arguments.loss is not None and arguments.loss not in LOSSES:
        raise UsageError(f"--loss {arguments.loss}: there is no such loss{nearest(arguments.loss, LOSSES)}; there are {', '.join(LOSSES)}")
    given = {field.name: getattr(arguments, field.name, None) for field in dataclasses.fields(MetricConfig)}
    given["learning_rate"] = arguments.lr
    if characters:
        given["model"] = given["model"] or "conv4"
        given["mirror"] = False  # a mirrored letter is another letter
    return MetricConfig(**{key: value for key, value in given.items() if value is not None}).require_sound()


def _train(arguments: argparse.Namespace, console: Console) -> int:
    from ..study.recognition_report import STRICT
    from ..train import require_writable
    from ..train.metric_learning import hold_out, save_metric_run, train_embedding

    people, characters = _read_data(arguments)
    config = _config(arguments, characters)
    learn, strangers = hold_out(people, arguments.held_out, arguments.fold)
    place = Path(arguments.words[0])
    folder = require_writable(new_run_folder(arguments.out, "faces", place.stem))
    held = f"{len(strangers)} of {len(strangers.classes)} for the test"
    console.say(f"{place.name}: {len(learn)} pictures of {len(learn.classes)} people to learn from, {held}")
    trained = train_embedding(learn, config, say=console.say)
    trained.source = place.name
    report = _report(arguments, trained, people)
    trained.threshold = report.threshold
    save_metric_run(folder, trained)
    console.say("\n" + report.text())
    console.say(f"\nkept: {folder}, with the threshold {trained.threshold:.3f} that lets in {STRICT} of the strangers' pairs")
    _write_page(arguments, report, console)
    epochs = [dataclasses.asdict(epoch) for epoch in trained.epochs]
    console.result({"folder": folder, "threshold": trained.threshold, "epochs": epochs, **report.to_dict()})
    return 0


def _report(arguments: argparse.Namespace, trained: Any, people: Any) -> Any:
    from ..study.recognition_report import recognition_report

    ways, shots = _numbers("--ways", arguments.ways), _numbers("--shots", arguments.shots)
    return recognition_report(trained, people, ways=ways, shots=shots, episodes=arguments.episodes or 200, seed=arguments.seed or 0)


def _write_page(arguments: argparse.Namespace, report: Any, console: Console) -> None:
    if arguments.html is not None:
        from ..study.recognition_page import recognition_page

        arguments.html.write_text(recognition_page(report), encoding="utf-8")
        console.say(f"\nwritten: {arguments.html}")


def _evaluate(arguments: argparse.Namespace, console: Console) -> int:
    trained = _load_run(arguments.run)
    people, _ = _read_data(arguments, trained.image_size)
    report = _report(arguments, trained, people)
    console.say(report.text())
    _write_page(arguments, report, console)
    console.result(report.to_dict())
    return 0


def _load_run(text: str | None) -> Any:
    from ..train.metric_learning import load_metric_run

    if text is not None:
        return load_metric_run(find_run(text))
    runs = [folder for folder in known_runs() if folder.name.startswith("faces-")]
    if not runs:
        raise DataError("there is no run runs/faces-* yet; `tinycnn faces train FOLDER` makes one, or name one by --run")
    return load_metric_run(runs[0])


def _vectors(trained: Any, paths: list[str]) -> Any:
    import numpy as np

    from ..data.people import read_face
    from ..train.metric_learning import embed

    if len(paths) > MAX_ASKED:
        raise UsageError(f"faces: {len(paths)} pictures; give at most {MAX_ASKED}")
    return embed(trained, np.stack([read_face(path, trained.image_size) for path in paths]))


def _require_network(gallery: Any, trained: Any, path: Path) -> None:
    from ..train.gallery import fingerprint

    if gallery.network not in ("", fingerprint(trained.model)):
        raise UsageError(f"{path}: its vectors are of another network, and cosines between two networks mean nothing; name its run by --run")


def _enrol(arguments: argparse.Namespace, console: Console) -> int:
    from ..train.gallery import Gallery, fingerprint, load_gallery, save_gallery

    if len(arguments.words) < 2:
        raise UsageError("faces enrol: give a name and one picture at least, as in `tinycnn faces enrol Ada ada.png`")
    name, *paths = arguments.words
    trained = _load_run(arguments.run)
    if arguments.gallery.exists():
        gallery = load_gallery(arguments.gallery)
        _require_network(gallery, trained, arguments.gallery)
    else:
        gallery = Gallery(network=fingerprint(trained.model))
        gallery.set_threshold(0.5 if trained.threshold is None else trained.threshold)
    if arguments.threshold is not None:
        gallery.set_threshold(arguments.threshold)
    gallery.enrol(name, _vectors(trained, paths))
    save_gallery(arguments.gallery, gallery)
    pictures = len(gallery.vectors[name])
    console.say(f"{name} is known by {pictures} picture{'s' * (pictures > 1)}; {arguments.gallery} holds {len(gallery)} people; nothing was trained")
    names = list(gallery.vectors)
    console.result({"name": name, "pictures": pictures, "people": names, "threshold": gallery.threshold, "gallery": arguments.gallery})
    return 0


def _verify(arguments: argparse.Namespace, console: Console) -> int:
    from ..train.gallery import load_gallery

    if len(arguments.words) != 2:
        raise UsageError("faces verify: give a name and a picture, as in `tinycnn faces verify Ada photo.png`")
    name, path = arguments.words
    gallery, trained = load_gallery(arguments.gallery), _load_run(arguments.run)
    _require_network(gallery, trained, arguments.gallery)
    verdict = gallery.verify(name, _vectors(trained, [path])[0])
    console.say(f"{path}: {'yes' if verdict.accepted else 'no'}, cosine {verdict.score:.3f} with {name}; accepted from {gallery.threshold:.3f} up")
    console.result({"picture": path, **dataclasses.asdict(verdict), "threshold": gallery.threshold})
    return 0


def _identify(arguments: argparse.Namespace, console: Console) -> int:
    from ..train.gallery import load_gallery

    if not arguments.words:
        raise UsageError("faces identify: give one picture at least")
    gallery, trained = load_gallery(arguments.gallery), _load_run(arguments.run)
    _require_network(gallery, trained, arguments.gallery)
    found = [gallery.identify(vector) for vector in _vectors(trained, arguments.words)]
    rows = []
    for path, ranked in zip(arguments.words, found, strict=True):
        best, second = ranked[0], ranked[1] if len(ranked) > 1 else None
        answer = best.name if best.accepted else "nobody known"
        rows.append([path, answer, f"{best.score:.3f}", best.name, "" if second is None else f"{second.name} {second.score:.3f}"])
    console.say(table(["picture", "shows", "cosine", "nearest", "then"], rows))
    answers = [[dataclasses.asdict(each) for each in ranked] for ranked in found]
    pictures = [{"picture": path, "ranked": ranked} for path, ranked in zip(arguments.words, answers, strict=True)]
    console.result({"threshold": gallery.threshold, "pictures": pictures})
    return 0
