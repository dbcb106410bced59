"""Two networks side by side, and the pairs that courses compare: what one design saves against another, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import functional
from ..errors import UsageError
from ..nn import AdaptiveAvgPool2d, AvgPool2d, Conv2d, Flatten, Linear, MaxPool2d, Module, ModuleList, Sequential
from ..nn.utils import skip_init
from ..tensor import Tensor
from .summary import Summary, summary
from .tables import bytes_text, count_text, shape_text, text_table

__all__ = ["PAIRS", "Comparison", "Pair", "compare", "compare_pair"]


class Branches(Module):
    """Branches on one input, their maps stacked."""

    def __init__(self, *branches: Module) -> None:
        super().__init__()
        self.branches = ModuleList(branches)

    def forward(self, input: Tensor) -> Tensor:
        """The branches' maps, one behind the other."""
        return functional.cat([branch(input) for branch in self.branches], 1)


class Block(Module):
    """Two 3x3 convolutions, with or without the input added to their result."""

    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1 = Conv2d(channels, channels, 3, padding=1, bias=False, activation="relu")
        self.conv2 = Conv2d(channels, channels, 3, padding=1, bias=False)
        self.shortcut = shortcut

    def forward(self, input: Tensor) -> Tensor:
        """relu(F(x) + x), or relu(F(x))."""
        change = self.conv2(self.conv1(input))
        return functional.relu(change + input if self.shortcut else change)


@dataclass(frozen=True)
class Pair:
    """Two designs for one job, and what to see in their numbers."""

    names: tuple[str, str]
    build: tuple[Callable[[], Module], Callable[[], Module]]
    input_size: tuple[int, ...]
    derivation: str


def _conv(inputs: int, outputs: int, kernel: int, **options: Any) -> Conv2d:
    return Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False, **options)


def _naive_inception() -> Module:
    return Branches(_conv(256, 128, 1), _conv(256, 192, 3), _conv(256, 96, 5), MaxPool2d(3, 1, padding=1))


def _reduced_inception() -> Module:
    return Branches(
        _conv(256, 128, 1),
        Sequential(_conv(256, 64, 1), _conv(64, 192, 3)),
        Sequential(_conv(256, 64, 1), _conv(64, 96, 5)),
        Sequential(MaxPool2d(3, 1, padding=1), _conv(256, 64, 1)),
    )


