"""The report of a run, opened in a real browser."""

import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars"
).split()


def browse(*arguments, profile):
    """Run headless Chromium once."""
    command = [shutil.which("chromium") or "chromium", *FLAGS, f"--user-data-dir={profile}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def test_the_report_shows_its_pictures(trained_run, tmp_path):
    page = (trained_run / "report.html").as_uri()
    document = browse("--dump-dom", page, profile=tmp_path / "one").stdout
    assert document.count("<img") >= 4
    screenshot = tmp_path / "report.png"
    browse(f"--screenshot={screenshot}", "--window-size=1200,3000", page, profile=tmp_path / "two")
    pixels = np.asarray(Image.open(screenshot).convert("L"), np.float64)
    assert pixels.shape == (3000, 1200)
    # Text and pictures from top to bottom: every fifth of the page has some of both light and dark.
    for part in np.array_split(pixels, 5):
        assert part.std() > 5
