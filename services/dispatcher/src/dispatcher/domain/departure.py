"""Time passes on a warehouse's log: its waves close, and its routes leave."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from dispatcher.domain.change import Change, Told
from dispatcher.domain.model import DayPlan, Shipment, Status, Wave
from dispatcher.domain.route import Route, RouteState
from restock_common.contracts.ledger import ShipmentDispatched


def due(wave: Wave, source: str, until: datetime) -> bool:
    """Return whether time, as told by a writer, closes a wave."""
    return wave.closed_at is None and wave.source == source and wave.cut_off <= until


def leaves(route: Route, source: str, until: datetime) -> bool:
    """Return whether time, as told by a writer, makes a route leave."""
    return (
        route.state is RouteState.PLANNED and route.source == source and route.departs_at <= until
    )


def advance(
    source: str,
    until: datetime,
    waves: Iterable[Wave],
    routes: Iterable[Route],
    shipments: Mapping[str, Shipment],
    plans: Mapping[str, DayPlan],
) -> Change:
    """Close the waves and let go the routes that are due, in the order of their times."""
    closing = sorted((w for w in waves if due(w, source, until)), key=lambda w: (w.cut_off, w.wave))
    leaving = [route for route in routes if leaves(route, source, until)]
    left = depart(leaving, shipments, plans)
    return replace(left, waves=tuple(replace(wave, closed_at=until) for wave in closing))


def depart(
    routes: Iterable[Route], shipments: Mapping[str, Shipment], plans: Mapping[str, DayPlan]
) -> Change:
    """Let routes leave: each stop's units are now with the driver, and the ledger is told, once.

    A plan that is being made of a route that leaves is stale: the plan of the day has another
    version afterwards.

    Args:
        routes: Planned ones.
        shipments: All that are on them, by allocation.
        plans: The plans that they belong to, by id.
    """
    gone: list[Shipment] = []
    left: list[Route] = []
    told: list[Told] = []
    for route in sorted(routes, key=lambda one: (one.departs_at, one.route)):
        left.append(replace(route, state=RouteState.DEPARTED))
        for stop in route.stops:
            shipment = shipments[stop.allocation]
            assert shipment.status is Status.PLANNED, f"{stop.allocation} is {shipment.status}"
            assert shipment.route == route.route, f"{stop.allocation} is on {shipment.route}"
            gone.append(replace(shipment, status=Status.DEPARTED))
            if shipment.attempts > 0:
                continue  # its units left the stock with the first attempt
            event = ShipmentDispatched(
                allocation=shipment.allocation,
                order=shipment.order,
                location=shipment.location,
                route=route.route,
                dispatched_at=route.departs_at,
            )
            told.append(Told(event, shard=shipment.shard, traceparent=shipment.traceparent))
    touched = sorted({route.plan for route in left})
    changed = tuple(plans[plan].changed() for plan in touched)
    return Change(shipments=tuple(gone), routes=tuple(left), plans=changed, told=tuple(told))
