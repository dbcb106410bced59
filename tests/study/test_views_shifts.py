"""Transposed convolution in three ways, equivariance with its reasons, groups, the prior, learning, and the gallery."""

import io

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from tests.sliding import Case, transposed_convolutions
from tinycnn import kernels
from tinycnn.errors import ArgumentError, ShapeError, UsageError
from tinycnn.functional import channel_shuffle, conv2d, conv_transpose2d
from tinycnn.study import views
from tinycnn.study.views.equivariance import shifted
from tinycnn.study.views.gallery import sheet

BEYOND_THE_IMAGE = {"stride": (3, 1), "padding": (2, 0, 0, 0), "output_padding": (2, 0), "groups": 1, "dilation": (1, 1)}


@given(case=transposed_convolutions(2, largest=3, batches=st.just(1)))
@example(case=Case((1, 1, 1, 1), (1, 1, 1, 1), 1, False, BEYOND_THE_IMAGE, 0))
def test_three_forms_of_the_transposed_convolution_are_one(case):
    x, weight, _ = case.arrays()
    found = views.transposed(x, weight, **case.options)
    with kernels.use("reference"):
        expected = conv_transpose2d(x, weight, **case.options).numpy()[0]
    for form in ("scatter", "zero_insertion", "matrix", "output"):
        np.testing.assert_allclose(found.results[form], expected, rtol=0, atol=1e-10, err_msg=form)
    assert found.agrees and len(found.scenes) == 3
    assert [len(scene.steps) for scene in found.scenes] == [x.size + 1, expected.size, expected.size]


def test_transposed_on_paper():
    view = views.transposed([[1, 2], [3, 4]], np.ones((3, 3)), stride=2)
    assert view.results["output"][0].tolist() == [[1, 1, 3, 2, 2], [1, 1, 3, 2, 2], [4, 4, 10, 6, 6], [3, 3, 7, 4, 4], [3, 3, 7, 4, 4]]
    facts = dict(view.facts)
    assert facts["strokes that meet in a pixel"] == "1 to 4" and facts["checkerboard"].startswith("possible")
    assert view.scenes[0].steps[0].small["canvas"][0] == "+1"
    assert view.scenes[1].steps[12].lines[1] == "y[0, 2, 2] = 1·1 + 2·1 + 3·1 + 4·1 = 10"
    even = views.transposed(kernel_size=4, stride=2, padding=1)
    assert dict(even.facts)["checkerboard"].startswith("none")
    assert views.transposed(np.ones((2, 2, 2)), np.ones((2, 2))).results["output"].shape == (1, 4, 4)


def test_transposed_refuses():
    with pytest.raises(ShapeError, match="weight"):
        views.transposed(np.ones((3, 2, 2)), np.ones((2, 1, 2, 2)))
    with pytest.raises(ArgumentError, match="output_padding 2"):
        views.transposed(output_padding=2)
    with pytest.raises(UsageError, match="cells of W"):
        views.transposed(np.ones((12, 12)))


@st.composite
def shift_cases(draw):
    """An image, a filter, options, a shift and a pooling that fit."""
    size, kernel = draw(st.integers(4, 7)), draw(st.integers(1, 3))
    mode = draw(st.sampled_from(["zeros", "circular", "replicate", "reflect"]))
    options = {
        "stride": draw(st.integers(1, 3)),
        "padding": tuple(draw(st.integers(0, 2)) for _ in range(4)),
        "padding_mode": mode,
        "pool": draw(st.sampled_from([1, 1, 2])),
        "shift": (draw(st.integers(-3, 3)), draw(st.integers(-3, 3))),
    }
    generator = np.random.default_rng(draw(st.integers(0, 1000)))
    return generator.standard_normal((size, size)), generator.standard_normal((kernel, kernel)), options


