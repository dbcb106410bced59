"""What the oracle's tests of networks share: one of ours has the keys, the shapes and the answers of torchvision's or timm's.

    agree(nn.utils.skip_init(models.resnet18), torchvision.models.resnet18(), (2, 3, 64, 64))
"""

import numpy as np
import pytest

import tinycnn
from tinycnn import Tensor


def randomise(theirs, seed=0, input_shape=None):
    """Fill torch's network with random weights, in place, so that every branch matters and activations stay in range; returns it.

    Weights are He's, scales lie between 0.5 and 1.5, shifts around 0. With `input_shape` the running statistics are those of a batch of noise,
    moved by some tenths: without them a residual network doubles its variance in every block.
    """
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(seed)
    norms = [module for module in theirs.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.running_mean is not None]

    def normal(like, std):
        return torch.randn(like.shape, generator=generator, dtype=torch.float64).to(like.dtype) * std

    def uniform(like, low, high):
        return (torch.rand(like.shape, generator=generator, dtype=torch.float64) * (high - low) + low).to(like.dtype)

    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            if parameter.ndim >= 2:
                parameter.copy_(normal(parameter, (2 * parameter.shape[0] / max(1, parameter.numel())) ** 0.5))
            else:
                parameter.copy_(normal(parameter, 0.2) if name.endswith("bias") else uniform(parameter, 0.5, 1.5))
        for norm in norms:
            norm.running_mean.zero_(), norm.running_var.fill_(1.0)
        if input_shape is not None and norms:
            _measure(torch, theirs, norms, torch.randn(input_shape, generator=generator, dtype=torch.float64))
        for norm in norms:
            spread = norm.running_var.mean().clamp(min=1e-3)
            norm.running_var.mul_(uniform(norm.running_var, 0.6, 1.6)).add_(0.1 * spread)
            norm.running_mean.add_(normal(norm.running_mean, 0.3) * spread.sqrt())
    return theirs


def _measure(torch, theirs, norms, images):
    """Make the running statistics those of one batch; only the norms train, so that small images do not meet auxiliary heads."""
    training, momenta = theirs.training, [norm.momentum for norm in norms]
    theirs.eval()
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    theirs(images.to(next(theirs.parameters()).dtype))
    theirs.train(training)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.num_batches_tracked.zero_()


def agree(mine, theirs, input_shape, tolerance=1e-9, *, seed=0, training=False):
    """Our network is theirs: keys in order, shapes, types, and after a strict load of a random state dict the same outputs in float64.

    Parameters
    ----------
    mine, theirs
        The networks; ours may come from `nn.utils.skip_init`. Both end in float64, with the same random weights.
    input_shape
        (N, C, H, W) with N >= 2, and four or more for `training`.
    tolerance
        Of the largest number of each output.
    training
        Compare the outputs in training mode too, auxiliary ones included, with dropout off, and the statistics that this leaves.
    """
    torch = pytest.importorskip("torch")
    same_keys(mine, theirs)
    randomise(theirs.double(), seed, (max(4, input_shape[0]), *input_shape[1:]))
    with np.errstate(all="ignore"):  # memory that skip_init left as it was may hold anything
        mine.double()
    assert mine.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()}) == ([], [])
    images = np.random.default_rng(seed).standard_normal(input_shape)
    for mode in (False, True)[: 1 + training]:
        for model in (mine, theirs):
            model.train(mode)
            _without_chance(model)
        with tinycnn.no_grad(), torch.no_grad():
            ours, others = _outputs(mine(Tensor(images))), _outputs(theirs(torch.from_numpy(images)))
        assert len(ours) == len(others)
        for one, other in zip(ours, others, strict=True):
            close(one.data, other.numpy(), tolerance)
            assert mode or not np.allclose(other[0], other[1], rtol=1e-3), "the output does not depend on the image, so this shows nothing"
    if training:
        for (name, one), other in zip(mine.named_buffers(), theirs.buffers(), strict=True):
            close(one.data, other.numpy(), tolerance, name)


def same_keys(mine, theirs):
    """The same state dict but for the numbers: keys in order, shapes and types; and the same parameters in order."""
    ours, others = mine.state_dict(), theirs.state_dict()
    assert list(ours) == list(others)
    for key, one in ours.items():
        assert one.shape == tuple(others[key].shape), key
        assert str(one.data.dtype) == str(others[key].dtype).removeprefix("torch."), key
    assert [name for name, _ in mine.named_parameters()] == [name for name, _ in theirs.named_parameters()]


def same_initialisation(mine, theirs, tolerance=0.1):
    """Two freshly built networks have weights of the same spread and mean, layer by layer; small ones are given more room."""
    others = dict(theirs.named_parameters())
    for name, parameter in mine.named_parameters():
        one, other = parameter.data, others[name].detach().numpy()
        spread = max(float(other.std()), 1e-12)
        room = tolerance + 6 / other.size**0.5
        assert abs(float(one.std()) - float(other.std())) <= room * spread, (name, one.std(), other.std())
        assert abs(float(one.mean()) - float(other.mean())) <= room * spread + 1e-7, (name, one.mean(), other.mean())


def close(one, other, tolerance, name="output"):
    """Equal to `tolerance` of the largest number."""
    assert one.shape == other.shape, name
    assert np.isfinite(other).all(), name
    largest = np.abs(other).max(initial=0)
    worst = np.abs(one - other).max(initial=0)
    assert worst <= tolerance * largest, f"{name}: off by {worst / largest:.1e} of the largest number"


def _without_chance(model):
    """Turn dropout and drop path off, in training mode too."""
    for module in model.modules():
        for name in ("p", "drop_prob", "drop_rate"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)


def _outputs(result):
    """The tensors of an output that may be one, several in a tuple, or several by name; missing ones are left out."""
    if isinstance(result, dict):
        result = tuple(result.values())
    return [one for one in (result if isinstance(result, tuple | list) else [result]) if one is not None]
