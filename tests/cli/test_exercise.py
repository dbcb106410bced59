"""exercise and myths on the command line: sheets, files, marks, and one sentence for every malformed input."""

import json

import pytest

from tinycnn.study.myth_rows import ROWS


def test_a_sheet_is_written_and_marked(run_main, elsewhere):
    code, blank, _ = run_main("exercise", "convolution", "iou", "--seed", "7")
    assert code == 0 and "________" in blank and "tinycnn exercise convolution iou --seed 7" in blank
    code, output, _ = run_main("exercise", "convolution", "iou", "--seed", "7", "--solution", "--json")
    answers = json.loads(output)["answers"]
    lines = {sign: "\n".join(f"{key}{sign}{value}" for key, value in answers.items()) for sign in (",", ": ")}
    files = {"a.json": json.dumps(answers), "a.csv": lines[","], "a.txt": lines[": "]}
    for name, text in files.items():
        (elsewhere / name).write_text(text)
        code, output, _ = run_main("exercise", "convolution", "iou", "--seed", "7", "--check", name)
        assert code == 0 and "5 of 5 points" in output
    (elsewhere / "wrong.txt").write_text("1a: 0 0; 0 0\n2a: 999\n2b: what")
    code, output, _ = run_main("exercise", "convolution", "iou", "--seed", "7", "--check", "wrong.txt")
    assert code == 0 and "0 of 5 points" in output and "cannot be read: 'what' in 'what' is not a number" in output and "expected" not in output
    code, output, _ = run_main("exercise", "convolution", "iou", "--seed", "7", "--check", "wrong.txt", "--solution", "--json")
    assert json.loads(output)["marks"][1]["expected"] == answers["2a"]


def test_files_in_all_formats(run_main, elsewhere):
    arguments = ("exercise", "pooling", "--html", "a.html", "--latex", "a.tex", "--notebook", "a.ipynb")
    code, output, _ = run_main(*arguments)
    assert code == 0 and output.count("wrote") == 3
    assert json.loads((elsewhere / "a.ipynb").read_text())["nbformat"] == 4
    assert (elsewhere / "a.tex").read_text().endswith("\\end{document}\n") and "<input" in (elsewhere / "a.html").read_text()
    assert run_main("exercise", "pooling", "--latex", "-")[1].startswith("% tinycnn exercise pooling")


def test_lists(run_main):
    assert "receptive-field" in run_main("exercise", "--list")[1]
    assert json.loads(run_main("exercise", "--list", "--json")[1])["topics"][0]["name"] == "shapes"
    listed = run_main("myths", "--list")[1]
    assert all(myth.name in listed for myth in ROWS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say which topic"),
        (("convolutoin",), "did you mean convolution"),
        (("iou", "--count", "99"), "from 1 to 50"),
        (("iou", "--level", "7"), "invalid choice"),
        (("iou", "--check", "nowhere.txt"), "there is no such file"),
        (("iou", "--check", "bad.json"), "no JSON"),
        (("iou", "--check", "bytes.txt"), "is no text"),
        (("iou", "--check", "long.txt"), "at most 1,000,000 bytes"),
        (("iou", "--check", "other.txt"), "there is no blank '9q'"),
        (("iou", "--html", "nowhere/a.html"), "No such file"),
    ],
)
def test_malformed_input_gets_one_sentence(run_main, elsewhere, arguments, words):
    (elsewhere / "bad.json").write_text("{1a: 3}")
    (elsewhere / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    (elsewhere / "long.txt").write_text("#" * 1_000_001)
    (elsewhere / "other.txt").write_text("9q: 1")
    code, _, error = run_main("exercise", *arguments)
    assert code in (1, 2) and words in error


def test_myths(run_main, elsewhere):
    code, output, _ = run_main("myths", "macs-flops", "--html", "m.html")
    assert code == 0 and "wrote m.html" in output and "FLOPs" in (elsewhere / "m.html").read_text()
    assert "18 FLOPs" in run_main("myths", "macs")[1]
    assert json.loads(run_main("myths", "macs", "--json")[1])["myths"][0]["holds"]
    code, _, error = run_main("myths", "weather")
    assert code == 2 and "there is no myth 'weather'" in error
