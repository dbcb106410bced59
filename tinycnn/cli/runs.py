"""A network and the facts beside it in its checkpoint: built by name, saved with the run, restored without its data."""

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CheckpointError, UsageError

# The command that shows an image to a network of each other task.
ASKED_BY = {"detection": "tinycnn detect IMAGE --model", "segmentation": "tinycnn segment PHOTO --model"}


@dataclass(frozen=True)
class Restored:
    """A trained network as its checkpoint holds it."""

    model: Any
    info: dict[str, Any]  # model, model_options, data, classes, channels, image_size, mean, std
    config: dict[str, Any]
    epochs: list[dict[str, Any]]
    hints: list[str]
    source: Path
    note: str | None  # a sentence when the newest checkpoint could not be read


def task_of_run(info: dict[str, Any]) -> str:
    """What the network of a run does, from its checkpoint's facts: "classification", "detection" or "segmentation"."""
    return str(info.get("task", "classification"))


def task_of_network(name: str | None) -> str:
    """What the network of that name does; names that do not exist count as classifiers', whose command says so."""
    from ..models import list_models

    return next((task for task in ASKED_BY if name in list_models(task)), "classification")


def check_model_name(name: str) -> None:
    """Refuse a name that no model has, before anything is downloaded or written."""
    from ..models import list_models
    from .main import nearest

    if name not in list_models():
        raise UsageError(f"there is no model {name!r}{nearest(name, list_models())}; there are {', '.join(list_models())}")


def model_options(name: str, classes: int, channels: int, image_size: int) -> dict[str, int]:
    """The keywords with which a model fits the data; a model that cannot fit says why."""
    from .. import models

    accepted = inspect.signature(getattr(models, name)).parameters
    wanted = {"num_classes": classes, "in_channels": channels, "image_size": image_size}
    fixed = {"num_classes": (10, "classes"), "in_channels": (1, "input channels")}
    for option, (only, words) in fixed.items():
        if option not in accepted and wanted[option] != only:
            raise UsageError(f"{name} has {only} {words}, the data has {wanted[option]}; try another model, such as lenet5")
    return {option: value for option, value in wanted.items() if option in accepted}


def restore(path: Path, task: str | None = "classification") -> Restored:
    """Build the network that a checkpoint names and load its weights; a run of another task is refused, with None none is."""
    from ..models import get_model
    from ..tensor import Tensor
    from ..train import load_checkpoint, replace_head

    checkpoint = load_checkpoint(path)
    info = checkpoint.run_info
    own = task_of_run(info)
    if task not in (None, own):
        words = f"`{ASKED_BY[own]} {path}` asks it" if own in ASKED_BY else "name another run"
        raise UsageError(f"{path} is a run of {own}, not of {task}; {words}")
    try:
        model = get_model(info["model"], **info["model_options"])
        if info.get("neck"):
            replace_head(model, info["model_options"]["num_classes"], neck=info["neck"])
        # Nothing else is used later; a missing one is better found now.
        _ = (info["data"], info["classes"], info["channels"], info["image_size"], info["mean"], info["std"])
    except KeyError as error:
        raise CheckpointError(f"{path} does not say its {error.args[0]}; only a checkpoint that `tinycnn train` wrote can be used here") from error
    model.load_state_dict({name: Tensor(array) for name, array in checkpoint.model.items()})
    model.eval()
    hints = [f"{hint['sentence']} {hint['fix']}" for hint in checkpoint.hints]
    return Restored(model, info, checkpoint.config, checkpoint.epochs, hints, path, checkpoint.note)
