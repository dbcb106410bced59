"""Small .cfg files for the tests of Darknet's layers, and weights for any of them."""

import numpy as np

from tinycnn.weights.darknet_file import darknet_pieces, parse_cfg

# A layer of nearly every kind, for cv2.dnn too.
CFG = """
[net]
width=32
height=32
channels=3
[convolutional]
filters=8
size=3
stride=1
pad=1
batch_normalize=1
activation=leaky
[maxpool]
size=2
stride=2
[convolutional]
filters=8
size=3
stride=2
pad=1
groups=4
activation=mish
[maxpool]
size=2
stride=1
[convolutional]
filters=8
size=1
stride=1
activation=logistic
[shortcut]
from=-2
activation=relu
[upsample]
stride=2
[route]
layers=-1,1
[route]
layers=-1
groups=2
group_id=1
[convolutional]
filters=8
size=3
stride=1
pad=1
activation=swish
[maxpool]
size=3
stride=1
[reorg]
stride=2
[dropout]
probability=.5
[convolutional]
filters=14
size=1
stride=1
activation=linear
[region]
anchors=1.5,2, 3,1
classes=2
coords=4
num=2
softmax=1
bias_match=1
rescore=1
thresh=.001
"""

# YOLO v1's kind: a local layer, linear ones, and [detection].
GRID = """
[net]
width=16
height=16
channels=3
[convolutional]
filters=4
size=3
stride=2
pad=1
activation=leaky
[local]
filters=2
size=3
stride=1
pad=1
activation=leaky
[dropout]
probability=.5
[connected]
output=44
batch_normalize=1
activation=linear
[connected]
output=44
activation=linear
[detection]
classes=1
coords=4
rescore=1
side=2
num=2
sqrt=1
coord_scale=5
noobject_scale=.5
"""

# YOLO v3's kind, two scales.
SCALES = """
[net]
width=32
height=32
channels=3
[convolutional]
filters=6
size=3
stride=8
pad=1
batch_normalize=1
activation=leaky
[convolutional]
filters=14
size=1
stride=2
activation=linear
[yolo]
mask=2,3
anchors=4,5, 8,8, 12,10, 20,24
classes=2
num=4
[route]
layers=0
[convolutional]
filters=14
size=1
activation=linear
[yolo]
mask=0,1
anchors=4,5, 8,8, 12,10, 20,24
classes=2
num=4
"""


def drawn_weights(cfg, seed):
    """Of a .cfg, as a .weights file."""
    draw = np.random.default_rng(seed)
    arrays = {}
    for layer in parse_cfg(cfg)[1]:
        for name, shape in layer.parameters:
            values = draw.normal(0, 0.4, shape)
            arrays[f"{layer.index}.{name}"] = np.abs(values) + 0.5 if name.endswith("running_var") else values
    return b"".join(darknet_pieces(cfg, arrays))
