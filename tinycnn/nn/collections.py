"""Modules and parameters kept by name or in a list: registered, without a forward of their own."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from ..errors import ArgumentError
from .module import Module
from .parameter import Parameter

__all__ = ["ModuleDict", "ParameterDict", "ParameterList"]


class _Named(Module):
    """What ModuleDict and ParameterDict share: the entries of one register, reached by name."""

    _register: str

    def _entries(self) -> dict[str, Any]:
        entries: dict[str, Any] = getattr(self, self._register)
        return entries

    def __getitem__(self, key: str) -> Any:
        entries = self._entries()
        if key not in entries:
            raise KeyError(f"{type(self).__name__}: no entry {key!r}; there are {', '.join(map(repr, entries)) or 'none'}")
        return entries[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise ArgumentError(f"{type(self).__name__}: key {key!r} is a {type(key).__name__}; names are text")
        self._add(key, value)

    def _add(self, key: str, value: Any) -> None:
        raise NotImplementedError

    def __delitem__(self, key: str) -> None:
        self[key]  # says which names there are if this is none of them
        del self._entries()[key]

    def __len__(self) -> int:
        return len(self._entries())

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __contains__(self, key: object) -> bool:
        return key in self._entries()

    def keys(self) -> KeysView[str]:
        """The names in order."""
        return self._entries().keys()

    def values(self) -> ValuesView[Any]:
        """What they name, in order."""
        return self._entries().values()

    def items(self) -> ItemsView[str, Any]:
        """(name, entry) in order."""
        return self._entries().items()

    def pop(self, key: str) -> Any:
        """Take an entry out and return it."""
        value = self[key]
        del self[key]
        return value

    def clear(self) -> None:
        """Take all entries out."""
        self._entries().clear()

    def update(self, entries: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add entries, or replace those of the same names."""
        for key, value in entries.items() if isinstance(entries, Mapping | _Named) else entries:
            self[key] = value


class ModuleDict(_Named):
    """Modules by name.

    Parameters
    ----------
    modules : dict or iterable of (str, Module), optional
        The first entries.

    Examples
    --------
    >>> from tinycnn import nn
    >>> heads = nn.ModuleDict({"digit": nn.Linear(4, 10), "parity": nn.Linear(4, 2)})
    >>> list(heads.keys()), heads["parity"].out_features
    (['digit', 'parity'], 2)
    """

    _register = "_modules"

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def _add(self, key: str, value: Any) -> None:
        self.add_module(key, value)


class ParameterDict(_Named):
    """Parameters by name.

    Parameters
    ----------
    parameters : dict or iterable of (str, Parameter), optional
        The first entries.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> scales = nn.ParameterDict({"red": nn.Parameter(np.ones(2)), "blue": nn.Parameter(np.zeros(3))})
    >>> sorted(scales.state_dict())
    ['blue', 'red']
    """

    _register = "_parameters"

    def __init__(self, parameters: Mapping[str, Parameter] | Iterable[tuple[str, Parameter]] | None = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def _add(self, key: str, value: Any) -> None:
        self.register_parameter(key, value)


class ParameterList(Module):
    """A list of parameters, registered under "0", "1", ...

    Parameters
    ----------
    values : iterable of Parameter, optional
        The first entries.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> levels = nn.ParameterList([nn.Parameter(np.ones(1)) for _ in range(3)])
    >>> len(levels), list(levels.state_dict())
    (3, ['0', '1', '2'])
    """

    def __init__(self, values: Iterable[Parameter] | None = None) -> None:
        super().__init__()
        self.extend(values or ())

    def append(self, value: Parameter) -> ParameterList:
        """Add a parameter at the end."""
        self.register_parameter(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Parameter]) -> ParameterList:
        """Add parameters at the end."""
        for value in values:
            self.append(value)
        return self

    def _name_at(self, index: int) -> str:
        if not -len(self) <= index < len(self):
            raise IndexError(f"ParameterList: index {index} is out of range for {len(self)} parameters")
        return str(index % len(self))

    def __getitem__(self, index: int) -> Parameter | None:
        return self._parameters[self._name_at(index)]

    def __setitem__(self, index: int, value: Parameter) -> None:
        self.register_parameter(self._name_at(index), value)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parameters.values())
