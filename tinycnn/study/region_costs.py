"""Why R-CNN took 47 seconds an image: the network's work once a region, against once an image.

References
----------
Girshick: Fast R-CNN, ICCV 2015, section 1.1 and table 4: with VGG-16 R-CNN takes 47 s an image, Fast R-CNN 0.32 s beside the proposals. Ren et al.:
Faster R-CNN, NeurIPS 2015, table 5: selective search takes about 1.5 s more, a region proposal network 10 ms; 0.198 s in all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import autograd
from ..errors import ArgumentError
from ..nn import Module
from ..tensor import Tensor
from .operator_costs import cost_of
from .page import html_table
from .recording import record_forward
from .shape_page import answer_page
from .tables import short_count, text_table

__all__ = ["RegionCosts", "RegionSeconds", "Scheme", "multiply_adds", "region_costs", "region_costs_page", "region_seconds"]

HEADER = ("method", "once an image", "once a region", "regions", "in all", "shared", "less than R-CNN")
PUBLISHED = (
    "published, VGG-16 on a K40 (Fast R-CNN, table 4; Faster R-CNN, table 5): 47.0 s, 0.32 s, 0.198 s; the first two wait for proposals besides"
)


class Scheme(NamedTuple):
    """One method's work for one image, in multiply-accumulates or in seconds."""

    method: str
    once: float
    each: float
    regions: int

    @property
    def total(self) -> float:
        """Of the whole image."""
        return self.once + self.each * self.regions

    @property
    def shared(self) -> float:
        """The share of the work that is done once an image."""
        return self.once / self.total


@dataclass(frozen=True)
class RegionSeconds:
    """What the parts took on this machine."""

    features_of_region: float
    features_of_image: float
    head: float  # of one region
    proposal_network: float = 0.0


@dataclass(frozen=True)
class RegionCosts:
    """Multiply-accumulates of one image by each scheme."""

    proposals: int
    features_of_region: int  # of one warped crop
    features_of_image: int  # of the whole image
    head: int  # of one region
    proposal_network: int  # of the whole image
    own_proposals: int = 300  # regions that Faster R-CNN looks at
    seconds: RegionSeconds | None = None

    @property
    def per_region(self) -> int:
        """R-CNN: features and head for every proposal."""
        return self.proposals * (self.features_of_region + self.head)

    @property
    def per_image(self) -> int:
        """Fast R-CNN: features once, the head for every proposal."""
        return self.features_of_image + self.proposals * self.head

    @property
    def ratio(self) -> float:
        """How many times the work of Fast R-CNN R-CNN takes."""
        return self.per_region / self.per_image

    def schemes(self, measured: bool = False) -> list[Scheme]:
        """R-CNN, Fast R-CNN, and with a proposal network Faster R-CNN; of seconds where `measured`."""
        work: Any = self.seconds if measured else self
        if work is None:
            raise ArgumentError("RegionCosts.schemes: nothing was measured; give seconds=region_seconds(...)")
        rows = [
            Scheme("R-CNN", 0, work.features_of_region + work.head, self.proposals),
            Scheme("Fast R-CNN", work.features_of_image, work.head, self.proposals),
        ]
        if self.proposal_network:
            rows.append(Scheme("Faster R-CNN", work.features_of_image + work.proposal_network, work.head, self.own_proposals))
        return rows

    def tables(self) -> list[tuple[str, list[list[str]]]]:
        """Title and rows of each table: the work, and the seconds where they were measured."""
        kinds: list[tuple[str, bool, Callable[[Any], str]]] = [("multiply-accumulates", False, short_count)]
        if self.seconds is not None:
            kinds.append(("seconds on this machine, once a region times regions", True, lambda value: f"{value:.3g} s"))
        found = []
        for title, measured, words in kinds:
            schemes = self.schemes(measured)
            most = schemes[0].total
            rows = [
                [one.method, words(one.once), words(one.each), f"{one.regions:,}", words(one.total), f"{one.shared:.0%}", f"{most / one.total:.3g} x"]
                for one in schemes
            ]
            found.append((title, rows))
        return found

    def as_text(self) -> str:
        """The tables as text."""
        parts = [f"{title}\n{text_table(HEADER, rows)}" for title, rows in self.tables()]
        return "\n\n".join([*parts, f"per region is {self.ratio:.3g} times the work\n{PUBLISHED}"])

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the parts, and the schemes' totals."""
        totals = {one.method: one.total for one in self.schemes()}
        return {**asdict(self), "total": totals, "ratio": self.ratio}


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


