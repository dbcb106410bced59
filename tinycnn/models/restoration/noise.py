"""Noise models: what a camera, a counter of photons or a bad line adds to an image. Images are floats from 0 to 1.

References
----------
Foi, Trimeche, Katkovnik and Egiazarian 2008, "Practical Poissonian-Gaussian noise modeling and fitting for single-image raw-data".
Krull, Buchholz and Jug 2019, "Noise2Void", section 3 and figure 7: which noise a blind spot can and cannot remove.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import ArgumentError, DtypeError, ShapeError
from ...random import default_generator
from ...tensor import Tensor

__all__ = ["NOISES", "add_noise", "gaussian_noise", "poisson_noise", "salt_and_pepper", "stripe_noise"]

Array = np.ndarray[Any, Any]
Generator = np.random.Generator | None


def _pixels(function: str, images: Any) -> Array:
    """The images as a float array with a height and a width."""
    array = images.data if isinstance(images, Tensor) else np.asarray(images)
    if array.dtype.kind != "f":
        raise DtypeError(f"{function}: images are {array.dtype}; give floats from 0 to 1, such as images / 255")
    if array.ndim < 2:
        raise ShapeError(f"{function}: images have shape {array.shape}; they must have a height and a width")
    return array


def _at_least_zero(function: str, argument: str, value: float, most: float = math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not (math.isfinite(value) and 0 <= value <= most):
        reach = f"from 0 to {most:g}" if math.isfinite(most) else "of 0 or more"
        raise ArgumentError(f"{function}: {argument} must be a finite number {reach}, not {value!r}")
    return float(value)


def gaussian_noise(images: Any, sigma: float = 25 / 255, *, generator: Generator = None) -> Array:
    """Add white Gaussian noise: of every pixel alone, and of one strength everywhere.

    Shapes
    ------
    (..., H, W) -> (..., H, W)

    Formula
    -------
    z = u + sigma e, e from N(0, 1)

    Parameters
    ----------
    images : array
        Floats.
    sigma : float
        Standard deviation in the images' units: 25 of 255 grey levels is 25 / 255.
    generator : numpy.random.Generator, optional
        The package's if left out.

    Returns
    -------
    ndarray
        Of the images' dtype; not cut to 0..1, which would bend the noise.

    Raises
    ------
    ArgumentError, DtypeError, ShapeError
        If they do not fit.

    Examples
    --------
    >>> noisy = gaussian_noise(np.zeros((64, 64)), 0.1, generator=np.random.default_rng(0))
    >>> round(float(noisy.std()), 2)
    0.1
    """
    u = _pixels("gaussian_noise", images)
    strength = _at_least_zero("gaussian_noise", "sigma", sigma)
    noise = default_generator(generator).standard_normal(u.shape)
    return (u + strength * noise).astype(u.dtype)


def poisson_noise(images: Any, peak: float = 30.0, *, generator: Generator = None) -> Array:
    """Count photons: brighter pixels are noisier, each still on its own.

    Shapes
    ------
    (..., H, W) -> (..., H, W)

    Formula
    -------
    z = k / peak, k from Poisson(peak u): its mean is u, its variance u / peak

    Parameters
    ----------
    images : array
        Floats of 0 or more.
    peak : float
        Photons that a pixel of brightness 1 gets on average; fewer mean more noise.
    generator : numpy.random.Generator, optional
        The package's if left out.

    Raises
    ------
    ArgumentError, DtypeError, ShapeError
        If they do not fit; negative or infinite brightness, which no count has.

    Examples
    --------
    >>> noisy = poisson_noise(np.full((64, 64), 0.5), 50.0, generator=np.random.default_rng(0))
    >>> round(float(noisy.var()), 3)  # 0.5 / 50
    0.01
    """
    u = _pixels("poisson_noise", images)
    if not (_at_least_zero("poisson_noise", "peak", peak, 1e9) and np.isfinite(u).all()) or u.min(initial=0) < 0 or u.max(initial=0) > 1e6:
        raise ArgumentError(f"poisson_noise: needs peak > 0 and brightness of 0 or more, got peak {peak!r}, least brightness {u.min(initial=0):g}")
    counts = default_generator(generator).poisson(np.asarray(u, np.float64) * peak)
    return (counts / peak).astype(u.dtype)


def salt_and_pepper(images: Any, amount: float = 0.05, *, salt: float = 0.5, generator: Generator = None) -> Array:
    """Set pixels, each with the same probability, to white or black.

    Shapes
    ------
    (..., H, W) -> (..., H, W)

    Formula
    -------
    z = 1 with probability amount salt, 0 with probability amount (1 - salt), else u

    Parameters
    ----------
    images : array
        Floats from 0 to 1.
    amount : float
        The share of pixels that are lost.
    salt : float
        The share of those that become white.
    generator : numpy.random.Generator, optional
        The package's if left out.

    Raises
    ------
    ArgumentError, DtypeError, ShapeError
        If they do not fit.

    Examples
    --------
    >>> noisy = salt_and_pepper(np.full((100, 100), 0.5), 0.2, generator=np.random.default_rng(0))
    >>> sorted(set(noisy.ravel().tolist())), round(float((noisy != 0.5).mean()), 1)
    ([0.0, 0.5, 1.0], 0.2)
    """
    u = _pixels("salt_and_pepper", images)
    share = _at_least_zero("salt_and_pepper", "amount", amount, 1.0)
    white = share * _at_least_zero("salt_and_pepper", "salt", salt, 1.0)
    draw = default_generator(generator).random(u.shape)
    return np.where(draw < white, 1.0, np.where(draw < share, 0.0, u)).astype(u.dtype)


def stripe_noise(images: Any, sigma: float = 25 / 255, *, axis: str = "rows", generator: Generator = None) -> Array:
    """Add one random number to each whole row (or column): noise with a structure, which a pixel's neighbours give away.

    Shapes
    ------
    (..., H, W) -> (..., H, W)

    Formula
    -------
    z[i, j] = u[i, j] + sigma e[i], e from N(0, 1); for "columns" e[j]

    Parameters
    ----------
    images : array
        Floats.
    sigma : float
        Standard deviation in the images' units.
    axis : "rows" or "columns"
        What shares a number.
    generator : numpy.random.Generator, optional
        The package's if left out.

    Raises
    ------
    ArgumentError, DtypeError, ShapeError
        If they do not fit.

    Examples
    --------
    >>> noisy = stripe_noise(np.zeros((3, 4)), 0.1, generator=np.random.default_rng(0))
    >>> bool((noisy == noisy[:, :1]).all())
    True
    """
    u = _pixels("stripe_noise", images)
    strength = _at_least_zero("stripe_noise", "sigma", sigma)
    if axis not in ("rows", "columns"):
        raise ArgumentError(f'stripe_noise: axis {axis!r} is neither "rows" nor "columns"')
    shape = (*u.shape[:-1], 1) if axis == "rows" else (*u.shape[:-2], 1, u.shape[-1])
    return (u + strength * default_generator(generator).standard_normal(shape)).astype(u.dtype)


# Name: the function, its strength's name, and what that is measured in.
NOISES: dict[str, tuple[Callable[..., Array], str, str]] = {
    "gaussian": (gaussian_noise, "sigma", "standard deviation, 1 is white"),
    "poisson": (poisson_noise, "peak", "photons of a white pixel"),
    "salt-pepper": (salt_and_pepper, "amount", "share of lost pixels"),
    "stripes": (stripe_noise, "sigma", "standard deviation of a row's number, 1 is white"),
}


def add_noise(name: str, images: Any, strength: float | None = None, *, generator: Generator = None) -> Array:
    """Add the noise of that name.

    Parameters
    ----------
    name : str
        Of NOISES: "gaussian", "poisson", "salt-pepper" or "stripes".
    images : array
        Floats from 0 to 1, (..., H, W).
    strength : float, optional
        Standard deviation, photons of a white pixel, or share of lost pixels; the function's default if left out.
    generator : numpy.random.Generator, optional
        The package's if left out.

    Raises
    ------
    ArgumentError
        For a name that does not exist.

    Examples
    --------
    >>> add_noise("salt-pepper", np.full((1, 2), 0.5), 0.0).tolist()
    [[0.5, 0.5]]
    """
    if name not in NOISES:
        raise ArgumentError(f"add_noise: there is no noise {name!r}; there are {', '.join(NOISES)}")
    function, argument, _ = NOISES[name]
    return function(images, generator=generator, **({} if strength is None else {argument: strength}))
