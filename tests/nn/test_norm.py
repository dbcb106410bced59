"""Normalisation layers, and folding them into what stands before."""

import numpy as np
import pytest

import tinycnn
from tinycnn import Tensor, nn
from tinycnn.errors import ArgumentError, HintWarning, ShapeError
from tinycnn.nn.utils import fuse_conv_bn_eval, fuse_linear_bn_eval


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def lively(model, seed=0):
    """Every parameter and statistic drawn at random, in float64."""
    rng = np.random.default_rng(seed)
    model.double()
    for key, tensor in model.state_dict(keep_vars=True).items():
        if tensor.is_floating_point():
            tensor.data[...] = rng.random(tensor.shape) + 0.5 if key.endswith("running_var") else rng.standard_normal(tensor.shape)
    return model


def test_momentum_none_is_the_average_over_all_batches():
    layer = nn.BatchNorm1d(2, momentum=None).double()
    batches = [normal(seed, 5, 2) for seed in range(4)]
    for batch in batches:
        layer(batch)
    np.testing.assert_allclose(layer.running_mean.data, np.mean([batch.mean(0) for batch in batches], 0))
    np.testing.assert_allclose(layer.running_var.data, np.mean([batch.var(0, ddof=1) for batch in batches], 0))
    assert int(layer.num_batches_tracked.data) == 4
    assert layer.num_batches_tracked.dtype == np.int64
    layer.reset_running_stats()
    assert int(layer.num_batches_tracked.data) == 0
    assert (layer.running_var.data == 1).all() and not layer.running_mean.data.any()


def test_evaluation_uses_what_training_left():
    layer = lively(nn.BatchNorm2d(3))
    before = {key: value.data.copy() for key, value in layer.state_dict().items()}
    x = normal(1, 2, 3, 4, 4)
    y = layer.eval()(x).data
    for key, value in layer.state_dict().items():
        np.testing.assert_array_equal(value.data, before[key])
    mean, variance, weight, bias = (before[key].reshape(3, 1, 1) for key in ("running_mean", "running_var", "weight", "bias"))
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(variance + 1e-5) * weight + bias, rtol=1e-10)


def test_a_refused_batch_is_not_counted():
    layer = nn.BatchNorm1d(2)
    with pytest.raises(ShapeError, match="one value a channel"):
        layer(np.ones((1, 2), np.float32))
    assert int(layer.num_batches_tracked.data) == 0


def test_without_statistics_evaluation_uses_the_batch():
    layer = nn.BatchNorm2d(3, affine=False, track_running_stats=False)
    assert list(layer.state_dict()) == []
    x = normal(0, 4, 3, 2, 2)
    np.testing.assert_array_equal(layer.eval()(x).data, layer.train()(x).data)


def test_statistics_may_be_frozen_while_weights_train():
    """track_running_stats set to False later: batches are normalised by themselves and leave the buffers alone."""
    layer = nn.BatchNorm1d(2).double()
    layer.track_running_stats = False
    layer(normal(0, 5, 2))
    assert not layer.running_mean.data.any()


def test_options():
    assert list(nn.BatchNorm1d(2, bias=False).state_dict()) == ["weight", "running_mean", "running_var", "num_batches_tracked"]
    assert list(nn.LayerNorm(3, bias=False).state_dict()) == ["weight"]
    assert nn.LayerNorm((2, 3)).weight.shape == (2, 3)
    assert "activation='relu'" in repr(nn.BatchNorm2d(2, activation="relu"))
    assert repr(nn.FrozenBatchNorm2d(4)) == "FrozenBatchNorm2d(4, eps=1e-05)"
    assert nn.BatchNorm2d(2).to(tinycnn.float64).num_batches_tracked.dtype == np.int64
    assert nn.GroupNorm(2, 4, affine=False).weight is None
    assert nn.RMSNorm(4)(np.ones((2, 4), np.float32)).shape == (2, 4)
    assert nn.LocalResponseNorm(2)(np.ones((2, 4, 3))).shape == (2, 4, 3)
    for layer in (nn.BatchNorm2d(2), nn.GroupNorm(1, 2), nn.LayerNorm(2), nn.RMSNorm(2)):
        layer.weight.data[...] = 5
        layer.reset_parameters()
        assert (layer.weight.data == 1).all()


