"""`tinycnn explain`: arrays inline, from files and drawn; text, LaTeX, JSON and a page that a browser steps through."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinycnn.registry import OPERATORS
from tinycnn.study import explain

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars"
).split()

# What the browser does to the page: keys, a click, hovering; it then writes down what it saw.
DRIVE = """
<script>
const press = key => document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const seen = [], marked = () => [...document.querySelectorAll("td.from")].map(cell => cell.textContent).join(" ");
const note = () => seen.push(document.getElementById("where").textContent + " | " + marked());
note(); press("ArrowRight"); note(); press("ArrowDown"); note(); press("End"); note(); press("ArrowRight"); note();
press("3"); note();
document.querySelector('td[data-number="1"]').click(); note();
document.querySelector("tr.pick").onmouseenter(); seen.push("hover " + document.querySelectorAll("td.term").length);
seen.push("requests " + performance.getEntriesByType("resource").filter(entry => !entry.name.startsWith("data:")).length);
seen.push("wide " + (document.documentElement.scrollWidth > document.documentElement.clientWidth));
const result = document.createElement("pre"); result.id = "seen"; result.textContent = seen.join("\\n"); document.body.append(result);
</script>
"""


def test_text_names_terms_and_gradients(run_main):
    code, output, _ = run_main("explain", "conv2d", "1 2 3; 4 5 6; 7 8 9", "1 0; 0 -1", "--backward")
    assert code == 0
    assert "1 * 1 + 2 * 0 + 4 * 0 + 5 * (-1) = -4" in output
    assert "grad_weight" in output
    assert "entries agree" in output
    assert "add up to its value, exactly" in output


def test_json_is_everything(run_main):
    code, output, _ = run_main("explain", "max_pool2d", "5 0 8 2; 1 9 5 4", "kernel_size=2", "--backward", "--json")
    result = json.loads(output)
    assert code == 0
    assert result["results"][0]["values"] == [[[[9, 8]]]]
    assert result["gradients"][0]["elements"][5]["symbols"] == "grad[0, 0, 0, 0]"


def test_latex(run_main):
    code, output, _ = run_main("explain", "softmax", "1 2 3", "dim=0", "--latex")
    assert code == 0
    assert r"\begin{align*}" in output
    assert output.count("{") == output.count("}")


def test_arrays_from_files(run_main, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(16.0).reshape(4, 4))
    (tmp_path / "w.csv").write_text("1,0\n0,-1\n")
    Image.fromarray(np.full((20, 30), 7, np.uint8)).save(tmp_path / "x.png")
    code, output, _ = run_main("explain", "conv2d", tmp_path / "x.npy", tmp_path / "w.csv", "--json")
    assert code == 0
    assert json.loads(output)["results"][0]["values"][0][0][0] == [-5, -5, -5]
    code, output, _ = run_main("explain", "avg_pool2d", tmp_path / "x.png", "kernel_size=4", "--json")
    assert code == 0
    assert json.loads(output)["arrays"]["input"]["shape"] == [1, 1, 8, 8]


def test_list_names_every_operator(run_main):
    code, output, _ = run_main("explain", "--list")
    assert code == 0
    assert all(name in output for name in OPERATORS)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("explain",), "say which operator"),
        (("explain", "conv2e"), "did you mean conv2d"),
        (("explain", "relu", "5 0; 1"), "row 2 of '5 0; 1' has 1 numbers"),
        (("explain", "relu", "one two"), "type numbers between blanks"),
        (("explain", "relu", "nothing.npy"), "there is no file 'nothing.npy'"),
        (("explain", "relu", "1 2", "alpha=1"), "has no argument 'alpha'"),
        (("explain", "max_pool2d", "kernel_size="), "write NAME=VALUE"),
        (("explain", "relu", "--html", "/no/such/folder/x.html"), "name a file in a folder that exists"),
        (("explain", "relu", "--html", ""), "name a file in a folder that exists"),
        (("explain", "relu", ";"), "an array is empty"),
        (("explain", "relu", "1 2", "inplace=maybe"), "must be true or false"),
        (("explain", "max_pool2d", "kernel_size={}"), "must be a number, some in parentheses"),
        (("explain", "interpolate", "size=(3000,3000)"), "too large to write every number out"),
    ],
)
def test_wrong_words_get_a_sentence(run_main, arguments, words):
    code, _, error = run_main(*arguments)
    assert code == 2
    assert words in error


def test_a_huge_file_is_refused_without_being_read(run_main, tmp_path):
    np.lib.format.open_memmap(tmp_path / "huge.npy", "w+", np.float64, (10000, 10000))
    Image.new("1", (10000, 10000)).save(tmp_path / "huge.png")
    (tmp_path / "huge.csv").write_text("0," * 600_000)
    for name, words in (
        ("huge.npy", "100,000,000 elements"),
        ("huge.png", "more pixels than is safe"),
        ("huge.csv", "bytes, more than anybody reads"),
    ):
        code, _, error = run_main("explain", "relu", tmp_path / name)
        assert code == 2
        assert words in error


class Bomb:
    """What a pickle would run."""

    def __reduce__(self):
        return (Path.touch, (Path("exploded"),))


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("pickled.npy", np.array([Bomb()], object), "give a .npy of plain numbers"),
        ("complex.npy", np.array([1 + 2j]), "not an array of numbers"),
        ("words.npy", np.array(["a"]), "not an array of numbers"),
        ("cut.npy", b"\x93NUMPY\x01\x00", "cannot be read as an array"),
        ("bytes.csv", bytes(range(256)), "cannot be read as an array"),
        ("empty.csv", b"", "an array is empty"),
        ("ragged.csv", b"1,2\n3\n", "row 2 of"),
        ("no.png", b"nothing", "cannot be read as an array"),
        ("folder.csv", None, "is a folder"),
    ],
)
def test_files_that_hold_no_array(run_main, elsewhere, name, content, words):
    if isinstance(content, np.ndarray):
        np.save(name, content, allow_pickle=True)
    elif content is None:
        Path(name).mkdir()
    else:
        Path(name).write_bytes(content)
    code, _, error = run_main("explain", "relu", name)
    assert code == 2
    assert words in error
    assert not Path("exploded").exists()


def test_tables_from_spreadsheets(run_main, elsewhere):
    Path("x.csv").write_text('\ufeff"1";"2"\n"3";"4"\n')
    assert json.loads(run_main("explain", "relu", "x.csv", "--json")[1])["arrays"]["input"]["values"] == [[1, 2], [3, 4]]


def test_options_may_stand_before_arrays(run_main):
    code, output, _ = run_main("explain", "--backward", "relu", "--grad", "5 6", "1 -2")
    assert code == 0
    assert "grad_input[0] = grad[0] = 5" in output


def test_nan_and_empty_arrays_are_explained(run_main, elsewhere):
    np.save("empty.npy", np.zeros((0, 3)))
    assert run_main("explain", "relu", "empty.npy", "--backward")[0] == 0
    assert run_main("explain", "softmax", "nan inf 1", "--backward", "--json")[0] == 0


def test_the_page_holds_no_link_and_survives_hostile_text(tmp_path):
    text = explain("conv2d", backward=True).html()
    assert not re.search(r"(src|href)=.?https?:|url\(", text)
    assert "srcdoc=" in explain("relu")._repr_html_()


@pytest.mark.browser
def test_the_page_is_stepped_through_in_a_browser(tmp_path):
    page = tmp_path / "page.html"
    image, kernel = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 100.0]]), np.array([[1, 0], [0, -1.0]])
    page.write_text(explain("conv2d", image, kernel, backward=True).html().replace("</body>", DRIVE + "</body>"))
    chromium = shutil.which("chromium") or "chromium"
    command = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--dump-dom", page.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in run.stderr
    seen = re.search(r'<pre id="seen">(.*?)</pre>', run.stdout, re.DOTALL).group(1).splitlines()
    assert seen == [
        "y[0, 0, 0, 0], 1 of 4 | 1 2 4 5 1 0 0 -1",
        "y[0, 0, 0, 1], 2 of 4 | 2 3 5 6 1 0 0 -1",
        "y[0, 0, 1, 1], 4 of 4 | 5 6 8 100 1 0 0 -1",
        "y[0, 0, 1, 1], 4 of 4 | 5 6 8 100 1 0 0 -1",
        "y[0, 0, 1, 1], 4 of 4 | 5 6 8 100 1 0 0 -1",
        "grad_weight[0, 0, 0, 0], 1 of 4 | 1 2 4 5 1 2 3 4",
        "grad_weight[0, 0, 0, 1], 2 of 4 | 2 3 5 6 1 2 3 4",
        "hover 2",
        "requests 0",
        "wide false",
    ]
