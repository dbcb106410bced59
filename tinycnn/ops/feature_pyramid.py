"""Feature pyramids: every scale of a backbone with the same number of channels, the coarse ones' knowledge passed down; and regions cut out of them.

References
----------
Lin, Dollar, Girshick, He, Hariharan, Belongie: Feature pyramid networks for object detection, CVPR 2017; equation (1) says which level a region
is cut from.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import functional, nn
from ..errors import ArgumentError, ShapeError
from ..functional._arguments import as_tensor
from ..tensor import Tensor
from .blocks import Conv2dNormActivation
from .roi import roi_align

__all__ = ["ExtraFPNBlock", "FeaturePyramidNetwork", "LastLevelMaxPool", "LastLevelP6P7", "MultiScaleRoIAlign"]


class ExtraFPNBlock(nn.Module):
    """What makes more maps after the pyramid's coarsest: called with (results, backbone's maps, names), gives longer results and names."""

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        """The results and names with what this block adds."""
        raise NotImplementedError


class LastLevelMaxPool(ExtraFPNBlock):
    """Every second pixel of the coarsest map, as one more map "pool": Faster R-CNN's largest anchors live there."""

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        """One more map."""
        return [*results, functional.max_pool2d(results[-1], 1, 2)], [*names, "pool"]


