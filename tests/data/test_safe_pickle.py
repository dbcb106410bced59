"""The pickle reader builds data and can do nothing else."""

import builtins
import os
import pickle
import struct
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.published_formats import cifar_arrays, python2_pickle, short
from tinycnn.data import load_pickle
from tinycnn.data.safe_pickle import PickledArray
from tinycnn.errors import DataError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=300) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=5) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN, st.sampled_from([2, 3, 4, 5]))
def test_plain_data_comes_back(value, protocol):
    assert load_pickle(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("code", ["u1", "<i2", ">i4", "i8", "f2", "<f4", ">f8", "?"])
def test_arrays_come_back(protocol, code):
    array = np.arange(6).reshape(2, 3).astype(code)
    for stored in (array, np.asfortranarray(array), array[:0]):
        read = load_pickle(pickle.dumps({"data": stored}, protocol))["data"]
        assert isinstance(read, PickledArray)
        np.testing.assert_array_equal(read.array, stored)
        assert read.array.dtype == stored.dtype


class Call:
    """Pickles as a call of anything with any arguments."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize(
    ("attack", "name"),
    [
        (Call(os.system, "touch MARK"), "system"),
        (Call(eval, "open('MARK', 'w')"), "eval"),
        (Call(exec, "open('MARK', 'w')"), "exec"),
        (Call(subprocess.Popen, ["touch", "MARK"]), "Popen"),
        (Call(builtins.__import__, "os"), "__import__"),
        (Call(np.load, "MARK"), "load"),
        (Call(builtins.open, "MARK", "w"), "open"),
    ],
    ids=["os.system", "eval", "exec", "Popen", "import", "numpy.load", "open"],
)
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("nested", [False, True])
def test_calls_are_refused_before_they_happen(attack, name, protocol, nested, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    value = {"labels": [1, {"data": (attack, 3)}]} if nested else attack
    with pytest.raises(DataError, match=f"evil: refused: it asks for '[a-z_.0-9]*{name}', and a data file has no need"):
        load_pickle(pickle.dumps(value, protocol), "evil")
    assert not list(tmp_path.iterdir())


ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n"
DTYPE = b"cnumpy\ndtype\n"


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (b"\x80\x02", "it is truncated"),
        (b"", "it is truncated"),
        (b"\x80\x02.", "takes from an empty stack"),
        (b"\x80\x02(lp0\n.", "uses the instruction b'l' at byte 3"),
        (b"\x80\x02cos\nsystem\n" + short(b"id") + b"\x85R.", "it asks for 'os.system'"),
        (b"\x80\x04" + b"\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.", "it asks for 'os.system'"),
        (b"\x80\x04]]\x93.", "asks for something without a name"),
        (b"\x80\x02(ios\nsystem\n.", "uses the instruction b'i'"),
        (b"\x80\x02(cos\nsystem\no.", "it asks for 'os.system'"),
        (b"\x80\x02" + DTYPE + b")\x81.", "uses the instruction"),
        (b"\x80\x02" + short(b"x") + b"Q.", "uses the instruction b'Q'"),
        (b"\x80\x02\x82\x01.", "uses the instruction"),
        (b"\x80\x02" + ARRAY + b"K\x01R.", "calls something that is not one of NumPy's constructors"),
        (b"\x80\x02" + DTYPE + b")R.", "calls a constructor in an unknown way"),
        (b"\x80\x02cnumpy\nndarray\nK\x01\x85R.", "calls a constructor in an unknown way"),
        (b"\x80\x02" + short(b"print") + b"K\x01\x85R.", "not one of NumPy's constructors"),
        (b"\x80\x02" + ARRAY + b"}b.", "sets the state of something that has none"),
        (b"\x80\x02" + DTYPE + short(b"O8") + b"\x85R.", "something other than plain numbers"),
        (b"\x80\x02" + DTYPE + b"]\x85R.", "something other than plain numbers"),
        (b"\x80\x02K\x01K\x02a.", "fills something that is not a list"),
        (b"\x80\x02}(]K\x01u.", "a dictionary whose keys are not names"),
        (b"\x80\x02}(K\x01u.", "a dictionary whose keys are not names"),
        (b"\x80\x02e.", "closes what it never opened"),
        (b"\x80\x02h\x05.", "recalls what it never remembered"),
        (b"\x80\x02q\x05.", "takes from an empty stack"),
        (b"\x80\x02X\x01\x00\x00\x00\xff.", "it is corrupted"),
        (b"\x80\x02B\xff\xff\xff\xff.", "it is truncated"),
        (b"\x80\x05\x96" + b"\xff" * 8 + b".", "it is truncated"),
    ],
)
def test_every_refusal_says_why(program, sentence):
    with pytest.raises(DataError, match=sentence):
        load_pickle(program, "evil")


def test_a_memo_index_of_four_billion_takes_no_memory():
    # Python's own unpickler reserves eight bytes for each index up to this one.
    assert load_pickle(b"\x80\x02]r" + struct.pack("<I", 2**32 - 1) + b".") == []


def test_arrays_that_lie_about_their_size_are_refused():
    rows, labels = cifar_arrays(2)
    honest = python2_pickle(rows, labels)
    lying = honest.replace(b"M\x02\x00M\x00\x0c", b"M\x03\x00M\x00\x0c")
    assert lying != honest
    with pytest.raises(DataError, match=r"an array of shape \(3, 3072\) with 6144 bytes where 9216 are due"):
        load_pickle(lying, "batch")


@given(st.data())
def test_mutated_pickles_give_data_or_one_sentence(data):
    rows, labels = cifar_arrays(1)
    original = data.draw(st.sampled_from([python2_pickle(rows, labels), pickle.dumps({"data": rows[:, :9], "labels": labels}, 4)]))
    start = original.index(b"data")
    mutated = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        near = data.draw(st.integers(0, min(len(mutated), start + 200) - 1))
        mutated[near] = data.draw(st.integers(0, 255))
    try:
        load_pickle(bytes(mutated), "mutant")
    except DataError as error:
        assert str(error).startswith("mutant: refused: ") and "\n" not in str(error)
