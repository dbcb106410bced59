"""`tinycnn doctor`: what this installation has, what is missing, and the one line that adds or repairs it."""

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .common import Console, add_machine_options, use_threads

DESCRIPTION = """\
Check the installation: versions, processor, threads, kernel cache, OpenMP libraries, GPU, extras. A fix stands behind
what needs one."""
EPILOG = """\
examples:
  tinycnn doctor               a line for each thing checked
  tinycnn doctor --json        the same for a program or a bug report

exit codes: 0 everything needed works, 1 something is broken
"""

# Package to import: the extra that brings it, and what it is for.
EXTRAS = {"matplotlib": ("plot", "pictures")}
MARKS = {"ok": "ok    ", "note": "note  ", "broken": "BROKEN"}


@dataclass(frozen=True)
class Check:
    """One thing looked at: its state is ok, note (works, could be better) or broken."""

    name: str
    state: str
    value: str
    fix: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look at everything and print it."""
    console = Console(arguments.json)
    use_threads(arguments.threads)
    checks = examine()
    broken = any(check.state == "broken" for check in checks)
    width = max(len(check.name) for check in checks)
    for check in checks:
        console.say(f"{MARKS[check.state]}  {check.name:<{width}}  {check.value}")
        if check.fix:
            console.say(f"{'':<6}  {'':<{width}}  fix: {check.fix}")
    console.say("Something is broken; the lines above say what to do." if broken else "Everything that tinycnn needs works.")
    console.result({"ok": not broken, "checks": [asdict(check) for check in checks]})
    return 1 if broken else 0


def examine() -> list[Check]:
    """All checks, in reading order."""
    return [
        *_versions(),
        _processor(),
        _vectors(),
        _kernels(),
        _threads(),
        _openmp(),
        _cache(),
        _gpu(),
        *_extras(),
    ]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _versions() -> list[Check]:
    from .. import __version__

    checks = [Check("tinycnn", "ok", f"{__version__} in {Path(__file__).resolve().parent.parent}")]
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    checks.append(
        Check(
            "Python",
            "ok" if supported else "note",
            f"{platform.python_version()} on {platform.system()} {platform.machine()}",
            "" if supported else "tinycnn is tested with Python 3.11 to 3.13",
        )
    )
    needed = ("numpy", "numba", "llvmlite", "scipy", "pillow")
    found = {name: _version(name) for name in needed}
    missing = [name for name in needed if found[name] is None]
    text = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    fix = f"pip install {' '.join(missing)}" if missing else ""
    return [*checks, Check("libraries", "broken" if missing else "ok", text, fix)]


def processor_name() -> str:
    """The processor as its maker calls it, where the system tells."""
    try:
        listing = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        found = re.search(r"^model name\s*:\s*(.+)$", listing, re.MULTILINE)
        if found:
            return found.group(1).strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _processor() -> Check:
    import llvmlite.binding

    return Check(
        "processor",
        "ok",
        f"{processor_name()}, {os.cpu_count()} logical cores, LLVM calls it {llvmlite.binding.get_host_cpu_name()}",
    )


def _vectors() -> Check:
    from ..kernels import jit, simd

    width = f"{8 * simd.VECTOR_BYTES} bits, {simd.VECTOR_BYTES // 4} float32 at once"
    if jit.FAST:
        return Check("vector kernels", "ok", width)
    return Check(
        "vector kernels",
        "note",
        f"plain Numba loops (the processor has {width})",
        "unset TINYCNN_FAST and NUMBA_DISABLE_JIT",
    )


def _kernels() -> Check:
    """Run one small convolution and compare it with its definition."""
    import numpy as np

    from .. import functional, kernels

    generator = np.random.default_rng(0)
    image = generator.standard_normal((2, 3, 7, 7)).astype(np.float32)
    weight = generator.standard_normal((4, 3, 3, 3)).astype(np.float32)
    start = time.perf_counter()
    try:
        fast = functional.conv2d(image, weight).numpy()
    except Exception as error:
        return Check(
            "kernels",
            "broken",
            f"a convolution failed: {type(error).__name__}: {error}",
            "pip install --force-reinstall numba llvmlite",
        )
    seconds = time.perf_counter() - start
    with kernels.use("reference"):
        exact = functional.conv2d(image, weight).numpy()
    difference = float(np.abs(fast - exact).max())
    if difference > 1e-4:
        return Check(
            "kernels",
            "broken",
            f"a convolution is wrong by {difference:.1e}",
            "TINYCNN_FAST=0 avoids the vector kernels; please report this",
        )
    return Check(
        "kernels",
        "ok",
        f"a convolution equals its definition to {difference:.0e} ({seconds:.2f} s, compilation included)",
    )


def _threads() -> Check:
    from ..kernels import threads

    count, most = threads.get_num_threads(), threads.max_threads()
    layer = threads.LAYER
    text = f"{count} of {most} threads, threading layer {layer}"
    if layer == "workqueue":
        return Check(
            "threads",
            "note",
            text,
            "install an OpenMP runtime (libgomp1, or conda's llvm-openmp), or pip install tbb: small layers get faster",
        )
    return Check("threads", "ok", text)


def _openmp() -> Check:
    """Two OpenMP runtimes in one process abort it or fight over the cores."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return Check(
            "OpenMP",
            "ok",
            "loaded libraries are not listed on this system; two runtimes at once show up as `OMP: Error #15`",
        )
    paths = {line.split(maxsplit=5)[5] for line in maps.read_text().splitlines() if len(line.split(maxsplit=5)) == 6}
    runtimes = sorted(path for path in paths if re.search(r"lib(gomp|iomp5|omp)[.-]", Path(path).name))
    if len(runtimes) > 1:
        return Check(
            "OpenMP",
            "note",
            f"{len(runtimes)} runtimes are loaded: {', '.join(runtimes)}",
            "keep one, in an environment of its own: python -m venv",
        )
    return Check("OpenMP", "ok", f"one runtime: {runtimes[0]}" if runtimes else "no runtime is loaded")