@pytest.mark.parametrize(
    "layer, shape, message",
    [
        (nn.BatchNorm1d(2), (2, 2, 3, 3), "BatchNorm1d: expected 2-d or 3-d input, not 4-d"),
        (nn.BatchNorm2d(2), (2, 2, 3), "BatchNorm2d: expected 4-d input, not 3-d"),
        (nn.BatchNorm3d(2), (2, 2, 3, 3), "BatchNorm3d: expected 5-d input, not 4-d"),
        (nn.BatchNorm2d(2), (2, 3, 3, 3), r"weight has shape \(2,\); input has 3 channels"),
        (nn.InstanceNorm2d(2, affine=True), (2, 3, 3, 3), r"has 3 channels, the layer num_features=2; make it InstanceNorm2d\(3\)"),
        (nn.InstanceNorm1d(2), (2, 3, 3, 3), "InstanceNorm1d: expected 2-d or 3-d input, not 4-d"),
    ],
)
def test_wrong_ranks_and_channels(layer, shape, message):
    with pytest.raises(ShapeError, match=message):
        layer(np.ones(shape, np.float32))


def test_channels_that_do_not_matter():
    with pytest.warns(HintWarning, match="nothing depends on where affine=False"):
        nn.InstanceNorm2d(2)(np.ones((1, 3, 2, 2)))


def test_constructors_refuse():
    with pytest.raises(ArgumentError, match="num_groups=3 must divide num_channels=4"):
        nn.GroupNorm(3, 4)
    with pytest.raises(ArgumentError, match="num_features must be a whole number"):
        nn.BatchNorm2d(2.5)


def test_instance_norm_without_a_batch():
    x = normal(0, 3, 4, 5)
    np.testing.assert_array_equal(nn.InstanceNorm2d(3)(x).data, nn.InstanceNorm2d(3)(x[np.newaxis]).data[0])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("affine", [True, False])
def test_fuse_conv_bn_eval(bias, groups, affine):
    net = lively(nn.Sequential(nn.Conv2d(4, 6, 3, groups=groups, bias=bias, padding=1), nn.BatchNorm2d(6, affine=affine))).eval()
    before = {key: value.data.copy() for key, value in net.state_dict().items()}
    fused = fuse_conv_bn_eval(*net)
    x = normal(1, 2, 4, 5, 5)
    np.testing.assert_allclose(fused(x).data, net(x).data, rtol=1e-10, atol=1e-10)
    assert list(fused.state_dict()) == ["weight", "bias"]
    for key, value in net.state_dict().items():
        np.testing.assert_array_equal(value.data, before[key])


def test_fuse_linear_bn_eval():
    net = lively(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))).eval()
    x = normal(1, 5, 4)
    np.testing.assert_allclose(fuse_linear_bn_eval(*net)(x).data, net(x).data, rtol=1e-10, atol=1e-10)


def test_fuse_takes_over_the_activation():
    net = lively(nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3, activation="relu"))).eval()
    x = normal(1, 2, 2, 4, 4)
    np.testing.assert_allclose(fuse_conv_bn_eval(*net)(x).data, net(x).data, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "conv, bn, message",
    [
        (nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2).eval(), "must be in evaluation mode"),
        (nn.Conv2d(1, 2, 1).eval(), nn.BatchNorm2d(2), "must be in evaluation mode"),
        (nn.Conv2d(1, 2, 1).eval(), nn.ReLU().eval(), "bn is a ReLU, not a batch normalisation"),
        (nn.ReLU().eval(), nn.BatchNorm2d(2).eval(), "conv is a ReLU, not a layer with a weight"),
        (nn.Conv2d(1, 2, 1).eval(), nn.BatchNorm2d(2, track_running_stats=False).eval(), "keeps no running statistics"),
        (nn.Conv2d(1, 2, 1, activation="relu").eval(), nn.BatchNorm2d(2).eval(), "conv applies activation 'relu' before bn"),
        (nn.Conv2d(1, 2, 1).eval(), nn.BatchNorm2d(3).eval(), "conv has 2 output channels, bn 3"),
    ],
)
def test_fusion_refuses(conv, bn, message):
    with pytest.raises((ArgumentError, ShapeError), match=message):
        fuse_conv_bn_eval(conv, bn)


def residual_net():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Sequential(nn.Conv2d(4, 3, 1), nn.FrozenBatchNorm2d(3)),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(48, 5),
        nn.BatchNorm1d(5),
        nn.ReLU(),
    )


