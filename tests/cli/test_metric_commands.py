"""tinycnn metrics and tinycnn ap: tables of every form, the report, and one sentence for whatever is wrong with a file."""

import json
import re

import pytest

from tests.metrics.test_detection import FOUND, TRUTH


def test_metrics_of_the_decks_table(run_main):
    code, out, err = run_main("metrics", "80 25; 10 35", "--names", "yes,no", "--positive", "yes", "--orientation", "true-rows")
    assert code == 0 and err == ""
    for words in ("80 / (80 + 10) = 80/90 = 8/9", "0.8889", "0.7619", "0.8205", "0.7667"):
        assert words in out


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("matrix.csv", "30,20,10\n50,60,10\n20,20,80\n"),
        ("named.csv", ",A,B,C\nA,30,20,10\nB,50,60,10\nC,20,20,80\n"),
        ("head.csv", "A;B;C\n30;20;10\n50;60;10\n20;20;80\n"),
        ("spaces.txt", "30 20 10\n50 60 10\n20 20 80\n"),
        ("matrix.json", "[[30, 20, 10], [50, 60, 10], [20, 20, 80]]"),
        ("whole.json", '{"matrix": [[30, 20, 10], [50, 60, 10], [20, 20, 80]], "names": ["A", "B", "C"]}'),
    ],
)
def test_files_of_a_matrix(run_main, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    code, out, _ = run_main("metrics", tmp_path / name, "--orientation", "predicted-rows", "--json")
    found = json.loads(out)
    assert code == 0 and found["matrix"] == [[30, 50, 20], [20, 60, 20], [10, 10, 80]]
    steps = {step["name"]: step for section in found["sections"] for step in section["steps"]}
    assert round(steps["macro F1"]["value"], 4) == 0.5492


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("columns.csv", "true,predicted,score\ncat,cat,0.1\ncat,dog,0.6\ndog,dog,0.9\ndog,cat,0.4\n"),
        ("columns.json", '{"y_true": ["cat", "cat", "dog", "dog"], "y_pred": ["cat", "dog", "dog", "cat"], "score": [0.1, 0.6, 0.9, 0.4]}'),
        ("records.json", json.dumps([{"true": t, "pred": p, "score": s} for t, p, s in
            [("cat", "cat", 0.1), ("cat", "dog", 0.6), ("dog", "dog", 0.9), ("dog", "cat", 0.4)]])),
    ],
)  # fmt: skip
def test_files_of_labels_and_scores(run_main, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    code, out, _ = run_main("metrics", tmp_path / name, "--html", tmp_path / "page.html")
    assert code == 0
    assert re.search(r"ROC AUC +0\.7500  = \(pairs with the positive above \+ ties/2\) / pairs\n +=  ?\(3 \+ 0/2\) / \(2·2\) = 3/4", out)
    assert "log loss" in out
    page = (tmp_path / "page.html").read_text()
    assert "0.7500" in page and "http" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("", 1, "is empty"),
        ("1,2\n3\n", 1, "as many columns as rows"),
        ("a,b\n1,2\n", 1, "as many columns as rows"),
        ("true,predicted\n", 1, "at least one line"),
        ("true,predicted,score\na,b,x\n", 1, "'x' is no number"),
        ("true,predicted\na,a\n", 2, "only the label 'a' occurs"),
        ("{", 1, "is no JSON"),
        ("[" * 100000, 1, "is no JSON"),
        ('{"matrix": 3}', 1, "must be a list of rows"),
        ('{"matrix": [[1, NaN], [2, 3]]}', 1, "is no number"),
        ('{"matrix": [[1, 2], [2, 3]], "names": 4}', 1, "names must be a list"),
        ('{"rows": []}', 1, "lists (or records) named true and predicted"),
        ('[{"true": 1}]', 1, "lists (or records) named true and predicted"),
        ("[[1, 0.5], [2, 3]]", 2, "whole counts"),
        ("[[1, 2], [2, -3]]", 2, "counts must be from 0"),
    ],
)
def test_broken_tables_get_one_sentence(run_main, tmp_path, content, code, words):
    path = tmp_path / "table"
    path.write_text(content)
    found, _, err = run_main("metrics", path)
    assert found == code and words in err


