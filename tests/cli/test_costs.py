"""summary, memory and compare."""

import json
import shutil

import pytest


def test_summary_as_text(run_main):
    code, output, _ = run_main("summary", "lenet5", "--batch", "32")
    assert code == 0
    for words in ("61,706", "416,520", "6*1*5*5 * 28*28", "memory, batch of 32", "optimiser state (adam)", "predicted peak, training step"):
        assert words in output


def test_summary_as_json_and_files(run_main, tmp_path):
    files = {kind: tmp_path / f"net.{kind}" for kind in ("html", "svg", "dot", "tikz")}
    options = [part for kind, path in files.items() for part in (f"--{kind}", path)]
    code, output, error = run_main("summary", "lenet5", "--input", "3,32,32", "--num-classes", "7", "--json", *options)
    result = json.loads(output)
    assert code == 0
    assert result["layers"][0]["receptive_field"]["size"] == [5, 5]
    assert result["layers"][-1]["output_shape"] == [1, 7]
    assert result["input"] == [3, 32, 32]
    assert {layer["operator"] for layer in result["layers"]} == {"conv2d", "max_pool2d", "flatten", "linear"}
    for path in files.values():
        assert path.stat().st_size > 500
        assert str(path) in error


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("summary", "lenet"), "did you mean lenet5"),
        (("summary", "lenet5", "--input", "28x-1"), "must be whole numbers such as 3,224,224"),
        (("compare", "a", "b", "c"), "3 names; give two models, or one pair"),
        (("compare", "seperable"), "there are separable, bottleneck"),
        (("compare", "gap", "--input", "3,8,8"), "the pair gap has its own input"),
        (("memory", "--input", "3,32"), "three sizes, such as 3,100,150"),
    ],
)
def test_wrong_usage_is_one_sentence(run_main, arguments, words):
    code, _, error = run_main(*arguments)
    assert code == 2
    assert words in error


def test_an_image_that_does_not_fit(run_main):
    code, _, error = run_main("summary", "lenet5", "--input", "1,30,30")
    assert code == 1
    assert "image_size must be 28 (padded by 2) or 32" in error


def test_memory_solves_the_exercise(run_main):
    code, output, _ = run_main("memory")
    assert code == 0
    for words in ("15,200", "225,000,000", "1.20 GB (1.118 GiB)", "im2col workspace"):
        assert words in output
    code, output, _ = run_main("memory", "--input", "3,32,32", "--filters", "10", "--padding", "2", "--batch", "1", "--json")
    assert json.loads(output)["parameters"] == 760


def test_compare_pairs_and_models(run_main):
    code, output, _ = run_main("compare", "separable")
    assert code == 0
    assert "589,824" in output
    assert "67,840" in output
    code, output, _ = run_main("compare", "lenet5", "lenet5_1998", "--json")
    assert code == 0
    assert json.loads(output)["table"]["parameters"] == [61706, 60000]


@pytest.mark.browser
def test_the_page_draws_sorts_and_chooses(run_main, tmp_path):
    """In a real browser: a click on a heading puts the largest number first, a click on a node marks its row."""
    from subprocess import run

    page = tmp_path / "net.html"
    assert run_main("summary", "lenet5", "--html", page)[0] == 0
    clicks = (
        '<script>document.querySelectorAll("table.sorts th")[3].click();'
        'document.querySelector(\'[data-row="2"]\').dispatchEvent(new MouseEvent("click", {bubbles: true}));</script></body>'
    )
    page.write_text(page.read_text().replace("</body>", clicks))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    command = [shutil.which("chromium") or "chromium", *flags, page.as_uri()]
    document = run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    body = document.split("<tbody>")[-1]  # the memory stands in a table before it
    assert body.index("fc1") < body.index("fc2") < body.index("conv2") < body.index("pool1")
    assert 'data-row="2" class="chosen"' in body
