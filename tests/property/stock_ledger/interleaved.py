"""Three shards and their warehouses in memory, whose messages arrive as chance has it."""

from collections import deque
from datetime import timedelta
from typing import Any

from tests.support import EPOCH
from tests.unit.stock_ledger.building import sourcing, withdrawn

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message, derive_id
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import Sourcing, TimeAdvanced
from restock_common.contracts.stock import StockLevelChanged
from restock_common.contracts.topics import LEDGER
from stock_ledger.domain.books import Books
from stock_ledger.handlers import decide

POOLS: dict[str, Sourcing] = {
    "north": sourcing("north", ["n1", "n2"], shard=0),
    "east": sourcing("east", ["e1"], shard=0),
    "south": sourcing("south", ["s1", "s2"], shard=1),
    "west": sourcing("west", ["w1"], shard=2),
}
PLACES = [(pool, place.location) for pool, source in POOLS.items() for place in source.locations]


class Shards:
    """Books with a queue from every source to every shard, and the parcels in the warehouse."""

    def __init__(self) -> None:
        self.books = {shard: Books(shard) for shard in range(3)}
        self.queues: dict[tuple[str, int], deque[Message[Any]]] = {}
        self.levels: dict[tuple[int, str, str], StockLevelChanged] = {}
        self.parcels: dict[str, OrderAllocated] = {}
        self.asked_back: set[str] = set()
        self.told: list[Event] = []
        self.now = EPOCH

    def send(self, source: str, shard: int, event: Event) -> None:
        """Put an event on its way; one source's events stay in order."""
        identity = derive_id(source, shard, event.type_name(), event.model_dump_json())
        message: Message[Any] = Message(identity, source, self.now, event)
        self.queues.setdefault((source, shard), deque()).append(message)

    def waiting(self) -> list[tuple[str, int]]:
        """Return the queues that hold something, in a fixed order."""
        return sorted(key for key, queue in self.queues.items() if queue)

    def deliver(self, key: tuple[str, int]) -> None:
        """Decide the first message of a queue; what it leads to is put on its way."""
        message, shard = self.queues[key].popleft(), key[1]
        for emission in decide(self.books[shard], message).emissions:
            event = emission.event
            if event.topic is LEDGER and not isinstance(event, TimeAdvanced):
                assert emission.partition is not None
                self.send(f"shard {shard}", emission.partition, event)
            self._note(shard, event)

    def tick(self) -> None:
        """Put an advance of time on its way to every shard."""
        self.now += timedelta(minutes=10)
        for shard in self.books:
            self.send("clock", shard, TimeAdvanced(until=self.now))

    def give_back(self, allocation: str) -> None:
        """Give a parcel back to the ledger."""
        parcel = self.parcels.pop(allocation)
        self.asked_back.discard(allocation)
        event = withdrawn(allocation, parcel.order, parcel.location)
        self.send(f"warehouse {parcel.location}", parcel.shard, event)

    def _note(self, shard: int, event: Event) -> None:
        self.told.append(event)
        match event:
            case StockLevelChanged():
                self.levels[shard, event.sku, event.location] = event
            case OrderAllocated():
                self.parcels[event.allocation] = event
            case AllocationCancelRequested() if event.allocation in self.parcels:
                self.asked_back.add(event.allocation)
