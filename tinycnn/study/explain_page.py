"""An explanation as one self-contained page: the arrow keys step through the elements of a result, and their sources light up."""

from __future__ import annotations

import html

from .explain_text import as_dict
from .explanation import Explanation
from .page import BASE, document, script_data

__all__ = ["STEPPER", "STYLE", "notebook_frame", "page", "stepper_scripts"]

OWN_STYLE = """
@media screen and (min-width: 601px) { body { font-size: 17px; } }
h3 { font-size: 1rem; margin: 0 0 .3rem; color: var(--soft); font-weight: 600; }
p.step { margin: .25rem 0; }
.bar { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; margin: .9rem 0; position: sticky; top: 0; background: var(--paper);
  padding: .5rem 0; z-index: 2; border-bottom: 1px solid var(--line); }
button[aria-pressed=true] { background: var(--from-fill); border-color: var(--from); }
td:focus-visible { outline: 3px solid var(--from); outline-offset: 1px; }
#tabs { display: flex; flex-wrap: wrap; gap: .4rem; }
.where { margin-left: auto; color: var(--soft); font-variant-numeric: tabular-nums; }
.arrays { display: flex; flex-wrap: wrap; gap: 1.4rem 2rem; align-items: flex-start; }
.array { max-width: 100%; max-height: 46vh; overflow: auto; padding: 2px; position: relative; }
table.dense { font-size: .78rem; } table.grid.dense td { min-width: 0; height: 1.9em; padding: .1em .3em; }
.grids { display: flex; flex-wrap: wrap; gap: .8rem; }
.grids figure { margin: 0; } figcaption { color: var(--soft); font-size: .8rem; }
table.grid td { border: 1px solid var(--line); min-width: 2.7em; height: 2.3em; padding: .1em .45em; text-align: center; }
table.grid td.from { background: var(--from-fill); box-shadow: inset 0 0 0 2px var(--from); font-weight: 600; }
table.grid td.term, table.grid td.now { background: var(--now-fill); box-shadow: inset 0 0 0 3px var(--now); font-weight: 700; }
table.grid.result td { cursor: pointer; }
.focus { background: var(--panel); border-radius: 10px; padding: 1rem 1.2rem; margin-top: 1.2rem; }
.equation { font-size: 1.15rem; overflow-wrap: anywhere; margin: .3rem 0; } .equation b { color: var(--now); }
.equation .mono { font-size: 1rem; }
table.list { font-size: .9rem; }
table.list th, table.list td { text-align: left; padding: .25rem 1.1rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
table.list th { color: var(--soft); font-weight: 600; white-space: nowrap; } table.list td { overflow-wrap: anywhere; }
table.list td.short { white-space: nowrap; }
table.list tr.pick:hover td { background: var(--now-fill); }
.bad { font-weight: 700; }
@media (max-width: 600px) { .where { margin-left: 0; } }
.print { display: none; }
@media print { .print { display: block; } .bar { display: none; } .focus { border: 1px solid #999; } .array { overflow: visible; max-height: none; } }
"""
STYLE = BASE + OWN_STYLE

SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent);
const parts = [...data.results, ...data.gradients];
let part = 0, at = 0;
const by = id => document.getElementById(id);
function make(tag, text, kind) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
}
function flat(values) { return Array.isArray(values) ? values.flatMap(flat) : [values]; }
function short(value) {
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}
function key(name, index) { return name + "|" + index.join(","); }
function light(sources, kind) {
  for (const [name, index] of sources) {
    const cell = document.querySelector(`td[data-key="${CSS.escape(key(name, index))}"]`);
    if (cell) { cell.classList.add(kind); reveal(cell); }
  }
}
function reveal(cell) {  // within its own array; the page stays where it is
  const box = cell.closest(".array"), inner = cell.getBoundingClientRect(), outer = box.getBoundingClientRect();
  if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 8;
  if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top + 8;
  if (inner.right > outer.right) box.scrollLeft += inner.right - outer.right + 8;
  if (inner.left < outer.left) box.scrollLeft -= outer.left - inner.left + 8;
}
function grids(name, shape, values, shown, result) {
  const box = make("div", undefined, "array"), holder = make("div", undefined, "grids");
  box.append(make("h3", name + (shape.length ? "  " + shape.join(" x ") : "")));
  const all = shown || flat(values).map(short), lead = shape.slice(0, -2), count = lead.reduce((a, b) => a * b, 1);
  const rows = shape.length > 1 ? shape[shape.length - 2] : 1, columns = shape.length ? shape[shape.length - 1] : 1;
  for (let block = 0; block < count; block++) {
    const prefix = [];
    for (let axis = lead.length - 1, rest = block; axis >= 0; axis--) { prefix.unshift(rest % lead[axis]); rest = Math.floor(rest / lead[axis]); }
    const figure = make("figure"), table = make("table", undefined, "grid" + (result ? " result" : "") + (columns > 14 ? " dense" : ""));
    if (count > 1) figure.append(make("figcaption", "[" + prefix.join(", ") + "]"));
    for (let i = 0; i < rows; i++) {
      const row = table.insertRow();
      for (let j = 0; j < columns; j++) {
        const number = (block * rows + i) * columns + j, cell = row.insertCell();
        const index = shape.length > 1 ? [...prefix, i, j] : shape.length ? [j] : [];
        cell.textContent = all[number];
        cell.dataset.key = key(name, index);
        if (result) cell.dataset.number = number;
        cell.setAttribute("aria-label", name + "[" + index.join(", ") + "] = " + all[number]);
      }
    }
    figure.append(table);
    holder.append(figure);
  }
  box.append(holder);
  return box;
}
function list(header, rows, shorts) {
  const wide = make("div", undefined, "wide"), table = make("table", undefined, "list"), head = table.createTHead().insertRow();
  for (const text of header) head.append(make("th", text));
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    row.forEach((text, column) => line.append(make("td", text, shorts.includes(column) ? "short" : "")));
  }
  wide.append(table);
  return wide;
}
function equation(...pieces) { const line = make("p", undefined, "equation"); line.append(...pieces); return line; }
function choose(next, focus) {
  const shown = parts[part];
  at = Math.max(0, Math.min(shown.elements.length - 1, next));
  document.querySelectorAll(".now, .from, .term").forEach(cell => cell.classList.remove("now", "from", "term"));
  const element = shown.elements[at], panel = by("focus");
  panel.replaceChildren();
  if (!element) { panel.append(make("p", "This result is empty.")); by("where").textContent = ""; return; }
  const cell = document.querySelector(`table.result td[data-number="${at}"]`);
  if (cell) { cell.classList.add("now"); reveal(cell); if (focus) cell.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  light(element.sources, "from");
  const name = shown.name + (element.index.length ? "[" + element.index.join(", ") + "]" : "");
  panel.append(equation(make("b", name), " = ", make("span", element.symbols, "mono")));
  if (element.numbers !== element.symbols && element.terms.length) panel.append(equation("= ", make("span", element.numbers, "mono")));
  if (String(element.value) !== element.symbols) panel.append(equation("= ", make("b", String(element.value))));
  for (const step of shown.steps.filter(step => element.steps.includes(step.name))) {
    const line = make("p", undefined, "step");
    line.append("with ", make("b", step.name), " = ", make("span", step.symbols + " = " + step.numbers + " = " + step.value, "mono"));
    panel.append(line);
  }
  if (element.terms.length > 1) panel.append(terms(element));
  if (!element.terms.length && element.sources.length) panel.append(make("p", "A decision: the marked elements can change it."));
  by("where").textContent = name + ", " + (at + 1) + " of " + shown.elements.length;
}
function terms(element) {
  const table = list(["term", "with numbers", "adds"], element.terms.map(term => [term.symbols, term.numbers, term.value]), [2]);
  [...table.querySelectorAll("tbody tr")].forEach((row, number) => {
    row.className = "pick";
    row.onmouseenter = () => light(element.terms[number].sources, "term");
    row.onmouseleave = () => document.querySelectorAll(".term").forEach(each => each.classList.remove("term"));
  });
  return table;
}
function open(number) {
  part = number;
  const shown = parts[part], box = by("arrays"), gradient = part >= data.results.length;
  box.replaceChildren();
  [...by("tabs").children].forEach((tab, place) => tab.setAttribute("aria-pressed", String(place === part)));
  for (const [name, array] of Object.entries(data.arrays)) {
    if (gradient || !name.startsWith("grad")) box.append(grids(name, array.shape, array.values));
  }
  box.append(grids(shown.name, shown.shape, shown.values, shown.elements.map(element => String(element.value)), true));
  choose(0);
}
parts.forEach((each, number) => {
  const tab = make("button", each.name);
  tab.onclick = () => open(number);
  by("tabs").append(tab);
});
by("back").onclick = () => choose(at - 1, true);
by("on").onclick = () => choose(at + 1, true);
by("arrays").addEventListener("click", event => {
  const cell = event.target.closest("td[data-number]");
  if (cell) choose(Number(cell.dataset.number));
});
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const shape = parts[part].shape, columns = shape.length ? shape[shape.length - 1] : 1, last = parts[part].elements.length - 1;
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns, Home: 0, End: last }[event.key];
  if (next !== undefined) { event.preventDefault(); if (next >= 0 && next <= last) choose(next, true); }
  const digit = Number(event.key);
  if (digit >= 1 && digit <= parts.length) open(digit - 1);
});
for (const table of data.tables) {
  by("tables").append(make("h2", table.title), list(table.header, table.rows, [0]));
  if (table.note) by("tables").append(make("p", table.note, "lead"));
}
if (data.checks.length) {
  by("tables").append(make("h2", "Numeric check"), make("p", "Differences of sum(grad y) beside the gradient.", "lead"));
  const table = list(["entry", "analytic", "numeric", "verdict"], data.checks.map(check =>
    [check.of + "[" + check.index.join(", ") + "]", short(check.analytic), short(check.numeric), check.verdict]), [0, 1, 2]);
  [...table.querySelectorAll("tbody tr")].forEach((row, number) => row.lastChild.classList.add(data.checks[number].agrees ? "good" : "bad"));
  by("tables").append(table);
}
// #2.5 in the address opens the second result at its fifth element.
const [asked, first] = location.hash.slice(1).split(".").map(Number);
open(asked >= 1 && asked <= parts.length ? asked - 1 : 0);
if (first >= 1) choose(first - 1);
"""

STEPPER = """<div class="bar"><span id="tabs" role="group" aria-label="results and gradients"></span>
<button id="back" aria-label="previous element">&#8592;</button><button id="on" aria-label="next element">&#8594;</button>
<span class="where" id="where" aria-live="polite"></span></div>
<div class="arrays" id="arrays"></div><section class="focus" id="focus"></section>"""


def page(found: Explanation) -> str:
    """The page, which needs no network."""
    parts = [
        f'<h1>{html.escape(found.operator)}</h1><p class="lead">{html.escape(found.summary)}</p>',
        f'<p class="lead"><code>{html.escape(found.call)}</code></p>',
        STEPPER,
        *([f"<h2>Formula</h2><pre>{html.escape(found.formula)}</pre>"] if found.formula else []),
        *([f'<p class="lead">The derivative jumps at: {html.escape(found.kinks)}.</p>'] if found.kinks and found.gradients else []),
        *(f'<p class="lead">{html.escape(note)}</p>' for note in found.notes),
        '<div id="tables"></div>',
        f'<section class="print"><h2>Every element</h2><pre>{html.escape(found.text(elements=64))}</pre></section>',
        "<footer>Arrow keys step through the elements, <kbd>1</kbd> <kbd>2</kbd> ... change the result, Home and End go to the ends.",
        "The numbers are those of the reference kernel, run on numbers that remember their sources; the terms add up to every value",
        f"{'exactly' if not found.largest_error else f'to {found.largest_error:.0e}'}.</footer>",
    ]
    return document(f"{found.operator}, explained", parts, as_dict(found), style=OWN_STYLE, script=SCRIPT)


def stepper_scripts(found: Explanation) -> str:
    """The data and the program that fill `STEPPER` and the element "tables"; they come last in a page."""
    return f'<script type="application/json" id="data">{script_data(as_dict(found))}</script><script>{SCRIPT}</script>'


def notebook_frame(found: Explanation) -> str:
    """The page inside a frame, so that its style stays its own."""
    title, inside = html.escape(found.operator), html.escape(page(found), quote=True)
    return f'<iframe title="{title}" style="width:100%;height:640px;border:0" srcdoc="{inside}"></iframe>'
