"""Formulas of docstrings typeset as MathML, with `latex2mathml` (`pip install tinycnn[book]`); as they were written without it."""

from __future__ import annotations

import functools
import html
import importlib.util
import re
from collections.abc import Callable, Collection

from .formula_latex import Piece, Uncertain, translated
from .formula_tokens import defined_names, statements, tokens_of

__all__ = ["can_typeset", "pieces_of", "typeset"]


def can_typeset() -> bool:
    """Whether the library that writes MathML is installed."""
    return importlib.util.find_spec("latex2mathml") is not None


def pieces_of(formula: str, arguments: Collection[str]) -> list[tuple[list[Piece], bool]] | None:
    """A formula's statements as pieces of English and LaTeX, each with whether it is set apart; None where any of it has no certain reading.

    Parameters
    ----------
    formula : str
        The section of the docstring.
    arguments : collection of str
        The function's arguments, which are symbols.

    Examples
    --------
    >>> pieces_of("y = max(0, x)", ())
    [([('math', 'y'), ('math', '{} = \\\\text{max}(0, x)')], False)]
    >>> pieces_of("y = x +", ()) is None
    True
    """
    names = {*arguments, *defined_names(formula)}
    found = statements(formula)
    try:
        subscripts = all(_short_indices(text, names) for text, _ in found)
        return [(translated(text, names, subscripts), apart) for text, apart in found]
    except Uncertain:
        return None


def _short_indices(text: str, names: Collection[str]) -> bool:
    """Whether every index is a list of single symbols, which can be read below the line."""
    tokens = tokens_of(text, names)
    inside = False
    for place, token in enumerate(tokens):
        if token.text == "[" and not token.apart and token.kind == "sign":
            inside = True
        elif token.text == "]":
            inside = False
        elif inside and (token.text not in (",", "*") and (token.kind not in ("name", "number", "dots") or tokens[place - 1].text not in (",", "["))):
            return False
    return True


def typeset(formula: str, arguments: Collection[str], code: Callable[[str], str] = html.escape) -> str | None:
    """A formula as HTML with MathML, or None where it has no certain reading or the library is missing.

    Parameters
    ----------
    formula : str
        The section of the docstring.
    arguments : collection of str
        The function's arguments.
    code : callable
        Writes what stands between backticks, such as the name of another operator.
    """
    found = pieces_of(formula, arguments) if can_typeset() else None
    if found is None:
        return None
    lines: list[tuple[str, bool]] = []
    for pieces, apart in found:
        line = _line(pieces, code)
        if lines and not apart and not lines[-1][1] and pieces[0][0] == "text" and pieces[0][1].strip()[:1].islower():
            lines[-1] = (f"{lines[-1][0]}; {line}", apart)  # the sentence goes on
        else:
            lines.append((line, apart))
    return "".join(f'<p class="{"formula apart" if apart else "formula"}">{line}</p>' for line, apart in lines)


def _line(pieces: list[Piece], code: Callable[[str], str]) -> str:
    parts: list[str] = []
    for place, (kind, text) in enumerate(pieces):
        if kind == "math":  # signs bring their own space; between two pieces the line may break
            parts.append(("<wbr/>" if place and pieces[place - 1][0] == "math" else " ") + mathml(text))
        elif kind == "code":
            inner, _, suffix = text.strip().strip("`").partition("`")
            parts.append(f" <code>{code(inner)}</code>{html.escape(suffix)}")
        else:
            parts.append(html.escape(text))
    return re.sub(r"\( ", "(", "".join(parts).strip())


@functools.cache
def mathml(latex: str) -> str:
    """LaTeX as MathML that stands in a line, with fractions and sums as large as in a displayed formula."""
    from latex2mathml.converter import convert

    text = str(convert(latex)).replace(' xmlns="http://www.w3.org/1998/Math/MathML"', ' displaystyle="true"')
    # A word is an identifier: beside mere text a sign of operation would stand without space.
    return re.sub(r"<mtext>([A-Za-z_]\w*)</mtext>", r'<mi class="word">\1</mi>', text)
