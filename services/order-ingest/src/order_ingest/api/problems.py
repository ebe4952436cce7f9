"""What the doors answer: acceptances, and refusals as problems."""

import dataclasses
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic_core import to_json

from order_ingest.domain.channels import BadSignature
from order_ingest.domain.findings import Conflict, Finding, Forbidden, Refused, Unknown
from order_ingest.handlers import Accepted, Outcome
from restock_common.errors import JsonScalar, Permanent
from restock_common.runtime import problems
from restock_common.runtime.problems import describe

_ACCEPTED = int(HTTPStatus.ACCEPTED)


def describe_refusal(error: Permanent) -> dict[str, Any]:
    """Return the members of the problem that a decision's refusal is."""
    match error:
        case Refused():
            status = HTTPStatus.BAD_REQUEST if error.malformed else HTTPStatus.UNPROCESSABLE_ENTITY
            return describe(status, str(error), [_error(found) for found in error.findings])
        case BadSignature():
            return describe(HTTPStatus.UNAUTHORIZED, str(error))
        case Unknown():
            return describe(HTTPStatus.NOT_FOUND, error.reason)
        case Forbidden():
            return describe(HTTPStatus.FORBIDDEN, error.reason)
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
    """Return the members of an acceptance: the id under its kind's name, event id, pool, more."""
    members: dict[str, Any] = {answer.kind: answer.id, "event": answer.event}
    if answer.pool is not None:
        members["pool"] = answer.pool
    if answer.waiting:
        members["waiting"] = True
    return {**members, **dict(answer.more)}


def acceptance(answer: Accepted) -> Response:
    """Return the answer to something that has become durable."""
    return Response(to_json(accepted(answer)), _ACCEPTED, media_type="application/json")


def batch_answer(answers: Iterable[Accepted | Permanent]) -> JSONResponse:
    """Return 202 where all were accepted, else 207; each item with its own status, in order."""
    items = [answer_one(answer) for answer in answers]
    mixed = any(item["status"] != HTTPStatus.ACCEPTED for item in items)
    return JSONResponse({"items": items}, HTTPStatus.MULTI_STATUS if mixed else HTTPStatus.ACCEPTED)


def deliveries_answer(outcomes: Iterable[Outcome]) -> JSONResponse:
    """Return what became of each thing that a delivery asked for, in order."""
    items = [
        accepted(one) if isinstance(one, Accepted) else dataclasses.asdict(one) for one in outcomes
    ]
    return JSONResponse({"items": items}, HTTPStatus.ACCEPTED)


def install(api: FastAPI) -> None:
    """Answer every error of this API with a problem, refusals with all that was found."""
    problems.install(api)

    @api.exception_handler(Permanent)
    async def of_refusal(_: Request, error: Permanent) -> JSONResponse:
        return problems.respond(describe_refusal(error))


def _error(found: Finding) -> dict[str, JsonScalar]:
    return {"field": found.field, "value": found.value, "reason": found.reason}
