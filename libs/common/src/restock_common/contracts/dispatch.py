"""restock.dispatch.v1: what leaves the warehouse, keyed by location."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from restock_common.contracts.event import Contract, Event
from restock_common.contracts.ledger import Place
from restock_common.contracts.topics import DISPATCH, Topic
from restock_common.units import Identifier, LocationId, OrderId, Text, Timestamp


class DispatchEvent(Event):
    """An event of one location."""

    topic: ClassVar[Topic] = DISPATCH

    location: LocationId

    @property
    def key(self) -> str:
        """Return the location."""
        return self.location


class Stop(Contract):
    """One delivery on a route, in the order it is driven."""

    allocation: Identifier
    order: OrderId
    destination: Place
    arrives_at: Timestamp
    distance_km: Annotated[float, Field(ge=0)]
    """Driven from the stop before, or from the warehouse."""


Allocations = tuple[Identifier, ...]
PlanVersion = Annotated[int, Field(ge=1)]


class RoutePlanned(DispatchEvent):
    """One vehicle's tour: leaves the warehouse, serves its stops, returns.

    Attributes:
        plan: The plan of the day that it belongs to.
        wave: The wave that it was last planned for.
        plan_version: The plan's, when this route changed; of one route the latest counts.
        cause: Why it is told: a wave was planned, a stop was withdrawn, the driver is late.
        added: Which allocations are new on it, against the version before.
        removed: Which are no longer on it.
        retimed: Which are on both and arrive at another time.
    """

    route: Identifier
    plan: Identifier | None = None
    wave: Identifier
    plan_version: PlanVersion
    vehicle: Identifier
    departs_at: Timestamp
    returns_at: Timestamp
    distance_km: Annotated[float, Field(ge=0)]
    load_grams: Annotated[int, Field(ge=0)]
    stops: Annotated[tuple[Stop, ...], Field(min_length=1)]
    cause: Literal["wave", "withdrawn", "delayed"] | None = None
    added: Allocations = ()
    removed: Allocations = ()
    retimed: Allocations = ()


class RouteCancelled(DispatchEvent):
    """A route that was planned will not leave; its stops are with others, wait or are withdrawn."""

    route: Identifier
    plan: Identifier
    plan_version: PlanVersion
    vehicle: Identifier
    reason: str


class ShipmentUnserved(DispatchEvent):
    """No route takes this parcel now, and why; it stays waiting for the next wave.

    Attributes:
        remedy: What would have let it in; empty where nothing that is known would.
    """

    allocation: Identifier
    order: OrderId
    wave: Identifier
    reason: str
    remedy: str = ""


class ShipmentDelivered(DispatchEvent):
    """The carrier confirmed that the customer has it."""

    allocation: Identifier
    order: OrderId
    route: Identifier
    delivered_at: Timestamp


class ShipmentFailed(DispatchEvent):
    """The customer does not have it: it waits for the next wave, or is brought back for good.

    Attributes:
        reason: Such as `not_home`.
        note: What the driver adds.
        attempt: How often it has been tried.
        final: Whether it is tried no more; a return tells the ledger what becomes of the goods.
    """

    allocation: Identifier
    order: OrderId
    route: Identifier
    failed_at: Timestamp
    reason: Identifier
    note: Text = ""
    attempt: Annotated[int, Field(ge=1)]
    final: bool


class WithdrawalRefused(DispatchEvent):
    """The allocation was asked back too late: its vehicle has left, or it is not known."""

    allocation: Identifier
    order: OrderId
    reason: str
