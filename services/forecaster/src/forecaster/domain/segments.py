"""What kind of series a key is: how much it is worth, how it varies, what it resembles.

- ABC, by value: the keys that bring four fifths of the turnover are A, the next 15 % B, the rest C.
- XYZ, by variability: the coefficient of variation of a week's demand, up to 0.5, up to 1, above.
- Clusters, found online (k-means; MacQueen, 1967) by rate, variation, intermittency, trend and the
  shape of the week.

Each key adds to them on its own day of the week, so all weigh alike. Classes are as of now: no key
remembers its own.
"""

import json
from collections import defaultdict
from typing import Any

import numpy as np
from river.cluster import KMeans

from forecaster.domain.calendar import DAYS_PER_WEEK, weekday
from forecaster.domain.history import RING_DAYS, FloatArray, IntArray
from forecaster.domain.learner import View

VALUE_CLASSES, VARIABILITY_CLASSES = "ABC", "XYZ"
CLUSTERS = 4
_VALUE_SHARES = (0.8, 0.95)
_WEEKLY_CVS = (0.5, 1.0)
_BINS, _BINS_PER_OCTAVE, _OCTAVES_BELOW_ONE = 96, 2, 16
_DAILY_FADE = 0.5 ** (1 / 28)
_CENTER_STEP = 0.02
_SCALE_STEP_MIN = 1e-4
_WEEK_PRIOR_UNITS = 14.0
_WEEKEND = (5, 6)
_FEATURES = 6
_SEED = 1


class Segments:
    """Classes of keys, learned from all of them."""

    def __init__(self) -> None:
        self._values = np.zeros(_BINS)
        self._day = -1
        self._rows = 0
        self._means, self._squares = np.zeros(_FEATURES), np.ones(_FEATURES)
        self._clusters: Any = KMeans(CLUSTERS, halflife=_CENTER_STEP, seed=_SEED)
        for center in self._clusters.centers.values():
            for feature in range(_FEATURES):
                # told to draw its start now, all of its state is the centers
                center[feature] += 0.0

    def learn(self, view: View) -> None:
        """Take in the scheduled keys."""
        if self._day >= 0:
            self._values *= _DAILY_FADE ** (view.day - self._day)
        self._day = view.day
        chosen = np.flatnonzero(view.scheduled)
        if not len(chosen):
            return
        values = _value(view)[chosen]
        self._values += np.bincount(_bins(values), values, _BINS)
        features = _features(view)[chosen]
        for row in features:
            self._rows += 1
            step = max(1 / self._rows, _SCALE_STEP_MIN)
            self._means += step * (row - self._means)
            self._squares += step * ((row - self._means) ** 2 - self._squares)
        for row in self._scaled(features).tolist():
            self._clusters.learn_one(dict(enumerate(row)))

    def of(self, view: View) -> list[str]:
        """Return each key's segment, as in `A/X/2`."""
        value = self._value_classes(_value(view)).tolist()
        variability = np.searchsorted(_WEEKLY_CVS, _weekly_cv(view)).tolist()
        cluster = self._nearest(_features(view)).tolist()
        return [
            f"{VALUE_CLASSES[a]}/{VARIABILITY_CLASSES[x]}/{one}"
            for a, x, one in zip(value, variability, cluster, strict=True)
        ]

    def dump(self) -> bytes:
        """Return what has been learned, alike for alike."""
        return json.dumps(
            {
                "day": self._day,
                "rows": self._rows,
                "values": self._values.tolist(),
                "means": self._means.tolist(),
                "squares": self._squares.tolist(),
                "centers": self._centers().tolist(),
            }
        ).encode()

    def load(self, dumped: bytes) -> None:
        """Take up again what `dump` returned."""
        known: dict[str, Any] = json.loads(dumped)
        self._day, self._rows = known["day"], known["rows"]
        self._values = np.array(known["values"])
        self._means, self._squares = np.array(known["means"]), np.array(known["squares"])
        for place, center in enumerate(known["centers"]):
            self._clusters.centers[place] = defaultdict(float, enumerate(center))

    def _value_classes(self, values: FloatArray) -> IntArray:
        """Return 0 for A, 1 for B, 2 for C: by what share of all value lies above a key's bin."""
        total = self._values.sum()
        if not total:
            return np.zeros(len(values), np.int64)
        above = (self._values[::-1].cumsum()[::-1] - self._values) / total
        classes: IntArray = np.searchsorted(_VALUE_SHARES, above[_bins(values)], side="right")
        return classes

    def _nearest(self, features: FloatArray) -> IntArray:
        apart = self._scaled(features)[:, None, :] - self._centers()[None, :, :]
        nearest: IntArray = (apart**2).sum(-1).argmin(1)
        return nearest

    def _centers(self) -> FloatArray:
        centers = self._clusters.centers
        return np.array([[centers[k][one] for one in range(_FEATURES)] for k in range(CLUSTERS)])

    def _scaled(self, features: FloatArray) -> FloatArray:
        scaled: FloatArray = (features - self._means) / np.sqrt(np.maximum(self._squares, 1e-6))
        return np.clip(scaled, -4.0, 4.0)


def _value(view: View) -> FloatArray:
    """Return the turnover a day; a price that is not known counts as one."""
    histories = view.histories
    rate: FloatArray = histories.level(histories.sums(), 56.0)
    return rate * np.where(np.isnan(view.prices), 1.0, view.prices)


def _bins(values: FloatArray) -> IntArray:
    octaves = np.log2(np.maximum(values, 1e-9)) + _OCTAVES_BELOW_ONE
    bins: IntArray = np.clip(np.floor(octaves * _BINS_PER_OCTAVE), 0, _BINS - 1).astype(np.int64)
    return bins


def _weekly_cv(view: View) -> FloatArray:
    histories = view.histories
    sums = histories.sums()
    level = np.maximum(histories.level(sums, 56.0), 1e-4)
    variance = np.maximum(histories.level(sums, 56.0, "squares") - level**2, 0.0)
    cv: FloatArray = np.sqrt(variance / DAYS_PER_WEEK) / level
    return cv


def _features(view: View) -> FloatArray:
    """Return what clusters are found by: (n, _FEATURES)."""
    histories = view.histories
    sums = histories.sums()
    rate = histories.level(sums, 56.0) + 1e-3
    units = histories.units
    first = view.day - RING_DAYS + 1
    week = np.stack(
        [
            units[:, [ago for ago in range(RING_DAYS) if weekday(first + ago) == day]].sum(1)
            for day in range(DAYS_PER_WEEK)
        ],
        1,
    )
    week = (week + _WEEK_PRIOR_UNITS / DAYS_PER_WEEK) / (
        week.sum(1, keepdims=True) + _WEEK_PRIOR_UNITS
    )
    return np.stack(
        [
            np.log(rate),
            np.log1p(_weekly_cv(view)),
            histories.level(sums, 28.0, "sold"),
            np.log((histories.level(sums, 14.0) + 0.1 * rate) / rate),
            week[:, _WEEKEND].sum(1),
            week.max(1),
        ],
        1,
    )
