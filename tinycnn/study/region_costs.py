"""Why R-CNN took 47 seconds an image: the network's work once a region, against once an image.

References
----------
Girshick: Fast R-CNN, ICCV 2015, section 1.1 and table 4: with VGG-16 R-CNN takes 47 s an image, Fast R-CNN 0.32 s beside the proposals. Ren et al.:
Faster R-CNN, NeurIPS 2015: selective search takes about 2 s more, a region proposal network 10 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ArgumentError
from ..nn import Module
from .operator_costs import cost_of
from .recording import record_forward
from .tables import short_count, text_table

__all__ = ["RegionCosts", "multiply_adds", "region_costs"]


@dataclass(frozen=True)
class RegionCosts:
    """Multiply-accumulates of one image by both schemes."""

    proposals: int
    features_of_region: int  # of one warped crop
    features_of_image: int  # of the whole image
    head: int  # of one region
    proposal_network: int  # of the whole image

    @property
    def per_region(self) -> int:
        """R-CNN: features and head for every proposal."""
        return self.proposals * (self.features_of_region + self.head)

    @property
    def per_image(self) -> int:
        """Fast R-CNN: features once, the head for every proposal; with a proposal network, Faster R-CNN."""
        return self.features_of_image + self.proposal_network + self.proposals * self.head

    @property
    def ratio(self) -> float:
        """How many times the work of the second scheme the first takes."""
        return self.per_region / self.per_image

    def as_text(self) -> str:
        """Both schemes as a table."""
        rows = [
            ("features", f"{self.proposals} x {short_count(self.features_of_region)}", f"1 x {short_count(self.features_of_image)}"),
            ("proposals", "outside", short_count(self.proposal_network) if self.proposal_network else "outside"),
            ("head", f"{self.proposals} x {short_count(self.head)}", f"{self.proposals} x {short_count(self.head)}"),
            ("MACs", short_count(self.per_region), short_count(self.per_image)),
        ]
        table = text_table(["", "per region (R-CNN)", "per image (Fast R-CNN)"], [list(row) for row in rows])
        return f"{table}\nper region is {self.ratio:.3g} times the work"


def multiply_adds(network: Module, input_shape: tuple[int, ...]) -> int:
    """The multiply-accumulates of a network for one example (C, H, W) or (features,), by running it once.

    Examples
    --------
    >>> from tinycnn import nn
    >>> multiply_adds(nn.Linear(10, 3), (10,))
    30
    """
    graph = record_forward(network, np.zeros((1, *input_shape), np.float32))
    return sum(cost_of(call).macs or 0 for call in graph.calls)


def region_costs(
    features: Module,
    head: Module,
    image_size: tuple[int, int],
    proposals: int = 2000,
    *,
    crop: int = 224,
    in_channels: int = 3,
    pooled: tuple[int, ...] | None = None,
    proposal_network: Module | None = None,
) -> RegionCosts:
    """Count the work of R-CNN and of Fast (with a proposal network Faster) R-CNN for one image.

    Formula
    -------
    per region: n (features(crop x crop) + head); per image: features(H x W) + n head

    Parameters
    ----------
    features : Module
        Convolutions: images (N, C, H, W) to maps.
    head : Module
        What follows for each region.
    image_size : (height, width)
        In pixels.
    proposals : int
        Regions an image.
    crop : int
        Pixels a side of R-CNN's warped regions.
    in_channels : int
        Of the images.
    pooled : shape, optional
        What the head takes, without the batch: (512, 7, 7) after RoI pooling, or (features,); the crop's map if left out.
    proposal_network : Module, optional
        Takes the image's map.

    Returns
    -------
    RegionCosts

    Raises
    ------
    ArgumentError
        When a number is below 1.

    Examples
    --------
    >>> from tinycnn import nn
    >>> costs = region_costs(nn.Conv2d(3, 4, 3, padding=1), nn.Sequential(nn.Flatten(), nn.Linear(4 * 64, 2)), (32, 48), 100, crop=8)
    >>> costs.per_region, costs.per_image, round(costs.ratio, 1)
    (742400, 217088, 3.4)
    """
    if min(*image_size, proposals, crop, in_channels) < 1:
        raise ArgumentError(f"region_costs: image_size={image_size}, proposals={proposals}, crop={crop} and in_channels={in_channels} must be at least 1")
    of_crop = record_forward(features, np.zeros((1, in_channels, crop, crop), np.float32))
    map_shape = of_crop.calls[-1].output.shape[1:]
    image = np.zeros((1, in_channels, *image_size), np.float32)
    of_image = record_forward(features, image)
    extra = multiply_adds(proposal_network, of_image.calls[-1].output.shape[1:]) if proposal_network is not None else 0
    return RegionCosts(
        proposals,
        sum(cost_of(call).macs or 0 for call in of_crop.calls),
        sum(cost_of(call).macs or 0 for call in of_image.calls),
        multiply_adds(head, pooled or map_shape),
        extra,
    )
