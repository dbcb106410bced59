"""The report on a network for faces as one page: the two kinds of pairs with a threshold to move, ROC, map, hard pairs, people added."""

from __future__ import annotations

import html
import math
from collections.abc import Sized

import numpy as np
from PIL import Image

from .page import FOOTER, document, html_table, picture_uri
from .recognition_report import HardPair, RecognitionReport, added_sentences

__all__ = ["recognition_page"]

BINS = 44
WIDTH, HEIGHT, EDGE = 520, 270, 40  # of a diagram, and the room for its axes
MAP_WIDTH, MAP_HEIGHT = 1000, 620
MAX_ON_MAP = 240  # pictures
LEAST_RATE = 1e-4  # left end of the ROC's axis
MAX_POINTS = 500  # of a curve
COLOURS = ("#2467b3", "#d9661f", "#2e7d32", "#c62828", "#6a4fa3", "#8d6e63", "#d81b78", "#5f6b76", "#b0a000", "#00a3b4")

STYLE = """
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 1.2rem; }
figure { margin: 0; } figcaption { color: var(--soft); font-size: .92rem; } svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font: 15px system-ui, "DejaVu Sans", sans-serif; }
.axis { stroke: var(--line); } .own { fill: var(--good); fill-opacity: .55; } .other { fill: var(--bad); fill-opacity: .5; }
.curve { fill: none; stroke: var(--accent); stroke-width: 2.5; }
.before { fill: none; stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 6 4; }
#cut, #spot { stroke: var(--now); stroke-width: 2.5; } #spot { fill: var(--now-fill); }
input[type=range] { width: 100%; accent-color: var(--now); } #said { min-height: 3em; margin: .2rem 0 .8rem; }
td, th { padding: .25rem .8rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; } td.number { text-align: right; }
.pairs { display: flex; flex-wrap: wrap; gap: .9rem; } .pairs figure { border: 1px solid var(--line); border-radius: 8px; padding: .5rem; }
.pairs img { width: 69px; height: auto; image-rendering: auto; } .alarm { border-left: 5px solid var(--bad); background: var(--bad-fill);
  padding: .6rem .9rem; border-radius: 0 8px 8px 0; } .scroll { overflow-x: auto; } .scroll svg { min-width: 620px; }
@media print { .scroll svg { min-width: 0; } input[type=range] { display: none; } }
"""
SCRIPT = """
const points = JSON.parse(document.querySelector("#data").textContent).points, slider = document.querySelector("#slider");
const percent = value => (100 * value).toFixed(value < 0.0995 ? 2 : 1) + " %";
function show(next) {
  const at = Math.max(0, Math.min(points.length - 1, next)), [threshold, far, tar, left, x, y] = points[at];
  slider.value = at;
  document.querySelector("#cut").setAttribute("transform", `translate(${left} 0)`);
  document.querySelector("#spot").setAttribute("transform", `translate(${x} ${y})`);
  document.querySelector("#said").textContent = `From a cosine of ${threshold.toFixed(3)} up two pictures count as one person: ` +
    `${percent(tar)} of one person's pairs are accepted, ${percent(1 - tar)} refused; ${percent(far)} of two people's are accepted by mistake.`;
}
slider.addEventListener("input", () => show(Number(slider.value)));
document.addEventListener("keydown", event => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (by) { show(Number(slider.value) + by); event.preventDefault(); }
});
show(Number(slider.value));
"""


def recognition_page(report: RecognitionReport) -> str:
    """The page of a report.

    Parameters
    ----------
    report : RecognitionReport
        Of `recognition_report`.

    Returns
    -------
    str
        The HTML document, which needs no network; the arrow keys move the threshold.
    """
    found, config = report.main, report.config
    lead = (
        f"{config.model} trained by the {config.loss} loss on {len(report.known)} people"
        f"{' of ' + report.source if report.source else ''}, seed {config.seed}, {config.epochs} epochs; tested on {len(report.strangers)} "
        f"people it never saw, {len(report.images)} pictures: {found.genuine:,} pairs of one person, {found.impostor:,} of two."
    )
    low = min(float(found.genuine_scores.min()), float(found.impostor_scores.min()))
    points = _points(report, low)
    start = min(range(len(points)), key=lambda place: abs(points[place][0] - found.threshold))
    slider = f'<input type="range" id="slider" min="0" max="{len(points) - 1}" value="{start}" aria-label="threshold">'
    parts = [
        f"<h1>Do two pictures show one person?</h1>\n<p class='lead'>{html.escape(lead)}</p>",
        *(f'<p class="alarm">{html.escape(alarm)}</p>' for alarm in report.alarms),
        f'<div class="two">{_histogram(report, low)}{_roc(report)}</div>',
        f"<p>{slider}</p><p id='said'></p><p class='soft'>Move the threshold by the slider or the keys <kbd>&larr;</kbd> <kbd>&rarr;</kbd>.</p>",
        "<h2>Beside its baselines</h2>",
        _verification_table(report),
        "<h2>Naming people by a few pictures</h2>",
        _shot_table(report),
        *_added(report),
        "<h2>The map</h2>",
        _map(report),
        "<h2>The hardest pairs</h2>",
        _pairs(report),
        FOOTER,
    ]
    return document("Faces", parts, {**report.to_dict(), "points": points}, style=STYLE, script=SCRIPT)


