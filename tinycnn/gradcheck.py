"""Check a gradient against finite differences: in a random direction, with a random upstream gradient, in float64, with an eye for kinks.

For f with inputs x, a random direction v and a random upstream gradient u, the two sides of

    <u, (f(x + e v) - f(x - e v)) / 2 e>  =  <grad_x <u, f(x)>, v>

must agree. A random u matters: the all-ones gradient of `f(x).sum()` hides every mix-up of axes. Where they do not agree, each entry is
differentiated on its own; an entry whose one-sided differences disagree with each other lies on a kink, and there any value between
the two is a sub-gradient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .autograd import no_grad
from .errors import GradcheckError
from .random import default_generator
from .tensor import Tensor

ENTRIES_SHOWN = 12
ENTRIES_EXAMINED = 2000


@dataclass(frozen=True)
class Entry:
    """One element of one input whose analytic and numeric derivative differ."""

    input: int
    index: tuple[int, ...]
    analytic: float
    numeric: float
    left: float
    right: float
    kink: bool

    @property
    def accepted(self) -> bool:
        """At a kink, whether the analytic value is a sub-gradient: between the one-sided differences, to rounding."""
        low, high = sorted((self.left, self.right))
        slack = 1e-5 * max(1.0, abs(low), abs(high))
        return self.kink and low - slack <= self.analytic <= high + slack


@dataclass
class InputCheck:
    """The directional comparison of one input."""

    index: int
    shape: tuple[int, ...]
    analytic: float
    numeric: float
    tolerance: float
    passed: bool


@dataclass
class GradcheckReport:
    """What was compared, and where it differs. True if every input passed."""

    eps: float
    rtol: float
    atol: float
    checks: list[InputCheck] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every directional derivative agrees, or differs at kinks only and by sub-gradients."""
        return all(check.passed for check in self.checks)

    @property
    def kinks(self) -> list[Entry]:
        """The differing entries that lie on a kink."""
        return [entry for entry in self.entries if entry.kink]

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        lines = [f"gradcheck {'passed' if self.passed else 'FAILED'} (central differences, step {self.eps:g}, "
                 f"|analytic - numeric| <= {self.atol:g} + {self.rtol:g} max(|analytic|, |numeric|))"]
        for check in self.checks:
            error = abs(check.analytic - check.numeric)
            verdict = "ok" if check.passed else "DIFFERS"
            lines.append(
                f"  input {check.index} {check.shape}: analytic {check.analytic:+.10e}  numeric {check.numeric:+.10e}  "
                f"error {error:.2e}  allowed {check.tolerance:.2e}  {verdict}"
            )
        for entry in self.entries[:ENTRIES_SHOWN]:
            where = ", ".join(map(str, entry.index))
            line = f"    input {entry.input}[{where}]: analytic {entry.analytic:+.8e}  numeric {entry.numeric:+.8e}"
            if entry.kink:
                between = "a sub-gradient" if entry.accepted else "NOT between them"
                line += f"  kink: from the left {entry.left:+.4e}, from the right {entry.right:+.4e}; analytic is {between}"
            lines.append(line)
        if len(self.entries) > ENTRIES_SHOWN:
            lines.append(f"    ... and {len(self.entries) - ENTRIES_SHOWN} more entries")
        return "\n".join(lines)


