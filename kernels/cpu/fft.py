"""Convolution through the Fourier transform, where it is a product of numbers, frequency by frequency.

With X, W the transforms of the padded image and of the kernel, both filled up with zeros to one size, and * the conjugate

    y = F^-1(sum_c X_c W*_oc)        grad_x~ = F^-1(sum_o G_o W_oc)        grad_weight_oc = F^-1(sum_n G*_no X_nc)

The transform's size is the padded image's: only the indices that do not wrap around are kept. A stride is a choice among the results of stride 1,
so its gradient has zeros between; a dilation puts zeros between the kernel's elements. Time does not depend on the kernel's size, so large
kernels win. Rounding is relative to the largest number of an image, and a NaN or an infinity spreads over its whole image.
"""

import numpy as np
import scipy.fft

from .. import memory
from ..reference.conv import output_shape
from ..threads import get_num_threads
from .im2col import fold_by, pad_by, sources


def _transform(images, size):
    """(N, C, frequencies): the half of the spectrum that the other half mirrors."""
    spectra = scipy.fft.rfft2(images, size, workers=get_num_threads())
    return spectra.reshape(*images.shape[:2], -1)


def _back(spectra, shape, size):
    """Images of shape (N, C) and the transform's size, from spectra (frequencies, groups, N, C / groups)."""
    ordered = spectra.transpose(2, 1, 3, 0).reshape(*shape, size[0], size[1] // 2 + 1)
    return scipy.fft.irfft2(ordered, size, workers=get_num_threads())


def _sizes(x_shape, padding):
    """(rows and columns of the padded image, those of the transform)."""
    padded = (x_shape[2] + padding[0] + padding[1], x_shape[3] + padding[2] + padding[3])
    return padded, tuple(scipy.fft.next_fast_len(size, real=True) for size in padded)


def _spread(arrays, step):
    """Zeros between the elements of the last two axes, so that neighbours lie `step` apart."""
    if step == (1, 1):
        return arrays
    height, width = arrays.shape[2:]
    spread = np.zeros((*arrays.shape[:2], (height - 1) * step[0] + 1, (width - 1) * step[1] + 1), arrays.dtype)
    spread[:, :, :: step[0], :: step[1]] = arrays
    return spread


def _by_group(spectra, groups):
    """(N, C, frequencies) as (frequencies, groups, N, C / groups)."""
    images, channels, frequencies = spectra.shape
    return spectra.reshape(images, groups, channels // groups, frequencies).transpose(3, 1, 0, 2)


def _filters(weight, dilation, groups, size):
    """(frequencies, groups, C_out / groups, C_in / groups)."""
    spectra = _transform(_spread(weight, dilation), size)
    outputs, inputs, frequencies = spectra.shape
    return spectra.reshape(groups, outputs // groups, inputs, frequencies).transpose(3, 0, 1, 2)


def conv2d_fft(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation):
    """Cross-correlation as a product of spectra; arguments as `reference.conv.conv2d`."""
    shape = output_shape(x.shape, weight.shape, stride, padding, dilation)
    y = memory.empty(shape, x.dtype)
    if y.size == 0:
        return y
    _, size = _sizes(x.shape, padding)
    images = _by_group(_transform(pad_by(x, *sources(x.shape, padding, padding_mode)), size), groups)
    filters = _filters(weight, dilation, groups, size)
    everywhere = _back(np.matmul(images, filters.conj().transpose(0, 1, 3, 2)), shape[:2], size)
    last = ((shape[2] - 1) * stride[0] + 1, (shape[3] - 1) * stride[1] + 1)
    y[...] = everywhere[:, :, : last[0] : stride[0], : last[1] : stride[1]]
    if bias is not None:
        y += bias[:, np.newaxis, np.newaxis]
    if activation == "relu":
        np.maximum(y, 0, out=y)
    return y


def conv2d_grad_x_fft(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode):
    """Gradient with respect to x; arguments as `reference.conv.conv2d_grad_x`."""
    if grad.size == 0:
        return memory.zeros(x_shape, grad.dtype)
    padded, size = _sizes(x_shape, padding)
    upstream = _by_group(_transform(_spread(grad, stride), size), groups)
    everywhere = _back(np.matmul(upstream, _filters(weight, dilation, groups, size)), x_shape[:2], size)
    return fold_by(everywhere[:, :, : padded[0], : padded[1]], *sources(x_shape, padding, padding_mode), x_shape)


def conv2d_grad_weight_fft(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode):
    """Gradient with respect to weight; arguments as `reference.conv.conv2d_grad_weight`."""
    grad_weight = memory.zeros(weight_shape, grad.dtype)
    if grad.size == 0 or x.size == 0:
        return grad_weight
    _, size = _sizes(x.shape, padding)
    images = _by_group(_transform(pad_by(x, *sources(x.shape, padding, padding_mode)), size), groups)
    upstream = _by_group(_transform(_spread(grad, stride), size), groups)
    products = np.matmul(upstream.conj().transpose(0, 1, 3, 2), images)
    # (frequencies, groups, C_out / groups, C_in / groups) to (C_out, C_in / groups, rows, columns).
    spectra = products.transpose(1, 2, 3, 0).reshape(*weight_shape[:2], size[0], size[1] // 2 + 1)
    lags = scipy.fft.irfft2(spectra, size, workers=get_num_threads())
    last = ((weight_shape[2] - 1) * dilation[0] + 1, (weight_shape[3] - 1) * dilation[1] + 1)
    grad_weight[...] = lags[:, :, : last[0] : dilation[0], : last[1] : dilation[1]]
    return grad_weight
