"""How near one image is to another: squared error, peak signal-to-noise ratio, structural similarity; scikit-image's names and answers."""

import warnings
from typing import Any

import numpy as np

from ..errors import ArgumentError, HintWarning, ShapeError
from ._targets import Array, one_of, plain

TRUNCATE = 3.5  # where the Gaussian window ends, in sigmas: 11 taps at sigma 1.5


def _image_pair(function: str, first: Any, second: Any) -> tuple[Array, Array]:
    a, b = np.asarray(plain(first)), np.asarray(plain(second))
    if a.shape != b.shape or a.size == 0:
        raise ShapeError(f"{function}: both images must have one shape, not {a.shape} and {b.shape}")
    for image in (a, b):
        if image.dtype.kind not in "iufb":
            raise ArgumentError(f"{function}: images must hold real numbers, not {image.dtype}")
    return a, b


def _floats(a: Array, b: Array) -> tuple[Array, Array]:
    """Both as float32 where both are floats of at most 32 bits, else as float64."""
    kind = np.float32 if all(image.dtype in (np.float16, np.float32) for image in (a, b)) else np.float64
    return a.astype(kind), b.astype(kind)


def _dtype_limits(image: Array) -> tuple[float, float]:
    if image.dtype.kind == "f":
        return -1.0, 1.0
    if image.dtype.kind == "b":
        return 0.0, 1.0
    limits = np.iinfo(image.dtype)
    return float(limits.min), float(limits.max)


def mean_squared_error(image0: Any, image1: Any) -> float:
    """The mean of the squared differences.

    Shapes: two images (...) of one shape -> scalar

    Formula: (1/N) sum (a - b)^2

    Parameters
    ----------
    image0, image1 : the images

    Returns
    -------
    float

    Raises
    ------
    ShapeError : the shapes differ

    Examples
    --------
    >>> mean_squared_error([[0.0, 1.0]], [[0.0, 0.5]])
    0.125
    """
    a, b = _floats(*_image_pair("mean_squared_error", image0, image1))
    return float(np.mean((a - b) ** 2, dtype=np.float64))


def normalized_root_mse(image_true: Any, image_test: Any, *, normalization: str = "euclidean") -> float:
    """The root of the mean squared error in units of the true image.

    Parameters
    ----------
    image_true, image_test : the images
    normalization : "euclidean" (root mean square), "min-max" (range) or "mean" of the true image

    Returns
    -------
    float; infinite or nan for a true image of zeros

    Raises
    ------
    ShapeError : the shapes differ
    ArgumentError : an unknown word

    Examples
    --------
    >>> normalized_root_mse([1.0, 3.0], [1.0, 1.0], normalization="mean")
    0.7071067811865476
    """
    one_of("normalized_root_mse", "normalization", normalization, ("euclidean", "min-max", "mean"))
    true, test = _floats(*_image_pair("normalized_root_mse", image_true, image_test))
    bottom: Any
    if normalization == "euclidean":
        bottom = np.sqrt(np.mean(true * true, dtype=np.float64))
    else:
        bottom = true.max() - true.min() if normalization == "min-max" else true.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.sqrt(mean_squared_error(true, test)) / bottom)


def peak_signal_noise_ratio(image_true: Any, image_test: Any, *, data_range: float | None = None) -> float:
    """The largest possible signal over the mean squared error, in decibels.

    Shapes: two images (...) of one shape -> scalar

    Formula: 10 log10(data_range^2 / MSE)

    Parameters
    ----------
    image_true, image_test : the images
    data_range : largest minus smallest possible value. By default of the dtype of image_true: 255 of uint8; of floats 1, or 2
        where some are negative

    Returns
    -------
    float in dB; infinite for equal images

    Raises
    ------
    ShapeError : the shapes differ
    ArgumentError : values beyond what the dtype's range is taken to be, a data_range that is not above 0

    Examples
    --------
    >>> round(peak_signal_noise_ratio([0.0, 1.0], [0.1, 0.9]), 4)
    20.0
    """
    true, test = _image_pair("peak_signal_noise_ratio", image_true, image_test)
    if data_range is None:
        lowest, highest = _dtype_limits(true)
        if true.max() > highest or true.min() < lowest:
            raise ArgumentError(
                f"peak_signal_noise_ratio: values from {true.min():g} to {true.max():g} are beyond {lowest:g} to {highest:g} of "
                f"{true.dtype} images; give data_range, such as 255"
            )
        data_range = highest if true.min() >= 0 else highest - lowest
    error = mean_squared_error(true, test)
    _check_range("peak_signal_noise_ratio", data_range)
    return float(10 * np.log10(float(data_range) ** 2 / error)) if error else float("inf")


def _check_range(function: str, data_range: float) -> None:
    if not data_range > 0:
        raise ArgumentError(f"{function}: data_range must be above 0, not {data_range}")


