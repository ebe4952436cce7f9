"""How far demand strays from its forecast: variance over mean, per key and pooled.

Each week the means that were foretold one, two and four weeks ago meet what has come. The ratio of
squared error to mean is the index of dispersion (1 for a Poisson). A key's own index is shrunk to
that of the keys that sell about as much, which few weeks of a slow seller could never tell by
themselves.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecaster.domain.history import FloatArray
from forecaster.domain.learner import LEARNED_DAYS, View

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


def fresh() -> bytes:
    """Return the state of a key of which nothing has been foretold yet."""
    row = np.zeros(1, RECORD)
    row["pending"] = np.nan
    return row.tobytes()


class Spread:
    """The index of dispersion on the learned horizons; what all keys share."""

    def __init__(self) -> None:
        self._errors = np.zeros((len(_WEEKS), _BUCKETS))
        self._means = np.zeros((len(_WEEKS), _BUCKETS))
        self._day = -1

    def learn(self, rows: NDArray[np.void], view: View, means: FloatArray) -> None:
        """Score what was foretold, in place, and note what is foretold now.

        Args:
            rows: (n,) of RECORD.
            view: Whose scheduled rows are learned.
            means: (n, len(LEARNED_DAYS)) foretold now.
        """
        if self._day >= 0:
            faded = _POOL_DAILY_DECAY ** (view.day - self._day)
            self._errors *= faded
            self._means *= faded
        self._day = view.day
        chosen = np.flatnonzero(view.scheduled)
        if not len(chosen):
            return
        mine = rows[chosen]
        for place, (days, weeks, start) in enumerate(
            zip(LEARNED_DAYS, _WEEKS, _STARTS, strict=True)
        ):
            units, bought = view.histories.total(0, days)
            foretold = mine["pending"][:, start].astype(np.float64)
            told = np.isfinite(foretold) & (bought[chosen] >= days / 2)
            expected = np.where(told, foretold * bought[chosen] / days, 1.0)
            floor = np.maximum(expected, _MEAN_MIN)
            errors = np.minimum((units[chosen] - expected) ** 2, _ERROR_MAX * floor * floor.clip(1))
            errors, floor = np.where(told, errors, 0.0), np.where(told, floor, 0.0)
            fade = np.where(told, _KEY_WEEKLY_DECAY, 1.0)
            mine["errors"][:, place] = fade * mine["errors"][:, place] + errors
            mine["means"][:, place] = fade * mine["means"][:, place] + floor
            bucket = _bucket(expected)
            self._errors[place] += np.bincount(bucket, errors, _BUCKETS)
            self._means[place] += np.bincount(bucket, floor, _BUCKETS)
            kept = mine["pending"][:, start + 1 : start + weeks].copy()
            mine["pending"][:, start : start + weeks - 1] = kept
            mine["pending"][:, start + weeks - 1] = means[chosen, place]
        rows[chosen] = mine

    def index(self, rows: NDArray[np.void], means: FloatArray) -> FloatArray:
        """Return variance over mean on the learned horizons: (n, len(LEARNED_DAYS)).

        Args:
            rows: (n,) of RECORD.
            means: (n, len(LEARNED_DAYS)) foretold.
        """
        found = np.empty_like(means)
        for place in range(len(_WEEKS)):
            errors, weights = self._errors[place], self._means[place]
            everywhere = (errors.sum() + _PRIOR_INDEX * _PRIOR_MEAN) / (weights.sum() + _PRIOR_MEAN)
            pooled = (errors + _BUCKET_MEAN * everywhere) / (weights + _BUCKET_MEAN)
            mean = np.maximum(means[:, place], _MEAN_MIN)
            shrink = _SHRINK_WEEKS * mean
            found[:, place] = (rows["errors"][:, place] + shrink * pooled[_bucket(mean)]) / (
                rows["means"][:, place] + shrink
            )
        clipped: FloatArray = np.clip(found, INDEX_MIN, INDEX_MAX)
        return clipped

    def dump(self) -> bytes:
        """Return what all keys share."""
        return np.concatenate([[self._day], self._errors.ravel(), self._means.ravel()]).tobytes()

    def restore(self, dumped: bytes) -> None:
        """Take up again what `dump` returned."""
        day, *rest = np.frombuffer(dumped)
        self._day = int(day)
        self._errors, self._means = np.array(rest).reshape(2, len(_WEEKS), _BUCKETS)


def decoded(states: Sequence[bytes]) -> NDArray[np.void]:
    """Return states as rows: (n,) of RECORD; an empty one has foretold nothing yet."""
    new = fresh()
    return np.frombuffer(b"".join(state or new for state in states), RECORD).copy()


def _bucket(mean: FloatArray) -> NDArray[np.int64]:
    """Return the half-octave that a mean is in."""
    octave = 1.25 * np.log2(np.maximum(mean, _MEAN_MIN) / 0.3)
    place: NDArray[np.int64] = np.clip(np.floor(octave), 0, _BUCKETS - 1).astype(np.int64)
    return place
