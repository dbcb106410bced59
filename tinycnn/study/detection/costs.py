"""What is computed once an image and what once a region: why R-CNN took 47 seconds.

References
----------
Girshick: Fast R-CNN, ICCV 2015, table 4 (test seconds an image, VGG-16 on a Nvidia K40: R-CNN 47.0, Fast R-CNN 0.32, with SVD 0.22, without
proposals). Ren et al.: Faster R-CNN, NeurIPS 2015, table 5 (0.198 s with proposals, K40). van de Sande et al.: selective search, 2 s on a CPU.
"""

from __future__ import annotations

from typing import Any

from ...errors import ArgumentError
from ...nn import Module
from ..operator_costs import cost_of
from ..recording import record_forward
from ..tables import short_count
from .view import DetectionView, Table

__all__ = ["cost_view"]

PUBLISHED = {"R-CNN": "47.0 s", "Fast R-CNN": "0.32 s", "Faster R-CNN": "0.198 s, proposals included"}


def cost_view(
    model: Module, input_size: tuple[int, int, int], *, image_size: tuple[int, int] = (600, 1000), regions: int = 2000, proposals: int = 300,
    anchors: int = 9, name: str = "the network",
) -> DetectionView:  # fmt: skip
    """Count multiply-accumulates per image and per region for R-CNN, Fast R-CNN and Faster R-CNN with one network.

    Parameters
    ----------
    model : Module
        A classifier: convolutions, then linear layers.
    input_size : (channels, height, width)
        For which it is made: the size of a warped region.
    image_size : (height, width)
        Of the whole image, over which Fast R-CNN runs the convolutions once.
    regions, proposals : int
        Regions an image of R-CNN and Fast R-CNN (selective search), and of Faster R-CNN.
    anchors : int
        Of a cell of the proposal network.
    name : str
        What to call the network.

    Returns
    -------
    DetectionView
        `data["rows"]`: method, MACs an image, MACs a region, regions, total.

    Notes
    -----
    The convolutions' cost of the whole image is that of one crop times the ratio of areas; the proposal network is a 3x3 convolution that
    keeps the channels and a 1x1 convolution to 6 numbers an anchor.

    Examples
    --------
    >>> from tinycnn import models
    >>> view = cost_view(models.lenet5(), (1, 28, 28), image_size=(56, 56), regions=10)
    >>> view.data["per_region"], round(view.data["rows"][0]["total"] / view.data["rows"][1]["total"], 2)
    ({'convolutions': 357600, 'linear': 58920}, 2.06)
    """
    if min(regions, proposals, anchors, *image_size) < 1:
        raise ArgumentError(f"cost_view: regions {regions}, proposals {proposals}, anchors {anchors} and image_size {image_size} must be 1 or more")
    graph = record_forward(model, (1, *input_size))
    counted = [(call, cost_of(call).macs or 0) for call in graph.calls]
    conv = sum(macs for call, macs in counted if call.operator != "linear")
    linear = sum(macs for call, macs in counted if call.operator == "linear")
    if not linear or conv == 0:
        raise ArgumentError(f"cost_view: {name} must have convolutions and then linear layers; it has {conv:,} and {linear:,} MACs of them")
    ratio = image_size[0] * image_size[1] / (input_size[1] * input_size[2])
    shape = next(call.output.shape for call, macs in reversed(counted) if macs and call.operator != "linear")
    channels, cells = int(shape[1]), round(int(shape[2]) * int(shape[3]) * ratio)
    proposing = cells * (9 * channels * channels + channels * 6 * anchors)
    shared = round(conv * ratio)
    methods: list[dict[str, Any]] = [
        {"method": "R-CNN", "image": 0, "region": conv + linear, "regions": regions},
        {"method": "Fast R-CNN", "image": shared, "region": linear, "regions": regions},
        {"method": "Faster R-CNN", "image": shared + proposing, "region": linear, "regions": proposals},
    ]
    for each in methods:
        each["total"] = each["image"] + each["region"] * each["regions"]
    most = methods[0]["total"]
    rows = tuple(
        (each["method"], short_count(each["image"]), short_count(each["region"]), f"{each['regions']:,}", short_count(each["total"]),
         f"{100 * each['image'] / each['total']:.0f} %", f"{most / each['total']:.3g}", PUBLISHED[each["method"]])
        for each in methods
    )  # fmt: skip
    header = ("method", "MACs an image", "MACs a region", "regions", "MACs in all", "shared", "less than R-CNN", "published, VGG-16, K40")
    note = (
        f"R-CNN runs all of {name} {regions:,} times; Fast R-CNN runs the convolutions once over {image_size[0]} x {image_size[1]} pixels "
        f"({ratio:.3g} crops) and only the linear layers a region; Faster R-CNN adds its own proposals, for which the others wait about 2 s "
        "for selective search, and needs fewer."
    )
    own = (("convolutions", f"{conv:,}"), ("linear layers", f"{linear:,}"))
    parts = Table("One crop of " + "x".join(map(str, input_size)), ("part", "MACs"), own)
    data = {"rows": methods, "per_region": {"convolutions": conv, "linear": linear}}
    return DetectionView(f"Once an image, or once a region: {name}", (), (Table("Methods", header, rows, note), parts), data=data)
