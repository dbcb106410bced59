"""One page of the operator book."""

from __future__ import annotations

import ast
import html
import inspect
import re
import shlex
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..errors import TinycnnError
from ..registry import OPERATORS, Operator
from .book_decks import rows_of
from .book_evidence import checks_html, speed_html
from .book_style import document, search_box
from .docstring_page import Code, described, examples_html, marked, prose, references_html, sections_of
from .explain import explain
from .explain_arguments import parsed_array
from .explain_page import STEPPER, stepper_scripts
from .explanation import Explanation
from .formula import typeset
from .python_colours import coloured

__all__ = ["command_for", "operator_page"]

LONGEST_COMMAND = 30  # numbers of one array that are typed; more would not be


def operator_page(name: str, names: Sequence[str]) -> tuple[str, bool]:
    """The page of an operator, and whether its formula was typeset.

    Parameters
    ----------
    name : str
        The operator.
    names : sequence of str
        All operators of the book, in its order; those are linked.
    """
    operator = OPERATORS[name]
    found = explain(name, backward=bool(operator.differentiable))
    sections = sections_of(operator.function)

    def code(text: str) -> str:
        word = text.split("(")[0].rsplit(".", 1)[-1]
        linked = word in names and word != name
        return f'<a href="{word}.html">{html.escape(text)}</a>' if linked else html.escape(text)

    formula, typed = _formula(operator, sections.get("Formula", ""), code)
    summary, _, more = sections[""].partition("\n\n")
    parts = [
        _navigation(name, names),
        f'<h1>{name} <small>{html.escape(operator.family.replace("_", " "))}</small></h1>',
        f'<p class="lead">{marked(" ".join(summary.split()), code)}</p>{prose(more, code)}<pre class="code">{coloured(signature_of(operator))}</pre>',
        _part("Shapes", prose(sections.get("Shapes", ""), code)),
        _part("Formula", formula),
        _part("Worked example", _example(found)),
        _part("Animation", _animation(name)),
        *(_part(title, described(sections[title], code)) for title in ("Parameters", "Returns", "Raises") if title in sections),
        _part("Definition", _definition(operator)),
        *(_part(title, prose(sections[title], code)) for title in sections if title in ("Notes", "See Also", "Warnings")),
        _part("Examples", examples_html(sections["Examples"]) if "Examples" in sections else ""),
        _part("Checks", checks_html(name)),
        _part("Speed", speed_html(name)),
        _part("In the lectures", _lectures(name)),
        _part("References", references_html(sections["References"], code) if "References" in sections else ""),
        "<footer class=onscreen>Keys: <kbd>j</kbd> next operator, <kbd>k</kbd> the one before, <kbd>h</kbd> the index, <kbd>/</kbd> search; arrows "
        "step through the worked example, digits change what is shown.</footer>",
    ]
    pages = [(each, OPERATORS[each].family.replace("_", " ")) for each in names]
    return document(f"{name}: tinycnn operator book", "\n".join(parts), pages, stepper_scripts(found)), typed


def _part(title: str, body: str) -> str:
    """A section, if there is anything in it."""
    return f'<section id="{title.lower().replace(" ", "-")}"><h2>{title}</h2>{body}</section>' if body else ""


def _navigation(name: str, names: Sequence[str]) -> str:
    place = list(names).index(name)
    before = f'<a rel="prev" href="{names[place - 1]}.html">&#8592; {names[place - 1]}</a>' if place else ""
    after = f'<a rel="next" href="{names[place + 1]}.html">{names[place + 1]} &#8594;</a>' if place + 1 < len(names) else ""
    return f'<nav class="book"><a rel="index" href="index.html">All operators</a>{before}{after}{search_box()}</nav>'


