"""How far demand strays from its forecast: variance over mean, per key and pooled.

Every key is scored on weeks: at a week's start its daily rate is noted, at the end the squared
errors of the single days and of the whole week are added up. The ratio of squared error to mean
is the index of dispersion (1 for a Poisson). A key's own ratio is shrunk to that of the keys that
sell about as much, which few weeks of a slow seller could never tell by themselves.
"""

import math
from dataclasses import dataclass, replace

WINDOW_DAYS = 7
KEY_HALF_LIFE_WINDOWS = 13.0
KEY_DECAY = 0.5 ** (1 / KEY_HALF_LIFE_WINDOWS)
_POOL_DAILY_DECAY = 0.5 ** (1 / 90.0)
_BUCKETS = 12
_PRIOR_INDEX = 1.3
_PRIOR_UNITS = 20.0
_SHRINK_UNITS = 5.0
_SHRINK_WINDOWS = 2.0
_MEAN_MIN = 0.05  # units a week; below, a ratio to the mean says nothing
INDEX_MIN, INDEX_MAX = 1.02, 60.0
SIZE_MIN, SIZE_MAX = 0.01, 1e6


@dataclass(frozen=True, slots=True)
class Window:
    """One finished week of one key: what was foretold at its start, and what came.

    Attributes:
        rate: Mean units a day, as foretold.
        units: Units asked for in the week, each day over its weekday factor.
        squares: Sum over the days of the same, squared.
    """

    rate: float
    units: float
    squares: float

    @property
    def mean(self) -> float:
        """Return the foretold units of the week."""
        return max(WINDOW_DAYS * self.rate, _MEAN_MIN)

    @property
    def day_error(self) -> float:
        """Return the sum of the days' squared errors: the days without demand count as zeros."""
        error = self.squares - 2 * self.rate * self.units + WINDOW_DAYS * self.rate * self.rate
        return self._bounded(error)

    @property
    def week_error(self) -> float:
        """Return the squared error of the week's total."""
        error = self.units - WINDOW_DAYS * self.rate
        return self._bounded(error * error)

    def _bounded(self, error: float) -> float:
        """Return an error within what is believable for the mean.

        The first week of a good seller is foretold from nothing: its whole error would widen the
        key's forecasts for months, and those of all slow sellers.
        """
        return min(max(error, 0.0), INDEX_MAX * self.mean)


@dataclass(frozen=True, slots=True)
class Errors:
    """Exponentially weighted squared errors and the means that they belong to, in units."""

    days: float = 0.0
    weeks: float = 0.0
    mean: float = 0.0

    def learn(self, window: Window, decay: float = 1.0) -> "Errors":
        """Return the errors after one more week; what was before is weighted by `decay`."""
        return Errors(
            self.days * decay + window.day_error,
            self.weeks * decay + window.week_error,
            self.mean * decay + window.mean,
        )

    def decayed(self, factor: float) -> "Errors":
        """Return the errors with all weights multiplied by `factor`."""
        return Errors(self.days * factor, self.weeks * factor, self.mean * factor)

    def shrunk(self, prior: "Index", prior_mean: float) -> "Index":
        """Return the index of dispersion, shrunk to `prior` by `prior_mean` > 0 units."""
        weight = self.mean + prior_mean
        return Index(
            (self.days + prior_mean * prior.day) / weight,
            (self.weeks + prior_mean * prior.week) / weight,
        )


NO_ERRORS = Errors()


@dataclass(frozen=True, slots=True)
class Index:
    """Variance over mean of one day's demand, and of one week's."""

    day: float
    week: float


@dataclass(frozen=True, slots=True)
class PooledErrors:
    """The errors of all keys of a partition, by how much they sell: 12 half-octave buckets."""

    buckets: tuple[Errors, ...] = (NO_ERRORS,) * _BUCKETS

    def learn(self, windows: list[Window]) -> "PooledErrors":
        """Return the pool one day later, with the weeks that ended on that day."""
        buckets = [bucket.decayed(_POOL_DAILY_DECAY) for bucket in self.buckets]
        for window in windows:
            place = _bucket(window.mean)
            buckets[place] = buckets[place].learn(window)
        return replace(self, buckets=tuple(buckets))

    def index(self, week_mean: float) -> Index:
        """Return the index of the keys that sell about `week_mean` units a week."""
        everywhere = Errors(
            sum(bucket.days for bucket in self.buckets),
            sum(bucket.weeks for bucket in self.buckets),
            sum(bucket.mean for bucket in self.buckets),
        ).shrunk(Index(_PRIOR_INDEX, _PRIOR_INDEX), _PRIOR_UNITS)
        return self.buckets[_bucket(week_mean)].shrunk(everywhere, _SHRINK_UNITS)


def key_index(errors: Errors, pool: PooledErrors, rate: float) -> Index:
    """Return a key's own index of dispersion, shrunk to its bucket's by two weeks of demand."""
    week_mean = max(WINDOW_DAYS * rate, _MEAN_MIN)
    return errors.shrunk(pool.index(week_mean), _SHRINK_WINDOWS * week_mean)


def size(index: Index, rate: float, concentration: float) -> float:
    """Return the negative binomial's size for the demand of a horizon, within sane bounds.

    Relative variance beyond Poisson, 1 / size, is taken as a part that differs from day to day
    and so averages out, and a part that stays (the level itself is uncertain):
    1 / size = daily * concentration + level. The indices of a day and of a week give the two.

    Args:
        index: Of one day and of one week.
        rate: Mean units a day, > 0.
        concentration: 1 / days for days that are alike, in (0, 1]; see `calendar.Stretch`.
    """
    day = (_clipped(index.day) - 1) / rate
    week = (_clipped(index.week) - 1) / (WINDOW_DAYS * rate)
    daily = max(WINDOW_DAYS / (WINDOW_DAYS - 1) * (day - week), 0.0)
    level = week - daily / WINDOW_DAYS
    if level < 0:
        daily, level = WINDOW_DAYS * week, 0.0
    return min(max(1 / (daily * concentration + level), SIZE_MIN), SIZE_MAX)


def _clipped(index: float) -> float:
    return min(max(index, INDEX_MIN), INDEX_MAX)


def _bucket(week_mean: float) -> int:
    return max(0, min(_BUCKETS - 1, math.floor(1.25 * math.log2(max(week_mean, _MEAN_MIN) / 0.3))))
