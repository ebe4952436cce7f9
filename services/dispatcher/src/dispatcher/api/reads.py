"""Waves, routes and shipments, as they stand."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from dispatcher.api.shown import manifest_html, route_json, shipment_json
from dispatcher.domain.model import Shipment
from dispatcher.domain.route import Route
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

    async def routes_by_id(self, routes: Sequence[str]) -> dict[str, Route]:
        """Return routes by their ids."""


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
        return {"routes": [route_json(route) for route in await dispatches.routes(location, limit)]}

    @routes.get("/routes/{route}/manifest", response_class=HTMLResponse)
    async def manifest(route: Identifier) -> HTMLResponse:
        """Return a route for print: what is brought where, and when."""
        found = (await dispatches.routes_by_id([route])).get(route)
        if found is None:
            raise Problem(404, f"route {route!r} is not known")
        names = [stop.allocation for stop in found.stops]
        return HTMLResponse(manifest_html(found, await dispatches.shipments(names)))

    @routes.get("/shipments/{allocation}")
    async def shipment(allocation: Identifier) -> dict[str, Any]:
        """Return one shipment: where it is, and when it is expected."""
        found = (await dispatches.shipments([allocation])).get(allocation)
        if found is None:
            raise Problem(404, f"allocation {allocation!r} is not known")
        on = await dispatches.routes_by_id([found.route]) if found.route else {}
        return shipment_json(found, on.get(found.route or ""))

    return routes
