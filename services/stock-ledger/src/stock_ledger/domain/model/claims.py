"""What asks for units: orders, offered lines, cart holds and transfers, and their pieces."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from restock_common.contracts.ledger import (
    CartHeld,
    LineOffered,
    OrderLine,
    OrderPlaced,
    TransferOrdered,
)
from stock_ledger.domain.model.accounts import Account

HOME = ""
"""The offer of a claim that is an order at its home pool: none."""

HOLD = "hold"
"""Stands for the offer where the claim is a cart hold, named by the hold's id."""

TRANSFER = "transfer"
"""Stands for the offer where the claim is a transfer at its source, named by the transfer's id."""

_NO_ORDER = frozenset({HOLD, TRANSFER})

Asked = OrderPlaced | LineOffered | CartHeld | TransferOrdered


class PieceState(StrEnum):
    """What has become of some units of a line."""

    ASKED = "asked"
    """Not decided yet: only within a decision, which leaves no piece so."""
    HELD = "held"
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
    RETURNED = "returned"
    CANCELLED = "cancelled"
    COMMITTED = "committed"
    """Of a hold: an order has taken them over."""

    # Enum hashes by a function of its own; as keys these are looked up some fifty times an order.
    __hash__ = str.__hash__


PROMISES: dict[PieceState, Account] = {
    PieceState.ASKED: Account.PROMISED,
    PieceState.OFFERED: Account.PROMISED,
    PieceState.REFUSED: Account.PROMISED,
    PieceState.ACCEPTED: Account.PASSED_ON,
    PieceState.RESERVED: Account.PROMISED,
    PieceState.RECALLED: Account.BACKORDERED,
    PieceState.BACKORDERED: Account.BACKORDERED,
    PieceState.SHIPPED: Account.FULFILLED,
    PieceState.RETURNED: Account.ORDERED,
    PieceState.CANCELLED: Account.ORDERED,
}
"""On which account the promise of an order's piece stands; holds and transfers promise nothing."""

GOODS: dict[PieceState, Account] = {
    PieceState.ASKED: Account.FREE,
    PieceState.HELD: Account.HELD,
    PieceState.OFFERED: Account.FREE,
    PieceState.REFUSED: Account.FREE,
    PieceState.ACCEPTED: Account.FREE,
    PieceState.RESERVED: Account.RESERVED,
    PieceState.RECALLED: Account.FREE,
    PieceState.BACKORDERED: Account.FREE,
    PieceState.SHIPPED: Account.CUSTOMER,
    PieceState.RETURNED: Account.CUSTOMER,
    PieceState.CANCELLED: Account.FREE,
    PieceState.COMMITTED: Account.FREE,
}
"""On which account the goods of a piece stand; free is for anyone. What has been returned is
booked where it came back to."""

TRANSFER_GOODS = {**GOODS, PieceState.SHIPPED: Account.TRANSIT}
"""The same for a transfer's pieces."""


class ClaimState(StrEnum):
    """Where a claim stands."""

    PENDING = "pending"
    """An offer that is answered when time next advances."""
    OPEN = "open"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    HELD = "held"
    """A hold that has neither become an order nor ended."""
    ENDED = "ended"
    """A hold that has."""


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


class Piece(NamedTuple):
    """Some units of one line that share a fate; the pieces of a line add up to its quantity.

    Attributes:
        line: The order's line.
        sku: What it is; a component's where the line is a kit.
        quantity: Units, at least one.
        state: What has become of them.
        location: Where they are reserved or wait; elsewhere the nearest location of the pool.
        lot: Which lot they are of; empty where there are none, or not yet.
        reservation: The last reservation of them.
        allocation: The parcel that they are or were in.
        offer: The last offer made of them to another pool.
        rank: How many pools have been asked.
        since: Event time at which the last pool refused it, where all have.
        expected: The receipt that a preorder is promised from.
        cut: Called off, but not ours to end: the parcel, or the other pool, answers first.
    """

    line: str
    sku: str
    quantity: int
    state: PieceState
    location: str
    lot: str = ""
    reservation: str | None = None
    allocation: str | None = None
    offer: str | None = None
    rank: int = 0
    since: datetime | None = None
    expected: str | None = None
    cut: bool = False


