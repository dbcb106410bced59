"""A sheet of exercises as one HTML page that checks what is typed into it, offline, and leaves room to write when it is printed.

The answers are not in the blank page: it carries salted FNV-1a hashes of the numbers in thousandths, so that neither the page nor its source
shows them. That keeps honest people from reading them by accident, no more: small numbers can be found by trying.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

import numpy as np

from .exercise_sheet import Blank, Exercise, Given, Sheet, matrix_text, units, value_text
from .explain_page import STYLE
from .page import script_data

__all__ = ["document", "framed", "hashed", "sheet_page"]

MORE_STYLE = """
h2 { border-top: 1px solid var(--line); padding-top: 1.1rem; } .soft { color: var(--soft); }
dl.given { display: flex; flex-wrap: wrap; gap: .5rem 1.8rem; margin: .7rem 0; } dl.given > div { max-width: 100%; }
dt { color: var(--soft); font-size: .88rem; } dd { margin: .1rem 0 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.blank { margin: .9rem 0; } .blank label { display: block; } .scroll { overflow-x: auto; max-width: 100%; padding: 3px; }
input { font: inherit; font-variant-numeric: tabular-nums; color: inherit; background: var(--paper); border: 1px solid var(--soft);
  border-radius: 5px; padding: .15rem .4rem; width: 9rem; max-width: 100%; }
table.grid input { width: 4.1rem; text-align: center; border: 0; border-radius: 0; padding: .15rem 0; }
table.grid td.in { padding: 0; border-color: var(--soft); } input.long { width: 16rem; }
input:focus-visible { outline: 3px solid var(--from); outline-offset: 1px; }
input.right { background: color-mix(in srgb, var(--good) 22%, var(--paper)); }
input.wrong { background: color-mix(in srgb, var(--bad) 20%, var(--paper)); }
.said { min-height: 1.5em; display: block; font-size: .92rem; } .steps p { margin: .2rem 0; overflow-wrap: anywhere; }
.steps code { font-size: .88rem; }
.steps { background: var(--panel); border-radius: 8px; padding: .7rem 1rem; } .name, .room { display: none; }
@media (max-width: 600px) { table.grid input { width: 3.5rem; } }
@media print { .name { display: block; text-align: right; } .room { display: block; }
  .room i { display: block; height: 8mm; border-bottom: 1px dotted #999; }
  input { border: 1px solid #555; height: 8mm; } table.grid input { width: 11mm; height: 8mm; } .said, .keys { display: none; }
  .blank { break-inside: avoid; }
  h2 { break-after: avoid; } .scroll { overflow: visible; } .steps { border: 1px solid #999; } main { padding: 0; } }
"""

SCRIPT = """
const data = JSON.parse(document.getElementById("data").textContent), by = id => document.getElementById(id), encoder = new TextEncoder();
function hash(text) {  // FNV-1a, 64 bits
  let found = 0xcbf29ce484222325n;
  for (const byte of encoder.encode(text)) found = ((found ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return found.toString(16).padStart(16, "0");
}
function number(text) {
  text = text.trim().replace(/^([+-]?\\d{1,3}(,\\d{3})+)$/, all => all.replaceAll(",", "")).replace("\\u2212", "-");
  const percent = text.endsWith("%"), parts = text.replace("%", "").split("/");
  if (!/^[+-]?(\\d+\\.?\\d*|\\.\\d+)(e[+-]?\\d+)?$/i.test(parts[0].trim()) || parts.length > 2) return NaN;
  const value = parts.length === 2 ? Number(parts[0]) / Number(parts[1]) : Number(parts[0]);
  return percent ? value / 100 : value;
}
const units = value => Math.floor(value * 1000 + .5);
const inputs = id => [...document.querySelectorAll(`input[data-blank="${id}"]`)];
function near(blank, place, value, wanted) {
  const slack = blank.whole ? [0] : [0, -1, 1];
  return slack.some(shift => hash(`${data.salt}:${blank.id}:${place}:${units(value) + shift}`) === wanted);
}
function check(blank) {
  const cells = inputs(blank.id), said = by("said-" + blank.id), open = blank.open;
  const words = open ? cells[0].value.replaceAll(",", " ").trim().split(/\\s+/).filter(Boolean) : cells.map(cell => cell.value.trim());
  cells.forEach(cell => cell.classList.remove("right", "wrong"));
  if (words.every(word => !word)) { said.textContent = ""; said.className = "said"; return 0; }
  const values = words.map(number), bad = words.findIndex((word, place) => !Number.isFinite(values[place]));
  if (bad >= 0) {
    said.className = "said bad";
    const word = `\\u201c${words[bad].slice(0, 40)}\\u201d`;
    said.textContent = words[bad] ? `${word} is not a number; type one such as 7, -2 or 2/3` : "fill in every number";
    (open ? cells[0] : cells[bad]).classList.add("wrong");
    return 0;
  }
  const all = values.map(units).join(" ");
  const together = hash(`${data.salt}:${blank.id}:all:${all}`);
  const good = values.map((value, place) => open ? together === blank.cells[0] : near(blank, place, value, blank.cells[place]));
  const right = good.length > 0 && good.every(Boolean);
  cells.forEach((cell, place) => cell.classList.add(good[place] ? "right" : "wrong"));
  const hint = right ? undefined : blank.traps.find(trap => open ? together === trap[0][0] :
    values.every((value, place) => near(blank, place, value, trap[0][place])));
  said.className = "said " + (right ? "good" : "bad");
  const some = !open && cells.length > 1 ? `: ${good.filter(Boolean).length} of ${cells.length} numbers are right` : "";
  said.textContent = right ? `right, ${blank.points} point${blank.points > 1 ? "s" : ""}` : "wrong" + (hint ? ": " + hint[1] : some);
  return right ? blank.points : 0;
}
function checkAll() {
  const score = data.blanks.reduce((sum, blank) => sum + check(blank), 0);
  by("score").textContent = `${score} of ${data.points} points`;
}
function typed(blank) {
  const words = inputs(blank.id).map(cell => cell.value.trim() || "?"), wide = blank.columns;
  if (words.every(word => word === "?")) return "";
  const rows = [];
  for (let start = 0; start < words.length; start += wide) rows.push(words.slice(start, start + wide).join(" "));
  return rows.join("; ");
}
by("check").onclick = checkAll;
by("clear").onclick = () => { document.querySelectorAll("input").forEach(cell => { cell.value = ""; }); checkAll(); };
by("save").onclick = () => {
  const link = document.createElement("a"), lines = data.blanks.map(blank => `${blank.id}: ${typed(blank)}`);
  link.href = URL.createObjectURL(new Blob([`# ${data.command}\\n${lines.join("\\n")}\\n`], { type: "text/plain" }));
  link.download = "answers.txt";
  link.click();
};
document.addEventListener("keydown", event => {
  const cell = event.target;
  if (!(cell instanceof HTMLInputElement) || event.ctrlKey || event.metaKey || event.altKey) return;
  const blank = data.blanks.find(each => each.id === cell.dataset.blank), cells = inputs(blank.id), at = cells.indexOf(cell);
  const all = [...document.querySelectorAll("input")];
  const atEnd = cell.selectionStart === cell.value.length, atStart = cell.selectionEnd === 0;
  const sides = { ArrowRight: atEnd ? at + 1 : undefined, ArrowLeft: atStart ? at - 1 : undefined };
  const next = { ArrowDown: at + blank.columns, ArrowUp: at - blank.columns, ...sides }[event.key];
  if (next !== undefined && cells[next]) { cells[next].focus(); event.preventDefault(); }
  if (event.key === "Enter") {
    check(blank);
    const after = all[all.indexOf(cells[cells.length - 1]) + 1];
    if (after) after.focus();
    event.preventDefault();
  }
});
"""


def document(title: str, body: Iterable[str], data: dict[str, Any], script: str = "", style: str = MORE_STYLE) -> str:
    """A whole page around some parts; its data travels with it."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<link rel="icon" href="data:,"><title>{html.escape(title)}</title><style>{STYLE}{style}</style></head><body><main>',
            f"<h1>{html.escape(title)}</h1>",
            *body,
            f'</main><script type="application/json" '
            f'id="data">{script_data(data)}</script>{f"<script>{script}</script>" if script else ""}</body></html>\n',
        ]
    )


def framed(title: str, page: str) -> str:
    """A page inside a frame of a notebook, so that its style and its keys stay its own."""
    return f'<iframe title="{html.escape(title)}" style="width:100%;height:640px;border:0" srcdoc="{html.escape(page, quote=True)}"></iframe>'


def hashed(text: str) -> str:
    """FNV-1a, 64 bits: the page's script computes the same.

    Examples
    --------
    >>> hashed("")
    'cbf29ce484222325'
    """
    found = 0xCBF29CE484222325
    for byte in text.encode():
        found = (found ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{found:016x}"


def sheet_page(sheet: Sheet, solution: bool = False) -> str:
    """The page, blank or solved."""
    lead = f'<p class="lead">{html.escape(sheet.subtitle)}</p>'
    body = [lead]
    if not solution:
        body += [
            '<p class="name">Name: ______________________________</p>',
            '<div class="bar"><button id="check">check</button><button id="clear">clear</button><button id="save">save answers</button>'
            '<span class="where" id="score" aria-live="polite"></span></div>',
        ]
    for number, each in enumerate(sheet.exercises, start=1):
        body += _exercise(number, each, solution)
    if solution:
        body.append(
            f"<footer>Every number comes from running the operators with the reference kernels. <code>{html.escape(sheet.command)} "
            f"--solution</code></footer>"
        )
        return document(sheet.title + ", with solutions", body, {"command": sheet.command})
    body.append(
        '<footer><span class="keys"><kbd>Enter</kbd> checks an answer and goes on, the arrow keys move inside a matrix. Fractions such as 2/3 are '
        "welcome.</span> "
        f"Saved answers are marked by <code>{html.escape(sheet.command)} --check answers.txt</code></footer>"
    )
    return document(sheet.title, body, _page_data(sheet), SCRIPT)


def _page_data(sheet: Sheet) -> dict[str, Any]:
    """What the script needs: no answer, only hashes of them."""
    salt = hashed(sheet.command)
    return {"salt": salt, "command": sheet.command, "points": sheet.points, "blanks": [_blank_data(blank, salt) for blank in sheet.blanks]}


def _blank_data(blank: Blank, salt: str) -> dict[str, Any]:
    def hashes(values: np.ndarray) -> list[str]:
        """Of every number at its place; of an open list, whose length is part of the answer, of all together."""
        numbers = [units(value) for value in values.reshape(-1)]
        parts = ["all:" + " ".join(map(str, numbers))] if blank.is_open else [f"{place}:{value}" for place, value in enumerate(numbers)]
        return [hashed(f"{salt}:{blank.id}:{part}") for part in parts]

    traps = [[hashes(trap.answer), trap.hint] for trap in blank.traps if blank.is_open or trap.answer.shape == blank.answer.shape]
    return {
        "id": blank.id, "whole": blank.whole, "open": blank.is_open, "points": blank.points,
        "columns": blank.answer.shape[-1] if blank.answer.ndim else 1,
        "cells": hashes(blank.answer), "traps": traps,
    }  # fmt: skip


def _exercise(number: int, each: Exercise, solution: bool) -> list[str]:
    lines = [f"<section><h2>{number}. {html.escape(each.title)}</h2><p>{html.escape(each.statement)}</p>", '<dl class="given">']
    lines += [f"<div><dt>{html.escape(given.name)}</dt><dd>{_given(given)}</dd></div>" for given in each.givens]
    lines.append("</dl>")
    lines += [_blank(blank, solution) for blank in each.blanks]
    if solution:
        steps = "".join(
            f"<p>{html.escape(step.words)} {f'<code>{html.escape(step.formula)}</code>' if step.formula else ''}</p>" for step in each.steps
        )
        lines.append(f'<div class="steps">{steps}</div>')
    else:
        lines.append(f'<div class="room" aria-hidden="true">{"<i></i>" * 6}</div>')
    return [*lines, "</section>"]


def _given(given: Given) -> str:
    if not isinstance(given.value, np.ndarray):
        return html.escape(str(given.value))
    return _grid([[value_text(value) for value in row] for row in given.value.reshape(-1, given.value.shape[-1]).tolist()])


def _grid(rows: list[list[str]], kind: str = "") -> str:
    body = "".join(f"<tr>{''.join(f'<td{kind}>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table class="grid">{body}</table></div>'


def _blank(blank: Blank, solution: bool) -> str:
    point = f"{blank.points} point{'s' if blank.points > 1 else ''}"
    asked = f"<b>{blank.id}</b> {html.escape(blank.label)} <span class=soft>({html.escape(blank.expects)}, {point})</span>"
    if solution:
        if blank.answer.ndim == 0 or blank.is_open:
            return f'<div class="blank">{asked}: <b>{html.escape(matrix_text(blank.answer))}</b></div>'
        rows = blank.answer.reshape(-1, blank.answer.shape[-1]).tolist()
        return f'<div class="blank">{asked}{_grid([[value_text(value) for value in row] for row in rows])}</div>'
    said = f'<output class="said" id="said-{blank.id}"></output>'
    if blank.answer.ndim == 0 or blank.is_open:
        size = ' class="long"' if blank.is_open else ""
        return f'<div class="blank"><label>{asked}<br><input data-blank="{blank.id}"{size} autocomplete="off"></label>{said}</div>'
    columns = blank.answer.shape[-1]
    cells = [
        f'<input data-blank="{blank.id}" autocomplete="off" aria-label="{blank.id}, row {place // columns + 1}, column {place % columns + 1}">'
        for place in range(blank.answer.size)
    ]
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    kind = ' class="in"'
    return f'<div class="blank">{asked}{_grid(rows, kind)}{said}</div>'
