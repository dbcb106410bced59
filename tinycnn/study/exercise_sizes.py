"""Exercises about sizes and costs: shapes, padding, parameters, multiply-accumulates, memory, receptive field."""

from __future__ import annotations

import math
from typing import Any

from ..kernels import sizes
from .exercise_draw import Draw, blank
from .exercise_sheet import Blank, Exercise, Given, Step
from .layer_memory import LayerMemory, layer_memory
from .shape_axis import Axis
from .shape_stack import FlowStep, shape_flow
from .solve import solve
from .tables import shape_text

__all__ = ["macs", "memory", "padding", "parameters", "receptive_field", "shapes"]


def _axis_givens(axis: Axis) -> tuple[Given, ...]:
    found = [("input size i", axis.size), ("kernel k", axis.kernel), ("stride s", axis.stride), ("padding on each side p", axis.before)]
    if axis.dilation != 1:
        found.append(("dilation d", axis.dilation))
    return tuple(Given(name, str(value)) for name, value in found)


def shapes(draw: Draw, level: int) -> Exercise:
    """Levels 1 and 2: one axis; level 3: a stack."""
    if level == 3:
        return _stack(draw)
    kind = draw.choice(("conv", "pool"))
    kernel, stride = draw.choice((2, 3, 5)), draw.choice((2, 3))
    around = draw.whole(0, kernel // 2) if level == 2 else 0
    dilation = draw.choice((1, 2)) if level == 2 else 1
    axis = Axis(kind, "axis", draw.whole(12, 40), kernel, stride, around, around, dilation)

    def other(**changed: Any) -> int:
        return Axis(**{**{name: getattr(axis, name) for name in axis.__dataclass_fields__}, **changed}).output

    traps = [
        (math.ceil(axis.quotient), "the quotient is rounded down, not up: a window that sticks out does not count"),
        (axis.output - 1, "the + 1 is missing: the first window counts too"),
        (other(before=0, after=0), "the padding is missing"),
        (other(after=0), "the padding is added on both sides"),
        (other(dilation=1), "the dilation stretches the kernel to d (k - 1) + 1"),
        (other(stride=1), "the stride is missing"),
    ]
    if axis.quotient.denominator == 1:
        traps = traps[1:]
    word = "convolution" if kind == "conv" else "pooling (rounding down)"
    return Exercise(
        "",
        "",
        f"A {word} slides along one axis. How large is its output, and how many elements of the padded input, at its end, does no window reach?",
        _axis_givens(axis),
        (
            blank("output size o", axis.output, traps),
            blank(
                "elements at the end that no window reaches", axis.leftover, [(axis.leftover + 1, "count behind the last element of the last window")]
            ),
        ),
        (
            Step("The formula:", axis.formula()),
            Step("With the numbers:", axis.substitution()),
            Step(
                f"The last window starts at {axis.output - 1} strides and spans {axis.span} of {axis.padded} elements:",
                f"{axis.padded} - (({axis.output} - 1)*{axis.stride} + {axis.span}) = {axis.leftover}",
            ),
        ),
    )


def _stack_text(draw: Draw) -> tuple[str, tuple[int, int, int]]:
    first, second = draw.choice((4, 6, 8)), draw.choice((8, 12, 16))
    kernels = draw.choice(((5, 3), (3, 3), (5, 5), (3, 5)))
    one, other = (f"conv {kernel}x{kernel}x{maps} p" for kernel, maps in zip(kernels, (first, second), strict=True))
    text = f"{one}{draw.whole(0, 2)} | maxpool 2 | {other}{draw.whole(0, 1)} | maxpool 2"
    return f"{text} | flatten | linear {draw.choice((5, 10))}", (draw.choice((1, 3)), *(draw.whole(20, 34),) * 2)


def _flow_steps(steps: tuple[FlowStep, ...]) -> tuple[Step, ...]:
    return tuple(Step(f"{step.layer.text} gives {shape_text(step.output)}" + (":" if step.arithmetic else "."), step.arithmetic) for step in steps)


def _stack(draw: Draw) -> Exercise:
    text, image = _stack_text(draw)
    flow = shape_flow(text, image)
    maps = flow.steps[3].output
    without = shape_flow(text.replace(" p1", "").replace(" p2", ""), image)
    traps = [
        (maps[1] * maps[2], "every channel has its own map: multiply by the channels"),
        (without.flatten_features, "the padding is missing"),
        (maps[0], "flatten takes every pixel of every map"),
    ]
    return Exercise(
        "",
        "",
        f"An image of {shape_text(image)} (channels first) goes through the stack below (convolutions with stride 1, poolings with their kernel "
        "as stride and rounding down). Give the sizes before the flatten layer, and how many numbers it hands to the linear layer.",
        (Given("stack", text),),
        (
            blank("channels before flatten", maps[0], [(image[0], "a convolution has as many output channels as filters")]),
            blank(
                "height before flatten", maps[1], [(without.steps[3].output[1], "the padding is missing")] if without.steps[3].output != maps else ()
            ),
            blank("numbers after flatten", flow.flatten_features, traps),
        ),
        _flow_steps(flow.steps[:5]),
    )


def padding(draw: Draw, level: int) -> Exercise:
    """The formula backwards: which padding; at level 3 which input sizes."""
    kernel, stride = draw.choice((3, 5, 7)), draw.choice((1,) if level == 1 else (2, 3))
    size = draw.whole(15, 40)
    dilation = draw.choice((1, 2)) if level > 1 else 1
    target = Axis("conv", "axis", size, kernel, stride, *(draw.whole(1, kernel // 2),) * 2, dilation)
    found = solve("conv", size=size, output=target.output, kernel=kernel, stride=stride, padding="?", dilation=dilation)
    ways = [each.values["padding"] for each in found.solutions]
    right = found.solutions[0]
    traps = [
        (2 * right.values["padding"], "that is both sides together: p is what is added on each"),
        (kernel // 2, "(k - 1)/2 keeps the size only with stride 1"),
    ]
    blanks: list[Blank] = [blank("smallest padding p on each side", ways[0], traps)]
    steps = [
        Step("The formula:", found.formula),
        Step("It is turned round:", "2 p >= (o - 1) s + d (k - 1) + 1 - i"),
        Step("Smallest that does:", right.text()),
    ]
    if level == 3:
        inputs = solve("conv", output=target.output, kernel=kernel, stride=stride, padding=ways[0], dilation=dilation)
        fitting = [each.values["size"] for each in inputs.solutions]
        wrong = [(fitting[:1], f"a stride of {stride} takes {stride} input sizes to the same output")]
        blanks.append(blank("all input sizes with that output and padding, smallest first", fitting, wrong, is_open=True))
        steps += [Step("", each.text()) for each in inputs.solutions]
    givens = (
        Given("input size i", str(size)),
        Given("kernel k", str(kernel)),
        Given("stride s", str(stride)),
        Given("dilation d", str(dilation)),
        Given("wanted output o", str(target.output)),
    )
    return Exercise("", "", "Which padding gives a convolution the wanted output?", givens, tuple(blanks), tuple(steps))


def _layer(draw: Draw, level: int) -> tuple[LayerMemory, dict[str, Any], tuple[Given, ...]]:
    """A convolution with round sizes, its arguments, and how a sheet gives them."""
    named: dict[str, Any] = {
        "input_size": (draw.choice((1, 3, 8)) if level == 1 else draw.choice((3, 8, 16)), *(draw.choice((16, 20, 32, 40)),) * 2),
        "filters": draw.choice((10, 16, 20, 32, 50)),
        "kernel": draw.choice((3, 5)),
        "stride": 1 if level == 1 else 2,
        "batch": draw.choice((10, 20, 50, 100)),
    }
    named["padding"] = named["kernel"] // 2
    found = layer_memory(**named)
    givens = (
        Given("input (channels x height x width)", shape_text(named["input_size"])),
        Given("filters", f"{named['filters']} of {named['kernel']} x {named['kernel']}, each with a bias"),
        Given("stride, padding", f"{named['stride']}, {named['padding']} on each side"),
    )
    return found, named, givens


def _picked(found: LayerMemory, *starts: str) -> tuple[Step, ...]:
    """The lines of the worked solution that begin so."""
    return tuple(Step("", line.strip()) for line in found.lines() if line.strip().startswith(starts))


def parameters(draw: Draw, level: int) -> Exercise:
    """Level 1: a layer; level 2: a depthwise separable one; level 3: a network."""
    if level == 2:
        return _separable(draw)
    if level == 3:
        return _network(draw)
    found, named, givens = _layer(draw, 1)
    alone = layer_memory(**named, bias=False).parameters
    one = layer_memory(**{**named, "input_size": (1, *named["input_size"][1:])}).parameters
    traps = [
        (alone, "the biases are missing: one a filter"),
        (one, "a filter reaches through all input channels"),
        (found.parameters - 1, "one bias a filter"),
        (alone // named["filters"] + 1, "that is one filter; there are more"),
    ]
    if named["input_size"][0] == 1:
        traps.pop(1)
    doubled = layer_memory(**{**named, "input_size": (named["input_size"][0], *(2 * side for side in named["input_size"][1:]))}).parameters
    return Exercise(
        "",
        "",
        "How many parameters has this convolution? And how many if the image were twice as high and twice as wide?",
        givens,
        (
            blank("parameters", found.parameters, traps),
            blank("parameters for the larger image", doubled, [(4 * doubled, "the same filters slide over the larger image")]),
        ),
        (*_picked(found, "parameters"), Step("The size of the image is not in the formula: the same filters slide over more places.")),
    )


def _separable(draw: Draw) -> Exercise:
    inside, outside, kernel = draw.choice((8, 16, 32, 64)), draw.choice((16, 32, 64, 128)), draw.choice((3, 5))
    size, around = 28, kernel // 2
    stack = f"conv {kernel}x{kernel}x{inside} p{around} g{inside} | conv 1x1x{outside} | conv {kernel}x{kernel}x{outside} p{around}"
    depthwise, pointwise = (step.parameters for step in shape_flow(stack, (inside, size, size)).steps[:2])
    standard = shape_flow(f"conv {kernel}x{kernel}x{outside} p{around}", (inside, size, size)).steps[0].parameters
    mixing = shape_flow(f"conv {kernel}x{kernel}x{inside} p{around}", (inside, size, size)).steps[0].parameters
    return Exercise(
        "",
        "",
        f"A standard {kernel} x {kernel} convolution is replaced by a depthwise {kernel} x {kernel} one (one filter a channel) and a pointwise 1 x 1 "
        "one behind it. All have biases. How many parameters has each?",
        (Given("input channels", str(inside)), Given("output channels", str(outside)), Given("kernel", f"{kernel} x {kernel}")),
        (
            blank("standard convolution", standard, [(standard - outside, "the biases are missing: one a filter")]),
            blank(
                "depthwise convolution",
                depthwise,
                [(mixing, "each depthwise filter sees one channel only"), (depthwise - inside, "the biases are missing")],
            ),
            blank(
                "pointwise convolution",
                pointwise,
                [(inside + outside, "a 1 x 1 filter still reaches through all input channels"), (pointwise - outside, "the biases are missing")],
            ),
        ),
        (
            Step("standard:", f"({kernel}*{kernel}*{inside} + 1)*{outside} = {standard}"),
            Step("depthwise:", f"({kernel}*{kernel}*1 + 1)*{inside} = {depthwise}"),
            Step("pointwise:", f"(1*1*{inside} + 1)*{outside} = {pointwise}"),
            Step("together:", f"{depthwise} + {pointwise} = {depthwise + pointwise}, {100 * (depthwise + pointwise) / standard:.1f} % of {standard}"),
        ),
    )


def _network(draw: Draw) -> Exercise:
    text, image = _stack_text(draw)
    flow = shape_flow(text, image)
    first, second, last = flow.steps[0].parameters, flow.steps[2].parameters, flow.steps[5].parameters
    outputs = flow.steps[5].output[-1]
    total = first + second + last
    return Exercise(
        "",
        "",
        f"How many parameters has this network for images of {shape_text(image)}? Every layer with weights has biases.",
        (Given("stack", text),),
        (
            blank("first convolution", first, [(first - flow.steps[0].output[0], "the biases are missing: one a filter")]),
            blank("second convolution", second, [(second - flow.steps[2].output[0], "the biases are missing: one a filter")]),
            blank("linear layer", last, [(last - outputs, "the biases are missing: one an output")]),
            blank(
                "all together", total, [(total + flow.flatten_features, "pooling and flatten have no parameters")] if flow.flatten_features else ()
            ),
        ),
        (
            *(Step(f"{step.layer.text} gives {shape_text(step.output)} and has {step.parameters:,} parameters.") for step in flow.steps),
            Step("together:", f"{first} + {second} + {last} = {total}"),
        ),
    )


def macs(draw: Draw, level: int) -> Exercise:
    """Multiply-accumulates of one image; from level 2 with a stride, at level 3 of a batch, and as a fully connected layer."""
    found, named, givens = _layer(draw, level)
    height, width = found.output_size[1:]
    shallow = layer_memory(**{**named, "input_size": (1, *named["input_size"][1:])}).macs
    dense = layer_memory(**{**named, "stride": 1}).macs
    traps = [
        (2 * found.macs, "one multiply-accumulate is one multiplication with its addition; FLOPs are twice as many"),
        (dense, "the filter is laid on once an output pixel: take the output's size"),
        (shallow, "a filter reaches through all input channels"),
        (found.macs // (height * width), "that is for one place; the filters slide over all of them"),
    ]
    blanks = [
        blank("MACs an image", found.macs, traps),
        blank("FLOPs an image, without the biases", 2 * found.macs, [(found.macs, "a MAC is two operations")]),
    ]
    steps = [*_picked(found, "output:", "MACs"), Step("FLOPs:", f"2 * {found.macs} = {2 * found.macs}")]
    if level == 3:
        batch = named["batch"]
        givens = (*givens, Given("batch", str(batch)))
        blanks.append(blank("MACs a batch, forward", batch * found.macs, [(found.macs, "that is one image")]))
        blanks.append(
            blank(
                "MACs a batch, forward and backward (gradients of input and weights)",
                3 * batch * found.macs,
                [(2 * batch * found.macs, "backward has two products: for the input and for the weights")],
            )
        )
        steps.append(Step("a batch:", f"{batch} * {found.macs} = {batch * found.macs}; backward twice that again"))
    return Exercise("", "", "How many multiply-accumulates does this convolution take?", givens, tuple(blanks), tuple(steps))


def memory(draw: Draw, level: int) -> Exercise:
    """Bytes: outputs, a batch; at level 2 training, at level 3 the optimiser and im2col too."""
    found, named, givens = _layer(draw, max(level, 1))
    double = layer_memory(**named, dtype="float64")
    batch = named["batch"]
    numbers = found.output_bytes_image // found.itemsize
    blanks = [
        blank(
            "output of one image, in bytes",
            found.output_bytes_image,
            [
                (numbers, "those are numbers; each takes 4 bytes"),
                (double.output_bytes_image, "a float32 has 4 bytes, not 8"),
                (32 * numbers, "those are bits"),
            ],
        ),
        blank(
            "output of the batch, in bytes",
            found.output_bytes,
            [(found.output_bytes_image, "that is one image"), (double.output_bytes, "a float32 has 4 bytes")],
        ),
    ]
    starts = ["output"]
    if level >= 2:
        plain = layer_memory(**named, optimizer="sgd")
        kept = found.training_bytes - plain.training_bytes
        blanks.append(blank("weights and biases, in bytes", found.weight_bytes, [(found.parameters, "those are numbers; each takes 4 bytes")]))
        blanks.append(blank("state of Adam (two numbers a parameter), in bytes", kept, [(kept // 2, "Adam keeps two numbers a parameter")]))
        starts += ["parameters", "weights", "optimiser"]
    if level == 3:
        blanks.append(
            blank(
                "im2col columns of the batch, in bytes",
                found.columns_bytes,
                [(found.columns_bytes // batch, "that is one image"), (found.columns_bytes // 4, "those are numbers; each takes 4 bytes")],
            )
        )
        starts.append("im2col")
    return Exercise(
        "",
        "",
        "How much memory does this convolution take in float32 (4 bytes a number)?",
        (*givens, Given("batch", str(batch))),
        tuple(blanks),
        _picked(found, *starts),
    )


def receptive_field(draw: Draw, level: int) -> Exercise:
    """A chain of layers; strides from level 1, dilation at level 3."""
    layers = []
    for _ in range(level + 2):
        pool = draw.whole(0, 2) == 0
        kernel = 2 if pool else draw.choice((3, 5, 7) if level == 1 else (3, 3, 5))
        layers.append((kernel, 2 if pool else draw.choice((1, 1, 2)), 0, draw.choice((1, 2)) if level == 3 and not pool else 1))
    if all(stride == 1 for _, stride, _, _ in layers[:-1]):
        layers[0] = (layers[0][0], 2, 0, layers[0][3])
    size, jump, _ = sizes.receptive_field(layers)
    calm = sizes.receptive_field([(kernel, 1, 0, dilation) for kernel, _, _, dilation in layers])[0]
    early = sizes.receptive_field(
        [(1, layers[0][1], 0, 1), *((k, after[1], 0, d) for (k, _, _, d), after in zip(layers, [*layers[1:], (1, 1, 0, 1)], strict=True))]
    )
    undilated = sizes.receptive_field([(kernel, stride, 0, 1) for kernel, stride, _, _ in layers])[0]
    traps = [
        (calm, "the strides of the layers before widen every later kernel"),
        (early[0], "a layer's own stride only counts for the layers behind it"),
        (undilated, "the dilation stretches the kernel to d (k - 1) + 1"),
        (sum(kernel for kernel, _, _, _ in layers), "each layer adds (k - 1) times the strides before it, not k"),
    ]
    steps = [Step("Start with one pixel, r = 1, and the jump j = 1. Each layer: r grows by (span - 1) j, then j is multiplied by the stride.")]
    for number, (kernel, stride, _, dilation) in enumerate(layers, start=1):
        before = sizes.receptive_field(layers[: number - 1])
        after = sizes.receptive_field(layers[:number])
        span = sizes.effective_kernel(kernel, dilation)
        steps.append(Step(f"layer {number}:", f"r = {before[0]} + ({span} - 1)*{before[1]} = {after[0]}; j = {before[1]}*{stride} = {after[1]}"))
    text = [f"{kernel} x {kernel}, stride {stride}" + (f", dilation {dilation}" if level == 3 else "") for kernel, stride, _, dilation in layers]
    return Exercise(
        "",
        "",
        "How many input pixels, along one axis, does one output element of the whole stack see, and by how many input pixels do neighbouring output "
        "elements differ?",
        tuple(Given(f"layer {number}", words) for number, words in enumerate(text, start=1)),
        (
            blank("receptive field r", size, traps),
            blank(
                "jump j (the stride of the whole stack)", jump, [(sum(stride for _, stride, _, _ in layers), "the strides are multiplied, not added")]
            ),
        ),
        tuple(steps),
    )
