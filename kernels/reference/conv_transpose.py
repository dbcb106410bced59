"""Transposed convolution over two and three axes, as its definition says: every input pixel paints its kernel, and where paintings overlap
they add up.

x is (N, C_in, ...), weight is (C_in, C_out/groups, K...); stride, dilation and output_padding have one number an axis, padding (before,
after) of every axis, which are cropped from the painting; output_padding is blank canvas behind it, before the crop.
"""

from itertools import product

from ..sizes import conv_transpose_output_size
from .scalars import empty_like_shape

__all__ = [
    "conv_transpose2d",
    "conv_transpose2d_grad_weight",
    "conv_transpose2d_grad_x",
    "conv_transpose3d",
    "conv_transpose3d_grad_weight",
    "conv_transpose3d_grad_x",
]


def output_shape(x_shape, weight_shape, stride, padding, output_padding, groups, dilation):
    """(N, C_out, ...) of a transposed convolution."""
    sizes = [
        conv_transpose_output_size(
            x_shape[2 + axis],
            weight_shape[2 + axis],
            stride[axis],
            padding[2 * axis],
            padding[2 * axis + 1],
            dilation[axis],
            output_padding[axis],
        )
        for axis in range(len(x_shape) - 2)
    ]
    return x_shape[0], weight_shape[1] * groups, *sizes


def strokes(x_shape, weight_shape, stride, padding, output_padding, groups, dilation):
    """Every (index into y, index into x, index into weight) of a stroke that stays on the canvas: x * weight is added to y."""
    shape = output_shape(x_shape, weight_shape, stride, padding, output_padding, groups, dilation)
    axes = range(len(x_shape) - 2)
    group_inputs = weight_shape[0] // groups
    for n in range(x_shape[0]):
        for c in range(x_shape[1]):
            first_channel = c // group_inputs * weight_shape[1]
            for place in product(*[range(size) for size in x_shape[2:]]):
                for o in range(weight_shape[1]):
                    for tap in product(*[range(size) for size in weight_shape[2:]]):
                        target = [place[axis] * stride[axis] + tap[axis] * dilation[axis] - padding[2 * axis] for axis in axes]
                        if all(0 <= target[axis] < shape[2 + axis] for axis in axes):
                            yield (n, first_channel + o, *target), (n, c, *place), (c, o, *tap)


def _forward(x, weight, bias, stride, padding, output_padding, groups, dilation):
    y = empty_like_shape(output_shape(x.shape, weight.shape, stride, padding, output_padding, groups, dilation), x)
    if bias is not None:
        for o in range(y.shape[1]):
            y[:, o] = bias[o]
    for at_y, at_x, at_weight in strokes(x.shape, weight.shape, stride, padding, output_padding, groups, dilation):
        y[at_y] = y[at_y] + x[at_x] * weight[at_weight]
    return y


def _grad_x(grad, weight, x_shape, stride, padding, output_padding, groups, dilation):
    grad_x = empty_like_shape(x_shape, grad)
    for at_y, at_x, at_weight in strokes(x_shape, weight.shape, stride, padding, output_padding, groups, dilation):
        grad_x[at_x] = grad_x[at_x] + grad[at_y] * weight[at_weight]
    return grad_x


def _grad_weight(grad, x, weight_shape, stride, padding, output_padding, groups, dilation):
    grad_weight = empty_like_shape(weight_shape, grad)
    for at_y, at_x, at_weight in strokes(x.shape, weight_shape, stride, padding, output_padding, groups, dilation):
        grad_weight[at_weight] = grad_weight[at_weight] + grad[at_y] * x[at_x]
    return grad_weight


def conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation):
    """Paint weight * x at every pixel of x, and add the bias of each output channel."""
    return _forward(x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d_grad_x(grad, weight, x_shape, stride, padding, output_padding, groups, dilation):
    """Gradient with respect to x: each stroke hands grad_y * weight to the pixel that painted it."""
    return _grad_x(grad, weight, x_shape, stride, padding, output_padding, groups, dilation)


def conv_transpose2d_grad_weight(grad, x, weight_shape, stride, padding, output_padding, groups, dilation):
    """Gradient with respect to weight: each stroke hands grad_y * x to the tap that painted it."""
    return _grad_weight(grad, x, weight_shape, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(x, weight, bias, stride, padding, output_padding, groups, dilation):
    """As `conv_transpose2d`, in volumes."""
    return _forward(x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d_grad_x(grad, weight, x_shape, stride, padding, output_padding, groups, dilation):
    """As `conv_transpose2d_grad_x`, in volumes."""
    return _grad_x(grad, weight, x_shape, stride, padding, output_padding, groups, dilation)


def conv_transpose3d_grad_weight(grad, x, weight_shape, stride, padding, output_padding, groups, dilation):
    """As `conv_transpose2d_grad_weight`, in volumes."""
    return _grad_weight(grad, x, weight_shape, stride, padding, output_padding, groups, dilation)
