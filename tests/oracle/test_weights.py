"""Weights across programs: torch reads what we write, we read what torch writes, and onnxruntime computes what we compute."""

import io
import re

import numpy as np
import pytest

import tinycnn
from tests.weights.hostile import small_state
from tinycnn import Tensor, nn
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, CheckpointError
from tinycnn.models import get_model, input_size, list_models
from tinycnn.weights import export_onnx, read

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

FLOATS = ["float64", "float32", "float16", "bfloat16", "complex64", "complex128"]
TYPES = [*FLOATS, "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "bool"]


@pytest.fixture(params=["zip", "legacy"])
def saved_by_torch(request, tmp_path):
    """A file that torch wrote, in either format."""

    def write(value):
        path = tmp_path / "theirs.pt"
        torch.save(value, path, _use_new_zipfile_serialization=request.param == "zip")
        return path

    return write


def equal(ours, theirs):
    assert list(ours) == list(theirs)
    for key, tensor in theirs.items():
        wide = tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
        np.testing.assert_array_equal(ours[key], wide.detach().numpy())
        assert ours[key].dtype == wide.detach().numpy().dtype


@pytest.mark.parametrize("dtype", TYPES)
def test_torchs_element_types(saved_by_torch, dtype):
    generator = torch.Generator().manual_seed(0)
    tensor = (torch.randn((3, 4), generator=generator) * 3).abs().to(getattr(torch, dtype))
    state = {"a": tensor, "scalar": tensor[1, 2].clone(), "empty": tensor[:0].clone()}
    found = read(saved_by_torch(state))
    equal(found.arrays, state)
    assert found.stored["a"] == dtype


def test_torchs_views_and_tied_weights(saved_by_torch):
    base = torch.arange(24.0).reshape(2, 3, 4)
    state = {"a": base, "t": base.transpose(0, 2), "s": base[:, 1], "o": base[1, 2, 1::2], "e": base[0, 0, :1].expand(5, 4).t(), "again": base}
    path = saved_by_torch(state)
    equal(tinycnn.load(path), state)
    assert np.shares_memory(tinycnn.load(path)["a"], tinycnn.load(path)["a"]) is False
    loaded = tinycnn.load(path)
    assert np.shares_memory(loaded["a"], loaded["again"])


def test_a_whole_training_checkpoint_of_torch(saved_by_torch):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimiser = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    net(torch.randn(2, 3, 5, 5)).sum().backward()
    optimiser.step()
    state = {"module." + key: tensor for key, tensor in net.state_dict().items()}
    path = saved_by_torch({"epoch": 3, "state_dict": state, "optimizer": optimiser.state_dict(), "best": np.float64(0.5), "size": torch.Size([2])})
    equal(tinycnn.load(path), net.state_dict())
    equal(tinycnn.load(saved_by_torch(net.state_dict())), net.state_dict())
    equal(tinycnn.load(saved_by_torch(dict(net.named_parameters()))), dict(net.named_parameters()))


def test_a_pickled_model_of_torch_is_refused(saved_by_torch):
    with pytest.raises(CheckpointError, match=r"asks for 'torch.nn.modules.*save model.state_dict\(\)"):
        tinycnn.load(saved_by_torch(torch.nn.Linear(2, 2)))


def test_torch_reads_ours(tmp_path):
    state = small_state()
    tinycnn.save(state, tmp_path / "ours.pth")
    for options in ({}, {"mmap": True}):
        theirs = torch.load(tmp_path / "ours.pth", weights_only=True, **options)
        assert list(theirs) == list(state)
        for key, array in state.items():
            np.testing.assert_array_equal(theirs[key].numpy(), array)
            assert theirs[key].numpy().dtype == array.dtype and tuple(theirs[key].shape) == array.shape


def test_safetensors_of_torch_and_back(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    theirs = {"a": torch.randn(2, 3), "h": torch.randn(3).half(), "b": torch.randn(4).bfloat16(), "n": torch.arange(3), "m": torch.arange(2) > 0}
    safetensors.save_file(theirs, tmp_path / "theirs.safetensors")
    equal(tinycnn.load(tmp_path / "theirs.safetensors"), dict(sorted(theirs.items())))
    tinycnn.save(small_state(), tmp_path / "ours.safetensors")
    back = safetensors.load_file(tmp_path / "ours.safetensors")
    for key, array in small_state().items():
        np.testing.assert_array_equal(back[key].numpy(), array)


def test_a_state_dict_of_torch_loads_into_our_layers(tmp_path):
    theirs = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.Linear(36, 5)).eval()
    torch.save(theirs.state_dict(), tmp_path / "a.pth")
    ours = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(36, 5)).eval()
    tinycnn.models.load_weights(ours, tmp_path / "a.pth")
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 5)).astype(np.float32)
    np.testing.assert_allclose(ours(Tensor(x)).detach().numpy(), theirs(torch.from_numpy(x)).detach().numpy(), rtol=1e-4, atol=1e-5)


