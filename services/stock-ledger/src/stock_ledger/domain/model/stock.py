"""What is where: balances by lot, and the places that they make up."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zlib import crc32

SLOTS = 86_400
"""A sku is looked over once a day, in the second of the day that its name falls on."""


def slot_of(sku: str) -> int:
    """Return the second of the day, 0 to 86,399, in which a sku is looked over."""
    return crc32(sku.encode()) % SLOTS


class BalanceKey(NamedTuple):
    """A balance's identity; `lot` is empty where there are none."""

    sku: str
    location: str
    lot: str


@dataclass(slots=True)
class Balance:
    """Units of one lot of a sku at one location, by account. A draft copies it to change it.

    Invariant: none is negative.

    Attributes:
        sku: What.
        location: Where.
        lot: Which lot; empty where there are none, and for what waits.
        pool: Whose location it is.
        issued_at: When units last left, or when the balance began.
        expires_on: The last day on which the lot can be sold.
        free: Promised to nobody. The others are named as their accounts.
    """

    sku: str
    location: str
    lot: str
    pool: str
    issued_at: datetime
    expires_on: date | None = None
    free: int = 0
    reserved: int = 0
    held: int = 0
    damaged: int = 0
    quality_hold: int = 0
    in_transit: int = 0
    backordered: int = 0

    @property
    def key(self) -> BalanceKey:
        """Return its identity."""
        return BalanceKey(self.sku, self.location, self.lot)

    @property
    def on_hand(self) -> int:
        """Return the units on the shelf, in whatever condition, promised or not."""
        return self.free + self.reserved + self.held + self.damaged + self.quality_hold

    def copy(self) -> "Balance":
        """Return a balance that can be changed without changing this one."""
        return Balance(
            self.sku,
            self.location,
            self.lot,
            self.pool,
            self.issued_at,
            self.expires_on,
            self.free,
            self.reserved,
            self.held,
            self.damaged,
            self.quality_hold,
            self.in_transit,
            self.backordered,
        )


def total(balances: list[Balance]) -> Balance:
    """Return the sum over the lots of one sku at one location; there is at least one."""
    first = balances[0]
    if len(balances) == 1:
        return first
    return Balance(
        first.sku,
        first.location,
        "",
        first.pool,
        max(one.issued_at for one in balances),
        None,
        sum(one.free for one in balances),
        sum(one.reserved for one in balances),
        sum(one.held for one in balances),
        sum(one.damaged for one in balances),
        sum(one.quality_hold for one in balances),
        sum(one.in_transit for one in balances),
        sum(one.backordered for one in balances),
    )
