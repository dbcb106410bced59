"""Transposed convolution over two and three axes, fast: it is the gradient of a convolution with respect to its input.

The matching convolution takes the result's shape to x's with the same weight, so forward is its grad_x, the gradient with respect to x is the
convolution itself, and that with respect to weight is its grad_weight with x and grad in each other's place.
"""

from numba import prange

from .. import memory
from ..jit import kernel
from ..reference.conv_transpose import output_shape
from .conv import conv2d, conv2d_grad_weight, conv2d_grad_x
from .conv3d import conv3d, conv3d_grad_weight, conv3d_grad_x

__all__ = [
    "conv_transpose2d",
    "conv_transpose2d_grad_weight",
    "conv_transpose2d_grad_x",
    "conv_transpose3d",
    "conv_transpose3d_grad_weight",
    "conv_transpose3d_grad_x",
]


def _matching(x_shape, weight_shape, stride, padding, output_padding, groups, dilation):
    """(y shape, painted shape, padding) of the matching convolution.

    Output padding takes back what is cropped behind; what is left of it is blank rows behind all strokes. The convolution may leave up to
    stride - 1 of them unread; any more, which a dilation beyond the stride allows, are outside the painted shape.
    """
    y_shape = output_shape(x_shape, weight_shape, stride, padding, output_padding, groups, dilation)
    painted, sides = list(y_shape), []
    for axis, blank in enumerate(output_padding):
        before, after = padding[2 * axis : 2 * axis + 2]
        sides += [before, max(after - blank, 0)]
        painted[2 + axis] -= max(blank - after - (stride[axis] - 1), 0)
    return y_shape, tuple(painted), tuple(sides)


def _part(shape):
    """The elements of y that lie in the painted shape."""
    return tuple(slice(size) for size in shape)


@kernel(parallel=True)
def _add_bias(y, bias):
    """Add to every plane of y (N C, pixels) its channel's number."""
    for plane in prange(y.shape[0]):
        value = bias[plane % bias.size]
        for p in range(y.shape[1]):
            y[plane, p] += value


def _forward(grad_x, x, weight, bias, stride, padding, output_padding, groups, dilation):
    y_shape, painted, sides = _matching(x.shape, weight.shape, stride, padding, output_padding, groups, dilation)
    if painted == y_shape:
        y = grad_x(x, weight, y_shape, stride, sides, dilation, groups, "zeros")
    else:
        y = memory.zeros(y_shape, x.dtype)
        if min(painted[2:]) > 0:
            y[_part(painted)] = grad_x(x, weight, painted, stride, sides, dilation, groups, "zeros")
    if bias is not None:
        planes = y.shape[0] * y.shape[1]
        _add_bias(y.reshape(planes, y.size // max(planes, 1)), bias)
    return y


def _painted_part(grad, painted):
    """The upstream gradient of the painted shape, contiguous."""
    if painted == grad.shape:
        return grad
    part = memory.empty(painted, grad.dtype)
    part[...] = grad[_part(painted)]
    return part


def _to_x(convolve, grad, weight, x_shape, stride, padding, output_padding, groups, dilation):
    _, painted, sides = _matching(x_shape, weight.shape, stride, padding, output_padding, groups, dilation)
    if min(painted[2:]) < 1:
        return memory.zeros(x_shape, grad.dtype)
    return convolve(_painted_part(grad, painted), weight, None, stride, sides, dilation, groups, "zeros", None)


def _to_weight(grad_weight, grad, x, weight_shape, stride, padding, output_padding, groups, dilation):
    _, painted, sides = _matching(x.shape, weight_shape, stride, padding, output_padding, groups, dilation)
    if min(painted[2:]) < 1:
        return memory.zeros(weight_shape, grad.dtype)
    return grad_weight(x, _painted_part(grad, painted), weight_shape, stride, sides, dilation, groups, "zeros")


def conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation):
    """Paint weight * x at every pixel of x, and add the bias of each output channel."""
    return _forward(conv2d_grad_x, x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d_grad_x(grad, weight, x_shape, stride, padding, output_padding, groups, dilation):
    """Gradient with respect to x."""
    return _to_x(conv2d, grad, weight, x_shape, stride, padding, output_padding, groups, dilation)


def conv_transpose2d_grad_weight(grad, x, weight_shape, stride, padding, output_padding, groups, dilation):
    """Gradient with respect to weight."""
    return _to_weight(conv2d_grad_weight, grad, x, weight_shape, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(x, weight, bias, stride, padding, output_padding, groups, dilation):
    """As `conv_transpose2d`, in volumes."""
    return _forward(conv3d_grad_x, x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d_grad_x(grad, weight, x_shape, stride, padding, output_padding, groups, dilation):
    """As `conv_transpose2d_grad_x`, in volumes."""
    return _to_x(conv3d, grad, weight, x_shape, stride, padding, output_padding, groups, dilation)


def conv_transpose3d_grad_weight(grad, x, weight_shape, stride, padding, output_padding, groups, dilation):
    """As `conv_transpose2d_grad_weight`, in volumes."""
    return _to_weight(conv3d_grad_weight, grad, x, weight_shape, stride, padding, output_padding, groups, dilation)
