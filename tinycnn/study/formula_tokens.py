"""Formulas of docstrings as tokens: which words are symbols, which are English.

The notation is that of the docstrings: `y[i] = sum_j weight[j] x[i + j] / n where i > 0`, products by standing beside each other, indices in
brackets, sentences around. A word is a symbol if it is one letter, holds a digit or an underscore, stands directly before a bracket, is an
argument of the function, or is defined by the formula itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["GREEK", "Token", "defined_names", "statements", "tokens_of"]

GREEK = {name: f"\\{name}" for name in ("alpha", "beta", "gamma", "delta", "theta", "psi", "phi", "Phi", "pi", "tau")}
GREEK.update(eps=r"\varepsilon", lambd=r"\lambda", inf=r"\infty")
KNOWN = {*GREEK, "grad", "loss", "xhat", "yhat", "IoU", "e", "sqrt"}
OPERATORS = {"sum", "prod"}  # with a symbol behind them; "sum of" is English
FUNCTIONS = {"log", "ln", "cos", "sin", "tan"}  # whose argument may stand without parentheses
# Arguments that a sentence means as words.
WORDS = {"training", "mode", "full", "hard", "swap", "reduction", "dim", "invert", "right", "squared", "accumulate", "end", "isotropic", "of", "a"}
SENTENCES = {"is", "or", "and", "where", "with", "for", "the", "not", "so"}  # words that a sign may stand beside all the same
ORDER = ("<", "<=", ">", ">=")
AFTER_A_LETTER = {"and", "the", "of", "in", "for", "with", "is", "where"}  # "with a and b", "for each anchor a the furthest p"
PATTERN = re.compile(
    r"""(?P<quote>"[^"]*"|``?[^`]*`+(?:'s)?)|(?P<dots>\.\.\.?)|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)"""
    r"""|(?P<phrase>[A-Za-z]+(?:-[A-Za-z]+)+(?:'s)?|[A-Za-z_]\w*'s\b)|(?P<name>[A-Za-z_]\w*'*~?)"""
    r"""|(?P<sign><=|>=|!=|->|<-|//|[-+*/^=<>|()\[\]{},:;!?.])|(?P<blank>\s+)|(?P<other>.)""",
)


@dataclass(frozen=True)
class Token:
    """One piece: its kind is "word" (English), "code", "name", "number", "dots" or "sign"."""

    kind: str
    text: str
    apart: bool  # blank before it
    fresh: bool  # first of a line
    followed: bool = False  # blank, or nothing, behind it


def statements(text: str) -> list[tuple[str, bool]]:
    """A formula's statements, each with whether it is set apart (indented).

    Examples
    --------
    >>> statements("With g the group:\\n\\n    y = g x\\n    z = y; w = 2 z\\n\\nso it is.")
    [('With g the group:', False), ('y = g x', True), ('z = y', True), ('w = 2 z', True), ('so it is.', False)]
    """
    blocks: list[tuple[list[str], int]] = []
    open_block = False
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            open_block = False
        elif open_block and blocks and (indent > blocks[-1][1] or indent == blocks[-1][1] == 0):
            blocks[-1][0].append(line.strip())
        else:
            blocks.append(([line.strip()], indent))
            open_block = True
    found = []
    for lines, indent in blocks:
        found += [(part.strip(), indent > 0) for part in split_outside("\n".join(lines)) if part.strip()]
    return found


def split_outside(text: str) -> list[str]:
    """Apart at the semicolons that stand outside all brackets, and before the lines that start a new equation."""
    text = re.sub(r"\n(?=[A-Za-z_]\w*'*~?(?:\[[^\]]*\])? = )", "\0", text)
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth <= 0 and letter in ";\0":
            parts.append(text[start:place])
            start = place + 1
    return [part.replace("\0", "\n") for part in (*parts, text[start:])]


