"""The same elements in another shape: views where NumPy gives views, so they cost no memory and no time.

A view's gradient is the inverse view of the gradient; where one element is shown several times (`expand`), the
gradients add up. Shapes are given as numbers or as one tuple: `x.reshape(2, 3)` and `reshape(x, (2, 3))`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor
from ._arrays import axis, unbroadcast

__all__ = [
    "broadcast_to",
    "contiguous",
    "expand",
    "flatten",
    "movedim",
    "permute",
    "reshape",
    "squeeze",
    "transpose",
    "unflatten",
    "unsqueeze",
    "view",
]


@operator(family="shape", differentiable=("input",), method=True)
def reshape(input: Any, *shape: Any) -> Tensor:
    """The elements in row-major order, cut into another shape; a view if possible, else a copy.

    Shapes
    ------
    (*) -> shape, with one size of -1 worked out from the others

    Formula
    -------
    y[k'] = input[k] where k' and k have the same row-major rank; grad_input = reshape(grad).

    Raises
    ------
    ShapeError
        If the number of elements does not fit.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.reshape([1.0, 2.0, 3.0, 4.0], (2, -1)).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    tensor = as_tensor(input)
    return _reshaped("reshape", tensor, _shape("reshape", tensor.data.shape, sizes("reshape", shape)))


@operator(family="shape", differentiable=("input",), method=True)
def view(input: Any, *shape: Any) -> Tensor:
    """`reshape` that promises to share memory, and refuses where it could not.

    Shapes
    ------
    (*) -> shape, with one size of -1 worked out from the others

    Formula
    -------
    As `reshape`.

    Raises
    ------
    ShapeError
        If the number of elements does not fit, or elements would have to be copied.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.ones(2, 3).view(3, 2).shape
    (3, 2)
    """
    tensor = as_tensor(input)
    result = _reshaped("view", tensor, _shape("view", tensor.data.shape, sizes("view", shape)))
    if tensor.data.size and not np.may_share_memory(result.data, tensor.data):
        raise ShapeError(
            f"view: input of shape {tensor.shape} with strides {tensor.data.strides} cannot be seen as "
            f"{result.shape} without a copy; "
            "use reshape, or contiguous() first"
        )
    return result


@operator(family="shape", differentiable=("input",), method=True)
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join neighbouring axes into one, from `start_dim` to `end_dim` inclusive.

    Shapes
    ------
    (a, ..., d_start, ..., d_end, ..., z) -> (a, ..., d_start ... d_end multiplied, ..., z)

    Formula
    -------
    y[.., k, ..] = input[.., i, .., j, ..] with k the row-major rank of (i, .., j); grad_input = reshape(grad).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.flatten(tinycnn.zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    tensor = as_tensor(input)
    shape = tensor.data.shape
    start = axis("flatten", start_dim, len(shape), "start_dim")
    end = axis("flatten", end_dim, len(shape), "end_dim")
    if start > end:
        raise ArgumentError(f"flatten: start_dim {start_dim} lies behind end_dim {end_dim} in shape {shape}; swap them")
    joined = 1
    for n in shape[start : end + 1]:
        joined *= n
    return _reshaped("flatten", tensor, (*shape[:start], joined, *shape[end + 1 :]))


@operator(family="shape", differentiable=("input",), method=True)
def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Tensor:
    """Split one axis into several: the inverse of `flatten`.

    Shapes
    ------
    (a, ..., n, ..., z) -> (a, ..., *sizes, ..., z) with n the product of sizes, one of which may be -1

    Formula
    -------
    y[.., i, .., j, ..] = input[.., k, ..] with k the row-major rank of (i, .., j); grad_input = reshape(grad).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.unflatten(tinycnn.zeros(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    tensor = as_tensor(input)
    shape = tensor.data.shape
    along = axis("unflatten", dim, len(shape))
    parts = _shape("unflatten", shape[along : along + 1], tuple(sizes))
    return _reshaped("unflatten", tensor, shape[:along] + parts + shape[along + 1 :])


@operator(family="shape", differentiable=("input",), method=True)
def squeeze(input: Any, dim: int | Sequence[int] | None = None) -> Tensor:
    """Drop axes of size 1: all of them, or those in `dim` that have size 1.

    Shapes
    ------
    (a, 1, b) -> (a, b)

    Formula
    -------
    y[i, j] = input[i, 0, j]; grad_input = reshape(grad).

    Notes
    -----
    An axis in `dim` of another size stays, as in torch; NumPy refuses.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.squeeze(tinycnn.zeros(2, 1, 3)).shape
    (2, 3)
    """
    tensor = as_tensor(input)
    shape = tensor.data.shape
    if dim is None:
        named = set(range(len(shape)))
    else:
        named = {axis("squeeze", one, len(shape)) for one in (dim if isinstance(dim, tuple | list) else (dim,))}
    return _reshaped(
        "squeeze", tensor, tuple([n for position, n in enumerate(shape) if n != 1 or position not in named])
    )


@operator(family="shape", differentiable=("input",), method=True)
def unsqueeze(input: Any, dim: int) -> Tensor:
    """Insert an axis of size 1, which becomes axis `dim`.

    Shapes
    ------
    (a, b) -> (a, 1, b) with dim = 1

    Formula
    -------
    y[i, 0, j] = input[i, j]; grad_input = reshape(grad).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.unsqueeze(tinycnn.zeros(2, 3), -1).shape
    (2, 3, 1)
    """
    tensor = as_tensor(input)
    shape = tensor.data.shape
    along = axis("unsqueeze", dim, len(shape) + 1)
    return _reshaped("unsqueeze", tensor, (*shape[:along], 1, *shape[along:]))


@operator(family="shape", differentiable=("input",), method=True)
def transpose(input: Any, dim0: int, dim1: int) -> Tensor:
    """Swap two axes.

    Shapes
    ------
    (a, b, c) -> (c, b, a) with dim0 = 0, dim1 = 2

    Formula
    -------
    y[.., j, .., i, ..] = input[.., i, .., j, ..]; grad_input = transpose(grad).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.transpose([[1.0, 2.0], [3.0, 4.0]], 0, 1).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    tensor = as_tensor(input)
    order = list(range(tensor.data.ndim))
    first, second = axis("transpose", dim0, len(order), "dim0"), axis("transpose", dim1, len(order), "dim1")
    if order:
        order[first], order[second] = order[second], order[first]
    return _permuted("transpose", tensor, order)


@operator(family="shape", differentiable=("input",), method=True)
def permute(input: Any, *dims: Any) -> Tensor:
    """Put the axes in another order: axis k of the result is axis `dims[k]` of the input.

    Shapes
    ------
    (n, c, h, w) -> (n, h, w, c) with dims = (0, 2, 3, 1)

    Formula
    -------
    y[i_dims[0], i_dims[1], ..] = input[i_0, i_1, ..]; grad_input = permute(grad) with the inverse order.

    Raises
    ------
    ArgumentError
        If dims does not name every axis once.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.zeros(2, 3, 4).permute(2, 0, 1).shape
    (4, 2, 3)
    """
    tensor = as_tensor(input)
    given = sizes("permute", dims, "dims")
    order = [axis("permute", dim, tensor.data.ndim, "dims") for dim in given]
    if sorted(order) != list(range(tensor.data.ndim)):
        raise ArgumentError(
            f"permute: dims {given} must name each of the {tensor.data.ndim} axes of shape {tensor.shape} once"
        )
    return _permuted("permute", tensor, order)


@operator(family="shape", differentiable=("input",), method=True)
def movedim(input: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Move axes to other places; the others keep their order.

    Shapes
    ------
    (a, b, c) -> (b, c, a) with source = 0, destination = -1

    Formula
    -------
    As `permute`.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.movedim(tinycnn.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    tensor = as_tensor(input)
    rank = tensor.data.ndim
    sources = [
        axis("movedim", one, rank, "source") for one in (source if isinstance(source, tuple | list) else (source,))
    ]
    targets = [
        axis("movedim", one, rank, "destination")
        for one in (destination if isinstance(destination, tuple | list) else (destination,))
    ]
    if len(sources) != len(targets) or len(set(sources)) != len(sources) or len(set(targets)) != len(targets):
        raise ArgumentError(
            f"movedim: source {source} and destination {destination} must be equally many axes, each named once"
        )
    order = [position for position in range(rank) if position not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        order.insert(target, origin)
    return _permuted("movedim", tensor, order[:rank])


@operator(family="shape", differentiable=("input",), method=True)
def expand(input: Any, *size: Any) -> Tensor:
    """Repeat axes of size 1 without copying; -1 keeps a size, new axes come in front.

    Shapes
    ------
    (1, b) -> (n, a, b) with size = (n, a, b) or (n, a, -1)

    Formula
    -------
    y[k, i, j] = input[0, j]; grad_input[0, j] = sum_{k, i} grad[k, i, j].

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.tensor([[1.0], [2.0]]).expand(-1, 2).tolist()
    [[1.0, 1.0], [2.0, 2.0]]
    """
    tensor = as_tensor(input)
    shape = tensor.data.shape
    wanted = sizes("expand", size, "size")
    new = len(wanted) - len(shape)
    if new < 0 or -1 in wanted[:new]:
        raise ShapeError(
            f"expand: size {wanted} must name all {len(shape)} axes of shape {shape}, and no new axis may be -1"
        )
    return _broadcast(
        "expand", tensor, tuple([shape[position - new] if n == -1 else n for position, n in enumerate(wanted)])
    )


@operator(family="shape", differentiable=("input",), method=True)
def broadcast_to(input: Any, shape: Sequence[int]) -> Tensor:
    """Repeat the tensor to a shape without copying.

    Shapes
    ------
    (1, b) -> shape, which ends in (a, b)

    Formula
    -------
    y[k, i, j] = input[0, j]; grad_input[0, j] = sum_{k, i} grad[k, i, j].

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.broadcast_to([1.0, 2.0], (2, 2)).tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """
    return _broadcast("broadcast_to", as_tensor(input), tuple(shape))


@operator(family="shape", differentiable=("input",), method=True)
def contiguous(input: Any) -> Tensor:
    """The tensor itself if its elements lie in row-major order, else a copy whose elements do.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input; grad_input = grad.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.zeros(2, 3).T.contiguous().is_contiguous()
    True
    """
    tensor = as_tensor(input)
    if tensor.is_contiguous():
        return tensor
    return record("contiguous", np.ascontiguousarray(tensor.data), (tensor,), lambda grad, needs: (grad,))


def sizes(name: str, values: tuple[Any, ...], argument: str = "shape") -> tuple[int, ...]:
    """Whole numbers given one by one or as one tuple or list."""
    if len(values) == 1 and isinstance(values[0], tuple | list):
        values = tuple(values[0])
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise ArgumentError(f"{name}: {argument} must be whole numbers, not {value!r} in {values}")
    return tuple([int(value) for value in values])


def _shape(name: str, source: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The wanted shape with -1 replaced, once it is known to hold the same number of elements."""
    number = 1
    for n in source:
        number *= n
    known = 1
    for n in wanted:
        known *= 1 if n == -1 else n
    unknown = wanted.count(-1)
    if unknown > 1 or min(wanted, default=0) < -1:
        raise ShapeError(f"{name}: shape {wanted} may hold one -1, which is worked out, and no other negative size")
    if unknown and known and number % known == 0:
        return tuple([number // known if n == -1 else n for n in wanted])
    if unknown or known != number:
        raise ShapeError(
            f"{name}: {number} elements of shape {source} do not fill {wanted}, which has "
            f"{known}{' times -1' if unknown else ''}; "
            "the products of sizes must be equal"
        )
    return wanted


def _reshaped(name: str, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    source = tensor.data.shape
    return record(name, tensor.data.reshape(shape), (tensor,), lambda grad, needs: (grad.reshape(source),))


def _permuted(name: str, tensor: Tensor, order: list[int]) -> Tensor:
    inverse = sorted(range(len(order)), key=order.__getitem__)
    return record(name, tensor.data.transpose(order), (tensor,), lambda grad, needs: (grad.transpose(inverse),))


def _broadcast(name: str, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    x = tensor.data
    try:
        y = np.broadcast_to(x, shape)
    except ValueError:
        raise ShapeError(
            f"{name}: shape {x.shape} does not expand to {shape}: compared from the right, sizes must be "
            "equal or 1 in the input"
        ) from None
    return record(name, y, (tensor,), lambda grad, needs: (unbroadcast(grad, x),))


def _reversed(self: Tensor) -> Tensor:
    """All axes in the opposite order; the transpose of a matrix."""
    return _permuted("T", self, list(range(self.data.ndim))[::-1])


def _matrix_transpose(self: Tensor) -> Tensor:
    """The last two axes swapped: every matrix of a batch transposed."""
    if self.data.ndim < 2:
        raise ShapeError(f"mT: shape {self.shape} has no two last axes to swap; use unsqueeze first")
    return transpose(self, -2, -1)


for _name, _function in {"T": _reversed, "mT": _matrix_transpose}.items():
    setattr(Tensor, _name, property(_function))
