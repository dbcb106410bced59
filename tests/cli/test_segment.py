"""`tinycnn train`, `eval` and `segment` for networks that name pixels: what they leave, print and refuse."""

import json

import numpy as np
import pytest
from PIL import Image

from tinycnn import plot
from tinycnn.cli import main
from tinycnn.data import VOC_NAMES, MaskMaps, ShapesDetection, load_label_maps
from tinycnn.train import load_checkpoint

OWN_NAMES = ["ground", "triangle", "half disc", "arrow"]
TINY = ("--set", "width=0.03125", "--set", "depth=1", "--batch-size", "4")


def write_shapes(root, instances):
    """Drawn shapes as files, in CamVid's layout or in the nuclei's."""
    for split, count in (("train", 4), ("val", 2), ("test", 2)):
        data = MaskMaps(ShapesDetection(count, 32, count, extent=(0.2, 0.5), objects=(2, 3)), instances=instances)
        for number in range(count):
            picture, labels = data[number]
            places = ("images", "labels") if instances else (split, f"{split}annot")
            for place, array in zip(places, (picture, labels), strict=True):
                (root / place).mkdir(parents=True, exist_ok=True)
                Image.fromarray(array.astype(np.uint8)).save(root / place / f"{split}{number}.png")
    if not instances:
        (root / "classes.txt").write_text("\n".join(OWN_NAMES))
    return root


@pytest.fixture(scope="module", params=[False, True], ids=["classes", "cells"])
def pixel_run(request, tmp_path_factory):
    """A run on such files, with everything it leaves."""
    home = tmp_path_factory.mktemp("pixels")
    data = write_shapes(home / "data", request.param)
    folder = home / "run"
    assert main(["train", "unet_small", "--data", str(data), "--out", str(folder), "--epochs", "1", *TINY]) == 0
    return folder, data, request.param


def test_a_run_leaves_everything(pixel_run):
    folder, data, cells = pixel_run
    names = {path.name for path in folder.iterdir()}
    assert {"checkpoint.npz", "log.csv", "log.jsonl", "config.json", "report.html", "class_iou.csv", "overlay-1.png"} <= names
    if plot.available():
        assert {"curves.png", "class_iou.png"} <= names
    table = (folder / "class_iou.csv").read_text().splitlines()
    assert table[0] == "class,accuracy,iou,dice,true_pixels"
    assert [line.split(",")[0] for line in table[1:]] == (["background", "interior", "border"] if cells else OWN_NAMES)
    facts = json.loads((folder / "config.json").read_text())
    assert facts["run"]["data"] == str(data) and facts["run"]["model_options"]["depth"] == 1 and facts["run"]["instances"] is cells
    report = (folder / "report.html").read_text()
    assert "mean IoU" in report and "classes in neither truth nor prediction" in report and "tinycnn segment PHOTO" in report
    with Image.open(folder / "overlay-1.png") as picture:
        assert picture.width > 3 * 200


def test_eval_agrees_with_itself_and_takes_other_data(pixel_run, run_main, elsewhere, capsys):
    folder, _, cells = pixel_run
    before = (folder / "class_iou.csv").read_text()
    code, output, _ = run_main("eval", folder, "--json", "--no-pictures")
    result = json.loads(output)
    assert code == 0 and (folder / "class_iou.csv").read_text() == before
    assert result["absent"] == "skip" and 0 <= result["mean_iou"] <= 1 and len(result["confusion"]) == len(result["classes"])
    assert (result["instances"] is not None) == cells
    pixels = sum(np.prod(one[1].shape) for one in [load_label_maps(result["data"], "test")[0]]) * result["test_pictures"]
    assert np.sum(result["confusion"]) == pixels
    code, _, error = run_main("eval", folder, "--data", "shapes", "--no-pictures")
    if cells:
        assert code == 2 and "names 3 classes, shapes has 4" in error
    else:
        assert code == 0 and (folder / "eval-shapes" / "class_iou.csv").exists()


def test_segment_paints_a_photo(pixel_run, run_main, elsewhere):
    folder, _, cells = pixel_run
    Image.new("RGB", (40, 40), (90, 30, 200)).save("photo.png")
    code, output, _ = run_main("segment", "photo.png", "--model", folder, "--labels", "numbers.png", "--opacity", "0.3")
    assert code == 0 and "seen at 32 x 32" in output and ("cells" in output) == cells
    with Image.open("photo-segmented.png") as picture, Image.open("numbers.png") as numbers:
        assert picture.width > 400 and numbers.size == (40, 40)
    code, output, _ = run_main("segment", "photo.png", "photo.png", "--model", folder, "--size", "0", "--out", "there", "--json")
    answers = json.loads(output)["photos"]
    assert code == 0 and len(answers) == 2 and answers[0]["seen"] == [40, 40]
    assert sum(one["share"] for one in answers[0]["classes"]) == pytest.approx(1)
    assert (elsewhere / "there" / "photo-segmented.png").exists()


