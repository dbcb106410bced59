"""Adversarial images: the smallest change that the eye does not see and the network does.

References
----------
Goodfellow, Shlens and Szegedy 2015, "Explaining and harnessing adversarial examples" (arXiv 1412.6572), section 4: the fast gradient sign method.
Madry et al. 2018, "Towards deep learning models resistant to adversarial attacks" (arXiv 1706.06083), section 2.1: projected gradient descent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import functional as F
from ..autograd import no_grad
from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor
from .deep_features import FeatureNetwork

__all__ = ["Attack", "attack", "fgsm", "pgd"]

Array = np.ndarray[Any, Any]
Classifier = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Attack:
    """One image before and after, and what the network says of both."""

    method: str
    epsilon: float
    label: int  # the class left, or with `targeted` the one aimed at
    targeted: bool
    clean: Array  # (C, H, W)
    adversarial: Array  # (C, H, W)
    clean_probabilities: Array
    adversarial_probabilities: Array

    @property
    def change(self) -> float:
        """The largest of any number, at most epsilon."""
        return float(np.abs(self.adversarial.astype(np.float64) - self.clean).max())

    @property
    def succeeded(self) -> bool:
        """Whether the answer left the class, or with `targeted` arrived at it."""
        return bool((self.adversarial_probabilities.argmax() == self.label) == self.targeted)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, without the pixels."""
        before, after = self.clean_probabilities, self.adversarial_probabilities
        return {
            "method": self.method,
            "epsilon": self.epsilon,
            "label": self.label,
            "targeted": self.targeted,
            "largest_change": self.change,
            "succeeded": self.succeeded,
            "clean": {"class": int(before.argmax()), "probability": float(before.max()), "of_label": float(before[self.label])},
            "adversarial": {"class": int(after.argmax()), "probability": float(after.max()), "of_label": float(after[self.label])},
        }


def _checked(function: str, images: Any, labels: Any, epsilon: float) -> tuple[Array, Array]:
    pixels, classes = np.asarray(images), np.atleast_1d(np.asarray(labels, np.int64))
    if pixels.ndim != 4 or pixels.dtype.kind != "f" or classes.shape != pixels.shape[:1]:
        raise ShapeError(f"{function}: needs float images (N, C, H, W) and N labels, got {pixels.dtype} of {pixels.shape} and {classes.shape}")
    if pixels.size and (pixels.min() < 0 or pixels.max() > 1):
        raise ArgumentError(f"{function}: images must be from 0 to 1, not {pixels.min():g} to {pixels.max():g}; normalise inside the classifier")
    if not (np.isfinite(epsilon) and 0 <= epsilon <= 1):
        raise ArgumentError(f"{function}: epsilon must be from 0 to 1, not {epsilon!r}; 8 grey levels are 8 / 255")
    return pixels, classes


def _slope(classify: Classifier, pixels: Array, labels: Array) -> Array:
    """The gradient of the cross entropy by the pixels."""
    x = Tensor(pixels, requires_grad=True)
    F.cross_entropy(classify(x), labels, reduction="sum").backward()
    assert x.grad is not None  # the answer depends on the pixels
    return np.asarray(x.grad.data)


def _into_ball(pixels: Array, centre: Array, epsilon: float) -> Array:
    """The nearest image that differs nowhere by more than epsilon and is from 0 to 1, rounding included."""
    step = pixels.dtype.type(epsilon)
    if float(step) > epsilon:
        step = np.nextafter(step, pixels.dtype.type(0))
    low, high = np.maximum(centre - step, 0), np.minimum(centre + step, 1)
    # A sum may round away from the centre by half a unit in the last place.
    low = np.where(centre.astype(np.float64) - low > epsilon, np.nextafter(low, centre), low)
    high = np.where(high.astype(np.float64) - centre > epsilon, np.nextafter(high, centre), high)
    return np.clip(pixels, low, high)


