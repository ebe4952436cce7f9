"""OrderCancelled and LineWithdrawn: what waits ends at once, what is in a parcel is asked back."""

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import LineWithdrawn, OrderCancelled, OrderPlaced
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import ask_back
from stock_ledger.domain.model import HOME, Claim, ClaimKey, ClaimState, PieceState


def cancel(books: Books, message: Message[OrderCancelled]) -> Decision:
    """Call an order off; one that is not known yet is remembered as cancelled."""
    return _call_off(Draft(books, message.id, message.time), ClaimKey(message.event.order, HOME))


def withdraw_line(books: Books, message: Message[LineWithdrawn]) -> Decision:
    """Take back an offer that home has withdrawn; remembered for ever, also if it comes first."""
    event = message.event
    return _call_off(Draft(books, message.id, message.time), ClaimKey(event.order, event.offer))


def _call_off(draft: Draft, key: ClaimKey) -> Decision:
    claim = draft.open(key)
    if claim is None:
        draft.add(Claim(key.order, key.offer, ClaimState.CANCELLED, draft.now), fresh=True)
        return draft.finish()
    if claim.state in {ClaimState.CANCELLED, ClaimState.REFUSED}:
        return Decision(duplicate=True)
    claim.state = ClaimState.CANCELLED
    for number, _ in pieces_in(claim, PieceState.OFFERED, PieceState.ACCEPTED):
        _withdraw_offer(draft, claim, number)
    for number, _ in pieces_in(claim, PieceState.BACKORDERED, PieceState.REFUSED):
        draft.move(claim, number, PieceState.CANCELLED)
    # The stock stays reserved until the dispatcher answers: the parcel may have left.
    for _, piece in pieces_in(claim, PieceState.RESERVED, PieceState.RECALLED):
        ask_back(draft, claim, piece)
    claim.return_expected = any(True for _ in pieces_in(claim, PieceState.SHIPPED))
    return draft.finish()


def _withdraw_offer(draft: Draft, claim: Claim, number: int) -> None:
    """Tell the pool that was asked; an accepted piece stays with it, which undoes or ships it."""
    piece = claim.pieces[number]
    order = claim.asked
    assert isinstance(order, OrderPlaced), f"claim {claim.key} is itself an offer"
    assert piece.offer is not None, f"{piece} was never offered"
    target = order.sourcing[piece.rank]
    if piece.state is PieceState.OFFERED:
        draft.move(claim, number, PieceState.CANCELLED)
    draft.emit(
        LineWithdrawn(offer=piece.offer, order=claim.order, line=piece.line, pool=target.pool),
        claim=claim,
        partition=target.shard,
    )
