"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the same answer again.

Without a key nothing happens twice either, since ids are the sender's own; with one the answer is
the first one to the byte, also where the world has changed meanwhile.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Message

from order_ingest.api.bodies import NDJSON, limits_of, media_type, read_body
from order_ingest.api.problems import describe_refusal
from order_ingest.domain.keys import Holder
from order_ingest.domain.privacy import Privacy
from order_ingest.handlers import Answer, Answers
from restock_common.errors import Permanent
from restock_common.runtime import problems
from restock_common.runtime.problems import RETRY_AFTER_S, Problem

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"

_MAX_CHARACTERS = 255
_MAX_BODY_BYTES = 4_194_304
"""The largest limit of all bodies that are read as a whole; each route has its own after it."""

_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Chosen by the sender for one request: sent again within days, it is answered as"
    " the first time, to the byte. A refusal is not kept.",
    "schema": {"type": "string", "minLength": 1, "maxLength": _MAX_CHARACTERS},
}
_ANSWER_HEADER = {
    "description": "Such a request was answered before, and this is that answer.",
    "schema": {"type": "string", "enum": ["true"]},
}

Handle = Callable[[Request], Awaitable[Response]]


def install(api: FastAPI, answers: Answers, privacy: Privacy) -> None:
    """Have an API's answers remembered.

    Args:
        api: The API.
        answers: Where.
        privacy: What keeps that from telling what was sent.
    """
    api.state.answers = answers
    api.state.privacy = privacy


def describe(document: Mapping[str, Any]) -> None:
    """Add the header to what an API's description says of the requests that it works for."""
    for operations in document["paths"].values():
        operation = operations.get("post", {})
        if "security" not in operation:  # signed, or not there
            continue
        operation.setdefault("parameters", []).append(_PARAMETER)
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                answer.setdefault("headers", {})[REPLAYED] = _ANSWER_HEADER


async def answered_once(request: Request, handle: Handle, by: Holder | None) -> Response:
    """Answer a request, or give the answer that its key was given before.

    Args:
        request: The request.
        handle: Answers it.
        by: Who makes it; a signed request, which nobody's key came with, counts once by what is in
            it.

    Raises:
        Problem: 400, the key is none; 409, the same request is being answered; 422, the key was
            used with another request.
    """
    given = request.headers.get(HEADER)
    if given is None or request.method != "POST" or by is None:
        return await handle(request)
    key = _key(given)
    limit = limits_of(request).bulk_bytes if media_type(request) == NDJSON else _MAX_BODY_BYTES
    body = await read_body(request, limit)
    said = "\n".join((request.url.path, request.url.query, media_type(request))).encode()
    answers: Answers = request.app.state.answers
    privacy: Privacy = request.app.state.privacy
    claim = await answers.claim(by.shop, key, privacy.digest(said + b"\n" + body))
    if claim.other_body:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"{HEADER} {key!r} was used with another request"
        )
    if claim.answer is not None:
        found = claim.answer
        return Response(found.body, found.status, {REPLAYED: "true"}, found.media_type)
    if not claim.mine:
        raise Problem(
            HTTPStatus.CONFLICT,
            f"the request of {HEADER} {key!r} is being answered",
            {"Retry-After": str(RETRY_AFTER_S)},
        )
    kept = False
    try:
        response, answer = await _answer(Request(request.scope, _again(body)), handle)
        if answer is not None:
            await answers.keep(by.shop, key, answer)
            kept = True
    finally:
        if not kept:
            await answers.give_back(by.shop, key)
    return response


async def _answer(request: Request, handle: Handle) -> tuple[Response, Answer | None]:
    """Return the answer, and what is to be kept of it.

    That is only what has done something: not a refusal, which would be told again and repeats what
    was sent, not a 503, not a stream that ends with lines to send again; and never what nobody may
    store, such as a new API key.
    """
    try:
        response = await handle(request)
    except Permanent as error:
        response = problems.respond(describe_refusal(error))
    last = response.status_code < HTTPStatus.BAD_REQUEST
    if isinstance(response, StreamingResponse):
        parts: list[Any] = [part async for part in response.body_iterator]
        last = not getattr(request.state, "incomplete", False)
        response = Response(b"".join(parts), response.status_code, media_type=response.media_type)
    if not last or response.headers.get("cache-control") == "no-store":
        return response, None
    kind = response.headers.get("content-type", "")
    return response, Answer(response.status_code, kind, bytes(response.body))


def _key(given: str) -> str:
    """Return a key as it is written: a string of Structured Fields, with or without its quotes."""
    key = given.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not key or len(key) > _MAX_CHARACTERS or not (key.isascii() and key.isprintable()):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            f"{HEADER} is not a string of 1 to {_MAX_CHARACTERS} printable ASCII characters",
        )
    return key


def _again(body: bytes) -> Callable[[], Awaitable[Message]]:
    """Return what gives a body that has been read once more."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
