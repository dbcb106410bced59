"""The loop that learns the class of every pixel: what it counts, that it resumes to the same bits, that networks learn by it."""

import re
import signal

import numpy as np
import pytest

import tinycnn
from tinycnn import models, nn, train
from tinycnn.data import LabelMaps, MaskMaps, ShapesDetection
from tinycnn.errors import ArgumentError, TrainingError, UsageError
from tinycnn.train import SegmentationConfig, evaluate_segmentation, load_checkpoint, pixel_scores, train_segmentation
from tinycnn.train.segmentation_evaluation import normalised, whole_scores

QUICK = SegmentationConfig(epochs=2, batch_size=2, validate_every=2)


class Fixed(LabelMaps):
    """Pictures and labels in memory."""

    def __init__(self, pairs, classes=()):
        super().__init__(pairs, classes)

    def __getitem__(self, index):
        return self.pairs[index]


def drawn(count, size=32, *, instances=False):
    """Shapes with their label maps."""
    return MaskMaps(ShapesDetection(count, size, objects=(2, 4), extent=(0.2, 0.4)), instances=instances)


def tiny(classes=4, **options):
    tinycnn.manual_seed(3)
    return models.get_model("unet_small", num_classes=classes, width=1 / 32, depth=1, **options)


class KnowsColours(nn.Module):
    """Scores straight from the picture: class k where channel k is brightest."""

    def forward(self, x):
        return x


def test_scores_are_those_of_all_pixels_together():
    picture = np.zeros((2, 4, 3), np.uint8)
    picture[0, :, 0], picture[1, :, 1] = 255, 255
    picture[1, 3] = (0, 0, 255)
    labels = np.array([[0, 0, 0, 255], [1, 1, 2, 2]], np.uint8)
    data = Fixed([(picture, labels), (picture, np.full((2, 4), 255, np.uint8))], ("red", "green", "blue", "grey")[:3])
    verdict = evaluate_segmentation(KnowsColours(), data, mean=0.5, std=0.5)
    assert verdict.scores.matrix.tolist() == [[3, 0, 0], [0, 2, 0], [0, 1, 1]]
    assert verdict.scores.pixel_accuracy == 6 / 7 and verdict.pictures == 2 and verdict.instances is None and verdict.instance_f1 is None
    assert verdict.rows()[1] == ("green", 1.0, pytest.approx(2 / 3), pytest.approx(0.8), 2)
    with pytest.raises(ArgumentError, match="absent"):
        evaluate_segmentation(KnowsColours(), data, mean=0.5, std=0.5, absent="perhaps")
    with pytest.raises(ArgumentError, match="empty"):
        evaluate_segmentation(KnowsColours(), Fixed([], ("a",)), mean=0.5, std=0.5)


def test_cells_are_counted():
    labels = np.zeros((20, 40), np.int32)
    labels[4:16, 3:15], labels[4:16, 15:27] = 1, 2
    classes = train.segmentation_evaluation.border_classes(labels)
    picture = (255 * (classes[..., None] == np.arange(3))).astype(np.uint8)
    more = np.array(labels)
    more[3:8, 32:38] = 7
    verdict = evaluate_segmentation(KnowsColours(), Fixed([(picture, labels), (picture, more)]), mean=0.5, std=0.5)
    assert verdict.instances == (4, 0, 1) and verdict.instance_f1 == pytest.approx(8 / 9)
    assert verdict.classes == ("background", "interior", "border")


