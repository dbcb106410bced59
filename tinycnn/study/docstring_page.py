"""Docstrings in NumPy's style as HTML: sections, lists of parameters, paragraphs, examples."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Callable
from typing import Any

from .python_colours import coloured

__all__ = ["described", "examples_html", "prose", "sections_of"]

Code = Callable[[str], str]


def sections_of(function: Any) -> dict[str, str]:
    """The sections of a docstring by their titles; what stands before the first is "".

    Examples
    --------
    >>> sections_of(sections_of)[""]
    'The sections of a docstring by their titles; what stands before the first is "".'
    """
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.getdoc(function) or "", flags=re.MULTILINE)
    return {"": parts[0].strip(), **{title: text.rstrip() for title, text in zip(parts[1::2], parts[2::2], strict=True)}}


def marked(text: str, code: Code) -> str:
    """A line of text; what stands between backticks is written by `code`."""
    pieces = re.split(r"(`+[^`]+`+)", text)
    return "".join(f"<code>{code(piece.strip('`'))}</code>" if piece.startswith("`") else html.escape(piece) for piece in pieces)


def prose(text: str, code: Code) -> str:
    """Paragraphs; indented ones keep their lines."""
    parts = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        if block.startswith("    "):
            parts.append(f"<pre>{html.escape(inspect.cleandoc(block))}</pre>")
        elif block.strip():
            parts.append(f"<p>{marked(' '.join(block.split()), code)}</p>")
    return "".join(parts)


def described(text: str, code: Code) -> str:
    """Names with their types, and below each what it is: the sections Parameters, Returns and Raises."""
    parts = []
    for block in re.split(r"\n(?=\S)", text.strip("\n")):
        head, _, body = block.partition("\n")
        name, colon, kind = head.partition(" : ")
        parts.append(f"<dt><b>{marked(name, code)}</b>{f' <span>{marked(kind, code)}</span>' if colon else ''}</dt>")
        if body.strip():
            parts.append(f"<dd>{prose(inspect.cleandoc(body), code)}</dd>")
    return f"<dl>{''.join(parts)}</dl>"


def references_html(text: str, code: Code) -> str:
    """One line a reference; a line that ends without a full stop goes on."""
    lines = re.split(r"(?<=\.)\n", text.strip())
    return "<ul>" + "".join(f"<li>{marked(' '.join(line.split()), code)}</li>" for line in lines) + "</ul>"


def examples_html(text: str) -> str:
    """A session with the interpreter: what is typed is coloured, what is answered is quiet."""
    lines = []
    for line in text.splitlines():
        typed = line.startswith((">>> ", "... "))
        lines.append(f"<span class=c>{line[:4]}</span>{coloured(line[4:])}" if typed else f"<span class=answer>{html.escape(line)}</span>")
    return "<pre class=code>" + "\n".join(lines) + "</pre>"
