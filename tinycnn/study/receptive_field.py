"""Which input pixels one output element can see, through chains, branches and merges.

Along each axis a field is (size, stride, start): element i sees the pixels start + i stride to start + i stride + size - 1, padding included.
Where paths meet, the union of their fields is taken, as each may carry information.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .graph import Call, Graph, Value
from .windows import TRANSPOSED, Window, windows_of

__all__ = ["Field", "ReceptiveField", "receptive_fields"]

TAPS = {"nearest": 1, "nearest-exact": 1, "linear": 2, "bilinear": 2, "trilinear": 2, "bicubic": 4, "area": 1}
RESIZES = ("interpolate", "upsample", "upsample_nearest", "upsample_bilinear")
WHOLE = ("global_avg_pool", "global_max_pool")
REARRANGES = ("permute", "transpose", "movedim")


@dataclass(frozen=True)
class Field:
    """Along one axis, in input pixels. `stride` None: there is only one position left."""

    size: Fraction
    stride: Fraction | None
    start: Fraction

    @property
    def center(self) -> Fraction:
        """Of the first element's field; 0 is the middle of the first pixel."""
        return self.start + (self.size - 1) / 2

    @property
    def padding(self) -> Fraction:
        """By how much the first field reaches over the edge: the effective padding."""
        return -self.start

    def through(self, window: Window) -> Field:
        """The field behind a sliding window."""
        jump = self.stride or Fraction(0)
        stride = None if self.stride is None else jump * window.stride
        return Field(self.size + (window.span - 1) * jump, stride, self.start - window.before * jump)

    def back(self, window: Window) -> Field:
        """The field behind a transposed window: output o reads the inputs from (o + p - span + 1) / s to (o + p) / s."""
        jump = self.stride or Fraction(0)
        size = self.size + jump * (window.span - 1) / window.stride
        center = self.center + jump * (window.before - Fraction(window.span - 1, 2)) / window.stride
        return Field(size, None if self.stride is None else jump / window.stride, center - (size - 1) / 2)

    def scaled(self, factor: Fraction, taps: int) -> Field:
        """The field behind a resize by `factor` that reads `taps` elements around each place (pixels are areas: half-pixel centres).

        Neighbouring outputs round to different inputs, so this is the smallest evenly stepping field that holds them all.
        """
        jump = self.stride or Fraction(0)
        size = self.size + jump * (taps - (1 / factor if factor >= 1 else 0))
        center = self.center + jump * (1 / factor - 1) / 2
        return Field(size, None if self.stride is None else jump / factor, center - (size - 1) / 2)

    def whole(self, positions: int) -> Field:
        """The field of something that sees all positions."""
        jump = self.stride or Fraction(0)
        return Field(self.size + (positions - 1) * jump, None, self.start)

    def joined(self, other: Field) -> Field:
        """The union; positions that step differently have no common stride."""
        start = min(self.start, other.start)
        size = max(self.start + self.size, other.start + other.size) - start
        return Field(size, self.stride if self.stride == other.stride else None, start)


@dataclass(frozen=True)
class ReceptiveField:
    """Of one value, axis by axis. `gated`: a factor computed from the whole image (squeeze and excitation) also acts on it.

    `aligned`: all paths to here have their centres in common.
    """

    axes: tuple[Field, ...]
    gated: bool = False
    aligned: bool = True

    @property
    def size(self) -> tuple[int | float, ...]:
        """Pixels an axis; behind resizes and transposed windows an upper bound, maybe with a fraction."""
        return tuple(_plain(axis.size) for axis in self.axes)

    @property
    def stride(self) -> tuple[int | float | None, ...]:
        """Pixels between the fields of neighbouring elements; None where one position is left."""
        return tuple(None if axis.stride is None else _plain(axis.stride) for axis in self.axes)

    @property
    def start(self) -> tuple[int | float, ...]:
        """First pixel of the first element's field; below 0 it lies in the padding."""
        return tuple(_plain(axis.start) for axis in self.axes)

    @property
    def center(self) -> tuple[int | float, ...]:
        """Middle of the first element's field."""
        return tuple(_plain(axis.center) for axis in self.axes)

    def text(self) -> str:
        """For a table: one number where the axes agree."""
        sizes = [str(size) for size in self.size]
        word = sizes[0] if len(set(sizes)) == 1 else "x".join(sizes)
        return f"{word}+gate" if self.gated else word


def _plain(number: Fraction) -> int | float:
    return int(number) if number.denominator == 1 else float(number)


def receptive_fields(graph: Graph) -> dict[int, ReceptiveField | None]:
    """The receptive field of every call's output, by the call's number, with respect to the model's first input.

    Formula
    -------
    Through a window of kernel k, stride s, padding p and dilation d: size' = size + d (k - 1) stride, start' = start - p stride,
    stride' = s stride. Where branches meet: the union.

    Parameters
    ----------
    graph : Graph
        A recorded forward pass.

    Returns
    -------
    dict of int to ReceptiveField or None
        None for what no image reached, such as work on parameters alone.

    Notes
    -----
    Fully connected layers, global poolings, attention and whatever mixes the places of a map see all of it. A map multiplied by numbers that
    were computed from the whole image keeps its own field and is marked `gated`: else every layer behind the first squeeze-and-excitation
    block would see everything. Bounds: what the pixels can influence, not how much; `effective_receptive_field` measures that.

    References
    ----------
    Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks", Distill, equations 2 to 5.

    Examples
    --------
    >>> from tinycnn import nn
    >>> from tinycnn.study import record_forward
    >>> net = nn.Sequential(nn.Conv2d(3, 4, 7, stride=2, padding=3), nn.MaxPool2d(3, 2, padding=1))
    >>> field = receptive_fields(record_forward(net, (1, 3, 32, 32)))[1]
    >>> field.size, field.stride, field.start
    ((11, 11), (4, 4), (-5, -5))
    """
    known: dict[int, ReceptiveField | None] = {}
    image = graph.inputs[0] if graph.inputs else None
    if image is not None and len(image.shape) > 2:
        one = Field(Fraction(1), Fraction(1), Fraction(0))
        known[image.number] = ReceptiveField((one,) * (len(image.shape) - 2))
    found: dict[int, ReceptiveField | None] = {}
    for call in graph.calls:
        given = [(value, field) for value in call.inputs if (field := known.get(value.number)) is not None]
        found[call.number] = _behind(call, given) if given else None
        for output in call.outputs:
            known[output.number] = found[call.number]
    return found


