"""shape, solve and conventions on the command line: answers, JSON, pages, and one sentence for every malformed input."""

import json
import re

import pytest

STACK = "conv 5x5x6 s1 p2 | maxpool 2 | conv 5x5x16 | maxpool 2 | flatten | linear 120"


def test_shape_answers_the_slide(run_main):
    code, output, _ = run_main("shape", "conv2d", "--in", "7", "--k", "3", "--s", "3")
    assert code == 0
    for words in ("does not tile: (7 - 3)/3 + 1 = 2.33", "row 6 is never read", "stride 2: (7 - 3)/2 + 1 = 3", "input 6 (crop 1)", "ONNX", "Caffe"):
        assert words in output


def test_strict_fails_with_fixes(run_main):
    code, _, error = run_main("shape", "conv2d", "--in", "7", "--k", "3", "--s", "3", "--strict")
    assert code == 1 and "2.33" in error and "or stride 2" in error
    assert run_main("shape", "conv2d", "--in", "7", "--k", "3", "--s", "2", "--strict")[0] == 0


def test_shape_as_json_with_a_picture_and_a_page(run_main, tmp_path):
    page = tmp_path / "page.html"
    code, output, error = run_main("shape", "conv", "--in", "3x32x32", "--k", "5", "--filters", "6", "--picture", "--json", "--html", page)
    result = json.loads(output)
    assert code == 0 and result["output"] == [6, 28, 28] and result["parameters"] == 456 and result["fits"]
    assert "6 filters, each" in error and str(page) in error
    assert result["files"] == [str(page)]


def test_a_stack_and_a_network(run_main):
    code, output, _ = run_main("shape", STACK, "--in", "1x28x28")
    assert code == 0 and "needs in_features=400" in output
    code, output, _ = run_main("shape", "lenet5", "--json")
    result = json.loads(output)
    assert code == 0 and result["flatten_features"] == 400 and result["parameters"] == 61_706


def test_solve(run_main):
    for question in (("--p", "any"), ("--p", "?"), ("--p", "0-9"), ("--p", "1,3,5")):
        code, output, _ = run_main("solve", "conv", "--in", "224", "--out", "112", "--k", "7", "--s", "2", *question, "--json")
        assert code == 0
        assert [found["padding"] for found in json.loads(output)["solutions"]] == [3]
    assert "output_padding 0 to 1 chooses" in run_main("solve", "invert", "--in", "8", "--k", "3", "--s", "2", "--p", "1")[1]
    assert "0 before and 1 after keeps every size" in run_main("solve", "same", "--k", "2")[1]
    assert "padding 3 on each side" in run_main("solve", "same", "--k", "3,5,7")[1]
    assert json.loads(run_main("solve", "maxpool", "--in", "28", "--out", "14", "--k", "2", "--json")[1])["solutions"][0]["stride"] == 2
    assert run_main("solve", "conv_transpose2d", "--in", "4", "--out", "8", "--k", "3", "--s", "2", "--p", "1", "--op", "any")[0] == 0


def test_searches_that_would_not_end_are_refused(run_main):
    code, _, error = run_main("solve", "conv", "--in", "any", "--out", "3", "--k", "3", "--s", "100000000")
    assert code == 2 and "all input sizes from 200000003 to 300000002 give 3" in error
    code, _, error = run_main("solve", "same", "--k", "1-100000")
    assert code == 2 and "at most 100" in error


def test_nothing_found_tells_the_nearest(run_main):
    assert "the nearest output is 32: kernel 1" in run_main("solve", "conv", "--in", "32", "--out", "1000")[1]


def test_transposed_fixes_need_not_be_even(run_main):
    assert (
        "output_padding 1: (4 - 1)*2 - 2*1 + 3 + 1 = 8"
        in run_main("shape", "deconv", "--in", "4", "--k", "3", "--s", "2", "--p", "1", "--op", "5")[1]
    )
    assert "padding 4: (4 - 1)*2 - 2*4 + 3 = 1" in run_main("shape", "deconv", "--in", "4", "--k", "3", "--s", "2", "--p", "9")[1]
    huge = str(2**31 - 1)
    code, output, _ = run_main("shape", "conv", "--in", huge, "--k", huge, "--d", huge)
    assert code == 0 and "does not fit" in output and "kernel 1:" in output
    assert "padding 23" not in output and "input 46" not in output  # more than an axis holds


@pytest.mark.parametrize(
    "question", [("shape", "conv", "--in", "7", "--k", "3"), ("solve", "conv", "--in", "7", "--out", "5"), ("conventions", "ceil")]
)
@pytest.mark.parametrize("page", ["", "/no/such/folder/x.html"])
def test_pages_that_cannot_be_written(run_main, question, page):
    code, _, error = run_main(*question, "--html", page)
    assert code == 2 and "name a file in a folder that exists" in error