@given(shift_cases())
def test_every_difference_has_a_reason_and_no_other_place_differs(case):
    x, weight, options = case
    try:
        view = views.equivariance(x, weight, **options)
    except UsageError as error:
        assert "is larger than the map" in str(error)
        return
    assert view.agrees, [check for check in view.checks if not check.agrees]
    assert len(view.scenes[0].steps) == 1 + view.results["differs"].sum()
    first, last = view.results["shifted_first"], view.results["shifted_last"]
    np.testing.assert_array_equal(view.results["differs"], ~np.isclose(first, last, rtol=1e-12, atol=1e-12))


@given(st.integers(-5, 5), st.integers(-5, 5), st.sampled_from(["laplacian", "sobel_x", "blur5"]))
def test_circular_padding_restores_equivariance(down, right, name):
    reach = len(views.FILTERS[name][0]) // 2
    view = views.equivariance("deck", name, shift=(down, right), padding=reach, padding_mode="circular")
    assert not view.results["differs"].any()


def test_stride_and_pooling_have_a_phase():
    ring = {"padding": 1, "padding_mode": "circular"}
    for options, cause in (({"stride": 2}, "the stride's phase"), ({"pool": 2}, "the pooling's phase")):
        odd, even = (views.equivariance("deck", "laplacian", shift=by, **options, **ring) for by in (1, 2))
        assert odd.results["differs"].any() and not even.results["differs"].any()
        assert {name for name, _ in odd.facts if name.startswith("because")} == {f"because of {cause}"}


def test_zero_padding_differs_at_the_edge_only():
    view = views.equivariance("deck", "laplacian", shift=1)
    differs = view.results["differs"][0]
    assert not differs[:, 1:5].any() and differs[:, 0].any() and differs[:, 5].any()
    words = dict(view.facts)
    assert "because of the edge of the map" in words and "because of the edge of the image" in words
    assert view.scenes[0].steps[1].lines[0].startswith("column 0 comes in from column -1")


def test_pooling_keeps_more_than_the_detectors():
    # Goodfellow's figure 9.8: all detectors change, half of the pooled values stay.
    view = views.equivariance([[0.1, 1, 0.2, 0.1, 0.05, 0.3]], [[1]], padding=0, padding_mode="circular", pool=1, shift=1)
    rows = view.tables[1].rows
    assert rows[0] == ("0", "100 %", "100 %", "100 %", "100 %")
    image = np.zeros((8, 8))
    image[3, 3] = image[5, 1] = 9
    still = views.equivariance(image, [[1]], padding=0).tables[1].rows[1]
    assert float(still[3].split()[0]) < float(still[2].split()[0])  # lone peaks: a wider footprint changes more
    smooth = views.equivariance(np.kron([[1, 5], [3, 2]], np.ones((4, 4))), [[1]], padding=0, padding_mode="circular", pool=2).tables[1].rows[1]
    assert smooth[1] == "75 %" and smooth[4] == "75 %"


def test_shifted_moves_and_fills():
    x = np.arange(6.0).reshape(1, 2, 3)
    assert shifted(x, (1, -1), False).tolist() == [[[0, 0, 0], [1, 2, 0]]]
    assert shifted(x, (1, -1), True).tolist() == [[[4, 5, 3], [1, 2, 0]]]


@pytest.mark.parametrize("shift", [7, (0, -6), 1.5, (1, 2, 3), True])
def test_impossible_shifts(shift):
    with pytest.raises(UsageError, match="shift"):
        views.equivariance("deck", shift=shift)


