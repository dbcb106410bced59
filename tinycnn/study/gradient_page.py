"""A gradient report as one self-contained page: the V-shaped curve of errors, every entry, and pictures of kinks."""

from __future__ import annotations

import html
import math

from .explain_page import STYLE
from .gradient_report import EntryCheck, GradientReport, Sweep, as_dict, table_rows
from .page import script_data
from .tracetext import plain

__all__ = ["curve_svg", "kink_svg", "notebook_frame", "page"]

OWN_STYLE = """
:root { --third: #7a3fa0; } @media screen and (prefers-color-scheme: dark) { :root { --third: #d7a6f5; } }
.sentence { font-size: 1.25rem; font-weight: 650; margin: .6rem 0; overflow-wrap: anywhere; }
svg.plot { display: block; width: 100%; height: auto; max-width: 780px; }
svg.plot text { fill: var(--ink); font: 15px system-ui, "DejaVu Sans", sans-serif; }
svg.plot .grid { stroke: var(--line); } svg.plot .axis { stroke: var(--soft); }
svg.plot path { fill: none; stroke-width: 3; }
svg.plot .s0 { stroke: var(--from); }
svg.plot .s1 { stroke: var(--now); stroke-dasharray: 9 5; }
svg.plot .s2 { stroke: var(--third); stroke-dasharray: 2 5; stroke-linecap: round; }
svg.plot circle.s0 { fill: var(--from); } svg.plot circle.s1 { fill: var(--now); stroke-dasharray: none; }
svg.plot circle.s2 { fill: var(--third); stroke-dasharray: none; }
svg.plot .guide { stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: 4 4; } svg.plot text.soft { fill: var(--soft); font-size: 13px; }
.kinks { display: flex; flex-wrap: wrap; gap: 1.2rem; } .kinks figure { margin: 0; flex: 1 1 280px; max-width: 420px; break-inside: avoid; }
.kinks figcaption { font-size: .92rem; color: var(--ink); } table.list tr.on td { background: var(--now-fill); }
table.list tr[data-row] { cursor: pointer; }
table.list td.number { text-align: right; white-space: nowrap; }
.kind-kink { color: var(--now); font-weight: 700; }
"""

SCRIPT = """
const rows = [...document.querySelectorAll("tr[data-row]")], details = JSON.parse(document.getElementById("data").textContent).words;
let at = -1;
function choose(next, scroll) {
  if (!rows.length) return;
  at = Math.max(0, Math.min(rows.length - 1, next));
  rows.forEach((row, place) => row.classList.toggle("on", place === at));
  const panel = document.getElementById("focus");
  panel.replaceChildren(...details[at].map((text, place) => {
    const line = document.createElement("p");
    line.textContent = text; line.className = place ? "step" : "equation";
    return line;
  }));
  document.getElementById("where").textContent = (at + 1) + " of " + rows.length;
  if (scroll) rows[at].scrollIntoView({ block: "nearest" });
}
rows.forEach((row, place) => row.onclick = () => choose(place));
document.getElementById("back").onclick = () => choose(at - 1, true);
document.getElementById("on").onclick = () => choose(at + 1, true);
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const next = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (next !== undefined) { event.preventDefault(); choose(next, true); }
});
choose(Math.max(0, (Number(location.hash.slice(1)) || 1) - 1));
"""
WIDTH, HEIGHT = 780, 430
LEFT, RIGHT, TOP, BOTTOM = 74, 20, 24, 62
LOWEST, HIGHEST = -17.0, 1.0  # powers of ten of the error
MOST_PICTURES = 6


def _x(step: float) -> float:
    return LEFT + (math.log10(step) + 12) / 11 * (WIDTH - LEFT - RIGHT)


def _y(error: float) -> float:
    power = min(HIGHEST, max(LOWEST, math.log10(error) if error > 0 else LOWEST))
    return TOP + (HIGHEST - power) / (HIGHEST - LOWEST) * (HEIGHT - TOP - BOTTOM)


