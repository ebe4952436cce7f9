"""Units of a line are called off: those that wait at once, those in a parcel when it answers."""

from restock_common.contracts.ledger import LineWithdrawn, OrderPlaced
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import cut_reserved
from stock_ledger.domain.model import Claim, Piece, PieceState

_GIVEN_UP_FIRST = (
    PieceState.REFUSED,
    PieceState.BACKORDERED,
    PieceState.OFFERED,
    PieceState.RECALLED,
    PieceState.ACCEPTED,
    PieceState.RESERVED,
)
"""What is furthest from the customer is called off first."""

_ENDED = frozenset({PieceState.CANCELLED, PieceState.RETURNED})


def live(claim: Claim, line: str, sku: str) -> int:
    """Return the units of a line that the customer is to have, or has."""
    return sum(
        piece.quantity
        for piece in claim.pieces
        if piece.line == line and piece.sku == sku and not piece.cut and piece.state not in _ENDED
    )


def returned(claim: Claim, line: str, sku: str) -> int:
    """Return the units of a line that the customer has had, and sent back."""
    return sum(
        piece.quantity
        for piece in claim.pieces
        if piece.line == line and piece.sku == sku and piece.state is PieceState.RETURNED
    )


def cut(draft: Draft, claim: Claim, line: str, sku: str, units: int) -> None:
    """Call units of a line off; those that have been shipped become a return to expect."""
    for state in _GIVEN_UP_FIRST:
        for number, piece in reversed([*pieces_in(claim, state)]):
            if units > 0 and piece.line == line and piece.sku == sku and not piece.cut:
                some = min(units, piece.quantity)
                units -= some
                _cut_piece(draft, claim, draft.divide(claim, number, some), piece)
    if units > 0:
        claim.return_expected = True


def cut_all(draft: Draft, claim: Claim) -> None:
    """Call everything of a claim off that has not been shipped."""
    for number, piece in pieces_in(claim, *_GIVEN_UP_FIRST):
        if not piece.cut:
            _cut_piece(draft, claim, number, piece)
    if any(True for _ in pieces_in(claim, PieceState.SHIPPED)):
        claim.return_expected = True


def _cut_piece(draft: Draft, claim: Claim, number: int, before: Piece) -> None:
    """Call a piece off, which may have been divided from another one that was there before."""
    match claim.pieces[number].state:
        case PieceState.OFFERED:
            draft.move(claim, number, PieceState.CANCELLED)
            _withdraw(draft, claim, number, before)
        case PieceState.ACCEPTED:  # stays with the other pool, which undoes or ships it
            claim.pieces[number] = claim.pieces[number]._replace(cut=True)
            _withdraw(draft, claim, number, before)
        case PieceState.RESERVED | PieceState.RECALLED:
            # The stock stays reserved until the dispatcher answers: the parcel may have left.
            cut_reserved(draft, claim, number)
        case _:
            draft.move(claim, number, PieceState.CANCELLED)


def _withdraw(draft: Draft, claim: Claim, number: int, before: Piece) -> None:
    """Tell the pool that was asked what is still wanted of its offer."""
    piece, order = claim.pieces[number], claim.asked
    assert isinstance(order, OrderPlaced), f"claim {claim.key} is itself an offer"
    assert piece.offer is not None, f"{piece} was never offered"
    target = order.sourcing[piece.rank]
    draft.emit(
        LineWithdrawn(
            offer=piece.offer,
            order=claim.order,
            line=piece.line,
            pool=target.pool,
            remaining=before.quantity - piece.quantity,
        ),
        claim=claim,
        partition=target.shard,
    )
