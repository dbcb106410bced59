"""Networks that name every pixel: parameters written out, sizes, alignment, gradients, that each learns; torchvision's in tests/oracle."""

import itertools

import numpy as np
import pytest

import tinycnn
from tests.models.measuring import check_gradients, images, parameters
from tinycnn import Tensor, functional, models, nn, optim
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models import segmentation
from tinycnn.models.vgg import CONFIGURATIONS, VGG

# num_params on the pages of torchvision's segmentation models, whose checkpoints carry the auxiliary classifier.
PUBLISHED = {
    "fcn_resnet50": 35_322_218,
    "fcn_resnet101": 54_314_346,
    "deeplabv3_resnet50": 42_004_074,
    "deeplabv3_resnet101": 60_996_202,
    "deeplabv3_mobilenet_v3_large": 11_029_328,
}
TINY = {
    "fcn8s_small": {"width": 0.0625, "hidden": 8},
    "segnet_small": {"width": 0.0625},
    "deconvnet_small": {"width": 0.0625, "hidden": 8},
    "unet_small": {"width": 0.0625},
    "gated_scnn": {"width": 0.125},
}


def convolution(before, after, kernel=3, bias=True):
    return before * after * kernel**2 + (after if bias else 0)


def vgg_lines():
    """The channels through each of VGG-16's stages."""
    below, lines = 3, []
    for stage in CONFIGURATIONS[16]:
        lines.append([below, *stage])
        below = stage[-1]
    return lines


def sum_of(lines, norms=True):
    """Convolutions of 3x3 and, each with two numbers a map, their normalisations."""
    return sum(convolution(a, b) + 2 * b * norms for line in lines for a, b in itertools.pairwise(line))


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_as_published(name):
    assert parameters(name, aux_loss=True) == PUBLISHED[name]


def test_parameters_of_lraspp():
    assert parameters("lraspp_mobilenet_v3_large") == 3_221_538  # torchvision's page


def test_parameters_of_fcn_written_out():
    body = sum_of(vgg_lines(), norms=False) + convolution(512, 4096, 7) + convolution(4096, 4096, 1)
    scores = convolution(4096, 21, 1)
    assert body + scores == 134_346_581  # "134M" in the paper's table 1
    assert parameters("fcn32s_vgg16") == body + scores + 21 * 21 * 64**2
    assert parameters("fcn16s_vgg16") == body + scores + convolution(512, 21, 1) + 21 * 21 * (4**2 + 32**2)
    pools = convolution(512, 21, 1) + convolution(256, 21, 1)
    assert parameters("fcn8s_vgg16") == body + scores + pools + 21 * 21 * (2 * 4**2 + 16**2)


def test_parameters_of_segnet_written_out():
    lines = vgg_lines()
    mirror = [line[::-1] for line in lines[::-1]]
    mirror[-1] = mirror[-1][:-1]  # its last convolution gives the scores
    assert parameters("segnet") == sum_of(lines) + sum_of(mirror) + convolution(64, 11) == 29_449_355


def test_parameters_of_deconvnet_written_out():
    lines = vgg_lines()
    mirror = [line[::-1] for line in lines[::-1]]
    mirror[-1][-1] = 64
    middle = convolution(512, 4096, 7) + convolution(4096, 4096, 1) + convolution(4096, 512, 7) + 2 * (4096 + 4096 + 512)
    assert parameters("deconvnet") == sum_of(lines) + middle + sum_of(mirror) + convolution(64, 21, 1) == 251_805_653  # "about 252M"


def test_parameters_of_unet_written_out():
    maps = [64, 128, 256, 512, 1024]
    down = sum(convolution(a, b) + convolution(b, b) for a, b in zip([1, *maps], maps, strict=False))
    up = sum(convolution(2 * b, b, 2) + convolution(2 * b, b) + convolution(b, b) for b in maps[:4])
    assert parameters("unet") == down + up + convolution(64, 2, 1) == 31_030_658
    network = nn.utils.skip_init(models.get_model, "unet")
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(layers) == 23  # section 2: 23 convolutional layers, the up-convolutions among them


