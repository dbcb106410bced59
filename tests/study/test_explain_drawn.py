"""`explain` on drawn configurations: the terms it lists sum to the reference kernel's output, and to its gradients, to 1e-12."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinycnn.registry import OPERATORS
from tinycnn.study import explain
from tinycnn.study.explain_arguments import arguments_for
from tinycnn.study.explain_calls import gradients_of, run_operator
from tinycnn.study.operator_examples import example_arguments

TOLERANCE = 1e-12
INEXACT = {"complete_box_iou_loss"}  # whose gradient takes alpha as a constant


def close(terms, kernel):
    """To 1e-12 of the largest number, or of 1."""
    kernel = np.asarray(kernel, np.float64)
    np.testing.assert_allclose(
        np.asarray(terms, np.float64).reshape(kernel.shape), kernel, rtol=0, atol=TOLERANCE * max(1, np.abs(kernel).max(initial=0))
    )


def sums(part):
    """What the terms of each element add up to."""
    return [float(sum(float(term.value) for term in element.terms)) for element in part.elements]


def explained(name, options):
    """The terms of every element against the kernels on floats, forward and backward, and finite differences beside them."""
    found = explain(name, backward=True, **options)
    run = run_operator(name, arguments_for(OPERATORS[name], (), options, 0))
    outputs = {label: tensor.data for label, tensor in run.outputs}
    for part in found.results:
        if part.values.dtype.kind == "f" and outputs[part.name].dtype.kind == "f":
            assert all(element.terms for element in part.elements)
            close(sums(part), outputs[part.name])
    live = [label for label, tensor in run.outputs if tensor.requires_grad]
    assert live and found.gradients
    upstreams = {label: found.arrays["grad" if len(live) == 1 else f"grad_{label}"] for label in live}
    expected = gradients_of(run, upstreams)
    for part in found.gradients:
        close(sums(part), expected[part.of])
    assert not [note for note in found.notes if "differs from" in note or "does not run on traced" in note]
    if name not in INEXACT:
        assert not [check for check in found.checks if not check.agrees]


@st.composite
def array(draw, *shape, low=-3, high=3):
    """Whole numbers, which are equal here and there, or floats."""
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    if draw(st.booleans()):
        return rng.integers(low, high + 1, shape).astype(np.float64)
    return rng.uniform(low, high, shape)


def one_of(*values):
    return st.sampled_from(values)


@st.composite
def convolutions(draw):
    rank = draw(one_of(1, 1, 2, 2, 3))
    groups, deep, wide = draw(one_of(1, 2)), draw(one_of(1, 2)), draw(one_of(1, 2))
    most = 4 if rank < 3 else 2
    kernel = [draw(st.integers(1, 3 if rank < 3 else 2)) for _ in range(rank)]
    stride, dilation = [draw(st.integers(1, 3)) for _ in range(rank)], [draw(st.integers(1, 2)) for _ in range(rank)]
    around = [draw(st.integers(0, 2 if rank < 3 else 1)) for _ in range(2 * rank)]
    mode = draw(one_of("zeros", "zeros", "replicate", "circular", "reflect", "symmetric"))
    size = [max(draw(st.integers(1, most)), d * (k - 1) + 1 - p - q) for k, d, p, q in zip(kernel, dilation, around[::2], around[1::2])]
    if mode != "zeros":
        size = [max(number, 3) for number in size]
    options = {
        "input": draw(array(1, groups * deep, *size)),
        "weight": draw(array(groups * wide, deep, *kernel)),
        "stride": tuple(stride), "padding": tuple(around), "dilation": tuple(dilation), "groups": groups, "padding_mode": mode,
    }  # fmt: skip
    if draw(st.booleans()):
        options["bias"] = draw(array(groups * wide))
    return f"conv{rank}d", options


@st.composite
def transposed(draw):
    rank = draw(one_of(1, 2, 2))
    groups, deep, wide = draw(one_of(1, 2)), draw(one_of(1, 2)), draw(one_of(1, 2))
    kernel, size = [draw(st.integers(1, 3)) for _ in range(rank)], [draw(st.integers(1, 3)) for _ in range(rank)]
    stride, dilation = [draw(st.integers(1, 3)) for _ in range(rank)], [draw(st.integers(1, 2)) for _ in range(rank)]
    behind = [draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation)]
    room = [(i - 1) * s + d * (k - 1) + b for i, s, d, k, b in zip(size, stride, dilation, kernel, behind)]
    crop = tuple(draw(st.integers(0, min(number // 2, 2))) for number in room)
    return f"conv_transpose{rank}d", {
        "input": draw(array(1, groups * deep, *size)), "weight": draw(array(groups * deep, wide, *kernel)), "bias": draw(array(groups * wide)),
        "stride": tuple(stride), "padding": crop, "output_padding": tuple(behind), "groups": groups, "dilation": tuple(dilation),
    }  # fmt: skip


@st.composite
def pools(draw):
    rank = draw(one_of(1, 2, 2))
    kind = draw(one_of("max", "avg", "lp", "adaptive_max", "adaptive_avg", "min", "sum"))
    name = f"{kind}_pool{rank}d"
    size = [draw(st.integers(2, 5)) for _ in range(rank)]
    if kind.startswith("adaptive"):
        return name, {"input": draw(array(1, 1, *size)), "output_size": tuple(draw(st.integers(1, 4)) for _ in range(rank))}
    kernel = tuple(draw(st.integers(1, number)) for number in size)
    options = {"input": draw(array(1, 1, *size)), "kernel_size": kernel, "stride": tuple(draw(st.integers(1, 3)) for _ in range(rank))}
    options["ceil_mode"] = draw(st.booleans())
    if kind == "lp":
        options |= {"input": draw(array(1, 1, *size, low=1)), "norm_type": draw(one_of(1.0, 2.0, 3.0))}
    if kind in ("max", "avg"):
        options["padding"] = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    if kind == "avg":
        options["count_include_pad"] = draw(st.booleans())
        if rank > 1 and draw(st.booleans()):
            options["divisor_override"] = draw(st.integers(1, 5))
    return name, options


@st.composite
def norms(draw):
    name = draw(one_of("batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm", "local_response_norm", "normalize"))
    channels = 4 if name == "group_norm" else draw(st.integers(1, 3))
    x = draw(array(2, channels, draw(st.integers(2, 3)))) + np.linspace(0, 0.5, channels)[:, None]
    scale = {"weight": draw(array(channels)), "bias": draw(array(channels))} if draw(st.booleans()) else {}
    if name == "batch_norm":
        training = draw(st.booleans())
        moments = {"running_mean": draw(array(channels)), "running_var": draw(array(channels, low=1))} if not training else {}
        return name, {"input": x, "training": training, "eps": draw(one_of(1e-5, 0.5)), **scale, **moments}
    if name == "group_norm":
        return name, {"input": x, "num_groups": draw(one_of(1, 2, 4)), "eps": 1e-2, **scale}
    if name == "instance_norm":
        return name, {"input": x, "eps": 1e-2, **scale}
    if name == "layer_norm":
        shape = x.shape[draw(one_of(1, 2)) :]
        more = {"weight": draw(array(*shape)), "bias": draw(array(*shape))} if scale else {}
        return name, {"input": x, "normalized_shape": shape, "eps": 1e-2, **more}
    if name == "rms_norm":
        return name, {"input": x, "normalized_shape": x.shape[2:], "eps": 1e-2}
    if name == "local_response_norm":
        return name, {"input": x, "size": draw(st.integers(1, 4)), "alpha": 0.5, "beta": 0.75, "k": 1.0}
    return name, {"input": x + 0.25, "p": 2.0, "dim": draw(one_of(1, 2))}


@st.composite
def resizes(draw):
    mode = draw(one_of("nearest", "nearest-exact", "bilinear", "bicubic", "area"))
    options = {"input": draw(array(1, 1, draw(st.integers(1, 4)), draw(st.integers(1, 4)))), "mode": mode, "align_corners": None}
    if mode in ("bilinear", "bicubic"):
        options["align_corners"] = draw(st.booleans())
        options["antialias"] = not options["align_corners"] and draw(st.booleans())
    if draw(st.booleans()):
        return "interpolate", {**options, "size": (draw(st.integers(1, 5)), draw(st.integers(1, 5)))}
    return "interpolate", {**options, "scale_factor": draw(one_of(1, 1.5, 2))}


@st.composite
def grids(draw):
    return "grid_sample", {
        "input": draw(array(1, draw(one_of(1, 2)), 3, 2)), "grid": draw(array(1, 2, 2, 2)) * 0.43 + 0.0137,
        "mode": draw(one_of("bilinear", "nearest", "bicubic")), "padding_mode": draw(one_of("zeros", "border", "reflection")),
        "align_corners": draw(st.booleans()),
    }  # fmt: skip


LOSSES = sorted(
    name
    for name, operator in OPERATORS.items()
    if operator.family in ("loss", "box_losses") and operator.differentiable and "reduction" in inspect.signature(operator.function).parameters
)


@st.composite
def losses(draw):
    name = draw(st.sampled_from(LOSSES))
    options = {**example_arguments(name, draw(st.integers(0, 50))), "reduction": draw(one_of("none", "mean", "sum"))}
    if name in ("cross_entropy", "nll_loss"):
        options |= {"weight": np.array([1.0, 2.0, 0.5]), "ignore_index": draw(one_of(-100, 1))} if draw(st.booleans()) else {}
        options["target"] = np.array([0, 2])
    if name == "cross_entropy":
        options["label_smoothing"] = draw(one_of(0.0, 0.25))
    return name, options


@st.composite
def attentions(draw):
    long, wide = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    keys = long if draw(st.booleans()) else draw(st.integers(1, 3))
    options = {"query": draw(array(1, long, wide)), "key": draw(array(1, keys, wide)), "value": draw(array(1, keys, wide))}
    choice = draw(one_of("none", "causal", "bool", "float"))
    if choice == "causal":
        options["is_causal"] = True
    elif choice == "bool":
        options["attn_mask"] = np.tri(long, keys) > 0
    elif choice == "float":
        options["attn_mask"] = draw(array(long, keys))
    return "scaled_dot_product_attention", {**options, "scale": draw(one_of(None, 0.5))}


@st.composite
def regions(draw):
    name = draw(one_of("roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool"))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    start = rng.uniform(-1, 3, (2, 2))
    boxes = np.concatenate([np.zeros((2, 1)), start, start + rng.uniform(0, 4, (2, 2))], 1)
    options = {
        "input": draw(array(1, 4 if name.startswith("ps") else 1, 4, 4)),
        "boxes": boxes,
        "output_size": 2,
        "spatial_scale": draw(one_of(0.5, 1.0)),
    }
    if name.endswith("align"):
        options["sampling_ratio"] = draw(one_of(0, 1, 2))
    if name == "roi_align":
        options["aligned"] = draw(st.booleans())
    return name, options


@st.composite
def deformed(draw):
    k, s, p, deep = draw(one_of((1, 2, 0, 2), (2, 1, 0, 1), (2, 2, 1, 1)))
    out = (3 + 2 * p - k) // s + 1
    options = {
        "input": draw(array(1, deep, 3, 3)), "weight": draw(array(1, deep, k, k)), "stride": s, "padding": p,
        "offset": draw(array(1, 2 * k * k, out, out)) * 0.31 + 0.0173, "bias": draw(array(1)),
    }  # fmt: skip
    if draw(st.booleans()):
        options["mask"] = draw(array(1, k * k, out, out))
    return "deform_conv2d", options


@st.composite
def indexings(draw):
    name = draw(one_of("gather", "scatter", "scatter_add", "index_select", "index_add", "take_along_dim", "masked_fill", "where", "embedding"))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    x, dim = draw(array(3, 3)), draw(one_of(0, 1))
    if name in ("gather", "take_along_dim"):
        return name, {"input": x, "dim": dim, ("index" if name == "gather" else "indices"): rng.integers(0, 3, (3, 3))}
    if name in ("scatter", "scatter_add"):  # scatter leaves open which of two at one place wins
        index = np.argsort(rng.uniform(size=(3, 3)), dim) if name == "scatter" else rng.integers(0, 3, (3, 3))
        return name, {"input": x, "dim": dim, "index": index, "src": draw(array(3, 3))}
    if name == "index_select":
        return name, {"input": x, "dim": dim, "index": rng.integers(0, 3, 4)}
    if name == "index_add":
        return name, {"input": x, "dim": dim, "index": rng.integers(0, 3, 3), "source": draw(array(3, 3))}
    if name == "masked_fill":
        return name, {"input": x, "mask": rng.uniform(size=(3, 3)) > 0.5, "value": -1.5}
    if name == "where":
        return name, {"condition": rng.uniform(size=(3, 3)) > 0.5, "input": x, "other": draw(array(3, 3))}
    return name, {"input": rng.integers(0, 3, 4), "weight": x}


@st.composite
def orders(draw):
    name = draw(one_of("sort", "topk", "kthvalue", "median", "max", "min", "amax", "cumsum", "cumprod"))
    options = {"input": draw(array(2, 3)), "dim": draw(one_of(0, 1))}
    if name == "sort":
        options["descending"] = draw(st.booleans())
    if name == "topk":
        options |= {"largest": draw(st.booleans()), "k": draw(st.integers(1, 2))}
    if name == "kthvalue":
        options["k"] = draw(st.integers(1, 2))
    return name, options


@st.composite
def reductions(draw):
    name = draw(one_of("sum", "mean", "var", "std", "logsumexp", "norm", "prod", "softmax", "log_softmax"))
    x = draw(array(2, 3)) + np.arange(6).reshape(2, 3) / 8 + 0.0625
    options = {"input": x, "dim": draw(one_of(0, 1))}
    if name in ("var", "std"):
        options["correction"] = draw(one_of(0, 1))
    if name == "norm":
        options["p"] = draw(one_of(1.0, 2.0, 3.0, float("inf")))
    if "softmax" not in name:
        options["keepdim"] = draw(st.booleans())
    return name, options


@st.composite
def products(draw):
    name = draw(one_of("matmul", "einsum", "bmm", "linear", "tensordot"))
    n, m, p = (draw(st.integers(1, 3)) for _ in range(3))
    if name == "matmul":
        left, right = draw(one_of(((m,), (m,)), ((n, m), (m,)), ((m,), (m, p)), ((n, m), (m, p)), ((2, n, m), (m, p)), ((1, n, m), (2, m, p))))
        return name, {"input": draw(array(*left)), "other": draw(array(*right))}
    if name == "einsum":
        equation = draw(one_of("ij,jk", "ij,jk->ki", "ij,jk->", "ij,jk->ijk", "ij,jk->j"))
        return name, {"equation": equation, "operands": (draw(array(n, m)), draw(array(m, p)))}
    if name == "bmm":
        return name, {"input": draw(array(2, n, m)), "mat2": draw(array(2, m, p))}
    if name == "linear":
        return name, {"input": draw(array(n, m)), "weight": draw(array(p, m)), "bias": draw(array(p))}
    return name, {"a": draw(array(n, m)), "b": draw(array(m, p)), "dims": 1}


FAMILIES = {
    "convolution": convolutions(), "transposed convolution": transposed(), "pooling": pools(), "normalisation": norms(), "resizing": resizes(),
    "grid_sample": grids(), "losses": losses(), "attention": attentions(), "regions": regions(), "deformable convolution": deformed(),
    "indexing": indexings(), "order": orders(), "reductions": reductions(), "matrix products": products(),
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=4)
@given(data=st.data())
def test_terms_sum_to_the_kernel(family, data):
    explained(*data.draw(FAMILIES[family]))


@pytest.mark.exhaustive
@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=200)
@given(data=st.data())
def test_terms_sum_to_the_kernel_widely(family, data):
    explained(*data.draw(FAMILIES[family]))
