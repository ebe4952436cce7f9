"""The working set of one batch, and what a decision changes in it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from restock_common.transact import Emission
from stock_ledger.domain.model import (
    Allocation,
    AllocationState,
    Balance,
    Claim,
    ClaimKey,
    ClaimState,
    Movement,
    PieceState,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one message changes and what it makes known; nothing is changed until it is applied.

    Attributes:
        balances: By (sku, location), as they are afterwards.
        claims: As they are afterwards.
        allocations: By id, as they are afterwards.
        movements: In order.
        emissions: In order.
        receipt: The receipt that was booked.
        count: The count that was booked.
        duplicate: The message had been decided before: nothing changes.
    """

    balances: dict[tuple[str, str], Balance] = field(default_factory=dict)
    claims: dict[ClaimKey, Claim] = field(default_factory=dict)
    allocations: dict[str, Allocation] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    emissions: list[Emission] = field(default_factory=list)
    receipt: str | None = None
    count: str | None = None
    duplicate: bool = False


@dataclass(slots=True)
class Books:
    """One shard's books, as far as the messages of a batch need them.

    Decisions read them; only `apply` changes them, and notes what has to be saved.

    Attributes:
        shard: Whose books.
        balances: By (sku, location).
        shelves: The locations that hold or await a sku, by (pool, sku), in order of their names.
        orders: The claims of an order, by offer.
        allocations: By id.
        receipts: Receipts that have been booked.
        counts: Counts that have been booked.
        pending: Offers to be answered when time advances.
        refused: Claims that have, or had, pieces to be ended when time advances.
        withdrawn: Allocations to be released when time advances.
        waiting: Claims that have, or had, backordered pieces, by (pool, sku).
        reserved_at: Claims that have, or had, reserved pieces, by (sku, location).
        stored: Claims and allocations that the database has.
        changed_balances: Changed in this batch, as are the next two.
        changed_claims: By key.
        changed_allocations: By id.
        movements: With the id of the message that caused them.
        new_receipts: Receipts booked in this batch.
        new_counts: Counts booked in this batch.
    """

    shard: int
    balances: dict[tuple[str, str], Balance] = field(default_factory=dict)
    shelves: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    orders: dict[str, dict[str, Claim]] = field(default_factory=dict)
    allocations: dict[str, Allocation] = field(default_factory=dict)
    receipts: set[str] = field(default_factory=set)
    counts: set[str] = field(default_factory=set)
    pending: dict[ClaimKey, None] = field(default_factory=dict)
    refused: dict[ClaimKey, None] = field(default_factory=dict)
    withdrawn: dict[str, None] = field(default_factory=dict)
    waiting: dict[tuple[str, str], dict[ClaimKey, None]] = field(default_factory=dict)
    reserved_at: dict[tuple[str, str], dict[ClaimKey, None]] = field(default_factory=dict)
    stored: set[ClaimKey | str] = field(default_factory=set)
    changed_balances: dict[tuple[str, str], Balance] = field(default_factory=dict)
    changed_claims: dict[ClaimKey, Claim] = field(default_factory=dict)
    changed_allocations: dict[str, Allocation] = field(default_factory=dict)
    movements: list[tuple[str, Movement]] = field(default_factory=list)
    new_receipts: list[str] = field(default_factory=list)
    new_counts: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        shard: int,
        balances: Iterable[Balance] = (),
        claims: Iterable[Claim] = (),
        allocations: Iterable[Allocation] = (),
    ) -> "Books":
        """Return books that hold what the database has."""
        books = cls(shard)
        for balance in balances:
            books._put_balance(balance)
        for claim in claims:
            books._put_claim(claim)
            books.stored.add(claim.key)
        for allocation in allocations:
            books._put_allocation(allocation)
            books.stored.add(allocation.allocation)
        return books

    def claim(self, key: ClaimKey) -> Claim | None:
        """Return a claim, or None where it is not known."""
        return self.orders.get(key.order, {}).get(key.offer)

    def apply(self, cause: str, decision: Decision) -> None:
        """Take a decision's changes in, noting the id of the message that caused them."""
        for balance in decision.balances.values():
            self._put_balance(balance)
        for claim in decision.claims.values():
            self._put_claim(claim)
        for allocation in decision.allocations.values():
            self._put_allocation(allocation)
        self.changed_balances.update(decision.balances)
        self.changed_claims.update(decision.claims)
        self.changed_allocations.update(decision.allocations)
        self.movements.extend((cause, movement) for movement in decision.movements)
        if decision.receipt is not None:
            self.receipts.add(decision.receipt)
            self.new_receipts.append(decision.receipt)
        if decision.count is not None:
            self.counts.add(decision.count)
            self.new_counts.append(decision.count)

    def _put_balance(self, balance: Balance) -> None:
        key = (balance.sku, balance.location)
        if key not in self.balances:
            shelf = self.shelves.setdefault((balance.pool, balance.sku), [])
            shelf.append(balance.location)
            shelf.sort()
        self.balances[key] = balance

    def _put_allocation(self, allocation: Allocation) -> None:
        self.allocations[allocation.allocation] = allocation
        if allocation.state is AllocationState.WITHDRAWN:
            self.withdrawn[allocation.allocation] = None
        elif self.withdrawn:
            self.withdrawn.pop(allocation.allocation, None)

    def _put_claim(self, claim: Claim) -> None:
        key = claim.key
        self.orders.setdefault(claim.order, {})[claim.offer] = claim
        if claim.state is ClaimState.PENDING:
            self.pending[key] = None
        elif self.pending:
            self.pending.pop(key, None)
        for piece in claim.pieces:
            if piece.state is PieceState.RESERVED:
                self.reserved_at.setdefault((piece.sku, piece.location), {})[key] = None
            elif piece.state is PieceState.BACKORDERED:
                self.waiting.setdefault((claim.pool, piece.sku), {})[key] = None
            elif piece.state is PieceState.REFUSED:
                self.refused[key] = None
