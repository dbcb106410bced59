"""Weights from files that others wrote, and into files that others read; no file can run code here."""

from .darknet_file import parse_cfg
from .darknet_layers import DarknetLayer
from .files import Malformed, WeightFile
from .load import load, read, save
from .matching import load_weights

__all__ = ["DarknetLayer", "Malformed", "WeightFile", "load", "load_weights", "parse_cfg", "read", "save"]
