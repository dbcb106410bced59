"""PyTorch's files without PyTorch: what they hold comes back, and what they should not hold is one sentence."""

import pickle
import re

import numpy as np
import pytest

import tinycnn
from tests.weights.hostile import name, number, pack, pickled, small_state, state, storage, tensor, text, torch_legacy, torch_zip
from tinycnn.errors import CheckpointError
from tinycnn.weights import read

SIX = np.arange(6, dtype=np.float32)


@pytest.fixture(params=["zip", "legacy"])
def write(request, tmp_path):
    """A file of either format around a pickle and the storages it names."""

    def make(program, storages=None):
        path = tmp_path / f"{request.param}.pth"
        given = {"0": (6, SIX.tobytes())} if storages is None else storages
        if request.param == "zip":
            path.write_bytes(torch_zip(program, {key: data for key, (_, data) in given.items()}))
        else:
            path.write_bytes(torch_legacy(program, list(given.values()), list(given)))
        return path

    return make


def test_a_round_trip_keeps_values_types_and_order(tmp_path):
    saved = small_state()
    tinycnn.save(saved, tmp_path / "a.pth")
    loaded = tinycnn.load(tmp_path / "a.pth")
    assert list(loaded) == list(saved)
    for key, array in saved.items():
        np.testing.assert_array_equal(loaded[key], array)
        assert loaded[key].dtype == array.dtype and loaded[key].shape == array.shape
    loaded["conv.bias"][0] = 3  # not a view on read-only bytes


def test_strides_and_offsets(write):
    views = {"t": tensor(size=(3, 2), stride=(1, 3)), "o": tensor(offset=1, size=(2,), stride=(2,)), "s": tensor(size=(), stride=(), offset=5)}
    loaded = tinycnn.load(write(state(a=tensor(), **views)))
    np.testing.assert_array_equal(loaded["a"], SIX.reshape(2, 3))
    np.testing.assert_array_equal(loaded["t"], SIX.reshape(2, 3).T)
    np.testing.assert_array_equal(loaded["o"], [1, 3])
    assert loaded["s"] == 5 and loaded["s"].shape == ()
    assert all(array.flags.c_contiguous for array in loaded.values())


def test_tied_weights_share_memory_and_expanded_ones_repeat(write):
    loaded = tinycnn.load(write(state(a=tensor(), b=tensor(), wide=tensor(size=(4, 3), stride=(0, 1)))))
    assert np.shares_memory(loaded["a"], loaded["b"])
    np.testing.assert_array_equal(loaded["wide"], np.broadcast_to(SIX[:3], (4, 3)))


@pytest.mark.parametrize("where", ["state_dict", "model", "model_state_dict"])
def test_nested_state_dicts_are_found(write, where):
    inner = state(**{"module.w": tensor(), "module.b": tensor(size=(3,), stride=(1,))})
    found = read(write(state(epoch=number(3), **{where: inner})))
    assert list(found.arrays) == ["w", "b"]
    assert any(where in note for note in found.notes) and any("module." in note for note in found.notes)


def test_the_prefix_stays_where_it_is_not_everywhere(write):
    assert list(tinycnn.load(write(state(**{"module.w": tensor(), "b": tensor()})))) == ["module.w", "b"]


@pytest.mark.parametrize(
    ("kind", "stored", "expected"),
    [
        ("DoubleStorage", "<f8", np.float64),
        ("LongStorage", "<i8", np.int64),
        ("IntStorage", "<i4", np.int32),
        ("ShortStorage", "<i2", np.int16),
        ("CharStorage", "i1", np.int8),
        ("ByteStorage", "u1", np.uint8),
        ("BoolStorage", "?", np.bool_),
        ("ComplexFloatStorage", "<c8", np.complex64),
        ("HalfStorage", "<f2", np.float32),
    ],
)
def test_every_element_type(write, kind, stored, expected):
    values = np.array([0, 1, 2, 3, 4, 5]).astype(stored)
    path = write(state(a=tensor(storage(kind=f"torch.{kind}"))), {"0": (6, values.tobytes())})
    found = read(path)
    assert found.arrays["a"].dtype == expected
    np.testing.assert_array_equal(found.arrays["a"], values.reshape(2, 3).astype(expected))
    assert any("float16 were read as float32" in note for note in found.notes) == (kind == "HalfStorage")


