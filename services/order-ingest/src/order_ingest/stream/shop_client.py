"""Asks a shop's own API: over TLS, at public addresses, as fast as it allows, and no further."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_address

import httpx

from order_ingest.domain.channels import Ask, Unreadable, retry_after_s
from restock_common.addresses import is_public

MAX_ANSWER_BYTES = 33_554_432
"""250 orders of 100 lines are some 20 MB."""

LONGEST_WAIT_S = 60.0
"""Who asks for more is left alone, and read from the beginning later."""

_TRIES = 6
_PAUSE_S = 1.0
_ANSWER_S, _WHOLE_ANSWER_S = 30.0, 60.0
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a shop has answered.

    Attributes:
        headers: By name, in lower case.
        body: What it says.
        at: When it was asked by the shop's clock, as far as that is known, and never later than
            by ours.
    """

    headers: Mapping[str, str]
    body: bytes
    at: datetime


class ShopClient:
    """Asks one shop.

    Args:
        http: What requests are made with.
        url: What paths follow.
        credentials: The headers that tell who asks.
        before_each: Called before each request and each wait; what it raises ends the reading.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        credentials: Mapping[str, str],
        before_each: Callable[[], Awaitable[None]],
    ) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._before_each = before_each

    async def get(self, asked: Ask) -> Answer:
        """Return what a shop answers, after it has been waited for where it is busy.

        Raises:
            Unreadable: It does not answer so that anything could be read.
        """
        for attempt in range(_TRIES):
            await self._before_each()
            asked_at = datetime.now(UTC)
            status, answer = await self._once(asked, asked_at)
            if status == HTTPStatus.OK:
                return answer
            reason = f"{status} {_PHRASES.get(status, '')}".strip()
            if status not in _BUSY:
                raise Unreadable(reason, gone=status in _GONE)
            wanted_s = retry_after_s(answer.headers.get("retry-after"), asked_at)
            wait_s = wanted_s or _PAUSE_S * 2**attempt
            if wait_s > LONGEST_WAIT_S:
                break
            await self._before_each()
            await asyncio.sleep(wait_s)
        raise Unreadable(reason, retry_after_s=wait_s)

    async def _once(self, asked: Ask, asked_at: datetime) -> tuple[int, Answer]:
        body = bytearray()
        try:
            async with (
                asyncio.timeout(_WHOLE_ANSWER_S),
                self._http.stream(
                    "GET",
                    self._url + asked.path,
                    params=list(asked.query),
                    headers=self._credentials,
                ) as response,
            ):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_ANSWER_BYTES:
                        raise Unreadable(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
        except (TimeoutError, httpx.TimeoutException):
            raise Unreadable("no answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreadable(f"no answer ({type(error).__name__})") from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        at = min(asked_at, _date(headers.get("date")) or asked_at)
        return response.status_code, Answer(headers, bytes(body), at)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connects to no address within this network, whatever a name leads to at the moment.

    The address that was judged is the one that is connected to; certificates are checked against
    the name.

    Args:
        allow_private: Whether it does so all the same.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises Unreadable where it leads into this network."""
        if not self._allow_private:
            host = request.url.host
            request.extensions = {**request.extensions, "sni_hostname": host}
            request.url = request.url.copy_with(host=await _public_address(host))
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what is open."""
        await self._inner.aclose()


def http_client(*, allow_private: bool) -> httpx.AsyncClient:
    """Return what requests are made with; it follows no redirects and unpacks nothing."""
    return httpx.AsyncClient(
        transport=GuardedTransport(allow_private=allow_private),
        timeout=_ANSWER_S,
        headers={
            "User-Agent": "Restock",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        },
        trust_env=False,
    )


async def _public_address(host: str) -> str:
    """Return an address of a host. Raises Unreadable where one of them is not public."""
    try:
        ip_address(host)
    except ValueError:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Unreadable("its name cannot be resolved") from None
        addresses = [str(where[0]) for *_, where in found]
    else:
        addresses = [host]
    if not addresses or not all(map(is_public, addresses)):
        raise Unreadable("its name leads to no public address")
    return addresses[0]


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
