"""Networks beside each other: error against epochs, gradients against depth, accuracy against cost."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ShapeError
from . import canvas

COLOURS = ("#2467b3", "#d9661f", "#2e7d32", "#c62828", "#6a4fa3", "#00838f", "#8d6e63", "#5f6b76")


def draw_errors(runs: Mapping[str, Sequence[Mapping[str, Any]]], path: str | Path, title: str = "") -> Path:
    """Draw training error (thin, dashed) and test error (bold) of several networks over the epochs, as the ResNet paper does.

    Parameters
    ----------
    runs : for each network a mapping an epoch with keys epoch, train_accuracy, test_accuracy (0 to 1)
    path : the PNG or SVG file to write
    title : above the picture
    """
    if not runs or not all(runs.values()):
        raise ShapeError("draw_errors: needs at least one network with at least one epoch")
    figure = canvas.new_figure(7.5, 4.6, title)
    axes = figure.subplots()
    canvas.plain_axes(axes)
    for colour, (name, epochs) in zip(_colours(len(runs)), runs.items(), strict=True):
        places = [row["epoch"] for row in epochs]
        axes.plot(places, [100 * (1 - row["train_accuracy"]) for row in epochs], color=colour, linewidth=1.2, linestyle="--")
        test = [100 * (1 - row["test_accuracy"]) for row in epochs]
        axes.plot(places, test, color=colour, linewidth=2.4, marker="o", markersize=4, label=f"{name}: {test[-1]:.1f} % at the end")
    axes.set_xlabel("epoch", fontsize=canvas.TEXT)
    axes.set_ylabel("error, %: bold test, dashed training", fontsize=canvas.TEXT)
    axes.legend(fontsize=canvas.TEXT, frameon=False)
    return canvas.save(figure, path)


def draw_gradient_flow(flows: Mapping[str, Sequence[tuple[str, float]]], path: str | Path, title: str = "") -> Path:
    """Draw the size of the gradient in every layer, from the input to the output.

    Parameters
    ----------
    flows : for each network (layer, root mean square of the gradient) in the order of the layers
    path : the PNG or SVG file to write
    title : above the picture
    """
    if not flows or not all(flows.values()):
        raise ShapeError("draw_gradient_flow: needs at least one network with at least one layer")
    figure = canvas.new_figure(8.5, 4.6, title)
    axes = figure.subplots()
    canvas.plain_axes(axes)
    for colour, (name, flow) in zip(_colours(len(flows)), flows.items(), strict=True):
        # From 0, the first layer, to 1, the last: networks of different depths share the axis.
        places = [number / max(len(flow) - 1, 1) for number in range(len(flow))]
        axes.plot(places, [max(size, 1e-12) for _, size in flow], color=colour, linewidth=1.8, marker="o", markersize=3.5, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("depth: 0 is the first layer, 1 the last", fontsize=canvas.TEXT)
    axes.set_ylabel("gradient of the weights, root mean square", fontsize=canvas.TEXT)
    axes.legend(fontsize=canvas.TEXT, frameon=False)
    return canvas.save(figure, path)


def draw_layer_transfer(accuracies: Mapping[str, Sequence[float]], parts: Sequence[str], path: str | Path) -> Path:
    """Draw the accuracy of a second task against the parts of the first task's network that were kept.

    Parameters
    ----------
    accuracies : one number (0 to 1) for each of `parts`, by what was done with them
    parts : the last part kept at each point
    path : the PNG or SVG file to write
    """
    if not accuracies or any(len(values) != len(parts) for values in accuracies.values()):
        raise ShapeError(f"draw_layer_transfer: needs an accuracy for each of the {len(parts)} parts")
    figure = canvas.new_figure(7.5, 4.2, "Parts kept from another task's network")
    axes = figure.subplots()
    canvas.plain_axes(axes)
    for colour, (name, values) in zip(_colours(len(accuracies)), accuracies.items(), strict=True):
        axes.plot(range(len(parts)), [100 * value for value in values], color=colour, linewidth=2.2, marker="o", label=name)
    axes.set_xticks(range(len(parts)), ["none" if part == "-" else f"to {part}" for part in parts])
    axes.set_ylabel("% of images right", fontsize=canvas.TEXT)
    axes.legend(fontsize=canvas.TEXT, frameon=False)
    return canvas.save(figure, path)


def draw_bubbles(
    results: Sequence[tuple[str, float, float, float]], path: str | Path, title: str = "", work: str = "multiply-adds an image, 10^9"
) -> Path:
    """Draw accuracy against work, each network a bubble whose area is its number of parameters.

    Parameters
    ----------
    results : (name, parameters, work, accuracy in %), work and parameters above 0
    path : the PNG or SVG file to write
    title : above the picture
    work : what the horizontal axis measures
    """
    if not results or any(not (size > 0 and cost > 0) for _, size, cost, _ in results):
        raise ShapeError("draw_bubbles: needs at least one network, each with parameters and work above 0")
    figure = canvas.new_figure(10, 6.4, title)
    axes = figure.subplots()
    canvas.plain_axes(axes)
    largest = max(size for _, size, _, _ in results)
    families = sorted({_family(name) for name, *_ in results})
    colours = dict(zip(families, _colours(len(families)), strict=True))
    for name, size, cost, accuracy in sorted(results, key=lambda row: -row[1]):
        area = max(12.0, 1600 * size / largest)
        axes.scatter([cost], [accuracy], s=area, color=colours[_family(name)], alpha=0.45, edgecolors=canvas.INK, linewidths=0.6)
        beside = (3 + math.sqrt(area) / 3, 0)
        axes.annotate(name, (cost, accuracy), beside, textcoords="offset points", fontsize=6.5, color=canvas.INK, va="center")
    axes.set_xscale("log")
    axes.set_xlabel(work, fontsize=canvas.TEXT)
    axes.set_ylabel("% of images right", fontsize=canvas.TEXT)
    axes.set_title(f"the largest bubble: {largest / 1e6:,.1f} million parameters", loc="right", fontsize=canvas.SMALL, color=canvas.FAINT)
    return canvas.save(figure, path)


def _colours(count: int) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number in range(count)]


def _family(name: str) -> str:
    """The name up to its first digit: the networks of one paper share a colour."""
    letters = [place for place, letter in enumerate(name) if letter.isdigit()]
    return name[: letters[0]].rstrip("_") if letters else name
