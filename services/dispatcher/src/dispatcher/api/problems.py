"""RFC 9457: what went wrong, in one form for people and programs, on every path."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from restock_common.errors import Permanent, Transient

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_S = 1
_SHOWN_CHARACTERS = 80


class Problem(Exception):
    """An answer that is not what was asked for.

    Args:
        status: The HTTP status.
        detail: What happened, naming the value.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def describe(status: int, detail: str, errors: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """Return the members of a problem."""
    described: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return {**described, "errors": list(errors)} if errors else described


def install(api: FastAPI) -> None:
    """Answer every error of this API with a problem."""

    @api.exception_handler(Problem)
    async def of_problem(_: Request, error: Problem) -> JSONResponse:
        return _response(describe(error.status, error.detail))

    @api.exception_handler(Permanent)
    async def of_refusal(_: Request, error: Permanent) -> JSONResponse:
        return _response(describe(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)))

    @api.exception_handler(Transient)
    async def of_absence(_: Request, error: Transient) -> JSONResponse:
        log.warning("not_accepted", reason=str(error))
        described = describe(HTTPStatus.SERVICE_UNAVAILABLE, f"try again: {error}")
        return _response(described, {"Retry-After": str(_RETRY_AFTER_S)})

    @api.exception_handler(RequestValidationError)
    async def of_validation(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {
                "field": ".".join(map(str, found["loc"])),
                "value": repr(found["input"])[:_SHOWN_CHARACTERS],
                "reason": found["msg"],
            }
            for found in error.errors()
        ]
        malformed = any(found["type"] == "json_invalid" for found in error.errors())
        status = HTTPStatus.BAD_REQUEST if malformed else HTTPStatus.UNPROCESSABLE_ENTITY
        return _response(describe(status, "the request is not valid", errors))

    @api.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> JSONResponse:
        detail = f"{request.method} {request.url.path}: {error.detail}"
        return _response(describe(error.status_code, detail), error.headers)

    @api.exception_handler(Exception)
    async def of_bug(_request: Request, _error: Exception) -> JSONResponse:
        return _response(describe(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of this service"))


def _response(
    described: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(described, described["status"], dict(headers or {}), MEDIA_TYPE)
