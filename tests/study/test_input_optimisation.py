"""Style transfer, dreams and attacks: losses by definition, gradients, budgets, colours, seeds; on networks of a few channels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, functional, models, nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.gradcheck import gradcheck
from tinycnn.study.adversarial import attack, fgsm, pgd
from tinycnn.study.colour_control import match_colours, match_histograms, with_colours_of
from tinycnn.study.deep_features import FeatureNetwork
from tinycnn.study.dream import deep_dream, maximise_activation
from tinycnn.study.fast_style import train_fast_style
from tinycnn.study.input_optimisation import optimise_image
from tinycnn.study.style_transfer import StyleLoss, content_targets, reconstruct_content, reconstruct_style, style_targets, style_transfer

seeds = st.integers(0, 2**32 - 1)


def small_network(dtype=np.float32):
    tinycnn.manual_seed(3)
    chain = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU()
    )

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = chain
            self.classifier = nn.Linear(6, 5)

        def forward(self, images):
            return self.classifier(functional.global_avg_pool(self.features(images), keepdim=False))

    return FeatureNetwork(Small().to(dtype=dtype), (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))


def picture(seed=0, height=16, width=12, dtype=np.float32):
    return np.random.default_rng(seed).random((3, height, width)).astype(dtype)


def test_features_are_those_of_the_layers_and_the_rest_is_not_run():
    network = small_network()
    image = Tensor(picture()[None])
    found = network.features(image, ["conv2_1", "relu1_1"])
    shown = (image.data - np.float32([0.4, 0.5, 0.6]).reshape(1, 3, 1, 1)) / np.float32([0.2, 0.25, 0.3]).reshape(1, 3, 1, 1)
    chain = list(network.model.features.children())
    first = chain[1](chain[0](Tensor(shown)))
    np.testing.assert_allclose(found["relu1_1"].data, first.data, atol=1e-5)
    assert list(found) == ["conv2_1", "relu1_1"] and found["conv2_1"].shape == (1, 6, 8, 6)
    assert network.spread_layers(16, 12) == ["conv1_2", "conv2_1"]
    ran = []
    with network.model.classifier.register_forward_hook(lambda *_: ran.append(1)):
        network.features(image, ["conv2_1"])
        assert not ran
        network.logits(image)
    assert ran and not any(parameter.requires_grad for parameter in network.model.parameters())


@pytest.mark.parametrize("normalization", ["none", "positions", "elements"])
def test_the_style_loss_by_its_definition(normalization):
    network = small_network(np.float64)
    content, style, image = (picture(seed, dtype=np.float64) for seed in range(3))
    layers = ["conv1_2", "conv2_1"]
    loss = StyleLoss(
        network, content_targets(network, content, layers[1:]), style_targets(network, style, layers, normalization), normalization, 2.0, 3.0, 0.5
    )
    terms = loss(Tensor(image[None]))
    maps = {n: network.features(Tensor(one[None]), layers) for n, one in enumerate((content, style, image))}
    assert terms["content"].item() == pytest.approx(2 * np.mean((maps[2]["conv2_1"].data - maps[0]["conv2_1"].data) ** 2))
    by_operator = sum(functional.style_loss(maps[2][layer], maps[1][layer], normalization=normalization).item() for layer in layers)
    by_hand = 0.0
    for layer in layers:
        grams = []
        for n in (2, 1):
            rows = maps[n][layer].data[0].reshape(maps[n][layer].shape[1], -1)
            grams.append(rows @ rows.T / {"none": 1, "positions": rows.shape[1], "elements": rows.size}[normalization])
        by_hand += np.mean((grams[0] - grams[1]) ** 2)
    assert terms["style"].item() == pytest.approx(3 * by_hand) == pytest.approx(3 * by_operator)
    assert terms["variation"].item() == pytest.approx(0.5 * functional.total_variation(image[None]).item() / image.size)


def test_the_gradient_reaches_the_pixels():
    network = small_network(np.float64)
    small = picture(1, 6, 4, np.float64)
    loss = StyleLoss(network, content_targets(network, small, ["conv2_1"]), style_targets(network, small, ["conv1_1"], "positions"), "positions")
    image = Tensor(picture(2, 6, 4, np.float64)[None], requires_grad=True)
    assert gradcheck(lambda x: sum(loss(x).values(), start=Tensor(np.zeros(()))), [image])


@pytest.mark.parametrize("options", [{"optimizer": "lbfgs"}, {"optimizer": "adam", "start": "noise", "colours": "match"}, {"colours": "luminance"}])
def test_style_transfer_descends_and_follows_the_seed(options):
    network = small_network()
    runs = [style_transfer(network, picture(0), picture(1, 20, 20), steps=8, seed=4, **options) for _ in range(2)]
    np.testing.assert_array_equal(runs[0].image, runs[1].image)
    first, last = runs[0].losses[0], min(run["total"] for run in runs[0].losses)
    assert last < first["total"] and 0 <= runs[0].image.min() <= runs[0].image.max() <= 1
    assert set(first) == {"content", "style", "variation", "total"}


def test_reconstructions_have_one_term():
    network = small_network()
    content = reconstruct_content(network, picture(), "conv1_1", steps=15)
    assert set(content.losses[0]) == {"content", "variation", "total"}
    assert content.losses[-1]["content"] < 0.5 * content.losses[0]["content"]
    style = reconstruct_style(network, picture(), ["conv1_1"], steps=5)
    assert set(style.losses[0]) == {"style", "variation", "total"} and style.losses[-1]["style"] < style.losses[0]["style"]


@given(seeds)
def test_colours_get_the_moments_and_histograms_of_the_reference(seed):
    image, reference = picture(seed, 9, 8, np.float64), 0.2 + 0.5 * picture(seed + 1, 7, 11, np.float64) ** 2
    matched = match_colours(image, reference).reshape(3, -1)
    wanted = reference.reshape(3, -1)
    np.testing.assert_allclose(matched.mean(1), wanted.mean(1), atol=1e-9)
    np.testing.assert_allclose(np.cov(matched, bias=True), np.cov(wanted, bias=True), atol=1e-4)
    ranked = match_histograms(image, image[:, ::-1])
    np.testing.assert_allclose(ranked, image)
    assert (np.argsort(match_histograms(image, reference)[0].ravel(), kind="stable") == np.argsort(image[0].ravel(), kind="stable")).all()
    other = picture(seed + 2, 9, 8, np.float64)
    mixed = with_colours_of(image, other)
    weights = np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(np.tensordot(weights, mixed, 1), np.tensordot(weights, image, 1))
    np.testing.assert_allclose(mixed[0] - mixed[1], other[0] - other[1], atol=1e-12)


def test_the_fast_network_learns_one_style():
    tinycnn.manual_seed(0)
    network, transformer = small_network(), models.get_model("fast_style", width=2, blocks=1)
    history = train_fast_style(transformer, network, picture(1), [picture(0, 24, 24)], size=16, steps=12, rate=0.02)
    assert np.mean([step["total"] for step in history[-3:]]) < history[0]["total"]
    assert transformer(Tensor(picture(5, 16, 20)[None])).shape == (1, 3, 16, 20) and not transformer.training
    assert models.list_models("style") == ["fast_style"]
    keys = list(transformer.state_dict())
    assert keys[:4] == ["conv1.conv2d.weight", "conv1.conv2d.bias", "in1.weight", "in1.bias"] and keys[-1] == "deconv3.conv2d.bias"
    old = {**transformer.state_dict(), "in1.running_mean": Tensor(np.zeros(2, np.float32))}
    transformer.load_state_dict(old)
    with pytest.raises(ArgumentError, match="images of 16x18 do not halve twice"):
        transformer(Tensor(picture(0, 16, 18)[None]))
    with pytest.raises(ArgumentError, match="width and blocks must be 1 or more"):
        models.get_model("fast_style", blocks=0)


def test_a_dream_excites_the_layer_and_follows_the_seed():
    network, image = small_network(), picture(0, 40, 36)
    runs = [deep_dream(network, image, ["conv2_1"], octaves=2, steps=4, seed=5) for _ in range(2)]
    np.testing.assert_array_equal(runs[0].image, runs[1].image)
    assert runs[0].image.shape == image.shape and runs[0].losses[-1]["excitement"] > runs[0].losses[4]["excitement"]


@pytest.mark.parametrize("layer", [None, "conv2_1"])
def test_a_unit_gets_what_it_likes(layer):
    run = maximise_activation(small_network(), layer, 2, size=(12, 12), steps=20)
    assert run.image.shape == (3, 12, 12) and run.losses[-1]["activation"] < run.losses[0]["activation"]


@given(seeds, st.floats(0, 0.3), st.booleans(), st.sampled_from([np.float32, np.float64]))
def test_attacks_stay_in_their_budget(seed, epsilon, targeted, dtype):
    weights = np.random.default_rng(seed).normal(size=(3, 12)).astype(dtype)
    images = np.random.default_rng(seed + 1).random((2, 3, 2, 2)).astype(dtype)

    def classify(x):
        return functional.linear(x.reshape(-1, 12), weights)

    labels = [0, 2]
    for found in (fgsm(classify, images, labels, epsilon, targeted=targeted), pgd(classify, images, labels, epsilon, targeted=targeted, seed=seed)):
        assert found.dtype == dtype and found.min() >= 0 and found.max() <= 1
        assert np.abs(found.astype(np.float64) - images.astype(np.float64)).max() <= epsilon
        before, after = (functional.cross_entropy(classify(Tensor(x)), labels).item() for x in (images, found))
        assert (after <= before + 1e-6) if targeted else (after >= before - 1e-6)  # a linear network: the sign is the best step


def test_an_attack_reports_both_answers():
    network = small_network()
    image = picture(0, 8, 8)
    found = attack(network, image, epsilon=0.3, steps=5)
    again = attack(network, image, epsilon=0.3, steps=5)
    np.testing.assert_array_equal(found.adversarial, again.adversarial)
    plain = found.to_dict()
    assert plain["clean"]["class"] == found.label and plain["clean"]["of_label"] > plain["adversarial"]["of_label"]
    assert plain["largest_change"] <= 0.3 and plain["succeeded"] == (plain["adversarial"]["class"] != found.label)
    aimed = attack(network, image, method="fgsm", epsilon=0.1, target=4)
    assert aimed.adversarial_probabilities[4] > aimed.clean_probabilities[4] and aimed.targeted


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda n: n.features(picture()[None], ["conv9_1"]), ArgumentError, "no layer 'conv9_1'; there are conv1_1, conv1_2, conv2_1"),
        (lambda n: n.logits(np.zeros((1, 1, 8, 8), np.float32)), ShapeError, "give \\(N, 3, H, W\\)"),
        (lambda n: FeatureNetwork(n.model, (0, 0, 0), (1, 0, 1)), ArgumentError, "std above 0"),
        (lambda n: style_transfer(n, picture(), picture(), normalization="size"), ArgumentError, "'size' is not one of none, positions"),
        (lambda n: style_transfer(n, picture(), picture(), colours="red"), ArgumentError, "colours 'red' is not one of"),
        (lambda n: style_transfer(n, picture(), picture(), style_weight=-1), ArgumentError, "style_weight must be a finite number of 0 or more"),
        (lambda n: style_transfer(n, picture()[0], picture()), ShapeError, "give floats \\(3, H, W\\) from 0 to 1"),
        (lambda n: optimise_image(picture(), lambda x: {}, optimizer="sgd"), ArgumentError, "not one of lbfgs, adam"),
        (lambda n: optimise_image(picture(), lambda x: {}, steps=0), ArgumentError, "needs steps >= 1"),
        (lambda n: optimise_image(picture()[0], lambda x: {}), ShapeError, "floats of shape \\(C, H, W\\)"),
        (lambda n: optimise_image(picture(), lambda x: {}, after_step=print), ArgumentError, "take optimizer='adam'"),
        (lambda n: deep_dream(n, picture(), [], octaves=1), ArgumentError, "rate > 0, jitter >= 0 and a layer"),
        (lambda n: maximise_activation(n, "conv2_1", 6), ArgumentError, "no unit 6; conv2_1 has 0 to 5"),
        (lambda n: attack(n, picture(), target=5), ArgumentError, "no class 5; the network knows 0 to 4"),
        (lambda n: attack(n, picture(), method="cw"), ArgumentError, "neither fgsm nor pgd"),
        (lambda n: attack(n, picture(), epsilon=8), ArgumentError, "8 grey levels are 8 / 255"),
        (lambda n: attack(n, 255 * picture()), ArgumentError, "images must be from 0 to 1"),
        (lambda n: fgsm(n.logits, picture(), [0]), ShapeError, "needs float images \\(N, C, H, W\\) and N labels"),
        (lambda n: pgd(n.logits, picture()[None], [0], steps=0), ArgumentError, "needs steps >= 1"),
        (lambda n: train_fast_style(nn.Identity(), n, picture(), []), ArgumentError, "at least one image"),
        (lambda n: match_colours(picture()[0], picture()), ShapeError, "give floats \\(3, H, W\\)"),
        (lambda n: with_colours_of(picture(), picture(0, 3, 3)), ShapeError, "one size"),
    ],
)
def test_refusals(call, error, words):
    with pytest.raises(error, match=words):
        call(small_network())
