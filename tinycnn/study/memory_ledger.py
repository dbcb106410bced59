"""Where the memory of inference and of a training step goes, worked out from the births and deaths of storages in recordings.

Two recordings with small batches give, storage by storage, what grows with the batch and what does not; the ledger is then worked out for any
batch without running it.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass

from ..errors import ArgumentError
from ..nn import Module
from .graph import Graph
from .recording import record_forward

__all__ = ["OPTIMIZER_STATES", "MemoryLedger", "memory_ledger"]

# Numbers that an optimiser keeps for every parameter.
OPTIMIZER_STATES = {"none": 0, "sgd": 0, "momentum": 1, "rmsprop": 1, "adagrad": 1, "adadelta": 2, "adam": 2, "adamw": 2}


# Examples of the smaller of two recordings, by whether they are in training mode.
SMALL = {False: 1, True: 2}


@dataclass(frozen=True)
class MemoryLedger:
    """Bytes, for one batch. What is alive at once is less than the sum of the lines; the peak is what the process comes to hold."""

    batch: int
    optimizer: str
    weights: int
    buffers: int
    gradients: int
    optimizer_state: int
    input: int
    activations: int  # every output once, as if nothing were freed
    kept: int  # for backward
    workspace: int
    inference_alive: int
    inference_peak: int
    training_alive: int | None
    training_peak: int | None
    note: str = ""

    def lines(self) -> list[tuple[str, int | None]]:
        """What, and how many bytes."""
        return [
            ("weights", self.weights),
            ("buffers (running statistics)", self.buffers),
            ("gradients of the weights", self.gradients),
            (f"optimiser state ({self.optimizer})", self.optimizer_state),
            ("input batch", self.input),
            ("all outputs together", self.activations),
            ("kept for backward", self.kept if self.training_peak is not None else None),
            ("largest workspace", self.workspace),
            ("alive at once, inference", self.inference_alive),
            ("predicted peak, inference", self.inference_peak),
            ("alive at once, training step", self.training_alive),
            ("predicted peak, training step", self.training_peak),
        ]


def memory_ledger(model: Module, input_size: tuple[int, ...], batch: int = 1, optimizer: str = "adam") -> MemoryLedger:
    """Predict the memory of inference and of a training step with a batch of any size.

    Formula
    -------
    alive at once = weights + buffers + optimiser state + workspace + max over time of the sum of all storages born and not yet dead;
    predicted peak = the same with every block that the allocator has come to own, as it recycles blocks of a size and returns none.

    Parameters
    ----------
    model : Module
        Its weights may hold anything.
    input_size : tuple of int
        One example, such as (3, 224, 224).
    batch : int
        Examples a batch.
    optimizer : str
        One of none, sgd, momentum, rmsprop, adagrad, adadelta, adam, adamw: decides the state kept a parameter.

    Returns
    -------
    MemoryLedger

    Raises
    ------
    ArgumentError
        For another optimiser, or a batch below 1.

    Notes
    -----
    Python, NumPy and compiled kernels themselves (some 150 MB) are not counted.

    Examples
    --------
    >>> from tinycnn import nn
    >>> memory_ledger(nn.Linear(10, 5), (10,), batch=3, optimizer="adam").optimizer_state  # 2 * 55 * 4 bytes
    440
    """
    check_ledger_options(batch, optimizer)
    trained, note = small_training(model, input_size)
    return ledger_of(model, record_forward(model, (1, *input_size)), trained, batch, optimizer, note)


def check_ledger_options(batch: int, optimizer: str) -> None:
    """Refuse another optimiser, or a batch below 1."""
    if optimizer not in OPTIMIZER_STATES:
        raise ArgumentError(f"memory_ledger: optimizer {optimizer!r} is not one of {', '.join(OPTIMIZER_STATES)}")
    if batch < 1:
        raise ArgumentError(f"memory_ledger: batch must be at least 1, not {batch}; give the number of examples")


def small_training(model: Module, input_size: tuple[int, ...]) -> tuple[Graph | None, str]:
    """A recording of a training step with two examples (batch normalisation wants more than one), or why there is none."""
    try:
        return record_forward(model, (SMALL[True], *input_size), training=True, backward=True), ""
    except Exception as error:  # a network for inference only is still worth a table
        return None, f"no training step: {error}"


def _for_batch(model: Module, small: Graph, batch: int) -> Graph:
    """A small recording with its storages scaled to a batch; where they do not scale, the batch is run as it is."""
    training, size = small.training, SMALL[small.training]
    if batch == size:
        return small
    example = small.inputs[0].shape[1:]
    larger = record_forward(model, (size + 1, *example), training=training, backward=training)
    if small.events != larger.events or len(small.calls) != len(larger.calls):
        return record_forward(model, (batch, *example), training=training, backward=training)
    return _extrapolated(small, larger, batch - size)


def _extrapolated(one: Graph, two: Graph, steps: int) -> Graph:
    """`one` with every storage and workspace grown by `steps` times its difference to `two`."""

    def grown(first: int, second: int) -> int:
        return max(first + steps * (second - first), 0)

    storages = {number: grown(size, two.storages[number]) for number, size in one.storages.items()}
    calls = [
        dataclasses.replace(call, workspace=grown(call.workspace, other.workspace)) for call, other in zip(one.calls, two.calls, strict=True)
    ]
    return dataclasses.replace(
        one, storages=storages, calls=calls, backward_workspace=grown(one.backward_workspace, two.backward_workspace)
    )


def ledger_of(model: Module, evaluated: Graph, trained: Graph | None, batch: int, optimizer: str, note: str = "") -> MemoryLedger:
    """The ledger of two recordings with small batches: of one example in evaluation mode, of two in training mode."""
    evaluated = _for_batch(model, evaluated, batch)
    trained = None if trained is None else _for_batch(model, trained, batch)
    weights = sum(value.nbytes for value in evaluated.parameters.values())
    buffers = sum(value.nbytes for value in evaluated.buffers.values())
    state = weights * OPTIMIZER_STATES[optimizer]
    workspace = max((call.workspace for call in evaluated.calls), default=0)
    if trained is not None:
        workspace = max(workspace, trained.backward_workspace, *(call.workspace for call in trained.calls))
    alive, owned = _peaks(evaluated)
    step_alive, step_owned = (0, 0) if trained is None else _peaks(trained)
    return MemoryLedger(
        batch=batch,
        optimizer=optimizer,
        weights=weights,
        buffers=buffers,
        gradients=weights,
        optimizer_state=state,
        input=sum(evaluated.storages[value.storage] for value in evaluated.inputs),
        activations=_size(evaluated, {value.storage for call in evaluated.calls for value in call.outputs} - _outside(evaluated)),
        kept=0 if trained is None else _size(trained, set().union(*(call.kept for call in trained.calls)) - _inputs(trained)),
        workspace=workspace,
        inference_alive=weights + buffers + alive,
        inference_peak=weights + buffers + owned,
        training_alive=None if trained is None else weights + buffers + state + step_alive,
        training_peak=None if trained is None else weights + buffers + state + step_owned,
        note=note,
    )


def _size(graph: Graph, storages: set[int] | frozenset[int]) -> int:
    return sum(graph.storages[number] for number in storages)


def _inputs(graph: Graph) -> set[int]:
    return {value.storage for value in graph.inputs}


def _outside(graph: Graph) -> set[int]:
    """The storages that are not activations: weights, buffers and the input."""
    return _inputs(graph) | {value.storage for value in (*graph.parameters.values(), *graph.buffers.values())}


def _peaks(graph: Graph) -> tuple[int, int]:
    """(the most bytes alive at once, all blocks that the caching allocator comes to own), with the workspace."""
    alive = peak = owned = 0
    free: Counter[int] = Counter()
    for number, born in graph.events:
        size = graph.storages[number]
        if born:
            alive += size
            peak = max(peak, alive)
            if free[size]:
                free[size] -= 1
            else:
                owned += size
        else:
            alive -= size
            free[size] += 1
    arena = max([graph.backward_workspace, *(call.workspace for call in graph.calls)])
    return peak + arena, owned + arena
