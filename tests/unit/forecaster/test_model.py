"""One key: how days teach it, and what it foretells."""

import pytest

from forecaster.domain.decay import DAILY_DECAYS
from forecaster.domain.dispersion import Window
from forecaster.domain.model import (
    HORIZONS_DAYS,
    KeyState,
    Pool,
    daily_rate,
    forecast,
    learn,
)

POOL = Pool()


def taught(demand: dict[int, float], until: int, pool: Pool = POOL) -> KeyState:
    """Return the state after every day up to `until`, the days without demand taught as zeros."""
    state = None
    for day in range(min(demand), until + 1):
        state, _ = learn(state, day, demand.get(day, 0), pool)
    assert state is not None
    return state


def test_constant_demand_is_foretold() -> None:
    state = taught(dict.fromkeys(range(200), 4.0), 199)
    assert daily_rate(state, 199, POOL) == pytest.approx(4.0, rel=0.01)
    means = {one.days: one.mean for one in forecast(state, 199, POOL)}
    assert means[28] == pytest.approx(4 * means[7])
    assert means[7] == pytest.approx(7 * daily_rate(state, 199, POOL))


def test_the_rate_is_the_mean_over_the_shorter_half_lives() -> None:
    demand = {0: 5.0, 3: 1.0, 11: 4.0}
    state = taught(demand, 20)
    by_hand = []
    for decay in DAILY_DECAYS[:4]:
        shares = {day: 0.1 if day == 0 else 1.0 for day in range(21)}
        total = sum(shares[day] * units * decay ** (20 - day) for day, units in demand.items())
        weight = sum(share * decay ** (20 - day) for day, share in shares.items())
        prior = 7 * decay**21
        by_hand.append((total + prior * POOL.rate) / (weight + prior))
    assert daily_rate(state, 20, POOL) == pytest.approx(sum(by_hand) / 4)


def test_days_left_out_are_zeros() -> None:
    demand = {0: 3.0, 2: 1.0, 40: 6.0}
    lazy = None
    for day, units in demand.items():
        lazy, _ = learn(lazy, day, units, POOL)
    assert lazy is not None
    eager = taught(demand, 40)
    assert lazy.sums == pytest.approx(eager.sums)
    assert lazy.errors.days == pytest.approx(eager.errors.days)
    assert lazy.errors.weeks == pytest.approx(eager.errors.weeks)
    assert lazy.window_start == eager.window_start
    assert lazy.window_units == pytest.approx(eager.window_units)


def test_a_week_is_scored_against_what_was_foretold_at_its_start() -> None:
    state, none = learn(None, 0, 2.0, POOL)
    assert none == []
    foretold = daily_rate(state, 0, POOL)
    ended: list[Window] = []
    for day in range(1, 8):
        state, windows = learn(state, day, 3.0 if day == 5 else 0.0, POOL)
        ended += windows
    assert ended == [Window(foretold, 3.0, 9.0)]
    assert state.window_start == 8
    assert state.window_units == 0
    assert state.errors.weeks == pytest.approx((3 - 7 * foretold) ** 2)


def test_a_key_that_no_longer_sells_fades_but_not_to_nothing() -> None:
    state, _ = learn(None, 0, 10.0, POOL)
    rates = [daily_rate(state, day, POOL) for day in range(0, 1000, 50)]
    assert rates == sorted(rates, reverse=True)
    assert 0 < forecast(state, 1000, POOL)[0].mean < 0.05


def test_one_sale_of_a_new_key_is_not_taken_for_its_rate() -> None:
    state, _ = learn(None, 0, 1.0, POOL)
    assert daily_rate(state, 0, POOL) < 0.3


def test_a_new_key_is_shrunk_to_what_its_neighbours_sell() -> None:
    busy = POOL
    for day in range(30):
        busy = busy.learn(day, 500.0, [Window(5.0, 35.0, 175.0)] * 10)
    assert busy.rate == pytest.approx(5.0, rel=0.1)
    state, _ = learn(None, 30, 1.0, busy)
    assert daily_rate(state, 30, busy) > 3


def test_a_busy_weekday_is_not_taken_for_growth() -> None:
    pool = POOL
    state = None
    for day in range(84):
        units = 30.0 if day % 7 == 2 else 10.0
        state, windows = learn(state, day, units, pool)
        pool = pool.learn(day, units * 100, windows)
    assert state is not None
    by_day = {one.days: one.mean for one in forecast(state, 83, pool)}
    assert by_day[7] == pytest.approx(90, rel=0.15)
    assert by_day[1] == pytest.approx(10, rel=0.25)
    after_the_day_before = {one.days: one.mean for one in forecast(state, 85, pool)}
    assert after_the_day_before[1] > 2 * by_day[1]


def test_the_grid_is_the_contracts() -> None:
    state, _ = learn(None, 0, 1.0, POOL)
    assert tuple(one.days for one in forecast(state, 0, POOL)) == HORIZONS_DAYS == (1, 3, 7, 14, 28)


def test_a_day_is_taught_once() -> None:
    state, _ = learn(None, 3, 1.0, POOL)
    with pytest.raises(AssertionError, match="day 3 is not after 3"):
        learn(state, 3, 1.0, POOL)
