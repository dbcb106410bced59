"""Every loss draws one person's vectors together and pushes two people's apart; runs repeat, are kept and read; collapse is told."""

import dataclasses

import numpy as np
import pytest

from tests.train.people import draw_people
from tinycnn import Tensor
from tinycnn.data import ArrayDataset
from tinycnn.errors import CheckpointError, UsageError
from tinycnn.train import Checkpoint, save_checkpoint
from tinycnn.train.metric_learning import (
    LOSSES,
    MetricConfig,
    MetricRun,
    Objective,
    build_network,
    embed,
    hold_out,
    known_by_classifier,
    load_metric_run,
    mean_distance,
    save_metric_run,
    train_embedding,
)
from tinycnn.train.recognition import pair_scores

SMALL = MetricConfig(classes=4, samples=3, epochs=5, shift=1, mirror=False, learning_rate=3e-3)


@pytest.fixture(scope="module")
def people():
    return draw_people(4)


@pytest.fixture(scope="module")
def trained(people):
    return train_embedding(people, SMALL)


def gap(run, people):
    """How much nearer one person's pictures are than two people's."""
    same, scores = pair_scores(embed(run, people.images), people.labels())
    return scores[same == 1].mean() - scores[same == 0].mean()


def untrained(config, people):
    return MetricRun(build_network(config, people.image_shape[1:]), config, people.image_shape[1:], people.mean, people.std)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_tells_people_apart(people, loss):
    config = dataclasses.replace(SMALL, loss=loss)
    run = train_embedding(people, config)
    assert gap(run, people) > gap(untrained(config, people), people) + 0.1
    assert len(run.epochs) == 5 and not run.findings


@pytest.mark.parametrize("loss", ["contrastive", "contrastive-hadsell"])
def test_contrastive_is_its_formula_over_all_pairs(loss):
    generator = np.random.default_rng(0)
    vectors, labels = generator.standard_normal((6, 5)), np.array([0, 0, 1, 1, 2, 2])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    costs = []
    for i in range(6):
        for j in range(i + 1, 6):
            distance = np.linalg.norm(unit[i] - unit[j])
            cost = distance if labels[i] == labels[j] else max(0.0, 1.1 - distance)
            costs.append(cost**2 / 2 if loss.endswith("hadsell") else cost)
    objective = Objective(MetricConfig(loss=loss, margin=1.1), 5, 3)
    assert objective(Tensor(vectors), labels).item() == pytest.approx(np.mean(costs), rel=1e-9)


def test_the_margin_makes_it_harder():
    """With the margin at 0, ArcFace and CosFace are one softmax of cosines; a margin raises the loss."""
    generator = np.random.default_rng(1)
    vectors, labels = Tensor(generator.standard_normal((6, 5)).astype(np.float32)), np.arange(6) % 3
    values = {}
    for loss in ("arcface", "cosface"):
        for margin in (0.0, 0.3):
            objective = Objective(MetricConfig(loss=loss, margin=margin), 5, 3)
            objective.head.weight.data[...] = np.eye(3, 5)
            values[loss, margin] = objective(vectors, labels).item()
        assert values[loss, 0.3] > values[loss, 0.0]
    assert values["arcface", 0.0] == pytest.approx(values["cosface", 0.0], rel=1e-5)


def test_the_same_seed_gives_the_same_vectors(people, trained):
    again = train_embedding(people, SMALL)
    np.testing.assert_array_equal(embed(again, people.images), embed(trained, people.images))
    other = train_embedding(people, dataclasses.replace(SMALL, seed=1, epochs=1))
    assert other.epochs[0].loss != trained.epochs[0].loss


