"""The forecaster's own partition over a data set, day by day, as its stream would drive it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forecaster.domain.learner import Forecast, Key, Learner
from forecaster.domain.partition import DayTold, Partition
from forecaster.domain.plans import Plan
from restock_local.backtest.dataset import Dataset, FloatArray

_TOLD_AHEAD_DAYS = 120
_FORGET_EVERY_DAYS = 28


@dataclass(frozen=True)
class Replayed:
    """What a learner foretold.

    Attributes:
        forecasts: At each origin, of every series; those unknown by then have a mean of zero.
        learn_s: Seconds of learning.
        forecast_s: Seconds of foretelling.
        closed: Series looked at, over all days.
    """

    forecasts: list[Forecast]
    learn_s: float
    forecast_s: float
    closed: int


def replay(
    data: Dataset,
    learner: Learner,
    origins: Sequence[int],
    *,
    promotions: bool,
    progress: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Teach a learner day by day and note what it foretells.

    Args:
        data: What came.
        learner: That has learned nothing.
        origins: The first days that are foretold, ascending, as columns of the data.
        promotions: Whether plans are told.
        progress: Called with each day's column.
    """
    partition = Partition(learner)
    partition.categories = dict(data.categories)
    partition.sites = dict(data.sites)
    elsewhere = _elsewhere(data)
    plans = _plans(data) if promotions else []
    told = 0
    forecasts: list[Forecast] = []
    learn_s = forecast_s = 0.0
    closed = 0
    for column in range(max(origins)):
        day = data.first_day + column
        while told < len(plans) and plans[told][1].first_day <= day + _TOLD_AHEAD_DAYS:
            key, plan = plans[told]
            partition.plans.put(key, str(plan.first_day), plan)
            told += 1
        if column % _FORGET_EVERY_DAYS == 0:
            partition.plans.forget(day)
        came = _day(data, column, elsewhere)
        start = time.perf_counter()
        closed += len(partition.close(day, came))
        learn_s += time.perf_counter() - start
        if column + 1 in origins:
            start = time.perf_counter()
            forecasts.append(_foretold(partition, data.keys, day))
            forecast_s += time.perf_counter() - start
        progress(column)
    return Replayed(forecasts, learn_s, forecast_s, closed)


def _foretold(partition: Partition, keys: Sequence[Key], day: int) -> Forecast:
    known = [row for row, key in enumerate(keys) if key in partition.histories]
    part = partition.forecast([keys[row] for row in known], day)
    mean = np.zeros((len(keys), part.mean.shape[1]))
    size = np.ones_like(mean)
    mean[known], size[known] = part.mean, part.size
    return Forecast(mean, size)


def _day(data: Dataset, column: int, elsewhere: dict[tuple[str, str], FloatArray]) -> DayTold:
    sold = np.flatnonzero(data.units[:, column] > 0).tolist()
    out = np.flatnonzero(data.away[:, column] > 0).tolist()
    return DayTold(
        units={data.keys[row]: round(data.units[row, column]) for row in sold},
        away={data.keys[row]: float(data.away[row, column]) for row in out},
        discount={data.keys[row]: float(data.discount[row, column]) for row in sold},
        elsewhere={
            group: round(units[column]) for group, units in elsewhere.items() if units[column] > 0
        },
    )


def _elsewhere(data: Dataset) -> dict[tuple[str, str], FloatArray]:
    """Return what groups sold besides the series that are foretold."""
    found = {group: units.copy() for group, units in data.groups.items()}
    for row, key in enumerate(data.keys):
        category = data.categories.get(key.sku, "")
        for group in (("sku", key.sku), ("category", category), ("location", key.location)):
            if group in found:
                found[group] -= data.units[row]
    if ("all", "") in found:
        found["all", ""] -= data.units.sum(0)
    return {group: units for group, units in found.items() if units.max() > 0}


def _plans(data: Dataset) -> list[tuple[Key, Plan]]:
    """Return the planned stretches of days that are alike, by their first day."""
    found = []
    for row, key in enumerate(data.keys):
        planned = np.stack([data.display[row], data.mailing[row]])
        changes = np.flatnonzero((np.diff(planned) != 0).any(0)) + 1
        edges = [0, *changes.tolist(), data.days]
        for start, end in pairwise(edges):
            display, mailing = planned[:, start].tolist()
            if display or mailing:
                first = data.first_day + start
                plan = Plan(first, data.first_day + end - 1, display, mailing, 0.0)
                found.append((key, plan))
    return sorted(found, key=lambda one: (one[1].first_day, one[0]))
