"""npz, safetensors, Darknet and Caffe: what they hold, and what is refused."""

import io
import struct
import sys
import zipfile

import numpy as np
import pytest

import tinycnn
from tests.weights.hostile import CFG, PROTOTXT, darknet_bytes, safetensors_bytes, small_state
from tinycnn.errors import CheckpointError
from tinycnn.weights import Malformed, parse_cfg, parse_prototxt, read
from tinycnn.weights.npz_file import CLASSIFIER, CONVOLUTIONS, FEATURES, vgg16_from_frossard

# npz


def test_npz_round_trip_is_numpys(tmp_path):
    saved = small_state()
    tinycnn.save(saved, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        assert sorted(archive.files) == sorted(saved)
    np.savez_compressed(tmp_path / "b.npz", **saved, fortran=np.asfortranarray(np.arange(6).reshape(2, 3)), swapped=np.arange(3, dtype=">f4"))
    for name in ("a.npz", "b.npz"):
        loaded = tinycnn.load(tmp_path / name)
        for key, array in saved.items():
            np.testing.assert_array_equal(loaded[key], array)
            assert loaded[key].dtype == array.dtype
    np.testing.assert_array_equal(loaded["fortran"], np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(loaded["swapped"], np.arange(3, dtype=np.float32))
    assert loaded["fortran"].flags.c_contiguous and loaded["swapped"].dtype.isnative


def npz(header, data=b"", length=None, method=zipfile.ZIP_STORED):
    member = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) if length is None else length) + header + data
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a.npy", member)
    return buffer.getvalue()


