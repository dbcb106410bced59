"""The module: a tree of layers that knows its parameters, its mode and how to save and load itself.

A module keeps three registers, filled by plain attribute assignment: `_parameters` (trained), `_buffers` (saved, not
trained) and `_modules` (its children). All walks over the tree (named_parameters, state_dict, train, to, ...) are
walks over these registers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentError, DtypeError
from ..tensor import FLOATS, Tensor
from .loading import copy_state, plan_loading
from .parameter import Parameter

__all__ = ["IncompatibleKeys", "Module", "RemovableHandle"]

M = TypeVar("M", bound="Module")
Hook = Callable[..., Any]


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` could not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class RemovableHandle:
    """Given by the register_*_hook methods; `remove()`, or leaving a `with` block, takes the hook away again."""

    _next = 0

    def __init__(self, hooks: dict[int, Hook]) -> None:
        self._hooks = hooks
        self.id = RemovableHandle._next
        RemovableHandle._next += 1

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Module:
    """Base of every layer and network.

    A subclass calls `super().__init__()`, assigns its parameters and children to attributes, and defines `forward`.
    Calling the module runs its hooks and `forward`.

    Examples
    --------
    >>> from tinycnn import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(4, 3)
    ...         self.output = nn.Linear(3, 2)
    ...     def forward(self, x):
    ...         return self.output(self.hidden(x))
    >>> [name for name, parameter in Net().named_parameters()]
    ['hidden.weight', 'hidden.bias', 'output.weight', 'output.bias']
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def __init__(self) -> None:
        registers: dict[str, Any] = {
            "training": True,
            "_parameters": {},
            "_buffers": {},
            "_modules": {},
            "_temporary_buffers": set(),
            "_forward_hooks": {},
            "_forward_pre_hooks": {},
        }
        self.__dict__.update(registers)  # not by attribute: __setattr__ needs the registers to exist

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method; define what it computes in `def forward(self, ...)`")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._forward_hooks and not self._forward_pre_hooks:
            return self.forward(*args, **kwargs)
        for hook in tuple(self._forward_pre_hooks.values()):
            changed = hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        result = self.forward(*args, **kwargs)
        for hook in tuple(self._forward_hooks.values()):
            changed = hook(self, args, result)
            if changed is not None:
                result = changed
        return result

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        registers = self.__dict__
        if "_parameters" not in registers:
            raise AttributeError(f"{type(self).__name__}: {name!r} is assigned before the module exists; call super().__init__() first in __init__")
        if isinstance(value, Parameter):
            self._forget(name, keep="_parameters")
            self._parameters[name] = value
        elif isinstance(value, Module):
            self._forget(name, keep="_modules")
            self._modules[name] = value
        elif name in self._buffers and isinstance(value, Tensor):
            self._buffers[name] = value
        else:
            for register, kind in (("_parameters", "Parameter"), ("_buffers", "Tensor"), ("_modules", "Module")):
                if name in registers[register]:
                    if value is not None:
                        raise TypeError(
                            f"{type(self).__name__}.{name} is registered as a {kind}; assign a {kind} or None, not "
                            f"{type(value).__name__} (or delete it first)"
                        )
                    registers[register][name] = None
                    return
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        # Reached only where ordinary lookup found nothing.
        registers = self.__dict__
        for register in ("_parameters", "_buffers", "_modules"):
            known = registers.get(register)
            if known is not None and name in known:
                return known[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for register in (self._parameters, self._buffers, self._modules):
            if name in register:
                del register[name]
                self._temporary_buffers.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def _forget(self, name: str, keep: str) -> None:
        """Remove a name from everywhere but the register that is about to hold it, so that it means one thing only."""
        for register in ("_parameters", "_buffers", "_modules"):
            if register != keep:
                self.__dict__[register].pop(name, None)
        self.__dict__.pop(name, None)

    def _check_name(self, kind: str, name: str) -> None:
        """Refuse a name that the dotted paths of state_dict could not spell, or that already means something."""
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: call super().__init__() before registering the {kind} {name!r}")
        if not isinstance(name, str) or not name or "." in name:
            raise ArgumentError(f"{kind} name {name!r} must be a string that is not empty and has no dot: dots join the levels of a path")
        known = name in self._parameters or name in self._buffers or name in self._modules
        if hasattr(self, name) and not known:
            raise ArgumentError(f"{kind} name {name!r} is already an attribute of {type(self).__name__}; choose another name")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; None reserves the name, as for a layer without bias."""
        self._check_name("parameter", name)
        if param is not None and not isinstance(param, Parameter):
            raise ArgumentError(f"register_parameter: {name!r} is a {type(param).__name__}; wrap it: nn.Parameter(...)")
        self._forget(name, keep="_parameters")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is saved but not trained; `persistent=False` leaves it out of state_dict."""
        self._check_name("buffer", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise ArgumentError(f"register_buffer: {name!r} is a {type(tensor).__name__}; wrap it: tinycnn.Tensor(...)")
        self._forget(name, keep="_buffers")
        self._buffers[name] = tensor
        (self._temporary_buffers.discard if persistent else self._temporary_buffers.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child under a name."""
        self._check_name("module", name)
        if module is not None and not isinstance(module, Module):
            raise ArgumentError(f"add_module: {name!r} is a {type(module).__name__}, not an nn.Module")
        self._forget(name, keep="_modules")
        self._modules[name] = module

    register_module = add_module

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path such as "features.0"; the empty path is this module."""
        module: Module = self
        for name in target.split(".") if target else ():
            child = module._modules.get(name)
            if child is None:
                names = ", ".join(module._modules) or "none"
                raise ArgumentError(f"get_submodule: {type(module).__name__} has no child {name!r}; its children: {names}")
            module = child
        return module

    # Walks over the tree

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module and all below, each with its dotted path; a shared module appears once."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if remove_duplicate:
                if id(module) in seen:
                    continue
                seen.add(id(module))
            yield path, module
            for name, child in reversed(module._modules.items()):
                if child is not None:
                    stack.append((f"{path}.{name}" if path else name, child))

    def modules(self) -> Iterator[Module]:
        """This module and all below."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct children with their names; a shared one appears once."""
        seen: set[int] = set()
        for name, child in self._modules.items():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator[Module]:
        """The direct children."""
        for _, child in self.named_children():
            yield child

    def _named_members(self, register: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        # Where duplicates are asked for, a shared module is walked at each of its places.
        places = self.named_modules(prefix, remove_duplicate) if recurse else iter([(prefix, self)])
        for path, module in places:
            for name, member in getattr(module, register).items():
                if member is None or (remove_duplicate and id(member) in seen):
                    continue
                seen.add(id(member))
                yield f"{path}.{name}" if path else name, member

    def named_parameters(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its dotted path; a shared one appears once, under its first path."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter, for an optimiser; a shared one appears once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Every buffer with its dotted path."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call a function on every module below and then on this one, for example to initialise them."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # State

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """Every parameter and persistent buffer by dotted path, sharing memory with the module.

        The keys are PyTorch's: each module's own parameters, then its buffers, then its children in order. A shared
        parameter appears under each of its paths. The tensors are detached unless `keep_vars`.
        """
        state: dict[str, Tensor] = {}
        for path, module in self.named_modules(prefix.removesuffix("."), remove_duplicate=False):
            start = f"{path}." if path else ""
            saved = [(name, buffer) for name, buffer in module._buffers.items() if name not in module._temporary_buffers]
            for name, tensor in (*module._parameters.items(), *saved):
                if tensor is not None:
                    state[start + name] = tensor if keep_vars else tensor.detach()
        return state

    def _current_keys(self, state_dict: Mapping[str, Any]) -> Mapping[str, Any]:
        """The state dict under today's keys; networks whose published files spell them in an older way override this."""
        return state_dict

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values into the parameters and buffers, in place; either all of them or, on an error, none.

        Parameters
        ----------
        state_dict : mapping of str to Tensor or ndarray
            Values by dotted path. They are converted to each target's element type.
        strict : bool
            Whether every key must exist on both sides. Shapes must fit in any case.

        Returns
        -------
        IncompatibleKeys
            The keys missing from `state_dict` and those it has too many; both empty where `strict`.

        Raises
        ------
        CheckpointError
            With a table of the missing, unexpected and mis-shaped keys.

        Examples
        --------
        >>> from tinycnn import nn
        >>> layer = nn.Linear(3, 2)
        >>> layer.load_state_dict({"weight": np.ones((2, 3)), "bias": np.zeros((2,))})
        IncompatibleKeys(missing_keys=[], unexpected_keys=[])
        >>> layer.load_state_dict({"weight": np.ones((2, 4)), "gain": np.ones(2)})
        Traceback (most recent call last):
        tinycnn.errors.CheckpointError: load_state_dict: keys do not fit Linear: 1 mis-shaped, 1 missing, 1 unexpected
            key     in the model  in the state dict
            weight  (2, 3)        (2, 4)
            bias    (2,)          missing
            gain    unexpected    (2,)
        """
        plan = plan_loading(type(self).__name__, self.state_dict(keep_vars=True), self._current_keys(state_dict), strict)
        copy_state(plan)
        return IncompatibleKeys(plan.missing, plan.unexpected)

    def to(self: M, target: Any = None, *, dtype: npt.DTypeLike | None = None) -> M:
        """Convert every floating-point parameter, gradient and buffer to an element type; `to("cpu")` changes nothing.

        Examples
        --------
        >>> import tinycnn
        >>> tinycnn.nn.Linear(2, 2).to(tinycnn.float64).weight.dtype
        dtype('float64')
        """
        if isinstance(target, str) and target.startswith("cpu"):
            target = None
        elif isinstance(target, str) and target.split(":")[0] in ("cuda", "gpu", "mps", "meta"):
            raise ArgumentError(f"to: device {target!r} is not available; tensors lie on the cpu")
        wanted = target if dtype is None else dtype
        if wanted is None:
            return self
        kind = np.dtype(wanted)
        if kind not in FLOATS:
            raise DtypeError(f"to: {kind} is not a type that modules compute in; use tinycnn.float32 or tinycnn.float64")
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.is_floating_point() and tensor.dtype != kind:
                tensor.data = tensor.data.astype(kind, order="C")
                tensor._wrote()
                if tensor.grad is not None:
                    tensor.grad = Tensor(tensor.grad.data.astype(kind, order="C"))
        return self

    def float(self: M) -> M:
        """Convert to float32."""
        return self.to(np.float32)

    def double(self: M) -> M:
        """Convert to float64."""
        return self.to(np.float64)

    def train(self: M, mode: bool = True) -> M:
        """Put this module and all below that is not frozen into training mode (dropout drops) or, with False, evaluation mode."""
        if not isinstance(mode, bool):
            raise ArgumentError(f"train: mode must be True or False, not {mode!r}; the optimiser and the data are not passed here")
        for module in self.modules():
            # What nn.freeze has frozen stays in evaluation mode.
            module.training = mode and not module.__dict__.get("_frozen", False)
        return self

    def eval(self: M) -> M:
        """Put this module and all below into evaluation mode."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Let all parameters ask for gradients, or freeze them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop every parameter's gradient, or fill it with zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.data.fill(0)

    # Hooks and text

    def register_forward_pre_hook(self, hook: Callable[[Any, tuple[Any, ...]], Any]) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; what it returns, unless None, replaces the arguments."""
        handle = RemovableHandle(self._forward_pre_hooks)
        self._forward_pre_hooks[handle.id] = hook
        return handle

    def register_forward_hook(self, hook: Callable[[Any, tuple[Any, ...], Any], Any]) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward; what it returns, unless None, replaces the output."""
        handle = RemovableHandle(self._forward_hooks)
        self._forward_hooks[handle.id] = hook
        return handle

    def extra_repr(self) -> str:
        """The arguments to show between the brackets of repr."""
        return ""

    def _child_lines(self) -> list[str]:
        """One text a child for repr; it may span several lines."""
        return [f"({name}): {child!r}" for name, child in self._modules.items()]

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = [*(extra.split("\n") if extra else []), *self._child_lines()]
        if not self._modules and len(lines) <= 1:
            return f"{type(self).__name__}({extra})"
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {body}\n)"
