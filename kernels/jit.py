"""The one compile decorator, and the cache that it compiles into.

Every fast kernel is written as

    @kernel                      # serial
    @kernel(parallel=True)       # with prange

and is compiled at its first call, never at import. The machine code is cached in a folder of the user's own, named by a digest of all kernel
sources, so that an edit in a helper file can never leave an older result in use (Numba's own index looks at one file only).
"""

import functools
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.extending import typeof_impl

from .compile_time import spare_compiler
from .threads import guarded

# The vector intrinsics emit LLVM code, which exists only when Numba compiles. TINYCNN_FAST=0 keeps plain Numba everywhere.
FAST = os.environ.get("TINYCNN_FAST", "1") != "0" and not numba.config.DISABLE_JIT

# NaN and infinity must survive, so neither "nnan" nor "ninf"; "arcp" and "afn" would round differently from the definition.
FASTMATH = {"reassoc", "contract", "nsz"}

spare_compiler()


def source_digest() -> str:
    """Sixteen hexadecimal digits that change whenever any kernel source, Numba, LLVM, NumPy or a switch changes."""
    digest = hashlib.sha256()
    folder = Path(__file__).resolve().parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    for fact in (numba.__version__, llvmlite.__version__, np.__version__, sys.version, FAST, bounds_check()):
        digest.update(repr(fact).encode())
    return digest.hexdigest()[:16]


def bounds_check() -> bool:
    """Whether this process compiles with bounds checks (NUMBA_BOUNDSCHECK=1), which a warm cache would silently ignore."""
    return bool(numba.config.BOUNDSCHECK)


def cache_root() -> Path:
    """The folder that holds one cache a digest: $TINYCNN_CACHE, else the user's cache folder."""
    chosen = os.environ.get("TINYCNN_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "tinycnn" / "kernels"


def private_folder(folder: Path) -> bool:
    """Make the folder with mode 0700 and say whether it is this user's own: Numba's index is a pickle, so nobody else may write it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if hasattr(os, "getuid"):
            facts = folder.stat()
            if facts.st_uid != os.getuid():
                return False
            if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                folder.chmod(0o700)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def cache_folder() -> Path | None:
    """The cache of exactly these sources, or None where the user's folder cannot be written (kernels then compile anew in each process)."""
    root = cache_root()
    folder = root / source_digest()
    return folder if private_folder(root) and private_folder(folder) else None


# Numba takes the folder from a process-wide setting when a cached function is declared.  It is set for the
# moment of the declaration only, so that other libraries in the process keep theirs.
CACHE_FOLDER = cache_folder()


def kernel(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile a function at its first call, cached: `@kernel`, `@kernel(parallel=True)`, `@kernel(inline="never")`."""
    if function is None:
        return lambda decorated: kernel(decorated, **options)
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": FASTMATH, "no_cfunc_wrapper": True}
    settings["cache"] = CACHE_FOLDER is not None
    settings.update(options)
    # Two objects that hold a copy of the same function share the copy that was loaded first, and the copies may round differently. Inlined,
    # every kernel holds all its arithmetic itself: the process that compiles it and those that load it compute the same bits. What is
    # compiled on its own all the same, inline="never", moves data or names every rounding step (the vector intrinsics).
    settings["forceinline"] = "inline" not in options and not options.get("parallel", False)
    if settings["fastmath"] is False:
        del settings["fastmath"]
    if numba.config.DISABLE_JIT:
        return numba.njit(function)
    if settings.get("parallel"):
        return guarded(declare(function, settings, CACHE_FOLDER))
    return declare(function, settings, CACHE_FOLDER) if settings.get("inline") == "always" else Kernel(function, settings)


def declare(function: Callable[..., Any], settings: dict[str, Any], folder: Path | None) -> Any:
    """Numba's compiled function, with this folder as its cache."""
    previous = numba.config.CACHE_DIR
    if folder is not None:
        numba.config.CACHE_DIR = str(folder)
    try:
        return numba.njit(**settings)(function)
    finally:
        numba.config.CACHE_DIR = previous


class Kernel:
    """A compiled function as Python calls it. The kernels that call it take it in without its entries for Python, which would be compiled in vain."""

    def __init__(self, function: Callable[..., Any], settings: dict[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func, self.settings = function, settings
        self.entry = declare(function, settings, CACHE_FOLDER)

    def __call__(self, *arguments: Any) -> Any:
        return self.entry(*arguments)

    @functools.cached_property
    def inlined(self) -> Any:
        """What other kernels see. Its cache is a folder of its own, since Numba tells the two apart by their function only."""
        return declare(self.py_func, {**self.settings, "no_cpython_wrapper": True}, CACHE_FOLDER and CACHE_FOLDER / "inlined")


@typeof_impl.register(Kernel)
def _type_of_kernel(kernel: Kernel, context: Any) -> Any:
    return typeof_impl(kernel.inlined, context)
