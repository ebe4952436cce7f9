"""What the dispatcher keeps: shipments, the waves they wait in, and the routes they leave on."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from restock_common.contracts.ledger import DeliveryWindow, Place


class Status(StrEnum):
    """Where a shipment is; each is in one of these."""

    WAITING = "waiting"
    PLANNED = "planned"
    DEPARTED = "departed"
    DELIVERED = "delivered"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Shipment:
    """One allocation on its way to the customer.

    Attributes:
        allocation: Its id.
        order: What it belongs to.
        location: The warehouse it leaves.
        shard: The ledger shard that owns its reservation.
        destination: Where it goes.
        window: When the customer can take it.
        units: Units by sku.
        allocated_at: When its stock was promised.
        traceparent: The trace of the order, kept so that one trace runs on to the route.
        status: Where it is.
        wave: The wave it waits in or was planned by.
        route: The route it is on, or left on.
        missed: How many waves have left it out.
        reason: Why the last one did, or why it could not be delivered.
        delivered_at: When the customer had it.
        attempts: How often it left and could not be delivered. The ledger has heard of its first
            departure, and hears of no other.
        failed_at: When the last of them failed.
    """

    allocation: str
    order: str
    location: str
    shard: int
    destination: Place
    window: DeliveryWindow | None
    units: dict[str, int]
    allocated_at: datetime
    traceparent: str | None
    status: Status
    wave: str
    route: str | None = None
    missed: int = 0
    reason: str | None = None
    delivered_at: datetime | None = None
    attempts: int = 0
    failed_at: datetime | None = None


class WaveKind(StrEnum):
    """What made a wave."""

    REGULAR = "regular"
    """The day's cut-off."""
    URGENT = "urgent"
    """Windows that end before the next regular wave's vehicles drive."""
    REPAIR = "repair"
    """A vehicle that cannot drive, and what was planned for it."""


@dataclass(frozen=True, slots=True)
class Wave:
    """The shipments of one warehouse that are planned together.

    Attributes:
        wave: Its id.
        location: The warehouse.
        source: The writer that this warehouse's allocations and time come from.
        cut_off: Allocations before it belong here; no vehicle leaves with them before it.
        day: The midnight UTC that begins the day on which its vehicles drive.
        kind: What made it.
        number: Waves of one cut-off are told apart by it, where one was full before.
        version: Counts what makes a plan for it stale: a plan answers one version.
        size: How many shipments wait in it.
        closed_at: The time that closed it; None while it gathers.
        planned: Whether what waited in it has been planned.
    """

    wave: str
    location: str
    source: str
    cut_off: datetime
    day: datetime
    kind: WaveKind = WaveKind.REGULAR
    number: int = 0
    version: int = 0
    size: int = 0
    closed_at: datetime | None = None
    planned: bool = False

    def with_more(self, count: int) -> "Wave":
        """Return the wave with so many shipments more, or fewer: its next version."""
        return replace(self, size=self.size + count, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What the vehicles of one warehouse do on one day: its routes.

    Attributes:
        plan: Its id.
        location: The warehouse.
        day: The midnight UTC that begins the day.
        version: Raised by whatever changes one of its routes; a plan that was made for another
            version is not committed.
    """

    plan: str
    location: str
    day: datetime
    version: int = 0

    def changed(self) -> "DayPlan":
        """Return its next version."""
        return replace(self, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class Absence:
    """A vehicle that cannot drive.

    Attributes:
        vehicle: Which.
        location: Its home warehouse.
        since: From when on.
        until: When it can drive again; None where nobody knows.
        reason: Why.
    """

    vehicle: str
    location: str
    since: datetime
    until: datetime | None
    reason: str
