"""AlexNet, VGG, SqueezeNet, GoogLeNet and the Inception networks against torchvision's and timm's."""

import numpy as np
import pytest

from tests.oracle.model_agreement import agree, close, randomise, same_initialisation, same_keys
from tinycnn import Tensor, models, nn, no_grad
from tinycnn.models.alexnet import AlexNet
from tinycnn.models.vgg import VGG

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
timm = pytest.importorskip("timm")
pytestmark = pytest.mark.torch

WITH_HEADS = {"googlenet", "inception_v3"}


def ours(name, **options):
    return nn.utils.skip_init(models.get_model, name, **options)


def theirs(name, **options):
    if name in ("inception_v4", "inception_resnet_v2"):
        return timm.create_model(name, **options)
    if name in WITH_HEADS:
        options = {"init_weights": False, **options}
    return getattr(torchvision.models, name)(**options)


def test_alexnet_with_few_hidden_units():
    other = theirs("alexnet", num_classes=10)
    other.classifier[1], other.classifier[4], other.classifier[6] = (torch.nn.Linear(*sizes) for sizes in ((9216, 64), (64, 64), (64, 10)))
    agree(nn.utils.skip_init(AlexNet, 10, hidden=64), other, (2, 3, 63, 70))


def test_vgg_with_few_hidden_units():
    features = theirs("vgg11_bn", num_classes=1).features
    other = torchvision.models.VGG(features, num_classes=10, init_weights=False)
    other.classifier[0], other.classifier[3], other.classifier[6] = (torch.nn.Linear(*sizes) for sizes in ((25088, 64), (64, 64), (64, 10)))
    agree(nn.utils.skip_init(VGG, 11, 10, batch_norm=True, hidden=64), other, (2, 3, 32, 45))


def test_squeezenet():
    agree(ours("squeezenet1_1"), theirs("squeezenet1_1"), (2, 3, 64, 50))
    same_initialisation(models.squeezenet1_1(), theirs("squeezenet1_1"))


def test_googlenet_with_its_side_branches():
    agree(ours("googlenet"), theirs("googlenet"), (4, 3, 64, 64), training=True)


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_images_are_renormalised_as_theirs(name):
    size = {"googlenet": 32, "inception_v3": 75}[name]
    agree(ours(name, aux_logits=False, transform_input=True), theirs(name, aux_logits=False, transform_input=True), (2, 3, size, size))


def test_inception_v4():
    agree(ours("inception_v4"), theirs("inception_v4"), (2, 3, 75, 75))


def test_inception_resnet_v2():
    agree(ours("inception_resnet_v2"), theirs("inception_resnet_v2"), (2, 3, 75, 75))


def test_the_side_branch_of_inception_v3():
    mine, other = ours("inception_v3"), theirs("inception_v3")
    same_keys(mine, other)
    with np.errstate(all="ignore"):  # memory that skip_init left as it was may hold anything
        mine = mine.AuxLogits.double()
    other = randomise(other.AuxLogits.double())
    mine.load_state_dict({key: value.numpy() for key, value in other.state_dict().items()})
    maps = np.random.default_rng(0).standard_normal((4, 768, 17, 19))
    for mode in (False, True):
        with no_grad(), torch.no_grad():
            close(mine.train(mode)(Tensor(maps)).data, other.train(mode)(torch.from_numpy(maps)).numpy(), 1e-9)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "name", ["alexnet", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn", "squeezenet1_0", "squeezenet1_1"]
)
def test_every_variant(name):
    agree(ours(name), theirs(name), (2, 3, 64, 64), training="bn" in name)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["googlenet", "inception_v3", "inception_v4", "inception_resnet_v2"])
def test_training_mode_at_full_size(name):
    size = 224 if name == "googlenet" else 299
    agree(ours(name), theirs(name), (4, 3, size, size), 1e-8, training=True)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn", "squeezenet1_0", "googlenet", "inception_v3", "inception_v4", "inception_resnet_v2"])
def test_how_weights_start(name):
    same_initialisation(models.get_model(name), theirs(name, **({"init_weights": True} if name in WITH_HEADS else {})))
