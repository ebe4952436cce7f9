"""RFC 9457: what went wrong, in one form for people and programs, on every path."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from restock_common.errors import JsonScalar, Permanent, Transient, shown

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
MAX_ERRORS = 50
"""Of more findings the first are told."""


class Problem(Exception):
    """An answer that is not what was asked for.

    Args:
        status: The HTTP status.
        detail: What happened, naming the value.
        headers: Sent with it.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def describe(
    status: int,
    detail: str,
    errors: Sequence[Mapping[str, JsonScalar]] = (),
    *,
    title: str | None = None,
) -> dict[str, Any]:
    """Return the members of a problem; each error names field, value and reason."""
    described: dict[str, Any] = {
        "type": "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return {**described, "errors": list(errors[:MAX_ERRORS])} if errors else described


def respond(described: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer that a described problem is."""
    return JSONResponse(described, described["status"], dict(headers or {}), MEDIA_TYPE)


def install(api: FastAPI) -> None:
    """Answer every error of this API with a problem; a service may put its own in front."""

    @api.exception_handler(Problem)
    async def of_problem(_: Request, error: Problem) -> JSONResponse:
        return respond(describe(error.status, error.detail), error.headers)

    @api.exception_handler(Permanent)
    async def of_refusal(_: Request, error: Permanent) -> JSONResponse:
        return respond(describe(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)))

    @api.exception_handler(Transient)
    async def of_absence(_: Request, error: Transient) -> JSONResponse:
        log.warning("not_accepted", reason=str(error))
        described = describe(HTTPStatus.SERVICE_UNAVAILABLE, f"try again: {error}")
        return respond(described, {"Retry-After": str(RETRY_AFTER_S)})

    @api.exception_handler(ClientDisconnect)
    async def of_disconnect(_request: Request, _error: ClientDisconnect) -> JSONResponse:
        return respond(describe(HTTPStatus.BAD_REQUEST, "the body ended before its time"))

    @api.exception_handler(RequestValidationError)
    async def of_validation(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {
                "field": ".".join(map(str, found["loc"])) or "request",
                "value": shown(found["input"]),
                "reason": found["msg"],
            }
            for found in error.errors()
        ]
        malformed = any(found["type"] == "json_invalid" for found in error.errors())
        status = HTTPStatus.BAD_REQUEST if malformed else HTTPStatus.UNPROCESSABLE_ENTITY
        return respond(describe(status, "the request is not valid", errors))

    @api.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> JSONResponse:
        detail = f"{request.method} {request.url.path}: {error.detail}"
        return respond(describe(error.status_code, detail), error.headers)

    @api.exception_handler(Exception)
    async def of_bug(_request: Request, _error: Exception) -> JSONResponse:
        return respond(describe(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of this service"))
