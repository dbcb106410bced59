"""Gatys' style transfer: an image whose features are one image's and whose correlations of features are another's.

References
----------
Gatys, Ecker and Bethge 2015, "A neural algorithm of artistic style" (arXiv 1508.06576): equations 1, 4 and 7, figure 1.
Mahendran and Vedaldi 2015 (arXiv 1412.0035): total variation when images are searched for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import functional as F
from ..autograd import no_grad
from ..errors import ArgumentError, ShapeError
from ..functional.style_loss import NORMALIZATIONS
from ..tensor import Tensor
from .colour_control import match_colours, match_histograms, with_colours_of
from .deep_features import FeatureNetwork
from .input_optimisation import InputRun, optimise_image

__all__ = ["COLOURS", "StyleLoss", "reconstruct_content", "reconstruct_style", "style_transfer"]

Array = np.ndarray[Any, Any]

# How the style image's colours are treated before, or the result's after.
COLOURS = ("style", "match", "histogram", "luminance")


@dataclass(frozen=True)
class StyleLoss:
    """The terms of style transfer for one content and one style, to be called on images (1, C, H, W).

    Formula
    -------
    content: sum over its layers of mean (F(x) - F(content))^2; style: sum over its layers of mean (G(x) - G(style))^2, G the Gram matrix in the
    named normalisation; variation: mean of |dh| + |dw|. Each times its weight.
    """

    network: FeatureNetwork
    content: dict[str, Array]  # layer: features
    style: dict[str, Array]  # layer: Gram matrix (1, C, C)
    normalization: str = "positions"
    content_weight: float = 1.0
    style_weight: float = 1.0
    variation_weight: float = 0.0

    def raw(self, image: Tensor) -> dict[str, Tensor]:
        """The terms without weights."""
        found = self.network.features(image, list(dict.fromkeys([*self.content, *self.style])))
        terms: dict[str, Tensor] = {}
        if self.content:
            terms["content"] = _added([F.mse_loss(found[name], wanted) for name, wanted in self.content.items()])
        if self.style:
            grams = {name: F.gram_matrix(found[name], normalization=self.normalization) for name in self.style}
            terms["style"] = _added([F.mse_loss(grams[name], wanted) for name, wanted in self.style.items()])
        return terms

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """The terms with their weights, those of weight 0 left out."""
        weights = {"content": self.content_weight, "style": self.style_weight}
        terms = {name: term * weights[name] for name, term in self.raw(image).items()}
        if self.variation_weight:
            terms["variation"] = F.total_variation(image, reduction="mean") * self.variation_weight
        return terms


def _added(parts: list[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def style_targets(network: FeatureNetwork, image: Array, layers: Sequence[str], normalization: str) -> dict[str, Array]:
    """The Gram matrices of an image (C, H, W)."""
    with no_grad():
        found = network.features(Tensor(image[None]), layers)
        return {name: F.gram_matrix(features, normalization=normalization).data for name, features in found.items()}


def content_targets(network: FeatureNetwork, image: Array, layers: Sequence[str]) -> dict[str, Array]:
    """The features of an image (C, H, W)."""
    with no_grad():
        return {name: features.data for name, features in network.features(Tensor(image[None]), layers).items()}


def style_transfer(
    network: FeatureNetwork,
    content: Any,
    style: Any,
    *,
    content_layers: Sequence[str] | None = None,
    style_layers: Sequence[str] | None = None,
    content_weight: float = 1.0,
    style_weight: float = 10.0,
    variation_weight: float = 0.1,
    normalization: str = "positions",
    balance: bool = True,
    colours: str = "style",
    start: str = "content",
    optimizer: str = "lbfgs",
    steps: int = 60,
    rate: float | None = None,
    seed: int = 0,
) -> InputRun:
    """Paint the content in the style.

    Formula
    -------
    X* = argmin a content(X) + b style(X) + c variation(X), the terms of `StyleLoss`

    Parameters
    ----------
    network : FeatureNetwork
        Whose features are compared.
    content, style : (C, H, W)
        Floats from 0 to 1; the sizes may differ.
    content_layers, style_layers : sequence of str, optional
        Names of layers; left out, the last at each size of maps for the style, and the one at the coarsest size but one for the content.
    content_weight, style_weight, variation_weight : float
        a, b and c.
    normalization : "none", "positions" or "elements"
        Of the Gram matrices; it decides how the layers weigh against each other (see `functional.gram_matrix`).
    balance : bool
        Whether each of the first two terms is divided by its value for a grey image, so that the weights mean the same for every network, layer and
        normalisation; False takes the terms as they are.
    colours : "style", "match", "histogram" or "luminance"
        The style's own; the style image recoloured like the content by mean and covariance, or by histograms; or only brightness from the result.
    start : "content" or "noise"
        Where the search begins.
    optimizer, steps, rate
        As in `optimise_image`.
    seed : int
        Of the noise.

    Raises
    ------
    ArgumentError, ShapeError
        If they do not fit.
    """
    picture, painting = (_picture("style_transfer", network, image) for image in (content, style))
    _one_of("normalization", normalization, NORMALIZATIONS)
    _one_of("colours", colours, COLOURS)
    _one_of("start", start, ("content", "noise"))
    for name, weight in (("content_weight", content_weight), ("style_weight", style_weight), ("variation_weight", variation_weight)):
        if not (np.isfinite(weight) and weight >= 0):
            raise ArgumentError(f"style_transfer: {name} must be a finite number of 0 or more, not {weight!r}")
    painting = painted(painting, picture, colours)
    if style_layers is None or content_layers is None:
        spread = network.spread_layers(*picture.shape[1:])
        style_layers = spread if style_layers is None else style_layers
        content_layers = spread[-2:-1] or spread if content_layers is None else content_layers
    loss = StyleLoss(
        network,
        content_targets(network, picture, content_layers) if content_weight else {},
        style_targets(network, painting, style_layers, normalization) if style_weight else {},
        normalization,
        content_weight,
        style_weight,
        variation_weight,
    )
    if balance:
        loss = balanced(loss, picture.shape)
    begin = picture if start == "content" else noise_image(picture.shape, seed)
    run = optimise_image(begin, loss, optimizer=optimizer, steps=steps, rate=rate)
    if colours == "luminance":
        run = InputRun(np.clip(with_colours_of(run.image, picture), 0, 1), run.losses, run.seconds)
    return run


def painted(style: Array, content: Array, colours: str) -> Array:
    """The style image as it is shown to the network, its colours the content's where `colours` says so."""
    if colours not in ("match", "histogram"):
        return style
    return np.clip((match_colours if colours == "match" else match_histograms)(style, content), 0, 1)


