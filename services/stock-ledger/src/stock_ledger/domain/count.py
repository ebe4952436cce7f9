"""StockCounted: physical truth wins; promises that cannot be kept are recalled."""

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import CountLine, StockCounted
from restock_common.errors import Permanent
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import ask_back, backorder, tell_released
from stock_ledger.domain.model import Account, Movement, PieceState


def count(books: Books, message: Message[StockCounted]) -> Decision:
    """Book a count once: on_hand becomes what was found, the difference is posted.

    Raises:
        Permanent: The location belongs to another pool, or a sku stands twice.
    """
    event = message.event
    if event.count in books.counts:
        return Decision(duplicate=True)
    seen: set[str] = set()
    for number, line in enumerate(event.lines):
        if line.sku in seen:
            raise Permanent(f"{line.sku!r} is counted twice", field=f"lines.{number}.sku")
        seen.add(line.sku)
    draft = Draft(books, message.id, message.time)
    for line in event.lines:
        _recall_missing(draft, event, line)
        on_hand = draft.balance(line.sku, event.location, event.pool).on_hand
        found, missing = max(0, line.quantity - on_hand), max(0, on_hand - line.quantity)
        if found or missing:
            source, target = (
                (Account.ADJUSTMENT, Account.AVAILABLE)
                if found
                else (Account.AVAILABLE, Account.ADJUSTMENT)
            )
            difference = Movement(line.sku, event.location, source, target, found or missing)
            draft.post(difference, event.pool)
    for line in event.lines:
        serve(draft, event.pool, line.sku)
    return draft.finish(count=event.count)


def _recall_missing(draft: Draft, event: StockCounted, line: CountLine) -> None:
    """Recall whole pieces, the latest orders' first, until what is reserved is there."""
    missing = draft.balance(line.sku, event.location, event.pool).reserved - line.quantity
    if missing <= 0:
        return
    for key in reversed(draft.reserved(line.sku, event.location)):
        claim = draft.open_known(key)
        reserved = [
            (piece.line, number)
            for number, piece in pieces_in(claim, PieceState.RESERVED)
            if piece.sku == line.sku and piece.location == event.location
        ]
        for _, number in sorted(reserved, reverse=True):
            if missing <= 0:
                return
            piece = claim.pieces[number]
            missing -= piece.quantity
            tell_released(draft, claim, piece)
            backorder(draft, claim, number, PieceState.RECALLED)
            ask_back(draft, claim, piece)
