"""What could be taken for several pieces at once, before any of it is."""

from collections import Counter
from collections.abc import Sequence

from stock_ledger.domain import sourcing
from stock_ledger.domain.model import Claim, Piece
from stock_ledger.domain.sourcing import Share, Want
from stock_ledger.domain.view import View


class Trial:
    """Counts what pieces of one claim would take, so that two of a sku do not share units."""

    def __init__(self, view: View, claim: Claim) -> None:
        self._view = view
        self._claim = claim
        self._taken: Counter[tuple[str, str]] = Counter()

    def available(self, sku: str, location: str) -> int:
        """Return what a location could still promise."""
        there = self._view.available(sku, location, self._claim.pool, self._claim.channel)
        return max(0, there - self._taken[sku, location])

    def take(self, sku: str, shares: Sequence[Share]) -> None:
        """Count shares as given."""
        for location, units in shares:
            self._taken[sku, location] += units

    def take_whole(
        self, pieces: Sequence[Piece], locations: Sequence[str], *, together: bool, split: bool
    ) -> list[list[Share]]:
        """Return the shares of each piece; empty where not all can be given whole.

        Args:
            pieces: Pieces that are served all or none.
            locations: As they are ranked.
            together: All of them from one location, as a kit's components are.
            split: Whether a piece may come from several locations.
        """
        if together:
            return self._from_one(pieces, locations)
        shares: list[list[Share]] = []
        used: set[str] = set()
        for piece in pieces:
            chosen = sourcing.choose(
                piece.quantity,
                locations,
                lambda location, sku=piece.sku: self.available(sku, location),  # type: ignore[misc]
                used,
                split=split,
            )
            if not chosen:
                return []
            self.take(piece.sku, chosen)
            used.update(location for location, _ in chosen)
            shares.append(chosen)
        return shares

    def _from_one(self, pieces: Sequence[Piece], locations: Sequence[str]) -> list[list[Share]]:
        needed: Counter[str] = Counter()
        for piece in pieces:
            needed[piece.sku] += piece.quantity
        for location in locations:
            if all(self.available(sku, location) >= units for sku, units in needed.items()):
                shares = [[(location, piece.quantity)] for piece in pieces]
                for piece, given in zip(pieces, shares, strict=True):
                    self.take(piece.sku, given)
                return shares
        return []


def rank(view: View, claim: Claim, wants: Sequence[Want]) -> Sequence[str]:
    """Return the claim's locations as the chosen strategy ranks them for what it wants."""
    strategy = sourcing.STRATEGIES[view.rules.strategy]
    if strategy is sourcing.nearest or len(claim.locations) == 1:
        return claim.locations
    return strategy(claim.locations, wants, Trial(view, claim).available, view.rules)
