"""Learners that step through each series: days at once or one by one, and what they are good at."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.forecaster.learners.market import FIRST_DAY

from forecaster.domain import spread
from forecaster.domain.learner import HORIZONS_DAYS, Key
from forecaster.domain.learners import REGISTRY, new_learner
from forecaster.domain.learners.by_days import ByDays
from forecaster.domain.partition import DayTold, Partition

KEY = Key("sku", "north")
OTHER = Key("other", "north")
BY_DAYS = sorted(name for name, one in REGISTRY.items() if isinstance(one(), ByDays))
WEEK, FORTNIGHT, MONTH = (HORIZONS_DAYS.index(days) for days in (7, 14, 28))

every_one = pytest.mark.parametrize("name", BY_DAYS)


def taught(name: str, units: Sequence[int]) -> Partition:
    """Return what is known after so many days; a day of 0 tells nothing of the key."""
    partition = Partition(new_learner(name))
    for day, asked in enumerate(units, FIRST_DAY):
        partition.close(day, DayTold({KEY: asked} if asked else {}))
    return partition


def mean_after(name: str, units: Sequence[int], horizon: int = FORTNIGHT) -> float:
    partition = taught(name, units)
    return float(partition.forecast([KEY], FIRST_DAY + len(units) - 1).mean[0, horizon])


def test_they_are_these() -> None:
    assert BY_DAYS == ["croston", "holt-winters", "snarimax", "tsb"]


@every_one
@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0, 0, 0, 1, 2, 7, 500, 10**6]), min_size=8, max_size=60))
def test_whatever_comes_the_forecast_is_a_distribution(name: str, units: list[int]) -> None:
    partition = taught(name, [3, *units])
    found = partition.forecast([KEY], FIRST_DAY + len(units))
    assert np.isfinite(found.mean).all()
    assert np.isfinite(found.size).all()
    assert (found.mean > 0).all()
    assert (np.diff(found.mean) >= -1e-9).all()
    assert found.mean[0, MONTH] <= 40 * (max(units) + 3)


@every_one
def test_a_zero_that_is_seen_late_is_the_zero_that_it_was(name: str) -> None:
    """A key that is out of stock for no time at all is looked at each day, another once a week."""
    units = [4, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1, *[0] * 20]
    seldom, daily = taught(name, units), Partition(new_learner(name))
    for day, asked in enumerate(units, FIRST_DAY):
        daily.close(day, DayTold({KEY: asked} if asked else {}, away={KEY: 1e-9}))
    day = FIRST_DAY + len(units) - 1
    assert seldom.forecast([KEY], day).mean == pytest.approx(daily.forecast([KEY], day).mean)
    assert seldom.histories != daily.histories


@every_one
def test_a_key_does_not_depend_on_its_neighbours(name: str) -> None:
    alone, among = taught(name, [5, 0, 2] * 12), Partition(new_learner(name))
    for day, asked in enumerate([5, 0, 2] * 12, FIRST_DAY):
        units = {OTHER: 40 + day % 5, **({KEY: asked} if asked else {})}
        among.close(day, DayTold(units))
    # the spread about the mean, which comes first, is shared
    own = spread.RECORD.itemsize
    assert alone.states[KEY][own:] == among.states[KEY][own:]


@every_one
def test_a_week_of_zeros_at_the_start_does_no_harm(name: str) -> None:
    assert mean_after(name, [1, *[0] * 7, *[2] * 60]) == pytest.approx(28, rel=0.35)


@every_one
def test_a_step_is_followed(name: str) -> None:
    mean = mean_after(name, [4] * 60 + [12] * 40)
    assert mean == pytest.approx(12 * 14, rel=0.35)


@pytest.mark.parametrize("name", ["croston", "tsb"])
def test_demand_now_and_then_is_told_by_its_rate(name: str) -> None:
    assert mean_after(name, [4, 0, 0, 0, 0] * 30) == pytest.approx(14 * 4 / 5, rel=0.2)


def test_croston_without_bias_where_demand_comes_every_day() -> None:
    assert mean_after("croston", [4] * 90) == pytest.approx(56, rel=0.01)


def test_holt_winters_tells_the_weekend() -> None:
    week = [2, 2, 2, 2, 2, 20, 2]
    record = taught("holt-winters", week * 12).states[KEY][-24:]
    season = np.frombuffer(record[-14:], "<f2")
    assert season.argmax() == (FIRST_DAY + 5) % 7
    assert season.max() > 2


def test_snarimax_stays_within_what_it_has_seen() -> None:
    units = [1, 90, 1, 90, 2, 80] * 15
    assert mean_after("snarimax", units, MONTH) < 28 * 90
