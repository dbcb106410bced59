"""Products summed over shared axes: Einstein's notation, and the named products that are cases of it."""

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, DtypeError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, same_dtype
from ._arrays import as_array, axis
from .elementwise import add, mul
from .product import matmul

__all__ = ["addmm", "baddbmm", "bmm", "dot", "einsum", "mm", "mv", "outer", "tensordot"]

ELLIPSIS = "..."


@operator(family="shape", differentiable=("input", "mat2"), method=True)
def bmm(input: Any, mat2: Any) -> Tensor:
    """Multiply the matrices of two batches pair by pair.

    Shapes
    ------
    (b, m, k), (b, k, n) -> (b, m, n)

    Formula
    -------
    y[b, i, j] = sum_k input[b, i, k] mat2[b, k, j]; gradients as `matmul`.

    Raises
    ------
    ShapeError
        For other than three axes, two batch sizes, or inner sizes that differ.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.bmm([[[1.0, 2.0]]], [[[3.0], [4.0]]]).tolist()
    [[[11.0]]]
    """
    return _product("bmm", input, mat2, 3, 3)


@operator(family="shape", differentiable=("input", "mat2"), method=True)
def mm(input: Any, mat2: Any) -> Tensor:
    """Multiply two matrices.

    Shapes
    ------
    (m, k), (k, n) -> (m, n)

    Formula
    -------
    As `matmul`, without batches.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.mm([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """
    return _product("mm", input, mat2, 2, 2)


@operator(family="shape", differentiable=("input", "vec"), method=True)
def mv(input: Any, vec: Any) -> Tensor:
    """Multiply a matrix and a vector.

    Shapes
    ------
    (m, k), (k) -> (m)

    Formula
    -------
    y[i] = sum_k input[i, k] vec[k]; gradients as `matmul`.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.mv([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0]).tolist()
    [21.0, 43.0]
    """
    return _product("mv", input, vec, 2, 1)


@operator(family="shape", differentiable=("input", "tensor"), method=True)
def dot(input: Any, tensor: Any) -> Tensor:
    """The sum of the products of two vectors' elements.

    Shapes
    ------
    (k), (k) -> ()

    Formula
    -------
    y = sum_k input[k] tensor[k]; grad_input[k] = grad tensor[k], grad_tensor[k] = grad input[k].

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.dot([1.0, 2.0], [3.0, 4.0]).item()
    11.0
    """
    return _product("dot", input, tensor, 1, 1)


