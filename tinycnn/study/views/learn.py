"""A hidden kernel, found again by gradient descent: the smallest training there is, every weight in view."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import functional, kernels, optim
from ...errors import UsageError
from ...functional._arguments import whole
from ...tensor import Tensor
from .operands import Operands, convolution_operands, reference, require_few
from .view import Check, Curve, Scene, Step, View, cell_texts, grid, number_text

__all__ = ["learn"]

MOST_FRAMES = 90
MOST_WORK = 800_000  # products times steps: seconds with the kernels that define the operators
FOUND = 1e-3  # largest error of a weight that counts as found


def learn(
    input: Any = None,
    weight: Any = None,
    *,
    steps: int = 200,
    lr: float | None = None,
    momentum: float | None = None,
    kernel_size: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    seed: int = 0,
) -> View:
    """Hide a kernel, show gradient descent only the image and its answer, and watch it find the kernel.

    Shapes
    ------
    As `window`.

    Formula
    -------
    loss = mean((conv2d(x, w) - y)^2); v <- momentum v + grad; w <- w - lr v

    Parameters
    ----------
    input, weight, kernel_size, stride, padding, dilation, groups, padding_mode
        As in `window`: the weight is the kernel that is hidden.
    steps : int
        Of gradient descent.
    lr, momentum : float, optional
        Left out, the best constant ones for this image: from the largest and the smallest curvature of the loss.
    seed : int
        Decides the kernel that learning starts from.

    Returns
    -------
    View

    Raises
    ------
    UsageError
        As `window`, or for a rate that is no number above 0. ShapeError, ArgumentError: as `conv2d`.

    Notes
    -----
    The loss is quadratic: its curvatures are the eigenvalues of 2/n times the patches' Gram matrix. With as few windows as weights or fewer,
    many kernels give the same answer and the hidden one need not be found.

    References
    ----------
    Polyak 1964, "Some methods of speeding up the convergence of iteration methods": the best constant rate and momentum.

    Examples
    --------
    >>> view = learn("deck", "sobel_x")
    >>> bool(abs(view.results["learned"] - view.results["hidden"]).max() < 1e-6)
    True
    """
    found = convolution_operands("learn", input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed)
    whole("learn", "steps", steps, 1)
    require_few("learn", found.weight.size * found.output[0].size * steps, MOST_WORK, "products", "take fewer steps or a smaller input")
    curvatures = _curvatures(found)
    best_lr, best_momentum, determined = _best(curvatures)
    rate, push = _number("lr", lr, best_lr), _number("momentum", momentum, best_momentum)
    frames, losses = _descend(found, steps, rate, push, seed)
    learned, error = frames[-1][1], float(np.abs(frames[-1][1] - found.weight).max())
    facts = [
        ("call", found.call()),
        ("unknown weights", f"{found.weight.size}, known answers {found.output.size}"),
        ("curvature of the loss", f"from {number_text(curvatures.min())} to {number_text(curvatures.max())}"),
        ("learning rate, momentum", f"{rate:.4g}, {push:.4g}" + (" (the best constant ones for these curvatures)" if lr is momentum is None else "")),
        ("loss", f"{losses[0]:.4g} at the start, {losses[-1]:.3g} after {steps} steps"),
        ("largest error of a weight", f"{error:.3g}"),
    ]
    notes = [] if determined else ["These windows do not determine the kernel: several answer alike, and the one nearest to the start is found."]
    if not np.isfinite(losses[-1]) or losses[-1] > losses[0]:
        notes.append(f"It diverged: the rate must stay below {2 * (1 + push) / float(curvatures.max()):.3g} here.")
    return View(
        "learn",
        "Learning a hidden kernel by gradient descent",
        "Only the image and the filtered image are known. From small random weights each step moves every weight against its gradient.",
        "loss = mean( (conv2d(x, w) - y)² ),   v ← momentum·v + ∂loss/∂w,   w ← w - lr·v",
        (_scene(found, frames, losses),),
        tuple(facts),
        (Check("the learned kernel answers as the hidden one (loss below 1e-6 of its start)", losses[-1] / losses[0] if losses[0] else 0.0, 1e-6),)
        if lr is momentum is None and determined and steps * push ** (steps / 2) < 1e-4  # what Polyak promises
        else (),
        notes=tuple(notes),
        results={"hidden": found.weight, "learned": learned, "losses": np.array(losses), "input": found.input, "target": found.output},
    )


def _number(name: str, value: float | None, otherwise: float) -> float:
    if value is None:
        return otherwise
    least = 0.0 if name == "momentum" else 1e-12
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < (1 if name == "momentum" else 1e6):
        raise UsageError(f"learn: {name} {value!r} must be a number " + ("from 0 to below 1" if name == "momentum" else "above 0, such as 0.01"))
    return float(value)


def _curvatures(found: Operands) -> np.ndarray:
    """The eigenvalues of the loss's second derivative, those of all groups."""
    _, inputs, height, width = found.weight.shape
    columns = reference(functional.unfold, found.padded, (height, width), dilation=found.geometry.dilation, stride=found.geometry.stride)
    parts = columns.reshape(found.geometry.groups, inputs * height * width, -1)
    return np.concatenate([2 / found.output.size * np.linalg.eigvalsh(part @ part.T) for part in parts])


