"""A route: one vehicle's committed tour, and how it changes before and after it has left."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dispatcher.domain.geography import road_metres
from restock_common.contracts.dispatch import RouteCancelled, RoutePlanned, Stop
from restock_common.contracts.ledger import Place
from restock_common.units import as_utc


class RouteState(StrEnum):
    """Where a route is."""

    PLANNED = "planned"
    DEPARTED = "departed"
    CANCELLED = "cancelled"


class Cause(StrEnum):
    """Why a route is told again."""

    WAVE = "wave"
    WITHDRAWN = "withdrawn"
    DELAYED = "delayed"


@dataclass(frozen=True, slots=True)
class RouteStop:
    """One stop of a route.

    Attributes:
        allocation: What is delivered.
        order: What it belongs to.
        destination: Where.
        planned_at: When the vehicle was to be there and the window open, as planned.
        metres: Driven from the stop before, or from the warehouse.
        grams: The parcel's weight.
        waits_s: How much of that is waiting for the window: lateness is caught up here.
        arrives_at: When it is expected now; as planned where nothing is told.
    """

    allocation: str
    order: str
    destination: Place
    planned_at: datetime
    metres: int
    grams: int
    waits_s: int
    arrives_at: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """What sets a version of a route apart from the one before it.

    Attributes:
        cause: Why there is another version.
        added: The allocations that are new on it.
        removed: Those that are no longer on it.
        retimed: Those that are on both, at another time.
    """

    cause: Cause = Cause.WAVE
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retimed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One vehicle's committed tour; its live stops are exactly its planned shipments.

    Attributes:
        route: Its id.
        plan: The plan of the day that it belongs to.
        wave: The wave that it was last planned for.
        location: Where it leaves and returns.
        source: The writer whose time makes it leave.
        vehicle: Which vehicle.
        depot: The warehouse's place.
        departs_at: When it leaves.
        returns_at: When it is back.
        metres: The whole tour.
        stops: In the order they are driven.
        plan_version: The plan's, when this route last changed.
        state: Where it is.
        trip: How many routes its vehicle has that day before this one.
        late_s: How late it is said to be.
    """

    route: str
    plan: str
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
    trip: int = 0
    late_s: int = 0

    def same_tour(self, other: "Route") -> bool:
        """Return whether a driver would notice no difference."""
        return self.departs_at == other.departs_at and self.stops == other.stops

    def changes_from(self, before: "Route | None", cause: Cause) -> Changes:
        """Return what is different from the version before, or from nothing."""
        earlier = {} if before is None else {stop.allocation: stop for stop in before.stops}
        here = {stop.allocation: stop for stop in self.stops}
        return Changes(
            cause=cause,
            added=tuple(name for name in here if name not in earlier),
            removed=tuple(name for name in earlier if name not in here),
            retimed=tuple(
                name
                for name, stop in here.items()
                if name in earlier and earlier[name].arrives_at != stop.arrives_at
            ),
        )

    def without(self, allocation: str, road_factor: float, plan_version: int) -> "Route":
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
            plan_version=plan_version,
            state=self.state if kept else RouteState.CANCELLED,
        )

    def late(self, late_s: int, ahead: Collection[str], plan_version: int) -> "Route":
        """Return the route so late, in seconds over the plan, for the stops that are ahead of it.

        Waiting for windows catches lateness up. The same lateness told again changes nothing.
        """
        rest_s, stops = late_s, []
        for stop in self.stops:
            if stop.allocation in ahead:
                rest_s -= min(rest_s, stop.waits_s)
                moved = replace(stop, arrives_at=stop.planned_at + timedelta(seconds=rest_s))
                stops.append(moved)
            else:
                stops.append(stop)
        back = self.returns_at + timedelta(seconds=rest_s - self._late_at_the_end_s(ahead))
        return replace(
            self, stops=tuple(stops), returns_at=back, late_s=late_s, plan_version=plan_version
        )

    def cancelled(self, plan_version: int) -> "Route":
        """Return the route as one that never leaves."""
        return replace(
            self, stops=(), metres=0, plan_version=plan_version, state=RouteState.CANCELLED
        )

    def planned(self, changes: Changes | None = None) -> RoutePlanned:
        """Return the event that tells of this version of the route."""
        changes = changes or self.changes_from(None, Cause.WAVE)
        return RoutePlanned(
            location=self.location,
            route=self.route,
            plan=self.plan,
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
                    arrives_at=as_utc(stop.arrives_at),
                    distance_km=stop.metres / 1000,
                )
                for stop in self.stops
            ),
            cause=changes.cause.value,
            added=changes.added,
            removed=changes.removed,
            retimed=changes.retimed,
        )

    def called_off(self, reason: str) -> RouteCancelled:
        """Return the event that tells that this route will not leave."""
        return RouteCancelled(
            location=self.location,
            route=self.route,
            plan=self.plan,
            plan_version=self.plan_version,
            vehicle=self.vehicle,
            reason=reason,
        )

    def _late_at_the_end_s(self, ahead: Collection[str]) -> int:
        """Return how late the last stop ahead is expected now."""
        for stop in reversed(self.stops):
            if stop.allocation in ahead:
                return round((stop.arrives_at - stop.planned_at).total_seconds())
        return 0