@operator(family="shape", differentiable=("input", "vec2"), method=True)
def outer(input: Any, vec2: Any) -> Tensor:
    """Every element of one vector times every element of another.

    Shapes
    ------
    (m), (n) -> (m, n)

    Formula
    -------
    y[i, j] = input[i] vec2[j]; grad_input[i] = sum_j grad[i, j] vec2[j], grad_vec2[j] = sum_i grad[i, j] input[i].

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.outer([1.0, 2.0], [3.0, 4.0]).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    first, second = as_tensor(input), as_tensor(vec2)
    if first.ndim != 1 or second.ndim != 1:
        raise ShapeError(f"outer: input {first.shape} and vec2 {second.shape} must be vectors; use flatten()")
    return mul(first.unsqueeze(1), second)


@operator(family="shape", differentiable=("input", "mat1", "mat2"), method=True)
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """A matrix product, scaled, added to a scaled tensor.

    Shapes
    ------
    broadcastable to (m, n), (m, k), (k, n) -> (m, n)

    Formula
    -------
    y = beta input + alpha mat1 mat2; grad_input = beta grad, summed where broadcast, the others as `matmul` times alpha.
    With beta = 0 the input does not count at all, not even its nan.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.addmm([[1.0]], [[1.0, 2.0]], [[3.0], [4.0]], beta=10).tolist()
    [[21.0]]
    """
    return _added("addmm", input, mm, mat1, mat2, beta, alpha)


@operator(family="shape", differentiable=("input", "batch1", "batch2"), method=True)
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """A batch of matrix products, scaled, added to a scaled tensor.

    Shapes
    ------
    broadcastable to (b, m, n), (b, m, k), (b, k, n) -> (b, m, n)

    Formula
    -------
    y = beta input + alpha batch1 batch2; gradients as `addmm`.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.baddbmm([[[1.0]]], [[[1.0, 2.0]]], [[[3.0], [4.0]]], alpha=2).tolist()
    [[[23.0]]]
    """
    return _added("baddbmm", input, bmm, batch1, batch2, beta, alpha)


@operator(family="shape", differentiable=("operands",))
def einsum(equation: Any, *operands: Any) -> Tensor:
    """Sums of products in Einstein's notation: one letter an axis; letters that the result lacks are summed over.

    Shapes
    ------
    as the equation says: "ij,jk->ik" is (i, j), (j, k) -> (i, k)

    Formula
    -------
    y[result letters] = sum over all other letters of the product of operands[letters];
    the gradient of an operand is einsum(grad, the other operands) with that operand's letters as the result.

    Parameters
    ----------
    equation : str
        Letters of each operand, separated by commas, then "->" and the result's letters. Without "->", the letters that occur once, in the
        order of the alphabet, after those of an ellipsis. "..." stands for any further axes, which broadcast.
    operands : Tensor
        As many as the equation names; also as einsum(tensor, [0, 1], tensor, [1, 2], [0, 2]), numbers for letters.

    Raises
    ------
    ArgumentError
        For an equation that does not parse. ShapeError: operands that do not fit it.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0]).tolist()
    [21.0, 43.0]
    """
    if not isinstance(equation, str):
        equation, operands = _from_numbers((equation, *operands))
    if len(operands) == 1 and isinstance(operands[0], list | tuple) and any(isinstance(one, Tensor | np.ndarray) for one in operands[0]):
        operands = tuple(operands[0])
    tensors = tuple([as_tensor(operand) for operand in operands])
    terms, result = _parsed(equation, [tensor.data.shape for tensor in tensors])
    return _contracted("einsum", tensors, terms, result)


@operator(family="shape", differentiable=("a", "b"))
def tensordot(a: Any, b: Any, dims: Any = 2) -> Tensor:
    """Sum the products of two tensors over axes of both.

    Shapes
    ------
    (a_1, .., c_1, ..), (c_1, .., b_1, ..) -> (a_1, .., b_1, ..)

    Formula
    -------
    y[i, j] = sum_c a[i, c] b[c, j], each letter for several axes; grad_a[i, c] = sum_j grad[i, j] b[c, j], grad_b[c, j] = sum_i a[i, c] grad[i, j].

    Parameters
    ----------
    a, b : Tensor
        Of one dtype.
    dims : int, or (axes of a, axes of b)
        The last axes of a and as many first axes of b; or which ones, pair by pair.

    Raises
    ------
    ShapeError
        If the sizes of a pair differ.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.tensordot([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]]).item()
    5.0
    """
    first, second = as_tensor(a), as_tensor(b)
    pairs = _pairs(first, second, dims)
    if len(first.shape) + len(second.shape) > len(string.ascii_letters):
        raise ShapeError(f"tensordot: a {first.shape} and b {second.shape} have more axes than there are letters; reshape them")
    letters = iter(string.ascii_letters)
    left = [next(letters) for _ in first.shape]
    right = [next(letters) for _ in second.shape]
    for one, other in zip(*pairs):
        right[other] = left[one]
    summed = {left[one] for one in pairs[0]}
    result = [letter for letter in left + right if letter not in summed]
    return _contracted("tensordot", (first, second), ["".join(left), "".join(right)], "".join(result))


def _product(name: str, input: Any, other: Any, first_axes: int, second_axes: int) -> Tensor:
    """`matmul` of operands with given numbers of axes, without broadcasting."""
    first, second = as_tensor(input), as_tensor(other)
    if first.ndim != first_axes or second.ndim != second_axes:
        raise ShapeError(f"{name}: shapes {first.shape} and {second.shape}; they must have {first_axes} and {second_axes} axes")
    same_dtype(name, input=first, other=second)
    inner = second.shape[-2 if second_axes > 1 else 0]
    if first.shape[-1] != inner or (first_axes == 3 and first.shape[0] != second.shape[0]):
        raise ShapeError(f"{name}: shapes {first.shape} and {second.shape} do not fit: the inner sizes, and those of batches, must be equal")
    return matmul(first, second)


def _added(name: str, input: Any, product: Any, first: Any, second: Any, beta: Any, alpha: Any) -> Tensor:
    """beta input + alpha product(first, second)."""
    for argument, value in (("beta", beta), ("alpha", alpha)):
        if not isinstance(value, int | float | np.integer | np.floating):
            raise ArgumentError(f"{name}: {argument} must be a number, not {value!r}")
    tensor, y = as_tensor(input), product(first, second)
    same_dtype(name, input=tensor, product=y)
    if y.dtype.kind in "iu" and not (isinstance(beta, int) and isinstance(alpha, int)):
        raise DtypeError(f"{name}: beta={beta!r} and alpha={alpha!r} must be whole for operands of {y.dtype}; use .float()")
    wide = tensor.expand(*y.shape)
    y = y if alpha == 1 else mul(y, alpha)
    if beta == 0:
        return record(name, y.data, (y, tensor), lambda grad, needs: (grad, np.zeros(tensor.shape, grad.dtype)))
    return add(y, wide if beta == 1 else mul(wide, beta))


def _pairs(a: Tensor, b: Tensor, dims: Any) -> tuple[list[int], list[int]]:
    """The axes of both tensors that are summed over, pair by pair."""
    if isinstance(dims, Tensor | np.ndarray):
        dims = dims.tolist()
    if isinstance(dims, int) and not isinstance(dims, bool):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise ArgumentError(f"tensordot: dims={dims} must be from 0 to {min(a.ndim, b.ndim)}, the axes that a {a.shape} and b {b.shape} have")
        pairs = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        if not isinstance(dims, Sequence) or isinstance(dims, str) or len(dims) != 2:
            raise ArgumentError(f"tensordot: dims must be a number or (axes of a, axes of b), not {dims!r}")
        lists = [list(part) if isinstance(part, Sequence) else [part] for part in dims]
        pairs = [axis("tensordot", one, a.ndim, "dims") for one in lists[0]], [axis("tensordot", one, b.ndim, "dims") for one in lists[1]]
    if len(pairs[0]) != len(pairs[1]) or any(len(set(part)) != len(part) for part in pairs):
        raise ArgumentError(f"tensordot: dims {dims!r} must name as many axes of a as of b, each once")
    if (pairs[0] and not a.ndim) or (pairs[1] and not b.ndim):
        raise ShapeError(f"tensordot: a {a.shape} or b {b.shape} has no axis to sum over; use dims=0")
    for one, other in zip(*pairs):
        if a.shape[one] != b.shape[other] and 1 not in (a.shape[one], b.shape[other]):
            raise ShapeError(f"tensordot: axis {one} of a {a.shape} and axis {other} of b {b.shape} differ; summed axes must be equal")
    return pairs


def _from_numbers(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """(tensor, [0, 1], tensor, [1, 2], [0, 2]) as an equation and its operands."""
    operands, lists = arguments[: 2 * (len(arguments) // 2) : 2], arguments[1::2]
    result = arguments[-1] if len(arguments) % 2 else None
    terms = []
    for numbers in (*lists, *([result] if result is not None else [])):
        if not isinstance(numbers, list | tuple):
            raise ArgumentError("einsum: give an equation such as 'ij,jk->ik' first, or each tensor followed by a list of numbers for its axes")
        for number in numbers:
            if number is not Ellipsis and not (isinstance(number, int) and 0 <= number < len(string.ascii_letters)):
                raise ArgumentError(f"einsum: axes are numbered from 0 to {len(string.ascii_letters) - 1}, not {number!r}")
        # Capitals first: numbers rise as the alphabet of results without "->" does.
        alphabet = string.ascii_uppercase + string.ascii_lowercase
        terms.append("".join(ELLIPSIS if number is Ellipsis else alphabet[number] for number in numbers))
    if result is None:
        return ",".join(terms), operands
    return ",".join(terms[:-1]) + "->" + terms[-1], operands


def _parsed(equation: str, shapes: list[tuple[int, ...]]) -> tuple[list[str], str]:
    """The letters of every operand and of the result, ellipses replaced by letters of their own."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise ArgumentError(f"einsum: {equation!r} names {len(terms)} operands, but {len(shapes)} are given")
    used = set(left + right)
    for term in (*terms, right):
        rest = term.replace(ELLIPSIS, "", 1)
        if not all(letter in string.ascii_letters for letter in rest):
            raise ArgumentError(f"einsum: {term!r} in {equation!r} holds more than letters and one ellipsis '...'")
    free = [letter for letter in string.ascii_letters if letter not in used]
    most = 0
    for term, shape in zip(terms, shapes):
        named = len(term.replace(ELLIPSIS, ""))
        extra = len(shape) - named
        if extra < 0 or (extra and ELLIPSIS not in term):
            raise ShapeError(f"einsum: {term!r} in {equation!r} names {named} axes, but its operand has shape {shape}")
        most = max(most, extra if ELLIPSIS in term else 0)
    if most > len(free):
        raise ArgumentError(f"einsum: {equation!r} needs more than {len(string.ascii_letters)} letters; reshape the operands")
    dots = free[:most]
    spelled = []
    for term, shape in zip(terms, shapes):
        extra = len(shape) - len(term.replace(ELLIPSIS, ""))
        spelled.append(term.replace(ELLIPSIS, "".join(dots[most - extra :])))
    if not arrow:
        everything = "".join(terms).replace(ELLIPSIS, "")
        return spelled, "".join(dots) + "".join(sorted(letter for letter in set(everything) if everything.count(letter) == 1))
    result = right.replace(ELLIPSIS, "".join(dots))
    if len(set(result)) != len(result) or not set(result) <= set("".join(spelled)):
        raise ArgumentError(f"einsum: the result {right!r} of {equation!r} must name letters of the operands, each once")
    return spelled, result


