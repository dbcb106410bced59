"""Transfer, codes, leaderboard, data stats and the experiments on whole networks, on tiny data."""

import json

import numpy as np
import pytest

from tinycnn import models, nn, plot
from tinycnn.models import registry

SMALL = ("--batch-size", "20", "--lr", "0.02", "--epochs", "1")


def other_data(folder, make_tiny_mnist):
    return make_tiny_mnist(folder / "other", train=40, test=20)


@pytest.mark.parametrize("mode", ["extractor", "finetune", "all"])
def test_a_mode_makes_a_run_that_eval_and_predict_understand(run_main, elsewhere, trained_run, make_tiny_mnist, mode):
    data = other_data(elsewhere, make_tiny_mnist)
    code, output, _ = run_main("transfer", trained_run, "--data", data, "--mode", mode, "--neck", "12", "--json", *SMALL)
    assert code == 0
    result = json.loads(output)
    assert result["replaced"] == ["fc3"] and len(result["stages"]) == 1
    neck_and_head = 84 * 12 + 12 + 12 * 10 + 10
    whole = 61706 - 850 + neck_and_head
    assert result["stages"][0]["trained"] == {"extractor": neck_and_head, "finetune": neck_and_head + 10164, "all": whole}[mode]
    assert result["folder"] == f"runs/lenet5-other-{mode}"
    code, output, _ = run_main("eval", result["folder"], "--json", "--no-pictures")
    assert code == 0 and json.loads(output)["test_accuracy"] == pytest.approx(result["test_accuracy"])


def test_stages_from_a_file_and_the_leaderboard(run_main, elsewhere, trained_run, make_tiny_mnist):
    data = other_data(elsewhere, make_tiny_mnist)
    (elsewhere / "plan.toml").write_text(
        "title = 'two'\n[[stage]]\nname = 'head'\ntrain = ['head']\nepochs = 1\n[[stage]]\nname = 'late'\ntrain = ['head', 'fc2']\nepochs = 2\n"
    )
    options = ("--data", data, "--mode", "stages", "--stages", "plan.toml", "--out", "there/run", *SMALL[:4])
    code, output, _ = run_main("transfer", trained_run, *options)
    assert code == 0 and "two: 2 stages" in output and "test accuracy" in output
    assert (elsewhere / "there" / "run" / "2-late" / "checkpoint.npz").exists()
    code, output, _ = run_main("leaderboard", "--file", "there/leaderboard.jsonl", "--json")
    (entry,) = json.loads(output)["runs"]
    assert (entry["model"], entry["data"], entry["epochs"], entry["seed"]) == ("lenet5 (stages)", "other", 3, 0)
    before = (elsewhere / "there" / "run" / "checkpoint.npz").read_bytes()
    assert run_main("transfer", trained_run, *options, "--resume")[0] == 0
    from tinycnn.train import load_checkpoint

    (elsewhere / "old.npz").write_bytes(before)
    for name, array in load_checkpoint("old.npz").model.items():
        np.testing.assert_array_equal(array, load_checkpoint("there/run").model[name])


def test_an_architecture_with_weights_in_a_file(run_main, elsewhere, trained_run, make_tiny_mnist):
    from tinycnn.train import load_checkpoint

    np.savez("weights.npz", **load_checkpoint(trained_run).model)
    data = other_data(elsewhere, make_tiny_mnist)
    code, output, error = run_main("transfer", "lenet5", "--weights", "weights.npz", "--data", data, "--mode", "extractor", "--out", "run", *SMALL)
    assert code == 0, error
    assert "lenet5 from weights.npz: new fc3" in output
    kept, own = load_checkpoint("run").model, load_checkpoint(trained_run).model
    np.testing.assert_array_equal(kept["conv1.weight"], own["conv1.weight"])
    assert (kept["fc3.weight"] != own["fc3.weight"]).any()
    code, _, error = run_main("transfer", "lenet6", "--weights", "weights.npz", "--data", data)
    assert code == 2 and "did you mean" in error


def test_recipe_and_parts_are_printed(run_main, trained_run):
    code, output, _ = run_main("transfer", "--show-recipe")
    assert code == 0 and output.count("[[stage]]") == 6
    code, output, _ = run_main("transfer", trained_run, "--show-parts", "--json")
    assert json.loads(output)["parts"]["head"] == ["fc3"]


def test_transfer_refuses_what_cannot_be_meant(run_main, elsewhere, trained_run, tiny_mnist):
    for arguments, words in (
        ((trained_run, "--data", tiny_mnist, "--mode", "most"), "choose one of extractor"),
        ((trained_run, "--data", tiny_mnist, "--stages", "x.toml"), "needs --mode stages"),
        ((trained_run,), "say what the network is to learn"),
        ((), "name a trained network"),
        ((trained_run, "--data", tiny_mnist, "--neck", "a"), "write whole numbers above 0"),
    ):
        code, _, error = run_main("transfer", *arguments)
        assert code == 2 and words in error


