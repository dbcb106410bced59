"""Reverse-mode differentiation on a tape: functions record nodes as they run, and backward visits them newest first.

A node remembers the tensors that went in and one function, `backward(grad, needs)`, that turns the gradient of what came out into the
gradients of what went in. Nodes are numbered as they are made, so the newest node left is never an ancestor of another one: taking nodes in
falling order of their numbers is a topological order, found without recursion.
"""

from __future__ import annotations

import heapq
import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .errors import GraphError, ShapeError
from .kernels.memory import ROOM, SLACK, empty, is_lease, size_class
from .tensor import Tensor

LARGE = 150_000  # elements of gradients that threads add together

Backward = Callable[[np.ndarray, tuple[bool, ...]], tuple[np.ndarray | None, ...]]

_numbers = itertools.count()


class _Mode(threading.local):
    enabled: bool = True


_mode = _Mode()


class Node:
    """One application of an operator: its inputs, and how a gradient goes back through it."""

    __slots__ = ("name", "number", "inputs", "needs", "backward", "saved", "shape", "dtype")

    def __init__(self, name: str, data: np.ndarray, inputs: tuple[Tensor | None, ...], backward: Backward, saved: tuple[Tensor, ...]):
        self.name = name
        self.number = next(_numbers)
        self.inputs = inputs
        self.needs = tuple([tensor is not None and tensor.requires_grad for tensor in inputs])
        self.backward: Backward | None = backward
        self.saved = tuple([(tensor, tensor._version) for tensor in saved])
        self.shape = data.shape
        self.dtype = data.dtype

    def free(self) -> None:
        """Drop everything that forward kept for backward."""
        self.backward = None
        self.saved = ()
        self.inputs = ()


def record(
    name: str, data: np.ndarray, inputs: tuple[Tensor | None, ...], backward: Backward, saved: tuple[Tensor, ...] = ()
) -> Tensor:
    """Wrap an operator's result, and write the node that differentiates it if anything asks for a gradient.

    Parameters
    ----------
    name : str
        The operator's name, shown in messages.
    data : ndarray
        The result.
    inputs : tuple of Tensor or None
        What went in; None stands for an argument that was left out.
    backward : function
        `backward(grad, needs)` returns one gradient an input, None where `needs` is false.
    saved : tuple of Tensor
        The inputs whose values `backward` reads: it refuses to run once an optimiser has changed them.
    """
    result = Tensor.__new__(Tensor)
    result.data = data
    result.grad = None
    result._version = 0
    result._retains_grad = False
    result._node = None
    result.requires_grad = False
    if _mode.enabled:
        for tensor in inputs:
            if tensor is not None and tensor.requires_grad:
                result.requires_grad = True
                result._node = Node(name, data, inputs, backward, saved)
                break
    return result


def is_grad_enabled() -> bool:
    """Whether functions called from this thread record nodes."""
    return _mode.enabled


@contextmanager
def set_grad_enabled(mode: bool) -> Iterator[None]:
    """Within the block, record nodes or do not; per thread."""
    previous, _mode.enabled = _mode.enabled, mode
    try:
        yield
    finally:
        _mode.enabled = previous


def no_grad() -> Any:
    """Within the block, or a function so decorated, record nothing: results do not require gradients.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> x = tinycnn.Tensor(np.ones(2), requires_grad=True)
    >>> with tinycnn.no_grad():
    ...     y = x * 2.0
    >>> y.requires_grad
    False
    """
    return set_grad_enabled(False)


def enable_grad() -> Any:
    """Within the block, record nodes even inside `no_grad`."""
    return set_grad_enabled(True)


def backward(tensor: Tensor, grad: Any = None, retain_graph: bool = False) -> None:
    """Add to every leaf's `.grad` the gradient of sum(grad * tensor).

    Formula
    -------
    For a leaf x: x.grad += sum_j grad[j] d tensor[j] / d x, by the chain rule through every recorded node, newest first.

    Parameters
    ----------
    tensor : Tensor
        The result to differentiate.
    grad : array of tensor's shape, optional
        The upstream gradient; 1 if left out, which only a single element allows.
    retain_graph : bool
        Keep what forward saved, so that backward can run through the same nodes again.

    Raises
    ------
    GraphError
        If nothing here requires a gradient, the graph was already freed, or a saved tensor has changed since.
    ShapeError
        If `grad` has another shape, or is left out for a tensor of several elements.
    """
    if not tensor.requires_grad:
        raise GraphError("backward: this tensor does not require gradients: no input had requires_grad=True, or no_grad() was on")
    start = _upstream(tensor, grad)
    node = tensor._node
    if node is None:
        _accumulate(tensor, start)
        return
    # The gradients that have arrived so far, by node, and the nodes to visit, newest first.
    arrived: dict[int, np.ndarray] = {node.number: start}
    watched: dict[int, Tensor] = {node.number: tensor} if tensor._retains_grad else {}
    queue: list[tuple[int, Node]] = [(-node.number, node)]
    while queue:
        _, node = heapq.heappop(queue)
        upstream = arrived.pop(node.number)
        keeper = watched.pop(node.number, None)
        if keeper is not None:
            _accumulate(keeper, upstream)
        sources = node.inputs
        gradients: list[Any] = list(_apply(node, upstream))
        # What nobody needs any more is dropped before leaves take their gradients: an array that was kept for this moment is then theirs alone.
        del upstream
        if not retain_graph:
            node.free()
        for place, source in enumerate(sources[: len(gradients)]):
            if gradients[place] is None or source is None or not source.requires_grad:
                continue
            origin = source._node
            if origin is None:
                alone = _unshared(gradients, place)
                _accumulate(source, gradients[place], alone)
                continue
            if source._retains_grad:
                watched[origin.number] = source
            earlier = arrived.get(origin.number)
            if earlier is None:
                arrived[origin.number] = gradients[place]
                heapq.heappush(queue, (-origin.number, origin))
            else:
                arrived[origin.number] = _sum(earlier, gradients[place])


