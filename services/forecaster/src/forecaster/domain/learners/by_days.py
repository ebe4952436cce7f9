"""A learner that knows each series by itself, and steps through the days that are new to it.

Its record of a series says which day it has learned last. So it makes no difference whether days
come one by one or a week at once, and to look ahead takes the same steps without keeping them.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecaster.domain.history import RING_DAYS, FloatArray, Histories
from forecaster.domain.learner import LEARNED_DAYS, View
from forecaster.domain.learners.by_means import ByMeans

Rows = NDArray[np.void]

_PRIOR_DAYS = 14.0
"""A series starts with what is believed of it (`history.born`), with the weight of two weeks."""
_SLOW_DAYS = 120.0
_SHARE_LEAST = 0.25
"""What sold on the rest of a day that was mostly lost tells little of a whole one."""


@dataclass(frozen=True, slots=True)
class DayTaken:
    """One day of some series.

    Attributes:
        day: Which.
        ago: How many days before the one that is closed.
        age: (n,) Days since each one's first demand, both included.
        units: (n,) As a whole day would have brought.
        share: (n,) Of the day on which it could be bought; nothing is learned where it is 0.
        ring: The last days of the series.
    """

    day: int
    ago: int
    age: FloatArray
    units: FloatArray
    share: FloatArray
    ring: Histories

    def before(self, days: int) -> tuple[FloatArray, FloatArray]:
        """Return units and share of so many days before; a share of 0 where it is not known."""
        return whole_day(self.ring, self.ago + days)

    def gain(self, least: float) -> FloatArray:
        """Return how far a mean moves to this day's value: at first as the mean of all days."""
        moved: FloatArray = np.maximum(least, 1 / (self.age + _PRIOR_DAYS)) * self.share
        return moved


def whole_day(histories: Histories, ago: int) -> tuple[FloatArray, FloatArray]:
    """Return what a day would have brought if it had been open throughout, and how long it was."""
    if ago >= RING_DAYS:
        return np.zeros(len(histories)), np.zeros(len(histories))
    share = histories.days[:, RING_DAYS - 1 - ago]
    return histories.units[:, RING_DAYS - 1 - ago] / np.maximum(share, _SHARE_LEAST), share


class ByDays(ByMeans):
    """What such learners have in common.

    Attributes:
        record: What is kept of a series; its field `day` is the last that was learned.
    """

    record: np.dtype[np.void]

    @abstractmethod
    def begin(self, rows: Rows, rate: FloatArray) -> None:
        """Fill in what is believed of series that are new, in place.

        Args:
            rows: (n,) of zeros, but for their day.
            rate: (n,) Units a day, > 0.
        """

    @abstractmethod
    def take(self, rows: Rows, taken: DayTaken) -> None:
        """Learn one day, in place."""

    @abstractmethod
    def totals(self, rows: Rows, view: View) -> FloatArray:
        """Return the mean demand of the next 7, 14 and 28 days: (n, 3) units."""

    def step(self, states: Sequence[bytes], view: View) -> list[bytes]:
        """Return each series' record after its new days."""
        whole, size = self._caught_up(states, view).tobytes(), self.record.itemsize
        return [whole[place * size : (place + 1) * size] for place in range(len(states))]

    def means(self, states: Sequence[bytes], view: View) -> FloatArray:
        """Return the mean demand of the next 7, 14 and 28 days."""
        return self.totals(self._caught_up(states, view), view)

    def _caught_up(self, states: Sequence[bytes], view: View) -> Rows:
        """Return the records as of the day that is closed."""
        histories = view.histories
        rows = self._read(states, view)
        first_days = histories.rows["first_day"].astype(np.int64)
        behind = np.minimum(view.day - rows["day"].astype(np.int64), RING_DAYS)
        for ago in range(int(behind.max(initial=0)) - 1, -1, -1):
            chosen = np.flatnonzero(behind > ago)
            some, ring = rows[chosen], histories
            if len(chosen) < len(rows):
                ring = Histories(histories.rows[chosen])
            units, share = whole_day(ring, ago)
            age = (view.day - ago - first_days[chosen] + 1).astype(np.float64)
            self.take(some, DayTaken(view.day - ago, ago, age, units, share, ring))
            some["day"] = view.day - ago
            rows[chosen] = some
        return rows

    def _read(self, states: Sequence[bytes], view: View) -> Rows:
        size = self.record.itemsize
        new = np.array([len(state) != size for state in states], bool)
        known = [
            bytes(size) if is_new else state for is_new, state in zip(new, states, strict=True)
        ]
        rows = np.frombuffer(b"".join(known), self.record).copy()
        if new.any():
            histories = Histories(view.histories.rows[new])
            some = rows[new]
            some["day"] = np.maximum(histories.rows["first_day"] - 1, view.day - RING_DAYS)
            rate = histories.level(histories.sums(), _SLOW_DAYS)
            self.begin(some, np.maximum(rate, 1e-3))
            rows[new] = some
        return rows


def open_days(view: View) -> FloatArray:
    """Return on how many of the next 7, 14 and 28 days something can be bought: (n, 3)."""
    open_ = view.ahead.factors > 0
    return np.stack([open_[:, :days].sum(1) for days in LEARNED_DAYS], 1).astype(np.float64)
