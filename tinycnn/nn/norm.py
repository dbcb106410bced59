"""Normalisation layers."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functional as F
from ..errors import ArgumentError, HintWarning, ShapeError
from ..functional._arguments import whole
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import Parameter

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "FrozenBatchNorm2d",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "LocalResponseNorm",
    "RMSNorm",
]


def _affine(module: Module, shape: tuple[int, ...], weight: bool, bias: bool) -> None:
    """Register weight ones and bias zeros of a shape, or the names alone."""
    module.register_parameter("weight", Parameter(np.ones(shape, np.float32)) if weight else None)
    module.register_parameter("bias", Parameter(np.zeros(shape, np.float32)) if bias else None)


def _reset_affine(module: Module) -> None:
    if module.weight is not None:
        init.ones_(module.weight)
    if getattr(module, "bias", None) is not None:
        init.zeros_(module.bias)


class _ChannelNorm(Module):
    """What batch and instance normalisation share: scale and shift, and running statistics."""

    _ranks: tuple[int, ...] = ()  # numbers of axes that the input may have

    def __init__(self, num_features: int, eps: float, momentum: float | None, affine: bool, track_running_stats: bool, bias: bool) -> None:
        super().__init__()
        self.num_features = whole(type(self).__name__, "num_features", num_features, 0)
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        _affine(self, (num_features,), affine, affine and bias)
        tracked = bool(track_running_stats)
        self.register_buffer("running_mean", Tensor(np.zeros(num_features, np.float32)) if tracked else None)
        self.register_buffer("running_var", Tensor(np.ones(num_features, np.float32)) if tracked else None)
        self.register_buffer("num_batches_tracked", Tensor(np.zeros((), np.int64)) if tracked else None)

    def reset_running_stats(self) -> None:
        """Forget the running statistics: mean 0, variance 1, no batches."""
        for buffer, start in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if buffer is not None:
                buffer.data[...] = start
                buffer._wrote()

    def reset_parameters(self) -> None:
        """Begin anew: weight ones, bias zeros, no statistics."""
        self.reset_running_stats()
        _reset_affine(self)

    def _check_rank(self, input: Any) -> None:
        rank = np.ndim(input.data if isinstance(input, Tensor) else input)
        if rank not in self._ranks:
            wanted = " or ".join(f"{one}-d" for one in self._ranks)
            raise ShapeError(f"{type(self).__name__}: expected {wanted} input, not {rank}-d; the layers for other ranks are named 1d, 2d and 3d")

    def extra_repr(self) -> str:
        """The options, in PyTorch's order."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ChannelNorm):
    """Batch normalisation; see `tinycnn.functional.batch_norm`.

    Parameters
    ----------
    num_features : int
        Channels.
    eps : float
        Added to the variance.
    momentum : float or None
        Share of a batch in the running statistics; None makes them the plain average over all batches.
    affine, bias : bool
        Whether each channel has a trained scale and shift, and whether it has the shift.
    track_running_stats : bool
        Whether statistics are kept for evaluation; without them evaluation uses the batch's own, too.
    activation : None, "relu", "relu6", "silu" or "hardswish"
        Applied at the store.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        activation: str | None = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias)
        self.activation = activation

    def forward(self, input: Any, *, residual: Any = None) -> Tensor:
        """The normalised input, and in training the statistics moved towards this batch's."""
        self._check_rank(input)
        share = 0.0 if self.momentum is None else self.momentum
        counted = self.training and self.track_running_stats and self.num_batches_tracked is not None
        if counted and self.momentum is None:
            share = 1.0 / (int(self.num_batches_tracked.data) + 1)
        kept = self.track_running_stats or not self.training
        result = F.batch_norm(
            input,
            self.running_mean if kept else None,
            self.running_var if kept else None,
            self.weight,
            self.bias,
            self.training or (self.running_mean is None and self.running_var is None),
            share,
            self.eps,
            activation=self.activation,
            residual=residual,
        )
        if counted:
            self.num_batches_tracked.data[...] += 1
            self.num_batches_tracked._wrote()
        return result

    def extra_repr(self) -> str:
        """The options, in PyTorch's order, and the activation where there is one."""
        text = super().extra_repr()
        return text if self.activation is None else f"{text}, activation={self.activation!r}"


