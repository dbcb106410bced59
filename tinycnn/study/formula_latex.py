r"""Formulas of docstrings as LaTeX: a parser of their notation that gives up where it is not certain.

`translated` turns `y[i] = sum_j w[j] x[i + j] / n where i > 0` into pieces of English and of LaTeX; whatever does not parse raises `Uncertain`,
and the formula is shown as it was written.
"""

from __future__ import annotations

from collections.abc import Collection

from .formula_tokens import FUNCTIONS, GREEK, OPERATORS, Token, tokens_of

__all__ = ["Piece", "Uncertain", "translated"]

Piece = tuple[str, str]  # "text", "code" or "math", and what it says
RELATIONS = {"=": "=", "!=": r"\neq", "<": "<", "<=": r"\leq", ">": ">", ">=": r"\geq", "->": r"\to", "<-": r"\gets"}
PUNCTUATION = ",:;.?!"
CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
BIG = {"sum": r"\sum", "prod": r"\prod", "max": r"\max", "min": r"\min", "mean": r"\operatorname{mean}"}


class Uncertain(Exception):
    """The notation has no reading here."""


def translated(text: str, names: Collection[str], subscripts: bool) -> list[Piece]:
    """A statement as pieces.

    Parameters
    ----------
    text : str
        One statement.
    names : collection of str
        Words that are symbols: the function's arguments and what the formula defines.
    subscripts : bool
        Write indices below; else in brackets, which long ones need.

    Examples
    --------
    >>> translated("y[i] = x[i] / n where i > 0", (), True)[:2]
    [('math', 'y_{i}'), ('math', '{} = \\\\frac{x_{i}}{n}')]
    """
    parser = _Parser(tokens_of(text, names), subscripts)
    pieces = parser.items("", top=True)
    if parser.at != len(parser.tokens):
        raise Uncertain(f"{parser.tokens[parser.at].text!r} closes nothing")
    return pieces


