"""Sentences with their fired n-grams as one page: stepping through the n-grams lights up their words."""

from __future__ import annotations

import html
from collections.abc import Sequence

from .ngrams import FiredNgram, SentenceReading
from .page import FOOTER, document

__all__ = ["ngram_page"]

SHOWN = 25  # n-grams of a sentence

STYLE = """
.sentence { font-size: 1.2rem; line-height: 2.1; margin: .4rem 0; }
.word { padding: .12em .25em; border-radius: 4px; border-bottom: 3px solid transparent; }
.word.unknown { font-style: italic; } .word.on { border-bottom-color: var(--now); background: var(--now-fill) !important; color: var(--ink); }
.for { background: color-mix(in srgb, var(--good) calc(var(--w) * 1%), transparent); }
.against { background: color-mix(in srgb, var(--bad) calc(var(--w) * 1%), transparent); }
td, th { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left; } td.number, th.number { text-align: right; }
tr.ngram { cursor: pointer; } tr.ngram.on td { background: var(--panel); box-shadow: inset 0 2px 0 var(--accent), inset 0 -2px 0 var(--accent); }
.chance { display: flex; gap: .6rem; align-items: center; margin: .15rem 0; } .chance meter { width: 9rem; } section { margin-bottom: 2.2rem; }
@media (max-width: 600px) { .sentence { font-size: 1.05rem; } td, th { padding: .25rem .35rem; } }
"""
SCRIPT = """
const rows = [...document.querySelectorAll("tr.ngram")]; let at = -1;
function show(next) {
  document.querySelectorAll(".on").forEach(each => each.classList.remove("on"));
  at = (next + rows.length) % rows.length;
  const row = rows[at], section = row.closest("section");
  row.classList.add("on");
  for (let place = Number(row.dataset.from); place < Number(row.dataset.to); place++)
    section.querySelector(`[data-place="${place}"]`)?.classList.add("on");
}
rows.forEach((row, number) => row.addEventListener("click", () => show(number)));
document.addEventListener("keydown", event => {
  const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (by && rows.length) { show(at < 0 ? (by > 0 ? 0 : -1) : at + by); event.preventDefault(); rows[at].scrollIntoView({ block: "nearest" }); }
});
"""


def ngram_page(readings: Sequence[SentenceReading], title: str = "Which n-grams fired") -> str:
    """The page of some sentences.

    Parameters
    ----------
    readings : sequence of SentenceReading
        Of `fired_ngrams`.
    title : str
        Of the page.

    Returns
    -------
    str
        The HTML document, which needs no network; the arrow keys step through the n-grams.
    """
    lead = (
        "Every map keeps its largest answer, which one n-gram gave. Times the map's weight to a class, it is that n-gram's share of the "
        "class's logit; with the bias the shares add up to the logit exactly. Words are tinted by their shares: green for the answer, red "
        "against it. Words in italics were not seen in training. Arrow keys or a click step through the n-grams."
    )
    parts = [f"<h1>{html.escape(title)}</h1>", f'<p class="lead">{html.escape(lead)}</p>', *map(_section, readings), FOOTER]
    return document(title, parts, {"sentences": [each.to_dict() for each in readings]}, style=STYLE, script=SCRIPT)


def _section(reading: SentenceReading) -> str:
    largest = max((abs(weight) for weight in reading.weights), default=0.0) or 1.0
    words = []
    for place, (word, unknown, weight) in enumerate(zip(reading.words, reading.unknown, reading.weights, strict=True)):
        kind = f"word {'for' if weight >= 0 else 'against'}{' unknown' if unknown else ''}"
        shade = f"--w:{60 * abs(weight) / largest:.0f}"
        words.append(f'<span class="{kind}" style="{shade}" data-place="{place}" title="{weight:+.3f}">{html.escape(word)}</span>')
    chances = "".join(
        f'<div class="chance"><meter value="{chance:.4f}"></meter> {100 * chance:.1f} % {html.escape(name)}</div>'
        for name, chance in zip(reading.classes, reading.probabilities, strict=True)
    )
    answer = reading.classes[reading.answer]
    numbers = "".join(f'<th class="number">{html.escape(name)}</th>' for name in ("region", "maps", "largest", f"for {answer}"))
    head = f"<th>n-gram</th>{numbers}"
    rows = "\n".join(_row(reading, each) for each in reading.ngrams[:SHOWN])
    more = len(reading.ngrams) - SHOWN
    rest = f'<p class="soft">{more} more n-grams are left out.</p>' if more > 0 else ""
    sentence = " ".join(words) or "(no words)"
    return (
        f'<section><h2>{html.escape(answer)}</h2><p class="sentence">{sentence}</p>{chances}'
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>{rest}</section>'
    )


def _row(reading: SentenceReading, ngram: FiredNgram) -> str:
    start = max(ngram.place, 0)
    name = html.escape(" ".join(ngram.words)) or '<span class="soft">(padding)</span>'
    return (
        f'<tr class="ngram" data-from="{start}" data-to="{start + len(ngram.words)}"><td>{name}</td>'
        f'<td class="number">{ngram.size}</td><td class="number">{ngram.maps}</td>'
        f'<td class="number">{ngram.largest:.3f}</td><td class="number">{reading.lead(ngram):+.3f}</td></tr>'
    )