class BatchNorm1d(_BatchNorm):
    """Normalise each channel over the batch, input (N, C) or (N, C, L); see `tinycnn.functional.batch_norm`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> layer = nn.BatchNorm1d(2, momentum=None)
    >>> layer(np.array([[1.0, 0.0], [3.0, 0.0]], np.float32)).detach().numpy().round(3)
    array([[-1.,  0.],
           [ 1.,  0.]], dtype=float32)
    >>> layer.running_mean.numpy(), int(layer.num_batches_tracked.data)
    (array([2., 0.], dtype=float32), 1)
    """

    _ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalise each channel over the batch and its pixels, input (N, C, H, W); see `tinycnn.functional.batch_norm`.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.BatchNorm2d(6)
    BatchNorm2d(6, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
    >>> list(nn.BatchNorm2d(6).state_dict())
    ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
    """

    _ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Normalise each channel over the batch and its voxels, input (N, C, D, H, W); see `tinycnn.functional.batch_norm`."""

    _ranks = (5,)


class FrozenBatchNorm2d(Module):
    """Batch normalisation whose statistics, scale and shift are constants, as in torchvision.ops.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H, W)

    Parameters
    ----------
    num_features : int
        Channels.
    eps : float
        Added to the variance.

    Notes
    -----
    All four arrays are buffers, so no optimiser sees them and training mode changes nothing: what detectors use with backbones
    trained elsewhere. A checkpoint of BatchNorm2d fits but for its `num_batches_tracked`; load it with strict=False, or drop that key.

    Examples
    --------
    >>> from tinycnn import nn
    >>> layer = nn.FrozenBatchNorm2d(3)
    >>> list(layer.parameters()), list(layer.state_dict())
    ([], ['weight', 'bias', 'running_mean', 'running_var'])
    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.num_features = whole("FrozenBatchNorm2d", "num_features", num_features, 0)
        self.eps = eps
        for name, start in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            self.register_buffer(name, Tensor(np.full(num_features, start, np.float32)))

    def forward(self, x: Any, *, activation: str | None = None, residual: Any = None) -> Tensor:
        """(x - running_mean) / sqrt(running_var + eps) weight + bias."""
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps, activation=activation, residual=residual
        )

    def extra_repr(self) -> str:
        """The size, and eps."""
        return f"{self.num_features}, eps={self.eps}"


class _InstanceNorm(_ChannelNorm):
    """Instance normalisation; see `tinycnn.functional.instance_norm`.

    Parameters
    ----------
    num_features : int
        Channels.
    eps : float
        Added to the variance.
    momentum : float
        Share of a batch in the running statistics.
    affine, bias : bool
        Whether each channel has a trained scale and shift, and whether it has the shift.
    track_running_stats : bool
        Whether evaluation uses statistics kept in training instead of each image's own.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias)

    def forward(self, input: Any) -> Tensor:
        """Each channel of each image normalised by itself; an input without a batch axis gives a result without one."""
        self._check_rank(input)
        tensor = input if isinstance(input, Tensor) else Tensor(np.asarray(input))
        single = tensor.ndim == self._ranks[0]
        channels = tensor.shape[0 if single else 1]
        if channels != self.num_features:
            text = f"{type(self).__name__}: input of shape {tensor.shape} has {channels} channels, the layer num_features={self.num_features}"
            if self.affine:
                raise ShapeError(f"{text}; make it {type(self).__name__}({channels})")
            warnings.warn(f"{text}, which nothing depends on where affine=False", HintWarning, stacklevel=3)
        result = F.instance_norm(
            F.unsqueeze(tensor, 0) if single else tensor,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return F.squeeze(result, 0) if single else result


class InstanceNorm1d(_InstanceNorm):
    """Normalise each channel of each sample, input (N, C, L) or (C, L); see `tinycnn.functional.instance_norm`."""

    _ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalise each channel of each image, input (N, C, H, W) or (C, H, W); see `tinycnn.functional.instance_norm`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> nn.InstanceNorm2d(1)(np.array([[[1.0, 3.0]]])).numpy().round(3)
    array([[[-1.,  1.]]])
    """

    _ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Normalise each channel of each volume, input (N, C, D, H, W) or (C, D, H, W); see `tinycnn.functional.instance_norm`."""

    _ranks = (4, 5)


class GroupNorm(Module):
    """Normalise groups of channels of each image; see `tinycnn.functional.group_norm`.

    Shapes
    ------
    (N, num_channels, ...) -> (N, num_channels, ...)

    Parameters
    ----------
    num_groups, num_channels : int
        The first must divide the second.
    eps : float
        Added to the variance.
    affine, bias : bool
        Whether each channel has a trained scale and shift, and whether it has the shift.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.GroupNorm(2, 6)
    GroupNorm(2, 6, eps=1e-05, affine=True)
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *, bias: bool = True) -> None:
        super().__init__()
        self.num_groups = whole("GroupNorm", "num_groups", num_groups, 1)
        self.num_channels = whole("GroupNorm", "num_channels", num_channels, 0)
        if num_channels % num_groups:
            raise ArgumentError(f"GroupNorm: num_groups={num_groups} must divide num_channels={num_channels}")
        self.eps = eps
        self.affine = affine
        _affine(self, (num_channels,), affine, affine and bias)

    def reset_parameters(self) -> None:
        """Weight ones, bias zeros."""
        _reset_affine(self)

    def forward(self, input: Any) -> Tensor:
        """The normalised input."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


def _sizes(name: str, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    given = normalized_shape if isinstance(normalized_shape, Sequence) and not isinstance(normalized_shape, str) else (normalized_shape,)
    return tuple(whole(name, "normalized_shape", size, 0) for size in given)


class LayerNorm(Module):
    """Normalise the last axes of each sample together; see `tinycnn.functional.layer_norm`.

    Shapes
    ------
    (..., *normalized_shape) -> (..., *normalized_shape)

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Sizes of the last axes.
    eps : float
        Added to the variance.
    elementwise_affine, bias : bool
        Whether each place has a trained scale and shift, and whether it has the shift.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.LayerNorm((4, 4))
    LayerNorm((4, 4), eps=1e-05, elementwise_affine=True)
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True) -> None:
        super().__init__()
        self.normalized_shape = _sizes("LayerNorm", normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        _affine(self, self.normalized_shape, elementwise_affine, elementwise_affine and bias)

    def reset_parameters(self) -> None:
        """Weight ones, bias zeros."""
        _reset_affine(self)

    def forward(self, input: Any) -> Tensor:
        """The normalised input."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class RMSNorm(Module):
    """Divide the last axes of each sample by their root mean square; see `tinycnn.functional.rms_norm`.

    Shapes
    ------
    (..., *normalized_shape) -> (..., *normalized_shape)

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Sizes of the last axes.
    eps : float, optional
        Added to the mean square; the element type's machine epsilon if left out.
    elementwise_affine : bool
        Whether each place has a trained scale.
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True) -> None:
        super().__init__()
        self.normalized_shape = _sizes("RMSNorm", normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.register_parameter("weight", Parameter(np.ones(self.normalized_shape, np.float32)) if elementwise_affine else None)

    def reset_parameters(self) -> None:
        """Weight ones."""
        _reset_affine(self)

    def forward(self, input: Any) -> Tensor:
        """The normalised input."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """Divide by a power of the squares in neighbouring channels, as AlexNet; see `tinycnn.functional.local_response_norm`.

    Shapes
    ------
    (N, C, ...) -> (N, C, ...)

    Parameters
    ----------
    size : int
        Channels in a window.
    alpha, beta, k : float
        d = k + alpha mean of squares; the input is multiplied by d^-beta. The paper's alpha is this one over size.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Any) -> Tensor:
        """The response."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