class LastLevelP6P7(ExtraFPNBlock):
    """RetinaNet's two more maps, "p6" and "p7", by 3x3 convolutions of stride 2.

    They are made of the pyramid's last map where it has `in_channels`, else of the backbone's.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.p6 = nn.Conv2d(in_channels, out_channels, 3, 2, 1)
        self.p7 = nn.Conv2d(out_channels, out_channels, 3, 2, 1)
        for layer in (self.p6, self.p7):
            nn.init.kaiming_uniform_(layer.weight, a=1)
            nn.init.zeros_(layer.bias)
        self.use_p5 = in_channels == out_channels

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        """Two more maps."""
        p6 = self.p6(results[-1] if self.use_p5 else x[-1])
        return [*results, p6, self.p7(functional.relu(p6))], [*names, "p6", "p7"]


class FeaturePyramidNetwork(nn.Module):
    """1x1 convolutions bring all maps to one number of channels; each coarser one is enlarged and added; 3x3 convolutions smooth the sums.

    Shapes
    ------
    {name: (N, in_channels_list[k], H_k, W_k)} -> {name: (N, out_channels, H_k, W_k)}, and what `extra_blocks` adds

    Formula
    -------
    m_k = inner_k(x_k) + nearest(m_(k+1)), from the coarsest down; y_k = layer_k(m_k).

    Parameters
    ----------
    in_channels_list : list of int
        Channels of each map, from fine to coarse.
    out_channels : int
        Of every map that comes out.
    extra_blocks : ExtraFPNBlock, optional
        Makes more, coarser maps.
    norm_layer : layer, optional
        After each convolution, which then has no bias.

    Examples
    --------
    >>> fpn = FeaturePyramidNetwork([8, 16], 4)
    >>> x = {"fine": np.zeros((1, 8, 6, 6), np.float32), "coarse": np.zeros((1, 16, 3, 3), np.float32)}
    >>> {name: y.shape for name, y in fpn(x).items()}
    {'fine': (1, 4, 6, 6), 'coarse': (1, 4, 3, 3)}
    """

    def __init__(
        self,
        in_channels_list: Sequence[int],
        out_channels: int,
        extra_blocks: ExtraFPNBlock | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if not in_channels_list or min(in_channels_list) < 1:
            raise ArgumentError(f"FeaturePyramidNetwork: in_channels_list={list(in_channels_list)} must have a positive number for every map")
        if extra_blocks is not None and not isinstance(extra_blocks, ExtraFPNBlock):
            kind = type(extra_blocks).__name__
            raise ArgumentError(f"FeaturePyramidNetwork: extra_blocks is a {kind}, not an ExtraFPNBlock such as LastLevelMaxPool")

        def layer(channels: int, kernel: int) -> nn.Module:
            return Conv2dNormActivation(channels, out_channels, kernel, norm_layer=norm_layer, activation_layer=None)

        self.inner_blocks = nn.ModuleList([layer(channels, 1) for channels in in_channels_list])
        self.layer_blocks = nn.ModuleList([layer(out_channels, 3) for _ in in_channels_list])
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        self.extra_blocks = extra_blocks

    def forward(self, x: Mapping[str, Any]) -> OrderedDict[str, Tensor]:
        """The pyramid, in the order of the input."""
        names, maps = list(x), [as_tensor(one) for one in x.values()]
        if len(maps) != len(self.inner_blocks):
            raise ShapeError(f"FeaturePyramidNetwork: there are {len(maps)} maps, but in_channels_list has {len(self.inner_blocks)} numbers")
        results: list[Tensor] = []
        merged: Tensor | None = None
        for k in range(len(maps) - 1, -1, -1):
            inner = self.inner_blocks[k](maps[k])
            merged = inner if merged is None else inner + functional.interpolate(merged, size=inner.shape[-2:], mode="nearest")
            results.insert(0, self.layer_blocks[k](merged))
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, maps, names)
        return OrderedDict(zip(names, results, strict=True))


class MultiScaleRoIAlign(nn.Module):
    """`roi_align` of each region from the map of its scale.

    Shapes
    ------
    {name: (N, C, H_k, W_k)}, N arrays (K_n, 4) -> (sum of K_n, C, rows, columns)

    Formula
    -------
    The level of a region is floor(canonical_level + log2(sqrt(area) / canonical_scale) + 1e-6), limited to those there are; a map's scale is
    2^round(log2(map height / image height)).

    Parameters
    ----------
    featmap_names : list of str
        The maps to cut from, fine to coarse; others are passed over.
    output_size : int or (rows, columns)
        Of each region.
    sampling_ratio : int
        Samples along each side of a bin.
    canonical_scale, canonical_level : int
        A region of 224 x 224 pixels is cut from level 4, whose pixels are 16 of the image's.
    """

    def __init__(
        self,
        featmap_names: Sequence[str],
        output_size: int | tuple[int, int] | list[int],
        sampling_ratio: int,
        *,
        canonical_scale: int = 224,
        canonical_level: int = 4,
    ) -> None:
        super().__init__()
        self.featmap_names = list(featmap_names)
        self.output_size = (output_size, output_size) if isinstance(output_size, int) else (output_size[0], output_size[1])
        self.sampling_ratio = sampling_ratio
        self.canonical_scale, self.canonical_level = canonical_scale, canonical_level

    def forward(self, x: Mapping[str, Any], boxes: Sequence[Any], image_shapes: Sequence[tuple[int, int]]) -> Tensor:
        """The regions of all images, image by image; `image_shapes` are heights and widths before padding."""
        maps = [as_tensor(x[name]) for name in self.featmap_names if name in x]
        if not maps or not image_shapes:
            raise ArgumentError(f"MultiScaleRoIAlign: of the maps {self.featmap_names} none is in {list(x)}, or there is no image")
        of_images = [np.asarray(one.data if isinstance(one, Tensor) else one) for one in boxes]
        numbers = np.repeat(np.arange(len(of_images)), [len(one) for one in of_images])
        regions = np.concatenate((numbers[:, None].astype(maps[0].dtype), np.concatenate(of_images).astype(maps[0].dtype)), axis=1)
        scales = self.scales(maps, image_shapes)
        levels = self.levels(regions[:, 1:], scales)
        parts, places = [], []
        for level, (one, scale) in enumerate(zip(maps, scales, strict=True)):
            place = np.flatnonzero(levels == level)
            if len(place):
                parts.append(roi_align(one, regions[place], self.output_size, scale, self.sampling_ratio))
                places.append(place)
        if not parts:
            return roi_align(maps[0], regions, self.output_size, scales[0], self.sampling_ratio)
        if len(parts) == 1:
            return parts[0]
        return functional.cat(parts, 0)[np.argsort(np.concatenate(places))]

    def scales(self, maps: Sequence[Tensor], image_shapes: Sequence[tuple[int, int]]) -> list[float]:
        """Pixels of each map for a pixel of the largest image."""
        height = max(shape[0] for shape in image_shapes)
        return [2.0 ** round(math.log2(one.shape[-2] / height)) for one in maps]

    def levels(self, boxes: np.ndarray, scales: Sequence[float]) -> np.ndarray:
        """The map each box (K, 4) is cut from."""
        finest, coarsest = -math.log2(scales[0]), -math.log2(scales[-1])
        sides = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
        with np.errstate(divide="ignore"):
            levels = np.floor(self.canonical_level + np.log2(sides / self.canonical_scale) + 1e-6)
        return (np.clip(levels, finest, coarsest) - finest).astype(np.int64)

    def extra_repr(self) -> str:
        """Maps, size and samples."""
        return f"featmap_names={self.featmap_names}, output_size={self.output_size}, sampling_ratio={self.sampling_ratio}"