PAIRS: dict[str, Pair] = {
    "separable": Pair(
        ("standard 3x3 convolution", "depthwise 3x3, then pointwise 1x1"),
        (lambda: _conv(256, 256, 3), lambda: Sequential(_conv(256, 256, 3, groups=256), _conv(256, 256, 1))),
        (256, 28, 28),
        "3*3*256*256 = 589,824 against 3*3*256 + 256*256 = 2,304 + 65,536 = 67,840; the ratio is 1/256 + 1/9 = 11.5 %",
    ),
    "bottleneck": Pair(
        ("3x3 on all 256 maps", "1x1 to 64 maps, 3x3 on those, 1x1 back to 256"),
        (lambda: _conv(256, 256, 3), lambda: Sequential(_conv(256, 64, 1), _conv(64, 64, 3), _conv(64, 256, 1))),
        (256, 28, 28),
        "3*3*256*256 = 589,824 against 256*64 + 3*3*64*64 + 64*256 = 69,632; a 1x1 convolution keeps width and height and mixes the maps of "
        "each pixel by one linear layer",
    ),
    "inception": Pair(
        ("naive Inception module", "with 1x1 reductions"),
        (_naive_inception, _reduced_inception),
        (256, 28, 28),
        "28*28*256*(128 + 9*192 + 25*96) = 854.2 M MACs, and the pooled maps make the module 672 wide; 28*28*(256*(128 + 64 + 64 + 64) "
        "+ 9*64*192 + 25*64*96) = 271.4 M with all large windows behind 64 maps, 480 wide",
    ),
    "gap": Pair(
        ("flatten, then linear", "global average pooling, then linear"),
        (lambda: Sequential(Flatten(), Linear(512 * 7 * 7, 1000)), lambda: Sequential(AdaptiveAvgPool2d(1), Flatten(), Linear(512, 1000))),
        (512, 7, 7),
        "(512*7*7 + 1)*1000 = 25,089,000 parameters against (512 + 1)*1000 = 513,000; the second also takes maps of any size, and its weights say "
        "which map speaks for which class (class activation maps)",
    ),
    "residual": Pair(
        ("plain block", "residual block"),
        (lambda: Block(64, False), lambda: Block(64, True)),
        (64, 56, 56),
        "2*3*3*64*64 = 73,728 parameters in both: a shortcut that changes nothing costs no parameters and 64*56*56 = 200,704 additions",
    ),
    "pooling": Pair(
        ("three 3x3 convolutions at full size", "the same, 2x2 average pooling after each"),
        (
            lambda: Sequential(_conv(3, 32, 3), _conv(32, 32, 3), _conv(32, 32, 3)),
            lambda: Sequential(_conv(3, 32, 3), AvgPool2d(2), _conv(32, 32, 3), AvgPool2d(2), _conv(32, 32, 3), AvgPool2d(2)),
        ),
        (3, 64, 64),
        "each pooling leaves a quarter of the places: the convolutions behind it cost a quarter, their outputs too, and their fields double",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Two summaries and the words between them."""

    first: Summary
    second: Summary
    derivation: str = ""

    def lines(self) -> list[tuple[str, int | None, int | None]]:
        """What, the first's number, the second's."""
        first, second = self.first, self.second
        known = [
            ("parameters", first.parameters, second.parameters),
            ("MACs", first.macs, second.macs),
            ("FLOPs", first.flops, second.flops),
        ]
        memory = [
            (what, mine, theirs) for (what, mine), (_, theirs) in zip(first.memory.lines(), second.memory.lines(), strict=True)
        ]
        return [*known, *memory]

    def text(self) -> str:
        """The table, the derivation, and the formula of every layer that multiplies."""
        rows = []
        for what, mine, theirs in self.lines():
            show = count_text if what in ("parameters", "MACs", "FLOPs") else bytes_text
            rows.append([what, *("-" if number is None else show(number) for number in (mine, theirs)), _ratio(mine, theirs)])
        parts = [text_table(["for one example; memory for the batch", self.first.model, self.second.model, "ratio"], rows)]
        if self.derivation:
            parts.append(self.derivation)
        for side in (self.first, self.second):
            layers = [f"  {row.name} {row.call.operator}: {row.cost.formula} = {row.cost.macs:,} MACs" for row in side.rows if row.cost.macs]
            parts.append("\n".join([f"{side.model}, one example of {shape_text(side.input_size)}", *layers]))
        notes = [f"note: {side.model}: {note}" for side in (self.first, self.second) for note in side.notes]
        return "\n\n".join([*parts, *notes])

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        table = {what: [mine, theirs] for what, mine, theirs in self.lines()}
        return {"table": table, "derivation": self.derivation, "first": self.first.to_dict(), "second": self.second.to_dict()}


def _ratio(first: int | None, second: int | None) -> str:
    if not first or second is None:
        return "-"
    return f"{second / first:.3f}"


def compare(first: Summary, second: Summary, derivation: str = "") -> Comparison:
    """Two summaries side by side."""
    return Comparison(first, second, derivation)


def compare_pair(name: str, batch: int = 1, optimizer: str = "adam") -> Comparison:
    """One of the pairs that courses compare: separable, bottleneck, inception, gap, residual, pooling.

    Parameters
    ----------
    name : str
        A key of `PAIRS`.
    batch : int
        Of the memory ledgers.
    optimizer : str
        As in `memory_ledger`.

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        For another name.

    References
    ----------
    Howard et al. 2017, "MobileNets", section 3.1; Szegedy et al. 2015, "Going deeper with convolutions", section 4; Lin, Chen and Yan 2014,
    "Network in network", section 3.2; He et al. 2016, "Deep residual learning", section 3.

    Examples
    --------
    >>> pair = compare_pair("separable")
    >>> pair.first.parameters, pair.second.parameters
    (589824, 67840)
    """
    if name not in PAIRS:
        raise UsageError(f"compare: there is no pair {name!r}; there are {', '.join(PAIRS)}")
    pair = PAIRS[name]
    sides = [
        summary(skip_init(build), pair.input_size, batch, optimizer=optimizer, name=title)
        for title, build in zip(pair.names, pair.build, strict=True)
    ]
    return Comparison(sides[0], sides[1], pair.derivation)
