"""Activations, fast: a formula of numbers each, made a kernel by `elementwise`. Where a derivative has a corner, it is torch's side of it."""

from . import scalars, special
from .elementwise import CHEAP, COSTLY, elementwise
from .special import clamp, like

__all__ = """
    celu celu_grad_x elu elu_grad_x gelu gelu_grad_x gelu_tanh gelu_tanh_grad_x hardshrink hardshrink_grad_x hardsigmoid hardsigmoid_grad_x
    hardswish hardswish_grad_x hardtanh hardtanh_grad_x leaky_relu leaky_relu_grad_x logsigmoid logsigmoid_grad_x mish mish_grad_x
    relu relu_grad_x relu6 relu6_grad_x selu selu_grad_x sigmoid sigmoid_grad_x silu silu_grad_x softplus softplus_grad_x
    softshrink softshrink_grad_x softsign softsign_grad_x tanh tanh_grad_x tanhshrink tanhshrink_grad_x threshold threshold_grad_x
""".split()

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
GELU_SLOPE, GELU_CUBE = 0.7978845608028653558798921198687, 0.044715  # sqrt(2 / pi), and the paper's constant
# From here on sigmoid(2 u) is 0 or 1 in float64 too, and the cube still finite.
GELU_ENDS = 25
# e^40 squared is finite in float32, and here mish is x to the last digit of float64.
MISH_IS_X = 40


# Piecewise linear


@elementwise(arrays=1, nanoseconds=CHEAP)
def relu(x):
    """x where x > 0, else 0; NaN stays."""
    return like(0, x) if x <= 0 else x


@elementwise(arrays=2, nanoseconds=CHEAP)
def relu_grad_x(grad, y):
    """The gradient where the output is not zero: ReLU'(0) = 0."""
    return like(0, y) if y <= 0 else grad


@elementwise(arrays=1, nanoseconds=CHEAP)
def hardtanh(x, min_val, max_val):
    """x cut off below min_val and above max_val."""
    return clamp(x, min_val, max_val)


@elementwise(arrays=2, nanoseconds=CHEAP)
def hardtanh_grad_x(grad, x, min_val, max_val):
    """The gradient strictly between the two."""
    return like(0, x) if x <= min_val or x >= max_val else grad


def relu6(x):
    """x cut off below 0 and above 6."""
    return hardtanh(x, 0, 6)


def relu6_grad_x(grad, x):
    """The gradient strictly between 0 and 6."""
    return hardtanh_grad_x(grad, x, 0, 6)


@elementwise(arrays=1, nanoseconds=CHEAP)
def leaky_relu(x, negative_slope):
    """x where x > 0, else negative_slope x."""
    return x if x > 0 else negative_slope * x


@elementwise(arrays=2, nanoseconds=CHEAP)
def leaky_relu_grad_x(grad, x, negative_slope):
    """The gradient where x > 0, else negative_slope times it."""
    return grad if x > 0 else negative_slope * grad


@elementwise(arrays=1, nanoseconds=CHEAP)
def threshold(x, threshold, value):
    """x where x > threshold, else value."""
    return value if x <= threshold else x


@elementwise(arrays=2, nanoseconds=CHEAP)
def threshold_grad_x(grad, x, threshold, value):
    """The gradient where x > threshold."""
    return like(0, x) if x <= threshold else grad


@elementwise(arrays=1, nanoseconds=CHEAP)
def hardshrink(x, lambd):
    """0 from -lambd to lambd, else x."""
    return like(0, x) if x >= -lambd and x <= lambd else x


@elementwise(arrays=2, nanoseconds=CHEAP)
def hardshrink_grad_x(grad, x, lambd):
    """The gradient outside -lambd to lambd."""
    return like(0, x) if x >= -lambd and x <= lambd else grad


@elementwise(arrays=1, nanoseconds=CHEAP)
def softshrink(x, lambd):
    """x moved towards 0 by lambd, and 0 where that would cross it."""
    return like(0, x) if x >= -lambd and x <= lambd else (x + lambd if x < 0 else x - lambd)


def softshrink_grad_x(grad, x, lambd):
    """The gradient outside -lambd to lambd."""
    return hardshrink_grad_x(grad, x, lambd)


