"""Every loss that torch has: values, gradients and refusals over drawn configurations."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, nn
from tinycnn import functional as F
from tinycnn.errors import TinycnnError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

T = torch.nn.functional
TOLERANCE = {np.float64: 1e-9, np.float32: 5e-5}
seeds = st.integers(0, 2**32 - 1)
reductions = st.sampled_from(["mean", "sum", "none"])
dtypes = st.sampled_from([np.float64, np.float32])
shapes = st.sampled_from([(), (1,), (5,), (3, 4), (2, 3, 4), (0, 3), (3, 0)])
matrices = st.sampled_from([(4,), (1, 3), (3, 5), (0, 4)])


def same(name, arrays, fixed=(), dtype=np.float64, seed=0, **options):
    """Ours and torch's function of one name give equal values, and equal gradients under a random upstream gradient."""
    mine = [Tensor(array.astype(dtype), requires_grad=True) for array in arrays]
    others = [torch.tensor(array.astype(dtype), requires_grad=True) for array in arrays]
    ours = {key: Tensor(value.astype(dtype)) if isinstance(value, np.ndarray) else value for key, value in options.items()}
    theirs = {key: torch.tensor(value.astype(dtype)) if isinstance(value, np.ndarray) else value for key, value in options.items()}
    y = getattr(F, name)(*mine, *fixed, **ours)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = getattr(T, name)(*others, *(torch.tensor(array) for array in fixed), **theirs)
    assert y.shape == tuple(expected.shape)
    assert y.dtype == dtype
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=tolerance, atol=tolerance)
    upstream = np.random.default_rng(seed).standard_normal(y.shape).astype(dtype)
    y.backward(upstream)
    expected.backward(torch.tensor(upstream))
    for one, other in zip(mine, others, strict=True):
        np.testing.assert_allclose(one.grad.data, other.grad.numpy(), rtol=tolerance, atol=10 * tolerance)