def test_the_newest_run_that_names_pixels_is_the_default(pixel_run, run_main, elsewhere):
    folder, _, _ = pixel_run
    Image.new("L", (30, 20)).save("grey.png")
    code, _, error = run_main("segment", "grey.png")
    assert code == 1 and "tinycnn train unet --data shapes" in error
    (elsewhere / "runs").mkdir()
    (elsewhere / "runs" / "mine").symlink_to(folder)
    code, output, _ = run_main("segment", "grey.png")
    assert code == 0 and "runs/mine" in output
    code, _, error = run_main("predict", "grey.png")
    assert code == 2 and "is a run of segmentation" in error and "tinycnn segment PHOTO --model" in error


def test_resume_goes_on_and_refuses_another_plan(pixel_run, run_main, elsewhere):
    folder, _, _ = pixel_run
    code, output, _ = run_main("train", "--resume", folder, "--no-pictures")
    assert code == 0 and "mean IoU" in output
    assert load_checkpoint(folder).epoch == 1
    for arguments, sentence in (
        (("--set", "depth=2"), "built with another depth"),
        (("--epochs", "9"), "epochs was 1 and is now 9"),
        (("--data", "shapes"), "was trained with data"),
        (("--live",), "--live is for networks that classify"),
    ):
        code, _, error = run_main("train", "--resume", folder, *arguments)
        assert code == 2 and sentence in error


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "unet", "--data", "nucleii"], "did you mean nuclei"),
        (["train", "unet", "--data", "digits"], "the names are shapes, camvid, nuclei"),
        (["train", "unet_small", "--set", "widht=0.5"], "did you mean width"),
        (["train", "unet_small", "--set", "width"], "write NAME=VALUE, such as width=0.25"),
        (["train", "unet_small", "--set", "width=wide"], "'wide' is not a number"),
        (["train", "unet_small", "--set", "width=0"], "width must be"),
        (["train", "unet_small", "--set", "loss=dise"], "did you mean 'dice'"),
        (["train", "unet_small", "--recipe", "paper"], "--recipe is for networks that classify"),
        (["train", "unet_small", "--checkpoint-every", "3"], "--checkpoint-every is for networks that classify"),
        (["train", "lenet5", "--data", "nuclei"], "there is no data set"),
        (["train", "unett"], "there is no model"),
        (["segment", "no.png", "--model", "nowhere"], "no.png"),
        (["segment", "photo.png", "--model", "nowhere"], "no run or checkpoint 'nowhere'"),
        (["segment", "photo.png", "--opacity", "2"], "from 0 to 1"),
        (["segment", "photo.png", "--size", "-1"], "whole number from 0 up"),
        (["segment", "photo.png", "--labels", "numbers.jpg"], "ends in .png"),
        (["segment", "photo.png", "photo.png", "--labels", "a.png"], "ask for them one by one"),
        (["segment", "photo.png", "--weights", "x.pth"], "--weights goes with a network"),
        (["segment", "photo.png", "--model", "fcn_resnet50", "--weights", "x.pth"], "x.pth"),
        (["segment", "broken.png"], "broken.png"),
    ],
)
def test_wrong_usage_is_one_sentence(run_main, elsewhere, arguments, sentence):
    Image.new("RGB", (20, 20)).save("photo.png")
    (elsewhere / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnonsense")
    code, output, error = run_main(*arguments)
    assert code in (1, 2) and sentence in error and output == ""


def test_published_weights_name_vocs_classes(run_main, elsewhere):
    from tinycnn.models import get_model
    from tinycnn.nn.utils import skip_init

    model = skip_init(get_model, "lraspp_mobilenet_v3_large")
    generator = np.random.default_rng(0)
    arrays = {name: (0.05 * generator.standard_normal(value.shape)).astype(value.data.dtype) for name, value in model.state_dict().items()}
    for name in arrays:
        if name.endswith("running_var"):
            arrays[name] = np.ones_like(arrays[name])
    np.savez("lraspp.npz", **arrays)
    Image.new("RGB", (40, 30)).save("photo.png")
    code, output, _ = run_main("segment", "photo.png", "--model", "lraspp_mobilenet_v3_large", "--weights", "lraspp.npz", "--size", "48", "--json")
    answer = json.loads(output)["photos"][0]
    assert code == 0 and answer["seen"] == [48, 36]
    assert {one["name"] for one in answer["classes"]} <= set(VOC_NAMES)


def test_train_lists_them(run_main):
    names = run_main("train", "--list")[1].split()
    assert {"lenet5", "unet", "segnet", "fcn8s_vgg16"} <= set(names)
