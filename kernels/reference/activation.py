"""Activations: the formula of one number each. Where a derivative has a corner, the side is torch's.

The piecewise linear ones are exact on fractions too.
"""

import functools
import math

import numpy as np

from .scalars import empty_like_shape, erf, exp, log, logistic
from .scalars import tanh as hyperbolic_tangent

__all__ = """
    celu celu_grad_x elu elu_grad_x gelu gelu_grad_x gelu_tanh gelu_tanh_grad_x hardshrink hardshrink_grad_x hardsigmoid hardsigmoid_grad_x
    hardswish hardswish_grad_x hardtanh hardtanh_grad_x leaky_relu leaky_relu_grad_x logsigmoid logsigmoid_grad_x mish mish_grad_x
    relu relu_grad_x relu6 relu6_grad_x selu selu_grad_x sigmoid sigmoid_grad_x silu silu_grad_x softplus softplus_grad_x
    softshrink softshrink_grad_x softsign softsign_grad_x tanh tanh_grad_x tanhshrink tanhshrink_grad_x threshold threshold_grad_x
""".split()

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def each(arrays):
    """Apply a formula of numbers at every place: its first `arrays` parameters are arrays of one shape, the others numbers."""

    def declare(formula):
        @functools.wraps(formula)
        def run(*arguments):
            places, numbers = arguments[:arrays], arguments[arrays:]
            if places[0].dtype != object:
                numbers = [places[0].dtype.type(number) for number in numbers]
            result = empty_like_shape(places[0].shape, places[0])
            with np.errstate(all="ignore"):
                for index in np.ndindex(result.shape):
                    result[index] = formula(*(array[index] for array in places), *numbers)
            return result

        return run

    return declare


# Piecewise linear


@each(arrays=1)
def relu(x):
    """x where x > 0, else 0; NaN stays."""
    return 0 if x <= 0 else x


@each(arrays=2)
def relu_grad_x(grad, y):
    """The gradient where the output is not zero: ReLU'(0) = 0."""
    return 0 if y <= 0 else grad


@each(arrays=1)
def relu6(x):
    """x cut off below 0 and above 6."""
    return 0 if x < 0 else 6 if x > 6 else x


@each(arrays=2)
def relu6_grad_x(grad, x):
    """The gradient strictly between 0 and 6."""
    return 0 if x <= 0 or x >= 6 else grad


@each(arrays=1)
def hardtanh(x, min_val, max_val):
    """x cut off below min_val and above max_val."""
    return min_val if x < min_val else max_val if x > max_val else x


@each(arrays=2)
def hardtanh_grad_x(grad, x, min_val, max_val):
    """The gradient strictly between the two."""
    return 0 if x <= min_val or x >= max_val else grad


@each(arrays=1)
def leaky_relu(x, negative_slope):
    """x where x > 0, else negative_slope x."""
    return x if x > 0 else negative_slope * x


@each(arrays=2)
def leaky_relu_grad_x(grad, x, negative_slope):
    """The gradient where x > 0, else negative_slope times it."""
    return grad if x > 0 else negative_slope * grad


@each(arrays=1)
def threshold(x, threshold, value):
    """x where x > threshold, else value."""
    return value if x <= threshold else x


@each(arrays=2)
def threshold_grad_x(grad, x, threshold, value):
    """The gradient where x > threshold."""
    return 0 if x <= threshold else grad


@each(arrays=1)
def hardshrink(x, lambd):
    """0 from -lambd to lambd, else x."""
    return 0 if -lambd <= x <= lambd else x


@each(arrays=2)
def hardshrink_grad_x(grad, x, lambd):
    """The gradient outside -lambd to lambd."""
    return 0 if -lambd <= x <= lambd else grad


@each(arrays=1)
def softshrink(x, lambd):
    """x moved towards 0 by lambd, and 0 where that would cross it."""
    if -lambd <= x <= lambd:
        return 0
    return x + lambd if x < 0 else x - lambd


@each(arrays=2)
def softshrink_grad_x(grad, x, lambd):
    """The gradient outside -lambd to lambd."""
    return 0 if -lambd <= x <= lambd else grad


@each(arrays=1)
def hardsigmoid(x):
    """x / 6 + 1/2 cut off at 0 and 1."""
    return 0 if x < -3 else 1 if x > 3 else (x + 3) / 6


@each(arrays=2)
def hardsigmoid_grad_x(grad, x):
    """A sixth of the gradient strictly between -3 and 3."""
    return grad / 6 if -3 < x < 3 else 0


@each(arrays=1)
def hardswish(x):
    """x times hardsigmoid(x)."""
    return x * (0 if x < -3 else 1 if x > 3 else (x + 3) / 6)


@each(arrays=2)
def hardswish_grad_x(grad, x):
    """The gradient times x / 3 + 1/2 between -3 and 3, 0 up to -3, and as it is from 3 on."""
    if x <= -3:
        return 0
    return grad * (2 * x + 3) / 6 if x < 3 else grad


# Exponential


@each(arrays=1)
def tanh(x):
    """The hyperbolic tangent."""
    return hyperbolic_tangent(x)


