"""The routing table: what each event of the ledger topic leads to."""

from collections.abc import Callable, Mapping
from typing import Any

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
from stock_ledger.domain import (
    adjust,
    amend,
    cancel,
    clock,
    count,
    expected,
    holds,
    listing,
    offers,
    place,
    receive,
    returns,
    ship,
    transfers,
)
from stock_ledger.domain.books import Books, Decision

Decide = Callable[[Books, Message[Any]], Decision]

HANDLERS: Mapping[type[Event], Decide] = {
    OrderPlaced: place.place,
    OrderAmended: amend.amend,
    OrderCancelled: cancel.cancel,
    OrderReturned: returns.take_back,
    CartHeld: holds.hold_cart,
    CartReleased: holds.release_cart,
    LineOffered: offers.take_offer,
    LineAccepted: offers.accepted,
    LineRefused: offers.refused,
    LineWithdrawn: cancel.withdraw_line,
    ShipmentDispatched: ship.ship,
    AllocationWithdrawn: ship.withdrawn,
    GoodsReceived: receive.receive,
    StockCounted: count.count,
    StockAdjusted: adjust.adjust,
    ReceiptExpected: expected.expect,
    StockPolicySet: listing.set_policy,
    AssortmentListed: listing.list_assortment,
    TransferOrdered: transfers.order_transfer,
    TransferShipped: transfers.ship_transfer,
    TransferCancelled: transfers.cancel_transfer,
    TransferDeparted: transfers.depart,
    TransferReceived: transfers.receive_transfer,
    TimeAdvanced: clock.advance_time,
}


def decide(books: Books, message: Message[Event]) -> Decision:
    """Decide one message and take the decision into the books.

    Raises:
        Permanent: It can never be handled; the books are as they were.
    """
    event = message.event
    listing.check_known(books, event)
    decision = HANDLERS[type(event)](books, message)
    books.apply(message, decision)
    return decision
