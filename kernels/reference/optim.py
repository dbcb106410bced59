"""One step of each optimiser, written as its paper does: the definitions that the fast kernels are held to.

Notation, for every element of every array
    p   the parameter
    g   its gradient, negated where `maximize`, so that every rule walks downhill
    lr  the step length (learning rate)
    t   the number of this step, counted from 1

All functions take lists of arrays (one entry a parameter array; any shape, C-contiguous) and change `parameters` and
the state in place.
"""

from collections.abc import Sequence

import numpy as np

from . import scalars

__all__ = ["adadelta_step", "adagrad_step", "adam_step", "rmsprop_step", "sgd_step"]


def sgd_step(
    parameters: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],
    momentum_buffers: Sequence[np.ndarray] | None,
    fresh: np.ndarray,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """Stochastic gradient descent with momentum: b <- momentum b + (1 - dampening) g; p <- p - lr b.

    `fresh[i]` is 1 where parameter i has no momentum yet: its buffer then starts as the plain gradient. Nesterov's
    variant steps along g + momentum b. `momentum_buffers` is None where momentum is 0.
    """
    for i in range(len(parameters)):
        parameter, gradient = parameters[i].reshape(-1), gradients[i].reshape(-1)
        for j in range(len(parameter)):
            g = -gradient[j] if maximize else gradient[j]
            g = g + weight_decay * parameter[j]
            if momentum_buffers is not None:
                buffer = momentum_buffers[i].reshape(-1)
                buffer[j] = g if fresh[i] else momentum * buffer[j] + (1 - dampening) * g
                g = g + momentum * buffer[j] if nesterov else buffer[j]
            parameter[j] = parameter[j] - lr * g


def adam_step(
    parameters: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],
    averages: Sequence[np.ndarray],
    square_averages: Sequence[np.ndarray],
    greatest_square_averages: Sequence[np.ndarray] | None,
    steps: np.ndarray,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    """Adam: m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2; p <- p - lr m' / (sqrt(v') + eps).

    m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) make up for the zeros that the means started from.

    `steps[i]` is t, this step included. `decoupled` shrinks p by (1 - lr weight_decay) instead of adding
    weight_decay p to g (AdamW).
    `greatest_square_averages` is None, or keeps the largest v so far, which then replaces it (AMSGrad).
    """
    for i in range(len(parameters)):
        parameter, gradient = parameters[i].reshape(-1), gradients[i].reshape(-1)
        average, square_average = averages[i].reshape(-1), square_averages[i].reshape(-1)
        correction1 = 1 - beta1 ** steps[i]
        correction2 = 1 - beta2 ** steps[i]
        for j in range(len(parameter)):
            g = -gradient[j] if maximize else gradient[j]
            if decoupled:
                parameter[j] = parameter[j] * (1 - lr * weight_decay)
            else:
                g = g + weight_decay * parameter[j]
            average[j] = beta1 * average[j] + (1 - beta1) * g
            square_average[j] = beta2 * square_average[j] + (1 - beta2) * g * g
            v = square_average[j]
            if greatest_square_averages is not None:
                greatest = greatest_square_averages[i].reshape(-1)
                if v > greatest[j] or v != v:
                    greatest[j] = v
                v = greatest[j]
            denominator = scalars.sqrt(v / correction2) + eps
            parameter[j] = parameter[j] - lr * (average[j] / correction1) / denominator


def rmsprop_step(
    parameters: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],
    square_averages: Sequence[np.ndarray],
    averages: Sequence[np.ndarray] | None,
    momentum_buffers: Sequence[np.ndarray] | None,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    maximize: bool,
) -> None:
    """RMSprop: v <- alpha v + (1 - alpha) g^2; p <- p - lr g / (sqrt(v) + eps).

    With `averages` (the centred variant) v - m^2 takes the place of v, m the running mean of g: an estimate of the
    variance instead of the second moment. With `momentum_buffers` the step is collected first: b <- momentum b + g /
    (sqrt(v) + eps); p <- p - lr b.
    """
    for i in range(len(parameters)):
        parameter, gradient = parameters[i].reshape(-1), gradients[i].reshape(-1)
        square_average = square_averages[i].reshape(-1)
        for j in range(len(parameter)):
            g = -gradient[j] if maximize else gradient[j]
            g = g + weight_decay * parameter[j]
            square_average[j] = alpha * square_average[j] + (1 - alpha) * g * g
            v = square_average[j]
            if averages is not None:
                average = averages[i].reshape(-1)
                average[j] = alpha * average[j] + (1 - alpha) * g
                v = v - average[j] * average[j]
                if v < 0:  # a variance; only rounding can make the difference negative
                    v = v - v
            step = g / (scalars.sqrt(v) + eps)
            if momentum_buffers is not None:
                buffer = momentum_buffers[i].reshape(-1)
                buffer[j] = momentum * buffer[j] + step
                step = buffer[j]
            parameter[j] = parameter[j] - lr * step


def adagrad_step(
    parameters: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],
    sums: Sequence[np.ndarray],
    steps: np.ndarray,
    lr: float,
    lr_decay: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Adagrad: s <- s + g^2; p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps).

    `steps[i]` is t, this step included.
    """
    for i in range(len(parameters)):
        parameter, gradient = parameters[i].reshape(-1), gradients[i].reshape(-1)
        total = sums[i].reshape(-1)
        rate = lr / (1 + (steps[i] - 1) * lr_decay)
        for j in range(len(parameter)):
            g = -gradient[j] if maximize else gradient[j]
            g = g + weight_decay * parameter[j]
            total[j] = total[j] + g * g
            parameter[j] = parameter[j] - rate * g / (scalars.sqrt(total[j]) + eps)


def adadelta_step(
    parameters: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],
    square_averages: Sequence[np.ndarray],
    accumulated_deltas: Sequence[np.ndarray],
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Adadelta: v <- rho v + (1 - rho) g^2; d = sqrt(u + eps) / sqrt(v + eps) g; p <- p - lr d.

    u <- rho u + (1 - rho) d^2 is the mean square of the steps themselves.
    """
    for i in range(len(parameters)):
        parameter, gradient = parameters[i].reshape(-1), gradients[i].reshape(-1)
        square_average, accumulated = square_averages[i].reshape(-1), accumulated_deltas[i].reshape(-1)
        for j in range(len(parameter)):
            g = -gradient[j] if maximize else gradient[j]
            g = g + weight_decay * parameter[j]
            square_average[j] = rho * square_average[j] + (1 - rho) * g * g
            delta = scalars.sqrt(accumulated[j] + eps) / scalars.sqrt(square_average[j] + eps) * g
            accumulated[j] = rho * accumulated[j] + (1 - rho) * delta * delta
            parameter[j] = parameter[j] - lr * delta
