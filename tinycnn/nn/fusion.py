"""Explicit fusion: neighbouring layers made one, with the same result and less work."""

import copy
from collections import Counter
from typing import Any, TypeVar, cast

import numpy as np

from ..errors import ArgumentError, ShapeError
from .activation import Identity, ReLU
from .container import Sequential
from .conv import Conv2d
from .hard_activation import Hardswish
from .linear import Linear
from .linear_units import SiLU
from .module import Module
from .norm import BatchNorm1d, BatchNorm2d, BatchNorm3d, FrozenBatchNorm2d
from .parameter import Parameter
from .rectifiers import ReLU6

__all__ = ["fuse"]

M = TypeVar("M", bound=Module)

_NORMS = (BatchNorm1d, BatchNorm2d, BatchNorm3d, FrozenBatchNorm2d)
_ACTIVATIONS: dict[type[Module], str] = {ReLU: "relu", ReLU6: "relu6", SiLU: "silu", Hardswish: "hardswish"}
# The layers that take over an activation, and those among them that know "relu" only.
_ACTIVE = (Conv2d, Linear, BatchNorm1d, BatchNorm2d, BatchNorm3d)
_RECTIFYING = (Linear,)
# Their gradient asks for what went into them, which a fused layer must compute again: in training two layers are faster.
_SMOOTH = ("silu", "hardswish")


def fuse_conv_bn_eval(conv: M, bn: Any, transpose: bool = False) -> M:
    """A convolution that does what `conv` and then `bn` do in evaluation mode; both are left as they are.

    Formula
    -------
    s[o] = bn.weight[o] / sqrt(running_var[o] + eps);  weight'[o] = s[o] weight[o];
    bias'[o] = s[o] (bias[o] - running_mean[o]) + bn.bias[o].

    Parameters
    ----------
    conv : Conv2d, or another layer whose weight has the output channels on its first axis
        In evaluation mode, without an activation of its own.
    bn : BatchNorm1d, BatchNorm2d, BatchNorm3d or FrozenBatchNorm2d
        In evaluation mode, with running statistics; its activation is taken over.
    transpose : bool
        For transposed convolutions, whose output channels lie on the second axis of the weight.

    Returns
    -------
    Module of conv's type
        With a bias, whether conv has one or not.

    Raises
    ------
    ArgumentError
        If one of them trains, has no statistics, or an activation stands between them. ShapeError: channels differ.

    Notes
    -----
    PyTorch's `torch.nn.utils.fuse_conv_bn_eval`. The result is equal to rounding, not to the bit: the scale moves from the
    output to the weight.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> from tinycnn.nn.utils import fuse_conv_bn_eval
    >>> conv, bn = nn.Conv2d(1, 2, 3).eval(), nn.BatchNorm2d(2).eval()
    >>> x = np.ones((1, 1, 4, 4), np.float32)
    >>> bool(np.allclose(fuse_conv_bn_eval(conv, bn)(x).data, bn(conv(x)).data, atol=1e-5))
    True
    """
    if not isinstance(bn, _NORMS):
        raise ArgumentError(f"fuse_conv_bn_eval: bn is a {type(bn).__name__}, not a batch normalisation")
    weight = getattr(conv, "weight", None)
    if not isinstance(conv, Module) or weight is None or weight.ndim < 2:
        raise ArgumentError(f"fuse_conv_bn_eval: conv is a {type(conv).__name__}, not a layer with a weight of filters")
    if conv.training or (bn.training and not isinstance(bn, FrozenBatchNorm2d)):
        raise ArgumentError("fuse_conv_bn_eval: both layers must be in evaluation mode, whose statistics are constants; call eval() on the model")
    if bn.running_mean is None or bn.running_var is None:
        raise ArgumentError(f"fuse_conv_bn_eval: {type(bn).__name__} keeps no running statistics (track_running_stats=False), so nothing is constant")
    if getattr(conv, "activation", None) is not None:
        raise ArgumentError(f"fuse_conv_bn_eval: conv applies activation {conv.activation!r} before bn; fuse a convolution without one")
    # A grouped transposed convolution has (in, out / groups, ...), so that the scales of its groups lie behind each other.
    groups = getattr(conv, "groups", 1) if transpose else 1
    channels = weight.shape[1] * groups if transpose else weight.shape[0]
    if bn.running_mean.shape != (channels,):
        raise ShapeError(f"fuse_conv_bn_eval: conv has {channels} output channels, bn {bn.running_mean.shape[0]}")
    fused = copy.deepcopy(conv)
    scale = 1 / np.sqrt(bn.running_var.data.astype(np.float64) + bn.eps)
    if bn.weight is not None:
        scale = scale * bn.weight.data
    bias = -bn.running_mean.data * scale
    if conv.bias is not None:
        bias = bias + conv.bias.data * scale
    if bn.bias is not None:
        bias = bias + bn.bias.data
    if transpose:
        parts = weight.data.reshape(groups, -1, *weight.shape[1:])
        folded = (parts * scale.reshape(groups, 1, -1, *(1,) * (weight.ndim - 2))).reshape(weight.shape)
    else:
        folded = weight.data * scale.reshape(-1, *(1,) * (weight.ndim - 1))
    asks = weight.requires_grad
    fused.weight = Parameter(folded.astype(weight.dtype), asks)
    fused.bias = Parameter(bias.astype(weight.dtype), asks)
    if getattr(bn, "activation", None) is not None:
        if not hasattr(fused, "activation") or not _takes(fused, bn.activation):
            raise ArgumentError(f"fuse_conv_bn_eval: bn applies activation {bn.activation!r}, which {type(conv).__name__} cannot take over")
        fused.activation = bn.activation
    return fused