@dataclass(slots=True)
class Claim:
    """What asks for units of this shard.

    A draft copies a claim before it changes it.

    Attributes:
        order: The order's id; of a hold or a transfer its own.
        offer: What kind of claim it is: `HOME`, `HOLD`, `TRANSFER`, or the offer that brought it.
        state: Where it stands.
        since: Event time of the message that brought it.
        placed: What is asked, as last amended; None where a cancellation came before it.
        traceparent: The trace context of what was asked.
        return_expected: Units were shipped although they were called off.
        revision: Of the last amendment that was taken.
        cancelled_at: When it was last called off; what was called off no later is known.
        pieces: All of its units; a piece's number is its index, and pieces are never removed.
        key: Its identity.
        pool: The pool that serves it.
        locations: That pool's locations, near to far.
    """

    order: str
    offer: str
    state: ClaimState
    since: datetime
    placed: Asked | None = None
    traceparent: str | None = None
    return_expected: bool = False
    revision: int = 0
    cancelled_at: datetime | None = None
    pieces: list[Piece] = field(default_factory=list)
    key: ClaimKey = field(init=False, compare=False)
    pool: str = field(init=False, default="")
    locations: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        self.key = ClaimKey(self.order, self.offer)
        if self.placed is not None:
            self.place(self.placed)

    def place(self, placed: Asked) -> None:
        """Take in what is asked."""
        self.placed = placed
        if isinstance(placed, TransferOrdered):
            self.pool, self.locations = placed.source.pool, (placed.source.location,)
            return
        source = placed.sourcing[0] if isinstance(placed, OrderPlaced) else placed.sourcing
        self.pool = source.pool
        # A location named twice must not count twice.
        self.locations = tuple(dict.fromkeys([place.location for place in source.locations]))

    @property
    def is_order(self) -> bool:
        """Return whether a customer asks, at home or through another pool."""
        return self.offer not in _NO_ORDER

    @property
    def asked(self) -> OrderPlaced | LineOffered:
        """Return what a customer asked, of a claim that is known to be an order's."""
        assert isinstance(self.placed, OrderPlaced | LineOffered), f"{self.key} is no order"
        return self.placed

    @property
    def home_pool(self) -> str:
        """Return the pool that the order belongs to."""
        placed = self.placed
        return placed.home_pool if isinstance(placed, LineOffered) else self.pool

    @property
    def channel(self) -> str | None:
        """Return where it was sold: a channel may be kept from some of the stock."""
        return None if isinstance(self.placed, TransferOrdered | None) else self.placed.channel

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        """Return what the customer asks for, line by line."""
        asked = self.asked
        return asked.lines if isinstance(asked, OrderPlaced) else (asked.line,)

    @property
    def ship_complete(self) -> bool:
        """Return whether all of it is to be served together."""
        return isinstance(self.placed, OrderPlaced) and self.placed.ship_complete

    def copy(self) -> "Claim":
        """Return a claim that can be changed without changing this one."""
        twin = Claim(
            self.order,
            self.offer,
            self.state,
            self.since,
            None,
            self.traceparent,
            self.return_expected,
            self.revision,
            self.cancelled_at,
            list(self.pieces),
        )
        twin.placed, twin.pool, twin.locations = self.placed, self.pool, self.locations
        return twin


@dataclass(frozen=True, slots=True)
class Allocation:
    """One parcel: the reserved pieces of one order at one location; `route` once it has left."""

    allocation: str
    order: str
    location: str
    state: AllocationState = AllocationState.OPEN
    route: str | None = None
