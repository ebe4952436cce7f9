"""Orders as NDJSON: an answer a line, in order; and what is not borne of a body."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.integration.order_ingest.sample import Ingest, on_shards, order

from restock_common.contracts.ledger import OrderPlaced

pytestmark = pytest.mark.kafka

_NDJSON = {"Content-Type": "application/x-ndjson"}


def ndjson(*lines: Any) -> bytes:
    return b"\n".join(
        line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines
    )


async def test_each_line_is_answered_in_order(ingest: Ingest) -> None:
    lines = [
        order("nd-1"),
        b"",
        order("nd-2", lines=[{"sku": "coffee", "quantity": 1}]),
        b"not JSON",
        order("nd-1"),
        order("nd-1", customer="someone else"),
        b"  \r",
    ]
    answer = await ingest.http.post("/v1/orders:batch", content=ndjson(*lines), headers=_NDJSON)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [(one["line"], one["status"]) for one in told] == [
        (1, 202),
        (3, 422),
        (4, 400),
        (5, 202),
        (6, 409),
    ]
    assert told[0]["order"] == "demo:nd-1"
    assert told[1]["problem"]["errors"][0]["field"] == "lines.0.sku"


async def test_many_lines_are_all_taken(ingest: Ingest) -> None:
    """More than share a write, and answered the same again under a key."""
    body = ndjson(*(order(f"many-{n}", customer="many") for n in range(1200)))
    headers = {**_NDJSON, "Idempotency-Key": "nd-key"}
    first = await ingest.http.post("/v1/orders:batch", content=body, headers=headers)
    assert first.status_code == 200, first.text
    told = [json.loads(line) for line in first.text.splitlines()]
    assert [one["line"] for one in told] == list(range(1, 1201))
    assert {one["status"] for one in told} == {202}
    again = await ingest.http.post("/v1/orders:batch", content=body, headers=headers)
    assert again.content == first.content
    events = [event for _, event in await on_shards(ingest, OrderPlaced)]
    many = [event.order for event in events if event.order.startswith("demo:many-")]
    assert many == [f"demo:many-{n}" for n in range(1200)]


class Raw:
    """A connection on which anything can be said."""

    def __init__(self, ingest: Ingest, length: int) -> None:
        parts = urlsplit(ingest.url)
        self._where = (parts.hostname, parts.port)
        key = ingest.http.headers["X-API-Key"]
        self.head = (
            f"POST /v1/orders HTTP/1.1\r\nHost: door\r\nX-API-Key: {key}"
            f"\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        ).encode()

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self._where)


async def test_a_body_that_comes_too_slowly_is_not_waited_for(ingest: Ingest) -> None:
    """A byte now and then for ever; meanwhile others are served."""
    raw = Raw(ingest, 1000)
    reader, writer = await raw.open()
    writer.write(raw.head)

    async def drip() -> None:
        while True:
            writer.write(b" ")
            await asyncio.sleep(0.1)

    dripping = asyncio.create_task(drip())
    assert (await ingest.http.post("/v1/orders", json=order("fast"))).status_code == 202
    async with asyncio.timeout(10):
        answer = await reader.read()  # until the door closes the connection
    dripping.cancel()
    await asyncio.gather(dripping, return_exceptions=True)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()


async def test_who_ends_in_the_middle_is_not_waited_for(ingest: Ingest) -> None:
    raw = Raw(ingest, 1000)
    reader, writer = await raw.open()
    writer.write(raw.head + b"{")
    writer.write_eof()
    async with asyncio.timeout(10):
        await reader.read()
    writer.close()
    assert (await ingest.http.post("/v1/orders", json=order("after"))).status_code == 202


async def test_an_endless_head_is_refused(ingest: Ingest) -> None:
    raw = Raw(ingest, 0)
    reader, writer = await raw.open()
    writer.write(raw.head.replace(b"Host: door", b"Host: door\r\nX-Long: " + b"x" * 100_000))
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