class _Parser:
    """Recursive descent; every method leaves `at` behind what it read."""

    def __init__(self, tokens: list[Token], subscripts: bool) -> None:
        self.tokens = tokens
        self.subscripts = subscripts
        self.at = 0
        self.bars = 0  # open absolute values
        self.angles = 0  # open inner products

    @property
    def now(self) -> Token:
        """The token to read next."""
        return self.tokens[self.at] if self.at < len(self.tokens) else Token("end", "", True, False, True)

    def sign(self, *texts: str) -> bool:
        """Whether a sign of these is next."""
        return self.now.kind == "sign" and self.now.text in texts

    def take(self) -> Token:
        """Read one token."""
        token = self.now
        self.at += 1
        return token

    def items(self, stop: str, top: bool = False) -> list[Piece]:
        """Expressions, relations, punctuation and words up to a closing bracket."""
        pieces: list[Piece] = []
        relation = ""
        while self.at < len(self.tokens) and not (stop and self.sign(stop)):
            token = self.now
            if token.kind in ("word", "code"):
                if relation:
                    pieces.append(("math", relation))
                    relation = ""
                pieces.append(("code" if token.kind == "code" else "text", (" " if token.apart else "") + self.take().text))
            elif self._is_relation():
                if relation:
                    raise Uncertain("two relations")
                relation = ("{} " if pieces else "") + RELATIONS[self.take().text]
            elif token.kind == "sign" and token.text in PUNCTUATION:
                if relation:
                    raise Uncertain("a relation without a right side")
                pieces.append(("text" if top else "math", self.take().text))
            elif self.sign(")", "]", "}", ">") or (self.sign("|") and self.bars):
                break
            else:
                for number, term in enumerate(self.terms(top)):
                    lead = relation + " " if relation and not number else ""
                    pieces.append(("math", lead + term))
                relation = ""
        if relation:
            pieces.append(("math", relation))
        return pieces

    def _is_relation(self) -> bool:
        if self.angles and self.sign(">"):
            return False
        if self.sign("<"):
            closes = any(token.text == ">" for token in self.tokens[self.at :])
            return not (closes and not self.now.followed)
        return self.now.kind == "sign" and self.now.text in RELATIONS

    def inside(self, stop: str) -> str:
        """What brackets hold, as one piece of LaTeX, and the bracket that closes them."""
        parts: list[str] = []
        pieces = self.items(stop)
        if not self.sign(stop):
            raise Uncertain(f"no {stop!r}")
        self.take()
        for place, (kind, text) in enumerate(pieces):
            if kind == "math":
                parts.append(text)
                continue
            ends = place + 1 == len(pieces) or pieces[place + 1][1] in PUNCTUATION
            starts = not place or pieces[place - 1][1] in PUNCTUATION
            parts.append(rf"\text{{{'' if starts else ' '}{_escaped(text.strip(' `'))}{'' if ends or pieces[place + 1][0] == 'text' else ' '}}}")
        return " ".join(parts).replace(" ,", ",")

    def terms(self, apart: bool) -> list[str]:
        """A sum: its terms apart, so that lines can break between them, or as one."""
        found = []
        lead = self.take().text if self.sign("-", "+") else ""
        found.append(lead + self.product())
        while self.sign("+", "-"):
            found.append(f"{{}} {self.take().text} {self.product()}")
        return found if apart else [" ".join(found).replace("{} ", "")]

    def product(self) -> str:
        """Factors beside each other; a slash between blanks is a fraction of all before it, one without binds tightly."""
        factors = [self.factor()]
        while True:
            if self.sign("/"):
                tight = not self.take().apart
                below = self.factor()
                if tight:
                    factors[-1] = rf"\tfrac{{{factors[-1]}}}{{{below}}}" if factors[-1].isdigit() and below.isdigit() else f"{factors[-1]}/{below}"
                else:
                    factors = [rf"\frac{{{_bare(factors[0]) if len(factors) == 1 else _product(factors)}}}{{{_bare(below)}}}"]
            elif self.sign("//"):
                self.take()
                factors = [rf"\lfloor {_product(factors)} / {self.factor()} \rfloor"]
            elif self.now.kind == "name" and self.now.text == "mod":
                self.take()
                factors.append(rf"\bmod {self.factor()}")
            elif self.sign(".") and self.now.apart and self.now.followed:
                self.take()
                factors.append(rf"\cdot {self.factor()}")
            elif self.starts_factor():
                self.check_beside(self.tokens[self.at - 1])
                factors.append(self.factor())
            else:
                return _product(factors)

    def check_beside(self, before: Token) -> None:
        """Give up on what stands beside a factor and may not be meant as one: another line, a number, an optional term."""
        if self.now.fresh:
            raise Uncertain("a product over the end of a line")
        after = self.tokens[self.at + 1].text if self.at + 1 < len(self.tokens) else ""
        decimals = before.kind == "number" and "." in before.text
        if self.now.kind == "number" and not decimals and after != "^":
            raise Uncertain("a number behind a factor")
        if self.sign("[") and after == "+":
            raise Uncertain("a term in brackets, which may be left out")

    def starts_factor(self) -> bool:
        """Whether a factor is next."""
        if self.now.kind in ("name", "number", "dots"):
            return True
        if self.sign("|"):
            return self.bars == 0 or (self.now.apart and not self.now.followed)
        return self.sign("(", "[", "{")

    def factor(self) -> str:
        """An atom with its powers; a sum over an index takes the rest of the product too."""
        base = self.atom()
        while self.sign("^", "!") and not (self.sign("!") and self.now.apart):
            if self.take().text == "!":
                base += "!"
                continue
            minus = self.take().text if self.sign("-") else ""
            power = self.atom()
            base = f"{{{base}}}^{{{minus}{_bare(power)}}}"
        return base

    def atom(self) -> str:
        """A number, a name with its index and arguments, or brackets."""
        token = self.take()
        if token.kind == "number":
            return _number(token.text)
        if token.kind == "dots":
            return r"\ldots"
        if token.kind == "name":
            return self.name(token)
        if token.kind != "sign":
            raise Uncertain(f"{token.text!r} where a factor should be")
        if token.text == "|":
            return self.absolute()
        if token.text == "*":
            return r"\ast"
        if token.text == "(":
            return self.postfixes(_round(self.inside(")")))
        if token.text == "[":
            return rf"\left[ {self.inside(']')} \right]"
        if token.text == "{":
            return rf"\{{ {self.inside('}')} \}}"
        if token.text == "<":
            self.angles += 1
            text = rf"\langle {self.inside('>')} \rangle"
            self.angles -= 1
            return text
        raise Uncertain(f"{token.text!r} where a factor should be")

    def absolute(self) -> str:
        """Between bars."""
        self.bars += 1
        inner = " ".join(self.terms(False))
        if not self.sign("|"):
            raise Uncertain("an open bar")
        self.take()
        self.bars -= 1
        return rf"\left| {inner} \right|"

    def name(self, token: Token) -> str:
        """A name: an operator with its index below, a function, or a symbol."""
        text = token.text
        head, line, tail = text.partition("_")
        if head in BIG and ((line and len(tail) < 2) or (text in OPERATORS and self.starts_factor())):
            return self.big(head, tail, bool(line))
        called = self.sign("(") and not self.now.apart
        if text in ("sqrt", "floor", "ceil") and called:
            self.take()
            inner = self.inside(")")
            return rf"\sqrt{{{inner}}}" if text == "sqrt" else rf"\l{text} {inner} \r{text}"
        if text in FUNCTIONS:
            return self.postfixes(rf"\{text}") if called or self.sign("^") else rf"\{text} \, {self.factor()}"
        return self.postfixes(_symbol(text))

    def big(self, head: str, tail: str, indexed: bool) -> str:
        """A sum, product or maximum over an index, with the product behind it."""
        below = _symbol(tail) if tail else ""
        if indexed and not tail:
            if not self.sign("{"):
                raise Uncertain(f"{head}_ without an index")
            self.take()
            below = self.inside("}")
        sign = BIG[head] + (f"_{{{below}}}" if below else "")
        return f"{sign} {self.product()}" if self.starts_factor() else sign

    def postfixes(self, base: str) -> str:
        """Indices and arguments that stand directly behind."""
        while self.sign("[", "(") and not self.now.apart:
            bracket = self.take().text
            inner = self.inside(CLOSING[bracket])
            if bracket == "(":
                base += _round(inner)
            elif self.subscripts and "_" not in base and "(" not in base:
                base += f"_{{{inner}}}"
            else:
                base += f"[{inner}]"
        return base


