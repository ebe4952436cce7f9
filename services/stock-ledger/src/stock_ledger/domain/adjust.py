"""StockAdjusted: units become damaged, are held for quality, found, or written off."""

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import AdjustedLine, Condition, Side, StockAdjusted
from restock_common.errors import Permanent
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision, Place
from stock_ledger.domain.count import write_off
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.model import SELLABLE, Account, Booking
from stock_ledger.domain.returns import ACCOUNTS
from stock_ledger.domain.rules import check_not_ahead


def adjust(books: Books, message: Message[StockAdjusted]) -> Decision:
    """Book an adjustment once; sellable units may be taken from whom they were promised to.

    Raises:
        Permanent: The location belongs to another pool, holds fewer units in that condition, or
            it is said to have happened in the future.
    """
    event = message.event
    check_not_ahead("adjusted_at", event.adjusted_at, message.time)
    booking = Booking("adjustment", event.adjustment)
    if books.fact(Booking, booking.key) is not None:
        return Decision(duplicate=True)
    draft = Draft(books, message.id, message.time, event.adjusted_at)
    for number, line in enumerate(event.lines):
        draft.check_pool(line.sku, event.location, event.pool)
        _adjust_line(draft, event, line, number)
    for sku in dict.fromkeys(line.sku for line in event.lines):
        serve(draft, event.pool, sku)
    draft.put(booking)
    return draft.finish()


def _adjust_line(draft: Draft, event: StockAdjusted, line: AdjustedLine, number: int) -> None:
    place: Place = (line.sku, event.location)
    accounts = (_account(line.source), _account(line.target))
    if accounts[0] is Account.ADJUSTMENT:
        draft.shift(place, event.pool, accounts, line.quantity, line.lot or "")
        return
    taken = SELLABLE if accounts[0] is Account.FREE else (accounts[0],)
    gone: dict[str, int] = {}
    left = line.quantity
    for one in draft.lots(*place):
        if line.lot is None or one.lot == line.lot:
            gone[one.lot] = min(left, sum(getattr(one, account.value) for account in taken))
            left -= gone[one.lot]
    if left > 0:
        raise Permanent(
            f"{line.quantity} units of {line.sku!r}, {line.quantity - left} are {line.source}",
            field=f"lines.{number}.quantity",
        )
    write_off(draft, place, event.pool, accounts, gone)


def _account(side: Side) -> Account:
    return ACCOUNTS[side] if isinstance(side, Condition) else Account.ADJUSTMENT
