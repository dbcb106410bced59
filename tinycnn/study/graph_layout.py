"""Where to put the nodes of a graph on paper: in layers from top to bottom, few crossings, straight lines where that is possible.

References
----------
Sugiyama, Tagawa and Toda 1981, "Methods for visual understanding of hierarchical system structures": layers, then order by barycentres, then
coordinates.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Layout", "layered_layout"]

SWEEPS = 8
BEND = 14.0  # room for a line that passes a layer


@dataclass(frozen=True)
class Layout:
    """Centres of the nodes, and for every edge the points it passes between its two nodes."""

    places: dict[int, tuple[float, float]]
    bends: dict[tuple[int, int], list[tuple[float, float]]]
    width: float
    height: float


def layered_layout(
    nodes: list[int], edges: list[tuple[int, int]], node_width: float, node_height: float, gap_x: float = 24, gap_y: float = 46
) -> Layout:
    """Lay out a graph without cycles.

    Parameters
    ----------
    nodes : list of int
        In an order in which every edge goes forward.
    edges : list of (int, int)
        From, to.
    node_width, node_height : float
        Of every node.
    gap_x, gap_y : float
        Between neighbours, and between layers.

    Returns
    -------
    Layout

    Examples
    --------
    >>> layout = layered_layout([0, 1, 2, 3], [(0, 1), (0, 2), (1, 3), (2, 3)], 100, 40)
    >>> layout.places[1][1] == layout.places[2][1], layout.places[0][0] == layout.places[3][0]
    (True, True)
    """
    above: defaultdict[int, list[int]] = defaultdict(list)
    below: defaultdict[int, list[int]] = defaultdict(list)
    for start, end in edges:
        above[end].append(start)
    layer: dict[int, int] = {}
    for node in nodes:
        layer[node] = max((layer[start] + 1 for start in above[node]), default=0)
    rows, links, chains = _with_bends(nodes, edges, layer)
    widths = defaultdict(lambda: BEND, dict.fromkeys(nodes, node_width))
    above.clear()
    for start, end in links:
        above[end].append(start)
        below[start].append(end)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        _order(rows if down else rows[::-1], above if down else below)
    x: dict[int, float] = {}
    for row in rows:
        x.update(_spread(row, dict.fromkeys(row, 0.0), widths, gap_x))
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else rows[::-1]:
            neighbours = above if down else below
            wish = {node: _mean([x[other] for other in neighbours[node]], x[node]) for node in row}
            x.update(_spread(row, wish, widths, gap_x))
    left = min((x[node] - widths[node] / 2 for row in rows for node in row), default=0.0)
    right = max((x[node] + widths[node] / 2 for row in rows for node in row), default=0.0)
    y = {node: number * (node_height + gap_y) + node_height / 2 for number, row in enumerate(rows) for node in row}
    return Layout(
        {node: (x[node] - left, y[node]) for node in nodes},
        {edge: [(x[bend] - left, y[bend]) for bend in chain] for edge, chain in chains.items()},
        right - left,
        len(rows) * (node_height + gap_y) - gap_y,
    )


def _with_bends(
    nodes: list[int], edges: list[tuple[int, int]], layer: dict[int, int]
) -> tuple[list[list[int]], list[tuple[int, int]], dict[tuple[int, int], list[int]]]:
    """Rows of nodes, with an invisible one wherever an edge passes a layer, so that every link joins neighbouring rows."""
    rows: list[list[int]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for node in nodes:
        rows[layer[node]].append(node)
    fresh = max(nodes, default=0) + 1
    links: list[tuple[int, int]] = []
    chains: dict[tuple[int, int], list[int]] = {}
    for start, end in dict.fromkeys(edges):
        chain = []
        for number in range(layer[start] + 1, layer[end]):
            rows[number].append(fresh)
            chain.append(fresh)
            fresh += 1
        path = [start, *chain, end]
        links.extend(pairwise(path))
        chains[start, end] = chain
    return rows, links, chains


def _order(rows: list[list[int]], neighbours: dict[int, list[int]]) -> None:
    """Sort every row by the mean place of its neighbours in the row before."""
    place: dict[int, float] = {}
    for row in rows:
        now = {node: float(index) for index, node in enumerate(row)}
        row.sort(key=lambda node: _mean([place[other] for other in neighbours[node] if other in place], now[node]))
        place.update({node: float(index) for index, node in enumerate(row)})


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _spread(row: list[int], wish: dict[int, float], widths: dict[int, float], gap: float) -> dict[int, float]:
    """The places nearest to the wishes (least squares) that keep the order and the distances.

    With the distances taken off, the places must not fall from left to right: neighbours that do are pooled at their mean.
    """
    offsets, total = [], 0.0
    for index, node in enumerate(row):
        if index:
            total += (widths[row[index - 1]] + widths[node]) / 2 + gap
        offsets.append(total)
    pools: list[tuple[float, int]] = []  # (mean, how many)
    for node, offset in zip(row, offsets, strict=True):
        mean, count = wish[node] - offset, 1
        while pools and pools[-1][0] > mean:
            other, many = pools.pop()
            mean, count = (mean * count + other * many) / (count + many), count + many
        pools.append((mean, count))
    levels = [mean for mean, count in pools for _ in range(count)]
    return {node: level + offset for node, level, offset in zip(row, levels, offsets, strict=True)}
