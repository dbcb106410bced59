"""The methods by name, and one function for all of them."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...errors import ArgumentError
from ...nn import Module
from .cam import cam
from .deconvnet import deconvnet
from .grad_cam import grad_cam
from .grad_cam_plus_plus import grad_cam_plus_plus
from .guided_backprop import guided_backprop
from .integrated_gradients import integrated_gradients
from .layer_cam import layer_cam
from .occlusion import occlusion
from .probe import Target
from .result import Attribution
from .saliency import saliency
from .score_cam import score_cam
from .smooth_grad import smooth_grad

__all__ = ["METHODS", "Method", "attribute", "method_named"]


@dataclass(frozen=True)
class Method:
    """How a method is called in print, and what its picture shows."""

    function: Callable[..., Attribution]
    title: str
    shows: str

    @property
    def options(self) -> list[str]:
        """The keywords it takes beside model, input and target."""
        return [name for name in inspect.signature(self.function).parameters if name not in ("model", "input", "target")]


METHODS = {
    "cam": Method(cam, "CAM", "the last maps, weighed with the class's own weights"),
    "grad_cam": Method(grad_cam, "Grad-CAM", "a layer's maps, weighed with the mean of their gradients"),
    "grad_cam_plus_plus": Method(grad_cam_plus_plus, "Grad-CAM++", "only gradients for the class, so that small objects count as large ones"),
    "layer_cam": Method(layer_cam, "Layer-CAM", "each element of the maps times its own positive gradient"),
    "score_cam": Method(score_cam, "Score-CAM", "the maps, weighed with the score of the image seen through them; no gradients"),
    "saliency": Method(saliency, "saliency", "the size of the gradient at each pixel"),
    "smooth_grad": Method(smooth_grad, "SmoothGrad", "the gradient, averaged over noisy copies of the image"),
    "guided_backprop": Method(guided_backprop, "guided backpropagation", "the gradient through rectifiers that let only positive signals back"),
    "deconvnet": Method(deconvnet, "deconvnet", "the network run backwards: unpooling with switches, rectified, filters transposed"),
    "integrated_gradients": Method(integrated_gradients, "integrated gradients", "each pixel's share of the score, which add up to it"),
    "occlusion": Method(occlusion, "occlusion", "what the score loses where a grey patch covers the image"),
}


def method_named(name: str) -> str:
    """The key of a method; dashes, capitals and signs are as good as underscores ("Grad-CAM++").

    Raises
    ------
    ArgumentError
        For another name, with the nearest ones.
    """
    plain = {_plain(key): key for key in METHODS} | {_plain(method.title): key for key, method in METHODS.items()}
    plain |= {"gradcampp": "grad_cam_plus_plus", "guided": "guided_backprop", "ig": "integrated_gradients"}
    found = plain.get(_plain(name))
    if found is None:
        close = difflib.get_close_matches(_plain(name), list(plain), n=1, cutoff=0.5)
        offer = f"did you mean {plain[close[0]]}?" if close else f"there are {', '.join(METHODS)}"
        raise ArgumentError(f"attribute: there is no method {name!r}; {offer}")
    return found


def _plain(name: str) -> str:
    return name.lower().replace("+", "p").replace("-", "").replace("_", "").replace(" ", "")


def attribute(model: Module, input: Any, method: str = "grad_cam", target: Target = None, **options: Any) -> Attribution:
    """Ask a classifier where in the images it sees a class.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W)

    Parameters
    ----------
    model : Module
        Any that gives one row of logits an image; put into evaluation mode meanwhile, its weights are read only.
    input : Tensor or ndarray
        Images as the network wants them.
    method : str
        A key of `METHODS`.
    target : int, one int an image, or None
        The class; None takes the network's first choice.
    **options
        The method's own, such as ``layer="features.10"`` or ``steps=64``.

    Returns
    -------
    Attribution

    Raises
    ------
    ArgumentError
        For a method or an option that does not exist, and whatever the method refuses.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import models
    >>> attribute(models.lenet5(), np.ones((1, 1, 28, 28), np.float32), "grad-cam").method
    'grad_cam'
    """
    chosen = METHODS[method_named(method)]
    for option in options:
        if option not in chosen.options:
            raise ArgumentError(f"attribute: {method} has no option {option!r}; it has {', '.join(chosen.options) or 'none'}")
    return chosen.function(model, input, target, **options)