def gradcheck(
    function: Callable[..., Any],
    inputs: Tensor | np.ndarray | Sequence[Any],
    eps: float = 1e-6,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    raise_exception: bool = True,
    *,
    generator: np.random.Generator | None = None,
) -> GradcheckReport:
    """Compare a function's gradients with central differences along a random direction.

    Formula
    -------
    numeric = <u, f(x + e v) - f(x - e v)> / 2 e, analytic = <J^T u, v>; u and v drawn from the normal distribution, v of length 1.

    Parameters
    ----------
    function : callable
        Takes the inputs, returns a Tensor or a tuple of Tensors; integer results are left out.
    inputs : Tensor, ndarray or sequence of them
        Float arrays are checked (in float64, on copies); tensors that do not require gradients, integers and other objects are passed on as they are.
        ndarrays of floats count as requiring gradients.
    eps : float
        The step e, in units of the inputs.
    rtol, atol : float
        |analytic - numeric| <= atol + rtol max(|analytic|, |numeric|, |u| |f| rounding) passes.
    raise_exception : bool
        Raise on failure instead of returning a report that is false.
    generator : numpy.random.Generator, optional
        Where u and v come from; the package's if left out.

    Returns
    -------
    GradcheckReport
        True if passed; its text is a table of both sides, with the entries that differ and their kinks.

    Raises
    ------
    GradcheckError
        With that table, if a gradient is wrong.

    Notes
    -----
    torch.autograd.gradcheck compares every entry with atol 1e-5 and rtol 1e-3 and knows no kinks; one direction costs two
    evaluations however large the input, and a wrong entry escapes it with probability zero.

    References
    ----------
    Griewank and Walther 2008, "Evaluating Derivatives", section 3.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> bool(tinycnn.gradcheck(lambda x: x * x, np.array([1.0, -2.0, 3.0])))
    True
    """
    random = default_generator(generator)
    arguments, checked = _arguments([inputs] if isinstance(inputs, Tensor | np.ndarray) else inputs)
    outputs = _outputs(function(*arguments))
    upstream = [random.standard_normal(output.shape) for output in outputs]
    _check_graph(outputs, checked)
    for output, gradient in zip(outputs, upstream, strict=True):
        if output.requires_grad:
            output.backward(gradient, retain_graph=True)
    report = GradcheckReport(eps, rtol, atol)
    scale = sum(float(np.sum(np.abs(u * o.data))) for u, o in zip(upstream, outputs, strict=True))
    rounding = 8 * np.finfo(np.float64).eps * scale / eps

    def value() -> float:
        with no_grad():
            results = _outputs(function(*arguments))
        return sum(float(np.sum(u * result.data)) for u, result in zip(upstream, results, strict=True))

    for position in checked:
        tensor = arguments[position]
        gradient = np.zeros(tensor.shape) if tensor.grad is None else tensor.grad.data
        direction = random.standard_normal(tensor.shape)
        direction /= max(float(np.linalg.norm(direction)), 1e-300)
        numeric = (_shifted(value, tensor, eps * direction) - _shifted(value, tensor, -eps * direction)) / (2 * eps)
        analytic = float(np.sum(gradient * direction))
        tolerance = atol + rtol * max(abs(analytic), abs(numeric)) + rounding
        passed = bool(abs(analytic - numeric) <= tolerance)
        if not passed:
            entries = _examine(value, position, tensor, gradient, eps, atol + rounding, rtol)
            report.entries.extend(entries)
            passed = bool(entries) and all(entry.accepted for entry in entries) and tensor.data.size <= ENTRIES_EXAMINED
        report.checks.append(InputCheck(position, tensor.shape, analytic, numeric, tolerance, passed))
    if raise_exception and not report:
        raise GradcheckError(str(report))
    return report


def _arguments(inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Float64 copies of the inputs that are to be checked, and their positions."""
    arguments: list[Any] = []
    checked: list[int] = []
    for position, value in enumerate(inputs):
        array = value.data if isinstance(value, Tensor) else value
        wanted = isinstance(array, np.ndarray) and array.dtype.kind == "f"
        if wanted and (not isinstance(value, Tensor) or value.requires_grad):
            checked.append(position)
            arguments.append(Tensor(np.array(array, np.float64), requires_grad=True))
        elif wanted and isinstance(value, Tensor):
            arguments.append(Tensor(np.array(array, np.float64)))
        else:
            arguments.append(value)
    if not checked:
        raise GradcheckError("gradcheck: no input is a float array or a float tensor that requires gradients")
    return arguments, checked


def _outputs(result: Any) -> list[Tensor]:
    """The float tensors among what the function returned."""
    results = result if isinstance(result, tuple | list) else (result,)
    return [output for output in results if isinstance(output, Tensor) and output.data.dtype.kind == "f"]


def _check_graph(outputs: list[Tensor], checked: list[int]) -> None:
    if not any(output.requires_grad for output in outputs):
        raise GradcheckError(f"gradcheck: no output depends on the inputs {checked} through a graph; was .data or .numpy() used on the way?")


def _shifted(value: Callable[[], float], tensor: Tensor, shift: np.ndarray) -> float:
    """The function's value with the tensor moved; the tensor is put back."""
    original = tensor.data
    tensor.data = original + shift
    try:
        return value()
    finally:
        tensor.data = original


def _examine(
    value: Callable[[], float], position: int, tensor: Tensor, gradient: np.ndarray, eps: float, atol: float, rtol: float
) -> list[Entry]:
    """Differentiate entry by entry; returns those that differ, with one-sided differences to tell kinks from mistakes."""
    here = value()
    entries = []
    for flat in range(min(tensor.data.size, ENTRIES_EXAMINED)):
        index = tuple(int(i) for i in np.unravel_index(flat, tensor.shape))
        shift = np.zeros(tensor.shape)
        shift[index] = eps
        right = (_shifted(value, tensor, shift) - here) / eps
        left = (here - _shifted(value, tensor, -shift)) / eps
        numeric = (left + right) / 2
        analytic = float(gradient[index])
        if abs(analytic - numeric) <= atol + 100 * rtol * max(1.0, abs(analytic), abs(numeric)):
            continue
        kink = abs(right - left) > 1e-3 * max(abs(right), abs(left), 1e-3)
        entries.append(Entry(position, index, analytic, numeric, left, right, kink))
    return entries