@elementwise(arrays=1, nanoseconds=CHEAP)
def hardsigmoid(x):
    """x / 6 + 1/2 cut off at 0 and 1."""
    return clamp(x + like(3, x), like(0, x), like(6, x)) / like(6, x)


@elementwise(arrays=2, nanoseconds=CHEAP)
def hardsigmoid_grad_x(grad, x):
    """A sixth of the gradient strictly between -3 and 3."""
    return grad / like(6, x) if x > -3 and x < 3 else like(0, x)


@elementwise(arrays=1, nanoseconds=CHEAP)
def hardswish(x):
    """x times hardsigmoid(x)."""
    return x * (clamp(x + like(3, x), like(0, x), like(6, x)) / like(6, x))


@elementwise(arrays=2, nanoseconds=CHEAP)
def hardswish_grad_x(grad, x):
    """The gradient times x / 3 + 1/2 between -3 and 3, 0 up to -3, and as it is from 3 on."""
    inside = grad if x >= 3 or x != x else grad * (x / like(3, x) + like(0.5, x))
    return like(0, x) if x <= -3 else inside


# Exponential


@elementwise(arrays=1, nanoseconds=COSTLY)
def tanh(x):
    """The hyperbolic tangent."""
    return scalars.tanh(x)


@elementwise(arrays=2, nanoseconds=CHEAP)
def tanh_grad_x(grad, y):
    """grad (1 - y^2)."""
    return grad * (like(1, y) - y * y)


@elementwise(arrays=1, nanoseconds=COSTLY)
def tanhshrink(x):
    """x - tanh(x)."""
    return x - scalars.tanh(x)


@elementwise(arrays=2, nanoseconds=COSTLY)
def tanhshrink_grad_x(grad, x):
    """grad tanh(x)^2."""
    y = scalars.tanh(x)
    return grad * (y * y)


@elementwise(arrays=1, nanoseconds=COSTLY)
def sigmoid(x):
    """1 / (1 + e^-x), from the exponential that cannot overflow."""
    return special.sigmoid(x)


@elementwise(arrays=2, nanoseconds=CHEAP)
def sigmoid_grad_x(grad, y):
    """grad y (1 - y)."""
    return grad * (y * (like(1, y) - y))


@elementwise(arrays=1, nanoseconds=COSTLY)
def silu(x):
    """x sigmoid(x)."""
    return x * special.sigmoid(x)


@elementwise(arrays=2, nanoseconds=COSTLY)
def silu_grad_x(grad, x):
    """grad s (1 + x (1 - s)), s = sigmoid(x)."""
    one = like(1, x)
    s = special.sigmoid(x)
    return grad * (s * (one + x * (one - s)))


@elementwise(arrays=1, nanoseconds=COSTLY)
def logsigmoid(x):
    """log sigmoid(x) = min(x, 0) - log(1 + e^-|x|)."""
    return (x if x < 0 else like(0, x)) - special.log1p_exp(abs(x))


@elementwise(arrays=2, nanoseconds=COSTLY)
def logsigmoid_grad_x(grad, x):
    """grad sigmoid(-x)."""
    return grad * special.sigmoid(-x)


@elementwise(arrays=1, nanoseconds=COSTLY)
def softplus(x, beta, threshold):
    """log(1 + e^(beta x)) / beta; x where beta x > threshold."""
    v = beta * x
    above = like(0, x) if v < 0 else v
    return x if v > threshold else (above + special.log1p_exp(abs(v))) / beta


@elementwise(arrays=2, nanoseconds=COSTLY)
def softplus_grad_x(grad, x, beta, threshold):
    """grad sigmoid(beta x); the gradient where beta x > threshold."""
    v = beta * x
    return grad if v > threshold else grad * special.sigmoid(v)


@elementwise(arrays=1, nanoseconds=COSTLY)
def mish(x):
    """x tanh(log(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2)."""
    two = like(2, x)
    e = scalars.exp(clamp(x, x, like(MISH_IS_X, x)))
    n = e * (e + two)
    return x * (n / (n + two))


