"""What the books know beside claims and balances: each a value under a key, replaced as a whole."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from restock_common.contracts.stock import AlertKind


class Fact(Protocol):
    """A frozen value; the last one under a key counts."""

    @property
    def key(self) -> Hashable:
        """What it is known by among its kind."""


@dataclass(frozen=True, slots=True)
class Booking:
    """Something from outside that was booked, and counts once: a receipt, a count, a return."""

    kind: str
    id: str

    @property
    def key(self) -> tuple[str, str]:
        """Return kind and id."""
        return self.kind, self.id


@dataclass(frozen=True, slots=True)
class KnownSku:
    """A sku that the shard was told of."""

    sku: str

    @property
    def key(self) -> str:
        """Return the sku."""
        return self.sku


@dataclass(frozen=True, slots=True)
class KnownLocation:
    """A location that the shard was told of, and its pool."""

    location: str
    pool: str

    @property
    def key(self) -> str:
        """Return the location."""
        return self.location


@dataclass(frozen=True, slots=True)
class Shelf:
    """How a sku is kept at a location, and what its counts have shown.

    Attributes:
        sku: What.
        location: Where.
        pool: Whose.
        safety_buffer: Never promised to anyone.
        channel_buffers: Kept from a channel, on top of that.
        safety_stock: An alert is raised while fewer are free.
        overstock_above: An alert is raised while more are on hand.
        counted_at: When it was last counted.
        counts: How often.
        counts_wrong: How often the books were wrong.
        losses: How many of the last counts, one after the other, found less than the books.
    """

    sku: str
    location: str
    pool: str
    safety_buffer: int = 0
    channel_buffers: Mapping[str, int] = field(default_factory=dict)
    safety_stock: int = 0
    overstock_above: int | None = None
    counted_at: datetime | None = None
    counts: int = 0
    counts_wrong: int = 0
    losses: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """Return sku and location."""
        return self.sku, self.location

    def kept_from(self, channel: str | None) -> int:
        """Return how many free units a channel cannot have."""
        if channel is None:
            return self.safety_buffer
        return self.safety_buffer + self.channel_buffers.get(channel, 0)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a purchase order line is expected to bring; preorders are promised from it."""

    expected: str
    sku: str
    location: str
    pool: str
    quantity: int
    received: int
    expected_at: datetime

    @property
    def key(self) -> str:
        """Return its id."""
        return self.expected


@dataclass(frozen=True, slots=True)
class Inbound:
    """What a transfer has sent to a location, and what of it has arrived, by line and lot."""

    transfer: str
    line: str
    lot: str
    sku: str
    location: str
    pool: str
    shipped: int = 0
    received: int = 0
    lost: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """Return transfer, line and lot."""
        return self.transfer, self.line, self.lot

    @property
    def coming(self) -> int:
        """Return the units that are on their way."""
        return max(0, self.shipped - self.received - self.lost)


@dataclass(frozen=True, slots=True)
class Serial:
    """One unit that is told apart: where it is, or with which parcel it left."""

    sku: str
    serial: str
    location: str
    allocation: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Return sku and serial."""
        return self.sku, self.serial


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that stands."""

    sku: str
    location: str
    lot: str
    kind: AlertKind
    pool: str
    reason: str
    raised_at: datetime

    @property
    def key(self) -> tuple[str, str, str, AlertKind]:
        """Return what it is about."""
        return self.sku, self.location, self.lot, self.kind
