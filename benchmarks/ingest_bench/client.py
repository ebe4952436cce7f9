"""A client that costs as little as it can, since it shares the machine with what it measures."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Self
from urllib.parse import urlsplit

_ACCEPTED = (b"HTTP/1.1 202", b"HTTP/1.1 200")
_END_OF_HEAD = b"\r\n\r\n"


class Failed(Exception):
    """A server answered something else than was hoped for."""


def request_bytes(path: str, body: bytes, key: str, media_type: str = "application/json") -> bytes:
    """Return one request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: door\r\nX-API-Key: {key}\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One connection, kept alive; one request at a time.

    A protocol, not streams, which have more between a request and its answer.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._come = b""
        self._answered: asyncio.Future[bytes] | None = None

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to a server."""
        at = urlsplit(url)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, at.hostname or "", at.port or 80)
        return connection

    def send(self, request: bytes) -> "asyncio.Future[bytes]":
        """Send a request; the body of its answer comes, or Failed where that is no 2xx."""
        answered = asyncio.get_running_loop().create_future()
        self._answered, self._come = answered, b""
        self._transport.write(request)
        return answered

    def close(self) -> None:
        """Disconnect."""
        self._transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note where to write to."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer, perhaps the last."""
        self._come = self._come + data if self._come else data
        head, found, rest = self._come.partition(_END_OF_HEAD)
        body = _body(head.lower(), rest) if found else None
        if body is None or self._answered is None or self._answered.done():
            return
        if head.startswith(_ACCEPTED):
            self._answered.set_result(body)
        else:
            said = f"{head.decode()}\n{body[:500].decode(errors='replace')}"
            self._answered.set_exception(Failed(said))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is not answered yet."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(exc or Failed("the connection was closed"))


def _body(head: bytes, rest: bytes) -> bytes | None:
    """Return a body; None where there is more to come."""
    if b"transfer-encoding: chunked" in head:
        return rest if rest.endswith(b"\r\n0\r\n\r\n") else None
    _, found, length = head.partition(b"content-length: ")
    whole = not found or len(rest) >= int(length.partition(b"\r\n")[0])
    return rest if whole else None


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
