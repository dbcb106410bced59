"""A reader of pickled data that cannot run code, because it knows only how to build data.

A pickle is a program for a small stack machine, and Python's own unpickler will call any function the program names.
This one implements the instructions that numbers, strings, lists, tuples, dictionaries and NumPy arrays need, and gives
names only to a handful of NumPy's constructors, each of which it stands in for itself. Everything else is refused, so
nothing that the file's author wrote is ever called.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import DataError

__all__ = ["PickledArray", "load_pickle"]

PLAIN_DTYPE = re.compile(r"[<>|=]?([biu][1248]|f[248])")
MAX_DIMENSIONS = 8
MAX_ARGUMENTS = 8
ENTRY_BYTES = 100  # about what Python needs for an entry of a dictionary
MOST_COPIES = 16


class Refused(Exception):
    """Why a pickle is not read; `load_pickle` puts the file's name before it."""


class StandIn:
    """Something a pickle may build and then give a state to."""

    def build(self, state: Any) -> None:
        """Take the state that the pickle gives it."""
        raise NotImplementedError


class PickledDtype(StandIn):
    """Stands in for `numpy.dtype` while a pickle is read."""

    def __init__(self, code: Any, *_: Any) -> None:
        text = as_text(code)
        if text is None or not PLAIN_DTYPE.fullmatch(text):
            raise Refused("it holds an array of something other than plain numbers")
        self.dtype = np.dtype(text)

    def build(self, state: Any) -> None:
        """Take the byte order, the only part of a plain number type's state that matters."""
        order = as_text(state[1]) if isinstance(state, tuple) and len(state) >= 2 else None
        if order not in ("<", ">", "|", "="):
            raise Refused("it holds a number type with an unknown byte order")
        if order in ("<", ">"):
            self.dtype = self.dtype.newbyteorder("<" if order == "<" else ">")


class PickledArray(StandIn):
    """Stands in for `numpy.ndarray` while a pickle is read; `array` is None until it is filled."""

    def __init__(self, *_: Any) -> None:
        self.array: np.ndarray | None = None

    def build(self, state: Any) -> None:
        """Fill the array from (version, shape, dtype, Fortran order, bytes)."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise Refused("it holds an array with an unknown state")
        self.fill(state[4], state[2], state[1], state[3] is True)

    def fill(self, data: Any, dtype: Any, shape: Any, fortran: bool) -> None:
        """Make the array once its bytes are exactly as many as shape and number type ask for."""
        data = data.encode("latin-1") if isinstance(data, str) else data
        if not isinstance(dtype, PickledDtype) or not isinstance(data, bytes) or not isinstance(shape, tuple):
            raise Refused("it holds an array that is not made of plain numbers")
        if len(shape) > MAX_DIMENSIONS or not all(type(extent) is int and extent >= 0 for extent in shape):
            raise Refused("it holds an array of an impossible shape")
        expected = math.prod(shape) * dtype.dtype.itemsize
        if len(data) != expected or max(shape, default=0) > 2**31:
            raise Refused(f"it holds an array of shape {shape} with {len(data)} bytes where {expected} are due")
        self.array = np.frombuffer(data, dtype.dtype).reshape(shape, order="F" if fortran else "C")


def array_from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> PickledArray:
    """Stand in for the function through which NumPy's protocol 5 pickles restore an array."""
    made = PickledArray()
    made.fill(data, dtype, shape, as_text(order) == "F")
    return made


