"""The order in which orders arrive, and what arrives twice, decides who is served, never how much.

With ample stock every shuffle gives the same books. Under scarcity:

1. What is reserved and what waits add up to what was asked for and not called off, sku by sku.
2. On_hand is what was counted and received, location by location, and never less than reserved.
3. Units wait only where their pool has none free; so a sku that one pool alone sells has the same
   units reserved after every shuffle.
4. The lines of an order add up, and are all cancelled where it was called off.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support import message
from tests.unit.stock_ledger.building import (
    Ledger,
    cancelled,
    counted,
    order,
    received,
    sourcing,
    time,
    withdrawn,
)
from tests.unit.stock_ledger.shuffling import Sent, Thread, shuffled, thread

from restock_common.contracts.envelope import Message
from restock_common.contracts.fulfilment import AllocationCancelRequested
from restock_common.contracts.ledger import LineOffered, OrderPlaced, TimeAdvanced
from restock_common.contracts.topics import LEDGER

NORTH = sourcing("north", ["n1", "n2"], shard=0)
SOUTH = sourcing("south", ["s1"], shard=1)
PLACES = {place.location: pool for pool in (NORTH, SOUTH) for place in pool.locations}
LOCAL, SHARED = "local", "shared"
"""A sku that the north alone sells, and one that both pools do."""

AMPLE = 1_000
ROUNDS = 6
"""Advances of time after which nothing waits for another: offer, refusal, end at home, release."""


@dataclass(frozen=True)
class Plan:
    """What is sent in every shuffle, and what it comes to."""

    opening: tuple[Sent, ...]
    threads: tuple[Thread, ...]
    stock: Counter[tuple[str, str]]
    orders: dict[str, OrderPlaced]
    off: frozenset[str]

    def wanted(self) -> Counter[str]:
        """Return the units of each sku that were asked for and not called off."""
        live = (placed for name, placed in self.orders.items() if name not in self.off)
        return sum_of((line.sku, line.quantity) for placed in live for line in placed.lines)


def sum_of(pairs: Iterable[tuple[Any, int]]) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for key, units in pairs:
        total[key] += units
    return total


@st.composite
def plans(draw: st.DrawFn, *, units: st.SearchStrategy[int]) -> Plan:
    """Return orders, cancellations and receipts over shelves that hold so many units."""
    opening, threads, orders = [], [], {}
    stock: Counter[tuple[str, str]] = Counter()
    for location, pool in PLACES.items():
        for sku in (LOCAL, SHARED):
            stock[sku, location] = draw(units)
            found = counted(
                f"{sku} {location}", location, (sku, stock[sku, location]), pool=pool.pool
            )
            opening.append(Sent(pool.shard, message(found)))
    quantities = st.integers(1, 4)
    for n in range(draw(st.integers(2, 9))):
        local = draw(st.booleans())
        home, other = (NORTH, SOUTH) if local or draw(st.booleans()) else (SOUTH, NORTH)
        asked = draw(st.lists(quantities, min_size=1, max_size=2))
        lines = [(LOCAL if local else SHARED, quantity) for quantity in asked]
        pools = (home,) if local else (home, other)
        minute = draw(st.integers(0, 2))
        orders[f"o{n}"] = order(f"o{n}", *lines, pools=pools, minute=minute)
    off = draw(st.frozensets(st.sampled_from(sorted(orders)), max_size=4))
    for name, placed in orders.items():
        said = [placed, cancelled(name)] if name in off else [placed]
        threads.append(thread(placed.sourcing[0].shard, *said))
    for n, location in enumerate(draw(st.lists(st.sampled_from(sorted(PLACES)), max_size=3))):
        sku, quantity = draw(st.sampled_from([LOCAL, SHARED])), draw(quantities)
        arrived = received(f"r{n}", location, (sku, quantity), pool=PLACES[location].pool)
        stock[sku, location] += quantity
        threads.append(thread(PLACES[location].shard, arrived))
    return Plan(tuple(opening), tuple(threads), stock, orders, off)


class Ledgers:
    """Two shards whose messages to each other arrive when chance has it, in order from each."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._shards = [Ledger(0), Ledger(1)]
        self._ways: dict[tuple[str, int], deque[Message[Any]]] = {}
        self.offers: dict[str, list[tuple[int, str]]] = {}

    def run(self, plan: Plan) -> None:
        """Deliver a shuffle of the plan and what follows from it, to the end."""
        for sent in (*plan.opening, *shuffled(plan.threads, self._chance, repeated=0.3)):
            self._deliver(sent)
            while self._chance.random() < 0.5 and self._deliver_another():
                pass
        for n in range(1, ROUNDS + 1):
            while self._deliver_another():
                pass
            for shard in range(len(self._shards)):
                self._deliver(Sent(shard, message(time(10 * n))), minute=10 * n)
        assert not any(self._ways.values())

    def pieces(self, name: str, home: int) -> list[tuple[str, int, str, str]]:
        """Return the pieces of an order on all shards, but for what another pool has taken."""
        claims = [self._shards[home].pieces(name)]
        claims += [self._shards[shard].pieces(name, offer) for shard, offer in self.offers[name]]
        return sorted(piece for pieces in claims for piece in pieces if piece[2] != "accepted")

    def levels(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """Return (on_hand, reserved, backordered) by sku and location."""
        return {
            (sku, location): self._shards[pool.shard].level(location, sku)
            for location, pool in PLACES.items()
            for sku in (LOCAL, SHARED)
        }

    def _deliver_another(self) -> bool:
        ways = sorted(way for way, queue in self._ways.items() if queue)
        if ways:
            way = self._chance.choice(ways)
            self._deliver(Sent(way[1], self._ways[way].popleft()))
        return bool(ways)

    def _deliver(self, sent: Sent, *, minute: int = 0) -> None:
        said, shard = sent.message, sent.shard
        if isinstance(said.event, OrderPlaced):
            self.offers.setdefault(said.event.order, [])
        decision = self._shards[shard].tell(said.event, message_id=said.id, minute=minute)
        for event, partition in ((one.event, one.partition) for one in decision.emissions):
            if isinstance(event, AllocationCancelRequested):
                answer = withdrawn(event.allocation, event.order, event.location)
                self._ways.setdefault(("warehouse", shard), deque()).append(message(answer))
            elif event.topic is LEDGER and not isinstance(event, TimeAdvanced):
                if isinstance(event, LineOffered):
                    self.offers[event.order].append((event.sourcing.shard, event.offer))
                assert partition is not None
                self._ways.setdefault((f"shard {shard}", partition), deque()).append(message(event))


def books_after(plan: Plan, seed: int) -> Ledgers:
    """Return the ledgers after a shuffle, of which everything that must hold has been checked."""
    ledgers = Ledgers(Random(seed))
    ledgers.run(plan)
    _check_levels(plan, ledgers)
    _check_orders(plan, ledgers)
    return ledgers


def _check_levels(plan: Plan, ledgers: Ledgers) -> None:
    levels = ledgers.levels()
    for key, (on_hand, reserved, backordered) in levels.items():
        assert on_hand == plan.stock[key]
        assert 0 <= reserved <= on_hand
        assert backordered >= 0
    promised = sum_of((sku, level[1]) for (sku, _), level in levels.items())
    waiting = sum_of((sku, level[2]) for (sku, _), level in levels.items())
    assert promised + waiting == +plan.wanted()
    for pool in (NORTH, SOUTH):
        for sku in (LOCAL, SHARED):
            of_pool = [levels[sku, place.location] for place in pool.locations]
            free = sum(on_hand - reserved for on_hand, reserved, _ in of_pool)
            assert not (free and sum(backordered for *_, backordered in of_pool))
    there = sum(plan.stock[LOCAL, place.location] for place in NORTH.locations)
    assert promised[LOCAL] == min(there, plan.wanted()[LOCAL])


def _check_orders(plan: Plan, ledgers: Ledgers) -> None:
    for name, placed in plan.orders.items():
        pieces = ledgers.pieces(name, placed.sourcing[0].shard)
        states = {state for _, _, state, _ in pieces}
        if name in plan.off:
            assert states <= {"cancelled"}
        else:
            assert states <= {"reserved", "backordered"}
            units = sum_of((line, units) for line, units, *_ in pieces)
            assert units == {line.line: line.quantity for line in placed.lines}


seeds = st.tuples(st.integers(0, 99), st.integers(100, 199))
enough = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@enough
@given(plan=plans(units=st.just(AMPLE)), seeds=seeds)
def test_with_ample_stock_every_shuffle_gives_the_same_books(
    plan: Plan, seeds: tuple[int, int]
) -> None:
    one, other = (books_after(plan, seed) for seed in seeds)
    assert one.levels() == other.levels()
    for name, placed in plan.orders.items():
        home = placed.sourcing[0].shard
        assert one.pieces(name, home) == other.pieces(name, home)


@enough
@given(plan=plans(units=st.integers(0, 6)), seeds=seeds)
def test_under_scarcity_every_shuffle_gives_the_same_totals(
    plan: Plan, seeds: tuple[int, int]
) -> None:
    for seed in seeds:
        books_after(plan, seed)  # which holds the totals against the plan
