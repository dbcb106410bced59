"""The loop of detectors: terms by name, the same bits after a stop, evaluation, the worst images, refusals."""

import csv
import json
from functools import partial

import numpy as np
import pytest

from tinycnn import Tensor, nn
from tinycnn.data import KeptInMemory, ShapesDetection
from tinycnn.data.transforms import boxes_of_masks
from tinycnn.errors import TrainingError, UsageError
from tinycnn.models import detection
from tinycnn.models.detection.retinanet import RetinaNet, RetinaNetHead
from tinycnn.train import TrainConfig, evaluate_detector, load_checkpoint, prepare_detector, save_checkpoint, train_detector, worst_images

CONFIG = TrainConfig(epochs=3, batch_size=2, optimizer="adamw", learning_rate=2e-3, clip_norm=5.0, warmup=0.2, log_every=1, seed=3)
ON_THE_CLOCK = ("seconds", "images_per_second")


class Body(nn.Module):
    """Two convolutions to a map of stride 8."""

    out_channels = 8

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 4, stride=4), nn.ReLU(), nn.Conv2d(8, 8, 2, stride=2), nn.ReLU())

    def forward(self, input):
        return self.layers(input)


class Squares:
    """One bright square on dark noise in each image; (image, target) as detectors learn from."""

    classes = ("square",)

    def __init__(self, count, seed):
        draw = np.random.default_rng(seed)
        self.samples = []
        for _ in range(count):
            image = draw.random((3, 32, 32)).astype(np.float32) * 0.2
            x, y = draw.integers(0, 16, 2)
            image[:, y : y + 14, x : x + 14] += 0.7
            target = {"boxes": np.array([[x, y, x + 14, y + 14]], np.float32), "labels": np.array([1])}
            self.samples.append((image, target))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, place):
        return self.samples[place]


def build():
    body = Body()
    # Without normalisation all eight ReLUs of a layer can start at zero, and then no box is ever learned: with seeds 3 and 4 of five they did.
    head = RetinaNetHead(8, 1, 2, norm_layer=partial(nn.GroupNorm, 2))
    anchors = detection.AnchorGenerator(((14,),), ((1.0,),))
    return RetinaNet(body, 2, anchor_generator=anchors, head=head, min_size=32, max_size=32, score_thresh=0.01, detections_per_img=5)


def run(config=CONFIG, images=6, **options):
    prepared = prepare_detector(build, Squares(images, 0), Squares(3, 1), config)
    result = train_detector(*prepared, config, show=False, **options)
    return prepared.model, result


class PulledPlug(Exception):
    """Ends a run in the middle, as a crash would."""


def without_clock(row):
    return {key: value for key, value in row.items() if key not in ON_THE_CLOCK}


@pytest.mark.parametrize("stop", [1, 4])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, stop):
    config = CONFIG.replace(epochs=2, checkpoint_every=1, average=0.9)

    def save(path, checkpoint):
        save_checkpoint(path, checkpoint)
        if len(checkpoint.step_losses) >= stop:
            raise PulledPlug
        return path

    whole, result = run(config, output=tmp_path / "whole")
    with pytest.raises(PulledPlug):
        run(config, output=tmp_path / "parts", save=save)
    parts, again = run(config, output=tmp_path / "parts", resume=True)
    for (name, first), second in zip(whole.state_dict().items(), parts.state_dict().values(), strict=True):
        np.testing.assert_array_equal(first.data, second.data, err_msg=name)
    assert result.step_losses == again.step_losses and len(again.step_losses) == 6
    assert [without_clock(each.row()) for each in result.epochs] == [without_clock(each.row()) for each in again.epochs]
    first, second = load_checkpoint(tmp_path / "whole"), load_checkpoint(tmp_path / "parts")
    assert first.average["updates" if "updates" in first.average else next(iter(first.average))] is not None
    assert [without_clock(each) for each in first.events] == [without_clock(each) for each in second.events]