def structural_similarity(
    im1: Any,
    im2: Any,
    *,
    win_size: int | None = None,
    gradient: bool = False,
    data_range: float | None = None,
    channel_axis: int | None = None,
    gaussian_weights: bool = False,
    full: bool = False,
    use_sample_covariance: bool = True,
    K1: float = 0.01,
    K2: float = 0.03,
    sigma: float = 1.5,
) -> Any:
    """The mean likeness of two images in brightness, contrast and structure, over sliding windows.

    Shapes: two images of one shape, of any number of axes -> scalar, and with full (and gradient) arrays of that shape

    Formula: ((2 m_a m_b + c1)(2 s_ab + c2)) / ((m_a^2 + m_b^2 + c1)(s_a^2 + s_b^2 + c2)), c1 = (K1 L)^2, c2 = (K2 L)^2,
    m means, s (co)variances over a window, L the data_range

    Parameters
    ----------
    im1, im2 : the images
    win_size : side of the window in pixels, odd; 7, or with gaussian_weights what sigma needs
    gradient : also give the derivative of the mean by im2
    data_range : L, largest minus smallest possible value; of whole numbers by default that of the dtype
    channel_axis : the axis of the channels, which are taken one by one; None for grey images
    gaussian_weights : windows weighted by a Gaussian, as in the paper
    full : also give the map of likeness
    use_sample_covariance : divide by N - 1 (True) or N, as the paper does
    K1, K2 : keep the quotients away from 0/0
    sigma : of the Gaussian, in pixels

    Returns
    -------
    float; with gradient and full a tuple of it, the gradient and the map

    Raises
    ------
    ShapeError : the shapes differ, or are smaller than the window
    ArgumentError : floats without data_range, an even window, negative constants

    Notes
    -----
    The paper's own numbers: gaussian_weights=True, sigma=1.5, use_sample_covariance=False and data_range. A strip of half a
    window along the edges is left out of the mean.

    References
    ----------
    Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, Image quality assessment: from error visibility to structural
    similarity, 2004; A. N. Avanaki, 2009, for the gradient.

    Examples
    --------
    >>> image = np.arange(64.0).reshape(8, 8)
    >>> structural_similarity(image, image, data_range=63)
    1.0
    """
    name = "structural_similarity"
    a, b = _image_pair(name, im1, im2)
    size = _window(name, win_size, gaussian_weights, sigma, K1, K2)
    spatial = [each for axis, each in enumerate(a.shape) if channel_axis is None or axis != channel_axis % a.ndim]
    if min(spatial, default=0) < size:
        raise ShapeError(f"{name}: the window of {size} is larger than the image {a.shape}; give a smaller odd win_size, or channel_axis")
    reach = _range_of(name, a, b, data_range)
    kind = np.float32 if a.dtype in (np.float32, np.float16) else np.float64
    a, b = a.astype(kind), b.astype(kind)

    def one(x: Array, y: Array) -> tuple[float, Array, Array]:
        return _similarity(x, y, size, sigma if gaussian_weights else None, use_sample_covariance, (K1 * reach) ** 2, (K2 * reach) ** 2)

    if channel_axis is None:
        mean, slope, likeness = one(a, b)
    else:
        each = [one(x, y) for x, y in zip(np.moveaxis(a, channel_axis, 0), np.moveaxis(b, channel_axis, 0), strict=True)]
        mean = float(np.mean(np.array([part[0] for part in each], dtype=kind)))
        slope, likeness = (np.stack([part[place] for part in each], axis=channel_axis % a.ndim) for place in (1, 2))
    extra = ((slope,) if gradient else ()) + ((likeness,) if full else ())
    return (mean, *extra) if extra else mean


def _window(function: str, win_size: int | None, gaussian: bool, sigma: float, k1: float, k2: float) -> int:
    if min(k1, k2, sigma) < 0:
        raise ArgumentError(f"{function}: K1, K2 and sigma must not be negative, not {k1}, {k2} and {sigma}")
    size = win_size if win_size is not None else 2 * int(TRUNCATE * sigma + 0.5) + 1 if gaussian else 7
    if size < 1 or size % 2 == 0:
        raise ArgumentError(f"{function}: win_size must be odd, not {size}; {size + 1} is the next")
    return size


def _range_of(function: str, a: Array, b: Array, data_range: float | None) -> float:
    if data_range is None:
        if "f" in (a.dtype.kind, b.dtype.kind):
            raise ArgumentError(f"{function}: of floats nothing tells the data_range; give it, 1.0 of images from 0 to 1")
        lowest, highest = _dtype_limits(a)
        data_range = highest - lowest
        if a.dtype != np.uint8:
            warnings.warn(f"{function}: data_range is taken to be {data_range:g}, that of {a.dtype}; give it", HintWarning, stacklevel=3)
    _check_range(function, data_range)
    return float(data_range)


def _similarity(a: Array, b: Array, size: int, sigma: float | None, sample: bool, c1: float, c2: float) -> tuple[float, Array, Array]:
    """The mean, its gradient by b, and the map, of one channel."""
    from scipy import ndimage  # slow to import, and nothing else here needs it

    def mean(x: Array) -> Array:
        if sigma is None:
            return np.asarray(ndimage.uniform_filter(x, size=size))
        return np.asarray(ndimage.gaussian_filter(x, sigma, mode="reflect", truncate=TRUNCATE))

    pixels = size**a.ndim
    norm = pixels / (pixels - 1) if sample and pixels > 1 else 1.0
    ma, mb = mean(a), mean(b)
    va, vb, vab = (norm * (mean(x * y) - mx * my) for x, y, mx, my in ((a, a, ma, ma), (b, b, mb, mb), (a, b, ma, mb)))
    top1, top2, bottom1, bottom2 = 2 * ma * mb + c1, 2 * vab + c2, ma**2 + mb**2 + c1, va + vb + c2
    bottom = bottom1 * bottom2
    likeness = top1 * top2 / bottom
    edge = size // 2
    inside = likeness[tuple(slice(edge, length - edge) for length in likeness.shape)]
    slope = mean(top1 / bottom) * a + mean(-likeness / bottom2) * b
    slope += mean((ma * (top2 - top1) - mb * (bottom2 - bottom1) * likeness) / bottom)
    return float(inside.mean(dtype=np.float64)), slope * (2 / a.size), likeness