def curve_svg(sweeps: list[Sweep]) -> str:
    """Error against step, both logarithmic: truncation on the right, rounding on the left, the best step marked."""
    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT + 26 * len(sweeps)}" role="img" aria-label="error against step size" '
        'xmlns="http://www.w3.org/2000/svg">'
    ]
    for power in range(-12, 0):
        x = _x(10.0**power)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">1e{power}</text>')
    for power in range(-16, 1, 4):
        y = _y(10.0**power)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">1e{power}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - BOTTOM + 44}" text-anchor="middle">step h</text>')
    parts.append(f'<text x="18" y="{(TOP + HEIGHT - BOTTOM) / 2:g}" text-anchor="middle" transform="rotate(-90 18 {(TOP + HEIGHT - BOTTOM) / 2:g})">'
                 "relative error</text>")  # fmt: skip
    parts += _guides(sweeps)
    for number, sweep in enumerate(sweeps):
        points = [(_x(step), _y(error)) for step, error in zip(sweep.steps, sweep.errors, strict=True)]
        parts.append(f'<path class="s{number}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>')
        x, y = points[sweep.best]
        title = f"best step {sweep.steps[sweep.best]:.0e}, error {sweep.errors[sweep.best]:.1e}"
        parts.append(f'<circle class="s{number}" cx="{x:.1f}" cy="{y:.1f}" r="8"><title>{title}</title></circle>')
        row = HEIGHT + 26 * number + 4
        parts.append(f'<path class="s{number}" d="M{LEFT} {row}H{LEFT + 60}"/><text x="{LEFT + 72}" y="{row + 5}">'
                     f"{sweep.dtype}, {sweep.kind} difference; {title}</text>")  # fmt: skip
    return "".join([*parts, "</svg>"])


def _guides(sweeps: list[Sweep]) -> list[str]:
    """What theory says of the first curve, beside it: eps / h on the left, h^2 on the right."""
    sweep = sweeps[0]
    if sweep.truncation is None:
        return []
    parts = []
    if sweep.rounding is not None:
        place = next(number for number, step in enumerate(sweep.steps) if step <= sweep.steps[sweep.best] / 99)
        ends = [(sweep.steps[place], sweep.errors[place] * 20), (1e-12, sweep.errors[place] * 20 * sweep.steps[place] / 1e-12)]
        parts += _guide(ends, "rounding: eps / h", "start", -8)
    largest, error = sweep.steps[0], sweep.errors[0]
    low = max(sweep.steps[sweep.best], 1e-5)
    parts += _guide([(low, error * 20 * (low / largest) ** 2), (largest, error * 20)], "truncation: h^2", "end", -8)
    return parts


def _guide(ends: list[tuple[float, float]], words: str, anchor: str, lift: float) -> list[str]:
    (x0, y0), (x1, y1) = ((_x(step), _y(error)) for step, error in ends)
    return [
        f'<line class="guide" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"/>',
        f'<text class="soft" x="{x1 + (4 if anchor == "start" else 0):.1f}" y="{max(TOP - 6, y1 + lift):.1f}" text-anchor="{anchor}">{words}</text>',
    ]


def kink_svg(entry: EntryCheck) -> str:
    """What moving an entry adds to the sum, with the slopes of both sides and the analytic one as lines."""
    width, height, edge = 380, 240, 26
    reach = entry.profile[-1][0]
    slopes = (("s0", entry.check.left, -reach, 0.0), ("s0", entry.check.right, 0.0, reach), ("s1", entry.check.analytic, -reach, reach))
    values = [y for _, y in entry.profile] + [slope * x for _, slope, *ends in slopes for x in ends if math.isfinite(slope)]
    low, high = min(values), max(values)
    span = (high - low) or 1.0

    def place(x: float, y: float) -> str:
        return f"{edge + (x + reach) / (2 * reach) * (width - 2 * edge):.1f} {height - edge - (y - low) / span * (height - 2 * edge):.1f}"

    lines = [
        f'<path class="{kind}" d="M{place(first, slope * first)}L{place(last, slope * last)}"/>'
        for kind, slope, first, last in slopes
        if math.isfinite(slope)
    ]
    curve = "L".join(place(x, y) for x, y in entry.profile)
    x, y = place(0.0, 0.0).split()
    return (
        f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="kink at {html.escape(entry.name)}" xmlns="http://www.w3.org/2000/svg">'
        f'<line class="axis" x1="{x}" x2="{x}" y1="10" y2="{height - 18}"/><line class="axis" x1="{edge}" x2="{width - edge}" y1="{y}" y2="{y}"/>'
        f'<path class="s2" d="M{curve}"/>{"".join(lines)}<circle class="s1" cx="{x}" cy="{y}" r="6"/>'
        f'<text class="soft" x="{x}" y="{height - 4}" text-anchor="middle">{html.escape(entry.name)} = {plain(entry.value)}</text></svg>'
    )