def test_the_log_has_the_terms_by_name(tmp_path):
    _, result = run(CONFIG.replace(epochs=1, accumulate=2), output=tmp_path)
    (epoch,) = result.epochs
    assert set(epoch.terms) == {"classification", "bbox_regression"} and epoch.train_loss == pytest.approx(sum(epoch.terms.values()))
    assert set(epoch.scores) == {"AP", "AP50", "AP75", "VOC07", "VOC10"} and len(result.step_losses) == 2  # three batches, two a step
    (row,) = csv.DictReader((tmp_path / "log.csv").read_text().splitlines())
    assert float(row["term_bbox_regression"]) == epoch.terms["bbox_regression"] and float(row["test_AP50"]) == epoch.scores["AP50"]
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[1])["event"] == "step"


@pytest.mark.exhaustive
def test_it_learns_squares():
    config = CONFIG.replace(epochs=40, learning_rate=5e-3)
    model, result = run(config, images=40)
    assert evaluate_detector(model, Squares(20, 9)).scores["AP50"] > 0.8, result.epochs[-1]


class Perfect(nn.Module):
    """Says what it was told, except what it is to get wrong."""

    def __init__(self, answers):
        super().__init__()
        self.answers, self.at = answers, 0

    def forward(self, images):
        found = self.answers[self.at : self.at + len(images)]
        self.at += len(images)
        return [{name: Tensor(value) for name, value in one.items()} for one in found]


def as_answer(target, score=0.9):
    answer = {"boxes": target["boxes"], "labels": target["labels"], "scores": np.full(len(target["labels"]), score, np.float32)}
    if "masks" in target:
        answer["masks"] = target["masks"][:, None].astype(np.float32)
    return answer | ({"keypoints": target["keypoints"]} if "keypoints" in target else {})


def test_evaluation_finds_the_worst_images():
    squares = Squares(4, 5)
    answers = [as_answer(target) for _, target in squares.samples]
    answers[2] = {"boxes": np.zeros((0, 4), np.float32), "labels": np.zeros(0, np.int64), "scores": np.zeros(0, np.float32)}
    answers[1] = as_answer({"boxes": np.array([[0, 0, 2, 2], *squares[1][1]["boxes"].tolist()], np.float32), "labels": np.array([1, 1])}, 0.8)
    evaluation = evaluate_detector(Perfect(answers), squares, batch_size=3)
    assert evaluation.scores["AP50"] < 1 and len(evaluation.answers) == 4 and evaluation.data.categories == {1: "square"}
    lost, false = worst_images(evaluation)
    assert (lost.image, lost.missed, lost.wrong) == (2, 1, {}) and (false.image, false.missed, false.wrong) == (1, 0, {"background": 1})
    assert lost.error == 1.0 and false.error == pytest.approx(0.8)
    right = evaluate_detector(Perfect([as_answer(target) for _, target in squares.samples]), squares)
    assert right.scores["AP"] == pytest.approx(1.0) and worst_images(right) == []


def test_masks_and_keypoints_are_measured_where_there_are_some():
    squares = Squares(2, 7)
    for _, target in squares.samples:
        x1, y1, x2, y2 = target["boxes"][0].astype(int)
        target["masks"] = np.zeros((1, 32, 32), np.uint8)
        target["masks"][0, y1:y2, x1:x2] = 1
        target["keypoints"] = np.array([[[x1, y1, 1], [x2, y2, 1]]], np.float32)
    scores = evaluate_detector(Perfect([as_answer(target) for _, target in squares.samples]), squares).scores
    assert scores["mask_AP"] == pytest.approx(1) and scores["keypoint_AP50"] == pytest.approx(1)


def test_a_loss_that_is_not_finite_names_its_term():
    prepared = prepare_detector(build, Squares(2, 0), Squares(1, 1), CONFIG)
    prepared.model.head.regression_head.bbox_reg.bias.data[...] = np.inf
    with pytest.raises(TrainingError, match=r"at step 1 \(epoch 1\): bbox_regression is inf"):
        train_detector(*prepared, CONFIG, show=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"mixup": 0.2}, "cannot learn with mixup: it changes images without their boxes"), ({"initialisation": "he"}, "as published")],
)
def test_refusals(change, words):
    with pytest.raises(UsageError, match=words):
        prepare_detector(build, Squares(2, 0), Squares(1, 1), CONFIG.replace(**change))


