"""A view as one page: grids of cells, steps by keys, buttons and a slider; nothing is fetched."""

from __future__ import annotations

import html
import math
from typing import Any

from ..explain_page import STYLE
from ..page import data_uri, script_data
from .text import final_grid, scene_lines
from .view import Curve, Grid, Scene, Step, View

__all__ = ["page"]

PRINTED = 60  # steps of a scene that are written out on paper

MORE_STYLE = """
.bar input[type=range] { flex: 1 1 8rem; min-width: 6rem; accent-color: var(--from); }
.focus { min-height: 5.2rem; margin: .2rem 0 1rem; padding: .7rem 1rem; }
.focus h2 { margin: 0 0 .2rem; font-size: 1.05rem; overflow-wrap: anywhere; } .focus p { margin: .2rem 0; overflow-wrap: anywhere; }
.arrays { gap: 1rem 1.6rem; } .array { max-height: none; } .array.tall { max-height: 72vh; }
.array h3, .array .lead { position: sticky; left: 0; max-width: 84vw; }
.array .lead { font-size: .85rem; margin: -.3rem 0 .3rem; max-width: min(84vw, 22rem); }
table.grid td { position: relative; min-width: 2.3em; height: 2em; padding: .1em .3em; }
table.grid td.pad { background: repeating-linear-gradient(45deg, var(--panel) 0 4px, transparent 4px 8px); }
table.grid td.pad, table.grid td.zero { color: var(--soft); }
table.grid td.good { background: rgba(34, 160, 80, .2); color: inherit; font-weight: inherit; }
table.grid td.bad { background: rgba(210, 60, 50, .25); color: inherit; }
table.grid td.from { background: var(--from-fill); color: inherit; }
table.grid td.now, table.grid td.term { background: var(--now-fill); color: inherit; }
table.grid td[data-step] { cursor: pointer; }
table.grid td sub { color: var(--now); font-size: .68em; margin-left: .1em; }
table.dense, table.grid.dense { font-size: .74rem; } table.grid.dense td { min-width: 1.6em; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
.pictures figure { margin: 0; max-width: 100%; padding: 4px; border-radius: 6px; cursor: pointer; }
.pictures img { display: block; max-width: 100%; width: 250px; image-rendering: pixelated; }
.pictures figure.now { box-shadow: 0 0 0 3px var(--now); } .pictures figcaption { max-width: 250px; }
svg.curve { display: block; width: 100%; max-width: 620px; height: auto; margin: .4rem 0 1rem; }
svg.curve text { fill: var(--soft); font-size: 12px; } svg.curve line { stroke: var(--line); }
svg.curve path { fill: none; stroke: var(--from); stroke-width: 2; } svg.curve circle { fill: var(--now); }
@media (max-width: 600px) { .pictures { gap: .5rem; } .pictures figure { flex: 1 1 40%; max-width: 48%; }
  table.list th { white-space: normal; overflow-wrap: anywhere; min-width: 6em; }
  table.grid td { min-width: 1.9em; padding: .1em .2em; } .bar { gap: .3rem; } button { padding: .2rem .6rem; } }
@media print { .array.tall { max-height: none; } .array[hidden] { display: block; }
  .pictures img { width: 150px; } .pictures figcaption { max-width: 150px; } }
"""

HUES = "".join(
    f"table.grid td.w{number} {{ background: hsla({(number * 137) % 360}, 75%, 50%, .26); }}\n" for number in range(12)
)

SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent), by = id => document.getElementById(id);
let scene = 0, at = 0, cells = {}, shown = {}, boxes = {}, pictures = [];
function make(tag, text, kind) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
}
function reveal(cell) {  // within its own array; the page stays where it is
  const box = cell.closest(".array"), inner = cell.getBoundingClientRect(), outer = box.getBoundingClientRect();
  if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 8;
  if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top + 8;
  if (inner.right > outer.right) box.scrollLeft += inner.right - outer.right + 8;
  if (inner.left < outer.left) box.scrollLeft -= outer.left - inner.left + 8;
}
function draw(grid) {
  const shape = grid.shape, tall = shape.length > 1 && shape[shape.length - 2] > 24;
  const box = make("div", undefined, "array" + (tall ? " tall" : "")), holder = make("div", undefined, "grids");
  box.append(make("h3", grid.name + "  " + shape.join(" x ")));
  if (grid.words) box.append(make("p", grid.words, "lead"));
  const lead = shape.slice(0, -2), planes = lead.reduce((a, b) => a * b, 1);
  const rows = shape.length > 1 ? shape[shape.length - 2] : 1, columns = shape.length ? shape[shape.length - 1] : 1;
  cells[grid.name] = [];
  for (let plane = 0; plane < planes; plane++) {
    const figure = make("figure"), table = make("table", undefined, "grid" + (columns > 14 || grid.widest > 7 ? " dense" : ""));
    if (planes > 1) {
      const index = [];
      for (let axis = lead.length - 1, rest = plane; axis >= 0; axis--) { index.unshift(rest % lead[axis]); rest = Math.floor(rest / lead[axis]); }
      figure.append(make("figcaption", "[" + index.join(", ") + "]"));
    }
    for (let i = 0; i < rows; i++) {
      const row = table.insertRow();
      for (let j = 0; j < columns; j++) cells[grid.name].push(row.insertCell());
    }
    figure.append(table);
    holder.append(figure);
  }
  box.append(holder);
  boxes[grid.name] = box;
  return box;
}
function write(grid, texts, small) {
  const largest = grid.shade ? Math.max(1e-12, ...texts.map(text => Math.abs(Number(text)) || 0)) : 0;
  cells[grid.name].forEach((cell, place) => {
    if (shown[grid.name][place] !== texts[place] || cell.childElementCount || (small && small[place] !== undefined)) {
      cell.textContent = texts[place];
      shown[grid.name][place] = texts[place];
      if (small && small[place] !== undefined) cell.append(make("sub", small[place]));
    }
    cell.className = grid.kinds[place] || "";
    if (grid.shade) {
      const share = (Number(texts[place]) || 0) / largest;
      cell.style.background = `rgba(${share < 0 ? "210, 60, 50" : "40, 110, 220"}, ${(0.55 * Math.abs(share)).toFixed(3)})`;
    }
  });
}
function choose(next) {
  const now = data.scenes[scene], last = now.steps.length - 1;
  at = Math.max(0, Math.min(last, next));
  const step = now.steps[at] || { title: "", lines: [], marks: [], changes: {}, small: {} };
  const texts = Object.fromEntries(now.grids.map(grid => [grid.name, grid.cells.slice()]));
  for (let number = 0; number <= at && number <= last; number++)
    for (const [name, changed] of Object.entries(now.steps[number].changes))
      for (const [place, text] of Object.entries(changed)) texts[name][place] = text;
  for (const grid of now.grids) {
    write(grid, texts[grid.name], step.small[grid.name]);
    boxes[grid.name].hidden = now.focus && !step.marks.some(([name]) => name === grid.name);
  }
  pictures.forEach(figure => figure.classList.remove("now"));
  for (const [name, kind, places] of step.marks) {
    const list = name === "pictures" ? pictures : cells[name];
    if (now.focus && places.length === list.length) continue;
    places.forEach(place => { list[place].classList.add(kind); list[place].style.background = ""; });
    if (name !== "pictures" && places.length && places.length < list.length) {
      reveal(list[places[places.length - 1]]); reveal(list[places[0]]);
    } else if (name === "pictures") list[places[0]].scrollIntoView({ block: "nearest" });
  }
  const panel = by("focus");
  panel.replaceChildren(make("h2", step.title), ...step.lines.map(line => make("p", line, "mono")));
  panel.hidden = !now.steps.length;
  by("where").textContent = now.steps.length ? "step " + (at + 1) + " of " + (last + 1) : "";
  by("slider").max = Math.max(last, 0); by("slider").value = at; by("slider").disabled = last < 1;
  mark();
}
function mark() {
  const now = data.scenes[scene], dot = document.querySelector("svg.curve circle");
  if (dot && now.curve.dots[at]) { dot.setAttribute("cx", now.curve.dots[at][0]); dot.setAttribute("cy", now.curve.dots[at][1]); }
}
function open(number) {
  scene = number; cells = {}; shown = {};
  const now = data.scenes[scene], box = by("arrays"), gallery = by("pictures");
  by("words").textContent = now.words;
  [...by("tabs").children].forEach((tab, place) => tab.setAttribute("aria-pressed", String(place === scene)));
  by("curve").innerHTML = now.curve ? now.curve.svg : "";
  box.replaceChildren(...now.grids.map(draw));
  now.grids.forEach(grid => { shown[grid.name] = []; });
  pictures = now.pictures.map((picture, place) => {
    const figure = make("figure"), image = make("img");
    image.src = picture.source; image.alt = picture.name + ": " + picture.words;
    figure.append(image, make("figcaption", picture.name + ": " + picture.words));
    figure.onclick = () => choose(place);
    return figure;
  });
  gallery.replaceChildren(...pictures);
  now.steps.forEach((step, place) => {
    for (const [name, kind, places] of step.marks)
      if (kind === "now" && places.length === 1 && name !== "pictures") cells[name][places[0]].dataset.step ??= place;
  });
  choose(0);
}
data.scenes.forEach((each, number) => {
  const tab = make("button", each.title);
  tab.onclick = () => open(number);
  by("tabs").append(tab);
});
by("back").onclick = () => choose(at - 1);
by("on").onclick = () => choose(at + 1);
by("slider").oninput = () => choose(Number(by("slider").value));
by("arrays").addEventListener("click", event => {
  const cell = event.target.closest("td[data-step]");
  if (cell) choose(Number(cell.dataset.step));
});
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === by("slider")) return;
  const last = data.scenes[scene].steps.length - 1;
  const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
  if (next !== undefined) { event.preventDefault(); choose(next); }
  const digit = Number(event.key);
  if (digit >= 1 && digit <= data.scenes.length) open(digit - 1);
});
// #2.5 in the address opens the second part at its fifth step.
const [asked, first] = location.hash.slice(1).split(".").map(Number);
open(asked >= 1 && asked <= data.scenes.length ? asked - 1 : 0);
if (first >= 1) choose(first - 1);
"""


def page(view: View) -> str:
    """The page, which needs no network."""
    title = html.escape(view.title)
    facts = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in view.facts)
    checks = "".join(
        f'<tr><td class="short {"good" if check.agrees else "bad"}">{"agrees" if check.agrees else "differs"}</td><td>{html.escape(check.words)}</td>'
        f"<td>{check.difference:.1e}</td></tr>"
        for check in view.checks
    )
    head = "<tr><th></th><th>what</th><th>largest difference</th></tr>"
    checked = f'<h2>Checked</h2><div class="wide"><table class="list">{head}{checks}</table></div>'
    printed = "\n".join(line for scene in view.scenes for line in _paper(scene))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>{title}</title><style>{STYLE}{MORE_STYLE}{HUES}</style></head><body><main>
<h1>{title}</h1><p class="lead">{html.escape(view.lead)}</p><pre>{html.escape(view.formula)}</pre>
<div class="bar"><span id="tabs" role="group" aria-label="parts"></span>
<button id="back" aria-label="previous step">&#8592;</button><button id="on" aria-label="next step">&#8594;</button>
<input type="range" id="slider" min="0" value="0" aria-label="step"><span class="where" id="where" aria-live="polite"></span></div>
<p class="lead" id="words"></p><section class="focus" id="focus"></section><div id="curve"></div>
<div class="arrays" id="arrays"></div><div class="pictures" id="pictures"></div>
<h2>Counted</h2><div class="wide"><table class="list">{facts}</table></div>
{"".join(_table(each) for each in view.tables)}{checked if checks else ""}
{"".join(f"<p>{html.escape(note)}</p>" for note in view.notes)}
<section class="print"><h2>Step by step</h2><pre>{html.escape(printed)}</pre></section>
<footer>Arrow keys step, <kbd>1</kbd> <kbd>2</kbd> ... change the part, Home and End go to the ends; a click on a result goes to its step.
Written by tinycnn; this page is one file and works offline.</footer></main>
<script type="application/json" id="data">{script_data(_data(view))}</script><script>{SCRIPT}</script></body></html>
"""


