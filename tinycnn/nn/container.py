"""Modules made of a list of modules."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, cast

from ..errors import ArgumentError
from .module import Module

__all__ = ["ModuleList", "Sequential"]

C = TypeVar("C", bound="_Chain")


class _Chain(Module):
    """What Sequential and ModuleList share: children in an order, reached by position."""

    def _list(self) -> list[Module]:
        return cast(list[Module], list(self._modules.values()))

    def _rebuild(self, modules: Iterable[Module]) -> None:
        """Replace all children, numbered from 0."""
        self._modules = {str(position): module for position, module in enumerate(modules)}

    def _name_at(self, index: int) -> str:
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(f"{type(self).__name__}: index {position} is out of range for {len(self)} modules")
        return list(self._modules)[position]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._list())

    def __contains__(self, module: object) -> bool:
        return any(child is module for child in self)

    def __getitem__(self, index: int | slice) -> Any:
        if not isinstance(index, slice):
            return self._modules[self._name_at(index)]
        part = type(self)()
        part._modules = dict(list(self._modules.items())[index])
        if isinstance(part, ModuleList):
            part._rebuild(part._list())
        return part

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        doomed = list(self._modules)[index] if isinstance(index, slice) else [self._name_at(index)]
        kept = {name: module for name, module in self._modules.items() if name not in doomed}
        numbered = all(name.isdigit() for name in self._modules)
        self._modules = kept
        if numbered:
            self._rebuild(self._list())

    def append(self: C, module: Module) -> C:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: C, modules: Iterable[Module]) -> C:
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Add a module before a position; the later ones are renumbered."""
        modules = self._list()
        modules.insert(index, module)
        self._rebuild(modules)


class Sequential(_Chain):
    """Modules one after the other: each takes what the one before gives.

    Parameters
    ----------
    *args : Module, or one dict of str to Module
        The modules in order. A dict gives them names; otherwise they are called "0", "1", ...

    Examples
    --------
    >>> from tinycnn import nn
    >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> len(net), net[0].out_features, list(net[1:].state_dict())
    (3, 3, ['2.weight', '2.bias'])
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], dict):
            for name, module in args[0].items():
                self.add_module(name, module)
            return
        for position, module in enumerate(args):
            if not isinstance(module, Module):
                raise ArgumentError(
                    f"Sequential: argument {position} is a {type(module).__name__}, not an nn.Module; unpack a list with Sequential(*layers)"
                )
            self.add_module(str(position), module)

    def forward(self, input: Any) -> Any:
        """The last module's output."""
        for module in self._modules.values():
            input = cast(Module, module)(input)
        return input


class ModuleList(_Chain):
    """A list of modules whose parameters are registered; it has no forward of its own.

    Examples
    --------
    >>> from tinycnn import nn
    >>> blocks = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    >>> blocks
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def _child_lines(self) -> list[str]:
        """Equal neighbours share one line, as in PyTorch."""
        lines: list[str] = []
        texts = [repr(module) for module in self]
        start = 0
        while start < len(texts):
            stop = start
            while stop < len(texts) and texts[stop] == texts[start]:
                stop += 1
            count = stop - start
            lines.append(f"({start}): {texts[start]}" if count == 1 else f"({start}-{stop - 1}): {count} x {texts[start]}")
            start = stop
        return lines
