"""The hyper-parameters of a run that names every pixel, and those to begin with by network and data set."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from ..data.transforms import ColorJitter, ImageOnly, JointCompose, JointElastic, JointHorizontalFlip, JointRandomCrop, JointScale, JointTransform
from ..errors import UsageError
from ..models.segmentation import TERMS
from .config import OPTIMIZERS, one_of

__all__ = ["SEGMENTATION_RECIPES", "SegmentationConfig", "segmentation_recipe"]


@dataclass(frozen=True)
class SegmentationConfig:
    """Every number that decides a run, with its unit."""

    epochs: int = 30  # passes over the training pictures
    batch_size: int = 4  # pictures a step
    optimizer: str = "adam"  # one of OPTIMIZERS
    learning_rate: float = 0.001  # at first; it falls as (1 - step / steps)^0.9, as DeepLab's does
    momentum: float = 0.9  # share of the last step that goes on (sgd, rmsprop)
    weight_decay: float = 0.0  # pull towards zero, a step, times the learning rate
    loss: str = "cross_entropy"  # terms of `segmentation_loss` joined by +, each with its weight before it: cross_entropy+0.5*dice
    balance: bool = False  # classes weighed by median frequency
    weight_map: bool = False  # instance labels: U-Net's weights near borders
    crop: int = 0  # pixels a side of random crops; 0: whole pictures
    flip: bool = True  # pictures are mirrored left-right at random
    scale: float = 0.0  # pictures grow and shrink by up to this share
    colour: float = 0.0  # brightness, contrast and saturation change by up to this share
    elastic: float = 0.0  # alpha of elastic deformation, in pixels
    validate_every: int = 5  # epochs between looks at the validation pictures, and after the last one; 0: never
    seed: int = 0  # decides the initial weights, the order, the augmentation and dropout

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("crop", 0), ("validate_every", 0), ("seed", 0)):
            _refuse_unless(getattr(self, name) >= least, name, getattr(self, name), f"be a whole number from {least} up")
        _refuse_unless(0 < self.learning_rate < math.inf, "learning_rate", self.learning_rate, "be greater than 0")
        _refuse_unless(0 <= self.momentum < 1, "momentum", self.momentum, "lie in [0, 1)")
        _refuse_unless(0 <= self.weight_decay < math.inf, "weight_decay", self.weight_decay, "be 0 or more")
        for name in ("scale", "colour"):
            _refuse_unless(0 <= getattr(self, name) < 1, name, getattr(self, name), "lie in [0, 1)")
        _refuse_unless(0 <= self.elastic < math.inf, "elastic", self.elastic, "be 0 or more pixels")
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        self.terms()

    def terms(self) -> dict[str, float]:
        """The loss's terms with their weights.

        Raises
        ------
        UsageError
            For a term that does not exist, or a weight that is no number above 0.

        Examples
        --------
        >>> SegmentationConfig(loss="cross_entropy+0.5*dice").terms()
        {'cross_entropy': 1.0, 'dice': 0.5}
        """
        found: dict[str, float] = {}
        for text in self.loss.split("+"):
            weight, star, name = text.strip().rpartition("*")
            try:
                value = float(weight) if star else 1.0
            except ValueError:
                value = math.nan
            _refuse_unless(0 < value < math.inf, "loss", self.loss, "have weights above 0, as in cross_entropy+0.5*dice")
            one_of("loss", name.strip(), TERMS)
            found[name.strip()] = value
        return found

    def transform(self) -> JointCompose:
        """How training pictures and their label maps are varied."""
        steps: list[JointTransform] = [JointHorizontalFlip(0.5)] if self.flip else []
        if self.scale:
            steps.append(JointScale(1 - self.scale, 1 + self.scale))
        if self.elastic:
            steps.append(JointElastic(self.elastic, sigma=10.0))
        if self.crop:
            steps.append(JointRandomCrop((self.crop, self.crop), fill=0))
        if self.colour:
            steps.append(ImageOnly(ColorJitter(self.colour, self.colour, self.colour)))
        return JointCompose(steps)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain numbers and strings, for a checkpoint or a log."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> SegmentationConfig:
        """The config that `to_dict` wrote; a field that does not exist is named with its nearest neighbour."""
        return cls().replace(**fields)

    def replace(self, **changes: Any) -> SegmentationConfig:
        """A copy with some fields changed.

        Examples
        --------
        >>> SegmentationConfig().replace(epochs=3).epochs
        3
        """
        names = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            one_of("SegmentationConfig field", name, names)
        return dataclasses.replace(self, **changes)


def _refuse_unless(holds: bool, name: str, value: object, rule: str) -> None:
    if not holds:
        raise UsageError(f"SegmentationConfig: {name} must {rule}, got {value!r}")


# A quarter of the paper's width is what a laptop trains in minutes; each says so, and width=1 gives the whole network.
QUARTER_VGG = {"width": 0.25, "hidden": 1024}
QUARTER_UNET = {"width": 0.25, "padding": "same", "batch_norm": True, "dropout": 0.0}
ROADS = SegmentationConfig(epochs=30, learning_rate=0.001, balance=True, colour=0.2)

# Epochs fit into 20 minutes on two cores: a step took 240 ms a picture (U-Net, nuclei), 140 (SegNet) and 330 (FCN-8s) on one.
# By network and data set: hyper-parameters, and options of the builder.
SEGMENTATION_RECIPES: dict[tuple[str, str], tuple[SegmentationConfig, dict[str, Any]]] = {
    ("unet", "nuclei"): (SegmentationConfig(epochs=20, loss="cross_entropy+0.5*dice", colour=0.3), QUARTER_UNET),
    ("unet", "camvid"): (ROADS.replace(epochs=20), QUARTER_UNET),
    ("segnet", "camvid"): (ROADS, {"width": 0.25}),
    ("deconvnet", "camvid"): (ROADS, {"width": 0.25, "hidden": 1024}),
    # Without normalisation layers the largest stable rate is lower.
    **{(f"fcn{stride}s_vgg16", "camvid"): (ROADS.replace(epochs=12, learning_rate=0.0003), QUARTER_VGG) for stride in (32, 16, 8)},
    ("unet", "shapes"): (SegmentationConfig(epochs=8, batch_size=8, learning_rate=0.003), {**QUARTER_UNET, "width": 0.125, "depth": 3}),
    ("unet_small", "shapes"): (SegmentationConfig(epochs=8, batch_size=8, learning_rate=0.003), {}),
}


def segmentation_recipe(model_name: str, data_name: str, **changes: Any) -> tuple[SegmentationConfig, dict[str, Any]]:
    """Hyper-parameters and options of the builder for a network on a data set; the defaults where there are none of its own.

    Parameters
    ----------
    model_name, data_name
        Such as ``"unet"`` and ``"nuclei"``.
    **changes
        Fields of `SegmentationConfig` that replace the recipe's.

    Raises
    ------
    UsageError
        For a field that does not exist, naming the nearest one.

    Examples
    --------
    >>> config, options = segmentation_recipe("segnet", "camvid", epochs=3)
    >>> config.epochs, options
    (3, {'width': 0.25})
    """
    config, options = SEGMENTATION_RECIPES.get((model_name, data_name), (SegmentationConfig(), {}))
    return config.replace(**changes), dict(options)
