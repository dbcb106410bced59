"""Exercises about learning: softmax with its loss, batch norm, and the gradients of a convolution."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from .exercise_draw import Draw, array_of, blank, element_steps, exact, explained, gradient, result
from .exercise_sheet import Exercise, Given, Step
from .explanation import Part

__all__ = ["backprop", "batch_norm", "softmax"]

# Deviations from the mean whose mean square is the square of a whole number.
DEVIATIONS = ((-1, -1, 1, 1), (-2, -2, 2, 2), (-3, -1, -1, 5), (-7, -1, 1, 7), (-3, -3, 3, 3), (-6, -2, -2, 10), (-5, 1, 1, 3), (-4, -4, 4, 4))


def _shared(part: Part) -> tuple[Step, ...]:
    return tuple(
        Step("", f"{step.name} = {step.numbers} = {step.value if isinstance(step.value, Fraction) else f'{step.value:.4f}'}") for step in part.steps
    )


def softmax(draw: Draw, level: int) -> Exercise:
    """Level 1: scores that are logarithms; level 2: whole numbers; level 3: a batch of two."""
    rows = 2 if level == 3 else 1
    counts = np.array([draw.generator.choice(np.arange(1, 10), 3, replace=False) for _ in range(rows)])
    scores = np.log(counts) if level == 1 else np.array([draw.generator.choice(np.arange(-2, 4), 3, replace=False) for _ in range(rows)], np.float64)
    target = np.array([draw.whole(0, 2) for _ in range(rows)])
    found = explained("softmax", scores, dim=1).results[0]
    loss = explained("cross_entropy", scores, target=target, grad=np.array(1.0))
    back = loss.gradients[0].values
    chances, value = found.values, float(loss.results[0].values)
    raw = counts if level == 1 else scores
    share = scores / np.where(scores.sum(axis=1, keepdims=True), scores.sum(axis=1, keepdims=True), 1)
    summed = result("cross_entropy", scores, target=target, reduction="sum")
    total = gradient("cross_entropy", scores, of="input", grad=np.array(1.0), target=target, reduction="sum")
    hot = np.eye(3)[target]
    gradient_traps = [
        (_lines(chances / rows), "subtract 1 from the probability of the true class"),
        (_lines(-back), "the gradient is p minus one-hot, not one-hot minus p"),
        (_lines(back + 2 * hot / rows), "subtract 1 from the probability of the true class, do not add it"),
    ]
    loss_traps = [
        (-value, "a loss is -log p: it is not negative"),
        (value / np.log(10), "the logarithm is the natural one"),
        (value / np.log(2), "the logarithm is the natural one"),
        (np.exp(-value), "that is a probability; the loss is -log of it"),
    ]
    if rows == 2:
        loss_traps.insert(0, (summed, "the loss of a batch is the mean, not the sum"))
        gradient_traps.insert(0, (_lines(total), "the loss is the mean over the batch: divide by the number of rows"))
    shown = "; ".join(" ".join((f"ln({int(score)})" if level == 1 else str(int(score))) for score in row) for row in raw.tolist())
    steps = [Step("The largest score is subtracted first; it changes nothing but keeps the exponentials small:"), *_shared(found)]
    if level == 1:
        whole = int(counts.sum())
        steps = [Step("e^ln(a) = a, so the probabilities are shares of the sum:", ", ".join(f"{a}/{whole}" for a in counts[0].tolist()))]
        answer: Any = np.array([Fraction(int(a), whole) for a in counts[0]], object)
    else:
        steps += element_steps(found, "p", "Then every probability:")
        answer = _lines(chances)
    steps += [
        Step(f"The loss is -ln p of the true class{', averaged over the rows' if rows == 2 else ''}:", f"{value:.4f}"),
        Step("The gradient is (p - one-hot)" + (" / 2:" if rows == 2 else ":"), "; ".join(" ".join(f"{g:.3f}" for g in row) for row in back)),
    ]
    return Exercise(
        "",
        "",
        "Turn the scores into probabilities by softmax, then give the cross-entropy loss for the true class (counted from 0) and its gradient "
        "with respect "
        "to the scores." + (" The loss is the mean over the two rows." if rows == 2 else ""),
        (Given("scores", shown), Given("true class", " ".join(map(str, target.tolist())))),
        (
            blank("probabilities", answer, [(_lines(share), "take the exponentials first, then divide by their sum")], whole=False),
            blank("loss", value, loss_traps, whole=False),
            blank("gradient of the scores", _lines(back), gradient_traps, whole=False),
        ),
        tuple(steps),
    )


def _lines(values: np.ndarray) -> np.ndarray:
    """A batch of one without its axis."""
    return values[0] if len(values) == 1 else values


def _signed(value: float) -> str:
    return f"({int(value)})" if value < 0 else str(int(value))


def batch_norm(draw: Draw, level: int) -> Exercise:
    """Level 1: normalise; level 2: scale and shift; level 3: the running statistics."""
    deviations = np.array(draw.choice(DEVIATIONS), np.float64)
    if draw.whole(0, 1):
        deviations = -deviations
    values = draw.whole(-4, 9) + draw.generator.permutation(deviations)
    column = values.reshape(4, 1)
    mean, variance = float(values.mean()), float(values.var())
    named: dict[str, Any] = {"eps": 1e-12}
    givens = [Given("input, a batch of 4 numbers of one channel", values.reshape(1, -1))]
    if level >= 2:
        named |= {"weight": np.array([float(draw.choice((2, 3, -1)))]), "bias": np.array([float(draw.whole(1, 4))])}
        givens += [Given("weight (gamma)", str(int(named["weight"][0]))), Given("bias (beta)", str(int(named["bias"][0])))]
    found = explained("batch_norm", column, training=True, **named)
    row = next(table for table in found.tables if table.title == "Statistics").rows[0]
    output = np.array([Fraction(value).limit_denominator(1000) for value in found.results[0].values.reshape(-1).tolist()], object)
    eager = array_of(_normalised(values, float(values.var(ddof=1)), named))
    plain = explained("batch_norm", column, training=True, eps=1e-12).results[0].values.reshape(-1)
    output_traps = [
        (eager, "divided by the wrong count: the batch itself is normalised with the variance over 4, not 3"),
        (values - mean, "divide by the standard deviation too"),
    ]
    if level >= 2:
        output_traps.append((plain, "scale by the weight and shift by the bias at the end"))
    blanks = [
        blank("mean", Fraction(mean), [(values.sum(), "divide the sum by 4")], whole=False),
        blank(
            "variance that normalises the batch",
            Fraction(variance),
            [
                (float(values.var(ddof=1)), "divided by the wrong count: normalising divides by 4, only the running variance by 3"),
                (float(values.std()), "that is the standard deviation"),
                (4 * variance, "divide the sum of squares by 4"),
            ],
            whole=False,
        ),
        blank("output", output, output_traps, whole=False),
    ]
    steps = [
        Step("mean:", f"({' + '.join(map(_signed, values))})/4 = {row[1]}"),
        Step("variance, divided by 4:", f"({' + '.join(f'({int(value)} - {_signed(mean)})^2' for value in values)})/4 = {row[2]}"),
        Step("output:", " ".join(map(str, output.tolist()))),
    ]
    if level == 3:
        running = np.zeros(1), np.ones(1)
        result("batch_norm", column, running_mean=running[0], running_var=running[1], training=True, momentum=0.5, eps=1e-12)
        moved = (float(values.var(ddof=1)) + 1) / 2, (variance + 1) / 2
        givens.append(Given("running mean, running variance before; momentum", "0, 1; 0.5"))
        blanks += [
            blank("running mean afterwards", Fraction(mean / 2), [(mean, "running <- (1 - momentum) running + momentum statistic")], whole=False),
            blank(
                "running variance afterwards",
                Fraction(moved[0]).limit_denominator(1000),
                [
                    (moved[1], "divided by the wrong count: the running variance takes the unbiased one, over 3"),
                    (2 * moved[0] - 1, "running <- (1 - momentum) running + momentum statistic"),
                ],
                whole=False,
            ),
        ]
        steps.append(Step("the running variance takes the unbiased variance, divided by 3:", f"(1 - 0.5)*1 + 0.5*{row[3]} = {moved[0]:.3f}"))
    words = "Work out batch norm in training, with epsilon so small that it does not matter." + (
        " Then the running statistics, as PyTorch keeps them." if level == 3 else ""
    )
    return Exercise("", "", words, tuple(givens), tuple(blanks), tuple(steps))


def _normalised(values: np.ndarray, variance: float, named: dict[str, Any]) -> np.ndarray:
    """Batch norm with statistics that are given: what evaluation does, used for the mistake of the wrong variance."""
    extra: dict[str, Any] = {key: named[key] for key in ("weight", "bias") if key in named}
    given: dict[str, Any] = {"running_mean": np.array([values.mean()]), "running_var": np.array([variance])}
    return result("batch_norm", values.reshape(4, 1), training=False, **given, **extra, eps=1e-12).reshape(-1)


def backprop(draw: Draw, level: int) -> Exercise:
    """Level 1: stride 1; level 2: stride 2; level 3: padding."""
    options: dict[str, Any] = {"stride": 2 if level == 2 else 1, "padding": 1 if level == 3 else 0}
    size, kernel = {1: (3, 2), 2: (4, 2), 3: (2, 3)}[level]
    image, weight, bias = (
        draw.matrix(1, 1, size, size, low=0, high=5),
        draw.matrix(1, 1, kernel, kernel, low=-2, high=3),
        draw.matrix(1, low=0, high=2),
    )
    upstream = draw.matrix(1, 1, 2, 2, low=-1, high=3)
    found = explained("conv2d", image, weight, bias=bias, grad=upstream, **options)
    gradients = {part.of: part for part in found.gradients}
    flipped = result("conv_transpose2d", upstream, _turned(weight), **options)
    shuffled = gradient("conv2d", image, weight, of="weight", grad=_turned(upstream), **options)
    total = exact(gradients["bias"])
    return Exercise(
        "",
        "",
        "A convolution (no flip) got the upstream gradient below. Work out the gradients of its input, its filter and its bias.",
        (Given("input", image[0, 0]), Given("filter", weight[0, 0]), Given("upstream gradient", upstream[0, 0]), Given("options", _words(options))),
        (
            blank("gradient of the input", exact(gradients["input"]), [(flipped, "backward lays the filter on flipped against forward")]),
            blank(
                "gradient of the filter",
                exact(gradients["weight"]),
                [(shuffled, "correlate the input with the upstream gradient as it is, not flipped")],
            ),
            blank("gradient of the bias", total.reshape(()), [(total.reshape(()) / 4, "the bias is added everywhere: sum, do not average")]),
        ),
        (
            *element_steps(gradients["input"], "dx", "Every input element collects from the outputs that read it:"),
            *element_steps(gradients["weight"], "dw", "Every weight collects input times upstream over all places:"),
            *element_steps(gradients["bias"], "db", "The bias collects the whole upstream gradient:"),
        ),
    )


def _turned(array: np.ndarray) -> np.ndarray:
    return array[..., ::-1, ::-1].copy()


def _words(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items())