def test_bfloat16_is_the_upper_half_of_float32(write):
    values = np.array([1.0, -2.5, 3.140625, 0.0, np.inf, 1e-38], np.float32)
    upper = (values.view(np.uint32) >> 16).astype("<u2")
    found = read(write(state(a=tensor(storage(kind="torch.BFloat16Storage"))), {"0": (6, upper.tobytes())}))
    expected = (upper.astype(np.uint32) << 16).view(np.float32).reshape(2, 3)
    np.testing.assert_array_equal(found.arrays["a"], expected)
    assert found.stored["a"] == "bfloat16" and "1 tensors stored as bfloat16 were read as float32" in found.notes


def test_parameters_python_2_names_and_other_values(write):
    parameter = name("torch._utils._rebuild_parameter") + pack(tensor(), b"\x88", name("collections.OrderedDict") + b")R") + b"R"
    size = name("torch.Size") + pack(pack(number(2))) + b"R"
    old = b"}(U\x01w" + tensor() + b"u"
    assert list(tinycnn.load(write(old))) == ["w"]
    found = read(write(state(p=parameter, size=size, dtype=name("torch.float32"), best=b"G" + b"\x40\x56\x80\x00\x00\x00\x00\x00")))
    assert list(found.arrays) == ["p"] and "3 entries that are not tensors were left out" in found.notes


class Attack:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("function", [eval, exec, open, print, __import__], ids=lambda function: function.__name__)
@pytest.mark.parametrize("place", ["alone", "beside", "inside"])
def test_code_is_refused_before_it_runs(tmp_path, write, function, place, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call = pickle.dumps(Attack(function, "open('MARK', 'w')"), 2)[2:-1]
    program = {"alone": call, "beside": state(a=tensor(), x=call), "inside": state(state_dict=state(a=tensor(), x=pack(call)))}[place]
    with pytest.raises(CheckpointError, match=f"refused: it asks for '[a-z_]+.{function.__name__}'.*save model.state_dict"):
        tinycnn.load(write(program))
    assert not (tmp_path / "MARK").exists()


def test_a_whole_model_is_refused_with_the_way_out(write):
    with pytest.raises(CheckpointError, match=r"it asks for 'torchvision.models.resnet.ResNet'.*save model.state_dict\(\)"):
        tinycnn.load(write(name("torchvision.models.resnet.ResNet") + b")R"))


BOOLEAN = name("torch._utils._rebuild_tensor_v2") + pack(storage(), number(0), pack(b"\x88"), pack(b"\x88")) + b"R"

LYING = {
    "more elements than the storage": (tensor(size=(2, 4), stride=(4, 1)), r"of shape \(2, 4\) and strides \(4, 1\) reads element 7 of a"),
    "an offset beyond it": (tensor(offset=1), "reads element 6 of a storage of 6"),
    "a negative offset": (tensor(offset=-1), "none of them may be negative"),
    "a negative stride": (tensor(offset=5, stride=(-3, -1)), "none of them may be negative"),
    "a negative size": (tensor(size=(-1, 3)), "none of them may be negative"),
    "a size beyond memory": (tensor(size=(1 << 60, 1), stride=(0, 0)), "beyond memory"),
    "an expanded shape": (tensor(size=(1 << 40, 3), stride=(0, 1)), r"asks for 13,194,139,533,312 bytes, more than"),
    "fewer strides than axes": (tensor(stride=(1,)), "not whole numbers"),
    "a boolean size": (BOOLEAN, "not whole numbers"),
    "a storage that is not there": (tensor(storage(key="9")), "storage '9', which it does not hold|storage '0' that no tensor uses"),
    "a storage of another size": (tensor(storage(count=7)), "storage '0' is said to hold 7 elements"),
    "a huge storage": (tensor(storage(count=1 << 46)), "storage '0' is said to hold 70,368,744,177,664 elements"),
    "a key that climbs": (tensor(storage(key="../../etc/passwd")), "which it does not hold|that no tensor uses"),
    "no storage": (name("torch._utils._rebuild_tensor_v2") + pack(number(1), number(0), pack(), pack()) + b"R", "not a storage"),
    "a class called as a function": (name("torch.FloatStorage") + b")R", "calls a constructor in an unknown way"),
    "too few arguments": (name("torch._utils._rebuild_tensor_v2") + b")R", "calls a constructor in an unknown way"),
    "a view on a storage": (tensor(storage(view=text("v"))), "a view on a storage"),
    "a reference to nothing": (b"K\x01Q", "not a storage"),
    "an endless recall": (b"h\x07", "recalls what it never remembered"),
}


@pytest.mark.parametrize("fault", LYING)
def test_tensors_that_lie(write, fault):
    program, sentence = LYING[fault]
    with pytest.raises(CheckpointError, match=sentence) as error:
        tinycnn.load(write(state(a=program)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (b"K\x01", "it holds a int, not a dictionary of tensors"),
        (state(lr=number(1)), "it holds no tensors there or under .*; its entries are lr"),
        (b"]q\x00h\x00a", "it holds a list, not a dictionary"),
        (b"}q\x00(" + text("state_dict") + b"h\x00u", "it holds no tensors"),
        (b"(" * 100_000, "truncated|empty stack|closes"),
        (b"\x80\x02" * 50_000, "empty stack"),
    ],
    ids=["a number", "no tensors", "a list that holds itself", "a dictionary that holds itself", "marks", "protocols"],
)
def test_what_is_no_state_dict(write, program, sentence):
    with pytest.raises(CheckpointError, match=sentence):
        tinycnn.load(write(program))


def test_a_deeply_nested_pickle_needs_no_recursion(write):
    deep = b"]" * 200_000 + b"a" * 199_999
    assert list(tinycnn.load(write(state(a=tensor(), deep=deep)))) == ["a"]


def test_one_text_encoded_again_and_again_is_refused(write):
    # 1 MB of text, remembered, then encoded a hundred times: 100 MB from a file of 1 MB.
    encode = name("_codecs.encode") + pack(b"h\x05", text("latin1")) + b"R"
    program = text("x" * 1_000_000) + b"q\x05" + b"(" + encode * 100 + b"t"
    with pytest.raises(CheckpointError, match="makes more bytes than it holds"):
        tinycnn.load(write(b"}(" + text("a") + b"(" + program + b"tu"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_files(tmp_path, write, share):
    path = write(state(a=tensor()))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CheckpointError, match=r"truncated|said to hold|no list") as error:
        tinycnn.load(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [(path, "climbs out") for path in ("../../etc/cron.d/x", "/etc/passwd", "C:\\x")] + [("archive/data.pkl", "two files of the same name")],
)
def test_members_that_climb_or_come_twice(tmp_path, path, sentence):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's, of a name that it writes twice
        data = torch_zip(state(a=tensor()), extra=[(path, b"x")])
    (tmp_path / "a.pth").write_bytes(data)
    with pytest.raises(CheckpointError, match=sentence):
        tinycnn.load(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "it is empty"),
        (b"hello world, this is no file of weights", "no known format"),
        (pickled(number(1)), "not one that PyTorch wrote"),
        (torch_legacy(state(a=tensor()), version=7), "version 7 of PyTorch's old format"),
        (torch_legacy(state(a=tensor()), keys=("0", "0")), "twice"),
        (b"PK\x03\x04" + bytes(50), "truncated or damaged zip"),
    ],
)
def test_other_files(tmp_path, data, sentence):
    (tmp_path / "a.pth").write_bytes(data)
    with pytest.raises(CheckpointError, match=sentence):
        tinycnn.load(tmp_path / "a.pth")


