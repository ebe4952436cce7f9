"""Units turn out to be missing, or unfit: promises that cannot be kept are taken back."""

from restock_common.contracts.stock import HoldEnd, TransferStage
from stock_ledger.domain.books import Place
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import (
    ask_back,
    backorder,
    end_held,
    tell_released,
    tell_transferred,
)
from stock_ledger.domain.model import TRANSFER, Claim, PieceState


def recall(draft: Draft, place: Place, lots: dict[str, int]) -> None:
    """Free units of each lot that were kept for somebody: of carts first, then transfers, orders.

    Of orders whole pieces are recalled, the lowest priority first, so that more may become free
    than were asked for: they are served again.

    Args:
        draft: The decision.
        place: A sku and a location.
        lots: How many kept units of each lot are to become free.
    """
    missing = {lot: units for lot, units in lots.items() if units > 0}
    if not missing:
        return
    for claim in draft.kept_for(*place):
        for number, piece in reversed([*pieces_in(claim, PieceState.RESERVED, PieceState.HELD)]):
            wanted = missing.get(piece.lot, 0)
            if (piece.sku, piece.location) != place or wanted <= 0:
                continue
            missing[piece.lot] = wanted - _give_up(draft, claim, number, wanted)


def _give_up(draft: Draft, claim: Claim, number: int, units: int) -> int:
    """Take a promise back, or some units of it; return how many are free."""
    piece = claim.pieces[number]
    some = min(units, piece.quantity)
    if piece.state is PieceState.HELD:
        end_held(draft, claim, draft.divide(claim, number, some), HoldEnd.MISSING)
        return some
    if claim.offer == TRANSFER:
        gone = draft.move(claim, draft.divide(claim, number, some), PieceState.CANCELLED)
        tell_transferred(draft, claim, gone, TransferStage.SHORT)
        return some
    tell_released(draft, claim, piece)
    backorder(draft, claim, number, PieceState.RECALLED)
    ask_back(draft, claim, piece)
    return piece.quantity