def test_other_wrong_tables(run_main, tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in run_main("metrics", tmp_path / "bytes")[2]
    assert "is a folder" in run_main("metrics", tmp_path)[2]
    assert "neither a file nor a matrix" in run_main("metrics", "nothing.csv")[2]
    assert "as many columns as rows" in run_main("metrics", "1 2; 3")[2]
    assert "none of the classes" in run_main("metrics", "1 2; 3 4", "--positive", "x")[2]


@pytest.fixture
def files(tmp_path):
    (tmp_path / "truth.json").write_text(json.dumps(TRUTH))
    (tmp_path / "found.json").write_text(json.dumps(FOUND))
    return tmp_path / "found.json", tmp_path / "truth.json"


@pytest.mark.parametrize("rule", ["voc07", "voc10", "coco"])
def test_ap_shows_all_rules_steps_and_verdicts(run_main, files, tmp_path, rule):
    page = tmp_path / "page.html"
    code, out, _ = run_main("ap", *files, "--rule", rule, "--steps", "--html", page)
    assert code == 0
    row = next(line.split() for line in out.splitlines() if line.startswith("cat "))
    assert row[:6] == ["cat", "3", "7", "0.4545", "0.4444", "0.4455"]
    assert "AP = " in out and out.split("AP = ")[1].splitlines()[0].endswith(row[{"voc07": 3, "voc10": 4, "coco": 5}[rule]])
    assert "overlaps a cat by 0.82 that was found already by the one of score 0.95" in out
    assert "taken for cat" in out
    text = page.read_text()
    assert text.count('class="window') == 7 and "misclassified and mislocalised" in text


def test_ap_as_json(run_main, files):
    found = json.loads(run_main("ap", *files, "--json")[1])
    assert found["counts"]["missed truths"] == 3 and found["counts"]["true"] == 2
    assert found["coco"]["APlarge"] == -1.0 and len(found["verdicts"]) == 7


def test_ap_of_nothing(run_main, files, tmp_path):
    (tmp_path / "none.json").write_text("[]")
    code, out, _ = run_main("ap", tmp_path / "none.json", files[1], "--html", tmp_path / "page.html")
    assert code == 0 and "5 missed truths" in out


def test_ap_draws(run_main, files, tmp_path):
    pytest.importorskip("matplotlib")
    from PIL import Image

    picture = tmp_path / "curve.png"
    assert run_main("ap", *files, "--plot", picture, "--rule", "voc07")[0] == 0
    with Image.open(picture) as drawn:
        assert drawn.size == (770, 550)


@pytest.mark.parametrize(
    ("which", "content", "words"),
    [
        (0, "{}", "wants a list of detections"),
        (0, "nonsense", "is no JSON"),
        (0, "[" * 100000, "is no JSON"),
        (0, '[{"image_id": 3, "category_id": 2, "score": 1, "bbox": [0, 0, 1, 1]}]', "ids may be sparse"),
        (0, '[{"image_id": 3, "category_id": 1, "score": "high", "bbox": [0, 0, 1, 1]}]', "score must be a finite number"),
        (0, '[{"image_id": 3, "category_id": 1, "score": 1, "bbox": [9, 9, 1, -1]}]', "are these corners"),
        (0, '[{"image_id": [3], "category_id": 1, "score": 1}]', "image_id must be"),
        (1, "[]", "COCO's document"),
        (1, '{"images": [3], "annotations": [], "categories": []}', r"images[0]: id must be"),
        (1, '{"images": [], "annotations": [{}], "categories": []}', "annotations[0]: image_id must be"),
    ],
)
def test_ap_of_broken_files_gets_one_sentence(run_main, files, which, content, words):
    files[which].write_text(content)
    code, _, err = run_main("ap", *files)
    assert code == 1 and words in err


def test_ap_of_wrong_options(run_main, files, tmp_path):
    assert "above 0 and at most 1" in run_main("ap", *files, "--iou", "2")[2]
    assert "background <= threshold" in run_main("ap", *files, "--iou", "0.05")[2]
    assert "has no segmentation" in run_main("ap", *files, "--kind", "segm")[2]
    assert "has no keypoints" in run_main("ap", *files, "--kind", "keypoints")[2]
    assert "numbers above 0" in run_main("ap", *files, "--sigmas", "a")[2]
    assert "is a folder" in run_main("ap", tmp_path, files[1])[2]
    assert "No such file" in run_main("ap", tmp_path / "gone.json", files[1])[2]
