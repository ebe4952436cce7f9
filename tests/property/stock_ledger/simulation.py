"""Several shards and a dispatcher in memory, whose messages arrive as the test likes."""

from collections import Counter, deque
from datetime import datetime, timedelta
from typing import Any

from tests.support import EPOCH

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message, derive_id
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import (
    AllocationWithdrawn,
    GoodsReceived,
    ShipmentDispatched,
    StockCounted,
    TimeAdvanced,
)
from restock_common.contracts.stock import StockLevelChanged, StockShipped
from restock_common.contracts.topics import LEDGER
from restock_common.errors import Permanent
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.model import (
    HOME,
    Account,
    Claim,
    ClaimState,
    PieceState,
)
from stock_ledger.handlers import decide


class World:
    """Shards with a queue from every source to every shard, and the parcels in the warehouse."""

    def __init__(self, shards: int) -> None:
        self.books = {shard: Books(shard) for shard in range(shards)}
        self.queues: dict[tuple[str, int], deque[Message[Any]]] = {}
        self.levels: dict[tuple[int, str, str], StockLevelChanged] = {}
        self.parcels: dict[str, OrderAllocated] = {}
        self.asked_back: set[str] = set()
        self.shipped: Counter[tuple[str, str]] = Counter()
        self.on_hand: Counter[tuple[str, str]] = Counter()
        self.booked: set[str] = set()
        self.told: list[tuple[str, Event]] = []
        self.now = EPOCH

    def send(self, source: str, shard: int, event: Event, time: datetime | None = None) -> None:
        """Put an event on its way; one source's events stay in order."""
        message: Message[Any] = Message(
            id=derive_id(source, shard, event.type_name(), event.model_dump_json()),
            source=source,
            time=time or self.now,
            event=event,
        )
        self.queues.setdefault((source, shard), deque()).append(message)

    def waiting(self) -> list[tuple[str, int]]:
        """Return the queues that hold something, in a fixed order."""
        return sorted(key for key, queue in self.queues.items() if queue)

    def deliver(self, key: tuple[str, int]) -> bool:
        """Decide the first message of a queue; return whether it was taken."""
        message = self.queues[key].popleft()
        return self.decide(key[1], message)

    def decide(self, shard: int, message: Message[Any]) -> bool:
        """Decide a message on a shard; what it leads to is put on its way."""
        try:
            decision = decide(self.books[shard], message)
        except Permanent:
            return False
        self._keep_count(message.event, decision)
        for emission in decision.emissions:
            event = emission.event
            if event.topic is LEDGER and not isinstance(event, TimeAdvanced):
                assert emission.partition is not None
                self.send(f"shard {shard}", emission.partition, event, message.time)
            self._note(shard, event)
        return True

    def _keep_count(self, event: Event, decision: Decision) -> None:
        """Count what is on the shelves as a bystander would."""
        match event:
            case GoodsReceived() if event.receipt not in self.booked:
                self.booked.add(event.receipt)
                for received in event.lines:
                    self.on_hand[received.sku, event.location] += received.quantity
            case StockCounted() if event.count not in self.booked:
                self.booked.add(event.count)
                for found in event.lines:
                    self.on_hand[found.sku, event.location] = found.quantity
            case ShipmentDispatched():
                for one in decision.movements:
                    if one.target is Account.CUSTOMER:
                        self.on_hand[one.sku, one.location] -= one.units
                    elif one.source is Account.ADJUSTMENT:  # a count had missed it
                        self.on_hand[one.sku, one.location] += one.units

    def drain(self) -> None:
        """Deliver everything, and what follows from it."""
        while queues := self.waiting():
            self.deliver(queues[0])

    def tick(self) -> None:
        """Put an advance of time on its way to every shard."""
        self.now += timedelta(minutes=10)
        for shard in self.books:
            self.send("clock", shard, TimeAdvanced(until=self.now))

    def ship(self, allocation: str) -> None:
        """Let a parcel leave; it cannot be given back any more."""
        parcel = self.parcels.pop(allocation)
        self.asked_back.discard(allocation)
        event = ShipmentDispatched(
            allocation=allocation,
            order=parcel.order,
            location=parcel.location,
            route="r",
            dispatched_at=EPOCH,
        )
        self.send(f"warehouse {parcel.location}", parcel.shard, event)

    def give_back(self, allocation: str) -> None:
        """Give a parcel back to the ledger."""
        parcel = self.parcels.pop(allocation)
        self.asked_back.discard(allocation)
        event = AllocationWithdrawn(
            allocation=allocation,
            order=parcel.order,
            location=parcel.location,
            withdrawn_at=EPOCH,
        )
        self.send(f"warehouse {parcel.location}", parcel.shard, event)

    def _note(self, shard: int, event: Event) -> None:
        self.told.append((str(shard), event))
        match event:
            case StockLevelChanged():
                self.levels[shard, event.sku, event.location] = event
            case OrderAllocated():
                assert event.allocation not in self.parcels, "a parcel was allocated twice"
                self.parcels[event.allocation] = event
            case AllocationCancelRequested():
                if event.allocation in self.parcels:
                    self.asked_back.add(event.allocation)
            case StockShipped():
                self.shipped[event.order, event.line] += event.quantity


