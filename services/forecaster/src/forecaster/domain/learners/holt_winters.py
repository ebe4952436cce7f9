"""Level, damped trend and a factor for each weekday (Holt, 1957; Winters, 1960).

River's `HoltWinters` divides by the level, which is zero where a series starts with a week of
zeros, and takes half a kilobyte a series when pickled. Here factors and level are bounded away from
zero, and a series takes 24 bytes.
"""

import numpy as np

from forecaster.domain.calendar import DAYS_PER_WEEK
from forecaster.domain.history import FloatArray
from forecaster.domain.learner import LEARNED_DAYS, View
from forecaster.domain.learners.by_days import ByDays, DayTaken, Rows

_LEVEL_GAIN, _TREND_GAIN, _SEASON_GAIN = 0.03, 0.002, 0.05
_DAMPING = 0.97
_TREND_MAX = 0.02
"""Of the level, a day: faster is a step, which the level follows by itself."""
_SEASON_MIN, _SEASON_MAX = 0.2, 5.0
_LEVEL_MIN = 1e-3


class HoltWinters(ByDays):
    """Exponential smoothing with a damped trend and a multiplicative week."""

    name = "holt-winters"
    record = np.dtype(
        [("day", "<u2"), ("level", "<f4"), ("trend", "<f4"), ("season", "<f2", (DAYS_PER_WEEK,))]
    )

    def begin(self, rows: Rows, rate: FloatArray) -> None:
        """Start flat."""
        rows["level"], rows["season"] = rate, 1.0

    def take(self, rows: Rows, taken: DayTaken) -> None:
        """Move level, trend and the weekday's factor."""
        season = rows["season"].astype(np.float64)
        factor = season[:, taken.day % DAYS_PER_WEEK]
        level, trend = rows["level"].astype(np.float64), _DAMPING * rows["trend"]
        expected = np.maximum(level + trend, _LEVEL_MIN)
        moved = expected + taken.gain(_LEVEL_GAIN) * (taken.units / factor - expected)
        moved = np.maximum(moved, _LEVEL_MIN)
        trend = trend + _TREND_GAIN * taken.share * (moved - level - trend)
        ratio = np.minimum(taken.units / np.maximum(moved, expected), _SEASON_MAX)
        factor = factor + _SEASON_GAIN * taken.share * (ratio - factor)
        season[:, taken.day % DAYS_PER_WEEK] = factor
        season = np.clip(season / season.mean(1, keepdims=True), _SEASON_MIN, _SEASON_MAX)
        rows["level"], rows["season"] = moved, season
        rows["trend"] = np.clip(trend, -_TREND_MAX * moved, _TREND_MAX * moved)

    def totals(self, rows: Rows, view: View) -> FloatArray:
        """Return level and what is left of the trend, on the days that are open."""
        season = rows["season"].astype(np.float64)
        ahead = np.arange(1, LEARNED_DAYS[-1] + 1)
        trend = rows["trend"][:, None] * (_DAMPING**ahead).cumsum()[None, :]
        daily = np.maximum(rows["level"][:, None] + trend, 0.0)
        daily = daily * season[:, (view.day + ahead) % DAYS_PER_WEEK]
        daily = np.where(view.ahead.factors[:, : len(ahead)] > 0, daily, 0.0)
        means: FloatArray = daily.cumsum(1)[:, [days - 1 for days in LEARNED_DAYS]]
        return means
