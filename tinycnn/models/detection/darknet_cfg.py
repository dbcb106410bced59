"""Networks from Darknet's own .cfg and .weights files: any that its layers can say, and detectors whose heads are [yolo], [region] or [detection].

References
----------
J. Redmon, "Darknet: open source neural networks in C", 2013 to 2016. yolo-fastest, a network of 0.35 million numbers: dog-qiuqiu, 2020.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ArgumentError, CheckpointError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from ...weights import Malformed, load, parse_cfg
from .anchors import ImageList
from .darknet_heads import darknet_losses, read_head
from .darknet_layers import HEADS, Route, Shortcut, darknet_layer
from .generalized_rcnn import Detector
from .options import spelled_out
from .word_tree import WordTree
from .yolo_grid import YOLOConfig, YOLOTransform, best_boxes

__all__ = ["DarknetConfig", "DarknetDetector", "DarknetNetwork", "darknet_detector", "darknet_network"]

MOST_BYTES = 1 << 20
# Of [yolo] and [region] sections, unknown to the first Darknet.
FORK_OPTIONS = ("iou_loss", "iou_thresh", "iou_normalizer", "cls_normalizer", "nms_kind", "scale_x_y", "max_delta")


class DarknetNetwork(Module):
    """The layers of a .cfg, in order; parameters are called as `tinycnn.weights.load` calls those of a .weights file.

    Shapes
    ------
    (N, channels, H, W) -> the output of the last layer; where there are [yolo], [region] or [detection] layers their inputs by layer number, in order

    Parameters
    ----------
    cfg : str
        The text of the .cfg file.

    Raises
    ------
    ArgumentError
        For an activation or an option that is not known; CheckpointError: where the text is no .cfg.

    Notes
    -----
    Images of another size than the .cfg's are taken where all layers are convolutions, poolings and the like.

    Examples
    --------
    >>> net = DarknetNetwork("[net] width=8 height=8 channels=3 [convolutional] filters=4 size=3 pad=1 activation=leaky [maxpool] size=2 stride=2"
    ...     .replace(" ", "\\n"))
    >>> net(Tensor(np.zeros((1, 3, 8, 8), np.float32))).shape, list(net.state_dict())
    ((1, 4, 4, 4), ['0.conv.weight', '0.conv.bias'])
    """

    def __init__(self, cfg: str) -> None:
        super().__init__()
        self.options, self.layers = parse_cfg(cfg)
        self.heads = [layer for layer in self.layers if layer.kind in HEADS]
        if not self.layers:
            raise ArgumentError("DarknetNetwork: the .cfg has a [net] section and no layers")
        first = self.layers[0].input_shape
        self.image_size = (first[1], first[2])
        self.in_channels = first[0]
        shapes: list[tuple[int, ...]] = []
        for layer in self.layers:
            self.add_module(str(layer.index), darknet_layer(layer, shapes))
            shapes.append(layer.output_shape)

    def outputs(self, input: Tensor) -> list[Tensor]:
        """What every layer gives."""
        if input.ndim != 4 or input.shape[1] != self.in_channels:
            raise ShapeError(f"DarknetNetwork: input has shape {input.shape}; it must be (N, {self.in_channels}, height, width)")
        found: list[Tensor] = []
        for module in self.children():
            if isinstance(module, Route):
                input = module(found)
            elif isinstance(module, Shortcut):
                input = module(input, found)
            else:
                input = module(input)
            found.append(input)
        return found

    def forward(self, input: Tensor) -> Any:
        """The last layer's output, or what the heads get."""
        found = self.outputs(input if isinstance(input, Tensor) else Tensor(input))
        return OrderedDict((str(layer.index), found[layer.index]) for layer in self.heads) if self.heads else found[-1]

    def load_darknet(self, arrays: Mapping[str, Any]) -> None:
        """Take the arrays of a .weights file; what the format does not have (counts of batches) stays.

        Raises
        ------
        CheckpointError
            With the keys that do not fit.
        """
        for key in arrays:
            if key not in self.state_dict():
                raise CheckpointError(f"DarknetNetwork: {key!r} is not a parameter of this .cfg; the files do not belong together")
        self.load_state_dict({**self.state_dict(), **arrays})


@dataclass(frozen=True)
class DarknetConfig(YOLOConfig):
    """What the .cfg does not say; `image_size` 0 is the .cfg's own, `resize` "auto" what the program did that the .cfg was written for."""

    image_size: int = 0
    resize: str = "auto"
    score_thresh: float = 0.25
    tree_thresh: float = 0.5


