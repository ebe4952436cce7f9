"""restock.dispatch.v1: what leaves the warehouse, keyed by location."""

from typing import Annotated, ClassVar

from pydantic import Field

from restock_common.contracts.event import Contract, Event
from restock_common.contracts.ledger import Place
from restock_common.contracts.topics import DISPATCH, Topic
from restock_common.units import Identifier, LocationId, OrderId, Timestamp


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


class RoutePlanned(DispatchEvent):
    """One vehicle's tour: leaves the warehouse, serves its stops, returns."""

    route: Identifier
    wave: Identifier
    plan_version: Annotated[int, Field(ge=1)]
    vehicle: Identifier
    departs_at: Timestamp
    returns_at: Timestamp
    distance_km: Annotated[float, Field(ge=0)]
    load_grams: Annotated[int, Field(ge=0)]
    stops: Annotated[tuple[Stop, ...], Field(min_length=1)]


class ShipmentUnserved(DispatchEvent):
    """No route takes this parcel now, and why; it stays waiting for the next wave."""

    allocation: Identifier
    order: OrderId
    wave: Identifier
    reason: str


class ShipmentDelivered(DispatchEvent):
    """The carrier confirmed that the customer has it."""

    allocation: Identifier
    order: OrderId
    route: Identifier
    delivered_at: Timestamp


class WithdrawalRefused(DispatchEvent):
    """The allocation was asked back too late: its vehicle has left, or it is not known."""

    allocation: Identifier
    order: OrderId
    reason: str
