"""PyTorch's own samples and error inputs (OpInfo), run through the operators of the same names.

    PYTHONPATH=. python tests/oracle/opinfo.py [NAME ...]     a table: cases, and what differs

A case is one sample in one dtype, values and gradients together, or one call that PyTorch refuses.
"""

import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from tinycnn import Tensor, nn
from tinycnn.registry import OPERATORS

torch = pytest.importorskip("torch")

from torch.testing._internal.common_methods_invocations import op_db  # noqa: E402

# Random by nature: their own tests state what must hold.
RANDOM = {"dropout", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "rrelu", "fractional_max_pool2d", "fractional_max_pool3d"}
RANDOM |= {"multi_head_attention_forward"}  # its one sample draws a dropout mask
# PyTorch's samples for these say more about storage than about values.
NOT_VALUES = {"empty_like", "contiguous"}
# Other functions that happen to have the name of one of ours: Tensor.unfold slides along one axis.
OTHERS = ("unfold",)
ELSEWHERE = ("special.", "masked.", "fft.", "sparse.", "signal.", "torch.ops", "linalg.")
RTOL = {torch.float64: 1e-9, torch.float32: 2e-4, torch.int64: 0.0}
ATOL = {torch.float64: 1e-9, torch.float32: 2e-4, torch.int64: 0.0}
DTYPES = {getattr(torch, name): np.dtype(name) for name in ("float64", "float32", "int64", "int32", "uint8", "bool")}
FEWEST_LETTERS = 10
# Where PyTorch's description calls the function with its arguments in another order.
ORDERS = {"where": (1, 0, 2), "einsum": (1, 0), "nn.functional.embedding": (1, 0)}
# PyTorch multiplies by 1/6 rounded to float32 in the gradient, also in float64.
LOOSER = {"hardsigmoid": 1e-7}


@dataclass
class Result:
    """What one operator did with its cases."""

    cases: int = 0
    differences: list[str] = field(default_factory=list)


def operators() -> dict[str, list[Any]]:
    """PyTorch's descriptions of the operators that both have, by our name."""
    found: dict[str, list[Any]] = {}
    for description in op_db:
        name = description.name.rsplit(".", 1)[-1]
        special = description.name in OTHERS or description.name.startswith(ELSEWHERE)
        if name in OPERATORS and not special and name not in RANDOM | NOT_VALUES:
            found.setdefault(name, []).append(description)
    return found


def ours(value: Any, leaves: list[tuple[torch.Tensor, Tensor]]) -> Any:
    """PyTorch's argument as one of ours; float tensors that want gradients are noted in `leaves`."""
    if isinstance(value, torch.Tensor):
        tensor = Tensor(value.detach().numpy().copy(), requires_grad=value.requires_grad)
        if value.requires_grad:
            leaves.append((value, tensor))
        return tensor
    if isinstance(value, torch.dtype):
        return DTYPES.get(value, value)
    if isinstance(value, torch.nn.Module):
        return getattr(nn, type(value).__name__)()
    if isinstance(value, list | tuple) and not isinstance(value, torch.Size):
        return type(value)(ours(item, leaves) for item in value)
    if isinstance(value, dict):
        return {key: ours(item, leaves) for key, item in value.items()}
    return tuple(value) if isinstance(value, torch.Size) else value


def flat(result: Any) -> list[Any]:
    """The tensors of a result in order."""
    if isinstance(result, list | tuple):
        return [item for part in result for item in flat(part)]
    return [result]


def difference(mine: Any, theirs: Any, dtype: torch.dtype, looser: float = 0.0) -> str:
    """In words where two results differ; empty where they agree."""
    mine, theirs = flat(mine), flat(theirs)
    if len(mine) != len(theirs):
        return f"{len(mine)} results, torch has {len(theirs)}"
    for one, other in zip(mine, theirs, strict=True):
        array = one.data if isinstance(one, Tensor) else np.asarray(one)
        expected = other.detach().numpy() if isinstance(other, torch.Tensor) else np.asarray(other)
        if array.shape != expected.shape:
            return f"shape {array.shape}, torch's {expected.shape}"
        if isinstance(other, torch.Tensor) and array.dtype != expected.dtype:
            return f"{array.dtype}, torch's is {expected.dtype}"
        if array.dtype == np.bool_ and not np.array_equal(array, expected):
            return "other truth values"
        with np.errstate(all="ignore"):
            if array.dtype != np.bool_ and not np.allclose(array, expected, max(RTOL[dtype], looser), max(ATOL[dtype], looser), equal_nan=True):
                return f"values differ by up to {np.nanmax(np.abs(array.astype(float) - expected.astype(float))):.3g}"
    return ""


