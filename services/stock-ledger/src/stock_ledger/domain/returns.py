"""OrderReturned: shipped units come back, and may be exchanged for others."""

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import Condition, OrderPlaced, OrderReturned
from restock_common.contracts.stock import StockReturned
from restock_common.errors import Permanent
from stock_ledger.domain import serials
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.model import (
    HOME,
    Account,
    Booking,
    Claim,
    ClaimKey,
    ClaimState,
    PieceState,
)
from stock_ledger.domain.rules import check_not_ahead
from stock_ledger.domain.sources import source

ACCOUNTS = {
    Condition.SELLABLE: Account.FREE,
    Condition.DAMAGED: Account.DAMAGED,
    Condition.QUALITY_HOLD: Account.QUALITY_HOLD,
}
"""Where units of a condition stand that nobody was promised."""


def take_back(books: Books, message: Message[OrderReturned]) -> Decision:
    """Book a return once, and source what is sent instead.

    Raises:
        Permanent: The order is not known here, fewer units of a line were shipped from here, the
            location belongs to another pool, or what is sent instead is not sent from home.
    """
    event = message.event
    check_not_ahead("returned_at", event.returned_at, message.time)
    booking = Booking("return", event.returned)
    if books.fact(Booking, booking.key) is not None:
        return Decision(duplicate=True)
    draft = Draft(books, message.id, message.time, event.returned_at)
    claims = draft.open_order(event.order)
    if not claims:
        raise Permanent(f"{event.order!r} has nothing on this shard", field="order")
    for place, line in enumerate(event.lines):
        draft.check_pool(line.sku, event.location, event.pool)
        serials.come_back(draft, line, event)
        left = _bring_back(draft, claims, event, place)
        if left > 0:
            raise Permanent(
                f"{line.quantity} units of {line.sku!r}, {line.quantity - left} were shipped",
                field=f"lines.{place}.quantity",
            )
        accounts = (Account.CUSTOMER, ACCOUNTS[line.condition])
        place_of = (line.sku, event.location)
        draft.shift(place_of, event.pool, accounts, line.quantity, line.lot or "")
    for claim in claims:
        if not any(True for _ in pieces_in(claim, PieceState.SHIPPED)):
            claim.return_expected = False
    if event.replacements:
        _exchange(draft, event)
    draft.put(booking)
    for sku in dict.fromkeys(line.sku for line in event.lines):
        serve(draft, event.pool, sku)
    return draft.finish()


def _bring_back(draft: Draft, claims: list[Claim], event: OrderReturned, place: int) -> int:
    """Mark shipped units of a line as returned; return how many were not found."""
    line = event.lines[place]
    left = line.quantity
    for claim in claims:
        for number, piece in pieces_in(claim, PieceState.SHIPPED):
            if left == 0 or (piece.line, piece.sku) != (line.line, line.sku):
                continue
            units = min(left, piece.quantity)
            left -= units
            draft.move(claim, draft.divide(claim, number, units), PieceState.RETURNED)
            draft.emit(
                StockReturned(
                    sku=piece.sku,
                    order=claim.order,
                    line=piece.line,
                    location=event.location,
                    quantity=units,
                    condition=line.condition,
                    returned=event.returned,
                ),
                claim=claim,
            )
    return left


def _exchange(draft: Draft, event: OrderReturned) -> None:
    claim = draft.open(ClaimKey(event.order, HOME))
    if claim is None or not isinstance(claim.placed, OrderPlaced):
        raise Permanent(
            f"{event.order!r} is at home on another shard: only that can exchange",
            field="replacements",
        )
    names = {line.line for line in claim.placed.lines} | {piece.line for piece in claim.pieces}
    for place, line in enumerate(event.replacements):
        if line.line in names:
            raise Permanent(f"line {line.line!r} is there", field=f"replacements.{place}.line")
    # Of a cancelled order only what is sent instead is wanted from now on.
    kept = () if claim.state is ClaimState.CANCELLED else claim.placed.lines
    claim.state = ClaimState.OPEN
    claim.placed = claim.placed.model_copy(update={"lines": (*kept, *event.replacements)})
    source(draft, claim, event.replacements, event.returned_at)
