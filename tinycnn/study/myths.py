"""Claims in circulation that are wrong, or half true, each with a counter-example that runs."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import Any

from .. import kernels, random
from ..errors import ArgumentError

__all__ = ["PREAMBLE", "Myth", "Myths", "myths"]

PREAMBLE = "import numpy as np\nimport tinycnn\nfrom tinycnn import functional as F, metrics, nn, ops, optim, study\n"


@dataclass(frozen=True)
class Myth:
    """One claim: who says it, the verdict, why, lines that show it, and what they must come to; `output` is filled in by `myths`."""

    name: str
    claim: str
    who: str
    verdict: str
    why: str
    code: str
    outcome: str
    output: str = ""
    holds: bool = False


@dataclass(frozen=True)
class Myths:
    """Myths with what their counter-examples printed."""

    rows: tuple[Myth, ...]

    def text(self) -> str:
        """For a terminal."""
        parts = []
        for myth in self.rows:
            parts += [f"{myth.name}: \u201c{myth.claim}\u201d", f"  who says so: {myth.who}", f"  verdict: {myth.verdict}. {myth.why}", ""]
            parts += [f"    >>> {line}" if not line.startswith(" ") else f"    ... {line}" for line in myth.code.splitlines()]
            parts += [*(f"    {line}" for line in myth.output.splitlines()), ""]
        return "\n".join(parts).rstrip()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"preamble": PREAMBLE, "myths": [vars(myth) for myth in self.rows]}

    def html(self) -> str:
        """One self-contained page."""
        from .myth_page import myths_page

        return myths_page(self)

    def _repr_html_(self) -> str:
        """For notebooks."""
        from .exercise_page import framed

        return framed("myths", self.html())

    def __str__(self) -> str:
        return self.text()


def myths(names: str | Sequence[str] = ()) -> Myths:
    """Run the counter-examples of the myths asked for.

    Parameters
    ----------
    names : str or list of str
        Names of myths, or words in them; all if left out.

    Returns
    -------
    Myths

    Raises
    ------
    ArgumentError
        If no myth has such a name, with the nearest.

    Notes
    -----
    The code shown is the code that ran, after `PREAMBLE`, with the reference kernels and seed 0; the output is what it printed.

    Examples
    --------
    >>> print(myths("conv-floor").rows[0].output)
    (7 - 3)/3 + 1 = 2.33, output 2
    """
    from .myth_rows import ROWS

    wanted = [str(name).lower().replace("_", "-").strip() for name in ([names] if isinstance(names, str) else names)]
    for name in wanted:
        if not name or not any(name in myth.name for myth in ROWS):
            known = [myth.name for myth in ROWS]
            close = get_close_matches(name[:60], known, n=3, cutoff=0.4)
            offer = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(known)}"
            raise ArgumentError(f"myths: there is no myth {name[:60]!r}; {offer}")
    exact = {myth.name for myth in ROWS} & set(wanted)
    chosen = [myth for myth in ROWS if not wanted or myth.name in exact or any(name in myth.name for name in wanted if name not in exact)]
    return Myths(tuple(map(_run, chosen)))


def _run(myth: Myth) -> Myth:
    """The myth with what its lines printed; they are constants of this package."""
    buffer = io.StringIO()
    names: dict[str, Any] = {"print": partial(print, file=buffer)}
    before = random.get_state()
    try:
        with kernels.use("reference"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            random.manual_seed(0)
            exec(PREAMBLE + myth.code, names)
            holds = bool(eval(myth.outcome, names))
    finally:
        random.set_state(before)
    return replace(myth, output=buffer.getvalue().rstrip("\n"), holds=holds)
