"""A summary as one HTML page: the graph, the ledger, and a table that sorts; it opens without a network and prints."""

from __future__ import annotations

import html

from .drawing import COLOURS, Drawing, drawing_of, svg
from .page import FOOTER, document
from .summary import Row, Summary
from .tables import bytes_text, count_text, shape_text, short_count

__all__ = ["summary_page"]

STYLE = """
body { font-size: 15px; } main { max-width: 1280px; } h2 { padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; }
.tile { flex: 1 1 9rem; background: var(--panel); border-radius: 8px; padding: .7rem 1rem; }
.tile b { display: block; font-size: 1.4rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .88rem; }
.frame { background: #fff; overflow: auto; max-height: 85vh; border: 1px solid var(--line); border-radius: 8px; }
.frame svg { display: block; margin: 0 auto; }
.node { cursor: pointer; } .node:hover rect, .node.chosen rect { stroke-width: 3; }
.keys { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin: .5rem 0; font-size: .88rem; color: var(--soft); align-items: center; }
.keys i { display: inline-block; width: .9em; height: .9em; border-radius: 3px; border: 1px solid; margin-right: .35em; vertical-align: -.1em; }
button { padding: .1rem .7rem; }
table { font-size: .86rem; }
th, td { text-align: right; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; position: sticky; top: 0; background: var(--paper); }
table.sorts th { cursor: pointer; } th[aria-sort]::after { content: " \\2193"; } th[aria-sort=ascending]::after { content: " \\2191"; }
th.left, td.left { text-align: left; } td.formula { font-size: .8rem; }
tr.chosen td { background: var(--now-fill); } tfoot td { font-weight: 600; }
@media print {
  .frame { overflow: visible; max-height: none; border: 0; }
  .frame svg { width: auto !important; max-width: 100%; height: auto; max-height: 24cm; }
  table { font-size: 6.5pt; } th, td { padding-right: .5rem; white-space: normal; } th { position: static; } .tile { border: 1px solid var(--line); }
}
"""

SCRIPT = """
const table = document.querySelector("table.sorts"), body = table.tBodies[0], image = document.querySelector(".frame svg");
table.tHead.addEventListener("click", event => {
  const head = event.target.closest("th"); if (!head) return;
  const column = [...head.parentNode.children].indexOf(head), was = head.getAttribute("aria-sort");
  const order = was === "descending" ? "ascending" : "descending";
  for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const key = row => { const cell = row.cells[column]; return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent; };
  const sign = order === "ascending" ? 1 : -1;
  [...body.rows].sort((a, b) => { const x = key(a), y = key(b); return sign * (x < y ? -1 : x > y ? 1 : 0); }).forEach(row => body.append(row));
});
function choose(number, from) {
  document.querySelectorAll(".chosen").forEach(each => each.classList.remove("chosen"));
  const node = image.querySelector(`[data-row="${number}"]`), row = body.querySelector(`tr[data-row="${number}"]`);
  for (const each of [node, row]) if (each) each.classList.add("chosen");
  const target = from === "graph" ? row : node; if (target) target.scrollIntoView({block: "center", behavior: "smooth"});
}
image.addEventListener("click", event => { const node = event.target.closest(".node"); if (node) choose(node.dataset.row, "graph"); });
body.addEventListener("click", event => { const row = event.target.closest("tr"); if (row) choose(row.dataset.row, "table"); });
const {width, height} = image.viewBox.baseVal; let scale = 1;
function zoom(factor) {
  scale = factor ? scale * factor : 1;
  image.setAttribute("width", width * scale); image.setAttribute("height", height * scale);
}
document.querySelectorAll("[data-zoom]").forEach(each => each.addEventListener("click", () => zoom(Number(each.dataset.zoom))));
"""

COLUMNS = ("layer", "operator", "output", "parameters", "MACs", "FLOPs", "output bytes", "kept bytes", "im2col bytes", "field", "stride", "start")


