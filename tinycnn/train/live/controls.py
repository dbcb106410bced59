"""What a tab may change: hyper-parameters for the steps to come, pause and single steps, the image that is looked at.

Server threads only leave wishes here; the training thread takes them up between two steps.
"""

from __future__ import annotations

import difflib
import json
import math
import threading
from typing import Any

from ...errors import UsageError
from ...optim import Optimizer

SETTINGS = ("learning_rate", "momentum", "weight_decay")
WORDS = {"learning_rate": "learning rate", "momentum": "momentum", "weight_decay": "weight decay"}
MOST = {"learning_rate": 100.0, "momentum": 1.0, "weight_decay": 10.0}
COMMANDS = (*SETTINGS, "pause", "step", "image")
MOST_STEPS = 10_000


class Overrides:
    """Hyper-parameters set from the page; they hold from `write` to `restore`, around one step of the optimiser.

    So the schedule never sees them, and a setting that is given back is the schedule's again to the bit.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.values: dict[str, float] = {}
        self._kept: list[dict[str, Any]] = []

    def now(self, name: str) -> float | None:
        """What the optimiser or its schedule says, without the page; None where it has no such setting."""
        group = self.optimizer.param_groups[0]
        if name == "learning_rate":
            return float(group["lr"])
        if name == "momentum":
            return float(group["momentum"]) if "momentum" in group else float(group["betas"][0]) if "betas" in group else None
        decays = [float(group["weight_decay"]) for group in self.optimizer.param_groups if "weight_decay" in group]
        return max(decays, default=None)

    def check(self, name: str, value: Any) -> float | None:
        """The value as a number, None to give the setting back; one sentence on what is wrong with it otherwise."""
        words = WORDS[name]
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(f"{words}: {str(value)[:40]!r} is not a number; type one such as 0.01")
        number = float(value) if abs(value) < 1e300 else math.inf
        if self.now(name) is None:
            raise UsageError(f"{type(self.optimizer).__name__} has no {words}")
        ends = "below 1" if name == "momentum" else f"to {MOST[name]:g}"
        if not (0 <= number <= MOST[name]) or (name == "momentum" and number == 1):
            raise UsageError(f"{words}: {value!r:.40} must be a number from 0 {ends}")
        if name == "momentum" and number == 0 and any(group.get("nesterov") for group in self.optimizer.param_groups):
            raise UsageError("momentum: Nesterov's rule looks ahead along it, so it must be greater than 0")
        return number

    def write(self) -> None:
        """Put the page's values into the optimiser's groups."""
        if not self.values:
            return
        groups = self.optimizer.param_groups
        self._kept = [{key: group[key] for key in ("lr", "momentum", "betas", "weight_decay") if key in group} for group in groups]
        first, decays = float(groups[0]["lr"]), [float(group.get("weight_decay", 0.0)) for group in groups]
        for group, decay in zip(groups, decays, strict=True):
            if "learning_rate" in self.values:  # groups keep their rates' proportions
                group["lr"] = self.values["learning_rate"] * (float(group["lr"]) / first if first else 1.0)
            if "momentum" in self.values:
                if "betas" in group:
                    group["betas"] = (self.values["momentum"], group["betas"][1])
                else:
                    group["momentum"] = self.values["momentum"]
            # A group that weight decay spares, as biases may be, stays spared.
            if "weight_decay" in self.values and (decay or not any(decays)):
                group["weight_decay"] = self.values["weight_decay"]

    def restore(self) -> None:
        """Give the groups back what they had."""
        for group, kept in zip(self.optimizer.param_groups, self._kept, strict=False):
            group.update(kept)
        self._kept = []


class Controls:
    """The wishes of all tabs, and the one condition that the training thread waits on while it pauses."""

    def __init__(self, overrides: Overrides, images: int) -> None:
        self.overrides = overrides
        self.images = images
        self.image: int | None = 0  # None: the dropped one
        self.paused = False
        self.steps = 0  # that may still be taken while paused
        self.changed = threading.Condition()

    def accept(self, body: bytes) -> list[str]:
        """Take a tab's wishes, all or none, and say them in words.

        Raises
        ------
        UsageError
            In one sentence, for anything but an object of known wishes with sensible values.
        """
        wishes = read_wishes(body)
        checked = {name: self._check(name, value) for name, value in wishes.items()}
        with self.changed:
            said = [self._take(name, value) for name, value in checked.items()]
            self.changed.notify_all()
        return said

    def _check(self, name: str, value: Any) -> Any:
        if name in SETTINGS:
            return self.overrides.check(name, value)
        if name == "pause":
            if not isinstance(value, bool):
                raise UsageError(f"pause: {str(value)[:40]!r} must be true or false")
            return value
        most = MOST_STEPS if name == "step" else self.images - 1
        least = 1 if name == "step" else 0
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise UsageError(f"{name}: {str(value)[:40]!r} must be a whole number from {least} to {most}")
        return value

    def _take(self, name: str, value: Any) -> str:
        if name == "pause":
            self.paused, self.steps = value, 0
            return "paused" if value else "going on"
        if name == "step":
            self.paused, self.steps = True, self.steps + value
            return f"{value} step{'s' if value > 1 else ''}"
        if name == "image":
            self.image = value
            return f"image {value}"
        if value is None:
            self.overrides.values.pop(name, None)
            return f"{WORDS[name]}: as planned"
        self.overrides.values[name] = value
        return f"{WORDS[name]}: {value:g}"

    def may_step(self) -> bool:
        """Whether the next step may be taken; uses up a single step. Call it with `changed` held."""
        if not self.paused:
            return True
        if self.steps:
            self.steps -= 1
            return True
        return False


def read_wishes(body: bytes) -> dict[str, Any]:
    """The JSON object of a request's body, every name known."""

    def refuse(word: str) -> Any:
        raise UsageError(f"{word} is not a number that a setting can have")

    try:
        wishes = json.loads(body.decode("utf-8"), parse_constant=refuse)
    except UsageError:
        raise
    except (ValueError, RecursionError) as error:
        raise UsageError('the request is not JSON; send an object such as {"learning_rate": 0.01}') from error
    if not isinstance(wishes, dict) or not wishes:
        raise UsageError(f"the request must be an object with one or more of {', '.join(COMMANDS)}")
    for name in wishes:
        if name not in COMMANDS:
            close = difflib.get_close_matches(name, COMMANDS, n=1)
            offer = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(COMMANDS)}"
            raise UsageError(f"there is nothing called {name[:40]!r} to change{offer}")
    return wishes
