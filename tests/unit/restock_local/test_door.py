import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson
import pytest

from restock_local.demo.door import MAX_BODY_BYTES, Door, Refused, bodies


@asynccontextmanager
async def answering(answers: Sequence[str | None]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Serve these status lines, one a request (None hangs up); yields the URL and the bodies."""
    left = list(answers)
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        received.append(await reader.readexactly(length))
        answer = left.pop(0)
        if answer is not None:
            body = b'{"title": "because"}'
            length_line = f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            writer.write(f"HTTP/1.1 {answer}\r\n{length_line}".encode() + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", received


async def test_the_same_bytes_are_sent_until_they_are_taken() -> None:
    answers = [None, "503 Service Unavailable", "202 Accepted"]
    async with answering(answers) as (url, received), Door(url) as door:
        answer = await door.post("/v1/orders", b'{"order": 1}')
    assert answer == {"title": "because"}
    assert received == [b'{"order": 1}'] * 3


@pytest.mark.parametrize("status", ["422 Unprocessable", "207 Multi-Status", "401 Unauthorized"])
async def test_what_is_refused_is_not_sent_again(status: str) -> None:
    async with answering([status]) as (url, received), Door(url) as door:
        with pytest.raises(Refused, match=rf"POST /v1/orders: {status[:3]} .*because"):
            await door.post("/v1/orders", b"{}")
    assert len(received) == 1


def test_bodies_hold_every_item_once_and_stay_small() -> None:
    items = [orjson.dumps({"n": n, "text": "x" * 1000}) for n in range(1200)]
    made = list(bodies("items", items, max_items=500))
    assert [item for body in made for item in orjson.loads(body)["items"]] == [
        orjson.loads(item) for item in items
    ]
    assert all(len(body) <= MAX_BODY_BYTES + 20 for body in made)
    assert len(list(bodies("items", [b"1"] * 10, max_items=4))) == 3
    assert list(bodies("items", [], max_items=4)) == []
