"""The replenisher's windows: positions, orders, needs, and the sum behind each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from replenisher.domain.assessment import assess
from replenisher.domain.lead_time import LeadTimeRecord
from replenisher.domain.model import Position
from replenisher.domain.terms import Policy, TermsBook
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.replenishment import OrderReason
from restock_common.errors import Transient
from restock_common.runtime import problems
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


class NeedView(BaseModel):
    """A need; a covered one names its order line, another when it was opened and why it waits."""

    need: str
    sku: str
    location: str
    state: Literal["open", "deferred", "covered"]
    reason: str | None = None
    opened_at: datetime | None = None
    order_line: str | None = None
    purchase_order: str | None = None
    quantity: int | None = None
    received: int | None = None


class PositionView(BaseModel):
    """One sku at one location, in units."""

    sku: str
    location: str
    on_hand: int
    unsellable: int
    reserved: int
    backordered: int
    in_transit: int
    on_order: int
    inventory_position: int
    forecast_learned_until: datetime | None
    need: NeedView | None


class OrderView(BaseModel):
    """A purchase order and how much of it is still to come."""

    purchase_order: str
    supplier: str
    location: str
    placed_at: datetime
    open_lines: int
    last_received_at: datetime | None
    closed_at: datetime | None


class LineView(BaseModel):
    """An order line with the sum behind it."""

    order_line: str
    need: str
    sku: str
    quantity: int
    received: int
    reason: OrderReason


class OrderWithLines(OrderView):
    """A purchase order with its lines."""

    lines: list[LineView]


class Explanation(BaseModel):
    """Where a sku stands at a location now, and what a review would do."""

    position: PositionView
    supplier: str
    lead_time_days_mean: float
    lead_time_days_sd: float
    lead_times_observed: int
    short: bool
    deferred_because: str | None
    would_order: int
    reason: OrderReason


def make_api(views: Views, catalogue: Catalogue, policy: Policy) -> FastAPI:
    """Return the routes; health, metrics and progress are added by the service.

    Args:
        views: What the windows look at.
        catalogue: Master data, kept up to date by its reader.
        policy: The house's own choices.
    """
    api = FastAPI(title="Restock replenisher")
    problems.install(api)

    @api.exception_handler(Transient)
    async def away(_: Request, error: Transient) -> JSONResponse:
        return problems.respond(
            problems.describe(503, str(error), title="Try again soon"), {"Retry-After": "1"}
        )

    @api.get("/v1/positions/{sku}")
    async def positions(sku: Sku) -> list[PositionView]:
        return [_position(position) for position in await views.positions(sku)]

    @api.get("/v1/purchase-orders")
    async def purchase_orders(
        open_only: Annotated[bool, Query(alias="open")] = False, limit: Limit = 100
    ) -> list[OrderView]:
        rows = await views.purchase_orders(open_only=open_only, limit=limit)
        return [OrderView.model_validate(dict(row)) for row in rows]

    @api.get("/v1/purchase-orders/{purchase_order}", response_model=OrderWithLines)
    async def purchase_order(purchase_order: Identifier) -> OrderWithLines | JSONResponse:
        row = await views.purchase_order(purchase_order)
        if row is None:
            return problems.respond(
                problems.describe(404, f"no purchase order {purchase_order!r}", title="Not found")
            )
        lines = [dict(line) for line in await views.order_lines(purchase_order)]
        return OrderWithLines.model_validate({**row, "lines": lines})

    @api.get("/v1/needs")
    async def needs(
        state: Literal["open", "deferred", "covered"] = "open", limit: Limit = 100
    ) -> list[NeedView]:
        if state == "covered":
            rows = await views.covered_needs(limit)
        else:
            rows = await views.uncovered_needs(state, limit)
        return [NeedView.model_validate(dict(row)) for row in rows]

    @api.get("/v1/explain/{sku}/{location}", response_model=Explanation)
    async def explain(sku: Sku, location: LocationId) -> Explanation | JSONResponse:
        position = await views.position(sku, location)
        if position is None:
            return problems.respond(
                problems.describe(
                    404, f"nothing is known of {sku!r} at {location!r}", title="Not found"
                )
            )
        return _explain(position, TermsBook(catalogue, await views.lead_times(), policy))

    return api


def _explain(position: Position, book: TermsBook) -> Explanation:
    assessment = assess([position], book)
    terms = assessment.terms[0]
    short = bool(assessment.short[0])
    deferral = assessment.deferral(0)
    observed = book.lead_times.get(terms.supplier, LeadTimeRecord())
    return Explanation(
        position=_position(position),
        supplier=terms.supplier,
        lead_time_days_mean=terms.lead_time.mean_days,
        lead_time_days_sd=terms.lead_time.sd_days,
        lead_times_observed=observed.observations,
        short=short,
        deferred_because=deferral,
        would_order=int(assessment.order_quantity[0]) if short and deferral is None else 0,
        reason=assessment.reason(0),
    )


def _position(position: Position) -> PositionView:
    place, need = position.place, position.need
    return PositionView(
        sku=place.sku,
        location=place.location,
        on_hand=position.on_hand,
        unsellable=position.unsellable,
        reserved=position.reserved,
        backordered=position.backordered,
        in_transit=position.in_transit,
        on_order=position.on_order,
        inventory_position=position.inventory_position,
        forecast_learned_until=position.forecast.learned_until,
        need=need
        and NeedView(
            need=need.id,
            sku=place.sku,
            location=place.location,
            state=need.state.value,
            reason=need.reason,
            opened_at=need.opened_at,
        ),
    )
