"""Convolution and its gradients on a CUDA device."""

from numba import cuda

from ..reference.conv import PADDING_CODES, ZEROS, output_shape, source_index
from .device import by_kind, empty, launch

__all__ = ["conv2d", "conv2d_grad_bias", "conv2d_grad_weight", "conv2d_grad_x"]

# The same few lines that the definition runs.
_source = cuda.jit(device=True)(source_index)


@cuda.jit(device=True)
def _unravel(place, shape):
    """(n, c, i, j) of a flat place in an array of four axes."""
    j, place = place % shape[3], place // shape[3]
    i, place = place % shape[2], place // shape[2]
    return place // shape[1], place % shape[1], i, j


@by_kind
def _kernels(kind):
    zero = kind(0)

    @cuda.jit
    def forward(x, weight, bias, has_bias, relu, y, stride, padding, dilation, groups, code):
        place = cuda.grid(1)
        if place >= y.size:
            return
        n, o, i, j = _unravel(place, y.shape)
        first_channel = o // (y.shape[1] // groups) * weight.shape[1]
        total = bias[o] if has_bias else kind(0)
        for c in range(weight.shape[1]):
            for a in range(weight.shape[2]):
                h = _source(i * stride[0] + a * dilation[0] - padding[0], x.shape[2], code)
                for b in range(weight.shape[3]):
                    w = _source(j * stride[1] + b * dilation[1] - padding[2], x.shape[3], code)
                    if h >= 0 and w >= 0:
                        total += x[n, first_channel + c, h, w] * weight[o, c, a, b]
        y[n, o, i, j] = kind(0) if relu and total <= zero else total

    @cuda.jit
    def for_x(grad, weight, grad_x, stride, padding, dilation, groups, code):
        place = cuda.grid(1)
        if place >= grad_x.size:
            return
        n, channel, h, w = _unravel(place, grad_x.shape)
        height, width = grad_x.shape[2], grad_x.shape[3]
        group, c = channel // weight.shape[1], channel % weight.shape[1]
        outputs = weight.shape[0] // groups
        total = kind(0)
        # A pixel stands at one place of the zero-padded image, and at several of an image padded with itself.
        first_row, end_row = (h, h + 1) if code == ZEROS else (-padding[0], height + padding[1])
        first_column, end_column = (w, w + 1) if code == ZEROS else (-padding[2], width + padding[3])
        for row in range(first_row, end_row):
            if _source(row, height, code) != h:
                continue
            for column in range(first_column, end_column):
                if _source(column, width, code) != w:
                    continue
                for a in range(weight.shape[2]):
                    i = row + padding[0] - a * dilation[0]
                    if i < 0 or i % stride[0] or i // stride[0] >= grad.shape[2]:
                        continue
                    for b in range(weight.shape[3]):
                        j = column + padding[2] - b * dilation[1]
                        if j < 0 or j % stride[1] or j // stride[1] >= grad.shape[3]:
                            continue
                        for o in range(group * outputs, (group + 1) * outputs):
                            total += grad[n, o, i // stride[0], j // stride[1]] * weight[o, c, a, b]
        grad_x[n, channel, h, w] = total

    @cuda.jit
    def for_weight(grad, x, grad_weight, stride, padding, dilation, groups, code):
        place = cuda.grid(1)
        if place >= grad_weight.size:
            return
        o, c, a, b = _unravel(place, grad_weight.shape)
        channel = o // (grad.shape[1] // groups) * grad_weight.shape[1] + c
        total = kind(0)
        for n in range(grad.shape[0]):
            for i in range(grad.shape[2]):
                h = _source(i * stride[0] + a * dilation[0] - padding[0], x.shape[2], code)
                if h < 0:
                    continue
                for j in range(grad.shape[3]):
                    w = _source(j * stride[1] + b * dilation[1] - padding[2], x.shape[3], code)
                    if w >= 0:
                        total += grad[n, o, i, j] * x[n, channel, h, w]
        grad_weight[o, c, a, b] = total

    @cuda.jit
    def for_bias(grad, grad_bias):
        o = cuda.grid(1)
        if o < grad_bias.size:
            total = 0.0
            for n in range(grad.shape[0]):
                for i in range(grad.shape[2]):
                    for j in range(grad.shape[3]):
                        total += grad[n, o, i, j]
            grad_bias[o] = total

    return forward, for_x, for_weight, for_bias


def conv2d(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation, algorithm="auto"):
    """Cross-correlate x with weight, add the bias of each output channel, and apply ReLU if activation is "relu"."""
    y = empty(output_shape(x.shape, weight.shape, stride, padding, dilation), x.dtype, x)
    code = PADDING_CODES[padding_mode]
    given = weight.reshape(-1) if bias is None else bias
    launch(
        _kernels(x)[0], y.size, x, weight, given, bias is not None, activation == "relu", y, stride, padding, dilation, groups, code
    )
    return y


def conv2d_grad_x(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    """Gradient with respect to x: each product hands grad_y * weight to the element of x it used."""
    grad_x = empty(tuple(x_shape), grad.dtype, grad)
    launch(_kernels(grad)[1], grad_x.size, grad, weight, grad_x, stride, padding, dilation, groups, PADDING_CODES[padding_mode])
    return grad_x


def conv2d_grad_weight(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    """Gradient with respect to weight: each product hands grad_y * x to the element of weight it used."""
    grad_weight = empty(tuple(weight_shape), grad.dtype, grad)
    launch(_kernels(grad)[2], grad_weight.size, grad, x, grad_weight, stride, padding, dilation, groups, PADDING_CODES[padding_mode])
    return grad_weight


def conv2d_grad_bias(grad):
    """Gradient with respect to the bias: the sum of the upstream gradient over images, rows and columns."""
    grad_bias = empty((grad.shape[1],), grad.dtype, grad)
    launch(_kernels(grad)[3], grad_bias.size, grad, grad_bias)
    return grad_bias
