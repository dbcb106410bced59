"""`exercise`: sheets of exercises with worked solutions, drawn from a seed and checked by machine."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from zlib import crc32

from ..errors import UsageError
from .exercise_draw import Draw, is_sound, without_idle_traps
from .exercise_sheet import Exercise, Sheet
from .exercise_topics import SHORT, TOPICS

__all__ = ["exercise", "topic_named"]

MOST = 50
TRIES = 200


def topic_named(name: str) -> str:
    """A topic by its name or a short one.

    Raises
    ------
    UsageError
        With the nearest topics.

    Examples
    --------
    >>> topic_named("conv"), topic_named("Receptive Field")
    ('convolution', 'receptive-field')
    """
    key = str(name).strip().lower().replace("_", "-").replace(" ", "-")
    key = SHORT.get(key, key)
    if key in TOPICS:
        return key
    close = get_close_matches(key[:60], [*TOPICS, *SHORT], n=3, cutoff=0.65)
    offer = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(TOPICS)}, and all"
    raise UsageError(f"exercise: there is no topic {str(name)[:60]!r}; {offer}")


def exercise(topic: str | Sequence[str] = "all", seed: int = 0, count: int = 1, level: int = 1) -> Sheet:
    """Draw a sheet of exercises; the same seed gives the same numbers, blank and solved.

    Parameters
    ----------
    topic : str or list of str
        Such as "convolution", "iou" or "ap"; `tinycnn exercise --list` names them. "all" takes one of each.
    seed : int
        Decides the numbers, from 0 up.
    count : int
        Exercises of each topic, 1 to 50.
    level : int
        1 (one idea), 2 (strides, padding, biases) or 3 (channels, dilation, several rules).

    Returns
    -------
    Sheet
        With `text`, `html`, `latex`, `notebook`, `to_dict`, each blank or with `solution=True`, and `check`.

    Raises
    ------
    UsageError
        For an unknown topic or a number out of range.

    Notes
    -----
    The answers, and the wrong answers that hints are given for, come from running the operators with the reference kernels.

    Examples
    --------
    >>> sheet = exercise("iou", seed=3)
    >>> report = sheet.check({"1a": sheet.answers()["1a"], "1b": "what?"})
    >>> [mark.right for mark in report.marks]
    [True, False, False]
    """
    names = [topic] if isinstance(topic, str) else list(topic)
    wanted = list(dict.fromkeys(name for each in names for name in (TOPICS if str(each).strip().lower() == "all" else [topic_named(each)])))
    for word, value, low, high in (("seed", seed, 0, 2**63), ("count", count, 1, MOST), ("level", level, 1, 3)):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise UsageError(f"exercise: {word} must be a whole number from {low} to {high}, not {value!r}")
    if not wanted:
        raise UsageError("exercise: name a topic, such as convolution, or all")
    found: list[Exercise] = []
    for name in wanted:
        drawn: list[Exercise] = []
        for number in range(count):
            drawn.append(_drawn(name, seed, level, number, drawn))
        found += drawn
    return Sheet(
        ("all",) if wanted == list(TOPICS) else tuple(wanted),
        seed,
        level,
        count,
        tuple(_numbered(each, place) for place, each in enumerate(found, start=1)),
    )


def _drawn(name: str, seed: int, level: int, number: int, before: list[Exercise]) -> Exercise:
    """One exercise that is worth solving and has not been asked on this sheet."""
    draw = Draw(seed, level, number, crc32(name.encode()))
    asked = {_asked(each) for each in before}
    found = TOPICS[name].make(draw, level)
    for _ in range(TRIES):
        if is_sound(found) and _asked(found) not in asked:
            break
        found = TOPICS[name].make(draw, level)
    return replace(found, topic=name, title=TOPICS[name].title)


def _asked(found: Exercise) -> tuple[str, ...]:
    return (found.statement, *(str(given.value) for given in found.givens))


def _numbered(found: Exercise, place: int) -> Exercise:
    """The exercise with ids: 1a, 1b, ..."""
    letters = string.ascii_lowercase
    blanks = tuple(replace(each, id=f"{place}{letter}", traps=without_idle_traps(each)) for each, letter in zip(found.blanks, letters, strict=False))
    return replace(found, blanks=blanks)