def described(descr="'<f4'", shape="(2, 3)"):
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (npz(described(), bytes(20)), r"has shape \(2, 3\) and 20 bytes, where 24 are due"),
        (npz(described(shape="(1000000000, 1000)"), bytes(24)), "where 4,000,000,000,000 are due"),
        (npz(described(shape="(99999999999999999999,)"), bytes(24)), "impossible shape"),
        (npz(described("'|O'"), bytes(24)), "Python objects and records are never loaded"),
        (npz(described("[('x', '<f4')]"), bytes(24)), "Python objects and records"),
        (npz(described(shape="__import__('os').system('touch MARK')"), bytes(24)), "other than plain numbers"),
        (npz(b"{}"), "other than plain numbers"),
        (npz(described(), length=60_000), "states a header of 60,000 bytes"),
        (npz(described(shape="(100000000,)"), bytes(400_000_000), method=zipfile.ZIP_DEFLATED), "states that it unpacks to 400,000,"),
    ],
    ids=["short", "terabytes", "beyond numbers", "objects", "records", "code", "empty header", "long header", "bomb"],
)
def test_hostile_npz(tmp_path, data, sentence, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(CheckpointError, match=sentence):
        tinycnn.load(tmp_path / "a.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_a_runs_checkpoint_gives_its_model(tmp_path):
    from tinycnn.train.checkpoint import Checkpoint, save_checkpoint

    weights = {"a.weight": np.ones((2, 2), np.float32)}
    path = save_checkpoint(tmp_path / "checkpoint.npz", Checkpoint(model=weights, optimizer={"state": {0: np.zeros(3)}}))
    found = read(path)
    assert list(found.arrays) == ["a.weight"] and "its model was read" in found.notes[0]


def frossard(side=3, channels=2):
    """Frossard's keys with few channels; every number tells where it stood."""
    generator = np.random.default_rng(0)
    arrays, before = {}, 3
    for name in CONVOLUTIONS:
        arrays[f"conv{name}_W"] = generator.standard_normal((3, 3, before, channels)).astype(np.float32)
        arrays[f"conv{name}_b"] = generator.standard_normal(channels).astype(np.float32)
        before = channels
    for name, (rows, columns) in {"fc6": (side * side * channels, 5), "fc7": (5, 5), "fc8": (5, 4)}.items():
        arrays[f"{name}_W"] = generator.standard_normal((rows, columns)).astype(np.float32)
        arrays[f"{name}_b"] = generator.standard_normal(columns).astype(np.float32)
    return arrays


def test_frossards_vgg16_computes_the_same_in_torchs_layout(tmp_path):
    arrays = frossard()
    np.savez(tmp_path / "vgg16_weights.npz", **arrays)
    found = read(tmp_path / "vgg16_weights.npz")
    layers = [f"features.{k}" for k in FEATURES] + [f"classifier.{k}" for k in CLASSIFIER.values()]
    assert list(found.arrays) == [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]
    assert "fc6" in found.notes[0]
    image = np.random.default_rng(1).standard_normal((3, 3, 3)).astype(np.float32)  # height, width, channel, as TensorFlow has it
    window = np.einsum("hwi,hwio->o", image, arrays["conv1_1_W"])
    np.testing.assert_allclose(np.einsum("ihw,oihw->o", image.transpose(2, 0, 1), found.arrays["features.0.weight"]), window, rtol=1e-5)
    last = np.random.default_rng(2).standard_normal((3, 3, 2)).astype(np.float32)
    expected = last.reshape(-1) @ arrays["fc6_W"] + arrays["fc6_b"]
    flat = last.transpose(2, 0, 1).reshape(-1)
    np.testing.assert_allclose(found.arrays["classifier.0.weight"] @ flat + found.arrays["classifier.0.bias"], expected, rtol=1e-5)
    np.testing.assert_array_equal(found.arrays["classifier.6.weight"], arrays["fc8_W"].T)


def test_frossards_keys_with_other_shapes():
    arrays = frossard()
    arrays["fc6_W"] = arrays["fc6_W"][:-1]
    with pytest.raises(Malformed, match="but not its shapes"):
        vgg16_from_frossard(arrays)


# safetensors


def test_safetensors_without_its_library_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    (tmp_path / "a.safetensors").write_bytes(safetensors_bytes())
    with pytest.raises(CheckpointError, match=r"pip install 'tinycnn\[weights\]'"):
        tinycnn.load(tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=r"pip install 'tinycnn\[weights\]'"):
        tinycnn.save(small_state(), tmp_path / "b.safetensors")


def test_safetensors_round_trip(tmp_path):
    pytest.importorskip("safetensors")
    saved = small_state()
    tinycnn.save(saved, tmp_path / "a.safetensors")
    loaded = tinycnn.load(tmp_path / "a.safetensors")
    assert list(loaded) == sorted(saved)
    for key, array in saved.items():
        np.testing.assert_array_equal(loaded[key], array)
        assert loaded[key].dtype == array.dtype


def entry(dtype="F32", shape=(2, 3), offsets=(0, 24)):
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (safetensors_bytes(length=10 * 2**30), "its header is said to have 10,737,418,240 bytes, the whole file has"),
        (safetensors_bytes(entry(shape=(2, 4)), bytes(24)), "damaged safetensors"),
        (safetensors_bytes(entry(shape=(2**40, 2**20)), bytes(24)), "damaged safetensors"),
        (safetensors_bytes(entry(offsets=(0, 2**40)), bytes(24)), "damaged safetensors"),
        (safetensors_bytes(entry(offsets=(24, 0)), bytes(24)), "damaged safetensors"),
        (safetensors_bytes(entry("F8_E4M3", (24,)), bytes(24)), "F8_E4M3 values; the types read are"),
        (safetensors_bytes(b"[" * 1000), "damaged safetensors|no known format"),
        (safetensors_bytes()[:30], "said to have"),
    ],
)
def test_hostile_safetensors(tmp_path, data, sentence):
    pytest.importorskip("safetensors")
    (tmp_path / "a.safetensors").write_bytes(data)
    with pytest.raises(CheckpointError, match=sentence):
        tinycnn.load(tmp_path / "a.safetensors")


