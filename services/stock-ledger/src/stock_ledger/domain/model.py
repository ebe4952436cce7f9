"""What the books are made of: balances, claims and their pieces, allocations, movements."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from restock_common.contracts.ledger import LineOffered, OrderPlaced

HOME = ""
"""The offer of a claim that is an order at its home pool: none."""


class Account(StrEnum):
    """Where units can stand; every movement takes them from one account to another.

    Goods: supplier, customer and adjustment are the world outside; available and reserved are
    kept at each location, and make up on_hand. Promises: ordered is the world outside, promised
    what is being seen to, backordered what waits (at a location), fulfilled what has been
    shipped, passed_on what another pool has taken.
    """

    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    ADJUSTMENT = "adjustment"
    AVAILABLE = "available"
    RESERVED = "reserved"
    ORDERED = "ordered"
    PROMISED = "promised"
    BACKORDERED = "backordered"
    FULFILLED = "fulfilled"
    PASSED_ON = "passed_on"


class PieceState(StrEnum):
    """What has become of some units of a line."""

    ASKED = "asked"
    """Not decided yet: only within a decision, which leaves no piece so."""
    OFFERED = "offered"
    REFUSED = "refused"
    """Every pool has refused it: it ends at home when time next advances."""
    ACCEPTED = "accepted"
    """Another pool serves it; what becomes of it is told by that pool's claim."""
    RESERVED = "reserved"
    RECALLED = "recalled"
    """Found missing by a count: it waits for the answer of its allocation, since it may have left
    all the same, and is served again only after that."""
    BACKORDERED = "backordered"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


PROMISES: dict[PieceState, Account] = {
    PieceState.ASKED: Account.PROMISED,
    PieceState.OFFERED: Account.PROMISED,
    PieceState.REFUSED: Account.PROMISED,
    PieceState.ACCEPTED: Account.PASSED_ON,
    PieceState.RESERVED: Account.PROMISED,
    PieceState.RECALLED: Account.BACKORDERED,
    PieceState.BACKORDERED: Account.BACKORDERED,
    PieceState.SHIPPED: Account.FULFILLED,
    PieceState.CANCELLED: Account.ORDERED,
}
"""On which account the promise of a piece stands."""

GOODS: dict[PieceState, Account] = {
    PieceState.ASKED: Account.AVAILABLE,
    PieceState.OFFERED: Account.AVAILABLE,
    PieceState.REFUSED: Account.AVAILABLE,
    PieceState.ACCEPTED: Account.AVAILABLE,
    PieceState.RESERVED: Account.RESERVED,
    PieceState.RECALLED: Account.AVAILABLE,
    PieceState.BACKORDERED: Account.AVAILABLE,
    PieceState.SHIPPED: Account.CUSTOMER,
    PieceState.CANCELLED: Account.AVAILABLE,
}
"""On which account the goods of a piece stand; available is free for anyone."""


class ClaimState(StrEnum):
    """Where a claim stands."""

    PENDING = "pending"
    """An offer that is answered when time next advances."""
    OPEN = "open"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class AllocationState(StrEnum):
    """Where a parcel stands."""

    OPEN = "open"
    CANCEL_REQUESTED = "cancel_requested"
    SHIPPED = "shipped"
    WITHDRAWN = "withdrawn"
    """Given back; its units are released when time next advances."""
    RELEASED = "released"


class ClaimKey(NamedTuple):
    """A claim's identity: its order, and the offer it came with (`HOME` for none)."""

    order: str
    offer: str


@dataclass(frozen=True, slots=True)
class Balance:
    """Units of one sku at one location.

    Invariant: none is negative; on_hand = available + reserved.
    """

    sku: str
    location: str
    pool: str
    available: int = 0
    reserved: int = 0
    backordered: int = 0

    @property
    def on_hand(self) -> int:
        """Return the units on the shelf, promised or not."""
        return self.available + self.reserved


@dataclass(frozen=True, slots=True)
class Piece:
    """Some units of one line that share a fate; the pieces of a line add up to its quantity.

    Attributes:
        line: The order's line.
        sku: What it is.
        quantity: Units, at least one.
        state: What has become of them.
        location: Where they are reserved or wait; elsewhere the nearest location of the pool.
        allocation: The parcel that they are or were in.
        offer: The last offer made of them to another pool.
        rank: How many pools have been asked.
        since: Event time at which the last pool refused it, where all have.
    """

    line: str
    sku: str
    quantity: int
    state: PieceState
    location: str
    allocation: str | None = None
    offer: str | None = None
    rank: int = 0
    since: datetime | None = None


@dataclass(slots=True)
class Claim:
    """What asks for units of this shard: an order at home, or a line that was offered to it.

    A draft copies a claim before it changes it.

    Attributes:
        order: The order.
        offer: The offer that brought it; `HOME` for an order at its home pool.
        state: Where it stands.
        placed: What was asked; None where a cancellation came before it.
        since: Event time of the message that brought it.
        traceparent: The trace context of what was asked.
        return_expected: Units were shipped although it was cancelled.
        pieces: All of its units; a piece's number is its index, and pieces are never removed.
        pool: The pool that serves it.
        locations: That pool's locations, near to far.
    """

    order: str
    offer: str
    state: ClaimState
    since: datetime
    placed: OrderPlaced | LineOffered | None = None
    traceparent: str | None = None
    return_expected: bool = False
    pieces: list[Piece] = field(default_factory=list)
    pool: str = field(init=False, default="")
    locations: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        if self.placed is not None:
            self.place(self.placed)

    def place(self, placed: OrderPlaced | LineOffered) -> None:
        """Take in what was asked."""
        source = placed.sourcing[0] if isinstance(placed, OrderPlaced) else placed.sourcing
        self.placed = placed
        self.pool = source.pool
        # A location named twice must not count twice.
        self.locations = tuple(dict.fromkeys(place.location for place in source.locations))

    @property
    def key(self) -> ClaimKey:
        """Return its identity."""
        return ClaimKey(self.order, self.offer)

    @property
    def asked(self) -> OrderPlaced | LineOffered:
        """Return what was asked, of a claim that is known to have been placed."""
        assert self.placed is not None, f"claim {self.key} was never placed"
        return self.placed

    @property
    def home_pool(self) -> str:
        """Return the pool that the order belongs to."""
        placed = self.asked
        return placed.home_pool if isinstance(placed, LineOffered) else self.pool

    def copy(self) -> "Claim":
        """Return a claim that can be changed without changing this one."""
        return replace(self, pieces=list(self.pieces))


@dataclass(frozen=True, slots=True)
class Allocation:
    """One parcel: the reserved pieces of one order at one location."""

    allocation: str
    order: str
    location: str
    state: AllocationState = AllocationState.OPEN


class Movement(NamedTuple):
    """Units that went from one account to another; `order` and `line` where it was for one."""

    sku: str
    location: str
    source: Account
    target: Account
    units: int
    order: str | None = None
    offer: str | None = None
    line: str | None = None
