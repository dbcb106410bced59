"""LeNet-5: as it is built today, and as the paper of 1998 builds it.

References
----------
LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, Proceedings of the IEEE, 1998;
section II.B the layers, table I the connections of C3, section II.C the criterion, appendix A the squashing function.
"""

from __future__ import annotations

import numpy as np

from .. import functional
from .. import random as tinycnn_random
from ..errors import ArgumentError, ShapeError
from ..nn import Conv2d, Flatten, Linear, MaxPool2d, Module, Parameter
from ..tensor import Tensor
from .digit_bitmaps import digit_bitmaps
from .registry import builder

__all__ = ["LeNet5", "LeNet5From1998", "lenet5", "lenet5_1998"]

# The stages of the modern net. Sizes are for 28x28 images, padded by 2, or 32x32 images, not padded.
#   name      kind      maps out  kernel   map size
STAGES = (
    ("conv1", "conv", 6, 5, 28),
    ("pool1", "max", 6, 2, 14),
    ("conv2", "conv", 16, 5, 10),
    ("pool2", "max", 16, 2, 5),
    ("fc1", "linear", 120, 1, 1),
    ("fc2", "linear", 84, 1, 1),
)

# Table I of the paper: which of the six maps of S2 each of the sixteen maps of C3 sees.
C3_CONNECTIONS = (
    (0, 1, 2),
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
    (0, 4, 5),
    (0, 1, 5),
    (0, 1, 2, 3),
    (1, 2, 3, 4),
    (2, 3, 4, 5),
    (0, 3, 4, 5),
    (0, 1, 4, 5),
    (0, 1, 2, 5),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)

# The paper lists the parameters a layer has; the sum is the 60,000 of its section II.B. The 840 of the RBF are fixed.
PARAMETERS_1998 = {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164}


def _padding_for(function: str, image_size: int) -> int:
    """Both nets turn 32x32 into 5x5 maps before they flatten; 28x28 images get a border of 2."""
    if image_size not in (28, 32):
        raise ArgumentError(
            f"{function}: image_size must be 28 (padded by 2) or 32, got {image_size!r}; resize the images to one"
        )
    return (32 - image_size) // 2


def _check_images(function: str, input: Tensor, channels: int, image_size: int) -> None:
    """Say at the first layer what would fail at the first linear one, where the sizes no longer mean anything."""
    if input.ndim != 4 or input.shape[1:] != (channels, image_size, image_size):
        path = " -> ".join(f"{name} {size}x{size}" for name, _, _, _, size in STAGES[:4])
        raise ShapeError(
            f"{function}: input must have shape (N, {channels}, {image_size}, {image_size}), got {tuple(input.shape)}; "
            f"the sizes are {image_size}x{image_size} -> {path} -> flatten 16*5*5 = 400, "
            f"so resize the images or build {function} with another image_size or in_channels"
        )