def both_refuse(name, arrays, **options):
    """torch raises, and so do we, with an error of our own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((RuntimeError, ValueError, IndexError, TypeError)):
            theirs = {key: torch.tensor(value) if isinstance(value, np.ndarray) else value for key, value in options.items()}
            getattr(T, name)(*(torch.tensor(array) for array in arrays), **theirs)
    with pytest.raises(TinycnnError):
        getattr(F, name)(*arrays, **options)


def distinct(rng, shape):
    """Normal numbers that are not within 0.01 of 0 or 1, where losses have their kinks."""
    x = rng.standard_normal(shape) * 1.5
    return np.where(np.abs(np.abs(x) - 0.5) > 0.49, np.where(np.abs(x) < 0.02, x + 0.1, x + 0.05), x)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
@given(shape=shapes, reduction=reductions, corner=st.sampled_from([0.3, 1.0, 2.5]), weighted=st.booleans(), dtype=dtypes, seed=seeds)
def test_regression(name, shape, reduction, corner, weighted, dtype, seed):
    rng = np.random.default_rng(seed)
    options = {"smooth_l1_loss": {"beta": corner}, "huber_loss": {"delta": corner}}.get(name, {})
    if weighted and name != "smooth_l1_loss":
        options["weight"] = np.asarray(rng.random(shape) + 0.1)
    same(name, [rng.standard_normal(shape), rng.standard_normal(shape)], dtype=dtype, seed=seed, reduction=reduction, **options)


def test_smooth_l1_without_a_parabola():
    x, y = np.array([0.5, -2.0, 0.0]), np.zeros(3)
    same("smooth_l1_loss", [x, y], beta=0.0)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits", "soft_margin_loss"])
def test_special_numbers(name):
    x = np.array([np.nan, np.inf, -np.inf, 1e30, 0.0, 1.0])
    target = np.array([0.5, 0.5, 0.5, 0.5, 0.0, 1.0])
    mine, other = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    ours, theirs = getattr(F, name)(mine, target, reduction="none"), getattr(T, name)(other, torch.tensor(target), reduction="none")
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-12)
    ours.backward(np.ones(6))
    theirs.backward(torch.ones(6, dtype=torch.float64))
    finite = np.isfinite(x)
    np.testing.assert_allclose(mine.grad.data[finite], other.grad.numpy()[finite], rtol=1e-12)


@given(
    st.sampled_from([(4, 5), (2, 3, 4), (2, 3, 2, 2), (1, 2, 2, 1, 3), (5,), (0, 3), (3, 4, 0), (2, 1)]),
    st.booleans(),
    reductions,
    st.sampled_from([0.0, 0.2, 1.0]),
    st.booleans(),
    dtypes,
    seeds,
)
def test_cross_entropy_of_probabilities(shape, weighted, reduction, smoothing, large, dtype, seed):
    rng = np.random.default_rng(seed)
    axis = 0 if len(shape) == 1 else 1
    x = (100 if large else 2) * rng.standard_normal(shape)
    target = rng.random(shape)
    target = target / target.sum(axis, keepdims=True)
    options = {"weight": rng.random(shape[axis])} if weighted else {}
    same("cross_entropy", [x, target], dtype=dtype, seed=seed, reduction=reduction, label_smoothing=smoothing, **options)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@given(
    shape=st.sampled_from([(4, 5), (2, 3, 4), (2, 3, 2, 2), (1, 2, 2, 1, 3), (5,), (0, 3), (3, 4, 0), (2, 1), (150, 3), (3, 70)]),
    weighted=st.booleans(),
    reduction=reductions,
    ignore=st.sampled_from([-100, 1, -1]),
    dtype=dtypes,
    seed=seeds,
)
def test_losses_of_class_indices(name, shape, weighted, reduction, ignore, dtype, seed):
    rng = np.random.default_rng(seed)
    axis = 0 if len(shape) == 1 else 1
    labels = np.asarray(rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :]))
    if len(shape) > 1:
        labels[rng.random(labels.shape) < 0.4] = ignore
    options = {"weight": rng.random(shape[axis])} if weighted else {}
    same(name, [rng.standard_normal(shape)], [labels], dtype, seed, reduction=reduction, ignore_index=ignore, **options)


def test_all_ignored():
    for name in ("cross_entropy", "nll_loss"):
        x, labels = np.ones((2, 3)), np.array([-100, -100])
        assert np.isnan(getattr(F, name)(x, labels).item())
        assert np.isnan(getattr(T, name)(torch.tensor(x), torch.tensor(labels)).item())
        assert getattr(F, name)(x, labels, reduction="sum").item() == 0


@given(shapes, reductions, st.booleans(), st.booleans(), dtypes, seeds)
def test_binary_cross_entropy(shape, reduction, weighted, extreme, dtype, seed):
    rng = np.random.default_rng(seed)
    p, y = rng.random(shape) * 0.98 + 0.01, rng.random(shape)
    if extreme:
        p = np.round(p)
        y = np.round(y)
    options = {"weight": np.asarray(rng.random(shape[-1:]))} if weighted else {}
    mine, other = Tensor(p.astype(dtype), requires_grad=True), torch.tensor(p.astype(dtype), requires_grad=True)
    ours = F.binary_cross_entropy(mine, y.astype(dtype), reduction=reduction, **{k: v.astype(dtype) for k, v in options.items()})
    theirs = T.binary_cross_entropy(
        other, torch.tensor(y.astype(dtype)), reduction=reduction, **{k: torch.tensor(v.astype(dtype)) for k, v in options.items()}
    )
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    ours.backward(np.ones(ours.shape, dtype))
    theirs.backward(torch.ones_like(theirs))
    np.testing.assert_allclose(mine.grad.data, other.grad.numpy(), rtol=20 * TOLERANCE[dtype], atol=TOLERANCE[dtype])


@given(shapes, reductions, st.booleans(), st.booleans(), st.booleans(), dtypes, seeds)
def test_binary_cross_entropy_with_logits(shape, reduction, weighted, favoured, large, dtype, seed):
    rng = np.random.default_rng(seed)
    z, y = (60 if large else 2) * rng.standard_normal(shape), rng.random(shape)
    options = {"weight": np.asarray(rng.random(shape[-1:]))} if weighted else {}
    if favoured:
        options["pos_weight"] = np.asarray(rng.random(shape[-1:]) * 3)
    same("binary_cross_entropy_with_logits", [z, y], dtype=dtype, seed=seed, reduction=reduction, **options)


@given(shapes, st.sampled_from(["mean", "sum", "none", "batchmean"]), st.booleans(), st.booleans(), dtypes, seeds)
def test_kl_div(shape, reduction, log_target, broadcast, dtype, seed):
    rng = np.random.default_rng(seed)
    p = rng.random(shape[-1:] if broadcast else shape) + 0.01
    arrays = [np.log(rng.random(shape) + 0.01), np.log(p) if log_target else p]
    same("kl_div", arrays, dtype=dtype, seed=seed, reduction=reduction, log_target=log_target)


def test_kl_div_of_impossible_events():
    x, p = np.log(np.array([0.5, 0.25, 0.25])), np.array([0.0, 1.0, -1.0])
    np.testing.assert_array_equal(F.kl_div(x, p, reduction="none").data, T.kl_div(torch.tensor(x), torch.tensor(p), reduction="none").numpy())


@given(shapes, reductions, st.booleans(), st.booleans(), dtypes, seeds)
def test_poisson_nll_loss(shape, reduction, log_input, full, dtype, seed):
    rng = np.random.default_rng(seed)
    z = rng.random(shape) + 0.1
    same("poisson_nll_loss", [z, rng.random(shape) * 4 + 0.01], dtype=dtype, seed=seed, log_input=log_input, full=full, reduction=reduction)


def test_poisson_nll_loss_of_whole_counts():
    z, y = np.array([0.5, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0, 5.0])
    for full in (True, False):
        np.testing.assert_allclose(
            F.poisson_nll_loss(z, y, full=full, reduction="none").data,
            T.poisson_nll_loss(torch.tensor(z), torch.tensor(y), full=full, reduction="none").numpy(),
            rtol=1e-12,
        )


@given(st.sampled_from([(3,), (3, 4), (2, 3, 4)]), st.sampled_from(["same", "row", "one", "number"]), reductions, st.booleans(), dtypes, seeds)
def test_gaussian_nll_loss(shape, kind, reduction, full, dtype, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(shape), rng.standard_normal(shape)]
    if kind == "number":
        same("gaussian_nll_loss", arrays, dtype=dtype, seed=seed, var=0.5, full=full, reduction=reduction)
        return
    var = rng.random({"same": shape, "row": shape[:-1], "one": (*shape[:-1], 1)}[kind])
    var = np.where(var < 0.3, 1e-9, var + 0.2)
    same("gaussian_nll_loss", [*arrays, var], dtype=dtype, seed=seed, full=full, eps=1e-2, reduction=reduction)


@given(shapes, reductions, st.sampled_from([0.5, 1.0, -0.3]), dtypes, seeds)
def test_hinge_embedding_loss(shape, reduction, margin, dtype, seed):
    rng = np.random.default_rng(seed)
    target = np.asarray(rng.choice([-1, 1, 0], shape))
    same("hinge_embedding_loss", [distinct(rng, shape)], [target], dtype, seed, margin=margin, reduction=reduction)


@given(shapes, reductions, st.sampled_from([0.0, 0.7]), dtypes, seeds)
def test_margin_ranking_loss(shape, reduction, margin, dtype, seed):
    rng = np.random.default_rng(seed)
    target = np.asarray(rng.choice([-1, 1], shape))
    same("margin_ranking_loss", [rng.standard_normal(shape), rng.standard_normal(shape)], [target], dtype, seed, margin=margin, reduction=reduction)


@given(shapes, reductions, dtypes, seeds)
def test_soft_margin_loss(shape, reduction, dtype, seed):
    rng = np.random.default_rng(seed)
    target = np.asarray(rng.choice([-1.0, 1.0], shape)).astype(dtype)
    same("soft_margin_loss", [3 * rng.standard_normal(shape)], [target], dtype, seed, reduction=reduction)


@given(matrices, st.sampled_from([1, 2]), st.sampled_from([1.0, 0.4]), st.booleans(), reductions, dtypes, seeds)
def test_multi_margin_loss(shape, p, margin, weighted, reduction, dtype, seed):
    if shape[0] == 0 and reduction != "none":
        return  # torch's kernel returns what lay in memory
    rng = np.random.default_rng(seed)
    options = {"weight": rng.random(shape[-1])} if weighted else {}
    target = np.asarray(rng.integers(0, shape[-1], shape[:-1]))
    same("multi_margin_loss", [rng.standard_normal(shape)], [target], dtype, seed, p=p, margin=margin, reduction=reduction, **options)


@given(st.sampled_from([(4,), (1, 3), (3, 5), (2, 1)]), reductions, dtypes, seeds)
def test_multilabel_margin_loss(shape, reduction, dtype, seed):
    rng = np.random.default_rng(seed)
    target = np.asarray(rng.integers(-1, shape[-1], shape))
    same("multilabel_margin_loss", [rng.standard_normal(shape)], [target], dtype, seed, reduction=reduction)


@given(st.sampled_from([(4,), (1, 3), (3, 5), (2, 3, 4)]), st.booleans(), reductions, dtypes, seeds)
def test_multilabel_soft_margin_loss(shape, weighted, reduction, dtype, seed):
    rng = np.random.default_rng(seed)
    options = {"weight": rng.random(shape[-1])} if weighted else {}
    same("multilabel_soft_margin_loss", [2 * rng.standard_normal(shape), rng.random(shape)], dtype=dtype, seed=seed, reduction=reduction, **options)


@given(matrices, reductions, st.sampled_from([0.0, 0.5, -0.5]), dtypes, seeds)
def test_cosine_embedding_loss(shape, reduction, margin, dtype, seed):
    rng = np.random.default_rng(seed)
    target = np.asarray(rng.choice([-1, 1, 0], shape[:-1]))
    same("cosine_embedding_loss", [rng.standard_normal(shape), rng.standard_normal(shape)], [target], dtype, seed, margin=margin, reduction=reduction)


@given(st.sampled_from([((3, 4), (3, 4)), ((3, 4), (1, 4)), ((2, 3, 4), (3, 4)), ((2, 3), (2, 1)), ((4,), (4,))]), st.integers(-3, 2), dtypes, seeds)
def test_cosine_similarity(pair, dim, dtype, seed):
    rng = np.random.default_rng(seed)
    dim = max(min(dim, len(pair[0]) - 1), -len(pair[0]))
    same("cosine_similarity", [rng.standard_normal(shape) for shape in pair], dtype=dtype, seed=seed, dim=dim)


def test_cosine_similarity_of_short_vectors():
    same("cosine_similarity", [np.array([[0.0, 0.0], [1e-3, 0.0]]), np.array([[1.0, 2.0], [3.0, 1.0]])], eps=0.1)


@given(
    st.sampled_from([((3, 4), (3, 4)), ((3, 4), (4,)), ((2, 3, 4), (3, 1)), ((4,), (4,)), ((0, 4), (0, 4))]),
    st.sampled_from([1.0, 2.0, 3.0, 1.5, np.inf]),
    st.booleans(),
    dtypes,
    seeds,
)
def test_pairwise_distance(pair, p, keepdim, dtype, seed):
    rng = np.random.default_rng(seed)
    same("pairwise_distance", [rng.standard_normal(shape) for shape in pair], dtype=dtype, seed=seed, p=p, keepdim=keepdim)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, np.inf])
def test_pairwise_distance_zero(p):
    same("pairwise_distance", [np.zeros((2, 3)), np.zeros((2, 3))], p=p, eps=0.0)


@given(matrices, st.sampled_from([1.0, 2.0, 3.0]), st.booleans(), reductions, dtypes, seeds)
def test_triplet_margin_loss(shape, p, swap, reduction, dtype, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(shape) for _ in range(3)]
    same("triplet_margin_loss", arrays, dtype=dtype, seed=seed, margin=0.8, p=p, swap=swap, reduction=reduction)
    same("triplet_margin_with_distance_loss", arrays, dtype=dtype, seed=seed, margin=0.8, swap=swap, reduction=reduction)


LABELS = np.array([0, 1, 2])
X = np.random.default_rng(0).random((3, 4))
REFUSED = [
    ("cross_entropy", (X, np.array([0, 1, 4])), {}),
    ("cross_entropy", (X, np.array([0, 1])), {}),
    ("cross_entropy", (X, LABELS), {"label_smoothing": 1.5}),
    ("cross_entropy", (X, LABELS), {"weight": np.ones(3)}),
    ("cross_entropy", (X, LABELS), {"reduction": "average"}),
    ("cross_entropy", (X, X), {"ignore_index": 1}),
    ("nll_loss", (X, np.array([0, 1, -1])), {}),
    ("nll_loss", (X, LABELS), {"weight": np.ones(3)}),
    ("nll_loss", (X, X), {}),
    ("mse_loss", (X, X), {"weight": np.ones(4)}),
    ("huber_loss", (X, X), {"delta": 0.0}),
    ("huber_loss", (X, X), {"delta": -1.0}),
    ("smooth_l1_loss", (X, X), {"beta": -1.0}),
    ("binary_cross_entropy", (X + 1, X), {}),
    ("binary_cross_entropy", (X, X + 1), {}),
    ("binary_cross_entropy", (X, X[:2]), {}),
    ("binary_cross_entropy", (X, X), {"weight": np.ones(3)}),
    ("binary_cross_entropy_with_logits", (X, X[:2]), {}),
    ("binary_cross_entropy_with_logits", (X, X), {"pos_weight": np.ones(3)}),
    ("binary_cross_entropy_with_logits", (X, X), {"weight": np.ones((2, 3, 4))}),
    ("gaussian_nll_loss", (X, X, -X), {}),
    ("gaussian_nll_loss", (X, X, np.ones(4)), {}),
    ("gaussian_nll_loss", (X, X, X), {"reduction": "batchmean"}),
    ("multi_margin_loss", (X, np.array([0, 1, 9])), {}),
    ("multi_margin_loss", (X, LABELS), {"p": 3}),
    ("multi_margin_loss", (X, LABELS), {"weight": np.ones(3)}),
    ("multi_margin_loss", (X[np.newaxis], LABELS), {}),
    ("multi_margin_loss", (np.zeros((3, 0)), LABELS), {}),
    ("multilabel_margin_loss", (X, np.full((3, 4), 4)), {}),
    ("multilabel_margin_loss", (X, np.full((3, 3), 1)), {}),
    ("margin_ranking_loss", (X, X, np.ones(4)), {}),
    ("margin_ranking_loss", (X, X[:, :2], X), {}),
    ("cosine_embedding_loss", (X, X, np.ones((3, 4))), {}),
    ("cosine_embedding_loss", (X, X, np.ones(2)), {}),
    ("cosine_embedding_loss", (X, X[0], np.ones(3)), {}),
    ("cosine_similarity", (X, X), {"dim": 2}),
    ("cosine_similarity", (X, X[:, :3]), {}),
    ("pairwise_distance", (X, X[:, :3]), {}),
    ("triplet_margin_loss", (X, X, X[0]), {}),
    ("triplet_margin_loss", (X, X, X), {"margin": -1.0}),
    ("triplet_margin_with_distance_loss", (X, X, X), {"margin": 0.0}),
    ("triplet_margin_with_distance_loss", (X, X, X), {"reduction": "batchmean"}),
    ("kl_div", (X, X[:, :3]), {}),
    ("poisson_nll_loss", (X, X), {"reduction": "total"}),
]


@pytest.mark.parametrize("name, arrays, options", REFUSED, ids=[f"{i}-{case[0]}" for i, case in enumerate(REFUSED)])
def test_what_torch_refuses_is_refused(name, arrays, options):
    both_refuse(name, arrays, **options)


MODULES = [
    ("CrossEntropyLoss", {"weight": np.arange(1.0, 5.0), "label_smoothing": 0.1}, (X, LABELS)),
    ("NLLLoss", {"weight": np.arange(1.0, 5.0), "ignore_index": 1}, (X, LABELS)),
    ("MSELoss", {"reduction": "sum"}, (X, X[::-1].copy())),
    ("L1Loss", {}, (X, X[::-1].copy())),
    ("SmoothL1Loss", {"beta": 0.2}, (X, X[::-1].copy())),
    ("HuberLoss", {"delta": 0.2}, (X, X[::-1].copy())),
    ("BCELoss", {"weight": np.arange(1.0, 5.0)}, (X, X[::-1].copy())),
    ("BCEWithLogitsLoss", {"weight": np.arange(1.0, 5.0), "pos_weight": np.arange(2.0, 6.0)}, (X, X[::-1].copy())),
    ("KLDivLoss", {"reduction": "batchmean", "log_target": True}, (X, X[::-1].copy())),
    ("PoissonNLLLoss", {"log_input": False, "full": True, "eps": 1e-3}, (X, 3 * X[::-1])),
    ("GaussianNLLLoss", {"full": True}, (X, X[::-1].copy(), X)),
    ("SoftMarginLoss", {}, (X, np.sign(X - 0.5))),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": np.arange(1.0, 5.0)}, (X, LABELS)),
    ("MultiLabelMarginLoss", {}, (X, np.array([[0, -1, 0, 0], [1, 2, -1, 0], [3, 2, 1, 0]]))),
    ("MultiLabelSoftMarginLoss", {"weight": np.arange(1.0, 5.0)}, (X, np.round(X))),
    ("HingeEmbeddingLoss", {"margin": 0.7}, (X, np.sign(X - 0.5))),
    ("MarginRankingLoss", {"margin": 0.1}, (X, X[::-1].copy(), np.sign(X - 0.5))),
    ("CosineEmbeddingLoss", {"margin": 0.1}, (X, X[::-1].copy(), np.array([1, -1, -1]))),
    ("CosineSimilarity", {"dim": 0, "eps": 1e-3}, (X, X[::-1].copy())),
    ("PairwiseDistance", {"p": 3.0, "keepdim": True}, (X, X[::-1].copy())),
    ("TripletMarginLoss", {"margin": 0.5, "p": 1.0, "swap": True}, (X, X[::-1].copy(), X[:, ::-1].copy())),
    ("TripletMarginWithDistanceLoss", {"margin": 0.5}, (X, X[::-1].copy(), X[:, ::-1].copy())),
]


@pytest.mark.parametrize("name, options, arrays", MODULES, ids=[case[0] for case in MODULES])
def test_modules(name, options, arrays):
    theirs = {key: torch.tensor(value) if isinstance(value, np.ndarray) else value for key, value in options.items()}
    expected = getattr(torch.nn, name)(**theirs)
    layer = getattr(nn, name)(**options)
    assert list(layer.state_dict()) == list(expected.state_dict())
    np.testing.assert_allclose(layer(*arrays).data, expected(*(torch.tensor(array) for array in arrays)).numpy(), rtol=1e-10)
