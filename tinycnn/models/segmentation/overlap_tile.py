"""Overlap-tile: an image of any size through a network that takes one size and gives less than it takes.

The image is mirrored at its edges; each tile sees the whole surrounding that its output needs, so that the tiles' answers fit together
without a seam. A network with poolings answers alike for a shift by whole pooling steps only, so tiles begin at multiples of `multiple` pixels:
388 of figure 2 become 384 that are used.

References
----------
Ronneberger, Fischer and Brox 2015, section 2 and figure 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd import no_grad
from ...errors import ArgumentError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from .unet import UNet, shrinkage, unet_output_size

__all__ = ["overlap_tile"]


def mirrored(image: np.ndarray, above: int, below: int, left: int, right: int) -> np.ndarray:
    """The image continued by its own reflection, more than once where it is small."""
    rows = reflected(image.shape[-2], above, below)
    columns = reflected(image.shape[-1], left, right)
    return np.ascontiguousarray(image[..., rows[:, None], columns])


def reflected(size: int, before: int, after: int) -> np.ndarray:
    """Positions of a line continued by reflection at its first and last element."""
    period = max(1, 2 * (size - 1))
    places = np.abs(np.arange(-before, size + after)) % period
    return np.minimum(places, period - places) if size > 1 else np.zeros_like(places)


def overlap_tile(model: Module, images: Any, tile: int = 572, *, margin: int | None = None, multiple: int | None = None) -> np.ndarray:
    """The scores of every pixel, computed tile by tile.

    Shapes: (N, C, H, W) -> (N, num_classes, H, W)

    Parameters
    ----------
    model
        Maps tiles (N, C, tile, tile) to scores (N, K, tile - 2 margin, tile - 2 margin); used without gradients as it is, so call `eval()` first.
    images
        Of any size.
    tile
        Pixels a side that go in.
    margin
        Pixels on each side that the network does not answer for; a valid U-Net's 92 if left out.
    multiple
        Tiles begin at multiples of it; the U-Net's 2^depth if left out.

    Raises
    ------
    ArgumentError
        For a tile that does not fit the network, or no U-Net and no margin.
    ShapeError
        For images without four axes, or an answer of another size than promised.

    Examples
    --------
    >>> from tinycnn.models.segmentation import unet
    >>> import numpy as np
    >>> overlap_tile(unet(width=0.03125).eval(), np.zeros((1, 1, 20, 33), np.float32), tile=204).shape
    (1, 2, 20, 33)
    """
    array = np.asarray(images.data if isinstance(images, Tensor) else images)
    if array.ndim != 4 or 0 in array.shape:
        raise ShapeError(f"overlap_tile: images must be (N, C, H, W), not {array.shape}; add the batch axis, images[None]")
    margin, step = _fitting(model, tile, margin, multiple)
    inner, (height, width) = tile - 2 * margin, array.shape[2:]
    down, across = -(-height // step), -(-width // step)
    reach = (down - 1) * step + inner - height + margin, (across - 1) * step + inner - width + margin
    around = mirrored(array, margin, reach[0], margin, reach[1])
    answer: np.ndarray | None = None
    for top in range(0, height, step):
        for left in range(0, width, step):
            with no_grad():
                scores = model(Tensor(np.ascontiguousarray(around[:, :, top : top + tile, left : left + tile]))).data
            if scores.shape[2:] != (inner, inner):
                raise ShapeError(f"overlap_tile: tiles of {tile} gave {scores.shape[2]}x{scores.shape[3]}, not {inner}x{inner}; set margin")
            if answer is None:
                answer = np.empty((*scores.shape[:2], height, width), scores.dtype)
            place = answer[:, :, top : top + step, left : left + step]
            place[...] = scores[:, :, : place.shape[2], : place.shape[3]]
    assert answer is not None
    return answer


def _fitting(model: Module, tile: int, margin: int | None, multiple: int | None) -> tuple[int, int]:
    """The margin and the step from tile to tile."""
    if isinstance(model, UNet) and model.padding == "valid":
        margin = shrinkage(model.depth) // 2 if margin is None else margin
        multiple = 2**model.depth if multiple is None else multiple
        if unet_output_size(tile, model.depth) is None:
            raise ArgumentError(f"overlap_tile: a valid U-Net of depth {model.depth} takes no tiles of {tile}; 572 is the paper's, at depth 4")
    if margin is None:
        raise ArgumentError(f"overlap_tile: margin must be given for {type(model).__name__}: pixels a side that it does not answer for")
    multiple = 1 if multiple is None else multiple
    step = (tile - 2 * margin) // multiple * multiple
    if margin < 0 or multiple < 1 or step < 1:
        raise ArgumentError(f"overlap_tile: tile={tile}, margin={margin} and multiple={multiple} leave no step from tile to tile; use a larger tile")
    return margin, step
