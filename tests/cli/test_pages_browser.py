"""Every kind of page at a phone's width, in one browser: nothing is wider than 360 px, nothing is fetched, no script fails."""

import html
import json
import re

import numpy as np
import pytest

from tests.cli.test_browser import browse
from tinycnn import nn
from tinycnn.study import explain, summary
from tinycnn.study.conventions import conventions
from tinycnn.study.shape import shape
from tinycnn.study.shape_page import conventions_page, flow_page, shape_page, solutions_page
from tinycnn.study.shape_stack import shape_flow
from tinycnn.study.solve import solve
from tinycnn.study.summary_page import summary_page

pytestmark = pytest.mark.browser

WATCH = "<script>window.problems = []; addEventListener('error', event => problems.push(event.message));</script>"
PROBE = """
<script>
addEventListener("load", () => {
  document.title = JSON.stringify([...document.querySelectorAll("iframe")].map(frame => {
    const inside = frame.contentWindow;
    return {page: frame.title, wide: inside.document.documentElement.scrollWidth, problems: inside.problems,
      text: inside.document.body.innerText.length,
      fetched: inside.performance.getEntriesByType("resource").filter(entry => !entry.name.startsWith("data:")).length};
  }));
});
</script>
"""


def test_pages_fit_a_phone(tmp_path):
    wide = np.arange(100.0, 190.0).reshape(3, 30)
    pages = {
        "explain": explain("conv2d", wide, [[1.0, 0], [0, -1]]).html(),
        "composed": explain("scaled_dot_product_attention", backward=True).html(),
        "decision": explain("nms").html(),
        "shape": shape_page(shape("conv2d", (3, 224, 224), 11, 4, filters=96)),
        "refused": shape_page(shape("conv_transpose2d", 4, 3, 2, 9)),
        "flow": flow_page(shape_flow("conv 5x5x6 p2 | maxpool 2 | conv 5x5x16 | maxpool 2 | flatten | linear 120->10", (1, 28, 28))),
        "solve": solutions_page(solve("conv", size=224, output=112, stride="?", padding="?", dilation="?")),
        "conventions": conventions_page(conventions()),
        "summary": summary_page(summary(nn.Sequential(nn.Flatten(), nn.Linear(16, 10)), (1, 4, 4))),
    }
    frames = [
        f'<iframe title="{name}" width="360" height="800" srcdoc="{html.escape(page.replace("<head>", "<head>" + WATCH, 1))}"></iframe>'
        for name, page in pages.items()
    ]
    holder = tmp_path / "pages.html"
    holder.write_text(f"<!doctype html><title></title>{''.join(frames)}{PROBE}", encoding="utf-8")
    document = browse("--dump-dom", holder.as_uri(), profile=tmp_path / "profile").stdout
    seen = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", document, re.DOTALL)[1]))
    assert [each["page"] for each in seen] == list(pages)
    for each in seen:
        assert each["wide"] <= 360, each
        assert each["problems"] == [] and each["fetched"] == 0, each
        assert each["text"] > 200, each
