"""Thousands of messages in three shuffles, a tenth of them twice, each into a database of its own.

Two pools on two shards, a log and a database as they are run, a warehouse that gives parcels back
or lets them leave. A third of the skus is ample: its books must be the same after every shuffle.
The others are scarce; then who is served depends on the order of arrival, but always:

1. Reserved, shipped and waiting units add up to what was asked for and not called off, by sku.
2. On_hand is what was counted and received less what was shipped, by place, never below reserved.
3. Units wait only where their pool has none free; so a sku that one pool alone sells has as many
   units reserved and shipped after every shuffle.
4. A line's units add up; an order that was called off has nothing left.
5. Balances are the sum of the orders' pieces, of the movements, and of the events that were told.
6. Demand is observed once a line; nothing that is said of orders, stock or time is refused.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from tests.integration.stock_ledger.harness import Ledger, open_ledger
from tests.support import message, outgoing, publish_raw, read_messages
from tests.unit.stock_ledger.building import (
    cancelled,
    counted,
    dispatched,
    order,
    received,
    sourcing,
    time,
    withdrawn,
)
from tests.unit.stock_ledger.shuffling import Sent, Thread, shuffled, thread

from restock_common.contracts import Event
from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import OrderPlaced
from restock_common.contracts.stock import (
    StockLevelChanged,
    StockReleased,
    StockReserved,
    StockShipped,
)
from restock_common.contracts.topics import DEAD_LETTERS, DEMAND, FULFILMENT, STOCK, Topic
from restock_local.platform.base import Platform, declare_topics

pytestmark = pytest.mark.kafka

NORTH = sourcing("north", ["n1", "n2"], shard=0)
SOUTH = sourcing("south", ["s1", "s2"], shard=1)
PLACES = {place.location: pool for pool in (NORTH, SOUTH) for place in pool.locations}

ORDERS = 1_000
RECEIPTS = 80
SHUFFLES = (1, 2, 3)
CANCELLED_SHARE = 0.15
SHIPPED_SHARE = 0.25
ROUNDS = 3
"""Advances of time after which nothing waits for another: offer, refusal, end at home, release."""

KINDS = ("ample", "scarce", "local")
"""Ample; scarce, and sold by both pools; scarce, and sold by the north alone."""

SKUS = [f"{kind}-{n}" for kind in KINDS for n in range(12)]

LEVEL = ("pool", "shard", "on_hand", "reserved", "backordered", "available")
CLAIM = ("offer", "shard", "state", "return_expected")
PIECE = ("line", "sku", "quantity", "state", "location", "allocation")

Place = tuple[str, str]
"""A sku and a location."""


@dataclass(frozen=True)
class Plan:
    """What is sent in every shuffle, and what it comes to."""

    opening: Sequence[Sent]
    threads: Sequence[Thread]
    stock: Counter[Place]
    orders: dict[str, OrderPlaced]
    off: frozenset[str]
    leaving: frozenset[str]
    """Orders whose parcels leave; of ample skus even where the order was called off."""

    def wanted(self) -> Counter[str]:
        """Return the units of each sku that were asked for and not called off, or left anyway."""
        kept = [o for name, o in self.orders.items() if name not in self.off - self.leaving]
        return sum_of((line.sku, line.quantity) for placed in kept for line in placed.lines)


@dataclass(frozen=True)
class Books:
    """What the ledger answers and has told after a shuffle."""

    levels: dict[Place, dict[str, Any]]
    orders: dict[str, list[dict[str, Any]]]
    figures: dict[str, int]
    told: dict[Topic, list[Event]]

    def events(self, kind: type[Event]) -> list[Any]:
        return [one for events in self.told.values() for one in events if isinstance(one, kind)]

    def pieces(self, name: str) -> list[dict[str, Any]]:
        """Return the pieces of an order, but for what another pool has taken and tells itself."""
        claims = self.orders[name]
        pieces = [piece for claim in claims for piece in claim["pieces"]]
        return [piece for piece in pieces if piece["state"] != "accepted"]


def sum_of(pairs: Iterable[tuple[Any, int]]) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for key, units in pairs:
        total[key] += units
    return total


def ample(sku: str) -> bool:
    return sku.startswith("ample")


def make_plan(chance: Random) -> Plan:
    orders, threads = {}, []
    for n in range(ORDERS):
        kind = chance.choice(KINDS)
        home, other = (NORTH, SOUTH) if kind == "local" or n % 2 else (SOUTH, NORTH)
        lines = [
            (f"{kind}-{chance.randrange(12)}", chance.choice((1, 1, 1, 2, 2, 3, 5)))
            for _ in range(chance.choice((1, 1, 2, 3)))
        ]
        pools = (home,) if kind == "local" else (home, other)
        placed = order(f"o{n}", *lines, pools=pools, minute=chance.randrange(600))
        orders[placed.order] = placed
    off = frozenset(name for name in orders if chance.random() < CANCELLED_SHARE)
    for name, placed in orders.items():
        said = [placed, cancelled(name)] if name in off else [placed]
        threads.append(thread(placed.sourcing[0].shard, *said))

    stock: Counter[Place] = Counter()
    opening = []
    for location, pool in PLACES.items():
        found = [(sku, 5_000 if ample(sku) else chance.randint(1, 24)) for sku in SKUS]
        stock.update({(sku, location): units for sku, units in found})
        counting = counted(f"opening {location}", location, *found, pool=pool.pool)
        opening.append(Sent(pool.shard, message(counting)))
    for n in range(RECEIPTS):
        location, sku, units = chance.choice([*PLACES]), chance.choice(SKUS), chance.randint(1, 6)
        arrived = received(f"r{n}", location, (sku, units), pool=PLACES[location].pool)
        stock[sku, location] += units
        threads.append(thread(PLACES[location].shard, arrived))
    leaving = frozenset(
        name
        for name, placed in orders.items()
        if chance.random() < SHIPPED_SHARE and (name not in off or ample(placed.lines[0].sku))
    )
    return Plan(opening, threads, stock, orders, off, leaving)


PLAN = make_plan(Random(7))


@pytest.fixture(scope="module")
async def all_books(platform: Platform) -> list[Books]:
    """Return the books after each shuffle; topics and database are new for each."""
    books = []
    for seed in SHUFFLES:
        await platform.broker.wipe()
        await declare_topics(platform.kafka)
        name = f"shuffle_{seed}"
        async with open_ledger(platform.kafka, await platform.new_database(name)) as ledger:
            await ledger.stream.start()
            await ledger.ready()
            await deliver(ledger, Random(seed))
            books.append(await read_books(ledger))
        await platform.databases.drop_database(name)
    return books


async def deliver(ledger: Ledger, chance: Random) -> None:
    """Deliver a shuffle, with time advancing meanwhile, and the warehouse's answers to it."""
    await send(ledger, PLAN.opening)
    stream = shuffled(PLAN.threads, chance)
    quarter = len(stream) // 4 + 1
    for start in range(0, len(stream), quarter):
        await send(ledger, [*stream[start : start + quarter], *ticks(1 + start // quarter)])
    await settle(ledger, after=4)
    assert await read_messages(ledger.kafka, DEAD_LETTERS) == []
    await send(ledger, shuffled(await warehouse_answers(ledger), chance))
    await settle(ledger, after=4 + ROUNDS)


async def settle(ledger: Ledger, *, after: int) -> None:
    await ledger.quiet()
    for n in range(after + 1, after + ROUNDS + 1):
        await send(ledger, ticks(n))
        await ledger.quiet()


def ticks(number: int) -> list[Sent]:
    """Return an advance of time for each shard, under an id of its own as the door gives it."""
    shards = (NORTH.shard, SOUTH.shard)
    event = time(1_000 * number)
    return [Sent(one, message(event, message_id=f"tick {number} {one}")) for one in shards]


async def send(ledger: Ledger, sent: Iterable[Sent]) -> None:
    await publish_raw(ledger.kafka, [outgoing(one.message, partition=one.shard) for one in sent])


async def warehouse_answers(ledger: Ledger) -> list[Thread]:
    """Let parcels leave, and give those back that were asked for and are still there."""
    told = [one.event for one in await read_messages(ledger.kafka, FULFILMENT)]
    asked = {one.allocation for one in told if isinstance(one, AllocationCancelRequested)}
    answers = []
    parcels = {one.allocation: one for one in told if isinstance(one, OrderAllocated)}
    for name, parcel in parcels.items():
        if parcel.order in PLAN.leaving:
            left = dispatched(name, parcel.order, parcel.location)
            answers.append(thread(parcel.shard, left))
        elif name in asked:
            kept = withdrawn(name, parcel.order, parcel.location)
            answers.append(thread(parcel.shard, kept))
    return answers


async def read_books(ledger: Ledger) -> Books:
    found = await asyncio.gather(*(ledger.queries.order(name) for name in PLAN.orders))
    told = {}
    for topic in (STOCK, FULFILMENT, DEMAND):
        once = {one.id: one.event for one in await read_messages(ledger.kafka, topic)}
        told[topic] = list(once.values())
    levels = await ledger.queries.stock(SKUS)
    return Books(
        {(one["sku"], one["location"]): one for one in levels},
        {one["order"]: one["claims"] for one in found if one is not None},
        await ledger.queries.figures(),
        told,
    )


def test_with_ample_stock_every_shuffle_gives_the_same_books(all_books: list[Books]) -> None:
    first, *others = (ample_part(books) for books in all_books)
    for other in others:
        assert other == first
    for name in (name for name, placed in PLAN.orders.items() if ample(placed.lines[0].sku)):
        kept = "cancelled" if name in PLAN.off else "reserved"
        state = "shipped" if name in PLAN.leaving else kept
        assert {piece["state"] for piece in all_books[0].pieces(name)} == {state}


def ample_part(books: Books) -> dict[str, Any]:
    """Return the levels of ample skus and the orders of them, down to their parcels."""
    return {
        "levels": {key: only(level, LEVEL) for key, level in books.levels.items() if ample(key[0])},
        "orders": {
            name: [
                (
                    only(claim, CLAIM),
                    sorted((only(piece, PIECE) for piece in claim["pieces"]), key=str),
                )
                for claim in books.orders[name]
            ]
            for name, placed in PLAN.orders.items()
            if ample(placed.lines[0].sku)
        },
    }


def only(row: dict[str, Any], fields: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[field] for field in fields)


def test_every_shuffle_gives_the_same_totals(all_books: list[Books]) -> None:
    for books in all_books:
        shipped = sum_of((one.sku, one.quantity) for one in books.events(StockShipped))
        reserved = sum_of((sku, one["reserved"]) for (sku, _), one in books.levels.items())
        waiting = sum_of((sku, one["backordered"]) for (sku, _), one in books.levels.items())
        assert shipped + reserved + waiting == PLAN.wanted()
        assert sum(waiting.values()) > 100, "the plan is meant to be scarce"
        for sku in (sku for sku in SKUS if sku.startswith("local")):
            there = sum(PLAN.stock[sku, place.location] for place in NORTH.locations)
            assert (shipped + reserved)[sku] == min(there, PLAN.wanted()[sku])


def test_every_shuffle_keeps_what_was_counted(all_books: list[Books]) -> None:
    for books in all_books:
        left = sum_of(((one.sku, one.location), one.quantity) for one in books.events(StockShipped))
        for key, units in PLAN.stock.items():
            level = books.levels[key]
            assert level["on_hand"] == units - left[key]
            assert 0 <= level["reserved"] <= level["on_hand"]
            assert level["backordered"] >= 0
        for pool in (NORTH, SOUTH):
            for sku in SKUS:
                levels = [books.levels[sku, place.location] for place in pool.locations]
                free = sum(level["available"] for level in levels)
                assert not (free and sum(level["backordered"] for level in levels))


def test_every_shuffle_accounts_for_every_line(all_books: list[Books]) -> None:
    for books in all_books:
        assert set(books.orders) == set(PLAN.orders)
        for name, placed in PLAN.orders.items():
            pieces = books.pieces(name)
            states = {piece["state"] for piece in pieces}
            if name in PLAN.off:
                assert states <= {"cancelled", "shipped"}
                continue
            assert states <= {"reserved", "backordered", "shipped"}
            units = sum_of((piece["line"], piece["quantity"]) for piece in pieces)
            assert units == {line.line: line.quantity for line in placed.lines}
        demand = Counter((one.order, one.line) for one in books.events(DemandObserved))
        lines = [(name, line.line) for name, o in PLAN.orders.items() for line in o.lines]
        assert demand == Counter(lines)


def test_every_shuffle_balances(all_books: list[Books]) -> None:
    for books in all_books:
        for fault in ("units_oversold", "balances_differing", "orders_applied_twice"):
            assert books.figures[fault] == 0
        pieces = [piece for name in PLAN.orders for piece in books.pieces(name)]
        for state in ("reserved", "backordered"):
            booked = {key: level[state] for key, level in books.levels.items() if level[state]}
            assert booked == sum_of(
                ((piece["sku"], piece["location"]), piece["quantity"])
                for piece in pieces
                if piece["state"] == state
            )
        told = {
            (one.sku, one.location): (one.on_hand, one.reserved, one.backordered)
            for one in books.events(StockLevelChanged)
        }
        assert told == {
            key: (level["on_hand"], level["reserved"], level["backordered"])
            for key, level in books.levels.items()
        }
        open_units = sum_of(
            (
                (one.sku, one.location),
                one.quantity if isinstance(one, StockReserved) else -one.quantity,
            )
            for kind in (StockReserved, StockReleased, StockShipped)
            for one in books.events(kind)
        )
        promised = {key: level["reserved"] for key, level in books.levels.items()}
        assert +open_units == +Counter(promised)