def _points(report: RecognitionReport, low: float) -> list[list[float]]:
    """Of each point of the ROC curve: threshold, false- and true-accept rate, and where it lies in the two diagrams."""
    points = [
        [round(threshold, 6), round(false, 6), round(true, 6), *_rounded(_score_x(threshold, low), *_roc_place(false, true))]
        for false, true, threshold in zip(*report.main.roc, strict=True)
        if math.isfinite(threshold)
    ]
    return points[:: _every(points)]


def _every(points: Sized) -> int:
    """Of long curves only every so many-th point is drawn."""
    return max(1, -(-len(points) // MAX_POINTS))


def _rounded(*values: float) -> list[float]:
    return [round(value, 1) for value in values]


def _score_x(score: float, low: float) -> float:
    return EDGE + (WIDTH - 2 * EDGE) * (score - low) / max(1 - low, 1e-12)


def _roc_place(false: float, true: float) -> tuple[float, float]:
    """False-accept rates by their logarithm: what happens below one per cent is what matters."""
    share = 1 - math.log10(max(false, LEAST_RATE)) / math.log10(LEAST_RATE)
    return EDGE + (WIDTH - 2 * EDGE) * share, HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * true


def _histogram(report: RecognitionReport, low: float) -> str:
    """How the scores of both kinds of pairs are spread, each kind as shares of its own pairs."""
    found = report.main
    bounds = np.linspace(low, 1, BINS + 1)
    bars = []
    spread = {
        "other": np.histogram(found.impostor_scores, bounds)[0] / found.impostor,
        "own": np.histogram(found.genuine_scores, bounds)[0] / found.genuine,
    }
    tallest = max(float(shares.max()) for shares in spread.values())
    step = (WIDTH - 2 * EDGE) / BINS
    for kind, shares in spread.items():
        for place, share in enumerate(shares):
            if share:
                height = (HEIGHT - 2 * EDGE) * share / tallest
                x, y = _rounded(EDGE + place * step, HEIGHT - EDGE - height)
                bars.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{step:.1f}" height="{height:.1f}"/>')
    ticks = "".join(
        f'<text x="{_score_x(value, low):.0f}" y="{HEIGHT - EDGE + 17}" text-anchor="middle">{value:g}</text>'
        for value in (-0.5, 0.0, 0.5, 1.0)
        if value >= low
    )
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="scores of pairs">{"".join(bars)}'
        f'<line class="axis" x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{HEIGHT - EDGE}" y2="{HEIGHT - EDGE}"/>{ticks}'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 4}" text-anchor="middle">cosine of the two vectors</text>'
        f'<line id="cut" x1="0" x2="0" y1="{EDGE - 20}" y2="{HEIGHT - EDGE}"/></svg>'
        "<figcaption>Pairs of one person (green) and of two (red), each as shares of their own kind.</figcaption></figure>"
    )


def _roc(report: RecognitionReport) -> str:
    lines = []
    for number, found in enumerate(report.verified.values()):
        rates_of = list(zip(*found.roc[:2], strict=True))
        drawn = [*rates_of[:: _every(rates_of)], rates_of[-1]]
        places = " ".join("{:.1f},{:.1f}".format(*_roc_place(false, true)) for false, true in drawn)
        lines.append(f'<polyline class="{"before" if number else "curve"}" points="{places}"/>')
    left, bottom = EDGE, HEIGHT - EDGE
    rates = "".join(
        f'<text x="{_roc_place(rate, 0)[0]:.0f}" y="{bottom + 17}" text-anchor="middle">{rate:g}</text>' for rate in (0.0001, 0.001, 0.01, 0.1, 1)
    )
    shares = "".join(f'<text x="{left - 6}" y="{_roc_place(1, share)[1] + 4:.0f}" text-anchor="end">{share:g}</text>' for share in (0, 0.5, 1))
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="ROC curve">'
        f'<line class="axis" x1="{left}" x2="{WIDTH - EDGE}" y1="{bottom}" y2="{bottom}"/>'
        f'<line class="axis" x1="{left}" x2="{left}" y1="{EDGE}" y2="{bottom}"/>{rates}{shares}'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 4}" text-anchor="middle">false-accept rate</text>{"".join(reversed(lines))}'
        '<circle id="spot" r="6"/></svg><figcaption>ROC: true-accept rate over the false-accept rate, by its logarithm. '
        f"Dashed: {html.escape(', '.join(list(report.verified)[1:]))}.</figcaption></figure>"
    )


