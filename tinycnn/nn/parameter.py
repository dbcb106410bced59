"""The tensors that a module learns."""

from typing import Any

from ..tensor import Tensor

__all__ = ["Parameter"]


class Parameter(Tensor):
    """A leaf tensor that a Module registers when it is assigned to an attribute, and that asks for gradients from
    the start.

    Parameters
    ----------
    data : Tensor or ndarray
        The starting values, shared as in Tensor.
    requires_grad : bool
        False for a parameter that is saved with the module but not trained.

    Examples
    --------
    >>> import numpy as np
    >>> Parameter(np.zeros(2, np.float32))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
