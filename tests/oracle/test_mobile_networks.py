"""Our mobile networks are torchvision's and timm's: keys, shapes, outputs in both modes, statistics, the rules of initialisation."""

from functools import partial

import numpy as np
import pytest

import tinycnn
from tests.oracle.model_agreement import agree, close, randomise, same_initialisation
from tinycnn import Tensor, nn
from tinycnn.models import get_model
from tinycnn.models.coatnet import SIZES

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
timm = pytest.importorskip("timm")

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]


def ours(name, **options):
    return nn.utils.skip_init(get_model, name, **options)


def theirs(name, **options):
    return getattr(torchvision.models, name)(**options)


def timm_mobilenet(width):
    from timm.models.efficientnet import _gen_mobilenet_v1

    return _gen_mobilenet_v1("mobilenetv1_100", width)


def timm_coatnet(size, image_size, **options):
    stem_width, embed_dim, depths = SIZES[size]
    return timm.create_model("coatnet_0_rw_224", img_size=image_size, stem_width=stem_width, embed_dim=embed_dim, depths=depths, **options)


SMALLEST = [
    pytest.param(partial(ours, "mobilenetv1_025"), partial(timm_mobilenet, 0.25), 32, id="mobilenetv1_025"),
    pytest.param(partial(ours, "mobilenet_v2", width_mult=0.25), partial(theirs, "mobilenet_v2", width_mult=0.25), 32, id="mobilenet_v2"),
    pytest.param(
        partial(ours, "mobilenet_v3_small", width_mult=0.5), partial(theirs, "mobilenet_v3_small", width_mult=0.5), 32, id="mobilenet_v3_small"
    ),
    pytest.param(partial(ours, "shufflenet_v2_x0_5"), partial(theirs, "shufflenet_v2_x0_5"), 32, id="shufflenet_v2_x0_5"),
    pytest.param(partial(ours, "mnasnet0_5"), partial(theirs, "mnasnet0_5"), 32, id="mnasnet0_5"),
    pytest.param(partial(ours, "efficientnet_b0"), partial(theirs, "efficientnet_b0"), 32, id="efficientnet_b0"),
    pytest.param(partial(ours, "coatnet_mini", image_size=64), partial(timm_coatnet, "mini", 64), 64, id="coatnet_mini"),
]


@pytest.mark.parametrize(("mine", "other", "size"), SMALLEST)
def test_the_smallest_of_each_family(mine, other, size):
    # timm keeps CoAtNet's table of offsets flat, and only training compares the buffers that are not saved.
    agree(mine(), other(), (4, 3, size, size), training=size == 32)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mobilenet_v2", {}),
        ("mobilenet_v2", {"width_mult": 1.4, "round_nearest": 4, "num_classes": 7}),
        ("mobilenet_v2", {"inverted_residual_setting": [[1, 16, 1, 1], [4, 24, 2, 2]]}),
        ("mobilenet_v3_large", {}),
        ("mobilenet_v3_small", {}),
        ("mobilenet_v3_large", {"reduced_tail": True, "dilated": True}),
        ("mobilenet_v3_small", {"reduced_tail": True, "width_mult": 0.75}),
        ("mobilenet_v3_small", {"dilated": True}),
        ("shufflenet_v2_x1_0", {}),
        ("shufflenet_v2_x1_5", {}),
        ("shufflenet_v2_x2_0", {}),
        ("mnasnet0_75", {}),
        ("mnasnet1_0", {}),
        ("mnasnet1_3", {}),
        *((f"efficientnet_b{number}", {}) for number in range(1, 8)),
    ],
)
def test_torchvisions(name, options):
    if {"reduced_tail", "dilated"} & set(options):
        from torchvision.models.mobilenetv3 import MobileNetV3, _mobilenet_v3_conf

        other = MobileNetV3(*_mobilenet_v3_conf(name, **options))
    else:
        other = theirs(name, **options)
    agree(ours(name, **options), other, (2, 3, 64, 64), training=True)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "width"), [("mobilenetv1_100", 1.0), ("mobilenetv1_125", 1.25), ("mobilenetv1_075", 0.75), ("mobilenetv1_050", 0.5)]
)
def test_timms_mobilenet(name, width):
    agree(ours(name), timm_mobilenet(width), (2, 3, 64, 64), training=True)


@pytest.mark.exhaustive
@pytest.mark.parametrize("size", [96, 224])
def test_timms_coatnet(size):
    agree(ours("coatnet_0_rw_224", image_size=size), timm.create_model("coatnet_0_rw_224", img_size=size), (2, 3, size, size))


def test_timms_lite0_under_its_own_names():
    other = randomise(timm.create_model("tf_efficientnet_lite0").double(), 0, (4, 3, 64, 64)).eval()
    mine = ours("efficientnet_lite0").double().eval()
    assert mine.load_state_dict({key: value.numpy() for key, value in other.state_dict().items()}) == ([], [])
    images = np.random.default_rng(0).standard_normal((2, 3, 64, 64))
    with tinycnn.no_grad(), torch.no_grad():
        expected = other(torch.from_numpy(images)).numpy()
        close(mine(Tensor(images)).data, expected, 1e-9)
    assert not np.allclose(expected[0], expected[1], rtol=1e-3)


@pytest.mark.parametrize("variant", ["b0", "b3", "b4", "b5", "b7"])
def test_efficientnets_constants(variant):
    """Dropout, stochastic depth, eps and momentum are numbers that a state dict does not show."""
    name = f"efficientnet_{variant}"
    mine = ours(name)
    with torch.device("meta"):
        other = theirs(name)

    def numbers(model):
        kinds = ("BatchNorm2d", "Dropout", "StochasticDepth")
        return [
            tuple(getattr(module, name) for name in ("eps", "momentum", "p", "mode") if hasattr(module, name))
            for module in model.modules()
            if type(module).__name__ in kinds
        ]

    assert numbers(mine) == numbers(other)


def test_coatnets_blocks_are_left_out_as_often_as_timms():
    mine, other = ours("coatnet_mini", image_size=64, drop_path_rate=0.3), timm_coatnet("mini", 64, drop_path_rate=0.3)
    chances = [module.p for module in mine.modules() if type(module).__name__ == "StochasticDepth"]
    expected = [module.drop_prob for module in other.modules() if type(module).__name__ == "DropPath"]
    np.testing.assert_allclose([chance for chance in chances if chance], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ("mobilenetv1_025", partial(timm_mobilenet, 0.25)),
        ("mobilenet_v2", partial(theirs, "mobilenet_v2")),
        ("mobilenet_v3_small", partial(theirs, "mobilenet_v3_small")),
        ("shufflenet_v2_x0_5", partial(theirs, "shufflenet_v2_x0_5")),
        ("mnasnet0_5", partial(theirs, "mnasnet0_5")),
        ("efficientnet_b0", partial(theirs, "efficientnet_b0")),
        ("coatnet_mini", partial(timm_coatnet, "mini", 224)),
    ],
)
def test_initialisation(mine, other):
    torch.manual_seed(0)
    same_initialisation(get_model(mine), other())
