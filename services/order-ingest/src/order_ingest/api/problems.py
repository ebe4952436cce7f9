"""RFC 9457: what went wrong, in one form for people and programs, on every path."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from order_ingest.domain.findings import Conflict, Finding, Refused, UnknownOrder, shown
from order_ingest.handlers import Accepted
from restock_common.errors import Permanent, Transient

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
MAX_ERRORS = 50
"""Of more findings the first are told, and how many there are."""


class Problem(Exception):
    """An answer that is not what was asked for.

    Args:
        status: The HTTP status.
        detail: What happened, naming the value.
        headers: Sent with it.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def describe(status: int, detail: str, findings: Iterable[Finding] = ()) -> dict[str, Any]:
    """Return the members of a problem."""
    described: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    errors = [
        {"field": found.field, "value": found.value, "reason": found.reason} for found in findings
    ]
    if errors:
        described["errors"] = errors[:MAX_ERRORS]
    return described


def describe_refusal(error: Permanent) -> dict[str, Any]:
    """Return the members of the problem that a decision's refusal is."""
    match error:
        case Refused():
            status = HTTPStatus.BAD_REQUEST if error.malformed else HTTPStatus.UNPROCESSABLE_ENTITY
            return describe(status, str(error), error.findings)
        case UnknownOrder():
            return describe(HTTPStatus.NOT_FOUND, error.reason)
        case Conflict():
            return describe(HTTPStatus.CONFLICT, error.reason)
        case _:
            return describe(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


def answer_one(answer: Accepted | Permanent) -> dict[str, Any]:
    """Return one item of a batch's answer, with its own status."""
    if isinstance(answer, Accepted):
        return {"status": int(HTTPStatus.ACCEPTED), **accepted(answer)}
    described = describe_refusal(answer)
    return {"status": described["status"], "problem": described}


def accepted(answer: Accepted) -> dict[str, Any]:
    """Return the members of an acceptance: the id under its kind's name, event id and pool."""
    members = {answer.kind: answer.id, "event": answer.event}
    return members if answer.pool is None else {**members, "pool": answer.pool}


def acceptance(answer: Accepted) -> JSONResponse:
    """Return the answer to something that has become durable."""
    return JSONResponse(accepted(answer), HTTPStatus.ACCEPTED)


def batch_answer(answers: Iterable[Accepted | Permanent]) -> JSONResponse:
    """Return 202 where all were accepted, else 207; each item with its own status, in order."""
    items = [answer_one(answer) for answer in answers]
    mixed = any(item["status"] != HTTPStatus.ACCEPTED for item in items)
    return JSONResponse({"items": items}, HTTPStatus.MULTI_STATUS if mixed else HTTPStatus.ACCEPTED)


def install(api: FastAPI) -> None:
    """Answer every error of this API with a problem."""

    @api.exception_handler(Problem)
    async def of_problem(_: Request, error: Problem) -> JSONResponse:
        return _response(describe(error.status, error.detail), error.headers)

    @api.exception_handler(Permanent)
    async def of_refusal(_: Request, error: Permanent) -> JSONResponse:
        return _response(describe_refusal(error))

    @api.exception_handler(Transient)
    async def of_absence(_: Request, error: Transient) -> JSONResponse:
        log.warning("not_accepted", reason=str(error))
        described = describe(HTTPStatus.SERVICE_UNAVAILABLE, f"try again: {error}")
        return _response(described, {"Retry-After": str(RETRY_AFTER_S)})

    @api.exception_handler(ClientDisconnect)
    async def of_disconnect(_request: Request, _error: ClientDisconnect) -> JSONResponse:
        return _response(describe(HTTPStatus.BAD_REQUEST, "the body ended before its time"))

    @api.exception_handler(RequestValidationError)
    async def of_validation(_: Request, error: RequestValidationError) -> JSONResponse:
        findings = [
            Finding(
                ".".join(map(str, found["loc"])) or "request", found["msg"], shown(found["input"])
            )
            for found in error.errors()
        ]
        return _response(
            describe(HTTPStatus.UNPROCESSABLE_ENTITY, "the request is not valid", findings)
        )

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
