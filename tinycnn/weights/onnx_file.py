"""Export of a network to ONNX: run once on an example, every operator it calls becomes a node.

Attention, residual connections and branches need no special care, as the operators are seen and not the layers: see
`tinycnn.listening`. What does not depend on the input (weights, and whatever is computed from weights alone) is stored as it is.

References
----------
ONNX 1.12, operator set 17: https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from .._version import __version__
from ..autograd import enable_grad
from ..errors import ArgumentError, CheckpointError
from ..listening import Hearing, Listener, listening
from ..nn import Module
from ..tensor import Tensor
from .files import write_whole

__all__ = ["export_onnx"]

OPSET = 17
IR_VERSION = 8


def _library() -> Any:
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise CheckpointError("export_onnx: ONNX files need its library: pip install 'tinycnn[weights]'") from error
    return onnx


class Graph(Listener):
    """The nodes and constants so far, and the name of every tensor that depends on the input."""

    def __init__(self, model: Module, batch: int, converters: dict[str, Any]) -> None:
        self.onnx = _library()
        self.batch = batch
        self.converters = converters
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.parameters = {id(tensor): key for key, tensor in model.state_dict(keep_vars=True).items()}
        self.names: dict[int, str] = {}
        self.unspoken: set[int] = set()  # tensors that depend on the input and have no name, such as comparisons
        self.kept: list[Tensor] = []  # so that no id is used twice
        self.arguments = SimpleNamespace()  # of the operator that is running

    # What the network tells

    def called(self, operator: str, arguments: dict[str, Any]) -> Hearing:
        """Take what depends on the input: whole where the operator has a converter, else by its parts."""
        if not self.concerns(arguments):
            return Hearing.NOTHING
        if operator not in self.converters:
            return Hearing.PARTS
        self.arguments = SimpleNamespace(**arguments)
        return Hearing.WHOLE

    def returned(self, operator: str, result: Any) -> None:
        """Add the operator's nodes."""
        arguments, self.arguments = self.arguments, SimpleNamespace()
        if result is None:
            return  # it raised
        made = self.converters[operator](self, arguments, result)
        results, names = (result, made) if isinstance(result, tuple) else ((result,), [made])
        for tensor, output in zip(results, names, strict=True):
            self.bind(tensor, output)

    def passed(self, operator: str, result: Any) -> None:
        """Refuse an operator that neither has a converter nor is made of operators that have one."""
        for tensor in _tensors(result):
            if id(tensor) not in self.names and tensor.requires_grad:
                raise CheckpointError(f"export_onnx: the operator {operator!r} has no ONNX form here; {self._known()}")
            if id(tensor) not in self.names:
                self.unspoken.add(id(tensor))
                self.kept.append(tensor)

    # What converters use

    def concerns(self, arguments: Any) -> bool:
        """Whether a tensor among the arguments depends on the input."""
        return any(id(tensor) in self.names or self._lost(tensor) for tensor in _tensors(arguments))

    def bind(self, tensor: Tensor, name: str) -> None:
        """Remember under which name a tensor stands in the graph."""
        self.names[id(tensor)] = name
        self.kept.append(tensor)

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; returns the name of its output, or a list of them."""
        number = len(self.nodes)
        names = [f"{kind.lower()}_{number}"] if outputs == 1 else [f"{kind.lower()}_{number}_{k}" for k in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), names, name=f"{kind}_{number}", **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """The name of a constant."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.asarray(value, dtype)
        return name

    def value(self, one: Any) -> str:
        """The name of an argument: a traced tensor, a parameter, or anything else as a constant of float32."""
        if not isinstance(one, Tensor):
            return self.constant(one)
        if id(one) in self.names:
            return self.names[id(one)]
        if self._lost(one):
            made_by = "a comparison or an index" if one._node is None else one._node.name
            raise CheckpointError(f"export_onnx: a result of {made_by!r} depends on the input by a way that was not seen; {self._known()}")
        key = self.parameters.get(id(one))
        if key is None:
            return self.constant(one.data)
        self.constants[key] = one.data
        return key

    def activated(self, name: str, activation: str | None) -> str:
        """The fused activation as a node of its own."""
        return name if activation is None else self.node("Relu", name)

    def _lost(self, tensor: Tensor) -> bool:
        # While exporting, only the input asks for a gradient, so whoever asks for one comes from it.
        return id(tensor) in self.unspoken or (tensor.requires_grad and id(tensor) not in self.names)

    def _known(self) -> str:
        return f"the operators exported are {', '.join(sorted(self.converters))}"