def summary_page(summary: Summary) -> str:
    """The page as text: style, script and drawing inside it, nothing fetched from anywhere.

    Parameters
    ----------
    summary : Summary
        Of `study.summary`.

    Returns
    -------
    str
        The HTML document.

    Examples
    --------
    >>> from tinycnn import models
    >>> from tinycnn.study import summary
    >>> page = summary_page(summary(models.lenet5(), (1, 28, 28)))
    >>> "61,706" in page, "http://" in page.replace("http://www.w3.org/2000/svg", "")
    (True, False)
    """
    drawing = drawing_of(summary)
    parts = [
        f"<h1>{html.escape(summary.model)}</h1>",
        f'<p class="lead">One example of {shape_text(summary.input_size)}. One MAC is a multiplication and an addition: two FLOPs. '
        "MACs count convolutions, linear layers, matrix products and attention; FLOPs count everything.</p>",
        _tiles(summary),
        *(f"<p>Note: {html.escape(note)}.</p>" for note in summary.notes),
        "<h2>Graph</h2>",
        _keys(drawing),
        f'<div class="frame">{svg(drawing)}</div>',
        f"<h2>Memory, batch of {summary.memory.batch}</h2>",
        _memory(summary),
        "<h2>Layer by layer</h2>",
        "<p>A click on a heading sorts, a click on a row finds it in the graph. Field, stride and start are pixels of the input.</p>",
        _table(summary),
        FOOTER,
    ]
    return document(summary.model, parts, summary.to_dict(), style=STYLE, script=SCRIPT, name="summary")


def _tiles(summary: Summary) -> str:
    memory = summary.memory
    facts = [
        ("parameters", f"{summary.parameters:,}"),
        ("MACs, one example", short_count(summary.macs)),
        ("FLOPs, one example", short_count(summary.flops)),
        (f"predicted peak, inference, batch {memory.batch}", bytes_text(memory.inference_peak)),
    ]
    if memory.training_peak is not None:
        facts.append((f"predicted peak, training with {memory.optimizer}, batch {memory.batch}", bytes_text(memory.training_peak)))
    tiles = "".join(f'<div class="tile"><b>{value}</b><span>{html.escape(name)}</span></div>' for name, value in facts)
    return f'<div class="tiles">{tiles}</div>'


def _keys(drawing: Drawing) -> str:
    kinds = {box.kind for box in drawing.boxes}
    keys = "".join(
        f'<span><i style="background:{fill};border-color:{line}"></i>{kind}</span>' for kind, (fill, line) in COLOURS.items() if kind in kinds
    )
    buttons = '<button data-zoom="1.25">+</button><button data-zoom="0.8">\N{MINUS SIGN}</button><button data-zoom="0">1:1</button>'
    return f'<div class="keys">{keys}{buttons}</div>'


def _memory(summary: Summary) -> str:
    rows = "".join(
        f'<tr><td class="left">{html.escape(what)}</td><td>{"-" if size is None else f"{size:,}"}</td>'
        f"<td>{'' if size is None else bytes_text(size)}</td></tr>"
        for what, size in summary.memory_lines()
    )
    return f'<div class="wide"><table><tr><th class="left">what</th><th>bytes</th><th></th></tr>{rows}</table></div>'


def _table(summary: Summary) -> str:
    left = ' class="left"'
    head = "".join(f"<th{left if index < 2 else ''}>{name}</th>" for index, name in enumerate(COLUMNS)) + f"<th{left}>formula</th>"
    body = "\n".join(_table_row(row) for row in summary.rows)
    foot = (
        f'<tr><td class="left" colspan="3">total</td><td>{summary.parameters:,}</td><td>{count_text(summary.macs)}</td>'
        f'<td>{count_text(summary.flops)}</td><td colspan="7"></td></tr>'
    )
    return f'<div class="wide"><table class="sorts"><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody><tfoot>{foot}</tfoot></table></div>'


def _table_row(row: Row) -> str:
    call, field = row.call, row.field

    def number(size: float | None, text: str | None = None) -> str:
        shown = text if text is not None else "?" if size is None else f"{size:,}" if size else "-"
        return f'<td data-sort="{-1 if size is None else size}">{shown}</td>'

    cells = [
        f'<td class="left">{html.escape(row.name)}</td>',
        f'<td class="left">{html.escape(call.operator)}</td>',
        number(call.output.elements, shape_text(call.output.shape[1:])),
        *(number(size) for size in (row.parameters, row.cost.macs, row.cost.flops)),
        *(number(size, bytes_text(size) if size else "-") for size in (call.output.nbytes, row.kept, row.cost.columns)),
    ]
    if field is None:
        cells.append("<td>-</td>" * 3)
    else:
        stride = field.stride[0]
        cells += [number(field.size[0], field.text()), number(stride, "-" if stride is None else f"{stride:g}")]
        cells.append(number(field.start[0], f"{field.start[0]:g}"))
    cells.append(f'<td class="left formula">{html.escape(row.cost.formula)}</td>')
    return f'<tr data-row="{call.number}">{"".join(cells)}</tr>'
