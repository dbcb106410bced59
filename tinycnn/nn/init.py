"""How weights start: the rules of the papers, under torch.nn.init's names. All write in place and give the tensor back.

A weight's fan-in is the number of inputs that one output sums over, its fan-out the number of outputs that one input
reaches:

    (out, in)                  fan_in = in            fan_out = out
    (out, in / groups, h, w)   fan_in = in/g h w      fan_out = out h w

If inputs have variance 1 and weights variance 1 / fan_in, outputs have variance 1 again; every rule here is a
variant of that sentence.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..autograd import no_grad
from ..errors import ArgumentError, ShapeError
from ..random import default_generator
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

__all__ = [
    "calculate_gain",
    "constant_",
    "default_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "lsuv_",
    "normal_",
    "ones_",
    "orthogonal_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

T = TypeVar("T", bound=Tensor)
Generator = np.random.Generator


_SKIPPING: ContextVar[bool] = ContextVar("skipping initialisation", default=False)


@contextmanager
def skipped() -> Iterator[None]:
    """Within it, nothing here draws or writes anything: for networks whose weights are loaded, or only counted."""
    token = _SKIPPING.set(True)
    try:
        yield
    finally:
        _SKIPPING.reset(token)


def _write(tensor: T, values: Callable[[], Any]) -> T:
    """Put values into a tensor in place, which every graph that has saved the old ones is told of."""
    if not _SKIPPING.get():
        tensor.data[...] = values()
        tensor._wrote()
    return tensor


def _check_spread(name: str, argument: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise ArgumentError(f"{name}: {argument} must be a finite number >= 0, not {value!r}")


def _fans(name: str, tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight."""
    if tensor.ndim < 2:
        raise ShapeError(
            f"{name}: a tensor of shape {tensor.shape} has no fan-in and fan-out, which need two or more axes; use uniform_ or zeros_ for a bias"
        )
    taps = math.prod(tensor.shape[2:])
    return tensor.shape[1] * taps, tensor.shape[0] * taps


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that makes up for what a nonlinearity does to the spread of its input.

    Parameters
    ----------
    nonlinearity : str
        "linear", "conv2d" and "sigmoid" 1; "tanh" 5/3; "relu" sqrt(2); "leaky_relu" sqrt(2 / (1 + slope^2)); "selu"
        3/4.
    param : float, optional
        The slope of "leaky_relu"; 0.01 if left out.

    Examples
    --------
    >>> calculate_gain("tanh"), round(calculate_gain("relu") ** 2, 6)
    (1.6666666666666667, 2.0)
    """
    gains = {"linear": 1.0, "conv2d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in gains:
        raise ArgumentError(f"calculate_gain: {nonlinearity!r} is not one of {', '.join([*gains, 'leaky_relu'])}")
    return gains[nonlinearity]


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> T:
    """Every number equally likely from a to b."""
    if not a <= b:
        raise ArgumentError(f"uniform_: the range from a={a} to b={b} is empty; exchange them")
    return _write(tensor, lambda: default_generator(generator).uniform(a, b, tensor.shape))


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> T:
    """The normal distribution with the given mean and standard deviation."""
    _check_spread("normal_", "std", std)
    return _write(tensor, lambda: default_generator(generator).normal(mean, std, tensor.shape))


def trunc_normal_(tensor: T, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Generator | None = None) -> T:
    """The normal distribution cut off below a and above b; the bounds are absolute, not multiples of std.

    Uniform numbers between the two cut-off probabilities go through the inverse of the distribution function.
    """
    _check_spread("trunc_normal_", "std", std)
    if not a < b or std == 0:
        raise ArgumentError(f"trunc_normal_: needs a < b and std > 0, not a={a}, b={b}, std={std}")

    def draw() -> np.ndarray:
        from scipy.special import ndtr, ndtri  # imported here: few networks need it, and none at start-up

        low, high = ndtr((a - mean) / std), ndtr((b - mean) / std)
        return np.clip(mean + std * ndtri(default_generator(generator).uniform(low, high, tensor.shape)), a, b)

    return _write(tensor, draw)


def constant_(tensor: T, val: float) -> T:
    """The same number everywhere."""
    return _write(tensor, lambda: val)


def ones_(tensor: T) -> T:
    """One everywhere."""
    return constant_(tensor, 1)


def zeros_(tensor: T) -> T:
    """Zero everywhere."""
    return constant_(tensor, 0)


def xavier_uniform_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """Glorot's rule, uniform: variance gain^2 2 / (fan_in + fan_out), a compromise between forward and backward.

    Formula
    -------
    U(-b, b), b = gain sqrt(6 / (fan_in + fan_out)); a uniform distribution on (-b, b) has variance b^2 / 3.

    References
    ----------
    Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", equation 16.

    Examples
    --------
    >>> weight = xavier_uniform_(Tensor(np.empty((2, 4))))  # b = sqrt(6 / 6) = 1
    >>> bool((abs(weight.numpy()) <= 1).all())
    True
    """
    fan_in, fan_out = _fans("xavier_uniform_", tensor)
    bound = gain * math.sqrt(6 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """Glorot's rule, normal: std = gain sqrt(2 / (fan_in + fan_out)); Glorot and Bengio 2010, equation 12."""
    fan_in, fan_out = _fans("xavier_normal_", tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2 / (fan_in + fan_out)), generator)


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fan_in, fan_out = _fans(name, tensor)
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f'{name}: mode {mode!r} is neither "fan_in" (keeps the forward variance) nor "fan_out" (the backward one)')
    return calculate_gain(nonlinearity, a) / math.sqrt(fan_in if mode == "fan_in" else fan_out)