def test_empty_sets_are_refused():
    with pytest.raises(UsageError, match="the data set is empty"):
        evaluate_detector(build(), Squares(0, 0))


class Seconds:
    """A clock that goes on by so much at each look."""

    def __init__(self, each):
        self.each, self.now = each, 0.0

    def __call__(self):
        self.now += self.each
        return self.now


def test_a_timed_run_ends_inside_an_epoch_with_its_schedule_at_the_end(tmp_path):
    config = CONFIG.replace(epochs=1000, schedule="cosine")
    prepared = prepare_detector(build, Squares(8, 0), Squares(2, 1), config, minutes=1)
    prepared.scheduler.clock = Seconds(2.0)
    result = train_detector(*prepared, config, show=False, output=tmp_path)
    assert prepared.scheduler.over and 2 < len(result.step_losses) < 40
    rates = result.learning_rates
    assert rates[0] == rates[1] == 2e-3 and rates == sorted(rates, reverse=True) and prepared.optimizer.param_groups[0]["lr"] < 2e-5
    assert result.epochs[-1].scores and sum(bool(epoch.scores) for epoch in result.epochs) <= 7
    again = prepare_detector(build, Squares(8, 0), Squares(2, 1), config, minutes=1)
    assert train_detector(*again, config, show=False, output=tmp_path, resume=True).step_losses == result.step_losses  # no time is left


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), "1"])
def test_time_must_be_positive(minutes):
    with pytest.raises(UsageError, match="minutes must be a finite number above 0"):
        prepare_detector(build, Squares(2, 0), Squares(1, 1), CONFIG, minutes=minutes)


def test_flips_move_the_boxes_along():
    squares = Squares(6, 0)
    prepared = prepare_detector(build, squares, Squares(1, 1), CONFIG.replace(flip=True, batch_size=6))
    images, targets = next(iter(prepared.train_loader))
    order = prepared.train_loader.order(0)
    flipped = 0
    for place, image, target in zip(order, images, targets, strict=True):
        own, box = squares[int(place)][0], squares[int(place)][1]["boxes"][0]
        x1, y1, x2, y2 = (int(value) for value in target["boxes"][0])
        assert image[:, y1:y2, x1:x2].min() >= 0.7 and image[:, y1:y2, x1:x2].shape == (3, 14, 14)
        mirrored = not np.array_equal(image, own)
        flipped += mirrored
        assert x1 == (32 - box[2] if mirrored else box[0])
    assert 0 < flipped < 6


def test_symmetries_of_drawn_shapes_make_other_samples_as_likely():
    """Mirrors, quarter turns and other colours: shapes of the same sizes elsewhere, their masks and points still upon them."""
    shapes = KeptInMemory(ShapesDetection(1, size=80, seed=3))
    seen = set()
    for symmetry in (True, False):
        prepared = prepare_detector(build, shapes, shapes, CONFIG.replace(flip=False, symmetry=symmetry))
        for epoch in range(20):
            prepared.train_loader.set_epoch(epoch)
            (image,), (target,) = next(iter(prepared.train_loader))
            np.testing.assert_array_equal(target["boxes"], boxes_of_masks(target["masks"]))
            np.testing.assert_array_equal(np.sort(target["area"]), np.sort(shapes[0][1]["area"]))
            for points, mask in zip(target["keypoints"], target["masks"], strict=True):
                x, y = points[points[:, 2] == 2, :2].astype(int).T
                near = [mask[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].any() for column, row in zip(x, y, strict=True)]
                assert all(near)
            if symmetry:
                seen.add(image.tobytes())
            else:
                np.testing.assert_array_equal(image, shapes[0][0])
    assert len(seen) > 12
