"""Quantiles of the negative binomial, for people who ask: what is published is mean and size."""

import math
from collections.abc import Sequence
from statistics import NormalDist

_EXACT_MEAN_MAX = 200.0
_LOG_SMALLEST = -700.0  # exp() of less is zero
_NORMAL = NormalDist()


def quantiles(mean: float, size: float, levels: Sequence[float]) -> tuple[int, ...]:
    """Return the smallest k with P(demand <= k) >= level, for each level: (n_levels,) units.

    Summed term by term where the mean is small; for larger means the gamma distribution of the
    rate is taken for the demand itself (Wilson and Hilferty, 1931), its variance Poisson included.

    Args:
        mean: >= 0, in units.
        size: The negative binomial's r, > 0: variance = mean + mean^2 / size.
        levels: Ascending, each in (0, 1).
    """
    if mean <= 0:
        return (0,) * len(levels)
    log_none = -size * math.log1p(mean / size)
    if mean > _EXACT_MEAN_MAX or log_none < _LOG_SMALLEST:
        return tuple(_by_gamma(mean, size, level) for level in levels)
    ratio = mean / (mean + size)
    found: list[int] = []
    count, term = 0, math.exp(log_none)
    below = term
    for level in levels:
        while below < level and term > 0:
            term *= (size + count) / (count + 1) * ratio
            count += 1
            below += term
        found.append(count)
    return tuple(found)


def _by_gamma(mean: float, size: float, level: float) -> int:
    variance = mean + mean * mean / size
    shape = mean * mean / variance
    spread = 1 / (9 * shape)
    root = 1 - spread + _NORMAL.inv_cdf(level) * math.sqrt(spread)
    return max(0, math.ceil(mean * max(root, 0.0) ** 3 - 0.5))
