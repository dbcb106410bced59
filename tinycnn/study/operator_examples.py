"""A small worked example for every operator: the arguments that `explain` takes where none are given.

One table by the names of arguments; an entry "operator.argument" or "family:argument" goes before the plain name. Values are whole numbers where
the operator allows it, so that everything can be checked by hand, and differ from each other, so that every maximum has one place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..registry import OPERATORS, Operator

__all__ = ["example_arguments"]

Draw = Callable[[np.random.Generator], Any]


def whole(*shape: int, least: int | None = None) -> Draw:
    """Different whole numbers around zero, or from `least` up."""
    count = int(np.prod(shape))

    def draw(rng: np.random.Generator) -> np.ndarray:
        start = -(count // 3) if least is None else least
        return np.asarray(rng.permutation(np.arange(start, start + count, dtype=np.float64))).reshape(shape)

    return draw


def parts(*shape: int, least: float = -0.875, step: float = 0.125) -> Draw:
    """Multiples of a step from `least` up, all different."""
    count = int(np.prod(shape))
    return lambda rng: (least + step * rng.permutation(max(count, 14))[:count]).reshape(shape)


def indices(classes: int, *shape: int) -> Draw:
    """Class numbers or positions."""
    return lambda rng: rng.integers(0, classes, shape)


def given(value: Any) -> Draw:
    """The value itself, arrays copied."""
    return lambda rng: value.copy() if isinstance(value, np.ndarray) else value


def several(*draws: Draw) -> Draw:
    """A tuple of drawn arrays."""
    return lambda rng: tuple(draw(rng) for draw in draws)


def signs(count: int) -> Draw:
    """1 and -1 in turn, as targets of pairs."""
    return given(np.where(np.arange(count) % 2, -1.0, 1.0))


BOXES = given(np.array([[0.0, 0, 4, 4], [1, 1, 5, 5], [6, 0, 8, 3]]))
OTHER_BOXES = given(np.array([[2.0, 2, 6, 6], [0, 0, 4, 3], [6, 1, 9, 3]]))
IMAGE = whole(1, 1, 4, 4)
BITS = given(np.array([[True, False, True], [False, True, False]]))
LOGIC = ("logical_and", "logical_or", "logical_xor")
NOT_FINITE = given(np.array([[1.0, np.inf, -2], [np.nan, -np.inf, 0]]))
DISTANCES = ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "gaussian_nll_loss", "poisson_nll_loss")
ANGLES = ("arcface_logits", "arcface_loss", "cosface_logits", "cosface_loss", "sphereface_logits", "sphereface_loss")

TABLE: dict[str, Draw] = {
    "input": whole(2, 3),
    "other": whole(2, 3, least=1),
    "tensors": several(whole(2, 2), whole(2, 2, least=4)),
    "dim": given(1),
    "k": given(2),
    "index": given(np.array([[0, 1, 1], [1, 0, 0]])),
    "mask": BITS,
    "source": whole(2, 3, least=10),
    "src": whole(2, 3, least=10),
    "target": indices(3, 2),
    "exponent": given(2.0),
    "condition": BITS,
    "boxes": BOXES,
    "boxes1": BOXES,
    "boxes2": OTHER_BOXES,
    "scores": given(np.array([0.75, 0.5, 0.25])),
    "idxs": given(np.array([0, 0, 1])),
    "iou_threshold": given(0.25),
    "p": given(0.5),
    "generator": lambda rng: np.random.default_rng(0),
    **{name: whole(2, 3) for name in ("input1", "x1", "anchor")},
    **{name: whole(2, 3, least=1) for name in ("input2", "x2", "positive")},
    "negative": whole(2, 3, least=-1),
    "mat1": whole(2, 3),
    "mat2": whole(3, 2),
    "vec": whole(3),
    "vec2": whole(2),
    "batch1": whole(1, 2, 2),
    "batch2": whole(1, 2, 2),
    "a": whole(2, 2),
    "b": whole(2, 2),
    "shifts": given(1),
    "sizes": given((3, 1)),
    "size": given((4, 4)),
    "shape": given((2, 3)),
    "embeddings": given(np.array([[0.5, 1.0], [-0.75, 0.5]])),
    # Numbers with a domain
    **{f"{name}.input": parts(2, 3) for name in ("acos", "asin", "atanh", "erf", "erfc", "exp", "exp2", "expm1", "sinh", "cosh", "tan")},
    **{f"{name}.input": whole(2, 3, least=1) for name in ("acosh", "log", "log10", "log2", "rsqrt", "sqrt", "reciprocal", "log1p")},
    **{f"{name}.input": parts(2, 3, least=-1.625, step=0.25) for name in ("ceil", "floor", "frac", "trunc", "round", "isin")},
    **{f"{name}.input": whole(2, 3, least=1) for name in ("hypot", "floor_divide", "fmod", "remainder", "xlogy", "atan2")},
    **{f"{name}.input": NOT_FINITE for name in ("isnan", "isinf", "isfinite", "isneginf", "isposinf")},
    **{f"{name}.other": given(np.array([[2.0, 3, 4], [5, 7, 4]])) for name in ("floor_divide", "fmod", "remainder")},
    **{f"{name}.input": BITS for name in ("all", "any", *LOGIC)},
    **{f"{name}.other": given(np.array([[True, True, False], [False, True, False]])) for name in LOGIC},
    **{f"{name}.other": given(np.array([[0.0, 1, 1], [-1, 2, 0]])) for name in ("eq", "ne", "ge", "gt", "le", "lt", "isclose", "allclose", "equal")},
    "logaddexp.input": parts(2, 3),
    "logaddexp2.input": parts(2, 3),
    "logaddexp.other": parts(2, 3),
    "logaddexp2.other": parts(2, 3),
    "logical_not.input": given(np.array([True, False, True])),
    "elements": given(np.array([1.0, 2, 3, 4])),
    "test_elements": given(np.array([2.0, 4])),
    "clamp.min": given(-1.0),
    "clamp.max": given(2.0),
    "clip.min": given(-1.0),
    "clip.max": given(2.0),
    "addcdiv.tensor1": whole(2, 3),
    "addcdiv.tensor2": whole(2, 3, least=1),
    "addcmul.tensor1": whole(2, 3),
    "addcmul.tensor2": whole(2, 3, least=1),
    "lerp.end": whole(2, 3, least=3),
    "lerp.weight": given(0.25),
    # Convolution, pooling and their kin
    "conv:input": IMAGE,
    "conv:weight": whole(1, 1, 2, 2),
    "conv:bias": given(np.array([1.0])),
    "convolve:input": IMAGE,
    "convolve:weight": whole(1, 1, 2, 2),
    "conv_transpose:input": whole(1, 1, 2, 2),
    "conv_transpose:weight": whole(1, 1, 3, 3),
    "conv_transpose:stride": given(2),
    **{f"{name}.input": whole(1, 1, 6) for name in ("conv1d", "convolve1d")},
    **{f"{name}.weight": whole(1, 1, 3) for name in ("conv1d", "convolve1d")},
    "conv_transpose1d.input": whole(1, 1, 3),
    "conv_transpose1d.weight": whole(1, 1, 3),
    **{f"{name}.input": whole(1, 1, 3, 3, 3) for name in ("conv3d", "convolve3d")},
    **{f"{name}.weight": whole(1, 1, 2, 2, 2) for name in ("conv3d", "convolve3d")},
    "conv_transpose3d.input": whole(1, 1, 2, 2, 2),
    "conv_transpose3d.weight": whole(1, 1, 2, 2, 2),
    "deform_conv2d.input": whole(1, 1, 3, 3),
    "deform_conv2d.weight": whole(1, 1, 2, 2),
    "deform_conv2d.offset": parts(1, 8, 2, 2, least=-0.4375, step=0.03125),
    **{f"{family}:input": IMAGE for family in ("adaptive_pool", "fractional_pool", "lp_pool", "min_sum_pool", "pool", "unfold")},
    "global_pool:input": whole(1, 2, 2, 2),
    "kernel_size": given(2),
    "norm_type": given(2.0),
    "output_size": given(2),
    **{f"{name}.input": whole(1, 1, 6) for name in ("adaptive_avg_pool1d", "adaptive_max_pool1d", "avg_pool1d", "max_pool1d")},
    **{f"{name}.input": whole(1, 1, 6) for name in ("lp_pool1d", "min_pool1d", "sum_pool1d")},
    **{f"{name}.input": whole(1, 1, 4, 4, 4) for name in ("adaptive_avg_pool3d", "adaptive_max_pool3d", "avg_pool3d", "max_pool3d")},
    **{f"{name}.input": whole(1, 1, 4, 4, 4) for name in ("lp_pool3d", "min_pool3d", "sum_pool3d", "fractional_max_pool3d")},
    "fractional_max_pool2d.output_size": given((2, 2)),
    "fractional_max_pool3d.output_size": given((2, 2, 2)),
    "fold.input": whole(1, 4, 4),
    "fold.output_size": given((3, 3)),
    "pad.input": whole(1, 1, 2, 3),
    "pad.pad": given((1, 1, 1, 0)),
    "unpool:input": whole(1, 1, 2, 2),
    "max_unpool1d.input": whole(1, 1, 3),
    "max_unpool1d.indices": given(np.array([[[0, 3, 4]]])),
    "max_unpool2d.indices": given(np.array([[[[0, 3], [9, 14]]]])),
    "max_unpool3d.input": whole(1, 1, 1, 2, 2),
    "max_unpool3d.indices": given(np.array([[[[[0, 3], [9, 14]]]]])),
    "scale": given(2),
    "resize:input": whole(1, 1, 2, 2),
    "resize:scale_factor": given(2),
    "interpolate.mode": given("bilinear"),
    "interpolate.align_corners": given(False),
    "grid_sample.input": whole(1, 1, 3, 3),
    "grid_sample.grid": given(np.array([[[[-0.5, -0.5], [0.25, 0.5]], [[0.0, 0.375], [0.75, -0.25]]]])),
    "grid_sample.align_corners": given(False),
    "theta": given(np.array([[[1.0, 0.5, 0], [0, 2, -0.25]]])),
    "affine_grid.size": given((1, 1, 2, 2)),
    "affine_grid.align_corners": given(False),
    "channel_shuffle.input": whole(1, 4, 1, 2),
    "channel_shuffle.groups": given(2),
    "pixel_shuffle.input": whole(1, 4, 2, 2),
    "pixel_unshuffle.input": IMAGE,
    "upscale_factor": given(2),
    "downscale_factor": given(2),
    # Normalisation
    "batch_norm:input": whole(2, 2, 2),
    "batch_norm.running_mean": given(None),
    "batch_norm.running_var": given(None),
    "batch_norm.training": given(True),
    "batch_norm.eps": given(1e-5),
    "batch_norm.weight": given(np.array([1.0, 2.0])),
    "batch_norm.bias": given(np.array([0.0, 1.0])),
    "group_norm:input": whole(1, 2, 4),
    "num_groups": given(1),
    "normalized_shape": given((3,)),
    "local_response_norm.input": whole(1, 3, 2),
    "local_response_norm.size": given(3),
    "weight_standardization.weight": whole(2, 1, 2, 2),
    "linear.input": whole(2, 3),
    "linear.weight": whole(2, 3),
    "linear.bias": given(np.array([1.0, -1.0])),
    "glu.input": whole(2, 4),
    "rectifiers:weight": given(np.array([0.25])),
    "threshold.threshold": given(1.0),
    "threshold.value": given(-5.0),
    # Attention
    "query": parts(1, 2, 2),
    "key": parts(1, 2, 2),
    "value": whole(1, 2, 2),
    "masked_fill.value": given(-1.0),
    "multi_head_attention:query": parts(2, 1, 2),
    "multi_head_attention:key": parts(2, 1, 2),
    "multi_head_attention:value": parts(2, 1, 2),
    "embed_dim_to_check": given(2),
    "num_heads": given(1),
    "in_proj_weight": parts(6, 2),
    "in_proj_bias": given(None),
    "bias_k": given(None),
    "bias_v": given(None),
    "add_zero_attn": given(False),
    "dropout_p": given(0.0),
    "out_proj_weight": whole(2, 2),
    "out_proj_bias": given(None),
    # Dropout
    "dropout1d.input": whole(1, 3, 2),
    "dropout2d.input": whole(1, 3, 2, 2),
    "dropout3d.input": whole(1, 3, 1, 2, 2),
    "feature_alpha_dropout.input": whole(2, 3, 2),
    "alpha_dropout.training": given(True),
    "feature_alpha_dropout.training": given(True),
    "rrelu.training": given(True),
    "drop_block2d.input": whole(1, 1, 4, 4),
    "drop_block3d.input": whole(1, 1, 3, 3, 3),
    "block_size": given(1),
    "drop_block2d.p": given(0.25),
    "drop_block3d.p": given(0.25),
    "stochastic_depth.mode": given("row"),
    # Indexing and shapes
    "embedding.input": given(np.array([2, 0, 2])),
    "embedding.weight": whole(3, 2),
    "index_add.index": given(np.array([2, 0, 2])),
    "index_select.index": given(np.array([2, 0])),
    "index_put.indices": given((np.array([0, 1]), np.array([2, 0]))),
    "values": given(np.array([10.0, 20.0])),
    "nonzero.input": given(np.array([[3.0, 0, 0], [0, 7, 0]])),
    "one_hot.tensor": given(np.array([2, 0, 1])),
    "repeats": given(2),
    "repeat_interleave.repeats": given(2),
    "scatter.index": given(np.array([[2, 0, 1], [0, 2, 1]])),
    "scatter.src": whole(2, 3, least=10),
    "take_along_dim.indices": given(np.array([[2, 1, 0], [0, 0, 1]])),
    "take_along_dim.dim": given(1),
    "broadcast_to.input": whole(1, 3),
    "chunk.input": whole(2, 4),
    "chunks": given(2),
    "diag.input": whole(3),
    "diag_embed.input": whole(2, 2),
    "diagonal.input": whole(3, 3),
    "trace.input": whole(3, 3),
    "tril.input": whole(3, 3),
    "triu.input": whole(3, 3),
    "dot.input": whole(3),
    "dot.tensor": whole(3, least=1),
    "equation": given("ij,jk"),
    "operands": several(whole(2, 3), whole(3, 2)),
    "expand.input": whole(1, 3),
    "expand.size": given((2, 3)),
    "flip.axes": given((1,)),
    "matmul.input": whole(2, 3),
    "matmul.other": whole(3, 2),
    "mm.input": whole(2, 3),
    "bmm.input": whole(1, 2, 2),
    "bmm.mat2": whole(1, 2, 2),
    "addmm.input": whole(2, 2),
    "baddbmm.input": whole(1, 2, 2),
    "mv.input": whole(2, 3),
    "outer.input": whole(2),
    "meshgrid.tensors": several(whole(2), whole(3, least=5)),
    "movedim.source": given(0),
    "movedim.destination": given(1),
    "start": given(1),
    "length": given(2),
    "permute.dims": given((1, 0)),
    "repeat.repeats": given((1, 2)),
    "reshape.shape": given((3, 2)),
    "view.shape": given((3, 2)),
    "tile.dims": given((2,)),
    "select.index": given(1),
    "split.tensor": whole(4, 2),
    "split_size_or_sections": given(2),
    "squeeze.input": whole(2, 1, 2),
    "tensordot.dims": given(1),
    "dim0": given(0),
    "dim1": given(1),
    "diag_embed.dim1": given(-2),
    "diagonal.dim1": given(0),
    "bincount.input": given(np.array([0, 1, 1, 3])),
    "boundaries": given(np.array([0.0, 2, 4])),
    "sorted_sequence": given(np.array([0.0, 2, 4])),
    "unique.input": given(np.array([3.0, 1, 3, 2])),
    "histc.bins": given(3),
    "prod.input": whole(2, 3, least=1),
    # Losses
    "loss:input": parts(2, 3),
    "gram_matrix.input": whole(1, 2, 1, 3),
    "style_loss.input": whole(1, 2, 1, 2),
    "style_loss.target": whole(1, 2, 1, 2, least=1),
    "total_variation.input": whole(1, 1, 2, 3),
    "binary_cross_entropy.input": parts(2, 2, least=0.125, step=0.0625),
    "binary_cross_entropy.target": given(np.array([[1.0, 0], [0, 1]])),
    "binary_cross_entropy_with_logits.target": given(np.array([[1.0, 0, 1], [0, 1, 0]])),
    "multilabel_soft_margin_loss.target": given(np.array([[1.0, 0, 1], [0, 1, 0]])),
    "multilabel_margin_loss.target": given(np.array([[0, -1, -1], [1, 2, -1]])),
    **{f"{name}.target": whole(2, 3, least=1) for name in DISTANCES},
    **{f"{name}.input": whole(2, 3) for name in ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss")},
    "kl_div.target": given(np.array([[0.25, 0.25, 0.5], [0.5, 0.375, 0.125]])),
    "soft_margin_loss.target": given(np.array([[1.0, -1, 1], [-1, 1, -1]])),
    "hinge_embedding_loss.target": given(np.array([[1.0, -1, 1], [-1, 1, -1]])),
    "var": parts(2, 3, least=0.5),
    **{f"{name}.target": signs(2) for name in ("margin_ranking_loss", "cosine_embedding_loss")},
    "margin_ranking_loss.input1": whole(2),
    "margin_ranking_loss.input2": whole(2, least=1),
    "contrastive_loss.input1": parts(2, 2),
    "contrastive_loss.input2": parts(2, 2),
    "contrastive_loss.target": given(np.array([0, 1])),
    **{f"{name}.weight": given(np.array([[1.0, 0.5], [-0.5, 0.75], [0.25, 1.0]])) for name in ANGLES},
    **{f"{name}.target": given(np.array([0, 2])) for name in ANGLES},
    "triplet_loss_batch.embeddings": whole(4, 2),
    "labels": given(np.array([0, 0, 1, 1])),
    **{f"{name}.input": parts(1, 3, 2) for name in ("dice_loss", "lovasz_softmax")},
    **{f"{name}.target": given(np.array([[0, 2]])) for name in ("dice_loss", "lovasz_softmax")},
    "lovasz_hinge.input": parts(1, 2),
    "lovasz_hinge.target": given(np.array([[0, 1]])),
    "logits": parts(1, 3),
    # Boxes
    "box_losses:inputs": parts(2, 2),
    "box_losses:targets": given(np.array([[1.0, 0], [0, 1]])),
    "in_fmt": given("xyxy"),
    "out_fmt": given("cxcywh"),
    "clip_boxes_to_image.size": given((3, 5)),
    "masks": given(np.array([[[0, 0, 0], [0, 1, 1], [0, 1, 0]]]) > 0),
    "min_size": given(3.0),
    **{f"roi:{name}": draw for name, draw in {"input": IMAGE, "boxes": given(np.array([[0.0, 0, 0, 3, 3]])), "output_size": given(2)}.items()},
    **{f"{name}.input": whole(1, 4, 3, 3) for name in ("ps_roi_align", "ps_roi_pool")},
    "roi_align.sampling_ratio": given(2),
    "ps_roi_align.sampling_ratio": given(2),
}

OPTIONAL_TOO = frozenset(("generator", "scale_factor"))  # filled in although they have a default; so is every "operator.argument" entry


def example_arguments(name: str, seed: int = 0, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The arguments of the operator's worked example, drawn with a seed.

    Parameters
    ----------
    name : str
        An operator of the registry.
    seed : int
        Decides the drawn numbers.
    without : tuple of str
        Arguments that the caller gives; they are left out.

    Returns
    -------
    dict
        Arguments by name; those of a parameter such as `*shape` as a tuple.

    Examples
    --------
    >>> sorted(example_arguments("max_pool2d"))
    ['input', 'kernel_size']
    """
    operator = OPERATORS[name]
    rng = np.random.default_rng(seed)
    found = {}
    for parameter in inspect.signature(operator.function).parameters.values():
        draw = _entry(operator, parameter)
        if parameter.name not in without and draw is not None:
            found[parameter.name] = draw(rng)
        elif parameter.name not in without and parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL:
            raise ArgumentError(f"explain: there is no example of {name}'s argument {parameter.name}; give it")
    return found


def _entry(operator: Operator, parameter: inspect.Parameter) -> Draw | None:
    """The table's line for an argument, or None where its default will do."""
    special = TABLE.get(f"{operator.name}.{parameter.name}", TABLE.get(f"{operator.family}:{parameter.name}"))
    if special is not None:
        return special
    wanted = parameter.default is parameter.empty or parameter.name in OPTIONAL_TOO
    return TABLE.get(parameter.name) if wanted else None
