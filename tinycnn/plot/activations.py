"""What every layer makes of one image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..autograd import no_grad
from ..tensor import Tensor
from . import canvas
from .images import show_image

# Layers that only pass values on, or that do nothing in evaluation.
SILENT = {"Flatten", "Dropout", "Dropout2d", "Identity", "Unflatten"}
MOST_LAYERS, MOST_MAPS = 14, 16

# Inches: the page, its label column, what is left for content, and the gaps.
PAGE, LABEL, CONTENT, TOP = 11.0, 2.1, 8.7, 0.5
GAP, TILE_GAP, TALLEST = 0.16, 0.06, 1.1
HEADING: dict[str, Any] = {"fontsize": canvas.TITLE, "color": canvas.INK, "weight": "bold"}


@dataclass(frozen=True)
class LayerRecord:
    """One layer as one image went through: name, class, output without the batch axis, count of its own parameters."""

    name: str
    kind: str
    output: np.ndarray[Any, Any]
    parameters: int


def record_layers(model: Any, batch: Any) -> list[LayerRecord]:
    """Send a batch through the model in evaluation mode and keep what each layer made of its first image.

    A layer is a module without children, or with parameters of its own.

    Parameters
    ----------
    model : a tinycnn Module
    batch : floats (1, channels, height, width), as the model expects them
    """
    records: list[LayerRecord] = []
    handles = []

    def remember(name: str, module: Any) -> Any:
        def hook(_module: Any, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                records.append(LayerRecord(name, _kind(module), np.array(output.data[0]), _own_parameters(module)))

        return hook

    for name, module in model.named_modules():
        if name and (_own_parameters(module) or not list(module.children())):
            handles.append(module.register_forward_hook(remember(name, module)))
    was_training = model.training
    model.eval()
    try:
        with no_grad():
            model(Tensor(np.asarray(batch)[:1]))
    finally:
        model.train(was_training)
        for handle in handles:
            handle.remove()
    return records


def _kind(module: Any) -> str:
    """The module's class, and the activation that it was given to do at once."""
    activation = getattr(module, "activation", None)
    return type(module).__name__ + (" + ReLU" if activation == "relu" else "")


def _own_parameters(module: Any) -> int:
    """The number of numbers in the module's own parameters, those of its children not counted."""
    return sum(int(parameter.data.size) for parameter in module.parameters(recurse=False))


def draw_activations(
    image: Any, records: Sequence[LayerRecord], probabilities: Any, path: str | Path, names: Sequence[str] | None = None
) -> Path:
    """Draw one row a layer: maps as pictures, vectors as strips, and the model's answer at the end.

    Parameters
    ----------
    image : the picture that went in, (height, width) or (height, width, 3), uint8 or floats from 0 to 1
    records : from `record_layers`
    probabilities : the C probabilities that came out
    path : the PNG file to write
    names : the C class names; numbers by default
    """
    shown = [record for record in records if record.kind not in SILENT]
    shown = shown if len(shown) <= MOST_LAYERS else _spread(shown, MOST_LAYERS)
    heights = [1.5] + [_row_height(record) for record in shown] + [1.5]
    figure = canvas.new_figure(PAGE, TOP + sum(heights) + GAP * len(heights) + 0.2)
    figure.set_layout_engine("none")
    page = _Page(figure, figure.get_figheight())
    figure.text(0.1 / PAGE, 1 - 0.25 / page.height, "One image on its way through the network", **HEADING)
    picture = np.asarray(image)
    page.label(heights[0], f"input\n{_shape_text(picture.shape)}")
    show_image(page.axes(0.0, heights[0], heights[0]), picture)
    page.next_row(heights[0])
    for record, height in zip(shown, heights[1:-1], strict=True):
        _layer_row(page, record, height)
        page.next_row(height)
    page.label(heights[-1], "probability of\neach class")
    _draw_answer(page.axes(0.0, CONTENT, heights[-1] - 0.25), np.asarray(probabilities), names)
    return canvas.save(figure, path)