def signature_of(operator: Operator) -> str:
    """The function's head, broken into lines where it is long.

    Examples
    --------
    >>> print(signature_of(OPERATORS["nms"]))
    def nms(boxes: Any, scores: Any, iou_threshold: float) -> Tensor
    """
    text = f"def {operator.name}{inspect.signature(operator.function)}"
    text = re.sub(r"\b(?:tinycnn\.tensor|typing|collections\.abc|numpy\.random\._generator|numpy)\.", "", text)
    if len(text) <= 100:
        return text
    head, _, rest = text.partition("(")
    inside, _, result = rest.rpartition(") ->")
    lines = re.split(r", (?=\*|\w+(?::| =|$))", inside)
    return f"{head}(\n" + "".join(f"    {line},\n" for line in lines) + f") ->{result}"


def _formula(operator: Operator, formula: str, code: Code) -> tuple[str, bool]:
    """The formula typeset, with what was typed beside it; else as it was typed."""
    written = f"<pre>{html.escape(textwrap.dedent(formula))}</pre>"
    text = typeset(formula, tuple(inspect.signature(operator.function).parameters), code) if formula else None
    if text is None:
        return (written if formula else ""), False
    kinks = f"<p class=lead>Where the derivative jumps: {html.escape(operator.kinks)}.</p>" if operator.kinks else ""
    return f"<div class=formulas>{text}</div>{kinks}<details class=onscreen><summary>as in the docstring</summary>{written}</details>", True


def _example(found: Explanation) -> str:
    """The explanation of the operator's small example, to be stepped through, and how to have it with other numbers."""
    notes = "".join(f"<p class=lead>{html.escape(note)}</p>" for note in found.notes)
    command = command_for(found)
    words = "this example with other numbers" if "--seed" in command else "this example; change its numbers"
    python = f"tinycnn.study.explain({found.operator!r}, ..., backward={bool(found.gradients)})"
    return (
        f'<p class="lead"><code>{html.escape(found.call)}</code></p>{STEPPER}{notes}<div id="tables"></div>'
        f"<h3 class=own>Your own numbers</h3><pre># {words}\n{html.escape(command)}\n# in Python\n{html.escape(python)}</pre>"
        f'<section class="print"><h3>Element by element</h3><pre>{html.escape(found.text(elements=16))}</pre></section>'
    )


def command_for(found: Explanation) -> str:
    """The command line that gives an explanation again, with its numbers where they can be typed.

    Examples
    --------
    >>> command_for(explain("max_pool2d", [[5, 0], [1, 9]], kernel_size=2))
    "tinycnn explain max_pool2d 'input=5 0; 1 9' kernel_size=2"
    """
    tail = " --backward" if found.gradients else ""
    options = {key: value for key, value in found.options.items() if key != "generator"}
    names = [name for name in inspect.signature(OPERATORS[found.operator].function).parameters if name in found.arrays]
    for writes in (_typed, _as_list):
        texts = {name: writes(found.arrays[name]) for name in names}
        if all(texts.values()) and _gives_the_same(found, texts, options):
            words = [f"{key}={text}" for key, text in texts.items()]
            words += [f"{key}={value}" if isinstance(value, str) else f"{key}={value!r}" for key, value in options.items()]
            return " ".join(["tinycnn explain", found.operator, *(shlex.quote(word) for word in words)]) + tail
    return f"tinycnn explain {found.operator}{tail} --seed {found.seed + 1}"


def _typed(array: np.ndarray) -> str:
    """An array as it is typed: rows between semicolons, its axes of size 1 left out; "" where it has too many axes or numbers for that."""
    small = array.reshape([size for size in array.shape if size != 1]) if array.ndim > 2 else array
    if small.ndim not in (1, 2) or small.size > LONGEST_COMMAND or small.dtype == bool:
        return ""
    text = "; ".join(" ".join(f"{number:.6g}" for number in row) for row in np.atleast_2d(small))
    return f"[{text}]" if small.size == 1 else text


def _as_list(array: np.ndarray) -> str:
    """An array as Python writes it; "" for too many numbers."""
    return "" if array.size > LONGEST_COMMAND else repr([*map(_shorter, array.tolist())] if array.ndim else array.tolist())