def _table(table: Any) -> str:
    """Measurements under a heading."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in table.header)
    rows = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    note = f'<p class="lead">{html.escape(table.note)}</p>' if table.note else ""
    return f'<h2>{html.escape(table.title)}</h2>{note}<div class="wide"><table class="list"><tr>{head}</tr>{rows}</table></div>'


def _paper(scene: Scene) -> list[str]:
    """The steps as text, for paper; the grids are on it already."""
    bare = Scene(scene.title, scene.words, (), scene.steps[:PRINTED])
    left = len(scene.steps) - PRINTED
    return [*scene_lines(bare, PRINTED), *([f"... and {left} more steps", ""] if left > 0 else [])]


def _data(view: View) -> dict[str, Any]:
    """What the script steps through."""
    return {"scenes": [_scene(scene) for scene in view.scenes]}


def _scene(scene: Scene) -> dict[str, Any]:
    return {
        "title": scene.title,
        "words": scene.words,
        "focus": scene.focus,
        "grids": [_grid(scene, grid) for grid in scene.grids],
        "steps": [_step(step) for step in scene.steps],
        "curve": _curve(scene.curve) if scene.curve else None,
        "pictures": [{"name": each.name, "words": each.words, "source": data_uri(each.png)} for each in scene.pictures],
    }


def _grid(scene: Scene, grid: Grid) -> dict[str, Any]:
    widest = max(map(len, final_grid(scene, grid).cells), default=0)
    return {
        "name": grid.name,
        "words": grid.words,
        "shape": grid.shape,
        "cells": grid.cells,
        "kinds": grid.kinds,
        "shade": grid.shade,
        "widest": widest,
    }


def _step(step: Step) -> dict[str, Any]:
    return {"title": step.title, "lines": step.lines, "marks": step.marks, "changes": dict(step.changes), "small": dict(step.small)}


def _curve(curve: Curve) -> dict[str, Any]:
    """The curve as SVG on a logarithmic scale, and where its points are."""
    width, height, left, bottom = 620, 180, 64, 34
    floor = 1e-30
    logs = [math.log10(min(max(value, floor), 1e30)) if math.isfinite(value) else 30.0 for value in curve.values]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    high = max(high, low + 1)
    most = max(max(curve.places), 1.0)

    def spot(place: float, value: float) -> tuple[float, float]:
        across = left + (width - left - 16) * place / most
        return round(across, 1), round(12 + (height - bottom - 12) * (high - value) / (high - low), 1)

    dots = [spot(place, value) for place, value in zip(curve.places, logs)]
    every = max(1, -(-(high - low) // 6))
    ticks = "".join(
        f'<line x1="{left}" x2="{width - 16}" y1="{spot(0, power)[1]}" y2="{spot(0, power)[1]}"/>'
        f'<text x="{left - 6}" y="{spot(0, power)[1] + 4}" text-anchor="end">1e{power}</text>'
        for power in range(low, high + 1, every)
    )
    path = "M" + "L".join(f"{x} {y}" for x, y in dots)
    svg = (
        f'<svg class="curve" viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(curve.name)}">{ticks}'
        f'<text x="{left}" y="{height - 8}">0</text><text x="{width - 16}" y="{height - 8}" text-anchor="end">{most:g}</text>'
        f'<text x="{(left + width) // 2}" y="{height - 8}" text-anchor="middle">{html.escape(curve.name)}, logarithmic</text>'
        f'<path d="{path}"/><circle r="5" cx="{dots[0][0]}" cy="{dots[0][1]}"/></svg>'
    )
    return {"svg": svg, "dots": dots}
