"""Grouped convolution and the channel shuffle: which channels reach which."""

from __future__ import annotations

import numpy as np

from ... import functional
from ...errors import UsageError
from ...functional._arguments import whole
from ..explanation import Table
from ..toeplitz import conv2d_matrix
from .operands import reference
from .view import Check, Scene, Step, View, grid

__all__ = ["groups"]

MOST_CHANNELS = 48


def groups(*, channels: int = 12, groups: int = 3, kernel_size: int = 3) -> View:
    """Follow channels through grouped convolution, channel shuffle and grouped convolution again, as in ShuffleNet.

    Shapes
    ------
    (C, H, W) -> (C, H, W) at every stage

    Formula
    -------
    weights = C / groups * C * K^2; the shuffle sends channel g C/groups + c to c groups + g

    Parameters
    ----------
    channels : int
        C, of input and output.
    groups : int
        Of each convolution; 1 is the ordinary one, C the depthwise one.
    kernel_size : int
        K in pixels, for the counts.

    Returns
    -------
    View

    Raises
    ------
    UsageError
        If the groups do not divide the channels, or there are too many to be looked at.

    References
    ----------
    Krizhevsky, Sutskever and Hinton 2012: two groups for two graphics cards. Zhang et al. 2018, "ShuffleNet".

    Examples
    --------
    >>> view = groups(channels=4, groups=2)
    >>> view.results["grouped"].astype(int).tolist()
    [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    """
    for name, value in (("channels", channels), ("groups", groups), ("kernel_size", kernel_size)):
        whole("groups", name, value, 1)
    if channels > MOST_CHANNELS:
        raise UsageError(f"groups: {channels} channels are more than anybody can look at; give at most {MOST_CHANNELS}")
    if channels % groups:
        near = [count for count in range(1, channels + 1) if not channels % count]
        raise UsageError(f"groups: {groups} groups do not divide {channels} channels; use one of {', '.join(map(str, near))}")
    # On an image of one pixel the matrix of a 1 x 1 convolution of ones says which channels meet.
    grouped = conv2d_matrix(np.ones((channels, channels // groups, 1, 1)), 1, groups=groups).toarray() != 0
    numbers = np.arange(channels, dtype=np.float64).reshape(1, channels, 1, 1)
    order = reference(functional.channel_shuffle, numbers, groups).reshape(-1).astype(int)
    shuffled = np.eye(channels, dtype=bool)[order]
    plain, mixed = _through(grouped, grouped), _through(grouped, shuffled, grouped)
    stages = (
        ("one grouped convolution", grouped, "an output sees only the channels of its own group"),
        ("two grouped convolutions", plain, "still only its own group: the groups are towers that never talk"),
        ("channel shuffle", shuffled, f"output channel k is input channel {', '.join(map(str, order[:6]))}{', ...' if channels > 6 else ''}"),
        ("grouped, shuffle, grouped", mixed, "now an output sees channels of every group that the shuffle brought to its own"),
    )
    steps, grids = [], []
    for name, matrix, words in stages:
        kinds = ["" if cell else "zero" for cell in matrix.reshape(-1)]
        grids.append(grid(name, matrix.astype(int), "row: output channel, column: input channel", kinds))
        for output in range(channels):
            seen = tuple((output * channels + np.flatnonzero(matrix[output])).tolist())
            line = f"output {output} depends on input {', '.join(map(str, np.flatnonzero(matrix[output])))}"
            steps.append(Step(f"{name}: output {output}", (words, line), ((name, "now", seen),)))
    rows = tuple(
        (str(count), f"{channels * channels // count * kernel_size**2:,}", f"1/{count}" if count > 1 else "all") for count in range(1, channels + 1)
        if not channels % count
    )  # fmt: skip
    spread = f"{int(mixed.sum(1).min())} of {channels}"
    return View(
        "groups",
        "Grouped convolution and channel shuffle",
        "Groups cut the weights, and with them the connections, into separate towers; a shuffle of the channels lets them talk again.",
        "weights = C_out · (C_in / groups) · K²",
        (Scene("Which channel reaches which", "1: connected", tuple(grids), tuple(steps), focus=True),),
        (
            ("weights", f"{channels * channels // groups * kernel_size**2:,} instead of {channels * channels * kernel_size**2:,}"),
            ("channels that reach an output, two layers", f"{int(plain.sum(1).max())} of {channels}"),
            ("with a shuffle between them, at least", spread),
        ),
        (
            Check("the shuffle is a permutation", float(np.abs(np.sort(order) - np.arange(channels)).max()), 0),
            Check("shuffled back with C / groups groups nothing has moved", _round_trip(numbers, channels, groups), 0),
        ),
        (Table("Weights", ("groups", "weights", "share"), rows),),
        results={"grouped": grouped, "towers": plain, "order": order, "mixed": mixed},
    )


def _through(*stages: np.ndarray) -> np.ndarray:
    """Which input reaches which output behind several stages."""
    found = stages[0].astype(int)
    for stage in stages[1:]:
        found = stage.astype(int) @ found
    return found > 0


def _round_trip(numbers: np.ndarray, channels: int, groups: int) -> float:
    """The shuffle and its inverse, applied."""
    there = reference(functional.channel_shuffle, numbers, groups)
    return float(np.abs(reference(functional.channel_shuffle, there, channels // groups) - numbers).max())
