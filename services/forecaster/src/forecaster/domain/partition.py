"""One partition's demand: what came is told, days are closed, what is to come is foretold.

What all learners share happens here, once: which series are looked at on which day, what groups
they add up to, what is planned for them. A learner (`learner`) is handed what it needs.

Looked at when a day closes are the keys that sold, those out of stock, and one key in seven by a
day of its own; so no key is older than a week, and what a learner learns from, the keys on their
own day, does not depend on what they sold.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from forecaster.domain import covariates, history, recording
from forecaster.domain.calendar import DAYS_PER_WEEK, WeekdayProfile, weekday
from forecaster.domain.covariates import Covariates, Site
from forecaster.domain.history import RING_DAYS, Histories, IntArray
from forecaster.domain.learner import (
    AHEAD_DAYS,
    Ahead,
    Forecast,
    Group,
    Key,
    Learner,
    Share,
    View,
)
from forecaster.domain.plans import Plans
from forecaster.domain.recording import Told

_AT_ONCE = 4096
"""So many keys are looked at together; a million at once would take gigabytes."""
_NEW_KEY_RATE = 0.1
_RATE_STEP = 1 / 200.0
ALL = ("all", "")


@dataclass(frozen=True, slots=True)
class DayTold:
    """What came on one day that is closed.

    Attributes:
        units: Asked for, by key; > 0.
        away: Share of the day on which a key was out of stock, in (0, 1], where it was at all.
        discount: Below the regular price, as a share of it, where a key sold so.
        elsewhere: Units of groups asked for where nothing is foretold, by (kind, name) as in
            `View.groups`: a chain's other stores, a marketplace that ships by itself.
    """

    units: Mapping[Key, int]
    away: Mapping[Key, float] = field(default_factory=dict)
    discount: Mapping[Key, float] = field(default_factory=dict)
    elsewhere: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(slots=True)
class Partition:
    """Everything that demand has taught on one partition.

    Attributes:
        learner: What learns.
        histories: Each key's record (`history.RECORD`).
        states: What the learner keeps of each key.
        groups: The records of the groups, by kind and name.
        weekdays: How the days of the week differ.
        rates: What keys of a category ask for a day, on their own days of the week before.
        plans: Promotions and prices, as told so far.
        series: External series, as told so far.
        categories: Of the skus.
        sites: Of the locations.
        prices: What one unit costs, by sku and location, or by sku and "" everywhere.
    """

    learner: Learner
    histories: dict[Key, bytes] = field(default_factory=dict)
    states: dict[Key, bytes] = field(default_factory=dict)
    groups: dict[tuple[str, str], bytes] = field(default_factory=dict)
    weekdays: WeekdayProfile = field(default_factory=WeekdayProfile)
    rates: dict[str, float] = field(default_factory=dict)
    plans: Plans = field(default_factory=Plans)
    series: Covariates = field(default_factory=Covariates)
    categories: dict[str, str] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    prices: dict[Key, float] = field(default_factory=dict)
    _due: list[set[Key]] = field(default_factory=lambda: [set() for _ in range(DAYS_PER_WEEK)])

    def close(self, day: int, told: DayTold) -> list[Key]:
        """Learn a day that has ended; return the keys that were looked at, in order.

        Args:
            day: After every day closed before.
            told: What came on it.
        """
        visited = sorted(told.units.keys() | told.away.keys() | self._due_on(day))
        self._close_groups(day, told)
        for keys in _chunks(visited):
            self._close_keys(day, keys, told)
        self.weekdays = self.weekdays.learn(day, sum(told.units.values()))
        return visited

    def forecast(self, keys: Sequence[Key], day: int) -> Forecast:
        """Return what is expected after the end of `day`, the last that is closed."""
        parts = [
            self.learner.forecast([self.states.get(key, b"") for key in some], self.view(some, day))
            for some in _chunks(keys)
        ]
        return Forecast(
            np.concatenate([part.mean for part in parts]),
            np.concatenate([part.size for part in parts]),
            tuple(model for part in parts for model in part.models),
        )

    def explain(self, key: Key, day: int) -> tuple[Share, ...]:
        """Return what a key's mean over the next 14 days is made of."""
        (shares,) = self.learner.explain([self.states.get(key, b"")], self.view([key], day))
        return shares

    def index(self) -> None:
        """Find again which keys are due when, after the records have been filled from outside."""
        self._due = [set() for _ in range(DAYS_PER_WEEK)]
        for key in self.histories:
            self._due[phase(key)].add(key)

    def _due_on(self, day: int) -> set[Key]:
        return self._due[day % DAYS_PER_WEEK]

    def _close_keys(self, day: int, keys: Sequence[Key], told: DayTold) -> None:
        for key in keys:
            if key not in self.histories:
                rate = self.rates.get(self.categories.get(key.sku, ""), _NEW_KEY_RATE)
                self.histories[key] = history.born(day, rate).tobytes()
                self._due[phase(key)].add(key)
        rows = history.decoded([self.histories[key] for key in keys])
        scheduled = np.array([phase(key) == day % DAYS_PER_WEEK for key in keys])
        width = int((day - rows["last_day"]).max())
        new = recording.close(rows, day, self._told(keys, day, width, told), scheduled)
        view = self._view(keys, rows, day, new, scheduled)
        self._learn_rates(keys, view)
        states = self.learner.learn([self.states.get(key, b"") for key in keys], view)
        self.histories.update(zip(keys, history.encoded(rows), strict=True))
        self.states.update(zip(keys, states, strict=True))

    def _told(self, keys: Sequence[Key], day: int, width: int, told: DayTold) -> Told:
        """Return what came on the days up to `day`; only the last can have brought demand."""
        first = day - width + 1
        away = covariates.closed(self._sites(keys), first, width)
        display, mailing, discount = self.plans.shares(keys, first, width)
        units = np.zeros(len(keys))
        for row, key in enumerate(keys):
            units[row] = told.units.get(key, 0)
            away[row, -1] = max(away[row, -1], told.away.get(key, 0.0))
            discount[row, -1] = told.discount.get(key, discount[row, -1])
        return Told(units, away, discount, display, mailing)

    def _learn_rates(self, keys: Sequence[Key], view: View) -> None:
        """Move what a new key of a category is expected to sell towards the week of its likes."""
        units, days = view.histories.total(0, DAYS_PER_WEEK)
        for row in np.flatnonzero(view.scheduled & (days > 0)).tolist():
            category = self.categories.get(keys[row].sku, "")
            known = self.rates.get(category, _NEW_KEY_RATE)
            self.rates[category] = known + _RATE_STEP * (float(units[row] / days[row]) - known)

    def _close_groups(self, day: int, told: DayTold) -> None:
        units: dict[tuple[str, str], int] = dict(told.elsewhere)
        for key, asked in told.units.items():
            for group in self._groups_of(key):
                units[group] = units.get(group, 0) + asked
        names = sorted(units)
        if not names:
            return
        for name in names:
            if name not in self.groups:
                self.groups[name] = history.born(day).tobytes()
        rows = history.decoded([self.groups[name] for name in names])
        none = np.zeros((len(names), 1))
        sums = np.array([float(units[name]) for name in names])
        recording.close(rows, day, Told(sums, none, none, none, none), np.zeros(len(names), bool))
        self.groups.update(zip(names, history.encoded(rows), strict=True))

    def _groups_of(self, key: Key) -> tuple[tuple[str, str], ...]:
        category = self.categories.get(key.sku, "")
        return (("sku", key.sku), ("category", category), ("location", key.location), ALL)

    def view(self, keys: Sequence[Key], day: int) -> View:
        """Return some series as of the end of `day`, the last that is closed; nothing changes."""
        rows = history.decoded([self.histories[key] for key in keys])
        since = (day - rows["last_day"]).astype(np.int64)
        width = int(since.max())
        if width:
            none = DayTold({})
            told = self._told(keys, day, width, none)
            behind = since > 0
            some = rows[behind]
            recording.close(some, day, _rows_of(told, behind), np.zeros(len(some), bool))
            rows[behind] = some
        return self._view(keys, rows, day, since, np.zeros(len(keys), bool))

    def _view(
        self,
        keys: Sequence[Key],
        rows: NDArray[np.void],
        day: int,
        new: IntArray,
        scheduled: NDArray[np.bool_],
    ) -> View:
        sites = self._sites(keys)
        display, mailing, discount = self.plans.shares(keys, day + 1, AHEAD_DAYS)
        factors = self.weekdays.factors()
        week = np.array([factors[weekday(day + one)] for one in range(1, AHEAD_DAYS + 1)])
        open_ = 1 - covariates.closed(sites, day + 1, AHEAD_DAYS)
        first, days = day - RING_DAYS + 1, RING_DAYS + AHEAD_DAYS
        signals = covariates.holiday_signals(sites, first, days)
        for name, values in self.series.stretch(first, days).items():
            signals[name] = np.broadcast_to(values, (len(keys), days))
        return View(
            day=day,
            keys=keys,
            histories=Histories(rows),
            new=new,
            scheduled=scheduled,
            ahead=Ahead(display, mailing, discount, week[None, :] * open_),
            groups=self._group_views(keys, day),
            signals=signals,
            prices=np.array([self._price(key) for key in keys]),
        )

    def _price(self, key: Key) -> float:
        everywhere = self.prices.get(Key(key.sku, ""), np.nan)
        return self.prices.get(key, everywhere)

    def _group_views(self, keys: Sequence[Key], day: int) -> dict[str, Group]:
        found = {}
        by_key = [self._groups_of(key) for key in keys]
        blank = history.born(day).tobytes()
        for level, kind in enumerate(("sku", "category", "location", "all")):
            names = sorted({groups[level] for groups in by_key})
            place = {name: index for index, name in enumerate(names)}
            rows = history.decoded([self.groups.get(name, blank) for name in names])
            recording.advance(rows, day)
            member = np.array([place[groups[level]] for groups in by_key])
            found[kind] = Group(Histories(rows), member)
        return found

    def _sites(self, keys: Sequence[Key]) -> list[Site]:
        unknown = Site()
        return [self.sites.get(key.location, unknown) for key in keys]


@lru_cache(maxsize=1_000_000)
def phase(key: Key) -> int:
    """Return the weekday on which a key is learned from, whatever it sold: day % 7."""
    return crc32(f"{key.sku}\x1f{key.location}".encode()) % DAYS_PER_WEEK


def _chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    for at in range(0, len(keys), _AT_ONCE):
        yield keys[at : at + _AT_ONCE]


def _rows_of(told: Told, chosen: NDArray[np.bool_]) -> Told:
    return Told(
        told.units[chosen],
        told.away[chosen],
        told.discount[chosen],
        told.display[chosen],
        told.mailing[chosen],
    )
