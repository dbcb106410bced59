"""A run that writes a checkpoint every step, for the test that kills it: python killable_run.py FOLDER [slowly]."""

import io
import sys
import time
from pathlib import Path

import numpy as np
from small_problems import make_small_net, make_stripes

from tinycnn.train import Checkpoint, TrainConfig, prepare, save_checkpoint, train

CONFIG = TrainConfig(epochs=40, batch_size=16, learning_rate=0.02, checkpoint_every=1, seed=3)
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
    """Save, and tell the parent once the first step of this process is safe."""
    written = save_checkpoint(path, checkpoint, write=slow_write)
    print("learning", flush=True)
    return written


def learn(folder: Path, save=save_checkpoint):
    """Go on with the run in the folder to its end; its weights and its losses."""
    prepared = prepare(make_small_net, make_stripes(96, seed=1), make_stripes(30, seed=2), CONFIG)
    result = train(*prepared, CONFIG, output=folder, resume=True, show=False, save=save)
    return {name: value.data.copy() for name, value in prepared.model.state_dict().items()}, result.step_losses


if __name__ == "__main__":
    learn(Path(sys.argv[1]), save_slowly if sys.argv[2:] == ["slowly"] else save_checkpoint)
