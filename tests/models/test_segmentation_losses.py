"""Losses of label maps, U-Net's weight map, instances out of classes: laws, hand-made cases, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, functional
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.models.segmentation import (
    border_classes,
    border_distances,
    edge_loss,
    instances_by_border,
    instances_by_depth,
    label_edges,
    match_instances,
    median_frequency_weights,
    segmentation_loss,
    unet_weight_map,
)

seeds = st.integers(0, 2**32 - 1)


def drawn(seed, channels=3):
    draw = np.random.default_rng(seed)
    scores = draw.standard_normal((2, channels, 4, 5))
    target = draw.integers(0, max(2, channels), (2, 4, 5))
    target[draw.random(target.shape) < 0.2] = 255
    return scores, target


def log_softmax(scores):
    shifted = scores - scores.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


@given(seeds)
def test_cross_entropy_by_definition(seed):
    scores, target = drawn(seed)
    kept = target != 255
    weights = np.array([0.5, 1.0, 3.0])
    picked = -np.take_along_axis(log_softmax(scores), np.where(kept, target, 0)[:, None], 1)[:, 0]
    loss, parts = segmentation_loss(scores, target)
    assert loss.item() == pytest.approx(picked[kept].mean()) == pytest.approx(parts["cross_entropy"])
    weighed = segmentation_loss(scores, target, class_weights=weights)[0].item()
    each = weights[target[kept]]
    assert weighed == pytest.approx((each * picked[kept]).sum() / each.sum())
    pixels = np.random.default_rng(seed).random(target.shape)
    assert segmentation_loss(scores, target, pixel_weights=pixels)[0].item() == pytest.approx((pixels * picked)[kept].sum() / kept.sum())


@given(seeds, st.sampled_from([1, 3]))
def test_binary_by_definition(seed, channels):
    scores, target = drawn(seed, channels)
    kept = target != 255
    loss = segmentation_loss(scores, target, {"binary": 1.0})[0].item()
    expected = 0.0
    for channel in range(channels):
        truth = target == (channel if channels > 1 else 1)
        signed = np.where(truth, scores[:, channel], -scores[:, channel])[kept]
        expected += np.log1p(np.exp(-signed)).sum()
    assert loss == pytest.approx(expected / (kept.sum() * channels))


@given(seeds)
def test_terms_add_up_and_ignored_scores_have_no_gradient(seed):
    scores, target = drawn(seed)
    output = {"out": Tensor(scores, requires_grad=True), "aux": Tensor(scores[::-1].copy(), requires_grad=True)}
    terms = {"cross_entropy": 1.0, "binary": 0.3, "dice": 0.5, "lovasz": 2.0}
    loss, parts = segmentation_loss(output, target, terms, auxiliary=0.4)
    assert loss.item() == pytest.approx(sum(terms[name] * parts[name] for name in terms))
    for name in terms:
        alone = [segmentation_loss(output[key], target, {name: 1.0})[0].item() for key in ("out", "aux")]
        assert parts[name] == pytest.approx(alone[0] + 0.4 * alone[1])
    loss.backward()
    ignored = (target == 255)[:, None].repeat(3, 1)
    for one in output.values():
        assert not one.grad.data[ignored].any() and one.grad.data[~ignored].any()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_perfect_answer_costs_nothing_and_nothing_labelled_costs_nothing(channels):
    target = np.random.default_rng(0).integers(0, max(2, channels), (1, 6, 6))
    sure = 60.0 * (2 * (target[:, None] == np.arange(channels).reshape(1, -1, 1, 1)) - 1)
    if channels == 1:
        sure = 60.0 * (2 * target[:, None] - 1)
    for name in ("binary", "dice", "lovasz", *(("cross_entropy",) if channels > 1 else ())):
        assert segmentation_loss(sure, target, {name: 1.0})[0].item() == pytest.approx(0, abs=1e-9)
        scores = Tensor(sure, requires_grad=True)
        loss = segmentation_loss(scores, np.full_like(target, 255), {name: 1.0})[0]
        assert loss.item() == pytest.approx(0, abs=1e-9)
        loss.backward()
        assert np.isfinite(scores.grad.data).all() and not scores.grad.data.any()


def test_losses_refuse():
    scores, target = drawn(0)
    with pytest.raises(ArgumentError, match="no term 'focal'"):
        segmentation_loss(scores, target, {"focal": 1.0})
    with pytest.raises(ArgumentError, match="classes from 0 to 7, the scores have 3"):
        segmentation_loss(scores, np.where(target == 2, 7, np.minimum(target, 0)))
    with pytest.raises(DtypeError, match="class numbers, not float64"):
        segmentation_loss(scores, target.astype(float))
    with pytest.raises(ShapeError, match=r"want \(2, 4, 5\)"):
        segmentation_loss(scores, target[:, :3])
    with pytest.raises(ArgumentError, match="take the term 'binary'"):
        segmentation_loss(scores[:, :1], target % 2, ignore_index=255)
    with pytest.raises(ArgumentError, match="a network that gives edges"):
        segmentation_loss(scores, target, {"edge": 1.0})
    with pytest.raises(ShapeError, match="of edges"):
        edge_loss(Tensor(scores), target)
    with pytest.raises(ArgumentError, match="every one is ignored"):
        median_frequency_weights([np.full((2, 2), 255)], 3)


def test_edges_and_their_loss():
    labels = np.array([[[0, 0, 1], [0, 255, 1], [0, 0, 0]]])
    np.testing.assert_array_equal(label_edges(labels), [[[0, 1, 1], [0, 255, 1], [0, 0, 1]]])
    np.testing.assert_array_equal(label_edges(np.array([[[0, 0, 0, 1, 1, 1]]]), thickness=2), [[[0, 1, 1, 1, 1, 0]]])
    scores = Tensor(np.zeros((1, 1, 3, 3)), requires_grad=True)
    loss, parts = segmentation_loss({"out": Tensor(np.zeros((1, 2, 3, 3))), "edge": scores}, labels, {"edge": 1.0})
    assert parts["edge"] == pytest.approx(2 * 4 * 4 / 8 / 8 * math.log(2))  # 4 edges of 8 pixels, half the weight each
    loss.backward()
    assert scores.grad.data[0, 0, 1, 1] == 0 and scores.grad.data.sum() == pytest.approx(0)
    noise = np.random.default_rng(0).standard_normal((1, 1, 3, 3))
    tinycnn.gradcheck(lambda x: edge_loss(x, label_edges(labels)), (Tensor(noise, requires_grad=True),))


def test_median_frequency_balancing():
    maps = [np.array([[0, 0, 0, 1]]), np.array([[0, 0, 255, 255]]), np.array([[2, 2, 2, 2]])]
    frequencies = np.array([5 / 6, 1 / 4, 1.0])
    np.testing.assert_allclose(median_frequency_weights(maps, 4), [*(np.median(frequencies) / frequencies), 0])


@given(seeds)
def test_distances_by_definition(seed):
    draw = np.random.default_rng(seed)
    labels = np.zeros((7, 9), int)
    for cell in range(1, 4):
        i, j = draw.integers(0, 6), draw.integers(0, 8)
        labels[i : i + 2, j : j + 2] = cell
    first, second = border_distances(labels)
    rows, columns = np.indices(labels.shape)
    distances = []
    for cell in np.unique(labels[labels > 0]):
        i, j = np.nonzero(labels == cell)
        distances.append(np.sqrt((rows[..., None] - i) ** 2 + (columns[..., None] - j) ** 2).min(-1))
    ordered = np.sort([*distances, np.full(labels.shape, np.inf), np.full(labels.shape, np.inf)], axis=0)
    np.testing.assert_allclose(first, ordered[0])
    np.testing.assert_allclose(second, ordered[1])
    weights = unet_weight_map(labels, w0=4.0, sigma=2.0, balance=False)
    expected = 1 + np.where(labels > 0, 0, 4 * np.exp(-((ordered[0] + ordered[1]) ** 2) / 8))
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_weight_map_balances_and_refuses():
    labels = np.zeros((10, 10), int)
    labels[:2] = 1
    weights = unet_weight_map(labels)
    assert weights[:2].sum() == pytest.approx(weights[2:].sum()) == pytest.approx(50)
    np.testing.assert_array_equal(unet_weight_map(np.zeros((3, 3), int)), 1)
    with pytest.raises(ArgumentError, match="sigma=0"):
        unet_weight_map(labels, sigma=0)
    with pytest.raises(DtypeError, match="one an instance"):
        unet_weight_map(labels.astype(float))
    with pytest.raises(ShapeError, match=r"\(H, W\)"):
        unet_weight_map(labels[None])
    with pytest.raises(ArgumentError, match="go down to -1"):
        unet_weight_map(labels - 1)


def discs():
    """Three touching discs and a single one."""
    rows, columns = np.indices((60, 80))
    labels = np.zeros((60, 80), int)
    for number, (i, j, r) in enumerate([(20, 20, 9), (20, 37, 9), (36, 28, 9), (45, 65, 7)], start=1):
        labels[((rows - i) ** 2 + (columns - j) ** 2 < r**2) & (labels == 0)] = number
    return labels


def test_cells_come_back_from_their_classes():
    labels = discs()
    found = instances_by_border(border_classes(labels))
    assert match_instances(labels, found, 0.9) == (4, 0, 0)
    np.testing.assert_array_equal(found > 0, labels > 0)
    assert match_instances(labels, instances_by_border(border_classes(labels, 2)), 0.9) == (4, 0, 0)
    by_depth = instances_by_depth(labels > 0, depth=5)
    assert match_instances(labels, by_depth, 0.8) == (4, 0, 0)
    np.testing.assert_array_equal(by_depth > 0, labels > 0)


def test_small_and_empty_things():
    labels = discs()
    labels[55:57, 3:5] = 9
    assert instances_by_border(border_classes(labels), smallest=8).max() == 4
    assert instances_by_depth(labels > 0, depth=5, smallest=1).max() == 5  # too small to be deep, so kept whole
    empty = np.zeros((5, 5), int)
    assert not instances_by_border(empty).any() and not instances_by_depth(empty).any()
    assert match_instances(empty, empty) == (0, 0, 0)
    nothing = np.zeros_like(labels)
    assert match_instances(labels, nothing) == (0, 0, 5) and match_instances(nothing, labels) == (0, 5, 0)


def test_instances_refuse():
    with pytest.raises(ArgumentError, match="classes go up to 3"):
        instances_by_border(np.full((2, 2), 3))
    with pytest.raises(ArgumentError, match="thickness"):
        border_classes(np.zeros((2, 2), int), 0)
    with pytest.raises(ArgumentError, match="threshold must be"):
        match_instances(np.zeros((2, 2), int), np.zeros((2, 2), int), 0.4)
    with pytest.raises(ShapeError, match="one size"):
        match_instances(np.zeros((2, 2), int), np.zeros((2, 3), int))
    with pytest.raises(ShapeError, match=r"must be \(H, W\)"):
        instances_by_depth(np.zeros(3))
    with pytest.raises(ArgumentError, match="pixels >= 0"):
        instances_by_depth(np.zeros((2, 2)), depth=-1)


def test_dice_and_lovasz_are_the_operators():
    scores, target = drawn(5)
    loss = segmentation_loss(scores, target, {"dice": 1.0})[0].item()
    assert loss == pytest.approx(functional.dice_loss(Tensor(scores), target, ignore_index=255).item())
    loss = segmentation_loss(scores, target, {"lovasz": 1.0})[0].item()
    assert loss == pytest.approx(functional.lovasz_softmax(functional.softmax(Tensor(scores), 1), target, ignore_index=255).item())
