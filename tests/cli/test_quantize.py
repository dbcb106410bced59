"""`tinycnn quantize`: the table, the page, and what it refuses."""

import json

import pytest


def test_table_page_and_numbers(trained_run, run_main, tmp_path):
    page = tmp_path / "small.html"
    code, out, err = run_main("quantize", trained_run, "--calibrate", "20", "--compare", "--html", page, "--json")
    assert code == 0
    answer = json.loads(out)
    assert answer["test_images"] == 30
    assert answer["bytes"]["float"] > 3 * answer["bytes"]["integer"]
    assert abs(answer["points_lost"]) <= 100 / 30 * 2 + 1e-9  # two of thirty images
    assert len(answer["comparison"]) == 6
    assert [row["name"] for row in answer["layers"]] == ["conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "fc3"]
    assert "per tensor" in err
    text = page.read_text()
    assert text.count('class="far"') == 7
    assert "src=\"http" not in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "mean"], "there are minmax, percentile, mse"),
        (["--bits", "9"], "2 to 8"),
        (["--percentile", "30"], "above 50"),
        (["--mean", "0.5,0.5,0.5"], "--mean has 3 numbers"),
        (["--std", "0"], "above 0"),
        (["--std", "x"], "must be numbers"),
        (["--weights", "nothing.pth"], "--weights goes with an architecture"),
        (["--html", "nowhere/deep.html", "--test", "5", "--calibrate", "5"], "--html nowhere"),
    ],
)
def test_refusals(trained_run, run_main, elsewhere, options, words):
    code, _, err = run_main("quantize", trained_run, *options)
    assert code in (1, 2)
    assert words in err
