"""Parameters, multiply-accumulates and memory of one convolution, worked out line by line as in an exercise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentError
from ..functional._sliding import convolution_geometry
from ..kernels import sizes
from .memory_ledger import OPTIMIZER_STATES
from .tables import bytes_text

__all__ = ["LayerMemory", "layer_memory"]


@dataclass(frozen=True)
class LayerMemory:
    """The numbers; `lines()` shows how they come about. Bytes are for the batch unless they say otherwise."""

    input_size: tuple[int, int, int]
    filters: int
    kernel: tuple[int, int]
    output_size: tuple[int, int, int]
    batch: int
    itemsize: int
    optimizer: str
    parameters: int
    macs: int
    output_bytes_image: int
    output_bytes: int
    input_bytes: int
    weight_bytes: int
    optimizer_bytes: int
    columns_bytes: int

    @property
    def inference_bytes(self) -> int:
        """Weights, input and output of one image: what must be there when a layer runs image by image."""
        return self.weight_bytes + self.output_bytes_image + self.input_bytes // self.batch

    @property
    def training_bytes(self) -> int:
        """Weights and their gradients, optimiser state, input and output, and the output's gradient, for the batch; without im2col columns."""
        return 2 * self.weight_bytes + self.optimizer_bytes + self.input_bytes + 2 * self.output_bytes

    def lines(self) -> list[str]:
        """The worked solution."""
        channels, height, width = self.input_size
        filters, out_height, out_width = self.output_size
        k_h, k_w = self.kernel
        item, batch = self.itemsize, self.batch
        taps = f"{k_h}*{k_w}*{channels}"
        states = OPTIMIZER_STATES[self.optimizer]
        biased = self.parameters > k_h * k_w * channels * filters
        return [
            f"output: {filters} maps of {out_height} x {out_width}",
            f"parameters: ({taps}{' + 1' if biased else ''}) * {filters} = {self.parameters:,}",
            f"MACs an image: {taps} * {out_height}*{out_width} * {filters} = {self.macs:,}; FLOPs: about twice that",
            f"a fully connected layer of the same sizes: {channels}*{height}*{width} * {filters}*{out_height}*{out_width} = "
            f"{channels * height * width * filters * out_height * out_width:,} weights",
            f"output, one image: {filters}*{out_height}*{out_width} * {item} bytes = {_both(self.output_bytes_image)}",
            f"output, batch of {batch}: {batch} * {bytes_text(self.output_bytes_image)} = {_both(self.output_bytes)}",
            f"input, batch of {batch}: {batch} * {channels}*{height}*{width} * {item} bytes = {_both(self.input_bytes)}",
            f"weights: {self.parameters:,} * {item} bytes = {_both(self.weight_bytes)}",
            f"inference, one image at a time: weights + input + output = {_both(self.inference_bytes)}",
            "training, batch: the input and the output are kept for backward, and backward adds",
            f"  the gradient of the output: {_both(self.output_bytes)}",
            f"  the gradient of the weights: {_both(self.weight_bytes)}",
            f"  optimiser state ({self.optimizer}, {states} numbers a parameter): {_both(self.optimizer_bytes)}",
            f"  together with weights, input and output: {_both(self.training_bytes)}",
            "  and, were this not the first layer, the gradient of the input: " + _both(self.input_bytes),
            f"im2col workspace, if the convolution is computed as one matrix product: {taps} * {out_height}*{out_width} * {batch} images * {item} "
            f"bytes = {_both(self.columns_bytes)} ({bytes_text(self.columns_bytes // batch)} if image by image)",
        ]


def _both(size: int) -> str:
    """Decimal units, and the binary ones that some tools print."""
    if size < 1_000_000:
        return bytes_text(size)
    binary = f"{size / 2**30:.3f} GiB" if size >= 2**30 else f"{size / 2**20:.2f} MiB"
    return f"{bytes_text(size)} ({binary})"


