"""Holes in the numbers of a shop's orders."""

from datetime import UTC, datetime, timedelta

import pytest

from order_ingest.domain.gaps import MAX_RANGES, Numbered, Numbers, Range, number_in
from order_ingest.domain.gaps.numbers import MAX_JUMP

SINCE = datetime(2026, 3, 2, tzinfo=UTC)
NOW = SINCE + timedelta(days=1)


def at(minute: int) -> datetime:
    return SINCE + timedelta(minutes=minute)


def see(numbers: Numbers, *seen: int, minute: int = 0) -> Numbers:
    return numbers.see([Numbered(one, at(minute)) for one in seen], SINCE, NOW)


def holes(numbers: Numbers) -> list[tuple[int, int]]:
    return [(hole.first, hole.last) for hole in numbers.missing]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1042", 1042),
        ("#1042", 1042),
        ("TH-0042-DE", 42),
        ("", None),
        ("tea", None),
        ("2026-0042", None),
        ("1" * 16, None),
        ("٤٢", None),
    ],
)
def test_the_number_in_a_name(text: str, number: int | None) -> None:
    assert number_in(text) == number


def test_holes_are_noticed_and_filled_in_any_order() -> None:
    numbers = see(see(Numbers(), 1001), 1006, minute=5)
    assert numbers.missing == (Range(1002, 1005, at(0), NOW),)
    numbers = see(numbers, 1004)
    assert holes(numbers) == [(1002, 1003), (1005, 1005)]
    assert holes(see(numbers, 1005, 1002, 1003)) == []


def test_what_was_placed_before_the_shop_was_watched_begins_no_count() -> None:
    early = [Numbered(17, SINCE - timedelta(days=900))]
    numbers = Numbers().see(early, SINCE, NOW)
    assert numbers == Numbers()
    numbers = see(numbers, 1001)
    assert numbers.see(early, SINCE, NOW) == numbers, "an old order that changes today"
    late = [Numbered(1009, SINCE - timedelta(days=1))]
    assert numbers.see(late, SINCE, NOW) == numbers


def test_what_was_placed_before_fills_a_hole() -> None:
    numbers = see(Numbers(), 1001, 1003)
    assert holes(numbers.see([Numbered(1002, SINCE - timedelta(hours=2))], SINCE, NOW)) == []


def test_a_shop_that_counts_anew_misses_nothing() -> None:
    numbers = see(see(Numbers(), 1, 3), 3 + MAX_JUMP + 1)
    assert (numbers.first, holes(numbers)) == (3 + MAX_JUMP + 1, [])
    assert holes(see(see(Numbers(), 1), 1 + MAX_JUMP)) == [(2, MAX_JUMP)]


def test_of_too_many_holes_the_lowest_are_forgotten() -> None:
    numbers = see(Numbers(), *range(0, 2 * MAX_RANGES + 20, 2))
    assert len(numbers.missing) == MAX_RANGES
    assert holes(numbers)[-1] == (2 * MAX_RANGES + 17, 2 * MAX_RANGES + 17)


def test_a_hole_that_the_shop_has_too_is_accounted_for() -> None:
    numbers = see(see(see(Numbers(), 1), 3, minute=10), 7, minute=20)
    later = NOW + timedelta(minutes=1)
    left = numbers.account(at(10), later, later)
    assert holes(left) == [(2, 2)], "it was placed before anything was read"
    assert left.accounted == (Range(4, 6, at(10), NOW, later),)
    assert numbers.account(at(0), NOW, later) == numbers, "the shop may still be writing it down"
    late = see(left, 5)
    assert [(hole.first, hole.last) for hole in late.accounted] == [(4, 4), (6, 6)]
