"""The plans of warehouses' days, as they stand: JSON and GeoJSON."""

from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from dispatcher.api.shown import plan_geojson, plan_json
from dispatcher.domain.model import DayPlan
from dispatcher.domain.route import Route
from restock_common.runtime.problems import Problem
from restock_common.units import Identifier, LocationId

Limit = Annotated[int, Query(ge=1, le=1000)]


class GeoJson(JSONResponse):
    """A JSON answer by the name that maps know it by."""

    media_type = "application/geo+json"


class Plans(Protocol):
    """What is shown; the implementation is `store.PostgresDispatches`."""

    async def plans(self, location: str | None, limit: int) -> list[DayPlan]:
        """Return plans, the latest day first."""

    async def plan(self, plan: str) -> tuple[DayPlan, list[Route]] | None:
        """Return a plan and its routes."""


def router(known: Plans) -> APIRouter:
    """Return the routes that show plans."""
    routes = APIRouter(tags=["reads"])

    @routes.get("/plans")
    async def plans(location: LocationId | None = None, limit: Limit = 100) -> dict[str, Any]:
        """Return the plans of warehouses' days, the latest day first."""
        found = await known.plans(location, limit)
        return {
            "plans": [
                {
                    "plan": one.plan,
                    "location": one.location,
                    "day": one.day.date(),
                    "version": one.version,
                }
                for one in found
            ]
        }

    @routes.get("/plans/{plan}.geojson", response_class=GeoJson)
    async def plan_map(plan: Identifier) -> GeoJson:
        """Return a plan for a map: a line and its stops for each route."""
        return GeoJson(jsonable_encoder(plan_geojson(*await known_plan(plan))))

    @routes.get("/plans/{plan}")
    async def plan(plan: Identifier) -> dict[str, Any]:
        """Return the plan of a warehouse's day: its version and its routes."""
        return plan_json(*await known_plan(plan))

    async def known_plan(plan: str) -> tuple[DayPlan, list[Route]]:
        found = await known.plan(plan)
        if found is None:
            raise Problem(404, f"plan {plan!r} is not known")
        return found

    return routes