def _sum(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Two gradients of one result, in recycled memory. Never in place: each may be another operator's too."""
    if one.dtype != other.dtype or one.dtype.kind != "f":
        return np.asarray(one + other)
    if one.size >= LARGE and one.flags.c_contiguous and other.flags.c_contiguous:
        from .kernels.cpu.addition import add  # compiled only for networks that need it

        return np.asarray(add(one, other))
    return np.add(one, other, out=empty(one.shape, one.dtype))


def _upstream(tensor: Tensor, grad: Any) -> np.ndarray:
    """The gradient that backward starts from, in the tensor's shape and dtype."""
    if grad is None:
        if tensor.data.size != 1:
            raise ShapeError(
                f"backward: a tensor of shape {tensor.shape} is not a single number; reduce it with .sum() or .mean(), "
                "or pass grad= of its shape"
            )
        return np.ones(tensor.shape, tensor.dtype)
    if isinstance(grad, Tensor) and grad.requires_grad:
        raise GraphError("backward: gradients of gradients are outside what tinycnn does; pass grad.detach()")
    array = np.asarray(grad.data if isinstance(grad, Tensor) else grad, dtype=tensor.dtype)
    if array.shape != tensor.shape:
        raise ShapeError(f"backward: grad has shape {array.shape}, the tensor {tensor.shape}; they must be equal")
    return array


def _apply(node: Node, upstream: np.ndarray) -> tuple[np.ndarray | None, ...]:
    """The gradients of one node's inputs."""
    if node.backward is None:
        raise GraphError(
            f"backward: the graph behind {node.name} was freed by an earlier backward; "
            "run forward again, or call that one with retain_graph=True"
        )
    for tensor, version in node.saved:
        if tensor._version != version:
            raise GraphError(
                f"backward: {node.name} saved a tensor of shape {tensor.shape} that was changed in place since "
                f"(version {version}, now {tensor._version}), so its gradient would be wrong; step the optimiser after backward"
            )
    return node.backward(upstream, node.needs)


def _references(held: list[Any], place: int) -> int:
    """How many references CPython counts to an element of a list, the passing one of this call among them."""
    return sys.getrefcount(held[place])


# What the count is for an array that only the list holds: it differs between versions of Python. Other interpreters do not count.
_LIST_ALONE = _references([np.empty(0)], 0) if hasattr(sys, "getrefcount") else 0


def _unshared(held: list[Any], place: int) -> bool:
    """Whether the list is the one owner of an array and of its memory, so that the array may become a leaf's gradient as it is.

    A view refers to the array behind it, so every other array on the same memory counts as a reference to something in the chain of bases.
    """
    if not _LIST_ALONE or _references(held, place) != _LIST_ALONE:
        return False
    array = held[place]
    if type(array) is not np.ndarray or not array.flags.carray:
        return False
    room = ROOM * size_class(array.nbytes + SLACK)  # as blocks are given out; a small view must not keep a large array alive
    while isinstance(array.base, np.ndarray):
        if array.base.nbytes > room or sys.getrefcount(array.base) != _LIST_ALONE:
            return False
        array = array.base
    return bool(array.flags.owndata) or is_lease(array)


def _accumulate(leaf: Tensor, gradient: np.ndarray, unshared: bool = False) -> None:
    """Add a gradient to a leaf's own, which never shares memory with anything else."""
    if leaf.grad is not None:
        leaf.grad.data += gradient
    elif unshared and gradient.dtype == leaf.dtype:
        leaf.grad = Tensor(gradient)
    else:
        leaf.grad = Tensor(np.array(gradient, dtype=leaf.dtype, order="C"))
