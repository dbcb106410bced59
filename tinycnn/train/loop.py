"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from .. import nn, optim
from ..errors import UsageError
from ..nn import Module
from ..tensor import Tensor
from .average import WeightAverage
from .branches import main_output, with_side_branches
from .checkpoint import Checkpoint, save_checkpoint
from .config import TrainConfig
from .evaluate import Evaluation, LossFunction, as_batch, evaluate, loss_of
from .interrupt import finish_the_step
from .run import Run, TrainResult
from .watcher import Watcher


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
    watcher: Watcher | None = None,
) -> TrainResult:
    """Train a model, with checkpoints, a log, hints, and a run that can be stopped and gone on with at any step.

    Parameters
    ----------
    model
        Maps images (N, C, H, W) to one row of logits each. In training mode it may give a tuple, the logits first and those of side
        branches after; the loss of each branch counts `config.side_weight` times.
    train_loader, test_loader
        Batches of (images, labels), or in training (images, rows of each class's share). What `train_loader` yields must follow from
        `set_epoch(epoch)` alone.
    optimizer
        Over the model's parameters.
    scheduler
        Stepped after every optimiser step; a `ReduceLROnPlateau` once an epoch with the test loss.
    config
        Of which the loop reads `epochs`, `label_smoothing`, `side_weight`, `accumulate`, `clip_norm`, `average`, `checkpoint_every` and
        `log_every`; the rest is recorded.
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
    watcher
        Looks on, such as a `LivePage`; the run's bits are the same with and without one that changes nothing.

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
    watcher = watcher or Watcher()
    if not len(train_loader):
        raise UsageError("train: the training loader yields no batch; is batch_size larger than the data set?")
    test_loss = loss_function or loss_of(model)
    train_loss = with_side_branches(_smoothed(test_loss, config), config.side_weight)
    average = WeightAverage(model, config.average) if config.average else None
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
        average=average,
    )
    if resume:
        run.go_on()
    run.begin()
    with finish_the_step() as interruption:
        watcher.begin(run, test_loader, lambda: interruption.signal is not None)
        while run.epoch < config.epochs and not interruption.signal:
            train_loader.set_epoch(run.epoch)
            model.train()
            run.begin_epoch()
            # A resumed epoch draws its first batches again and lets them pass, so that the rest are the same ones.
            for group in _in_groups(itertools.islice(train_loader, run.step, None), config.accumulate):
                watcher.before_step()
                optimizer.zero_grad()
                _add_gradients(model, group, train_loss, run)
                if config.clip_norm:
                    nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
                watcher.before_update()
                learning_rate = float(optimizer.param_groups[0]["lr"])
                optimizer.step()
                watcher.after_update()
                if average is not None:
                    average.update()
                if scheduler is not None and not _waits_for_the_test(scheduler):
                    scheduler.step()

                run.note_step(learning_rate)
                watcher.after_step()
                if interruption.signal:
                    break
                run.keep_if_due()
            else:
                test = evaluate(model, test_loader, test_loss)
                if _waits_for_the_test(scheduler):
                    scheduler.step(test.loss)
                averaged = _evaluate_average(average, test_loader, test_loss)
                run.close_epoch(test, averaged, as_batch(next(iter(test_loader)))[0])
                watcher.after_epoch()
        watcher.end()
    return run.finish(interruption)


def _add_gradients(model: Module, group: list[tuple[Tensor, Tensor]], loss_function: LossFunction, run: Run) -> None:
    """The gradient of the mean loss over all images of the group, batch by batch."""
    total = sum(len(labels) for _, labels in group)
    for images, labels in group:
        answer = model(images)
        loss = loss_function(answer, labels)
        value = float(loss.item())
        run.require_finite(value, images, labels, loss_function)
        (loss if len(group) == 1 else loss * (len(labels) / total)).backward()
        run.note_batch(value, images, labels, main_output(answer))


def _evaluate_average(average: WeightAverage | None, test_loader: Any, loss_function: LossFunction) -> Evaluation | None:
    if average is None:
        return None
    with average.in_place() as model:
        return evaluate(model, test_loader, loss_function, worst=0)


def _waits_for_the_test(scheduler: Any) -> bool:
    return isinstance(scheduler, optim.lr_scheduler.ReduceLROnPlateau)


def _in_groups(batches: Iterable[Any], size: int) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """The batches as lists of `size`, one a step; an epoch's last list may be shorter."""
    remaining = iter(batches)
    while group := [as_batch(batch) for batch in itertools.islice(remaining, size)]:
        yield group


def _smoothed(loss_function: LossFunction, config: TrainConfig) -> LossFunction:
    """The criterion to learn from; smoothed labels and mixed images have targets that only the cross-entropy knows."""
    label_smoothing = config.label_smoothing
    soft = [name for name in ("label_smoothing", "mixup", "cutmix") if getattr(config, name)]
    if soft and "label_smoothing" not in inspect.signature(loss_function).parameters:
        raise UsageError(f"train: {soft[0]} works with the cross-entropy only; set it to 0 for this loss")
    if not label_smoothing:
        return loss_function

    smooth: Callable[..., Tensor] = loss_function

    def smoothed(output: Tensor, target: Tensor) -> Tensor:
        return smooth(output, target, label_smoothing=label_smoothing)

    return smoothed