def kaiming_uniform_(
    tensor: T,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """He's rule, uniform: U(-b, b), b = sqrt(3) gain / sqrt(fan), where the gain makes up for the half that ReLU drops.

    Parameters
    ----------
    tensor : Tensor
        The weight to write.
    a : float
        The negative slope that follows, for "leaky_relu"; 0 means ReLU.
    mode : str
        "fan_in" keeps the variance of activations, "fan_out" that of gradients.
    nonlinearity : str
        As in `calculate_gain`.
    generator : numpy.random.Generator, optional
        The package's generator if left out.

    References
    ----------
    He et al. 2015, "Delving deep into rectifiers", equations 10 and 14, and 15 for a slope.
    """
    bound = math.sqrt(3) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: T,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """He's rule, normal: std = gain / sqrt(fan), sqrt(2 / fan_in) for ReLU; parameters as in `kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def lecun_uniform_(tensor: T, generator: Generator | None = None) -> T:
    """LeCun's rule, uniform: U(-b, b), b = sqrt(3 / fan_in), which has the standard deviation 1 / sqrt(fan_in)."""
    bound = math.sqrt(3 / _fans("lecun_uniform_", tensor)[0])
    return uniform_(tensor, -bound, bound, generator)


def lecun_normal_(tensor: T, generator: Generator | None = None) -> T:
    """LeCun's rule, normal: std = 1 / sqrt(fan_in), so that the weighted sums of unit-variance inputs have unit
    variance.

    References
    ----------
    LeCun, Bottou, Orr and Mueller 1998, "Efficient backprop", section 4.6, equation 16.
    """
    return normal_(tensor, 0.0, 1 / math.sqrt(_fans("lecun_normal_", tensor)[0]), generator)


def orthogonal_(tensor: T, gain: float = 1, generator: Generator | None = None) -> T:
    """Orthonormal rows, or columns where there are more rows than columns, times the gain.

    All axes after the first count as one. The Q of a normal matrix's QR decomposition is uniform over the orthogonal
    matrices once the signs of R's diagonal are multiplied in.

    References
    ----------
    Saxe, McClelland and Ganguli 2013, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks".

    Examples
    --------
    >>> weight = orthogonal_(Tensor(np.empty((2, 3)))).numpy()
    >>> bool(np.allclose(weight @ weight.T, np.eye(2)))
    True
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: a tensor of shape {tensor.shape} has no rows and columns; it needs two or more axes")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])

    def draw() -> np.ndarray:
        q, r = np.linalg.qr(default_generator(generator).standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
        return gain * (q.T if rows < columns else q).reshape(tensor.shape)

    return _write(tensor, draw)


def default_(weight: Tensor, bias: Tensor | None, generator: Generator | None = None) -> None:
    """PyTorch's default for Linear and convolution: weight and bias uniform in +-1 / sqrt(fan_in).

    For the weight that is `kaiming_uniform_` with a = sqrt(5): sqrt(3) sqrt(2 / (1 + 5)) = 1.
    """
    kaiming_uniform_(weight, math.sqrt(5), generator=generator)
    if bias is not None:
        bound = 1 / math.sqrt(_fans("default_", weight)[0])
        uniform_(bias, -bound, bound, generator)


def lsuv_(
    model: "Module",
    batch: Any,
    *,
    tolerance: float = 0.1,
    max_iterations: int = 10,
    generator: Generator | None = None,
) -> dict[str, float]:
    """Layer-sequential unit variance: start orthonormal, then scale each layer until its output on a batch has
    variance 1.

    Formula
    -------
    For every layer l in the order in which they run: W_l <- orthonormal; while |Var(B_l) - 1| >= tolerance: W_l <-
    W_l / sqrt(Var(B_l)), B_l the layer's output before its nonlinearity, over the batch and all its axes.

    Parameters
    ----------
    model : Module
        The network, changed in place: every module with a `weight` of two or more axes, once; biases become zero.
    batch : array
        Inputs like those of training; a few hundred images are plenty.
    tolerance : float
        How far a variance may be from 1.
    max_iterations : int
        Rescalings tried a layer.
    generator : numpy.random.Generator, optional
        The package's generator if left out.

    Returns
    -------
    dict of str to float
        Variance of each layer's output in the end, by its path, in the order of running.

    Raises
    ------
    ArgumentError
        If the model has no such layer, or a layer's output is constant or not finite on the batch.

    References
    ----------
    Mishkin and Matas 2016, "All you need is a good init", algorithm 1.

    Examples
    --------
    >>> from tinycnn import nn
    >>> net = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 10))
    >>> variances = lsuv_(net, np.random.default_rng(0).standard_normal((256, 20)).astype(np.float32))
    >>> [name for name, variance in variances.items() if abs(variance - 1) < 0.1]
    ['0', '2']
    """
    if max_iterations < 1 or not tolerance > 0:
        raise ArgumentError(f"lsuv_: needs tolerance > 0 and max_iterations >= 1, not {tolerance!r} and {max_iterations!r}")
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    variances: dict[str, float] = {}
    try:
        with no_grad():
            order = _running_order(model, batch)
            if not order:
                raise ArgumentError(f"lsuv_: {type(model).__name__} runs no layer with a weight of two or more axes on this batch")
            for _, layer in order:
                orthogonal_(layer.weight, generator=generator)
                if isinstance(getattr(layer, "bias", None), Tensor):
                    zeros_(layer.bias)
            for name, layer in order:
                variances[name] = _scale_to_unit_variance(model, name, layer, batch, tolerance, max_iterations)
    finally:
        for module, training in modes:
            module.training = training
    return variances


def _running_order(model: "Module", batch: Any) -> list[tuple[str, "Module"]]:
    """The layers with weights, in the order in which a forward pass first calls them."""
    order: dict[int, tuple[str, Module]] = {}

    def remember(name: str) -> Callable[..., None]:
        def hook(module: "Module", args: Any, output: Any) -> None:
            order.setdefault(id(module), (name, module))

        return hook

    layers = [(n, m) for n, m in model.named_modules() if isinstance(getattr(m, "weight", None), Tensor) and m.weight.ndim >= 2]
    handles = [layer.register_forward_hook(remember(name)) for name, layer in layers]
    try:
        model(batch)
    finally:
        for handle in handles:
            handle.remove()
    return list(order.values())


def _scale_to_unit_variance(model: "Module", name: str, layer: "Module", batch: Any, tolerance: float, max_iterations: int) -> float:
    """Divide one layer's weight by its output's standard deviation until that is near 1; returns the last variance."""
    seen: list[float] = []
    fused = getattr(layer, "activation", None)
    if fused is not None:  # the rule speaks of the output before the nonlinearity
        layer.activation = None
    try:
        with layer.register_forward_hook(lambda module, args, output: seen.append(float(np.var(output.data, dtype=np.float64)))):
            for iteration in range(max_iterations + 1):
                seen.clear()
                model(batch)
                variance = seen[0]
                if not (math.isfinite(variance) and variance > 0):
                    raise ArgumentError(
                        f"lsuv_: the output of layer {name!r} has variance {variance} on this batch, which no factor "
                        "brings to 1; "
                        "pass inputs that vary and are finite"
                    )
                if abs(variance - 1) < tolerance or iteration == max_iterations:
                    break
                layer.weight.data /= math.sqrt(variance)
                layer.weight._wrote()
    finally:
        if fused is not None:
            layer.activation = fused
    return variance
