"""Look-ups: availability for storefronts, orders for customer service, the books for auditors."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

import orjson
from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime

from restock_common.contracts.stock import AlertKind
from restock_common.runtime import problems
from restock_common.units import Identifier, LocationId, OrderId, Sku
from stock_ledger.api.schema import (
    MAX_SKUS,
    AvailabilityAnswer,
    AvailabilityQuestion,
    StockAnswer,
    availability,
)
from stock_ledger.domain.counting import Countable, plan_counts

Row = dict[str, Any]
Limit = Annotated[int, Query(ge=1, le=1000)]


class Queries(Protocol):
    """Look-ups in the books."""

    async def stock(self, skus: Sequence[str], channel: str | None = None) -> list[Row]:
        """Return the levels of skus by location, in units."""

    async def lots(self, sku: str) -> list[Row]:
        """Return the balances of a sku by location and lot, in units."""

    async def order(self, order: str) -> Row | None:
        """Return an order's claims with their pieces; None where it is not known."""

    async def hold(self, hold: str) -> Row | None:
        """Return a cart hold with its pieces; None where it is not known."""

    async def transfer(self, transfer: str) -> Row | None:
        """Return a transfer at its source and target; None where it is not known."""

    async def reservation(self, reservation: str) -> list[Row]:
        """Return the pieces of a reservation."""

    async def movements(self, sku: str, location: str | None, after: int, limit: int) -> list[Row]:
        """Return the movements of a sku after an id."""

    async def as_of(
        self, sku: str, effective_at: datetime | None, recorded_at: datetime | None
    ) -> list[Row]:
        """Return the balances of a sku as of two times."""

    async def alerts(self, sku: str | None, kind: str | None, limit: int) -> list[Row]:
        """Return the alerts that stand."""

    async def countable(self, location: str) -> list[Row]:
        """Return on_hand and past counts of each sku at a location."""

    async def serial(self, sku: str, serial: str) -> Row | None:
        """Return where a unit is, or with which parcel it left."""

    async def shards(self) -> list[Row]:
        """Return where each shard's writer stands."""

    async def figures(self) -> dict[str, int]:
        """Return totals."""


class Costs(Protocol):
    """What units cost, as far as it is known."""

    def unit_cost(self, sku: str) -> float:
        """Return the cost of one unit in money; 0 where it is not known."""


def lookups(queries: Queries, costs: Costs) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    _add_stock(router, queries)
    _add_orders(router, queries)
    _add_books(router, queries)
    _add_upkeep(router, queries, costs)
    return router


def _add_stock(router: APIRouter, queries: Queries) -> None:
    @router.get("/v1/stock/{sku}", response_model=StockAnswer)
    async def stock(sku: Sku, channel: Identifier | None = None) -> Response:
        """Tell the level of a sku at each location."""
        return _json({"sku": sku, "levels": await queries.stock([sku], channel)})

    @router.post("/v1/availability", response_model=AvailabilityAnswer)
    async def ask_availability(question: AvailabilityQuestion) -> Response:
        """Tell what can be promised of up to 1,000 skus at once."""
        levels = await queries.stock(question.skus, question.channel)
        return _json(availability(question, levels))

    @router.get("/v1/availability", response_model=AvailabilityAnswer)
    async def get_availability(
        sku: Annotated[list[Sku], Query(min_length=1, max_length=MAX_SKUS)],
        channel: Identifier | None = None,
        pool: Identifier | None = None,
    ) -> Response:
        """Tell what can be promised of a few skus."""
        question = AvailabilityQuestion(skus=sku, channel=channel, pool=pool)
        return _json(availability(question, await queries.stock(sku, channel)))


