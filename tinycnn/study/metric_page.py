"""The metric sheet as one page: stepping through the metrics lights up the cells they are made of."""

from __future__ import annotations

import html

from .metric_sheet import MetricSheet
from .metric_steps import Cell, Step
from .shape_page import answer_page

__all__ = ["metric_page"]

STYLE = """<style>
.held { position: sticky; top: 0; z-index: 1; max-height: 45vh; overflow: auto; background: var(--paper); padding: .4rem 0; width: fit-content;
  max-width: 100%; } @media print { .held { position: static; max-height: none; overflow: visible; } }
.matrix td, .matrix th { padding: .3rem .8rem; text-align: right; border: 1px solid var(--line); }
.matrix th { font-weight: 600; } .matrix td.right { background: var(--a); }
.matrix td.bottom { background: var(--b); } .matrix td.top { background: var(--c); box-shadow: inset 0 0 0 3px var(--good); font-weight: 700; }
tr.step { cursor: pointer; scroll-margin: 48vh 0 1rem; }
tr.step.on td { background: var(--panel); box-shadow: inset 0 2px 0 var(--accent), inset 0 -2px 0 var(--accent); }
tr.step td:first-child { min-width: 5.6em; } tr.step td:last-child { overflow-wrap: anywhere; } tr.step .formula { font-size: .86em; }
.key span { padding: .05rem .5rem; border: 1px solid var(--line); } .key .t { background: var(--c); } .key .b { background: var(--b); }
</style>"""

SCRIPT = """
const steps = [...document.querySelectorAll("tr.step")], said = document.querySelector("#said"); let at = -1;
function show(next) {
  document.querySelectorAll(".top, .bottom, tr.on").forEach(each => each.classList.remove("top", "bottom", "on"));
  at = (next + steps.length) % steps.length;
  const row = steps[at];
  row.classList.add("on");
  for (const kind of ["bottom", "top"])
    for (const key of row.dataset[kind].split(" ").filter(Boolean)) {
      const cell = document.getElementById("cell-" + key);
      cell.classList.remove("bottom"); cell.classList.add(kind);
    }
  said.textContent = row.dataset.words;
}
steps.forEach((row, number) => row.addEventListener("click", () => show(number)));
document.addEventListener("keydown", event => {
  const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (by && steps.length) { show(at < 0 ? (by > 0 ? 0 : -1) : at + by); event.preventDefault(); steps[at].scrollIntoView({ block: "nearest" }); }
});
document.querySelectorAll("[data-step]").forEach(each => each.addEventListener("click", () => show(at < 0 ? 0 : at + Number(each.dataset.step))));
"""


def metric_page(sheet: MetricSheet) -> str:
    """The page of a sheet.

    Parameters
    ----------
    sheet : MetricSheet
        Of `study.metric_sheet`.

    Returns
    -------
    str
        The HTML document, which needs no network.

    Examples
    --------
    >>> from tinycnn.study.metric_sheet import metric_sheet
    >>> "80 / (80 + 10) = 80/90 = 8/9" in metric_page(metric_sheet([[35, 10], [25, 80]]))
    True
    """
    parts = [STYLE, _matrix(sheet)]
    parts.append(
        '<p class="soft key"><span class="t">above</span> and <span class="b">below</span> the fraction line; columns are predicted classes</p>'
        '<p class="steps"><button data-step="-1">previous</button> <button data-step="1">next</button> '
        '<span id="said" aria-live="polite" class="soft">or the arrow keys, or a click on a line</span></p>'
    )
    parts += [f'<p class="verdict bad">{html.escape(hint)}</p>' for hint in sheet.hints]
    for title, steps in sheet.sections:
        rows = "\n".join(_row(step) for step in steps)
        parts.append(f'<h2>{html.escape(title)}</h2>\n<div class="wide"><table><tbody>\n{rows}\n</tbody></table></div>')
    return answer_page(f"Metrics of {len(sheet.names)} classes, {sum(map(sum, sheet.matrix))} examples", parts, sheet.to_dict(), SCRIPT)


def _matrix(sheet: MetricSheet) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in sheet.names)
    rows = []
    for i, (name, row) in enumerate(zip(sheet.names, sheet.matrix, strict=True)):
        cells = "".join(f'<td id="cell-{i}-{j}"{" class=right" if i == j else ""}>{count}</td>' for j, count in enumerate(row))
        rows.append(f"<tr><th>{html.escape(name)}</th>{cells}<td>{sum(row)}</td></tr>")
    totals = "".join(f"<td>{sum(column)}</td>" for column in zip(*sheet.matrix, strict=True))
    body = "\n".join(rows)
    return (
        f'<div class="held"><table class="matrix"><thead><tr><th>true \\ predicted</th>{head}<th>sum</th></tr></thead><tbody>\n{body}\n'
        f"<tr><th>sum</th>{totals}<td>{sum(map(sum, sheet.matrix))}</td></tr></tbody></table></div>"
    )


def _keys(cells: tuple[Cell, ...]) -> str:
    return " ".join(f"{row}-{column}" for row, column in cells)


def _row(step: Step) -> str:
    lines = [f'<span class="formula">{html.escape(step.formula)}</span>']
    lines += [f'<span class="formula">= {html.escape(step.numbers)}</span>'] if step.numbers else []
    lines += [f'<span class="soft">{html.escape(step.note)}</span>'] if step.note else []
    words = html.escape(f"{step.name} {step.value_text()}", quote=True)
    return (
        f'<tr class="step" data-top="{_keys(step.top)}" data-bottom="{_keys(step.bottom)}" data-words="{words}">'
        f"<td>{html.escape(step.name)}</td><td class=number><b>{step.value_text()}</b></td><td>{'<br>'.join(lines)}</td></tr>"
    )
