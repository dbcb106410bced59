"""Branches side by side: names, channels, forks, gradients; renormalised images; the loss with side branches; smallest images of all nets here."""

import numpy as np
import pytest

import tinycnn
from tests.models.measuring import check_gradients, images
from tinycnn import Tensor, nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models import get_model
from tinycnn.models.alexnet import AlexNet
from tinycnn.models.inception_blocks import Branches, Conv, Fork, conv_bn_relu, require_rgb, to_inception_range
from tinycnn.models.inception_resnet import ResidualBranches
from tinycnn.models.sizes import scaled
from tinycnn.models.vgg import VGG

FORKED = {
    "one": (Conv(2),),
    "two": (Conv(3), Fork(Conv(2, (1, 3)), Conv(4, (3, 1)))),
    "pool": ("avg", Conv(2)),
}


def test_names_of_children():
    names = lambda block: [name for name, _ in block.named_children()]  # noqa: E731
    assert names(Branches(4, FORKED)) == ["one", "two_0", "two_1a", "two_1b", "pool"]
    assert names(Branches(4, FORKED, numbered_from=1)) == ["one", "two_1", "two_2a", "two_2b", "pool_avg", "pool"]
    nested = Branches(4, {"a": (Conv(2), Conv(2, 3)), "b": ("max",)})
    assert [name for name in nested.state_dict() if name.endswith("conv.weight")] == ["a.0.conv.weight", "a.1.conv.weight"]


@pytest.mark.parametrize("numbered_from", [None, 1])
def test_outputs_stand_in_the_order_of_the_table(numbered_from):
    block = Branches(4, FORKED, numbered_from=numbered_from).eval()
    assert block.out_channels == 2 + (2 + 4) + 2
    x = images(2, 4, 5, 6)
    two, a, b = (getattr(block, f"two_{n}") for n in (("0", "1a", "1b") if numbered_from is None else ("1", "2a", "2b")))
    pool = block.pool if numbered_from is None else nn.Sequential(block.pool_avg, block.pool)
    with tinycnn.no_grad():
        expected = [block.one(x), a(two(x)), b(two(x)), pool(x)]
        np.testing.assert_array_equal(block(x).data, np.concatenate([part.data for part in expected], 1))


def test_a_step_is_convolution_normalisation_and_relu():
    step = conv_bn_relu(2, Conv(3, (1, 7), 2))
    assert step.conv.bias is None
    assert (step.conv.padding, step.conv.stride, step.bn.eps) == ((0, 3), (2, 2), 0.001)
    assert conv_bn_relu(2, Conv(3, 3, valid=True)).conv.padding == (0, 0)
    x = images(2, 2, 8, 8)
    np.testing.assert_allclose(step(x).data, np.maximum(nn.BatchNorm2d(3, eps=0.001)(step.conv(x)).data, 0), rtol=1e-5, atol=1e-6)


def test_width_scales_every_convolution():
    block = Branches(4, FORKED, 2.0)
    assert block.out_channels == 20
    assert (scaled(192, 0.5), scaled(1, 0.01)) == (96, 1)


def test_evaluation_folds_the_normalisation():
    block = Branches(4, FORKED)
    x = images(4, 4, 5, 6)
    with tinycnn.no_grad():
        block(x)  # statistics that are not 0 and 1
        before = block.eval()(x).data
        after = nn.fuse(block)(x).data
    assert not [layer for layer in block.modules() if isinstance(layer, nn.BatchNorm2d)]
    np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-5)


def test_gradients():
    check_gradients(Branches(3, FORKED), (3, 3, 4, 4))
    check_gradients(ResidualBranches(3, {"branch0": (Conv(2),), "branch1": (Conv(2), Conv(2, 3))}, scale=0.3), (3, 3, 4, 4))


def test_residual_branches_by_their_formula():
    branches = {"branch0": (Conv(2),), "branch1": (Conv(2), Conv(3, 3))}
    x = images(2, 4, 5, 5)
    for scale, relu in ((0.17, True), (1.0, False)):
        block = ResidualBranches(4, branches, scale=scale, relu=relu).eval()
        with tinycnn.no_grad():
            parts = np.concatenate([block.branch0(x).data, block.branch1(x).data], 1)
            step = np.einsum("oi,nihw->nohw", block.conv2d.weight.data[:, :, 0, 0], parts) + block.conv2d.bias.data[:, None, None]
            total = x.data + scale * step
            np.testing.assert_allclose(block(x).data, np.maximum(total, 0) if relu else total, rtol=1e-4, atol=1e-5)


def test_images_renormalised_to_minus_one_to_one():
    raw = np.random.default_rng(0).random((2, 3, 2, 2))
    mean, std = (np.array(numbers).reshape(1, 3, 1, 1) for numbers in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    np.testing.assert_allclose(to_inception_range(Tensor((raw - mean) / std)).data, 2 * raw - 1, rtol=1e-12)
    with pytest.raises(ArgumentError, match=r"googlenet: transform_input=True .* in_channels=1; set transform_input=False"):
        require_rgb("googlenet", True, 1)


def narrow(name):
    """A net with few channels, whose sizes are those of the wide one."""
    if name == "alexnet":
        return AlexNet(2, hidden=4, width=0.0625)
    if name == "vgg11":
        return VGG(11, 2, hidden=4, width=0.0625)
    if name in ("squeezenet1_0", "squeezenet1_1"):
        return get_model(name, num_classes=2)
    return get_model(name, num_classes=2, width=0.0625)


@pytest.mark.parametrize(
    ("name", "smallest"),
    [
        ("alexnet", 63),
        ("alexnet_cifar", 15),
        ("vgg11", 32),
        ("network_in_network", 4),
        ("network_in_network_imagenet", 39),
        ("squeezenet1_0", 21),
        ("squeezenet1_1", 17),
        ("squeezenet_cifar", 4),
        ("googlenet", 15),
        ("googlenet_cifar", 4),
        ("inception_v2", 7),
        ("inception_v3", 75),
        ("inception_v3_cifar", 15),
        ("inception_v4", 75),
        ("inception_v4_cifar", 15),
        ("inception_resnet_v1", 75),
        ("inception_resnet_v2", 75),
        ("inception_resnet_v2_cifar", 15),
    ],
)
def test_the_smallest_image(name, smallest):
    """It works, one pixel less does not, and the net says so before its first layer runs."""
    model = narrow(name).eval()
    with tinycnn.no_grad():
        assert model(np.zeros((1, 3, smallest, smallest), np.float32)).shape == (1, 2)
        with pytest.raises(ShapeError, match=rf"images must be at least {smallest}x{smallest}, got {smallest + 1}x{smallest - 1}, of which nothing"):
            model(np.zeros((1, 3, smallest + 1, smallest - 1), np.float32))
        model.smallest = 1
        with pytest.raises(ShapeError) as found:
            model(np.zeros((1, 3, smallest - 1, smallest - 1), np.float32))
        assert "images must be at least" not in str(found.value)