def layer_memory(
    input_size: tuple[int, int, int] = (3, 100, 150),
    filters: int = 200,
    kernel: int | tuple[int, int] = 5,
    stride: int | tuple[int, int] = 1,
    padding: int | str | tuple[int, ...] = "same_tf",
    batch: int = 100,
    *,
    bias: bool = True,
    dtype: npt.DTypeLike = np.float32,
    optimizer: str = "adam",
) -> LayerMemory:
    """Work out one convolution: parameters, MACs, and the memory of inference and training.

    The defaults are the course's exercise: RGB images of 150 x 100, 5 x 5 kernels, 200 maps, stride 1, SAME padding, batches of 100.

    Formula
    -------
    parameters = (K_h K_w C + 1) F; MACs = K_h K_w C H_out W_out F an image; output = F H_out W_out itemsize bytes an image;
    im2col = K_h K_w C H_out W_out itemsize bytes an image.

    Parameters
    ----------
    input_size : (channels, height, width)
        One image.
    filters : int
        Output maps.
    kernel, stride, padding
        As in `functional.conv2d`.
    batch : int
        Images a batch.
    bias : bool
        One more parameter a filter.
    dtype : numpy dtype
        Bytes a number.
    optimizer : str
        Whose state is counted; see `memory_ledger`.

    Returns
    -------
    LayerMemory

    Raises
    ------
    ArgumentError
        For an option out of range. ShapeError: a window that does not fit.

    Notes
    -----
    The usual answer to the exercise counts outputs only: 12 MB an image in inference, 1.2 GB a batch in training. The input, gradients,
    optimiser state and a workspace come on top; each has its line.

    References
    ----------
    Géron 2019, "Hands-on machine learning", chapter 14, "Memory requirements".

    Examples
    --------
    >>> exercise = layer_memory()
    >>> exercise.parameters, exercise.macs, exercise.output_bytes
    (15200, 225000000, 1200000000)
    """
    if optimizer not in OPTIMIZER_STATES:
        raise ArgumentError(f"layer_memory: optimizer {optimizer!r} is not one of {', '.join(OPTIMIZER_STATES)}")
    numbers: dict[str, Any] = {"filters": filters, "batch": batch}
    for name, number in numbers.items():
        if not isinstance(number, int) or number < 1:
            raise ArgumentError(f"layer_memory: {name} must be a whole number from 1 up, not {number!r}")
    if len(input_size) != 3 or any(size < 1 for size in input_size):
        raise ArgumentError(f"layer_memory: input_size must be (channels, height, width), each from 1 up, not {input_size!r}")
    channels, height, width = input_size
    k_h, k_w = (kernel, kernel) if isinstance(kernel, int) else kernel
    geometry = convolution_geometry(
        "layer_memory", 2, (batch, *input_size), (filters, channels, k_h, k_w), None, stride, padding, 1, 1, "zeros"
    )
    strides, around = geometry.stride, geometry.padding
    out_height, out_width = (
        sizes.conv_output_size(size, k, strides[axis], around[2 * axis], around[2 * axis + 1], 1)
        for axis, (size, k) in enumerate(((height, k_h), (width, k_w)))
    )
    item = np.dtype(dtype).itemsize
    taps, places = k_h * k_w * channels, out_height * out_width
    parameters = (taps + bias) * filters
    return LayerMemory(
        input_size=input_size,
        filters=filters,
        kernel=(k_h, k_w),
        output_size=(filters, out_height, out_width),
        batch=batch,
        itemsize=item,
        optimizer=optimizer,
        parameters=parameters,
        macs=taps * places * filters,
        output_bytes_image=filters * places * item,
        output_bytes=batch * filters * places * item,
        input_bytes=batch * channels * height * width * item,
        weight_bytes=parameters * item,
        optimizer_bytes=parameters * item * OPTIMIZER_STATES[optimizer],
        columns_bytes=batch * taps * places * item,
    )
