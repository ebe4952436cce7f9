"""ARIMA with weekly lags, its weights learned online: SNARIMAX without the X.

The next day is a weighted sum of the level, of the last two days, of the same weekday one and two
weeks before, and of the last error: (p, d, q)(P, D, Q)m = (2, 0, 1)(2, 0, 0)7 about a moving level.

River's `time_series.SNARIMAX` keeps a regressor, a scaler and its queues for each series, 1.6 KB
when pickled, and diverges where its inputs are not scaled. Here the lags are read from the history,
which holds them anyway; 34 bytes a series are kept. Weights are learned by
normalised least mean squares (Nagumo & Noda, 1967): the step is divided by the inputs' own power,
so that there is no scale to be told and it cannot diverge, and the autoregressive weights are held
to a sum below one, which is enough for a forecast that does not grow without end.
"""

import numpy as np

from forecaster.domain.history import FloatArray
from forecaster.domain.learner import LEARNED_DAYS, View
from forecaster.domain.learners.by_days import ByDays, DayTaken, Rows, whole_day

LAGS_DAYS = (1, 2, 7, 14)
_INPUTS = 2 + len(LAGS_DAYS)
_LEVEL, _ERROR = 0, _INPUTS - 1
_AUTOREGRESSIVE = slice(1, _ERROR)
_START = (0.7, 0.05, 0.05, 0.1, 0.1, 0.0)
_STEP = 0.002
_LEVEL_GAIN = 0.025
_AR_SUM_MAX, _MA_MAX, _LEVEL_WEIGHT_MAX = 0.9, 0.5, 1.0
_RISE_MAX = 3.0
"""A day is not foretold to be more than so many times the level and the largest lag together."""


class Snarimax(ByDays):
    """A seasonal ARIMA whose weights follow each series."""

    name = "snarimax"
    record = np.dtype(
        [("day", "<u2"), ("level", "<f4"), ("error", "<f4"), ("weights", "<f4", (_INPUTS,))]
    )

    def begin(self, rows: Rows, rate: FloatArray) -> None:
        """Start near the mean."""
        rows["level"], rows["weights"] = rate, _START

    def take(self, rows: Rows, taken: DayTaken) -> None:
        """Move the weights along the day's error, and the level."""
        level = rows["level"].astype(np.float64)
        lags = []
        for days in LAGS_DAYS:
            units, share = taken.before(days)
            lags.append(np.where(share > 0, units, level))
        inputs = np.stack([level, *lags, rows["error"].astype(np.float64)], 1)
        weights = rows["weights"].astype(np.float64)
        error = taken.units - (inputs * weights).sum(1)
        power = (inputs**2).sum(1) + 0.1
        step = _STEP * taken.share * error / power
        rows["weights"] = _bounded(weights + step[:, None] * inputs)
        rows["error"] = np.where(taken.share > 0, np.clip(error, -9 * level, 9 * level + 9), 0.0)
        rows["level"] = level + taken.gain(_LEVEL_GAIN) * (taken.units - level)

    def totals(self, rows: Rows, view: View) -> FloatArray:
        """Return the sums of day after day, each foretold from those before it."""
        level = rows["level"].astype(np.float64)
        weights = rows["weights"].astype(np.float64)
        longest = max(LAGS_DAYS)
        known = [whole_day(view.histories, ago) for ago in range(longest - 1, -1, -1)]
        path = np.zeros((len(level), longest + LEARNED_DAYS[-1]))
        for place, (units, share) in enumerate(known):
            path[:, place] = np.where(share > 0, units, level)
        most = _RISE_MAX * (level + path[:, :longest].max(1))
        error = rows["error"].astype(np.float64)
        for place in range(longest, path.shape[1]):
            lags = [path[:, place - days] for days in LAGS_DAYS]
            inputs = np.stack([level, *lags, error], 1)
            path[:, place] = np.clip((inputs * weights).sum(1), 0.0, most)
            error = np.zeros_like(error)
        daily = path[:, longest:] * (view.ahead.factors[:, : LEARNED_DAYS[-1]] > 0)
        means: FloatArray = daily.cumsum(1)[:, [days - 1 for days in LEARNED_DAYS]]
        return means


def _bounded(weights: FloatArray) -> FloatArray:
    """Return weights of a stationary series."""
    found = weights.copy()
    lags = found[:, _AUTOREGRESSIVE]
    found[:, _AUTOREGRESSIVE] = lags / np.maximum(np.abs(lags).sum(1) / _AR_SUM_MAX, 1.0)[:, None]
    found[:, _LEVEL] = np.clip(found[:, _LEVEL], 0.0, _LEVEL_WEIGHT_MAX)
    found[:, _ERROR] = np.clip(found[:, _ERROR], -_MA_MAX, _MA_MAX)
    return found
