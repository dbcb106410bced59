"""A network as a pair of eyes: what its layers say of an image, as tensors that gradients flow through, back to the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import no_grad
from ..errors import ArgumentError, ShapeError
from ..nn import Conv2d, MaxPool2d, Module
from ..tensor import Tensor

__all__ = ["FeatureNetwork"]

Array = np.ndarray[Any, Any]


class _Reached(Exception):
    """The deepest layer that was asked for has run; those behind need not."""


class FeatureNetwork:
    """A network in evaluation mode whose weights stay as they are, asked for its layers' outputs.

    Parameters
    ----------
    model : Module
        Takes normalised images (N, C, H, W); its weights are frozen.
    mean, std : sequence of float
        Of each channel of images from 0 to 1: the network is shown (image - mean) / std.

    Raises
    ------
    ArgumentError
        Where mean and std are not one number a channel, or std is not above 0.

    Examples
    --------
    >>> from tinycnn import models
    >>> eyes = FeatureNetwork(models.vgg11_cifar(width=0.0625))
    >>> image = Tensor(np.zeros((1, 3, 32, 32), np.float32))
    >>> {name: found.shape for name, found in eyes.features(image, ["conv1_1", "conv2_1"]).items()}
    {'conv1_1': (1, 4, 32, 32), 'conv2_1': (1, 8, 16, 16)}
    """

    def __init__(self, model: Module, mean: Sequence[float] = (0.0, 0.0, 0.0), std: Sequence[float] = (1.0, 1.0, 1.0)) -> None:
        self.model = model.eval().requires_grad_(False)
        self.mean, self.std = (np.asarray(values, np.float64).reshape(1, -1, 1, 1) for values in (mean, std))
        if self.mean.shape != self.std.shape or not (self.std > 0).all():
            raise ArgumentError(f"FeatureNetwork: mean and std need one number a channel, std above 0, got {list(mean)} and {list(std)}")
        self._paper_names = _vgg_names(model)

    @property
    def channels(self) -> int:
        """Of the images."""
        return self.mean.size

    def normalised(self, image: Any) -> Tensor:
        """What the network is shown for images from 0 to 1."""
        tensor = image if isinstance(image, Tensor) else Tensor(image)
        if tensor.ndim != 4 or tensor.shape[1] != self.channels:
            raise ShapeError(f"FeatureNetwork: images have shape {tensor.shape}; give (N, {self.channels}, H, W) of floats from 0 to 1")
        return (tensor - self.mean.astype(tensor.dtype)) * (1 / self.std).astype(tensor.dtype)

    def logits(self, image: Any) -> Tensor:
        """The network's answer to images from 0 to 1."""
        output = self.model(self.normalised(image))
        return output if isinstance(output, Tensor) else output[0]

    def module_of(self, layer: str) -> Module:
        """The module of a layer: a path such as "features.0", or VGG's names in papers, such as "conv1_1".

        Raises
        ------
        ArgumentError
            With the names there are.
        """
        path = self._paper_names.get(layer.replace("relu", "conv"), layer)
        modules = dict(self.model.named_modules())
        if not path or path not in modules:
            known = list(self._paper_names) or [name for name, module in modules.items() if name and not list(module.children())]
            shown = ", ".join(known[:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "")
            raise ArgumentError(f"the network has no layer {layer!r}; there are {shown}")
        return modules[path]

    def features(self, image: Any, layers: Sequence[str]) -> dict[str, Tensor]:
        """The outputs of some layers; what lies behind the last of them is not computed.

        Parameters
        ----------
        image : Tensor
            (N, C, H, W) from 0 to 1.
        layers : sequence of str
            Their names, as in `module_of`.

        Raises
        ------
        ArgumentError
            For a name that does not exist, or a layer that never runs.
        """
        found: dict[str, Tensor] = {}
        modules = {name: self.module_of(name) for name in layers}
        if not modules:
            return found
        handles = [module.register_forward_hook(self._keep(name, found, len(modules))) for name, module in modules.items()]
        try:
            self.model(self.normalised(image))
        except _Reached:
            pass
        finally:
            for handle in handles:
                handle.remove()
        missing = [name for name in modules if name not in found]
        if missing:
            raise ArgumentError(f"the layer {missing[0]!r} did not run on this image, or does not give one array")
        return {name: found[name] for name in modules}

    @staticmethod
    def _keep(name: str, found: dict[str, Tensor], count: int) -> Any:
        def hook(module: Module, arguments: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                found[name] = output
                if len(found) == count:
                    raise _Reached

        return hook

    def spread_layers(self, height: int, width: int) -> list[str]:
        """The last layer at each size of its maps, from fine to coarse: one a scale, for where nothing else is known.

        Parameters
        ----------
        height, width : int
            Of the images.
        """
        paths = {path: name for name, path in self._paper_names.items()}
        seen: list[tuple[str, tuple[int, ...]]] = []
        handles = []
        for path, module in self.model.named_modules():
            if path and not list(module.children()):
                handles.append(module.register_forward_hook(_note(path, seen)))
        try:
            with no_grad():
                self.logits(np.zeros((1, self.channels, height, width), np.float32))
        finally:
            for handle in handles:
                handle.remove()
        last: dict[tuple[int, ...], str] = {}
        for path, shape in seen:
            # With VGG's names a layer is one that has a name: a pooling is none.
            if len(shape) == 4 and min(shape[2:]) > 1 and (not paths or path in paths):
                last[shape[2:]] = paths.get(path, path)
        return list(last.values())


def _note(path: str, seen: list[tuple[str, tuple[int, ...]]]) -> Any:
    def hook(module: Module, arguments: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            seen.append((path, tuple(output.shape)))

    return hook


def _vgg_names(model: Module) -> dict[str, str]:
    """conv1_1, conv1_2, ... for a plain chain called `features`: each with its activation, so the last module before the next layer."""
    chain = dict(model.named_children()).get("features")
    children = list(chain.named_children()) if chain is not None else []
    if not any(isinstance(module, MaxPool2d) for _, module in children) or any(list(module.children()) for _, module in children):
        return {}
    names: dict[str, str] = {}
    block, number = 1, 0
    for path, module in children:
        if isinstance(module, MaxPool2d):
            block, number = block + 1, 0
            continue
        number += isinstance(module, Conv2d)
        if number:
            names[f"conv{block}_{number}"] = f"features.{path}"
    return names
