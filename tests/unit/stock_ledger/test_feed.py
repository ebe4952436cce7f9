"""What one client of the feed is told: never an older level, never a gap, never more than places.

The machine below plays a ledger whose commits arrive late at the feed, a client that is shown the
books page by page, and both in any interleaving; it checks the invariants of `Backlog`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stock_ledger.levels import known, level, told

from restock_common.contracts.envelope import Message, Position
from restock_common.errors import Permanent
from stock_ledger.domain.feed import Backlog, Interest, KnownLevel, Page, known_level

SKUS = ("a", "b", "Ü")
PLACES = [(sku, location) for sku in sorted(SKUS) for location in ("n1", "n2")]
SHARD_OF = {"n1": 0, "n2": 1}


class World:
    """A ledger, a feed that is behind it, and one client."""

    def __init__(self, page_skus: int) -> None:
        self.page_skus = page_skus
        self.books: dict[tuple[str, str], KnownLevel] = {}
        self.sequences = {0: 0, 1: 0}
        self.published: list[KnownLevel] = []
        self.arrived = 0
        self.backlog = Backlog(Interest())
        self.page: Page | None = None
        self.after: str | None = ""
        self.told: list[KnownLevel] = []

    def commit(self, place: int) -> None:
        sku, location = PLACES[place % len(PLACES)]
        shard = SHARD_OF[location]
        self.sequences[shard] += 1
        change = known(sku, self.sequences[shard], shard=shard, location=location)
        self.books[sku, location] = change
        self.published.append(change)

    def arrive(self) -> None:
        if self.arrived < len(self.published):
            self.backlog.add(self.published[self.arrived])
            self.arrived += 1

    def read(self) -> None:
        """Read the next page as the books are now; it is shown later."""
        if self.after is None or self.page is not None:
            return
        self.backlog.reading()
        skus = sorted({sku for sku, _ in self.books if sku > self.after})[: self.page_skus]
        positions = {shard: Position(1, number) for shard, number in self.sequences.items()}
        levels = [
            replace(one, position=positions[one.shard])
            for place, one in sorted(self.books.items())
            if place[0] in skus
        ]
        self.page = Page(levels, positions, skus[-1] if len(skus) == self.page_skus else None)

    def show(self) -> None:
        if self.page is not None:
            self.backlog.shown(self.page)
            self.told += self.page.levels
            self.after, self.page = self.page.until, None

    def take(self) -> None:
        self.told += self.backlog.take(2)
        assert len(self.backlog) <= len(PLACES)


@given(
    page_skus=st.integers(1, 3),
    steps=st.lists(
        st.one_of(st.integers(0, 5), st.sampled_from(["arrive", "arrive", "read", "show", "take"])),
        min_size=30,
        max_size=60,
    ),
)
def test_a_client_sees_no_older_level_and_misses_none(
    page_skus: int, steps: Sequence[int | str]
) -> None:
    world = World(page_skus)
    for step in steps:
        if isinstance(step, int):
            world.commit(step)
        else:
            getattr(world, step)()
    while world.after is not None or world.page is not None:
        world.read()
        world.show()
    while world.arrived < len(world.published):
        world.arrive()
    while len(world.backlog):
        world.take()
    last: dict[tuple[str, str], KnownLevel] = {}
    for one in world.told:
        before = last.get(one.place)
        assert before is None or before.level.on_hand <= one.level.on_hand
        last[one.place] = one
    assert {place: one.level for place, one in last.items()} == {
        place: one.level for place, one in world.books.items()
    }


def test_of_what_waits_for_a_slow_client_the_latest_of_each_place_is_kept() -> None:
    backlog = Backlog(Interest())
    backlog.shown(Page([], {}, None))
    assert not backlog.add(known("tea", 1))
    assert not backlog.add(known("milk", 2))
    assert backlog.add(known("tea", 3)), "it takes the place of the first"
    assert [one.position.sequence for one in backlog.take(10)] == [3, 2]
    assert not backlog.add(known("tea", 4))


def test_an_interest_is_of_all_that_is_not_named() -> None:
    tea = level("tea", location="n1", pool="north")
    assert Interest().covers(tea)
    assert Interest.of([], [], []) == Interest()
    assert Interest.of(["tea"], ["n1"], ["north"]).covers(tea)
    for other in (Interest.of(["milk"], [], []), Interest.of([], ["s1"], [])):
        assert not other.covers(tea)
    assert not Interest.of(["tea"], [], ["south"]).covers(tea)


def test_a_level_is_told_with_its_place_in_the_shards_sequence() -> None:
    found = known_level(told(level("tea", 5), 7, shard=2))
    assert (found.shard, found.position) == (2, Position(1, 7))
    data = orjson.loads(found.json)
    assert data["position"] == {"shard": 2, "incarnation": 1, "sequence": 7}
    assert (data["sku"], data["on_hand"], data["available"], data["held"]) == ("tea", 5, 5, 0)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (replace(told(level("tea"), 1), source="/test"), "ce_source"),
        (replace(told(level("tea"), 1), position=None), "ce_sequence"),
    ],
)
def test_a_level_that_no_shard_told_is_refused(message: Message[Any], field: str) -> None:
    with pytest.raises(Permanent) as refused:
        known_level(message)
    assert refused.value.field == f"header {field}"
