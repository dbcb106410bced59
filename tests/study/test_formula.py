"""Formulas of docstrings as MathML: every operator's is typeset, or listed as plain; nothing of it is lost on the way."""

import inspect
import re
import xml.etree.ElementTree as ElementTree

import pytest

from tinycnn.registry import OPERATORS
from tinycnn.study.explain import section
from tinycnn.study.formula import mathml, pieces_of, typeset
from tinycnn.study.formula_latex import Uncertain, translated
from tinycnn.study.formula_tokens import GREEK, statements, tokens_of

# Their notation has no certain reading: sums over words, optional terms, examples of padding in a row, quotients of two words.
PLAIN = {
    "bincount", "deform_conv2d", "gaussian_nll_loss", "interpolate", "lovasz_hinge", "lovasz_softmax", "multi_head_attention_forward", "pad",
    "roi_align",
}  # fmt: skip

def formula_of(name):
    operator = OPERATORS[name]
    return section(operator, "Formula"), tuple(inspect.signature(operator.function).parameters)


def test_every_formula_is_typeset_or_listed():
    assert {name for name in OPERATORS if pieces_of(*formula_of(name)) is None} == PLAIN


# LaTeX's commands that say no word, and the words of the docstrings that such a command says.
COMMANDS = """text hat tilde operatorname left right frac tfrac neq leq geq to gets ldots ast cdot langle rangle sum prod sqrt lfloor rfloor lceil
rceil""".split()
SAID = r"(?<![A-Za-z_])(?:sum|prod|sqrt|floor|ceil)(?![A-Za-z])|(?<=[xy])hat(?![A-Za-z])"


def letters_of(formula, arguments):
    """The letters and digits of a formula as it was written, and of its LaTeX; words that become a sign are left out of both."""
    found = "".join(text for pieces, _ in pieces_of(formula, arguments) for _, text in pieces)
    found = re.sub(rf"\\(?:{'|'.join(COMMANDS)})(?![a-z])", " ", found)
    found = found.replace("\\varepsilon", "eps").replace("\\lambda", "lambd").replace("\\infty", "inf").replace("\\bmod", "mod")
    written = re.sub(r"1e-", "10", formula)
    return tuple("".join(re.findall(r"[A-Za-z0-9]", re.sub(SAID, "", text))) for text in (written, found))


def test_no_word_of_a_formula_is_lost_or_moved():
    """The names and numbers of the LaTeX are those of the docstring, in its order."""
    both = {name: letters_of(*formula_of(name)) for name in sorted(set(OPERATORS) - PLAIN)}
    assert {name: texts for name, texts in both.items() if texts[0] != texts[1]} == {}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("y = a / b c", r"y {} = \frac{a}{b} \, c"),
        ("y = a b / c", r"y {} = \frac{a \, b}{c}"),
        ("y = C_in/groups + 1", r"y {} = C_{\text{in}}/\text{groups} {} + 1"),
        ("y = e^-x[k] / sum_l e^x[l]", r"y {} = \frac{{e}^{-x_{k}}}{\sum_{l} {e}^{x_{l}}}"),
        ("y = d[c]^-beta", r"y {} = {d_{c}}^{-\beta}"),
        ("y = |x - 1| |z|", r"y {} = \left| x - 1 \right| \, \left| z \right|"),
        ("y = i // s", r"y {} = \lfloor i / s \rfloor"),
        ("y = max_{a, b} x[a, b]", r"y {} = \max_{a, b} x_{a, b}"),
        ("y = (x[j] - 1)^2 / n", r"y {} = \frac{{(x_{j} - 1)}^{2}}{n}"),
        ("<f(y), x> = <y, x>", r"\langle f(y), x \rangle {} = \langle y, x \rangle"),
        ("y = 1/2 x", r"y {} = \tfrac{1}{2} \, x"),
        ("x -> [x > 0]", r"x {} \to \left[ x {} > 0 \right]"),
    ],
)
def test_notation(text, expected):
    assert " ".join(piece for _, piece in translated(text, {"groups"}, True)) == expected


@pytest.mark.parametrize("text", ["y = x +", "y = (x", "y = x)", "y = |x", "y = w 1", "y = x / the sum", "y = = x", "y = x [+ z]", "y = x^"])
def test_what_has_no_certain_reading_is_refused(text):
    with pytest.raises(Uncertain):
        translated(text, (), True)
    assert pieces_of(text, ()) is None


def test_english_stays_english():
    assert [token.kind for token in tokens_of("a window of input[i] in a row", {"input"})] == [
        "word", "word", "word", "name", "sign", "name", "sign", "word", "word", "word",
    ]  # fmt: skip
    assert [token.text for token in tokens_of("with a and b", ()) if token.kind == "name"] == ["a", "b"]
    assert statements("y = f(a; b); z = 1") == [("y = f(a; b)", False), ("z = 1", False)]


def test_mathml_is_well_formed():
    pytest.importorskip("latex2mathml")
    for name in ("batch_norm", "conv2d", "softmax", "box_iou", "conv_transpose2d", "clamp"):
        text = typeset(*formula_of(name))
        tree = ElementTree.fromstring(f"<div>{text}</div>")
        assert tree.findall(".//math"), name
        assert not re.search(r"\\[a-z]", "".join(tree.itertext())), name


@pytest.mark.exhaustive
def test_all_mathml_is_well_formed():
    pytest.importorskip("latex2mathml")
    for name in sorted(set(OPERATORS) - PLAIN):
        tree = ElementTree.fromstring(f"<div>{typeset(*formula_of(name))}</div>")
        assert not re.search(r"\\[a-z]", "".join(tree.itertext())), name


def test_greek_letters_are_letters():
    pytest.importorskip("latex2mathml")
    for name, latex in GREEK.items():
        shown = "".join(ElementTree.fromstring(mathml(latex)).itertext())
        assert len(shown) == 1 and shown not in name, name


def test_without_the_library_formulas_stay_plain(monkeypatch):
    monkeypatch.setattr("tinycnn.study.formula.can_typeset", lambda: False)
    assert typeset("y = x", ()) is None
