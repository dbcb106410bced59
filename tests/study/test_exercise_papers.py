"""Sheets as LaTeX, notebooks and pages: structure by inspection."""

import json
import re
from html.parser import HTMLParser

import pytest

from tinycnn.study import exercise
from tinycnn.study.exercise_latex import escaped, math_text

SHEETS = [exercise("all", seed=4, level=level) for level in (1, 2, 3)]
VOID = {"meta", "link", "input", "br"}


@pytest.mark.parametrize("sheet", SHEETS, ids=("1", "2", "3"))
@pytest.mark.parametrize("solution", [False, True])
def test_latex_is_balanced(sheet, solution):
    text = sheet.latex(solution)
    assert r"\documentclass[11pt,a4paper]{article}" in text and re.findall(r"\\usepackage\{(\w+)\}", text) == ["amsmath"]
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", text):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    for line in text.splitlines()[1:]:
        bare = re.sub(r"\\[\\{}$%#&_]", "", line)
        assert bare.count("$") % 2 == 0, line
        assert bare.count("{") == bare.count("}"), line
        assert "%" not in bare and "#" not in bare
        assert "^" not in re.sub(r"\$[^$]*\$", "", bare) and "_" not in re.sub(r"\$[^$]*\$", "", bare)
        # Columns only inside matrices and tables.
        assert "&" not in bare or "begin{pmatrix}" in bare or "begin{tabular}" in bare
    assert text.isascii()


def test_latex_of_characters():
    assert escaped(r"a\b ~ {x} $5 #1 <") == r"a\textbackslash{}b \textasciitilde{} \{x\} \$5 \#1 $<$"
    assert math_text("(a - b)^2 = 50 %") == r"$(a - b)^2 = 50 \text{\%}$"


@pytest.mark.parametrize("solution", [False, True])
def test_the_notebook_has_the_structure_of_nbformat_4(solution):
    sheet = SHEETS[0]
    book = json.loads(json.dumps(sheet.notebook(solution)))
    assert book["nbformat"] == 4 and book["nbformat_minor"] == 5 and book["metadata"]["kernelspec"]["name"] == "python3"
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    for cell in book["cells"]:
        assert re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", cell["id"]) and cell["metadata"] == {}
        assert all(isinstance(line, str) for line in cell["source"]) and all(line.endswith("\n") for line in cell["source"][:-1])
        keys = {"cell_type", "id", "metadata", "source"} | ({"execution_count", "outputs"} if cell["cell_type"] == "code" else set())
        assert set(cell) == keys


def test_the_notebook_runs_and_marks_itself(capsys):
    sheet = exercise(["iou", "softmax"], seed=9, level=2)
    for solution, score in ((True, sheet.points), (False, 0)):
        names = {}
        for cell in sheet.notebook(solution)["cells"]:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), names)
        assert f"{score} of {sheet.points} points" in capsys.readouterr().out


class Balance(HTMLParser):
    """Every element closes; input fields are counted."""

    def __init__(self):
        super().__init__()
        self.stack, self.inputs = [], 0

    def handle_starttag(self, tag, attributes):
        self.inputs += tag == "input"
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


@pytest.mark.parametrize("sheet", SHEETS, ids=("1", "2", "3"))
def test_pages(sheet):
    for solution in (False, True):
        parser = Balance()
        page = sheet.html(solution)
        parser.feed(page)
        assert parser.stack == []
        assert parser.inputs == (0 if solution else sum(1 if blank.is_open else blank.answer.size for blank in sheet.blanks))
        assert "http" not in page and "src=" not in page
    assert sheet._repr_html_().startswith('<iframe title="Exercises"') and "<script" not in sheet._repr_html_()


def test_json_and_text():
    sheet = SHEETS[1]
    blank, solved = sheet.to_dict(), sheet.to_dict(True)
    assert set(blank["answers"].values()) == {None} and solved["answers"] == sheet.answers()
    assert "steps" not in blank["exercises"][0] and solved["exercises"][0]["steps"]
    assert sheet.command + " --check FILE" in sheet.text()
    json.dumps(blank), json.dumps(solved)
