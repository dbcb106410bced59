"""One axis of a sliding window: the formula, the numbers put in, whether the windows tile the axis, and which elements none of them reads."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..kernels import sizes

__all__ = ["FORMULAS", "Axis", "decimal", "ranges_text"]

FORMULAS = {
    "conv": "o = floor((i + p + q - d (k - 1) - 1) / s) + 1",
    "pool": "o = floor((i + p + q - d (k - 1) - 1) / s) + 1",
    "pool, ceil_mode": "o = ceil((i + p + q - d (k - 1) - 1) / s) + 1, less 1 if the last window would start behind the input",
    "unpool": "o = (i - 1) s - p - q + k, or any output_size less than a stride away",
    "transposed": "o = (i - 1) s - p - q + d (k - 1) + output_padding + 1",
}
COUNTED = 100_000  # reads that are marked one by one; of larger axes only the end is told


def decimal(number: Fraction) -> str:
    """A fraction with at most two decimals.

    Examples
    --------
    >>> decimal(Fraction(7, 3)), decimal(Fraction(5))
    ('2.33', '5')
    """
    if number.denominator == 1:
        return str(number.numerator)
    short = f"{float(number):.2f}"
    # Very large numbers that are nearly whole need more digits, or the rounding that follows would look wrong.
    return f"{float(number):.12g}" if short.endswith(".00") else short


def ranges_text(numbers: list[int], word: str = "row") -> str:
    """Positions in words, neighbours joined.

    Examples
    --------
    >>> ranges_text([6]), ranges_text([1, 3, 4, 5])
    ('row 6', 'rows 1, 3 to 5')
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    parts = [str(first) if first == last else f"{first} to {last}" for first, last in runs]
    if len(parts) > 8:
        parts = [*parts[:6], "...", parts[-1]]
    return f"{word}{'' if len(numbers) == 1 else 's'} {', '.join(parts)}"