@elementwise(arrays=2, nanoseconds=COSTLY)
def mish_grad_x(grad, x):
    """grad (n / (n + 2) + 4 x e^x (1 + e^x) / (n + 2)^2)."""
    one, two = like(1, x), like(2, x)
    e = scalars.exp(clamp(x, x, like(MISH_IS_X, x)))
    n = e * (e + two)
    share = one / (n + two)
    rest = like(0, x) if x >= MISH_IS_X else like(4, x) * (e * share) * ((one + e) * share)
    return grad * (n * share + x * rest)


@elementwise(arrays=1, nanoseconds=COSTLY)
def elu(x, alpha):
    """x where x > 0, else alpha (e^x - 1)."""
    return x if x > 0 else alpha * special.expm1_below_zero(x)


@elementwise(arrays=2, nanoseconds=COSTLY)
def elu_grad_x(grad, x, alpha):
    """The gradient where x > 0, else alpha e^x times it."""
    return grad * (alpha * scalars.exp(x)) if x <= 0 else grad


@elementwise(arrays=1, nanoseconds=COSTLY)
def celu(x, alpha):
    """x where x > 0, else alpha (e^(x / alpha) - 1)."""
    q = x / alpha
    # Above zero only where alpha is negative.
    return x if x > 0 else alpha * (scalars.exp(q) - like(1, x) if q > 0 else special.expm1_below_zero(q))


@elementwise(arrays=2, nanoseconds=COSTLY)
def celu_grad_x(grad, x, alpha):
    """The gradient where x > 0, else e^(x / alpha) times it."""
    return grad * scalars.exp(x / alpha) if x <= 0 else grad


@elementwise(arrays=1, nanoseconds=COSTLY)
def selu(x):
    """elu with the alpha and the scale that keep mean 0 and variance 1 through deep networks."""
    return like(SELU_SCALE, x) * x if x > 0 else like(SELU_SCALE * SELU_ALPHA, x) * special.expm1_below_zero(x)


@elementwise(arrays=2, nanoseconds=COSTLY)
def selu_grad_x(grad, x):
    """scale grad where x > 0, else scale alpha e^x grad."""
    return grad * (like(SELU_SCALE * SELU_ALPHA, x) * scalars.exp(x)) if x <= 0 else like(SELU_SCALE, x) * grad


@elementwise(arrays=1, nanoseconds=COSTLY)
def gelu(x):
    """x Phi(x), Phi the normal distribution."""
    return x * special.normal(x)[0]


@elementwise(arrays=2, nanoseconds=COSTLY)
def gelu_grad_x(grad, x):
    """grad (Phi(x) + x phi(x))."""
    below, density = special.normal(x)
    return grad * (below + x * density)


@elementwise(arrays=1, nanoseconds=COSTLY)
def gelu_tanh(x):
    """x (1 + tanh(u)) / 2 = x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3)."""
    c = clamp(x, like(-GELU_ENDS, x), like(GELU_ENDS, x))
    return x * special.sigmoid(like(2 * GELU_SLOPE, x) * c * (like(1, x) + like(GELU_CUBE, x) * c * c))


@elementwise(arrays=2, nanoseconds=COSTLY)
def gelu_tanh_grad_x(grad, x):
    """grad (s + x s (1 - s) 2 u'), s = sigmoid(2 u)."""
    one = like(1, x)
    c = clamp(x, like(-GELU_ENDS, x), like(GELU_ENDS, x))
    s = special.sigmoid(like(2 * GELU_SLOPE, x) * c * (one + like(GELU_CUBE, x) * c * c))
    slope = like(2 * GELU_SLOPE, x) * (one + like(3 * GELU_CUBE, x) * c * c)
    return grad * (s + x * (s * (one - s) * slope))


@elementwise(arrays=1, nanoseconds=CHEAP)
def softsign(x):
    """x / (1 + |x|)."""
    return x / (like(1, x) + abs(x))


@elementwise(arrays=2, nanoseconds=CHEAP)
def softsign_grad_x(grad, x):
    """grad / (1 + |x|)^2, and NaN where the value is: at infinity."""
    share = like(1, x) / (like(1, x) + abs(x))
    return grad * (share * share + like(0, x) * x)