def _verification_table(report: RecognitionReport) -> str:
    rates = list(report.main.tar)
    rows = [
        [name, f"{100 * found.eer:.2f} %", f"{found.auc:.4f}", *(f"{100 * found.tar[rate][0]:.1f} %" for rate in rates)]
        for name, found in report.verified.items()
    ]
    return html_table(["", "equal error rate", "area under ROC", *(f"TAR at FAR {rate}" for rate in rates)], rows, range(1, 3 + len(rates)))


def _shot_table(report: RecognitionReport) -> str:
    rows = [
        [str(each.ways), str(each.shots), f"{100 * each.accuracy:.1f} % ± {100 * each.interval:.1f}", str(each.episodes)] for each in report.shots
    ]
    if not rows:
        return '<p class="soft">There are too few people or pictures.</p>'
    return html_table(["people (ways)", "pictures of each (shots)", "named rightly", "episodes"], rows, range(4))


def _added(report: RecognitionReport) -> list[str]:
    if report.added is None:
        return []
    items = "\n".join(f"<li>{html.escape(sentence)}</li>" for sentence in added_sentences(report.added))
    return ["<h2>No training when a person is added</h2>", f"<ul>\n{items}\n</ul>"]


def _source(report: RecognitionReport, row: int | np.integer) -> str:
    """A picture as a PNG inside the page."""
    return picture_uri(Image.fromarray(np.ascontiguousarray(report.images[row])))


def _map(report: RecognitionReport) -> str:
    """Each picture where its vector lies in the plane of the two principal components."""
    every = max(1, -(-len(report.images) // MAX_ON_MAP))
    chosen = np.arange(0, len(report.images), every)
    places = report.places[chosen]
    low, high = places.min(0), places.max(0)
    spans = np.where(high > low, high - low, 1.0)
    height, width = report.images.shape[1:3]
    scale = 34 / max(height, width)
    tall, wide = height * scale, width * scale
    shown = []
    for place, row in zip((places - low) / spans, chosen, strict=True):
        x, y = _rounded(4 + place[0] * (MAP_WIDTH - wide - 8), 4 + (1 - place[1]) * (MAP_HEIGHT - tall - 8))
        label = int(report.labels[row])
        shown.append(
            f'<g><title>{html.escape(report.strangers[label])}</title><image x="{x}" y="{y}" width="{wide:.1f}" height="{tall:.1f}" '
            f'href="{_source(report, row)}"/><rect x="{x}" y="{y}" width="{wide:.1f}" height="{tall:.1f}" fill="none" stroke-width="2.5" '
            f'stroke="{COLOURS[label % len(COLOURS)]}"/></g>'
        )
    left = f"; every {every}th picture is shown" if every > 1 else ""
    return (
        f'<figure class="scroll"><svg viewBox="0 0 {MAP_WIDTH} {MAP_HEIGHT}" role="img" aria-label="map of the vectors">{"".join(shown)}</svg>'
        f"</figure><figcaption>Vectors of the strangers' pictures on their two principal components, which hold {100 * sum(report.shares):.0f} % of "
        f"the variance; a frame's colour is the person{left}. Good vectors lie in one heap a person.</figcaption>"
    )


def _pairs(report: RecognitionReport) -> str:
    def figure(pair: HardPair) -> str:
        images = "".join(
            f'<img src="{_source(report, row)}" alt="{html.escape(report.strangers[int(report.labels[row])], quote=True)}">'
            for row in (pair.first, pair.second)
        )
        kind = '<span class="good">one person</span>' if pair.same else '<span class="bad">two people</span>'
        return f"<figure>{images}<figcaption>{kind}, {pair.score:.3f}</figcaption></figure>"

    return (
        '<p class="soft">Of one person those with the smallest cosines, then of two people those with the largest.</p>'
        f'<div class="pairs">{"".join(map(figure, report.hardest))}</div>'
    )
