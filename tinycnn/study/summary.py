"""A network taken apart, call by call: shapes, parameters, operations, memory and receptive field, with the arithmetic shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import ArgumentError
from ..nn import Module
from .graph import Call, Graph
from .measured_memory import measured_peak
from .memory_ledger import MemoryLedger, check_ledger_options, ledger_of, small_training
from .operator_costs import Cost, cost_of
from .receptive_field import ReceptiveField, receptive_fields
from .size_path import record_or_explain, vanishing
from .tables import bytes_text, count_text, shape_text, text_table

__all__ = ["Row", "Summary", "summary"]


@dataclass(frozen=True)
class Row:
    """One call of one operator, for one example."""

    call: Call
    parameters: int
    cost: Cost
    kept: int  # bytes for backward that no earlier row has counted
    field: ReceptiveField | None

    @property
    def name(self) -> str:
        """The layer, and the operator where the layer does more than one."""
        return self.call.name

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        field = self.field
        return {
            "number": self.call.number,
            "layer": self.call.path,
            "module": self.call.module,
            "operator": self.call.operator,
            "input_shapes": [value.shape for value in self.call.inputs],
            "from": [value.producer for value in self.call.inputs],
            "output_shape": self.call.output.shape,
            "parameters": self.parameters,
            "macs": self.cost.macs,
            "flops": self.cost.flops,
            "formula": self.cost.formula,
            "output_bytes": self.call.output.nbytes,
            "kept_bytes": self.kept,
            "workspace_bytes": self.call.workspace,
            "im2col_bytes": self.cost.columns,
            "receptive_field": None
            if field is None
            else {
                "size": field.size, "stride": field.stride, "start": field.start, "center": field.center,
                "gated_by_whole_image": field.gated, "paths_aligned": field.aligned,
            },
        }  # fmt: skip


@dataclass(frozen=True)
class Summary:
    """Everything `tinycnn summary` prints; `text()` and `to_dict()` give it to people and programs."""

    model: str
    input_size: tuple[int, ...]
    graph: Graph
    rows: tuple[Row, ...]
    memory: MemoryLedger
    measured_inference: int | None
    measured_training: int | None
    notes: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """All of the model's, used or not."""
        return self.graph.parameter_count

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one example; calls without formula are left out and named in the notes."""
        return sum(row.cost.macs or 0 for row in self.rows)

    @property
    def flops(self) -> int:
        """Floating-point operations of one example, likewise."""
        return sum(row.cost.flops or 0 for row in self.rows)

    def text(self, formulas: bool = True) -> str:
        """The tables for a terminal."""
        header = ["layer", "operator", "output", "parameters", "MACs", "FLOPs", "output", "kept", "field", "stride", "start"]
        rows = [self._cells(row) for row in self.rows]
        total = ["total", "", "", count_text(self.parameters), count_text(self.macs), count_text(self.flops), "", "", "", "", ""]
        if formulas:
            header.append("MACs, or FLOPs where there are none")
            rows = [[*cells, row.cost.formula] for cells, row in zip(rows, self.rows, strict=True)]
            total.append("")
        parts = [
            f"{self.model}, one example of {shape_text(self.input_size)}; 1 MAC = 1 multiplication and 1 addition = 2 FLOPs",
            text_table(header, [*rows, total], left=(0, 1, 11)),
            f"memory, batch of {self.memory.batch}",
            text_table(["what", "bytes", ""], [self._memory_cells(*line) for line in self.memory_lines()], left=(0,)),
        ]
        parts += [f"note: {note}" for note in self.notes]
        return "\n\n".join(parts)

    def memory_lines(self) -> list[tuple[str, int | None]]:
        """The ledger, and what was measured."""
        lines = self.memory.lines()
        if self.measured_inference is not None:
            lines.append(("measured peak, inference", self.measured_inference))
        if self.measured_training is not None:
            lines.append(("measured peak, training step", self.measured_training))
        return lines

    @staticmethod
    def _memory_cells(what: str, size: int | None) -> list[str]:
        return [what, "-", ""] if size is None else [what, f"{size:,}", bytes_text(size)]

    @staticmethod
    def _cells(row: Row) -> list[str]:
        call, field = row.call, row.field
        return [
            row.name,
            call.operator,
            shape_text(call.output.shape[1:]),
            count_text(row.parameters),
            "?" if row.cost.macs is None else count_text(row.cost.macs),
            "?" if row.cost.flops is None else count_text(row.cost.flops),
            bytes_text(call.output.nbytes),
            bytes_text(row.kept) if row.kept else "-",
            "-" if field is None else field.text(),
            "-" if field is None else _one(field.stride),
            "-" if field is None else _one(field.start),
        ]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "model": self.model,
            "input": self.input_size,
            "batch": self.memory.batch,
            "parameters": self.parameters,
            "macs": self.macs,
            "flops": self.flops,
            "conventions": "macs and flops are for one example; 1 MAC = 2 FLOPs; bytes of a layer are for one example, memory is for the batch",
            "layers": [row.to_dict() for row in self.rows],
            "memory": {
                **asdict(self.memory),
                "measured_inference_peak": self.measured_inference,
                "measured_training_peak": self.measured_training,
            },
            "notes": list(self.notes),
        }


def _one(numbers: Sequence[int | float | None]) -> str:
    """One number where the axes agree."""
    words = ["-" if number is None else f"{number:g}" for number in numbers]
    return words[0] if len(set(words)) == 1 else "x".join(words)


def summary(
    model: Module,
    input_size: tuple[int, ...],
    batch: int = 1,
    *,
    optimizer: str = "adam",
    measure: bool = False,
    name: str | None = None,
) -> Summary:
    """Take a network apart: every operator call with its shapes, parameters, MACs, FLOPs, memory and receptive field.

    Shapes
    ------
    input_size: one example without the batch, such as (3, 224, 224).

    Parameters
    ----------
    model : Module
        Recorded in evaluation mode, and in training mode for the memory of a training step.
    input_size : tuple of int
        One example.
    batch : int
        Of the memory ledger; all else is for one example.
    optimizer : str
        Whose state is counted; see `memory_ledger`.
    measure : bool
        Also run the steps with the whole batch and measure their peaks; the weights must then be finite.
    name : str, optional
        What to call the model.

    Returns
    -------
    Summary

    Raises
    ------
    ShapeError
        If the example does not fit, with the sizes up to the layer that failed, and the number that the linear layer needs.

    Notes
    -----
    Libraries that print "FLOPs" often mean MACs. MACs count convolutions, linear layers, matrix products and attention; FLOPs are twice that and
    everything else.

    Examples
    --------
    >>> from tinycnn import models
    >>> result = summary(models.lenet5(), (1, 28, 28))
    >>> result.parameters, result.macs, result.rows[0].cost.formula
    (61706, 416520, '6*1*5*5 * 28*28 + bias + relu')
    """
    if not input_size or any(not isinstance(size, int) or size < 1 for size in input_size):
        raise ArgumentError(f"summary: input_size must be whole numbers from 1 up such as (3, 224, 224), not {input_size!r}")
    check_ledger_options(batch, optimizer)
    graph = record_or_explain(model, (1, *input_size))
    trained, note = small_training(model, input_size)
    ledger = ledger_of(model, graph, trained, batch, optimizer, note)
    kept = {} if trained is None else _kept_by_call(trained)
    fields = receptive_fields(graph)
    rows = tuple(
        Row(
            call,
            sum(value.elements for value in graph.own_parameters(call)),
            cost_of(call),
            kept.pop((call.path, call.operator), 0),
            fields[call.number],
        )
        for call in graph.calls
    )
    inference = training = None
    if measure:
        inference = measured_peak(model, input_size, batch)
        if ledger.training_peak is not None:
            training = measured_peak(model, input_size, batch, training=True, optimizer=optimizer)
    return Summary(name or graph.model, tuple(input_size), graph, rows, ledger, inference, training, _notes(graph, rows, ledger))


def _kept_by_call(trained: Graph) -> dict[tuple[str, str], int]:
    """Bytes that the tape keeps an example, by path and operator of the call that made them: training may make more calls."""
    outside = {value.storage for value in trained.inputs}
    found: dict[tuple[str, str], int] = {}
    made_by = {value.storage: call.number for call in trained.calls for value in call.outputs}
    for call in trained.calls:
        for storage in call.kept - outside:
            outside.add(storage)
            maker = trained.calls[min(made_by.get(storage, call.number), call.number)]
            key = (maker.path, maker.operator)
            found[key] = found.get(key, 0) + trained.storages[storage] // 2
    return found


def _notes(graph: Graph, rows: tuple[Row, ...], ledger: MemoryLedger) -> tuple[str, ...]:
    """What the numbers leave out, and what looks wrong."""
    missing = sorted({row.cost.formula for row in rows if not row.cost.known})
    notes = [f"{text}; the totals leave it out" for text in missing]
    unused = graph.unused_parameters()
    if unused:
        notes.append(f"{len(unused)} parameters are not read in evaluation mode, such as {unused[0]}; they count in the total")
    if any(row.field is not None and row.field.gated for row in rows):
        notes.append("+gate: factors computed from the whole image also act on these maps")
    if any(row.field is not None and not row.field.aligned for row in rows):
        notes.append("some paths that meet have fields with different centres; their union is given")
    return (*notes, *vanishing(graph), *((ledger.note,) if ledger.note else ()))
