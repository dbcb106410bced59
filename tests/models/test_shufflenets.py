"""ShuffleNet v1 and v2: tables, parameters, who sees whom, learning, errors."""

import numpy as np
import pytest

from tests.models.measuring import check_gradients, images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import nn
from tinycnn.errors import ArgumentError
from tinycnn.models import ShuffleNetV1, ShuffleNetV2, get_model, shufflenet_v1_cifar
from tinycnn.models.shufflenetv1 import STAGE2_CHANNELS, STAGES, ShuffleUnit
from tinycnn.models.shufflenetv2 import InvertedResidual

# Table 1 of the first paper: complexity in million multiply-adds, by the number of groups.
COMPLEXITY = {1: 143, 2: 140, 3: 137, 4: 133, 8: 137}

# The authors' repository, megvii-model/ShuffleNet-Series: millions of parameters, to one place.
AUTHORS = {("x2_0", 8): 6.5, ("x1_5", 3): 3.4, ("x1_5", 8): 4.3, ("x1_0", 3): 1.9, ("x1_0", 8): 2.4, ("x0_5", 3): 0.7, ("x0_5", 8): 1.0}

# pytorch.org/vision, the page of each model: num_params.
PUBLISHED = {"shufflenet_v2_x0_5": 1_366_792, "shufflenet_v2_x1_0": 2_278_604, "shufflenet_v2_x1_5": 3_503_624, "shufflenet_v2_x2_0": 7_393_996}


def sum_of_table_1(groups):
    """The first convolution, sixteen units of three convolutions, a scale and a shift a channel of each, the classifier."""
    count, channels, out = 3 * 24 * 9 + 2 * 24, 24, STAGE2_CHANNELS[groups]
    for stage, (_, units) in enumerate(STAGES):
        for unit in range(units):
            middle, branch = out // 4, out - channels if unit == 0 else out
            first_groups = 1 if stage == unit == 0 else groups
            count += channels * middle // first_groups + 9 * middle + middle * branch // groups + 2 * (2 * middle + branch)
            channels = out
        out *= 2
    return count + channels * 1000 + 1000


@pytest.mark.parametrize(("groups", "count"), [(1, 1_531_936), (2, 1_733_848), (3, 1_865_728), (4, 1_968_344), (8, 2_434_768)])
def test_parameters_of_v1(groups, count):
    """No count is published: the sum from the table."""
    assert parameters("shufflenet_v1_x1_0", groups=groups) == sum_of_table_1(groups) == count


@pytest.mark.parametrize(("variant", "millions"), AUTHORS.items())
def test_parameters_of_v1_are_the_authors_to_the_place_they_print(variant, millions):
    width, groups = variant
    assert parameters(f"shufflenet_v1_{width}", groups=groups) / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize(("name", "count"), PUBLISHED.items())
def test_parameters_of_v2(name, count):
    assert parameters(name) == count


@pytest.mark.exhaustive
@pytest.mark.parametrize(("groups", "millions"), COMPLEXITY.items())
def test_the_same_budget_for_every_number_of_groups(groups, millions):
    model = nn.utils.skip_init(get_model, "shufflenet_v1_x1_0", groups=groups)
    assert multiply_adds(model, (3, 224, 224)) == pytest.approx(millions * 1e6, abs=1.5e6)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "millions"), list(zip(PUBLISHED, (41, 146, 299, 591), strict=True)))
def test_multiply_adds_of_table_5(name, millions):
    assert multiply_adds(nn.utils.skip_init(get_model, name), (3, 224, 224)) == pytest.approx(millions * 1e6, rel=0.015)


@pytest.mark.parametrize(("name", "millions"), [("shufflenet_v1_cifar", 43), ("shufflenet_v2_cifar", 45)])
def test_a_laptop_can_train_it(name, millions):
    assert round(multiply_adds(nn.utils.skip_init(get_model, name), (3, 32, 32)) / 1e6) == millions


