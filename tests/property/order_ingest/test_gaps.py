"""Order numbers in any order of arrival, and rhythms of any shop."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_ingest.domain.gaps import MAX_RANGES, Numbered, Numbers, Rhythm, number_in
from order_ingest.domain.gaps.numbers import MAX_JUMP

BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def placed(number: int) -> Numbered:
    return Numbered(number, BEGAN + timedelta(seconds=max(number, 0)))


def missing(numbers: Numbers, kind: str = "missing") -> set[int]:
    return {n for hole in getattr(numbers, kind) for n in range(hole.first, hole.last + 1)}


batches = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=20), min_size=1, max_size=8)


@given(batches=batches)
def test_what_is_missing_is_what_was_not_seen(batches: list[list[int]]) -> None:
    numbers, seen = Numbers(), set[int]()
    for step, batch in enumerate(batches):
        numbers = numbers.see(map(placed, batch), BEGAN, BEGAN + step * HOUR)
        seen.update(batch)
        first, last = numbers.first, numbers.last
        assert first is not None
        assert last is not None
        assert last == max(seen)
        assert first == min(batches[0])
        assert missing(numbers) == set(range(first, last + 1)) - seen
        ranges = numbers.missing
        assert all(one.first <= one.last for one in ranges)
        assert all(low.last + 1 < high.first for low, high in pairwise(ranges))
        assert all(hole.after <= placed(hole.first).placed_at for hole in ranges)
        again = numbers.see(map(placed, batch), BEGAN, BEGAN + step * HOUR)
        assert again == numbers, "to see an order twice says nothing new"


@given(numbers=st.lists(st.integers(0, 10 * MAX_JUMP), max_size=30))
def test_holes_are_bounded(numbers: list[int]) -> None:
    told = Numbers()
    for one in numbers:
        told = told.see([placed(one)], BEGAN, BEGAN)
    assert len(told.missing) <= MAX_RANGES
    assert all(len(hole) < MAX_JUMP for hole in told.missing)


@given(
    held=st.lists(st.integers(0, 40), min_size=2, unique=True),
    covered=st.integers(0, 40),
    noticed=st.integers(0, 3),
)
def test_only_holes_that_the_shop_was_asked_for_are_accounted_for(
    held: list[int], covered: int, noticed: int
) -> None:
    numbers = Numbers()
    for step, one in enumerate(sorted(held)):
        numbers = numbers.see([placed(one)], BEGAN, BEGAN + step * HOUR)
    covered_from, before = placed(covered).placed_at, BEGAN + noticed * HOUR
    left = numbers.account(covered_from, before, BEGAN)
    assert sorted((*missing(left), *missing(left, "accounted"))) == sorted(missing(numbers))
    assert all(hole.after >= covered_from and hole.noticed_at < before for hole in left.accounted)
    assert all(hole.after < covered_from or hole.noticed_at >= before for hole in left.missing)
    found = left.see(map(placed, range(41)), BEGAN, BEGAN)
    assert (found.missing, found.accounted) == ((), ()), "the shop may yet tell of it"


@given(text=st.text(max_size=40))
def test_any_name_of_an_order(text: str) -> None:
    number = number_in(text)
    assert number is None or 0 <= number < 10**15


counts = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50)), max_size=10)


@given(counts=counts, quiet_h=st.floats(0, 3_000), further_h=st.floats(0, 500))
def test_a_chance_is_a_chance_and_falls_with_the_silence(
    counts: list[tuple[int, int]], quiet_h: float, further_h: float
) -> None:
    now, rhythm = BEGAN, Rhythm.begun(BEGAN)
    for hours, orders in counts:
        now += hours * HOUR
        rhythm = rhythm.after(now, orders)
    quiet, later = now + quiet_h * HOUR, now + (quiet_h + further_h) * HOUR
    chance = rhythm.chance_of_nothing(now, quiet)
    assert 0.0 <= chance <= 1.0
    assert rhythm.chance_of_nothing(now, later) <= chance + 1e-9
    assert rhythm.expected(now, quiet) + rhythm.expected(quiet, later) == pytest.approx(
        rhythm.expected(now, later), abs=1e-6
    )


@given(counts=counts)
def test_how_often_it_is_looked_does_not_change_what_is_learned(
    counts: list[tuple[int, int]],
) -> None:
    now, rare, often = BEGAN, Rhythm.begun(BEGAN), Rhythm.begun(BEGAN)
    for hours, orders in counts:
        for step in range(hours):
            often = often.after(now + step * HOUR)
        now += hours * HOUR
        rare, often = rare.after(now, orders), often.after(now, orders)
    assert rare == often
