"""Random histories of three shards: nothing is oversold, lost, or told wrongly."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.property.stock_ledger.simulation import World, check, claims
from tests.support import EPOCH
from tests.unit.stock_ledger.building import cancelled, counted, order, received, sourcing

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import Sourcing
from stock_ledger.domain.model import PieceState

POOLS: dict[str, Sourcing] = {
    "north": sourcing("north", ["n1", "n2"], shard=0),
    "east": sourcing("east", ["e1"], shard=0),
    "south": sourcing("south", ["s1", "s2"], shard=1),
    "west": sourcing("west", ["w1"], shard=2),
}
PLACES = [(pool, place.location) for pool, source in POOLS.items() for place in source.locations]

skus = st.sampled_from(["tea", "cup"])
units = st.integers(1, 6)
places = st.sampled_from(PLACES)
orders = st.integers(0, 12).map("o{}".format)


class Ledgers(RuleBasedStateMachine):
    """Orders, cancels, receipts, counts, parcels, time, duplicates, in any order of arrival."""

    @initialize(stocked=st.lists(units, min_size=2, max_size=2))
    def start(self, stocked: list[int]) -> None:
        self.world = World(3)
        self.sent: list[tuple[int, Message[Any]]] = []
        self.names = 0
        self.placed: list[str] = []
        for pool, location in PLACES[::2]:
            shard = POOLS[pool].shard
            first = counted(f"first {location}", location, ("tea", stocked[0]), pool=pool)
            self.world.send("door", shard, first)
        self.world.drain()

    def send(self, pool: str, event: Any) -> None:
        self.world.send("door", POOLS[pool].shard, event)

    @rule(
        name=orders,
        ranked=st.permutations(sorted(POOLS)),
        asked=st.integers(1, 4),
        lines=st.lists(st.tuples(skus, units), min_size=1, max_size=3),
    )
    def place(self, name: str, ranked: list[str], asked: int, lines: list[tuple[str, int]]) -> None:
        # An order has one home for ever: the door remembers it.
        home = sorted(POOLS)[int(name[1:]) % len(POOLS)]
        pools = [home, *(pool for pool in ranked if pool != home)][:asked]
        sources = tuple(POOLS[pool] for pool in pools)
        self.placed.append(name)
        self.send(home, order(name, *lines, pools=sources, minute=int(name[1:]) % 5))

    @rule(data=st.data(), known=st.booleans())
    def cancel(self, data: st.DataObject, known: bool) -> None:
        name = data.draw(st.sampled_from(self.placed) if known and self.placed else orders)
        self.send(sorted(POOLS)[int(name[1:]) % len(POOLS)], cancelled(name))

    @rule(place=places, lines=st.lists(st.tuples(skus, units), min_size=1, max_size=2))
    def receive(self, place: tuple[str, str], lines: list[tuple[str, int]]) -> None:
        self.names += 1
        self.send(place[0], received(f"r{self.names}", place[1], *lines, pool=place[0]))

    @rule(place=places, sku=skus, found=st.integers(0, 8))
    def count(self, place: tuple[str, str], sku: str, found: int) -> None:
        self.names += 1
        self.send(place[0], counted(f"c{self.names}", place[1], (sku, found), pool=place[0]))

    @precondition(lambda self: self.world.waiting())
    @rule(data=st.data(), again=st.booleans())
    def deliver(self, data: st.DataObject, again: bool) -> None:
        key = data.draw(st.sampled_from(self.world.waiting()))
        message = self.world.queues[key][0]
        self.sent.append((key[1], message))
        self.world.deliver(key)
        if again:
            self.world.decide(key[1], message)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), renamed=st.booleans())
    def repeat(self, data: st.DataObject, renamed: bool) -> None:
        shard, message = data.draw(st.sampled_from(self.sent))
        again = Message(f"{message.id} again", "/again", EPOCH, message.event)
        self.world.decide(shard, again if renamed else message)

    @precondition(lambda self: self.world.parcels)
    @rule(data=st.data())
    def ship(self, data: st.DataObject) -> None:
        self.world.ship(data.draw(st.sampled_from(sorted(self.world.parcels))))

    @precondition(lambda self: self.world.parcels)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        wanted = sorted(self.world.asked_back) or sorted(self.world.parcels)
        self.world.give_back(data.draw(st.sampled_from(wanted)))

    @rule()
    def tick(self) -> None:
        self.world.tick()

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "world"):
            check(self.world)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.drain()
        for _ in range(2 * len(POOLS)):
            for allocation in sorted(self.world.asked_back):
                self.world.give_back(allocation)
            self.world.tick()
            self.world.drain()
        check(self.world)
        for books in self.world.books.values():
            assert not books.pending
            assert not books.withdrawn
            for claim in claims(books):
                states = {piece.state for piece in claim.pieces}
                assert not states & {PieceState.OFFERED, PieceState.REFUSED, PieceState.RECALLED}


TestLedgers = Ledgers.TestCase
TestLedgers.settings = settings(
    max_examples=80,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
