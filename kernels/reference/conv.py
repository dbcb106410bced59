"""Two-dimensional convolution and its gradients, as their definitions say.

Plain loops over indices, on float arrays as well as on object arrays of `fractions.Fraction`. x is (N, C_in, H, W),
weight is (C_out, C_in/groups, K_h, K_w); stride, dilation are (height, width); padding is (top, bottom, left, right).
The fast twins have several algorithms; the definition is one, so `algorithm` is taken and has no effect.
"""

from ..sizes import conv_output_size
from .scalars import empty_like_shape, zero_of

__all__ = ["conv2d", "conv2d_grad_bias", "conv2d_grad_weight", "conv2d_grad_x", "relu_mask_and_bias"]

ZEROS, REFLECT, SYMMETRIC, REPLICATE, CIRCULAR = range(5)
PADDING_CODES = {
    "zeros": ZEROS,
    "reflect": REFLECT,
    "symmetric": SYMMETRIC,
    "replicate": REPLICATE,
    "circular": CIRCULAR,
}


def source_index(position, size, code):
    """Which element of an axis of `size` elements stands at `position` of the endless padded axis; -1 where the padding
    is zero.

    With elements a b c:   zeros  0 0 [a b c] 0 0     reflect  c b [a b c] b a     symmetric  b a [a b c] c b
                           replicate  a a [a b c] c c           circular  b c [a b c] a b
    """
    if 0 <= position < size:
        return position
    if code == ZEROS:
        return -1
    if code == REPLICATE:
        return 0 if position < 0 else size - 1
    if code == CIRCULAR:
        return position % size
    if code == SYMMETRIC:
        folded = position % (2 * size)
        return folded if folded < size else 2 * size - 1 - folded
    if size == 1:
        return 0
    folded = position % (2 * size - 2)
    return folded if folded < size else 2 * size - 2 - folded


def output_shape(x_shape, weight_shape, stride, padding, dilation):
    """(N, C_out, H_out, W_out) of a convolution."""
    height = conv_output_size(x_shape[2], weight_shape[2], stride[0], padding[0], padding[1], dilation[0])
    width = conv_output_size(x_shape[3], weight_shape[3], stride[1], padding[2], padding[3], dilation[1])
    return x_shape[0], weight_shape[0], height, width


def products(x_shape, weight_shape, stride, padding, dilation, groups, padding_mode):
    """Every pair (index into y, index into x, index into weight) whose product the convolution adds, in the order of y.

    y[n, o, i, j] gets x[n, g * C_in/groups + c, i * s_h + a * d_h - top, j * s_w + b * d_w - left] * weight[o, c, a,
    b], where g is the group of output channel o. The gradients are sums over the same pairs.
    """
    code = PADDING_CODES[padding_mode]
    shape = output_shape(x_shape, weight_shape, stride, padding, dilation)
    group_inputs = weight_shape[1]
    group_outputs = weight_shape[0] // groups
    for n in range(shape[0]):
        for o in range(shape[1]):
            first_channel = o // group_outputs * group_inputs
            for i in range(shape[2]):
                for j in range(shape[3]):
                    for c in range(group_inputs):
                        for a in range(weight_shape[2]):
                            h = source_index(i * stride[0] + a * dilation[0] - padding[0], x_shape[2], code)
                            for b in range(weight_shape[3]):
                                w = source_index(j * stride[1] + b * dilation[1] - padding[2], x_shape[3], code)
                                if h >= 0 and w >= 0:
                                    yield (n, o, i, j), (n, first_channel + c, h, w), (o, c, a, b)


def conv2d(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation, algorithm="auto"):
    """Cross-correlate x with weight, add the bias of each output channel, and apply ReLU if activation is "relu"."""
    y = empty_like_shape(output_shape(x.shape, weight.shape, stride, padding, dilation), x)
    if bias is not None:
        for o in range(y.shape[1]):
            y[:, o] = bias[o]
    for at_y, at_x, at_weight in products(x.shape, weight.shape, stride, padding, dilation, groups, padding_mode):
        y[at_y] = y[at_y] + x[at_x] * weight[at_weight]
    if activation == "relu":
        zero = zero_of(x)
        flat = y.reshape(-1)
        for i in range(flat.size):
            if flat[i] <= zero:
                flat[i] = zero
    return y


def conv2d_grad_x(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    """Gradient with respect to x: each product hands grad_y * weight to the element of x it used."""
    grad_x = empty_like_shape(x_shape, grad)
    for at_y, at_x, at_weight in products(x_shape, weight.shape, stride, padding, dilation, groups, padding_mode):
        grad_x[at_x] = grad_x[at_x] + grad[at_y] * weight[at_weight]
    return grad_x


def conv2d_grad_weight(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    """Gradient with respect to weight: each product hands grad_y * x to the element of weight it used."""
    grad_weight = empty_like_shape(weight_shape, grad)
    for at_y, at_x, at_weight in products(x.shape, weight_shape, stride, padding, dilation, groups, padding_mode):
        grad_weight[at_weight] = grad_weight[at_weight] + grad[at_y] * x[at_x]
    return grad_weight


def conv2d_grad_bias(grad):
    """Gradient with respect to the bias: the sum of the upstream gradient over images, rows and columns."""
    grad_bias = empty_like_shape((grad.shape[1],), grad)
    for n in range(grad.shape[0]):
        for o in range(grad.shape[1]):
            for i in range(grad.shape[2]):
                for j in range(grad.shape[3]):
                    grad_bias[o] = grad_bias[o] + grad[n, o, i, j]
    return grad_bias


def relu_mask_and_bias(grad, y):
    """Backward of a fused ReLU: the gradient where y > 0, zero elsewhere, and its sum over images, rows, columns."""
    masked = empty_like_shape(grad.shape, grad)
    zero = zero_of(grad)
    for n in range(grad.shape[0]):
        for o in range(grad.shape[1]):
            for i in range(grad.shape[2]):
                for j in range(grad.shape[3]):
                    if not y[n, o, i, j] <= zero:
                        masked[n, o, i, j] = grad[n, o, i, j]
    return masked, conv2d_grad_bias(masked)
