"""Style and program that the pages of the operator book share: search, keys, print."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .explain_page import STYLE
from .page import script_data

__all__ = ["document", "search_box"]

BOOK_STYLE = (
    STYLE
    + """
:root { --key: #7c2d92; --text: #166534; } @media (prefers-color-scheme: dark) { :root { --key: #e0a6f0; --text: #8fdca6; } }
a { color: var(--from); text-decoration-thickness: 1px; text-underline-offset: .15em; } a:hover { text-decoration-thickness: 2px; }
a:focus-visible, input:focus-visible, summary:focus-visible { outline: 3px solid var(--from); outline-offset: 1px; border-radius: 3px; }
nav.book { display: flex; flex-wrap: wrap; gap: .4rem .9rem; align-items: center; margin-bottom: 1.2rem; }
nav.book .find { position: relative; margin-left: auto; flex: 0 1 20rem; }
.find input { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 7px; width: 100%;
  padding: .3rem .7rem; }
.find ol { position: absolute; z-index: 5; left: 0; right: 0; margin: .2rem 0 0; padding: .3rem 0; list-style: none; background: var(--paper);
  border: 1px solid var(--line); border-radius: 7px; box-shadow: 0 6px 20px #0003; max-height: 60vh; overflow: auto; }
.find ol:empty { display: none; } .find li a { display: block; padding: .25rem .8rem; text-decoration: none; color: inherit; }
.find li small { color: var(--soft); } .find li a:focus, .find li a:hover { background: var(--from-fill); }
h1 small { font-size: .95rem; font-weight: 400; color: var(--soft); }
p.formula { margin: .45rem 0; line-height: 2; } p.apart { padding-left: 1.2rem; }
.formulas { background: var(--panel); border-radius: 10px; padding: .6rem 1.1rem; overflow-x: auto; }
math { font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", "DejaVu Math TeX Gyre", math;
  font-size: 1.06em; }
table.list td { overflow-wrap: break-word; }
.formulas mtext, .formulas mi.word { font-family: system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-size: .9em; }
.formulas code { font-size: .9em; }
pre.code { white-space: pre; overflow-x: auto; overflow-wrap: normal; font-size: .82rem; line-height: 1.45; }
.k { color: var(--key); } .d { font-weight: 700; } .s { color: var(--text); } .c { color: var(--soft); } .n { color: var(--now); }
dl { margin: .3rem 0; } dt { margin-top: .55rem; } dt span { color: var(--soft); } dd { margin: 0 0 0 1.4rem; } dd p { margin: .15rem 0; }
summary { cursor: pointer; color: var(--soft); margin: .4rem 0; } details pre { margin-top: .2rem; }
ul.tests { columns: 2 24rem; font-size: .86rem; padding-left: 1.2rem; } ul.tests li { break-inside: avoid; } ul.tests code { color: var(--soft);
  font-size: .9em; overflow-wrap: anywhere; }
h3.own { margin-top: 1.2rem; }
h3.deck { color: var(--ink); margin: 1.8rem 0 .5rem; border-bottom: 1px solid var(--line); } table.list td.number { text-align: right; }
iframe.film { width: 100%; height: 620px; border: 1px solid var(--line); border-radius: 10px; }
.cards { columns: 3 21rem; column-gap: 1.6rem; } .cards section { break-inside: avoid; margin-bottom: 1.1rem; } .cards h3 { margin: 0 0 .15rem; }
.cards p { margin: 0; line-height: 1.65; } [hidden] { display: none !important; }
section[id] { scroll-margin-top: .5rem; }
@media (max-width: 600px) { nav.book .find { margin-left: 0; flex: 1 0 100%; } }
@media print { nav.book, .find, iframe.film, .onscreen { display: none !important; } pre.code { white-space: pre-wrap; } a { color: inherit; }
  h2 { break-after: avoid; } :root { --key: #000; --text: #000; --now: #000; } .formulas { border: 1px solid #999; } }
"""
)

SEARCH = """
const pages = JSON.parse(document.getElementById("pages").textContent);
const box = document.getElementById("find"), hits = document.getElementById("hits");
function rank(page, words) {  // 0 is best; -1: a word is nowhere
  const [name, family, more] = page, text = (name + " " + family + " " + (more || "")).toLowerCase();
  if (!words.every(word => text.includes(word))) return -1;
  const first = words[0];
  return name === first ? 0 : name.startsWith(first) ? 1 : family === first ? 2 : name.includes(first) ? 3 : family.includes(first) ? 4 : 5;
}
function find() {
  const words = box.value.toLowerCase().trim().split(/\\s+/).filter(Boolean);
  const found = words.length ? pages.map(page => [rank(page, words), page]).filter(each => each[0] >= 0) : [];
  found.sort((one, other) => one[0] - other[0] || one[1][0].length - other[1][0].length);
  hits.replaceChildren(...found.slice(0, document.querySelector(".cards") ? 5 : 12).map(([, [name, family]]) => {
    const item = document.createElement("li"), link = document.createElement("a"), small = document.createElement("small");
    link.href = name + ".html"; small.textContent = " " + family; link.append(name, small); item.append(link);
    return item;
  }));
  if (words.length && !found.length) hits.append(Object.assign(document.createElement("li"), { textContent: "\\u00a0 no operator has these words" }));
  const names = new Set(found.map(each => each[1][0]));
  for (const link of document.querySelectorAll("[data-name]")) link.hidden = words.length > 0 && !names.has(link.dataset.name);
  for (const part of document.querySelectorAll(".cards section")) part.hidden = ![...part.querySelectorAll("[data-name]")].some(link => !link.hidden);
}
box.addEventListener("input", find);
document.querySelector(".find").addEventListener("keydown", event => {  // keys typed here do not step through the example
  event.stopPropagation();
  const links = [...hits.querySelectorAll("a")], at = links.indexOf(document.activeElement);
  if (event.key === "Escape") { box.value = ""; find(); box.blur(); }
  else if (event.key === "Enter" && at < 0 && links.length) { event.preventDefault(); links[0].click(); }
  else if (event.key === "ArrowDown" && links.length) { event.preventDefault(); links[Math.min(at + 1, links.length - 1)].focus(); }
  else if (event.key === "ArrowUp") { event.preventDefault(); (at > 0 ? links[at - 1] : box).focus(); }
});
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const link = { j: "a[rel=next]", k: "a[rel=prev]", h: "a[rel=index]" }[event.key];
  if (event.key === "/") { event.preventDefault(); box.focus(); box.select(); }
  else if (link && document.querySelector(link)) document.querySelector(link).click();
});
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(each => { each.open = true; }));
"""


def search_box() -> str:
    """The field that finds operators as one types."""
    return (
        '<div class="find" role="search"><input id="find" type="search" placeholder="search: /" aria-label="search operators" autocomplete="off" '
        'spellcheck="false"><ol id="hits"></ol></div>'
    )


def document(title: str, body: str, pages: Sequence[Sequence[str]], scripts: str = "") -> str:
    """A whole page: style, body, the index of the search, programs."""
    data = script_data({"pages": [list(page) for page in pages]})[len('{"pages":') : -1]
    assert json.loads(data) is not None
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>{title}</title><style>{BOOK_STYLE}</style></head><body><main>
{body}</main>
<script type="application/json" id="pages">{data}</script>{scripts}<script>{{{SEARCH}}}</script></body></html>
"""
