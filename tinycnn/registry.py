"""The one list of operators. A declaration above a function says what tests, traces, benchmarks and pages need to know of it.

    @operator(family="pool", kernels=("max_pool2d", "max_pool2d_grad_x"), differentiable=("input",), kinks="ties inside a window")
    def max_pool2d(input, ...): ...

Its keys are the public callables of `tinycnn.functional` and `tinycnn.ops` (a test compares them); nothing keeps a second list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from .tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operator:
    """What is known of one operator."""

    name: str
    family: str
    function: Callable[..., Any]
    kernels: tuple[str, ...]
    differentiable: tuple[str, ...]
    kinks: str


OPERATORS: dict[str, Operator] = {}


def operator(
    *,
    family: str,
    kernels: tuple[str, ...] = (),
    differentiable: tuple[str, ...] = (),
    kinks: str = "",
    method: bool = False,
    alias: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Declare a function an operator.

    Parameters
    ----------
    family : str
        The file it lives in.
    kernels : tuple of str
        The kernels it calls, by their names in `tinycnn.kernels`; empty where NumPy is the definition.
    differentiable : tuple of str
        The arguments that receive gradients.
    kinks : str
        Where the derivative jumps, in words; empty if nowhere.
    method : bool
        Attach it to Tensor under its own name.
    alias : tuple of str
        Attach it to Tensor under these names too, such as "__add__".
    """

    def declare(function: F) -> F:
        name = function.__name__
        OPERATORS[name] = Operator(name, family, function, kernels, differentiable, kinks)
        for attached in ((name,) if method else ()) + alias:
            setattr(Tensor, attached, function)
        return function

    return declare
