"""A client that costs as little as it can, since it shares the machine with what it measures."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Self
from urllib.parse import urlsplit

_ACCEPTED = b"HTTP/1.1 202"
_OK = b"HTTP/1.1 200"


class Failed(Exception):
    """A server answered something else than was hoped for."""


def request_bytes(path: str, body: bytes, key: str, media_type: str = "application/json") -> bytes:
    """Return one request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: door\r\nX-API-Key: {key}\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One connection, kept alive; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to a server."""
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def send(self, request: bytes) -> bytes:
        """Send a request; return the body of its answer. Raises Failed where that is no 2xx."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        body = await self._body(head.lower())
        if not head.startswith((_ACCEPTED, _OK)):
            raise Failed(f"{head.decode()}{body[:500].decode(errors='replace')}")
        return body

    async def _body(self, head: bytes) -> bytes:
        if b"transfer-encoding: chunked" in head:
            parts = []
            while size := int(await self._reader.readuntil(b"\r\n"), 16):
                parts.append(await self._reader.readexactly(size))
                await self._reader.readexactly(2)
            await self._reader.readexactly(2)
            return b"".join(parts)
        _, found, rest = head.partition(b"content-length: ")
        return await self._reader.readexactly(int(rest[: rest.index(b"\r\n")]) if found else 0)

    def close(self) -> None:
        """Disconnect."""
        self._writer.close()


async def top_rate(url: str, requests: Iterable[bytes], *, connections: int) -> float:
    """Send requests as fast as so many connections take them; return how many a second."""
    waiting = iter(requests)
    opened = [await Connection.open(url) for _ in range(connections)]
    sent = 0

    async def send(connection: Connection) -> None:
        nonlocal sent
        for request in waiting:
            await connection.send(request)
            sent += 1

    began = time.monotonic()
    await asyncio.gather(*(send(connection) for connection in opened))
    took_s = time.monotonic() - began
    for connection in opened:
        connection.close()
    return sent / took_s


async def latencies_ms(
    url: str, requests: Iterator[bytes], *, rate: float, lasting_s: float, connections: int
) -> list[float]:
    """Send requests evenly; return the milliseconds from when each was due to its answer."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await Connection.open(url))
    taken: list[float] = []
    sending: set[asyncio.Task[None]] = set()

    async def send(request: bytes, due: float) -> None:
        connection = await free.get()
        await connection.send(request)
        taken.append((time.monotonic() - due) * 1000)
        free.put_nowait(connection)

    began = time.monotonic()
    for number in range(int(rate * lasting_s)):
        due = began + number / rate
        wait_s = due - time.monotonic()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        task = asyncio.create_task(send(next(requests), due))
        sending.add(task)
        task.add_done_callback(sending.discard)
    await asyncio.gather(*sending)
    while not free.empty():
        free.get_nowait().close()
    return sorted(taken)
