"""Training on sentences: it learns, folds are resumed, sweeps change one choice, n-grams add up to the logits."""

import dataclasses
import json

import numpy as np
import pytest

from tinycnn.data.sentences import Sentences
from tinycnn.errors import ArgumentError, CheckpointError, UsageError
from tinycnn.study.ngram_page import ngram_page
from tinycnn.study.ngrams import fired_ngrams, strongest_ngrams
from tinycnn.train.text import TextConfig, classify, load_text_run, save_text_run, train_text
from tinycnn.train.text_sweep import SWEEPS, cross_validate, sweep_text, variants_of

SMALL = TextConfig(region_sizes=(1, 2), maps=4, dimension=8, epochs=10, batch_size=10, learning_rate=5.0)


def reviews(count=80, seed=0):
    """Sentences of dull words with one telling pair in each."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    texts = []
    for label in labels:
        words = list(generator.choice(["the", "a", "film", "of", "it", "plot"], 6))
        words.insert(int(generator.integers(7)), "very good" if label else "very bad")
        texts.append(" ".join(words))
    return Sentences(tuple(texts), labels.astype(np.int64), ("negative", "positive"), "reviews")


@pytest.fixture(scope="module")
def trained():
    return train_text(reviews(), reviews(20, 1), SMALL)


def test_it_learns(trained):
    assert trained.accuracy == 1.0
    assert trained.epochs[0].loss == pytest.approx(np.log(2), abs=0.1) and trained.epochs[-1].loss < trained.epochs[0].loss
    assert 1 <= trained.best_epoch <= SMALL.epochs
    lengths = np.linalg.norm(trained.model.classifier.weight.data, axis=1)
    assert lengths.max() <= 3 * (1 + 1e-5)


def test_the_same_seed_gives_the_same_run(trained):
    again = train_text(reviews(), reviews(20, 1), SMALL)
    assert [epoch.loss for epoch in again.epochs] == [epoch.loss for epoch in trained.epochs]


def test_a_run_is_kept_and_read(trained, tmp_path):
    save_text_run(tmp_path, trained, "reviews")
    read = load_text_run(tmp_path)
    texts = ["a very good film", "quite unknown words"]
    np.testing.assert_array_equal(classify(read, texts), classify(trained, texts))
    assert read.config == trained.config and read.classes == trained.classes and read.epochs == trained.epochs


def test_ngrams_add_up_to_the_logits(trained):
    reading = fired_ngrams(trained.model, trained.vocabulary, trained.classes, "the plot of it very bad film zounds")
    total = np.array(reading.bias) + np.sum([each.shares for each in reading.ngrams], axis=0)
    np.testing.assert_allclose(total, reading.logits, rtol=1e-5, atol=1e-6)
    assert sum(each.maps for each in reading.ngrams) == 2 * 4
    assert reading.unknown == (False,) * 7 + (True,)
    for each in reading.ngrams:
        assert each.words == reading.words[max(each.place, 0) : max(each.place + each.size, 0)]
    leads = [reading.lead(each) for each in reading.ngrams]
    assert leads == sorted(leads, reverse=True) and "n-gram" in reading.text()


def test_the_telling_words_stand_out(trained):
    """Only "good" and "bad" tell the classes apart; one of them is enough, so the other may leave every map at zero."""
    loudest = []
    for text in ("the plot of it very bad film", "it very good a film"):
        reading = fired_ngrams(trained.model, trained.vocabulary, trained.classes, text)
        loudest.append(max(reading.ngrams, key=lambda each: abs(reading.lead(each))))
    speaking = [each for each in loudest if each.largest > 0]
    assert speaking and all({"good", "bad"} & set(each.words) for each in speaking)


def test_a_sentence_without_words(trained):
    reading = fired_ngrams(trained.model, trained.vocabulary, trained.classes, "...")
    assert reading.words == () and "(padding)" in reading.text() and "(no words)" in ngram_page([reading])


def test_the_page_escapes_what_it_shows(trained):
    page = ngram_page([fired_ngrams(trained.model, trained.vocabulary, trained.classes, "good (film)")], "a <b> title")
    assert "a &lt;b&gt; title" in page and 'data-place="0"' in page and "http" not in page


def test_what_a_map_looks_for(trained):
    found = strongest_ngrams(trained.model, trained.vocabulary, reviews(20, 2).texts, most=2)
    assert len(found) == 2 * 4 and all(len(ngrams) <= 2 for _, _, ngrams in found)
    assert any("good" in name or "bad" in name for _, _, ngrams in found for name, _ in ngrams)


def test_ngrams_want_one_maximum(trained):
    other = train_text(reviews(), None, dataclasses.replace(SMALL, pooling="k-max", k=2, epochs=1))
    with pytest.raises(ArgumentError, match="the model pools by 'k-max'"):
        fired_ngrams(other.model, other.vocabulary, other.classes, "good")
    with pytest.raises(ArgumentError, match="1 classes for 2 outputs"):
        fired_ngrams(trained.model, trained.vocabulary, ("one",), "good")


def test_folds_go_on_where_they_stopped(tmp_path):
    config, store, said = dataclasses.replace(SMALL, epochs=1), tmp_path / "folds.json", []
    first = cross_validate(reviews(30), config, 3, only=[0, 1], store=store)
    assert [fold.fold for fold in first] == [0, 1]
    everything = cross_validate(reviews(30), config, 3, store=store, say=said.append)
    assert everything[:2] == first and len(everything) == 3
    assert sum("done before" in line for line in said) == 2
    with pytest.raises(CheckpointError, match="folds of another config"):
        cross_validate(reviews(30), dataclasses.replace(config, maps=3), 3, store=store)
    store.write_text("[")
    with pytest.raises(CheckpointError, match="no store of folds"):
        cross_validate(reviews(30), config, 3, store=store)
    store.write_text(json.dumps({"of": 1, "results": []}))
    with pytest.raises(CheckpointError, match="folds of another"):
        cross_validate(reviews(30), config, 3, store=store)


def test_sweeps_change_one_choice():
    for what in SWEEPS:
        for name, config in variants_of(what, SMALL):
            different = [field.name for field in dataclasses.fields(config) if getattr(config, field.name) != getattr(SMALL, field.name)]
            assert set(different) <= {word.split("=")[0] for word in name.split()}
    with pytest.raises(UsageError, match="there is no sweep 'colour'"):
        variants_of("colour", SMALL)


def test_a_sweep_of_two(tmp_path):
    found = sweep_text(reviews(20), "activation", dataclasses.replace(SMALL, epochs=1), 2, only=[0], folder=tmp_path, values=[2, 3])
    assert [each.name for each in found] == ["activation=relu", "activation=tanh"]
    assert all(len(each.folds) == 1 and np.isnan(each.deviation) and 0 <= each.mean <= 1 for each in found)
    assert len(list(tmp_path.glob("activation-*.json"))) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dropout": 1.0}, "dropout=1.0 must be from 0 up and below 1"),
        ({"epochs": 0}, "epochs=0 must be a whole number"),
        ({"vectors": "big"}, "vectors='big' must be one of"),
        ({"learning_rate": float("nan")}, "learning_rate=nan must be above 0"),
    ],
)
def test_configs_that_cannot_be(changes, words):
    with pytest.raises(UsageError, match=words):
        train_text(reviews(20), None, dataclasses.replace(SMALL, **changes))


def test_too_few_sentences():
    with pytest.raises(UsageError, match="too few to learn from"):
        train_text(reviews(4).part([0]), None, SMALL)