def _map_shape(features: Module, image_shape: tuple[int, ...]) -> tuple[int, ...]:
    """What the features make of an image, without the batch."""
    with autograd.no_grad():
        shape: tuple[int, ...] = features(Tensor(np.zeros((1, *image_shape), np.float32))).shape
    return shape[1:]


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
    own_proposals: int = 300,
    seconds: RegionSeconds | None = None,
) -> RegionCosts:
    """Count the work of R-CNN and of Fast (with a proposal network also Faster) R-CNN for one image.

    Formula
    -------
    R-CNN: n (features(crop x crop) + head); Fast: features(H x W) + n head; Faster: features(H x W) + proposal network + m head

    Parameters
    ----------
    features : Module
        Convolutions: images (N, C, H, W) to maps.
    head : Module
        What follows for each region.
    image_size : (height, width)
        In pixels.
    proposals : int
        Regions an image, n.
    crop : int
        Pixels a side of R-CNN's warped regions.
    in_channels : int
        Of the images.
    pooled : shape, optional
        What the head takes, without the batch: (512, 7, 7) after RoI pooling, or (features,); the crop's map if left out.
    proposal_network : Module, optional
        Takes the image's map.
    own_proposals : int
        Regions that the proposal network gives, m.
    seconds : RegionSeconds, optional
        Of `region_seconds`, for a second table.

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
    _positive("region_costs", image_size=min(image_size), proposals=proposals, crop=crop, in_channels=in_channels, own_proposals=own_proposals)
    own = pooled or _map_shape(features, (in_channels, crop, crop))
    extra = 0 if proposal_network is None else multiply_adds(proposal_network, _map_shape(features, (in_channels, *image_size)))
    return RegionCosts(
        proposals,
        multiply_adds(features, (in_channels, crop, crop)),
        multiply_adds(features, (in_channels, *image_size)),
        multiply_adds(head, own),
        extra,
        own_proposals,
        seconds,
    )


def region_seconds(
    features: Module,
    head: Module,
    image_size: tuple[int, int],
    *,
    crop: int = 224,
    in_channels: int = 3,
    pooled: tuple[int, ...] | None = None,
    proposal_network: Module | None = None,
    batch: int = 8,
) -> RegionSeconds:
    """Measure the parts of `region_costs` on this machine.

    Parameters
    ----------
    features, head, image_size, crop, in_channels, pooled, proposal_network
        As in `region_costs`.
    batch : int
        Crops, and regions of the head, that are computed at once; the time is divided by it.

    Returns
    -------
    RegionSeconds
        Of the second run each: the first may compile.

    Raises
    ------
    ArgumentError
        When a number is below 1.
    """
    _positive("region_seconds", image_size=min(image_size), crop=crop, in_channels=in_channels, batch=batch)
    own = pooled or _map_shape(features, (in_channels, crop, crop))
    image_map = _map_shape(features, (in_channels, *image_size))
    return RegionSeconds(
        _seconds(features, (batch, in_channels, crop, crop)) / batch,
        _seconds(features, (1, in_channels, *image_size)),
        _seconds(head, (batch, *own)) / batch,
        0.0 if proposal_network is None else _seconds(proposal_network, (1, *image_map)),
    )


def _seconds(network: Module, shape: tuple[int, ...]) -> float:
    """Of the second of two runs."""
    x = Tensor(np.random.default_rng(0).random(shape, np.float32))
    with autograd.no_grad():
        network(x)
        start = time.perf_counter()
        network(x)
    return time.perf_counter() - start


def _positive(function: str, **numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise ArgumentError(f"{function}: {name}={value} must be at least 1")


def region_costs_page(costs: RegionCosts, name: str) -> str:
    """The tables as one page that works offline.

    Parameters
    ----------
    costs : RegionCosts
        Of `region_costs`.
    name : str
        What to call the network.

    Examples
    --------
    >>> page = region_costs_page(RegionCosts(2000, 15_000, 180_000, 100, 0), "VGG-16")
    >>> "Once an image, or once a region: VGG-16" in page, "Fast R-CNN" in page, "http" in page
    (True, True, False)
    """
    parts = [f'<p class="lead">Per region is {costs.ratio:.3g} times the work.</p>']
    for title, rows in costs.tables():
        parts += [f"<h2>{title[0].upper()}{title[1:]}</h2>", html_table(HEADER, rows, (1, 2, 3, 4, 5, 6), (0,))]
    parts.append(f'<p class="soft">{PUBLISHED[0].upper()}{PUBLISHED[1:]}.</p>')
    return answer_page(f"Once an image, or once a region: {name}", parts, costs.to_dict())
