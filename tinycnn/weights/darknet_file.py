"""Darknet's .cfg (the layers, as text) and .weights (their numbers, one after another, without names).

A .weights file says nothing about shapes: only the .cfg knows which numbers belong to which layer, so the two are read
together, and every number must be accounted for.

References
----------
J. Redmon, "Darknet: open source neural networks in C", 2013 to 2016; J. Redmon and A. Farhadi, "YOLOv3: an incremental
improvement", 2018. The format was learned from the published files.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from .darknet_layers import DarknetLayer, Shape, build_layer, whole
from .files import Malformed, WeightFile

__all__ = ["darknet_pieces", "parse_cfg", "read_darknet"]

MAX_CFG_BYTES = 1 << 20
MAX_LAYERS = 10_000
ALIASES = {"conv": "convolutional", "conn": "connected", "max": "maxpool", "avg": "avgpool", "soft": "softmax", "crop": "crop", "network": "net"}


def parse_cfg(text: str) -> tuple[dict[str, str], list[DarknetLayer]]:
    """Read a .cfg: the options of its [net] section, and its layers with their shapes and parameters.

    Parameters
    ----------
    text
        The file's content.

    Returns
    -------
    (dict, list of DarknetLayer)
        Options are text, as they were written; `DarknetLayer.whole` and `.numbers` read them.

    Raises
    ------
    Malformed
        With the layer that does not fit.

    Examples
    --------
    >>> text = "[net] width=8 height=8 channels=3 [convolutional] filters=4 size=3 pad=1 [maxpool] size=2 stride=2"
    >>> _, layers = parse_cfg(text.replace(" ", "\\n"))
    >>> [(layer.kind, layer.output_shape, layer.count) for layer in layers]
    [('convolutional', (4, 8, 8), 112), ('maxpool', (4, 4, 4), 0)]
    """
    sections = _sections(text)
    if not sections or sections[0][0] != "net":
        raise Malformed("a .cfg begins with a section [net] that gives width, height and channels")
    net = sections[0][1]
    shape: Shape = tuple(whole(net, name, default, 1) for name, default in (("channels", 3), ("height", 0), ("width", 0)))
    layers: list[DarknetLayer] = []
    outputs: list[Shape] = []
    for index, (kind, options) in enumerate(sections[1:]):
        layer = build_layer(index, kind, options, outputs, shape)
        layers.append(layer)
        outputs.append(layer.output_shape)
        shape = layer.output_shape
    return net, layers


def _sections(text: str) -> list[tuple[str, dict[str, str]]]:
    """The sections in order, each with its options; # and ; begin comments."""
    if len(text) > MAX_CFG_BYTES:
        raise Malformed(f"a .cfg of {len(text):,} characters is none")
    sections: list[tuple[str, dict[str, str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].partition(";")[0].strip()
        if not line:
            continue
        if line.startswith("["):
            kind = line[1:].partition("]")[0].strip().lower()
            sections.append((ALIASES.get(kind, kind), {}))
            continue
        name, equals, value = line.partition("=")
        if not equals or not sections:
            raise Malformed(f"line {number} is neither [section] nor option=value: {line[:60]!r}")
        sections[-1][1][name.strip()] = value.strip()
    if len(sections) > MAX_LAYERS:
        raise Malformed(f"it has {len(sections):,} sections, more than any network")
    return sections


def read_darknet(cfg: str, data: bytes) -> WeightFile:
    """The arrays of a .weights file under names such as `12.conv.weight` and `12.bn.running_mean`, 12 being the layer's number.

    Parameters
    ----------
    cfg
        The text of the .cfg file that belongs to it.
    data
        The bytes of the .weights file: version (three int32), images seen (int64, before version 0.2 int32), float32 numbers.

    Raises
    ------
    Malformed
        Where the numbers are too few or too many for the layers.
    """
    _, layers = parse_cfg(cfg)
    header = _header_bytes(data)
    numbers, rest = divmod(len(data) - header, 4)
    wanted = sum(layer.count for layer in layers)
    if rest or numbers != wanted:
        raise Malformed(f"the layers of the .cfg have {wanted:,} parameters, the .weights file {numbers:,}; they do not belong together")
    flat = np.frombuffer(bytearray(data[header:]), "<f4")
    arrays: dict[str, np.ndarray] = {}
    at = 0
    for layer in layers:
        for name, shape in layer.parameters:
            count = int(np.prod(shape))
            arrays[f"{layer.index}.{name}"] = flat[at : at + count].reshape(shape)
            at += count
    major, minor, revision = struct.unpack_from("<3i", data)
    seen = struct.unpack_from("<q" if header == 20 else "<i", data, 12)[0]
    notes = [f"version {major}.{minor}.{revision}, trained on {seen:,} images; all {numbers:,} numbers accounted for"]
    return WeightFile("Darknet weights", arrays, dict.fromkeys(arrays, "float32"), notes)


def _header_bytes(data: bytes) -> int:
    """20 bytes since version 0.2, 16 before."""
    if len(data) < 16:
        raise Malformed(f"{len(data)} bytes are less than the header of a Darknet .weights file")
    major, minor = struct.unpack_from("<2i", data)
    if not (0 <= major < 1000 and 0 <= minor < 1000):
        raise Malformed("it does not begin with the version numbers of a Darknet .weights file")
    return 20 if major * 10 + minor >= 2 else 16


def darknet_pieces(cfg: str, arrays: Mapping[str, Any], seen: int = 0) -> list[bytes]:
    """The bytes of a .weights file of version 0.2.0 with the arrays of `read_darknet`.

    Raises
    ------
    Malformed
        When an array is missing, too many, or of another shape than the .cfg says.
    """
    _, layers = parse_cfg(cfg)
    wanted = {f"{layer.index}.{name}": shape for layer in layers for name, shape in layer.parameters}
    for key in [*wanted, *arrays]:
        there = tuple(np.shape(arrays[key])) if key in arrays else "missing"
        if key not in wanted or there != wanted[key]:
            raise Malformed(f"{key!r} is {there}, and {wanted.get(key, 'unknown')} in the .cfg")
    return [struct.pack("<3iq", 0, 2, 0, seen), *(np.asarray(arrays[key], "<f4").tobytes() for key in wanted)]
