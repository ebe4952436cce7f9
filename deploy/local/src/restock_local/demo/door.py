"""A service's HTTP door as the outside world uses it: the same bytes again until they are taken."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import aiohttp
import orjson
import structlog

log = structlog.get_logger()

MAX_BODY_BYTES = 500_000
_PATIENCE_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0
_SHOWN_CHARACTERS = 600
_COME_AGAIN = {429, 503}
_FIRST_ERROR = 400
_SOME_REFUSED = 207


class Refused(Exception):
    """A door answered that it will not take what was sent, or did not answer for too long."""


class Door:
    """One service's door; a service that is away for a while is waited for.

    Args:
        url: Where the service listens.
        headers: Sent with every request, such as the API key.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._headers = dict(headers or {})
        self._client: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Be ready to send."""
        self._client = aiohttp.ClientSession(
            self._url, headers=self._headers, timeout=aiohttp.ClientTimeout(total=30)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def get(self, path: str) -> Any:
        """Return the JSON that is there. Raises Refused."""
        return await self._request("GET", path, None)

    async def post(self, path: str, body: bytes) -> Any:
        """Send JSON; return the JSON that answers it. Raises Refused."""
        return await self._request("POST", path, body)

    async def put(self, path: str, body: bytes) -> Any:
        """Replace something by JSON; return the JSON that answers it. Raises Refused."""
        return await self._request("PUT", path, body)

    async def _request(self, method: str, path: str, body: bytes | None) -> Any:
        status, told = await self.ask(method, path, body)
        if status >= _FIRST_ERROR or status == _SOME_REFUSED:
            shown = told.decode(errors="replace")[:_SHOWN_CHARACTERS]
            raise Refused(f"{method} {path}: {status} {shown}")
        return orjson.loads(told) if told else None

    async def ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Send a request until it is answered for good; return the status and the answer's body.

        Raises:
            Refused: The service was away for too long.
        """
        assert self._client is not None, "Door is used as a context manager"
        headers = {"content-type": "application/json"} if body is not None else {}
        deadline, pause_s = time.monotonic() + _PATIENCE_S, _FIRST_PAUSE_S
        while True:
            try:
                async with self._client.request(method, path, data=body, headers=headers) as answer:
                    told = await answer.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                reason = f"{type(error).__name__}: {error}"
            else:
                if answer.status not in _COME_AGAIN:
                    return answer.status, told
                reason = f"{answer.status} {told.decode(errors='replace')[:_SHOWN_CHARACTERS]}"
            if time.monotonic() > deadline:
                raise Refused(f"{method} {path}: not taken for {_PATIENCE_S:g} s: {reason}")
            log.info("door_retry", path=path, reason=reason)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def bodies(field: str, items: Iterable[bytes], *, max_items: int) -> Iterator[bytes]:
    """Yield request bodies `{field: [items]}`, none with too many items or bytes.

    Args:
        field: The name that the door gives the list.
        items: Each one JSON.
        max_items: The most items of one body.
    """
    batch: list[bytes] = []
    size = 0
    for item in items:
        if batch and (len(batch) == max_items or size + len(item) > MAX_BODY_BYTES):
            yield _body(field, batch)
            batch, size = [], 0
        batch.append(item)
        size += len(item) + 1
    if batch:
        yield _body(field, batch)


def _body(field: str, batch: list[bytes]) -> bytes:
    return b'{"' + field.encode() + b'":[' + b",".join(batch) + b"]}"