def _cache() -> Check:
    from ..kernels import jit

    root = jit.cache_root()
    if jit.CACHE_FOLDER is None:
        return Check(
            "kernel cache",
            "note",
            f"{root} cannot be written, so every process compiles anew",
            "set TINYCNN_CACHE to a folder of your own",
        )
    files = [path for path in root.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    kernels = len(list(jit.CACHE_FOLDER.rglob("*.nbc")))
    others = sum(1 for path in root.iterdir() if path.is_dir()) - 1
    old = f"; {others} folders of earlier versions may be deleted" if others > 0 else ""
    fix = "" if kernels else "tinycnn warmup compiles everything now"
    return Check("kernel cache", "ok", f"{jit.CACHE_FOLDER}: {kernels} kernels, {size / 2**20:.1f} MiB in all{old}", fix)


def _gpu() -> Check:
    """Looked for without importing anything heavy; never needed."""
    query = shutil.which("nvidia-smi")
    names = ""
    if query:
        try:
            answer = subprocess.run(
                [query, "--query-gpu=name", "--format=csv,noheader"],
                capture_output=True,
                text=True,
                timeout=10,
                check=False,
            )
            names = ", ".join(answer.stdout.split("\n")).strip(", ") if answer.returncode == 0 else ""
        except (OSError, subprocess.TimeoutExpired):
            names = ""
    if names:
        return Check("GPU", "ok", f"{names}; tinycnn runs on the CPU, no GPU is needed")
    return Check("GPU", "ok", "none found; tinycnn runs on the CPU, no GPU is needed")


def _extras() -> list[Check]:
    checks = []
    for package, (extra, purpose) in EXTRAS.items():
        if importlib.util.find_spec(package) is None:
            checks.append(Check(f"extra {package}", "note", f"not installed, for {purpose}", f"pip install 'tinycnn[{extra}]'"))
        else:
            checks.append(Check(f"extra {package}", "ok", f"{_version(package) or 'installed'}, for {purpose}"))
    return checks
