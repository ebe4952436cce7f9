"""The rules that any history needs: messages arrive, some again, and time passes."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.property.stock_ledger import commands
from tests.property.stock_ledger.commands import PLACES, POOLS, SKUS, steps
from tests.property.stock_ledger.entries import pieces_of
from tests.property.stock_ledger.replay import check_replay
from tests.property.stock_ledger.simulation import World
from tests.property.stock_ledger.strangers import REFUSED
from tests.unit.stock_ledger.building import counted

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    AssortmentListed,
    ListedLocation,
    ReceiptExpected,
    TimeAdvanced,
)
from stock_ledger.domain.model import PieceState
from stock_ledger.domain.rules import Rules

WAITS_FOR_OTHERS = {PieceState.OFFERED, PieceState.REFUSED, PieceState.RECALLED}


EXPECTED = {"x1": ("north", "n1", "tea"), "x2": ("south", "s2", "tea")}
"""Purchase order lines that were placed: pool, location and sku."""


class Acting(RuleBasedStateMachine):
    """Three shards, and what they say to each other."""

    world: World

    @initialize(
        rules=commands.rules,
        stocked=st.lists(st.integers(0, 8), min_size=len(PLACES), max_size=len(PLACES)),
        expected=st.integers(0, 9),
        listed=st.booleans(),
    )
    def start(self, rules: Rules, stocked: list[int], expected: int, listed: bool) -> None:
        """List the locations, some of the skus, and put some tea and cups on each shelf."""
        self.world = World(3, rules)
        self.names = 0
        for shard in self.world.books:
            locations = tuple(
                ListedLocation(location=location, pool=pool)
                for pool, location in PLACES
                if POOLS[pool].shard == shard
            )
            event = AssortmentListed(locations=locations, skus=tuple(SKUS) if listed else ())
            self.world.send("door", shard, event)
        for (pool, location), found in zip(PLACES, stocked, strict=True):
            lines = (("tea", found), ("cup", 8 - found))
            first = counted(f"first {location}", location, *lines, pool=pool)
            self.world.send("door", POOLS[pool].shard, first)
        for name in sorted(EXPECTED):
            self.expect(name, expected, days=expected)
        self.world.drain()

    def expect(self, name: str, quantity: int, days: int, *, later: bool = True) -> None:
        """Tell what a purchase order line will bring."""
        pool, location, sku = EXPECTED[name]
        event = ReceiptExpected(
            expected=name,
            location=location,
            pool=pool,
            sku=sku,
            quantity=quantity,
            expected_at=self.world.now + timedelta(days=days),
        )
        self.tell(pool, event, later=later)

    def name(self, kind: str) -> str:
        """Return a name that is new."""
        self.names += 1
        return f"{kind}{self.names}"

    def tell(self, pool: str, event: Event, *, later: bool, ago: timedelta = timedelta()) -> None:
        """Send what somebody tells a pool's shard; it is read at once unless it comes later."""
        shard = POOLS[pool].shard
        self.world.send("door", shard, event, self.world.now - ago)
        if not later:
            self.world.deliver_all(("door", shard))

    @precondition(lambda self: self.world.waiting())
    @rule(data=st.data(), most=st.integers(1, 4), again=st.booleans())
    def deliver(self, data: st.DataObject, most: int, again: bool) -> None:
        for _ in range(most):
            waiting = self.world.waiting()
            if not waiting:
                return
            key = data.draw(st.sampled_from(waiting))
            message = self.world.queues[key][0]
            if self.world.deliver(key) and again:
                self.world.decide_again(key[1], message)

    @precondition(lambda self: self.world.waiting())
    @rule()
    def deliver_all(self) -> None:
        self.world.drain()

    @rule(by=steps, come=st.sampled_from(["later", "at once", "with all that follows"]))
    def tick(self, by: timedelta, come: str) -> None:
        self.world.tick(by)
        if come == "with all that follows":
            self.world.drain()
        elif come == "at once":
            for shard in self.world.books:
                self.world.deliver_all(("clock", shard))

    @precondition(lambda self: self.world.taken)
    @rule(data=st.data(), renamed=st.booleans())
    def repeat(self, data: st.DataObject, renamed: bool) -> None:
        """Deliver something again, or the same content as another message."""
        shard, message = data.draw(st.sampled_from(self.world.taken))
        if renamed:
            time, event = message.time, message.event
            message = Message(f"{message.id} again {self.name('m')}", message.source, time, event)
        self.world.decide_again(shard, message)

    @rule(what=st.sampled_from(["an old time", *sorted(REFUSED)]))
    def misbehave(self, what: str) -> None:
        """Send what nobody should send."""
        now = self.world.now
        if what == "an old time":
            old = TimeAdvanced(until=now - timedelta(minutes=1))
            self.world.send("clock", self.names % 3, old)
            return
        message: Message[Any] = Message(self.name("bad"), "/stranger", now, REFUSED[what](now))
        assert not self.world.decide(0, message), f"I20: {what} was taken"

    def teardown(self) -> None:
        """Let everything arrive and time advance: nothing is pending then (I23)."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.drain()
        for _ in range(2 * len(POOLS)):
            for allocation in sorted(world.warehouses.asked_back):
                world.warehouses.give_back(allocation)
            world.tick()
            world.drain()
        for books in world.books.values():
            assert not books.pending, "I23"
            assert not books.withdrawn, "I23"
            for claim, piece in pieces_of(books):
                assert piece.state not in WAITS_FOR_OTHERS, f"I23: {claim}: {piece}"
        check_replay(world)
