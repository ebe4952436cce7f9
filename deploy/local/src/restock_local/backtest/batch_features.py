"""The features that the batch reference is fitted on: whole panels at once, day by day.

They are those of the prototype that the reference stands for, by formula; they are no part of the
product, whose learners compute their own (`forecaster.domain.features`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from restock_local.backtest.dataset import Dataset, FloatArray

HALF_LIVES_DAYS = (3.5, 7, 14, 28, 56, 120)
TOTALS_DAYS = (7, 14)
_CLIPS = {
    "r3": 6,
    "r7": 5,
    "r14": 4,
    "r28": 3,
    "r120": 4,
    "w7": 5,
    "l7": 5,
    "w28": 4,
    "cv": 4,
    "sys": 2,
}
_UPLIFT_DAYS = 14.0


@dataclass(frozen=True)
class Panel:
    """What is computed once for a panel: arrays (n_series, n_days).

    Attributes:
        level: Units a day that all is relative to.
        means: Exponentially weighted, by half-life.
        base: The features that do not depend on the horizon, by name.
        groups: (n_series, n_days, n) Features of the groups that a series belongs to.
        totals: Units of the next days, NaN where they are not all in the data, by horizon.
    """

    data: Dataset
    level: FloatArray
    means: dict[float, FloatArray]
    base: dict[str, FloatArray]
    groups: FloatArray
    totals: dict[int, FloatArray]


def weighted(values: FloatArray, half_life: float) -> FloatArray:
    """Return exponentially weighted means that begin as running means: (n, n_days)."""
    step = 1 - 0.5 ** (1 / half_life)
    found = np.empty_like(values)
    mean = np.zeros(len(values))
    for day in range(values.shape[1]):
        mean = mean + max(step, 1 / (day + 1)) * (values[:, day] - mean)
        found[:, day] = mean
    return found


def panel(data: Dataset) -> Panel:
    """Return what the features of a data set are made of."""
    units = data.units
    n_series, n_days = units.shape
    means = {one: weighted(units, one) for one in HALF_LIVES_DAYS}
    level = (means[7] + means[14] + means[28] + means[56]) / 4
    level = np.maximum(np.maximum(level, 1 / 120), 0.25 * means[120])
    before = np.concatenate([np.zeros((n_series, 1)), means[28][:, :-1]], 1)
    variance = weighted((units - before) ** 2, 56)
    since = np.zeros((n_series, n_days))
    run = np.zeros(n_series)
    for day in range(n_days):
        run = np.where(units[:, day] > 0, 0, run + 1)
        since[:, day] = run
    week, month = _trailing(units, 7), _trailing(units, 28)
    last_week = np.concatenate([np.zeros((n_series, 7)), week[:, :-7]], 1)
    gross = data.rebates + data.sales
    total = units.sum(0, keepdims=True).astype(np.float64)
    base = {
        "r3": means[3.5] / level,
        "r7": means[7] / level,
        "r14": means[14] / level,
        "r28": means[28] / level,
        "r120": means[120] / level,
        "w7": week / (7 * level),
        "l7": last_week / (7 * level),
        "w28": month / (28 * level),
        "occ": weighted((units > 0).astype(np.float64), 28),
        "rec": np.minimum(since * level, 6) / 3,
        "logm": np.log(level),
        "cv": np.sqrt(variance) / np.sqrt(level + level * level),
        "sys": np.repeat(weighted(total, 7) / weighted(total, 56), n_series, 0),
        "d7": weighted(data.rebates, 7) / np.maximum(weighted(gross, 7), 1e-3),
        "d56": weighted(data.rebates, 56) / np.maximum(weighted(gross, 56), 1e-3),
    }
    base |= {name: np.minimum(base[name], most) for name, most in _CLIPS.items()}
    totals = {
        days: np.concatenate([_sums(units, days)[:, 1:], np.full((n_series, days), np.nan)], 1)
        for days in TOTALS_DAYS
    }
    return Panel(data, level, means, base, _of_groups(data, means[120]), totals)


def table(one: Panel, days: int, *, promotions: bool, until: int) -> FloatArray:
    """Return all features for the total of the next days: (n_series, n_days, n_features).

    Args:
        one: The panel.
        days: 7 or 14.
        promotions: Whether what is planned is known.
        until: What is a whole promotion follows from the columns before this one.
    """
    base, level = one.base, one.level
    columns = list(base.values())
    promoted = _promoted(one, until) if promotions else None
    plans: dict[str, FloatArray] = {}
    if promoted is not None:
        for name, shares in (("display", one.data.display), ("mailing", one.data.mailing)):
            ahead, month = _ahead(shares, days), weighted(shares, 28)
            plans[name] = ahead
            columns += [ahead, month, ahead - month, ahead - weighted(shares, 7)]
    volume = np.clip(np.log(level * days), -2, 4) / 3
    columns.append(np.ones_like(level))
    columns += [base[name] * volume for name in ("r7", "r14", "r28", "w7", "r120")]
    if promoted is not None:
        columns += promoted.mean_columns(base, days)
    found = [np.stack(columns, -1), one.groups]
    if promoted is not None:
        found.append(promoted.more_columns(one, days, plans))
    return np.concatenate(found, -1)


@dataclass(frozen=True)
class _Promoted:
    """What promotions have done to each series so far: (n_series, n_days) each."""

    share: FloatArray
    with_it: FloatArray
    without: FloatArray
    usual: FloatArray

    def mean_columns(self, base: dict[str, FloatArray], days: int) -> list[FloatArray]:
        ahead = _ahead(self.share, days)
        usual = self.usual * self.with_it + (1 - self.usual) * self.without
        rise = (ahead * self.with_it + (1 - ahead) * self.without) / np.maximum(usual, 1e-6)
        rise = np.clip(rise, 0.3, 4)
        more = ahead - self.usual
        return [rise, rise * base["r28"], more, more * base["r28"]]

    def more_columns(self, one: Panel, days: int, plans: dict[str, FloatArray]) -> FloatArray:
        base, level = one.base, one.level
        ahead, lately = _ahead(self.share, days), weighted(self.share, 2)
        month, week = weighted(self.share, 28), weighted(self.share, 7)
        uplift = np.clip(self.with_it / np.maximum(self.without, 1e-6), 0.7, 6.0)
        adjusted = one.data.units / np.maximum(1 + (uplift - 1) * self.share, 0.3)
        by_life = {half: weighted(adjusted, half) for half in (7, 14, 28, 56)}
        rise = 1 + (uplift - 1) * ahead
        log_uplift = np.log(uplift)
        columns = [
            by_life[14] * rise / level,
            by_life[28] * rise / level,
            by_life[56] * rise / level,
            by_life[7] * rise / level,
            base["r7"] * lately,
            base["r7"] * ahead,
            base["r28"] * ahead,
            base["r28"] * plans["display"],
            base["r28"] * plans["mailing"],
            lately,
            ahead,
            np.clip(by_life[28] * rise / level, 0, 6) ** 2 / 3,
            log_uplift,
            log_uplift * (ahead - month),
            log_uplift * (ahead - week),
        ]
        found: FloatArray = np.clip(np.stack(columns, -1), -8, 8)
        return found


def _promoted(one: Panel, until: int) -> _Promoted:
    data, units = one.data, one.data.units
    binary = set(np.unique(data.mailing)) <= {0.0, 1.0}
    if binary:
        share = np.maximum(data.display, data.mailing)
    else:
        both = data.display + data.mailing
        most = np.maximum(0.15, both[:, :until].max(1, keepdims=True))
        share = np.minimum(1, both / most)
    kept = 0.5 ** (1 / 120)
    n_series, n_days = units.shape
    with_it, without = np.zeros_like(units), np.zeros_like(units)
    promoted, promoted_days, others, other_days = np.zeros((4, n_series))
    for day in range(n_days):
        now, sold = share[:, day], units[:, day]
        promoted = kept * promoted + now * sold
        promoted_days = kept * promoted_days + now
        others = kept * others + (1 - now) * sold
        other_days = kept * other_days + (1 - now)
        base = (others + promoted + 1e-9) / (other_days + promoted_days)
        prior = _UPLIFT_DAYS * base
        with_it[:, day] = (promoted + prior * 1.1) / (promoted_days + _UPLIFT_DAYS)
        without[:, day] = (others + prior * 0.97) / (other_days + _UPLIFT_DAYS)
    return _Promoted(share, with_it, without, weighted(share, 56))


def _of_groups(data: Dataset, slow: FloatArray) -> FloatArray:
    columns = []
    for kind, series in _group_series(data).items():
        means = [weighted(series, half) for half in (7, 14, 28, 56)]
        base = np.maximum(sum(means) / 4, 0.05)
        columns += [np.clip(means[0] / base, 0, 4), np.clip(means[2] / base, 0, 4)]
        if kind == "sku":
            columns.append(np.clip(np.log(slow + 0.01) - np.log(means[3] / 20 + 0.01), -3, 3))
    return np.stack(columns, -1)


def _group_series(data: Dataset) -> dict[str, FloatArray]:
    """Return the whole demand of the groups of each series, where a group is told of."""

    def of(kind: str, names: Sequence[str]) -> FloatArray:
        return np.stack([data.groups[kind, name] for name in names])

    known = {kind for kind, _ in data.groups}
    found = {}
    if "sku" in known:
        found["sku"] = of("sku", [key.sku for key in data.keys])
    found["category"] = of("category", [data.categories[key.sku] for key in data.keys])
    if "sku" in known:
        found["location"] = of("location", [key.location for key in data.keys])
    return found


def _sums(values: FloatArray, days: int) -> FloatArray:
    sums = np.concatenate([np.zeros((len(values), 1)), values.cumsum(1)], 1)
    found: FloatArray = sums[:, days:] - sums[:, :-days]
    return found


def _trailing(values: FloatArray, days: int) -> FloatArray:
    return np.concatenate([np.zeros((len(values), days - 1)), _sums(values, days)], 1)


def _ahead(values: FloatArray, days: int) -> FloatArray:
    """Return the mean of the next days; 0 where they are not all in the data."""
    found = np.zeros_like(values)
    found[:, : values.shape[1] - days] = _sums(values, days)[:, 1:] / days
    return found
