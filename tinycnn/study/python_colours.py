"""Python source as HTML with its keywords, strings, comments and numbers marked, by the standard library's tokenizer."""

from __future__ import annotations

import html
import io
import keyword
import tokenize

__all__ = ["coloured"]


def coloured(source: str) -> str:
    """Source as HTML: spans of class k (keyword), d (what is defined), s (string), c (comment), n (number).

    What is not Python is only escaped.

    Examples
    --------
    >>> coloured("return x < 2  # small")
    '<span class=k>return</span> x &lt; <span class=n>2</span>  <span class=c># small</span>'
    """
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    parts, at, before = [], 0, ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            kind = _kind(token, before)
            before = token.string
            if kind:
                begin, end = (starts[row - 1] + column for row, column in (token.start, token.end))
                parts.append(f"{html.escape(source[at:begin])}<span class={kind}>{html.escape(source[begin:end])}</span>")
                at = end
    except (tokenize.TokenError, SyntaxError):
        return html.escape(source)
    return "".join(parts) + html.escape(source[at:])


def _kind(token: tokenize.TokenInfo, before: str) -> str:
    if token.type == tokenize.COMMENT:
        return "c"
    if token.type == tokenize.STRING:
        return "s"
    if token.type == tokenize.NUMBER:
        return "n"
    if token.type == tokenize.NAME:
        return "k" if keyword.iskeyword(token.string) else "d" if before in ("def", "class") else ""
    return ""