class DarknetDetector(Detector):
    """A detector from a .cfg: the network, its heads decoded, suppression within a class.

    Parameters
    ----------
    network : DarknetNetwork
        With [yolo] layers, one [region] or one [detection].
    names : list of str, optional
        Of the classes; label k is `names[k - 1]`.
    word_tree : WordTree, optional
        Where a [region] layer has `tree=`.
    config : DarknetConfig
        The numbers; each may be given by its name instead.

    Raises
    ------
    ArgumentError
        Where the .cfg has no such layer, several kinds, or names of another number.

    Notes
    -----
    In training [yolo] heads have YOLO v3's loss, [region] heads v2's without its first images' pull towards the anchors, [detection] heads v1's; the
    later fork's `iou_loss`, `iou_thresh` and normalisers are not used.

    Photos are letterboxed, as Darknet does, or stretched, as its later fork does (yolo-fastest, YOLO v4) unless its .cfg has `letter_box=1`. A .cfg
    of the fork is known by its options, such as `iou_loss`.
    """

    @spelled_out(DarknetConfig)
    def __init__(
        self, network: DarknetNetwork, names: Sequence[str] | None = None, word_tree: WordTree | None = None, *, config: DarknetConfig
    ) -> None:
        if not network.heads:
            raise ArgumentError("DarknetDetector: the .cfg has no [yolo], [region] or [detection] layer; darknet_network runs what is no detector")
        size = (config.image_size, config.image_size) if config.image_size else network.image_size
        heads = [read_head(layer, network.image_size) for layer in network.heads]
        classes = heads[0].classes
        if len({(head.kind, head.classes) for head in heads}) > 1 or (len(heads) > 1 and heads[0].kind != "yolo"):
            raise ArgumentError(
                "DarknetDetector: the heads differ in kind or classes; there must be one [region], one [detection], or [yolo] of equal classes"
            )
        if word_tree is not None and len(word_tree) != classes:
            raise ArgumentError(f"DarknetDetector: the word tree has {len(word_tree)} nodes for {classes} classes; they must be equal")
        if word_tree is None and any("tree" in layer.options for layer in network.heads):
            raise ArgumentError("DarknetDetector: the [region] layer has tree=; give word_tree=WordTree.read(text of that file)")
        if names is not None and len(names) != classes:
            raise ArgumentError(f"DarknetDetector: there are {len(names)} names for {classes} classes; give one a class")
        resize = config.resize if config.resize != "auto" else ("stretch" if stretches(network) else "letterbox")
        super().__init__(network, YOLOTransform(size, resize, network.in_channels))
        self.heads, self.config, self.word_tree = heads, config, word_tree
        self.num_classes = classes
        self.names = list(names) if names is not None else [str(number + 1) for number in range(classes)]

    def _answer(
        self, batch: ImageList, features: Mapping[str, Tensor], targets: Sequence[Mapping[str, Any]] | None
    ) -> tuple[list[dict[str, np.ndarray]], dict[str, Tensor]]:
        size = batch.image_sizes[0]
        raws = [head.numbers(maps) for maps, head in zip(features.values(), self.heads, strict=True)]
        if self.training and targets is not None:
            return [], darknet_losses(self.heads, raws, targets, size, self.word_tree)
        thresholds = self.config.score_thresh, self.config.tree_thresh
        decoded = [head.decode(raw.data, size, self.word_tree, thresholds) for raw, head in zip(raws, self.heads, strict=True)]
        boxes, scores = (np.concatenate(parts, axis=1) for parts in zip(*decoded, strict=True))
        return [best_boxes(*pair, self.config) for pair in zip(boxes, scores, strict=True)], {}


def stretches(network: DarknetNetwork) -> bool:
    """Whether the .cfg is the later fork's, and does not ask for letterboxing."""
    forks = any(name in layer.options for layer in network.heads for name in FORK_OPTIONS)
    return forks and network.options.get("letter_box", "0").strip() == "0"


def darknet_network(cfg: str | Path, weights: str | Path | None = None) -> DarknetNetwork:
    """Build the network of a .cfg file, with the numbers of a .weights file where one is given.

    Raises
    ------
    CheckpointError
        Where a file cannot be read, or the two do not belong together.
    """
    path = Path(cfg)
    network = DarknetNetwork(_text(path))
    if weights is not None:
        network.load_darknet(load(weights, cfg=path))
    return network


@spelled_out(DarknetConfig)
def darknet_detector(
    cfg: str | Path,
    weights: str | Path | None = None,
    names: str | Path | Sequence[str] | None = None,
    word_tree: WordTree | None = None,
    *,
    config: DarknetConfig,
) -> DarknetDetector:
    """A detector from Darknet's files.

    Parameters
    ----------
    cfg, weights : path
        The layers, and their numbers; without them they are drawn.
    names : path or list of str, optional
        Of the classes: a file with one a line, such as coco.names.
    word_tree : WordTree, optional
        For YOLO9000's files.
    config : DarknetConfig
        The other numbers, each by its name.

    Raises
    ------
    CheckpointError
        Where a file cannot be read; ArgumentError: where the .cfg is no detector's.
    """
    if isinstance(names, str | Path):
        names = [line.strip() for line in _text(Path(names)).splitlines() if line.strip()]
    return DarknetDetector(darknet_network(cfg, weights), names, word_tree, config=config)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CheckpointError(f"{path}: it cannot be read: {error.strerror or error}") from error
    if len(data) > MOST_BYTES:
        raise Malformed(f"{path}: it is larger than {MOST_BYTES:,} bytes, which no text file of a network is")
    return data.decode("utf-8", "replace")
