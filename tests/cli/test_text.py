"""tinycnn text: train, predict with a page, folds that go on, a sweep, and one sentence for whatever is wrong."""

import json

import pytest

from tests.train.test_text import reviews
from tinycnn.train import Checkpoint, save_checkpoint

SMALL = ("--region-sizes", "1,2", "--maps", "3", "--dimension", "6", "--epochs", "8", "--batch-size", "10", "--lr", "5")


@pytest.fixture
def sentences(elsewhere):
    found = reviews(60)
    path = elsewhere / "reviews.txt"
    path.write_text("".join(f"{found.classes[label]} {text}\n" for text, label in zip(found.texts, found.labels, strict=True)))
    return path


def test_train_then_predict(run_main, sentences, elsewhere):
    code, out, _ = run_main("text", "train", sentences, *SMALL, "--json")
    result = json.loads(out)
    assert code == 0 and result["accuracy"] > 0.5 and len(result["epochs"]) == 8
    code, out, _ = run_main("text", "predict", "a very good film", "--html", elsewhere / "why.html")
    assert code == 0 and "n-gram" in out and "positive" in out and (elsewhere / "why.html").read_text().count("<section>") == 1
    code, out, _ = run_main("text", "predict", "bad", "very good", "--run", result["folder"], "--json")
    assert code == 0 and [each["words"] for each in json.loads(out)["sentences"]] == [["bad"], ["very", "good"]]


def test_folds_and_sweep(run_main, sentences, elsewhere):
    code, out, _ = run_main("text", "train", sentences, *SMALL, "--epochs", "1", "--folds", "3", "--only-folds", "1", "--out", "kept")
    assert code == 0 and "mean of 1 of 3 folds" in out and (elsewhere / "kept" / "folds.json").is_file()
    options = ("--epochs", "1", "--of", "dropout", "--values", "0,3", "--folds", "2", "--only-folds", "0", "--json")
    code, out, _ = run_main("text", "sweep", sentences, *SMALL, *options)
    assert code == 0 and [each["name"] for each in json.loads(out)["variants"]] == ["dropout=0.0", "dropout=0.5"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["tran"], 2, "did you mean train"),
        (["train"], 2, "name one data set"),
        (["train", "rt-polarty"], 1, "did you mean rt-polarity"),
        (["train", "reviews.txt", "--region-sizes", "3,x"], 2, "write whole numbers from 1 up"),
        (["train", "reviews.txt", "--vectors", "static"], 2, "needs --vectors-file"),
        (["train", "reviews.txt", "--activation", "rleu"], 2, "did you mean relu"),
        (["train", "reviews.txt", "--dropout", "nan"], 2, "dropout=nan must be"),
        (["train", "reviews.txt", "--folds", "99"], 1, "folds=99 must be at least 2"),
        (["sweep", "reviews.txt", "--of", "colour"], 2, "there is no sweep 'colour'"),
        (["sweep", "reviews.txt", "--values", "77"], 2, "must be from 0 to"),
        (["predict", "x"], 1, "there is no run runs/text-"),
        (["predict", "x", "--run", "nowhere"], 2, "there is no run or checkpoint"),
        (["train", "empty.txt"], 1, "holds no sentence"),
        (["train", "bytes.txt"], 1, "must be a class"),
    ],
)
def test_faults_get_one_sentence(run_main, sentences, elsewhere, arguments, code, words):
    (elsewhere / "empty.txt").write_bytes(b"")
    (elsewhere / "bytes.txt").write_bytes(bytes(range(256)))
    found, _, err = run_main("text", *arguments)
    assert found == code and words in err


def test_a_run_of_another_kind(run_main, elsewhere):
    save_checkpoint(elsewhere, Checkpoint(model={}, run_info={"model": "lenet5"}))
    code, _, err = run_main("text", "predict", "x", "--run", elsewhere)
    assert code == 1 and "a run of another kind than text" in err
