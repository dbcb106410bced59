"""What all pages share: colours for light, dark and paper, type, and the document around the parts. One file each: nothing is fetched."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["BASE", "FOOTER", "data_uri", "document", "html_table", "picture_uri", "script_data"]

# now: the element that is looked at; from: what it is made of; a, b, c: input, window and output of a picture.
BASE = """
:root { --ink: #1f2933; --soft: #5b6773; --line: #d9e0e6; --paper: #fff; --panel: #f4f6f8; --accent: #1d4ed8; --good: #166534; --bad: #b3261e;
  --bad-fill: #f7d4d1; --now: #b45309; --now-fill: #fde8c4; --from: #1d4ed8; --from-fill: #d6e4ff; --a: #cfe3f7; --b: #fbe3b8; --c: #d3ecd0; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #a3b0bd; --line: #3a4653; --paper: #14191f; --panel: #1e252d;
  --accent: #8fbcff; --good: #7ddc9a; --bad: #ff9a8d; --bad-fill: #5a2320; --now: #fbbf5c; --now-fill: #5a3c0c; --from: #9cc1ff;
  --from-fill: #1f3f78; --a: #1f456b; --b: #6a4c12; --c: #27552a; color-scheme: dark; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 1.6rem 1.1rem 3.5rem; }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
a { color: var(--accent); }
.lead, .soft, footer { color: var(--soft); } .lead { margin: 0 0 .6rem; } footer { margin-top: 2.5rem; font-size: .88rem; }
code, pre, .mono, .formula { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .93em; }
pre { background: var(--panel); padding: .7rem .9rem; border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0; }
button { font: inherit; color: inherit; border: 1px solid var(--line); border-radius: 7px; background: var(--paper); padding: .25rem .8rem;
  cursor: pointer; }
button:hover { border-color: var(--from); } button:focus-visible { outline: 3px solid var(--from); outline-offset: 1px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.good { color: var(--good); } .bad { color: var(--bad); }
kbd { border: 1px solid var(--line); border-radius: 4px; padding: 0 .35em; font: inherit; font-size: .85em; }
@media (max-width: 600px) { body { font-size: 15px; } main { padding: 1rem .7rem 2.5rem; } h1 { font-size: 1.35rem; } }
@media print { :root { --ink: #000; --soft: #333; --line: #999; --panel: #fff; } main { max-width: none; padding: 0; } body { font-size: 10.5pt; }
  button { display: none; } .wide { overflow: visible; } pre { border: 1px solid var(--line); } h2 { break-after: avoid; }
  tr, svg, figure { break-inside: avoid; } }
"""
FOOTER = "<footer>Written by tinycnn. This page is one file: it can be mailed, archived and read offline.</footer>"


def document(title: str, parts: Iterable[str], data: Any, *, style: str = "", script: str = "", name: str = "data") -> str:
    """The parts as a whole document, with the data they were made from.

    Parameters
    ----------
    title : str
        Of the window, as plain text.
    parts : iterable of str
        HTML.
    data : dict
        Plain data, in a script element whose id is `name`: `script` may read it, and so may whoever gets the page.
    style, script : str
        Added to the common ones.
    name : str
        The id of the data.

    Returns
    -------
    str
        The HTML document.

    Examples
    --------
    >>> page = document("a < b", ["<h1>Less</h1>"], {"text": "</script>"})
    >>> "<title>a &lt; b</title>" in page, page.count("</script>")
    (True, 1)
    """
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title>{html.escape(title)}</title>\n<link rel="icon" href="data:,">\n<style>{BASE}{style}</style>\n</head>\n<body>\n<main>',
            *parts,
            f'</main>\n<script type="application/json" id="{name}">{script_data(data)}</script>',
            *([f"<script>{script}</script>"] if script else []),
            "</body>\n</html>\n",
        ]
    )


def script_data(data: Any) -> str:
    """JSON that no text inside can end."""
    return json.dumps(data, separators=(",", ":"), default=str).replace("</", "<\\/").replace("<!--", "<\\u0021--")


def data_uri(file: bytes, kind: str = "png") -> str:
    """A picture's file as the address of an <img>, so that the page needs no other file.

    Examples
    --------
    >>> data_uri(b"GIF89a", "gif")
    'data:image/gif;base64,R0lGODlh'
    """
    return f"data:image/{kind};base64,{base64.b64encode(file).decode('ascii')}"


def picture_uri(picture: Any, kind: str = "png", **options: Any) -> str:
    """A Pillow image as such an address; `options` are those of its `save`."""
    file = io.BytesIO()
    picture.save(file, format=kind, optimize=True, **options)
    return data_uri(file.getvalue(), kind)


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = (), whole: Sequence[int] = ()) -> str:
    """A table of plain text that scrolls for itself; columns of `numbers` stand at the right, those of `whole` do not break."""

    def cell(column: int, text: str) -> str:
        kind = ' class="number"' if column in numbers else ' class="whole"' if column in whole else ""
        return f"<td{kind}>{html.escape(text)}</td>"

    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "\n".join(f"<tr>{''.join(cell(column, text) for column, text in enumerate(row))}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>'