# ONNX


def run_onnx(path, x):
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(str(path), options).run(None, {"input": x})


def compare(model, shape, path, batch=None):
    """Export on one image, run another batch in both; the largest difference counts against the largest output."""
    example = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    export_onnx(model, example, path)
    x = np.random.default_rng(1).standard_normal((batch or shape[0], *shape[1:])).astype(np.float32)
    with tinycnn.no_grad():
        ours = model(Tensor(x))
    ours = [ours] if isinstance(ours, Tensor) else list(ours)
    for mine, theirs in zip(ours, run_onnx(path, x), strict=True):
        assert mine.shape == theirs.shape
        assert np.isfinite(theirs).all() and np.abs(theirs).max() > 0
        assert np.abs(mine.data - theirs).max() <= 1e-5 * np.abs(theirs).max()


def shaken(model, low_scale=0.5, high_scale=1.5):
    """Give every batch norm statistics, scales and shifts that matter."""
    generator = np.random.default_rng(7)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            shifts = ((module.bias, -0.2, 0.2), (module.running_mean, -0.2, 0.2))
            for tensor, low, high in ((module.weight, low_scale, high_scale), *shifts, (module.running_var, 0.5, 1.5)):
                if tensor is not None:
                    tensor.data[...] = generator.uniform(low, high, tensor.shape)
    return model.eval()