@pytest.mark.parametrize("instances", [False, True])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, instances, monkeypatch):
    data = drawn(5, instances=instances)
    config = QUICK.replace(loss="cross_entropy+0.5*dice", colour=0.2, weight_map=instances)
    options = {"validation": data, "run_info": {"model": "tiny"}}
    whole = tiny(3 if instances else 4, dropout=0.3)
    result = train_segmentation(whole, data, config, output=tmp_path / "whole", **options)
    assert [row["epoch"] for row in result.epochs] == [1, 2] and result.exit_code == 0
    assert result.epochs[0]["validation_iou"] is None and 0 <= result.epochs[1]["validation_iou"] <= 1
    assert result.epochs[0]["loss"] == pytest.approx(result.epochs[0]["loss_cross_entropy"] + 0.5 * result.epochs[0]["loss_dice"])

    # Ctrl-C after the first step of the second epoch.
    again, steps = tiny(3 if instances else 4, dropout=0.3), []
    note = train.segmentation.PixelRun.note_step

    def noted(run, *arguments):
        note(run, *arguments)
        steps.append(run.step)
        if len(steps) == 4:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(train.segmentation.PixelRun, "note_step", noted)
    said = []
    stopped = train_segmentation(again, data, config, output=tmp_path / "parts", say=said.append, **options)
    assert stopped.exit_code == 130 and stopped.interrupted == "SIGINT" and len(stopped.epochs) == 1
    assert "stopped by SIGINT in epoch 2" in said[-1] and "--resume" in said[-1]
    other = tiny(3 if instances else 4, dropout=0.3)
    resumed = train_segmentation(other, data, config, output=tmp_path / "parts", resume=True, say=said.append, **options)
    assert any("going on at epoch 2, step 2" in line for line in said)
    for name, value in whole.state_dict().items():
        np.testing.assert_array_equal(value.data, other.state_dict()[name].data, err_msg=name)
    for one, two in zip(result.epochs, resumed.epochs, strict=True):
        assert {**one, "seconds": 0} == {**two, "seconds": 0}
    table = (tmp_path / "parts" / "log.csv").read_text().splitlines()
    assert len(table) == 3 and table[0].startswith("epoch,loss,pixel_accuracy")
    assert load_checkpoint(tmp_path / "parts").run_info == {"model": "tiny"}
    with pytest.raises(UsageError, match="batch_size was 2 and is now 1"):
        train_segmentation(other, data, config.replace(batch_size=1), output=tmp_path / "parts", resume=True, **options)


def test_a_forecast_comes_early_and_once():
    said = []
    train_segmentation(tiny(), drawn(9), QUICK.replace(batch_size=1), say=said.append)
    forecasts = [line for line in said if "minutes" in line]
    assert len(forecasts) == 1 and re.fullmatch(r"\d+ ms a picture: 2 epochs of 9 will take about \d+\.\d minutes, validation aside", forecasts[0])
    assert said.index(forecasts[0]) == 0 and said[1].startswith("epoch 1/2  loss ")


def test_pictures_of_different_sizes_want_crops():
    one, two = drawn(1)[0], drawn(1, 36)[0]
    data = Fixed([one, two], ("a", "b", "c", "d"))
    with pytest.raises(ArgumentError, match="set crop, or batch_size=1"):
        train_segmentation(tiny(), data, QUICK)
    train_segmentation(tiny(), data, QUICK.replace(crop=16, epochs=1, balance=True))
    with pytest.raises(ArgumentError, match="empty"):
        train_segmentation(tiny(), Fixed([], ("a",)))


def test_a_loss_that_is_no_number_stops_the_run():
    model = tiny()
    model.classifier.bias.data[0] = np.nan
    with pytest.raises(TrainingError, match="the loss became nan in epoch 1"):
        train_segmentation(model, drawn(2), QUICK)


def test_instance_255_is_not_the_unlabelled():
    picture = np.zeros((16, 16, 3), np.uint8)
    labels = np.zeros((16, 16), np.int32)
    labels[2:6, 2:6], labels[8:12, 8:12] = 255, 256
    _, moved = train.segmentation._sample(Fixed([(picture, labels)]), 0)
    assert np.unique(moved).tolist() == [0, 256, 257]
    cropped = np.where(np.arange(16) < 12, moved, 255)
    targets, _ = train.segmentation._targets(cropped[None], True, SegmentationConfig())
    assert (targets[0, :, 12:] == 255).all() and set(np.unique(targets[0, :, :12])) == {0, 1, 2}


def test_a_valid_u_net_answers_for_every_pixel_by_both_ways():
    tinycnn.manual_seed(0)
    model = models.get_model("unet", num_classes=3, in_channels=3, width=1 / 32, depth=2).eval()
    pictures = np.random.default_rng(0).integers(0, 256, (1, 23, 30, 3), dtype=np.uint8)
    by_tiles = pixel_scores(model, pictures, 0.5, 0.25)
    at_once = whole_scores(model, normalised(pictures, 0.5, 0.25)).data
    assert by_tiles.shape == (1, 3, 23, 30)
    np.testing.assert_allclose(by_tiles, at_once, atol=1e-4)


