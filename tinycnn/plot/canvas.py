"""Figures without pyplot: one place for size, colour and font, so that all pictures look alike.

Matplotlib is the optional extra `plot`. Nothing here touches its global state: a figure is an object that is drawn,
saved and forgotten, so pictures can be made from any thread and leave a notebook's own plots alone.
"""

import importlib.util
from pathlib import Path
from typing import Any

from ..errors import UsageError

INSTALL = "pip install 'tinycnn[plot]'"

INK = "#1f2933"
FAINT = "#8a94a0"
BLUE = "#2467b3"
ORANGE = "#d9661f"
GREEN = "#2e7d32"
RED = "#c62828"

DOTS_PER_INCH = 110
TITLE, TEXT, SMALL = 13, 10, 8.5


def available() -> bool:
    """Whether matplotlib can be imported."""
    return importlib.util.find_spec("matplotlib") is not None


def new_figure(width: float, height: float, title: str = "") -> Any:
    """An empty figure of width x height inches on the Agg canvas, with its title at the top left."""
    if not available():
        raise UsageError(f"tinycnn.plot draws with matplotlib, which is not installed: {INSTALL}")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=TITLE, color=INK, weight="bold")
    return figure


def plain_axes(axes: Any, grid: bool = True) -> None:
    """Thin grey frame on two sides, small ticks, light grid: the data stays the darkest thing in the picture."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=TEXT)
    if grid:
        axes.grid(True, color="#e4e7eb", linewidth=0.8)
        axes.set_axisbelow(True)


def image_axes(axes: Any) -> None:
    """Axes for a picture: no ticks, a hairline frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#d5dae0")
        spine.set_linewidth(0.6)


def save(figure: Any, path: str | Path) -> Path:
    """Write the figure as an SVG file where the name ends so, else as a PNG file."""
    target = Path(path)
    figure.savefig(target, format="svg" if target.suffix == ".svg" else "png")
    return target
