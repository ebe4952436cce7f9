"""How far behind: nothing where nothing waits, and no further than what waits can be old."""

from restock_common.runtime.delay import Delay
from restock_common.transact import Cursor, Partition

HERE = Partition("t", 0)
LONG_AGO, NOW = 1_000.0, 1_000_000.0


def behind(delay: Delay, *, next_offset: int, end: int | None, now: float) -> tuple[int, float]:
    (one,) = delay.behind(now, {HERE: Cursor(HERE, 1, next_offset)}, lambda _: end)
    return one.records, one.seconds


def test_a_replay_of_old_events_that_is_read_to_its_end_is_not_behind() -> None:
    delay = Delay("g")
    delay.took(HERE, LONG_AGO)
    assert behind(delay, next_offset=7, end=7, now=NOW) == (0, 0.0)


def test_what_waits_is_as_old_as_the_last_record_taken() -> None:
    delay = Delay("g")
    delay.took(HERE, NOW - 90)
    assert behind(delay, next_offset=7, end=10, now=NOW) == (3, 90.0)


def test_what_waits_is_no_older_than_the_last_moment_without_any() -> None:
    delay = Delay("g")
    delay.took(HERE, LONG_AGO)
    delay.caught_up(NOW - 5, {HERE: Cursor(HERE, 1, 7)}, lambda _: 7)
    assert behind(delay, next_offset=7, end=8, now=NOW) == (1, 5.0)


def test_an_end_that_is_not_known_is_not_told() -> None:
    assert list(Delay("g").behind(NOW, {HERE: Cursor(HERE, 1, 0)}, lambda _: None)) == []
