"""`tinycnn experiment clips`: what a shape does in a clip, told from frame features with and without their order."""

from __future__ import annotations

import argparse
import math
from typing import Any

import numpy as np

from ..errors import UsageError
from .common import Console, table

CLIPS, TEST_CLIPS = 1200, 300
PAIRS = (("left", "right"), ("up", "down"), ("grows", "shrinks"), ("turns left", "turns right"))


def run(arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Train the three heads on the same clips from the same frame network, and compare."""
    from .. import random
    from ..data import DataLoader
    from ..data.moving_shapes import ACTIONS, MovingShapes
    from ..models.clips import OVER_TIME, clip_classifier
    from ..train import TrainConfig, build_optimizer, build_scheduler, evaluate, train
    from .train import changes

    if arguments.model is not None:
        raise UsageError(f"experiment clips has its own network; leave {arguments.model!r} out")
    plain = TrainConfig(epochs=8, batch_size=32, optimizer="adamw", learning_rate=4e-3, weight_decay=1e-4)
    config = plain.replace(**changes(arguments))
    learn = MovingShapes(arguments.images or CLIPS, seed=config.seed)
    test = DataLoader(MovingShapes(TEST_CLIPS, seed=config.seed, train=False), 50)
    console.say(f"{len(learn):,} clips of {learn.frames} frames to learn from, {TEST_CLIPS} others; {len(ACTIONS)} actions: {', '.join(ACTIONS)}")
    rows, runs = [], []
    for over_time in OVER_TIME:
        random.manual_seed(config.seed)
        model = clip_classifier(len(ACTIONS), over_time=over_time, pixels=learn.size)
        loader = DataLoader(learn, config.batch_size, shuffle=True, generator=np.random.default_rng(config.seed))
        optimizer = build_optimizer(model, config)
        scheduler = build_scheduler(optimizer, config, math.ceil(len(loader) / config.accumulate))
        result = train(model, loader, test, optimizer, scheduler, config, show=False)
        found = evaluate(model, test)
        swapped = _share_of_pairs(found.confusion, ACTIONS)
        seconds = sum(epoch.seconds for epoch in result.epochs)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        rows.append([over_time, f"{parameters:,}", f"{100 * found.accuracy:.1f} %", f"{100 * swapped:.0f} %", f"{seconds:.1f}"])
        runs.append(
            {"over_time": over_time, "accuracy": found.accuracy, "swapped": swapped, "seconds": seconds, "confusion": found.confusion.tolist()}
        )
    console.say(table(["over time", "parameters", "accuracy", "errors that take an action for its reverse", "seconds"], rows))
    console.say("mean and max forget in which order the frames came: a clip and its reverse look the same to them; a convolution over time knows")
    return {"actions": list(ACTIONS), "frames": learn.frames, "clips": len(learn), "runs": runs, "config": config.to_dict()}


def _share_of_pairs(confusion: Any, names: tuple[str, ...]) -> float:
    """Of all errors the share that takes an action for its reverse."""
    wrong = int(confusion.sum() - np.trace(confusion))
    places = [(names.index(one), names.index(other)) for one, other in PAIRS]
    return sum(int(confusion[a, b] + confusion[b, a]) for a, b in places) / max(wrong, 1)
