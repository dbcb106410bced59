"""`tinycnn detect IMAGE|FOLDER|VIDEO`: what a detector finds, drawn on the pictures or on every frame."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CheckpointError, DataError, UsageError
from .common import RUNS, Console, add_machine_options, find_run, use_threads, whole_number
from .main import nearest

DESCRIPTION = """\
Find objects on pictures, in all pictures of a folder, or on the frames of a video, draw boxes (masks, keypoints) and say how fast it went.
The detector is a run of `tinycnn train`, a network by name with a file of weights, or Darknet's .cfg with its .weights. Animated GIFs are
always read and written; other videos need the optional PyAV (pip install 'tinycnn[data]')."""
EPILOG = """\
examples:
  tinycnn detect photo.jpg --model runs/fasterrcnn_mini-shapes
  tinycnn detect photos/ --model fasterrcnn_resnet50_fpn --weights fasterrcnn_resnet50_fpn_coco-258fb6c6.pth --out found/
  tinycnn detect street.mp4 --model ssd300_vgg16 --weights ssd300_vgg16_coco-b556d3b4.pth --out street.gif --every 3
  tinycnn detect *.jpg --model yolo-fastest-1.1.cfg --weights yolo-fastest-1.1.weights --classes coco.names
"""
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
# COCO's 80 classes by the numbers of its 91 places, which torchvision's detectors answer with.
COCO_NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,,stop sign,parking meter,bench,bird,cat,dog,horse,"
    "sheep,cow,elephant,bear,zebra,giraffe,,backpack,umbrella,,,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,"
    "baseball glove,skateboard,surfboard,tennis racket,bottle,,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,"
    "hot dog,pizza,donut,cake,chair,couch,potted plant,bed,,dining table,,,toilet,,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,"
    "toaster,sink,refrigerator,,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
).split(",")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from .ap import share

    parser.add_argument("inputs", nargs="+", metavar="IMAGE|FOLDER|VIDEO", help="pictures, folders of pictures, or one video")
    parser.add_argument("--model", metavar="RUN|NAME|CFG", help="a run, a network's name, or Darknet's .cfg (default: the newest run)")
    parser.add_argument("--weights", metavar="FILE", help="weights of the named network: .pth, .safetensors, .npz, .weights")
    parser.add_argument("--classes", metavar="FILE", help="names of classes 1, 2 ..., one a line (default: the run's, or COCO's)")
    parser.add_argument("--threshold", type=share, default=0.5, metavar="X", help="the least score that counts (default: 0.5)")
    parser.add_argument("--out", type=Path, metavar="FILE|FOLDER", help="the drawn picture, folder of pictures, or video (default: beside it)")
    parser.add_argument("--every", type=whole_number(1), default=1, metavar="N", help="of a video every Nth frame (default: 1)")
    parser.add_argument("--frames", type=whole_number(1), metavar="N", help="of a video at most N frames")
    parser.add_argument("--batch-size", type=whole_number(1), default=1, metavar="N", help="pictures at a time (default: 1)")
    parser.add_argument("--no-pictures", action="store_true", help="draw nothing")
    add_machine_options(parser)


@dataclass(frozen=True)
class Loaded:
    """A detector ready to be asked."""

    model: Any
    names: dict[int, str]
    words: str  # what it is and where from


def run(arguments: argparse.Namespace) -> int:
    """Detect, draw, print."""
    from ..data.video import is_video

    console = Console(arguments.json)
    paths = [path for text in arguments.inputs for path in _files(Path(text))]
    videos = [path for path in paths if is_video(path) and _moves(path)]
    if videos and len(paths) > 1:
        raise UsageError(f"detect: {videos[0]} is a video; give it alone")
    if videos and arguments.out is not None and not is_video(arguments.out):
        raise UsageError(f"--out {arguments.out}: name a video, such as found.gif or found.mp4")
    use_threads(arguments.threads)
    loaded = load_detector(arguments.model, arguments.weights, arguments.classes)
    console.say(loaded.words)
    if videos:
        return _video(videos[0], loaded, arguments, console)
    return _pictures(paths, loaded, arguments, console)


def _files(path: Path) -> list[Path]:
    """The file, or the pictures of a folder by name."""
    if path.is_dir():
        found = sorted(each for each in path.iterdir() if each.suffix.lower() in (*PICTURES, ".gif"))
        if not found:
            raise DataError(f"{path}: there are no pictures in the folder; their names end in {', '.join(PICTURES)}")
        return found
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    return [path]


def _moves(path: Path) -> bool:
    """Whether it has more than one frame; what Pillow does not know is a video."""
    from PIL import Image

    from ..data.video import ANIMATIONS

    if path.suffix.lower() not in ANIMATIONS:
        return True
    try:
        with Image.open(path) as picture:
            return getattr(picture, "n_frames", 1) > 1
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise DataError(f"{path} is a damaged image: {error}") from error


# The detector


def load_detector(model: str | None, weights: str | None, classes: str | None) -> Loaded:
    """The detector of a run, of a name and a file of weights, or of Darknet's two files."""
    from ..models import list_models

    if model is not None and model.endswith(".cfg"):
        return _darknet(Path(model), weights, classes)
    known = list_models("detection")
    if weights is not None or (model in known and not any(path.exists() for path in (Path(str(model)), RUNS / str(model)))):
        return _named(model, weights, classes, known)
    return _of_run(model, classes)