class _Page:
    """Rows placed by hand, in inches from the top: a label column on the left, what the layer made beside it."""

    def __init__(self, figure: Any, height: float) -> None:
        self.figure = figure
        self.height = height
        self.top = TOP

    def axes(self, left: float, width: float, height: float) -> Any:
        """Axes in the current row, `left` inches into the content column."""
        bottom = self.height - self.top - height
        return self.figure.add_axes(((LABEL + left) / PAGE, bottom / self.height, width / PAGE, height / self.height))

    def label(self, height: float, text: str) -> None:
        """The row's name and shape, right-aligned against the content."""
        middle = self.height - self.top - height / 2
        self.figure.text(
            (LABEL - 0.15) / PAGE,
            middle / self.height,
            text,
            ha="right",
            va="center",
            fontsize=canvas.TEXT,
            color=canvas.INK,
        )

    def next_row(self, height: float) -> None:
        """Go below a row of this height."""
        self.top += height + GAP


def _spread(records: Sequence[LayerRecord], count: int) -> list[LayerRecord]:
    """Evenly spaced layers, the first and the last among them."""
    chosen = np.linspace(0, len(records) - 1, count).round().astype(int)
    return [records[i] for i in chosen]


def _shape_text(shape: tuple[int, ...]) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(str(size) for size in shape)


def _tile(record: LayerRecord) -> tuple[float, float]:
    """Width and height in inches of one map, so that all maps fit beside each other."""
    rows, columns = record.output.shape[1:]
    count = min(len(record.output), MOST_MAPS)
    width = min(CONTENT / count - TILE_GAP, TALLEST * columns / rows)
    return width, width * rows / columns


def _row_height(record: LayerRecord) -> float:
    """A strip is low; maps are as high as their width allows, with room for two lines of label."""
    return max(_tile(record)[1], 0.45) if record.output.ndim == 3 else 0.45


def _layer_row(page: _Page, record: LayerRecord, height: float) -> None:
    if record.output.ndim != 3:
        values = record.output.reshape(1, -1)
        page.label(height, f"{record.name}  {record.kind}\n{values.size} numbers")
        axes = page.axes(0.0, CONTENT, height)
        canvas.image_axes(axes)
        axes.imshow(values, interpolation="nearest", aspect="auto", **_colouring(values))
        return
    maps = record.output[:MOST_MAPS]
    note = f" (first {MOST_MAPS} drawn)" if len(record.output) > MOST_MAPS else ""
    page.label(height, f"{record.name}  {record.kind}\n{_shape_text(record.output.shape)}{note}")
    width, tall = _tile(record)
    colouring = _colouring(maps)
    for i, one in enumerate(maps):
        axes = page.axes(i * (width + TILE_GAP), width, tall)
        canvas.image_axes(axes)
        axes.imshow(one, interpolation="nearest", aspect="auto", **colouring)


def _colouring(values: Any) -> dict[str, Any]:
    """White zero, red positive, blue negative; black zero to bright where nothing is negative."""
    largest = float(np.abs(values).max()) or 1.0
    if values.min() < 0:
        return {"cmap": "RdBu_r", "vmin": -largest, "vmax": largest}
    return {"cmap": "inferno", "vmin": 0.0, "vmax": largest}


def _draw_answer(axes: Any, probabilities: Any, names: Sequence[str] | None) -> None:
    """A bar a class, the ten most likely ones where there are more than twenty."""
    order = (
        np.arange(len(probabilities))
        if len(probabilities) <= 20
        else np.sort(np.argsort(-probabilities, kind="stable")[:10])
    )
    best = int(probabilities.argmax())
    colours = [canvas.BLUE if k == best else "#b8c4d0" for k in order]
    bars = axes.bar(range(len(order)), probabilities[order], color=colours, width=0.7)
    axes.bar_label(
        bars, [f"{100 * probabilities[k]:.1f} %" for k in order], fontsize=canvas.SMALL, color=canvas.INK, padding=2
    )
    labels = [str(k) if names is None else str(names[k]) for k in order]
    axes.set_xticks(range(len(order)), labels)
    axes.set_xlim(-0.5, len(order) - 0.5)
    axes.set_ylim(0, 1.2)
    axes.set_yticks([])
    canvas.plain_axes(axes, grid=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)
