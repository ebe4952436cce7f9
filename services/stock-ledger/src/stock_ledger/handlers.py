"""The routing table: what each event of the ledger topic leads to."""

from collections.abc import Callable, Mapping
from typing import Any

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    AllocationWithdrawn,
    GoodsReceived,
    LineAccepted,
    LineOffered,
    LineRefused,
    LineWithdrawn,
    OrderCancelled,
    OrderPlaced,
    ShipmentDispatched,
    StockCounted,
    TimeAdvanced,
)
from stock_ledger.domain import cancel, clock, count, offers, place, receive, ship
from stock_ledger.domain.books import Books, Decision

Decide = Callable[[Books, Message[Any]], Decision]

HANDLERS: Mapping[type[Event], Decide] = {
    OrderPlaced: place.place,
    OrderCancelled: cancel.cancel,
    LineOffered: offers.take_offer,
    LineAccepted: offers.accepted,
    LineRefused: offers.refused,
    LineWithdrawn: cancel.withdraw_line,
    ShipmentDispatched: ship.ship,
    AllocationWithdrawn: ship.withdrawn,
    GoodsReceived: receive.receive,
    StockCounted: count.count,
    TimeAdvanced: clock.advance_time,
}


def decide(books: Books, message: Message[Event]) -> Decision:
    """Decide one message and take the decision into the books.

    Raises:
        Permanent: It can never be handled; the books are as they were.
    """
    decision = HANDLERS[type(message.event)](books, message)
    books.apply(message.id, decision)
    return decision