def _best(curvatures: np.ndarray) -> tuple[float, float, bool]:
    """Polyak's rate and momentum, and whether the loss has one lowest point."""
    high, low = float(curvatures.max()), float(curvatures.min())
    if high <= 0:
        return 0.1, 0.0, False
    determined = low > 1e-9 * high
    root, base = np.sqrt(high), np.sqrt(low if determined else high / 100)
    return float(4 / (root + base) ** 2), float(((root - base) / (root + base)) ** 2), determined


def _descend(found: Operands, steps: int, lr: float, momentum: float, seed: int) -> tuple[list[tuple[int, np.ndarray]], list[float]]:
    """Kernels at some steps with their numbers, and the loss at every step; autograd and SGD do the work."""
    start = 0.1 * np.random.default_rng(seed).standard_normal(found.weight.shape)
    kernel, target = Tensor(start, requires_grad=True), Tensor(found.output)
    optimizer = optim.SGD([kernel], lr=lr, momentum=momentum)
    shown = {0, steps, *np.geomspace(1, steps, MOST_FRAMES).round().astype(int).tolist()}
    frames, losses = [], []
    with kernels.use("reference"), np.errstate(all="ignore"):
        for step in range(steps + 1):
            if step in shown:
                frames.append((step, kernel.data.copy()))
            difference = functional.conv2d(found.input, kernel, **found.options) - target
            loss = (difference * difference).mean()
            losses.append(float(loss.item()))
            if step == steps or not np.isfinite(losses[-1]) or losses[-1] > 1e30:
                break
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    if frames[-1][0] != len(losses) - 1:
        frames.append((len(losses) - 1, kernel.data.copy()))
    return frames, losses


def _scene(found: Operands, frames: list[tuple[int, np.ndarray]], losses: list[float]) -> Scene:
    """The kernel, its error and its answer at each frame."""
    steps = []
    for number, kernel in frames:
        with np.errstate(all="ignore"):
            answer = reference(functional.conv2d, found.input, kernel, **found.options)
        error = float(np.abs(kernel - found.weight).max())
        near = tuple(np.flatnonzero(np.abs(kernel - found.weight) < FOUND).tolist())
        steps.append(
            Step(
                f"step {number}: loss {losses[number]:.3g}",
                (f"largest error of a weight {error:.3g}; {len(near)} of {kernel.size} weights within {FOUND:g}",),
                (("learned", "good", near),),
                {
                    "learned": dict(enumerate(cell_texts(np.round(kernel, 4) + 0.0))),
                    "learned - hidden": dict(enumerate(cell_texts(np.round(kernel - found.weight, 4) + 0.0))),
                    "answer": dict(enumerate(cell_texts(np.round(answer, 3) + 0.0))),
                },
            )
        )
    places = tuple(float(number) for number, _ in frames)
    curve = Curve("loss", places, tuple(losses[number] for number, _ in frames))
    grids = (
        grid("hidden", found.weight, "never shown to the learner", shade=True),
        grid("learned", frames[0][1], shade=True),
        grid("learned - hidden", frames[0][1] - found.weight, shade=True),
        grid("image", found.input),
        grid("target", found.output, "the image under the hidden kernel"),
        grid("answer", found.output, "the image under the learned one", blank=True),
    )
    return Scene("Step by step", "early steps are all shown, later ones further apart", grids, tuple(steps), curve)
