"""`animate`: an operator on small numbers, step by step on one slide, from its own explanation.

    windows    convolutions and pools: a window slides over the padded input
    scatter    transposed convolutions and unpooling: each input element is put down on the output
    elements   everything else: each output element with the inputs it reads
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ..errors import UsageError
from ..registry import OPERATORS
from .animate_arguments import completed, require_readable
from .animate_elements import by_elements
from .animate_scatter import transposed, unpooled
from .animate_windows import convolved, pooled_windows
from .animation import Animation
from .animation_layout import ASPECTS, layout_of
from .explain import explain
from .shape import SHORT

__all__ = ["animate"]

MOST_FRAMES = 400
FORMS = ("scatter", "zeros")
CONVOLUTIONS = ("conv1d", "conv2d", "convolve1d", "convolve2d")
TRANSPOSED = ("conv_transpose1d", "conv_transpose2d")
POOLS = tuple(f"{kind}_pool{rank}d" for kind in ("max", "avg", "lp", "min", "sum") for rank in (1, 2))


def animate(
    name: str, *arrays: Any, form: str | None = None, aspect: str = "16:9", seed: int = 0, pooled: Any = None, **options: Any
) -> Animation:
    """Show how one operator computes its result, a step an output element, with your numbers in the cells.

    Parameters
    ----------
    name : str
        An operator, such as "conv2d", "conv_transpose2d", "max_pool2d", "max_unpool2d" or "interpolate"; short names such as "conv" do.
    *arrays : array
        Its first arguments; two-dimensional lists do for images. What is not given is drawn.
    form : str, optional
        Of a transposed convolution: "scatter" (each input element paints the kernel, the default) or "zeros" (zeros are inserted, then an
        ordinary convolution with the flipped kernel runs).
    aspect : str
        "16:9" or "4:3", the shape of the slide.
    seed : int
        Decides drawn numbers.
    pooled : array, optional
        Of max_unpool: the image whose pooling remembered the indices; they, and the values if none are given, are taken from it.
    **options
        The operator's own arguments by name. Of convolutions also kernel_size, input_size, in_channels and out_channels, for drawn arrays.

    Returns
    -------
    Animation
        With `html()`, `svg(frame)`, `save_gif(path)`, `text()` and `to_dict()`.

    Raises
    ------
    UsageError
        For unknown operators and arguments, and for more frames or cells than can be read on a slide.
    TinycnnError
        As the operator raises it.

    Notes
    -----
    Every number comes from running the operator, with its reference kernel, on numbers that remember their sources: the padded input is the
    operator `pad`'s, windows are those of `unfold`, and inserted zeros are a transposed convolution with a kernel of one cell.

    References
    ----------
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285).

    Examples
    --------
    >>> film = animate("conv2d", [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 0], [0, -1]])
    >>> print(film.frames[3].line)
    y[1, 1] = 5×1 + 6×0 + 8×0 + 9×(-1) = -4
    """
    known = name if name in OPERATORS else SHORT.get(str(name).lower(), str(name))
    if aspect not in ASPECTS:
        raise UsageError(f"animate: aspect {aspect!r} must be 16:9 or 4:3")
    if form is not None and (form not in FORMS or known not in TRANSPOSED):
        raise UsageError(f"animate: form {form!r} is for conv_transpose1d and 2d only, and is scatter or zeros")
    if pooled is not None and not known.startswith("max_unpool"):
        raise UsageError("animate: pooled is for max_unpool1d and 2d, whose indices it gives")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise UsageError(f"animate: seed {seed!r} must be a whole number from 0 up")
    _require_two_axes(known)
    try:
        film = _built(known, arrays, form, int(seed), pooled, options)
    except UsageError as error:
        raise UsageError(str(error).replace("explain:", "animate:").replace("tinycnn explain", "tinycnn animate")) from error
    film.aspect = aspect
    if len(film.frames) > MOST_FRAMES:
        count = f"{len(film.frames):,}"
        raise UsageError(f"animate: {count} steps are more than anybody watches, which is {MOST_FRAMES}; take a smaller input or a larger stride")
    if not film.frames:
        raise UsageError(f"animate: {known} gives no numbers here, so there is nothing to show; take a larger input")
    layout_of(film)
    return film


def _require_two_axes(name: str) -> None:
    """Refuse what no flat picture shows."""
    if name in OPERATORS and name.endswith("3d"):
        flat = f"{name[:-2]}2d"
        raise UsageError(f"animate: {name} has three spatial axes, a slide has two; animate {flat} on one slice")


def _built(name: str, arrays: tuple[Any, ...], form: str | None, seed: int, pooled: Any, options: dict[str, Any]) -> Animation:
    """The frames, by the family of the operator."""
    if name.startswith("max_unpool"):
        require_readable(name, (*arrays, *options.values(), pooled))
        return unpooled(name, arrays, pooled, seed, options)
    if name in CONVOLUTIONS + TRANSPOSED:
        arrays, options = completed(name, arrays, options, seed)
    require_readable(name, tuple(arrays) + tuple(options.values()))
    found = explain(name, *arrays, seed=seed, **options)
    known = inspect.signature(OPERATORS[name].function).parameters if name in OPERATORS else {}
    arguments = {key: value for key, value in {**found.arrays, **found.options}.items() if key in known}
    if name in CONVOLUTIONS:
        return convolved(name, arguments, found)
    if name in TRANSPOSED:
        return transposed(name, arguments, found, form or "scatter")
    if name in POOLS:
        return pooled_windows(name, arguments, found)
    return by_elements(found)