def test_conventions(run_main):
    code, output, _ = run_main("conventions", "ceil", "count include")
    assert code == 0 and "[1.5, 3.5, 5]" in output and "[4, 6, 6, 4]" in output and "Gram" not in output
    assert "ArcFace margin" in run_main("conventions", "--list")[1]
    assert len(json.loads(run_main("conventions", "--json")[1])["rows"]) >= 18


@pytest.mark.parametrize(
    "arguments",
    [
        ("shape", "max_pool2d", "--in", "7x9", "--k", "2"),
        ("shape", "conv_transpose2d", "--in", "3x4x4", "--k", "4", "--s", "2", "--filters", "8"),
        ("shape", "adaptive_avg_pool2d", "--in", "7", "--output-size", "3"),
        ("shape", "conv2d", "--in", "1000000", "--k", "7", "--s", "3"),
        ("shape", "linear", "--in", "400", "--filters", "10"),
        ("shape", "conv 5x5x6 | conv 5x5x6 | conv 9x9x9", "--in", "3x12x12"),
        ("solve", "conv", "--in", "32", "--k", "any", "--s", "any", "--p", "any"),
        ("solve", "same", "--k", "1-6"),
        ("conventions",),
    ],
)
def test_pages_are_whole_and_fetch_nothing(run_main, tmp_path, arguments):
    page = tmp_path / "page.html"
    assert run_main(*arguments, "--html", page)[0] == 0
    text = page.read_text()
    assert len(text) < 300_000
    assert set(re.findall(r"(?:src|href)=(\"data:,|\"#|.)", text)) <= {'"data:,', '"#'} and "@import" not in text and "url(" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    for tag in ("svg", "table", "section", "main", "script", "style", "g"):
        assert len(re.findall(rf"<{tag}[ >]", text)) == text.count(f"</{tag}>"), tag
    json.loads(re.search(r'id="answer">(.*?)</script>', text, re.DOTALL)[1])


def test_what_the_user_typed_is_text_on_the_page(run_main, tmp_path):
    page = tmp_path / "page.html"
    assert run_main("shape", "conv 3x3x4 | linear 10", "--in", "1x8x8", "--html", page)[0] == 0
    assert "linear 10" in page.read_text()
    code, _, error = run_main("shape", "conv 3x3x4 | <script>", "--in", "1x8x8", "--html", tmp_path / "none.html")
    assert code == 2 and "there is no layer '<script>'" in error and not (tmp_path / "none.html").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("shape", "conv2d", "--in", "seven", "--k", "3"), "'seven' must be whole numbers such as 3, 3x5 or 3,5"),
        (("shape", "conv2d", "--in", "7x", "--k", "3"), "must be whole numbers"),
        (("shape", "conv2d", "--in", "0", "--k", "3"), "must be sizes from 1 up"),
        (("shape", "conv2d", "--in", "9" * 5000, "--k", "3"), "more than an axis can hold"),
        (("shape", "conv2d", "--in", "7", "--k", "-3"), "must be whole numbers"),
        (("shape", "conv2d", "--in", "7", "--k", "3", "--p", "sam"), "did you mean same"),
        (("shape", "conv2d", "--in", "7", "--k", "3", "--s", "0"), "stride must be a whole number >= 1"),
        (("shape", "conv2d", "--in", "7"), "the kernel is missing"),
        (("shape", "conv2d", "--k", "3"), "add --in, such as --in 7"),
        (("shape", "convv2d", "--in", "7", "--k", "3"), "did you mean conv2d"),
        (("shape", "interpolate", "--in", "7", "--scale", "nan"), "must be a number above 0"),
        (("shape", STACK), "add --in, such as --in 3x32x32"),
        (("shape", STACK, "--in", "1x28x28", "--k", "3"), "--k is for one operator"),
        (("shape", "conv 5x5x6 sx", "--in", "3x32x32"), "'sx' means nothing here; write a kernel"),
        (("shape", "lenet5", "--in", "28"), "--in must be three sizes, channels first"),
        (("shape", "lenet5", "--in", "1x99999x99999"), "too large to run a network on"),
        (("solve", "conv", "--k", "any"), "input size and output are both unknown"),
        (("solve", "conv", "--in", "1-1000", "--k", "any", "--s", "any", "--p", "any"), "combinations are more than"),
        (("solve", "conv", "--in", "1-99999999"), "of at most 100,000 numbers"),
        (("solve", "conv", "--in", "many"), "must be a whole number, some to choose from"),
        (("solve", "dense"), "write conv, pool, conv_transpose, same or invert"),
        (("solve", "same", "--k", "any"), "--k must be one whole number"),
        (("solve", "same", "--k", "3", "--s", "2"), "with a stride the size shrinks"),
        (("solve", "invert", "--in", "8"), "--k must be one whole number"),
        (("solve", "invert", "--in", "2", "--k", "5"), "the convolution itself does not fit"),
        (("conventions", "weather"), "there is no topic 'weather'"),
    ],
)
def test_malformed_input_is_told_what_to_type(run_main, arguments, words):
    code, _, error = run_main(*arguments)
    assert code == 2
    assert words in error
    assert len(error) < 1500
