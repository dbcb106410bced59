"""Precision against recall of ranked detections as a picture."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import ArgumentError
from ..metrics.detection_curves import RULES, PrecisionRecall
from . import canvas

COLOURS = (canvas.BLUE, canvas.ORANGE, canvas.GREEN, canvas.RED, "#7b3fa0", "#a58200", "#1f7a8c", "#8a94a0")


def draw_precision_recall(curves: Mapping[str, PrecisionRecall], path: str | Path, rule: str = "coco") -> Path:
    """Draw every class's precision (thin) and its envelope (thick), the average precision in the legend.

    Parameters
    ----------
    curves : ranked detections by class name, of `metrics.voc_curves` or `metrics.coco_evaluation`; classes without truths are left out
    path : the PNG or SVG file to write
    rule : "voc07", "voc10" or "coco": which area the legend tells
    """
    if rule not in RULES:
        raise ArgumentError(f"draw_precision_recall: rule must be one of {', '.join(RULES)}, not {rule!r}")
    figure = canvas.new_figure(7.0, 5.0, "Precision against recall")
    axes = figure.subplots()
    canvas.plain_axes(axes)
    for place, (name, curve) in enumerate((name, curve) for name, curve in curves.items() if curve.positives):
        colour = COLOURS[place % len(COLOURS)]
        recall = np.append(0.0, curve.recall)
        label = f"{name}  {curve.area(rule):.4f}"
        if len(curve.right) == 0:
            axes.plot([], [], color=colour, label=label)
            continue
        axes.plot(curve.recall, curve.precision, color=colour, linewidth=0.8, alpha=0.7)
        axes.step(recall, np.append(curve.envelope[0], curve.envelope), where="pre", color=colour, linewidth=2, label=label)
        if rule == "voc07":
            levels, heights, _ = zip(*curve.steps(rule), strict=True)
            axes.plot(levels, heights, "s", color=colour, markersize=4)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("recall", fontsize=canvas.TEXT + 1)
    axes.set_ylabel("precision", fontsize=canvas.TEXT + 1)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(title=f"AP ({rule})", fontsize=canvas.SMALL, frameon=False, loc="lower left")
    return canvas.save(figure, path)
