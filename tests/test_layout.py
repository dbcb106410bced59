"""The house rules: import direction, package list, one registry, nothing stray."""

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import pytest

import tinycnn
import tinycnn.kernels
from tinycnn.registry import OPERATORS

ROOT = Path(__file__).resolve().parent.parent

# What each part may import of the package, beside itself. Everything may import errors and _version.
CORE = {"tensor", "autograd", "registry", "random", "gradcheck", "creation"}
MAY_IMPORT = {
    "kernels": set(),
    "errors": {"kernels.errors"},
    "tensor": {"autograd"},  # for the method backward
    "autograd": {"tensor", "kernels.memory", "kernels.cpu.addition"},  # whose blocks a gradient may own; which adds two that meet
    "registry": {"tensor"},
    "random": set(),
    "gradcheck": {"autograd", "random", "tensor"},
    "creation": {"functional", "random", "registry", "tensor"},
    "functional": {"kernels", "tensor", "autograd", "registry", "random"},
    "nn": {"functional", "creation", "kernels.threads"} | CORE,
    "listening": {"nn", "registry", "tensor"},
    # Its layers are modules, as torchvision has them.
    "ops": {"kernels", "tensor", "autograd", "registry", "random", "functional", "nn"},
    "optim": {"kernels", "nn", "functional._arguments"} | CORE,
    "weights": {"nn", "functional", "listening", "data.safe_pickle"} | CORE,
    "models": {"nn", "functional", "ops", "creation", "weights"} | CORE,
    "data": {"kernels", "tensor", "random", "metrics.rle", "metrics.rle_polygon"},  # masks of annotations are run lengths
    "metrics": {"tensor"},
    "train": {"nn", "functional", "optim", "models", "data", "metrics", "kernels.threads"} | CORE,
    "study": {"nn", "listening", "functional", "ops", "optim", "models", "data", "metrics", "train", "kernels"} | CORE,
    "plot": {"nn", "functional", "models", "data", "metrics", "train"} | CORE,
    "cli": {"nn", "functional", "ops", "optim", "models", "data", "metrics", "train", "study", "plot", "kernels", "weights"} | CORE,
}


def python_files(folder):
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if "tinycnn/kernels/" not in path.as_posix()]


def part_of(path):
    """The first name below tinycnn: the folder or module that a file belongs to."""
    relative = path.relative_to(ROOT)
    if relative.parts[0] == "kernels":
        return "kernels"
    return relative.parts[1].removesuffix(".py")


def imported_parts(path):
    """Which parts of the package a file imports, absolute and relative."""
    package = ("tinycnn", *path.relative_to(ROOT).parts[1:-1]) if path.relative_to(ROOT).parts[0] == "tinycnn" else None
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level and package is not None:
                base = package[: len(package) - node.level + 1]
                names = [".".join([*base, *((node.module or "").split(".") if node.module else [])])]
            elif not node.level:
                names = [node.module]
            names = [f"{name}.{alias.name}" if name == "tinycnn" else name for name in names for alias in node.names]
        for name in names:
            if name.startswith("tinycnn."):
                yield name.removeprefix("tinycnn.")
            elif name == "tinycnn":
                yield ""