@pytest.mark.parametrize(("name", "channels"), [("shufflenet_v1_x1_0", (24, 240, 480, 960)), ("shufflenet_v2_x0_5", (24, 48, 96, 192))])
def test_stages(name, channels):
    """The tables' sizes for an image of 64x64."""
    shapes, output = stage_shapes(nn.utils.skip_init(get_model, name), (1, 3, 64, 64), ("maxpool", "stage2", "stage3", "stage4"))
    assert shapes == [(count, size, size) for count, size in zip(channels, (16, 8, 4, 2), strict=True)]
    assert output == (1, 1000)


@pytest.mark.parametrize("width", ["x0_25", "x0_5", "x1_5", "x2_0"])
@pytest.mark.parametrize("groups", STAGE2_CHANNELS)
def test_every_width_divides_into_its_groups(width, groups):
    factor = float(width[1:].replace("_", "."))
    model = nn.utils.skip_init(get_model, f"shufflenet_v1_{width}", groups=groups)
    out_channels = model.stage3[0].compress.in_channels
    assert out_channels % (4 * groups) == 0
    assert abs(out_channels - factor * STAGE2_CHANNELS[groups]) <= 2 * groups


def test_shuffled_groups_see_each_other():
    """A change in the first group of channels reaches every group behind the unit; without the shuffle it reaches its own alone."""
    unit = ShuffleUnit(36, 36, 1, 3, 3).eval()
    x = np.random.default_rng(0).standard_normal((1, 36, 4, 4)).astype(np.float32)
    changed = x.copy()
    changed[:, :12] += 1.0

    def reached():
        branch = [unit.expand(unit.bn2(unit.depthwise(shuffle(unit.bn1(unit.compress(image)))))).data for image in (x, changed)]
        return [bool((branch[0][:, start : start + 12] != branch[1][:, start : start + 12]).any()) for start in (0, 12, 24)]

    shuffle = nn.ChannelShuffle(3)
    assert reached() == [True, True, True]
    shuffle = nn.Identity()
    assert reached() == [True, False, False]


def test_half_of_the_channels_pass_by():
    """Behind the shuffle every second channel is one that came in."""
    unit = InvertedResidual(8, 8, 1).eval()
    x = images(2, 8, 5, 5)
    y = unit(x)
    np.testing.assert_array_equal(y.data[:, ::2], x.data[:, :4])
    np.testing.assert_allclose(y.data[:, 1::2], unit.branch2(x.data[:, 4:].copy()).data, atol=1e-6)


def test_the_average_stands_beside_the_branch():
    unit = ShuffleUnit(4, 24, 2, 2, 1).eval()
    x = images(2, 4, 6, 6)
    np.testing.assert_allclose(unit(x).data[:, :4], nn.AvgPool2d(3, 2, 1)(x).data, atol=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        lambda: shufflenet_v1_cifar(width_mult=0.25),
        lambda: ShuffleNetV2((1, 2, 1), (8, 16, 32, 64, 64), 10, small_images=True),
    ],
)
def test_it_learns(model):
    found = losses(model(), size=16, steps=10, learning_rate=0.02)
    assert found[-1] < 0.7 * found[0]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("block", "shape"),
    [
        (lambda: ShuffleUnit(8, 8, 1, 2, 2), (3, 8, 4, 4)),
        (lambda: ShuffleUnit(4, 8, 2, 2, 1), (3, 4, 4, 4)),
        (lambda: InvertedResidual(4, 4, 1), (3, 4, 4, 4)),
        (lambda: InvertedResidual(4, 8, 2), (3, 4, 4, 4)),
    ],
)
def test_gradients(block, shape):
    check_gradients(block(), shape)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ShuffleNetV1(groups=5), "groups must be one of the paper's 1, 2, 3, 4, 8, not 5"),
        (lambda: ShuffleNetV1(width_mult=float("nan")), "width_mult must be a finite number above 0, not nan"),
        (lambda: ShuffleNetV2((1, 1), (8, 16, 32, 64, 64)), "3 numbers and stages_out_channels 5 .*, not 2 and 5"),
        (lambda: InvertedResidual(8, 12, 1), "in_channels=8 must be half of out_channels=12"),
        (lambda: get_model("shufflenet_v2_cifar", width="x3_0"), "width must be one of x0_5, x1_0, x1_5, x2_0, not 'x3_0'"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()