def _words(report: GradientReport) -> list[list[str]]:
    """What the panel says of each row."""
    if report.parameters:
        return [
            [
                f"{p.name}: {p.analytic:+.10g} analytic, {p.numeric:+.10g} numeric along a drawn direction of length 1",
                f"relative error {p.error:.1e}; {p.left:+.8g} from the left, {p.right:+.8g} from the right",
                *(f"{e.name}: {e.check.analytic:+.8g} analytic, {e.check.numeric:+.8g} numeric, error {e.error:.1e}: {e.verdict}" for e in p.entries),
            ]
            for p in report.parameters
        ]
    found = []
    for entry in report.entries:
        check = entry.check
        lines = [f"d/d {entry.name}: {entry.verdict}"]
        sides = f"from the left {check.left:+.8g}, from the right {check.right:+.8g}"
        lines.append(f"analytic {check.analytic:+.10g}, numeric {check.numeric:+.10g}, {sides}")
        lines += [f"because {why}" for why in entry.why]
        lines += [f"it bends {', '.join(entry.outputs)}"] if entry.outputs else []
        if not check.kink and 0 < entry.margin < math.inf:
            lines.append(f"the nearest tie is {entry.margin:.2g} away: a larger step straddles the kink there")
        found.append(lines)
    return found


def page(report: GradientReport) -> str:
    """The page, which needs no network."""
    header, rows = table_rows(report)
    classes = {"agrees": "good", "kink": "kind-kink", "DIFFERS": "bad", "undefined": "kind-kink"}
    body = "".join(
        f'<tr data-row="{number}">'
        + "".join(
            f'<td class="{"short" if not place else classes[cell] if place == 5 else "number"}">{html.escape(cell)}</td>'
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for number, row in enumerate(rows)
    )
    heads = "".join(f"<th>{word}</th>" for word in header)
    notes = "".join(f'<p class="lead">{html.escape(note)}</p>' for note in report.notes)
    kinks = [entry for entry in report.kinks if entry.profile][:MOST_PICTURES]
    figures = "".join(
        f"<figure>{kink_svg(entry)}<figcaption><b>{html.escape(entry.name)}</b>: {html.escape(entry.verdict)}. "
        f"{html.escape('; '.join(entry.why))}</figcaption></figure>"
        for entry in kinks
    )
    section = (
        '<h2>Kinks</h2><p class="lead">Dotted: what moving the entry adds to sum(grad y). Solid: the slopes from the left and from the right. '
        f'Dashed: the analytic gradient, one of the slopes between them.</p><div class="kinks">{figures}</div>'
    )
    curve = ""
    if report.sweeps:
        words = "".join(f"<p class=step>{html.escape('; '.join(sweep.words()))}.</p>" for sweep in report.sweeps)
        curve = f'<h2>Error against step size</h2><div class="wide">{curve_svg(report.sweeps)}</div>{words}'
    title = html.escape(f"gradient check of {report.subject}")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>{title}</title><style>{STYLE}{OWN_STYLE}</style></head><body><main>
<h1>{title}</h1><p class="lead"><code>{html.escape(report.call)}</code></p>
<p class="sentence {"good" if report.passed else "bad"}">{html.escape(report.sentence)}</p>{notes}
<div class="bar"><button id="back" aria-label="previous entry">&#8592;</button><button id="on" aria-label="next entry">&#8594;</button>
<span class="where" id="where" aria-live="polite"></span></div>
<section class="focus" id="focus"></section>
<h2>{"Parameters" if report.parameters else "Entries"}</h2>
<div class="wide"><table class="list"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>
{section if kinks else ""}{curve}
<footer>Arrow keys step through the table. Error: |analytic - numeric| / max(|analytic|, |numeric|), with a floor of a thousandth of the largest
gradient. The upstream gradient is drawn, seed {report.seed}.</footer></main>
<script type="application/json" id="data">{script_data({"words": _words(report), "report": as_dict(report)})}</script>
<script>{SCRIPT}</script></body></html>
"""


def notebook_frame(report: GradientReport) -> str:
    """The page inside a frame, so that its style stays its own."""
    title, inside = html.escape(report.subject), html.escape(page(report), quote=True)
    return f'<iframe title="{title}" style="width:100%;height:720px;border:0" srcdoc="{inside}"></iframe>'
