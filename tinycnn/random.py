"""Randomness: one `numpy.random.Generator` for the package, seeded by `manual_seed`; NumPy's global state is never used."""

from typing import Any

import numpy as np

from .errors import ArgumentError

__all__ = ["default_generator", "get_state", "manual_seed", "set_state"]

_generator = np.random.Generator(np.random.PCG64())


def manual_seed(seed: int) -> np.random.Generator:
    """Start the package's generator anew from a seed; returns it.

    Examples
    --------
    >>> import tinycnn
    >>> first = tinycnn.manual_seed(3).random()
    >>> first == tinycnn.manual_seed(3).random()
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ArgumentError(f"manual_seed: {seed!r} is not a whole number of zero or more")
    _generator.bit_generator.state = np.random.PCG64(int(seed)).state
    return _generator


def default_generator(generator: np.random.Generator | None = None) -> np.random.Generator:
    """The generator given, or the package's."""
    if generator is None:
        return _generator
    if not isinstance(generator, np.random.Generator):
        raise ArgumentError(f"generator: {type(generator).__name__} is not a numpy.random.Generator; use numpy.random.default_rng(seed)")
    return generator


def get_state() -> dict[str, Any]:
    """The package generator's state, plain numbers and strings that JSON can hold."""
    return dict(_generator.bit_generator.state)


def set_state(state: dict[str, Any]) -> None:
    """Put the package generator back into a state that `get_state` gave."""
    _generator.bit_generator.state = state
