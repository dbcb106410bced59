"""Animations: what the last frame shows is what the operator gives, every product is in a cell, GIFs open, and what cannot be read is refused."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from tinycnn import Tensor, functional, kernels
from tinycnn.errors import ArgumentError, DataError, ShapeError, UsageError
from tinycnn.registry import OPERATORS
from tinycnn.study import animate, overlaps
from tinycnn.study.animation import cell_text
from tinycnn.study.animation_layout import SMALLEST, layout_of, wrapped
from tinycnn.study.animation_svg import DARK, LIGHT
from tinycnn.study.shape_axis import Axis

SLIDE = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
CROSS = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
DECK = [[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]
REMEMBERED = [[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]]


def final(film, title="result"):
    """What the panels of the result show after the last frame, row by row."""
    written = film.texts_at(len(film.frames) - 1)
    return [
        [[written.get((p, i, j), panel.texts[i][j]) for j in range(panel.columns)] for i in range(panel.rows)]
        for p, panel in enumerate(film.panels)
        if panel.title.startswith(title)
    ]


def run(name, *arrays, **options):
    """The operator itself, its last two axes as texts."""
    with kernels.use("reference"):
        result = getattr(functional, name)(*(Tensor(np.asarray(a, np.float64)) for a in arrays), **options).data
    return [[[cell_text(value) for value in row] for row in plane] for plane in result.reshape(-1, *result.shape[-2:])]


def colour(image, place):
    """A pixel as a theme writes it."""
    return "#" + bytes(image.getpixel(place)).hex()


def test_the_slide_with_values_and_weights():
    film = animate("conv2d", SLIDE, CROSS)
    assert final(film) == [[["4", "3", "4"], ["2", "4", "3"], ["2", "3", "4"]]]
    first = film.frames[0]
    subscripts = [first.marks[0, i, j].small for i in range(3) for j in range(3)]
    assert subscripts == [f"×{w}" for row in CROSS for w in row]
    assert first.line == "y[0, 0] = 1×1 + 1×0 + 1×1 + 0×0 + 1×1 + 1×0 + 0×1 + 0×0 + 1×1 = 4"
    assert first.marks[2, 0, 0].role == "now"


@pytest.mark.parametrize("mode", ["zeros", "reflect", "symmetric", "replicate", "circular"])
def test_padding_modes_show_the_padded_cells(mode):
    x, w = np.arange(16.0).reshape(4, 4), [[1, 2, 0], [0, -1, 3], [2, 0, 1]]
    film = animate("conv2d", x, w, padding=1, padding_mode=mode, stride=2)
    assert final(film) == run("conv2d", [[x]], [[w]], padding=1, padding_mode=mode, stride=2)
    words = {"zeros": "constant"}.get(mode, "edge" if mode == "replicate" else {"circular": "wrap"}.get(mode, mode))
    assert film.panels[0].texts == tuple(tuple(cell_text(v) for v in row) for row in np.pad(x, 1, words))
    assert list(film.panels[0].kinds[1]) == ["pad", "cell", "cell", "cell", "cell", "pad"]


@pytest.mark.parametrize(
    "options", [{"dilation": 2}, {"padding": "same"}, {"padding": "same_tf", "stride": 2}, {"padding": (0, 1, 2, 0)}, {"padding": "full"}]
)
def test_windows_of_every_geometry(options):
    x = np.random.default_rng(0).integers(-3, 9, (6, 5)).astype(float)
    w = np.arange(6.0).reshape(3, 2)
    film = animate("conv2d", x, w, **options)
    assert final(film) == run("conv2d", [[x]], [[w]], **options)
    for frame in film.frames:  # the products of the marked cells add up to the value
        marked = {place: mark for place, mark in frame.marks.items() if place[0] == 0}
        total = sum(float(film.panels[0].texts[i][j]) * float(mark.small[1:]) for (_, i, j), mark in marked.items())
        assert cell_text(total) == frame.line.rpartition(" = ")[2]
        assert len(marked) == 6


def test_channels_filters_bias_and_groups():
    film = animate("conv2d", in_channels=3, out_channels=2, input_size=4, bias=[1.0, -2.0], seed=3)
    assert [panel.title for panel in film.panels][:3] == ["input 0", "input 1", "input 2"]
    assert len(film.panels) == 3 + 6 + 1 + 2 and len(film.frames) == 8
    assert re.fullmatch(r"y\[0, 0, 0\] = 1 \(bias\) \+ \S+ \(channel 0\) \+ \S+ \(channel 1\) \+ \S+ \(channel 2\) = -?\d+", film.frames[0].line)
    split = animate("conv2d", np.ones((2, 3, 3)), np.ones((2, 1, 3, 3)), groups=2)
    assert {place[0] for place in split.frames[1].marks} == {1, 3, 5}


def test_one_axis_and_true_convolution():
    assert final(animate("conv1d", [1, 2, 3, 4], [1, 0, -1])) == [[["-2", "-2"]]]
    flipped = animate("convolve1d", [1, 2, 3, 4], [1, 0, -1])
    assert final(flipped) == [[["2", "2"]]]
    assert flipped.frames[0].marks[0, 0, 0].small == "×-1"


@pytest.mark.parametrize("form", ["scatter", "zeros"])
@pytest.mark.parametrize(
    "options", [{"stride": 2}, {"stride": 2, "padding": 1, "output_padding": 1}, {"stride": 3}, {"stride": 1, "dilation": 2, "padding": 1}]
)
def test_transposed_convolution_both_ways(form, options):
    x, w = [[1, 2], [3, 4]], [[1, 2, 0], [0, -1, 3], [2, 0, 1]]
    film = animate("conv_transpose2d", x, w, form=form, **options)
    rows = zip(final(film)[0], film.panels[-1].kinds, strict=True)
    kept = [[text for text, kind in zip(row, kinds, strict=True) if kind == "cell"] for row, kinds in rows]
    assert [row for row in kept if row] == run("conv_transpose2d", [[x]], [[w]], **options)[0]


def test_the_exercise_of_the_deck():
    film = animate("conv_transpose2d", [[1, 2], [3, 4]], np.ones((3, 3)), stride=2)
    rows = [[1, 1, 3, 2, 2], [1, 1, 3, 2, 2], [4, 4, 10, 6, 6], [3, 3, 7, 4, 4], [3, 3, 7, 4, 4]]
    assert final(film) == [[[str(v) for v in row] for row in rows]]
    assert film.frames[3].line == "input[1, 1] = 4: add 4 × kernel to 9 cells; 5 of them overlap"
    assert film.frames[3].marks[2, 2, 2].small == "+4"
    channels = animate("conv_transpose2d", np.ones((2, 2, 2)), np.ones((2, 1, 2, 2)), groups=2, form="zeros", stride=2)
    assert final(channels) == [[["1"] * 4] * 4] * 2


def test_pools():
    film = animate("max_pool2d", DECK, kernel_size=2)
    assert final(film) == [[["6", "8"], ["3", "4"]]]
    assert film.frames[0].marks[0, 1, 1].role == "best" and film.frames[0].marks[0, 0, 0].role == "window"
    padded = animate("max_pool2d", DECK, kernel_size=3, stride=2, padding=1, return_indices=True)
    assert padded.panels[0].texts[0][0] == "-inf"
    assert padded.frames[0].line == "y[0, 0] = max(-inf, -inf, -inf, -inf, 1, 1, -inf, 5, 6) = 6; index 5 is remembered"
    ceil = animate("avg_pool2d", np.arange(9.0).reshape(3, 3), kernel_size=2, ceil_mode=True)
    assert final(ceil) == run("avg_pool2d", [[np.arange(9.0).reshape(3, 3)]], kernel_size=2, ceil_mode=True)
    assert animate("avg_pool2d", DECK, kernel_size=2).frames[3].line == "y[1, 1] = (1 + 0 + 3 + 4)/4 = 2"


def test_unpooling_goes_where_the_maxima_were():
    film = animate("max_unpool2d", [[1, 2], [3, 4]], pooled=REMEMBERED)
    assert final(film) == [[["0", "0", "2", "0"], ["0", "1", "0", "0"], ["0", "0", "0", "0"], ["3", "0", "0", "4"]]]
    assert film.frames[0].line == "input[0, 0] = 1 goes to index 5, y[1, 1]"
    assert film.frames[0].marks[0, 1, 1].role == "best"
    assert final(animate("max_unpool2d", pooled=REMEMBERED))[0][3][3] == "8"


def test_resizes_show_their_weights():
    film = animate("interpolate", [[0, 2], [3, 4]], scale_factor=2, mode="bilinear", align_corners=False)
    assert [film.frames[1].marks[0, 0, j].small for j in range(2)] == ["×0.75", "×0.25"]
    nearest = animate("interpolate", [[1, 2], [3, 4]], scale_factor=2, mode="nearest", align_corners=None)
    assert final(nearest, "y")[0][0] == ["1", "1", "2", "2"]


def test_any_other_operator():
    assert final(animate("softmax", [0, 0], dim=0), "y") == [[["0.5", "0.5"]]]
    assert len(animate("pixel_shuffle").panels) == 5


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_every_operator_is_animated_or_says_why_not(name):
    try:
        film = animate(name)
    except UsageError as error:
        assert "three spatial axes" in str(error) or "reads no numbers" in str(error)
    else:
        assert film.html() and film.svg(-1)


def test_gif_has_every_frame_its_size_and_colours(tmp_path):
    film = animate("max_pool2d", DECK, kernel_size=2)
    for aspect, size, dark, theme in (("16:9", (640, 360), False, LIGHT), ("4:3", (640, 480), True, DARK)):
        film.aspect = aspect
        with Image.open(film.save_gif(tmp_path / "film.gif", delay=300, width=640, dark=dark)) as gif:
            assert gif.n_frames == 4 and gif.size == size and gif.info["loop"] == 0 and gif.info["duration"] == 300
            layout = layout_of(film)
            scale = size[0] / layout.width
            for number, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
                gif.seek(number)
                image = gif.convert("RGB")
                x, y = layout.corners[1]
                corner = tuple(round((start + (place + 0.12) * layout.cell) * scale) for start, place in ((x, column), (y, row)))
                assert colour(image, corner) == theme["now"][0]
                assert colour(image, (2, 2)) == theme["paper"][0]


def test_stills_name_the_frame_and_every_cell():
    film = animate("conv2d", SLIDE, CROSS)
    svg = film.svg(2)
    assert svg.count("data-at=") == 25 + 9 + 9 and "2 / 9" in svg and "y[0, 1]" in svg
    assert svg.count("<g") == svg.count("</g>")
    assert "#0f1419" in film.svg(-1, dark=True)
    with pytest.raises(ArgumentError, match="there is no frame 10; there are frames 1 to 9"):
        film.svg(10)


def test_pages_hold_everything_and_fetch_nothing():
    film = animate("conv2d", SLIDE, CROSS)
    page = film.html()
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert page.count("<li>") == 9 and "srcdoc" in film._repr_html_()
    json.dumps(film.to_dict(), allow_nan=False)
    assert str(film).splitlines()[-1].startswith("9  y[2, 2]")


def test_long_lines_keep_their_result():
    rows = wrapped("y = " + " + ".join(["1×1"] * 200) + " = 200", 40)
    assert len(rows) <= 3 and rows[-1].endswith("= 200")


@pytest.mark.parametrize(
    ("name", "arrays", "options", "words"),
    [
        ("conv3d", (), {}, "conv3d has three spatial axes, a slide has two; animate conv2d"),
        ("convo", (), {}, "animate: there is no operator 'convo'"),
        ("conv2d", (), {"form": "zeros"}, "form 'zeros' is for conv_transpose"),
        ("conv2d", (), {"aspect": "2:1"}, "must be 16:9 or 4:3"),
        ("conv2d", (), {"pooled": [1]}, "pooled is for max_unpool"),
        ("conv2d", (), {"seed": -1}, "seed -1 must be"),
        ("conv2d", (np.ones((20, 20)),), {"padding": 3, "stride": 3}, "not be readable from the back"),
        ("conv2d", (np.ones((10_000, 10)),), {}, "10000 x 10 numbers would not be readable"),
        ("conv2d", (np.ones((22, 22)), np.ones((10, 10))), {}, "more products than anybody watches"),
        ("conv2d", (np.ones((2, 1, 4, 4)),), {}, "has 2 images"),
        ("conv2d", (SLIDE, CROSS), {"kernel_size": 3}, "kernel_size and weight are both given"),
        ("conv2d", (SLIDE,), {"input_size": 3}, "input_size and input are both given"),
        ("conv2d", (), {"in_channels": 9}, "in_channels 9 is more than fits"),
        ("conv2d", (), {"kernel_size": 100}, "kernel_size 100 is more than fits"),
        ("conv2d", (), {"strid": 2}, "no argument 'strid'; did you mean stride"),
        ("max_unpool2d", ([[1]],), {"pooled": REMEMBERED, "indices": [[0]]}, "indices and pooled are both given"),
        ("conv2d", (np.ones((21, 21)), [[1.0]]), {}, "441 steps are more than anybody watches"),
        ("eye", (), {}, "no operator 'eye'"),
    ],
)
def test_refusals_say_what_to_do(name, arrays, options, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        animate(name, *arrays, **options)


def test_the_operators_own_errors_pass():
    with pytest.raises(ShapeError, match="kernel 3 > padded height 2"):
        animate("conv2d", [[1, 2], [3, 4]], CROSS)


def test_gif_refusals(tmp_path):
    film = animate("conv2d", input_size=13, kernel_size=1)
    with pytest.raises(UsageError, match="169 frames are too many for a GIF, which holds at most 120"):
        film.save_gif(tmp_path / "film.gif")
    small = animate("max_pool2d", DECK, kernel_size=2)
    with pytest.raises(ArgumentError, match="delay 5 must be a whole number of milliseconds from 20"):
        small.save_gif(tmp_path / "film.gif", delay=5)
    with pytest.raises(DataError, match="name a file in a folder that exists"):
        small.save_gif(tmp_path / "none" / "film.gif")


@pytest.mark.parametrize("aspect", ["16:9", "4:3"])
def test_nothing_leaves_the_slide_or_overlaps(aspect):
    films = [animate("conv2d", in_channels=3, input_size=4, aspect=aspect), animate("conv2d", SLIDE, CROSS, padding=2, aspect=aspect)]
    for film in films:
        layout = layout_of(film)
        assert layout.cell >= SMALLEST
        boxes = [(x, y, x + p.columns * layout.cell, y + p.rows * layout.cell) for (x, y), p in zip(layout.corners, film.panels, strict=True)]
        for number, (x0, y0, x1, y1) in enumerate(boxes):
            assert x0 >= 0 and y0 >= 90 and x1 <= layout.width and y1 <= layout.height - 150
            assert all(x1 <= a0 or a1 <= x0 or y1 <= b0 or b1 <= y0 for a0, b0, a1, b1 in boxes[number + 1 :])


@pytest.mark.parametrize(("kernel", "stride", "even"), [(3, 2, False), (2, 2, True), (4, 3, False), (3, 1, True), (1, 2, False)])
def test_overlaps_are_uneven_exactly_where_the_stride_does_not_divide(kernel, stride, even):
    found = overlaps(3, kernel, stride)
    assert found.even is even is (kernel % stride == 0)
    along = np.array(Axis("transposed", "height", 3, kernel, stride).overlaps())
    np.testing.assert_array_equal(found.counts, np.outer(along, along))
    # Weights of variance 1: an output's variance is its number of products, here estimated from 256 kernels.
    np.testing.assert_allclose(found.spread**2, found.counts, rtol=0.45)


def test_overlap_reasons_and_the_myth():
    assert overlaps(4, 3, 2).reasons[0] == "height: kernel 3 = 1 x stride 2 + 1, so neighbouring outputs add 2 1 products, repeating every 2"
    myth = overlaps(4, 2, 2)
    assert (myth.counts == 1).all() and "every output adds 1 product" in myth.reasons[0] and "no checkerboard" in myth.verdict
    assert not overlaps(4, 2, 2, dilation=2).even
    assert "dilation 2 lets taps meet" in overlaps(4, 2, 2, dilation=2).reasons[0]
    assert overlaps(6, 3, 2, rank=1).counts.shape == (1, 13)
    page = overlaps(4, 3, 2).html()
    assert page.count("<svg") == 3 and "ICNR" in page
    with pytest.raises(UsageError, match="rank 3 must be 1 or 2"):
        overlaps(rank=3)
    with pytest.raises(UsageError, match="a heat-map of 81x81 cells cannot be read"):
        overlaps(40, 3, 2)
    with pytest.raises(UsageError, match="output_padding 2 must be smaller"):
        overlaps(4, 3, 2, output_padding=2)