def defined_names(text: str) -> set[str]:
    """The names on the left of an equals sign or an arrow, and those that have indices.

    Examples
    --------
    >>> sorted(defined_names("mean[c] = s; xhat = (x - mean), d, kept[i] = 1"))
    ['kept', 'mean', 'xhat']
    """
    found = re.findall(r"([A-Za-z_]\w*'*~?)(?:\[[^\]]*\])? (?:=|<-) ", text + " ") + re.findall(r"([A-Za-z_]\w*)'?\[", text)
    return {match.rstrip("'~") for match in found} - {"to", "by", "of"}


def tokens_of(text: str, names: Collection[str]) -> list[Token]:
    """A statement as tokens; `names` are the symbols besides those that look like one."""
    raw: list[tuple[str, str, bool, bool]] = []
    apart = fresh = True
    for match in PATTERN.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "blank":
            apart, fresh = True, "\n" in match.group()
            continue
        raw.append((kind, match.group(), apart, fresh))
        apart = fresh = False
    found: list[Token] = []
    for place, (kind, piece, apart, fresh) in enumerate(raw):
        after = raw[place + 1] if place + 1 < len(raw) else ("", "", True, False)
        if kind == "name":
            kind = "name" if _is_symbol(piece, after, names) or _is_operand(raw, place) else "word"
        kind = {"phrase": "word", "quote": "code" if piece.startswith("`") else "word", "other": "word"}.get(kind, kind)
        found.append(Token(kind, piece, apart, fresh, after[2]))
    return _words_in_parentheses(_articles(found))


def _is_symbol(piece: str, after: tuple[str, str, bool, bool], names: Collection[str]) -> bool:
    base = piece.rstrip("'~")
    follows, text, apart, _ = after
    if base == "mod" or (len(base) == 1 and base.isalpha()):
        return True
    if base in OPERATORS:
        return follows == "number" or text in ("(", "|") or (follows == "name" and _is_symbol(text, ("", "", True, False), names))
    if base in FUNCTIONS:
        return True
    if base in WORDS and not (text in ("[", "(") and not apart):
        return False
    return (text in ("(", "[") and not apart) or "_" in base or any(letter.isdigit() for letter in base) or base in KNOWN or base in names


def _is_operand(raw: list[tuple[str, str, bool, bool]], place: int) -> bool:
    """Whether a word stands beside a sign of arithmetic, as `top` in `i s + a - top`; below a slash only if it stands there alone."""
    if raw[place][1] in SENTENCES:
        return False
    before = raw[place - 1][1] if place else ""
    after = raw[place + 1] if place + 1 < len(raw) else ("", "", True, False)
    if before == "/":
        return (after[0] == "sign" and after[1] not in ("(", "[", "{")) or after[0] == ""
    binary = after[1] in ("+", "-") and after[2] and place + 2 < len(raw) and raw[place + 2][2]
    return before in ("+", "-", "^", *ORDER) or after[1] in ("/", "^", *ORDER) or binary


def _articles(tokens: list[Token]) -> list[Token]:
    """The letter a before a word is the article, unless that word goes on with the sentence."""
    changed = []
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else Token("sign", ".", True, True)
        after = tokens[place + 1] if place + 1 < len(tokens) else before
        noun = after.kind == "word" and after.text not in AFTER_A_LETTER and place + 1 < len(tokens)
        article = token.text in ("a", "A") and noun and (before.kind == "word" or before.text in (",", "."))
        changed.append(Token("word", *_rest(token)) if article else token)
    return changed


def _rest(token: Token) -> tuple[str, bool, bool, bool]:
    return token.text, token.apart, token.fresh, token.followed


def _words_in_parentheses(tokens: list[Token]) -> list[Token]:
    """Parentheses around a remark in words are punctuation, unless something is done with what they hold."""
    changed = list(tokens)
    stack: list[int] = []
    for place, token in enumerate(tokens):
        if token.text == "(":
            stack.append(place)
        elif token.text == ")" and stack:
            start = stack.pop()
            words = sum(each.kind in ("word", "code") for each in tokens[start:place])
            operand = not tokens[start].apart or (start > 0 and tokens[start - 1].text in ("/", "*", "^", "+", "-"))
            if words and not stack and not operand:
                for each in (start, place):
                    changed[each] = Token("word", *_rest(tokens[each]))
    return changed
