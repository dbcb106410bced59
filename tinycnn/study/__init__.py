"""Operators taken apart, to be looked at rather than run fast."""

from .toeplitz import conv2d_matrix

__all__ = ["conv2d_matrix"]
