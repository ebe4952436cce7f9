"""The replenisher's windows and desk: positions, needs, orders, the sum behind each, risks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse

from replenisher.api.desk import Desk
from replenisher.api.desk import router as desk_router
from replenisher.api.schema import (
    Explanation,
    NeedView,
    OrderView,
    OrderWithLines,
    PositionView,
    RiskView,
    explained,
    position_view,
)
from replenisher.api.whatif import Whatif, WhatifAnswer, answer
from replenisher.domain.lead_time import LeadTimeRecord
from replenisher.domain.model import Position
from replenisher.domain.sending import csv_of
from replenisher.domain.terms import Policy, TermsBook
from restock_common.contracts.catalogue import Catalogue
from restock_common.errors import Transient
from restock_common.runtime import problems
from restock_common.runtime.problems import Problem
from restock_common.units import Identifier, LocationId, Sku

Row = Mapping[str, Any]
Limit = Annotated[int, Query(ge=1, le=1000)]


class Views(Protocol):
    """What the windows look at."""

    async def positions(self, sku: str) -> list[Position]:
        """Return a sku's positions, by location."""

    async def position(self, sku: str, location: str) -> Position | None:
        """Return one position; None where nothing was ever heard of it."""

    async def lead_times(self) -> dict[str, LeadTimeRecord]:
        """Return what was observed, by supplier."""

    async def purchase_orders(self, *, open_only: bool, limit: int) -> Sequence[Row]:
        """Return purchase orders, the newest first."""

    async def purchase_order(self, purchase_order: str) -> Row | None:
        """Return one purchase order."""

    async def order_lines(self, purchase_order: str) -> Sequence[Row]:
        """Return a purchase order's lines, by sku, with their reasons."""

    async def uncovered_needs(self, state: str, limit: int) -> Sequence[Row]:
        """Return needs that no order line covers, in one state."""

    async def covered_needs(self, limit: int) -> Sequence[Row]:
        """Return needs with the live order line that covers each."""

    async def risks(self, limit: int) -> Sequence[Row]:
        """Return risks that stand, the dearest first."""

    async def finance(self) -> Mapping[str, Any]:
        """Return open commitments, and the cash that they need by week."""

    async def stock(self) -> Sequence[Row]:
        """Return what lies on the shelves and what is expected to be asked for a day, by sku."""

    async def reviewable(self, skus: Sequence[str]) -> list[Position]:
        """Return the positions of some skus."""

    async def spent(self, supplier: str, since: datetime) -> float:
        """Return what was ordered of a supplier since a time, in money."""

    async def reviewed_until(self) -> datetime:
        """Return the time of the last review's cut."""


def make_api(
    views: Views, catalogue: Catalogue, policy: Policy, desk: Desk | None = None
) -> FastAPI:
    """Return the routes; health, metrics and progress are added by the service.

    Args:
        views: What the windows look at.
        catalogue: Master data, kept up to date by its reader.
        policy: The house's own choices.
        desk: Where orders are changed; without one they are only looked at.
    """
    api = FastAPI(title="Restock replenisher")
    problems.install(api)

    @api.exception_handler(Transient)
    async def away(_: Request, error: Transient) -> JSONResponse:
        return problems.respond(
            problems.describe(503, str(error), title="Try again soon"), {"Retry-After": "1"}
        )

    api.include_router(_orders(views))
    api.include_router(_sums(views, catalogue, policy))
    if desk is not None:
        api.include_router(desk_router(desk))
    return api


def _orders(views: Views) -> APIRouter:
    routes = APIRouter()

    @routes.get("/v1/positions/{sku}")
    async def positions(sku: Sku) -> list[PositionView]:
        return [position_view(position) for position in await views.positions(sku)]

    @routes.get("/v1/purchase-orders")
    async def purchase_orders(
        open_only: Annotated[bool, Query(alias="open")] = False, limit: Limit = 100
    ) -> list[OrderView]:
        rows = await views.purchase_orders(open_only=open_only, limit=limit)
        return [OrderView.model_validate(dict(row)) for row in rows]

    @routes.get("/v1/proposals/{purchase_order}", response_model=OrderWithLines)
    @routes.get("/v1/purchase-orders/{purchase_order}", response_model=OrderWithLines)
    async def purchase_order(purchase_order: Identifier) -> OrderWithLines | JSONResponse:
        row = await views.purchase_order(purchase_order)
        if row is None:
            return problems.respond(
                problems.describe(404, f"no purchase order {purchase_order!r}", title="Not found")
            )
        lines = [dict(line) for line in await views.order_lines(purchase_order)]
        return OrderWithLines.model_validate({**row, "lines": lines})

    @routes.get("/v1/purchase-orders/{purchase_order}/lines.csv", response_class=Response)
    async def as_csv(purchase_order: Identifier) -> Response:
        """Hand out an order as its supplier gets it: a line a sku, without what was cancelled."""
        row = await views.purchase_order(purchase_order)
        if row is None:
            raise Problem(HTTPStatus.NOT_FOUND, f"no purchase order {purchase_order!r}")
        return Response(
            csv_of(row, await views.order_lines(purchase_order)),
            media_type="text/csv; charset=utf-8",
        )

    @routes.get("/v1/needs")
    async def needs(
        state: Literal["open", "deferred", "covered"] = "open", limit: Limit = 100
    ) -> list[NeedView]:
        if state == "covered":
            rows = await views.covered_needs(limit)
        else:
            rows = await views.uncovered_needs(state, limit)
        return [NeedView.model_validate(dict(row)) for row in rows]

    return routes


def _sums(views: Views, catalogue: Catalogue, policy: Policy) -> APIRouter:
    routes = APIRouter()

    @routes.get("/v1/explain/{sku}/{location}", response_model=Explanation)
    async def explain(sku: Sku, location: LocationId) -> Explanation | JSONResponse:
        position = await views.position(sku, location)
        if position is None:
            return problems.respond(
                problems.describe(
                    404, f"nothing is known of {sku!r} at {location!r}", title="Not found"
                )
            )
        book = TermsBook(catalogue, await views.lead_times(), policy)
        return explained(position, book, await views.reviewed_until())

    @routes.get("/v1/risks")
    async def risks(limit: Limit = 100) -> list[RiskView]:
        """Show the risks that stand, those of the largest expected cost first."""
        return [RiskView.model_validate(dict(row)) for row in await views.risks(limit)]

    @routes.post("/v1/whatif")
    async def whatif(asked: Whatif) -> WhatifAnswer:
        """Tell what other targets, lead times or budgets would order; nothing is done."""
        return await answer(asked, views, catalogue, policy)

    @routes.get("/v1/finance")
    async def finance() -> dict[str, Any]:
        """Show open commitments, the cash they need by week, the stock's value and its days."""
        value = units = a_day = 0.0
        for row in await views.stock():
            product = catalogue.products.get(row["sku"])
            cost = 0.0 if product is None else product.unit_cost
            value += row["units"] * cost
            units += row["units"]
            a_day += row["a_day"] * cost
        days = value / a_day if a_day > 0 else None
        return {
            **await views.finance(),
            "stock_units": int(units),
            "stock_value": round(value, 2),
            "stock_days": None if days is None else round(days, 2),
        }

    return routes