def fuse_linear_bn_eval(linear: Linear, bn: Any) -> Linear:
    """A linear layer that does what `linear` and then `bn` do in evaluation mode; see `fuse_conv_bn_eval`."""
    return fuse_conv_bn_eval(linear, bn)


def _watched(*modules: Any) -> bool:
    """Whether hooks look at what passes between two modules."""
    return bool(modules[0]._forward_hooks or modules[1]._forward_pre_hooks or modules[1]._forward_hooks)


def _takes(layer: Module, activation: str | None) -> bool:
    """Whether a layer that has activations has this one, and is not slower with it."""
    if activation in _SMOOTH and layer.training:
        return False
    return activation in (None, "relu") or not isinstance(layer, _RECTIFYING)


def _foldable(layer: Any, norm: Any) -> bool:
    if not (type(layer) is Conv2d and type(norm) in (BatchNorm2d, FrozenBatchNorm2d)) and not (type(layer) is Linear and type(norm) is BatchNorm1d):
        return False
    constant = type(norm) is FrozenBatchNorm2d or (not norm.training and norm.running_mean is not None)
    plain = layer.activation is None and not layer._forward_pre_hooks  # a copy's hooks could not be removed by their handles
    plain = plain and _takes(layer, getattr(norm, "activation", None))
    return constant and plain and not layer.training and norm.running_mean.shape == (layer.weight.shape[0],)


def fuse(model: M) -> M:
    """Make one layer of neighbours in every Sequential of a model; changes and returns the model.

    * Conv2d and BatchNorm2d, or Linear and BatchNorm1d, both in evaluation mode: the normalisation is folded into weight and bias.
    * Conv2d, Linear or batch normalisation and ReLU: the layer gets activation="relu" and applies it at the store. Conv2d and batch
      normalisation also take over ReLU6, and in evaluation mode SiLU and Hardswish.

    An Identity takes the second layer's place, so that positions stay; the keys of a folded normalisation vanish from the state dict, and
    its layer has a bias. The result is the same, with folding to rounding. A layer that has hooks, or stands in several places, is left
    as it is: somebody looks at its values, or another user of it expects them as they were.

    Parameters
    ----------
    model : Module
        The network to rewrite. Call eval() first to fold normalisations; a model that is to be trained on should keep them.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.fuse(nn.Sequential(nn.Linear(4, 3), nn.ReLU()))
    Sequential(
      (0): Linear(in_features=4, out_features=3, bias=True, activation='relu')
      (1): Identity()
    )
    >>> nn.fuse(nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2), nn.ReLU()).eval())
    Sequential(
      (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), activation='relu')
      (1): Identity()
      (2): Identity()
    )
    """
    places = Counter(id(module) for _, module in model.named_modules(remove_duplicate=False))
    for chain in list(model.modules()):
        if isinstance(chain, Sequential):
            _fuse_chain(chain, places)
    return model


def _fuse_chain(chain: Sequential, places: Counter[int]) -> None:
    """Fuse the neighbours in one Sequential; what an Identity has replaced is passed over."""
    previous: int | None = None
    for position in range(len(chain)):
        layer = chain[position]
        if previous is not None:
            before = chain[previous]
            if not _watched(before, layer) and places[id(before)] == 1:
                if places[id(layer)] == 1 and _foldable(before, layer):
                    fused = fuse_conv_bn_eval(before, layer)
                    places[id(fused)] = 1
                    chain[previous] = fused
                    chain[position] = Identity().train(layer.training)
                    continue
                known = _ACTIVATIONS.get(type(layer))
                if known is not None and type(before) in _ACTIVE and _takes(before, known) and before.activation is None:
                    before.activation = known
                    chain[position] = cast(Module, Identity().train(layer.training))
                    continue
        previous = position
