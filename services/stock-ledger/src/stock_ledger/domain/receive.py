"""GoodsReceived: on_hand rises, then those who wait are served."""

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import GoodsReceived
from restock_common.contracts.stock import StockReceived
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.model import Account, Movement


def receive(books: Books, message: Message[GoodsReceived]) -> Decision:
    """Book a receipt once; StockReceived tells the level before backorders are served from it.

    Raises:
        Permanent: The location belongs to another pool, or would hold too much.
    """
    event = message.event
    if event.receipt in books.receipts:
        return Decision(duplicate=True)
    draft = Draft(books, message.id, message.time)
    for line in event.lines:
        arrival = Movement(
            line.sku, event.location, Account.SUPPLIER, Account.AVAILABLE, line.quantity
        )
        draft.post(arrival, event.pool)
        level = draft.balance(line.sku, event.location, event.pool)
        draft.emit(
            StockReceived(
                sku=line.sku,
                location=event.location,
                pool=event.pool,
                on_hand=level.on_hand,
                reserved=level.reserved,
                backordered=level.backordered,
                receipt=event.receipt,
                purchase_order=event.purchase_order,
                order_line=line.order_line,
                quantity=line.quantity,
                received_at=event.received_at,
            )
        )
    for sku in dict.fromkeys(line.sku for line in event.lines):
        serve(draft, event.pool, sku)
    return draft.finish(receipt=event.receipt)