class Layer(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


X = (1, 4, 7, 9)
FUSED = ("relu", "relu6", "silu", "hardswish")
OPERATORS = {
    "activations": lambda x: F.relu(x) + F.relu6(3 * x) + F.silu(x) + F.gelu(x) + F.gelu(x, "tanh") + F.mish(x) + F.hardswish(x),
    "more activations": lambda x: F.leaky_relu(x, 0.2) + F.elu(x) + F.selu(x) + F.hardsigmoid(x) + F.hardtanh(x) + F.softsign(x) + F.prelu(x, PRELU),
    "softmax": lambda x: F.softmax(x, 1) - F.log_softmax(x, -1) * F.sigmoid(x) / (1 + F.tanh(x) ** 2),
    "arithmetic": lambda x: 2.0 - x / 3.0 + tinycnn.exp(-x * x) + tinycnn.sub(x, x, alpha=0.5) + tinycnn.minimum(x, 0.3) + x.clamp(-0.5, None),
    "max pool": lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
    "max pool past the end": lambda x: F.max_pool2d(x, 2, 3, 0, ceil_mode=True),
    "dilated max pool": lambda x: F.max_pool2d(x, 2, 1, 0, dilation=2),
    "average pool": lambda x: F.avg_pool2d(x, 3, 2, 1),
    "average pool without its padding": lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "average pool, rounded up": lambda x: F.avg_pool2d(x, 2, 2, 1, ceil_mode=True),
    "average pool past the end": lambda x: F.avg_pool2d(x, 3, 2, 0, ceil_mode=True),
    "sum pool": lambda x: F.avg_pool2d(x, (2, 3), 2, divisor_override=1),
    "adaptive pools": lambda x: tinycnn.cat([F.adaptive_avg_pool2d(x, (3, 5)).flatten(1), F.adaptive_max_pool2d(x, (7, 3)).flatten(1)], 1),
    "global pools": lambda x: F.global_avg_pool(x) * F.global_max_pool(x) + F.adaptive_avg_pool2d(x, 1),
    "reductions": lambda x: x.mean((2, 3)) + x.sum(dim=(2, 3)) + x.amax((2, 3)) - x.mean(-1).mean(-1),
    "local response": lambda x: F.local_response_norm(x, 3, 0.1, 0.6, 2.0),
    "group norm": lambda x: F.group_norm(x, 2, PRELU, PRELU),
    "layer norm": lambda x: F.layer_norm(x, (7, 9)),
    "shuffle": lambda x: F.channel_shuffle(x, 2),
    "pad": lambda x: tinycnn.cat([F.pad(x, (1, 2, 3, 0), value=0.5), F.pad(x, (1, 2, 3, 0), "reflect"), F.pad(x, (1, 2, 3, 0), "replicate")], 1),
    "slices": lambda x: tinycnn.cat([x[:, 1:3, ::2], x[:, None, 2, ::2], x[..., 0:9][:, -2:, 0:7:2]], 1),
    "splits": lambda x: tinycnn.cat([*reversed(x.chunk(2, dim=1)), *x.split([1, 3], dim=1), tinycnn.stack(x.unbind(1), 1)], 1),
    "shapes": lambda x: x.permute(0, 2, 3, 1).reshape(x.shape[0], 63, 4).transpose(1, 2).unsqueeze(1).squeeze(1).unflatten(2, (9, 7)),
    "attention": lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True),
    "products": lambda x: tinycnn.matmul(x, x.transpose(2, 3)) + tinycnn.einsum("nchw,nckw->nchk", x, x),
    "linear over maps": lambda x: F.linear(x, LINEAR, LINEAR[:, 0], activation="relu"),
    "dropout in evaluation": lambda x: F.dropout(x, 0.5, training=False) * 2.0,
    "padded convolutions": lambda x: F.conv2d(x, KERNEL, padding="same") + F.conv2d(x, KERNEL, padding=1, padding_mode="reflect"),
    "strided convolution": lambda x: F.conv2d(x, KERNEL[:, :2], None, 2, (0, 1, 1, 2), 2, 2, activation="relu"),
    "fused activations": lambda x: sum(F.conv2d(x, KERNEL, padding=1, activation=name) for name in FUSED),
    "activations of normalised numbers": lambda x: sum(F.batch_norm(x, PRELU, PRELU, activation=name) for name in FUSED),
    "outside the gradient": lambda x: x.detach() * 2.0 + F.relu(x.detach()),
    "two outputs": lambda x: (x * 2.0, x.mean(1)),
}
generator = np.random.default_rng(3)
PRELU = Tensor(generator.uniform(0.1, 0.4, 4).astype(np.float32))
LINEAR = Tensor(generator.standard_normal((5, 9)).astype(np.float32))
KERNEL = Tensor(generator.standard_normal((4, 4, 3, 3)).astype(np.float32))


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_in_onnx(name, tmp_path):
    pytest.importorskip("onnx")
    compare(Layer(OPERATORS[name]).eval(), X, tmp_path / "a.onnx", batch=3)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: F.grid_sample(x, np.zeros((1, 2, 2, 2), np.float32), align_corners=False), "the operator 'grid_sample' has no ONNX form here"),
        (lambda x: F.pad(x, (1, 1, 1, 1), "symmetric"), "mode 'symmetric' has no ONNX form"),
        (lambda x: F.local_response_norm(x, 2), "a window of even size 2"),
        (lambda x: F.batch_norm(x, None, None, training=True), "the batch's own statistics"),
        (lambda x: x.masked_fill(x > 0, 1.0), "a mask that depends on the input"),
        (lambda x: x * (x > 0), "depends on the input by a way that was not seen"),
        (lambda x: F.dropout(x, 0.5), "it draws numbers; call eval"),
        (lambda x: x[np.array([0, 0])], "positions in an array are not exported"),
        (lambda x: F.max_pool2d(x, 2, return_indices=True)[0], "return_indices=True is not exported"),
    ],
)
def test_what_onnx_cannot_say_is_one_sentence(function, sentence, tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(CheckpointError, match=re.escape(sentence)):
        export_onnx(Layer(function).eval(), np.ones(X, np.float32), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_exports_need_evaluation_mode_and_float32(tmp_path):
    net = nn.Linear(3, 2)
    with pytest.raises(ArgumentError, match="evaluation mode"):
        export_onnx(net, np.ones((1, 3), np.float32), tmp_path / "a.onnx")
    with pytest.raises(ArgumentError, match=r"a batch of float32 numbers, not float64"):
        export_onnx(net.eval(), np.ones((1, 3)), tmp_path / "a.onnx")
    with pytest.raises(ArgumentError, match=r"call model\.float"):
        export_onnx(nn.Linear(3, 2).double().eval(), np.ones((1, 3), np.float32), tmp_path / "a.onnx")


def test_exporting_leaves_everything_as_it_was(tmp_path):
    pytest.importorskip("onnx")
    before = dict(vars(F)), dict(vars(Tensor))
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    net[0].bias.requires_grad_(False)
    export_onnx(net, np.ones((1, 3, 5, 5), np.float32), tmp_path / "a.onnx")
    assert (dict(vars(F)), dict(vars(Tensor))) == before
    assert [parameter.requires_grad for parameter in net.parameters()] == [True, False, True, True]
    import onnx

    names = {one.name for one in onnx.load(tmp_path / "a.onnx").graph.initializer}
    assert names == {"0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"}


EVERY_FAMILY = [name for name in list_models() if name.endswith("_cifar") or name == "lenet5"]
# With scales around 1 each of their many blocks doubles the variance, and what gates and sums make of numbers that large hangs on their rounding.
SENSITIVE = ("preactivation_resnet1001", "seresnet101", "seresnet152")
OTHERS = [name for name in list_models() if name not in EVERY_FAMILY]


@pytest.mark.parametrize("name", EVERY_FAMILY)
def test_a_network_of_each_family_in_onnx(name, tmp_path):
    pytest.importorskip("onnx")
    compare(shaken(get_model(name)), (1, *input_size(name)), tmp_path / "a.onnx", batch=2)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", OTHERS)
def test_every_network_in_onnx(name, tmp_path):
    pytest.importorskip("onnx")
    scales = (0.05, 0.15) if name in SENSITIVE else (0.5, 1.5)
    compare(shaken(get_model(name), *scales), (1, *input_size(name)), tmp_path / "a.onnx")


def test_torch_and_onnx_files_by_the_command(tmp_path, capsys):
    """`tinycnn ckpt convert` from torch's file to ONNX."""
    pytest.importorskip("onnx")
    from tinycnn.cli import main

    net = get_model("lenet5").eval()
    buffer = io.BytesIO()
    torch.save({key: torch.from_numpy(tensor.data) for key, tensor in net.state_dict().items()}, buffer)
    (tmp_path / "a.pth").write_bytes(buffer.getvalue())
    assert main(["ckpt", "convert", str(tmp_path / "a.pth"), str(tmp_path / "a.onnx"), "--model", "lenet5"]) == 0
    x = np.random.default_rng(0).standard_normal((2, 1, 28, 28)).astype(np.float32)
    np.testing.assert_allclose(run_onnx(tmp_path / "a.onnx", x)[0], net(Tensor(x)).detach().numpy(), atol=1e-5)
