"""Convolution as an infinitely strong prior: what it buys where it is right, and what it costs where it is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import functional
from ...functional._arguments import whole
from ..explanation import Table
from ..toeplitz import conv2d_matrix
from .operands import MOST_CELLS, Operands, convolution_operands, reference, require_few
from .view import Check, Curve, Scene, Step, View, cell_texts, grid

__all__ = ["prior"]

TESTS = 50  # images that decide how well a fit does


def prior(input: Any = None, weight: Any = None, *, kernel_size: Any = None, seed: int = 0) -> View:
    """Fit a convolution and a dense layer to the same examples: once where the truth is a convolution, once where it is not.

    Shapes
    ------
    Images (1, H, W) of the input's size -> (1, H_out, W_out); the dense layer has H W H_out W_out weights

    Formula
    -------
    both by least squares: the smallest mean((prediction - answer)^2) that their weights allow, the smallest weights where several do

    Parameters
    ----------
    input : array or str, optional
        Its size is that of the random images; the deck's 6 x 6 if left out.
    weight : array or str, optional
        The true filter (K_h, K_w); the Laplacian if left out.
    kernel_size : int or (height, width), optional
        Instead of a weight: one drawn with the seed.
    seed : int
        Decides the images, and the truth that is no convolution.

    Returns
    -------
    View

    Raises
    ------
    UsageError
        As `window`.

    Notes
    -----
    A convolution is a dense layer under a prior that gives probability zero to unequal weights and to far connections. No number of examples
    moves such a prior: where the truth is local but differs from place to place, the convolution stays wrong and the dense layer learns it.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 9.4.

    Examples
    --------
    >>> view = prior()
    >>> bool(view.results["convolution"][0] < 1e-12), bool(view.results["dense"][0] > 0.1)
    (True, True)
    """
    found = convolution_operands("prior", input, weight, kernel_size, seed=seed)
    pixels, answers = found.input.size, found.output.size
    require_few("prior", pixels * answers, MOST_CELLS // 5, "weights of the dense layer", "give a smaller input, such as 6 x 6")
    whole("prior", "seed", seed, 0)
    generator = np.random.default_rng(seed)
    right = conv2d_matrix(found.weight, found.input.shape[1:]).toarray()
    wrong = np.where(conv2d_matrix(np.ones_like(found.weight), found.input.shape[1:]).toarray() != 0, generator.standard_normal(right.shape), 0)
    counts = sorted({1, 2, 4, 8, 16, pixels // 2, pixels - 1, pixels, 2 * pixels} - {0})
    images = generator.standard_normal((max(counts), *found.input.shape))
    tests = generator.standard_normal((TESTS, *found.input.shape))
    errors = {
        (kind, name): [_error(fit, images[:count], tests, truth, found) for count in counts]
        for name, truth in (("a convolution", right), ("local, not shared", wrong))
        for kind, fit in (("convolution", _fit_convolution), ("dense", _fit_dense))
    }
    scenes = tuple(_scene(name, counts, errors, pixels) for name in ("a convolution", "local, not shared"))
    rows = tuple(
        (str(count), *(f"{errors[kind, name][place]:.2g}" for name in ("a convolution", "local, not shared") for kind in ("convolution", "dense")))
        for place, count in enumerate(counts)
    )
    header = ("images", "convolution", "dense", "convolution, truth not shared", "dense, truth not shared")
    return View(
        "prior",
        "Convolution as an infinitely strong prior",
        "It forbids a dense layer all weights but local, shared ones. Right, it learns from one image; wrong, no number of images helps.",
        "error = mean over new images of (prediction - answer)² / mean of answer²",
        scenes,
        (
            ("weights", f"convolution {found.weight.size}, dense {pixels * answers:,}"),
            ("images needed where the prior is right", f"convolution {_needed(errors['convolution', 'a convolution'], counts)}, "
             f"dense {_needed(errors['dense', 'a convolution'], counts)}"),
            ("error left where it is wrong", f"convolution {_share(errors['convolution', 'local, not shared'][-1])}, "
             f"dense {_share(errors['dense', 'local, not shared'][-1])}"),
        ),
        (
            Check("the convolution finds the truth when it is one", errors["convolution", "a convolution"][-1], 1e-10),
            Check("the dense layer finds it too, given as many images as pixels or more", errors["dense", "a convolution"][-1], 1e-10),
        ),
        (Table("Error on new images, as a share of the answers' power", header, rows),),
        results={"images": np.array(counts)} | {
            key.replace(" ", "_"): np.array(values)
            for key, values in (
                ("convolution", errors["convolution", "a convolution"]), ("dense", errors["dense", "a convolution"]),
                ("convolution wrong", errors["convolution", "local, not shared"]), ("dense wrong", errors["dense", "local, not shared"]),
            )
        },
    )  # fmt: skip


def _share(error: float) -> str:
    """An error in per cent; rounding counts as nothing."""
    return "nothing" if error < 1e-10 else f"{100 * error:.3g} %"


def _needed(errors: list[float], counts: list[int]) -> str:
    return next((str(count) for count, error in zip(counts, errors) if error < 1e-10), "more")


def _answers(images: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(images, outputs) of a linear truth."""
    return np.asarray(images.reshape(len(images), -1) @ truth.T)