def _shorter(value: Any) -> Any:
    """Whole numbers without their point."""
    if isinstance(value, list):
        return [*map(_shorter, value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _gives_the_same(found: Explanation, texts: dict[str, str], options: dict[str, Any]) -> bool:
    """Whether the typed arrays are understood as those of the explanation."""
    if any(name not in texts and not name.startswith("grad") for name in found.arrays):
        return False
    try:
        arguments: dict[str, Any] = {name: ast.literal_eval(text) if text[0] == "[" else parsed_array(text) for name, text in texts.items()}
        again = explain(found.operator, **arguments, **options)
    except (TinycnnError, TypeError, ValueError):
        return False
    return all(name in again.arrays and np.array_equal(again.arrays[name], found.arrays[name]) for name in texts)


def _definition(operator: Operator) -> str:
    """The reference kernels' source; where NumPy is the definition, the function itself; with the functions that these call."""
    table = kernels.table("reference")
    found = {kernel: table[kernel] for kernel in operator.kernels if kernel in table}
    words = "The reference kernels: plain loops that the fast ones are held to, and that the worked example ran on."
    if not found:
        found, words = {operator.name: operator.function}, "NumPy is the definition; the function, as it runs:"
    text = {name: inspect.getsource(function).rstrip() for name, function in found.items()}
    if operator.name in found and found[operator.name] is operator.function:
        text[operator.name] = _without_docstring(text[operator.name])
    called = {name: inspect.getsource(function).rstrip() for name, function in _helpers(found).items()}
    further = f'<p class="lead">What they call:</p>{_sources(called, opened=0)}' if called else ""
    return f'<p class="lead">{words}</p>{_sources(text, opened=1)}{further}'


def _sources(sources: dict[str, str], opened: int) -> str:
    """Functions to be opened by their names; the first ones are."""
    return "".join(
        f'<details{" open" if place < opened else ""}><summary>{name}</summary><pre class="code">{coloured(source)}</pre></details>'
        for place, (name, source) in enumerate(sources.items())
    )


def _helpers(functions: dict[str, Any]) -> dict[str, Any]:
    """The functions of the same file, or among the definitions, that these call, and those that they call in turn."""
    found: dict[str, Any] = {}
    waiting = list(functions.values())
    while waiting:
        function = waiting.pop(0)
        for word in re.findall(r"[A-Za-z_]\w*(?=\()", inspect.getsource(function)):
            helper = function.__globals__.get(word)
            if not inspect.isfunction(helper) or word in found or helper in functions.values() or word in OPERATORS:
                continue
            if helper.__module__ == function.__module__ or helper.__module__.startswith("tinycnn.kernels.reference"):
                found[word] = helper
                waiting.append(helper)
    return found


def _without_docstring(source: str) -> str:
    """A function's source without its docstring, which the page has above."""
    return re.sub(r'\n\s+(?:r)?"""(?:.|\n)*?"""', "", textwrap.dedent(source), count=1).rstrip()


def _lectures(name: str) -> str:
    rows = rows_of(name)
    lines = "".join(f"<li>{html.escape(topic)} <small>({row}; {', '.join(decks)})</small></li>" for row, topic, decks in rows)
    return f"<ul>{lines}</ul>" if rows else ""


def _animation(name: str) -> str:
    """The operator's animation, where `study.animate` is there and has one."""
    from .. import study

    animate: Callable[[str], Any] | None = getattr(study, "animate", None)
    if not callable(animate):
        return ""
    try:
        film = animate(name)
    except TinycnnError:
        return ""
    still = film.svg(-1) if hasattr(film, "svg") else ""
    inside = html.escape(film.html(), quote=True)
    return f'<iframe class="film" loading="lazy" title="animation of {name}" srcdoc="{inside}"></iframe><div class="print">{still}</div>'
