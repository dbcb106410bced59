"""Frames of a video: animated GIF and WebP through Pillow; MP4, AVI, MOV, WebM and the rest through PyAV, the optional extra `data`."""

from __future__ import annotations

import importlib
import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import ArgumentError, DataError, ShapeError

__all__ = ["ANIMATIONS", "VIDEOS", "Video", "is_video", "read_video", "write_video"]

ANIMATIONS = (".gif", ".webp")
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg")
INSTALL = "pip install 'tinycnn[data]'"
MOST_PIXELS = 50_000_000  # of a frame
USUAL_RATE = 10.0  # frames a second, where a file tells none
CODEC = "mpeg4"  # every build of FFmpeg has it


@dataclass(frozen=True)
class Video:
    """The frames of a video, bytes (height, width, 3), read one after the other.

    `rate` counts frames a second; `count` is how many there are, where the file tells.
    """

    rate: float
    count: int | None
    frames: Iterator[np.ndarray]


def is_video(path: str | Path) -> bool:
    """Whether a file's name is one of moving pictures.

    Examples
    --------
    >>> is_video("street.MP4"), is_video("dance.gif"), is_video("cat.png")
    (True, True, False)
    """
    return Path(path).suffix.lower() in (*ANIMATIONS, *VIDEOS)


def read_video(path: str | Path, *, every: int = 1, most: int | None = None) -> Video:
    """Open a video.

    Parameters
    ----------
    path : str or Path
        The file.
    every : int
        Give one frame of so many; the rate falls with it.
    most : int, optional
        Stop after so many frames given.

    Returns
    -------
    Video

    Raises
    ------
    ArgumentError
        When every or most is no whole number above 0.
    DataError
        When the file cannot be read, in one sentence; for a video without PyAV, how to install it.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "blink.gif"
    >>> _ = write_video(path, [np.full((4, 6, 3), level, np.uint8) for level in (0, 250, 0)], rate=5)
    >>> video = read_video(path)
    >>> video.rate, video.count, [int(frame.max()) for frame in video.frames]
    (5.0, 3, [0, 250, 0])
    """
    source = Path(path)
    for name, value in (("every", every), ("most", 1 if most is None else most)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ArgumentError(f"read_video: {name}={value!r} must be a whole number above 0")
    if not source.is_file():
        raise DataError(f"read_video: there is no file {source}")
    video = _open_animation(source) if source.suffix.lower() in ANIMATIONS else _open_film(source)
    count = None if video.count is None else -(-video.count // every)
    if most is not None:
        count = most if count is None else min(count, most)
    return Video(video.rate / every, count, itertools.islice(video.frames, 0, None if most is None else every * (most - 1) + 1, every))


def write_video(path: str | Path, frames: Iterable[np.ndarray], rate: float = USUAL_RATE) -> Path:
    """Write frames as a video; what kind follows from the file's name.

    Parameters
    ----------
    path : str or Path
        The file, such as found.gif or found.mp4.
    frames : iterable of array
        Bytes (height, width, 3), all of one size, at least one.
    rate : float
        Frames a second.

    Raises
    ------
    ArgumentError, ShapeError, DataError
        For another kind of file, frames that do not fit, or a file that cannot be written.
    """
    target = Path(path)
    if not (math.isfinite(rate) and rate > 0):
        raise ArgumentError(f"write_video: rate={rate!r} must be above 0 frames a second")
    if not is_video(target):
        raise ArgumentError(f"write_video: {target.name} names no video; end it in {', '.join((*ANIMATIONS, *VIDEOS))}")
    checked = _of_one_size(frames)
    try:
        if target.suffix.lower() in ANIMATIONS:
            _write_animation(target, checked, rate)
        else:
            _write_film(target, checked, rate)
    except OSError as error:
        raise DataError(f"write_video: {target}: {error.strerror or error}") from error
    return target


def _of_one_size(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    first: tuple[int, ...] | None = None
    for number, frame in enumerate(frames):
        array = np.asarray(frame)
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or (first is not None and array.shape != first):
            wanted = first or "(height, width, 3)"
            raise ShapeError(f"write_video: frame {number} is {array.dtype} of shape {array.shape}; every frame is bytes {wanted}")
        first = array.shape
        yield array
    if first is None:
        raise ArgumentError("write_video: there are no frames; give at least one")


def _open_animation(path: Path) -> Video:
    try:
        with Image.open(path) as picture:
            count = getattr(picture, "n_frames", 1)
            if picture.width * picture.height > MOST_PIXELS:
                raise DataError(f"{path}: frames of {picture.width} x {picture.height} pixels are more than {MOST_PIXELS:,}")
            length = float(picture.info.get("duration", 0) or 0)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is a damaged animation, or none: {error}") from error
    return Video(1000 / length if length > 0 else USUAL_RATE, count, _animated(path))


def _animated(path: Path) -> Iterator[np.ndarray]:
    try:
        with Image.open(path) as picture:
            for number in range(getattr(picture, "n_frames", 1)):
                picture.seek(number)
                yield np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise DataError(f"{path} is damaged: {error}") from error


def _write_animation(path: Path, frames: Iterator[np.ndarray], rate: float) -> None:
    pictures = (Image.fromarray(frame) for frame in frames)
    first = next(pictures)
    kind = {".gif": "GIF", ".webp": "WEBP"}[path.suffix.lower()]
    # GIF counts in hundredths of a second. Equal frames would be merged into one that stays longer, unless nothing is optimised.
    first.save(path, format=kind, save_all=True, append_images=pictures, duration=max(20, round(1000 / rate)), loop=0, optimize=False)


def _library(path: Path) -> Any:
    try:
        return importlib.import_module("av")
    except ImportError as error:
        raise DataError(f"{path} is a video, which PyAV reads and writes: {INSTALL}; animated GIFs work without it") from error


def _open_film(path: Path) -> Video:
    av = _library(path)
    try:
        container = av.open(str(path))
        stream = next((each for each in container.streams if each.type == "video"), None)
        if stream is None:
            container.close()
            raise DataError(f"{path} holds no moving pictures")
        if stream.width * stream.height > MOST_PIXELS:
            container.close()
            raise DataError(f"{path}: frames of {stream.width} x {stream.height} pixels are more than {MOST_PIXELS:,}")
    except av.error.FFmpegError as error:
        raise DataError(f"{path} is no video that FFmpeg can read: {error}") from error
    rate = float(stream.average_rate or USUAL_RATE)
    return Video(rate, stream.frames or None, _filmed(path, av, container, stream))


def _filmed(path: Path, av: Any, container: Any, stream: Any) -> Iterator[np.ndarray]:
    try:
        with container:
            for frame in container.decode(stream):
                yield frame.to_ndarray(format="rgb24")
    except av.error.FFmpegError as error:
        raise DataError(f"{path} is damaged: {error}") from error


def _write_film(path: Path, frames: Iterator[np.ndarray], rate: float) -> None:
    av = _library(path)
    from fractions import Fraction

    try:
        with av.open(str(path), mode="w") as container:
            stream = None
            for frame in frames:
                even = frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2]  # colours are stored for 2 x 2 pixels
                if even.size == 0:
                    raise ShapeError(f"write_video: frames of {frame.shape[:2]} are too small for {path.suffix}")
                if stream is None:
                    codec = "libvpx" if path.suffix.lower() == ".webm" else CODEC
                    stream = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1000))
                    stream.height, stream.width, stream.pix_fmt = even.shape[0], even.shape[1], "yuv420p"
                    stream.bit_rate = max(1_000_000, int(4 * rate * even.shape[0] * even.shape[1] / 10))
                for packet in stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")):
                    container.mux(packet)
            if stream is not None:
                for packet in stream.encode():
                    container.mux(packet)
    except av.error.FFmpegError as error:
        raise DataError(f"write_video: {path}: {error}") from error
