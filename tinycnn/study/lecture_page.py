"""The lecture map as one self-contained page: deck by deck in slide order, searched by typing, errata marked."""

from __future__ import annotations

import html

from .explain_page import STYLE
from .lecture import STATUS, LectureMap, Shown, checks_of, expected_text
from .lectures import DECKS, Check, Erratum, Row
from .lectures.entries import PREAMBLE
from .page import script_data

__all__ = ["lecture_page"]

MORE_STYLE = """
main { max-width: 1020px; } a { color: var(--from); } .bar { gap: .35rem .5rem; } h2 { scroll-margin-top: 7rem; font-size: 1.35rem; }
input[type=search] { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 7px;
  padding: .25rem .7rem;  flex: 1 1 12rem; min-width: 8rem; }
input:focus-visible { outline: 3px solid var(--from); outline-offset: 1px; }
section.slide { border-top: 1px solid var(--line); padding: .9rem 0 .3rem; scroll-margin-top: 9rem; }
section.slide > h3 { color: var(--ink); font-size: 1.06rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
section.slide > h3 .number { color: var(--soft); font-variant-numeric: tabular-nums; margin-right: .5em; }
article { background: var(--panel); border-radius: 9px; padding: .7rem .9rem; margin: .55rem 0; border-left: 4px solid var(--line); }
article.now { border-left-color: var(--from); box-shadow: 0 0 0 2px var(--from); }
article p { margin: .2rem 0 .5rem; } article .id { font-weight: 700; margin-right: .5em; }
.badge { border: 1px solid var(--line); border-radius: 99px; padding: 0 .6em; font-size: .8rem; color: var(--soft); white-space: nowrap; }
.badge.runs { color: var(--good); border-color: var(--good); } .badge.named { color: var(--now); border-color: var(--now); }
.badge.partly { color: var(--from); border-color: var(--from); }
.run { position: relative; margin: .45rem 0; }
.run pre { margin: 0; padding: .42rem 4.4rem .42rem .75rem; background: var(--paper); border: 1px solid var(--line); }
.run button { position: absolute; top: .25rem; right: .25rem; font-size: .78rem; padding: .1rem .55rem; }
ul.numbers { margin: .3rem 0 .1rem; padding-left: 1.2rem; font-size: .92rem; overflow-wrap: anywhere; } ul.numbers b { font-weight: 600; }
.source { color: var(--soft); font-size: .85em; } .note { color: var(--soft); font-size: .92rem; }
aside { background: var(--now-fill); border-left: 4px solid var(--now); border-radius: 0 9px 9px 0; padding: .6rem .9rem; margin: .55rem 0; }
aside p { margin: .15rem 0; } aside .run pre { background: var(--paper); }
.none { display: none; } details summary { cursor: pointer; color: var(--soft); }
@media (max-width: 600px) { .bar { position: static; } section.slide, h2 { scroll-margin-top: 1rem; }
  .run pre { padding: 1.9rem .7rem .42rem; } }
@media print { article, aside { border: 1px solid #999; break-inside: avoid; background: #fff; } .run button { display: none; }
  h2 { break-before: page; }  h2.first { break-before: auto; } a { color: inherit; }
  section.slide > h3 { break-after: avoid; } .run pre { padding-right: .6rem; } }
"""

SCRIPT = """
const by = id => document.getElementById(id), all = kind => [...document.querySelectorAll(kind)];
const slides = all("section.slide"), cards = all("article"), filters = all("button[data-status]");
let status = "", at = -1;
function show() {
  const words = by("search").value.toLowerCase().split(/\\s+/).filter(Boolean);
  let count = 0;
  const seen = new Set();
  for (const slide of slides) {
    const title = slide.dataset.words;
    let any = false;
    for (const card of slide.querySelectorAll("article, aside")) {
      const text = card.dataset.words + " " + title;
      const kind = card.matches("aside") ? "errata" : card.dataset.status;
      const fits = words.every(word => text.includes(word)) && (!status || status === kind);
      card.classList.toggle("none", !fits);
      any = any || fits;
      if (fits && card.dataset.id) seen.add(card.dataset.id);
    }
    slide.classList.toggle("none", !any);
  }
  for (const deck of all("div.deck")) deck.classList.toggle("none", !deck.querySelector("section.slide:not(.none)"));
  by("count").textContent = seen.size + " of " + by("count").dataset.all + " rows";
}
function step(by) {
  const shown = cards.filter(card => !card.closest(".none"));
  if (!shown.length) return;
  const now = shown.indexOf(cards[at]);
  cards.forEach(card => card.classList.remove("now"));
  const next = shown[Math.max(0, Math.min(shown.length - 1, now < 0 ? (by > 0 ? 0 : shown.length - 1) : now + by))];
  at = cards.indexOf(next);
  next.classList.add("now");
  next.scrollIntoView({ block: "center" });
}
async function copy(button) {
  const text = button.parentElement.querySelector("pre").textContent;
  let done = false;
  try { await navigator.clipboard.writeText(text); done = true; } catch (refused) {
    const area = document.createElement("textarea");
    area.value = text; document.body.append(area); area.select();
    done = document.execCommand("copy"); area.remove();
  }
  button.textContent = done ? "copied" : "press Ctrl-C";
  setTimeout(() => { button.textContent = "copy"; }, 1500);
}
by("search").addEventListener("input", show);
filters.forEach(each => each.addEventListener("click", () => {
  status = status === each.dataset.status ? "" : each.dataset.status;
  filters.forEach(other => other.setAttribute("aria-pressed", String(other.dataset.status === status)));
  show();
}));
document.addEventListener("click", event => { const button = event.target.closest(".run button"); if (button) copy(button); });
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target === by("search");
  if (event.key === "/" && !typing) { event.preventDefault(); by("search").focus(); by("search").select(); }
  if (event.key === "Escape") { by("search").value = ""; show(); by("search").blur(); }
  if (!typing && (event.key === "ArrowRight" || event.key === "j")) { event.preventDefault(); step(1); }
  if (!typing && (event.key === "ArrowLeft" || event.key === "k")) { event.preventDefault(); step(-1); }
});
show();
"""


