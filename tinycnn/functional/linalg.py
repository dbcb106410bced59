"""torch.linalg's norms: of vectors, of matrices, and the one function for both.

Not operators of the registry, whose `norm` is torch.norm: these name the axes and the kind of norm more strictly.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor
from ._arguments import as_tensor, float_tensor
from ._arrays import as_array, axes, axis, spread
from .conversion import converted
from .extremum import amax, amin
from .reduction import sum
from .unary import abs
from .vector_norm import norm as torch_norm

__all__ = ["matrix_norm", "norm", "vector_norm"]

Dim = int | Sequence[int] | None
SPECTRAL = (2, -2)
SUMS = (1, -1, float("inf"), float("-inf"))


def vector_norm(x: Any, ord: float = 2, dim: Dim = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The length of the elements taken as one vector.

    Shapes
    ------
    (*) -> (* without the axes in dim), or with size 1 there

    Formula
    -------
    y = (sum_i |x[i]|^ord)^(1 / ord), with the limits for inf, -inf and 0; gradients as `tinycnn.norm`.

    Parameters
    ----------
    x : Tensor
        float32 or float64.
    ord : number
        The exponent.
    dim, keepdim
        The axes to reduce, and whether they stay with size 1.
    dtype : optional
        Convert to this float dtype first.

    Returns
    -------
    Tensor

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.linalg.vector_norm([3.0, -4.0]).item()
    5.0
    """
    if isinstance(ord, bool) or not isinstance(ord, int | float):
        raise ArgumentError(f"linalg.vector_norm: ord must be a number, not {ord!r}")
    return torch_norm(float_tensor("linalg.vector_norm", "x", x), ord, dim, keepdim, dtype=dtype)


def matrix_norm(
    A: Any, ord: float | str = "fro", dim: Sequence[int] = (-2, -1), keepdim: bool = False, *, dtype: npt.DTypeLike | None = None
) -> Tensor:
    """The size of every matrix that two axes span.

    Shapes
    ------
    (*, m, n) -> (*), or (*, 1, 1) with keepdim

    Formula
    -------
    "fro" sqrt(sum A^2); "nuc" the sum of the singular values; inf and -inf the largest and smallest sum of |A| along a row; 1 and -1 along a
    column; 2 and -2 the largest and smallest singular value s, with grad_A = grad u v^T, A v = s u.

    Parameters
    ----------
    A : Tensor
        float32 or float64.
    ord : "fro", "nuc", inf, -inf, 1, -1, 2 or -2
        Which norm.
    dim : (int, int)
        The axes of rows and columns.
    keepdim : bool
        Whether they stay, with size 1.
    dtype : optional
        Convert to this float dtype first.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        For another `ord`. ShapeError: fewer than two axes.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.linalg.matrix_norm([[1.0, -2.0], [3.0, 4.0]], 1).item()
    6.0
    """
    tensor = converted(float_tensor("linalg.matrix_norm", "A", A), dtype)
    if not isinstance(dim, Sequence) or len(dim) != 2:
        raise ArgumentError(f"linalg.matrix_norm: dim must be two axes, not {dim!r}")
    if tensor.ndim < 2:
        raise ShapeError(f"linalg.matrix_norm: A has shape {tensor.shape}; a matrix needs two axes")
    rows, columns = (axis("linalg.matrix_norm", one, tensor.ndim) for one in dim)
    if rows == columns:
        raise ArgumentError(f"linalg.matrix_norm: dim {tuple(dim)} names one axis twice; a matrix has two")
    if isinstance(ord, str):
        if ord not in ("fro", "nuc"):
            raise ArgumentError(f'linalg.matrix_norm: ord {ord!r} is not "fro", "nuc", 1, -1, 2, -2, inf or -inf')
        return torch_norm(tensor, ord, (rows, columns), keepdim)
    if ord in SPECTRAL:
        return _spectral(tensor, rows, columns, ord > 0, keepdim)
    if ord not in SUMS:
        raise ArgumentError(f'linalg.matrix_norm: ord {ord!r} is not "fro", "nuc", 1, -1, 2, -2, inf or -inf')
    summed, compared = (rows, columns) if ord in (1, -1) else (columns, rows)
    y = (amax if ord > 0 else amin)(sum(abs(tensor), summed, keepdim=True), compared, keepdim=True)
    return y if keepdim else y.squeeze((rows, columns))


def norm(A: Any, ord: float | str | None = None, dim: Dim = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """A norm of vectors or of matrices, by the number of axes named.

    Shapes
    ------
    (*) -> (* without the axes in dim), or with size 1 there

    Formula
    -------
    `vector_norm` for one axis, and for any axes without ord (then 2); `matrix_norm` for two axes and an ord.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        With ord and without dim, for other than one or two axes.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.linalg.norm([[3.0, 0.0], [0.0, -4.0]]).item(), tinycnn.linalg.norm([[3.0, 0.0], [0.0, -4.0]], 1).item()
    (5.0, 4.0)
    """
    tensor = float_tensor("linalg.norm", "A", A)
    reduced = tensor.ndim if dim is None else len(axes("linalg.norm", dim, tensor.ndim))
    if ord is None:
        return vector_norm(tensor, 2, dim, keepdim, dtype=dtype)
    if dim is None and reduced not in (1, 2):
        raise ShapeError(f"linalg.norm: ord={ord!r} without dim is for one or two axes, but A has shape {tensor.shape}; name them with dim")
    if reduced == 2:
        return matrix_norm(tensor, ord, (0, 1) if dim is None else tuple(dim) if isinstance(dim, Sequence) else (dim, dim), keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise ArgumentError(f"linalg.norm: ord={ord!r} is of matrices, but {reduced} axes are reduced; name two with dim")
    return vector_norm(tensor, ord, dim, keepdim, dtype=dtype)


def _spectral(tensor: Tensor, rows: int, columns: int, largest: bool, keepdim: bool) -> Tensor:
    """The largest or smallest singular value of each matrix."""
    x = as_tensor(tensor).data
    matrices = np.moveaxis(x, (rows, columns), (-2, -1))
    if not min(matrices.shape[-2:]):
        raise ShapeError(f"linalg.matrix_norm: A {x.shape} has matrices without elements, which have no singular value")
    left, values, right = np.linalg.svd(matrices, full_matrices=False)
    place = 0 if largest else values.shape[-1] - 1
    reduced = tuple(sorted((rows, columns)))
    kept_y = as_array(np.expand_dims(values[..., place], reduced))
    slope = np.moveaxis(left[..., :, place, np.newaxis] * right[..., place, np.newaxis, :], (-2, -1), (rows, columns))
    y = kept_y if keepdim else as_array(np.squeeze(kept_y, axis=reduced))
    return record("matrix_norm", y, (tensor,), lambda grad, needs: (spread(grad, x.shape, reduced) * slope,))
