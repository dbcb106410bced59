"""Attribution: laws that hold whatever the network, and objects that were planted where the map must find them."""

import numpy as np
import pytest

import tinycnn
from tinycnn import models, nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.functional import relu
from tinycnn.study import attribution
from tinycnn.study.attribution import METHODS, attribute, randomisation, top_patches
from tinycnn.study.attribution.overlay import HEAT, SIGNED, overlay
from tinycnn.study.attribution.rectifiers import taken_apart


class Pooled(nn.Module):
    """Convolutions, a fused rectifier with a residual, global average pooling and one linear layer; float64."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1, activation="relu")
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4, activation="relu")
        self.pool = nn.MaxPool2d(2)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(4, 3)

    def forward(self, input):
        x = self.conv1(input)
        x = self.pool(self.norm(self.conv2(x), residual=x))
        return self.head(self.gap(x).reshape(len(x), -1))


class Finder(nn.Module):
    """Class 1's logit is the sum of what is bright; class 0's is nothing."""

    def forward(self, input):
        total = relu(input).sum((1, 2, 3))
        return tinycnn.stack([total * 0.0, total], 1)


@pytest.fixture
def pooled():
    return Pooled().double()


@pytest.fixture
def images():
    return np.random.default_rng(5).standard_normal((2, 2, 8, 8))


def test_grad_cam_is_cam_over_the_number_of_places(pooled, images):
    one, other = attribution.cam(pooled, images, [0, 2]), attribution.grad_cam(pooled, images, [0, 2])
    np.testing.assert_allclose(np.maximum(one.raw, 0) / one.raw[0].size, other.raw, rtol=1e-10, atol=1e-14)
    assert one.layer == other.layer == "norm"


def test_the_mean_of_cam_and_the_bias_are_the_logit(pooled, images):
    """Pooling the maps comes first here, so the layer behind the pooling is the one whose mean is taken."""
    answer = attribution.cam(pooled, images, 1, layer="pool")
    np.testing.assert_allclose(answer.raw.mean((1, 2)) + pooled.head.bias.data[1], answer.score, rtol=1e-10)


def test_layer_cam_and_grad_cam_agree_where_the_gradient_is_constant(pooled, images):
    """Behind the last maps the gradient is the same at each place; with weights and maps above zero both formulas are one."""
    pooled.head.weight.data[...] = np.abs(pooled.head.weight.data)
    one, other = attribution.layer_cam(pooled, images, 0, "pool"), attribution.grad_cam(pooled, images, 0, "pool")
    np.testing.assert_allclose(one.raw, other.raw, rtol=1e-10)
    plus = attribution.grad_cam_plus_plus(pooled, images, 0, "pool")
    assert plus.raw.shape == other.raw.shape
    assert (plus.raw >= 0).all()


def test_grad_cam_plus_plus_is_its_formula(pooled, images):
    """By loops over the maps and their gradients."""
    from tinycnn.study.attribution.probe import Probe

    _, maps, gradient = Probe("test", pooled, images, 2).maps("conv1")
    expected = np.zeros((2, 8, 8))
    for n in range(2):
        for k in range(4):
            total, weight = maps[n, k].sum(), 0.0
            for g in gradient[n, k].reshape(-1):
                below = 2 * g**2 + g**3 * total
                weight += (g**2 / below if below else 0.0) * max(g, 0.0)
            expected[n] += weight * maps[n, k]
    answer = attribution.grad_cam_plus_plus(pooled, images, 2, "conv1")
    np.testing.assert_allclose(answer.raw, np.maximum(expected, 0), rtol=1e-9, atol=1e-14)


def test_integrated_gradients_add_up(pooled, images):
    answer = attribution.integrated_gradients(pooled, images[:1], 2, steps=200)
    assert answer.facts["change"] != 0
    assert abs(answer.facts["gap"]) < 2e-3 * max(1, abs(answer.facts["change"]))
    rough = attribution.integrated_gradients(pooled, images[:1], 2, steps=2)
    assert abs(rough.facts["gap"]) > abs(answer.facts["gap"])
    linear = nn.Sequential(nn.Flatten(), nn.Linear(128, 3)).double()
    exact = attribution.integrated_gradients(linear, images, 1, steps=1, baseline=0.5)
    np.testing.assert_allclose(exact.raw.reshape(2, -1), (images - 0.5).reshape(2, -1) * linear[1].weight.data[1], rtol=1e-10)


def test_saliency_is_the_gradient_and_smooth_grad_without_noise_is_saliency(pooled, images):
    answer = attribution.saliency(pooled, images, 0)
    step = np.zeros_like(images)
    step[0, 1, 3, 4] = 1e-6
    after, before = (pooled.eval()(tinycnn.Tensor(images + sign * step)).data[0, 0] for sign in (1, -1))
    assert answer.raw[0, 1, 3, 4] == pytest.approx((after - before) / 2e-6, rel=1e-5, abs=1e-9)
    np.testing.assert_allclose(attribution.smooth_grad(pooled, images, 0, samples=2, noise=0.0).raw, answer.raw, rtol=1e-10)
    assert not np.allclose(attribution.smooth_grad(pooled, images, 0, samples=2).raw, answer.raw)


def test_guided_and_deconvolved_signals_by_hand():
    """y = -relu(a) + 2 relu(b), a = x1 = 1, b = -x2 = -3: the three rules differ at both rectifiers."""
    first, second = nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False)
    first.weight.data[...] = [[1, 0], [0, -1]]
    second.weight.data[...] = [[-1, 2]]
    network = nn.Sequential(nn.Flatten(), first, nn.ReLU(), second)
    x = np.array([1.0, 3.0], np.float32).reshape(1, 1, 1, 2)
    signals = [METHODS[name].function(network, x, 0).raw.reshape(-1).tolist() for name in ("saliency", "guided_backprop", "deconvnet")]
    # a is open, its gradient -1 negative; b is closed, its gradient 2 positive, and the weight -1 turns its sign.
    assert signals == [[-1, 0], [0, 0], [0, -2]]


def test_layers_taken_apart_compute_the_same_and_leave_the_network_alone(pooled, images):
    pooled.eval()
    apart = taken_apart(pooled)
    x = tinycnn.Tensor(images, requires_grad=True)
    np.testing.assert_allclose(apart(x).data, pooled(x).data, rtol=1e-12)
    assert "forward" not in vars(pooled.norm)
    guided, plain = attribution.guided_backprop(pooled, images, 1), attribution.saliency(pooled, images, 1)
    assert guided.facts == {"rectifiers": 2}
    assert not np.allclose(guided.raw, plain.raw)
    np.testing.assert_array_equal(attribution.saliency(pooled, images, 1).raw, plain.raw)


def test_deconvnet_of_one_unit_stays_in_its_receptive_field(pooled, images):
    answer = attribution.deconvnet(pooled, images[:1], layer="conv1", unit=2)
    row, column = answer.facts["place"]
    lit = np.argwhere(answer.map[0] > 0)
    assert len(lit)
    assert (np.abs(lit - [row, column]) <= 1).all()


def test_occlusion_at_stride_one_finds_a_planted_object():
    image = np.zeros((1, 1, 12, 12), np.float32)
    image[0, 0, 3:6, 7:10] = 1
    answer = attribution.occlusion(Finder(), image, 1, patch=3, stride=1)
    assert np.unravel_index(answer.raw[0].argmax(), answer.raw[0].shape) == (3, 7)
    assert answer.raw[0].max() == 9
    assert answer.peak() == (4, 8)
    assert attribution.occlusion(Finder(), image, 0, patch=3, stride=1).map.max() == 0


def test_occlusion_covers_every_pixel():
    answer = attribution.occlusion(Finder(), np.ones((1, 1, 10, 7), np.float32), 1, patch=(4, 3), stride=(3, 3))
    assert answer.raw.shape == (1, 3, 3)
    assert (answer.map == 12).all()


def test_occlusion_of_a_linear_model_is_exact(images):
    """What a patch takes away is its own weights times its own pixels, whatever lies elsewhere; patches that do not overlap add up to it all."""
    linear = nn.Sequential(nn.Flatten(), nn.Linear(128, 3)).double()
    answer = attribution.occlusion(linear, images, 2, patch=4, stride=4, baseline=0.25)
    shares = (images - 0.25) * linear[1].weight.data[2].reshape(2, 8, 8)
    by_hand = shares.sum(1).reshape(2, 2, 4, 2, 4).sum((2, 4))
    np.testing.assert_allclose(answer.raw, by_hand, rtol=1e-9, atol=1e-12)
    grey = linear(tinycnn.Tensor(np.full((1, 2, 8, 8), 0.25))).data[0, 2]
    np.testing.assert_allclose(answer.raw.sum((1, 2)), np.array(answer.score) - grey, rtol=1e-9)


def test_on_a_linear_model_the_pixel_methods_are_the_weights(images):
    linear = nn.Sequential(nn.Flatten(), nn.Linear(128, 3)).double()
    weight = linear[1].weight.data[1].reshape(2, 8, 8)
    for method in ("saliency", "smooth_grad"):
        answer = attribute(linear, images, method, 1)
        np.testing.assert_allclose(answer.raw, np.broadcast_to(weight, answer.raw.shape), rtol=1e-9)
        np.testing.assert_allclose(answer.map[0], np.abs(weight).max(0), rtol=1e-9)


def test_integrated_gradients_do_not_see_how_the_network_is_written(pooled, images):
    """Implementation invariance, and a pixel that changes nothing gets nothing (sensitivity b)."""
    plain = attribution.integrated_gradients(pooled, images[:1], 1, steps=8)
    rewritten = attribution.integrated_gradients(taken_apart(pooled), images[:1], 1, steps=8)
    np.testing.assert_allclose(plain.raw, rewritten.raw, rtol=1e-9, atol=1e-12)
    pooled.conv1.weight.data[:, 1] = 0
    assert not attribution.integrated_gradients(pooled, images[:1], 1, steps=8).raw[:, 1].any()


def test_score_cam_weighs_the_map_that_shows_the_object():
    """Two maps, left and right half; only the right half is bright, so only its map opens the score."""

    class Halves(nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = nn.Conv2d(1, 2, 1)

        def forward(self, input):
            left = self.maps(input) * 0.0
            return Finder()(input) + left.sum((1, 2, 3))[:, None]

    network = Halves()
    image = np.zeros((1, 1, 4, 4), np.float32)
    image[..., 2:] = 3
    network.maps.weight.data[...] = np.array([1, -1], np.float32).reshape(2, 1, 1, 1)
    network.maps.bias.data[...] = [0, 3]
    answer = attribution.score_cam(network, image, 1)
    assert answer.map[0, :, 2:].min() > answer.map[0, :, :2].max()
    assert answer.facts == {"forward_passes": 2}


@pytest.mark.parametrize("method", [name for name in METHODS if name != "guided_backprop"])
def test_maps_depend_on_the_class_and_change_when_weights_do(method, pooled, images):
    options = {"patch": 4, "stride": 4} if method == "occlusion" else {}
    one, other = (np.abs(attribute(pooled, images, method, target, **options).map) for target in (0, 2))
    assert not np.allclose(one / one.max(), other / max(other.max(), 1e-300))
    with np.errstate(all="ignore"):
        check = randomisation(pooled, images, [method], 0)
    assert check.layers == ("head", "conv2", "conv1")
    assert check.likeness[method][-1] < 0.9


def test_a_network_is_left_as_it_was(pooled, images):
    pooled.train()
    pooled.head.weight.grad = tinycnn.Tensor(np.ones((3, 4)))
    state = {key: value.data.copy() for key, value in pooled.state_dict().items()}
    for method in METHODS:
        attribute(pooled, images[:1], method)
    assert pooled.training
    assert pooled.norm.training
    assert (pooled.head.weight.grad.data == 1).all()
    assert pooled.conv1.weight.grad is None
    assert all(parameter.requires_grad for parameter in pooled.parameters())
    assert not pooled.norm._forward_hooks
    for key, value in pooled.state_dict().items():
        np.testing.assert_array_equal(value.data, state[key])


def test_default_layers():
    sized = {"lenet5": ((1, 1, 28, 28), "conv2"), "resnet20": ((1, 3, 32, 32), "layer3")}
    for name, (shape, layer) in sized.items():
        model = models.get_model(name).eval()
        assert attribution.last_maps("test", model, np.zeros(shape, np.float32)) == layer


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", models.list_models())
def test_every_network_can_be_asked(name):
    # With the statistics of a fresh network every block doubles the variance, which 333 blocks take beyond float32.
    dtype = np.float64 if name == "preactivation_resnet1001" else np.float32
    model = models.get_model(name).to(dtype)
    shape = models.input_size(name)
    image = np.random.default_rng(0).standard_normal((1, *shape)).astype(dtype)
    answer = attribution.grad_cam(model, image)
    assert answer.map.shape == (1, *shape[1:])
    assert min(answer.raw.shape[1:]) > 1
    assert np.isfinite(answer.map).all()


def test_top_patches_are_where_the_unit_is_strongest():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, bias=False), nn.Flatten(), nn.Linear(36, 2))
    model[0].weight.data[...] = 1
    images = np.zeros((4, 1, 8, 8), np.float32)
    for number, (row, column) in enumerate([(2, 2), (4, 5), (5, 1), (3, 3)]):
        images[number, 0, row : row + 3, column : column + 3] = [1, 3, 2, 0][number]
    best = top_patches(model, [images[:2], (images[2:], np.zeros(2))], "0", 0, count=3)
    assert [(patch.image, patch.value, patch.box) for patch in best] == [(1, 27, (4, 5, 7, 8)), (2, 18, (5, 1, 8, 4)), (0, 9, (2, 2, 5, 5))]
    assert (best[0].pixels == 3).all()
    assert attribution.patch_grid(best).size[0] > 300


def test_masks_are_what_the_module_multiplies_with():
    model = models.cbam_resnet_cifar(depth=8).eval()
    image = np.random.default_rng(0).standard_normal((1, 3, 32, 32)).astype(np.float32)
    seen = {}
    gate = model.layer1[0].se.spatial
    with gate.register_forward_hook(lambda _module, given, result: seen.update(x=given[0].data, y=result.data)):
        masks = attribution.attention_masks(model, image)
    mask = next(mask for mask in masks if mask.path == "layer1.0.se.spatial")
    np.testing.assert_allclose(seen["y"][0], seen["x"][0] * mask.values, rtol=1e-6)
    assert {mask.over for mask in masks} == {"pixels", "channels"}
    scale = attribution.attention_masks(nn.Sequential(tinycnn.ops.SqueezeExcitation(3, 2), nn.Flatten()), image)
    assert scale[0].values.shape == (3,)


def test_the_palette_gets_brighter_with_the_number():
    light = HEAT.astype(float) @ [0.299, 0.587, 0.114]
    assert (np.diff(light) > -0.8).all()
    assert light[-1] - light[0] > 240
    assert (np.diff(light[::16]) > 0).all()
    dark = SIGNED.astype(float) @ [0.299, 0.587, 0.114]
    assert dark.argmax() == len(SIGNED) // 2


def test_pictures_of_flat_maps_are_pictures():
    """A map of zeros is not divided by zero."""
    answer = attribution.grad_cam(Finder2(), np.zeros((1, 1, 6, 6), np.float32), 0)
    assert answer.map.max() == 0
    assert np.isfinite(answer.scaled()).all()
    sheet = attribution.attribution_sheet(np.zeros((6, 6), np.uint8), [answer], "nothing")
    assert sheet.size[0] > 500
    page = attribution.attribution_page(np.zeros((6, 6), np.uint8), [answer], "<nothing>")
    assert "&lt;nothing&gt;" in page
    assert "http" not in page.replace("http-equiv", "")


class Finder2(Finder):
    """With a module that gives maps."""

    def __init__(self):
        super().__init__()
        self.maps = nn.ReLU()

    def forward(self, input):
        return super().forward(self.maps(input))


def flattening():
    return nn.Sequential(nn.Conv2d(2, 3, 1), nn.Flatten(), nn.Linear(192, 2)).double()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m, x: attribute(m, x, "grid_cam"), ArgumentError, "did you mean grad_cam"),
        (lambda m, x: attribute(m, x, "saliency", steps=3), ArgumentError, "no option 'steps'"),
        (lambda m, x: attribute(m, x, target=7), ArgumentError, "target=7 is no class"),
        (lambda m, x: attribute(m, x, target=[1]), ArgumentError, "1 classes for 2 images"),
        (lambda m, x: attribute(m, x[0]), ShapeError, r"give images \(N, C, H, W\)"),
        (lambda m, x: attribute(m, x, layer="nowhere"), ArgumentError, "there is no layer 'nowhere'"),
        (lambda m, x: attribute(m, x, layer="head"), ShapeError, "name one before the maps are flattened"),
        (lambda m, x: attribute(m, x, "cam", layer="conv1.nothing"), ArgumentError, "there is no layer"),
        (lambda m, x: attribute(m, x, "occlusion", patch=9), ArgumentError, "patch=9 does not fit on 8"),
        (lambda m, x: attribute(m, x, "occlusion", patch=2, stride=3), ArgumentError, "never covered"),
        (lambda m, x: attribute(m, x, "deconvnet", unit=3), ArgumentError, "name the layer"),
        (lambda m, x: attribute(m, x, "deconvnet", layer="conv1", unit=9), ArgumentError, "unit=9 is no map"),
        (lambda m, x: attribute(m, x, "integrated_gradients", baseline=np.zeros(3)), ShapeError, "does not fit the images"),
        (lambda m, x: attribute(m, x, "score_cam", channels=0), ArgumentError, "channels=0"),
        (lambda m, x: attribute(m, x, "smooth_grad", noise=-1.0), ArgumentError, "cannot be negative"),
        (lambda m, x: attribute(nn.Sequential(nn.Flatten(), nn.Linear(128, 2)).double(), x, "guided_backprop"), ArgumentError, "no ReLU"),
        (lambda m, x: attribute(nn.Sequential(nn.Flatten(), nn.Linear(128, 2)).double(), x), ArgumentError, "ask the pixels"),
        (lambda m, x: attribute(flattening(), x, "cam"), ArgumentError, "grad_cam, of which CAM"),
        (lambda m, x: top_patches(m, [x], "conv1", 8), ArgumentError, "unit=8 is no map"),
        (lambda m, x: top_patches(m, [], "conv1", 0), ArgumentError, "no images"),
        (lambda m, x: attribution.attention_masks(m, x), ArgumentError, "has no CBAM"),
        (lambda m, x: attribution.filter_grid(m, "head"), ShapeError, "has no filters"),
        (lambda m, x: overlay(np.zeros((4, 4), np.uint8), np.zeros((3, 3))), ShapeError, "as large as"),
    ],
)
def test_refusals(pooled, images, call, error, words):
    with pytest.raises(error, match=words):
        call(pooled, images)
