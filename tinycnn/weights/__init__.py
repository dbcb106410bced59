"""Weights from files that others wrote, and into files that others read; no file can run code here."""

from .caffe_prototxt import parse_prototxt
from .darknet_file import parse_cfg
from .darknet_layers import DarknetLayer
from .files import Malformed, WeightFile
from .load import load, read, save
from .matching import load_weights
from .onnx_file import export_onnx

__all__ = ["DarknetLayer", "Malformed", "WeightFile", "export_onnx", "load", "load_weights", "parse_cfg", "parse_prototxt", "read", "save"]