def _behind(call: Call, given: list[tuple[Value, ReceptiveField]]) -> ReceptiveField:
    """The field behind one call."""
    first, field = given[0]
    axes = len(field.axes)
    spatial = first.shape[-axes:] if len(first.shape) > axes else ()
    windows = windows_of(call)
    if windows is not None and call.operator != "unfold" and len(windows) == axes:
        move = Field.back if call.operator in TRANSPOSED else Field.through
        return _moved(field, tuple(move(axis, window) for axis, window in zip(field.axes, windows, strict=True)))
    if call.operator in RESIZES and spatial:
        taps = TAPS.get(str(call.arguments.get("mode", "bilinear" if call.operator == "upsample_bilinear" else "nearest")), 2)
        factors = [Fraction(after, before) for before, after in zip(spatial, call.output.shape[-axes:], strict=True)]
        return _moved(field, tuple(axis.scaled(factor, taps) for axis, factor in zip(field.axes, factors, strict=True)))
    if call.operator in ("pixel_shuffle", "pixel_unshuffle"):
        factor = Fraction(call.output.shape[-1], spatial[-1])
        taps = 1 if factor >= 1 else int(1 / factor)
        return _moved(field, tuple(axis.scaled(factor, taps) for axis in field.axes))
    if call.operator == "pad":
        before = tuple(call.arguments["pad"])[::2][::-1][-axes:]
        before = (0,) * (axes - len(before)) + before
        return _moved(field, tuple(axis.through(Window(1, Fraction(1), Fraction(p))) for axis, p in zip(field.axes, before, strict=True)))
    if call.operator == "getitem" and (steps := _steps(call, len(first.shape), axes)) is not None:
        return _moved(field, tuple(axis.through(step) for axis, step in zip(field.axes, steps, strict=True)))
    return _merged(call, [(value, other) for value, other in given if len(other.axes) == axes], axes)


def _steps(call: Call, rank: int, axes: int) -> tuple[Window, ...] | None:
    """The slices of x[:, :, ::2, 1:] as windows of one tap; None for any other index."""
    index = call.arguments["index"]
    parts = index if isinstance(index, tuple) else (index,)
    if any(not isinstance(part, slice) or (part.step or 1) < 1 or (part.start or 0) < 0 for part in parts):
        return None
    parts = (*parts, *(slice(None),) * (rank - len(parts)))
    return tuple(Window(1, Fraction(part.step or 1), Fraction(-(part.start or 0))) for part in parts[-axes:])


def _moved(field: ReceptiveField, axes: tuple[Field, ...]) -> ReceptiveField:
    return ReceptiveField(axes, field.gated, field.aligned)


def _merged(call: Call, given: list[tuple[Value, ReceptiveField]], axes: int) -> ReceptiveField:
    """Element by element where the places stay, of everything where they do not."""
    output = call.output.shape[-axes:] if len(call.output.shape) > axes else ()
    local = [(value, field) for value, field in given if _keeps_places(call, value, output, axes)]
    gated = any(field.gated for _, field in given)
    if local:
        gated = gated or len(local) < len(given)
        fields = [field for _, field in local]
    else:
        fields = [_whole(value, field, axes) for value, field in given]
    joined = fields[0].axes
    aligned = all(field.aligned for field in fields)
    for field in fields[1:]:
        aligned = aligned and all(mine.center == theirs.center for mine, theirs in zip(joined, field.axes, strict=True))
        joined = tuple(mine.joined(theirs) for mine, theirs in zip(joined, field.axes, strict=True))
    return ReceptiveField(joined, gated, aligned)


def _keeps_places(call: Call, value: Value, output: tuple[int, ...], axes: int) -> bool:
    """Whether an operand's last axes are still the places of the image, one output for one input."""
    if len(value.shape) <= axes or value.shape[-axes:] != output or call.operator in WHOLE:
        return False
    if call.operator in ("matmul", "bmm", "mm", "scaled_dot_product_attention", "multi_head_attention_forward", "linear", "einsum", "layer_norm"):
        return all(size == 1 for size in output)
    if call.operator in REARRANGES:
        return _leaves_tail(call, len(value.shape), axes)
    return True


def _leaves_tail(call: Call, rank: int, axes: int) -> bool:
    """Whether a rearrangement leaves the last axes where they are."""
    if call.operator == "permute":
        order = call.arguments.get("dims", ())
        order = order[0] if len(order) == 1 and isinstance(order[0], tuple) else order
        return [place % rank for place in order][-axes:] == list(range(rank - axes, rank))
    named = [place for name, place in call.arguments.items() if name != "input" and isinstance(place, int)]
    return bool(named) and all(place % rank < rank - axes for place in named)


def _whole(value: Value, field: ReceptiveField, axes: int) -> ReceptiveField:
    """The field of everything that a value holds."""
    places = value.shape[-axes:] if len(value.shape) > axes else (1,) * axes
    return ReceptiveField(tuple(axis.whole(size) for axis, size in zip(field.axes, places, strict=True)), field.gated, field.aligned)
