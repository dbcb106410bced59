"""Convolution seen from many sides, on your numbers: each view shows its steps, checks itself against the operator, and is a page."""

from .columns import im2col
from .convolution import window
from .equivariance import equivariance
from .filters import FILTERS
from .flip import flip
from .fourier import fourier
from .gallery import gallery
from .groups import groups
from .learn import learn
from .matrix import toeplitz
from .prior import prior
from .transposed import transposed
from .view import View

__all__ = [
    "FILTERS",
    "VIEWS",
    "View",
    "equivariance",
    "flip",
    "fourier",
    "gallery",
    "groups",
    "im2col",
    "learn",
    "prior",
    "toeplitz",
    "transposed",
    "window",
]

VIEWS = {
    function.__name__: function
    for function in (window, im2col, toeplitz, fourier, transposed, flip, equivariance, groups, prior, learn, gallery)
}