def compare(description: Any, function: Any, sample: Any, dtype: torch.dtype) -> str | None:
    """In words how one sample differs; None where torch itself refuses it, and where it draws random numbers."""
    if sample.kwargs.get("dropout_p", 0):
        return None
    try:
        theirs = description.op(sample.input, *sample.args, **sample.kwargs)
    except Exception:
        return None
    leaves: list[tuple[torch.Tensor, Tensor]] = []
    arguments = ours((sample.input, *sample.args), leaves)
    order = ORDERS.get(description.name)
    if order is not None:
        arguments = (*[arguments[place] for place in order], *arguments[len(order) :])
    keywords = ours(sample.kwargs, leaves)
    try:
        mine = function(*arguments, **keywords)
    except Exception as error:
        return f"refused: {type(error).__name__}: {str(error)[:150]}"
    found = difference(mine, theirs, dtype)
    if found or not leaves:
        return found
    outputs = [(one, other) for one, other in zip(flat(mine), flat(theirs), strict=True) if isinstance(other, torch.Tensor) and other.requires_grad]
    if not outputs:
        return ""
    generator = np.random.default_rng(0)
    upstreams = [generator.standard_normal(tuple(other.shape)).astype(DTYPES[dtype]) for _, other in outputs]
    try:
        expected = torch.autograd.grad(
            [other for _, other in outputs], [leaf for leaf, _ in leaves], [torch.from_numpy(np.asarray(u)) for u in upstreams], allow_unused=True
        )
    except RuntimeError:
        return ""
    try:
        for (one, _), upstream in zip(outputs, upstreams, strict=True):
            one.backward(upstream, retain_graph=True)
    except Exception as error:
        return f"backward refused: {type(error).__name__}: {str(error)[:150]}"
    for (_, tensor), gradient in zip(leaves, expected, strict=True):
        mine_gradient = Tensor(np.zeros_like(tensor.data)) if tensor.grad is None else tensor.grad
        their_gradient = torch.zeros(tensor.shape, dtype=dtype) if gradient is None else gradient
        found = difference(mine_gradient, their_gradient, dtype, LOOSER.get(function.__name__, 0.0))
        if found:
            return f"gradient: {found}"
    return ""


def refusal(function: Any, wrong: Any) -> str:
    """In words what is wrong with how a call is answered that torch refuses."""
    sample = wrong.sample_input
    leaves: list[tuple[torch.Tensor, Tensor]] = []
    try:
        function(*ours((sample.input, *sample.args), leaves), **ours(sample.kwargs, leaves))
    except Exception as error:
        return "" if len(str(error)) >= FEWEST_LETTERS else f"an error without a sentence: {error!r}"
    return f"accepted what torch refuses: {str(wrong.error_regex)[:120]}"


def wider_on_purpose(wrong: Any) -> bool:
    """Whether torch refuses only that a number stands where a tensor could: numbers, lists and arrays pass here (DESIGN 3, 11)."""
    values = (wrong.sample_input.input, *wrong.sample_input.args)
    return not wrong.error_regex and any(type(value) in (int, float) for value in values[:2])


def describe(sample: Any) -> str:
    """One line that tells which sample it was."""
    def short(value: Any) -> str:
        if isinstance(value, torch.Tensor):
            return f"{tuple(value.shape)}{str(value.dtype).replace('torch.', ' ')}"
        if isinstance(value, list | tuple):
            return "[" + ", ".join(map(short, value)) + "]"
        return repr(value)

    return ", ".join([*map(short, (sample.input, *sample.args)), *(f"{key}={short(value)}" for key, value in sample.kwargs.items())])


def samples(description: Any, most: int | None) -> Iterator[tuple[torch.dtype, Any]]:
    """The samples in float64 and float32, or in int64 where there are no others; of many, `most` of each spread evenly."""
    floats = [dtype for dtype in (torch.float64, torch.float32) if dtype in description.dtypes]
    whole = [torch.int64] if torch.int64 in description.dtypes else []
    for dtype in floats or whole:
        every = list(description.sample_inputs("cpu", dtype, requires_grad=bool(floats) and description.supports_autograd))
        step = 1 if most is None else max(1, len(every) // most)
        for sample in every[::step]:
            yield dtype, sample


def run(name: str, descriptions: list[Any], most: int | None = None) -> Result:
    """The cases of one operator: all of them, or at most about `most` samples a dtype."""
    function, result = OPERATORS[name].function, Result()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for description in descriptions:
            for dtype, sample in samples(description, most):
                found = compare(description, function, sample, dtype)
                result.cases += found is not None
                if found:
                    result.differences.append(f"{dtype} ({describe(sample)}): {found}")
            if description.error_inputs_func is not None:
                for wrong in description.error_inputs("cpu"):
                    found = "" if wider_on_purpose(wrong) else refusal(function, wrong)
                    result.cases += 1
                    if found:
                        result.differences.append(f"({describe(wrong.sample_input)}): {found}")
    return result


if __name__ == "__main__":
    for operator_name, described in operators().items():
        if len(sys.argv) == 1 or operator_name in sys.argv[1:]:
            outcome = run(operator_name, described)
            print(f"{operator_name:32s} {outcome.cases:6d} cases {len(outcome.differences):5d} differ", flush=True)
            for line in outcome.differences[: 40 if len(sys.argv) > 1 else 3]:
                print("    ", line)
