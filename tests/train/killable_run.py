"""A run that writes a checkpoint every step, for the test that kills it.

    python killable_run.py < folders

For each folder named on standard input a child goes on with the run there, until somebody kills it. Forking from a
process that has imported everything and run nothing is much faster than twenty new interpreters. Standard output tells
the child's number, "learning" after each of its steps, and "gone" once it has ended.
"""

import io
import os
import sys
import time
from pathlib import Path

import numba
import numpy as np

from tests.train.small_problems import make_small_net, make_stripes
from tinycnn import kernels
from tinycnn.train import Checkpoint, TrainConfig, prepare, save_checkpoint, train

CONFIG = TrainConfig(epochs=60, batch_size=16, learning_rate=0.02, checkpoint_every=1, seed=3)
PAUSE = 0.004  # seconds between the two halves of a write: most of a step's time, so that most kills fall inside


def slow_write(file, arrays):
    """The arrays in two halves with a pause between, as a slow disk would write them."""
    memory = io.BytesIO()
    np.savez(memory, **arrays)
    data = memory.getvalue()
    file.write(data[: len(data) // 2])
    file.flush()
    time.sleep(PAUSE)
    file.write(data[len(data) // 2 :])


def save_slowly(path: Path, checkpoint: Checkpoint) -> Path:
    """Save, and tell the parent that the step is safe."""
    written = save_checkpoint(path, checkpoint, write=slow_write)
    os.write(1, b"learning\n")
    return written


def learn(folder: Path, save=save_checkpoint):
    """Go on with the run in the folder to its end; its weights and its losses."""
    prepared = prepare(make_small_net, make_stripes(96, seed=1), make_stripes(30, seed=2), CONFIG)
    result = train(*prepared, CONFIG, output=folder, resume=True, show=False, save=save)
    return {name: value.data.copy() for name, value in prepared.model.state_dict().items()}, result.step_losses


def next_number(number):
    """Something to compile that starts no threads, which a fork would not copy."""
    return number + 1


def serve() -> None:
    """Let one child after the other learn."""
    # What every child would do first: import the kernels, and let Numba fill its tables by compiling something.
    kernels.table("cpu")
    numba.njit(next_number)(1)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            learn(Path(line.strip()), save_slowly)
            os._exit(0)
        os.write(1, f"{child}\n".encode())
        os.waitpid(child, 0)
        os.write(1, b"gone\n")


if __name__ == "__main__":
    serve()