@each(arrays=2)
def tanh_grad_x(grad, y):
    """grad (1 - y^2)."""
    return grad * (1 - y * y)


@each(arrays=1)
def tanhshrink(x):
    """x - tanh(x)."""
    return x - hyperbolic_tangent(x)


@each(arrays=2)
def tanhshrink_grad_x(grad, x):
    """grad tanh(x)^2."""
    y = hyperbolic_tangent(x)
    return grad * (y * y)


@each(arrays=1)
def sigmoid(x):
    """1 / (1 + e^-x)."""
    return logistic(x)


@each(arrays=2)
def sigmoid_grad_x(grad, y):
    """grad y (1 - y)."""
    return grad * (y * (1 - y))


@each(arrays=1)
def silu(x):
    """x sigmoid(x)."""
    return x * logistic(x)


@each(arrays=2)
def silu_grad_x(grad, x):
    """grad s (1 + x (1 - s)), s = sigmoid(x)."""
    s = logistic(x)
    return grad * (s * (1 + x * (1 - s)))


@each(arrays=1)
def logsigmoid(x):
    """log sigmoid(x) = min(x, 0) - log(1 + e^-|x|)."""
    return (x if x < 0 else 0) - log(1 + exp(-abs(x)))


@each(arrays=2)
def logsigmoid_grad_x(grad, x):
    """grad sigmoid(-x)."""
    return grad * logistic(-x)


@each(arrays=1)
def softplus(x, beta, threshold):
    """log(1 + e^(beta x)) / beta; x where beta x > threshold."""
    v = beta * x
    return x if v > threshold else ((0 if v < 0 else v) + log(1 + exp(-abs(v)))) / beta


@each(arrays=2)
def softplus_grad_x(grad, x, beta, threshold):
    """grad sigmoid(beta x); the gradient where beta x > threshold."""
    v = beta * x
    return grad if v > threshold else grad * logistic(v)


@each(arrays=1)
def mish(x):
    """x tanh(softplus(x))."""
    return x * hyperbolic_tangent((0 if x < 0 else x) + log(1 + exp(-abs(x))))


@each(arrays=2)
def mish_grad_x(grad, x):
    """grad (t + x (1 - t^2) sigmoid(x)), t = tanh(softplus(x))."""
    t = hyperbolic_tangent((0 if x < 0 else x) + log(1 + exp(-abs(x))))
    return grad * (t + x * ((1 - t * t) * logistic(x)))


@each(arrays=1)
def elu(x, alpha):
    """x where x > 0, else alpha (e^x - 1)."""
    return x if x > 0 else alpha * (exp(x) - 1)


@each(arrays=2)
def elu_grad_x(grad, x, alpha):
    """The gradient where x > 0, else alpha e^x times it."""
    return grad * (alpha * exp(x)) if x <= 0 else grad


@each(arrays=1)
def celu(x, alpha):
    """x where x > 0, else alpha (e^(x / alpha) - 1)."""
    return x if x > 0 else alpha * (exp(x / alpha) - 1)


@each(arrays=2)
def celu_grad_x(grad, x, alpha):
    """The gradient where x > 0, else e^(x / alpha) times it."""
    return grad * exp(x / alpha) if x <= 0 else grad


@each(arrays=1)
def selu(x):
    """elu with the alpha and the scale that keep mean 0 and variance 1 through deep networks."""
    return SELU_SCALE * x if x > 0 else SELU_SCALE * SELU_ALPHA * (exp(x) - 1)


@each(arrays=2)
def selu_grad_x(grad, x):
    """scale grad where x > 0, else scale alpha e^x grad."""
    return grad * (SELU_SCALE * SELU_ALPHA * exp(x)) if x <= 0 else SELU_SCALE * grad


def _normal(x):
    """(Phi(x), phi(x)): the normal distribution and its density."""
    return (1 + erf(x / math.sqrt(2))) / 2, exp(-x * x / 2) / math.sqrt(2 * math.pi)


@each(arrays=1)
def gelu(x):
    """x Phi(x), Phi the normal distribution."""
    return x * _normal(x)[0]


@each(arrays=2)
def gelu_grad_x(grad, x):
    """grad (Phi(x) + x phi(x))."""
    below, density = _normal(x)
    return grad * (below + x * density)


@each(arrays=1)
def gelu_tanh(x):
    """x (1 + tanh(u)) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3)."""
    return x * (1 + hyperbolic_tangent(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))) / 2


@each(arrays=2)
def gelu_tanh_grad_x(grad, x):
    """grad ((1 + t) / 2 + x (1 - t^2) u' / 2), t = tanh(u)."""
    t = hyperbolic_tangent(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))
    return grad * ((1 + t) / 2 + x * ((1 - t * t) * (math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)) / 2))


@each(arrays=1)
def softsign(x):
    """x / (1 + |x|)."""
    return x / (1 + abs(x))


@each(arrays=2)
def softsign_grad_x(grad, x):
    """grad / (1 + |x|)^2, and NaN where the value is: at infinity."""
    share = 1 / (1 + abs(x))
    return grad * (share * share + 0 * x)
