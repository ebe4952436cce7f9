"""What could be taken for several pieces at once, before any of it is."""

from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial

from restock_common.contracts.ledger import OrderLine
from stock_ledger.domain import sourcing
from stock_ledger.domain.model import Claim, PieceState
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

    def take_whole(
        self, numbers: Sequence[int], locations: Sequence[str]
    ) -> dict[int, Sequence[Share]]:
        """Return the shares of each piece; empty where not all can be given whole.

        Args:
            numbers: Pieces that are served all or none.
            locations: As they are ranked.
        """
        shares: dict[int, Sequence[Share]] = {}
        used: set[str] = set()
        whole, others = self._by_line(numbers)
        # What only one location can give is looked for first: the rest takes what is left anywhere.
        for together in whole:
            location = self._one_that_has(together, locations, used)
            if location is None:
                return {}
            used.add(location)
            for number in together:
                shares[number] = self._take(number, [(location, self._quantity(number))])
        for number in others:
            sku, quantity = self._claim.pieces[number].sku, self._quantity(number)
            found = sourcing.choose(quantity, locations, partial(self.available, sku), used)
            if not found:
                return {}
            used.update(location for location, _ in found)
            shares[number] = self._take(number, found)
        return shares

    def _by_line(self, numbers: Sequence[int]) -> tuple[list[list[int]], list[int]]:
        """Return the pieces of each line that one location must give, and all the others."""
        lines = {line.line for line in self._claim.lines if is_whole(line)}
        whole: dict[str, list[int]] = {}
        others = []
        for number in numbers:
            line = self._claim.pieces[number].line
            if line in lines:
                whole.setdefault(line, []).append(number)
            else:
                others.append(number)
        return list(whole.values()), others

    def _one_that_has(
        self, numbers: Sequence[int], locations: Sequence[str], used: Collection[str]
    ) -> str | None:
        needed: Counter[str] = Counter()
        for number in numbers:
            needed[self._claim.pieces[number].sku] += self._quantity(number)
        able = [
            location
            for location in locations
            if all(self.available(sku, location) >= units for sku, units in needed.items())
        ]
        return next((one for one in able if one in used), able[0] if able else None)

    def _quantity(self, number: int) -> int:
        return self._claim.pieces[number].quantity

    def _take(self, number: int, shares: Sequence[Share]) -> Sequence[Share]:
        for location, units in shares:
            self._taken[self._claim.pieces[number].sku, location] += units
        return shares


def is_whole(line: OrderLine) -> bool:
    """Return whether one location must give all of a line: of kits, or where it says so."""
    return bool(line.components) or not line.split


def waiting_of(claim: Claim, line: str | None = None) -> list[int]:
    """Return the pieces of a claim that wait, or those of one line."""
    return [
        number
        for number, piece in enumerate(claim.pieces)
        if piece.state is PieceState.BACKORDERED and line in {None, piece.line}
    ]


def rank(view: View, claim: Claim, wants: Sequence[Want]) -> Sequence[str]:
    """Return the claim's locations as the chosen strategy ranks them for what it wants."""
    strategy = sourcing.STRATEGIES[view.rules.strategy]
    if strategy is sourcing.nearest or len(claim.locations) == 1:
        return claim.locations
    return strategy(claim.locations, wants, Trial(view, claim).available, view.rules)