def _contracted(name: str, tensors: tuple[Tensor, ...], terms: list[str], result: str) -> Tensor:
    """The sum of products that letters describe, and the gradient of each operand."""
    same_dtype(name, **{f"operand {position}": tensor for position, tensor in enumerate(tensors)})
    sizes: dict[str, int] = {}
    for term, tensor in zip(terms, tensors):
        if len(dict(zip(term, tensor.data.shape))) != len(set(zip(term, tensor.data.shape))):
            raise ShapeError(f"{name}: {term!r} repeats a letter for axes of different sizes in shape {tensor.data.shape}")
        for letter, size in zip(term, tensor.data.shape):
            if sizes.get(letter, 1) != size and 1 not in (sizes.get(letter, 1), size):
                raise ShapeError(f"{name}: axis {letter!r} is {sizes[letter]} in one operand and {size} in another; sizes must be equal or 1")
            sizes[letter] = size if sizes.get(letter, 1) == 1 else sizes[letter]
    arrays = [tensor.data for tensor in tensors]
    y = _sum_of_products(terms, arrays, result, sizes)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        gradients: list[np.ndarray | None] = []
        for position, (term, array) in enumerate(zip(terms, arrays)):
            if not needs[position]:
                gradients.append(None)
                continue
            others = [one for other, one in enumerate(terms) if other != position]
            rest = [one for other, one in enumerate(arrays) if other != position]
            gradients.append(_gradient(term, array.shape, [result, *others], [grad, *rest], sizes))
        return tuple(gradients)

    return record(name, y, tensors, backward, tensors)


