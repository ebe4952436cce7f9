"""Demand over the time that stock must last: from a forecast's horizons to any interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Horizons:
    """Demand over the next `days`: negative binomial, variance = mean + mean^2 / size.

    Columns rather than a list of points: a review reads every forecast there is.

    Attributes:
        days: (k,) ascending; empty where there is no forecast.
        mean: (k,) units, cumulative.
        size: (k,) the negative binomial's r, > 0.
    """

    days: tuple[float, ...] = ()
    mean: tuple[float, ...] = ()
    size: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Demand:
    """Mean (n,) in units and variance (n,) in units squared of what will be asked for."""

    mean: FloatArray
    variance: FloatArray

    @property
    def sd(self) -> FloatArray:
        """Return the standard deviation: (n,) units."""
        return np.sqrt(self.variance)


@dataclass(frozen=True, slots=True)
class HorizonGrid:
    """The horizons of n forecasts, from day 0 on, padded with days = inf to one width k.

    Attributes:
        days: (n, k) days, ascending along each row.
        mean: (n, k) units, cumulative.
        size: (n, k), the negative binomial's r.
        count: (n,) real columns of each row, day 0 included.
    """

    days: FloatArray
    mean: FloatArray
    size: FloatArray
    count: npt.NDArray[np.intp]

    @classmethod
    def of(cls, forecasts: Sequence[Horizons]) -> "HorizonGrid":
        """Return the grid of n forecasts; one without horizons expects nothing."""
        count = np.array([len(one.days) + 1 for one in forecasts], dtype=np.intp)
        widest = int(count.max(initial=1))
        return cls(
            days=_padded([one.days for one in forecasts], widest, first=0.0, beyond=np.inf),
            mean=_padded([one.mean for one in forecasts], widest, first=0.0, beyond=0.0),
            size=_padded([one.size for one in forecasts], widest, first=1.0, beyond=1.0),
            count=count,
        )

    def demand_over(self, interval_days: FloatArray) -> Demand:
        """Return the demand over an interval of fixed length.

        Mean and variance run straight between two horizons (from 0 at day 0). Beyond the last
        horizon the mean goes on at that horizon's average rate, and its size stays, as it does
        when it is the rate itself that is not known well.

        Args:
            interval_days: (n,) days, each >= 0.
        """
        rows = np.arange(len(self.count))
        last = self.count - 1
        below = np.maximum((self.days <= interval_days[:, None]).sum(axis=1) - 1, 0)
        above = np.minimum(below + 1, last)
        beyond = below >= last
        start, stop = self.days[rows, below], self.days[rows, above]
        share = np.where(beyond, 0.0, (interval_days - start) / np.where(beyond, 1.0, stop - start))
        variances = self.mean + self.mean**2 / self.size
        mean = _between(self.mean[rows, below], self.mean[rows, above], share)
        variance = _between(variances[rows, below], variances[rows, above], share)
        stretch = interval_days / np.where(start > 0, start, 1.0)
        far_mean = self.mean[rows, below] * stretch
        far_variance = far_mean + far_mean**2 / self.size[rows, below]
        return Demand(np.where(beyond, far_mean, mean), np.where(beyond, far_variance, variance))

    def protection_demand(self, interval_days: FloatArray, lead_time_sd_days: FloatArray) -> Demand:
        """Return the demand over the protection interval when the lead time is random.

        With D(P) the demand over P = lead time + review period: E[D] = mean(E[P]) and
        Var[D] = E[var(P)] + rate^2 Var[lead time], rate = mean demand a day over the interval.

        Source: Silver, Pyke & Thomas (2017), demand during a random lead time.

        Args:
            interval_days: (n,) days, mean lead time + review period, each > 0.
            lead_time_sd_days: (n,) days, each >= 0.
        """
        fixed = self.demand_over(interval_days)
        rate = fixed.mean / interval_days
        return Demand(fixed.mean, fixed.variance + (rate * lead_time_sd_days) ** 2)


def _padded(
    rows: Sequence[Sequence[float]], width: int, *, first: float, beyond: float
) -> FloatArray:
    """Return rows as (n, width): `first`, the row, and `beyond` up to the width."""
    full = np.full((len(rows), width), beyond, dtype=np.float64)
    full[:, 0] = first
    lengths = np.fromiter(map(len, rows), dtype=np.intp, count=len(rows))
    filled = np.arange(width - 1) < lengths[:, None]
    full[:, 1:][filled] = np.fromiter(chain.from_iterable(rows), dtype=np.float64)
    return full


def _between(low: FloatArray, high: FloatArray, share: FloatArray) -> FloatArray:
    return low + share * (high - low)