def check(world: World) -> None:
    """Assert what must hold after every step."""
    for shard, books in world.books.items():
        _check_movements(books)
        _check_levels(world, shard, books)
        _check_pieces(books)
    _check_lines(world)


def _check_movements(books: Books) -> None:
    sums: Counter[tuple[str, str, Account]] = Counter()
    for _, one in books.movements:
        sums[one.sku, one.location, one.source] -= one.units
        sums[one.sku, one.location, one.target] += one.units
    assert sum(sums.values()) == 0
    for (sku, location), balance in books.balances.items():
        assert balance.available == sums[sku, location, Account.AVAILABLE]
        assert balance.reserved == sums[sku, location, Account.RESERVED]
        assert balance.backordered == sums[sku, location, Account.BACKORDERED]
        assert min(balance.available, balance.reserved, balance.backordered) >= 0


def _check_levels(world: World, shard: int, books: Books) -> None:
    for (sku, location), balance in books.balances.items():
        assert balance.on_hand == world.on_hand[sku, location]
        told = world.levels[shard, sku, location]
        assert (told.on_hand, told.reserved, told.backordered) == (
            balance.on_hand,
            balance.reserved,
            balance.backordered,
        )


def _check_pieces(books: Books) -> None:
    reserved: Counter[tuple[str, str]] = Counter()
    backordered: Counter[tuple[str, str]] = Counter()
    for claim in claims(books):
        for piece in claim.pieces:
            assert piece.state is not PieceState.ASKED
            assert piece.quantity > 0
            if piece.state is PieceState.RESERVED:
                reserved[piece.sku, piece.location] += piece.quantity
            elif piece.state in {PieceState.BACKORDERED, PieceState.RECALLED}:
                backordered[piece.sku, piece.location] += piece.quantity
            if piece.state is PieceState.BACKORDERED:
                free = [
                    balance
                    for balance in books.balances.values()
                    if (balance.pool, balance.sku) == (claim.pool, piece.sku) and balance.available
                ]
                assert not free, f"{piece} waits beside {free}"
    for key, balance in books.balances.items():
        assert balance.reserved == reserved[key]
        assert balance.backordered == backordered[key]


def _check_lines(world: World) -> None:
    served: Counter[tuple[str, str]] = Counter()
    asked: dict[tuple[str, str], int] = {}
    for books in world.books.values():
        for claim in claims(books):
            units: Counter[str] = Counter()
            for piece in claim.pieces:
                units[piece.line] += piece.quantity
                if piece.state not in {
                    PieceState.CANCELLED,
                    PieceState.ACCEPTED,
                    PieceState.OFFERED,
                    PieceState.REFUSED,
                }:
                    served[claim.order, piece.line] += piece.quantity
            if claim.offer == HOME and claim.pieces:
                lines = claim.asked.lines  # type: ignore[union-attr]
                assert units == Counter({line.line: line.quantity for line in lines})
                asked |= {(claim.order, line.line): line.quantity for line in lines}
            elif claim.state is ClaimState.OPEN:
                assert sum(units.values()) == claim.asked.line.quantity  # type: ignore[union-attr]
    for line, units_served in served.items():
        assert units_served <= asked[line], f"{line} was asked for {asked[line]}"
    for line, units_shipped in world.shipped.items():
        assert units_shipped <= asked[line]


def claims(books: Books) -> list[Claim]:
    """Return all claims of a shard."""
    return [claim for of_order in books.orders.values() for claim in of_order.values()]
