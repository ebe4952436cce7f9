"""Waves, routes and shipments, as they stand."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query

from dispatcher.domain.model import Route, Shipment
from restock_common.runtime.problems import Problem
from restock_common.units import Identifier, LocationId

Limit = Annotated[int, Query(ge=1, le=1000)]


class Dispatches(Protocol):
    """What is shown; the implementation is `store.PostgresDispatches`."""

    async def shipments(self, allocations: Sequence[str]) -> dict[str, Shipment]:
        """Return the shipments that are known, by allocation."""

    async def waves(self, location: str | None, limit: int) -> list[Mapping[str, Any]]:
        """Return waves, the latest first."""

    async def routes(self, location: str, limit: int) -> list[Route]:
        """Return a warehouse's routes, the latest first."""


def router(dispatches: Dispatches) -> APIRouter:
    """Return the reading routes."""
    routes = APIRouter(tags=["reads"])

    @routes.get("/waves")
    async def waves(location: LocationId | None = None, limit: Limit = 100) -> dict[str, Any]:
        """Return waves with what waits in each and how many routes it has, the latest first."""
        return {"waves": [dict(row) for row in await dispatches.waves(location, limit)]}

    @routes.get("/routes")
    async def planned_routes(location: LocationId, limit: Limit = 100) -> dict[str, Any]:
        """Return a warehouse's routes, the latest departure first."""
        return {"routes": [_route(route) for route in await dispatches.routes(location, limit)]}

    @routes.get("/shipments/{allocation}")
    async def shipment(allocation: Identifier) -> dict[str, Any]:
        """Return one shipment."""
        found = (await dispatches.shipments([allocation])).get(allocation)
        if found is None:
            raise Problem(404, f"allocation {allocation!r} is not known")
        return _shipment(found)

    return routes


def _route(route: Route) -> dict[str, Any]:
    return {
        "route": route.route,
        "wave": route.wave,
        "plan_version": route.plan_version,
        "state": route.state,
        "vehicle": route.vehicle,
        "departs_at": route.departs_at,
        "returns_at": route.returns_at,
        "distance_km": route.metres / 1000,
        "load_grams": sum(stop.grams for stop in route.stops),
        "stops": [
            {
                "allocation": stop.allocation,
                "order": stop.order,
                "destination": stop.destination,
                "arrives_at": stop.arrives_at,
                "distance_km": stop.metres / 1000,
            }
            for stop in route.stops
        ],
    }


def _shipment(shipment: Shipment) -> dict[str, Any]:
    return {
        "allocation": shipment.allocation,
        "order": shipment.order,
        "location": shipment.location,
        "status": shipment.status,
        "wave": shipment.wave,
        "route": shipment.route,
        "destination": shipment.destination,
        "window": shipment.window,
        "units": shipment.units,
        "allocated_at": shipment.allocated_at,
        "waves_missed": shipment.missed,
        "reason": shipment.reason,
        "delivered_at": shipment.delivered_at,
    }
