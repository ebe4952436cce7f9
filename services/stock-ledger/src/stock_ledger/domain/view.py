"""The books as one decision sees them: what it has changed so far lies over what was there."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple, TypeVar

from restock_common.errors import Permanent
from stock_ledger.domain.books import Books, Facts, Place, Unread, first_expired
from stock_ledger.domain.model import (
    Allocation,
    Balance,
    BalanceKey,
    Claim,
    ClaimKey,
    Fact,
    KnownLocation,
    Piece,
    PieceState,
    Shelf,
)
from stock_ledger.domain.priority import Score, score

FactT = TypeVar("FactT", bound=Fact)
Index = dict[tuple[str, str], dict[ClaimKey, None]]
"""Claims by what they have pieces of; more than there are now, never fewer."""


class Bought(NamedTuple):
    """Units that a cart has held at a place, and gives to the order that is decided.

    Attributes:
        units: How many.
        left: What was free there beside them: however little that is, no buffer keeps the order
            from what its cart held.
    """

    units: int
    left: int


class View:
    """Books, and changes over them.

    Args:
        books: Read, never written.
        now: Event time of the message that is decided.

    Attributes:
        bought: What a cart gives to the order that is decided, while it is sourced.
    """

    def __init__(self, books: Books, now: datetime) -> None:
        self.shard = books.shard
        self.rules = books.rules
        self.now = now
        # A message that comes late must not sell what expired while it was on its way.
        self._today: date = max(now, books.clock.until).date()
        self._books = books
        self._balances: dict[BalanceKey, Balance] = {}
        self._lots: dict[Place, list[BalanceKey]] = {}
        self._places: dict[str, list[Place]] = {}
        self._claims: dict[ClaimKey, Claim] = {}
        self._allocations: dict[str, Allocation] = {}
        self._facts: Facts = {}
        self._waiting: Index = {}
        self._kept_for: Index = {}
        self.bought: dict[Place, Bought] = {}

    def lots(self, sku: str, location: str) -> list[Balance]:
        """Return the balances of a sku at a location, first expired first; not to be changed."""
        place = (sku, location)
        known = self._books.lots.get(place, ())
        added = self._lots.get(place)
        keys = [*known, *added] if added else known
        found = [self._balances.get(key) or self._books.balances[key] for key in keys]
        return sorted(found, key=first_expired) if len(found) > 1 else found

    def pool_of(self, sku: str, location: str) -> str | None:
        """Return whose location it is, as far as it is known; what is stocked there stays."""
        found = self.lots(sku, location)
        if found:
            return found[0].pool
        known = self.fact(KnownLocation, location)
        return None if known is None else known.pool

    def check_pool(self, sku: str, location: str, pool: str, field: str = "pool") -> None:
        """Raise Permanent where a location belongs to another pool."""
        known = self.pool_of(sku, location)
        if known is not None and known != pool:
            raise Permanent(
                f"location {location!r} belongs to pool {known!r}, not {pool!r}", field=field
            )

    def sellable_lots(self, sku: str, location: str) -> Iterator[tuple[str, int]]:
        """Yield the lots with free units that can still be sold, first expired first."""
        for one in self.lots(sku, location):
            if one.free > 0 and self._can_be_sold(one):
                yield one.lot, one.free

    def sellable(self, sku: str, location: str) -> int:
        """Return the free units of a place that can still be sold."""
        return sum(units for _, units in self.sellable_lots(sku, location))

    def available(self, sku: str, location: str, pool: str, channel: str | None = None) -> int:
        """Return the units of a pool's location that can be promised; none at another pool's."""
        place = (sku, location)
        keys = self._books.lots.get(place)
        if keys is not None and len(keys) == 1 and place not in self._lots:
            only = self._balances.get(keys[0]) or self._books.balances[keys[0]]
            if only.pool != pool or not self._can_be_sold(only):
                return 0
            free = only.free
        else:
            found = self.lots(sku, location)
            if not found or found[0].pool != pool:
                return 0
            free = self.sellable(sku, location)
        shelf = self.fact(Shelf, place)
        if shelf is None:
            return free
        kept = shelf.kept_from(channel)
        if self.bought:
            bought = self.bought.get(place)
            kept = kept if bought is None else min(kept, bought.left)
        return max(0, free - kept)

    def lots_expiring_by(self, day: date) -> list[Balance]:
        """Return the lots that expire by a day, sorted; not to be changed."""
        keys = [
            key
            for key, one in self._books.balances.items()
            if one.expires_on is not None and one.expires_on <= day
        ]
        return [self._balances.get(key) or self._books.balances[key] for key in sorted(keys)]

    def places(self) -> list[Place]:
        """Return where the books have a balance of a sku, sorted."""
        return sorted(self._books.lots)

    def stocked_at(self, pool: str, sku: str) -> list[str]:
        """Return the pool's locations that hold or await a sku, in order of their names."""
        known = self._books.stocked_at.get((pool, sku), ())
        added = [
            place[1]
            for place in self._places.get(sku, ())
            if self._balances[self._lots[place][0]].pool == pool
        ]
        return sorted({*known, *added}) if added else list(known)

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
        """Return all claims of an order on this shard, to be changed, in order of their offers."""
        keys = [ClaimKey(order, offer) for offer in sorted(self._books.orders.get(order, ()))]
        return [claim for claim in map(self.open_known, keys) if claim.is_order]

    def waiting(self, pool: str, sku: str) -> list[tuple[Score, ClaimKey]]:
        """Return the claims with backordered pieces of a sku, the highest priority first."""
        keys = _both(self._books.waiting, self._waiting, (pool, sku))
        return self._by_priority(
            keys, lambda piece: piece.state is PieceState.BACKORDERED and piece.sku == sku
        )

    def kept_for(self, sku: str, location: str) -> list[Claim]:
        """Return the claims that units are kept for at a location, who must give way first first.

        Carts before transfers before orders, of these the lowest priority first.

        Raises:
            Unread: They have not been loaded.
        """
        if (sku, location) in self._books.unread:
            raise Unread(f"who {sku!r} is kept for at {location!r}")
        keys = _both(self._books.kept_for, self._kept_for, (sku, location))
        wanted = {PieceState.RESERVED, PieceState.HELD}
        claims = [
            claim
            for claim in map(self.open_known, keys)
            if any(
                piece.state in wanted and piece.sku == sku and piece.location == location
                for piece in claim.pieces
            )
        ]
        others = [claim for claim in claims if not claim.is_order]
        others.sort(key=lambda claim: (claim.offer, claim.order))
        orders = {claim.key: None for claim in claims if claim.is_order}
        ranked = self._by_priority(orders, lambda _: True)
        return [*others, *(self.open_known(key) for _, key in reversed(ranked))]

    def allocation(self, allocation: str) -> Allocation | None:
        """Return an allocation as it stands in this draft."""
        return self._allocations.get(allocation) or self._books.allocations.get(allocation)

    def fact(self, kind: type[FactT], key: Hashable) -> FactT | None:
        """Return a fact as it stands in this draft."""
        if self._facts:
            drafted = self._facts.get(kind)
            if drafted and key in drafted:
                return drafted[key]  # type: ignore[return-value]
        known = self._books.facts.get(kind)
        return known.get(key) if known else None  # type: ignore[return-value]

    def facts(self, kind: type[FactT]) -> list[FactT]:
        """Return all facts of a kind as they stand in this draft, by key."""
        found = {**self._books.facts.get(kind, {}), **self._facts.get(kind, {})}
        return [found[key] for key in sorted(found, key=str) if found[key] is not None]  # type: ignore[misc]

    def score(self, claim: Claim) -> Score:
        """Return an order's priority at this time."""
        return score(claim.asked, self.now, self.rules.weights)

    def _can_be_sold(self, lot: Balance) -> bool:
        return lot.expires_on is None or lot.expires_on >= self._today

    def _by_priority(
        self, keys: Mapping[ClaimKey, None], wanted: Callable[[Piece], bool]
    ) -> list[tuple[Score, ClaimKey]]:
        claims = [
            claim
            for key in keys
            if (claim := self._claims.get(key) or self._books.claim(key)) is not None
            and any(wanted(piece) for piece in claim.pieces)
        ]
        ranked = [(self.score(claim), claim) for claim in claims]
        ranked.sort(key=lambda one: (-one[0].sum, one[1].asked.placed_at, one[1].key))
        return [(points, claim.key) for points, claim in ranked]


def _both(books: Index, draft: Index, index: tuple[str, str]) -> dict[ClaimKey, None]:
    return {**books.get(index, {}), **draft.get(index, {})}
