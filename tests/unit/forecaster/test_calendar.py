"""Days in UTC and the weekday profile."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from forecaster.domain.calendar import WeekdayProfile, day_of, midnight, stretch, weekday


def test_days_are_counted_in_utc_whatever_the_zone() -> None:
    late = datetime(2017, 3, 4, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert day_of(late) == (date(2017, 3, 5) - date(1970, 1, 1)).days


def test_midnight_begins_the_day() -> None:
    day = day_of(datetime(2017, 3, 5, 12, tzinfo=UTC))
    assert midnight(day) == datetime(2017, 3, 5, tzinfo=UTC)
    assert day_of(midnight(day)) == day
    assert day_of(midnight(day) - timedelta(microseconds=1)) == day - 1


@pytest.mark.parametrize("moment", [date(1970, 1, 1), date(2017, 1, 2), date(2026, 11, 22)])
def test_weekday_agrees_with_the_standard_library(moment: date) -> None:
    assert weekday((moment - date(1970, 1, 1)).days) == moment.weekday()


def test_without_demand_all_weekdays_are_alike() -> None:
    profile = WeekdayProfile()
    for day in range(30):
        profile = profile.learn(day, 0)
    assert profile.factors() == (1.0,) * 7


def test_a_busy_saturday_is_found_and_the_factors_keep_their_sum() -> None:
    profile = WeekdayProfile()
    for day in range(140):
        profile = profile.learn(day, 3000 if weekday(day) == 5 else 1000)
    factors = profile.factors()
    assert sum(factors) == pytest.approx(7)
    # 2.33 times the mean day, less what two prior weeks take away
    assert 2.0 < factors[5] < 2.34
    assert max(factors[:5] + factors[6:]) < 0.85


def test_a_quiet_partition_has_hardly_any_weekdays() -> None:
    profile = WeekdayProfile()
    for day in range(28):
        profile = profile.learn(day, 1 if weekday(day) == 5 else 0)
    assert max(profile.factors()) < 1.2


def test_whole_weeks_count_seven_and_the_rest_follows_the_calendar() -> None:
    factors = (0.5, 0.6, 0.7, 0.8, 1.0, 2.0, 1.4)
    monday = day_of(datetime(2017, 1, 2, tzinfo=UTC))
    assert stretch(factors, monday, 1).total == 0.6
    assert stretch(factors, monday + 4, 3).total == pytest.approx(2.0 + 1.4 + 0.5)
    assert stretch(factors, monday, 28).total == 28
    assert stretch(factors, monday, 8).total == pytest.approx(7 + 0.6)
    squares = sum(factor * factor for factor in factors)
    assert stretch(factors, monday, 8).squares == pytest.approx(squares + 0.36)


@pytest.mark.parametrize("days", [1, 3, 28])
def test_days_that_are_alike_average_out_with_their_number(days: int) -> None:
    assert stretch((1.0,) * 7, 0, days).concentration == pytest.approx(1 / days)
