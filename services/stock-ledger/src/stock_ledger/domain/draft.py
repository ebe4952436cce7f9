"""A decision in the making: changes over the books, thrown away if it is refused.

All units move through `Draft.post`, so balances are the sum of movements by construction.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from restock_common.contracts import Event
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.fulfilment import OrderAllocated
from restock_common.contracts.ledger import AllocatedLine, OrderLine
from restock_common.contracts.stock import StockLevelChanged
from restock_common.errors import InvariantBroken, Permanent
from restock_common.transact import Emission
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.model import (
    GOODS,
    PROMISES,
    Account,
    Allocation,
    AllocationState,
    Balance,
    Claim,
    ClaimKey,
    Movement,
    Piece,
    PieceState,
)
from stock_ledger.domain.view import View

MAX_UNITS = 1_000_000_000
"""No bucket of a balance holds more, since no event could tell of it."""


class Draft(View):
    """What one message is about to change.

    Args:
        books: Read, never written.
        cause: The message's id; ids of allocations are derived from it.
        now: The message's event time.
    """

    def __init__(self, books: Books, cause: str, now: datetime) -> None:
        super().__init__(books)
        self.now = now
        self._cause = cause
        self._fresh: set[ClaimKey] = set()
        self._parcels: dict[str, Claim] = {}
        self._movements: list[Movement] = []
        self._emissions: list[Emission] = []

    def add(self, claim: Claim, *, fresh: bool) -> Claim:
        """Enter a claim; `fresh` where this very message carries the trace that it travels in."""
        self._claims[claim.key] = claim
        if fresh:
            self._fresh.add(claim.key)
        return claim

    def set_allocation(self, allocation: Allocation, state: AllocationState) -> None:
        """Move an allocation to another state."""
        self._allocations[allocation.allocation] = replace(allocation, state=state)

    def pack(self, claim: Claim, location: str) -> str:
        """Return the id of this message's parcel for the claim's order from a location."""
        allocation = derive_id("allocation", claim.order, location, self._cause)
        if allocation not in self._parcels:
            self._parcels[allocation] = claim
            self._allocations[allocation] = Allocation(allocation, claim.order, location)
        return allocation

    def emit(
        self, event: Event, *, claim: Claim | None = None, partition: int | None = None
    ) -> None:
        """Make an event known, in the trace of the claim that it is about."""
        fresh = claim is None or claim.key in self._fresh
        traceparent = None if claim is None or fresh else claim.traceparent
        self._emissions.append(Emission(event, partition=partition, traceparent=traceparent))

    def post(self, movement: Movement, pool: str) -> None:
        """Move units between two accounts at a pool's location, and the balance with them.

        Raises:
            InvariantBroken: A balance would be negative.
            Permanent: A balance would be more than an event can tell, or is another pool's.
        """
        self._movements.append(movement)
        sku, location, source, target, units = movement[:5]
        available = (target is Account.AVAILABLE) - (source is Account.AVAILABLE)
        reserved = (target is Account.RESERVED) - (source is Account.RESERVED)
        backordered = (target is Account.BACKORDERED) - (source is Account.BACKORDERED)
        if not (available or reserved or backordered):
            return
        old = self.balance(sku, location, pool)
        new = Balance(
            sku,
            location,
            pool,
            old.available + available * units,
            old.reserved + reserved * units,
            old.backordered + backordered * units,
        )
        if min(new.available, new.reserved, new.backordered) < 0:
            raise InvariantBroken(f"{units} units from {source} to {target} would make {new}")
        if max(new.on_hand, new.backordered) > MAX_UNITS:
            raise Permanent(f"{sku!r} at {location!r} would hold more than {MAX_UNITS} units")
        if (sku, location) not in self._books.balances:
            self._shelves.setdefault((pool, sku), set()).add(location)
        self._balances[sku, location] = new

    def ask(self, claim: Claim, line: OrderLine) -> int:
        """Enter a line, its units promised but not sourced; return its piece's number."""
        nearest = claim.locations[0]
        claim.pieces.append(Piece(line.line, line.sku, line.quantity, PieceState.ASKED, nearest))
        self._post_for(claim, claim.pieces[-1], nearest, Account.ORDERED, Account.PROMISED)
        return len(claim.pieces) - 1

    def move(
        self,
        claim: Claim,
        number: int,
        state: PieceState,
        *,
        units: int | None = None,
        location: str | None = None,
        allocation: str | None = None,
    ) -> Piece:
        """Bring a piece, or some of its units, into another state, with the movements it takes.

        Args:
            claim: Opened in this draft.
            number: The piece's.
            state: The new one.
            units: How many; the rest stays as it is. None for all.
            location: Where they are from now on; None for the same place.
            allocation: The parcel they are in from now on; None for the same one.
        """
        old = claim.pieces[number]
        units = old.quantity if units is None else units
        new = Piece(  # written out, since this is done for every line and `replace` is slow
            old.line,
            old.sku,
            units,
            state,
            location or old.location,
            allocation or old.allocation,
            old.offer,
            old.rank,
            old.since,
        )
        if units == old.quantity:
            claim.pieces[number] = new
        else:
            claim.pieces[number] = replace(old, quantity=old.quantity - units)
            claim.pieces.append(new)
        for accounts in (PROMISES, GOODS):
            source, target = accounts[old.state], accounts[state]
            if source is not target:
                # What was kept at a location leaves from there, wherever it goes.
                kept = source in {Account.BACKORDERED, Account.RESERVED}
                self._post_for(claim, new, old.location if kept else new.location, source, target)
        if state is PieceState.BACKORDERED:
            self._waiting.setdefault((claim.pool, new.sku), {})[claim.key] = None
        elif state is PieceState.RESERVED:
            self._reserved_at.setdefault((new.sku, new.location), {})[claim.key] = None
        return new

    def finish(self, *, receipt: str | None = None, count: str | None = None) -> Decision:
        """Return the decision: with one OrderAllocated a parcel and one level a changed balance."""
        if self._parcels:
            self._tell_allocated()
        changed = {
            key: balance
            for key, balance in self._balances.items()
            if balance != self._books.balances.get(key)
        }
        for balance in changed.values():
            self.emit(
                StockLevelChanged(
                    sku=balance.sku,
                    location=balance.location,
                    pool=balance.pool,
                    on_hand=balance.on_hand,
                    reserved=balance.reserved,
                    backordered=balance.backordered,
                )
            )
        return Decision(
            balances=changed,
            claims={
                key: claim for key, claim in self._claims.items() if claim != self._books.claim(key)
            },
            allocations=self._allocations,
            movements=self._movements,
            emissions=self._emissions,
            receipt=receipt,
            count=count,
        )

    def _post_for(
        self, claim: Claim, piece: Piece, location: str, source: Account, target: Account
    ) -> None:
        movement = Movement(
            piece.sku,
            location,
            source,
            target,
            piece.quantity,
            claim.order,
            claim.offer,
            piece.line,
        )
        self.post(movement, claim.pool)

    def _tell_allocated(self) -> None:
        contents: dict[str, dict[str, tuple[str, int]]] = {one: {} for one in self._parcels}
        for claim in self._claims.values():
            for piece in claim.pieces:
                if piece.state is PieceState.RESERVED and piece.allocation in contents:
                    lines = contents[piece.allocation]
                    _, units = lines.get(piece.line, (piece.sku, 0))
                    lines[piece.line] = (piece.sku, units + piece.quantity)
        for allocation, claim in self._parcels.items():
            asked = claim.asked
            self.emit(
                OrderAllocated(
                    location=self._allocations[allocation].location,
                    allocation=allocation,
                    order=claim.order,
                    shard=self.shard,
                    customer=asked.customer,
                    placed_at=asked.placed_at,
                    allocated_at=self.now,
                    destination=asked.destination,
                    window=asked.window,
                    lines=tuple(
                        AllocatedLine(line=line, sku=sku, quantity=units)
                        for line, (sku, units) in contents[allocation].items()
                    ),
                ),
                claim=claim,
            )


def pieces_in(claim: Claim, *states: PieceState) -> Iterator[tuple[int, Piece]]:
    """Yield the numbered pieces that are in one of the states, as they are when this is called."""
    return iter([(n, piece) for n, piece in enumerate(claim.pieces) if piece.state in states])
