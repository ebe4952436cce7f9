"""Which wave takes an allocation in, and when its vans drive."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.unit.dispatcher.examples import DAY, SOURCE, at

from dispatcher.domain.model import DayPlan, Wave, WaveKind
from dispatcher.domain.rules import Rules
from dispatcher.domain.waves import (
    admitted,
    cut_off_after,
    following,
    moment_of,
    new_wave,
    repair_wave,
    service_day,
    slot_after,
    wave_for,
)
from restock_common.contracts.ledger import DeliveryWindow


def window(earliest: float, latest: float) -> DeliveryWindow:
    return DeliveryWindow(earliest=at(earliest), latest=at(latest))


def taken_in(told: DeliveryWindow | None, since: datetime, *waves: Wave) -> Wave:
    return wave_for(told, "L", SOURCE, since, {one.wave: one for one in waves}, Rules())


@pytest.mark.parametrize(
    ("since", "expected"),
    [(at(-10), DAY), (DAY, at(24)), (at(30), at(48)), (at(100), at(120))],
    ids=["early", "on the cut-off", "later", "in the future"],
)
def test_event_time_decides_the_wave(since: datetime, expected: datetime) -> None:
    found = taken_in(None, since)
    assert (found.cut_off, found.kind) == (expected, WaveKind.REGULAR)


@pytest.mark.parametrize(
    ("told", "kind", "day"),
    [
        (window(9, 12), WaveKind.URGENT, DAY),
        (window(24 + 9, 24 + 12), WaveKind.REGULAR, at(24)),
        (window(5, 7), WaveKind.REGULAR, at(24)),
        (window(7, 7.05), WaveKind.REGULAR, at(24)),
        (window(20, 24), WaveKind.REGULAR, at(24)),
        (None, WaveKind.REGULAR, at(24)),
    ],
    ids=["today", "tomorrow", "over", "too soon", "until midnight", "any time"],
)
def test_what_the_next_regular_wave_would_miss_goes_at_once(
    told: DeliveryWindow | None, kind: WaveKind, day: datetime
) -> None:
    found = taken_in(told, at(7.02))
    assert (found.kind, found.day) == (kind, day)
    assert taken_in(told, at(7.03), found) == found, "what comes soon after goes with it"


def test_slots_are_cut_from_midnight_and_end_later_than_what_comes() -> None:
    length = timedelta(minutes=5)
    assert slot_after(at(7), length) == at(7) + length
    assert slot_after(at(7) + timedelta(minutes=4, seconds=59), length) == at(7) + length
    assert slot_after(at(24) - timedelta(seconds=1), length) == at(24)


def test_a_full_wave_closes_and_another_one_of_its_cut_off_is_open() -> None:
    rules = Rules(wave_size_max=2)
    first = taken_in(None, at(-5))
    [grown] = admitted(first, SOURCE, at(-5), rules)
    closed, second = admitted(grown, SOURCE, at(-4), rules)
    assert (closed.size, closed.closed_at, moment_of(closed)) == (2, at(-4), at(-4))
    assert (second.cut_off, second.size, second.closed_at) == (DAY, 0, None)
    assert second.wave != first.wave
    assert taken_in(None, at(-3), closed, second) == second
    assert following("L", SOURCE, at(-4), {closed.wave: closed, second.wave: second}, rules) == (
        second
    )
    urgent = taken_in(window(9, 12), at(7))
    later = admitted(replace(urgent, size=1), SOURCE, at(7), rules)[1]
    assert (later.kind, later.cut_off, later.number) == (WaveKind.URGENT, urgent.cut_off, 1)


def test_what_was_not_served_goes_with_a_regular_wave_even_if_that_is_due() -> None:
    due = replace(new_wave("L", SOURCE, at(24)), closed_at=at(24))
    assert following("L", SOURCE, at(7), {due.wave: due}, Rules()) == due
    assert following("L", SOURCE, at(7), {}, Rules()).cut_off == at(24)


def test_a_repair_is_due_from_its_beginning() -> None:
    plan = DayPlan("p", "L", DAY, 3)
    wave = repair_wave(plan, SOURCE, at(9), at(9.5), "route")
    assert (wave.day, wave.closed_at, moment_of(wave)) == (DAY, at(9.5), at(9.5))


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
