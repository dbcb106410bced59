"""What a run shows while it works: a bar that redraws itself on a terminal, one plain line an epoch elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

BAR_WIDTH = 24  # characters
REDRAW_EVERY = 0.1  # seconds


def readable_seconds(seconds: float) -> str:
    """Seconds as people read them.

    Examples
    --------
    >>> readable_seconds(7), readable_seconds(75), readable_seconds(3700)
    ('7s', '1m15s', '1h01m')
    """
    whole = int(seconds + 0.5)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


class Progress:
    """One bar an epoch with loss, accuracy, images a second and the time left in the whole run.

    Parameters
    ----------
    epochs, steps_per_epoch
        The size of the run.
    show
        False for silence.
    stream
        Where to write; standard error unless given.
    """

    def __init__(self, epochs: int, steps_per_epoch: int, show: bool = True, stream: TextIO | None = None) -> None:
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch
        self.stream = sys.stderr if stream is None else stream
        self.show = show
        self.redraws = show and self.stream.isatty()
        self._drawn_at = 0.0
        self._width = 0
        self._started = time.perf_counter()
        self._images = 0
        self._steps = 0
        self.time_left: Callable[[], float] | None = None  # seconds, where something else than the steps decides

    def step(self, epoch: int, step: int, loss: float, accuracy: float | None, images: int) -> None:
        """Count one step (detectors have no accuracy), and redraw the bar when the last drawing is old enough to read."""
        self._images += images
        self._steps += 1
        now = time.perf_counter()
        if not self.redraws or (now - self._drawn_at < REDRAW_EVERY and step < self.steps_per_epoch):
            return
        self._drawn_at = now
        elapsed = max(now - self._started, 1e-9)
        steps_left = (self.epochs - epoch) * self.steps_per_epoch - step
        left = steps_left * elapsed / self._steps if self.time_left is None else max(self.time_left(), 0.0)
        of_all = f"/{self.epochs}" if self.time_left is None else ""
        filled = BAR_WIDTH * step // max(self.steps_per_epoch, 1)
        self._replace_line(
            f"epoch {epoch + 1}{of_all} [{'#' * filled}{'.' * (BAR_WIDTH - filled)}] "
            f"loss {loss:.4f}  {'' if accuracy is None else f'accuracy {100 * accuracy:.2f} %  '}{self._images / elapsed:,.0f} images/s  "
            f"ETA {readable_seconds(left)}"
        )

    def epoch(self, sentence: str) -> None:
        """Replace the bar by the epoch's line."""
        self.say(sentence)

    def say(self, sentence: str) -> None:
        """One line that stays."""
        if not self.show:
            return
        if self.redraws:
            self._replace_line("")
            self.stream.write("\r")
            self._width = 0
        self.stream.write(sentence + "\n")
        self.stream.flush()

    def _replace_line(self, text: str) -> None:
        # Blanks cover what is left of a longer line before.
        self.stream.write("\r" + text.ljust(self._width))
        self.stream.flush()
        self._width = len(text)
