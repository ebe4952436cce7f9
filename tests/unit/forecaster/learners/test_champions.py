"""Who speaks for a segment: by losses of late, without haste."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.forecaster.learners.market import DAYS, FIRST_DAY, new_market, poisson, teach

from forecaster.domain.contest import ALL, MARGIN, REST_DAYS, ROWS_MIN, Contest
from forecaster.domain.learner import Forecast, Key, View
from forecaster.domain.learners import new_learner
from forecaster.domain.learners.champions import Champions, _coded, _decoded
from forecaster.domain.learners.seasonal_naive import SeasonalNaive
from forecaster.domain.partition import DayTold, Partition
from forecaster.domain.segments import Segments

NAMES = ("old", "new")


def contest(days: int, old: float, new: float, rows: int = 20, first_day: int = 0) -> Contest:
    """Return a contest in which each day has brought so many rows of these losses."""
    found = Contest(NAMES)
    fight(found, days, old, new, rows, first_day)
    return found


def fight(
    found: Contest, days: int, old: float, new: float, rows: int = 20, first_day: int = 0
) -> list[int]:
    """Return the days on which the segment's champion changed."""
    switched = []
    for day in range(first_day, first_day + days):
        found.turn(day)
        switched += [one.day for one in found.switches(day) if one.segment == "A/X/0"]
        found.score(["A/X/0"] * rows, np.array([[old, new]] * rows))
    return switched


def test_the_first_speaks_until_another_is_better() -> None:
    found = contest(REST_DAYS, 1.0, 0.5)
    assert found.champion("A/X/0") == 0
    found.turn(REST_DAYS)
    assert found.champion("A/X/0") == 1
    (every, own) = sorted(found.switches(REST_DAYS), key=lambda one: one.segment, reverse=True)
    assert (own.segment, own.before, own.after) == ("A/X/0", "old", "new")
    assert (round(own.loss_before, 9), round(own.loss_after, 9)) == (1.0, 0.5)
    assert ROWS_MIN < own.rows < 20 * REST_DAYS
    assert every.segment == ALL
    assert found.switches(REST_DAYS + 1) == ()


def test_a_hair_is_not_enough_and_neither_are_few_rows() -> None:
    assert fight(Contest(NAMES), 60, 1.0, 0.985) == []
    assert fight(Contest(NAMES), 60, 1.0, 0.5, rows=1) == []


def test_a_new_segment_begins_with_the_champion_of_all() -> None:
    found = contest(30, 1.0, 0.5)
    assert found.champion("C/Z/3") == 1
    found.score(["C/Z/3"], np.array([[1.0, 1.0]]))
    assert found.champion("C/Z/3") == 1


def test_a_segment_keeps_the_one_that_serves_it_though_all_others_have_left() -> None:
    found = Contest(NAMES)
    for day in range(40):
        found.turn(day)
        found.score(
            ["A/X/0"] * 50 + ["C/Z/0"] * 10, np.array([[1.0, 0.5]] * 50 + [[0.5, 0.6]] * 10)
        )
    assert (found.champion("A/X/0"), found.champion("C/Z/0")) == (1, 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.2, 5.0), min_size=30, max_size=90))
def test_no_segment_changes_twice_within_two_weeks(losses: list[float]) -> None:
    found, switched = Contest(NAMES), [-REST_DAYS]
    for day, loss in enumerate(losses):
        switched += fight(found, 1, 1.0, loss, first_day=day)
    assert all(later - one >= REST_DAYS for one, later in pairwise(switched))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.floats(0.2, 5.0))
def test_a_contest_goes_on_to_the_byte(days: int, loss: float) -> None:
    first, second = contest(days, 1.0, loss), Contest(NAMES)
    second.load(first.dump())
    assert second.dump() == first.dump()
    for one in (first, second):
        fight(one, 20, 1.0, 1 / loss, first_day=days)
    assert second.dump() == first.dump()


