"""How far demand strays from its forecast: variance over mean, per key and pooled.

Each week the means that were foretold one, two and four weeks ago meet what has come. The ratio of
squared error to mean is the index of dispersion (1 for a Poisson). A key's own index is shrunk to
that of the keys that sell about as much, which few weeks of a slow seller could never tell by
themselves. On top of it a log-linear regression, learned from the same errors, tells how much
wider it gets by what was known beforehand: a promotion that is planned, one that has just ended.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecaster.domain.history import FloatArray, Histories
from forecaster.domain.learner import LEARNED_DAYS

_WEEKS = tuple(days // 7 for days in LEARNED_DAYS)
_PENDING = sum(_WEEKS)
_STARTS = tuple(sum(_WEEKS[:place]) for place in range(len(_WEEKS)))
RECORD = np.dtype(
    [
        ("pending", "<f4", (_PENDING,)),
        ("errors", "<f4", (len(_WEEKS),)),
        ("means", "<f4", (len(_WEEKS),)),
    ]
)
"""What was foretold at the last weeks' ends (NaN before the first), and how it has fared."""

_BUCKETS = 12
_MEAN_MIN = 0.05
_KEY_WEEKLY_DECAY = 0.5 ** (7 / 90.0)
_POOL_DAILY_DECAY = 0.5 ** (1 / 60.0)
_SHRINK_WEEKS = 2.2
_PRIOR_INDEX, _PRIOR_MEAN = 1.5, 20.0
_BUCKET_MEAN = 5.0
INDEX_MIN, INDEX_MAX = 1.02, 60.0
_ERROR_MAX = 60.0
_RIDGE, _KEPT = 200.0, 0.998
_RATIO_MAX = 15.0
_LOG_FACTOR_MAX = 1.5
_DRIVER_MAX = 3.0


