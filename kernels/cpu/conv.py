"""Two-dimensional convolution and its gradients, fast. Names, parameters and order are those of reference/conv.py.

Every function but the last two takes one argument more, `algorithm`, so that a student can compare:

    "naive"   the definition's loops
    "im2col"  columns and one matrix product: the textbook's way
    "direct"  the micro-kernel over a padded copy of the input, for depthwise convolutions one of their own, for kernels as large as the
              image that of a linear layer; "auto" is this one
    "winograd"  tiles of 4 x 4 with a quarter of the multiplications: 3 x 3 kernels, stride 1, no dilation, no groups; its
              gradient with respect to weight is that of "direct"
    "fft"     a product of Fourier transforms
"""

import math
from collections.abc import Callable
from typing import Any

from ..errors import ArgumentError
from ..jit import FAST
from ..reference import conv as definition
from .depthwise import conv2d_depthwise, conv2d_grad_weight_depthwise, conv2d_grad_x_depthwise
from .direct import conv2d_direct, conv2d_grad_x_direct
from .direct_grad_weight import conv2d_grad_bias, conv2d_grad_weight_direct, relu_mask_and_bias
from .direct_plain import conv2d_grad_x_plain, conv2d_plain
from .fft import conv2d_fft, conv2d_grad_weight_fft, conv2d_grad_x_fft
from .im2col import conv2d_grad_weight_im2col, conv2d_grad_x_im2col, conv2d_im2col
from .linear import linear, linear_grad_weight, linear_grad_x
from .winograd import conv2d_grad_x_winograd, conv2d_winograd

__all__ = ["conv2d", "conv2d_grad_bias", "conv2d_grad_weight", "conv2d_grad_x", "relu_mask_and_bias"]

# The gradient of a stride s_h x s_w is so many convolutions, each with a table of its own; beyond this many the loops over taps are quicker.
MOST_PHASES = 1024


def _is_depthwise(weight_shape, groups):
    """Whether every group has one input channel; a single group is left to the kernels that share its pixels among the outputs."""
    return FAST and weight_shape[1] == 1 and groups > 1


def _is_linear(x_shape, weight_shape, padding, groups):
    """Whether the kernel covers the whole image, so that an output is one number an image: a linear layer of C H W inputs."""
    return weight_shape[2:] == x_shape[2:] and not any(padding) and groups == 1


def _rows(array):
    """(N, C, H, W) as (N, C H W)."""
    return array.reshape(array.shape[0], math.prod(array.shape[1:]))


def _direct(x, weight, bias, *options):
    if _is_linear(x.shape, weight.shape, options[1], options[3]):
        return linear(_rows(x), _rows(weight), bias, options[5]).reshape(x.shape[0], weight.shape[0], 1, 1)
    if _is_depthwise(weight.shape, options[3]):
        return conv2d_depthwise(x, weight, bias, *options)
    return conv2d_direct(x, weight, bias, *options) if FAST else conv2d_plain(x, weight, bias, *options)


def _grad_x_direct(grad, weight, x_shape, *options):
    if _is_linear(x_shape, weight.shape, options[1], options[3]):
        return linear_grad_x(_rows(grad), _rows(weight)).reshape(x_shape)
    if options[0][0] * options[0][1] > MOST_PHASES:
        return conv2d_grad_x_plain(grad, weight, x_shape, *options)
    if _is_depthwise(weight.shape, options[3]):
        return conv2d_grad_x_depthwise(grad, weight, x_shape, *options)
    return (conv2d_grad_x_direct if FAST else conv2d_grad_x_plain)(grad, weight, x_shape, *options)


def _grad_weight_direct(grad, x, weight_shape, *options):
    if _is_linear(x.shape, weight_shape, options[1], options[3]):
        return linear_grad_weight(_rows(grad), _rows(x)).reshape(weight_shape)
    run = conv2d_grad_weight_depthwise if _is_depthwise(weight_shape, options[3]) else conv2d_grad_weight_direct
    return run(grad, x, weight_shape, *options)


_forward: dict[str, Callable[..., Any]] = {
    "naive": definition.conv2d,
    "im2col": conv2d_im2col,
    "direct": _direct,
    "winograd": conv2d_winograd,
    "fft": conv2d_fft,
}
_grad_x: dict[str, Callable[..., Any]] = {
    "naive": definition.conv2d_grad_x,
    "im2col": conv2d_grad_x_im2col,
    "direct": _grad_x_direct,
    "winograd": conv2d_grad_x_winograd,
    "fft": conv2d_grad_x_fft,
}
_grad_weight: dict[str, Callable[..., Any]] = {
    "naive": definition.conv2d_grad_weight,
    "im2col": conv2d_grad_weight_im2col,
    "direct": _grad_weight_direct,
    "winograd": _grad_weight_direct,
    "fft": conv2d_grad_weight_fft,
}
for _table in (_forward, _grad_x, _grad_weight):
    _table["auto"] = _table["direct"]


def _choose(table, function, algorithm):
    try:
        return table[algorithm]
    except KeyError:
        names = ", ".join(repr(name) for name in table)
        raise ArgumentError(f"{function}: algorithm {algorithm!r} is not one of {names}") from None


def conv2d(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation, algorithm="auto"):
    """Cross-correlate x with weight, add the bias of each output channel, and apply ReLU if activation is "relu"."""
    run = _choose(_forward, "conv2d", algorithm)
    return run(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation)


def conv2d_grad_x(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    """Gradient with respect to x."""
    run = _choose(_grad_x, "conv2d_grad_x", algorithm)
    return run(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode)


def conv2d_grad_weight(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    """Gradient with respect to weight."""
    run = _choose(_grad_weight, "conv2d_grad_weight", algorithm)
    return run(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode)
