"""A network that is asked about images: scores, gradients of a score with respect to pixels or to a layer's maps. It is left as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...autograd import no_grad
from ...errors import ArgumentError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from .layers import first_tensor, last_maps

__all__ = ["Probe", "undisturbed"]

BATCH = 16  # images at once, where a method asks about many variants of one

Target = int | Sequence[int] | None


@contextmanager
def undisturbed(model: Module) -> Iterator[None]:
    """Evaluation mode and constant weights within the block: no statistics move, and no gradient of a weight is computed."""
    modes = [(module, module.training) for module in model.modules()]
    asked = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    model.eval()
    for parameter, _ in asked:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for parameter, wanted in asked:
            parameter.requires_grad_(wanted)


class Probe:
    """Images and classes that a network is asked about.

    Parameters
    ----------
    name : str
        Of the method, for messages.
    model : Module
        Gives one row of logits an image.
    input : Tensor or ndarray
        Images (N, C, H, W), as the network wants them.
    target : int, one int an image, or None
        The class asked about; None takes the network's own first choice.

    Raises
    ------
    ArgumentError
        For a class that does not exist. ShapeError: no images, or a network that gives something else than rows.
    """

    def __init__(self, name: str, model: Module, input: Any, target: Target = None) -> None:
        self.name, self.model = name, model
        self.images = np.asarray(input.data if isinstance(input, Tensor) else input)
        if self.images.ndim != 4 or 0 in self.images.shape:
            raise ShapeError(f"{name}: input has shape {self.images.shape}; give images (N, C, H, W), one as image[None]")
        logits = self.logits(self.images)
        if logits.ndim != 2:
            raise ShapeError(f"{name}: {type(model).__name__} gives {logits.shape}, not one row of logits an image; only classifiers can be asked")
        self.classes = logits.shape[1]
        self.target = self._targets(target, logits)
        self.score = tuple(float(row[at]) for row, at in zip(logits, self.target, strict=True))

    def _targets(self, target: Target, logits: np.ndarray) -> tuple[int, ...]:
        if target is None:
            return tuple(int(k) for k in logits.argmax(1))
        wanted = [target] * len(logits) if isinstance(target, (int, np.integer)) else list(target)
        if len(wanted) != len(logits):
            raise ArgumentError(f"{self.name}: target has {len(wanted)} classes for {len(logits)} images; give one an image, or one for all")
        for one in wanted:
            if not 0 <= one < self.classes:
                raise ArgumentError(f"{self.name}: target={one} is no class of this network; it has {self.classes}: 0 to {self.classes - 1}")
        return tuple(int(one) for one in wanted)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """What the network gives, in evaluation mode."""
        with undisturbed(self.model), no_grad():
            rows = [first_tensor(self.name, self.model(Tensor(images[i : i + BATCH]))).data for i in range(0, len(images), BATCH)]
        return np.concatenate(rows)

    def scores(self, images: np.ndarray, image: int) -> np.ndarray:
        """The logit of image number `image`'s class, for each of many variants of it."""
        return self.logits(images)[:, self.target[image]].astype(np.float64)

    def pixel_gradient(self, images: np.ndarray, target: Sequence[int], before: Callable[[Tensor], None] | None = None) -> np.ndarray:
        """The gradient of the classes' logits with respect to the pixels; `before` is shown the result before gradients go back."""
        pixels = Tensor(np.array(images), requires_grad=True)
        with undisturbed(self.model):
            logits = first_tensor(self.name, self.model(pixels))
            if before is not None:
                before(logits)
            logits.backward(self._one_hot(logits, target))
        return np.zeros_like(images) if pixels.grad is None else pixels.grad.data

    def layer(self, path: str | None) -> tuple[str, Module]:
        """A module by its path; the one of the last maps for None."""
        with undisturbed(self.model):
            path = last_maps(self.name, self.model, self.images[:1]) if path is None else path
        module = dict(self.model.named_modules()).get(path)
        if module is None or not path:
            names = ", ".join(name for name, _ in self.model.named_modules() if name)
            raise ArgumentError(f"{self.name}: there is no layer {path!r}; there are {names}")
        return path, module

    def maps(self, path: str | None) -> tuple[str, np.ndarray, np.ndarray]:
        """A layer's path, its maps (N, C, h, w), and the gradient of the classes' logits with respect to them."""
        path, module = self.layer(path)
        seen: list[Tensor] = []

        def keep(_module: Module, _arguments: Any, result: Any) -> None:
            tensor = first_tensor(self.name, result)
            if tensor.requires_grad:
                tensor.retain_grad()
            seen.append(tensor)

        pixels = Tensor(np.array(self.images), requires_grad=True)
        with undisturbed(self.model), module.register_forward_hook(keep):
            logits = first_tensor(self.name, self.model(pixels))
            logits.backward(self._one_hot(logits, self.target))
        if not seen:
            raise ArgumentError(f"{self.name}: layer {path!r} is not called as a module with these images; name one that runs")
        maps = seen[-1]
        if maps.ndim != 4:
            raise ShapeError(f"{self.name}: layer {path!r} gives {maps.shape}, not maps (N, C, h, w); name one before the maps are flattened")
        gradient = np.zeros(maps.shape, maps.dtype) if maps.grad is None else maps.grad.data
        return path, maps.data, gradient

    @staticmethod
    def _one_hot(logits: Tensor, target: Sequence[int]) -> np.ndarray:
        upstream = np.zeros(logits.shape, logits.dtype)
        upstream[np.arange(len(upstream)), list(target)] = 1
        return upstream