def test_unet_sizes_of_figure_1():
    assert segmentation.unet_output_size(572) == 388
    model = models.get_model("unet", width=1 / 64).eval()
    seen = []
    for block in [*model.down, *model.up]:
        block.register_forward_hook(lambda layer, inputs, output: seen.append((inputs[0].shape[-1], output.shape[-1])))
    with tinycnn.no_grad():
        out = model(Tensor(np.zeros((1, 1, 572, 572), np.float32)))
    assert out.shape == (1, 2, 388, 388)
    assert seen == [(572, 568), (284, 280), (140, 136), (68, 64), (32, 28), (56, 52), (104, 100), (200, 196), (392, 388)]


def test_unet_refuses_what_does_not_fit_and_names_what_does():
    model = models.get_model("unet", width=1 / 64)
    with pytest.raises(ShapeError, match="572 would do instead of 570"):
        model(Tensor(np.zeros((1, 1, 570, 572), np.float32)))
    with pytest.raises(ArgumentError, match='padding must be "valid" or "same"'):
        models.get_model("unet", padding="full")
    with pytest.raises(ArgumentError, match="depth must be"):
        models.get_model("unet", depth=0)


@pytest.mark.parametrize(("depth", "size"), [(1, 20), (2, 44), (4, 188)])
def test_unet_sizes_are_those_of_the_network(depth, size):
    model = models.get_model("unet", width=1 / 64, depth=depth).eval()
    for side in (size, size + 2**depth):
        expected = segmentation.unet_output_size(side, depth)
        with tinycnn.no_grad():
            assert model(Tensor(np.zeros((1, 1, side, side), np.float32))).shape[2:] == (expected, expected)
        assert segmentation.unet_input_size(expected, depth) == side
    assert segmentation.unet_output_size(size + 1, depth) is None


@pytest.mark.parametrize("shape", [(37, 50), (8, 8), (5, 90)])
def test_overlap_tile_is_one_pass_over_the_mirrored_image(shape):
    model = models.get_model("unet", width=1 / 32, depth=2).double().eval()
    image = np.random.default_rng(0).random((1, 1, *shape))
    margin = 20
    whole = 92 + 2 * margin  # 92 + 40 fits depth 2: 4 m + 0
    size = next(side for side in range(whole, whole + 4) if segmentation.unet_output_size(side, 2))
    rows, columns = (np.pad(np.arange(n), (margin, size - margin - n), mode="reflect") for n in shape)
    with tinycnn.no_grad():
        expected = model(Tensor(np.ascontiguousarray(image[:, :, rows[:, None], columns]))).data[:, :, : shape[0], : shape[1]]
    np.testing.assert_allclose(segmentation.overlap_tile(model, image, tile=60), expected, atol=1e-12)


def test_overlap_tile_refusals():
    model = models.get_model("unet", width=1 / 64, depth=2)
    image = np.zeros((1, 1, 9, 9), np.float32)
    with pytest.raises(ArgumentError, match="takes no tiles of 61"):
        segmentation.overlap_tile(model, image, tile=61)
    with pytest.raises(ShapeError, match="add the batch axis"):
        segmentation.overlap_tile(model, image[0], tile=60)
    with pytest.raises(ArgumentError, match="margin must be given for Identity"):
        segmentation.overlap_tile(nn.Identity(), image, tile=60)
    with pytest.raises(ArgumentError, match="leave no step"):
        segmentation.overlap_tile(nn.Identity(), image, tile=6, margin=3)
    with pytest.raises(ShapeError, match="gave 8x8, not 6x6"):
        segmentation.overlap_tile(nn.Identity(), image, tile=8, margin=1)
    np.testing.assert_array_equal(segmentation.overlap_tile(nn.Identity(), image + 3, tile=4, margin=0), image + 3)


