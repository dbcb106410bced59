"""The detection report as one page: precision against recall drawn, stepped detection by detection, and every verdict with its reason."""

from __future__ import annotations

import html

from ..metrics.detection_curves import RULE_WORDS
from .detection_report import ClassRow, DetectionReport, number_text
from .page import html_table
from .shape_page import SCRIPT, answer_page

__all__ = ["detection_page"]

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640.0, 340.0, 52.0, 44.0, 14.0, 16.0
MOST_ROWS = 2000  # of verdicts
STYLE = """<style>
.curve { max-width: 640px; min-width: 320px; } .curve line { stroke: var(--line); } .curve .axis { stroke: var(--ink); }
.curve .raw { fill: none; stroke: var(--soft); stroke-width: 1.4; stroke-dasharray: 4 3; }
.curve .envelope { fill: none; stroke: var(--accent); stroke-width: 2.4; } .curve .under { fill: var(--a); stroke: none; }
.curve .sample { fill: var(--accent); } .curve .window circle { stroke: var(--paper); stroke-width: 1; }
.curve .window.right circle { fill: var(--good); } .curve .window.wrong circle { fill: var(--bad); }
.curve .window.on circle { fill: var(--b); stroke: var(--ink); stroke-width: 3; }
details { margin: .5rem 0; } summary { cursor: pointer; } #said { overflow-wrap: anywhere; }
@media print { details::details-content { content-visibility: visible; height: auto; } }
</style>"""


def detection_page(report: DetectionReport) -> str:
    """The page of a report.

    Parameters
    ----------
    report : DetectionReport
        Of `study.detection_report`.

    Returns
    -------
    str
        The HTML document, which needs no network; the arrow keys step through the ranked detections.

    Examples
    --------
    >>> from tinycnn.metrics import Detected, DetectionData, Truth
    >>> from tinycnn.study.detection_report import detection_report
    >>> data = DetectionData((1,), {1: "cell"}, (Truth(1, 1, (0, 0, 9, 9), 81.0),), (Detected(1, 1, 0.9, (0, 0, 9, 9), 81.0),))
    >>> "overlaps a cell by 1.00" in detection_page(detection_report(data))
    True
    """
    words = (
        f"{len(report.data.images)} images, {len(report.data.truths)} truths, {len(report.data.detections)} detections; overlap of {report.kind}, "
        f"threshold {report.threshold:g}. Curves and verdicts: {RULE_WORDS[report.rule]}."
    )
    parts = [STYLE, f"<p class=soft>{html.escape(words)}</p>"]
    parts.append(html_table(report.header, [row.cells() for row in (*report.rows, report.mean)], numbers=range(1, 7), whole=(0,)))
    parts.append(f"<p class=soft>{html.escape(report.policy())}.</p>")
    stats = [[name, "-" if value < 0 else f"{value:.4f}"] for name, value in report.coco.stats().items()]
    parts += ["<details><summary>COCO's summary</summary>", html_table(("", "value"), stats, numbers=(1,)), "</details>"]
    drawn = [row for row in report.rows if row.truths]
    if drawn:
        parts.append("<h2>Precision against recall</h2>")
        parts.append(
            '<p class="steps"><button data-step="-1">previous</button> <button data-step="1">next</button> '
            '<span id="said" aria-live="polite" class="soft">or the arrow keys: detection by detection, best score first</span></p>'
        )
        parts.append("<p class=soft>Green: right, red: wrong; dashed: precision as it is, solid: its envelope, the area of which is averaged.</p>")
    for row in drawn:
        parts += [f"<h3>{html.escape(row.name)}: AP {number_text(_area(report, row))}</h3>", _curve_svg(report, row), _steps(report, row)]
    counts = [[name, str(count)] for name, count in report.counts().items() if count]
    parts += ["<h2>Verdicts</h2>", html_table(("", "how many"), counts, numbers=(1,))]
    verdicts = [report.verdict_cells(each) for each in report.verdicts[:MOST_ROWS]]
    parts.append(html_table(("image", "class", "score", "verdict", "why"), verdicts, numbers=(2,)))
    if len(report.verdicts) > MOST_ROWS:
        parts.append(f"<p class=soft>the first {MOST_ROWS} of {len(report.verdicts)}; --json has all</p>")
    if report.missed:
        missed = [report.missed_cells(each) for each in report.missed[:MOST_ROWS]]
        parts += ["<h2>Missed truths</h2>", html_table(("image", "class", "box", "missed because"), missed)]
    return answer_page("Average precision", parts, report.to_dict(), SCRIPT)