class LeNet5(Module):
    """LeNet-5 as it is built today: full connections, ReLU, max pooling, logits.

    Shapes
    ------
    (N, in_channels, image_size, image_size) -> (N, num_classes)
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, image_size: int = 28) -> None:
        super().__init__()
        padding = _padding_for("lenet5", image_size)
        maps = {name: count for name, _, count, _, _ in STAGES}
        self.in_channels = in_channels
        self.image_size = image_size
        self.conv1 = Conv2d(in_channels, maps["conv1"], 5, padding=padding, activation="relu")
        self.pool1 = MaxPool2d(2)
        self.conv2 = Conv2d(maps["conv1"], maps["conv2"], 5, activation="relu")
        self.pool2 = MaxPool2d(2)
        self.flatten = Flatten()
        self.fc1 = Linear(maps["conv2"] * 5 * 5, maps["fc1"], activation="relu")
        self.fc2 = Linear(maps["fc1"], maps["fc2"], activation="relu")
        self.fc3 = Linear(maps["fc2"], num_classes)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        _check_images("lenet5", input, self.in_channels, self.image_size)
        x = self.pool1(self.conv1(input))  # (N, 6, 14, 14)
        x = self.pool2(self.conv2(x))  # (N, 16, 5, 5)
        x = self.fc2(self.fc1(self.flatten(x)))  # (N, 84)
        return self.fc3(x)


@builder(image_size=28)
def lenet5(num_classes: int = 10, in_channels: int = 1, image_size: int | None = None) -> LeNet5:
    """LeNet-5 as it is built today; 61,706 parameters for ten classes of grey images.

    Parameters
    ----------
    num_classes
        Length of the output row.
    in_channels
        1 for grey images, 3 for colour.
    image_size
        28 (padded by 2) or 32; left out, 28 for one channel (MNIST) and 32 for others (CIFAR).

    Raises
    ------
    ArgumentError
        For another image size.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.models.lenet5().fc1.weight.shape
    (120, 400)
    """
    if image_size is None:
        image_size = 28 if in_channels == 1 else 32
    return LeNet5(num_classes, in_channels, image_size)


class ScaledTanh(Module):
    """The paper's squashing function, A tanh(S a) with A = 1.7159 and S = 2/3.

    Formula
    -------
    y = 1.7159 tanh(2 a / 3), so that f(1) = 1 and f(-1) = -1 and the curvature is largest there.
    """

    def forward(self, input: Tensor) -> Tensor:
        """The squashed activations."""
        return functional.tanh(input * (2.0 / 3.0)) * 1.7159


class SubSampling(Module):
    """The paper's S layers: the sum of a 2x2 window times one coefficient a map, plus one bias a map, squashed.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H/2, W/2)

    Formula
    -------
    y[n,c,i,j] = f(coefficient[c] sum_{u,v in 0..1} x[n,c,2i+u,2j+v] + bias[c])
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        # Starting at the mean, not at the paper's +-2.4/4, keeps every map's sign; both stay trainable.
        self.coefficient = Parameter(np.full((channels, 1, 1), 0.25, np.float32))
        self.bias = Parameter(np.zeros((channels, 1, 1), np.float32))
        self.squash = ScaledTanh()

    def forward(self, input: Tensor) -> Tensor:
        """The squashed, halved maps."""
        sums = functional.avg_pool2d(input, 2, divisor_override=1)
        return self.squash(sums * self.coefficient + self.bias)


class PartlyConnectedConv2d(Module):
    """C3: a convolution whose every output map sees only some of the input maps, listed in a table.

    Shapes
    ------
    (N, C_in, H, W) -> (N, len(connections), H-K+1, W-K+1)
    """

    def __init__(self, in_channels: int, connections: tuple[tuple[int, ...], ...], kernel_size: int) -> None:
        super().__init__()
        pairs = [(unit, source) for unit, sources in enumerate(connections) for source in sources]
        self.dense_shape = (len(connections), in_channels, kernel_size, kernel_size)
        self.weight = Parameter(np.zeros((len(pairs), kernel_size**2), np.float32))
        self.bias = Parameter(np.zeros(len(connections), np.float32))
        # Row unit*C_in + source of the placement has its 1 at the pair's kernel: placement @ weight is the dense weight
        # with zeros where the table has no connection, and the transposed product gathers the gradients.
        placement = np.zeros((len(connections) * in_channels, len(pairs)), np.float32)
        for column, (unit, source) in enumerate(pairs):
            placement[unit * in_channels + source, column] = 1.0
        self.register_buffer("placement", Tensor(placement), persistent=False)
        self.connections = connections

    def forward(self, input: Tensor) -> Tensor:
        """The convolution with the sparse weight."""
        weight = (self.placement @ self.weight).reshape(self.dense_shape)
        return functional.conv2d(input, weight, self.bias)


