"""The books as one decision sees them: what it has changed so far lies over what was there."""

from collections.abc import Callable, Mapping

from restock_common.errors import Permanent
from stock_ledger.domain.books import Books
from stock_ledger.domain.model import Allocation, Balance, Claim, ClaimKey, Piece, PieceState

Index = dict[tuple[str, str], dict[ClaimKey, None]]
"""Claims by what they have pieces of; more than there are now, never fewer."""


class View:
    """Books, and changes over them.

    Args:
        books: Read, never written.
    """

    def __init__(self, books: Books) -> None:
        self.shard = books.shard
        self._books = books
        self._balances: dict[tuple[str, str], Balance] = {}
        self._shelves: dict[tuple[str, str], set[str]] = {}
        self._claims: dict[ClaimKey, Claim] = {}
        self._allocations: dict[str, Allocation] = {}
        self._waiting: Index = {}
        self._reserved_at: Index = {}

    def balance(self, sku: str, location: str, pool: str) -> Balance:
        """Return a balance as it stands in this draft.

        Raises:
            Permanent: The location belongs to another pool.
        """
        found = self._found(sku, location)
        if found is None:
            return Balance(sku, location, pool)
        if found.pool != pool:
            raise Permanent(
                f"location {location!r} belongs to pool {found.pool!r}, not {pool!r}", field="pool"
            )
        return found

    def available(self, sku: str, location: str, pool: str) -> int:
        """Return the units of a pool's location that can be promised; none at another pool's."""
        found = self._found(sku, location)
        return found.available if found is not None and found.pool == pool else 0

    def shelf(self, pool: str, sku: str) -> list[str]:
        """Return the pool's locations that hold or await a sku, in order of their names."""
        index = (pool, sku)
        return sorted({*self._books.shelves.get(index, ()), *self._shelves.get(index, ())})

    def open(self, key: ClaimKey) -> Claim | None:
        """Return a claim to be changed, or None where it is not known."""
        drafted = self._claims.get(key)
        if drafted is None:
            known = self._books.claim(key)
            if known is None:
                return None
            drafted = self._claims[key] = known.copy()
        return drafted

    def open_known(self, key: ClaimKey) -> Claim:
        """Return a claim to be changed that is known to be there."""
        claim = self.open(key)
        assert claim is not None, f"{key} is indexed, but not in the books"
        return claim

    def open_order(self, order: str) -> list[Claim]:
        """Return all claims of an order on this shard, to be changed."""
        offers = self._books.orders.get(order, {})
        return [self.open_known(ClaimKey(order, offer)) for offer in offers]

    def waiting(self, pool: str, sku: str) -> list[ClaimKey]:
        """Return the claims with backordered pieces of a sku, by (placed_at, order)."""
        keys = _both(self._books.waiting, self._waiting, (pool, sku))
        return self._by_priority(
            keys, lambda piece: piece.state is PieceState.BACKORDERED and piece.sku == sku
        )

    def reserved(self, sku: str, location: str) -> list[ClaimKey]:
        """Return the claims with reserved pieces of a sku at a location, by (placed_at, order)."""
        keys = _both(self._books.reserved_at, self._reserved_at, (sku, location))
        return self._by_priority(
            keys,
            lambda piece: (
                piece.state is PieceState.RESERVED
                and piece.sku == sku
                and piece.location == location
            ),
        )

    def allocation(self, allocation: str) -> Allocation | None:
        """Return an allocation as it stands in this draft."""
        return self._allocations.get(allocation) or self._books.allocations.get(allocation)

    def _found(self, sku: str, location: str) -> Balance | None:
        key = (sku, location)
        return self._balances.get(key) or self._books.balances.get(key)

    def _by_priority(
        self, keys: Mapping[ClaimKey, None], wanted: Callable[[Piece], bool]
    ) -> list[ClaimKey]:
        claims = [
            claim
            for key in keys
            if (claim := self._claims.get(key) or self._books.claim(key)) is not None
            and any(wanted(piece) for piece in claim.pieces)
        ]
        claims.sort(key=lambda claim: (claim.asked.placed_at, claim.order, claim.offer))
        return [claim.key for claim in claims]


def _both(books: Index, draft: Index, index: tuple[str, str]) -> dict[ClaimKey, None]:
    return {**books.get(index, {}), **draft.get(index, {})}
