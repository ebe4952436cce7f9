"""What the messages of a batch name: told from the messages alone, before anything is loaded.

What is loaded may be more than needed, never less: a decision must not depend on which other
messages happen to be in its batch, so that reading the log again gives the same books.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    AllocationWithdrawn,
    AssortmentListed,
    CartHeld,
    CartReleased,
    GoodsReceived,
    LineAccepted,
    LineOffered,
    LineRefused,
    LineWithdrawn,
    OrderAmended,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    OrderReturned,
    ReceiptExpected,
    ShipmentDispatched,
    StockAdjusted,
    StockCounted,
    StockPolicySet,
    TimeAdvanced,
    TransferCancelled,
    TransferDeparted,
    TransferOrdered,
    TransferReceived,
    TransferShipped,
)
from stock_ledger.domain.books import Place
from stock_ledger.domain.sources import components_of


@dataclass(slots=True)
class Needs:
    """What the messages of a batch name.

    Attributes:
        claims: Orders, holds and transfers whose claims are needed.
        skus: Skus whose balances are needed.
        freed_skus: Skus of which units may become free, so that backorders are served.
        freed_claims: Claims of which units may become free, so that their skus do.
        taken_from: Places where promises may be taken back, since units turn out to be missing.
        counted: Places with the times at which they were counted.
        bookings: (kind, id) that may have been booked.
        expected: Expected receipts that are named.
        transfers: Transfers that are named at their target.
        serials: (sku, serial) that are named.
        locations: Locations that are named.
        until: The last advance of time.
    """

    claims: set[str] = field(default_factory=set)
    skus: set[str] = field(default_factory=set)
    freed_skus: set[str] = field(default_factory=set)
    freed_claims: set[str] = field(default_factory=set)
    taken_from: set[Place] = field(default_factory=set)
    counted: set[tuple[Place, datetime]] = field(default_factory=set)
    bookings: set[tuple[str, str]] = field(default_factory=set)
    expected: set[str] = field(default_factory=set)
    transfers: set[str] = field(default_factory=set)
    serials: set[tuple[str, str]] = field(default_factory=set)
    until: datetime | None = None

    @classmethod
    def of(cls, messages: Sequence[Message[Event]]) -> "Needs":
        """Return what these messages name."""
        needs = cls()
        for message in messages:
            needs.add(message.event)
        for message in messages:
            event = message.event
            # Placed in this very batch, so that no table knows its lines yet.
            match event:
                case OrderPlaced() | OrderAmended() if event.order in needs.freed_claims:
                    needs.freed_skus.update(_skus(event.lines))
                case LineOffered() if event.order in needs.freed_claims:
                    needs.freed_skus.add(event.line.sku)
                case CartHeld() if event.hold in needs.freed_claims:
                    needs.freed_skus.update(line.sku for line in event.lines)
                case TransferOrdered() if event.transfer in needs.freed_claims:
                    needs.freed_skus.update(line.sku for line in event.lines)
        return needs

    def add(self, event: Event) -> None:
        """Note what one event names."""
        match event:
            case OrderPlaced():
                self.claims.add(event.order)
                self._add_lines(event.lines)
                if event.hold is not None:
                    self.claims.add(event.hold)
                    self.freed_claims.add(event.hold)
            case LineOffered():
                self.claims.add(event.order)
                self.skus.add(event.line.sku)
            case OrderAmended():
                self.claims.add(event.order)
                self._add_lines(event.lines)
            case OrderCancelled() | LineAccepted() | LineRefused() | LineWithdrawn():
                self.claims.add(event.order)
            case AllocationWithdrawn():
                self.claims.add(event.order)
                self.freed_claims.add(event.order)
            case ShipmentDispatched():
                self.claims.add(event.order)
                self.serials.update((one.sku, name) for one in event.lines for name in one.serials)
            case TimeAdvanced():
                self.until = event.until if self.until is None else max(self.until, event.until)
            case _:
                self._add_rarer(event)

    def _add_lines(self, lines: Iterable[OrderLine]) -> None:
        self.skus.update(_skus(lines))
        # What preorders are promised from depends on who else waits.
        self.freed_skus.update(line.sku for line in lines if line.preorder)

    def _add_rarer(self, event: Event) -> None:
        match event:
            case OrderReturned():
                self.claims.add(event.order)
                self.bookings.add(("return", event.returned))
                self.freed_skus.update(line.sku for line in event.lines)
                self._add_lines(event.replacements)
                self.serials.update((one.sku, name) for one in event.lines for name in one.serials)
            case GoodsReceived():
                self.bookings.add(("receipt", event.receipt))
                self.freed_skus.update(line.sku for line in event.lines)
                self.expected.update(line.order_line for line in event.lines if line.order_line)
                self.serials.update((one.sku, name) for one in event.lines for name in one.serials)
            case StockCounted():
                self.bookings.add(("count", event.count))
                places = [(line.sku, event.location) for line in event.lines]
                self.taken_from.update(places)
                self.counted.update((place, event.counted_at) for place in places)
            case StockAdjusted():
                self.bookings.add(("adjustment", event.adjustment))
                self.taken_from.update((line.sku, event.location) for line in event.lines)
            case ReceiptExpected():
                self.expected.add(event.expected)
                self.freed_skus.add(event.sku)
            case StockPolicySet():
                self.freed_skus.add(event.sku)
            case AssortmentListed():
                self.skus.update(event.skus)
            case _:
                self._add_holds_and_transfers(event)

    def _add_holds_and_transfers(self, event: Event) -> None:
        match event:
            case CartHeld():
                self.claims.add(event.hold)
                self.skus.update(line.sku for line in event.lines)
            case CartReleased():
                self.claims.add(event.hold)
                self.freed_claims.add(event.hold)
                if event.release is not None:
                    self.bookings.add(("hold release", f"{event.hold} {event.release}"))
            case TransferOrdered():
                self.claims.add(event.transfer)
                self.skus.update(line.sku for line in event.lines)
            case TransferShipped():
                self.claims.add(event.transfer)
                self.bookings.add(("transfer shipment", f"{event.transfer} {event.shipment}"))
            case TransferCancelled():
                self.claims.add(event.transfer)
                self.freed_claims.add(event.transfer)
            case TransferDeparted():
                self.transfers.add(event.transfer)
                self.bookings.add(("transfer departure", f"{event.transfer} {event.shipment}"))
                self.bookings.update(
                    ("transfer complete", f"{event.transfer} {line.line}") for line in event.lines
                )
                self.skus.update(line.sku for line in event.lines)
            case TransferReceived():
                self.transfers.add(event.transfer)
                self.bookings.add(("transfer receipt", f"{event.transfer} {event.receipt}"))
                self.freed_skus.update(line.sku for line in event.lines)
            case _:
                raise AssertionError(f"{event.type_name()} is decided, but loads nothing")


def _skus(lines: Iterable[OrderLine]) -> Iterable[str]:
    return [sku for line in lines for sku, _ in components_of(line)]