def test_missing_files_folders_and_pipes(tmp_path):
    import os

    with pytest.raises(CheckpointError, match=re.escape(str(tmp_path / "none.pth")) + ": No such file"):
        tinycnn.load(tmp_path / "none.pth")
    with pytest.raises(CheckpointError, match=r"[Dd]irectory|not an ordinary file"):
        tinycnn.load(tmp_path)
    if os.path.exists("/dev/zero"):
        with pytest.raises(CheckpointError, match="not an ordinary file"):
            tinycnn.load("/dev/zero")


def test_what_cannot_be_saved(tmp_path):
    with pytest.raises(CheckpointError, match=r"no suffix that names a format; end it in .pth"):
        tinycnn.save({"a": SIX}, tmp_path / "a.txt")
    with pytest.raises(CheckpointError, match="'a' holds object values"):
        tinycnn.save({"a": np.array([None])}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="the key 1 is a int"):
        tinycnn.save({1: SIX}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"cannot write .*No such file"):
        tinycnn.save({"a": SIX}, tmp_path / "none" / "a.pth")
    with pytest.raises(CheckpointError, match="for which PyTorch's files have no storage"):
        tinycnn.save({"a": SIX.astype(np.uint32)}, tmp_path / "a.pth")
    assert not list(tmp_path.iterdir())
