"""What the ledger tells over HTTP: levels, orders, shards and totals."""

from typing import Any, Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from restock_common.errors import Transient
from restock_common.runtime import problems
from restock_common.units import OrderId, Sku


class Queries(Protocol):
    """Look-ups in the books."""

    async def stock(self, sku: str) -> list[dict[str, Any]]:
        """Return the levels of a sku by location, in units."""

    async def order(self, order: str) -> dict[str, Any] | None:
        """Return an order's claims with their pieces; None where it is not known."""

    async def shards(self) -> list[dict[str, Any]]:
        """Return where each shard's writer stands."""

    async def figures(self) -> dict[str, int]:
        """Return totals."""


def create_api(queries: Queries) -> FastAPI:
    """Return the routes; health, metrics and progress are added by the service."""
    api = FastAPI(title="Restock stock-ledger", version="1")
    problems.install(api)

    @api.exception_handler(Transient)
    async def unavailable(_request: Request, error: Transient) -> JSONResponse:
        return problems.respond(
            problems.describe(503, str(error), title="Not available now"), {"Retry-After": "1"}
        )

    @api.exception_handler(RequestValidationError)
    async def not_valid(_request: Request, error: RequestValidationError) -> JSONResponse:
        found = error.errors()[0]
        return problems.respond(
            problems.describe(422, f"{found['loc'][-1]}: {found['msg']}", title="Not valid")
        )

    @api.get("/v1/stock/{sku}")
    async def stock(sku: Sku) -> dict[str, Any]:
        return {"sku": sku, "levels": await queries.stock(sku)}

    @api.get("/v1/orders/{order:path}", response_model=None)
    async def order(order: OrderId) -> dict[str, Any] | JSONResponse:
        found = await queries.order(order)
        if found is None:
            return problems.respond(
                problems.describe(
                    404, f"order {order!r} is not in the ledger", title="Unknown order"
                )
            )
        return found

    @api.get("/v1/shards")
    async def shards() -> dict[str, Any]:
        return {"shards": await queries.shards()}

    @api.get("/v1/figures")
    async def figures() -> dict[str, int]:
        return await queries.figures()

    return api
