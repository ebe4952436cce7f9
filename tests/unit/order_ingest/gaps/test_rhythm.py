"""When the silence of a shop is no chance any more."""

from datetime import UTC, datetime, timedelta

import pytest

from order_ingest.domain.gaps import HOURS, Rhythm

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
SURE = 1e-3


def learned(weeks: int, by_day: float = 20, by_night: float = 0, weekend: float = 1) -> Rhythm:
    """Return the rhythm of a shop with so many orders an hour, by day from 8 to 20 h."""
    rhythm, owed = Rhythm.begun(MONDAY), 0.0
    for passed in range(weeks * HOURS):
        hour = MONDAY + passed * HOUR
        owed += by_day if 8 <= hour.hour < 20 else by_night
        owed *= weekend if hour.weekday() >= 5 else 1
        rhythm = rhythm.after(hour, int(owed))
        owed -= int(owed)
    return rhythm.after(MONDAY + weeks * HOURS * HOUR)


def test_rates_are_those_of_the_hour() -> None:
    rhythm, noon, night = learned(6), MONDAY + 12 * HOUR, MONDAY + 3 * HOUR
    assert rhythm.expected(noon, noon + HOUR) == pytest.approx(20, rel=0.2)
    assert rhythm.expected(night, night + HOUR) == pytest.approx(0, abs=0.5)
    assert rhythm.expected(noon, noon + HOUR / 4) == pytest.approx(5, rel=0.2)
    whole = rhythm.expected(MONDAY, MONDAY + HOURS * HOUR)
    assert whole == pytest.approx(12 * 7 * 20, rel=0.01)
    assert rhythm.expected(MONDAY, MONDAY + 2 * HOURS * HOUR) == pytest.approx(2 * whole)


def test_an_hour_of_nothing_at_noon_says_what_a_night_does_not() -> None:
    rhythm, noon = learned(6), MONDAY + (6 * HOURS + 12) * HOUR
    assert rhythm.chance_of_nothing(noon, noon + HOUR) < SURE
    night = noon + 8 * HOUR
    assert rhythm.chance_of_nothing(night, night + 6 * HOUR) > 0.01


def test_a_shop_of_few_orders_is_given_time() -> None:
    rhythm, now = learned(8, by_day=0.25, by_night=0.05), MONDAY + 8 * HOURS * HOUR
    assert rhythm.chance_of_nothing(now, now + 24 * HOUR) > 0.01
    assert rhythm.chance_of_nothing(now, now + 14 * 24 * HOUR) < SURE


def test_days_differ_by_more_than_poisson_would_have_it() -> None:
    rhythm = learned(6, by_day=1, by_night=1)
    now = MONDAY + 6 * HOURS * HOUR
    assert rhythm.expected(now, now + 7 * HOUR) == pytest.approx(7, rel=0.01)
    assert rhythm.chance_of_nothing(now, now + 7 * HOUR) > SURE > 2.718281828**-7
    assert rhythm.chance_of_nothing(now, now + 12 * HOUR) < SURE


def test_in_the_first_week_nothing_is_unusual() -> None:
    rhythm = Rhythm.begun(MONDAY).after(MONDAY + 12 * HOUR, 5_000)
    late = MONDAY + (HOURS - 1) * HOUR
    assert rhythm.after(late).chance_of_nothing(MONDAY + 12 * HOUR, late) == 1.0
    over = late + 2 * HOUR
    assert rhythm.after(over).chance_of_nothing(MONDAY + 12 * HOUR, over) < 1.0


def test_a_shop_that_nothing_ever_came_from_is_not_silent() -> None:
    rhythm = Rhythm.begun(MONDAY).after(MONDAY + 3 * HOURS * HOUR)
    assert rhythm.chance_of_nothing(MONDAY, MONDAY + 3 * HOURS * HOUR) == 1.0


def test_a_shop_that_has_ended_is_forgotten() -> None:
    rhythm, ended = learned(8), MONDAY + 8 * HOURS * HOUR
    soon, late = ended + HOURS * HOUR, ended + 60 * HOURS * HOUR
    assert rhythm.after(soon).chance_of_nothing(ended, soon) < SURE
    assert rhythm.after(late).chance_of_nothing(ended, late) > 0.5


def test_a_clock_that_goes_back_changes_nothing_learned() -> None:
    rhythm = learned(2)
    back = rhythm.after(MONDAY, 3)
    assert (back.hour, back.running, back.orders) == (rhythm.hour, 3, rhythm.orders)
