"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from .. import functional, optim
from ..errors import UsageError
from ..nn import Module
from ..tensor import Tensor
from .checkpoint import Checkpoint, save_checkpoint
from .config import TrainConfig
from .evaluate import LossFunction, as_batch, evaluate, loss_of
from .interrupt import finish_the_step
from .run import Run, TrainResult


def train(
    model: Module,
    train_loader: Any,
    test_loader: Any,
    optimizer: optim.Optimizer,
    scheduler: Any = None,
    config: TrainConfig | None = None,
    *,
    output: str | Path | None = None,
    resume: bool = False,
    loss_function: LossFunction | None = None,
    run_info: dict[str, Any] | None = None,
    show: bool = True,
    stream: TextIO | None = None,
    save: Callable[[Path, Checkpoint], Path] = save_checkpoint,
) -> TrainResult:
    """Train a model, with checkpoints, a log, hints, and a run that can be stopped and gone on with at any step.

    Parameters
    ----------
    model
        Maps images (N, C, H, W) to one row of logits each.
    train_loader, test_loader
        Batches of (images, labels). What `train_loader` yields must follow from `set_epoch(epoch)` alone.
    optimizer
        Over the model's parameters.
    scheduler
        Stepped after every optimiser step; a `ReduceLROnPlateau` once an epoch with the test loss.
    config
        Of which the loop reads `epochs`, `label_smoothing`, `checkpoint_every` and `log_every`; the rest is recorded.
    output
        Folder for checkpoint.npz, log.csv and log.jsonl; nothing is written without it.
    resume
        Go on from the checkpoint in `output`, to the same bits as a run that was never stopped; from the beginning when
        there is none yet.
    loss_function
        Called as loss_function(output, target); the model's own `loss`, else the softmax cross-entropy.
    run_info
        Names to keep in checkpoint and log, such as model and data.
    show, stream
        Whether and where to show progress; standard error unless given.
    save
        Writes a checkpoint; `save_checkpoint` but for tests.

    Returns
    -------
    TrainResult
        Its exit code is 130 or 143 when Ctrl-C or SIGTERM ended the run, which is saved and says how to go on.

    Raises
    ------
    CheckpointError
        Before training starts, when the folder cannot be written or the checkpoint cannot be read.
    UsageError
        When the training set is empty, or a checkpoint was trained with another config.
    TrainingError
        When the loss is NaN or infinite, naming the layer where it first appeared and the likely reason.
    """
    config = config or TrainConfig()
    if not len(train_loader):
        raise UsageError("train: the training loader yields no batch; is batch_size larger than the data set?")
    test_loss = loss_function or loss_of(model)
    train_loss = _smoothed(test_loss, config.label_smoothing)
    run = Run(
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
    )
    if resume:
        run.go_on()
    run.begin()
    with finish_the_step() as interruption:
        while run.epoch < config.epochs and not interruption.signal:
            train_loader.set_epoch(run.epoch)
            model.train()
            run.begin_epoch()
            # A resumed epoch draws its first batches again and lets them pass, so that the rest are the same ones.
            for batch in itertools.islice(train_loader, run.step, None):
                images, labels = as_batch(batch)
                logits = model(images)
                loss = train_loss(logits, labels)
                loss_value = float(loss.item())
                run.require_finite(loss_value, images, labels, train_loss)

                optimizer.zero_grad()
                loss.backward()
                learning_rate = float(optimizer.param_groups[0]["lr"])
                optimizer.step()
                if scheduler is not None and not _waits_for_the_test(scheduler):
                    scheduler.step()

                run.note_step(loss_value, learning_rate, images, labels, logits)
                if interruption.signal:
                    break
                run.keep_if_due()
            else:
                test = evaluate(model, test_loader, test_loss)
                if _waits_for_the_test(scheduler):
                    scheduler.step(test.loss)
                run.close_epoch(test, as_batch(next(iter(test_loader)))[0])
    return run.finish(interruption)


def _waits_for_the_test(scheduler: Any) -> bool:
    return isinstance(scheduler, optim.lr_scheduler.ReduceLROnPlateau)


def _smoothed(loss_function: LossFunction, label_smoothing: float) -> LossFunction:
    """The criterion to learn from; smoothing the labels is defined for the cross-entropy only."""
    if not label_smoothing:
        return loss_function
    if loss_function is not functional.cross_entropy:
        raise UsageError("train: label_smoothing works with the cross-entropy only; set it to 0 for this loss")

    def smoothed(output: Tensor, target: Tensor) -> Tensor:
        return functional.cross_entropy(output, target, label_smoothing=label_smoothing)

    return smoothed
