"""What is checked of each operator, and how fast it was measured: two small files of the package.

`operator_checks.json` is collected from the test-suite by `tests/study/operator_evidence.py`, `operator_speed.json` from `benchmarks/results` by
the same program; tests hold both to their sources.
"""

from __future__ import annotations

import functools
import html
import json
from pathlib import Path
from typing import Any

__all__ = ["KINDS", "checks_html", "checks_of", "speed_html", "speed_of"]

FOLDER = Path(__file__).parent
# Kind of check, and what it says of an operator.
KINDS = {
    "definition": "Fast kernel against the definition",
    "gradient": "Gradient against finite differences",
    "law": "Laws, values and messages",
    "torch": "Against PyTorch or torchvision",
    "everywhere": "For every operator",
}


@functools.cache
def _data(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


def checks_of(name: str) -> dict[str, list[str]]:
    """The tests that name an operator, by kind, as `file::test`.

    Examples
    --------
    >>> "tests/functional/test_pool.py::test_gradients" in checks_of("max_pool2d")["gradient"]
    True
    """
    data = _data("operator_checks.json")
    own = {kind: [f"{data['files'][file]}::{test}" for file, test in tests] for kind, tests in data["operators"].get(name, {}).items()}
    return own | {"everywhere": [f"{data['files'][file]}::{test}" for file, test in data["everywhere"]]}


def checks_html(name: str) -> str:
    """The checks as a list a kind; the name of a test says what it holds."""
    parts = []
    for kind, title in KINDS.items():
        tests = checks_of(name).get(kind, [])
        if tests:
            lines = "".join(f"<li>{_sentence(test)}</li>" for test in tests)
            opened = " open" if len(tests) <= 8 else ""
            parts.append(f"<details{opened}><summary>{title}: {len(tests)}</summary><ul class=tests>{lines}</ul></details>")
    return "".join(parts)


def _sentence(test: str) -> str:
    file, _, name = test.partition("::")
    return f"{html.escape(name.removeprefix('test_').replace('_', ' '))} <code>{html.escape(file.removeprefix('tests/'))}</code>"


def speed_of(name: str) -> list[dict[str, Any]]:
    """The measured rows of an operator: case, part, milliseconds, and the ratio to PyTorch; empty where it was not measured."""
    rows: list[dict[str, Any]] = _data("operator_speed.json")["operators"].get(name, [])
    return rows


def speed_html(name: str) -> str:
    """The measured rows as a table, or nothing."""
    rows = speed_of(name)
    if not rows:
        return ""
    where = _data("operator_speed.json")["environment"]
    parts = list(dict.fromkeys(row["part"] for row in rows))
    cells = {(row["case"], row["part"]): row for row in rows}
    head = "".join(f"<th>{html.escape(part)}, ms</th><th>/ torch</th>" for part in parts)
    lines = "".join(
        f"<tr><td>{html.escape(case)}</td>{''.join(_measured(cells.get((case, part))) for part in parts)}</tr>"
        for case in dict.fromkeys(row["case"] for row in rows)
    )
    return (
        f"<p class=lead>Measured {html.escape(where['date'])} at commit {html.escape(where['commit'])} on {where['cores']} cores "
        f"({html.escape(where['processor'])}), float32, beside PyTorch {html.escape(where['torch'])}. A ratio below 1: tinycnn is faster.</p>"
        f"<div class=wide><table class=list><thead><tr><th>case</th>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _measured(row: dict[str, Any] | None) -> str:
    if row is None:
        return "<td></td><td></td>"
    faster = " good" if row["ratio"] <= 1 else ""
    return f'<td class="number">{row["milliseconds"]:.2f}</td><td class="number{faster}">{row["ratio"]:.2f}</td>'
