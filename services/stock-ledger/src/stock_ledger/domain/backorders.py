"""Free units go to those who wait, the earlier order first."""

from stock_ledger.domain import sourcing
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import reserve
from stock_ledger.domain.model import Claim, PieceState


def serve(draft: Draft, pool: str, sku: str) -> None:
    """Reserve what a pool has of a sku for its backorders, by (placed_at, order, line)."""
    free = {
        location: units
        for location in draft.shelf(pool, sku)
        if (units := draft.available(sku, location, pool)) > 0
    }
    if not free:
        return
    for key in draft.waiting(pool, sku):
        claim = draft.open_known(key)
        waiting = [
            (piece.line, number)
            for number, piece in pieces_in(claim, PieceState.BACKORDERED)
            if piece.sku == sku
        ]
        for _, number in sorted(waiting):
            quantity = claim.pieces[number].quantity
            shares = sourcing.fill(quantity, _near_to_far(claim, free), free.__getitem__)
            reserve(draft, claim, number, shares)
            for location, units in shares:
                free[location] -= units
        if not any(free.values()):
            return


def _near_to_far(claim: Claim, free: dict[str, int]) -> list[str]:
    """Return the locations by the claim's ranking; those opened after it was placed come last."""
    ranked = [location for location in claim.locations if location in free]
    return ranked + [location for location in free if location not in ranked]
