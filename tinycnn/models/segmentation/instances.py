"""Single cells out of a map of classes: a class for the border between them, or their depth, then connected components grown back.

References
----------
Caicedo et al. 2019, "Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl" (Nature Methods 16): background, interior
and border as three classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from .weight_map import instance_labels

__all__ = ["BACKGROUND", "BORDER", "INTERIOR", "border_classes", "instances_by_border", "instances_by_depth", "match_instances"]

BACKGROUND, INTERIOR, BORDER = 0, 1, 2


def border_classes(labels: Any, thickness: int = 1) -> np.ndarray:
    """Background, interior and border of every cell, as classes to learn.

    Shapes: (H, W) -> (H, W) uint8

    Parameters
    ----------
    labels
        0 the background, k the k-th cell.
    thickness
        Pixels of a cell that are border: those that near to another cell or to the background.

    Raises
    ------
    ArgumentError
        For a thickness below 1; labels as in `unet_weight_map`.

    Examples
    --------
    >>> border_classes([[0, 1, 1, 1, 2, 2, 2, 0]]).tolist()
    [[0, 2, 1, 2, 2, 1, 2, 0]]
    """
    from scipy import ndimage  # not above: importing tinycnn would take as long again

    if isinstance(thickness, bool) or not isinstance(thickness, int) or thickness < 1:
        raise ArgumentError(f"border_classes: thickness must be a whole number from 1 up, in pixels, not {thickness!r}")
    array = instance_labels("border_classes", labels)
    width = 2 * thickness + 1
    # Beyond the image's edge a cell goes on, so the edge is no border.
    differs = ndimage.maximum_filter(array, width, mode="nearest") != ndimage.minimum_filter(array, width, mode="nearest")
    return np.where(array == 0, BACKGROUND, np.where(differs, BORDER, INTERIOR)).astype(np.uint8)


def grown(seeds: np.ndarray, foreground: np.ndarray, reach: float) -> np.ndarray:
    """Give every pixel of the foreground the number of the nearest seed, at most `reach` pixels away."""
    from scipy import ndimage

    if not seeds.any():
        return np.zeros(seeds.shape, np.int64)
    distance, nearest = ndimage.distance_transform_edt(seeds == 0, return_indices=True)
    return np.where(foreground & (distance <= reach), seeds[tuple(nearest)], 0)


def numbered(mask: np.ndarray, smallest: int) -> np.ndarray:
    """Connected components of a mask, those below `smallest` pixels left out, numbered from 1."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    kept = sizes >= smallest
    kept[0] = False
    return np.where(kept, np.cumsum(kept), 0)[labels]


def instances_by_border(classes: Any, *, smallest: int = 8, reach: float = 3.0) -> np.ndarray:
    """Cells from a map of background, interior and border: the components of the interior, grown into the border.

    Shapes: (H, W) -> (H, W) int64, k the k-th cell

    Parameters
    ----------
    classes
        0 background, 1 interior, 2 border.
    smallest
        Components of fewer interior pixels are dropped.
    reach
        Pixels that a component may grow.

    Raises
    ------
    ArgumentError
        For other classes; labels as in `unet_weight_map`.

    Examples
    --------
    >>> instances_by_border([[0, 2, 1, 2, 2, 1, 2, 0]], smallest=1).tolist()
    [[0, 1, 1, 1, 2, 2, 2, 0]]
    """
    array = instance_labels("instances_by_border", classes)
    if array.size and array.max() > BORDER:
        raise ArgumentError(f"instances_by_border: classes go up to {array.max()}; they are 0 background, 1 interior and 2 border")
    return grown(numbered(array == INTERIOR, smallest), array != BACKGROUND, reach)


def instances_by_depth(foreground: Any, *, depth: float = 3.0, smallest: int = 8) -> np.ndarray:
    """Cells from a mask alone: what lies deeper than `depth` pixels falls apart where cells touch, and is grown back.

    Shapes: (H, W) -> (H, W) int64, k the k-th cell

    Parameters
    ----------
    foreground
        True in cells.
    depth
        Distance to the background in pixels; cells that are nowhere that deep stay whole as the components they are.
    smallest
        Cells of fewer pixels are dropped.

    Raises
    ------
    ShapeError
        For a mask that is not (H, W). ArgumentError: a depth below 0.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.ones((5, 11), bool)
    >>> mask[[0, 1, 3, 4], 5] = False  # two squares joined by a bridge
    >>> int(instances_by_depth(mask, depth=1.5, smallest=4).max())
    2
    """
    from scipy import ndimage

    mask = np.asarray(foreground).astype(bool)
    if mask.ndim != 2:
        raise ShapeError(f"instances_by_depth: foreground must be (H, W), not {mask.shape}")
    if not depth >= 0:
        raise ArgumentError(f"instances_by_depth: depth must be a number of pixels >= 0, not {depth!r}")
    far = np.pad(mask, 1, mode="edge")
    distance = ndimage.distance_transform_edt(far)[1:-1, 1:-1]
    parts, _ = ndimage.label(mask)
    deep, count = ndimage.label(mask & (distance > depth))
    without = np.setdiff1d(np.unique(parts[mask]), np.unique(parts[deep > 0]))
    seeds = deep + np.where(np.isin(parts, without) & mask, parts + count, 0)
    cells = grown(seeds, mask, np.inf)
    sizes = np.bincount(cells.ravel())
    kept = sizes >= smallest
    kept[0] = False
    return np.where(kept, np.cumsum(kept), 0)[cells]


def match_instances(truth: Any, found: Any, threshold: float = 0.5) -> tuple[int, int, int]:
    """How many cells were found, invented and missed: pairs whose intersection over union is above a threshold.

    Shapes: (H, W), (H, W) -> three counts

    Parameters
    ----------
    truth, found
        Instance numbers, 0 the background.
    threshold
        At least 0.5, so that no cell can have two partners.

    Returns
    -------
    found, invented, missed

    Raises
    ------
    ArgumentError
        For a threshold below 0.5. ShapeError: maps of different sizes.

    Examples
    --------
    >>> match_instances([[1, 1, 1, 0, 2]], [[5, 5, 5, 0, 0]])
    (1, 0, 1)
    """
    true, guess = instance_labels("match_instances", truth), instance_labels("match_instances", found)
    if true.shape != guess.shape:
        raise ShapeError(f"match_instances: truth is {true.shape} but found {guess.shape}; bring both to one size")
    if not 0.5 <= threshold <= 1:
        raise ArgumentError(f"match_instances: threshold must be 0.5 to 1, not {threshold!r}; below, one cell could have two partners")
    true_ids, true = np.unique(true, return_inverse=True)
    guess_ids, guess = np.unique(guess, return_inverse=True)
    common = np.zeros((len(true_ids), len(guess_ids)))
    np.add.at(common, (true.ravel(), guess.ravel()), 1)
    union = common.sum(1, keepdims=True) + common.sum(0, keepdims=True) - common
    overlap = (common / union)[np.ix_(true_ids > 0, guess_ids > 0)]
    pairs = int((overlap > threshold).sum())
    return pairs, overlap.shape[1] - pairs, overlap.shape[0] - pairs
