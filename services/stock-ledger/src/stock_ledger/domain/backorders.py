"""Free units go to those who wait, the higher priority first."""

from typing import NamedTuple

from restock_common.contracts.stock import Priority
from stock_ledger.domain import sourcing
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import reserve
from stock_ledger.domain.model import Claim, Piece, PieceState
from stock_ledger.domain.trial import Trial, is_whole, waiting_of
from stock_ledger.domain.view import View


class _Turn(NamedTuple):
    """A piece that waits, and why it is its turn."""

    promised: int
    rank: int
    number: int
    claim: Claim
    priority: Priority


def serve(draft: Draft, pool: str, sku: str, expected: str | None = None) -> None:
    """Reserve what a pool has of a sku for its backorders, by (priority, order, line).

    Args:
        draft: The decision that has freed units.
        pool: Whose.
        sku: What.
        expected: The receipt that brought them: what was promised from it is served first. Other
            preorders come last, since they have a receipt of their own to wait for.
    """
    if not _any_free(draft, pool, sku):
        return
    for turn in _turns(draft, pool, sku, expected):
        _serve_turn(draft, turn)
        if not _any_free(draft, pool, sku):
            return


def serve_again(draft: Draft, claim: Claim) -> None:
    """Reserve what an order that now asks for less, or otherwise, needs not wait for any more."""
    for number, _ in pieces_in(claim, PieceState.BACKORDERED):
        _serve_turn(draft, _Turn(0, 0, number, claim, draft.priority(claim)))


def _serve_turn(draft: Draft, turn: _Turn) -> None:
    claim, piece = turn.claim, turn.claim.pieces[turn.number]
    if piece.state is not PieceState.BACKORDERED:
        return  # served together with another piece
    line = next((one for one in claim.lines if one.line == piece.line), None)
    if claim.ship_complete or (line is not None and is_whole(line)):
        _serve_whole(draft, turn)
    else:
        _serve_some(draft, turn)


def _turns(draft: Draft, pool: str, sku: str, expected: str | None) -> list[_Turn]:
    turns = []
    for rank, (points, key) in enumerate(draft.waiting(pool, sku)):
        claim = draft.open_known(key)
        priority = points.told()
        waiting = [
            (piece.line, number, piece)
            for number, piece in pieces_in(claim, PieceState.BACKORDERED)
            if piece.sku == sku
        ]
        turns += [
            _Turn(_supply(piece, expected), rank, number, claim, priority)
            for _, number, piece in sorted(waiting)
        ]
    turns.sort(key=lambda turn: turn[:2])
    return turns


def _supply(piece: Piece, expected: str | None) -> int:
    if piece.expected is None:
        return 1
    return 0 if piece.expected == expected else 2


def _serve_some(draft: Draft, turn: _Turn) -> None:
    claim, piece = turn.claim, turn.claim.pieces[turn.number]

    def available(location: str) -> int:
        return draft.available(piece.sku, location, claim.pool, claim.channel)

    locations = _near_to_far(draft, claim, [piece])
    shares = sourcing.fill(piece.quantity, locations, available)
    reserve(draft, claim, turn.number, shares, turn.priority)


def _serve_whole(draft: Draft, turn: _Turn) -> None:
    """Serve all that must leave together, or nothing of it."""
    claim, name = turn.claim, turn.claim.pieces[turn.number].line
    numbers = waiting_of(claim, None if claim.ship_complete else name)
    pieces = [claim.pieces[number] for number in numbers]
    shares = Trial(draft, claim).take_whole(numbers, _near_to_far(draft, claim, pieces))
    for number, given in shares.items():
        reserve(draft, claim, number, given, turn.priority)


def _near_to_far(view: View, claim: Claim, pieces: list[Piece]) -> list[str]:
    """Return the locations by the claim's ranking; those opened after it was placed come last."""
    stocked = {one: None for piece in pieces for one in view.stocked_at(claim.pool, piece.sku)}
    ranked = [location for location in claim.locations if location in stocked]
    return ranked + [location for location in stocked if location not in ranked]


def _any_free(view: View, pool: str, sku: str) -> bool:
    return any(view.available(sku, one, pool) > 0 for one in view.stocked_at(pool, sku))