def test_fcn_offsets_of_the_published_networks():
    assert segmentation.crop_offsets(32) == {"image": 19}
    assert segmentation.crop_offsets(16) == {"pool4": 5, "image": 27}
    assert segmentation.crop_offsets(8) == {"pool4": 5, "pool3": 9, "image": 31}
    with pytest.raises(ArgumentError, match="padding must be at least 81"):
        segmentation.crop_offsets(32, padding=80)
    with pytest.raises(ArgumentError, match="32, 16 or 8"):
        segmentation.crop_offsets(4)


@pytest.mark.parametrize("stride", [32, 16, 8])
def test_fcn_scores_lie_over_their_pixels(stride):
    """Mirroring an image mirrors the scores, which one pixel of misalignment would break; kernels are made symmetric."""
    model = segmentation.FCNVGG16(stride, 3, 1, width=1 / 64, hidden=4).double().eval()
    draw = np.random.default_rng(2)
    for name, layer in model.named_children():
        if name.startswith("score"):
            layer.weight.data[...] = draw.standard_normal(layer.weight.shape)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            layer.weight.data[...] = (layer.weight.data + layer.weight.data[..., ::-1]) / 2
    width = 32 * 3 - 6  # with the padding, 198 pixels, a whole number of cells: only then is the grid symmetric
    image = draw.random((1, 1, 40, width))
    with tinycnn.no_grad():
        scores = model(Tensor(image)).data
        mirrored = model(Tensor(np.ascontiguousarray(image[..., ::-1]))).data
    assert scores.shape == (1, 3, 40, width)
    assert scores.std() > 0
    np.testing.assert_allclose(mirrored[..., ::-1], scores, atol=1e-9 * np.abs(scores).max())


def test_fcn_takes_vgg_and_answers_as_its_linear_layers_do():
    vgg = VGG(16, 10, 3, width=1 / 64, hidden=8).double().eval()
    model = segmentation.FCNVGG16(32, 10, 3, width=1 / 64, hidden=8, padding=81).double().eval()
    model.load_vgg16(vgg)
    with tinycnn.no_grad():
        maps = vgg.features(Tensor(np.random.default_rng(0).standard_normal((1, 3, 224, 224))))
        hidden = vgg.classifier[:5](maps.flatten(1)).data
        np.testing.assert_allclose(model.fc7(model.fc6(maps)).data[..., 0, 0], hidden, atol=1e-12)
    for ours, theirs in zip(
        (layer for layer in model.stages.modules() if isinstance(layer, nn.Conv2d)),
        (layer for layer in vgg.features.modules() if isinstance(layer, nn.Conv2d)),
        strict=True,
    ):
        np.testing.assert_array_equal(ours.weight.data, theirs.weight.data)
    with pytest.raises(ArgumentError, match="of other shapes"):
        model.load_vgg16(VGG(16, 10, 3, width=1 / 32, hidden=8))
    with pytest.raises(ArgumentError, match="no whole number of 7x7 maps"):
        segmentation.convolutionalise(nn.Linear(50, 2), 7)


def test_fixed_and_learned_upsampling():
    trained = {
        learned: [layer.weight.requires_grad for layer in (model.upscore2, model.upscore_pool4, model.upscore)]
        for learned in ("none", "inner", "all")
        for model in [segmentation.FCNVGG16(8, 2, 1, width=1 / 64, hidden=2, learned=learned)]
    }
    assert trained == {"none": [False] * 3, "inner": [True, True, False], "all": [True] * 3}
    with pytest.raises(ArgumentError, match="learned must be one of"):
        segmentation.FCNVGG16(8, 2, 1, width=1 / 64, hidden=2, learned="some")


