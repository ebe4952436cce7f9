"""A seeded load for two shards of the ledger: equal seeds give equal messages in equal order."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

from tests.support import EPOCH, message
from tests.unit.stock_ledger.building import sourcing

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message, derive_id
from restock_common.contracts.ledger import (
    CountLine,
    GoodsReceived,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    Place,
    ReceiptLine,
    ShipmentDispatched,
    StockCounted,
    TimeAdvanced,
)
from restock_common.contracts.topics import SHARDS

SHOP = "/faults/shop"
TICK_EVERY = 60
"""Messages between two advances of time."""

_SHELVES = {"north": ("n1", "n2"), "south": ("s1", "s2")}
_POOLS = tuple(
    sourcing(pool, shelves, shard) for shard, (pool, shelves) in enumerate(_SHELVES.items())
)
_AMPLE = tuple(f"ample-{n}" for n in range(40))
_SCARCE = tuple(f"scarce-{n}" for n in range(6))
_DESTINATION = Place(latitude=1, longitude=2)

Sent = tuple[int, Message[Any]]
"""A shard and what is published to it."""


class Load:
    """What a shop, its suppliers and its warehouses send, without end.

    Orders of about two lines, some for skus of which there is never enough; cancellations;
    receipts of what was asked for; counts that find something else; parcels that nobody knows;
    and now and then the same again, as the same message or as another one about the same order.

    Args:
        seed: Chance's.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._numbers = count(1)
        self._made = 0
        self._moment = EPOCH
        self._owed: dict[int, Counter[str]] = {0: Counter(), 1: Counter()}
        self._recent: list[Sent] = []
        self.orders: set[str] = set()

    def opening(self) -> list[Sent]:
        """Return the counts of full shelves."""
        lines = tuple(CountLine(sku=sku, quantity=1_000_000) for sku in _AMPLE)
        return [
            self._sent(shard, self._count(shard, location, lines))
            for shard, locations in enumerate(_SHELVES.values())
            for location in locations
        ]

    def some(self, number: int) -> list[Sent]:
        """Return the next messages, with an advance of time where one is due."""
        sent: list[Sent] = []
        for _ in range(number):
            sent.append(self._next())
            self._made += 1
            if self._made % TICK_EVERY == 0:
                sent += self.tick()
        return sent

    def tick(self) -> list[Sent]:
        """Return the advance of time on every shard: all that was sent lies before it."""
        self._moment += timedelta(seconds=1)
        return [self._sent(shard, TimeAdvanced(until=self._moment)) for shard in range(SHARDS)]

    def _next(self) -> Sent:
        self._moment += timedelta(milliseconds=100)
        chance = self._random.random()
        if chance < 0.06 and self._recent:
            return self._again()
        shard = self._random.randrange(len(_POOLS))
        if chance < 0.12 and self._recent:
            return self._cancellation()
        if chance < 0.18 and self._owed[shard]:
            return self._sent(shard, self._receipt(shard))
        if chance < 0.20:
            return self._sent(shard, self._shelf_count(shard))
        if chance < 0.205:
            return self._sent(shard, self._unknown_parcel())
        sent = self._sent(shard, self._order(shard))
        self._recent = [*self._recent[-200:], sent]
        return sent

    def _again(self) -> Sent:
        """Return an order that was sent before: the same message, or told once more."""
        shard, sent = self._random.choice(self._recent)
        if self._random.random() < 0.5:
            return shard, sent
        return self._sent(shard, sent.event)

    def _cancellation(self) -> Sent:
        shard, sent = self._random.choice(self._recent)
        return self._sent(shard, OrderCancelled(order=sent.event.order, cancelled_at=self._moment))

    def _order(self, shard: int) -> OrderPlaced:
        name = f"shop:{next(self._numbers)}"
        self.orders.add(name)
        lines = tuple(self._lines(shard))
        home, other = _POOLS[shard], _POOLS[1 - shard]
        return OrderPlaced(
            order=name,
            customer=f"customer-{self._random.randrange(500)}",
            placed_at=self._moment,
            destination=_DESTINATION,
            lines=lines,
            sourcing=(home, other) if self._random.random() < 0.7 else (home,),
        )

    def _lines(self, shard: int) -> Iterator[OrderLine]:
        for number in range(self._random.choice((1, 2, 2, 3))):
            scarce = self._random.random() < 0.15
            sku = self._random.choice(_SCARCE if scarce else _AMPLE)
            quantity = self._random.randint(1, 4)
            if scarce:
                self._owed[shard][sku] += quantity
            yield OrderLine(line=str(number + 1), sku=sku, quantity=quantity)

    def _receipt(self, shard: int) -> GoodsReceived:
        """Bring what has been asked for since the last receipt, so that backorders stay few."""
        lines = tuple(
            ReceiptLine(sku=sku, quantity=units) for sku, units in self._owed[shard].items()
        )
        self._owed[shard].clear()
        return GoodsReceived(
            receipt=f"receipt-{next(self._numbers)}",
            location=self._random.choice(_POOLS[shard].locations).location,
            pool=_POOLS[shard].pool,
            received_at=self._moment,
            lines=lines,
        )

    def _shelf_count(self, shard: int) -> StockCounted:
        """Find some scarce sku to be more or less than the books say; less recalls promises."""
        location = self._random.choice(_POOLS[shard].locations).location
        line = CountLine(sku=self._random.choice(_SCARCE), quantity=self._random.randint(0, 20))
        return self._count(shard, location, (line,))

    def _count(self, shard: int, location: str, lines: tuple[CountLine, ...]) -> StockCounted:
        return StockCounted(
            count=f"count-{next(self._numbers)}",
            location=location,
            pool=_POOLS[shard].pool,
            counted_at=self._moment,
            lines=lines,
        )

    def _unknown_parcel(self) -> ShipmentDispatched:
        number = next(self._numbers)
        return ShipmentDispatched(
            allocation=f"unknown-{number}",
            order=f"unknown-{number}",
            location="n1",
            route="r",
            dispatched_at=self._moment,
        )

    def _sent(self, shard: int, event: Event) -> Sent:
        """Wrap an event as a message of its own, also where the same was told before."""
        identity = derive_id(SHOP, next(self._numbers))
        return shard, message(event, time=self._moment, message_id=identity, source=SHOP)
