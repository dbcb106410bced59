"""Train, evaluate and ask a detector from the command line: a tiny network, drawn shapes, pictures, an animated GIF, and refusals."""

import json

import numpy as np
import pytest
from PIL import Image

from tinycnn import nn
from tinycnn.cli import main
from tinycnn.data.video import read_video, write_video
from tinycnn.models import detection, registry
from tinycnn.models.detection.retinanet import RetinaNet

RETINA = ["--option", "min_size=64", "--option", "max_size=64", "--option", "score_thresh=0.001"]


class Body(nn.Module):
    """A backbone of one convolution with stride 8."""

    out_channels = 4

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 8, stride=8)

    def forward(self, input):
        return self.conv(input)


def retina_of_the_test(num_classes: int = 4, *, min_size: int = 64, max_size: int = 64, score_thresh: float = 0.05):
    """A RetinaNet with one map and two anchors a cell."""
    anchors = detection.AnchorGenerator(((16,),), ((0.5, 1.0),))
    return RetinaNet(Body(), num_classes, anchor_generator=anchors, min_size=min_size, max_size=max_size, score_thresh=score_thresh)


@pytest.fixture(scope="module", autouse=True)
def small_network():
    """A detector that every command knows while these tests run."""
    name = retina_of_the_test.__name__
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._BUILDERS, name, retina_of_the_test)
        patch.setitem(registry._TASKS, name, "detection")
        patch.setitem(registry._IMAGE_SIZES, name, 64)
        patch.setattr(detection, name, retina_of_the_test, raising=False)
        yield


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory, small_network):
    """A network that has seen four images."""
    folder = tmp_path_factory.mktemp("runs") / "retina"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinycnn.cli.detection_data.SHAPES_TEST", 3)
        arguments = ["train", "retina_of_the_test", "--data", "shapes:3", "--images", "4", "--epochs", "1", "--batch-size", "2", "--out", str(folder)]
        assert main([*arguments, *RETINA]) == 0
    return folder


@pytest.fixture(autouse=True)
def few_test_images(monkeypatch):
    monkeypatch.setattr("tinycnn.cli.detection_data.SHAPES_TEST", 3)


def test_the_run_leaves_checkpoint_log_pictures_and_report(run_folder):
    names = {path.name for path in run_folder.iterdir()}
    assert {"checkpoint.npz", "log.csv", "log.jsonl", "config.json", "report.html", "verdicts.html", "detections.png", "worst.png"} <= names
    page = (run_folder / "report.html").read_text()
    assert "src=\"http" not in page and "retina_of_the_test on shapes" in page and "bbox regression" in page.replace("_", " ")
    info = json.loads((run_folder / "config.json").read_text())["run"]
    assert info["task"] == "detection" and info["model_options"]["num_classes"] == 4 and info["classes"] == ["triangle", "half disc", "arrow"]


def test_a_run_is_evaluated_again(run_folder, run_main):
    code, out, err = run_main("eval", run_folder, "--json", "--no-pictures")
    assert code == 0, err
    found = json.loads(out)
    assert found["test_images"] == 3 and {"AP", "AP50", "VOC07"} <= set(found["scores"]) and found["milliseconds_per_image"] > 0
    assert found["verdicts"]["missed truths"] >= 0 and "class" in err


def test_a_finished_run_can_be_resumed_and_refuses_another_plan(run_folder, run_main):
    code, _, err = run_main("train", "--resume", run_folder, "--no-pictures")
    assert code == 0, err
    code, _, err = run_main("train", "--resume", run_folder, "--minutes", "3")
    assert code == 2 and "was trained with minutes None, not 3.0" in err


