"""What one operator call costs: multiply-accumulates, floating-point operations, and the formula with its numbers put in.

A multiply-accumulate (MAC) is one multiplication whose product is added to a sum: convolutions, linear layers and matrix products are made of
them, and published "GFLOPs" of networks are mostly these. A floating-point operation (FLOP) is one addition, multiplication, division, comparison
or evaluation of a function such as exp, so a MAC is two; FLOPs also count biases, activations, poolings and normalisations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..registry import OPERATORS
from .graph import Call, Value
from .windows import ADAPTIVE, CONVOLUTIONS, POOLS, TRANSPOSED, windows_of

__all__ = ["Cost", "cost_of", "has_formula"]


@dataclass(frozen=True)
class Cost:
    """Of one call. `known` is False where there is no formula; the numbers are then None, not 0."""

    macs: int | None
    flops: int | None
    formula: str
    columns: int = 0  # bytes of the im2col matrix, were it built for the whole batch

    @property
    def known(self) -> bool:
        """Whether there is a formula."""
        return self.macs is not None


Formula = Callable[[Call], Cost]

# Floating-point operations an element of the output; a function such as exp counts as one.
ELEMENTWISE = {
    "relu": 1, "relu6": 2, "leaky_relu": 2, "prelu": 2, "rrelu": 2, "threshold": 1, "hardtanh": 2, "hardsigmoid": 4, "hardswish": 5,
    "hardshrink": 2, "softshrink": 3, "tanh": 1, "sigmoid": 3, "elu": 3, "celu": 4, "selu": 4, "gelu": 5, "silu": 4, "mish": 5, "glu": 4,
    "softplus": 3, "logsigmoid": 4, "softsign": 3, "tanhshrink": 2, "addcmul": 2, "addcdiv": 2, "lerp": 3, "clamp": 2, "clip": 2,
    "dropout": 1, "dropout1d": 1, "dropout2d": 1, "dropout3d": 1, "alpha_dropout": 2, "feature_alpha_dropout": 2,
    "stochastic_depth": 1, "drop_block2d": 2, "drop_block3d": 2,
}  # fmt: skip

# Only move, choose or relabel elements.
MOVES = (
    "clone", "reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze", "transpose", "permute", "movedim", "expand", "broadcast_to",
    "contiguous", "diagonal", "diag_embed", "diag", "cat", "stack", "split", "chunk", "repeat", "tile", "flip", "roll", "tril", "triu", "narrow",
    "select", "unbind", "rot90", "meshgrid", "getitem", "detach", "index_select", "gather", "take_along_dim", "masked_select", "masked_fill",
    "repeat_interleave", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "pad", "embedding", "unfold", "one_hot", "upsample_nearest",
    "max_unpool1d", "max_unpool2d", "max_unpool3d", "unpool2d",
)  # fmt: skip

# Passes over the input: how many operations an element of the input takes, and which.
PASSES = {
    "group_norm": (8, "mean 1, variance 3, normalise 2, scale and shift 2"),
    "instance_norm": (8, "mean 1, variance 3, normalise 2, scale and shift 2"),
    "layer_norm": (8, "mean 1, variance 3, normalise 2, scale and shift 2"),
    "rms_norm": (4, "squares 2, divide 1, scale 1"),
    "softmax": (5, "maximum 1, subtract 1, exp 1, sum 1, divide 1"),
    "log_softmax": (5, "maximum 1, subtract 1, exp 1, sum 1, subtract 1"),
    "softmin": (6, "negate 1, then softmax 5"),
    "logsumexp": (4, "maximum 1, subtract 1, exp 1, sum 1"),
    "norm": (2, "square 1, sum 1"),
    "fold": (1, "sum"),
    "gumbel_softmax": (9, "noise 4, softmax 5"),
    "normalize": (3, "squares 2, divide 1"),
    "var": (4, "mean 1, variance 3"),
    "std": (4, "mean 1, variance 3"),
    "global_avg_pool": (1, "sum"),
    "global_max_pool": (1, "comparison"),
    "fractional_max_pool2d": (1, "comparison"),
    "fractional_max_pool3d": (1, "comparison"),
}
REDUCTIONS = ("max", "min", "amax", "amin", "argmax", "argmin", "all", "any", "sum", "mean", "prod", "cumsum", "cumprod", "aminmax")

_LINEAR_TAPS = {"nearest": 0, "nearest-exact": 0, "linear": 2, "bilinear": 4, "trilinear": 8, "bicubic": 16, "area": 1}


def times(*factors: int) -> str:
    """The product written out: "64*3*7*7"."""
    return "*".join(str(factor) for factor in factors)


def _positions(shape: tuple[int, ...], rank: int) -> tuple[str, int]:
    """The batch and the places of a map, as text and number; a batch of 1 is not written."""
    lead = shape[:-rank][:-1]  # before the channels
    factors = (*((lead[0],) if lead and lead[0] != 1 else ()), *shape[-rank:])
    return times(*factors), math.prod(factors)


def _convolution(call: Call) -> Cost:
    weight, output = call.arguments["weight"], call.output
    rank = len(weight.shape) - 2
    where, places = _positions(output.shape, rank)
    macs = math.prod(weight.shape) * places
    extra, words = _additions(call, output.elements)
    columns = math.prod(weight.shape[1:]) * call.arguments.get("groups", 1) * places * output.itemsize
    pointwise = all(tap == 1 for tap in weight.shape[2:]) and all(window.stride == 1 for window in windows_of(call) or ())
    if call.operator == "deform_conv2d":
        taps = weight.shape[1] * math.prod(weight.shape[2:]) * places
        extra, words = extra + 7 * taps, f"{words}, bilinear samples 7*{taps}"
    return Cost(macs, 2 * macs + extra, f"{times(*weight.shape)} * {where}{words}", 0 if pointwise else columns)


def _transposed(call: Call) -> Cost:
    weight, image = call.arguments["weight"], call.inputs[0]
    where, places = _positions(image.shape, len(weight.shape) - 2)
    macs = math.prod(weight.shape) * places
    extra, words = _additions(call, call.output.elements)
    return Cost(macs, 2 * macs + extra, f"{times(*weight.shape)} * {where} (places of the input){words}")


def _additions(call: Call, outputs: int) -> tuple[int, str]:
    """Operations of bias, residual and fused activation, and the words for them."""
    extra, words = 0, ""
    if isinstance(call.arguments.get("bias"), Value):
        extra, words = outputs, " + bias"
    if isinstance(call.arguments.get("residual"), Value):
        extra, words = extra + outputs, f"{words} + residual"
    if call.arguments.get("activation") is not None:
        extra, words = extra + outputs, f"{words} + {call.arguments['activation']}"
    return extra, words


def _linear(call: Call) -> Cost:
    features, inputs = call.arguments["weight"].shape
    rows = call.output.elements // features
    macs = rows * inputs * features
    extra, words = _additions(call, call.output.elements)
    lead = "" if rows == 1 else f"{rows} * "
    return Cost(macs, 2 * macs + extra, f"{lead}{times(features, inputs)}{words}")


def _product(call: Call) -> Cost:
    """Matrix products: every output is a sum over the axis that both operands share."""
    left = next(value for value in (*call.inputs, *call.parameters) if value.shape)
    operands = [value for name in ("mat1", "batch1", "input", "vec") if isinstance(value := call.arguments.get(name), Value)]
    first = operands[0] if operands else left
    shared = first.shape[-1] if first.shape else 1
    macs = call.output.elements * shared
    return Cost(macs, 2 * macs, f"{times(*call.output.shape)} * {shared}")


def _outer(call: Call) -> Cost:
    return Cost(0, call.output.elements, times(*call.output.shape))


def _einsum(call: Call) -> Cost:
    """One product for every combination of the letters; an ellipsis has no formula here."""
    equation = call.arguments["equation"]
    if not isinstance(equation, str) or "..." in equation:
        return unknown(call)
    letters: dict[str, int] = {}
    values = [value for value in call.arguments["operands"] if isinstance(value, Value)]
    for word, value in zip(equation.replace(" ", "").split("->")[0].split(","), values, strict=False):
        letters.update(zip(word, value.shape, strict=True))
    macs = math.prod(letters.values()) * max(len(values) - 1, 1)
    return Cost(macs, 2 * macs, times(*letters.values()))


def _attention(call: Call) -> Cost:
    """softmax(Q K^T / sqrt(E)) V: L S (E + E_v) products a head."""
    query, key, value = (call.arguments[name] for name in ("query", "key", "value"))
    heads = math.prod(query.shape[:-2])
    (length, depth), source, wide = query.shape[-2:], key.shape[-2], value.shape[-1]
    macs = heads * length * source * (depth + wide)
    scores = heads * length * source
    return Cost(macs, 2 * macs + 6 * scores, f"{heads} heads in all * {times(length, source)} * ({depth} + {wide}), softmax 6*{scores}")


def _multi_head(call: Call) -> Cost:
    """Four projections of length L (or S) and the attention between them."""
    query, key, value = (call.arguments[name] for name in ("query", "key", "value"))
    width = query.shape[-1]
    batch = query.shape[1] if len(query.shape) == 3 else 1
    length, source = query.shape[0], key.shape[0]
    projections = batch * width * (2 * length * width + source * (key.shape[-1] + value.shape[-1]))
    scores = batch * call.arguments["num_heads"] * length * source
    macs = projections + 2 * batch * length * source * width
    words = f"projections {projections} + scores and sums 2*{times(batch, length, source, width)}, softmax 6*{scores}"
    return Cost(macs, 2 * macs + 6 * scores, words)


def _pool(call: Call) -> Cost:
    windows = windows_of(call) or ()
    taps = [window.kernel for window in windows]
    count = call.output.elements * math.prod(taps)
    if call.operator.startswith("lp"):
        return Cost(0, 2 * count, f"2 * {times(*taps)} * {times(*call.output.shape)}")
    return Cost(0, count, f"{times(*taps)} * {times(*call.output.shape)}")


def _batch_norm(call: Call) -> Cost:
    count = call.inputs[0].elements
    each, words = (7, "mean 1, variance 3, normalise 1, scale and shift 2") if call.arguments["training"] else (2, "scale and shift")
    extra, more = 0, ""
    for argument in ("residual", "activation"):
        if call.arguments.get(argument) is not None:
            extra, more = extra + count, f"{more} + {argument if argument == 'residual' else call.arguments[argument]}"
    return Cost(0, each * count + extra, f"{each}*{count} ({words}){more}")


def _local_response(call: Call) -> Cost:
    count, size = call.output.elements, call.arguments["size"]
    return Cost(0, count * (size + 4), f"({size} squares and sums + 4) * {count}")


def _resize(call: Call) -> Cost:
    taps = _LINEAR_TAPS.get(str(call.arguments.get("mode", "bilinear" if call.operator == "upsample_bilinear" else "nearest")), 4)
    count = call.output.elements
    return Cost(0, 2 * taps * count, f"2*{taps} taps * {count}")


def _grid(call: Call) -> Cost:
    return Cost(0, 8 * call.output.elements, f"2*4 taps * {call.output.elements}")


def _roi(call: Call) -> Cost:
    """Align samples bilinearly, pool looks at every cell of a box; the latter depends on the boxes and has no formula."""
    ratio = call.arguments.get("sampling_ratio", -1)
    if ratio is None or ratio <= 0:
        return unknown(call, "the number of samples depends on the boxes")
    samples = call.output.elements * ratio * ratio
    return Cost(0, 8 * samples, f"2*4 taps * {ratio}*{ratio} samples * {call.output.elements}")


def _moved(call: Call) -> Cost:
    return Cost(0, 0, "moves elements, computes nothing")


def _weights_pass(call: Call) -> Cost:
    count = call.output.elements
    return Cost(0, 6 * count, f"6*{count} (mean 1, variance 3, normalise 2)")


def unknown(call: Call, reason: str = "") -> Cost:
    """No formula: reported as such, never as 0."""
    return Cost(None, None, f"no formula for {call.operator}{': ' + reason if reason else ''}")


def _table() -> dict[str, Formula]:
    """Operator to formula."""
    table: dict[str, Formula] = dict.fromkeys(MOVES, _moved)
    table.update(dict.fromkeys(CONVOLUTIONS, _convolution))
    table.update(dict.fromkeys(TRANSPOSED, _transposed))
    table.update(dict.fromkeys((*POOLS, *ADAPTIVE), _pool))
    table.update(dict.fromkeys(("matmul", "bmm", "mm", "mv", "dot", "addmm", "baddbmm"), _product))
    table.update(dict.fromkeys(("interpolate", "upsample", "upsample_bilinear"), _resize))
    table.update(dict.fromkeys(("roi_align", "ps_roi_align"), _roi))
    table.update(
        linear=_linear, outer=_outer, einsum=_einsum, scaled_dot_product_attention=_attention, multi_head_attention_forward=_multi_head,
        batch_norm=_batch_norm, local_response_norm=_local_response, grid_sample=_grid, weight_standardization=_weights_pass,
    )  # fmt: skip
    return table


FORMULAS = _table()
# Families in which every member is one operation an element; what another formula covers comes first.
FAMILIES = ("elementwise", "activation")


def has_formula(operator: str) -> bool:
    """Whether `cost_of` knows an operator, by the registry's name.

    Examples
    --------
    >>> has_formula("conv2d"), has_formula("nms")
    (True, False)
    """
    entry = OPERATORS.get(operator)
    simple = operator in ELEMENTWISE or operator in PASSES or operator in REDUCTIONS
    return operator in FORMULAS or simple or (entry is not None and entry.family in FAMILIES)


def cost_of(call: Call) -> Cost:
    """MACs and FLOPs of one recorded call, with the arithmetic shown.

    Parameters
    ----------
    call : Call
        Of a Graph that `record_forward` made.

    Returns
    -------
    Cost
        Its numbers are None for an operator without formula.

    Examples
    --------
    >>> from tinycnn import nn
    >>> from tinycnn.study import record_forward
    >>> cost_of(record_forward(nn.Conv2d(3, 10, 5, padding=2), (1, 3, 32, 32)).calls[0]).formula
    '10*3*5*5 * 32*32 + bias'
    """
    if call.operator in FORMULAS:
        return FORMULAS[call.operator](call)
    if not has_formula(call.operator):
        return unknown(call)
    if call.operator in PASSES:
        each, words = PASSES[call.operator]
        count = call.inputs[0].elements
        return Cost(0, each * count, f"{each}*{count} ({words})")
    if call.operator in REDUCTIONS:
        count = call.inputs[0].elements
        return Cost(0, count, f"{count} (one pass)")
    each = ELEMENTWISE.get(call.operator, 1)
    if call.arguments.get("training") is False and OPERATORS[call.operator].family in ("dropout", "regularisation"):
        return Cost(0, 0, "nothing in evaluation mode")
    count = call.output.elements
    return Cost(0, each * count, f"{f'{each}*' if each != 1 else ''}{count}")


