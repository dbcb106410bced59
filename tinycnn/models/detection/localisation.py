"""Classification and localisation of one object: the same features, one head for what it is and one for where.

References
----------
Sermanet et al.: OverFeat, ICLR 2014, section 4: the regression network beside the classifier, over shared maps. ImageNet's localisation task.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ... import functional
from ...errors import ArgumentError, ShapeError
from ...nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, Module, Sequential
from ...tensor import Tensor
from ..registry import builder

__all__ = ["ClassificationLocalisation", "localisation_loss", "localisation_mini"]


class ClassificationLocalisation(Module):
    """Two heads over one network.

    Shapes
    ------
    (N, C, H, W) -> {"logits": (N, num_classes), "boxes": (N, 4)}; boxes (x1, y1, x2, y2) in parts of the image's width and height

    Parameters
    ----------
    features : Module
        Images to vectors (N, width).
    width : int
        Of the vectors.
    num_classes : int
        Every image holds an object, so there is no background.
    """

    def __init__(self, features: Module, width: int, num_classes: int) -> None:
        super().__init__()
        self.features = features
        self.classifier = Linear(width, num_classes)
        self.localiser = Linear(width, 4)

    def forward(self, input: Tensor) -> dict[str, Tensor]:
        """What and where."""
        vector = self.features(input)
        return {"logits": self.classifier(vector), "boxes": self.localiser(vector)}


def localisation_loss(output: Mapping[str, Tensor], labels: np.ndarray, boxes: np.ndarray, box_weight: float = 10.0) -> dict[str, Tensor]:
    """Cross-entropy of the class, and the squared distance of the box.

    Formula
    -------
    loss = L_class + box_weight mean over images of |box - truth|^2 / 4

    Parameters
    ----------
    output : dict
        Of `ClassificationLocalisation`.
    labels : array (N,)
        Class numbers.
    boxes : array (N, 4)
        In parts of the image's width and height.
    box_weight : float
        Between two losses of different units: it has to be tuned by looking at each, not at their sum.

    Raises
    ------
    ShapeError, ArgumentError
        When the boxes do not fit, or seem to be in pixels.

    Examples
    --------
    >>> said = {"logits": Tensor(np.zeros((1, 2))), "boxes": Tensor(np.array([[0.0, 0.0, 1.0, 0.5]]))}
    >>> terms = localisation_loss(said, np.array([1]), np.array([[0.0, 0.0, 1.0, 1.0]]))
    >>> round(terms["classification"].item(), 4), round(terms["localisation"].item(), 4)
    (0.6931, 0.625)
    """
    found = output["boxes"]
    if boxes.shape != found.shape or labels.shape != (len(boxes),):
        raise ShapeError(f"localisation_loss: boxes {boxes.shape} and labels {labels.shape} must be {found.shape} and ({found.shape[0]},)")
    if boxes.size and boxes.max() > 2:
        raise ArgumentError(f"localisation_loss: boxes reach {boxes.max():g}; they are parts of the image's sides: divide pixels by width and height")
    distance = functional.mse_loss(found, Tensor(boxes.astype(found.dtype)))
    return {"classification": functional.cross_entropy(output["logits"], labels), "localisation": distance * box_weight}


@builder(image_size=64, task="localisation")
def localisation_mini(num_classes: int = 3, in_channels: int = 3) -> ClassificationLocalisation:
    """Four convolutions and two heads for one object an image of 64 pixels: 77,591 parameters.

    Parameters
    ----------
    num_classes, in_channels : int
        Classes, channels of the images.
    """
    layers: list[Module] = []
    channels = in_channels
    for maps in (16, 32, 64, 64):
        layers += [Conv2d(channels, maps, 3, padding=1, bias=False), BatchNorm2d(maps, activation="relu"), MaxPool2d(2)]
        channels = maps
    # 2x2 places are kept: a mean over the whole image would forget where the object is.
    features = Sequential(*layers, AdaptiveAvgPool2d(2), Flatten(), Linear(channels * 4, 64, activation="relu"))
    return ClassificationLocalisation(features, 64, num_classes)
