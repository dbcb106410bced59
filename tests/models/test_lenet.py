"""LeNet-5, today's and the paper's: sizes, parameters, gradients, and that they learn."""

import numpy as np
import pytest

import tinycnn
from tinycnn import functional
from tinycnn.errors import ArgumentError, ShapeError, UsageError
from tinycnn.models import get_model, input_size, lenet5, lenet5_1998, list_models
from tinycnn.models.digit_bitmaps import digit_bitmaps
from tinycnn.models.lenet import C3_CONNECTIONS, PARAMETERS_1998, STAGES, PartlyConnectedConv2d, SubSampling, map_loss
from tinycnn.models.registry import builder
from tinycnn.tensor import Tensor
from tinycnn.train import overfit_one_batch


def parameters_by_layer(model) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        layer = name.split(".")[0]
        counts[layer] = counts.get(layer, 0) + parameter.numel()
    return counts


def random_images(count: int, channels: int, size: int, dtype=np.float32) -> Tensor:
    return Tensor(np.random.default_rng(4).standard_normal((count, channels, size, size)).astype(dtype))


def test_lenet5_parameters_with_each_sum_written_out():
    counts = parameters_by_layer(lenet5())
    assert counts == {
        "conv1": 6 * 1 * 5 * 5 + 6,
        "conv2": 16 * 6 * 5 * 5 + 16,
        "fc1": 120 * 400 + 120,
        "fc2": 84 * 120 + 84,
        "fc3": 10 * 84 + 10,
    }
    assert sum(counts.values()) == 156 + 2416 + 48120 + 10164 + 850 == 61706
    assert sum(parameters_by_layer(lenet5(in_channels=3)).values()) == 61706 + 2 * 6 * 25


def test_lenet5_1998_parameters_with_each_sum_written_out():
    model = lenet5_1998()
    counts = parameters_by_layer(model)
    assert (
        counts
        == PARAMETERS_1998
        == {
            "c1": 6 * (5 * 5 + 1),
            "s2": 6 * 2,
            "c3": (6 * 3 + 9 * 4 + 1 * 6) * 25 + 16,
            "s4": 16 * 2,
            "c5": 120 * (16 * 5 * 5 + 1),
            "f6": 84 * (120 + 1),
        }
    )
    assert sum(counts.values()) == 60000
    assert model.output.bitmaps.numel() == 840
    assert not model.output.bitmaps.requires_grad
    assert "output.bitmaps" in model.state_dict()


def test_table_1_of_the_paper():
    # Row i: which of the sixteen maps of C3 see map i of S2, read off the columns of the paper's table.
    rows = [
        {0, 4, 5, 6, 9, 10, 11, 12, 14, 15},
        {0, 1, 5, 6, 7, 10, 11, 12, 13, 15},
        {0, 1, 2, 6, 7, 8, 11, 13, 14, 15},
        {1, 2, 3, 6, 7, 8, 9, 12, 14, 15},
        {2, 3, 4, 7, 8, 9, 10, 12, 13, 15},
        {3, 4, 5, 8, 9, 10, 11, 13, 14, 15},
    ]
    for source, units in enumerate(rows):
        assert {unit for unit, sources in enumerate(C3_CONNECTIONS) if source in sources} == units


def test_stage_sizes():
    model = lenet5()
    seen = {}
    for name, module in model.named_children():
        module.register_forward_hook(lambda layer, inputs, output, name=name: seen.update({name: output.shape[1:]}))
    model(random_images(2, 1, 28))
    for name, kind, maps, _, size in STAGES:
        assert seen[name] == ((maps,) if kind == "linear" else (maps, size, size))


@pytest.mark.parametrize(("channels", "size", "classes"), [(1, 28, 10), (1, 32, 10), (3, 32, 10), (3, 28, 100)])
def test_lenet5_shapes(channels, size, classes):
    model = lenet5(classes, channels, size)
    assert model(random_images(3, channels, size)).shape == (3, classes)


@pytest.mark.parametrize("size", [28, 32])
def test_lenet5_1998_shapes(size):
    assert lenet5_1998(size)(random_images(3, 1, size)).shape == (3, 10)


def test_the_default_size_follows_the_channels():
    assert lenet5(in_channels=3)(random_images(1, 3, 32)).shape == (1, 10)


def test_a_wrong_image_size_gives_the_path_of_sizes():
    with pytest.raises(ShapeError, match=r"input must have shape \(N, 1, 28, 28\), got \(2, 1, 32, 32\).*pool2 5x5 -> flatten"):
        lenet5()(random_images(2, 1, 32))
    with pytest.raises(ShapeError, match=r"lenet5_1998: input must have shape \(N, 1, 28, 28\), got \(2, 3, 28, 28\)"):
        lenet5_1998()(random_images(2, 3, 28))
    with pytest.raises(ArgumentError, match=r"lenet5: image_size must be 28 .* got 30"):
        lenet5(image_size=30)


def test_the_border_of_28_is_the_paper_of_32():
    small = np.full((1, 1, 28, 28), -0.4, np.float32)
    small[0, 0, 5:20, 8:18] = random_images(1, 1, 28).data[0, 0, 5:20, 8:18]
    large = np.pad(small, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=-0.4)
    tinycnn.manual_seed(0)
    on_28 = lenet5_1998(28)
    tinycnn.manual_seed(0)
    on_32 = lenet5_1998(32)
    np.testing.assert_allclose(on_28(Tensor(small)).data, on_32(Tensor(large)).data, rtol=1e-5)