def _tensors(value: Any) -> Iterable[Tensor]:
    """The tensors in nested tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _tensors(one)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def export_onnx(model: Module, args: Any, f: str | Path, *, dynamic_batch: bool = True) -> None:
    """Write a network in evaluation mode as an ONNX file that onnxruntime and other programs run.

    Parameters
    ----------
    model
        A network of float32 parameters, in evaluation mode.
    args
        An example of its input, such as `tinycnn.zeros((1, 3, 224, 224))`; the sizes but the first become the file's.
    f
        The file; written beside and renamed.
    dynamic_batch
        Whether the first size of the input stays open; False writes the example's.

    Raises
    ------
    ArgumentError
        For a network that trains, or an example that is no batch of float32 numbers.
    CheckpointError
        For an operator that has no ONNX form here, by its name, or where the onnx library is not installed.

    Notes
    -----
    Parameters keep their keys as names. A network whose layers depend on the values of its input is written as it ran on the example.

    Examples
    --------
    >>> import tempfile, pathlib, tinycnn
    >>> from tinycnn import nn
    >>> net = nn.Sequential(nn.Conv2d(1, 2, 3, activation="relu"), nn.Flatten(), nn.Linear(8, 2)).eval()
    >>> with tempfile.TemporaryDirectory() as folder:  # doctest: +SKIP
    ...     export_onnx(net, tinycnn.zeros((1, 1, 4, 4)), pathlib.Path(folder) / "net.onnx")
    """
    if not isinstance(model, Module) or model.training:
        raise ArgumentError("export_onnx: the network must be in evaluation mode; call model.eval() first")
    example = args.data if isinstance(args, Tensor) else np.asarray(args)
    if example.dtype != np.float32 or example.ndim < 2 or not example.size:
        raise ArgumentError(f"export_onnx: the example must be a batch of float32 numbers, not {example.dtype} of shape {example.shape}")
    if any(parameter.dtype != np.float32 for parameter in model.parameters()):
        raise ArgumentError("export_onnx: the parameters must be float32; call model.float() first")
    from .onnx_operators import CONVERTERS

    graph = Graph(model, example.shape[0], CONVERTERS)
    given = Tensor(example, requires_grad=True)
    graph.bind(given, "input")
    asked = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        model.requires_grad_(False)
        with enable_grad(), listening(graph):
            result = model(given)
    finally:
        for parameter in asked:
            parameter.requires_grad_(True)
    _write(graph, given, list(_tensors(result)), type(model).__name__, Path(f), dynamic_batch)


def _write(graph: Graph, given: Tensor, results: list[Tensor], name: str, path: Path, dynamic_batch: bool) -> None:
    """Put nodes, constants, input and outputs together, check them, and write the file."""
    onnx = graph.onnx

    def described(label: str, shape: tuple[int, ...]) -> Any:
        sizes = ["N", *shape[1:]] if dynamic_batch and shape and shape[0] == graph.batch else list(shape)
        return onnx.helper.make_tensor_value_info(label, onnx.TensorProto.FLOAT, sizes)

    labels = ["output"] if len(results) == 1 else [f"output_{k}" for k in range(len(results))]
    for tensor, label in zip(results, labels, strict=True):
        graph.nodes.append(onnx.helper.make_node("Identity", [graph.value(tensor)], [label]))
    made = onnx.helper.make_graph(
        graph.nodes,
        name,
        [described("input", given.shape)],
        [described(label, tensor.shape) for tensor, label in zip(results, labels, strict=True)],
        [onnx.numpy_helper.from_array(np.asarray(array, order="C"), key) for key, array in graph.constants.items()],
    )
    opset = onnx.helper.make_opsetid("", OPSET)
    model = onnx.helper.make_model(made, opset_imports=[opset], ir_version=IR_VERSION, producer_name="tinycnn", producer_version=__version__)
    onnx.checker.check_model(model)
    write_whole(path, [model.SerializeToString()])
