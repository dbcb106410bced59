"""Regularisers that drop what belongs together: blocks of a feature map, whole residual branches."""

from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..functional._arguments import float_tensor, one_of, whole
from ..random import default_generator
from ..registry import operator
from ..tensor import Tensor
from ._arguments import probability, real_number

__all__ = ["drop_block2d", "drop_block3d", "stochastic_depth"]

MODES = ("batch", "row")


def _scaled(name: str, tensor: Tensor, factor: np.ndarray) -> Tensor:
    """y = factor x, with the factor a constant."""

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (grad * factor,)

    return record(name, tensor.data * factor, (tensor,), backward)


def _drop_block(name: str, axes: int, input: Any, p: Any, block_size: Any, eps: Any, training: bool, generator: Any, return_mask: bool) -> Any:
    """DropBlock over the last `axes` axes."""
    p = probability(name, p)
    block = whole(name, "block_size", block_size, 1)
    eps = real_number(name, "eps", eps)
    tensor = float_tensor(name, "input", input)
    shape = tensor.data.shape
    if len(shape) != axes + 2:
        raise ShapeError(f"{name}: input has shape {shape}; it must have {axes + 2} axes, (N, C, {'D, H, W' if axes == 3 else 'H, W'})")
    if not training or p == 0:
        return (tensor, Tensor(np.ones(shape, np.bool_))) if return_mask else tensor
    sizes = shape[2:]
    block = min(block, *sizes)
    if block % 2 == 0:
        raise ArgumentError(f"{name}: block_size must be odd, not {block} (the smaller of block_size and the map's sides); use {max(block - 1, 1)}")
    seats = tuple(size - block + 1 for size in sizes)
    rate = p * np.prod(sizes, dtype=np.float64) / (float(block) ** axes * np.prod(seats, dtype=np.float64))
    dropped = default_generator(generator).random((*shape[:2], *seats)) < rate
    for axis, size in zip(range(2, 2 + axes), sizes):
        # Each seat drops `block` neighbours along the axis, from itself on.
        wider = np.zeros((*dropped.shape[:axis], size, *dropped.shape[axis + 1 :]), np.bool_)
        for step in range(block):
            wider[(slice(None),) * axis + (slice(step, step + dropped.shape[axis]),)] |= dropped
        dropped = wider
    kept = ~dropped
    factor = kept * tensor.data.dtype.type(kept.size / (eps + kept.sum()) if kept.any() else 0)
    y = _scaled(name, tensor, factor)
    return (y, Tensor(kept)) if return_mask else y


@operator(family="regularisation", differentiable=("input",))
def drop_block2d(
    input: Any,
    p: float,
    block_size: int,
    inplace: bool = False,
    eps: float = 1e-06,
    training: bool = True,
    *,
    generator: np.random.Generator | None = None,
    return_mask: bool = False,
) -> Any:
    """Set square blocks of each map to zero, and scale the rest so that the sum of factors stays.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H, W)

    Formula
    -------
    Each of the (H - b + 1) (W - b + 1) blocks of side b in a map is drawn with probability
    gamma = p H W / (b^2 (H - b + 1) (W - b + 1)); kept = 0 in a drawn block, else 1;

        y = input kept N C H W / (eps + sum of kept); grad_input = grad kept N C H W / (eps + sum of kept)

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    p : float
        The share of pixels to drop, from 0 to 1, as long as blocks overlap little.
    block_size : int
        Side of a block in pixels, at most the map's, odd.
    inplace : bool
        Accepted and changes nothing.
    eps : float
        Added to the number of kept pixels.
    training : bool
        False gives the input back.
    generator : numpy.random.Generator, optional
        Where the blocks are drawn from; the package's generator if left out.
    return_mask : bool
        Also give the mask: a boolean tensor, true where a pixel was kept.

    Returns
    -------
    Tensor, or (Tensor, Tensor) where `return_mask`

    Raises
    ------
    ArgumentError
        If p is not from 0 to 1 or the block is even. ShapeError: not four axes.

    Notes
    -----
    The paper's gamma is (1 - keep_prob) / b^2 times the same quotient of areas; it draws one mask for all channels or one for each, here each.

    References
    ----------
    Ghiasi, Lin and Le 2018, "DropBlock: a regularization method for convolutional networks", algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> y, kept = ops.drop_block2d(np.ones((1, 1, 8, 8)), 0.2, 3, generator=np.random.default_rng(5), return_mask=True)
    >>> int((~kept.numpy()).sum()) % 3, round(float(y.numpy().sum()), 3)
    (0, 64.0)
    """
    return _drop_block("drop_block2d", 2, input, p, block_size, eps, training, generator, return_mask)