def test_collapse_is_told_once():
    """Pictures that are all the same have one vector, so the triplet loss stands at its margin."""
    same = ArrayDataset(np.repeat(draw_people(1, 1).images[:, 0], 12, 0), np.arange(12) % 3)
    said = []
    config = dataclasses.replace(SMALL, loss="triplet", classes=3, shift=0, epochs=2)
    run = train_embedding(same, config, say=said.append)
    assert [finding.kind for finding in run.findings] == ["collapse"]
    assert sum("same point" in line for line in said) == 1 and "stands at its margin, 0.3" in str(run.findings[0])
    assert run.epochs[-1].distance == pytest.approx(0, abs=1e-5)
    assert run.epochs[-1].loss == pytest.approx(0.3, abs=1e-4)


def test_vectors_have_length_one_in_parts(people, trained):
    vectors = embed(trained, people.images)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1)
    np.testing.assert_allclose(vectors[3:5], embed(trained, people.images[3:5, 0]), rtol=1e-5, atol=1e-6)
    assert mean_distance(np.eye(4)) == pytest.approx(np.sqrt(2))
    with pytest.raises(UsageError, match="pictures of 8x8 for a network of 16x16"):
        embed(trained, np.zeros((1, 8, 8), np.uint8))


def test_the_classifier_knows_only_those_it_was_trained_on(people, trained):
    names = [people.classes[label] for label in people.labels()]
    assert np.mean([a == b for a, b in zip(known_by_classifier(trained, people.images), names, strict=True)]) > 0.8
    strangers = draw_people(3, seed=9)
    assert set(known_by_classifier(trained, strangers.images)) <= set(people.classes)


@pytest.mark.parametrize("loss", ["arcface", "softmax", "triplet"])
def test_a_run_is_kept_and_read(people, tmp_path, loss):
    run = train_embedding(people, dataclasses.replace(SMALL, loss=loss, epochs=1))
    run.threshold = 0.25
    save_metric_run(tmp_path, run)
    read = load_metric_run(tmp_path)
    np.testing.assert_array_equal(embed(read, people.images), embed(run, people.images))
    assert known_by_classifier(read, people.images) == known_by_classifier(run, people.images)
    assert (read.config, read.people, read.epochs, read.threshold) == (run.config, run.people, run.epochs, 0.25)


def test_runs_of_another_kind(tmp_path):
    for name in ("other", "old"):
        (tmp_path / name).mkdir()
    save_checkpoint(tmp_path / "other", Checkpoint(model={}, run_info={"task": "text"}))
    with pytest.raises(CheckpointError, match="a run of another kind than faces"):
        load_metric_run(tmp_path / "other")
    save_checkpoint(tmp_path / "old", Checkpoint(model={}, config={}, run_info={"task": "embedding"}))
    with pytest.raises(CheckpointError, match="was written by another version"):
        load_metric_run(tmp_path / "old")


def test_folds_hold_out_everybody_once():
    people = draw_people(7, 2)
    held = [hold_out(people, 2, fold) for fold in range(3)]
    assert [test.classes for _, test in held] == [("p0", "p1"), ("p2", "p3"), ("p4", "p5")]
    for learn, test in held:
        assert set(learn.classes) | set(test.classes) == set(people.classes) and not set(learn.classes) & set(test.classes)
        assert learn.labels().tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    np.testing.assert_array_equal(held[1][1].images, people.images[4:8])
    assert hold_out(people)[1].classes == ("p5", "p6")
    with pytest.raises(UsageError, match="6 of 7 people held out"):
        hold_out(people, 6)
    with pytest.raises(UsageError, match="fold=3 must be from 0 to 2"):
        hold_out(people, 2, 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"loss": "arcfac"}, "loss='arcfac' must be one of softmax"),
        ({"model": "lenet5"}, "model='lenet5' must be one of conv4, small_face"),
        ({"epochs": 0}, "epochs=0 must be a whole number"),
        ({"margin": -1.0}, "margin=-1.0 must be at least 0"),
        ({"learning_rate": float("nan")}, "learning_rate=nan must be above 0"),
    ],
)
def test_configs_that_cannot_be(people, changes, words):
    with pytest.raises(UsageError, match=words):
        train_embedding(people, dataclasses.replace(SMALL, **changes))
