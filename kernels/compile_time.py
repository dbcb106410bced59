"""Compile time: Numba's compiler without the work that comes to nothing.

Numba compiles each function that a kernel calls, and the body and two wrappers of each `prange`, as a library of LLVM code of its own; each is
linked into its caller. It also generates machine code for every one of them, which nobody calls: the outermost kernel holds copies of all. Here
machine code waits until somebody asks where it is, and the wrappers of a `prange` are optimised inside the kernel only. Nor is the memory searched
for garbage meanwhile: nearly all that a compilation makes is in use until its end. What is compiled and what it computes stay the same. Where a
release of Numba is built otherwise, nothing is changed.
"""

import gc
from typing import Any

from numba.core import event
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.registry import cpu_target

__all__ = ["spare_compiler"]

NEEDED = (
    "_optimize_functions",
    "_optimize_final_module",
    "_finalize_final_module",
    "_finalize_dynamic_globals",
    "_verify_declare_only_symbols",
    "serialize_using_bitcode",
)
COMPILED = "_ZN"  # how the names begin of functions that Numba compiled from Python
BODY = "__numba_parfor_gufunc"  # and of the library of a body
FOR_PYTHON = ("_ZN7cpython", "cfunc")  # and of those that Python or C may call, whose address is asked for at once


class Library(JITCodeLibrary):
    """Numba's library of one function, which becomes machine code when the address of one of its functions is asked for."""

    waits = False

    def _optimize_functions(self, module: Any) -> None:
        # Numba runs the passes over functions that are only declared, too, which are most of a module's.
        module.data_layout = self._codegen._data_layout
        for function in module.functions:
            if not function.is_declaration:
                passes, builder = self._codegen._function_pass_manager()
                passes.run(function, builder)

    def _optimize_final_module(self) -> None:
        if not self._is_wrapper() or not self._is_piece():
            super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        names = [function.name for function in self.get_defined_functions()]
        only_compiled = any(name.startswith(COMPILED) for name in names) and not any(name.startswith(FOR_PYTHON) for name in names)
        self.waits = self._is_piece() or (only_compiled and not self._is_wrapper())
        if not self.waits:
            self._generate()
            return
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Where a function's machine code is, made now if it has waited; 0 for one that is not here, and for a body."""
        self._ensure_finalized()
        if self.waits:
            if self.name.startswith(BODY) or all(function.name != name for function in self.get_defined_functions()):
                return 0
            self.waits = False
            if self._is_wrapper():
                super()._optimize_final_module()
            self._generate()
        return int(super().get_pointer_to_function(name))

    def serialize_using_object_code(self) -> Any:
        """For the cache: LLVM's code where there is no machine code."""
        return self.serialize_using_bitcode() if self.waits else super().serialize_using_object_code()

    def _is_wrapper(self) -> bool:
        return "_GufuncWrapper" in self.name or self.name == "parallelgufuncwrapper"

    def _is_piece(self) -> bool:
        """Whether this is the body of a `prange` or a wrapper around one, not around somebody's universal function."""
        return self.name.startswith(BODY) or (self._is_wrapper() and any(library._is_piece() for library in self._linking_libraries))

    def _generate(self) -> None:
        super()._finalize_final_module()
        for variable in self._final_module.global_variables:
            if variable.name in _environments:
                JITCPUCodegen.set_env(self._codegen, variable.name, _environments.pop(variable.name))


_environments: dict[str, Any] = {}  # what functions need to make Python objects, until their machine code exists


class CollectorPause(event.Listener):
    """No search for garbage from the start of a compilation to its end, those of the functions that it calls included."""

    depth = 0
    paused = False

    def on_start(self, started: Any) -> None:
        """A compilation starts; Numba's lock lets one thread at a time come here."""
        if self.depth == 0:
            self.paused = gc.isenabled()
            gc.disable()
        self.depth += 1

    def on_end(self, ended: Any) -> None:
        """It ends, also by an error."""
        self.depth -= 1
        if self.depth == 0 and self.paused:
            gc.enable()


def spare_compiler() -> None:
    """Let this process's Numba compile as described above."""
    event.register("numba:compile", CollectorPause())
    codegen: Any = cpu_target.target_context.codegen()
    if type(codegen) is not JITCPUCodegen or codegen._library_class is not JITCodeLibrary or not all(hasattr(Library, name) for name in NEEDED):
        return

    def set_env(name: str, environment: Any) -> None:
        if codegen._engine.is_symbol_defined(name):
            JITCPUCodegen.set_env(codegen, name, environment)
        else:
            _environments[name] = environment

    codegen._library_class, codegen.set_env = Library, set_env
