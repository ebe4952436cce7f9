"""What a back-test runs over: some series by day, and what was known of their days."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forecaster.domain.covariates import Site
from forecaster.domain.learner import Key

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Dataset:
    """Series by day; all arrays (n_series, n_days) where nothing else is said.

    Attributes:
        name: Of the panel or the file.
        keys: (n_series,) Ascending.
        first_day: Days since 1 January 1970 of the first column.
        units: Asked for.
        discount: Below the regular price, as a share, on days that sold.
        sales: What was paid for the units, where it is known.
        rebates: What they would have cost more at the regular price.
        away: Share of the day on which it was out of stock.
        display: How widely it was displayed, in [0, 1].
        mailing: How widely it was mailed, in [0, 1].
        categories: Of the skus.
        sites: Of the locations.
        groups: (n_days,) Whole demand of groups, by (kind, name), where more than these series
            belongs to them.
    """

    name: str
    keys: tuple[Key, ...]
    first_day: int
    units: FloatArray
    discount: FloatArray
    sales: FloatArray
    rebates: FloatArray
    away: FloatArray
    display: FloatArray
    mailing: FloatArray
    categories: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    groups: Mapping[tuple[str, str], FloatArray] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """Return how many days there are."""
        return int(self.units.shape[1])

    def column(self, day: int) -> int:
        """Return the column of a day."""
        return day - self.first_day
