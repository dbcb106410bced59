"""The drawing of a graph: nothing overlaps, nothing is lost, every format is well formed."""

import itertools
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from tests.study.small_networks import Branches, Gate, ResidualBlock
from tinycnn import nn
from tinycnn.study import summary
from tinycnn.study.drawing import HEIGHT, WIDTH, Arrow, Box, Drawing, dot, drawing_of, svg, tikz
from tinycnn.study.graph_layout import layered_layout
from tinycnn.study.summary_page import summary_page


@pytest.fixture(scope="module")
def network():
    return summary(nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), ResidualBlock(3), Gate(), nn.Conv2d(4, 3, 1), Branches()), (3, 8, 8), name="a_<b>&c")


def test_boxes_do_not_overlap_and_edges_go_down(network):
    drawing = drawing_of(network)
    places = drawing.layout.places
    for first, second in itertools.combinations(places, 2):
        (x0, y0), (x1, y1) = places[first], places[second]
        assert abs(x0 - x1) >= WIDTH or abs(y0 - y1) >= HEIGHT
    for arrow in drawing.arrows:
        assert places[arrow.start][1] < places[arrow.end][1]
    assert all(WIDTH / 2 <= x <= drawing.layout.width - WIDTH / 2 + 1e-9 for x, _ in places.values())


def test_lines_pass_boxes_at_a_distance():
    """An edge over several layers bends around what lies between."""
    chain = [(number, number + 1) for number in range(5)]
    layout = layered_layout(list(range(6)), [*chain, (0, 5)], 100, 40)
    bends = layout.bends[0, 5]
    assert len(bends) == 4
    for (x, y), number in zip(bends, range(1, 5), strict=True):
        assert y == layout.places[number][1]
        assert abs(x - layout.places[number][0]) >= 50


def test_crossings_are_taken_apart():
    """Two pairs given crosswise come out side by side."""
    layout = layered_layout([0, 1, 2, 3], [(0, 3), (1, 2)], 50, 20)
    places = layout.places
    assert (places[0][0] - places[1][0]) * (places[3][0] - places[2][0]) > 0


def test_an_empty_graph_and_a_single_node():
    assert layered_layout([0], [], 50, 20).places == {0: (25.0, 10.0)}
    assert svg(Drawing("nothing", (), ())).startswith("<svg")


def test_svg_has_every_node_cost_and_shape(network):
    tree = ElementTree.fromstring(svg(drawing_of(network)))
    space = "{http://www.w3.org/2000/svg}"
    assert len(list(tree.iter(f"{space}rect"))) == len(network.rows) + 1
    words = " ".join(text.text or "" for text in tree.iter(f"{space}text"))
    for expected in ("conv2d 3x3", "84 params", "field 3", "3x8x8", "cat"):
        assert expected in words
    assert tree.find(f"{space}title").text == "a_<b>&c"


def test_dot_and_tikz_have_the_same_nodes_and_edges(network):
    drawing = drawing_of(network)
    text = dot(drawing)
    assert text.count("->") == len(drawing.arrows)
    assert len(re.findall(r"^  \w+ \[label=", text, re.M)) == len(drawing.boxes)
    text = tikz(drawing)
    assert text.count(r"\node[box") == len(drawing.boxes)
    assert text.count(r"\draw[->") == len(drawing.arrows)
    assert text.count("{") == text.count("}")


def test_names_are_escaped_everywhere():
    drawing = Drawing('q"\\', (Box(0, "other", ("a_b&<c>", '"x\\y"'), "<t>"), Box(1, "other", ("100%",), "")), (Arrow(0, 1, "1x2"),))
    assert r'"q\"\\"' in dot(drawing)
    assert r"a\_b\&<c>" in tikz(drawing)
    assert r"100\%" in tikz(drawing)
    ElementTree.fromstring(svg(drawing))


def test_the_page_is_whole_offline_and_tells_no_lie(network):
    page = summary_page(network)
    assert "a_&lt;b&gt;&amp;c" in page
    assert "<b>&c" not in page.split("<script")[0]
    for fetch in ("src=", "href=", "@import", "url(http"):
        assert fetch not in page.replace('href="data:,"', "")
    data = json.loads(re.search(r'id="summary">(.*?)</script>', page, re.S).group(1))
    assert data["parameters"] == network.parameters
    assert page.count("<tr data-row=") == len(network.rows)
