"""Colours of classes: Pascal VOC's rule of bits, CamVid's published table, and a colour for every instance.

References
----------
Everingham et al., the VOC development kit's VOClabelcolormap. Brostow, Fauqueur and Cipolla 2009, "Semantic object classes in video": CamVid's
32 classes; Badrinarayanan et al. 2017 use 11 of them.
"""

from __future__ import annotations

import colorsys

import numpy as np

__all__ = ["CAMVID_32", "IGNORED", "camvid_palette", "instance_palette", "palette_for", "voc_colour_map"]

IGNORED = (255, 255, 255)  # what has no label
GOLDEN = 0.6180339887498949  # of the colour circle: neighbours in number are far apart in hue

CAMVID_32 = {
    "Animal": (64, 128, 64),
    "Archway": (192, 0, 128),
    "Bicyclist": (0, 128, 192),
    "Bridge": (0, 128, 64),
    "Building": (128, 0, 0),
    "Car": (64, 0, 128),
    "CartLuggagePram": (64, 0, 192),
    "Child": (192, 128, 64),
    "Column_Pole": (192, 192, 128),
    "Fence": (64, 64, 128),
    "LaneMkgsDriv": (128, 0, 192),
    "LaneMkgsNonDriv": (192, 0, 64),
    "Misc_Text": (128, 128, 64),
    "MotorcycleScooter": (192, 0, 192),
    "OtherMoving": (128, 64, 64),
    "ParkingBlock": (64, 192, 128),
    "Pedestrian": (64, 64, 0),
    "Road": (128, 64, 128),
    "RoadShoulder": (128, 128, 192),
    "Sidewalk": (0, 0, 192),
    "SignSymbol": (192, 128, 128),
    "Sky": (128, 128, 128),
    "SUVPickupTruck": (64, 128, 192),
    "TrafficCone": (0, 0, 64),
    "TrafficLight": (0, 64, 64),
    "Train": (192, 64, 128),
    "Tree": (128, 128, 0),
    "Truck_Bus": (192, 128, 192),
    "Tunnel": (64, 0, 64),
    "VegetationMisc": (192, 192, 0),
    "Void": (0, 0, 0),
    "Wall": (64, 192, 0),
}
CAMVID_11 = ("Sky", "Building", "Column_Pole", "Road", "Sidewalk", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian", "Bicyclist")


def voc_colour_map(count: int = 256) -> np.ndarray:
    """The colours of classes 0 to count - 1: bits of the number dealt in turn to red, green and blue, the highest bits first.

    Shapes: (count, 3) uint8

    Formula
    -------
    bit 7 - k of red, green, blue = bits 3 k, 3 k + 1, 3 k + 2 of the number

    Examples
    --------
    >>> voc_colour_map(4).tolist(), voc_colour_map()[15].tolist()  # background, aeroplane, bicycle, bird; person
    ([[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]], [192, 128, 128])
    """
    numbers = np.arange(count)
    colours = np.zeros((count, 3), np.uint8)
    for k in range(8):
        for channel in range(3):
            colours[:, channel] |= ((numbers >> (3 * k + channel) & 1) << (7 - k)).astype(np.uint8)
    return colours


def camvid_palette(count: int = 11) -> np.ndarray:
    """CamVid's colours of its 11 classes in SegNet's order, or of all 32 by name.

    Shapes: (count, 3) uint8

    Examples
    --------
    >>> camvid_palette()[[0, 3]].tolist()  # sky, road
    [[128, 128, 128], [128, 64, 128]]
    """
    if count == len(CAMVID_11):
        return np.array([CAMVID_32[name] for name in CAMVID_11], np.uint8)
    return np.array(list(CAMVID_32.values()), np.uint8)


def instance_palette(count: int) -> np.ndarray:
    """A bright colour for every instance, black for 0; neighbours in number differ most.

    Shapes: (count + 1, 3) uint8
    """
    hues = [number * GOLDEN % 1.0 for number in range(count)]
    bright = [colorsys.hsv_to_rgb(hue, 0.75, 1.0) for hue in hues]
    return (255 * np.array([(0.0, 0.0, 0.0), *bright])).round().astype(np.uint8)


def palette_for(data: str, count: int) -> np.ndarray:
    """The published colours of a data set where it has some, else VOC's."""
    if "camvid" in data.lower() and count in (len(CAMVID_11), len(CAMVID_32)):
        return camvid_palette(count)
    return voc_colour_map(count)