def test_codes_go_to_three_methods_and_two_pictures(run_main, elsewhere, trained_run):
    code, output, _ = run_main("codes", trained_run, "--out", "drawn", "--save", "codes.npz", "--json", "--neighbours", "3")
    assert code == 0
    result = json.loads(output)
    assert result["features"] == 84 and all(0 <= result[name] <= 1 for name in ("svm", "neighbours", "k_means"))
    kept = np.load("codes.npz")
    assert kept["train_codes"].shape == (60, 84) and kept["test_labels"].shape == (30,)
    if plot.available():
        assert {path.name for path in (elsewhere / "drawn").iterdir()} == {"codes_map.png", "codes_neighbours.png"}
    code, output, _ = run_main("codes", trained_run, "--layer", "conv2", "--pool", "--no-pictures", "--json")
    assert json.loads(output)["features"] == 16
    assert run_main("codes", trained_run, "--save", "codes.csv")[0] == 2


def test_an_empty_leaderboard_and_the_published_one(run_main, elsewhere):
    assert run_main("leaderboard")[0] == 2
    code, output, _ = run_main("leaderboard", "--published")
    assert code == 0 and "138,357,544" in output and "docs.pytorch.org" in output
    if plot.available():
        assert run_main("leaderboard", "--published", "--chart", "bubbles.svg")[0] == 0
        assert "<svg" in (elsewhere / "bubbles.svg").read_text()
    assert run_main("leaderboard", "--published", "--chart", "bubbles.jpg")[0] == 2


def test_data_stats_are_the_channel_means(run_main, tiny_mnist):
    from tinycnn.data import load_dataset

    code, output, _ = run_main("data", "stats", tiny_mnist, "--json")
    assert code == 0
    images = load_dataset(tiny_mnist, True, transform=None).images / 255
    result = json.loads(output)
    assert result["mean"] == [pytest.approx(images.mean())] and result["std"] == [pytest.approx(images.std())]
    assert result["classes"]["3"] == [6, 3]
    assert run_main("data", "stat", tiny_mnist)[0] == 2


class Tiny(nn.Module):
    """A network of some depth that takes what the experiments' networks take."""

    def __init__(self, num_classes=10, in_channels=1, depth=1, aux_logits=False):
        super().__init__()
        self.stem = nn.Conv2d(in_channels, 4, 5, stride=4, activation="relu")
        self.body = nn.Sequential(*[nn.Conv2d(4, 4, 3, padding=1, activation="relu") for _ in range(depth)])
        self.aux = nn.Linear(144, num_classes) if aux_logits else None
        self.fc = nn.Linear(144, num_classes)

    def forward(self, x):
        x = self.body(self.stem(x)).flatten(1)
        return (self.fc(x), self.aux(x)) if self.training and self.aux is not None else self.fc(x)


def plain1(num_classes: int = 10, in_channels: int = 1) -> Tiny:
    return Tiny(num_classes, in_channels, 1)


def plain3(num_classes: int = 10, in_channels: int = 1) -> Tiny:
    return Tiny(num_classes, in_channels, 3)


def vgg1_cifar(num_classes: int = 10, in_channels: int = 1, batch_norm: bool = True) -> Tiny:
    assert not batch_norm
    return Tiny(num_classes, in_channels, 1)


def branched(num_classes: int = 10, in_channels: int = 1, aux_logits: bool = False) -> Tiny:
    return Tiny(num_classes, in_channels, 1, aux_logits)


@pytest.fixture
def tiny_networks(monkeypatch):
    known = {"plain1": plain1, "plain3": plain3, "resnet1": plain1, "resnet3": plain3, "vgg1_cifar": vgg1_cifar, "branched": branched}
    for name, function in known.items():
        monkeypatch.setattr(models, name, function, raising=False)
        monkeypatch.setitem(registry._BUILDERS, name, function)


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        (("degradation", "--depths", "1,3"), 4),
        (("vgg-depth", "--depths", "1"), 1),
        (("side-branches", "branched"), 2),
        (("identity", "plain1"), 4),
        (("layer-transfer", "plain1"), 3),
    ],
)
def test_experiments_on_networks_end_in_a_table(run_main, elsewhere, tiny_networks, tiny_mnist, words, rows):
    picture = () if words[0] == "identity" or not plot.available() else ("--picture", "picture.svg")
    code, output, error = run_main("experiment", *words, "--data", tiny_mnist, "--images", "40", "--json", *picture, *SMALL)
    assert code == 0, error
    result = json.loads(output)
    assert len(result.get("runs", result.get("rows"))) == rows
    if words[0] == "identity":
        assert result["difference"] < 1e-5
        assert result["rows"][0]["test_error"] == result["rows"][1]["test_error"]
    if picture:
        assert "<svg" in (elsewhere / "picture.svg").read_text()


def test_the_range_test_draws_its_picture(run_main, elsewhere, tiny_mnist):
    if not plot.available():
        pytest.skip("needs matplotlib")
    assert run_main("experiment", "lr-range", "--data", tiny_mnist, "--steps", "12", "--picture", "lr.png")[0] == 0
    assert (elsewhere / "lr.png").exists()
    assert run_main("experiment", "lr-range", "--data", tiny_mnist, "--picture", "lr.jpg")[0] == 2
    assert run_main("experiment", "degradation", "--depths", "a")[0] == 2
