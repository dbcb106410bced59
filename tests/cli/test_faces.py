"""tinycnn faces: train, evaluate with a page, enrol, verify, identify, and one sentence for whatever is wrong."""

import json

import pytest
from PIL import Image

from tests.data.test_people import write_omniglot
from tests.train.people import draw_people
from tinycnn.train import Checkpoint, save_checkpoint

SMALL = ("--classes", "3", "--samples", "3", "--epochs", "3", "--shift", "1", "--episodes", "5")


@pytest.fixture
def faces(elsewhere):
    """A folder of six drawn people."""
    people = draw_people(6, 4)
    for label, name in enumerate(people.classes):
        (elsewhere / "faces" / name).mkdir(parents=True)
        for number, image in enumerate(people.images[people.labels() == label, 0]):
            Image.fromarray(image).resize((48, 56), Image.Resampling.NEAREST).save(elsewhere / "faces" / name / f"{number}.png")
    return elsewhere / "faces"


def test_the_whole_story(run_main, faces, elsewhere):
    code, out, _ = run_main("faces", "train", faces, *SMALL, "--held-out", "3", "--json")
    result = json.loads(out)
    assert code == 0 and len(result["epochs"]) == 3 and result["strangers"] == ["p3", "p4", "p5"] and -1 <= result["threshold"] <= 1
    code, out, _ = run_main("faces", "evaluate", faces, "--html", elsewhere / "faces.html", "--ways", "3", "--shots", "1,2", "--episodes", "5")
    assert code == 0 and "3-way 2-shot" in out and "plain pictures" in out and (elsewhere / "faces.html").read_text().count("<image") == 12
    for name in ("p4", "p5"):
        code, out, _ = run_main("faces", "enrol", name, faces / name / "0.png", faces / name / "1.png", "--threshold", "-1")
        assert code == 0 and f"{name} is known by 2 pictures" in out and "nothing was trained" in out
    code, out, _ = run_main("faces", "verify", "p4", faces / "p4" / "0.png", "--json")
    found = json.loads(out)
    assert code == 0 and found["accepted"] and found["name"] == "p4" and found["score"] > 0.5
    code, out, _ = run_main("faces", "identify", faces / "p5" / "0.png", faces / "p4" / "1.png", "--json")
    assert code == 0 and [each["ranked"][0]["name"] for each in json.loads(out)["pictures"]] == ["p5", "p4"]
    # Another network's vectors are not compared with these.
    code, out, _ = run_main("faces", "train", faces, *SMALL, "--epochs", "1", "--seed", "1", "--out", "runs/faces-other")
    code, _, err = run_main("faces", "verify", "p4", faces / "p4" / "0.png", "--run", "faces-other")
    assert code == 2 and "its vectors are of another network" in err


def test_characters(run_main, elsewhere):
    names = [f"Greek/character{number:02d}" for number in range(1, 6)]
    archive = write_omniglot(elsewhere / "images_small.zip", names, pictures=4, size=35)
    code, out, _ = run_main("faces", "train", archive, *SMALL, "--loss", "triplet", "--epochs", "1", "--json")
    result = json.loads(out)
    assert code == 0 and result["config"]["model"] == "conv4" and not result["config"]["mirror"] and result["added"]["classifier_new"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["trian"], 2, "did you mean train"),
        (["train"], 2, "name one folder of people"),
        (["train", "nowhere"], 1, "there is no such folder"),
        (["train", "faces", "--loss", "arcfac"], 2, "did you mean arcface"),
        (["train", "faces", "--model", "lenet5"], 2, "must be one of conv4, small_face"),
        (["train", "faces", "--held-out", "5"], 2, "5 of 6 people held out"),
        (["train", "faces", "--fold", "9"], 2, "fold=9 must be from 0 to"),
        (["train", "words.txt"], 1, "cannot be read"),
        (["train", "broken.zip"], 1, "cannot be read as a .zip archive"),
        (["evaluate", "faces"], 1, "there is no run runs/faces-"),
        (["evaluate", "faces", "--run", "text"], 1, "a run of another kind than faces"),
        (["enrol", "Ada"], 2, "give a name and one picture"),
        (["verify", "Ada"], 2, "give a name and a picture"),
        (["verify", "Ada", "x.png"], 1, "there is no gallery people.npz"),
        (["identify"], 2, "give one picture at least"),
        (["identify", "x.png", "--gallery", "words.txt"], 1, "words.txt"),
    ],
)
def test_faults_get_one_sentence(run_main, faces, elsewhere, arguments, code, words):
    (elsewhere / "words.txt").write_text("no picture")
    (elsewhere / "broken.zip").write_bytes(b"PK no archive")
    (elsewhere / "text").mkdir()
    save_checkpoint(elsewhere / "text", Checkpoint(model={}, run_info={"task": "text"}))
    found, _, err = run_main("faces", *arguments)
    assert found == code and words in err
