"""What else is known of days: holidays by country, closed weekdays, external series."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import holidays
import numpy as np

from forecaster.domain.calendar import midnight, weekday
from forecaster.domain.history import FloatArray

HOLIDAY, EVE = "holiday", "eve"
"""Signals of every key: its country's public holidays, and the three days before one."""
_EVE_DAYS = 3
SERIES_MAX = 8
"""So many external series are looked at, by name; more would cost more than they tell."""


@dataclass(frozen=True, slots=True)
class Site:
    """What of a location matters to demand.

    Attributes:
        country: Whose holidays it keeps, as in ISO 3166-1; none where it is not known.
        closed_weekdays: On which nothing is sold; 0 is Monday.
    """

    country: str = ""
    closed_weekdays: frozenset[int] = frozenset()


@dataclass(slots=True)
class Covariates:
    """External series, one value a day, by name."""

    values: dict[str, dict[int, float]] = field(default_factory=dict)

    def put(self, name: str, day: int, value: float) -> None:
        """Take a day's value; a later one for the same day goes before."""
        self.values.setdefault(name, {})[day] = value

    def stretch(self, first_day: int, days: int) -> dict[str, FloatArray]:
        """Return (days,) values by name; NaN where there is none."""
        return {
            name: np.array([known.get(first_day + one, np.nan) for one in range(days)])
            for name, known in sorted(self.values.items())[:SERIES_MAX]
        }


def holiday_signals(sites: Sequence[Site], first_day: int, days: int) -> dict[str, FloatArray]:
    """Return whether days are holidays and whether they lead to one: (n, days) of 0 and 1 each."""
    by_country = {country: _holidays(country, first_day, days) for country in _countries(sites)}
    found = np.stack([by_country[site.country] for site in sites])
    eve = np.zeros_like(found)
    for ahead in range(1, _EVE_DAYS + 1):
        eve[:, :-ahead] = np.maximum(eve[:, :-ahead], found[:, ahead:])
    return {HOLIDAY: found, EVE: eve * (1 - found)}


def closed(sites: Sequence[Site], first_day: int, days: int) -> FloatArray:
    """Return 1 for each day on which a site is closed, else 0: (n, days)."""
    week = np.array([weekday(first_day + one) for one in range(days)])
    by_site = {
        site: np.isin(week, list(site.closed_weekdays)).astype(np.float64) for site in set(sites)
    }
    return np.stack([by_site[site] for site in sites])


def _countries(sites: Sequence[Site]) -> Collection[str]:
    return {site.country for site in sites}


@lru_cache(maxsize=64)
def _holidays(country: str, first_day: int, days: int) -> FloatArray:
    found = np.zeros(days)
    for year in range(midnight(first_day).year, midnight(first_day + days).year + 1):
        for day in _of_year(country, year):
            if 0 <= day - first_day < days:
                found[day - first_day] = 1.0
    return found


@lru_cache(maxsize=256)
def _of_year(country: str, year: int) -> frozenset[int]:
    """Return a year's public holidays as days; none where the country is not known."""
    if country not in _supported():
        return frozenset()
    epoch = date(1970, 1, 1)
    named = holidays.country_holidays(country, years=year, observed=False)
    return frozenset((day - epoch).days for day in named)


@lru_cache(maxsize=1)
def _supported() -> Mapping[str, object]:
    return holidays.list_supported_countries()