def test_safetensors_half_types_widen(tmp_path):
    pytest.importorskip("safetensors")
    (tmp_path / "a.safetensors").write_bytes(safetensors_bytes(entry("BF16", (2,), (0, 4)), b"\x80\x3f\x00\xc0"))
    found = read(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(found.arrays["a"], [1.0, -2.0])
    assert found.notes == ["1 tensors stored as bfloat16 were read as float32"]


# Darknet


def test_darknet_layers_and_numbers(tmp_path):
    _, layers = parse_cfg(CFG)
    assert [(layer.kind, layer.output_shape, layer.count) for layer in layers] == [
        ("convolutional", (4, 8, 8), 4 * 4 + 108),
        ("maxpool", (4, 4, 4), 0),
        ("convolutional", (6, 4, 4), 6 + 24),
        ("route", (10, 4, 4), 0),
        ("connected", (5,), 5 + 5 * 160),
    ]
    total = sum(layer.count for layer in layers)
    (tmp_path / "net.cfg").write_text(CFG)
    (tmp_path / "net.weights").write_bytes(darknet_bytes(total))
    found = read(tmp_path / "net.weights")
    assert f"all {total:,} numbers accounted for" in found.notes[0] and "version 0.2.5, trained on 640 images" in found.notes[0]
    np.testing.assert_array_equal(found.arrays["0.bn.bias"], np.arange(4))
    np.testing.assert_array_equal(found.arrays["0.bn.running_var"], np.arange(12, 16))
    assert found.arrays["0.conv.weight"].shape == (4, 3, 3, 3) and found.arrays["0.conv.weight"][0, 0, 0, 1] == 17
    tinycnn.save(found.arrays, tmp_path / "again.weights", cfg=tmp_path / "net.cfg")
    assert (tmp_path / "again.weights").read_bytes()[20:] == darknet_bytes(total)[20:]


@pytest.mark.parametrize("count", [963, 965, 0])
def test_too_few_or_too_many_darknet_numbers(tmp_path, count):
    (tmp_path / "net.cfg").write_text(CFG)
    (tmp_path / "net.weights").write_bytes(darknet_bytes(count))
    with pytest.raises(CheckpointError, match=f"have 959 parameters, the .weights file {count}"):
        tinycnn.load(tmp_path / "net.weights")


def test_darknet_weights_without_their_cfg(tmp_path):
    (tmp_path / "net.weights").write_bytes(darknet_bytes(5))
    with pytest.raises(CheckpointError, match=r"put the .cfg that belongs to it beside it as net.cfg"):
        tinycnn.load(tmp_path / "net.weights")
    with pytest.raises(CheckpointError, match=r"'nothing' is|'0.bn.bias' is missing"):
        (tmp_path / "net.cfg").write_text(CFG)
        tinycnn.save({"nothing": np.zeros(3)}, tmp_path / "net.weights")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"begins with a section \[net\]"),
        ("[convolutional]\nfilters=3", r"begins with a section \[net\]"),
        ("[net]\nwidth=8\nheight=8\n[transformer]", r"layer 0 is \[transformer\], which is not one of"),
        ("[net]\nwidth=8\nheight=8\n[convolutional]\nfilters=x", "filters=x is not a whole number"),
        ("[net]\nwidth=8\nheight=8\n[convolutional]\nfilters=-1", "filters=-1 is not between 1"),
        ("[net]\nwidth=8\nheight=8\n[convolutional]\nsize=30\nfilters=4", r"its output would be \(4, -21, -21\)"),
        ("[net]\nwidth=8\nheight=8\n[route]\nlayers=3", "layers=3 points to no layer before"),
        ("[net]\nwidth=8\nheight=8\n[shortcut]", r"from= is not a list of layers"),
        ("[net]\nwidth=8\nheight=8\n[convolutional]\ngroups=2\nfilters=4", "only with a remainder"),
        ("[net]\nwidth=8\nheight=8\n[connected]\noutput=2000000000", "parameters are more than any network has"),
        ("[net]\nwidth=8\nheight=8\n[connected]\noutput=5\n[maxpool]\nsize=2", "it needs a map, and gets a row of 5"),
        ("[net]\nnonsense", "line 2 is neither"),
        ("[net]\nwidth=8\nheight=8\n" + "[softmax]\n" * 20_000, "more than any network"),
    ],
)
def test_cfg_files_that_fit_nothing(text, sentence):
    with pytest.raises(CheckpointError, match=sentence):
        parse_cfg(text)


# Caffe

VGG16 = """
name: "VGG_16"  # two to three convolutions, then a pooling, five times; then three fully connected layers
input: "data"
input_dim: 1
input_dim: 3
input_dim: 224
input_dim: 224
"""