def _add_orders(router: APIRouter, queries: Queries) -> None:
    @router.get("/v1/orders/{order:path}", response_model=None)
    async def order(order: OrderId) -> Response:
        """Tell what has become of each unit of an order."""
        found = await queries.order(order)
        return _unknown("order", order) if found is None else _json(found)

    @router.get("/v1/holds/{hold:path}", response_model=None)
    async def hold(hold: Identifier) -> Row | JSONResponse:
        """Tell what a cart hold keeps, and until when."""
        return await queries.hold(hold) or _unknown("hold", hold)

    @router.get("/v1/transfers/{transfer:path}", response_model=None)
    async def transfer(transfer: Identifier) -> Row | JSONResponse:
        """Tell how far a transfer has come."""
        return await queries.transfer(transfer) or _unknown("transfer", transfer)

    @router.get("/v1/reservations/{reservation:path}", response_model=None)
    async def reservation(reservation: Identifier) -> Row | JSONResponse:
        """Tell what has become of a reservation."""
        pieces = await queries.reservation(reservation)
        if not pieces:
            return _unknown("reservation", reservation)
        return {"reservation": reservation, "pieces": pieces}


def _add_books(router: APIRouter, queries: Queries) -> None:
    @router.get("/v1/movements")
    async def movements(
        sku: Sku,
        location: LocationId | None = None,
        after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
        limit: Limit = 100,
    ) -> Row:
        """Tell how units of a sku have moved; `next` asks for the following page."""
        rows = await queries.movements(sku, location, after, limit)
        return {"movements": rows, "next": rows[-1]["id"] if len(rows) == limit else None}

    @router.get("/v1/balances")
    async def balances(
        sku: Sku,
        effective_at: AwareDatetime | None = None,
        recorded_at: AwareDatetime | None = None,
    ) -> Row:
        """Tell the balances of a sku as they were at a time, as they were known at another."""
        rows = await queries.as_of(sku, effective_at, recorded_at)
        return {
            "sku": sku,
            "effective_at": effective_at,
            "recorded_at": recorded_at,
            "balances": rows,
        }

    @router.get("/v1/lots")
    async def lots(sku: Sku) -> Row:
        """Tell the balances of a sku by location and lot."""
        return {"sku": sku, "lots": await queries.lots(sku)}

    @router.get("/v1/serials", response_model=None)
    async def serials(sku: Sku, serial: Identifier) -> Row | JSONResponse:
        """Tell where a unit is, or with which parcel it left."""
        return await queries.serial(sku, serial) or _unknown("serial", serial)

    @router.get("/v1/shards")
    async def shards() -> Row:
        """Tell where each shard's writer stands."""
        return {"shards": await queries.shards()}

    @router.get("/v1/figures")
    async def figures() -> dict[str, int]:
        """Tell totals over everything: reads all of the journal."""
        return await queries.figures()


def _add_upkeep(router: APIRouter, queries: Queries, costs: Costs) -> None:
    @router.get("/v1/alerts")
    async def alerts(
        sku: Sku | None = None, kind: AlertKind | None = None, limit: Limit = 100
    ) -> Row:
        """Tell the alerts that stand, the latest first."""
        return {"alerts": await queries.alerts(sku, kind, limit)}

    @router.get("/v1/count-plan")
    async def count_plan(location: LocationId, limit: Limit = 20) -> Row:
        """Tell what to count next at a location, and why."""
        countable = [
            Countable(
                row["sku"],
                row["on_hand"],
                costs.unit_cost(row["sku"]),
                row["counted_at"],
                row["counts"],
                row["counts_wrong"],
            )
            for row in await queries.countable(location)
        ]
        plan = plan_counts(countable, datetime.now(UTC), limit)
        return {"location": location, "plan": [asdict(one) for one in plan]}


def _json(answer: Row) -> Response:
    """Return an answer as it is: checking it against its model again takes most of the time."""
    return Response(orjson.dumps(answer), media_type="application/json")


def _unknown(kind: str, name: str) -> JSONResponse:
    return problems.respond(
        problems.describe(404, f"{kind} {name!r} is not in the ledger", title=f"Unknown {kind}")
    )
