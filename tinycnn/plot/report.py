"""The report of a run: one HTML file that opens anywhere, without a network and without the files beside it."""

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .canvas import INSTALL

STYLE = """
:root {
  --paper: #ffffff; --ink: #1f2933; --faint: #616e7c; --line: #e1e6eb; --panel: #f5f7f9; --accent: #2467b3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --ink: #e4e9ee; --faint: #9aa7b4; --line: #2c343d; --panel: #1c2229; --accent: #7db4f0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main { max-width: 1060px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.8rem 0 .7rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
p { max-width: 46rem; }
.lead { color: var(--faint); margin-top: 0; }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.4rem 0; }
.tile { flex: 1 1 9rem; background: var(--panel); border-radius: 8px; padding: .8rem 1rem; }
.tile b { display: block; font-size: 1.55rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { color: var(--faint); font-size: .88rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem 1.2rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--faint); font-weight: 600; white-space: nowrap; }
td.number, th.number { text-align: right; }
figure { margin: 1rem 0 0; }
figure img {
  display: block; max-width: 100%; height: auto; background: #ffffff;
  border: 1px solid var(--line); border-radius: 8px; padding: .5rem;
}
figcaption { max-width: 46rem; margin-top: .6rem; color: var(--faint); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 2.5rem; }
.columns td { overflow-wrap: anywhere; }
.hint { border-left: 3px solid var(--accent); background: var(--panel); padding: .6rem 1rem; margin: .5rem 0; }
code { background: var(--panel); border-radius: 4px; padding: .1rem .35rem; font-size: .9em; overflow-wrap: anywhere; }
footer { margin-top: 3rem; color: var(--faint); font-size: .88rem; }
@media print { .hint, .tile { border: 1px solid var(--line); } figure { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Picture:
    """A PNG file with its heading and a caption that says how to read it."""

    path: Path
    heading: str
    caption: str


@dataclass(frozen=True)
class Report:
    """Everything the page shows, as text and numbers; what is left empty is left out."""

    title: str
    lead: str
    results: Sequence[tuple[str, str]]  # big numbers: what, value
    pictures: Sequence[Picture] = ()
    epochs: Sequence[Mapping[str, Any]] = ()  # as draw_curves takes them
    classes: Sequence[tuple[str, float, float, float, int]] = ()  # ClassReport.rows
    layers: Sequence[tuple[str, str, tuple[int, ...], int]] = ()  # name, class, output shape, parameters
    total_parameters: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    hints: Sequence[str] = ()
    commands: Sequence[tuple[str, str]] = ()  # command, what it does


def write_report(report: Report, path: str | Path) -> Path:
    """Write the report as one HTML file: pictures and style inside it, nothing fetched from anywhere.

    Parameters
    ----------
    report : what to show
    path : the HTML file to write
    """
    sections = [
        _heading(report),
        *(_picture(picture) for picture in report.pictures),
        _no_pictures(report),
        _hints(report.hints),
        _epoch_table(report.epochs),
        _class_table(report.classes),
        _layer_table(report.layers, report.total_parameters),
        _facts(report.config, report.environment),
        _commands(report.commands),
    ]
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" '
        'content="light dark">\n'
        f"<title>{html.escape(report.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(section for section in sections if section)
        + "\n<footer>Written by tinycnn. This page is one file: it can be mailed, archived and read offline.</footer>\n"
        "</main>\n</body>\n</html>\n"
    )
    target = Path(path)
    target.write_text(page, encoding="utf-8")
    return target


def _heading(report: Report) -> str:
    tiles = "".join(
        f'<div class="tile"><b>{html.escape(value)}</b><span>{html.escape(name)}</span></div>'
        for name, value in report.results
    )
    title, lead = html.escape(report.title), html.escape(report.lead)
    return f'<h1>{title}</h1>\n<p class="lead">{lead}</p>\n<div class="tiles">{tiles}</div>'


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.path.read_bytes()).decode("ascii")
    heading, caption = html.escape(picture.heading), html.escape(picture.caption)
    return (
        f'<h2>{heading}</h2>\n<figure><img alt="{heading}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _no_pictures(report: Report) -> str:
    if report.pictures:
        return ""
    return (
        "<h2>Pictures</h2>\n<p>None were drawn, because matplotlib is not installed. "
        f"<code>{html.escape(INSTALL)}</code> adds it; <code>tinycnn eval</code> on this run then draws them.</p>"
    )


def _hints(hints: Sequence[str]) -> str:
    if not hints:
        return ""
    return "<h2>Hints</h2>\n" + "\n".join(f'<p class="hint">{html.escape(hint)}</p>' for hint in hints)


def _table(header: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> str:
    """A table; each header says whether its column holds numbers, which stand to the right."""

    def cell(tag: str, text: str, number: bool) -> str:
        return f"<{tag}{' class=' + chr(34) + 'number' + chr(34) if number else ''}>{html.escape(text)}</{tag}>"

    head = "".join(cell("th", name, number) for name, number in header)
    body = "\n".join(
        "<tr>" + "".join(cell("td", text, number) for text, (_, number) in zip(row, header, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{body}\n</table></div>'


def _number(value: Any, digits: int, scale: float = 1.0, unit: str = "") -> str:
    return f"{scale * value:.{digits}f}{unit}" if isinstance(value, (int, float)) else "\N{EN DASH}"


def _epoch_table(epochs: Sequence[Mapping[str, Any]]) -> str:
    if not epochs:
        return ""
    header = [
        ("epoch", True),
        ("train loss", True),
        ("train accuracy", True),
        ("test loss", True),
        ("test accuracy", True),
    ]
    rows = [
        [
            f"{row['epoch']:g}",
            _number(row.get("train_loss"), 4),
            _number(row.get("train_accuracy"), 2, 100, " %"),
            _number(row.get("test_loss"), 4),
            _number(row.get("test_accuracy"), 2, 100, " %"),
        ]
        for row in epochs
    ]
    return "<h2>Epochs</h2>\n" + _table(header, rows)


def _class_table(classes: Sequence[tuple[str, float, float, float, int]]) -> str:
    if not classes:
        return ""
    header = [("class", False), ("precision", True), ("recall", True), ("F1", True), ("test images", True)]
    rows = [
        [name, _number(precision, 3), _number(recall, 3), _number(f1, 3), str(support)]
        for name, precision, recall, f1, support in classes
    ]
    note = (
        "<p>Precision: of the images called this class, how many were it. Recall: of the images of this class, how "
        "many were found. "
        "F1 is the harmonic mean of the two.</p>"
    )
    return "<h2>Class by class</h2>\n" + note + _table(header, rows)


def _layer_table(layers: Sequence[tuple[str, str, tuple[int, ...], int]], total: int) -> str:
    if not layers:
        return ""
    rows = [
        [name, kind, " \N{MULTIPLICATION SIGN} ".join(map(str, shape)), f"{count:,}" if count else "\N{EN DASH}"]
        for name, kind, shape, count in layers
    ]
    rows.append(["all", "", "", f"{total:,}"])
    note = (
        "<p>Output shapes are channels \N{MULTIPLICATION SIGN} height \N{MULTIPLICATION SIGN} width, for one image.</p>"
    )
    header = [("layer", False), ("kind", False), ("output", False), ("parameters", True)]
    return "<h2>The network, layer by layer</h2>\n" + note + _table(header, rows)


def _facts(config: Mapping[str, Any], environment: Mapping[str, Any]) -> str:
    parts = []
    for heading, facts in (("Configuration", config), ("Environment", environment)):
        if facts:
            rows = [[str(name), str(value)] for name, value in facts.items()]
            parts.append(f"<div><h2>{heading}</h2>\n" + _table([("name", False), ("value", False)], rows) + "</div>")
    return f'<div class="columns">{"".join(parts)}</div>' if parts else ""


def _commands(commands: Sequence[tuple[str, str]]) -> str:
    if not commands:
        return ""
    lines = "\n".join(
        f"<p><code>{html.escape(command)}</code><br>{html.escape(text)}</p>" for command, text in commands
    )
    return "<h2>Go on from here</h2>\n" + lines