def test_other_learners_begin_anew() -> None:
    other = Contest(("old", "other"))
    other.load(contest(30, 1.0, 0.5).dump())
    assert other.champion(ALL) == 0


@given(st.floats(1e-4, 1e12))
def test_what_was_foretold_is_kept_to_a_thousandth(value: float) -> None:
    (found,) = _decoded(_coded(np.array([value])))
    assert abs(found / value - 1) < 1e-3


class Watching(SeasonalNaive):
    """Teaches segments what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.segments = Segments()
        self.named: dict[Key, str] = {}

    def learn(self, states: Sequence[bytes], view: View) -> list[bytes]:
        self.segments.learn(view)
        return super().learn(states, view)

    def forecast(self, states: Sequence[bytes], view: View) -> Forecast:
        self.named = dict(zip(view.keys, self.segments.of(view), strict=True))
        return super().forecast(states, view)


def test_value_variability_and_kind_are_told_apart() -> None:
    watching = Watching()
    partition = Partition(watching)
    steady = [Key(f"sku-{number:02}", "north") for number in range(20)]
    dear, lumpy, weekend = steady[3], steady[5], steady[7]
    partition.prices = {Key(key.sku, ""): 1.0 for key in steady}
    partition.prices[dear] = 500.0
    for day in range(FIRST_DAY, FIRST_DAY + 84):
        units = dict.fromkeys(steady, 4)
        units[lumpy] = 120 if day % 28 == 0 else 0
        units[weekend] = 14 if day % 7 in {2, 3} else 0
        partition.close(day, DayTold({key: asked for key, asked in units.items() if asked}))
    partition.forecast(steady, FIRST_DAY + 83)
    value, variability, kind = zip(*(watching.named[k].split("/") for k in steady), strict=True)
    assert value[3] == "A"
    assert variability[0] == "X"
    assert variability[5] == "Z"
    assert "A" not in value[:3]
    others = {kind[row] for row in range(20) if row not in {3, 5, 7}}
    assert len(others) == 1
    assert not others & {kind[5], kind[7]}
    again = Segments()
    again.load(watching.segments.dump())
    assert again.dump() == watching.segments.dump()


def test_the_better_one_takes_over_and_forecasts_say_whose_they_are() -> None:
    random = Random(1)
    partition = Partition(new_learner("seasonal-naive,exponentially-weighted"))
    partition.rates[""] = 3.0
    keys = [Key(f"sku-{number:02}", "north") for number in range(40)]
    switched = []
    for day in range(FIRST_DAY, FIRST_DAY + 63):
        partition.close(day, DayTold({key: 1 + poisson(random, 2.0) for key in keys}))
        assert isinstance(partition.learner, Champions)
        switched += [one for one in partition.learner.switches(day) if one.segment == ALL]
    found = partition.forecast(keys, FIRST_DAY + 62)
    assert found.models.count("exponentially-weighted") > len(keys) / 2
    (only,) = switched
    assert only.loss_after < (1 - MARGIN) * only.loss_before


def test_a_learner_that_joins_learns_beside_those_that_know() -> None:
    market = new_market(new_learner("seasonal-naive,tsb"))
    teach(market, 40)
    joined = new_market(new_learner("tsb,holt-winters"))
    joined.learner.restore(market.learner.shared())
    joined.histories, joined.states = dict(market.histories), dict(market.states)
    joined.weekdays = market.weekdays
    joined.index()
    keys = sorted(joined.histories)
    alone = new_market(new_learner("tsb"))
    teach(alone, 40)
    mean = alone.forecast(keys, FIRST_DAY + 39).mean
    assert np.array_equal(joined.forecast(keys, FIRST_DAY + 39).mean, mean)
    teach(joined, DAYS - 40, FIRST_DAY + 40)
    assert np.isfinite(joined.forecast(keys, FIRST_DAY + DAYS - 1).mean).all()
