"""Pairs, episodes, the gallery and adding people: by definition on drawn vectors, then once on a trained network; and the report's page."""

import dataclasses
import json
import re

import numpy as np
import pytest

from tests.train.people import draw_people
from tinycnn import study
from tinycnn.errors import ArgumentError, CheckpointError, DataError, UsageError
from tinycnn.study.recognition_page import recognition_page
from tinycnn.train import Checkpoint, save_checkpoint
from tinycnn.train.gallery import Gallery, load_gallery, save_gallery
from tinycnn.train.metric_learning import MetricConfig, hold_out, train_embedding
from tinycnn.train.recognition import add_people, few_shot, pair_scores, verify_pairs


def heaps(people=5, pictures=4, noise=0.0, seed=0):
    """Vectors around a direction a person."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(people), pictures)
    return np.eye(people)[labels] + noise * generator.standard_normal((len(labels), people)), labels


def test_pairs_by_definition():
    vectors, labels = heaps(noise=0.5)
    same, scores = pair_scores(vectors, labels)
    number = 0
    for i in range(20):
        for j in range(i + 1, 20):
            cosine = vectors[i] @ vectors[j] / np.linalg.norm(vectors[i]) / np.linalg.norm(vectors[j])
            assert same[number] == (labels[i] == labels[j]) and scores[number] == pytest.approx(cosine)
            number += 1
    assert number == len(same)


def test_verification_of_perfect_and_of_noisy_vectors():
    perfect = verify_pairs(*heaps())
    assert (perfect.genuine, perfect.impostor) == (5 * 6, 190 - 30)
    assert perfect.eer == 0 and perfect.auc == 1 and all(accepted == 1 for accepted, _ in perfect.tar.values())
    noisy = verify_pairs(*heaps(people=8, pictures=8, noise=0.4))
    assert 0 < noisy.eer < 0.5 and noisy.tar["0.1"][0] >= noisy.tar["0.01"][0]
    # The threshold of a rate lets in at most that share of two people's pairs, and exactly the share of one person's that it states.
    for rate, (accepted, threshold) in noisy.tar.items():
        assert (noisy.impostor_scores >= threshold).mean() <= float(rate)
        assert (noisy.genuine_scores >= threshold).mean() == pytest.approx(accepted)
    assert (noisy.impostor_scores >= noisy.threshold).mean() == pytest.approx(noisy.eer, abs=0.02)
    with pytest.raises(ArgumentError, match="both kinds are needed"):
        verify_pairs(np.eye(3), np.arange(3))


def test_episodes_by_chance_and_by_heaps():
    assert few_shot(*heaps(), ways=5).accuracy == 1.0
    blind = few_shot(np.random.default_rng(0).standard_normal((60, 8)), np.repeat(np.arange(12), 5), ways=4, episodes=300)
    assert blind.accuracy == pytest.approx(0.25, abs=0.04) and 0 < blind.interval < 0.05
    noisy, labels = heaps(people=6, pictures=12, noise=0.6)
    one, five = (few_shot(noisy, labels, ways=5, shots=shots).accuracy for shots in (1, 5))
    assert five > one > 0.3
    with pytest.raises(ArgumentError, match="5 people have more than 1 pictures; at least 6"):
        few_shot(*heaps(), ways=6)


def test_a_gallery_knows_whom_it_was_shown(tmp_path):
    gallery = Gallery(0.5, "net")
    gallery.enrol("Ada", np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0]]))
    gallery.enrol("Ben", np.array([0.0, 0.0, 3.0]))
    ranked = gallery.identify(np.array([0.0, 0.1, 1.0]))
    assert [each.name for each in ranked] == ["Ben", "Ada"] and ranked[0].accepted and not ranked[1].accepted
    assert ranked[0].score == pytest.approx(1 / np.hypot(1, 0.1))
    direction = np.array([1 + np.sqrt(0.5), np.sqrt(0.5), 0])  # the mean of the two unit vectors
    assert gallery.verify("Ada", np.array([1.0, 0, 0])).score == pytest.approx(direction[0] / np.linalg.norm(direction))
    path = save_gallery(tmp_path / "people.npz", gallery)
    read = load_gallery(path)
    assert list(read.vectors) == ["Ada", "Ben"] and (read.threshold, read.network) == (0.5, "net")
    np.testing.assert_allclose(read.templates(), gallery.templates())
    gallery.remove("Ben")
    assert len(gallery) == 1
    with pytest.raises(UsageError, match="nobody called 'Ben' in the gallery; it holds Ada"):
        gallery.verify("Ben", np.ones(3))


def test_galleries_that_cannot_be(tmp_path):
    gallery = Gallery()
    for vectors, words in ((np.zeros(3), "zero or not finite"), (np.array([np.nan, 1]), "zero or not finite"), (np.empty((0, 3)), "must be")):
        with pytest.raises(UsageError, match=words):
            gallery.enrol("Ada", vectors)
    with pytest.raises(UsageError, match="printable letters"):
        gallery.enrol(" ", np.ones(3))
    with pytest.raises(UsageError, match="nobody is enrolled"):
        gallery.identify(np.ones(3))
    gallery.enrol("Ada", np.ones(3))
    with pytest.raises(UsageError, match=r"they must be \(pictures, 3\)"):
        gallery.identify(np.ones(4))
    with pytest.raises(UsageError, match="must be a cosine"):
        Gallery(float("nan"))
    with pytest.raises(UsageError, match=r"ends in \.npz"):
        save_gallery(tmp_path / "people.txt", gallery)
    with pytest.raises(CheckpointError, match="there is no gallery"):
        load_gallery(tmp_path / "none.npz")
    for info, words in (({"task": "text"}, "is no gallery"), ({"task": "gallery", "names": ["Ada"], "threshold": 2, "network": ""}, "do not fit")):
        save_checkpoint(tmp_path / "odd.npz", Checkpoint(model={"0": np.ones((1, 3))}, run_info=info))
        with pytest.raises(DataError, match=words):
            load_gallery(tmp_path / "odd.npz")


@pytest.fixture(scope="module")
def story():
    """A network, those it was trained on, strangers, and everybody."""
    everybody = draw_people(9, 6)
    known, strangers = hold_out(everybody, 4)
    config = MetricConfig(classes=5, samples=3, epochs=8, shift=1, mirror=False, learning_rate=3e-3)
    return train_embedding(known, config), known, strangers, everybody


def test_people_are_added_without_training(story):
    run, known, strangers, _ = story
    found = add_people(run, known, strangers, threshold=0.3)
    assert (found.known, found.added, found.weights_changed) == (5, 4, False)
    assert found.new_before == 0 and found.new_after > 0.4 and found.known_after > 0.4
    assert found.classifier_new == 0 and found.classifier_known > 0.6
    assert found.known_after <= found.known_before  # more people can only confuse
    with pytest.raises(ArgumentError, match="more than shots=6 are needed"):
        add_people(run, known, strangers, shots=6)


def test_the_report_and_its_page(story):
    run, known, strangers, everybody = story
    report = study.recognition_report(run, everybody, ways=(3, 50), shots=(1,), episodes=20)
    assert report.strangers == strangers.classes and report.known == known.classes
    assert [(each.ways, each.shots) for each in report.shots] == [(3, 1)]
    assert list(report.verified) == ["arcface", "before training", "plain pictures"]
    assert sum(pair.same for pair in report.hardest) == 4 and len(report.hardest) == 8
    same, scores = pair_scores(*(lambda found: (found, report.labels))(embed_strangers(run, strangers)))
    assert report.hardest[0].score == pytest.approx(scores[same == 1].min()) and report.hardest[4].score == pytest.approx(scores[same == 0].max())
    assert "Weights of the network changed: none." in report.text()
    assert json.loads(json.dumps(report.to_dict()))["pictures"] == 24
    page = recognition_page(dataclasses.replace(report, strangers=("<b>", *report.strangers[1:]), alarms=("a & b",)))
    shown = page.split('<script type="application/json"')[0]
    assert "<b>" not in shown and "&lt;b&gt;" in shown and "a &amp; b" in shown and shown.count("<image") == 24
    assert not re.search(r"https?://|src=(?!\"data:)", page)
    points = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1])["points"]
    assert [point[:3] for point in points] == sorted((point[:3] for point in points), key=lambda point: -point[0])
    assert all(40 <= x <= 480 for _, _, _, left, x, _ in points for x in (left, x))


def embed_strangers(run, strangers):
    from tinycnn.train.metric_learning import embed

    return embed(run, strangers.images)


def test_a_report_needs_strangers(story):
    run, known, *_ = story
    with pytest.raises(UsageError, match="of 5 people 0 are strangers"):
        study.recognition_report(run, known)