def _of_run(model: str | None, classes: str | None) -> Loaded:
    source = newest_detector() if model is None else find_run(model)
    restored, info, note = restore_detector(source)
    words = f"{info['model']} from {source}" + (f"\nnote: {note}" if note else "")
    return Loaded(restored, dict(enumerate(_read_names(classes) if classes else info["classes"], start=1)), words)


def newest_detector() -> Path:
    """The newest run that is a detector's."""
    from ..train import load_checkpoint
    from .common import known_runs

    for folder in known_runs():
        try:
            if load_checkpoint(folder).run_info.get("task") == "detection":
                return folder
        except CheckpointError:
            continue
    raise DataError("there is no trained detector under runs/ yet; `tinycnn train fasterrcnn_mini --data shapes --minutes 15` makes one")


def restore_detector(source: Path) -> tuple[Any, dict[str, Any], str | None]:
    """The detector that a checkpoint holds, what it says of itself, and a sentence when the newest file could not be read."""
    from ..models import get_model
    from ..nn.utils import skip_init
    from ..tensor import Tensor
    from ..train import load_checkpoint

    found = load_checkpoint(source)
    info = found.run_info
    if info.get("task") != "detection":
        raise UsageError(f"{source} classifies and does not detect; `tinycnn predict IMAGE --model {source}` asks it")
    try:
        options = {name: tuple(value) if isinstance(value, list) else value for name, value in info["model_options"].items()}
        model = skip_init(get_model, info["model"], **options)
    except KeyError as error:
        raise CheckpointError(f"{source} does not say its {error.args[0]}; only a checkpoint that `tinycnn train` wrote can be used here") from error
    model.load_state_dict({name: Tensor(array) for name, array in found.model.items()})
    return model.eval(), info, found.note


def _named(model: str | None, weights: str | None, classes: str | None, known: list[str]) -> Loaded:
    from ..models import get_model, load_weights
    from ..nn.utils import skip_init
    from ..weights import load

    if model is None:
        raise UsageError("--weights goes with the network it belongs to: --model fasterrcnn_resnet50_fpn")
    if model not in known:
        raise UsageError(f"--model: there is no detector {model!r}{nearest(model, known)}; there are {', '.join(known)}")
    if weights is None:
        raise UsageError(f"--model {model}: name its weights with --weights FILE; weights that learned nothing find nothing")
    arrays = load(weights)
    detector = skip_init(get_model, model)
    load_weights(detector, arrays)
    names = _read_names(classes) if classes else COCO_NAMES
    return Loaded(detector.eval(), dict(enumerate(names, start=1)), f"{model} with {weights}")


def _darknet(cfg: Path, weights: str | None, classes: str | None) -> Loaded:
    from ..models.detection import darknet_detector

    if weights is None:
        raise UsageError(f"--model {cfg}: name its weights with --weights FILE")
    return Loaded(darknet_detector(cfg, weights).eval(), dict(enumerate(_read_names(classes) if classes else [], start=1)), f"{cfg} with {weights}")


def _read_names(path: str) -> list[str]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"--classes {path}: is no text ({error.reason})") from error
    return [line.strip() for line in lines if line.strip()]


# Pictures


def _pictures(paths: Sequence[Path], loaded: Loaded, arguments: argparse.Namespace, console: Console) -> int:
    from .predict import read_image

    answers: list[dict[str, Any]] = []
    spent: list[tuple[float, int]] = []  # seconds and pictures of each batch
    for start in range(0, len(paths), arguments.batch_size):
        names = paths[start : start + arguments.batch_size]
        images = [read_image(path).convert("RGB") for path in names]
        found, seconds = ask(loaded.model, [np.asarray(image) for image in images])
        spent.append((seconds, len(names)))
        for path, image, one in zip(names, images, found, strict=True):
            kept = listed(one, loaded.names, arguments.threshold)
            target = None if arguments.no_pictures else _target(path, arguments.out, len(paths))
            if target is not None:
                _save(drawn(image, one, loaded.names, arguments.threshold), target)
            words = ", ".join(f"{each['name']} {each['score']:.2f}" for each in kept[:12]) or f"nothing with a score of {arguments.threshold:g}"
            more = f" and {len(kept) - 12} more" if len(kept) > 12 else ""
            console.say(f"{path}: {words}{more}" + (f"  -> {target}" if target is not None else ""))
            answers.append({"image": path, "detections": kept, "picture": target})
    # The first batch may compile kernels.
    steady = spent[1:] or spent
    each = sum(seconds for seconds, _ in steady) / sum(count for _, count in steady)
    after = " after the first" if len(spent) > 1 else ", kernels compiled where need be"
    console.say(f"{len(paths)} pictures, {1000 * each:.1f} ms each, {1 / max(each, 1e-9):.2f} a second, without drawing{after}")
    seconds = sum(seconds for seconds, _ in spent)
    console.result({"model": loaded.words, "threshold": arguments.threshold, "seconds": seconds, "images": answers})
    return 0


