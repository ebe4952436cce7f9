"""Orders as NDJSON: an order a line, and an answer a line, in the same order."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from itertools import islice

from fastapi import Request
from pydantic_core import to_json

from order_ingest.api.bodies import NDJSON
from order_ingest.api.problems import answer_one
from order_ingest.api.schema import body_of
from order_ingest.domain.findings import Refused
from order_ingest.domain.requests import OrderBatch, OrderRequest, check_depth, parse
from order_ingest.handlers import Door
from restock_common.errors import Transient
from restock_common.runtime.problems import describe

DESCRIPTION = body_of(OrderBatch)
"""How a body of orders is described: as one JSON, or as lines of them."""
DESCRIPTION["requestBody"]["content"][NDJSON] = {
    "schema": {"type": "string", "description": "An OrderRequest as JSON on each line"}
}
DESCRIPTION["responses"] = {
    "200": {
        "description": "Of NDJSON: each line has the number of its line, its status and its answer",
        "content": {NDJSON: {"schema": {"type": "string"}}},
    }
}

_LINES_AT_ONCE = 500
"""As many as share a write and a publication; their answers are sent before the next are taken."""

MAX_LINES = 100_000
"""Where there are more, what is left is not taken, and the first of it is answered 422."""


async def answer_lines(
    request: Request, door: Door, shop: str, body: bytes
) -> AsyncIterator[bytes]:
    """Take the orders of all lines; yield the answers, each with the number of its line from 1.

    An empty line is passed over. Where the world is not ready, that line and all after it are
    answered 503: nothing is promised for them, and `incomplete` is noted on the request.
    """
    lines = _lines(body)
    while chunk := list(islice(lines, _LINES_AT_ONCE)):
        await asyncio.sleep(0)  # where all are refused nothing else would let others in
        if chunk[-1][0] > MAX_LINES:
            problem = describe(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"more than {MAX_LINES} lines: send it in parts"
            )
            told = {"status": int(HTTPStatus.UNPROCESSABLE_ENTITY), "problem": problem}
            yield _answer(chunk[0][0], told)
            request.state.incomplete = True
            return
        try:
            answers = await door.place(shop, [_parsed(text) for _, text in chunk])
        except Transient as error:
            problem = describe(HTTPStatus.SERVICE_UNAVAILABLE, f"try again: {error}")
            told = {"status": int(HTTPStatus.SERVICE_UNAVAILABLE), "problem": problem}
            for number, _ in (*chunk, *lines):
                yield _answer(number, told)
            request.state.incomplete = True
            return
        yield b"".join(
            [
                _answer(number, answer_one(answer))
                for (number, _), answer in zip(chunk, answers, strict=True)
            ]
        )


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not empty, with its number."""
    start, number = 0, 0
    while start < len(body):
        number += 1
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        line = body[start:end].strip()
        start = end + 1
        if line or number > MAX_LINES:
            yield number, line


def _parsed(text: bytes) -> OrderRequest | Refused:
    try:
        check_depth(text)
        return parse(OrderRequest, text)
    except Refused as error:
        return error


def _answer(number: int, told: dict[str, object]) -> bytes:
    return to_json({"line": number, **told}) + b"\n"
