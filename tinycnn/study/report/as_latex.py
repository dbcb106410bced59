"""The paper as a LaTeX document: class article on A4, with graphicx, booktabs, listings and TikZ, which every distribution has."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..drawing import tikz
from ..exercise_latex import escaped
from .blocks import Ask, Block, Curves, Diagram, Grid, Listing, Section, Words
from .curves import curves_tikz

__all__ = ["paper_latex"]

PREAMBLE = r"""\documentclass[10pt,a4paper]{article}
\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}
\usepackage[margin=18mm]{geometry}
\usepackage{graphicx,booktabs,listings,xcolor,tikz}
\usetikzlibrary{arrows.meta}
\lstset{basicstyle=\ttfamily\footnotesize,breaklines=true,columns=fullflexible,keepspaces=true}
\setlength{\parindent}{0pt}\setlength{\parskip}{4pt}
\newcommand{\writehere}[1]{\par\colorbox{orange!15}{\parbox{0.97\linewidth}{\textbf{write here}\quad #1}}\par}"""


def paper_latex(title: str, author: str, sections: Sequence[Section], folder: Path) -> str:
    """The document."""
    colours = [line for section in sections for block in section.blocks if isinstance(block, Diagram) for line in _colours(block)]
    lines = [PREAMBLE, *colours, rf"\title{{{escaped(title)}}}", rf"\author{{{escaped(author or 'your name')}}}"]
    lines += [r"\begin{document}", r"\maketitle"]
    for section in sections:
        lines.append(rf"\section{{{escaped(section.title)}}}")
        for block in section.blocks:
            lines += _block(block, folder)
    return "\n".join([*lines, r"\end{document}", ""])


def _block(block: Block, folder: Path) -> list[str]:
    if isinstance(block, Words):
        return [escaped(block.text), ""]
    if isinstance(block, Ask):
        return [rf"\writehere{{{escaped(block.text)}}}", ""]
    if isinstance(block, Listing):
        return [r"\begin{lstlisting}", block.text, r"\end{lstlisting}"]
    if isinstance(block, Grid):
        return _figure(_tabular(block), block.caption)
    if isinstance(block, Curves):
        return _figure(curves_tikz(block.epochs, block.quantities), block.caption)
    if isinstance(block, Diagram):
        body = tikz(block.drawing)
        picture = body[body.index(r"\begin{tikzpicture}") : body.index(r"\end{document}")].splitlines()
        return _figure([r"\resizebox{!}{0.38\textheight}{%", *picture, "}"], block.caption)
    place = Path(os.path.relpath(block.path.resolve(), folder.resolve())).as_posix()
    return _figure([rf"\includegraphics[width=0.62\linewidth,height=0.3\textheight,keepaspectratio]{{\detokenize{{{place}}}}}"], block.caption)


def _figure(inside: list[str], caption: str) -> list[str]:
    """Not a float, so that it stays where it is told of."""
    return [r"\begin{center}", *inside, "", rf"{{\footnotesize {escaped(caption)}}}", r"\end{center}"]


def _tabular(grid: Grid) -> list[str]:
    columns = "".join("r" if column in grid.numbers else "l" for column in range(len(grid.header)))
    rows = [" & ".join(escaped(cell) for cell in row) + r" \\" for row in grid.rows]
    head = " & ".join(rf"\textbf{{{escaped(name)}}}" for name in grid.header) + r" \\"
    return [rf"{{\footnotesize\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}}"]


def _colours(diagram: Diagram) -> list[str]:
    return [line for line in tikz(diagram.drawing).splitlines() if line.startswith(r"\definecolor")]
