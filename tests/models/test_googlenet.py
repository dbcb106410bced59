"""GoogLeNet: parameters against table 1, both modules, side branches, checkpoints with and without them."""

import numpy as np
import pytest

import tinycnn
from tests.models.measuring import images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import Tensor, functional, nn
from tinycnn.errors import ArgumentError, CheckpointError
from tinycnn.models import GoogLeNetOutputs, Inception, InceptionNaive, googlenet, googlenet_cifar
from tinycnn.models.googlenet import MODULES
from tinycnn.train import with_side_branches

# Table 1's last column but one: weights in units of 1,024, which its own columns of maps give to 2 %, but for 4c (498) and 5a (1018).
TABLE_1 = {
    "inception3a": 159,
    "inception3b": 380,
    "inception4a": 364,
    "inception4b": 437,
    "inception4c": 463,
    "inception4d": 580,
    "inception4e": 840,
    "inception5a": 1072,
    "inception5b": 1388,
}


def test_parameters():
    # num_params at pytorch.org/vision/stable/models/generated/torchvision.models.googlenet.html is without the side branches.
    assert parameters("googlenet", aux_logits=False) == 6_624_904
    side = sum(128 * maps + 2 * 128 + 1024 * (2048 + 1) + 1000 * (1024 + 1) for maps in (512, 528))
    assert parameters("googlenet") == 6_624_904 + side == 13_004_888


def test_modules_against_table_1():
    model = nn.utils.skip_init(googlenet, aux_logits=False, large_kernel=5)
    weights = {name: sum(p.numel() for key, p in model.get_submodule(name).named_parameters() if key.endswith("conv.weight")) for name in TABLE_1}
    assert {name for name, count in weights.items() if abs(count / 1024 / TABLE_1[name] - 1) > 0.02} == {"inception4c", "inception5a"}
    assert [weights[name] for name in ("inception3a", "inception4c", "inception5a")] == [163_328, 509_440, 1_042_432]


def test_map_sizes():
    # Table 1's "output size".
    names = ["conv1", "maxpool1", "conv3", "maxpool2", *(name for name, _ in MODULES), "avgpool"]
    shapes, output = stage_shapes(googlenet(10, aux_logits=False, width=0.0625), (1, 3, 224, 224), names)
    sizes = {name: shape[1] for name, shape in zip(names, shapes, strict=True)}
    assert [sizes[name] for name in ("conv1", "maxpool1", "conv3", "maxpool2", "inception3b", "maxpool3", "inception4e", "maxpool4", "avgpool")] == [
        112,
        56,
        56,
        28,
        28,
        14,
        14,
        7,
        1,
    ]
    assert output == (1, 10)
    channels = [sum(row[i] for i in (0, 2, 4, 5)) for _, row in MODULES if not isinstance(row, str)]
    assert channels == [256, 480, 512, 512, 512, 528, 832, 832, 1024]


def test_the_naive_module_costs_more_and_grows():
    naive, reduced = InceptionNaive(256, 128, 192, 96), Inception(256, 128, 64, 192, 64, 96, 64)
    assert (naive.out_channels, reduced.out_channels) == (128 + 192 + 96 + 256, 128 + 192 + 96 + 64)
    costs = [multiply_adds(block, (256, 28, 28)) for block in (naive, reduced)]
    pixels = 28 * 28
    assert costs == [
        pixels * 256 * (128 + 9 * 192 + 25 * 96),
        pixels * (256 * 128 + 256 * 64 + 9 * 64 * 192 + 256 * 64 + 25 * 64 * 96 + 256 * 64),
    ]
    assert costs == [854_196_224, 271_351_808]


def test_the_third_kernel():
    assert Inception(8, 1, 1, 1, 2, 3, 1).branch3[1].conv.kernel_size == (5, 5)
    assert googlenet_cifar(width=0.0625).inception3a.branch3[1].conv.kernel_size == (3, 3)
    assert googlenet_cifar(width=0.0625, large_kernel=5).inception3a.branch3[1].conv.kernel_size == (5, 5)
    with pytest.raises(ArgumentError, match="Inception: large_kernel must be 5, the paper's, or 3, torchvision's, not 7"):
        Inception(8, 1, 1, 1, 1, 1, 1, large_kernel=7)


def test_side_branches_in_training_only():
    model = googlenet_cifar(5, aux_logits=True, width=0.0625)
    batch, target = images(4, 3, 32, 32), Tensor(np.arange(4))
    outputs = model(batch)
    assert isinstance(outputs, GoogLeNetOutputs)
    assert [output.shape for output in outputs] == [(4, 5)] * 3
    loss = with_side_branches(functional.cross_entropy)(outputs, target)
    first, second, third = (functional.cross_entropy(output, target).item() for output in outputs)
    assert np.isclose(loss.item(), first + 0.3 * second + 0.3 * third)
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    logits = model.eval()(batch)
    assert logits.shape == (4, 5)
    plain = googlenet_cifar(width=0.0625)
    assert plain(batch).shape == (4, 10)


def test_a_checkpoint_with_side_branches_loads_into_a_net_without():
    full, plain = googlenet_cifar(aux_logits=True, width=0.0625), googlenet_cifar(width=0.0625)
    assert plain.load_state_dict(full.state_dict()) == ([], [])
    batch = images(2, 3, 32, 32)
    with tinycnn.no_grad():
        np.testing.assert_array_equal(plain.eval()(batch).data, full.eval()(batch).data)
    with pytest.raises(CheckpointError, match=r"aux1\.conv\.conv\.weight.*missing"):
        full.load_state_dict(plain.state_dict())


def test_transform_input():
    options = {"num_classes": 3, "width": 0.0625, "aux_logits": False}
    model, transforming = googlenet(**options).eval(), googlenet(**options, transform_input=True).eval()
    transforming.load_state_dict(model.state_dict())
    batch = images(2, 3, 32, 32)
    scale, shift = np.array([0.229, 0.224, 0.225]) / 0.5, (np.array([0.485, 0.456, 0.406]) - 0.5) / 0.5
    by_hand = (batch.data * scale.reshape(3, 1, 1) + shift.reshape(3, 1, 1)).astype(np.float32)
    with tinycnn.no_grad():
        np.testing.assert_allclose(transforming(batch).data, model(Tensor(by_hand)).data, rtol=1e-4, atol=1e-7)
    with pytest.raises(ArgumentError, match="googlenet: transform_input=True renormalises red, green and blue, but in_channels=4"):
        googlenet(in_channels=4, transform_input=True)


def test_googlenet_learns_and_fits_a_laptop():
    found = losses(googlenet_cifar(dropout=0.0, width=0.125), size=16)
    assert found[-1] < 0.8 * found[0]
    assert multiply_adds(nn.utils.skip_init(googlenet_cifar), (3, 32, 32)) <= 100_000_000
