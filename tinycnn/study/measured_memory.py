"""The memory that a step really takes: how far the process's resident size rises while it runs."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .. import optim
from ..autograd import no_grad
from ..errors import ArgumentError
from ..kernels import memory
from ..nn import Module
from ..tensor import Tensor
from .recording import tensors_in

__all__ = ["measured_peak"]

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
OPTIMIZERS: dict[str, Callable[..., optim.Optimizer] | None] = {
    "none": None,
    "sgd": lambda parameters: optim.SGD(parameters, lr=1e-6),
    "momentum": lambda parameters: optim.SGD(parameters, lr=1e-6, momentum=0.9),
    "rmsprop": lambda parameters: optim.RMSprop(parameters, lr=1e-6),
    "adagrad": lambda parameters: optim.Adagrad(parameters, lr=1e-6),
    "adadelta": lambda parameters: optim.Adadelta(parameters, lr=1e-6),
    "adam": lambda parameters: optim.Adam(parameters, lr=1e-6),
    "adamw": lambda parameters: optim.AdamW(parameters, lr=1e-6),
}


def measured_peak(
    model: Module, input_size: tuple[int, ...], batch: int = 1, *, training: bool = False, optimizer: str = "adam"
) -> int | None:
    """Run one step and return how much memory it took at its peak: weights, buffers, optimiser state and all else that was there at once.

    Parameters
    ----------
    model : Module
        Its weights should be finite. With `training` they change, if by little.
    input_size : tuple of int
        One example.
    batch : int
        Examples a batch.
    training : bool
        Forward, backward and optimiser step instead of inference.
    optimizer : str
        As in `memory_ledger`.

    Returns
    -------
    int or None
        Bytes; None where the system cannot tell (only Linux lets a process reset its peak).

    Raises
    ------
    ArgumentError
        For another optimiser.

    Notes
    -----
    A first step compiles and loads the kernels; its memory is given back before the second one is measured. Each runs in a thread of its own,
    as the workspace belongs to a thread. A process of other sizes leaves a few MB of noise.

    Examples
    --------
    >>> from tinycnn import nn
    >>> peak = measured_peak(nn.Linear(1000, 1000), (1000,), batch=2)
    >>> peak is None or peak >= 4_004_000  # the weights alone
    True
    """
    if optimizer not in OPTIMIZERS:
        raise ArgumentError(f"measured_peak: optimizer {optimizer!r} is not one of {', '.join(OPTIMIZERS)}")
    if not CLEAR.exists() or not STATUS.exists():
        return None
    make = OPTIMIZERS[optimizer] if training else None
    stepper = make(model.parameters()) if make is not None else None

    def step() -> None:
        images = Tensor(np.random.default_rng(0).random((batch, *input_size), np.float32))
        if not training:
            with no_grad():
                model(images)
            return
        outputs = [tensor for tensor in tensors_in(model(images)) if tensor.requires_grad]
        for output in outputs:
            output.backward(np.full(output.shape, 1e-3, output.dtype), retain_graph=output is not outputs[-1])
        if stepper is not None:
            stepper.step()

    mode = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        _in_thread(step)
        model.zero_grad()
        _give_back()
        before = _status("VmRSS")
        CLEAR.write_text("5")
        _in_thread(step)
        risen = _status("VmHWM") - before
    finally:
        for module, was in mode:
            module.training = was
    model.zero_grad()
    resident = [tensor.data.nbytes for tensor in (*model.parameters(), *model.buffers())]
    if stepper is not None:
        resident += [array.nbytes for state in stepper.state.values() for array in state.values() if isinstance(array, np.ndarray)]
        resident += [part.data.nbytes for state in stepper.state.values() for part in state.values() if isinstance(part, Tensor)]
    return risen + sum(resident)


def _in_thread(work: Callable[[], None]) -> None:
    """Run to the end in a new thread; what it raises is raised here."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            with np.errstate(all="ignore"):
                work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _give_back() -> None:
    """Return everything unused to the system, so that the next step must ask for it again."""
    gc.collect()
    memory.empty_cache()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _status(name: str) -> int:
    """A size of this process, in bytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
