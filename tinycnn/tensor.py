"""The Tensor: an ndarray, and the place it has in a graph of operators.

A tensor holds its values (`data`), after backward its gradient (`grad`), and, when an operator made it, the node that knows how to send a
gradient on. Its arithmetic and methods are the functions of `tinycnn.functional`; the `operator` declaration attaches them here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .errors import DtypeError, GraphError

if TYPE_CHECKING:
    from .autograd import Node

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
DTYPES = (*FLOATS, np.dtype(np.int64), np.dtype(np.int32), np.dtype(np.uint8), np.dtype(np.bool_))
_ALLOWED = frozenset(DTYPES)
_FLOATS = frozenset(FLOATS)


class Tensor:
    """An n-dimensional array that remembers how it was computed.

    Parameters
    ----------
    array : ndarray
        The values. Shared, not copied: a write to the array is a write to the tensor. `tinycnn.tensor` copies.
    requires_grad : bool
        Whether backward shall leave a gradient here. Only float32 and float64 have gradients.

    Raises
    ------
    DtypeError
        For an element type other than float32, float64, int64, int32, uint8 and bool, or a gradient of integers.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor
    >>> x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad.numpy()
    array([2., 4.])
    """

    __slots__ = ("data", "grad", "requires_grad", "_node", "_version", "_retains_grad", "__weakref__")
    __array_ufunc__ = None  # `ndarray + tensor` asks the tensor instead of looping over its elements

    data: np.ndarray
    grad: Tensor | None
    requires_grad: bool
    _node: Node | None
    _version: int
    _retains_grad: bool

    def __init__(self, array: Any, requires_grad: bool = False) -> None:
        if isinstance(array, Tensor):
            array = array.data
        data = array if isinstance(array, np.ndarray) else np.asarray(array)
        if data.dtype not in _ALLOWED and data.dtype != object:
            names = ", ".join(str(dtype) for dtype in DTYPES)
            raise DtypeError(f"Tensor: dtype {data.dtype} is not one of {names}; convert with array.astype(numpy.float32)")
        if requires_grad and data.dtype not in _FLOATS:
            raise DtypeError(f"Tensor: requires_grad=True on {data.dtype}: only float32 and float64 have gradients; use .float()")
        self.data = data
        self.grad = None
        self.requires_grad = requires_grad
        self._node = None
        self._version = 0
        self._retains_grad = False

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes, axis by axis."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its element type."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """Its number of axes."""
        return self.data.ndim

    @property
    def is_leaf(self) -> bool:
        """Whether a user made it, rather than an operator on a tensor that requires gradients."""
        return self._node is None

    @property
    def device(self) -> str:
        """Where its values lie: "cpu"."""
        return "cpu"

    def size(self, dim: int | None = None) -> Any:
        """Its shape, or one of its sizes."""
        return self.data.shape if dim is None else self.data.shape[dim]

    def dim(self) -> int:
        """Its number of axes."""
        return self.data.ndim

    def numel(self) -> int:
        """Its number of elements."""
        return self.data.size

    def element_size(self) -> int:
        """Bytes an element."""
        return self.data.itemsize

    def is_floating_point(self) -> bool:
        """Whether its elements are float32 or float64."""
        return self.data.dtype in _FLOATS

    def is_contiguous(self) -> bool:
        """Whether its elements lie in row-major order without gaps."""
        return bool(self.data.flags.c_contiguous)

    def __len__(self) -> int:
        if not self.data.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self.data)

    def __repr__(self) -> str:
        values = np.array2string(self.data, separator=", ", prefix="tensor(", precision=4, threshold=200)
        notes = ""
        if self.data.dtype not in (np.float32, np.int64, np.bool_):
            notes += f", dtype={self.data.dtype}"
        if self._node is not None:
            notes += f", grad_fn=<{self._node.name}>"
        elif self.requires_grad:
            notes += ", requires_grad=True"
        return f"tensor({values}{notes})"

    def __bool__(self) -> bool:
        if self.data.size != 1:
            raise ValueError(f"the truth of a tensor with {self.data.size} elements is ambiguous; use .any() or .all()")
        return bool(self.data.reshape(())[()])

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.data.dtype.kind not in "iu" or self.data.size != 1:
            raise TypeError("only integer tensors of one element can be an index")
        return int(self.item())

    __hash__ = object.__hash__  # by identity, as `==` compares elements

    # Its values, outside any graph

    def numpy(self) -> np.ndarray:
        """Its ndarray, shared; a tensor in a graph must be detached first."""
        if self.requires_grad:
            raise GraphError("numpy: this tensor requires gradients, which an ndarray would lose; use .detach().numpy()")
        return self.data

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != np.dtype(dtype):
            return array.astype(dtype)
        return array.copy() if copy else array

    def item(self) -> Any:
        """Its only element, as a Python number."""
        if self.data.size != 1:
            raise ValueError(f"item: a tensor of shape {self.data.shape} has {self.data.size} elements, not one; index it first")
        return self.data.item()

    def tolist(self) -> Any:
        """Its values as nested lists of Python numbers."""
        return self.data.tolist()

    def detach(self) -> Tensor:
        """The same values outside the graph; the memory is shared."""
        return Tensor(self.data)

    def __copy__(self) -> Tensor:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self._node is not None:
            raise GraphError("copy: only leaves can be copied, this tensor is an operator's result; use .detach() first")
        twin = type(self).__new__(type(self))
        Tensor.__init__(twin, self.data.copy(), self.requires_grad)
        if self.grad is not None:
            twin.grad = Tensor(self.grad.data.copy())
        memo[id(self)] = twin
        return twin

    def __reduce__(self) -> Any:
        if self._node is not None:
            raise GraphError("pickle: only leaves can be pickled, this tensor is an operator's result; use .detach() first")
        return type(self), (self.data, self.requires_grad)

    # Its gradient

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for a gradient here, or stop asking; returns the tensor."""
        if requires_grad and self.data.dtype not in _FLOATS:
            raise DtypeError(f"requires_grad_: {self.data.dtype} has no gradients, only float32 and float64; use .float()")
        if not requires_grad and self._node is not None:
            raise GraphError("requires_grad_: an operator's result always requires gradients; use .detach()")
        self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Keep the gradient of an operator's result too, which backward otherwise hands on and forgets."""
        if not self.requires_grad:
            raise GraphError("retain_grad: this tensor does not require gradients; build it from one that does")
        self._retains_grad = True

    def backward(self, grad: Any = None, retain_graph: bool = False) -> None:
        """Send a gradient from here to every leaf it was computed from; see `tinycnn.autograd.backward`."""
        from .autograd import backward

        backward(self, grad, retain_graph)

    def _wrote(self) -> None:
        """Say that the engine has changed the values in place, so that no graph goes on with a stale copy."""
        self._version += 1

    if TYPE_CHECKING:  # the functions that `operator(method=True)` attaches

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