@pytest.mark.parametrize("factor", [2, 8])
def test_bilinear_weights_interpolate(factor):
    """A ramp stays a ramp, and the answer is interpolate's where no border is near."""
    layer = segmentation.upsampling(2, factor, learned=False).double()
    x = np.random.default_rng(0).random((1, 2, 6, 7))
    y = layer(Tensor(x)).data[..., factor // 2 : -(factor // 2), factor // 2 : -(factor // 2)]
    expected = functional.interpolate(Tensor(x), scale_factor=factor, mode="bilinear", align_corners=False).data
    inside = (..., slice(factor, -factor), slice(factor, -factor))
    np.testing.assert_allclose(y[inside], expected[inside], atol=1e-12)
    with pytest.raises(ArgumentError, match="as many maps out as in"):
        segmentation.bilinear_(nn.ConvTranspose2d(2, 3, 4, 2))
    with pytest.raises(ArgumentError, match="from 1 up"):
        segmentation.bilinear_kernel(0)


@pytest.mark.parametrize("size", [(12, 16), (13, 19)])
def test_segnet_puts_maxima_back_where_they_were(size):
    x = np.random.default_rng(1).random((2, 3, *size))
    pooled, places = functional.max_pool2d(Tensor(x), 2, 2, return_indices=True)
    back = functional.max_unpool2d(pooled, places, 2, 2, output_size=size).data
    there = back != 0
    assert there.sum() == pooled.data.size
    np.testing.assert_array_equal(back[there], x[there])
    np.testing.assert_array_equal(functional.max_pool2d(Tensor(back), 2, 2).data, pooled.data)


def test_gated_convolution_and_its_gradients():
    gated = segmentation.GatedConv(2, 1, 3)
    gated.gate[3].weight.data[...] = gated.gate[3].bias.data[...] = 0  # the gate is then sigmoid(0) everywhere
    gated.eval()
    shape, gate = images(1, 2, 4, 5), images(1, 1, 4, 5, seed=1)
    with tinycnn.no_grad():
        np.testing.assert_allclose(gated(shape, gate).data, gated.conv(shape * 1.5).data, rtol=1e-4, atol=1e-5)

    class OneInput(nn.Module):
        def __init__(self):
            super().__init__()
            self.gated = segmentation.GatedConv(2, 1, 2)

        def forward(self, x):
            return self.gated(x, x[:, :1])

    check_gradients(OneInput(), (2, 2, 3, 3))


def scores_of(output):
    return output["out"] if isinstance(output, dict) else output


@pytest.mark.parametrize("name", TINY)
def test_each_kind_learns_and_keeps_sizes(name):
    model = models.get_model(name, num_classes=3, **TINY[name])
    batch = images(2, 3, 96, 97)
    target = np.zeros((2, 96, 97), np.uint8)
    target[:, :48], target[:, :, :20], target[:, -1] = 1, 2, 255
    terms = {"cross_entropy": 1.0, "edge": 1.0} if name == "gated_scnn" else None
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    found = []
    for _ in range(4):
        optimizer.zero_grad()
        output = model(batch)
        assert scores_of(output).shape == (2, 3, 96, 97)
        loss, parts = segmentation.segmentation_loss(output, target, terms)
        loss.backward()
        optimizer.step()
        found.append(parts["cross_entropy"])
    assert np.isfinite(found).all() and min(found[1:]) < found[0]
    assert all(parameter.grad is not None for parameter in model.parameters() if parameter.requires_grad)


def test_networks_say_what_does_not_fit():
    for name in ("segnet_small", "deconvnet_small", "gated_scnn"):
        model = models.get_model(name, num_classes=2, **TINY[name])
        with pytest.raises(ShapeError, match="images must be at least"):
            model(Tensor(np.zeros((1, 3, 8, 8), np.float32)))
        with pytest.raises(ArgumentError, match="width must be"):
            models.get_model(name, width=0.0)
    with pytest.raises(ArgumentError, match="stages must be 1 to 5"):
        segmentation.SegNet(stages=6)


def test_the_networks_are_in_one_list():
    names = models.list_models("segmentation")
    full = {"lraspp_mobilenet_v3_large", "fcn32s_vgg16", "fcn16s_vgg16", "fcn8s_vgg16", "segnet", "deconvnet", "unet"}
    assert {*PUBLISHED, *TINY, *full} == set(names)
    assert not set(names) & set(models.list_models())