@operator(family="regularisation", differentiable=("input",))
def drop_block3d(
    input: Any,
    p: float,
    block_size: int,
    inplace: bool = False,
    eps: float = 1e-06,
    training: bool = True,
    *,
    generator: np.random.Generator | None = None,
    return_mask: bool = False,
) -> Any:
    """`drop_block2d` with cubes in a volume.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D, H, W)

    Formula
    -------
    gamma = p D H W / (b^3 (D - b + 1) (H - b + 1) (W - b + 1)); the rest as in `drop_block2d`, its gradient as well.

    Parameters
    ----------
    input, p, block_size, inplace, eps, training, generator, return_mask
        As in `drop_block2d`.

    Returns
    -------
    Tensor, or (Tensor, Tensor) where `return_mask`

    Raises
    ------
    ArgumentError
        If p is not from 0 to 1 or the block is even. ShapeError: not five axes.

    References
    ----------
    Ghiasi, Lin and Le 2018, "DropBlock: a regularization method for convolutional networks", algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> ops.drop_block3d(np.ones((1, 1, 3, 3, 3)), 1.0, 3).numpy().sum()
    np.float64(0.0)
    """
    return _drop_block("drop_block3d", 3, input, p, block_size, eps, training, generator, return_mask)


@operator(family="regularisation", differentiable=("input",))
def stochastic_depth(
    input: Any, p: float, mode: str, training: bool = True, *, generator: np.random.Generator | None = None, return_mask: bool = False
) -> Any:
    """Set a whole residual branch to zero with probability `p`, for the batch or image by image, and scale it otherwise.

    Shapes
    ------
    (N, ...) -> (N, ...)

    Formula
    -------
    kept[n] = 1 with probability 1 - p, else 0, drawn once in mode "batch", for each image in mode "row";
    y[n] = kept[n] input[n] / (1 - p); grad_input[n] = kept[n] grad[n] / (1 - p).

    Parameters
    ----------
    input : Tensor
        The branch before it is added, float32 or float64.
    p : float
        Probability of a zero, from 0 to 1.
    mode : str
        "batch" or "row".
    training : bool
        False gives the input back.
    generator : numpy.random.Generator, optional
        Where the choice is drawn from; the package's generator if left out.
    return_mask : bool
        Also give what was kept: a boolean tensor of the shape (1, 1, ...) or (N, 1, ...).

    Returns
    -------
    Tensor, or (Tensor, Tensor) where `return_mask`

    Raises
    ------
    ArgumentError
        If p or the mode is unknown. ShapeError: a single number in mode "row".

    Notes
    -----
    The paper scales at test time instead; timm calls this drop path.

    References
    ----------
    Huang et al. 2016, "Deep networks with stochastic depth", section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> ops.stochastic_depth(np.ones((2, 3)), 1.0, "row").tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    p = probability("stochastic_depth", p)
    one_of("stochastic_depth", "mode", mode, MODES)
    tensor = float_tensor("stochastic_depth", "input", input)
    x = tensor.data
    if mode == "row" and not x.ndim:
        raise ShapeError('stochastic_depth: input is a single number, which has no rows; use mode="batch"')
    shape = tuple(size if mode == "row" and axis == 0 else 1 for axis, size in enumerate(x.shape))
    if not training or p == 0:
        return (tensor, Tensor(np.ones(shape, np.bool_))) if return_mask else tensor
    kept = np.asarray(default_generator(generator).random(shape) >= p)
    y = _scaled("stochastic_depth", tensor, kept * x.dtype.type(1 / (1 - p) if p < 1 else 0))
    return (y, Tensor(kept)) if return_mask else y