def ask(model: Any, pictures: Sequence[np.ndarray]) -> tuple[list[dict[str, np.ndarray]], float]:
    """What the detector says of pictures (H, W, 3) of bytes, and the seconds it took."""
    from ..autograd import no_grad

    images = [np.ascontiguousarray(picture.transpose(2, 0, 1), dtype=np.float32) / np.float32(255) for picture in pictures]
    began = time.perf_counter()
    with no_grad():
        output = model(images)
    seconds = time.perf_counter() - began
    return [{name: np.asarray(value.data) for name, value in one.items()} for one in output], seconds


def listed(found: dict[str, np.ndarray], names: dict[int, str], threshold: float) -> list[dict[str, Any]]:
    """The detections of one picture as plain values, best first."""
    rows = []
    for place in np.flatnonzero(found["scores"] >= threshold).tolist():
        label = int(found["labels"][place])
        row = {
            "name": names.get(label) or f"class {label}",
            "label": label,
            "score": round(float(found["scores"][place]), 6),
            "box": [round(float(value), 3) for value in found["boxes"][place]],
        }
        if "keypoints" in found:
            row["keypoints"] = found["keypoints"][place].round(3).tolist()
        rows.append(row)
    return rows


def drawn(picture: Any, found: dict[str, np.ndarray], names: dict[int, str], threshold: float) -> Any:
    """The picture with what was found over it."""
    from ..plot import draw_detections

    return draw_detections(picture, found, {label: name for label, name in names.items() if name}, threshold=threshold)


def _target(path: Path, out: Path | None, count: int) -> Path:
    """Where the drawn picture goes; never over the picture itself."""
    name = f"{path.stem}_found.png"
    if out is None:
        return path.with_name(name)
    if count > 1 or out.is_dir() or not out.suffix:
        out.mkdir(parents=True, exist_ok=True)
        return out / name
    if out.resolve() == path.resolve():
        raise UsageError(f"--out {out}: is the picture itself; name another file")
    return out


def _save(picture: Any, path: Path) -> None:
    try:
        picture.save(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"--out {path}: {getattr(error, 'strerror', None) or error}; name a .png or .jpg file in a folder that exists") from error


# Videos


def _video(path: Path, loaded: Loaded, arguments: argparse.Namespace, console: Console) -> int:
    from ..data.video import ANIMATIONS, read_video, write_video

    video = read_video(path, every=arguments.every, most=arguments.frames)
    suffix = path.suffix if path.suffix.lower() in ANIMATIONS else ".gif"
    target = None if arguments.no_pictures else arguments.out or path.with_name(f"{path.stem}_found{suffix}")
    if target is not None and target.resolve() == path.resolve():
        raise UsageError(f"--out {target}: is the video itself; name another file")
    rows: list[dict[str, Any]] = []
    spent: list[float] = []

    def annotated() -> Iterator[np.ndarray]:
        for number, frame in enumerate(video.frames):
            (found,), seconds = ask(loaded.model, [frame])
            spent.append(seconds)
            kept = listed(found, loaded.names, arguments.threshold)
            rows.append({"frame": number * arguments.every, "detections": kept})
            yield np.asarray(drawn(frame, found, loaded.names, arguments.threshold)) if target is not None else frame

    began = time.perf_counter()
    if target is not None:
        write_video(target, annotated(), video.rate)
    else:
        for _ in annotated():
            pass
    seconds = time.perf_counter() - began
    rate = len(spent) / max(sum(spent), 1e-9)
    counts: dict[str, int] = {}
    for row in rows:
        for each in row["detections"]:
            counts[each["name"]] = counts.get(each["name"], 0) + 1
    words = ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: -item[1])) or "nothing"
    console.say(f"{path}: {len(spent)} frames at {video.rate:.4g} a second; found in all: {words}")
    # The first frame may compile kernels.
    steady = spent[1:] or spent
    console.say(
        f"detecting: {rate:.2f} frames a second, {1000 * sum(steady) / max(len(steady), 1):.1f} ms a frame after the first; with reading, drawing "
        f"and writing {len(spent) / max(seconds, 1e-9):.2f}" + (f"\nwrote {target}" if target is not None else "")
    )
    console.result(
        {"model": loaded.words, "video": path, "rate": video.rate, "frames": rows, "detecting_fps": rate, "fps": len(spent) / max(seconds, 1e-9),
         "written": target}
    )  # fmt: skip
    return 0
