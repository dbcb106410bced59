"""Window, im2col, matrix, Fourier and flip: each equals conv2d, and shows the decks' numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sliding import spatial_convolutions
from tinycnn import kernels
from tinycnn.errors import ArgumentError, ShapeError, UsageError
from tinycnn.functional import conv2d, conv_transpose2d, convolve2d
from tinycnn.study import views

A03 = [[9, 5, 0, 7], [0, 2, 4, 6], [7, 6, 6, 8], [3, 8, 5, 1]]
A04 = [[-30, -1, 23, -7], [24, 7, -2, 1], [-10, -1, -1, -15], [13, -11, -5, 13]]
CROSS = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
A05 = [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
VIEWS = (views.window, views.im2col, views.toeplitz, views.fourier, views.flip)


def last(view, scene, grid):
    """The numbers of a grid after the last step of a scene, read back from its cells."""
    from tinycnn.study.views.text import final_grid

    found = next(each for each in view.scenes[scene].grids if each.name == grid)
    return np.array([float(cell) for cell in final_grid(view.scenes[scene], found).cells]).reshape(found.shape)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
@given(case=spatial_convolutions(2, largest=4, batches=st.just(1)))
def test_every_view_is_conv2d(view, case):
    x, weight, _ = case.arrays()
    found = view(x, weight, **case.options)
    with kernels.use("reference"):
        expected = conv2d(x, weight, **case.options).numpy()[0]
    name = "correlation" if view is views.flip else "output"
    np.testing.assert_allclose(found.results[name], expected, rtol=0, atol=1e-10)
    assert found.agrees and found.checks
    # The steps say the same: every element is filled in by one of them.
    scene, grid = {"window": (0, "output"), "im2col": (2, "output"), "toeplitz": (0, "y"), "fourier": (0, "y"), "flip": (0, name)}[found.name]
    np.testing.assert_allclose(last(found, scene, grid), expected, rtol=1e-3, atol=1e-3)


@given(case=spatial_convolutions(2, modes=("zeros",), largest=4, batches=st.just(1)))
def test_products_with_the_matrix_and_its_transpose(case):
    x, weight, _ = case.arrays()
    found = views.toeplitz(x, weight, **case.options)
    matrix, upstream = found.results["matrix"], found.results["grad"]
    with kernels.use("reference"):
        y = conv2d(x, weight, **case.options).numpy()
        keep = {name: case.options[name] for name in ("stride", "padding", "dilation", "groups")}
        back = conv_transpose2d(upstream, weight, **keep, output_size=x.shape[2:]).numpy()
        true = convolve2d(x, weight, **case.options).numpy()
    np.testing.assert_allclose(matrix @ x.ravel(), y.ravel(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(matrix.T @ upstream.ravel(), back.ravel(), rtol=0, atol=1e-9)
    np.testing.assert_allclose(last(found, 1, "W.T g"), back, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(views.flip(x, weight, **case.options).results["convolution"], true[0], rtol=0, atol=1e-10)


@pytest.mark.parametrize("view", VIEWS[:4], ids=lambda view: view.__name__)
@pytest.mark.parametrize(("image", "weight", "answer"), [("deck", "identity", A03), ("deck", "laplacian", A04), ("binary", CROSS, A05)])
def test_a03_to_a05_on_the_decks_images(view, image, weight, answer):
    np.testing.assert_allclose(view(image, weight).results["output"], [answer], atol=1e-12)


def test_a03_the_first_region_gives_9():
    view = views.window("deck", "identity")
    first, scene = view.scenes[0].steps[0], view.scenes[0]
    assert first.changes["region"] == dict(enumerate("5 0 8 1 9 5 6 0 2".split()))
    assert first.changes["products"] == dict(enumerate("0 0 0 0 9 0 0 0 0".split()))
    assert first.changes["output"] == {0: "9"}
    assert first.marks[0] == ("input", "from", (0, 1, 2, 6, 7, 8, 12, 13, 14))
    assert first.small["input"] == {0: "×0", 1: "×0", 2: "×0", 6: "×0", 7: "×1", 8: "×0", 12: "×0", 13: "×0", 14: "×0"}
    assert len(scene.steps) == 16


def test_a06_and_a07_what_the_matrix_shares():
    view = views.toeplitz("deck", "laplacian")
    facts = dict(view.facts)
    assert facts["W"] == "16 x 36"
    assert facts["structural non-zeros"] == "144 of 576 (25.0 %)"
    assert facts["non-zero values"] == "80"
    assert facts["distinct parameters"] == "9, of which 2 distinct values other than 0"
    assert facts["each parameter stands at"] == "16 places of W"
    assert facts["a dense layer of these sizes"] == "576 parameters: 64 times as many"
    matrix, weight = view.results["matrix"], views.FILTERS["laplacian"][0].reshape(-1)
    for tap, step in enumerate(view.scenes[2].steps):
        places = next(places for name, _, places in step.marks if name == "W")
        assert len(places) == 16 and set(matrix.reshape(-1)[list(places)]) == {weight[tap]}
    assert view.scenes[0].grids[0].cells.count("·") == 576 - 144


def test_the_matrix_of_a_grouped_convolution_is_block_diagonal():
    matrix = views.toeplitz(np.ones((4, 3, 3)), kernel_size=2, groups=2).results["matrix"]
    assert matrix.shape == (8, 36)
    assert not matrix[:4, 18:].any() and not matrix[4:, :18].any()


def test_padding_modes_that_copy_pixels_colour_every_connected_cell():
    view = views.toeplitz([[1, 2]], [[1, 2, 4]], padding=(0, 0, 1, 1), padding_mode="replicate")
    assert view.results["matrix"].tolist() == [[3, 4], [1, 6]]
    assert view.scenes[0].grids[0].cells == ("3", "4", "1", "6")


def test_im2col_counts_its_memory():
    view = views.im2col("deck", "laplacian", padding=1)
    assert view.results["columns"].shape == (9, 36)
    assert dict(view.facts)["matrix of windows"] == "9 x 36 = 324 numbers, 9 times the 36 pixels"
    assert [scene.title for scene in view.scenes] == ["1. Gather", "2. Multiply", "3. Put back"]


def test_without_the_conjugate_fourier_flips():
    view = views.fourier("deck", [[1, 2], [3, 4]])
    x, w = view.results["image"][0], view.results["kernel"][0, 0]
    true = np.fft.ifft2(x * w).real[1:6, 1:6]
    with kernels.use("reference"):
        np.testing.assert_allclose(true, convolve2d(views.filters.DECK[None], np.array([[[[1.0, 2], [3, 4]]]])).numpy()[0], atol=1e-10)
    assert abs(true - view.results["output"][0]).max() > 1
    assert [check.words for check in view.checks][3:] == ["not padded at all, it is conv2d with circular padding"]
    assert len(views.fourier([[1, 2]], [[1, 2], [3, 4]], padding=1).checks) == 3  # a filter larger than the image goes round more than once


def test_flip_says_where_they_agree():
    symmetric, uneven = views.flip("deck", "gaussian"), views.flip("deck", [[1, 2], [3, 4]])
    assert dict(symmetric.facts)["they agree at"] == "16 of 16 places"
    assert dict(symmetric.facts)["the kernel is"].startswith("the same after a turn")
    assert dict(uneven.facts)["they agree at"] == "1 of 25 places"
    assert len(uneven.checks) == 3 and uneven.agrees
    assert len(views.flip(np.ones((2, 4, 4)), kernel_size=2).scenes) == 1  # of several channels nothing changes places
    assert len(views.flip(np.ones((23, 23)), [[1, 2]]).scenes) == 2
    assert len(views.flip(np.ones((24, 24)), [[1, 2]]).scenes) == 1


def test_text_and_data_hold_the_numbers():
    view = views.window("deck", "laplacian")
    text = view.text(2)
    assert "y[0, 0, 0] = 0·1 + 1·1 + 9·(-4) + 5·1 + 0·1 = -30" in text and "... 14 more steps" in text
    data = view.to_dict()
    assert data["results"]["output"] == [A04] and data["checks"][0]["agrees"] is True
    assert "srcdoc=" in view._repr_html_()
    assert views.fourier([[1.0, 2.0]], [[1.0]]).to_dict()["results"]["image"] == [[[[3, 0], [-1, 0]]]]


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("dekc",), {}, "no image called 'dekc'; did you mean deck"),
        (("deck", "laplace"), {}, "no filter called 'laplace'; did you mean laplacian"),
        (("deck", "laplacian"), {"kernel_size": 3}, "weight and kernel_size are both given"),
        (([[1, 2], [3]],), {}, "rows of different lengths"),
        (([["a"]],), {}, "not numbers"),
        ((np.zeros((0, 3)),), {}, "input is empty"),
        ((np.zeros((10000, 10000)),), {}, "input has 100,000,000 elements"),
        (([[1, np.nan], [1, 1]],), {}, "holds infinity or NaN"),
        ((np.ones((2, 1, 4, 4)),), {}, "must be one image"),
        ((np.ones((3, 4, 4)),), {"groups": 2}, "groups=2 does not divide the input's 3 channels"),
        ((np.ones((3, 4, 4)), np.ones((2, 2, 2))), {}, "weight has 2 blocks, but every filter takes 3 channels"),
        ((np.ones((64, 64)),), {"padding": 60}, "padded pixels"),
        ((np.ones((64, 64)),), {"kernel_size": 20}, "products"),
        (("deck",), {"kernel_size": 100}, "weights"),
    ],
)
def test_wrong_operands_get_a_sentence(arguments, options, words):
    with pytest.raises(UsageError, match=words):
        views.window(*arguments, **options)


def test_wrong_options_get_the_operators_sentence():
    with pytest.raises(ShapeError, match="window: kernel 7 > padded height 6"):
        views.window("deck", kernel_size=7)
    with pytest.raises(ArgumentError, match="window: stride"):
        views.window("deck", stride=0)
    with pytest.raises(UsageError, match="cells of the matrix, at most 20,000"):
        views.toeplitz(np.ones((20, 20)))
    with pytest.raises(UsageError, match=r"grad has shape \(1, 2, 2\); it must be the output's, \(1, 4, 4\)"):
        views.toeplitz(grad=[[1, 2], [3, 4]])
    with pytest.raises(UsageError, match="frequencies"):
        views.fourier(np.ones((60, 60)), np.ones((4, 4)))