def vgg16_prototxt():
    """The topology of Simonyan and Zisserman's table 1, column D, as Caffe writes it."""
    parts, bottom = [VGG16], "data"
    for stage, (layers, width) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], 1):
        for number in range(1, layers + 1):
            name = f"conv{stage}_{number}"
            parts.append(f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" ')
            parts.append(f"convolution_param {{ num_output: {width} pad: 1 kernel_size: 3 }} }}\n")
            parts.append(f'layer {{ name: "relu{stage}_{number}" type: "ReLU" bottom: "{name}" top: "{name}" }}\n')
            bottom = name
        parts.append(f'layer {{ name: "pool{stage}" type: "Pooling" bottom: "{bottom}" top: "pool{stage}" ')
        parts.append("pooling_param { pool: MAX kernel_size: 2 stride: 2 } }\n")
        bottom = f"pool{stage}"
    for number, width in ((6, 4096), (7, 4096), (8, 1000)):
        parts.append(f'layer {{ name: "fc{number}" type: "InnerProduct" bottom: "{bottom}" top: "fc{number}" ')
        parts.append(f"inner_product_param {{ num_output: {width} }} }}\n")
        bottom = f"fc{number}"
    parts.append('layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc8" bottom: "label" top: "loss" include { phase: TRAIN } }\n')
    parts.append('layer { name: "prob" type: "Softmax" bottom: "fc8" top: "prob" }\n')
    return "".join(parts)


def test_vgg16s_prototxt_has_its_parameters_and_shapes():
    net = parse_prototxt(vgg16_prototxt())
    # 138,357,544: Simonyan and Zisserman 2014, table 2 says 138 million; torchvision's documentation has the exact number.
    assert sum(layer.count for layer in net.layers) == 138_357_544
    shapes = {layer.name: layer.output_shape for layer in net.layers}
    assert shapes["conv1_2"] == (1, 64, 224, 224) and shapes["pool5"] == (1, 512, 7, 7) and shapes["prob"] == (1, 1000)
    assert net.name == "VGG_16" and net.inputs == {"data": (1, 3, 224, 224)} and "loss" not in shapes


def test_caffe_pools_round_up_and_old_files_have_other_names():
    net = parse_prototxt(PROTOTXT)
    assert [(layer.kind, layer.output_shape, layer.count) for layer in net.layers] == [
        ("Convolution", (1, 4, 4, 4), 112),
        ("ReLU", (1, 4, 4, 4), 0),
        ("Pooling", (1, 4, 2, 2), 0),  # (4 - 3) / 2 rounded up, + 1
        ("InnerProduct", (1, 2), 34),
    ]
    old = """
    layers { name: "mnist" type: DATA top: "data" top: "label" transform_param { crop_size: 28 mirror: true } }
    layers { name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1" blobs_lr: 1 blobs_lr: 2
             convolution_param { num_output: 20 kernel_h: 5 kernel_w: 3 group: 1 weight_filler { type: "xavier" std: 1e-2 } } }
    layers { name: "both" type: CONCAT bottom: "conv1" bottom: "conv1" top: "both" }
    layers { name: "sum" type: ELTWISE bottom: "both" bottom: "both" top: "sum" eltwise_param { coeff: [1, -1] } }
    """
    assert [layer.output_shape for layer in parse_prototxt(old).layers] == [(1, 20, 24, 26), (1, 40, 24, 26), (1, 40, 24, 26)]
    assert parse_prototxt(old, (2, 1, 28, 28)).layers[0].count == 20 * 15 + 20


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it has no layers"),
        ("layer {", "truncated"),
        ("}", "line 1: '}' is out of place"),
        ("a { " * 50_000, "nested more than 32 deep"),
        ('name: "open', "cannot be read"),
        ('layer { name: "x" type: "Mystery" }', "layer 'x' is of type 'Mystery', which is not one of"),
        ('layer { name: "x" type: "ReLU" bottom: "y" top: "y" }', "layer 'x' reads 'y', which no layer before it makes"),
        ('input: "d"', "1 inputs and 0 shapes"),
        ('layer { name: "d" type: "Data" top: "data" }', "does not say how large its images are"),
        ("layer: 5", "layer is not a block in braces"),
        (PROTOTXT.replace("num_output: 4", ""), "num_output is missing"),
        (PROTOTXT.replace("num_output: 4", "num_output: 4.5"), "where whole numbers are due"),
        (PROTOTXT.replace("num_output: 4 kernel_size: 3", "num_output: 4 kernel_size: 30"), "its output would be"),
        (PROTOTXT.replace("dim: 9", "dim: 99999999999999"), "its output would be|whole numbers are due"),
    ],
)
def test_prototxt_files_that_fit_nothing(text, sentence):
    with pytest.raises(CheckpointError, match=sentence):
        parse_prototxt(text)