def test_configs_refuse_and_recipes_fill_in():
    for changes, sentence in (
        ({"epochs": 0}, "epochs must be a whole number from 1 up, got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be greater than 0"),
        ({"momentum": 1.0}, "momentum must lie in"),
        ({"weight_decay": -1.0}, "weight_decay must be 0 or more"),
        ({"colour": 1.0}, "colour must lie in"),
        ({"elastic": -1.0}, "elastic must be 0 or more pixels"),
        ({"loss": "cross_entropi"}, "did you mean 'cross_entropy'"),
        ({"loss": "0*dice"}, "have weights above 0"),
        ({"loss": "much*dice"}, "have weights above 0"),
        ({"optimizer": "adm"}, "did you mean 'adam'"),
        ({"epoch": 3}, "did you mean 'epochs'"),
    ):
        with pytest.raises(UsageError, match=sentence):
            SegmentationConfig().replace(**changes)
    for (model, data), (config, options) in train.SEGMENTATION_RECIPES.items():
        assert train.segmentation_recipe(model, data, seed=7) == (config.replace(seed=7), options)
        nn.utils.skip_init(models.get_model, model, num_classes=3, in_channels=3, **options)
    assert train.segmentation_recipe("unet", "mine") == (SegmentationConfig(), {})
    every = SegmentationConfig(scale=0.2, elastic=10.0, crop=16, colour=0.1)
    assert SegmentationConfig.from_dict(every.to_dict()) == every
    picture, labels = drawn(1)[0]
    picture, target = every.transform()(picture, {"label_map": labels}, np.random.default_rng(0))
    assert picture.shape == (16, 16, 3) and target["label_map"].shape == (16, 16)
    with pytest.raises(ArgumentError, match="empty"):
        train.moments(Fixed([]))


# Each kind of network learns four small pictures by heart.

BY_HEART = {
    "unet_small": ({"width": 0.125, "depth": 2}, 0.01, 200, {}),
    "unet": ({"width": 0.125, "depth": 2, "batch_norm": True, "dropout": 0.0}, 0.005, 400, {}),
    "segnet_small": ({"width": 0.25}, 0.01, 500, {}),
    "deconvnet_small": ({"width": 0.25, "hidden": 64}, 0.005, 400, {}),
    "fcn8s_small": ({"width": 0.25, "hidden": 64}, 0.002, 400, {}),
    "gated_scnn": ({"width": 0.25}, 0.01, 200, {"loss": "cross_entropy+edge"}),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", BY_HEART)
def test_four_pictures_are_learned_by_heart(name):
    options, rate, epochs, changes = BY_HEART[name]
    data = drawn(4, 96 if name == "deconvnet_small" else 48)
    tinycnn.manual_seed(0)
    model = models.get_model(name, num_classes=4, in_channels=3, **options)
    config = SegmentationConfig(epochs=epochs, learning_rate=rate, flip=False, validate_every=0, **changes)
    mean, std = train.moments(data)
    train_segmentation(model, data, config, mean=mean, std=std)
    verdict = evaluate_segmentation(model, data, mean=mean, std=std)
    assert verdict.scores.mean_iou > 0.9, verdict.scores.text()


@pytest.mark.exhaustive
def test_cells_of_four_pictures_are_learned_by_heart():
    data = drawn(4, 48, instances=True)
    tinycnn.manual_seed(0)
    model = models.get_model("unet_small", num_classes=3, width=0.125, depth=2)
    config = SegmentationConfig(epochs=200, learning_rate=0.01, flip=False, weight_map=True, loss="cross_entropy+dice")
    mean, std = train.moments(data)
    train_segmentation(model, data, config, mean=mean, std=std)
    verdict = evaluate_segmentation(model, data, mean=mean, std=std)
    assert verdict.instance_f1 > 0.8, verdict.instances
