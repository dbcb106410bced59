"""A wheel built from this tree holds the kernels, the digits and the notices, and nothing of the tests."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("setuptools", minversion="70.1")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, cwd=ROOT, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        target = source / name
        if name and (path.is_symlink() or path.is_file()):
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                target.symlink_to(path.readlink())
            else:
                target.write_bytes(path.read_bytes())
    program = "from setuptools.build_meta import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, cwd=source, check=True
    )
    return folder / built.stdout.split()[-1]


def test_contents(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in ("kernels/__init__.py", "kernels/cpu/conv.py", "kernels/reference/conv.py", "data/NOTICE", "py.typed", "tensor.py"):
        assert f"tinycnn/{name}" in names
    assert any(name.startswith("tinycnn/data/") and name.endswith(".npz") for name in names)
    assert any(name.endswith("entry_points.txt") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"tinycnn"}


def test_it_runs_from_the_wheel_alone(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import tinycnn, tinycnn.data, tinycnn.kernels as kernels\n"
        "print(tinycnn.__file__, kernels.__file__, len(tinycnn.data.load_dataset('digits', train=False)))"
    )
    output = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    ).stdout.split()
    assert all(Path(path).is_relative_to(tmp_path) for path in output[:2])
    assert output[2] == "1000"