def encoded(text: Any, encoding: Any = "latin1") -> bytes:
    """Stand in for `_codecs.encode`, which Python 3 writes into protocol 2 pickles where bytes are meant."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise Refused("it holds text in an unknown encoding")
    return text.encode("latin-1")


def no_bytes() -> bytes:
    """Stand in for `bytes()`, which Python 3 writes into protocol 2 pickles where empty bytes are meant."""
    return b""


def as_text(value: Any) -> str | None:
    """Return text for text or ASCII bytes (Python 2's str), else None."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else None


# The name of the class is only ever passed to `_reconstruct`, which ignores it; a value that nothing can call.
NDARRAY = "numpy.ndarray"

CONSTRUCTORS: dict[str, Any] = {
    "numpy.ndarray": NDARRAY,
    "numpy.dtype": PickledDtype,
    "numpy.core.multiarray._reconstruct": PickledArray,
    "numpy._core.multiarray._reconstruct": PickledArray,
    "numpy.core.numeric._frombuffer": array_from_buffer,
    "numpy._core.numeric._frombuffer": array_from_buffer,
    "_codecs.encode": encoded,
    "__builtin__.bytes": no_bytes,
}


class Machine:
    """The stack machine: a program counter, a stack, the marks on it and a memo of values to use again.

    A reader of another kind of file derives from it, with its own `constructors` and `instructions`.
    """

    constructors: Mapping[str, Any] = CONSTRUCTORS
    purpose = "one of NumPy's constructors"
    instructions: Mapping[bytes, Callable[[Machine], None]]  # the table below, which names methods of this class

    def __init__(self, data: bytes, start: int = 0) -> None:
        self.data = data
        self.at = start
        self.copied = 0  # bytes that calls have made so far
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes of the program."""
        end = self.at + count
        if end > len(self.data):
            raise Refused("it is truncated")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def number(self, code: str) -> Any:
        """Return the next number, stored as `struct` code."""
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def line(self) -> str:
        """Return the text up to the next end of line."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise Refused("it is truncated")
        piece = self.take(end - self.at)
        self.at += 1
        return piece.decode("latin-1")

    def pop(self) -> Any:
        """Take one value from the stack, but never from below the last mark."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise Refused("it takes from an empty stack")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        """Take all values above the last mark."""
        if not self.marks:
            raise Refused("it closes what it never opened")
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def top(self, kind: type) -> Any:
        """Return the value on top of the stack, which must be of this kind."""
        if not self.stack or type(self.stack[-1]) is not kind:
            raise Refused(f"it fills something that is not a {kind.__name__}")
        return self.stack[-1]

    def append(self, values: list[Any]) -> None:
        """Append values to the list on top of the stack."""
        self.top(list).extend(values)

    def set_items(self, values: list[Any]) -> None:
        """Put keys and values, alternating, into the dictionary on top of the stack."""
        table = self.top(dict)
        if len(values) % 2 or not all(isinstance(key, str | bytes | int) for key in values[::2]):
            raise Refused("it holds a dictionary whose keys are not names")
        table.update(zip(values[::2], values[1::2], strict=True))

    def pop_pair(self) -> tuple[Any, Any]:
        """Take two values from the stack, in the order in which they were put there."""
        second = self.pop()
        return self.pop(), second

    def named(self, module: Any, name: Any) -> None:
        """Push the stand-in for a global name, or refuse the file."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise Refused("it asks for something without a name")
        full = f"{module}.{name}"
        if full not in self.constructors:
            raise Refused(f"it asks for {full[:80]!r}, and a data file has no need to call that")
        self.stack.append(self.constructors[full])

    def call(self) -> None:
        """Call one of the stand-ins with the tuple on top of the stack."""
        function, arguments = self.pop_pair()
        if not isinstance(arguments, tuple) or not any(function is known for known in self.constructors.values()):
            raise Refused(f"it calls something that is not {self.purpose}")
        if not callable(function) or len(arguments) > MAX_ARGUMENTS:
            raise Refused("it calls a constructor in an unknown way")
        try:
            made = function(*arguments)
        except TypeError as error:
            raise Refused("it calls a constructor in an unknown way") from error
        # One text or list, remembered and copied again and again, would fill the memory from a small file.
        self.copied += len(made) if isinstance(made, bytes) else ENTRY_BYTES * len(made) if isinstance(made, dict) else 0
        if self.copied > MOST_COPIES * len(self.data):
            raise Refused("its calls make far more bytes than it holds")
        self.stack.append(made)

    def build(self) -> None:
        """Give the stand-in below the top of the stack its state."""
        state = self.pop()
        if not self.stack or not isinstance(self.stack[-1], StandIn):
            raise Refused("it sets the state of something that has none")
        self.stack[-1].build(state)

    def recall(self, key: int) -> None:
        """Push a remembered value."""
        if key not in self.memo:
            raise Refused("it recalls what it never remembered")
        self.stack.append(self.memo[key])

    def remember(self, key: int) -> None:
        """Remember the value on top of the stack."""
        if not self.stack:
            raise Refused("it takes from an empty stack")
        self.memo[key] = self.stack[-1]

    def run(self) -> Any:
        """Run the program up to its end and return what it built."""
        while True:
            code = self.take(1)
            if code == b".":
                return self.pop()
            step = self.instructions.get(code)
            if step is None:
                raise Refused(f"it uses the instruction {code!r} at byte {self.at - 1}, which plain data has no need of")
            step(self)


def tuple_of(count: int) -> Callable[[Machine], None]:
    """Return the instruction that packs `count` values into a tuple."""

    def pack(machine: Machine) -> None:
        values = [machine.pop() for _ in range(count)]
        machine.stack.append(tuple(reversed(values)))

    return pack


def text_of(code: str) -> Callable[[Machine], None]:
    """Return the instruction that pushes UTF-8 text whose length is stored as `code`."""
    return lambda machine: machine.stack.append(machine.take(machine.number(code)).decode("utf-8", "surrogatepass"))


def bytes_of(code: str) -> Callable[[Machine], None]:
    """Return the instruction that pushes bytes (Python 2's str among them) whose length is stored as `code`."""
    return lambda machine: machine.stack.append(machine.take(machine.number(code)))


def skip(count: int) -> Callable[[Machine], None]:
    """Return the instruction that passes over `count` bytes that only other readers need."""

    def pass_over(machine: Machine) -> None:
        machine.take(count)

    return pass_over


def push(make: Callable[[Machine], Any]) -> Callable[[Machine], None]:
    """Return the instruction that pushes what `make` returns."""
    return lambda machine: machine.stack.append(make(machine))


INSTRUCTIONS: dict[bytes, Callable[[Machine], None]] = {
    b"\x80": skip(1),  # the protocol's number
    b"\x95": skip(8),  # the length of a frame
    b"(": lambda machine: machine.marks.append(len(machine.stack)),
    b"N": push(lambda machine: None),
    b"\x88": push(lambda machine: True),
    b"\x89": push(lambda machine: False),
    b"J": push(lambda machine: machine.number("i")),
    b"K": push(lambda machine: machine.number("B")),
    b"M": push(lambda machine: machine.number("H")),
    b"\x8a": push(lambda machine: int.from_bytes(machine.take(machine.number("B")), "little", signed=True)),
    b"G": push(lambda machine: struct.unpack(">d", machine.take(8))[0]),
    b"X": text_of("I"),
    b"\x8c": text_of("B"),
    b"\x8d": text_of("Q"),
    b"T": bytes_of("I"),
    b"U": bytes_of("B"),
    b"B": bytes_of("I"),
    b"C": bytes_of("B"),
    b"\x8e": bytes_of("Q"),
    b"\x96": bytes_of("Q"),
    b"]": push(lambda machine: []),
    b"}": push(lambda machine: {}),
    b")": push(lambda machine: ()),
    b"a": lambda machine: machine.append([machine.pop()]),
    b"e": lambda machine: machine.append(machine.pop_to_mark()),
    b"s": lambda machine: machine.set_items(list(machine.pop_pair())),
    b"u": lambda machine: machine.set_items(machine.pop_to_mark()),
    b"t": push(lambda machine: tuple(machine.pop_to_mark())),
    b"\x85": tuple_of(1),
    b"\x86": tuple_of(2),
    b"\x87": tuple_of(3),
    b"c": lambda machine: machine.named(machine.line(), machine.line()),
    b"\x93": lambda machine: machine.named(*machine.pop_pair()),
    b"R": lambda machine: machine.call(),
    b"b": lambda machine: machine.build(),
    b"q": lambda machine: machine.remember(machine.number("B")),
    b"r": lambda machine: machine.remember(machine.number("I")),
    b"\x94": lambda machine: machine.remember(len(machine.memo)),
    b"h": lambda machine: machine.recall(machine.number("B")),
    b"j": lambda machine: machine.recall(machine.number("I")),
}

Machine.instructions = INSTRUCTIONS


def load_pickle(data: bytes, name: str = "pickle") -> Any:
    """Read pickled numbers, text, lists, tuples, dictionaries and NumPy arrays, and nothing that could act.

    Parameters
    ----------
    data : bytes
        A pickle of protocol 2 to 5, written by Python 2 or 3.
    name : str
        What error messages call it.

    Returns
    -------
    object
        What was pickled. Python 2's str comes back as bytes, an array as a `PickledArray`.

    Raises
    ------
    DataError
        When the pickle is truncated or corrupted, or asks for any name or instruction that plain data has no need of.

    Notes
    -----
    Python's own unpickler, even with an allow-list, reserves memory on the file's word (one memo index can ask for 68
    GB), which this one does not.

    Examples
    --------
    >>> import pickle
    >>> load_pickle(pickle.dumps({"labels": [3, 1]}))
    {'labels': [3, 1]}
    >>> class Attack:
    ...     def __reduce__(self):
    ...         return print, ("gotcha",)
    >>> load_pickle(pickle.dumps(Attack(), 2), "evil")
    Traceback (most recent call last):
        ...
    tinycnn.errors.DataError: evil: refused: it asks for '__builtin__.print', and a data file has no need to call that
    """
    try:
        return Machine(data).run()
    except Refused as error:
        raise DataError(f"{name}: refused: {error}") from error
    except (UnicodeError, TypeError) as error:
        raise DataError(f"{name}: refused: it is corrupted ({error})") from error
