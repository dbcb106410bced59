"""Small valid files of every format, pickles written opcode by opcode, and the torch files of this module's own making."""

import io
import json
import pickle
import struct
import zipfile

import numpy as np

from tinycnn.weights.npz_file import npz_pieces
from tinycnn.weights.torch_file import torch_pieces

CFG = """
[net]
width=8
height=8
channels=3
[convolutional]
filters=4
size=3
pad=1
batch_normalize=1
activation=leaky
[maxpool]
size=2
stride=2
[convolutional]
filters=6
size=1
activation=linear
[route]
layers=-1,-2
[connected]
output=5
"""

PROTOTXT = """
name: "small"
layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: 1 dim: 3 dim: 9 dim: 9 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param { num_output: 4 kernel_size: 3 stride: 2 } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "fc" type: "InnerProduct" bottom: "pool1" top: "fc" inner_product_param { num_output: 2 } }
"""


def small_state():
    """A state dict with several element types, a scalar and an empty tensor."""
    generator = np.random.default_rng(5)
    return {
        "conv.weight": generator.standard_normal((2, 3, 3, 3)).astype(np.float32),
        "conv.bias": generator.standard_normal(2).astype(np.float32),
        "bn.num_batches_tracked": np.array(7, np.int64),
        "fc.weight": generator.standard_normal((4, 2)),
        "mask": np.array([[True, False]]),
        "empty": np.zeros((0, 3), np.float32),
    }


def text(value):
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def number(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def pack(*values):
    return b"(" + b"".join(values) + b"t"


def name(full):
    module, _, last = full.rpartition(".")
    return f"c{module}\n{last}\n".encode()


def storage(key="0", count=6, kind="torch.FloatStorage", view=None):
    parts = [text("storage"), name(kind), text(key), text("cpu"), number(count)]
    return pack(*parts, *([view] if view is not None else [])) + b"Q"


def tensor(stored=None, offset=0, size=(2, 3), stride=(3, 1)):
    stored = storage() if stored is None else stored
    numbers = [number(offset), pack(*map(number, size)), pack(*map(number, stride))]
    return name("torch._utils._rebuild_tensor_v2") + pack(stored, *numbers, b"\x89", name("collections.OrderedDict") + b")R") + b"R"


def state(**entries):
    return b"}(" + b"".join(text(key) + program for key, program in entries.items()) + b"u"


def pickled(program):
    return b"\x80\x02" + program + b"."


def torch_zip(program, storages=None, folder="archive/", extra=()):
    """A zip archive as PyTorch lays it out, around any pickle."""
    storages = {"0": np.arange(6, dtype="<f4").tobytes()} if storages is None else storages
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{folder}data.pkl", pickled(program))
        for key, data in storages.items():
            archive.writestr(f"{folder}data/{key}", data)
        for path, data in extra:
            archive.writestr(path, data)
    return buffer.getvalue()


def torch_legacy(program, storages=None, keys=("0",), version=1001):
    """The five pickles and the storages of PyTorch before 1.6, around any pickle."""
    storages = [(6, np.arange(6, dtype="<f4").tobytes())] if storages is None else storages
    head = [0x1950A86A20F9469CFC6C, version, {"protocol_version": version, "little_endian": True, "type_sizes": {"int": 4}}]
    parts = [pickle.dumps(one, 2) for one in head]
    parts += [pickled(program), pickle.dumps(list(keys), 2)]
    parts += [struct.pack("<q", count) + data for count, data in storages]
    return b"".join(parts)


def safetensors_bytes(header=None, data=b"", length=None):
    """A safetensors file by hand: a header's length, the header, the data."""
    if header is None:
        header = {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
        data = np.arange(6, dtype="<f4").tobytes()
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(encoded) if length is None else length) + encoded + data


def darknet_bytes(count):
    """A .weights file with this many numbers."""
    return struct.pack("<3iq", 0, 2, 5, 640) + np.arange(count, dtype="<f4").tobytes()


def small_files():
    """One small valid file of every binary format, by its suffix."""
    arrays = {key: np.asarray(array, order="C") for key, array in small_state().items()}
    return {
        "zip.pth": torch_pieces(arrays)[0],
        "legacy.pth": torch_legacy(state(a=tensor(), b=tensor(size=(3,), stride=(2,)))),
        "plain.npz": npz_pieces(arrays)[0],
        "one.safetensors": safetensors_bytes(),
        "net.weights": darknet_bytes(112 + 12 + 30 + 5 * 160 + 5),
    }