def test_gradients_of_lenet5():
    tinycnn.manual_seed(1)
    model = lenet5().double()
    images = random_images(2, 1, 28, np.float64)
    tinycnn.gradcheck(lambda x, w1, w2: model(x), (images, model.conv1.weight, model.fc2.weight))


def test_gradients_of_lenet5_1998():
    tinycnn.manual_seed(1)
    model = lenet5_1998().double()
    images = random_images(2, 1, 28, np.float64)
    watched = (
        images,
        model.c1.weight,
        model.s2.coefficient,
        model.s2.bias,
        model.c3.weight,
        model.c3.bias,
        model.f6.weight,
    )
    tinycnn.gradcheck(lambda x, *parameters: model(x), watched)


def test_the_partly_connected_layer_is_a_convolution_with_holes():
    layer = PartlyConnectedConv2d(3, ((0, 2), (1,)), 3).double()
    layer.weight.data[...] = np.random.default_rng(0).standard_normal(layer.weight.shape)
    images = random_images(2, 3, 6, np.float64)
    dense = np.zeros((2, 3, 3, 3))
    dense[0, 0], dense[0, 2], dense[1, 1] = layer.weight.data.reshape(3, 3, 3)
    np.testing.assert_allclose(layer(images).data, functional.conv2d(images, Tensor(dense), layer.bias).data, rtol=1e-12)


def test_sub_sampling_by_hand():
    layer = SubSampling(1)
    layer.coefficient.data[...], layer.bias.data[...] = 0.5, 1.0
    output = layer(Tensor(np.array([[[[1.0, 2.0], [3.0, 4.0]]]], np.float32)))
    np.testing.assert_allclose(output.data, 1.7159 * np.tanh(2 / 3 * (0.5 * 10 + 1)), rtol=1e-6)


def test_the_squashing_function_is_one_at_one():
    from tinycnn.models.lenet import ScaledTanh

    values = ScaledTanh()(Tensor(np.array([-1.0, 0.0, 1.0]))).data
    np.testing.assert_allclose(values, [-1.0, 0.0, 1.0], atol=1e-4)


def test_rbf_is_the_distance_to_the_bitmaps():
    model = lenet5_1998()
    bitmaps = digit_bitmaps()
    distances = -model.output(Tensor(bitmaps)).data
    np.testing.assert_allclose(np.diag(distances), 0.0)
    by_hand = ((bitmaps[:, None] - bitmaps[None]) ** 2).sum(2)
    np.testing.assert_allclose(distances, by_hand)
    assert (by_hand + 100 * np.eye(10)).min() >= 16  # every two pictures differ in at least four pixels


def test_map_loss_is_equation_9():
    distances = np.array([[1.0, 4.0], [2.5, 0.5]])
    target = np.array([0, 0])
    j = 0.1
    by_hand = np.mean([y[t] + np.log(np.exp(-j) + np.exp(-y).sum()) for y, t in zip(distances, target, strict=True)])
    assert np.isclose(map_loss(Tensor(-distances), Tensor(target), j).item(), by_hand)


@pytest.mark.parametrize(("name", "rate"), [("lenet5", 2e-3), ("lenet5_1998", 2e-3)])
def test_one_batch_is_learned_by_heart(name, rate):
    tinycnn.manual_seed(0)
    images = random_images(10, 1, 28)
    found = overfit_one_batch(get_model(name), images, Tensor(np.arange(10)), steps=150, learning_rate=rate)
    assert found.passed, found.verdict


def test_the_registry():
    assert {"lenet5", "lenet5_1998"} <= set(list_models())
    assert list_models() == sorted(list_models())
    assert get_model("lenet5", num_classes=3).fc3.weight.shape == (3, 84)


def test_every_network_says_which_images_it_is_made_for():
    sizes = {name: input_size(name) for name in list_models()}
    assert sizes["lenet5"] == sizes["lenet5_1998"] == (1, 28, 28)
    assert {size for name, size in sizes.items() if name.endswith("_cifar")} == {(3, 32, 32)}
    named = ("resnet20", "network_in_network", "resnet50", "alexnet_2012", "xception", "inception_v2", "efficientnet_b2", "efficientnet_b7")
    assert [sizes[name][-1] for name in named] == [32, 32, 224, 227, 299, 224, 260, 600]
    assert {side for _, *sides in sizes.values() for side in sides} == {28, 32, 224, 227, 240, 260, 299, 300, 380, 456, 528, 600}
    with pytest.raises(UsageError, match="input_size: there is no model called 'lenet'; did you mean lenet5"):
        input_size("lenet")


def test_two_builders_of_one_name():
    with pytest.raises(UsageError, match="two builders called lenet5"):
        builder(image_size=28)(lenet5)


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("lenet", {}, "no model called 'lenet'; did you mean lenet5"),
        ("qqqqqq", {}, "no model called 'qqqqqq'; there are .*lenet5, lenet5_1998"),
        ("lenet5", {"num_class": 3}, "no option of lenet5 called 'num_class'; did you mean num_classes"),
        ("lenet5_1998", {"in_channels": 3}, "no option of lenet5_1998 called 'in_channels'"),
    ],
)
def test_typos_get_the_nearest_names(name, options, match):
    with pytest.raises(UsageError, match=match):
        get_model(name, **options)