@dataclass(frozen=True)
class Axis:
    """A window that slides along one axis; `kind` is "conv", "pool", "transposed" or "unpool". Positions count from the input's first element, 0."""

    kind: str
    word: str
    size: int
    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    output_padding: int = 0
    ceil_mode: bool = False

    @property
    def transposes(self) -> bool:
        """Whether the window is put down on the output rather than laid over the input."""
        return self.kind in ("transposed", "unpool")

    @property
    def span(self) -> int:
        """The effective kernel."""
        return sizes.effective_kernel(self.kernel, self.dilation)

    @property
    def padded(self) -> int:
        """The size with its padding: what a window of one element would give."""
        return sizes.conv_output_size(self.size, 1, 1, self.before, self.after, 1)

    @property
    def output(self) -> int:
        """The output size; 0 or less where nothing is left."""
        if self.transposes:
            return sizes.conv_transpose_output_size(self.size, self.kernel, self.stride, self.before, self.after, self.dilation, self.output_padding)
        if self.kind == "pool":
            return sizes.pool_output_size(self.size, self.kernel, self.stride, self.before, self.after, self.dilation, self.ceil_mode)
        return self.floor_output

    @property
    def floor_output(self) -> int:
        """How many windows lie inside the padded input."""
        return sizes.conv_output_size(self.size, self.kernel, self.stride, self.before, self.after, self.dilation)

    @property
    def quotient(self) -> Fraction:
        """The output size before it is rounded."""
        return Fraction(sizes.conv_output_size(self.size, self.kernel, 1, self.before, self.after, self.dilation) - 1, self.stride) + 1

    @property
    def leftover(self) -> int:
        """How many of the last elements of the padded input no window reaches."""
        if self.transposes or self.output > self.floor_output:
            return 0
        return sizes.unread(self.size, self.kernel, self.stride, self.before, self.after, self.dilation)

    @property
    def allowed(self) -> bool:
        """Whether the operator takes these numbers at all."""
        if self.kind == "pool" and max(self.before, self.after) > self.kernel // 2:
            return False
        return self.output >= 1 and (not self.transposes or self.output_padding < max(self.stride, self.dilation))

    @property
    def fits(self) -> bool:
        """Allowed, and the windows end where the padded input ends; of a transposed window: every output gets equally many terms."""
        return self.allowed and (self.kernel % self.stride == 0 if self.kind == "transposed" else self.leftover == 0)

    def unread(self) -> list[int] | None:
        """The elements of the input, without its padding, that no window reads; None where they are too many to be marked."""
        if self.transposes or self.output < 1:
            return []
        if self.output * self.kernel > COUNTED or self.size > COUNTED:
            return None
        reads = (np.arange(self.output) * self.stride)[:, np.newaxis] + np.arange(self.kernel) * self.dilation - self.before
        seen = np.zeros(self.size, bool)
        seen[reads[(reads >= 0) & (reads < self.size)]] = True
        return [int(place) for place in np.flatnonzero(~seen)]

    def overlaps(self) -> list[int] | None:
        """How many terms each output of a transposed window gets; None where they are too many to be counted."""
        if not self.transposes or self.output < 1 or self.size * self.kernel > COUNTED or self.output > COUNTED:
            return None
        places = (np.arange(self.size) * self.stride)[:, np.newaxis] + np.arange(self.kernel) * self.dilation - self.before
        return [int(count) for count in np.bincount(places[(places >= 0) & (places < self.output)], minlength=self.output)]

    def formula(self) -> str:
        """The symbols: Dumoulin and Visin's, p before and q after."""
        return FORMULAS["pool, ceil_mode" if self.ceil_mode else self.kind]

    def arithmetic(self) -> str:
        """The numbers put in, up to what is rounded: "(7 - 3)/3 + 1 = 2.33"."""
        even = self.before == self.after
        if self.transposes:
            crop = "" if not (self.before or self.after) else f" - 2*{self.before}" if even else f" - {self.before} - {self.after}"
            blank = f" + {self.output_padding}" if self.output_padding else ""
            return f"({self.size} - 1)*{self.stride}{crop} + {self.span}{blank} = {self.output}"
        around = "" if not (self.before or self.after) else f" + 2*{self.before}" if even else f" + {self.before} + {self.after}"
        return f"({self.size}{around} - {self.span})/{self.stride} + 1 = {decimal(self.quotient)}"

    def substitution(self) -> str:
        """The numbers put in, the effective kernel first where it differs, and the rounding where there is one."""
        first = f"effective kernel {self.dilation}*({self.kernel} - 1) + 1 = {self.span}; " if self.dilation != 1 else ""
        if self.transposes or self.quotient.denominator == 1:
            return first + self.arithmetic()
        return f"{first}{self.arithmetic()}, rounded {'up' if self.output > self.floor_output else 'down'} to {self.output}"

    def verdict(self) -> str:
        """One sentence: does it fit, does it tile, and what is lost."""
        word = self.word
        if self.kind == "pool" and max(self.before, self.after) > self.kernel // 2:
            half = self.kernel // 2
            most = max(self.before, self.after)
            return f"is refused: padding {most} > half of kernel {self.kernel}: a window could lie in padding only (at most {half})"
        if self.transposes:
            return self._transposed_verdict()
        if self.output < 1:
            return f"does not fit: kernel {self._kernel_text()} > padded {word} {self.padded}"
        if self.output > self.floor_output:
            return f"does not tile: {self.arithmetic()}; ceil_mode rounds up to {self.output}, and the last window sticks out"
        if self.leftover:
            return f"does not tile: {self.arithmetic()}; rounded down to {self.output}, and {self._lost()}"
        skipped = self.unread()
        if skipped:
            inside = f"the stride {self.stride} is more than the kernel {self.span}" if self.stride > self.span else "the dilation leaves holes"
            return f"tiles, but {ranges_text(skipped)} {_are(skipped)} never read: {inside}"
        return f"tiles: {self.arithmetic()}"

    def _kernel_text(self) -> str:
        return str(self.kernel) if self.dilation == 1 else f"{self.kernel} with dilation {self.dilation}, which spans {self.span},"

    def _lost(self) -> str:
        unread = self.unread()
        if unread is None:
            return f"the last {self.leftover} elements of the padded {self.word} are never read"
        if not unread:
            return f"the last {self.leftover} of the padding {_are([0] * self.leftover)} never read"
        return f"{ranges_text(unread)} {_are(unread)} never read"

    def _transposed_verdict(self) -> str:
        if self.output < 1:
            return f"does not fit: the {self.word} would be {self.output}; the padding of a transposed convolution crops"
        if self.output_padding >= max(self.stride, self.dilation):
            return (
                f"is refused: output_padding {self.output_padding} must be smaller than the stride {self.stride} or the dilation {self.dilation}: "
                f"it chooses among the {self.stride} sizes that a convolution takes to {self.size}, it does not add zeros"
            )
        if self.kind == "transposed" and self.kernel % self.stride:
            return (
                f"fits, but overlaps unevenly: kernel {self.kernel} is no multiple of stride {self.stride}, so neighbouring outputs get different "
                "numbers of terms (checkerboard)"
            )
        return f"fits: {self.arithmetic()}"


def _are(numbers: list[int]) -> str:
    return "is" if len(numbers) == 1 else "are"