class RadialBasis(Module):
    """The paper's output layer: how far F6 is from the fixed 7x12 picture of each digit, negated: more is better.

    Shapes
    ------
    (N, 84) -> (N, 10)

    Formula
    -------
    y[n,i] = - sum_j (x[n,j] - w[i,j])^2
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bitmaps", Tensor(digit_bitmaps()))

    def forward(self, input: Tensor) -> Tensor:
        """Minus the squared distances."""
        difference = input.reshape((input.shape[0], 1, 84)) - self.bitmaps
        return -(difference * difference).sum(2)


class LeNet5From1998(Module):
    """LeNet-5 as the paper builds it.

    Shapes
    ------
    (N, 1, image_size, image_size) -> (N, 10), minus the RBF distances
    """

    def __init__(self, image_size: int = 28) -> None:
        super().__init__()
        self.image_size = image_size
        padding = _padding_for("lenet5_1998", image_size)
        self.squash = ScaledTanh()
        # The border repeats the image's edge: paper on which nothing is written, whatever the normalisation made of it.
        self.c1 = Conv2d(1, 6, 5, padding=padding, padding_mode="replicate")
        self.s2 = SubSampling(6)
        self.c3 = PartlyConnectedConv2d(6, C3_CONNECTIONS, 5)
        self.s4 = SubSampling(16)
        self.c5 = Conv2d(16, 120, 5)
        self.flatten = Flatten()
        self.f6 = Linear(120, 84)
        self.output = RadialBasis()
        self._start_as_the_paper()

    def _start_as_the_paper(self) -> None:
        """Weights uniform in +-2.4 / F, where F is how many inputs the unit has (appendix A), and biases 0."""
        generator = tinycnn_random.default_generator()
        fans: list[tuple[Parameter, np.ndarray | float]] = [
            (self.c1.weight, 25.0),
            (self.c3.weight, np.array([[25.0 * len(sources)] for sources in C3_CONNECTIONS for _ in sources])),
            (self.c5.weight, 400.0),
            (self.f6.weight, 120.0),
        ]
        for weight, fan_in in fans:
            weight.data[...] = generator.uniform(-2.4, 2.4, weight.shape) / fan_in
        for layer in (self.c1, self.c5, self.f6):
            layer.bias.data[...] = 0.0

    def forward(self, input: Tensor) -> Tensor:
        """Minus the distances to the ten bitmaps: the nearest digit has the largest value."""
        _check_images("lenet5_1998", input, 1, self.image_size)
        x = self.s2(self.squash(self.c1(input)))  # (N, 6, 14, 14)
        x = self.s4(self.squash(self.c3(x)))  # (N, 16, 5, 5)
        x = self.flatten(self.squash(self.c5(x)))  # (N, 120)
        return self.output(self.squash(self.f6(x)))

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The criterion that `tinycnn.train` minimises for this net: `map_loss`."""
        return map_loss(output, target)


@builder
def lenet5_1998(image_size: int = 28) -> LeNet5From1998:
    """LeNet-5 as the paper of 1998 builds it: 156 + 12 + 1,516 + 32 + 48,120 + 10,164 = 60,000 trainable parameters.

    Parameters
    ----------
    image_size
        32, the paper's, or 28, padded by 2.

    Raises
    ------
    ArgumentError
        For another image size.

    Notes
    -----
    The output is minus the RBF's distances, so that the largest value names the class as in every other model here.
    """
    return LeNet5From1998(image_size)


def map_loss(output: Tensor, target: Tensor, j: float = 0.1) -> Tensor:
    """The paper's maximum a posteriori criterion over RBF distances y = -output.

    Shapes
    ------
    output (N, C), target (N,) of class numbers -> ()

    Formula
    -------
    E = 1/N sum_n ( y[n, target[n]] + log(exp(-j) + sum_i exp(-y[n,i])) ): the softmax cross-entropy of the
    outputs and one more class, "no digit at all", whose distance is always j.

    Parameters
    ----------
    output
        Minus the distances.
    target
        The digits.
    j
        Distance of the class "no digit at all"; it keeps distances that are large already from growing further.

    References
    ----------
    LeCun et al. 1998, equation 9.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import Tensor
    >>> loss = map_loss(Tensor(np.zeros((1, 10))), Tensor(np.array([3])), j=0.0)
    >>> bool(np.isclose(loss.item(), np.log(11.0)))
    True
    """
    return functional.cross_entropy(functional.pad(output, (0, 1), value=-j), target)