def balanced(loss: StyleLoss, shape: tuple[int, ...]) -> StyleLoss:
    """The loss with its weights divided by the terms of a grey image."""
    with no_grad():
        units = {name: float(term.item()) for name, term in loss.raw(Tensor(np.full((1, *shape), 0.5, np.float32))).items()}
    return replace(
        loss,
        content_weight=loss.content_weight / max(units.get("content", 1.0), 1e-30),
        style_weight=loss.style_weight / max(units.get("style", 1.0), 1e-30),
    )


def reconstruct_content(network: FeatureNetwork, image: Any, layer: str, **options: Any) -> InputRun:
    """What an image looks like to one layer: from noise, an image with the same features there.

    Parameters
    ----------
    network, image, layer
        As in `style_transfer`.
    **options
        Of `style_transfer`: steps, variation_weight, seed and so on.
    """
    return style_transfer(network, image, image, content_layers=[layer], style_layers=[], style_weight=0, start="noise", **options)


def reconstruct_style(network: FeatureNetwork, image: Any, layers: Sequence[str], **options: Any) -> InputRun:
    """The texture of an image up to some layer: from noise, an image with the same Gram matrices.

    Parameters
    ----------
    network, image, layers
        As in `style_transfer`.
    **options
        Of `style_transfer`: steps, variation_weight, seed, normalization and so on.
    """
    return style_transfer(
        network, image, image, content_layers=[], style_layers=layers, content_weight=0, style_weight=1, start="noise", **options
    )


def reconstructions(
    network: FeatureNetwork, content: Any, style: Any, layers: Sequence[str], each: Callable[[str, InputRun], None] | None = None, **options: Any
) -> dict[str, InputRun]:
    """Figure 1 of the paper: content by each layer alone, style by the layers up to each; `each` is told as they end."""
    found: dict[str, InputRun] = {}
    for number, layer in enumerate(layers):
        found[f"content, {layer}"] = reconstruct_content(network, content, layer, **options)
        found[f"style, up to {layer}"] = reconstruct_style(network, style, layers[: number + 1], **options)
        if each is not None:
            for name in (f"content, {layer}", f"style, up to {layer}"):
                each(name, found[name])
    return found


def noise_image(shape: tuple[int, ...], seed: int) -> Array:
    """Grey with a little white noise, float32."""
    return np.clip(0.5 + 0.1 * np.random.default_rng(seed).standard_normal(shape), 0, 1).astype(np.float32)


def _picture(function: str, network: FeatureNetwork, image: Any) -> Array:
    pixels = np.asarray(image)
    if pixels.ndim != 3 or pixels.shape[0] != network.channels or pixels.dtype.kind != "f":
        raise ShapeError(f"{function}: an image is {pixels.dtype} of shape {pixels.shape}; give floats ({network.channels}, H, W) from 0 to 1")
    return np.ascontiguousarray(pixels, np.float32)


def _one_of(argument: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ArgumentError(f"style_transfer: {argument} {value!r} is not one of {', '.join(known)}")
