"""Which wave takes an allocation in, and when its vans drive."""

from datetime import datetime, timedelta

import pytest
from tests.unit.dispatcher.examples import DAY, at

from dispatcher.domain.waves import cut_off_after, new_wave, open_cut_off, service_day


@pytest.mark.parametrize(
    ("allocated", "mark", "expected"),
    [
        (at(-10), None, DAY),
        (at(-10), at(-9), DAY),
        (DAY, None, at(24)),
        (at(-10), DAY, at(24)),
        (at(-100), at(30), at(48)),
        (at(100), at(30), at(120)),
    ],
    ids=["early", "in time", "on the cut-off", "closed", "long closed", "in the future"],
)
def test_event_time_decides_the_wave(
    allocated: datetime, mark: datetime | None, expected: datetime
) -> None:
    assert open_cut_off(allocated, mark, 0) == expected


@pytest.mark.parametrize("hour", [0, 6, 18])
def test_the_vans_drive_on_the_day_that_begins_at_or_after_the_cut_off(hour: int) -> None:
    cut_off = cut_off_after(at(1), hour)
    assert cut_off.hour == hour
    assert cut_off > at(1)
    day = service_day(cut_off)
    assert (day.hour, day.minute) == (0, 0)
    assert timedelta(0) <= day - cut_off < timedelta(days=1)


def test_a_waves_id_follows_from_warehouse_and_cut_off() -> None:
    assert new_wave("L", "/a", DAY).wave == new_wave("L", "/b", DAY).wave
    assert new_wave("L", "/a", DAY).wave != new_wave("M", "/a", DAY).wave
    assert new_wave("L", "/a", DAY).wave != new_wave("L", "/a", at(24)).wave
