"""What the dispatcher keeps: shipments, the waves they wait in, and the routes they leave on."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dispatcher.domain.geography import road_metres
from restock_common.contracts.dispatch import RoutePlanned, Stop
from restock_common.contracts.ledger import DeliveryWindow, Place
from restock_common.units import as_utc


class Status(StrEnum):
    """Where a shipment is; each is in one of these."""

    WAITING = "waiting"
    PLANNED = "planned"
    DEPARTED = "departed"
    DELIVERED = "delivered"
    WITHDRAWN = "withdrawn"


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
        reason: Why the last one did.
        delivered_at: When the customer had it.
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


@dataclass(frozen=True, slots=True)
class Wave:
    """The shipments of one warehouse that are planned together.

    Attributes:
        wave: Its id.
        location: The warehouse.
        source: The writer that this warehouse's allocations and time come from.
        cut_off: Allocations before it belong here; the vans leave on the day that follows.
        version: Counts the changes of membership: a plan answers one version.
        closed_at: The time that closed it; None while it gathers.
        planned: Whether its plan has been committed.
    """

    wave: str
    location: str
    source: str
    cut_off: datetime
    version: int = 0
    closed_at: datetime | None = None
    planned: bool = False


class RouteState(StrEnum):
    """Where a route is."""

    PLANNED = "planned"
    DEPARTED = "departed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RouteStop:
    """One stop of a route.

    Attributes:
        allocation: What is delivered.
        order: What it belongs to.
        destination: Where.
        arrives_at: When the van is there and the window is open.
        metres: Driven from the stop before, or from the warehouse.
        grams: The parcel's weight.
    """

    allocation: str
    order: str
    destination: Place
    arrives_at: datetime
    metres: int
    grams: int


@dataclass(frozen=True, slots=True)
class Route:
    """One van's committed tour; its live stops are exactly its planned shipments.

    Attributes:
        route: Its id.
        wave: The wave it serves.
        location: Where it leaves and returns.
        source: The writer whose time makes it leave.
        vehicle: Which van.
        depot: The warehouse's place.
        departs_at: When it leaves.
        returns_at: When it is back.
        metres: The whole tour.
        stops: In the order they are driven.
        plan_version: Raised when a stop is taken out.
        state: Where it is.
    """

    route: str
    wave: str
    location: str
    source: str
    vehicle: str
    depot: Place
    departs_at: datetime
    returns_at: datetime
    metres: int
    stops: tuple[RouteStop, ...]
    plan_version: int = 1
    state: RouteState = RouteState.PLANNED

    def without(self, allocation: str, road_factor: float) -> "Route":
        """Return the route with one stop less, its times kept; cancelled where none is left."""
        kept: list[RouteStop] = []
        here = self.depot
        for stop in self.stops:
            if stop.allocation != allocation:
                metres = road_metres(here, stop.destination, road_factor)
                kept.append(replace(stop, metres=metres))
                here = stop.destination
        home = road_metres(here, self.depot, road_factor)
        return replace(
            self,
            stops=tuple(kept),
            metres=sum(stop.metres for stop in kept) + home,
            plan_version=self.plan_version + 1,
            state=self.state if kept else RouteState.CANCELLED,
        )

    def planned(self) -> RoutePlanned:
        """Return the event that tells of this version of the route."""
        return RoutePlanned(
            location=self.location,
            route=self.route,
            wave=self.wave,
            plan_version=self.plan_version,
            vehicle=self.vehicle,
            departs_at=as_utc(self.departs_at),
            returns_at=as_utc(self.returns_at),
            distance_km=self.metres / 1000,
            load_grams=sum(stop.grams for stop in self.stops),
            stops=tuple(
                Stop(
                    allocation=stop.allocation,
                    order=stop.order,
                    destination=stop.destination,
                    arrives_at=stop.arrives_at,
                    distance_km=stop.metres / 1000,
                )
                for stop in self.stops
            ),
        )
