"""Animations and videos: frames come back, rates and counts fit, broken and missing files are one sentence."""

import importlib.util

import numpy as np
import pytest

from tinycnn.data.video import is_video, read_video, write_video
from tinycnn.errors import ArgumentError, DataError, ShapeError

HAVE_AV = importlib.util.find_spec("av") is not None
LEVELS = (0, 60, 60, 255)


def frames(size=(20, 32)):
    return [np.full((*size, 3), level, np.uint8) for level in LEVELS]


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_animations_come_back(tmp_path, name):
    """Two equal frames that follow each other may become one that stays longer."""
    path = write_video(tmp_path / name, frames(), 10)
    video = read_video(path)
    found = [round(float(frame.mean()) / 10) * 10 for frame in video.frames]
    assert video.rate == pytest.approx(10) and found in ([0, 60, 260], [0, 60, 60, 260]) and video.count == len(found)


def test_every_and_most_choose_frames(tmp_path):
    path = write_video(tmp_path / "a.gif", [np.full((8, 8, 3), 20 * k, np.uint8) for k in range(10)], 20)
    video = read_video(path, every=3, most=3)
    assert [int(frame[0, 0, 0]) for frame in video.frames] == [0, 60, 120] and video.count == 3 and video.rate == pytest.approx(20 / 3)


def test_refusals(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        read_video(tmp_path / "no.gif")
    (tmp_path / "bad.gif").write_bytes(b"GIF89a")
    with pytest.raises(DataError, match="is a damaged animation, or none"):
        read_video(tmp_path / "bad.gif")
    with pytest.raises(ArgumentError, match="every=0 must be a whole number above 0"):
        read_video(tmp_path / "bad.gif", every=0)
    with pytest.raises(ArgumentError, match="names no video"):
        write_video(tmp_path / "a.png", frames())
    with pytest.raises(ArgumentError, match="there are no frames"):
        write_video(tmp_path / "a.gif", [])
    with pytest.raises(ShapeError, match="every frame is bytes"):
        write_video(tmp_path / "a.gif", [frames()[0], frames((8, 8))[0]])
    with pytest.raises(ArgumentError, match="rate=0 must be above 0"):
        write_video(tmp_path / "a.gif", frames(), 0)
    assert is_video("x.MKV") and not is_video("x.jpg")


@pytest.mark.skipif(HAVE_AV, reason="PyAV is installed")
def test_without_the_library_the_sentence_says_what_to_install(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"0000")
    for call in (lambda: read_video(tmp_path / "a.mp4"), lambda: write_video(tmp_path / "b.mp4", frames())):
        with pytest.raises(DataError, match=r"pip install 'tinycnn\[data\]'"):
            call()


@pytest.mark.skipif(not HAVE_AV, reason="PyAV is not installed")
def test_films_come_back(tmp_path):
    path = write_video(tmp_path / "a.mp4", [np.full((48, 64, 3), level, np.uint8) for level in LEVELS], 8)
    video = read_video(path)
    found = [int(frame.mean()) for frame in video.frames]
    assert video.rate == pytest.approx(8) and len(found) == 4 and all(abs(a - b) < 12 for a, b in zip(found, LEVELS, strict=True))
    (tmp_path / "bad.mp4").write_bytes(b"no film at all")
    with pytest.raises(DataError, match="no video that FFmpeg can read"):
        read_video(tmp_path / "bad.mp4")
