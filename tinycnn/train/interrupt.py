"""Ctrl-C and a polite kill let the step finish, so that the run can be saved and gone on with."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """Whether somebody asked the run to stop, and how."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    @property
    def name(self) -> str:
        """ "SIGINT" or "SIGTERM"."""
        return "" if self.signal is None else self.signal.name

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells report it: 130 for Ctrl-C, 143 for SIGTERM; 0 when nobody asked."""
        return 0 if self.signal is None else 128 + int(self.signal)


@contextmanager
def finish_the_step() -> Iterator[Interruption]:
    """Within the block the first SIGINT or SIGTERM only leaves a note; a second one acts as it always does.

    Signals reach the main thread alone: in another one the block changes nothing.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in former.items():
            # None stands for a handler that was not set from Python and cannot be set back from here.
            if handler is not None:
                signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        interruption.signal = signal.Signals(number)
        restore()

    for number in former:
        signal.signal(number, note)
    try:
        yield interruption
    finally:
        restore()
