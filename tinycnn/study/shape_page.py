"""Answers about sizes and conventions as one HTML page: style, script and pictures inside it, nothing fetched; light, dark, print and phone."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from .axis_picture import axis_svg
from .conventions import Convention, ConventionRow, result_text
from .page import FOOTER, document, html_table
from .shape_answer import ShapeAnswer, grouped, output_text
from .shape_stack import ShapeFlow
from .solve import Solutions
from .tables import count_text, shape_text
from .volume_picture import flow_svg, volume_svg

__all__ = ["answer_page", "conventions_page", "flow_page", "shape_page", "solutions_page"]

STYLE = """
main { max-width: 1060px; } h2 { padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
.verdict { border-left: 4px solid var(--good); background: var(--panel); padding: .55rem .9rem; margin: .7rem 0; border-radius: 0 6px 6px 0; }
.verdict.bad { border-color: var(--bad); color: inherit; }
.big { font-size: 1.3rem; font-weight: 600; }
th, td { text-align: left; padding: .32rem 1rem .32rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; } td.number { text-align: right; white-space: nowrap; } td.whole { white-space: nowrap; }
td.differs { font-weight: 700; color: var(--accent); }
svg { display: block; height: auto; width: 100%; } svg text { fill: var(--ink); font: 13px system-ui, "DejaVu Sans", sans-serif; }
svg .title { font-weight: 600; } svg .sign { font-size: 22px; }
polygon { stroke: var(--ink); stroke-width: 1.2; stroke-linejoin: round; } .a { fill: var(--a); } .b { fill: var(--b); } .c { fill: var(--c); }
.face1 { fill-opacity: .65; } .face2 { fill-opacity: .4; }
.strip rect.cell { fill: var(--a); stroke: var(--ink); stroke-width: .6; }
.strip rect.pad { fill: none; stroke: var(--soft); stroke-dasharray: 3 2; } .strip rect.outside { fill: none; }
.strip rect.unread { fill: var(--bad-fill); stroke: var(--bad); stroke-width: 1.6; }
.strip .gap { stroke: var(--soft); stroke-dasharray: 2 5; stroke-width: 2; }
.window rect { fill: var(--b); stroke: var(--soft); } .window circle { fill: var(--ink); }
.window.on rect { stroke: var(--accent); stroke-width: 3; } .window.on circle { fill: var(--accent); }
section.row { break-inside: avoid; }
@media print { .steps { display: none; } svg { min-width: 0 !important; } }
@media (max-width: 600px) { th, td { padding-right: .7rem; }
  .row table { width: 100%; } .row tr { display: grid; grid-template-columns: 6fr 6fr 5fr; border-bottom: 1px solid var(--line); }
  .row td, .row th { border: 0; overflow-wrap: anywhere; } .row td.whole { white-space: normal; }
  .row td:last-child { grid-column: 1 / -1; padding-top: 0; } .row th:last-child { display: none; } }
"""

SCRIPT = """
const windows = [...document.querySelectorAll(".window")], said = document.querySelector("#said"); let at = -1;
function step(by) {
  if (!windows.length) return;
  if (at >= 0) windows[at].classList.remove("on");
  at = (at + by + windows.length + (at < 0 && by < 0 ? 1 : 0)) % windows.length;
  windows[at].classList.add("on"); said.textContent = windows[at].dataset.words;
}
document.addEventListener("keydown", event => {
  if (event.key === "ArrowRight" || event.key === "ArrowDown") { step(1); event.preventDefault(); }
  if (event.key === "ArrowLeft" || event.key === "ArrowUp") { step(-1); event.preventDefault(); }
});
document.querySelectorAll("[data-step]").forEach(each => each.addEventListener("click", () => step(Number(each.dataset.step))));
"""


def answer_page(title: str, parts: Sequence[str], data: dict[str, Any], script: str = "") -> str:
    """The document around the parts; the answer as JSON travels with it."""
    return document(title, [f"<h1>{html.escape(title)}</h1>", *parts, FOOTER], data, style=STYLE, script=script, name="answer")


def _verdict(text: str, good: bool) -> str:
    return f'<p class="verdict{"" if good else " bad"}">{html.escape(text)}</p>'


def shape_page(answer: ShapeAnswer) -> str:
    """The page of one operator: picture, formula, verdict, the windows one by one, fixes, frameworks.

    Parameters
    ----------
    answer : ShapeAnswer
        Of `study.shape`.

    Returns
    -------
    str
        The HTML document; the arrow keys step through the windows.

    Examples
    --------
    >>> from tinycnn.study.shape import shape
    >>> page = shape_page(shape("conv2d", 7, 3, stride=3))
    >>> "does not tile: (7 - 3)/3 + 1 = 2.33" in page, "http://" in page.replace("http://www.w3.org/2000/svg", "")
    (True, False)
    """
    parts = [f'<p class="formula">{html.escape(answer.formula)}</p>', '<div class="wide">', volume_svg(answer), "</div>"]
    parts += [
        f'<p><span class="soft">{html.escape(words)}</span> <span class="formula">{html.escape(step)}</span></p>' for words, step in answer.steps
    ]
    several = len(answer.verdicts) > 1
    parts += [_verdict(f"{words} {verdict}" if several else verdict, verdict.startswith(("tiles", "fits"))) for words, verdict in answer.verdicts]
    parts.append(f'<p class="big">output: {"none" if answer.output is None else shape_text(answer.output)}</p>')
    parts += [f'<p class="soft">{html.escape(note)}</p>' for note in answer.notes]
    strips = [(words, axis_svg(axis)) for words, axis in grouped(answer.axes)]
    if any(strip for _, strip in strips):
        parts.append("<h2>Window by window</h2>")
        parts.append(
            '<p class="steps"><button data-step="-1">previous</button> <button data-step="1">next</button> '
            '<span id="said" aria-live="polite" class="soft">or the arrow keys</span></p>'
        )
        for words, strip in strips:
            parts.append(f'<p class="soft">{html.escape(words)}; dashed: padding, red: never read</p><div class="wide">{strip}</div>')
    fixes = answer.fixes
    if fixes:
        rows = [[words, fix.change, fix.text().split(": ", 1)[1], str(fix.axis.output)] for words, fix in fixes]
        parts += ["<h2>Nearest fixes, one at a time</h2>", html_table(("axis", "change", "then", "output"), rows, numbers=(3,), whole=(1,))]
    if answer.frameworks:
        rows = [[each.framework, each.call, output_text(each.output), each.rule] for each in answer.frameworks]
        parts += ["<h2>What each framework answers</h2>", html_table(("framework", "asked with", "output", "rule"), rows, whole=(0, 2))]
    return answer_page(answer.question, parts, answer.to_dict(), SCRIPT)


def flow_page(flow: ShapeFlow, title: str = "Sizes through a stack of layers") -> str:
    """The page of a stack: the volumes in a row, a table with the arithmetic, warnings, and where it stops.

    Parameters
    ----------
    flow : ShapeFlow
        Of `study.shape_flow` or `study.model_flow`.
    title : str
        Of the page.

    Returns
    -------
    str
        The HTML document.
    """
    rows = [["", "input", shape_text(flow.input), "", ""]]
    rows += [
        [str(number), step.layer.text, shape_text(step.output), count_text(step.parameters), step.arithmetic]
        for number, step in enumerate(flow.steps, start=1)
    ]
    parts = [f'<p class="formula">{html.escape(flow.path())}</p>', f'<div class="wide">{flow_svg(flow)}</div>']
    if flow.failure is not None:
        parts.append(_verdict(f"stops: {flow.failure}", False))
        parts += [f'<p>fix: <span class="formula">{html.escape(fix)}</span></p>' for fix in flow.fixes]
    if flow.flatten_features is not None:
        parts.append(f'<p class="big">the linear layer behind the flatten needs in_features={flow.flatten_features}</p>')
    parts += [_verdict(warning, False) for warning in flow.warnings]
    parts += ["<h2>Layer by layer</h2>", html_table(("", "layer", "output", "parameters", "why"), rows, numbers=(0, 3), whole=(2,))]
    return answer_page(title, parts, flow.to_dict())


def solutions_page(found: Solutions, most: int = 500) -> str:
    """The page of a search; of very many solutions the first `most`.

    Parameters
    ----------
    found : Solutions
        Of `study.solve`.
    most : int
        Rows in the table.

    Returns
    -------
    str
        The HTML document.
    """
    header = [*(name.replace("_", " ") for name in found.unknown), "output", "why", "left over"]
    rows = [
        [*map(str, each.values.values()), str(each.axis.output), each.axis.substitution(), str(each.axis.leftover) if each.axis.leftover else ""]
        for each in found.solutions[:most]
    ]
    count = len(found.solutions)
    bounds = ", ".join(f"{name} {values}" for name, values in found.searched.items())
    parts = [f'<p class="formula">{html.escape(found.formula)}</p>']
    parts += [f'<p class="soft">searched: {html.escape(bounds)}</p>'] if bounds else []
    parts.append(_verdict(f"{count:,} solution{'' if count == 1 else 's'}, smallest first" if count else "no solution in this range", count > 0))
    parts += [f"<p>{html.escape(note)}</p>" for note in found.notes]
    parts += [html_table(header, rows, numbers=range(len(found.unknown) + 1))] if rows else []
    parts += [f"<p>The first {most:,} of {count:,}.</p>"] if count > most else []
    return answer_page(found.question, parts, found.to_dict())


def conventions_page(found: Convention) -> str:
    """The switchboard as a page.

    Parameters
    ----------
    found : Convention
        Of `study.conventions`.

    Returns
    -------
    str
        The HTML document.
    """
    links = " · ".join(f'<a href="#row{number}">{html.escape(row.topic)}</a>' for number, row in enumerate(found.rows))
    parts = [
        "<p>The same small input under each rule. Every result was computed by the call beside it; a result in colour differs from the first.</p>",
        f"<p>{links}</p>",
        *(_convention(number, row) for number, row in enumerate(found.rows)),
    ]
    return answer_page("Where frameworks differ", parts, found.to_dict())


def _convention(number: int, row: ConventionRow) -> str:
    first = row.rules[0].result
    body = "\n".join(
        f"<tr><td>{html.escape(rule.name)}</td><td>{html.escape(rule.who)}</td>"
        f'<td class="{"differs" if rule.result != first else ""}{" whole" if len(result_text(rule.result)) < 30 else ""}">'
        f"{html.escape(result_text(rule.result))}</td>"
        f"<td><code>{html.escape(rule.call)}</code></td></tr>"
        for rule in row.rules
    )
    return (
        f'<section class="row" id="row{number}"><h2>{html.escape(row.topic)}</h2><p>{html.escape(row.question)}</p>'
        f"<pre>{html.escape(chr(10).join(row.setup))}</pre>"
        f'<div class="wide"><table><thead><tr><th>rule</th><th>who</th><th>result</th><th>call</th></tr></thead><tbody>{body}</tbody></table></div>'
        f'<p>{html.escape(row.consequence)}</p><p class="soft">{html.escape("; ".join(row.sources))}</p></section>'
    )
