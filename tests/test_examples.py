"""The ladder of examples: numbered, short, called in one way, and each says at its head what comes out."""

import ast
import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LADDER = (
    "01_digits",
    "02_classification",
    "03_segmentation",
    "04_detection",
    "05_instance_segmentation",
    "06_pose",
    "07_style",
    "08_text",
    "09_denoising",
    "10_faces",
)
STEPS = sorted(EXAMPLES.glob("[0-9]*.py"))


def test_every_step_has_its_number():
    assert {path.stem for path in STEPS} <= set(LADDER) and {"01_digits", "08_text", "10_faces"} <= {path.stem for path in STEPS}


@pytest.mark.parametrize("path", STEPS, ids=lambda path: path.stem)
def test_a_step_keeps_the_shape(path):
    text = path.read_text()
    assert text.count("\n") <= 80 and max(map(len, text.splitlines())) <= 150
    head = ast.get_docstring(ast.parse(text))
    assert re.search(rf"^    python examples/{path.name}\b.*#", head, re.M), "the head shows the command and what comes out"
    assert re.search(rf"^    python examples/{path.name} --smoke\b.*#", head, re.M)
    for part in ('"--smoke"', "def main() -> int:", "sys.exit(main())"):
        assert part in text


def test_the_result_is_in_the_head():
    """No step is left with a word where its result belongs."""
    assert [path.name for path in STEPS if "RESULT" in path.read_text()] == []
