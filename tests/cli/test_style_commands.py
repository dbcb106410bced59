"""Style, dreams and attacks on the command line, on a random ResNet-20: pictures, pages, and one sentence for every mistake."""

import json

import numpy as np
import pytest
from PIL import Image

import tinycnn
from tests.cli.test_restoration_commands import is_whole
from tinycnn import models, weights

NETWORK = ["--model", "resnet20", "--weights", "net.npz"]


@pytest.fixture
def place(elsewhere):
    """A photo, a painting, and weights of a small network."""
    tinycnn.manual_seed(0)
    draw = np.random.default_rng(0)
    for name, shape in (("photo", (36, 40, 3)), ("painting", (40, 32, 3))):
        Image.fromarray(draw.integers(0, 256, shape, dtype=np.uint8)).save(f"{name}.png")
    weights.save(models.get_model("resnet20").state_dict(), "net.npz")
    return elsewhere


def test_style_writes_the_result_and_what_each_layer_knows(run_main, place):
    options = ["--size", "32", "--steps", "2", "--style-layers", "layer1,layer2", "--content-layers", "layer2", "--reconstruct"]
    code, out, _ = run_main("style", "photo.png", "painting.png", *NETWORK, *options, "--colours", "match", "--json")
    found = json.loads(out)
    assert code == 0 and found["content_layers"] == ["layer2"] and len(found["reconstructions"]) == 4
    assert set(found["first"]) == {"content", "style", "variation", "total"}
    folder = place / "pictures/style-photo-painting"
    assert is_whole(folder / "page.html") == 7
    assert np.asarray(Image.open(folder / "result.png")).shape == (29, 32, 3) and (folder / "style-up-to-layer2.png").is_file()


def test_dreams_of_a_photo_and_of_classes(run_main, place):
    options = ["--size", "36", "--octaves", "2", "--steps", "1", "--jitter", "2", "--layers", "layer1"]
    code, out, _ = run_main("dream", "photo.png", *NETWORK, *options, "--json")
    assert code == 0 and json.loads(out)["found"]["layer1"]["evaluations"] == 2
    assert is_whole(place / "pictures/dream-photo/page.html") == 2
    code, out, _ = run_main("dream", *NETWORK, "--unit", "layer1:3", "--class", "7", "--size", "32", "--steps", "2", "--out", "liked")
    assert code == 0 and "class 7: activation" in out
    assert is_whole(place / "liked/page.html") == 2 and (place / "liked/layer1_3.png").is_file()


def test_attacks_stay_within_their_budgets(run_main, place):
    code, out, _ = run_main("adversarial", "photo.png", *NETWORK, "--epsilon", "0,3", "--steps", "2", "--json")
    attacks = json.loads(out)["attacks"]
    assert code == 0 and [one["method"] for one in attacks] == ["fgsm", "pgd"] * 2
    assert [one["largest_change"] for one in attacks[:2]] == [0, 0] and all(0 < one["largest_change"] <= 3 / 255 for one in attacks[2:])
    folder = place / "pictures/adversarial-photo"
    clean, moved = (np.asarray(Image.open(folder / f"{name}.png")).astype(int) for name in ("photo", "fgsm-3"))
    assert 0 < np.abs(clean - moved).max() <= 3 and is_whole(folder / "page.html") == 9
    options = ["--epsilon", "3", "--method", "fgsm", "--target", "class 4", "--out", "aimed"]
    code, out, _ = run_main("adversarial", "photo.png", *NETWORK, *options, "--json")
    (aimed,) = json.loads(out)["attacks"]
    assert code == 0 and aimed["label"] == 4 and aimed["adversarial"]["of_label"] > aimed["clean"]["of_label"]


def test_fast_style_is_taught_and_used_again(run_main, place):
    learn = ["--style", "painting.png", "--images", ".", "--size", "36", "--patch", "32", "--steps", "1", "--width", "2", "--style-layers", "layer1"]
    code, out, _ = run_main("fast-style", "photo.png", *learn, *NETWORK, "--out", "taught")
    assert code == 0 and "ms a step" in out and is_whole(place / "taught/page.html") == 3
    assert run_main("fast-style", "photo.png", "--network", "taught/network.npz", "--size", "36", "--out", "again")[0] == 0
    first, second = (np.asarray(Image.open(place / name / "photo-painted.png")) for name in ("taught", "again"))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["style", "photo.png", "painting.png", "--model", "resnet21"], 2, "there is no architecture 'resnet21'"),
        (["style", "photo.png", "painting.png", *NETWORK, "--style-layers", "layer9"], 1, "no layer 'layer9'"),
        (["style", "photo.png", "painting.png", *NETWORK, "--style-weight", "0", "--content-weight", "0"], 2, "nothing to search for"),
        (["style", "photo.png", "painting.png", *NETWORK, "--style-weight", "nan"], 2, "finite number of 0 or more"),
        (["style", "photo.png", "gone.png", *NETWORK], 1, "gone.png"),
        (["style", "photo.png", "painting.png", "--model", "lenet5"], 2, "looks at grey images"),
        (["dream"], 2, "give a photo to dream of"),
        (["dream", "photo.png", "--class", "1"], 2, "give a photo to dream of"),
        (["dream", "--class", "1", "--layers", "layer1"], 2, "--layers is for dreaming of a photo"),
        (["dream", *NETWORK, "--unit", "layer1"], 2, "write LAYER:NUMBER"),
        (["dream", *NETWORK, "--unit", "layer1:99", "--size", "32"], 1, "layer1 has 0 to 15"),
        (["dream", *NETWORK, "--class", "10"], 2, "the network knows classes 0 to 9"),
        (["dream", *NETWORK, "--class", "cat"], 2, "no class is called that"),
        (["dream", "photo.png", "--octave-scale", "1"], 2, "number above 1 and below 10"),
        (["adversarial", "photo.png", "--epsilon", "1,x"], 2, "grey levels from 0 to 255"),
        (["adversarial", "photo.png", *NETWORK, "--target", "class"], 2, "could be 0 (class 0)"),
        (["adversarial", "photo.png", "--weights", "photo.png"], 1, "no known format"),
        (["fast-style", "photo.png"], 2, "give --network FILE, or --style PICTURE together with --images FOLDER"),
        (["fast-style", "photo.png", "--network", "net.npz"], 1, "no transformation network of fast style transfer"),
        (["fast-style", "photo.png", "--style", "painting.png", "--images", ".", *NETWORK], 2, "take smaller squares"),
    ],
)
def test_mistakes_get_one_sentence(run_main, place, arguments, code, words):
    found = run_main(*arguments)
    assert found[0] == code and words in found[2], found
