"""The live page in a real browser, during a training: it draws, it steers, it survives the end of the run."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.train.browser_pipe import Browser
from tests.train.test_live import Training, digits
from tinycnn import models
from tinycnn.train import TrainConfig
from tinycnn.train.live import LivePage

pytestmark = pytest.mark.browser

# Where to leave pictures for somebody to look at.
SCREENSHOTS = os.environ.get("TINYCNN_SCREENSHOTS")
CONFIG = TrainConfig(epochs=4, batch_size=24, learning_rate=0.05)
INFO = {"model": "lenet5", "data": "digits", "classes": list("0123456789"), "mean": [0.1307], "std": [0.3081]}


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path / "profile")
    browser.size(1280, 900)
    yield browser
    browser.close()


def look(browser, name):
    if SCREENSHOTS:
        browser.screenshot(Path(SCREENSHOTS) / f"{name}.png")


def shot(browser, name):
    """Wide, dark, and as narrow as a telephone, where nothing may stick out."""
    look(browser, name)
    browser.colours("dark")
    look(browser, f"{name}-dark")
    browser.colours("light")
    browser.size(360, 800)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360
    look(browser, f"{name}-phone")
    browser.size(1280, 900)


def drawn(browser, selector):
    """How many of the canvases hold more than one colour."""
    return browser.evaluate(
        f"[...document.querySelectorAll({selector!r})].filter(each => each.width && each.offsetParent).map(each => new Set(new Uint32Array("
        "each.getContext('2d').getImageData(0, 0, each.width, each.height).data.buffer)).size).filter(count => count > 1).length"
    )


def test_a_training_is_watched_and_steered(browser, tmp_path):
    text = "document.getElementById('{}').textContent"
    with LivePage(port=0, paused=True) as page:
        run = Training(page, models.lenet5, digits(96), CONFIG, run_info=INFO)
        browser.open(page.url)
        browser.until(text.format("status") + " === 'paused'")
        assert browser.evaluate("document.title") == "lenet5 on digits, live"
        browser.press("s")
        browser.until("state.step === 1 && document.querySelectorAll('.layer').length === 8")
        assert browser.evaluate("[...document.querySelectorAll('#table tbody tr')].map(row => row.cells[0].textContent).join()") == (
            "conv1,pool1,conv2,pool2,flatten,fc1,fc2,fc3"
        )
        for _ in range(5):
            browser.press("s")
        browser.until("state.step === 6 && state.rows.length === 1")
        browser.until("document.getElementById('loss').dataset.points >= 7")
        assert drawn(browser, ".curves canvas") == 3 and drawn(browser, "#gallery canvas") == 12
        assert drawn(browser, "canvas.map") >= 20 and drawn(browser, "canvas.histogram") >= 15
        assert browser.evaluate("document.querySelectorAll('.finding').length") >= 1

        # The learning rate, typed; then nonsense; then given back.
        browser.evaluate("document.getElementById('input-learning_rate').focus(); document.getElementById('input-learning_rate').select()")
        browser.type("0.011")
        browser.press("Enter", "\r")
        browser.until("state.settings.learning_rate.page === 0.011 && !!document.querySelector('#set-learning_rate.held')")
        assert page._controls.overrides.values == {"learning_rate": 0.011}
        browser.evaluate("document.getElementById('input-momentum').value = ''; document.getElementById('input-momentum').focus()")
        browser.type("very much")
        browser.press("Enter", "\r")
        assert "is not a number" in browser.until(text.format("said") + ".includes('very much') && " + text.format("said"))
        browser.press("s")
        browser.until("state.step === 7")
        browser.evaluate("document.querySelector('#set-learning_rate .plan').click()")
        browser.until("state.settings.learning_rate.page === null")

        # Another image, by key; then one of one's own.
        browser.press("ArrowRight")
        browser.until("state.seen.image === 1 && document.querySelectorAll('#gallery button')[1].getAttribute('aria-pressed') === 'true'")
        picture = np.full((60, 60), 255, np.uint8)
        picture[10:50, 27:33] = 0
        Image.fromarray(picture).save(tmp_path / "one.png")
        browser.choose_file("#file", tmp_path / "one.png")
        assert "one.png: " in browser.until(text.format("said") + ".startsWith('one.png: ') && " + text.format("said"))
        browser.until("document.querySelector('#current figcaption').textContent === 'your picture'")
        assert browser.evaluate("document.querySelectorAll('#bars .answer').length") == 10
        (tmp_path / "note.txt").write_text("no picture")
        before = len(browser.problems)
        browser.choose_file("#file", tmp_path / "note.txt")
        browser.until(text.format("said") + ".includes('not a picture')")
        shot(browser, "paused")

        # Space goes on, and pauses again; then it runs to its end.
        refused = [problem for problem in browser.problems if "400" not in str(problem)]
        assert refused == [] and before <= 1  # only the two refusals asked for above
        browser.press(" ")
        result = run.finish()
        browser.until(text.format("status") + " === 'ended'")
        assert "The training has ended after 16 steps" in browser.evaluate(text.format("sentence"))
        assert browser.evaluate("document.getElementById('pause').disabled")
        shot(browser, "ended")
        assert all(url.startswith((page.url, "data:")) for url in browser.requests if url != "about:blank")
    browser.until(text.format("sentence") + ".includes('no longer served')")
    look(browser, "gone")
    assert result.learning_rates[6] == 0.011 and result.learning_rates[7] != 0.011