def _sum_of_products(terms: list[str], arrays: list[np.ndarray], result: str, sizes: dict[str, int]) -> np.ndarray:
    """einsum of arrays whose axes of size 1 are dropped where their letter is longer; letters that no term has left are repeated."""
    kept_terms, kept_arrays = [], []
    for term, array in zip(terms, arrays):
        stretched = [place for place, letter in enumerate(term) if array.shape[place] == 1 and sizes[letter] != 1]
        kept_terms.append("".join(letter for place, letter in enumerate(term) if place not in stretched))
        kept_arrays.append(array.reshape([size for place, size in enumerate(array.shape) if place not in stretched]))
    known = set("".join(kept_terms))
    y = np.einsum(",".join(kept_terms) + "->" + "".join(letter for letter in result if letter in known), *kept_arrays, optimize=len(arrays) > 1)
    missing = [place for place, letter in enumerate(result) if letter not in known]
    return np.array(np.broadcast_to(np.expand_dims(as_array(y), missing), [sizes[letter] for letter in result]))


def _gradient(term: str, shape: tuple[int, ...], terms: list[str], arrays: list[np.ndarray], sizes: dict[str, int]) -> np.ndarray:
    """The gradient of one operand: what the others and the upstream gradient leave for its letters, on its diagonals."""
    lengths = dict(zip(term, shape))
    letters = "".join(dict.fromkeys(term))
    own = "".join(letter for letter in letters if lengths[letter] == sizes[letter])
    found = _sum_of_products(terms, arrays, own, sizes)
    found = np.expand_dims(found, [place for place, letter in enumerate(letters) if letter not in own])
    if len(letters) == len(term):
        return found
    grad = np.zeros(shape, found.dtype)
    np.einsum(f"{term}->{letters}", grad)[...] = found
    return grad