class Spread:
    """The index of dispersion on the learned horizons; what all keys share.

    Args:
        drivers: How many features the regression looks at; none, and there is no regression.
    """

    def __init__(self, drivers: int = 0) -> None:
        horizons = len(_WEEKS)
        self._day = -1
        self._errors = np.zeros((horizons, _BUCKETS))
        self._means = np.zeros((horizons, _BUCKETS))
        width = drivers + 1 if drivers else 0
        self._weights = np.zeros((horizons, width))
        self._fisher = np.repeat(np.eye(width)[None] * _RIDGE, horizons, 0)

    def learn(
        self,
        rows: NDArray[np.void],
        histories: Histories,
        day: int,
        means: FloatArray,
        drivers: Sequence[FloatArray] | None = None,
    ) -> None:
        """Score what was foretold, in place, and note what is foretold now.

        Args:
            rows: (n,) of RECORD.
            histories: (n,) of the same keys.
            day: That is closed, for all keys' first call of the day.
            means: (n, len(LEARNED_DAYS)) foretold now.
            drivers: (n, n_drivers) for each horizon, as of when it began.
        """
        self._fade(day)
        for place, (days, weeks, start) in enumerate(
            zip(LEARNED_DAYS, _WEEKS, _STARTS, strict=True)
        ):
            units, bought = histories.total(0, days)
            foretold = rows["pending"][:, start].astype(np.float64)
            told = np.flatnonzero(np.isfinite(foretold) & (bought >= days / 2))
            expected = np.maximum(foretold[told] * bought[told] / days, 1e-6)
            factor = np.ones(len(told))
            if drivers is not None:
                factor = self._regress(
                    place, rows[told], drivers[place][told], expected, units[told]
                )
            floor = np.maximum(expected, _MEAN_MIN)
            bound = _ERROR_MAX * floor * floor.clip(1)
            errors = np.minimum((units[told] - expected) ** 2, bound) / factor
            for name, values in (("errors", errors), ("means", floor)):
                rows[name][told, place] = _KEY_WEEKLY_DECAY * rows[name][told, place] + values
            bucket = _bucket(expected)
            self._errors[place] += np.bincount(bucket, errors, _BUCKETS)
            self._means[place] += np.bincount(bucket, floor, _BUCKETS)
            rows["pending"][:, start : start + weeks - 1] = rows["pending"][
                :, start + 1 : start + weeks
            ].copy()
            rows["pending"][:, start + weeks - 1] = means[:, place]

    def index(
        self,
        rows: NDArray[np.void],
        means: FloatArray,
        drivers: Sequence[FloatArray] | None = None,
    ) -> FloatArray:
        """Return variance over mean on the learned horizons: (n, len(LEARNED_DAYS)).

        Args:
            rows: (n,) of RECORD.
            means: (n, len(LEARNED_DAYS)) foretold.
            drivers: (n, n_drivers) for each horizon.
        """
        found = np.empty_like(means)
        for place in range(len(_WEEKS)):
            found[:, place] = self._plain(place, rows, means[:, place])
            if drivers is not None:
                found[:, place] *= self._factor(place, _with_one(drivers[place]))
        clipped: FloatArray = np.clip(found, INDEX_MIN, INDEX_MAX)
        return clipped

    def dump(self) -> bytes:
        """Return what all keys share."""
        parts = [self._errors, self._means, self._weights, self._fisher]
        return np.concatenate([[self._day], *(part.ravel() for part in parts)]).tobytes()

    def restore(self, dumped: bytes) -> None:
        """Take up again what `dump` returned."""
        values = np.frombuffer(dumped)
        self._day, at = int(values[0]), 1
        for part in (self._errors, self._means, self._weights, self._fisher):
            part[...] = values[at : at + part.size].reshape(part.shape)
            at += part.size

    def _fade(self, day: int) -> None:
        """Let a day pass for what all keys share."""
        passed = day - self._day if self._day >= 0 else 0
        self._day = day
        if passed:
            self._errors *= _POOL_DAILY_DECAY**passed
            self._means *= _POOL_DAILY_DECAY**passed
            kept = _KEPT**passed
            self._fisher = self._fisher * kept + np.eye(self._fisher.shape[1]) * _RIDGE * (1 - kept)

    def _plain(self, place: int, rows: NDArray[np.void], means: FloatArray) -> FloatArray:
        """Return the index before the regression: (n,)."""
        errors, weights = self._errors[place], self._means[place]
        everywhere = (errors.sum() + _PRIOR_INDEX * _PRIOR_MEAN) / (weights.sum() + _PRIOR_MEAN)
        pooled = (errors + _BUCKET_MEAN * everywhere) / (weights + _BUCKET_MEAN)
        mean = np.maximum(means, _MEAN_MIN)
        shrink = _SHRINK_WEEKS * mean
        own = rows["errors"][:, place] + shrink * pooled[_bucket(mean)]
        clipped: FloatArray = np.clip(
            own / (rows["means"][:, place] + shrink), INDEX_MIN, INDEX_MAX
        )
        return clipped

    def _factor(self, place: int, drivers: FloatArray) -> FloatArray:
        logs = np.clip(drivers @ self._weights[place], -_LOG_FACTOR_MAX, _LOG_FACTOR_MAX)
        factors: FloatArray = np.exp(logs)
        return factors

    def _regress(
        self,
        place: int,
        rows: NDArray[np.void],
        drivers: FloatArray,
        expected: FloatArray,
        units: FloatArray,
    ) -> FloatArray:
        """Move the regression by one Fisher step; return the factors as they were before it."""
        table = _with_one(drivers)
        factor = self._factor(place, table)
        index = self._plain(place, rows, expected)
        variance = index * np.maximum(expected, _MEAN_MIN) * factor
        ratio = np.minimum((units - expected) ** 2 / variance, _RATIO_MAX)
        weight = np.minimum(expected, 1.0)  # of slow sellers single weeks tell little
        self._fisher[place] += (table * weight[:, None]).T @ table
        self._weights[place] += np.linalg.solve(
            self._fisher[place], table.T @ (weight * (ratio - 1))
        )
        return factor


def decoded(states: Sequence[bytes]) -> NDArray[np.void]:
    """Return states as rows: (n,) of RECORD; an empty one has foretold nothing yet."""
    blank = np.zeros(1, RECORD)
    blank["pending"] = np.nan
    new = blank.tobytes()
    return np.frombuffer(b"".join(state or new for state in states), RECORD).copy()


def _with_one(drivers: FloatArray) -> FloatArray:
    clipped = np.clip(drivers, -_DRIVER_MAX, _DRIVER_MAX)
    return np.concatenate([np.ones((len(drivers), 1)), clipped], 1)


def _bucket(mean: FloatArray) -> NDArray[np.int64]:
    """Return the half-octave that a mean is in."""
    octave = 1.25 * np.log2(np.maximum(mean, _MEAN_MIN) / 0.3)
    place: NDArray[np.int64] = np.clip(np.floor(octave), 0, _BUCKETS - 1).astype(np.int64)
    return place
