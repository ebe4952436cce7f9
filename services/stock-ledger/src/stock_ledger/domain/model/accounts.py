"""Where units can stand, and how they move: double entry."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Account(StrEnum):
    """Where units can stand; every movement takes them from one account to another.

    Goods: supplier, customer, adjustment and transit are the world outside. Kept at each location
    are free (promised to nobody), reserved, held (for carts), damaged and quality_hold, which make
    up on_hand, and in_transit, which is on its way there. Promises: ordered is the world outside,
    promised what is being seen to, backordered what waits (at a location), fulfilled what has been
    shipped, passed_on what another pool has taken.
    """

    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    ADJUSTMENT = "adjustment"
    TRANSIT = "transit"
    FREE = "free"
    RESERVED = "reserved"
    HELD = "held"
    DAMAGED = "damaged"
    QUALITY_HOLD = "quality_hold"
    IN_TRANSIT = "in_transit"
    ORDERED = "ordered"
    PROMISED = "promised"
    BACKORDERED = "backordered"
    FULFILLED = "fulfilled"
    PASSED_ON = "passed_on"

    # Enum hashes by a function of its own; as keys these are looked up some fifty times an order.
    __hash__ = str.__hash__


KEPT: dict[Account, str] = {
    account: account.value
    for account in (
        Account.FREE,
        Account.RESERVED,
        Account.HELD,
        Account.DAMAGED,
        Account.QUALITY_HOLD,
        Account.IN_TRANSIT,
        Account.BACKORDERED,
    )
}
"""The accounts that a balance has, and its attributes for them."""

SELLABLE = (Account.FREE, Account.RESERVED, Account.HELD)
"""The accounts of units in sellable condition, promised or not."""


class Movement(NamedTuple):
    """Units that went from one account to another.

    Attributes:
        sku: What.
        location: Where; for promises, where they wait or the nearest location.
        lot: Of which lot; empty where there are none.
        source: The account that they left.
        target: The account that they are on.
        units: At least one.
        order: The order, hold or transfer that it was for.
        offer: Which claim of it.
        line: Which line of it.
        effective_at: When it happened; earlier than it was recorded where it was told late.
    """

    sku: str
    location: str
    lot: str
    source: Account
    target: Account
    units: int
    order: str | None
    offer: str | None
    line: str | None
    effective_at: datetime


class Entry(NamedTuple):
    """A movement as it stands in the journal, with what caused it and when it was recorded."""

    cause: str
    recorded_at: datetime
    movement: Movement
