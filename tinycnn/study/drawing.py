"""The graph of a summary as a drawing: boxes with costs, arrows with shapes; as SVG, Graphviz DOT and TikZ from the same data."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from ..registry import OPERATORS
from .graph_layout import Layout, layered_layout
from .summary import Row, Summary
from .tables import shape_text, short_count
from .windows import windows_of

__all__ = ["Drawing", "dot", "drawing_of", "svg", "tikz"]

WIDTH, HEIGHT = 240.0, 56.0
MARGIN = 16.0
LETTERS = 36  # of a line in a box

# Kind of operator: fill and border. The kinds are told apart by their words too, so a grey print loses nothing.
COLOURS = {
    "convolution": ("#dbe9f9", "#2467b3"),
    "linear": ("#dff0e0", "#2e7d32"),
    "pooling": ("#fdeadd", "#d9661f"),
    "normalisation": ("#eceff2", "#616e7c"),
    "activation": ("#fbf3cf", "#a58200"),
    "joining": ("#ecdff5", "#7b3fa0"),
    "other": ("#ffffff", "#8a94a0"),
    "input": ("#1f2933", "#1f2933"),
}
JOINS = ("cat", "add", "stack", "mul", "sub", "div", "maximum")


@dataclass(frozen=True)
class Box:
    """One node: its lines of text, the first in bold."""

    number: int
    kind: str
    lines: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class Arrow:
    """One edge; `label` is the shape, written once a value."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Drawing:
    """Boxes and arrows, and where they go."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]

    @cached_property
    def layout(self) -> Layout:
        """The places, worked out when first asked for."""
        edges = [(arrow.start, arrow.end) for arrow in self.arrows]
        return layered_layout([box.number for box in self.boxes], edges, WIDTH, HEIGHT)


def kind_of(operator: str) -> str:
    """The colour group of an operator."""
    if operator in JOINS:
        return "joining"
    family = OPERATORS[operator].family if operator in OPERATORS else ""
    if family in ("conv", "conv_transpose", "deform_conv"):
        return "convolution"
    if family in ("linear", "attention", "multi_head_attention") or operator in ("matmul", "bmm", "mm", "einsum"):
        return "linear"
    if "pool" in family:
        return "pooling"
    if "norm" in family:
        return "normalisation"
    if family in ("activation", "hard_activation", "smooth_activation", "linear_units", "rectifiers", "softmax"):
        return "activation"
    return "other"


def drawing_of(summary: Summary) -> Drawing:
    """The drawing of a summary: the inputs at the top, then every call."""
    boxes = [
        Box(-1 - place, "input", ("input", shape_text(value.shape[1:])), "the input") for place, value in enumerate(summary.graph.inputs)
    ]
    inputs = {value.number: -1 - place for place, value in enumerate(summary.graph.inputs)}
    boxes.extend(_box(row) for row in summary.rows)
    arrows, labelled = [], set()
    for producer, consumer, value in summary.graph.edges():
        start = producer if producer is not None else inputs.get(value.number)
        if start is None:
            continue
        arrows.append(Arrow(start, consumer, shape_text(value.shape[1:]) if value.number not in labelled else ""))
        labelled.add(value.number)
    return Drawing(summary.model, tuple(boxes), tuple(arrows))


def _box(row: Row) -> Box:
    call = row.call
    costs = [f"{short_count(row.parameters)} params"] if row.parameters else []
    if row.cost.macs:
        costs.append(f"{short_count(row.cost.macs)} MACs")
    elif row.cost.flops:
        costs.append(f"{short_count(row.cost.flops)} FLOPs")
    elif not row.cost.known:
        costs.append("cost unknown")
    if row.field is not None and windows_of(call) is not None:
        costs.append(f"field {row.field.text()}")
    lines = (_shortened(row.name), _shortened(_words(row)), ", ".join(costs))
    return Box(call.number, kind_of(call.operator), tuple(line for line in lines if line), f"{row.name}: {row.cost.formula}")


def _words(row: Row) -> str:
    """The operator with its window, stride, groups and fused activation."""
    call = row.call
    words = [call.operator]
    windows = windows_of(call)
    if windows:
        words.append("x".join(str(window.kernel) for window in windows))
        stride = windows[0].stride
        if stride != 1:
            words.append(f"/{stride.numerator}" if stride.denominator == 1 else f"/{float(stride):.3g}")
    groups = call.arguments.get("groups", 1)
    if call.operator.startswith("conv") and groups != 1:
        words.append(f"groups {groups}")
    if call.arguments.get("activation"):
        words.append(f"+ {call.arguments['activation']}")
    return " ".join(words)


def _shortened(text: str) -> str:
    """The end of a long path says more than its start."""
    return text if len(text) <= LETTERS else f"\N{HORIZONTAL ELLIPSIS}{text[-LETTERS + 1 :]}"


# SVG

STYLE = (
    "text{font-family:system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:11px;fill:#1f2933}"
    ".name{font-weight:600;font-size:12px}.shape{fill:#4a5560;font-size:10.5px;paint-order:stroke;stroke:#fff;stroke-width:4px}"
    ".edge{fill:none;stroke:#8a94a0;stroke-width:1.4}.input text{fill:#fff}"
)


def svg(drawing: Drawing) -> str:
    """The drawing as one SVG element that stands alone.

    Examples
    --------
    >>> from tinycnn import models
    >>> from tinycnn.study import summary
    >>> svg(drawing_of(summary(models.lenet5(), (1, 28, 28)))).count("<rect")
    9
    """
    layout = drawing.layout
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img">',
        f"<title>{html.escape(drawing.title)}</title><style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#8a94a0"/></marker></defs>',
    ]
    parts.extend(_svg_arrow(arrow, layout) for arrow in drawing.arrows)
    parts.extend(_svg_label(arrow, layout) for arrow in drawing.arrows if arrow.label)
    parts.extend(_svg_box(box, layout) for box in drawing.boxes)
    return "\n".join([*parts, "</svg>"])


def _points(arrow: Arrow, layout: Layout) -> list[tuple[float, float]]:
    """From the lower edge of one box through the bends to the upper edge of the other; a bend is a straight piece past a row."""
    (x0, y0), (x1, y1) = layout.places[arrow.start], layout.places[arrow.end]
    points = [(x0, y0 + HEIGHT / 2)]
    for x, y in layout.bends.get((arrow.start, arrow.end), []):
        points += [(x, y - HEIGHT / 2), (x, y + HEIGHT / 2)]
    points.append((x1, y1 - HEIGHT / 2))
    return [(x + MARGIN, y + MARGIN) for x, y in points]


def _svg_arrow(arrow: Arrow, layout: Layout) -> str:
    points = _points(arrow, layout)
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for index, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        middle = (y0 + y1) / 2
        path.append(f"L{x1:.1f} {y1:.1f}" if index % 2 or x0 == x1 else f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}")
    return f'<path class="edge" d="{" ".join(path)}" marker-end="url(#tip)"/>'


def _svg_label(arrow: Arrow, layout: Layout) -> str:
    x, y = _points(arrow, layout)[0]
    return f'<text class="shape" x="{x + 6:.1f}" y="{y + 15:.1f}">{arrow.label}</text>'


def _svg_box(box: Box, layout: Layout) -> str:
    x, y = layout.places[box.number]
    fill, border = COLOURS[box.kind]
    left, top = x - WIDTH / 2 + MARGIN, y - HEIGHT / 2 + MARGIN
    first = top + HEIGHT / 2 - 15 * (len(box.lines) - 1) / 2 + 4
    lines = "".join(
        f'<text{" class=" + chr(34) + "name" + chr(34) if not index else ""} x="{x + MARGIN:.1f}" y="{first + 15 * index:.1f}" '
        f'text-anchor="middle">{html.escape(line)}</text>'
        for index, line in enumerate(box.lines)
    )
    return (
        f'<g class="node {box.kind}" data-row="{box.number}"><title>{html.escape(box.title)}</title>'
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{WIDTH:.0f}" height="{HEIGHT:.0f}" rx="6" fill="{fill}" stroke="{border}"/>{lines}</g>'
    )


# Graphviz and LaTeX


def dot(drawing: Drawing) -> str:
    """The drawing in Graphviz's language: `dot -Tpdf file.dot > file.pdf`.

    Examples
    --------
    >>> print(dot(Drawing("net", (Box(0, "other", ("a", "relu"), ""), Box(1, "other", ("b",), "")), (Arrow(0, 1, "8x4x4"),))))
    digraph "net" {
      node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=10];
      edge [fontname="Helvetica", fontsize=9];
      n0 [label="a\\nrelu", fillcolor="#ffffff", color="#8a94a0"];
      n1 [label="b", fillcolor="#ffffff", color="#8a94a0"];
      n0 -> n1 [label="8x4x4"];
    }
    """

    def quoted(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    def name(number: int) -> str:
        return f"n{number}" if number >= 0 else f"input{-number}"

    lines = [f"digraph {quoted(drawing.title)} {{", '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=10];']
    lines.append('  edge [fontname="Helvetica", fontsize=9];')
    for box in drawing.boxes:
        fill, border = COLOURS[box.kind]
        label = quoted("\n".join(line for line in box.lines if line)).replace("\n", "\\n")
        white = ', fontcolor="white"' if box.kind == "input" else ""
        lines.append(f'  {name(box.number)} [label={label}, fillcolor="{fill}", color="{border}"{white}];')
    for arrow in drawing.arrows:
        label = f" [label={quoted(arrow.label)}]" if arrow.label else ""
        lines.append(f"  {name(arrow.start)} -> {name(arrow.end)}{label};")
    return "\n".join([*lines, "}"])


TEX = {"\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
       "^": r"\textasciicircum{}", "\N{HORIZONTAL ELLIPSIS}": r"\dots{}"}  # fmt: skip


def tikz(drawing: Drawing) -> str:
    """The drawing as a LaTeX document with TikZ: `pdflatex file.tex`, or take the tikzpicture into a paper.

    Examples
    --------
    >>> text = tikz(Drawing("net", (Box(0, "other", ("my_layer", "relu"), ""),), ()))
    >>> "my\\\\_layer" in text, text.count("begin{tikzpicture}")
    (True, 1)
    """
    layout = drawing.layout
    scale = 0.02  # centimetres a pixel

    def point(x: float, y: float) -> str:
        return f"({x * scale:.2f},{-y * scale:.2f})"

    def safe(text: str) -> str:
        return "".join(TEX.get(letter, letter) for letter in text)

    colours = [
        rf"\definecolor{{{kind}fill}}{{HTML}}{{{fill[1:].upper()}}}\definecolor{{{kind}line}}{{HTML}}{{{line[1:].upper()}}}"
        for kind, (fill, line) in COLOURS.items()
    ]
    size = f"minimum width={WIDTH * scale:.2f}cm, minimum height={HEIGHT * scale:.2f}cm"
    lines = [
        r"\documentclass[border=5pt]{standalone}",
        r"\usepackage{tikz}",
        r"\usetikzlibrary{arrows.meta}",
        *colours,
        r"\begin{document}",
        r"\begin{tikzpicture}[>=Stealth, font=\sffamily\tiny,",
        f"  box/.style={{draw, rounded corners=2pt, align=center, inner sep=1pt, {size}}}]",
    ]
    for box in drawing.boxes:
        words = r" \\ ".join([rf"\textbf{{{safe(box.lines[0])}}}", *(safe(line) for line in box.lines[1:] if line)])
        white = ", text=white" if box.kind == "input" else ""
        lines.append(rf"\node[box, fill={box.kind}fill, draw={box.kind}line{white}] at {point(*layout.places[box.number])} {{{words}}};")
    for arrow in drawing.arrows:
        points = [(x - MARGIN, y - MARGIN) for x, y in _points(arrow, layout)]
        route = " -- ".join(point(*place) for place in points)
        lines.append(rf"\draw[->, draw=gray] {route};")
        if arrow.label:
            lines.append(rf"\node[anchor=north west, inner sep=2pt, text=darkgray] at {point(*points[0])} {{{safe(arrow.label)}}};")
    return "\n".join([*lines, r"\end{tikzpicture}", r"\end{document}", ""])
