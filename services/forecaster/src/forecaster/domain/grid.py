"""From what is foretold of 7, 14 and 28 days to all horizons, coherently.

Means: days within a learned stretch share its mean by their weekday, by whether they are open and
by what is planned on them; beyond 28 days the rate of the last fortnight goes on. Variances:
1 / size is taken as a part that differs from day to day and averages out, and a part that stays.
"""

import numpy as np

from forecaster.domain.history import FloatArray
from forecaster.domain.learner import AHEAD_DAYS, HORIZONS_DAYS, LEARNED_DAYS, Ahead, Forecast

MEAN_MIN = 1e-4
SIZE_MIN, SIZE_MAX = 0.01, 1e6
_LEAST_STRETCH = 0.1
"""Of the daily rate before it: a learned stretch that falls below it is an error of rounding."""


def day_factors(ahead: Ahead, uplift: FloatArray, most: FloatArray) -> FloatArray:
    """Return what each day ahead weighs: (n, AHEAD_DAYS).

    Args:
        ahead: What is known of the days.
        uplift: (n,) by which a promotion multiplies demand.
        most: (n,) What is a whole promotion.
    """
    promoted = np.minimum((ahead.display + ahead.mailing) / most[:, None], 1.0)
    factors: FloatArray = ahead.factors * (1 + (uplift[:, None] - 1) * promoted)
    return factors


def spread_out(
    means: FloatArray, index: FloatArray, factors: FloatArray, scale_beyond: FloatArray
) -> Forecast:
    """Return the forecast on all horizons.

    Args:
        means: (n, len(LEARNED_DAYS)) of 7, 14 and 28 days.
        index: (n, len(LEARNED_DAYS)) variance over mean of the same.
        factors: (n, AHEAD_DAYS) What each day weighs; 0 where it is closed.
        scale_beyond: (n, AHEAD_DAYS) Seasonal factor of the days beyond 28.
    """
    means = np.maximum(means, MEAN_MIN)
    weights = np.concatenate([np.zeros((len(means), 1)), factors.cumsum(1)], 1)
    daily = np.empty((len(means), AHEAD_DAYS))
    start, before = 0, np.zeros(len(means))
    rate = np.zeros(len(means))
    for place, end in enumerate(LEARNED_DAYS):
        weight = weights[:, end] - weights[:, start]
        total = np.maximum(means[:, place] - before, _LEAST_STRETCH * rate * weight)
        rate = total / np.maximum(weight, 1e-6)
        daily[:, start:end] = np.where(
            weight[:, None] > 0,
            rate[:, None] * factors[:, start:end],
            total[:, None] / (end - start),
        )
        before = before + total
        start = end
    daily[:, start:] = rate[:, None] * factors[:, start:] * scale_beyond[:, start:]
    sums = np.maximum(np.maximum(daily, 0.0).cumsum(1), MEAN_MIN)
    grid = sums[:, [days - 1 for days in HORIZONS_DAYS]]
    learned = sums[:, [days - 1 for days in LEARNED_DAYS]]
    return Forecast(grid, _sizes(grid, learned, index))


def _sizes(grid: FloatArray, learned: FloatArray, index: FloatArray) -> FloatArray:
    """Return the sizes on all horizons: learned ones as they are, the others between them."""
    relative = (index - 1) / learned
    short, long_ = relative[:, 0], relative[:, -1]
    first, last = LEARNED_DAYS[0], LEARNED_DAYS[-1]
    passing = np.maximum((short - long_) / (1 / first - 1 / last), 0.0)
    staying = np.maximum(short - passing / first, 0.0)
    variances = np.empty_like(grid)
    for place, days in enumerate(HORIZONS_DAYS):
        if days in LEARNED_DAYS:
            extra = relative[:, LEARNED_DAYS.index(days)]
        elif days < first:
            extra = passing / days + staying
        else:
            extra = passing / days + np.maximum(staying, long_ - passing / last)
        variances[:, place] = grid[:, place] + extra * grid[:, place] ** 2
    variances = np.maximum.accumulate(variances, 1)
    excess = np.maximum(variances - grid, 1e-12)
    sizes: FloatArray = np.clip(grid**2 / excess, SIZE_MIN, SIZE_MAX)
    return sizes
