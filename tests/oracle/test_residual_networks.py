"""Residual, dense, attentive and separable networks against torchvision's and timm's."""

import pytest

from tests.oracle.model_agreement import agree, randomise, same_initialisation, same_keys
from tinycnn import models, nn

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
timm = pytest.importorskip("timm")
pytestmark = pytest.mark.torch

SMALL = (2, 3, 40, 40)  # odd sizes on the way: 20, 10, 5, 3, 2


def ours(name, **options):
    return nn.utils.skip_init(models.get_model, name, **options)


def theirs(name, **options):
    if name.startswith("cbam_"):
        return timm.create_model(name.removeprefix("cbam_"), block_args={"attn_layer": "cbam"})
    if name == "xception":
        return timm.create_model("legacy_xception")
    if name.startswith(("seresnet", "darknet")):
        return timm.create_model(name)
    if name.startswith("densenet"):
        return getattr(torchvision.models, name)(**options)
    return getattr(torchvision.models, name)(**options)


@pytest.mark.parametrize("name", ["resnet18", "resnext50_32x4d", "densenet121", "seresnet18", "cbam_resnet18"])
def test_the_smallest_of_each_family(name):
    agree(ours(name), theirs(name), SMALL)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "name",
    """resnet34 resnet50 resnet101 resnet152 resnext101_32x8d resnext101_64x4d wide_resnet50_2 wide_resnet101_2 densenet161 densenet169
    densenet201 seresnet34 seresnet50 seresnet101 seresnet152 cbam_resnet50""".split(),
)
def test_every_variant(name):
    agree(ours(name), theirs(name), SMALL)


def test_darknet53_and_xception():
    agree(ours("darknet53"), theirs("darknet53"), (2, 3, 32, 32))
    agree(ours("xception"), theirs("xception"), (2, 3, 43, 43))


@pytest.mark.exhaustive
def test_training_mode():
    for name in ("resnet18", "seresnet18", "cbam_resnet18", "densenet121"):
        agree(ours(name), theirs(name), (4, 3, 64, 64), 1e-7, training=True)


@pytest.mark.exhaustive
def test_dilations_and_grey_images():
    options = {"replace_stride_with_dilation": [False, True, True], "zero_init_residual": True}
    agree(ours("resnet50", **options), theirs("resnet50", **options), SMALL)
    timms = timm.create_model("seresnet18", in_chans=1, num_classes=7)
    agree(ours("seresnet18", num_classes=7, in_channels=1), timms, (2, 1, 40, 40))


@pytest.mark.parametrize("name", ["resnet18", "seresnet18", "densenet121"])
def test_they_start_alike(name):
    same_initialisation(models.get_model(name), theirs(name))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["resnext50_32x4d", "cbam_resnet18", "cbam_resnet50", "darknet53", "xception"])
def test_they_start_alike_too(name):
    same_initialisation(models.get_model(name), theirs(name))


class OptionA(torch.nn.Module):
    """Every second pixel, zeros around the channels."""

    def __init__(self, channels):
        super().__init__()
        self.zeros = channels // 4

    def forward(self, x):
        return torch.nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.zeros, self.zeros))


def torch_cifar_resnet(blocks, shortcut):
    """The paper's section 4.2, put together from torchvision's basic block."""
    layers = torch.nn.Module()
    layers.conv1, layers.bn1 = torch.nn.Conv2d(3, 16, 3, padding=1, bias=False), torch.nn.BatchNorm2d(16)
    before = 16
    for number, channels in enumerate((16, 32, 64), 1):
        stage = []
        for position in range(blocks):
            first, down = position == 0 and number > 1, None
            if first and shortcut == "A":
                down = OptionA(channels)
            elif first:
                down = torch.nn.Sequential(torch.nn.Conv2d(before, channels, 1, 2, bias=False), torch.nn.BatchNorm2d(channels))
            stage.append(torchvision.models.resnet.BasicBlock(before, channels, 2 if first else 1, down))
            before = channels
        layers.add_module(f"layer{number}", torch.nn.Sequential(*stage))
    layers.linear = torch.nn.Linear(64, 10)

    def forward(x):
        x = torch.relu(layers.bn1(layers.conv1(x)))
        return layers.linear(layers.layer3(layers.layer2(layers.layer1(x))).mean((2, 3)))

    layers.forward = forward
    return layers


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_cifar_resnet20(shortcut):
    agree(models.resnet20(shortcut=shortcut), torch_cifar_resnet(3, shortcut), (4, 3, 16, 16), training=True)


def test_the_helper_sees_a_difference():
    """A network with another epsilon, one with a layer less, and one that loads but computes something else are all refused."""
    norms = torch_cifar_resnet(1, "A")
    for module in norms.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 1.001e-5
    with pytest.raises(AssertionError, match="of the largest number"):
        agree(models.CifarResNet(8), norms, (2, 3, 8, 8))
    with pytest.raises(AssertionError):
        same_keys(models.CifarResNet(8), torch_cifar_resnet(2, "A"))
    with pytest.raises(AssertionError, match="of the largest number"):
        agree(models.CifarResNet(8, shortcut=None), torch_cifar_resnet(1, "A"), (2, 3, 8, 8))
    assert randomise(torch_cifar_resnet(1, "A"), 1, (2, 3, 8, 8)).bn1.running_var.std() > 0
