"""The solution by construction: a deeper network that computes exactly what a shallower one does.

A plain network of more layers could do at least as well as the one it extends: let the added layers be the identity. That training does not
find such weights from random ones is what residual blocks are about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..nn import Conv2d, Module, ModuleList, Sequential
from ..tensor import Tensor
from .diagnose import watch_outputs


def identity_convolution(channels: int, kernel_size: int = 3) -> Conv2d:
    """A convolution that gives back its input: a 1 in the middle of each channel's own kernel, zeros elsewhere.

    Raises
    ------
    ArgumentError
        For an even kernel, which has no middle.

    Examples
    --------
    >>> image = np.random.default_rng(0).random((1, 2, 4, 4), np.float32)
    >>> bool(np.allclose(identity_convolution(2)(image).detach().numpy(), image))
    True
    """
    if kernel_size % 2 == 0:
        raise ArgumentError(f"identity_convolution: kernel_size {kernel_size} must be odd, to have a middle")
    layer = Conv2d(channels, channels, kernel_size, padding=kernel_size // 2, bias=False, activation="relu")
    middle = kernel_size // 2
    layer.weight.data[...] = 0
    layer.weight.data[np.arange(channels), np.arange(channels), middle, middle] = 1
    layer.weight._wrote()
    return layer


class Deepened(Module):
    """A network with layers put in behind some of its modules; as built, they are identities, and all of it can be trained.

    Shapes
    ------
    as the network's

    Parameters
    ----------
    model
        Shared, not copied.
    images
        A batch, to see how many channels each module gives.
    layers
        3x3 convolutions with ReLU behind each chosen module.
    after
        Paths of modules whose output is never negative, so that ReLU leaves it as it is; left out, every module without children of which
        that holds on the batch.

    Raises
    ------
    ArgumentError
        When no module qualifies, or a named one gives negative values.

    References
    ----------
    He, Zhang, Ren, Sun 2016, "Deep residual learning for image recognition", section 1.
    """

    def __init__(self, model: Module, images: Tensor, layers: int = 1, after: Sequence[str] | None = None) -> None:
        super().__init__()
        channels: dict[str, int] = {}
        negative: list[str] = []

        def see(name: str, module: Module, output: np.ndarray) -> None:
            if output.ndim != 4:
                return
            if output.min() < 0:
                negative.append(name)
            elif name not in negative:
                channels[name] = output.shape[1]

        was_training = model.training
        watch_outputs(model.eval(), images, see)
        model.train(was_training)
        chosen = list(channels) if after is None else list(after)
        wrong = [name for name in chosen if name not in channels or name in negative]
        if wrong or not chosen:
            offer = ", ".join(name for name in channels if name not in negative) or "none"
            raise ArgumentError(f"Deepened: {wrong[0] if wrong else 'no module'!r} gives no images without negative values; these do: {offer}")
        self.model = model
        self.added = ModuleList([Sequential(*[identity_convolution(channels[name]) for _ in range(layers)]) for name in chosen])
        self.after = tuple(chosen)
        for name, extra in zip(chosen, self.added, strict=True):
            model.get_submodule(name).register_forward_hook(_Through(extra))

    def forward(self, input: Any) -> Any:
        """What the network makes of the input, with the added layers in between."""
        return self.model(input)


class _Through:
    """A forward hook that sends a module's output through another one; an object, so that a copy of the network copies it too."""

    def __init__(self, extra: Module) -> None:
        self.extra = extra

    def __call__(self, module: Module, arguments: Any, output: Any) -> Any:
        return self.extra(output)
