"""The paper as a Jupyter notebook, nbformat 4.5, written as plain JSON data."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from ..drawing import svg
from .blocks import Ask, Block, Curves, Diagram, Grid, Listing, Section, Words
from .measures import known

__all__ = ["paper_notebook"]

CURVES_CODE = """\
epochs = {epochs!r}
for epoch in epochs:
    if epoch[{key!r}] is not None:
        print(epoch["epoch"], f"{{100 * epoch[{key!r}]:.2f}} %", "#" * round(50 * epoch[{key!r}]))"""


def paper_notebook(title: str, author: str, sections: Sequence[Section]) -> dict[str, Any]:
    """Text cells, and code cells for what can be run: curves from the log, and the run's own numbers. Pictures lie inside."""
    cells: list[dict[str, Any]] = []

    def add(kind: str, text: str, attachments: dict[str, Any] | None = None) -> None:
        code: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
        extra = {"attachments": attachments} if attachments else {}
        cells.append({"cell_type": kind, "id": f"cell-{len(cells) + 1}", "metadata": {}, **code, **extra, "source": text.splitlines(keepends=True)})

    add("markdown", f"# {title}\n\n{author or '*your name, the date*'}")
    for number, section in enumerate(sections, start=1):
        add("markdown", f"## {number} {section.title}")
        for block in section.blocks:
            add(*_cell(block))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}


def _cell(block: Block) -> tuple[str, str, dict[str, Any] | None]:
    """Kind, text and attachments."""
    if isinstance(block, Words):
        return "markdown", block.text, None
    if isinstance(block, Ask):
        return "markdown", f"> **write here** {block.text}", None
    if isinstance(block, Listing):
        return ("code", block.text, None) if block.language == "python" else ("markdown", f"```sh\n{block.text}\n```", None)
    if isinstance(block, Grid):
        marks = "|".join("---:" if column in block.numbers else "---" for column in range(len(block.header)))
        rows = ["|" + "|".join(cell.replace("|", "\\|") for cell in row) + "|" for row in (block.header, *block.rows)]
        return "markdown", "\n".join([rows[0], f"|{marks}|", *rows[1:], "", f"*{block.caption}*"]), None
    if isinstance(block, Curves):
        kept = [name for each in block.quantities for name in (each.train, each.test) if name]
        epochs = [{"epoch": epoch["epoch"], **{name: known(epoch, name) for name in kept}} for epoch in block.epochs]
        return "code", CURVES_CODE.format(epochs=epochs, key=block.quantities[-1].test), None
    if isinstance(block, Diagram):
        return _attached("network.svg", "image/svg+xml", svg(block.drawing).encode(), block.caption)
    return _attached(block.path.name, "image/png", block.path.read_bytes(), block.caption)


def _attached(name: str, kind: str, data: bytes, caption: str) -> tuple[str, str, dict[str, Any]]:
    text = f"![{caption}](attachment:{name})\n\n*{caption}*"
    return "markdown", text, {name: {kind: base64.b64encode(data).decode("ascii")}}