@pytest.mark.parametrize("path", python_files("tinycnn"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_one_way(path):
    part = part_of(path)
    if part in ("__init__", "__main__"):
        return
    for name in imported_parts(path):
        other = name.split(".")[0]
        allowed = MAY_IMPORT.get(part, set()) | {part, "errors", "_version", "__version__"}
        assert other in allowed or name in allowed, f"{part} imports tinycnn.{name}"


@pytest.mark.parametrize("path", python_files("kernels"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_kernels_import_nothing_of_tinycnn(path):
    standard = set(sys.stdlib_module_names)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            roots = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            roots = {node.module.split(".")[0]}
        else:
            continue
        assert roots <= standard | {"numpy", "numba", "llvmlite", "scipy"}


def test_reference_kernels_never_call_the_fast_ones():
    for path in python_files("kernels/reference"):
        text = path.read_text()
        assert "cpu" not in [part for line in text.splitlines() if "import" in line for part in line.replace(".", " ").split()]
        assert "numba" not in text


@pytest.mark.parametrize("folder", ["tinycnn", "tests", "examples", "benchmarks"])
def test_nobody_imports_a_package_called_kernels(folder):
    for path in python_files(folder):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert all(alias.name.split(".")[0] != "kernels" for alias in node.names), path
            elif isinstance(node, ast.ImportFrom) and not node.level:
                assert node.module.split(".")[0] != "kernels", path


def test_the_kernels_in_use_are_those_of_this_tree():
    assert Path(tinycnn.__file__).resolve().parent == ROOT / "tinycnn"
    assert Path(tinycnn.kernels.__file__).resolve().parent == ROOT / "kernels"


def test_the_package_list_is_what_lies_on_disk():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    listed = set(parser["options"]["packages"].split())
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in python_files("tinycnn")
        if path.name == "__init__.py"
    }
    found |= {
        ".".join(("tinycnn", *path.parent.relative_to(ROOT).parts))
        for path in python_files("kernels")
        if path.name == "__init__.py"
    }
    assert listed == found


def test_the_registry_is_the_public_callables():
    """Of `functional` and of `ops`, whose classes are layers; no name is in both."""
    public = {
        name: value
        for package in (tinycnn.functional, tinycnn.ops)
        for name, value in vars(package).items()
        if not name.startswith("_") and callable(value) and not isinstance(value, type)
    }
    assert set(OPERATORS) == set(public)
    assert not set(tinycnn.functional.__all__) & set(tinycnn.ops.__all__)
    for name, operator in OPERATORS.items():
        assert operator.name == name
        assert public[name] is operator.function


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_an_operator_names_kernels_that_exist_in_both_sets(name):
    for kernel in OPERATORS[name].kernels:
        assert kernel in tinycnn.kernels.table("reference")
        assert kernel in tinycnn.kernels.table("cpu")


def test_both_sets_hold_the_same_kernels():
    assert set(tinycnn.kernels.table("cpu")) == set(tinycnn.kernels.table("reference"))


@pytest.mark.parametrize("which", ["cpu", "cuda"])
def test_twins_have_the_same_signature(which):
    """Every fast kernel has a definition; a CUDA twin may be missing, not different."""
    import inspect

    definitions = tinycnn.kernels.table("reference")
    for name, function in tinycnn.kernels.table(which).items():
        fast, definition = (inspect.signature(one).parameters for one in (function, definitions[name]))
        assert list(fast) == list(definition), name
        for parameter in fast:
            assert fast[parameter].default == definition[parameter].default, name


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_an_operator_is_documented(name):
    text = OPERATORS[name].function.__doc__
    assert text and text.strip()
    assert "Examples" in text, f"{name} shows no example"


def test_use_kernels_names_the_sets():
    with pytest.raises(tinycnn.errors.ArgumentError, match="'gpu' is not one of cpu, reference, cuda"), tinycnn.use_kernels("gpu"):
        pass


def test_importing_is_quick_and_compiles_nothing():
    program = (
        "import time; t = time.perf_counter(); import tinycnn; seconds = time.perf_counter() - t\n"
        "import sys; from numba.core.dispatcher import Dispatcher; import gc\n"
        "compiled = [d.__name__ for d in gc.get_objects() if isinstance(d, Dispatcher) and d.signatures]\n"
        "print(seconds, compiled, 'matplotlib' in sys.modules, 'torch' in sys.modules)\n"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert output.split(" ", 1)[1].strip() == "[] False False"


def test_modules_and_functions_stay_readable():
    too_long = []
    for path in python_files("tinycnn") + python_files("kernels"):
        text = path.read_text()
        if text.count("\n") > 500:
            too_long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
    assert not too_long
