"""What the ledger tells over HTTP."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from restock_common.errors import Transient
from restock_common.runtime import problems
from stock_ledger.api import feed, webhooks
from stock_ledger.api.lookups import Costs, Queries, lookups

__all__ = ["Costs", "Queries", "bare_api", "create_api", "feed", "webhooks"]


def create_api(queries: Queries, costs: Costs) -> FastAPI:
    """Return the look-ups; health, metrics and progress are added by the service."""
    api = bare_api()
    api.include_router(lookups(queries, costs))
    return api


def bare_api() -> FastAPI:
    """Return an API without routes of its own, which answers errors as the others do."""
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

    return api
