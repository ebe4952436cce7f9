"""Short ways to say what happens to a ledger, and books that remember what was emitted."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count as counter
from typing import Any, TypeVar

from tests.support import EPOCH

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    AllocationWithdrawn,
    CandidateLocation,
    CountLine,
    GoodsReceived,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    Place,
    ReceiptLine,
    ShipmentDispatched,
    Sourcing,
    StockCounted,
    TimeAdvanced,
)
from restock_common.transact import Emission
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.model import HOME, Claim, ClaimKey, PieceState, total
from stock_ledger.handlers import decide

EventT = TypeVar("EventT", bound=Event)


def sourcing(pool: str, locations: Sequence[str], shard: int = 0) -> Sourcing:
    return Sourcing(
        pool=pool,
        shard=shard,
        locations=tuple(
            CandidateLocation(location=one, distance_km=float(n)) for n, one in enumerate(locations)
        ),
    )


HOME_ONLY = (sourcing("north", ["n1", "n2"]),)
TWO_POOLS = (*HOME_ONLY, sourcing("south", ["s1", "s2"], shard=1))


def order(
    name: str,
    *lines: tuple[str, int],
    pools: tuple[Sourcing, ...] = HOME_ONLY,
    minute: int = 0,
) -> OrderPlaced:
    """Return an order of (sku, quantity) lines, placed some minutes after the epoch."""
    return OrderPlaced(
        order=name,
        customer="customer",
        placed_at=EPOCH + timedelta(minutes=minute),
        destination=Place(latitude=1, longitude=2),
        lines=tuple(
            OrderLine(line=str(n), sku=sku, quantity=quantity)
            for n, (sku, quantity) in enumerate(lines, 1)
        ),
        sourcing=pools,
    )


def cancelled(name: str) -> OrderCancelled:
    return OrderCancelled(order=name, cancelled_at=EPOCH)


def received(
    receipt: str, location: str, *lines: tuple[str, int], pool: str = "north"
) -> GoodsReceived:
    return GoodsReceived(
        receipt=receipt,
        location=location,
        pool=pool,
        received_at=EPOCH,
        lines=tuple(ReceiptLine(sku=sku, quantity=quantity) for sku, quantity in lines),
    )


def counted(name: str, location: str, *lines: tuple[str, int], pool: str = "north") -> StockCounted:
    return StockCounted(
        count=name,
        location=location,
        pool=pool,
        counted_at=EPOCH,
        lines=tuple(CountLine(sku=sku, quantity=quantity) for sku, quantity in lines),
    )


def dispatched(allocation: str, name: str, location: str) -> ShipmentDispatched:
    return ShipmentDispatched(
        allocation=allocation, order=name, location=location, route="r", dispatched_at=EPOCH
    )


def withdrawn(allocation: str, name: str, location: str) -> AllocationWithdrawn:
    return AllocationWithdrawn(
        allocation=allocation, order=name, location=location, withdrawn_at=EPOCH
    )


def time(minutes: int = 60) -> TimeAdvanced:
    return TimeAdvanced(until=EPOCH + timedelta(minutes=minutes))


class Ledger:
    """One shard in memory, told one event after the other."""

    def __init__(self, shard: int = 0) -> None:
        self.books = Books(shard)
        self.emissions: list[Emission] = []
        self._numbers = counter(1)

    def tell(self, event: Event, *, message_id: str | None = None, minute: int = 0) -> Decision:
        """Decide an event of some minutes after the epoch, as a new message unless it has an id."""
        message: Message[Any] = Message(
            id=message_id or f"m{self.books.shard}-{next(self._numbers)}",
            source="/test",
            time=EPOCH + timedelta(minutes=minute),
            event=event,
            traceparent=f"trace of {event.type_name()}",
        )
        decision = decide(self.books, message)
        self.emissions = list(decision.emissions)
        return decision

    def stock(self, location: str, sku: str, units: int, pool: str = "north") -> None:
        """Put units on a shelf."""
        self.tell(
            counted(f"{location}/{sku}/{next(self._numbers)}", location, (sku, units), pool=pool)
        )

    def emitted(self, kind: type[EventT]) -> list[EventT]:
        """Return the events of a kind that the last message led to."""
        return [one.event for one in self.emissions if isinstance(one.event, kind)]

    def claim(self, name: str, offer: str = HOME) -> Claim:
        claim = self.books.claim(ClaimKey(name, offer))
        assert claim is not None, f"{name} is not in the books"
        return claim

    def pieces(self, name: str, offer: str = HOME) -> list[tuple[str, int, PieceState, str]]:
        """Return (line, units, state, location) of each piece, sorted."""
        return sorted(
            (piece.line, piece.quantity, piece.state, piece.location)
            for piece in self.claim(name, offer).pieces
        )

    def parcel(self, name: str, offer: str = HOME) -> str:
        """Return the only parcel of a claim."""
        (found,) = {piece.allocation for piece in self.claim(name, offer).pieces} - {None}
        assert found is not None
        return found

    def level(self, location: str, sku: str) -> tuple[int, int, int]:
        """Return (on_hand, reserved, backordered) over all lots."""
        keys = self.books.lots.get((sku, location), [])
        if not keys:
            return 0, 0, 0
        whole = total([self.books.balances[key] for key in keys])
        return whole.on_hand, whole.reserved, whole.backordered
