"""The base of all optimisers: parameter groups, state, and one kernel call a group.

A subclass says which numbers it takes (`defaults`), which arrays it keeps for each parameter (`_slots`) and which
kernel works on them (`_update`). Everything else is here.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..autograd import enable_grad
from ..errors import ArgumentError, CheckpointError
from ..kernels.tables import ArrayTable
from ..tensor import Tensor

__all__ = ["Bundle", "Optimizer"]

Group = dict[str, Any]


class Bundle:
    """The parameters of one group that are updated by one kernel call: all of one dtype, all with a gradient in this
    step.

    Attributes
    ----------
    arrays : ArrayTable
        Their values.
    slots : dict of str to ArrayTable
        Their state, one table for each name.
    numbers : dict of str to ndarray of float64
        State of one number a parameter, by name.
    steps : ndarray of int64
        How often each was updated, this step included.
    fresh : ndarray of uint8
        1 where the state was made for this very step.
    """

    def __init__(
        self,
        parameters: list[Tensor],
        arrays: list[np.ndarray],
        state: dict[Tensor, dict[str, Any]],
        slots: dict[str, float],
        numbers: dict[str, float],
    ):
        self.parameters = parameters
        # A kernel wants rows of memory that it may write; anything else is updated as a copy and written back.
        self.copies = [(array, np.ascontiguousarray(array)) for array in arrays if not array.flags.carray]
        copies = iter(self.copies)
        self.arrays = ArrayTable(array if array.flags.carray else next(copies)[1] for array in arrays)
        self.steps = np.array([int(state[parameter].get("step", 0)) for parameter in parameters], np.int64)
        self.fresh = np.array([any(name not in state[parameter] for name in slots) for parameter in parameters], np.uint8)
        self.numbers = {
            name: np.array([float(state[parameter].get(name, start)) for parameter in parameters]) for name, start in numbers.items()
        }
        for position, parameter in enumerate(parameters):
            own = state[parameter]
            for name, row in (("step", self.steps), *self.numbers.items()):
                own[name] = row[position : position + 1].reshape(())  # a view: it changes with the bundle
            for name, start in slots.items():
                kept = own.get(name)
                if kept is None or kept.dtype != parameter.dtype:
                    own[name] = np.full(parameter.shape, start if kept is None else kept, parameter.dtype)
        self.slots = {name: ArrayTable(state[parameter][name] for parameter in parameters) for name in slots}

    def gradients(self) -> ArrayTable:
        """This step's gradients as kernels take them."""
        tables = []
        for parameter, array in zip(self.parameters, self.arrays):
            gradient = parameter.grad.data  # type: ignore[union-attr]  # a parameter without gradient is in no bundle
            if gradient.shape != array.shape or gradient.dtype != array.dtype:
                raise ArgumentError(
                    f"step: a parameter is {array.dtype} of shape {array.shape}, its gradient {gradient.dtype} of "
                    f"shape {gradient.shape}; "
                    "they must be alike (call zero_grad() after converting a model)"
                )
            tables.append(gradient if gradient.flags.c_contiguous else np.ascontiguousarray(gradient))
        return ArrayTable(tables)


