"""Collects, from the test-suite and from benchmarks/results, what the operator book says of checks and speed.

    PYTHONPATH=. python tests/study/operator_evidence.py      writes tinycnn/study/operator_checks.json and operator_speed.json

A test counts for an operator if it calls it by name (imported from tinycnn, or as an attribute of a module or tensor library), or names it in a
table of operators: a collection with three or more operators' names. In tests/kernels a test counts if it names one of the operator's kernels.
Tests that walk the registry count for every operator.
"""

import ast
import json
from pathlib import Path

from tinycnn.registry import OPERATORS

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("functional", "ops", "kernels", "oracle", "sizes", "nn")
STUDY = ("test_explain.py",)  # of tests/study; its other tests are about pages
LIBRARIES = {"tinycnn", "functional", "F", "ops", "lib", "library"}
KERNELS = {kernel for operator in OPERATORS.values() for kernel in operator.kernels}
FEWEST = 3  # names that make a collection of strings a table of operators


def named_in(tree, imported, kernels):
    """The operators (or kernels) that a piece of a test file names, and the names it reads."""
    wanted = KERNELS if kernels else set(OPERATORS)
    found, reads = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            reads.add(node.id)
            if node.id in wanted and (kernels or node.id in imported):
                found.add(node.id)
        elif isinstance(node, ast.Attribute) and node.attr in wanted:
            library = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if kernels or library in LIBRARIES:
                found.add(node.attr)
        elif isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict)):
            elements = node.keys if isinstance(node, ast.Dict) else node.elts
            firsts = [element.elts[0] if isinstance(element, ast.Tuple) and element.elts else element for element in elements]
            texts = {element.value for element in firsts if isinstance(element, ast.Constant) and isinstance(element.value, str)} & wanted
            if len(texts) >= FEWEST:
                found |= texts
    return found, reads


def tests_of(path):
    """Every test of a file: its name, what it names (by way of tables and helpers of the same file), and what it reads."""
    tree = ast.parse(path.read_text())
    kernels = path.parent.name == "kernels"
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tinycnn"
        for alias in node.names
    }
    helpers = {}
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            helpers.update({target.id: node for target in targets if isinstance(target, ast.Name)})
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            helpers[node.name] = node
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found, reads = named_in(node, imported, kernels)
            for name in [name for name in reads if name in helpers and not name.startswith("test_")]:
                more, further = named_in(helpers[name], imported, kernels)
                found, reads = found | more, reads | further
            walks = any("OPERATORS" in {inner.id for inner in ast.walk(mark) if isinstance(inner, ast.Name)} for mark in node.decorator_list)
            yield node.name, found, reads, walks


def kind_of(folder, reads):
    """Which kind of check a test is."""
    if folder == "oracle":
        return "torch"
    if folder == "kernels":
        return "definition"
    return "gradient" if reads & {"gradcheck", "check_gradients", "numeric_differences"} else "law"


def checks():
    """The content of operator_checks.json."""
    everywhere, operators = [], {name: {} for name in sorted(OPERATORS)}
    inside = (path for folder in FOLDERS for path in sorted((ROOT / "tests" / folder).rglob("test_*.py")))
    for path in (*sorted((ROOT / "tests").glob("test_*.py")), *inside, *(ROOT / "tests" / "study" / name for name in STUDY)):
        relative = path.relative_to(ROOT).as_posix()
        for test, found, reads, walks in tests_of(path):
            if walks:
                everywhere.append((relative, test))
                continue
            kind = kind_of(path.parent.name, reads)
            for name, operator in OPERATORS.items():
                if found & set(operator.kernels if kind == "definition" else (name,)):
                    operators[name].setdefault(kind, []).append((relative, test))
    used = sorted({file for file, _ in everywhere} | {file for kinds in operators.values() for tests in kinds.values() for file, _ in tests})
    files = {file: place for place, file in enumerate(used)}
    short = {name: {kind: [[files[file], test] for file, test in tests] for kind, tests in kinds.items()} for name, kinds in operators.items()}
    return {"files": used, "everywhere": [[files[file], test] for file, test in everywhere], "operators": short}


def speed():
    """The content of operator_speed.json: the convolutions that were timed against PyTorch."""
    table = json.loads((ROOT / "benchmarks" / "results" / "conv_table.json").read_text())
    parts = ("forward", "grad-input", "grad-weight")
    rows = [{"case": row["name"], "part": part, **row[part]} for row in table["rows"] for part in parts if part in row]
    return {"environment": table["environment"] | {"threads": table["threads"]}, "operators": {"conv2d": rows}}


def written(data):
    """JSON with one operator a line, so that changes can be read."""
    lines = [f"  {json.dumps(name)}: {json.dumps(each)}" for name, each in data["operators"].items()]
    head = "".join(f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in data.items() if key != "operators")
    return "{\n" + head + ' "operators": {\n' + ",\n".join(lines) + "\n }\n}\n"


if __name__ == "__main__":
    for name, data in (("operator_checks.json", checks()), ("operator_speed.json", speed())):
        (ROOT / "tinycnn" / "study" / name).write_text(written(data))
