"""A line search for the strong Wolfe conditions: a step along a direction that lowers the loss enough, to where the slope is small."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Trial", "strong_wolfe"]

SUFFICIENT = 1e-4  # share of the first slope's promise that the loss must keep
CURVATURE = 0.9  # share of the first slope that may be left
SMALLEST = 1e-9  # largest change of a number below which a bracket is not worth dividing


class Trial(NamedTuple):
    """One point on the line: its distance, and there the loss, the gradient, and the gradient along the line."""

    step: float
    loss: float
    gradient: np.ndarray
    slope: float


def cubic_minimum(one: Trial, other: Trial, low: float, high: float) -> float:
    """Where the cubic through two points with their slopes is least, cut to [low, high]; the middle where it has no minimum.

    References
    ----------
    Nocedal and Wright 2006, "Numerical optimization", equation 3.59.
    """
    left, right = (one, other) if one.step <= other.step else (other, one)
    width = right.step - left.step
    if width:
        first = left.slope + right.slope - 3 * (left.loss - right.loss) / (left.step - right.step)
        square = first * first - left.slope * right.slope
        if square >= 0:
            second = math.sqrt(square)
            denominator = right.slope - left.slope + 2 * second
            if denominator:
                return min(max(right.step - width * ((right.slope + second - first) / denominator), low), high)
    return (low + high) / 2


def _too_high(trial: Trial, start: Trial) -> bool:
    return trial.loss > start.loss + SUFFICIENT * trial.step * start.slope


def _flat(trial: Trial, start: Trial) -> bool:
    return abs(trial.slope) <= -CURVATURE * start.slope


def strong_wolfe(evaluate: Callable[[float], Trial], start: Trial, step: float, reach: float, most: int) -> tuple[Trial, int]:
    """(the point found, how often the loss was evaluated).

    Parameters
    ----------
    evaluate : function of a step
        The loss and its gradient there.
    start : Trial
        At step 0; its slope is negative.
    step : float
        The first step to try.
    reach : float
        Largest absolute number of the direction.
    most : int
        How often to go on from the first trial.

    References
    ----------
    Nocedal and Wright 2006, "Numerical optimization", algorithms 3.5 (bracketing) and 3.6 (zoom).
    """
    previous, trial, count = start, evaluate(step), 0
    ends = [start, trial]
    while count < most:
        if _too_high(trial, start) or (count > 1 and trial.loss >= previous.loss):
            ends = [previous, trial]
            break
        if _flat(trial, start):
            return trial, count + 1
        if trial.slope >= 0:
            ends = [previous, trial]
            break
        wanted = cubic_minimum(previous, trial, trial.step + 0.01 * (trial.step - previous.step), 10 * trial.step)
        previous, trial, count = trial, evaluate(wanted), count + 1
        ends = [start, trial]
    return _zoom(evaluate, start, ends, reach, count, most)


def _zoom(evaluate: Callable[[float], Trial], start: Trial, ends: list[Trial], reach: float, count: int, most: int) -> tuple[Trial, int]:
    """Divide a bracket until a point satisfies both conditions; ends[low] is the better end."""
    stalled = False
    low, high = (0, 1) if ends[0].loss <= ends[1].loss else (1, 0)
    while count < most and abs(ends[1].step - ends[0].step) * reach >= SMALLEST:
        left, right = sorted((ends[0].step, ends[1].step))
        step = cubic_minimum(ends[0], ends[1], left, right)
        margin = 0.1 * (right - left)
        near = min(right - step, step - left) < margin
        if near and (stalled or step >= right or step <= left):
            # Twice close to an end: a tenth of the bracket away from it instead, so that the bracket shrinks.
            step = right - margin if abs(step - right) < abs(step - left) else left + margin
            near = False
        stalled = near
        trial = evaluate(step)
        count += 1
        if _too_high(trial, start) or trial.loss >= ends[low].loss:
            ends[high] = trial
            low, high = (0, 1) if ends[0].loss <= ends[1].loss else (1, 0)
            continue
        done = _flat(trial, start)
        if not done and trial.slope * (ends[high].step - ends[low].step) >= 0:
            ends[high] = ends[low]
        ends[low] = trial
        if done:
            break
    return ends[low], count + 1
