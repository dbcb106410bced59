"""The training loop of detectors, to be read from top to bottom. It learns from the terms of a loss that the network itself gives by name."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

from .. import nn, optim
from .. import random as tinycnn_random
from ..data import DataLoader
from ..errors import UsageError
from ..models.registry import input_size
from ..nn import Module
from .average import WeightAverage
from .checkpoint import Checkpoint, save_checkpoint
from .config import TrainConfig, build_optimizer, build_scheduler
from .detection_data import varied
from .detection_evaluation import DetectionEvaluation, evaluate_detector
from .detection_run import DetectionRun
from .interrupt import finish_the_step
from .run import TrainResult
from .timed import TimedSchedule

__all__ = ["DETECTION_CONFIG", "NUCLEI_DETECTION", "PreparedDetector", "detection_config", "prepare_detector", "train_detector"]

# From scratch and without a GPU: small batches, a warm-up over a tenth of the steps, and gradients that cannot explode.
DETECTION_CONFIG = TrainConfig(
    epochs=12, batch_size=4, optimizer="adamw", learning_rate=1e-3, weight_decay=1e-4, clip_norm=5.0, warmup=0.1, decay_all=False, flip=True,
    symmetry=True, log_every=10,
)
SMALL_IMAGE = 128  # pixels a side, of which sixteen are learned from at once in the memory and nearly in the time of one photo
# Options of the small two-stage detectors for the nuclei: 256 x 256 pixels with up to 300 small things, seen at their own size, enough let through.
NUCLEI_DETECTION = {
    "min_size": 256, "max_size": 256, "rpn_pre_nms_top_n_train": 800, "rpn_pre_nms_top_n_test": 800, "rpn_post_nms_top_n_train": 400,
    "rpn_post_nms_top_n_test": 400, "box_detections_per_img": 200,
}  # fmt: skip


def detection_config(model: str) -> TrainConfig:
    """The hyper-parameters that a detector of that name starts from: `DETECTION_CONFIG`, with larger batches for the small ones.

    Examples
    --------
    >>> [(config.batch_size, config.learning_rate) for config in map(detection_config, ("ssd_mini", "ssd300_vgg16"))]
    [(16, 0.002), (4, 0.001)]
    """
    small = input_size(model)[1] <= SMALL_IMAGE
    return DETECTION_CONFIG.replace(batch_size=16, learning_rate=2e-3) if small else DETECTION_CONFIG


Sample = tuple[np.ndarray, dict[str, Any]]


class PreparedDetector(NamedTuple):
    """The first five arguments of `train_detector`, in its order."""

    model: Module
    train_loader: DataLoader
    test_set: Any
    optimizer: optim.Optimizer
    scheduler: Any


def as_lists(samples: list[Sample]) -> tuple[list[np.ndarray], list[dict[str, Any]]]:
    """A batch of images that may differ in size: lists of images and of targets."""
    return [np.asarray(image, np.float32) for image, _ in samples], [dict(target) for _, target in samples]


def prepare_detector(
    build_model: Callable[[], Module], train_set: Any, test_set: Any, config: TrainConfig, *, minutes: float | None = None
) -> PreparedDetector:
    """Seed everything, build the detector, and make loader, optimiser and schedule for a run.

    Parameters
    ----------
    build_model
        Makes the detector, drawing its weights from `tinycnn.random`.
    train_set, test_set
        Data sets of (image, target), see `evaluate_detector`. The training images get the config's `flip`, `symmetry`, `rotate` and
        `colour`, with which boxes, masks and keypoints move along.
    config
        The run's hyper-parameters.
    minutes
        Stretch the schedule over this time instead of the config's epochs.

    Raises
    ------
    UsageError
        When the config varies images without their boxes, or asks for another initialisation.
    """
    if config.initialisation != "default":
        raise UsageError(f"prepare_detector: initialisation={config.initialisation!r} is for classifiers; detectors' heads start as published")
    learned = varied(train_set, config)
    tinycnn_random.manual_seed(config.seed)
    model = build_model()
    loader = DataLoader(learned, config.batch_size, shuffle=True, generator=np.random.default_rng(config.seed), collate_fn=as_lists)
    optimizer = build_optimizer(model, config)
    steps = math.ceil(len(loader) / config.accumulate)
    scheduler: Any = build_scheduler(optimizer, config, steps) if minutes is None else TimedSchedule(optimizer, config, minutes)
    return PreparedDetector(model, loader, test_set, optimizer, scheduler)


def train_detector(
    model: Module,
    train_loader: Any,
    test_set: Any,
    optimizer: optim.Optimizer,
    scheduler: Any = None,
    config: TrainConfig | None = None,
    *,
    output: str | Path | None = None,
    resume: bool = False,
    run_info: dict[str, Any] | None = None,
    evaluate_every: int | None = None,
    evaluate: Callable[[Module, Any], DetectionEvaluation] = evaluate_detector,
    show: bool = True,
    stream: TextIO | None = None,
    save: Callable[[Path, Checkpoint], Path] = save_checkpoint,
) -> TrainResult:
    """Train a detector, with checkpoints, a log, and a run that can be stopped and gone on with at any step to the same bits.

    Parameters
    ----------
    model
        Called as model(images, targets) in training mode it gives the terms of its loss by name, which are added.
    train_loader
        Batches of (list of images, list of targets); what it yields must follow from `set_epoch(epoch)` alone.
    test_set
        Data set of (image, target), evaluated after every `evaluate_every` epochs and after the last; by default each epoch, and a few times
        in a run that is limited in minutes.
    optimizer, scheduler, config, output, resume, run_info, show, stream, save
        As in `train`. With a `TimedSchedule` the run ends when the time is spent, also inside an epoch. Of the config
        the loop reads `epochs`, `accumulate`, `clip_norm`, `average`, `checkpoint_every` and `log_every`.
    evaluate
        What measures; it must draw nothing at random.

    Returns
    -------
    TrainResult
        Its epochs are `DetectionEpoch`s.

    Raises
    ------
    CheckpointError, UsageError
        As in `train`.
    TrainingError
        When a term is NaN or infinite, naming it.
    """
    config = config or DETECTION_CONFIG
    if not len(train_loader):
        raise UsageError("train_detector: the training loader yields no batch; is batch_size larger than the data set?")
    if evaluate_every is not None and evaluate_every < 1:
        raise UsageError(f"train_detector: evaluate_every={evaluate_every} must be 1 epoch or more")
    average = WeightAverage(model, config.average) if config.average else None
    run = DetectionRun(
        model,
        optimizer,
        scheduler,
        config,
        steps_per_epoch=len(train_loader),
        output=output,
        run_info=run_info,
        show=show,
        stream=stream,
        save=save,
        average=average,
    )
    if resume:
        run.go_on()
    run.begin()
    timed = scheduler if isinstance(scheduler, TimedSchedule) else None
    with finish_the_step() as interruption:
        while run.epoch < config.epochs and not interruption.signal and not (timed and timed.over):
            train_loader.set_epoch(run.epoch)
            model.train()
            run.begin_epoch()
            # A resumed epoch reads its first batches again and lets them pass, so that the rest are the same ones.
            for group in _in_groups(itertools.islice(train_loader, run.step, None), config.accumulate):
                optimizer.zero_grad()
                _add_gradients(model, group, run)
                if config.clip_norm:
                    nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
                learning_rate = float(optimizer.param_groups[0]["lr"])
                optimizer.step()
                if average is not None:
                    average.update()
                if scheduler is not None:
                    scheduler.step()

                run.note_step(learning_rate)
                if interruption.signal or (timed and timed.over):
                    break
                run.keep_if_due()
            if not interruption.signal:
                due = run.evaluation_is_due(evaluate_every)
                test = evaluate(model, test_set) if due else None
                run.close_detection_epoch(test, _evaluate_average(average, test_set, evaluate) if due else None)
    return run.finish(interruption)


def _add_gradients(model: Module, group: list[tuple[list[Any], list[Any]]], run: DetectionRun) -> None:
    """The gradient of the mean loss over all images of the group, batch by batch."""
    total = sum(len(images) for images, _ in group)
    for images, targets in group:
        terms = model(images, targets)
        run.require_finite_terms({name: float(term.item()) for name, term in terms.items()})
        loss = sum(list(terms.values())[1:], next(iter(terms.values())))
        (loss if len(group) == 1 else loss * (len(images) / total)).backward()
        run.note_terms({name: float(term.item()) for name, term in terms.items()}, len(images))


def _in_groups(batches: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """The batches as lists of `size`, one a step; an epoch's last list may be shorter."""
    while group := list(itertools.islice(batches, size)):
        yield group


def _evaluate_average(average: WeightAverage | None, test_set: Any, evaluate: Callable[[Module, Any], DetectionEvaluation]) -> Any:
    if average is None:
        return None
    with average.in_place() as model:
        return evaluate(model, test_set)