def fgsm(classify: Classifier, images: Any, labels: Any, epsilon: float = 2 / 255, *, targeted: bool = False) -> Array:
    """One step of the size of the whole budget along the sign of the gradient.

    Shapes
    ------
    (N, C, H, W), (N) -> (N, C, H, W)

    Formula
    -------
    x' = x + epsilon sign(dL/dx), L the cross entropy with the label; targeted: x - epsilon sign(dL/dx); then cut to 0..1

    Parameters
    ----------
    classify : callable
        Gives logits for images from 0 to 1.
    images : array
        Floats from 0 to 1.
    labels : array
        The classes to leave, or with `targeted` to arrive at.
    epsilon : float
        The most any number may change: 2 / 255 is two grey levels.
    targeted : bool
        Which of both.

    Raises
    ------
    ArgumentError, ShapeError
        If they do not fit.

    Examples
    --------
    >>> weights = np.array([[1.0, -1.0], [0.0, 0.0]])
    >>> classify = lambda x: F.linear(x.reshape(1, 2), weights)
    >>> fgsm(classify, np.full((1, 2, 1, 1), 0.5), [0], 0.25).ravel().tolist()  # away from class 0
    [0.25, 0.75]
    """
    pixels, classes = _checked("fgsm", images, labels, epsilon)
    direction = np.sign(_slope(classify, pixels, classes))
    step = pixels.dtype.type(-epsilon if targeted else epsilon)
    return _into_ball(pixels + step * direction, pixels, epsilon)


def pgd(
    classify: Classifier,
    images: Any,
    labels: Any,
    epsilon: float = 2 / 255,
    *,
    steps: int = 10,
    step_size: float | None = None,
    random_start: bool = True,
    targeted: bool = False,
    seed: int = 0,
) -> Array:
    """Many small steps, each brought back into the budget.

    Shapes
    ------
    (N, C, H, W), (N) -> (N, C, H, W)

    Formula
    -------
    x_(t+1) = the nearest point to x_t + a sign(dL/dx) in the cube |x - x_0| <= epsilon, 0 <= x <= 1; targeted: - a

    Parameters
    ----------
    classify, images, labels, epsilon, targeted
        As in `fgsm`.
    steps : int
        How many.
    step_size : float, optional
        a; 2.5 epsilon / steps if left out, which reaches every corner of the cube.
    random_start : bool
        Whether it begins at a random point of the cube.
    seed : int
        Of that point.

    Raises
    ------
    ArgumentError, ShapeError
        If they do not fit.
    """
    centre, classes = _checked("pgd", images, labels, epsilon)
    if steps < 1 or (step_size is not None and not step_size > 0):
        raise ArgumentError(f"pgd: needs steps >= 1 and a step_size above 0, got {steps} and {step_size}")
    length = centre.dtype.type((2.5 * epsilon / steps if step_size is None else step_size) * (-1 if targeted else 1))
    pixels = centre
    if random_start:
        away = np.asarray(np.random.default_rng(seed).uniform(-epsilon, epsilon, centre.shape), centre.dtype)
        pixels = _into_ball(centre + away, centre, epsilon)
    for _ in range(steps):
        pixels = _into_ball(pixels + length * np.sign(_slope(classify, pixels, classes)), centre, epsilon)
    return pixels


def attack(
    network: FeatureNetwork,
    image: Any,
    *,
    method: str = "pgd",
    epsilon: float = 2 / 255,
    target: int | None = None,
    label: int | None = None,
    steps: int = 10,
    seed: int = 0,
) -> Attack:
    """Attack one image and ask the network before and after.

    Parameters
    ----------
    network : FeatureNetwork
        A classifier.
    image : (C, H, W)
        Floats from 0 to 1.
    method : "fgsm" or "pgd"
        One step or `steps` of them.
    epsilon : float
        The most any number may change.
    target : int, optional
        The class to arrive at; left out, it is enough to leave `label`.
    label : int, optional
        The true class; the network's own answer if left out.
    steps, seed
        Of `pgd`.

    Raises
    ------
    ArgumentError, ShapeError
        For a method or a class that does not exist.
    """
    clean = np.asarray(image)[None]
    if method not in ("fgsm", "pgd"):
        raise ArgumentError(f"attack: method {method!r} is neither fgsm nor pgd")
    before = _probabilities(network, clean)
    aim = target if target is not None else label if label is not None else int(before.argmax())
    if not 0 <= aim < before.size:
        raise ArgumentError(f"attack: there is no class {aim}; the network knows 0 to {before.size - 1}")
    if method == "fgsm":
        found = fgsm(network.logits, clean, [aim], epsilon, targeted=target is not None)
    else:
        found = pgd(network.logits, clean, [aim], epsilon, steps=steps, targeted=target is not None, seed=seed)
    return Attack(method, epsilon, aim, target is not None, clean[0], found[0], before, _probabilities(network, found))


def _probabilities(network: FeatureNetwork, images: Array) -> Array:
    with no_grad():
        return np.asarray(F.softmax(network.logits(images), 1).data[0], np.float64)
