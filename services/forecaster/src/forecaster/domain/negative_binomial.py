"""The negative binomial, for whole tables at once: probabilities and quantiles."""

import numpy as np
from scipy.special import betainc, ndtri

from forecaster.domain.history import FloatArray

_STEPS_MAX = 64


def cdf(counts: FloatArray, mean: FloatArray, size: FloatArray) -> FloatArray:
    """Return P(demand <= count), elementwise; 0 below zero.

    Args:
        counts: Whole units.
        mean: > 0.
        size: The negative binomial's r, > 0: variance = mean + mean^2 / size.
    """
    counts, mean, size = np.broadcast_arrays(np.floor(counts), mean, size)
    below: FloatArray = betainc(size, np.maximum(counts, 0.0) + 1, size / (size + mean))
    return np.where(counts < 0, 0.0, below)


def quantiles(mean: FloatArray, size: FloatArray, levels: FloatArray) -> FloatArray:
    """Return the smallest counts with P(demand <= count) >= level: (..., n_levels).

    A guess by Cornish and Fisher (1938) is bracketed and halved, all at once.

    Args:
        mean: (...) > 0.
        size: (...) > 0.
        levels: (n_levels,) each in (0, 1).
    """
    mean = np.maximum(mean, 1e-9)[..., None]
    size = np.asarray(size)[..., None]
    mean, size, level = np.broadcast_arrays(mean, size, levels)
    deviation = np.sqrt(mean + mean**2 / size)
    score = ndtri(level)
    skew = (size + 2 * mean) / (size * deviation)
    guess = np.maximum(np.floor(mean + deviation * (score + skew * (score**2 - 1) / 6)), 0.0)
    reach = np.maximum(np.ceil(deviation * 0.25), 1.0)
    low, high = np.maximum(guess - reach, -1.0), guess + reach
    for _ in range(_STEPS_MAX):
        short = cdf(high, mean, size) < level
        long_ = (low >= 0) & (cdf(low, mean, size) >= level)
        if not (short.any() or long_.any()):
            break
        high = np.where(short, high + reach, high)
        low = np.where(long_, np.maximum(low - reach, -1.0), low)
        reach = reach * 2
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough = cdf(middle, mean, size) >= level
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    found: FloatArray = high
    return found