def _area(report: DetectionReport, row: ClassRow) -> float:
    return {"voc07": row.voc07, "voc10": row.voc10, "coco": row.coco}[report.rule]


def _at(recall: float, precision: float) -> tuple[float, float]:
    return LEFT + recall * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - precision * (HEIGHT - BOTTOM - TOP)


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in (_at(*point) for point in points))


def _curve_svg(report: DetectionReport, row: ClassRow) -> str:
    curve = report.curves[row.category]
    recall, precision, envelope = curve.recall.tolist(), curve.precision.tolist(), curve.envelope.tolist()
    label = html.escape(f"precision against recall of {row.name}", quote=True)
    parts = [f'<div class="wide"><svg class="curve" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{label}">']
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        (x, bottom), (_, top) = _at(tick, 0), _at(tick, 1)
        (left, y), (right, _) = _at(0, tick), _at(1, tick)
        parts.append(f'<line x1="{x:.1f}" y1="{bottom:.1f}" x2="{x:.1f}" y2="{top:.1f}"/>')
        parts.append(f'<line x1="{left:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 17:.1f}" text-anchor="middle">{tick:g}</text>')
        parts.append(f'<text x="{left - 7:.1f}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    parts.append(f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 8:.0f}" text-anchor="middle">recall</text>')
    parts.append(f'<text transform="translate(13 {HEIGHT / 2 - 10:.0f}) rotate(-90)" text-anchor="middle">precision</text>')
    if recall:
        corners = _corners(recall, envelope)
        parts.append(f'<path class="under" d="{_path([*corners, (corners[-1][0], 0.0), (0.0, 0.0)])}Z"/>')
        parts.append(f'<path class="raw" d="{_path([(0.0, precision[0]), *zip(recall, precision, strict=True)])}"/>')
        parts.append(f'<path class="envelope" d="{_path(corners)}"/>')
    if report.rule == "voc07":
        for level, height, _ in report.steps_of(row.category):
            x, y = _at(level, height)
            parts.append(f'<rect class="sample" x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"/>')
    for rank, (r, p, right, score) in enumerate(zip(recall, precision, curve.right.tolist(), curve.scores.tolist(), strict=True), start=1):
        x, y = _at(r, p)
        kind = "right" if right else "wrong"
        words = (
            f"{row.name} {rank}: score {score:.3g}, {kind}; precision {int(curve.true_positives[rank - 1])}/{rank} = {p:.4f}, recall "
            f"{int(curve.true_positives[rank - 1])}/{curve.positives} = {r:.4f}"
        )
        parts.append(f'<g class="window {kind}" data-words="{html.escape(words, quote=True)}"><circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"/></g>')
    return "".join([*parts, "</svg></div>"])


def _corners(recall: list[float], envelope: list[float]) -> list[tuple[float, float]]:
    """The envelope as steps from recall 0."""
    points = [(0.0, envelope[0])]
    for r, height in zip(recall, envelope, strict=True):
        if height != points[-1][1]:
            points.append((points[-1][0], height))
        if r != points[-1][0]:
            points.append((r, height))
    return points


def _steps(report: DetectionReport, row: ClassRow) -> str:
    header = ("rank", "score", "", "TP", "FP", "precision", "recall", "envelope")
    ranked = html_table(header, report.ranked(row.category), numbers=(0, 1, 3, 4, 5, 6, 7))
    steps = [[f"{level:.4g}", f"{height:.4f}", f"{weight:.4f}", f"{height * weight:.4f}"] for level, height, weight in report.steps_of(row.category)]
    steps.append(["sum", "", "", number_text(_area(report, row))])
    added = html_table(("recall", "best precision from there on", "weight", "adds"), steps, numbers=(0, 1, 2, 3))
    return f"<details><summary>how it is built</summary>{ranked}<p class=soft>{html.escape(RULE_WORDS[report.rule])}</p>{added}</details>"
