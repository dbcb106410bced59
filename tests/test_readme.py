"""The README: its Python runs, and its tables are those of benchmarks/results."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, re.DOTALL), ids=lambda block: block.splitlines()[0])
def test_python_runs(block):
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})


def test_tables_are_the_measured_ones():
    tables = runpy.run_path(str(ROOT / "benchmarks" / "readme_tables.py"))
    assert tables["filled"](README) == README


def test_files_it_names_exist():
    for name in re.findall(r"\]\(([^):]+)\)", README):
        assert (ROOT / name).exists(), name
