"""The pages of faces and of text in a real browser: keys step, nothing fails, nothing is fetched, nothing is wider than a phone."""

import json
import re

import numpy as np
import pytest

from tests.cli.test_browser import browse
from tests.train.people import draw_people
from tests.train.test_text import SMALL, reviews
from tinycnn import study
from tinycnn.study.ngram_page import ngram_page
from tinycnn.study.ngrams import fired_ngrams
from tinycnn.study.recognition_page import recognition_page
from tinycnn.train.metric_learning import MetricConfig, hold_out, train_embedding
from tinycnn.train.text import train_text

pytestmark = pytest.mark.browser

WATCH = '<script>window.problems = []; addEventListener("error", event => problems.push(event.message));</script>'
PROBE = """
<script>
window.addEventListener("load", () => {
  const press = key => document.dispatchEvent(new KeyboardEvent("keydown", {key}));
  const seen = () => { const slider = document.querySelector("#slider"), on = document.querySelectorAll(".on").length;
    if (!slider) return on;
    return [Number(slider.value), document.querySelector("#said").textContent, document.querySelector("#cut").getAttribute("transform")]; };
  const steps = [seen()];
  for (const key of ["ArrowRight", "ArrowLeft", "ArrowLeft"]) { press(key); steps.push(seen()); }
  document.title = JSON.stringify({steps, errors: window.problems, wide: document.documentElement.scrollWidth, inner: innerWidth,
    fetched: performance.getEntriesByType("resource").filter(each => !each.name.startsWith("data:")).length});
});
</script>
"""


def probed(page, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page.replace("<head>", "<head>" + WATCH, 1).replace("</body>", PROBE + "</body>", 1))
    document = browse("--dump-dom", "--window-size=500,900", path.as_uri(), profile=tmp_path / "profile").stdout
    seen = json.loads(re.search(r"<title>(.*?)</title>", document, re.DOTALL)[1].replace("&quot;", '"'))
    assert seen["errors"] == [] and seen["fetched"] == 0 and seen["wide"] <= seen["inner"]
    return seen["steps"]


def test_the_threshold_moves(tmp_path):
    everybody = draw_people(6, 4)
    run = train_embedding(hold_out(everybody, 3)[0], MetricConfig(classes=3, samples=2, epochs=1, shift=1))
    steps = probed(recognition_page(study.recognition_report(run, everybody, ways=(3,), episodes=5)), tmp_path)
    places = [place for place, _, _ in steps]
    assert np.diff(places).tolist() == [1, -1, -1]
    assert steps[0] == steps[2] and len({said for _, said, _ in steps}) == 3 and steps[0][2] != steps[1][2]
    assert re.match(r"From a cosine of -?\d\.\d+ up two pictures count as one person", steps[0][1])


def test_the_ngrams_light_up(tmp_path):
    trained = train_text(reviews(), None, SMALL)
    steps = probed(ngram_page([fired_ngrams(trained.model, trained.vocabulary, trained.classes, "the plot of it very bad film")]), tmp_path)
    assert steps[0] == 0 and all(step >= 1 for step in steps[1:])