def _product(factors: list[str]) -> str:
    return r" \, ".join(factors)


def _round(inner: str) -> str:
    tall = any(part in inner for part in (r"\frac", r"\sum", r"\prod"))
    return rf"\left( {inner} \right)" if tall else f"({inner})"


def _bare(text: str) -> str:
    """Without the parentheses around all of it, where a fraction line or a superscript groups already."""
    for start, end in ((r"\left( ", r" \right)"), ("(", ")")):
        if text.startswith(start) and text.endswith(end):
            inner, depth = text[len(start) : -len(end)], 0
            for letter in inner:
                depth += (letter == "(") - (letter == ")")
                if depth < 0:
                    return text
            return inner
    return text


def _number(text: str) -> str:
    mantissa, e, power = text.partition("e")
    return rf"10^{{{power}}}" if e and mantissa == "1" else rf"{mantissa} \cdot 10^{{{power}}}" if e else text


def _escaped(text: str) -> str:
    return text.replace("{", "").replace("}", "").replace("\\", "")


def _symbol(text: str) -> str:
    """A name: Greek letters as such, one letter in italics with what follows it below, longer ones upright."""
    tilde = text.endswith("~")
    base = text.rstrip("~")
    primes = len(base) - len(base.rstrip("'"))
    base = base.rstrip("'")
    head, line, tail = base.partition("_")
    hat = {"xhat": r"\hat{x}", "yhat": r"\hat{y}"}
    if base in GREEK or base in hat:
        found = GREEK.get(base) or hat[base]
    elif len(base) == 1 or base.isdigit():
        found = base
    elif len(head) == 1 and line and tail and "_" not in tail:
        found = f"{head}_{{{tail if len(tail) == 1 or tail.isdigit() else _upright(tail)}}}"
    elif len(base) > 1 and base[0].isalpha() and base[1:].isdigit():
        found = f"{base[0]}_{{{base[1:]}}}"
    else:
        found = _upright(base)
    if tilde:
        found = rf"\tilde{{{found}}}"
    return found + "'" * primes


def _upright(text: str) -> str:
    return rf"\text{{{text}}}"