def _fit_dense(images: np.ndarray, answers: np.ndarray, found: Operands) -> np.ndarray:
    """The matrix (outputs, pixels) of the best dense layer."""
    return np.asarray(np.linalg.lstsq(images.reshape(len(images), -1), answers, rcond=None)[0].T)


def _fit_convolution(images: np.ndarray, answers: np.ndarray, found: Operands) -> np.ndarray:
    """The matrix of the best convolution: its weights are found from all windows of all images."""
    outputs, _, height, width = found.weight.shape
    windows = reference(functional.unfold, images, (height, width)).transpose(0, 2, 1).reshape(-1, found.weight[0].size)
    wanted = answers.reshape(len(images), outputs, -1).transpose(0, 2, 1).reshape(-1, outputs)
    weight = np.linalg.lstsq(windows, wanted, rcond=None)[0].T
    return np.asarray(conv2d_matrix(np.ascontiguousarray(weight.reshape(found.weight.shape)), found.input.shape[1:]).toarray())


def _error(fit: Any, images: np.ndarray, tests: np.ndarray, truth: np.ndarray, found: Operands) -> float:
    """The share of the answers' power on new images that a fit misses."""
    learned, expected = fit(images, _answers(images, truth), found), _answers(tests, truth)
    return float(np.square(_answers(tests, learned) - expected).mean() / max(np.square(expected).mean(), 1e-300))


def _scene(name: str, counts: list[int], errors: dict[tuple[str, str], list[float]], pixels: int) -> Scene:
    """Errors, one step a number of images."""
    table = np.array([counts, errors["convolution", name], errors["dense", name]])
    steps = tuple(
        Step(
            f"{count} image{'s' * (count > 1)}",
            (
                f"of the answers' power convolution misses {_share(table[1, place])}, dense {_share(table[2, place])}",
                f"a dense layer needs {pixels} images to determine its weights" if count < pixels else "enough images for the dense layer",
            ),
            (("errors", "now", tuple(row * len(counts) + place for row in range(3))),),
        )
        for place, count in enumerate(counts)
    )
    cells = grid("errors", table, "rows: images, error of the convolution, error of the dense layer")
    rounded = type(cells)("errors", cells.shape, tuple(cell_texts(table[0])) + tuple(f"{value:.1e}" for value in table[1:].reshape(-1)), cells.words)
    curve = Curve("error of the dense layer", tuple(map(float, counts)), tuple(errors["dense", name]))
    return Scene(f"The truth is {name}", "", (rounded,), steps, curve)
