"""What is done in a clip: a network for images looks at every frame, then time is pooled or convolved over.

References
----------
Karpathy et al.: Large-scale video classification with convolutional neural networks, CVPR 2014 (late fusion). Ng et al.: Beyond short snippets, CVPR
2015 (pooling and convolution over frame features).
"""

from __future__ import annotations

from .. import functional
from ..errors import ArgumentError, ShapeError
from ..nn import BatchNorm2d, Conv2d, Linear, Module, Sequential
from ..tensor import Tensor

__all__ = ["OVER_TIME", "ClipClassifier", "clip_classifier"]

OVER_TIME = ("mean", "max", "conv")


class ClipClassifier(Module):
    """Frame features, something over time, one row of logits a clip.

    Shapes
    ------
    (N, T, C, H, W) -> (N, num_classes)

    Parameters
    ----------
    frame_network : Module
        Images (N, C, H, W) to features (N, features), or to maps (N, features, h, w), whose mean is taken.
    features : int
        How many it gives.
    num_classes : int
        Logits of a clip.
    over_time : str
        "mean" or "max" of each feature over the frames, which forget their order; or "conv": two convolutions of three frames, then the mean.

    Raises
    ------
    ArgumentError
        When over_time is none of these.
    """

    def __init__(self, frame_network: Module, features: int, num_classes: int, over_time: str = "conv") -> None:
        super().__init__()
        if over_time not in OVER_TIME:
            raise ArgumentError(f"ClipClassifier: over_time must be one of {', '.join(OVER_TIME)}, not {over_time!r}")
        self.frame_network = frame_network
        self.over_time = over_time
        if over_time == "conv":
            # Time lies along the height; there is one column.
            self.temporal = Sequential(*(Conv2d(features, features, (3, 1), padding=(1, 0)) for _ in range(2)))
        self.classifier = Linear(features, num_classes)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of each clip."""
        if input.ndim != 5:
            raise ShapeError(f"ClipClassifier: input has shape {input.shape}; clips are (N, frames, channels, height, width)")
        clips, frames = input.shape[:2]
        seen = self.frame_network(input.reshape(clips * frames, *input.shape[2:]))
        if seen.ndim == 4:
            seen = seen.mean((2, 3))
        track = seen.reshape(clips, frames, -1)
        if self.over_time == "max":
            track = track.amax(1)
        elif self.over_time == "mean":
            track = track.mean(1)
        else:
            track = track.transpose(1, 2).unsqueeze(3)
            for layer in self.temporal:
                track = functional.relu(layer(track))
            track = track.mean((2, 3))
        logits: Tensor = self.classifier(track)
        return logits


def clip_classifier(num_classes: int = 9, in_channels: int = 1, *, features: int = 32, over_time: str = "conv", pixels: int = 32) -> ClipClassifier:
    """A small clip classifier: three convolutions of stride 2 a frame, whose last map is one number a feature and place.

    Parameters
    ----------
    num_classes, in_channels : int
        Logits of a clip, channels of a frame.
    features : int
        Of a frame.
    over_time : str
        As `ClipClassifier` takes it.
    pixels : int
        Side of a frame, a multiple of 8. The last map goes to the features place by place: where something is, is half of what it does.

    Examples
    --------
    >>> sum(parameter.numel() for parameter in clip_classifier(over_time="mean").parameters())
    12129
    """
    if pixels < 8 or pixels % 8:
        raise ArgumentError(f"clip_classifier: pixels={pixels} must be a multiple of 8")
    layers: list[Module] = []
    channels = in_channels
    for width in (8, 16, 16):
        layers += [Conv2d(channels, width, 3, 2, padding=1, bias=False), BatchNorm2d(width, activation="relu")]
        channels = width
    layers.append(Conv2d(channels, features, pixels // 8))
    return ClipClassifier(Sequential(*layers), features, num_classes, over_time)
