"""All output-size arithmetic, on whole numbers.

The names of the formulas are those of Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285):
input size i, kernel k, stride s, padding p before and q after, dilation d, output size o.
"""

from .errors import ArgumentError, ShapeError

PADDING_NAMES = ("valid", "same", "same_tf", "same_lower", "full", "causal")
PADDING_MODES = ("zeros", "reflect", "symmetric", "replicate", "circular")


def effective_kernel(kernel: int, dilation: int) -> int:
    """The span of a dilated kernel, d (k - 1) + 1: its first and last tap included."""
    return dilation * (kernel - 1) + 1


def conv_output_size(size: int, kernel: int, stride: int, before: int, after: int, dilation: int) -> int:
    """floor((i + p + q - d (k - 1) - 1) / s) + 1; zero or less where the kernel spans more than the padded input."""
    return (size + before + after - effective_kernel(kernel, dilation)) // stride + 1


def pool_output_size(size: int, kernel: int, stride: int, before: int, after: int, dilation: int, ceil_mode: bool) -> int:
    """As `conv_output_size`; with `ceil_mode` rounded up, but the last window must start inside the input or the padding before it."""
    room = size + before + after - effective_kernel(kernel, dilation)
    if not ceil_mode:
        return room // stride + 1
    output = -(-room // stride) + 1
    if (output - 1) * stride >= size + before:
        output -= 1
    return output


def conv_transpose_output_size(
    size: int, kernel: int, stride: int, before: int, after: int, dilation: int, output_padding: int
) -> int:
    """(i - 1) s - p - q + d (k - 1) + output_padding + 1: the input size of the convolution whose gradient this is."""
    return (size - 1) * stride - before - after + effective_kernel(kernel, dilation) + output_padding


def same_padding(size: int, kernel: int, stride: int, dilation: int, name: str) -> tuple[int, int]:
    """The (before, after) that a named padding stands for.

    "same" is torch's rule and asks for stride 1; "same_tf" is TensorFlow's (ONNX SAME_UPPER): o = ceil(i / s), the odd element after;
    "same_lower" puts the odd element before; "full" lets every overlap count; "causal" pads before only.
    """
    span = effective_kernel(kernel, dilation)
    if name == "valid":
        return 0, 0
    if name == "full":
        return span - 1, span - 1
    if name == "causal":
        return span - 1, 0
    if name == "same":
        if stride != 1:
            raise ArgumentError(
                f'padding "same" keeps the size and so asks for stride 1, not {stride}; '
                'use padding="same_tf" (output = ceil(input / stride)) or whole numbers'
            )
        total = span - 1
        return total // 2, total - total // 2
    if name in ("same_tf", "same_lower"):
        total = max((-(-size // stride) - 1) * stride + span - size, 0)
        smaller, larger = total // 2, total - total // 2
        return (smaller, larger) if name == "same_tf" else (larger, smaller)
    raise ArgumentError(f"padding {name!r} is not one of {', '.join(PADDING_NAMES)}, nor whole numbers")


def unread(size: int, kernel: int, stride: int, before: int, after: int, dilation: int) -> int:
    """How many of the last rows of the padded input no window reads: what flooring drops."""
    output = conv_output_size(size, kernel, stride, before, after, dilation)
    if output < 1:
        return size + before + after
    return size + before + after - ((output - 1) * stride + effective_kernel(kernel, dilation))


def receptive_field(layers: list[tuple[int, int, int, int]]) -> tuple[int, int, int]:
    """(size, stride, padding before) of one output element of a chain of (kernel, stride, padding, dilation) layers, in input pixels.

    size = 1 + sum_l d_l (k_l - 1) prod_{m < l} s_m; stride = prod s_l; padding = sum_l p_l prod_{m < l} s_m.
    """
    size, jump, start = 1, 1, 0
    for kernel, stride, padding, dilation in layers:
        size += (effective_kernel(kernel, dilation) - 1) * jump
        start += padding * jump
        jump *= stride
    return size, jump, start


def require_fit(
    operator: str, axis: str, size: int, kernel: int, stride: int, before: int, after: int, dilation: int
) -> int:
    """The output size of a window along one axis, or a ShapeError that says by how much it does not fit."""
    span = effective_kernel(kernel, dilation)
    padded = size + before + after
    if span <= padded:
        return conv_output_size(size, kernel, stride, before, after, dilation)
    if before == after:
        fix = f"padding >= {-(-(span - size) // 2)}"
    else:
        fix = f"{span - padded} more padding in all"
    spans = f"kernel {kernel} with dilation {dilation} spans {span}" if dilation != 1 else f"kernel {kernel}"
    raise ShapeError(f"{operator}: {spans} > padded {axis} {padded} ({axis} {size} + padding {before} + {after}); use {fix}")


def require_padding_fits_mode(operator: str, mode: str, axis: str, size: int, before: int, after: int) -> None:
    """Refuse paddings that a mode has no source for: reflect needs p < i, symmetric and circular p <= i, replicate i >= 1."""
    largest = max(before, after)
    limits = {"reflect": size - 1, "symmetric": size, "circular": size}
    if mode in limits and largest > limits[mode]:
        raise ShapeError(
            f'{operator}: padding_mode "{mode}" can pad {axis} {size} by at most {limits[mode]} a side, not {largest}; '
            'use a smaller padding or padding_mode "replicate"'
        )
    if mode == "replicate" and largest > 0 and size < 1:
        raise ShapeError(f'{operator}: padding_mode "replicate" has no edge to repeat in an empty {axis}; use padding_mode "zeros"')
