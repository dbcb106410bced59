"""What the layers of a network are called by what they do: stem, stages, neck, head."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable

import numpy as np

from ..errors import UsageError
from ..nn import Module, ModuleList, Sequential
from .config import one_of
from .surgery import NeckAndHead, last_layer

STAGES = 4
NUMBERED = re.compile(r"(layer|stage|denseblock)_?(\d+)$")
NAMES = ("stem", *(f"stage{number}" for number in range(1, STAGES + 1)), "neck", "head")


def model_parts(model: Module) -> dict[str, list[str]]:
    """The paths of the modules that make up each part of a network, in its order.

    Returns
    -------
    dict
        "stem", "stage1" to "stage4", "neck" (where `replace_head` made one) and "head", each a list of module paths; parts that the network
        does not have are absent.

    Notes
    -----
    Children called layer1, stage1 or denseblock1 and so on are the stages, and what stands before them is the stem. Elsewhere the first block
    with weights is the stem, and the others are divided into four stages of equally many blocks, in order. The block that holds the last
    layer is the head, with all behind it and the side branches.

    Examples
    --------
    >>> from tinycnn import nn
    >>> layers = [nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 3), nn.Flatten(), nn.Linear(8, 2)]
    >>> model_parts(nn.Sequential(*layers))
    {'stem': ['0', '1'], 'stage1': ['2'], 'stage2': ['3', '4'], 'head': ['5']}
    """
    last, _ = last_layer(model)
    necks = [path for path, module in model.named_modules() if isinstance(module, NeckAndHead)]
    blocks = _blocks(model, necks[0] if necks else last)
    head_at = next(number for number, path in enumerate(blocks) if _holds(path, necks[0] if necks else last))
    sides = [path for path in blocks[:head_at] if path.split(".")[-1].lower().startswith("aux")]
    body = [path for path in blocks[:head_at] if path not in sides]
    head = [*blocks[head_at:], *sides]
    parts = _stages(model, body)
    if necks:
        parts["neck"] = [f"{necks[0]}.neck"]
        head = [f"{necks[0]}.head" if path == necks[0] else path for path in head]
    parts["head"] = head
    return parts


def _holds(path: str, inner: str) -> bool:
    return inner == path or inner.startswith(f"{path}.")


def _blocks(model: Module, last: str) -> list[str]:
    """The children in order; a container that holds most of the network is opened: its children take its place."""
    blocks = [name for name, _ in model.named_children()]
    while sum(NUMBERED.match(path.split(".")[-1]) is not None for path in blocks) < 2:
        weighted = [path for path in blocks if _count(model, path)]
        body = [path for path in weighted if not _holds(path, last) and not path.lower().startswith("aux")]
        # A network wrapped in another one holds its own head.
        outer = weighted[0] if len(weighted) == 1 and weighted[0] != last else None
        total = sum(_count(model, path) for path in body)
        large = [path for path in body if _count(model, path) > total / 2 and (len(body) == 1 or _is_row(model, path))]
        to_open = outer or (large[0] if large else None)
        children = [] if to_open is None else [name for name, _ in model.get_submodule(to_open).named_children()]
        if to_open is None or not children:
            break
        at = blocks.index(to_open)
        blocks[at : at + 1] = [f"{to_open}.{name}" for name in children]
    return blocks


def _is_row(model: Module, path: str) -> bool:
    """Whether a module is a mere row of others."""
    return isinstance(model.get_submodule(path), Sequential | ModuleList)


def _count(model: Module, path: str) -> int:
    return sum(parameter.numel() for parameter in model.get_submodule(path).parameters())


def _stages(model: Module, body: list[str]) -> dict[str, list[str]]:
    """The body's blocks by stage."""
    numbers = [NUMBERED.match(path.split(".")[-1]) for path in body]
    parts: dict[str, list[str]] = {}
    if sum(match is not None for match in numbers) >= 2:
        part = "stem"
        for path, match in zip(body, numbers, strict=True):
            part = part if match is None else f"stage{min(int(match.group(2)), STAGES)}"
            parts.setdefault(part, []).append(path)
        return parts
    weighted = [number for number, path in enumerate(body) if _count(model, path)]
    starts = [group[0] for group in np.array_split(np.array(weighted[1:], int), STAGES) if len(group)]
    part, stage = "stem", 0
    for number, path in enumerate(body):
        if number in starts:
            stage += 1
            part = f"stage{stage}"
        parts.setdefault(part, []).append(path)
    return parts


def paths_of(model: Module, names: Iterable[str]) -> list[str]:
    """The module paths that part names, "backbone", "all" or path patterns such as "layer4.*" stand for.

    Raises
    ------
    UsageError
        For a name that is no part's and fits no path, with the nearest one.
    """
    parts = model_parts(model)
    known = [path for path, _ in model.named_modules() if path]
    found: list[str] = []
    for name in names:
        if name == "all":
            found.append("")
        elif name == "backbone":
            found += [path for part, paths in parts.items() if part not in ("neck", "head") for path in paths]
        elif name in NAMES:
            found += parts.get(name, [])
        else:
            fitting = fnmatch.filter(known, name)
            if not fitting:
                one_of("part", name, [*NAMES, "backbone", "all", *known])
            found += fitting
    return list(dict.fromkeys(found))


def part_of(parts: dict[str, list[str]], parameter: str) -> str:
    """The name of the part that a parameter belongs to; "other" for one that stands beside all modules."""
    for part, paths in parts.items():
        if any(_holds(path, parameter) for path in paths):
            return part
    return "other"


def require_parts(names: Iterable[str], what: str) -> None:
    """Refuse names that could not mean anything: only parts of NAMES and "other" have rates."""
    for name in names:
        if name not in (*NAMES, "other"):
            raise UsageError(f"{what}: there is no part {name!r}; there are {', '.join(NAMES)}")
