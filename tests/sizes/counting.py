"""Output sizes by counting, window by window and stroke by stroke: no formula of sizes.py is used here."""


def windows(size, kernel, stride, before, after, dilation, sticking_out=0):
    """How many windows lie in positions -before to size + after - 1; the last may stick out behind by at most `sticking_out`."""
    count, start = 0, -before
    while max(start + tap * dilation for tap in range(kernel)) <= size + after - 1 + sticking_out:
        count += 1
        start += stride
    return count


def pooled(size, kernel, stride, before, after, dilation, ceil_mode):
    """As `windows`, one sticking out by less than a stride with ceil_mode, if it starts inside the input or before it; None if refused."""
    if 2 * before > kernel or 2 * after > kernel:
        return None
    count = windows(size, kernel, stride, before, after, dilation, stride - 1 if ceil_mode else 0)
    while ceil_mode and count and (count - 1) * stride - before >= size:
        count -= 1
    return count or None


def painted(size, kernel, stride, before, after, dilation, output_padding):
    """The length of the canvas that strokes reach, with blank elements behind, cropped; None if refused."""
    if output_padding >= stride and output_padding >= dilation:
        return None
    canvas = {place * stride + tap * dilation for place in range(size) for tap in range(kernel)}
    kept = list(range(max(canvas) + 1 + output_padding))[before:]
    kept = kept[: len(kept) - after] if after <= len(kept) else []
    return len(kept) or None


def named(size, kernel, stride, dilation, name):
    """(before, after, output) of a padding by name: the smallest padding that does what the name says; None each if refused."""
    if name == "same" and stride != 1:
        return None, None, None
    reach = (kernel - 1) * dilation
    if name == "full":  # the first window has its last tap on the first element, the last its first tap on the last
        return reach, reach, windows(size, kernel, stride, reach, reach, dilation)
    if name == "causal":
        return reach, 0, windows(size, kernel, stride, reach, 0, dilation)
    wanted = len(range(0, size, stride))
    if name == "same":
        total = next(total for total in range(10_000) if windows(size + total, kernel, 1, 0, 0, dilation) == size)
        return total // 2, total - total // 2, size
    total = next(total for total in range(10_000) if windows(size + total, kernel, stride, 0, 0, dilation) >= wanted)
    less, more = total // 2, total - total // 2
    before, after = (less, more) if name == "same_tf" else (more, less)
    return before, after, windows(size, kernel, stride, before, after, dilation)
