"""Compound scaling: how EfficientNet grows in depth, width and resolution at once, and what the published networks make of the rule.

Twice the depth doubles the work, twice the width or the resolution makes it four times as much. With one exponent phi for all three,

    depth = alpha^phi, width = beta^phi, resolution = gamma^phi, work = (alpha beta^2 gamma^2)^phi

and alpha beta^2 gamma^2 near 2, each step of phi doubles the work. The paper finds 1.2, 1.1 and 1.15 by a grid search at phi = 1.

References
----------
Tan and Le 2019, "EfficientNet: rethinking model scaling for convolutional neural networks", section 3.3, equations 2 and 3.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..errors import ArgumentError
from .building import make_divisible, positive_multiplier

__all__ = ["COMPOUND_COEFFICIENTS", "CompoundScaling", "compound_scaling"]

BASE_RESOLUTION = 224


class Coefficients(NamedTuple):
    """What the published code builds a variant from."""

    width: float
    depth: float
    resolution: int
    dropout: float


# The published code's coefficients. Up to B3 they are the formula's at phi = 0.5, 1 and 2, rounded to one place. From B4 on they are larger than
# the formula's at phi = 3, 4, 5, 6: B7 has 2.0, 3.1 and 600 pixels where phi = 6 gives 1.77, 2.99 and 518.
COMPOUND_COEFFICIENTS = {
    "b0": Coefficients(1.0, 1.0, 224, 0.2),
    "b1": Coefficients(1.0, 1.1, 240, 0.2),
    "b2": Coefficients(1.1, 1.2, 260, 0.3),
    "b3": Coefficients(1.2, 1.4, 300, 0.3),
    "b4": Coefficients(1.4, 1.8, 380, 0.4),
    "b5": Coefficients(1.6, 2.2, 456, 0.4),
    "b6": Coefficients(1.8, 2.6, 528, 0.5),
    "b7": Coefficients(2.0, 3.1, 600, 0.5),
}


class CompoundScaling(NamedTuple):
    """Three multipliers, and the work they make.

    Examples
    --------
    >>> scaling = compound_scaling(1)
    >>> scaling.channels(40), scaling.layers(3), scaling.image_size()
    (48, 4, 258)
    """

    depth: float
    width: float
    resolution: float
    flops: float

    def channels(self, base: int) -> int:
        """Channels of a layer that has `base` of them in B0: the nearest multiple of 8, never less than nine tenths."""
        return make_divisible(base * self.width)

    def layers(self, base: int) -> int:
        """Blocks of a stage that has `base` of them in B0: rounded up."""
        return math.ceil(base * self.depth)

    def image_size(self, base: int = BASE_RESOLUTION) -> int:
        """Side of the images in pixels: rounded."""
        return round(base * self.resolution)


def compound_scaling(phi: float, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15) -> CompoundScaling:
    """The multipliers for an exponent: how much deeper, wider and finer a network 2^phi times as costly should be.

    Formula
    -------
    depth = alpha^phi, width = beta^phi, resolution = gamma^phi, flops = (alpha beta^2 gamma^2)^phi

    Parameters
    ----------
    phi : float
        How many times the work is to double; 0 is the base network.
    alpha, beta, gamma : float
        Growth of depth, width and resolution at phi = 1.

    Returns
    -------
    CompoundScaling
        The multipliers, and methods that apply them to channels, blocks and image sizes as the published code rounds.

    Raises
    ------
    ArgumentError
        If phi is no finite number, or a growth is not above zero.

    Notes
    -----
    alpha beta^2 gamma^2 is 1.92 with the paper's numbers, so phi = 6 is 50 times the work and not 64.
    The published networks B1 to B7 are in `COMPOUND_COEFFICIENTS`; they follow the formula only up to B3.

    References
    ----------
    Tan and Le 2019, equation 3.

    Examples
    --------
    >>> [round(number, 3) for number in compound_scaling(1)]
    [1.2, 1.1, 1.15, 1.92]
    >>> [round(number, 2) for number in compound_scaling(2)]  # B3 has 1.4, 1.2 and 300 / 224 = 1.34
    [1.44, 1.21, 1.32, 3.69]
    """
    if isinstance(phi, bool) or not isinstance(phi, int | float) or not math.isfinite(phi):
        raise ArgumentError(f"compound_scaling: phi must be a finite number, not {phi!r}; 0 is B0, 1 is about B2")
    for name, growth in (("alpha", alpha), ("beta", beta), ("gamma", gamma)):
        positive_multiplier("compound_scaling", name, growth)
    return CompoundScaling(alpha**phi, beta**phi, gamma**phi, (alpha * beta**2 * gamma**2) ** phi)