@given(st.sampled_from([(4, 2), (6, 3), (6, 2), (5, 1), (4, 4)]))
def test_groups_connect_as_gradients_say(sizes):
    channels, groups = sizes
    view = views.groups(channels=channels, groups=groups)
    weight = np.ones((channels, channels // groups, 1, 1))
    with kernels.use("reference"):
        for channel in range(channels):
            x = np.zeros((1, channels, 1, 1))
            x[0, channel] = 1
            once = conv2d(x, weight, groups=groups)
            twice = conv2d(channel_shuffle(once, groups), weight, groups=groups)
            np.testing.assert_array_equal(view.results["grouped"][:, channel], once.numpy().ravel() > 0)
            np.testing.assert_array_equal(view.results["mixed"][:, channel], twice.numpy().ravel() > 0)
    assert view.agrees


def test_groups_refuse():
    with pytest.raises(UsageError, match="5 groups do not divide 12 channels; use one of 1, 2, 3, 4, 6, 12"):
        views.groups(groups=5)
    with pytest.raises(UsageError, match="at most 48"):
        views.groups(channels=100)


def test_a09_the_prior_helps_or_harms():
    view = views.prior("deck", "laplacian", seed=3)
    assert view.agrees
    assert view.results["convolution"][0] < 1e-12  # the sixteen windows of one image determine nine weights
    assert view.results["dense"][0] > 0.1
    assert view.results["convolution_wrong"][-1] > 0.3 and view.results["dense_wrong"][-1] < 1e-10
    with pytest.raises(UsageError, match="weights of the dense layer"):
        views.prior(np.zeros((12, 12)))


def test_learn_finds_the_hidden_kernel():
    view = views.learn("deck", "sobel_x", seed=4)
    np.testing.assert_allclose(view.results["learned"], view.results["hidden"], atol=1e-8)
    losses = view.results["losses"]
    assert len(losses) == 201 and losses[-1] < 1e-12 * losses[0] and view.agrees
    assert view.scenes[0].curve.places[0] == 0 and view.scenes[0].curve.places[-1] == 200
    again = views.learn("deck", "sobel_x", seed=4, steps=20)
    np.testing.assert_array_equal(again.results["losses"], losses[:21])
    other = views.learn("deck", "sobel_x", seed=5, steps=3)
    assert other.results["losses"][0] != losses[0]


def test_learn_on_few_windows_and_with_a_rate_too_large():
    few = views.learn([[1, 2, 0], [0, 1, 3], [2, 2, 1]], [[1, 2], [3, 4]], steps=50)
    assert few.agrees
    poor = views.learn([[1, 2, 0], [0, 1, 3], [2, 2, 1]], np.ones((3, 3)), steps=200)
    assert "do not determine" in poor.notes[0] and poor.results["losses"][-1] < 1e-3
    wild = views.learn("deck", steps=400, lr=1.0, momentum=0)
    assert "diverged" in wild.notes[-1] and wild.html()
    with pytest.raises(UsageError, match="momentum 2 must be a number from 0 to below 1"):
        views.learn(momentum=2)
    with pytest.raises(UsageError, match="take fewer steps"):
        views.learn(steps=10**8)


def test_gallery_filters_and_lays_out_a_sheet():
    pixels = np.random.default_rng(0).integers(0, 256, (12, 9, 3)).astype(np.uint8)
    view = views.gallery(pixels, [[0, 0, 0], [0, 0, 1], [0, 0, 0]], filters=("identity", "sobel_x", "blur"))
    np.testing.assert_array_equal(view.results["identity"], pixels)
    np.testing.assert_array_equal(view.results["yours"][:, :-1], pixels[:, 1:])
    np.testing.assert_allclose(view.results["blur"][4, 4], pixels[3:6, 3:6].mean((0, 1)), rtol=1e-5)
    right, left = pixels[3:6, 5].astype(float), pixels[3:6, 3].astype(float)
    np.testing.assert_allclose(view.results["sobel_x"][4, 4], [1, 2, 1] @ (right - left), rtol=1e-5)
    picture = Image.open(io.BytesIO(sheet(view, columns=2)))
    assert picture.mode == "RGB" and picture.width > 2 * 90 and picture.height > 2 * 120
    assert {each.name for each in view.scenes[0].pictures} == {"identity", "sobel_x", "blur", "yours"}


def test_all_filters_of_the_gallery_on_the_deck():
    view = views.gallery()
    assert list(view.results) == list(views.FILTERS)
    for name, (taps, _, kind) in views.FILTERS.items():
        assert abs(taps.sum() - (kind == "image")) < 1e-12, name  # images keep their brightness, edges have none
    with pytest.raises(UsageError, match="no filter called 'sobel'; did you mean sobel_"):
        views.gallery(filters="sobel")
    with pytest.raises(UsageError, match="is no picture"):
        views.gallery(np.zeros((2, 3, 4, 5)))
