"""GoodsReceived: on_hand rises, then those who wait are served."""

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import GoodsReceived, ReceiptLine
from restock_common.contracts.stock import StockReceived
from restock_common.errors import Permanent
from stock_ledger.domain import serials, telling
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.expected import let_go, note_received
from stock_ledger.domain.model import Account, Booking, Expected, Shelf, total
from stock_ledger.domain.returns import ACCOUNTS
from stock_ledger.domain.rules import check_not_ahead


def receive(books: Books, message: Message[GoodsReceived]) -> Decision:
    """Book a receipt once; StockReceived tells the level before backorders are served from it.

    Raises:
        Permanent: The location belongs to another pool, or would hold too much; a serial is
            there already; a lot is said to expire on another day than before; or it is said to
            have arrived in the future.
    """
    event = message.event
    check_not_ahead("received_at", event.received_at, message.time)
    booking = Booking("receipt", event.receipt)
    if books.fact(Booking, booking.key) is not None:
        return Decision(duplicate=True)
    draft = Draft(books, message.id, message.time, event.received_at)
    for number, line in enumerate(event.lines):
        serials.arrive(draft, line, event)
        _check_last_day(draft, event, number)
        accounts = (Account.SUPPLIER, ACCOUNTS[line.condition])
        place = (line.sku, event.location)
        draft.shift(place, event.pool, accounts, line.quantity, line.lot or "", line.expires_on)
        _tell(draft, event, line)
        if line.order_line is not None:
            note_received(draft, line.order_line, line.sku, line.quantity)
    for line in event.lines:
        serve(draft, event.pool, line.sku, line.order_line)
        if line.order_line is not None:
            brought = draft.fact(Expected, line.order_line)
            if brought is not None and brought.sku == line.sku:
                let_go(draft, brought)
    draft.put(booking)
    return draft.finish()


def _check_last_day(draft: Draft, event: GoodsReceived, number: int) -> None:
    line = event.lines[number]
    for one in draft.lots(line.sku, event.location):
        known = one.expires_on if one.lot == line.lot else None
        if known is not None and line.expires_on not in {None, known}:
            raise Permanent(
                f"{line.expires_on} is not the {known} that lot {one.lot!r} had before",
                field=f"lines.{number}.expires_on",
            )


def _tell(draft: Draft, event: GoodsReceived, line: ReceiptLine) -> None:
    whole = total(draft.lots(line.sku, event.location))
    draft.emit(
        telling.level_of(
            StockReceived,
            whole,
            draft.fact(Shelf, (line.sku, event.location)),
            receipt=event.receipt,
            purchase_order=event.purchase_order,
            order_line=line.order_line,
            quantity=line.quantity,
            received_at=event.received_at,
        )
    )