def test_detect_draws_pictures_and_says_how_fast(run_folder, run_main, tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 56, 3), dtype=np.uint8)).save(tmp_path / "one.png")
    Image.new("L", (30, 30), 90).save(tmp_path / "two.jpg")
    code, out, err = run_main("detect", tmp_path, "--model", run_folder, "--threshold", "0.002", "--out", tmp_path / "found", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["images"][0]["detections"] and "a second, without drawing" in err
    row = found["images"][0]["detections"][0]
    assert row["name"] in ("triangle", "half disc", "arrow") and len(row["box"]) == 4 and row["score"] >= 0.002
    with Image.open(tmp_path / "found" / "one_found.png") as drawn:
        assert drawn.size == (56, 40)


def test_detect_annotates_an_animation(run_folder, run_main, tmp_path):
    frames = [np.full((32, 48, 3), level, np.uint8) for level in (10, 90, 170, 250)]
    write_video(tmp_path / "in.gif", frames, 10)
    out_file = tmp_path / "out.gif"
    code, out, err = run_main("detect", tmp_path / "in.gif", "--model", run_folder, "--every", "2", "--out", out_file, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert [row["frame"] for row in found["frames"]] == [0, 2] and found["rate"] == 5.0 and found["detecting_fps"] > 0
    video = read_video(out_file)
    assert video.count == 2 and next(video.frames).shape == (32, 48, 3)


def test_snipers_chips_are_learned_from(run_main, tmp_path):
    code, out, err = run_main("train", "retina_of_the_test", "--data", "shapes:3", "--images", "2", "--epochs", "1", "--sniper", "1:0-60 0.5:30-",
                              "--chip", "64", "--out", tmp_path / "run", "--no-pictures", "--json")  # fmt: skip
    assert code == 0, err
    info = json.loads((tmp_path / "run" / "config.json").read_text())["run"]
    assert info["sniper"] == "1:0-60 0.5:30-" and info["model_options"]["min_size"] == info["model_options"]["max_size"] == 64
    assert "0 training" not in err and json.loads(out)["scores"]["AP50"] >= 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("train", "retina_of_the_test", "--data", "digits"), 2, "detectors learn from shapes"),
        (("train", "retina_of_the_test", "--data", "voc:nowhere"), 2, "there is no nowhere"),
        (("train", "retina_of_the_test", "--data", "shapes:x"), 2, "write shapes:SEED"),
        (("train", "retina_of_the_test", "--option", "min_syze=4"), 2, "did you mean min_size"),
        (("train", "retina_of_the_test", "--option", "num_classes=4"), 2, "follows from the data"),
        (("train", "retina_of_the_test", "--sniper", "2:x"), 2, "write FACTOR:LOW-HIGH"),
        (("train", "retina_of_the_test", "--minutes", "-1"), 2, "must be a finite number above 0"),
        (("train", "retina_of_the_test", "--set", "cutout=3"), 2, "changes images without their boxes"),
        (("train", "retina_of_the_test", "--live"), 2, "--live is for classifiers"),
        (("train", "lenet5", "--minutes", "1"), 2, "--minutes is for detectors"),
        (("detect", "nowhere.png"), 1, "there is no such file"),
    ],
)
def test_refusals(run_main, tmp_path, monkeypatch, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    found, _, err = run_main(*arguments)
    assert (found, words in err, "Traceback" in err) == (code, True, False), err


def test_refusals_that_need_files(run_folder, run_main, tmp_path):
    (tmp_path / "bad.gif").write_bytes(b"GIF89a broken")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "empty").mkdir()
    for arguments, code, words in (
        ((tmp_path / "bad.gif", "--model", run_folder), 1, "damaged"),
        ((tmp_path / "empty", "--model", run_folder), 1, "there are no pictures in the folder"),
        ((tmp_path / "a.png", "--model", "nothing"), 2, "there is no run or checkpoint"),
        ((tmp_path / "a.png", "--model", "retina_of_the_test"), 2, "name its weights"),
        ((tmp_path / "a.png", "--model", run_folder, "--out", tmp_path / "a.png"), 2, "is the picture itself"),
    ):
        found, _, err = run_main("detect", *arguments)
        assert (found, words in err, "Traceback" in err) == (code, True, False), err
    found, _, err = run_main("predict", tmp_path / "a.png", "--model", run_folder)
    assert found == 2 and "is a run of detection, not of classification; `tinycnn detect IMAGE" in err