def test_fuse_in_evaluation_folds():
    plain, fused = lively(residual_net()).eval(), lively(residual_net()).eval()
    nn.fuse(fused)
    kinds = [type(layer).__name__ for layer in fused]
    assert kinds == ["Conv2d", "Identity", "Identity", "Sequential", "ReLU", "Flatten", "Linear", "Identity", "Identity"]
    assert [type(layer).__name__ for layer in fused[3]] == ["Conv2d", "Identity"]
    assert fused[0].activation == fused[6].activation == "relu"
    x = normal(3, 2, 2, 4, 4)
    np.testing.assert_allclose(fused(x).data, plain(x).data, rtol=1e-9, atol=1e-9)


def test_fuse_in_training_keeps_the_normalisation():
    plain, fused = lively(residual_net()), lively(residual_net())
    nn.fuse(fused)
    assert [type(layer).__name__ for layer in fused[:3]] == ["Conv2d", "BatchNorm2d", "Identity"]
    assert fused[1].activation == fused[7].activation == "relu"
    assert list(plain.state_dict()) == list(fused.state_dict())
    x, upstream = normal(3, 6, 2, 4, 4), normal(4, 6, 5)
    one, two = Tensor(x, requires_grad=True), Tensor(x, requires_grad=True)
    y, z = plain(one), fused(two)
    np.testing.assert_allclose(z.data, y.data, rtol=1e-9, atol=1e-9)
    y.backward(upstream)
    z.backward(upstream)
    np.testing.assert_allclose(two.grad.data, one.grad.data, rtol=1e-8, atol=1e-8)
    for a, b in zip(plain.parameters(), fused.parameters(), strict=True):
        np.testing.assert_allclose(b.grad.data, a.grad.data, rtol=1e-8, atol=1e-8)
    for key, value in plain.state_dict().items():
        np.testing.assert_allclose(fused.state_dict()[key].data, value.data, rtol=1e-12)


def test_fuse_leaves_shared_and_watched_layers():
    bn = nn.BatchNorm2d(3).eval()
    shared = nn.Sequential(nn.Conv2d(3, 3, 1), bn, nn.Conv2d(3, 3, 1), bn).eval()
    assert [type(layer).__name__ for layer in nn.fuse(shared)] == ["Conv2d", "BatchNorm2d", "Conv2d", "BatchNorm2d"]
    watched = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)).eval()
    watched[0].register_forward_hook(lambda module, args, output: None)
    assert isinstance(nn.fuse(watched)[1], nn.BatchNorm2d)


def test_residual_through_the_layer():
    layer, x, added = lively(nn.BatchNorm2d(3, activation="relu")), normal(0, 2, 3, 4, 4), normal(1, 2, 3, 4, 4)
    fused = layer(x, residual=added).data
    plain = nn.BatchNorm2d(3).double()
    plain.load_state_dict(layer.state_dict())
    np.testing.assert_allclose(fused, np.maximum(plain(x).data + added, 0), rtol=1e-12)


@pytest.mark.parametrize("layer, name", [(nn.ReLU6, "relu6"), (nn.SiLU, "silu"), (nn.Hardswish, "hardswish")])
@pytest.mark.parametrize("training", [False, True])
def test_fuse_takes_over_other_activations(layer, name, training):
    def net():
        made = lively(nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), layer(), nn.Flatten(), nn.Linear(12, 5), nn.BatchNorm1d(5), layer()))
        return made.train(training)

    plain, fused = net(), nn.fuse(net())
    taken, kept = fused[1 if training else 0], fused[5 if training else 4]
    smooth = name in ("silu", "hardswish")
    assert taken.activation == (None if training and smooth else name)  # in training two layers are faster
    assert kept.activation == (name if training and not smooth else None)  # Linear knows "relu" only
    x, upstream = 4 * normal(3, 6, 2, 4, 4), normal(4, 6, 5)
    one, two = Tensor(x, requires_grad=True), Tensor(x, requires_grad=True)
    y, z = plain(one), fused(two)
    np.testing.assert_allclose(z.data, y.data, rtol=1e-9, atol=1e-9)
    y.backward(upstream)
    z.backward(upstream)
    np.testing.assert_allclose(two.grad.data, one.grad.data, rtol=1e-8, atol=1e-8)


def test_fuse_leaves_a_normalisation_whose_activation_nobody_can_take_over():
    net = nn.fuse(lively(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, activation="relu6"))).eval())
    assert [type(layer).__name__ for layer in net] == ["Linear", "BatchNorm1d"]
    with pytest.raises(ArgumentError, match="bn applies activation 'relu6', which Linear cannot take over"):
        fuse_conv_bn_eval(net[0], net[1])
