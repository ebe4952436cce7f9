"""Demand that comes now and then: how much at a time, and how often.

Croston (1972) smooths the size of demand and the days between, each only when there is demand;
Syntetos (2001) takes off its bias, exactly so where demand comes every day. As it stands it
never forgets what has stopped selling: days without demand are let to count here, as Prestwich et
al. (2014) do. TSB (Teunter, Syntetos & Babai, 2011) smooths the chance of demand every day instead.
"""

import numpy as np

from forecaster.domain.history import FloatArray
from forecaster.domain.learner import View
from forecaster.domain.learners.by_days import ByDays, DayTaken, Rows, open_days

_OCCASION_GAIN = 0.1
_CHANCE_GAIN = 0.02
_SIZE_GAIN = 0.05


class Croston(ByDays):
    """Size of demand over the days between, without bias, and fading where none comes."""

    name = "croston"
    record = np.dtype([("day", "<u2"), ("size", "<f4"), ("interval", "<f4"), ("since", "<f4")])

    def begin(self, rows: Rows, rate: FloatArray) -> None:
        """Start with single units."""
        rows["size"] = np.maximum(rate, 1.0)
        rows["interval"] = rows["size"] / rate

    def take(self, rows: Rows, taken: DayTaken) -> None:
        """Count the day, or close the interval."""
        sold = taken.units > 0
        since = rows["since"] + np.where(sold, np.maximum(taken.share, 0.5), taken.share)
        size, interval = rows["size"], rows["interval"]
        rows["size"] = np.where(sold, size + _OCCASION_GAIN * (taken.units - size), size)
        rows["interval"] = np.where(sold, interval + _OCCASION_GAIN * (since - interval), interval)
        rows["since"] = np.where(sold, 0.0, since)

    def totals(self, rows: Rows, view: View) -> FloatArray:
        """Return the rate, which does not change, on the days that are open."""
        half = _OCCASION_GAIN / 2
        interval = np.maximum(rows["interval"], 0.5) - half + half * rows["since"]
        rate = (1 - half) * rows["size"].astype(np.float64) / interval
        means: FloatArray = rate[:, None] * open_days(view)
        return means


class Tsb(ByDays):
    """Size of demand times its chance, which every day moves."""

    name = "tsb"
    record = np.dtype([("day", "<u2"), ("size", "<f4"), ("chance", "<f4")])

    def begin(self, rows: Rows, rate: FloatArray) -> None:
        """Start with single units."""
        rows["size"] = np.maximum(rate, 1.0)
        rows["chance"] = np.minimum(rate, 1.0)

    def take(self, rows: Rows, taken: DayTaken) -> None:
        """Move the chance, and the size where there was demand."""
        sold = taken.units > 0
        size, chance = rows["size"], rows["chance"]
        rows["chance"] = chance + taken.gain(_CHANCE_GAIN) * (sold - chance)
        rows["size"] = np.where(sold, size + _SIZE_GAIN * (taken.units - size), size)

    def totals(self, rows: Rows, view: View) -> FloatArray:
        """Return the rate, which does not change, on the days that are open."""
        rate = rows["size"].astype(np.float64) * rows["chance"]
        means: FloatArray = rate[:, None] * open_days(view)
        return means
