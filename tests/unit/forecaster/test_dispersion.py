"""Squared errors, their pooling, and the negative binomial's size."""

import pytest

from forecaster.domain.dispersion import (
    INDEX_MAX,
    SIZE_MAX,
    SIZE_MIN,
    Errors,
    Index,
    PooledErrors,
    Window,
    key_index,
    size,
)


def window(rate: float, days: list[float]) -> Window:
    return Window(rate, sum(days), sum(units * units for units in days))


def test_errors_of_a_week_equal_those_written_out_day_by_day() -> None:
    days = [0, 3, 0, 0, 1, 0, 2]
    one = window(0.8, [float(units) for units in days])
    assert one.day_error == pytest.approx(sum((units - 0.8) ** 2 for units in days))
    assert one.week_error == pytest.approx((6 - 5.6) ** 2)


def test_a_week_without_demand_is_an_error_too() -> None:
    assert window(2.0, [0.0] * 7).day_error == pytest.approx(28.0)
    assert window(2.0, [0.0] * 7).week_error == pytest.approx(196.0)


def test_a_week_that_nobody_could_foretell_counts_within_bounds() -> None:
    one = window(0.1, [100.0] * 7)
    assert one.week_error == one.day_error == pytest.approx(INDEX_MAX * 0.7)


def test_a_poisson_like_key_has_an_index_near_one_and_a_lumpy_one_far_above() -> None:
    steady, lumpy = Errors(), Errors()
    for _ in range(20):
        steady = steady.learn(window(1.0, [0, 1, 2, 1, 0, 2, 1]))
        lumpy = lumpy.learn(window(1.0, [0, 0, 0, 0, 0, 0, 7]))
    pool = PooledErrors()
    assert key_index(steady, pool, 1.0).day < 1.1
    assert key_index(lumpy, pool, 1.0).day > 4


def test_few_weeks_are_shrunk_to_the_keys_that_sell_as_much() -> None:
    pool = PooledErrors()
    for _ in range(50):
        pool = pool.learn([window(1.0, [0, 0, 0, 0, 0, 0, 14])] * 5)
    bare = key_index(Errors(), pool, 1.0)
    assert bare.week == pytest.approx(7.0, rel=0.05)  # (14 - 7)^2 / 7
    # two weeks of its own demand weigh as much as the pool
    own = Errors().learn(window(1.0, [1] * 7)).learn(window(1.0, [1] * 7))
    assert key_index(own, pool, 1.0).week == pytest.approx(bare.week / 2, rel=0.05)


def test_a_bucket_without_weeks_falls_back_to_all_keys() -> None:
    pool = PooledErrors()
    for _ in range(50):
        pool = pool.learn([window(1.0, [0, 0, 0, 0, 0, 0, 14])] * 5)
    assert pool.index(300.0).week == pytest.approx(pool.index(7.0).week, rel=0.05)


def test_size_gives_back_the_indices_it_was_made_from() -> None:
    rate, index = 2.0, Index(day=1.8, week=2.4)
    for days, expected in ((1, index.day), (7, index.week)):
        mean = rate * days
        variance = mean + mean * mean / size(index, rate, 1 / days)
        assert variance / mean == pytest.approx(expected)


def test_dispersion_that_comes_from_single_days_averages_out() -> None:
    # all of it daily: the week's relative variance is a seventh of the day's
    assert size(Index(day=3.0, week=3.0), 1.0, 1 / 28) == pytest.approx(28 / 2)
    # all of it in the level: it stays
    assert size(Index(day=1.5, week=4.5), 1.0, 1 / 28) == pytest.approx(2.0)


@pytest.mark.parametrize("index", [Index(0.0, 0.0), Index(1e9, 1e9), Index(1e9, 0.0)])
@pytest.mark.parametrize("rate", [1e-4, 1.0, 1e5])
def test_size_stays_within_its_bounds(index: Index, rate: float) -> None:
    for days in (1, 28):
        assert SIZE_MIN <= size(index, rate, 1 / days) <= SIZE_MAX
