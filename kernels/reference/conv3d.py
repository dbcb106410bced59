"""Three-dimensional convolution and its gradients, as their definitions say.

x is (N, C_in, D, H, W), weight is (C_out, C_in/groups, K_d, K_h, K_w); stride, dilation are (depth, height, width); padding is (front, back,
top, bottom, left, right). `algorithm` is taken and has no effect, as in conv.py.
"""

from itertools import product

from ..sizes import conv_output_size
from .conv import PADDING_CODES, source_index
from .scalars import empty_like_shape, zero_of

__all__ = ["conv3d", "conv3d_grad_weight", "conv3d_grad_x"]


def output_shape(x_shape, weight_shape, stride, padding, dilation):
    """(N, C_out, D_out, H_out, W_out) of a convolution."""
    sizes = [
        conv_output_size(
            x_shape[2 + axis], weight_shape[2 + axis], stride[axis], padding[2 * axis], padding[2 * axis + 1], dilation[axis]
        )
        for axis in range(3)
    ]
    return x_shape[0], weight_shape[0], *sizes


def products(x_shape, weight_shape, stride, padding, dilation, groups, padding_mode):
    """Every pair (index into y, index into x, index into weight) whose product the convolution adds, in the order of y."""
    code = PADDING_CODES[padding_mode]
    shape = output_shape(x_shape, weight_shape, stride, padding, dilation)
    group_inputs = weight_shape[1]
    group_outputs = weight_shape[0] // groups
    for n in range(shape[0]):
        for o in range(shape[1]):
            first_channel = o // group_outputs * group_inputs
            for place in product(range(shape[2]), range(shape[3]), range(shape[4])):
                for c in range(group_inputs):
                    for tap in product(range(weight_shape[2]), range(weight_shape[3]), range(weight_shape[4])):
                        source = [
                            source_index(
                                place[axis] * stride[axis] + tap[axis] * dilation[axis] - padding[2 * axis], x_shape[2 + axis], code
                            )
                            for axis in range(3)
                        ]
                        if min(source) >= 0:
                            yield (n, o, *place), (n, first_channel + c, *source), (o, c, *tap)


def conv3d(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation, algorithm="auto"):
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


def conv3d_grad_x(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    """Gradient with respect to x: each product hands grad_y * weight to the element of x it used."""
    grad_x = empty_like_shape(x_shape, grad)
    for at_y, at_x, at_weight in products(x_shape, weight.shape, stride, padding, dilation, groups, padding_mode):
        grad_x[at_x] = grad_x[at_x] + grad[at_y] * weight[at_weight]
    return grad_x


def conv3d_grad_weight(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    """Gradient with respect to weight: each product hands grad_y * x to the element of weight it used."""
    grad_weight = empty_like_shape(weight_shape, grad)
    for at_y, at_x, at_weight in products(x.shape, weight_shape, stride, padding, dilation, groups, padding_mode):
        grad_weight[at_weight] = grad_weight[at_weight] + grad[at_y] * x[at_x]
    return grad_weight
