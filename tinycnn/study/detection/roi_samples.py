"""RoIAlign bin by bin: where it samples, which four pixels each sample reads with which weights, and the mean that comes out.

References
----------
He et al.: Mask R-CNN, ICCV 2017, section 3 and figure 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...errors import ArgumentError, ShapeError
from ...kernels.reference import roi as definition
from ..tracetext import plain
from .scene import Scene
from .view import DetectionView, Table, box_text, checked_boxes

__all__ = ["roi_align_view"]

MOST_CELLS = 32 * 32  # of a map that is drawn
MOST_BINS = 64


def roi_align_view(
    input: Any, box: Any, output_size: tuple[int, int] = (2, 2), spatial_scale: float = 1.0, sampling_ratio: int = 2, aligned: bool = True
) -> DetectionView:
    """Show the samples of one region on one feature map.

    Shapes
    ------
    input (H, W); box (4,) -> output_size

    Parameters
    ----------
    input : array
        One map.
    box : four numbers
        The region (x1, y1, x2, y2), in pixels of the image.
    output_size : (rows, columns)
        Bins.
    spatial_scale : float
        Cells of the map a pixel.
    sampling_ratio : int
        Samples a bin along each axis; 0 or less: as many as it is cells long, rounded up.
    aligned : bool
        Half a cell to the left and up, so that a pixel's centre is where it belongs; False is the older rule.

    Returns
    -------
    DetectionView
        `data["output"]` is what `ops.roi_align` gives, `data["bins"]` the samples of each bin with pixels and weights.

    Examples
    --------
    >>> view = roi_align_view([[0.0, 1.0], [2.0, 3.0]], [0, 0, 2, 2], (1, 1), sampling_ratio=1)
    >>> view.data["output"].tolist(), [round(float(weight), 2) for *_, weight in view.data["bins"][0]["samples"][0]["taps"]]
    ([[1.5]], [0.25, 0.25, 0.25, 0.25])
    """
    grid = np.asarray(input, np.float64)
    if grid.ndim != 2 or not 1 <= grid.size <= MOST_CELLS:
        raise ShapeError(f"roi_align_view: input has shape {grid.shape}; it must be one map (H, W) of at most {MOST_CELLS} cells")
    region = checked_boxes("roi_align_view", "box", np.asarray(box, np.float64).reshape(-1, 4) if np.size(box) % 4 == 0 else box, 1)[:1]
    if min(output_size) < 1 or output_size[0] * output_size[1] > MOST_BINS:
        raise ArgumentError(f"roi_align_view: output_size {tuple(output_size)} must be 1 x 1 to {MOST_BINS} bins")
    if not spatial_scale > 0 or sampling_ratio > 8:
        raise ArgumentError(f"roi_align_view: spatial_scale {spatial_scale!r} must be above 0 and sampling_ratio {sampling_ratio} at most 8")
    rois = np.concatenate((np.zeros((1, 1)), region), axis=1)
    output = ops.roi_align(grid[None, None], rois, (output_size[0], output_size[1]), spatial_scale, sampling_ratio, aligned).data[0, 0]
    x = grid[None, None]
    down, across, count = definition.align_samples(rois[0], x.shape, spatial_scale, output_size, sampling_ratio, aligned, None if aligned else 1, x)
    bins = [_bin(grid, (i, j), ys, xs, count, output) for i, ys in enumerate(down) for j, xs in enumerate(across)]
    if sum(len(one["samples"]) for one in bins) > 2048:
        raise ArgumentError("roi_align_view: more than 2,048 samples; give a smaller box, fewer bins or sampling_ratio=2")
    scene = _scene(grid, region[0], spatial_scale, aligned, bins)
    lead = (
        f"box ({box_text(region[0])}) x {spatial_scale:g}{' - 1/2' if aligned else ''} on a map of {grid.shape[0]} x {grid.shape[1]} cells: "
        f"{output_size[0]} x {output_size[1]} bins of {count} samples, mean of each bin",
    )
    rows = tuple((f"({one['bin'][0]}, {one['bin'][1]})", one["arithmetic"], f"{one['value']:.6g}") for one in bins)
    samples = tuple(
        (f"({one['bin'][0]}, {one['bin'][1]})", f"({plain(float(s['y']))}, {plain(float(s['x']))})", s["text"], f"{s['value']:.6g}")
        for one in bins
        for s in one["samples"]
    )
    tables = (
        Table("Bins", ("bin", "mean of its samples", "ops.roi_align"), rows),
        Table("Samples: weight times pixel", ("bin", "at (row, column)", "bilinear", "value"), samples),
    )
    key = (("accent", "region and samples"), ("now", "pixels that a sample reads"))
    data = {"output": output, "bins": bins, "box": region[0]}
    return DetectionView("RoIAlign's samples", lead, tables, (("", scene.svg()),), "bin by bin", key, data)


def _bin(grid: np.ndarray, place: tuple[int, int], ys: Any, xs: Any, count: int, output: np.ndarray) -> dict[str, Any]:
    samples = []
    for top, bottom, upper, lower in ys:
        for left, right, first, second in xs:
            taps = [(top, left, upper * first), (top, right, upper * second), (bottom, left, lower * first), (bottom, right, lower * second)]
            value = sum(float(weight) * float(grid[row, column]) for row, column, weight in taps)
            words = " + ".join(f"{plain(float(weight))}·{plain(float(grid[row, column]))}" for row, column, weight in taps if weight)
            samples.append({"y": float(top + lower), "x": float(left + second), "taps": taps, "value": value, "text": words or "0"})
    total = " + ".join(f"{each['value']:.5g}" for each in samples) or "0"
    return {"bin": place, "samples": samples, "value": float(output[place]), "arithmetic": f"({total}) / {count}"}


def _scene(grid: np.ndarray, box: np.ndarray, scale: float, aligned: bool, bins: list[dict[str, Any]]) -> Scene:
    """Cells of the map as squares of side 1, cell i from i to i + 1: a sample at i lies in the middle of it."""
    scene = Scene((grid.shape[0], grid.shape[1]), "a feature map with RoIAlign's samples")
    low, spread = float(grid.min()), float(np.ptp(grid)) or 1.0
    words = max(grid.shape) <= 12
    for row in range(grid.shape[0]):
        for column in range(grid.shape[1]):
            opacity = 0.08 + 0.5 * (float(grid[row, column]) - low) / spread
            scene.still(scene.tile((column, row, column + 1, row + 1), opacity, f'class="cell" fill-opacity="{opacity:.3f}"'))
            if words:
                scene.still(scene.text(column + 0.5, row + 0.82, f"{grid[row, column]:.3g}"))
    # Without the half-cell shift the box is taken in the coordinates of pixel centres.
    drawn = box * scale + (0.0 if aligned else 0.5)
    scene.still(scene.box(drawn.tolist(), "truth"))
    rows, columns = 1 + max(one["bin"][0] for one in bins), 1 + max(one["bin"][1] for one in bins)
    for i in range(1, rows):
        y = drawn[1] + (drawn[3] - drawn[1]) * i / rows
        scene.still(scene.line((drawn[0], y), (drawn[2], y)))
    for j in range(1, columns):
        x = drawn[0] + (drawn[2] - drawn[0]) * j / columns
        scene.still(scene.line((x, drawn[1]), (x, drawn[3])))
    for one in bins:
        scene.still(*(scene.dot(each["x"] + 0.5, each["y"] + 0.5, 4) for each in one["samples"]))
    for one in bins:
        pixels = sorted({(row, column) for each in one["samples"] for row, column, weight in each["taps"] if weight})
        taps = [scene.box((column, row, column + 1, row + 1), "tap") for row, column in pixels]
        lines = [
            scene.line((each["x"] + 0.5, each["y"] + 0.5), (column + 0.5, row + 0.5))
            for each in one["samples"]
            for row, column, weight in each["taps"]
            if weight
        ]
        scene.step(f"bin {one['bin']}: {one['arithmetic']} = {one['value']:.5g}", *taps, *lines)
    return scene
