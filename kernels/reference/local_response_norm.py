"""Local response normalisation across channels, x of shape (N, C, P).

    d[n, c, p] = k + alpha / size sum of x[n, c', p]^2 over c' from c - size // 2 to c + (size - 1) // 2 that exist
    y = x d^-beta
"""

from .moments import like, narrow, wide

__all__ = ["local_response_norm", "local_response_norm_grad_x"]


def _divisors(x, size, alpha, k):
    d = like(x.shape, x)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            for p in range(x.shape[2]):
                total = 0
                for near in range(max(c - size // 2, 0), min(c + (size - 1) // 2 + 1, x.shape[1])):
                    total = total + x[n, near, p] * x[n, near, p]
                d[n, c, p] = k + alpha * total / size
    return d


def local_response_norm(x, size, alpha, beta, k):
    """(y, d): the response and what its power divides x, in x's own type."""
    values = wide(x)
    d = _divisors(values, size, alpha, k)
    return narrow(values * d**-beta, x), narrow(d, x)


def local_response_norm_grad_x(grad, x, d, size, alpha, beta):
    """grad d^-beta - 2 alpha beta / size x sum of grad' x' d'^(-beta - 1) over the channels c' whose window holds c."""
    upstream, values, wide_d = wide(grad), wide(x), wide(d)
    grad_x = like(x.shape, x)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            for p in range(x.shape[2]):
                total = 0
                for near in range(max(c - (size - 1) // 2, 0), min(c + size // 2 + 1, x.shape[1])):
                    total = total + upstream[n, near, p] * values[n, near, p] * wide_d[n, near, p] ** (-beta - 1)
                grad_x[n, c, p] = upstream[n, c, p] * wide_d[n, c, p] ** -beta - 2 * alpha * beta * values[n, c, p] * total / size
    return narrow(grad_x, x)
