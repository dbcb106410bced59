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


@dataclass(frozen=True)
class LayerRecord:
    """One layer of a model as one image went through: its name, its class, its output without the batch axis, its own parameter count."""

    name: str
    kind: str
    output: np.ndarray[Any, Any]
    parameters: int


def record_layers(model: Any, batch: Any) -> list[LayerRecord]:
    """Send a batch through the model in evaluation mode and keep what each layer without children made of its first image.

    Parameters
    ----------
    model : a tinycnn Module
    batch : floats (1, channels, height, width), as the model expects them
    """
    records: list[LayerRecord] = []
    handles = []

    def remember(name: str, module: Any) -> Any:
        def hook(_module: Any, _inputs: Any, output: Any) -> None:
            count = sum(int(np.prod(p.shape)) for p in module.parameters(recurse=False))
            records.append(LayerRecord(name, type(module).__name__, np.array(output.data[0]), count))

        return hook

    for name, module in model.named_modules():
        if name and not any(True for _ in module.children()):
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
    heights = [1.35] + [0.95 if r.output.ndim == 3 else 0.55 for r in shown] + [1.6]
    figure = canvas.new_figure(11, sum(heights) + 0.6, "One image on its way through the network")
    rows = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    _input_row(figure, rows[0], image)
    for i, record in enumerate(shown):
        if record.output.ndim == 3:
            _map_row(figure, rows[i + 1], record)
        else:
            _strip_row(figure, rows[i + 1], record)
    _answer_row(figure, rows[len(heights) - 1], np.asarray(probabilities), names)
    return canvas.save(figure, path)


def _spread(records: Sequence[LayerRecord], count: int) -> list[LayerRecord]:
    """Evenly spaced layers, the first and the last among them."""
    chosen = np.linspace(0, len(records) - 1, count).round().astype(int)
    return [records[i] for i in chosen]


def _shape_text(shape: tuple[int, ...]) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(str(size) for size in shape)


def _label(axes: Any, text: str) -> None:
    """The row's name and shape, right-aligned in a column of its own."""
    axes.axis("off")
    axes.text(1.0, 0.5, text, ha="right", va="center", fontsize=canvas.TEXT, color=canvas.INK, transform=axes.transAxes)


def _input_row(figure: Any, slot: Any, image: Any) -> None:
    cells = slot.subgridspec(1, 2, width_ratios=(1.6, 8.4))
    picture = np.asarray(image)
    _label(figure.add_subplot(cells[0]), f"input\n{_shape_text(picture.shape)}")
    axes = figure.add_subplot(cells[1], anchor="W")
    show_image(axes, picture)


def _colouring(values: Any) -> dict[str, Any]:
    """White zero, red positive, blue negative where both signs occur; black zero to bright where nothing is negative."""
    largest = float(np.abs(values).max()) or 1.0
    if values.min() < 0:
        return {"cmap": "RdBu_r", "vmin": -largest, "vmax": largest}
    return {"cmap": "inferno", "vmin": 0.0, "vmax": largest}


def _map_row(figure: Any, slot: Any, record: LayerRecord) -> None:
    maps = record.output[:MOST_MAPS]
    more = len(record.output) - len(maps)
    cells = slot.subgridspec(1, 1 + MOST_MAPS, width_ratios=[1.6] + [8.4 / MOST_MAPS] * MOST_MAPS, wspace=0.08)
    note = f"\nfirst {MOST_MAPS} shown" if more else ""
    _label(figure.add_subplot(cells[0]), f"{record.name}  {record.kind}\n{_shape_text(record.output.shape)}{note}")
    colouring = _colouring(maps)
    for i, one in enumerate(maps):
        axes = figure.add_subplot(cells[i + 1])
        canvas.image_axes(axes)
        axes.imshow(one, interpolation="nearest", **colouring)


def _strip_row(figure: Any, slot: Any, record: LayerRecord) -> None:
    cells = slot.subgridspec(1, 2, width_ratios=(1.6, 8.4))
    values = record.output.reshape(1, -1)
    _label(figure.add_subplot(cells[0]), f"{record.name}  {record.kind}\n{values.size}")
    axes = figure.add_subplot(cells[1])
    canvas.image_axes(axes)
    axes.imshow(values, interpolation="nearest", aspect="auto", **_colouring(values))


def _answer_row(figure: Any, slot: Any, probabilities: Any, names: Sequence[str] | None) -> None:
    cells = slot.subgridspec(1, 2, width_ratios=(1.6, 8.4))
    _label(figure.add_subplot(cells[0]), "probability of\neach class")
    axes = figure.add_subplot(cells[1])
    order = np.arange(len(probabilities)) if len(probabilities) <= 20 else np.sort(np.argsort(-probabilities, kind="stable")[:10])
    best = int(probabilities.argmax())
    colours = [canvas.BLUE if k == best else "#b8c4d0" for k in order]
    bars = axes.bar(range(len(order)), probabilities[order], color=colours, width=0.7)
    axes.bar_label(bars, [f"{100 * probabilities[k]:.1f} %" for k in order], fontsize=canvas.SMALL, color=canvas.INK, padding=2)
    labels = [str(k) if names is None else str(names[k]) for k in order]
    axes.set_xticks(range(len(order)), labels)
    axes.set_ylim(0, 1.2)
    axes.set_yticks([])
    canvas.plain_axes(axes, grid=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)