def lecture_page(found: LectureMap) -> str:
    """The page, which needs no network."""
    decks = [deck for deck in DECKS.values() if any(shown.deck is deck for shown in found.slides)]
    links = " ".join(f'<a href="#{deck.id}">{deck.id}</a>' for deck in decks)
    filters = "".join(f'<button data-status="{name}" aria-pressed="false" title="{words}">{name}</button>' for name, words in STATUS.items())
    body = []
    for place, deck in enumerate(decks):
        sections = "\n".join(_slide(shown, found.errata) for shown in found.slides if shown.deck is deck)
        first = ' class="first"' if place == 0 else ""
        head = f'<h2 id="{deck.id}"{first}>{deck.id}: {_text(deck.title)}</h2>\n<p class="lead">{_text(deck.school)}</p>'
        body.append(f'<div class="deck">{head}\n{sections}</div>')
    title = "The lectures, reproduced" + (f": {_text(' '.join(found.wanted))}" if found.wanted else "")
    preamble = _text("\n".join(PREAMBLE))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>{title}</title><style>{STYLE}{MORE_STYLE}</style></head><body><main>
<h1>{title}</h1>
<p class="lead">For every slide of five decks: what it teaches, what reproduces it, and the numbers that come out; a test computes each of them.
Slides are numbered by their place here, since the decks came without page numbers.</p>
<details open><summary>Python lines begin with</summary><div class="run"><pre>{preamble}</pre><button>copy</button></div></details>
<div class="bar"><input type="search" id="search" placeholder="type a word, a row, a command" aria-label="search">
{filters}<button data-status="errata" aria-pressed="false" title="only where a deck is wrong">errata</button>
<span>{links}</span><span class="where" id="count" data-all="{len(found.rows)}" aria-live="polite"></span></div>
{"".join(body)}
<footer><kbd>/</kbd> searches, <kbd>Esc</kbd> clears, the arrow keys go from row to row. Commands are typed in a shell; {len(found.errata)} errata
are marked.</footer></main>
<script type="application/json" id="data">{script_data({"rows": [row.id for row in found.rows]})}</script><script>{SCRIPT}</script></body></html>
"""


def _text(words: str) -> str:
    return html.escape(words)


def _slide(shown: Shown, errata: tuple[Erratum, ...]) -> str:
    """A slide with the cards of its rows; an erratum stands behind the row that it corrects."""
    kind = "" if shown.slide.kind == "slide" else f' <span class="badge">{shown.slide.kind}</span>'
    parts = []
    for row in shown.rows:
        parts.append(_card(row))
        parts += [_erratum(erratum) for erratum in errata if erratum.row == row.id and erratum.deck == shown.deck.id]
    words = _text(f"{shown.deck.id} {shown.number} {shown.slide.title} {shown.slide.kind}".lower())
    return (
        f'<section class="slide" data-words="{words}">'
        f'<h3><span class="number">{shown.number}</span>{_text(shown.slide.title)}{kind}</h3>\n'
        + "\n".join(parts)
        + "</section>"
    )


def _card(row: Row) -> str:
    numbers: dict[str, list[tuple[str, Check]]] = {}
    for source, check in checks_of(row):
        numbers.setdefault(check.run, []).append((source, check))
    runs = "\n".join(_run(run, numbers.get(run, [])) for run in dict.fromkeys((*numbers, *row.commands)))
    missing = f'<p class="note">{_text(row.missing)}</p>' if row.missing else ""
    words = _text(" ".join((row.id, row.taught, row.missing, *row.runs, *(check.what for check in row.checks))).lower())
    return (
        f'<article data-id="{row.id}" data-status="{row.status}" data-words="{words}"><p><span class="id">{row.id}</span>'
        f'<span class="badge {row.status}">{STATUS[row.status]}</span></p><p>{_text(row.taught)}</p>{runs}{missing}</article>'
    )


def _run(run: str, numbers: list[tuple[str, Check]]) -> str:
    """A command or Python lines to copy, and the numbers they give."""
    items = "".join(
        f"<li>{_text(check.what)}: <b>{_text(expected_text(check))}</b>"
        + ("</li>" if source == "deck" else f' <span class="source">{_text(source)}</span></li>')
        for source, check in numbers
    )
    return f'<div class="run"><pre>{_text(run)}</pre><button>copy</button></div>' + (f'<ul class="numbers">{items}</ul>' if items else "")


def _erratum(erratum: Erratum) -> str:
    check = erratum.check
    shown = "" if check is None else _run(check.run, [("deck", check)])
    words = _text(f"erratum errata {erratum.number} {erratum.says} {erratum.right}".lower())
    return (
        f'<aside data-words="{words}"><p><b>Erratum {erratum.number}.</b> The deck: {_text(erratum.says)}.</p>'
        f"<p>Right: {_text(erratum.right)}.</p>{shown}</aside>"
    )
