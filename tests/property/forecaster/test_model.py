"""What holds for every history of demand."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.domain.calendar import WeekdayProfile
from forecaster.domain.model import KeyState, Pool, daily_rate, forecast, learn
from forecaster.domain.quantiles import quantiles

HISTORIES = st.dictionaries(
    st.integers(0, 400), st.one_of(st.integers(0, 3), st.integers(0, 1_000_000)), min_size=1
)


def taught(history: dict[int, int]) -> tuple[KeyState, Pool, int]:
    """Return a key and its pool after these days; days left out are zeros."""
    state, pool = None, Pool()
    for day in sorted(history):
        state, windows = learn(state, day, history[day], pool)
        pool = pool.learn(day, history[day], windows)
    assert state is not None
    return state, pool, max(history)


@settings(deadline=None)
@given(HISTORIES, st.integers(0, 2000))
def test_forecasts_are_finite_positive_and_ascend(history: dict[int, int], later: int) -> None:
    state, pool, day = taught(history)
    grid = forecast(state, day + later, pool)
    for one in grid:
        assert math.isfinite(one.mean)
        assert math.isfinite(one.size)
        assert one.mean > 0
        assert one.size > 0
    means = [one.mean for one in grid]
    variances = [one.mean + one.mean**2 / one.size for one in grid]
    assert means == sorted(set(means))
    assert variances == sorted(variances)


@settings(deadline=None)
@given(HISTORIES, st.integers(1, 50))
def test_more_demand_never_lowers_the_rate(history: dict[int, int], more: int) -> None:
    raised = dict(history)
    raised[min(raised)] += more
    day = max(history)
    assert rate(raised, day) >= rate(history, day) * (1 - 1e-9)


def rate(history: dict[int, int], day: int) -> float:
    """Return the rate after a history, all other keys being as they are."""
    state, pool = None, Pool()
    for one in sorted(history):
        state, _ = learn(state, one, history[one], pool)
    assert state is not None
    return daily_rate(state, day, pool)


@settings(deadline=None)
@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=60), st.integers(0, 6))
def test_weekday_factors_are_positive_and_sum_to_a_week(units: list[int], first: int) -> None:
    profile = WeekdayProfile()
    for day, one in enumerate(units, first):
        profile = profile.learn(day, one)
    assert all(factor > 0 for factor in profile.factors())
    assert math.isclose(sum(profile.factors()), 7)


@settings(deadline=None)
@given(st.floats(0, 1e6), st.floats(0.01, 1e6))
def test_quantiles_never_cross(mean: float, size: float) -> None:
    found = quantiles(mean, size, (0.5, 0.8, 0.9, 0.95, 0.99))
    assert list(found) == sorted(found)
    assert found[0] >= 0
