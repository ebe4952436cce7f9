"""What a global learner looks at: numbers without a unit, alike for a slow seller and a fast one.

All are relative to the key's own level, as of a day that may lie some weeks back (`Moment`): so
the same function tells what is foretold from today and what today's demand is learned from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forecaster.domain.covariates import EVE, HOLIDAY
from forecaster.domain.history import (
    HALF_LIVES_DAYS,
    RING_DAYS,
    SEASONS,
    STREAM,
    FloatArray,
    Histories,
    born,
    season_of,
)
from forecaster.domain.learner import Group, View

_LEVEL_MIN = 1 / 120
_SLOW_SHARE = 0.25
_GROUP_HALF_LIVES = (7.0, 14.0, 28.0, 56.0)
_GROUPS = ("sku", "category", "location")
_YEAR_DAYS = 365
_KNOWN = "features"


@dataclass(frozen=True)
class Moment:
    """Some keys as of `back` days before the day that is closed.

    Attributes:
        histories: Of the keys, as of the day.
        groups: As in `View`, their members being these keys.
        back: Days.
        display: (n, days) Known of the days after the moment.
        mailing: (n, days) Likewise.
        signals: (n, RING_DAYS + AHEAD_DAYS) by name, as in `View`.
        day: The moment's own day.
    """

    histories: Histories
    groups: Mapping[str, Group]
    back: int
    display: FloatArray
    mailing: FloatArray
    signals: Mapping[str, FloatArray]
    day: int


def now(view: View) -> Moment:
    """Return all keys as of the day that is closed."""
    ahead = view.ahead
    return Moment(
        view.histories, view.groups, 0, ahead.display, ahead.mailing, view.signals, view.day
    )


def known(view: View) -> "Features":
    """Return the features of all keys as of the day that is closed, worked out once."""
    if _KNOWN not in view.derived:
        view.derived[_KNOWN] = Features(now(view))
    found: Features = view.derived[_KNOWN]
    return found


def scheduled(view: View) -> Moment:
    """Return the scheduled keys as of the day that is closed."""
    chosen = np.flatnonzero(view.scheduled)
    return Moment(
        Histories(view.histories.rows[chosen]),
        {name: Group(one.histories, one.member[chosen]) for name, one in view.groups.items()},
        0,
        view.ahead.display[chosen],
        view.ahead.mailing[chosen],
        {name: values[chosen] for name, values in view.signals.items()},
        view.day,
    )


def earlier(moment: Moment, back: int) -> Moment:
    """Return the same keys `back` days before; what came since is what was planned then."""
    histories = moment.histories
    since = slice(RING_DAYS - back, RING_DAYS)  # the horizon and what came after it
    return Moment(
        histories,
        moment.groups,
        back,
        histories.display[:, since],
        histories.mailing[:, since],
        moment.signals,
        moment.day - back,
    )


class Features:
    """The features of some keys at a moment, for any horizon.

    Attributes:
        level: (n,) Units a day that the others are relative to, > 0.
        rates: (n, 6) Decayed means on HALF_LIVES_DAYS.
    """

    def __init__(self, moment: Moment) -> None:
        self._at = moment
        histories, back = moment.histories, moment.back
        self._sums = sums = histories.sums(back)
        self.rates = np.stack([histories.level(sums, one) for one in HALF_LIVES_DAYS], 1)
        middle, slow = self.rates[:, 1:5].mean(1), self.rates[:, 5]
        self.level = np.maximum(np.maximum(middle, _LEVEL_MIN), _SLOW_SHARE * slow)
        self._base = self._of_level()
        self._base |= self._of_groups()
        self._promotions = self._promoted()
        self._tables: dict[int, FloatArray] = {}

    @staticmethod
    @lru_cache(maxsize=1)
    def names() -> tuple[str, ...]:
        """Return the features' names, in the order of a table's columns."""
        nothing = Histories(born(0))
        beyond = np.zeros((1, 7))
        signals = {name: np.zeros((1, RING_DAYS + 7)) for name in (HOLIDAY, EVE)}
        group = Group(nothing, np.zeros(1, np.int64))
        groups = dict.fromkeys((*_GROUPS, "all"), group)
        one = Features(Moment(nothing, groups, 0, beyond, beyond, signals, 0))
        return tuple(one._columns(7))

    def table(self, days: int) -> FloatArray:
        """Return the features for the total of so many days, to read: (n, len(names()))."""
        if days not in self._tables:
            self._tables[days] = np.stack(list(self._columns(days).values()), 1)
        return self._tables[days]

    def _columns(self, days: int) -> dict[str, FloatArray]:
        base = self._base
        volume = np.clip(np.log(self.level * days), -2, 4) / 3
        found = {"one": np.ones(len(volume)), **base, "volume": volume}
        for name in ("r7", "r14", "r28", "w7", "r120"):
            found[f"{name}*volume"] = base[name] * volume
        found |= self._planned(days)
        found |= self._calendar(days)
        return found

    def _of_level(self) -> dict[str, FloatArray]:
        at, sums, level = self._at, self._sums, self.level
        histories, back = at.histories, at.back
        ratio = self.rates / level[:, None]
        week, open_week = histories.total(back, 7)
        before, open_before = histories.total(back + 7, 7)
        w7 = np.minimum(week / np.maximum(open_week, 1) / level, 5)
        l7 = np.minimum(before / np.maximum(open_before, 1) / level, 5)
        squares = histories.level(sums, 56.0, "squares")
        variance = np.maximum(squares - self.rates[:, 4] ** 2, 0)
        units7, units56 = (np.maximum(sums[:, STREAM["units", one]], 1e-3) for one in (7.0, 56.0))
        totals = self._group_means("all")
        return {
            "r3": np.minimum(ratio[:, 0], 6),
            "r7": np.minimum(ratio[:, 1], 5),
            "r14": np.minimum(ratio[:, 2], 4),
            "r28": np.minimum(ratio[:, 3], 3),
            "r120": np.minimum(ratio[:, 5], 4),
            "w7": w7,
            "l7": l7,
            "w14": np.minimum((w7 + l7) / 2, 5),
            "sold": histories.level(sums, 28.0, "sold"),
            "since": np.minimum(self._since_sale() * level, 6) / 3,
            "logm": np.log(level),
            "cv": np.minimum(np.sqrt(variance) / np.sqrt(level + level**2), 4),
            "market": np.minimum(totals[:, 0] / np.maximum(totals[:, 3], 1e-9), 2),
            "discount7": sums[:, STREAM["discounted_units", 7.0]] / units7,
            "discount56": sums[:, STREAM["discounted_units", 56.0]] / units56,
        }

    def _since_sale(self) -> FloatArray:
        """Return the days since the last sale at the moment."""
        at = self._at
        seen = at.histories.raw[:, : RING_DAYS - at.back] > 0
        inside = np.argmax(seen[:, ::-1], 1)
        outside = np.maximum(at.day - at.histories.rows["last_sale"], RING_DAYS - at.back)
        found: FloatArray = np.where(seen.any(1), inside, outside).astype(np.float64)
        return found

    def _group_means(self, kind: str) -> FloatArray:
        group = self._at.groups[kind]
        means: FloatArray = group.histories.means(self._at.back, _GROUP_HALF_LIVES)[group.member]
        return means

    def _of_groups(self) -> dict[str, FloatArray]:
        found = {}
        for kind in _GROUPS:
            means = self._group_means(kind)
            base = np.maximum(means.mean(1), 0.05)
            found[f"{kind} r7"] = np.clip(means[:, 0] / base, 0, 4)
            found[f"{kind} r28"] = np.clip(means[:, 2] / base, 0, 4)
            if kind == "sku":
                share = np.log(self.rates[:, 5] + 0.01) - np.log(means[:, 3] / 20 + 0.01)
                found["share of sku"] = np.clip(share, -3, 3)
        return found

    def _promoted(self) -> dict[str, FloatArray]:
        """Return what promotions have done so far, alike for all horizons."""
        at, sums = self._at, self._sums
        histories = at.histories
        with_it, without = histories.rates(sums)
        past = histories.promoted[:, : RING_DAYS - at.back]
        fading = 0.5 ** (np.arange(past.shape[1] - 1, -1, -1) / 2)
        adjusted = np.stack(
            [histories.level(sums, one, "unpromoted") for one in (7.0, 14.0, 28.0, 56.0)], 1
        )
        return {
            "with": with_it,
            "without": without,
            "uplift": histories.uplift(sums),
            "lately": past @ fading / fading.sum(),
            "week": histories.level(sums, 7.0, "promoted"),
            "month": histories.level(sums, 28.0, "promoted"),
            "usual": histories.level(sums, 56.0, "promoted"),
            "adjusted": adjusted,
        }

    def _planned(self, days: int) -> dict[str, FloatArray]:
        at, base, sums, p = self._at, self._base, self._sums, self._promotions
        histories, level = at.histories, self.level
        display, mailing = at.display[:, :days], at.mailing[:, :days]
        most = histories.promoted_most
        planned = np.minimum((display + mailing) / most[:, None], 1.0).mean(1)
        found = {}
        for name, values in (("display", display.mean(1)), ("mailing", mailing.mean(1))):
            month = histories.level(sums, 28.0, name)
            found[name] = values
            found[f"{name} month"] = month
            found[f"{name}-month"] = values - month
            found[f"{name}-week"] = values - histories.level(sums, 7.0, name)
        usual = p["usual"] * p["with"] + (1 - p["usual"]) * p["without"]
        rise = (planned * p["with"] + (1 - planned) * p["without"]) / np.maximum(usual, 1e-6)
        rise = np.clip(rise, 0.3, 4)
        more = planned - p["usual"]
        inflated = p["adjusted"] * (1 + (p["uplift"] - 1) * planned)[:, None] / level[:, None]
        log_uplift = np.log(p["uplift"])
        found |= {
            "rise": rise,
            "rise*r28": rise * base["r28"],
            "more": more,
            "more*r28": more * base["r28"],
            **{f"inflated {place}": inflated[:, place] for place in range(4)},
            "r7*lately": base["r7"] * p["lately"],
            "r7*planned": base["r7"] * planned,
            "r28*planned": base["r28"] * planned,
            "r28*display": base["r28"] * found["display"],
            "r28*mailing": base["r28"] * found["mailing"],
            "lately": p["lately"],
            "planned": planned,
            "inflated squared": np.clip(inflated[:, 2], 0, 6) ** 2 / 3,
            "log uplift": log_uplift,
            "log uplift*month": log_uplift * (planned - p["month"]),
            "log uplift*week": log_uplift * (planned - p["week"]),
        }
        return {name: np.clip(values, -8, 8) for name, values in found.items()}

    def _calendar(self, days: int) -> dict[str, FloatArray]:
        at = self._at
        end = RING_DAYS - at.back
        found = {}
        for name in (HOLIDAY, EVE):
            signal = at.signals[name]
            found[f"{name} ahead"] = signal[:, end : end + days].mean(1)
            found[f"{name} past"] = signal[:, max(end - 7, 0) : end].mean(1)
        mine = _season(at.histories, at.day, days)
        group = at.groups["category"]
        theirs = _season(group.histories, at.day, days)[group.member]
        return {**found, "season": mine, "season of category": theirs}


def _season(histories: Histories, day: int, days: int) -> FloatArray:
    """Return the log of what the days ahead brought a year ago, over what the last weeks did."""
    seasons = histories.rows["season"].astype(np.float64)
    ahead = season_of(day + 1 + np.arange(days))
    past = season_of(day - np.arange(28))
    usual = seasons.mean(1) + 0.02
    level = np.log(
        (seasons[:, ahead].mean(1) + 0.1 * usual) / (seasons[:, past].mean(1) + 0.1 * usual)
    )
    known = day - histories.rows["first_day"] >= _YEAR_DAYS + days
    found: FloatArray = np.where(known, np.clip(level, -1.5, 1.5), 0.0)
    assert seasons.shape[1] == SEASONS
    return found
