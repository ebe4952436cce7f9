"""A token bucket: so many at once, so many a second, and no more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_ingest.domain.limits import MAX_BUCKETS, Limit, network_of


def test_a_burst_then_the_rate() -> None:
    limit = Limit(per_s=2, burst=4)
    rooms = [limit.take("a", 100.0) for _ in range(5)]
    assert [room.allowed for room in rooms] == [True] * 4 + [False]
    assert [room.left for room in rooms] == [3, 2, 1, 0, 0]
    assert (rooms[4].retry_after_s, rooms[4].reset_s) == (1, 2)
    assert limit.take("a", 100.5).allowed
    assert not limit.take("a", 100.9).allowed
    assert limit.take("b", 100.0).allowed, "each has a bucket of its own"
    assert limit.take("a", 200.0).left == 3


def test_what_costs_more_takes_more() -> None:
    limit = Limit(per_s=1, burst=20)
    assert limit.take("a", 0.0, 20).left == 0
    assert not limit.take("a", 0.0).allowed


def test_what_is_charged_has_to_be_waited_for() -> None:
    """Else whoever guesses fast enough pays for the guess alone, once the bucket is near empty."""
    limit, now_s, guesses = Limit(per_s=10, burst=20), 0.0, 0
    for step in range(10_000):
        now_s = step / 100
        if limit.take("a", now_s).allowed:
            guesses += 1
            limit.charge("a", now_s, 19)
    assert guesses == pytest.approx((20 + 10 * now_s) / 20, abs=1)


@given(
    st.floats(0.1, 1000),
    st.integers(1, 100),
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 3)), max_size=300),
)
def test_never_more_than_a_burst_and_the_rate(
    per_s: float, burst: int, asked: list[tuple[float, int]]
) -> None:
    limit, now_s, taken = Limit(per_s, burst), 1000.0, 0
    for pause_s, cost in asked:
        now_s += pause_s
        room = limit.take("a", now_s, cost)
        taken += cost * room.allowed
        assert taken <= burst + per_s * (now_s - 1000.0) + 1e-3
        assert room.allowed == (room.retry_after_s == 0)
        assert 0 <= room.left <= burst


def test_buckets_are_not_kept_without_end() -> None:
    limit = Limit(per_s=1, burst=1)
    for number in range(MAX_BUCKETS + 10):
        limit.take(str(number), 0.0)
    assert len(limit._full_at) == MAX_BUCKETS
    assert not limit.take(str(MAX_BUCKETS), 0.0).allowed


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "20010db800010002::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_network_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network