class Optimizer:
    """Changes parameters by their gradients; see the subclasses for the rules.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        What to optimise: `model.parameters()`, or parameter groups: dicts with "params" and options of their own,
        such as `[{"params": net.body.parameters()}, {"params": net.head.parameters(), "lr": 0.1}]`.
    defaults : dict
        The options of groups that do not name them.

    Attributes
    ----------
    param_groups : list of dict
        The groups; their options may be changed between steps, which is what schedules do.
    state : dict
        For each parameter a dict of ndarrays.

    Notes
    -----
    `state_dict()` has PyTorch's layout, with ndarrays and plain numbers in it:

        {"state": {0: {"step": 3, "momentum_buffer": ndarray, ...}, 1: ...},
         "param_groups": [{"lr": 0.1, "momentum": 0.9, ..., "params": [0, 1, ...]}, ...]}

    Parameters are numbered in the order of the groups. "param_groups" is plain enough for JSON; "state" holds one
    array a parameter and slot, and "step" an int.
    """

    def __init__(self, params: Any, defaults: Mapping[str, Any]) -> None:
        self.defaults = dict(defaults)
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.param_groups: list[Group] = []
        self.steps_taken = 0  # what schedules look at to see whether they run too early
        self._bundles: list[tuple[tuple[Any, ...], list[Bundle]]] = []
        groups = self._as_groups(params)
        for group in groups:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _as_groups(self, params: Any) -> list[Group]:
        """The argument `params` as a list of dicts, or the sentence that names the mistake."""
        if isinstance(params, Tensor):
            raise ArgumentError(f"{self._name}: params is one Tensor, not an iterable of them; pass [tensor]")
        if callable(getattr(params, "parameters", None)):
            raise ArgumentError(f"{self._name}: params is a module; pass model.parameters()")
        if isinstance(params, dict):
            raise ArgumentError(f"{self._name}: params is one dict; pass a list of them, [group]")
        if not isinstance(params, Iterable) or isinstance(params, str):
            raise ArgumentError(f"{self._name}: params is a {type(params).__name__}, not an iterable of parameters; pass model.parameters()")
        found = list(params)
        if not found:
            raise ArgumentError(
                f"{self._name}: params holds no parameters; the model has none, or the generator was used up already: call model.parameters() anew"
            )
        return found if isinstance(found[0], dict) else [{"params": found}]

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Add parameters with options of their own, for example layers that are unfrozen later."""
        group = dict(param_group)
        if "params" not in group:
            raise ArgumentError(f'{self._name}: a parameter group has no "params" among its keys {sorted(group)}')
        for option in group:
            if option not in self.defaults and option not in ("params", "param_names", "initial_lr"):
                raise ArgumentError(f"{self._name}: unknown option {option!r} in a parameter group; it takes {', '.join(self.defaults)}")
        given = group["params"]
        if isinstance(given, set | frozenset):
            raise ArgumentError(f"{self._name}: params is a set, whose order changes between runs; pass a list")
        members: list[Any] = [given] if isinstance(given, Tensor) else list(given)
        if members and all(isinstance(member, tuple) and len(member) == 2 for member in members):
            group["param_names"] = [name for name, _ in members]
            members = [tensor for _, tensor in members]
        known = {id(parameter) for other in self.param_groups for parameter in other["params"]}
        for member in members:
            self._check_parameter(member)
            if id(member) in known:
                raise ArgumentError(
                    f"{self._name}: a parameter of shape {member.shape} appears twice, so it would be updated twice a step; list it once"
                )
            known.add(id(member))
        group["params"] = members
        for option, value in self.defaults.items():
            group.setdefault(option, value)
        self._check_options(group)
        self.param_groups.append(group)
        self._bundles.append(((), []))

    def _check_parameter(self, member: Any) -> None:
        if not isinstance(member, Tensor):
            raise ArgumentError(f"{self._name}: params holds a {type(member).__name__}, not a Tensor; pass model.parameters()")
        if not member.is_leaf:
            raise ArgumentError(
                f"{self._name}: a tensor of shape {member.shape} is an operator's result, which is computed anew in "
                "each forward; "
                "pass the leaf it is computed from"
            )
        if not member.is_floating_point():
            raise ArgumentError(f"{self._name}: a parameter is {member.dtype}; only float32 and float64 have gradients")
        if not member.data.flags.writeable:
            raise ArgumentError(f"{self._name}: a parameter of shape {member.shape} lies in read-only memory; copy it: array.copy()")

    def _check_options(self, group: Group) -> None:
        """Refuse options out of range; subclasses add theirs."""
        self._require(group, "lr", least=0)
        if "weight_decay" in group:
            self._require(group, "weight_decay", least=0)

    def _require_betas(self, group: Group) -> None:
        """Refuse betas that are not two shares."""
        betas = group["betas"]
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ArgumentError(f"{self._name}: betas must be two numbers, not {betas!r}; the default is (0.9, 0.999)")
        for position, beta in enumerate(betas, 1):
            self._require({f"beta{position}": beta}, f"beta{position}", least=0, below=1)

    def _require(self, group: Group, option: str, least: float, below: float = math.inf) -> None:
        """Refuse an option that is not a number with least <= option < below."""
        value = group[option]
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not least <= value < below:
            rule = f">= {least:g}" if below == math.inf else f"from {least:g} to just under {below:g}"
            raise ArgumentError(f"{self._name}: {option} must be a finite number {rule}, not {value!r}")

    # A step

    def _slots(self, group: Group) -> dict[str, float]:
        """Names of the arrays kept for each parameter, and the number they start from."""
        raise NotImplementedError

    def _numbers(self, group: Group) -> dict[str, float]:
        """Names of the single numbers kept for each parameter beside its count of steps, and where they start."""
        return {}

    def _update(self, group: Group, bundle: Bundle, gradients: ArrayTable) -> None:
        """Call the kernel."""
        raise NotImplementedError

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient.

        Parameters
        ----------
        closure : function, optional
            Called first, with gradients on: it computes the loss, runs backward and returns the loss.

        Returns
        -------
        The closure's result, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for index, group in enumerate(self.param_groups):
            for bundle in self._bundles_of(index, group):
                for array, copy in bundle.copies:
                    copy[...] = array
                gradients = bundle.gradients()
                bundle.steps += 1
                self._update(group, bundle, gradients)
                if bundle.fresh[0] or bundle.fresh.any():
                    bundle.fresh[:] = 0
                for array, copy in bundle.copies:
                    array[...] = copy
                for parameter in bundle.parameters:
                    parameter._version += 1
        self.steps_taken += 1
        return loss

    def _bundles_of(self, index: int, group: Group) -> list[Bundle]:
        """The group's parameters that have gradients, by dtype; kept as long as these are the same arrays."""
        active = [parameter for parameter in group["params"] if parameter.grad is not None]
        arrays = [parameter.data for parameter in active]
        slots, numbers = self._slots(group), self._numbers(group)
        # Identities are safe as a key, because the bundles hold the arrays: none can be freed and another take its
        # place.
        key = (*slots, *map(id, arrays))
        known, bundles = self._bundles[index]
        if key != known:
            for parameter in active:
                self._check_parameter(parameter)
                self.state.setdefault(parameter, {})
            bundles = []
            for dtype in dict.fromkeys(array.dtype for array in arrays):
                members = [parameter for parameter in active if parameter.dtype == dtype]
                bundles.append(Bundle(members, [parameter.data for parameter in members], self.state, slots, numbers))
            self._bundles[index] = (key, bundles)
        return bundles

    def _forget_bundles(self) -> None:
        self._bundles = [((), []) for _ in self.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop every parameter's gradient, or fill it with zeros."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none:
                    parameter.grad = None
                elif parameter.grad is not None:
                    parameter.grad.data.fill(0)

    # Saving and loading

    def state_dict(self) -> dict[str, Any]:
        """A snapshot of state and options in plain dicts, arrays and numbers; see the class for the layout."""
        numbers = {parameter: number for number, parameter in enumerate(self._parameters())}
        state = {
            number: self._copied_out(self.state[parameter])
            for parameter, number in numbers.items()
            if parameter in self.state
        }
        groups = [{**group, "params": [numbers[parameter] for parameter in group["params"]]} for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over state and options from `state_dict()` of an optimiser over parameters of the same shapes.

        Raises
        ------
        CheckpointError
            If groups, parameters or shapes differ. Nothing is changed then.
        """
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= set(state_dict):
            raise CheckpointError('load_state_dict: an optimiser\'s state is a dict with "state" and "param_groups"; pass what state_dict() gave')
        saved = state_dict["param_groups"]
        sizes = [len(group["params"]) for group in self.param_groups]
        saved_sizes = [len(group["params"]) for group in saved]
        if sizes != saved_sizes:
            raise CheckpointError(
                f"load_state_dict: this {self._name} has groups of {sizes} parameters, the state dict of {saved_sizes}; build it as it was saved"
            )
        order = [number for group in saved for number in group["params"]]
        target = dict(zip(map(int, order), self._parameters()))
        state: dict[Tensor, dict[str, Any]] = {}
        for number, own in state_dict["state"].items():
            if int(number) not in target:
                raise CheckpointError(f"load_state_dict: the state of parameter {number} belongs to no group")
            state[target[int(number)]] = self._copied_in(target[int(number)], number, own)
        # JSON turns tuples into lists; the options were tuples.
        options = [{k: tuple(v) if isinstance(v, list) else v for k, v in group.items() if k not in ("params", "param_names")} for group in saved]
        for group, replacement in zip(self.param_groups, options):
            self._check_options({**group, **replacement})
        for group, replacement in zip(self.param_groups, options):
            group.update(replacement)
        self.state = state
        self._forget_bundles()

    def _copied_out(self, own: dict[str, Any]) -> dict[str, Any]:
        """One parameter's state as a snapshot that shares nothing."""
        return {name: int(kept) if name == "step" else kept.copy() for name, kept in own.items()}

    def _copied_in(self, parameter: Tensor, number: Any, own: Mapping[str, Any]) -> dict[str, Any]:
        """One parameter's saved state as copies of its dtype."""
        copied: dict[str, Any] = {}
        single = {name for group in self.param_groups for name in self._numbers(group)}
        for name, value in own.items():
            if name == "step":
                copied[name] = np.array(int(value), np.int64)
                continue
            if value is None:
                continue
            array = value.data if isinstance(value, Tensor) else np.asarray(value)
            wanted = () if name in single else parameter.shape
            if array.shape != wanted:
                raise CheckpointError(
                    f"load_state_dict: {name!r} of parameter {number} has shape {array.shape}, the parameter {wanted}; "
                    "the state belongs to another model"
                )
            copied[name] = np.array(array, np.float64 if name in single else parameter.dtype, order="C")
        return copied

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def __repr__(self) -> str:
        lines = []
        for index, group in enumerate(self.param_groups):
            lines.append(f"  group {index}: {len(group['params'])} parameters")
            lines += [f"    {option}: {group[option]}" for option in sorted(group) if option not in ("params", "param_names")]
        return "\n".join([f"{self._name}(", *lines, ")"])
