"""Sends what waits for webhooks: signed, a few at a time for each, never two of one place."""

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp
import structlog

from restock_common import telemetry
from restock_common.addresses import is_public
from restock_common.errors import Transient
from restock_common.runtime import Background
from stock_ledger.domain.webhooks import Delivery, Failure, Gone, signed_headers

log = structlog.get_logger()

AT_ONCE = 4
"""Messages of one webhook that one process sends at a time."""

_LEASE_MARGIN_S = 5.0
_LOOK_EVERY_S = 1.0
_RETRY_S = 0.5
_GATHER_S = 0.005  # one look for what several answers make room for
_SETTLE_TRIES = 3
_ACCEPTED, _GONE = range(200, 300), HTTPStatus.GONE
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Deliveries(Protocol):
    """The queue, as who delivers from it sees it."""

    async def claim(
        self, busy: Mapping[str, int], *, at_most: int, lease_s: float
    ) -> list[Delivery]:
        """Return messages that are due; nobody else gets them while the lease lasts."""

    async def delivered(self, one: Delivery) -> None:
        """Forget a message that has arrived."""

    async def release(self, one: Delivery) -> None:
        """Give a message back that was not tried."""

    async def failed(self, one: Delivery, failure: Failure, chance: float) -> Gone | bool:
        """Note a failure; return why the webhook is disabled, or whether the message is."""


class Deliverer(Background):
    """Delivers, beside as many others of its kind as there are.

    What cannot be delivered waits; nobody waits for it.

    Args:
        deliveries: The queue.
        queued: Set where this process has queued something.
        timeout_s: How long a receiver may take to answer.
        allow_private: Whether a receiver may be in this network.
        drain_s: How long to wait at the end for what is on its way.
    """

    name = "deliverer"

    def __init__(
        self,
        deliveries: Deliveries,
        queued: asyncio.Event,
        *,
        timeout_s: float,
        allow_private: bool,
        drain_s: float = 5.0,
    ) -> None:
        self._deliveries = deliveries
        self._wake = queued
        self._timeout_s = timeout_s
        self._allow_private = allow_private
        self._drain_s = drain_s
        self._busy: Counter[str] = Counter()
        self._sending: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Begin to deliver."""
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, socket_factory=self._socket),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            headers={"User-Agent": "Restock", "Content-Type": "application/json"},
        )
        await super().start()

    async def stop(self) -> None:
        """Wait a little for what is on its way; what is not answered goes again elsewhere."""
        await super().stop()
        if self._sending:
            await asyncio.wait(self._sending, timeout=self._drain_s)
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                claimed = await self._deliveries.claim(
                    self._busy, at_most=AT_ONCE, lease_s=self._timeout_s + _LEASE_MARGIN_S
                )
            except Transient as error:
                log.warning("claim_retry", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            for one in claimed:
                self._busy[one.webhook] += 1
                task = asyncio.create_task(self._deliver(one), name=f"webhook {one.webhook}")
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
            await asyncio.sleep(_GATHER_S)
            try:
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _deliver(self, one: Delivery) -> None:
        try:
            started = time.monotonic()
            failure = await self._send(one)
            telemetry.WEBHOOK_SECONDS.observe(time.monotonic() - started)
            if failure is None:
                telemetry.WEBHOOK_ATTEMPTS.labels("delivered").inc()
                await _settled(lambda: self._deliveries.delivered(one))
            else:
                await self._failed(one, failure)
        except asyncio.CancelledError:
            await self._deliveries.release(one)
            raise
        except Transient as error:  # its lease ends, and it is sent again
            log.warning("webhook_not_settled", webhook=one.webhook, error=str(error))
        finally:
            self._busy[one.webhook] -= 1
            self._busy += Counter()  # forget those of which none is on its way
            self._wake.set()

    async def _send(self, one: Delivery) -> Failure | None:
        """Try once; return why it failed, and nothing else of what the receiver says.

        Its words would be shown to whoever made the webhook, and it may be somebody else's host.
        """
        assert self._http is not None, "started before it delivers"
        headers = signed_headers(one.secrets, one.message, one.body, one.now)
        try:
            async with self._http.post(
                one.url, data=one.body, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status in _ACCEPTED:
                    return None
                return Failure(
                    f"{answer.status} {_PHRASES.get(answer.status, '')}".strip(),
                    gone=answer.status == _GONE,
                    retry_after=_seconds(answer.headers.get("Retry-After")),
                )
        except TimeoutError:
            return Failure(f"no answer within {self._timeout_s:g} s")
        except aiohttp.ClientConnectorError as error:
            return Failure(f"no connection: {error.os_error}"[:200])
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Failure(f"{type(error).__name__}: {error}"[:200])

    async def _failed(self, one: Delivery, failure: Failure) -> None:
        chance = random.random()  # noqa: S311 - jitter
        outcome = await _settled(lambda: self._deliveries.failed(one, failure, chance))
        telemetry.WEBHOOK_ATTEMPTS.labels("failed").inc()
        about = {"webhook": one.webhook, "message": one.message, "reason": failure.reason}
        if isinstance(outcome, Gone):
            telemetry.WEBHOOKS_DISABLED.labels(outcome.value).inc()
            log.error("webhook_disabled", state=outcome.value, **about)
        elif outcome:
            telemetry.WEBHOOK_ATTEMPTS.labels("given_up").inc()
            log.error("webhook_message_given_up", **about)
        else:
            log.warning("webhook_failed", **about)

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        """Return a socket for an address that has been resolved, unless it is a private one.

        Here, since a name can lead elsewhere each time that it is resolved.
        """
        family, kind, protocol, _, where = address
        if not self._allow_private and not is_public(str(where[0])):
            raise PermissionError(f"{where[0]} is not a public address")
        return socket.socket(family, kind, protocol)


async def _settled(settle: Callable[[], Awaitable[Any]]) -> Any:
    """Note what became of a message, and try again where the database gives way or is away."""
    for _ in range(_SETTLE_TRIES - 1):
        try:
            return await settle()
        except Transient:
            await asyncio.sleep(_RETRY_S)
    return await settle()


def _seconds(retry_after: str | None) -> timedelta:
    """Return a Retry-After that is a number of seconds, up to a day; none where it is a date."""
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return timedelta()
    return timedelta(seconds=min(int(retry_after[:9]), 86_400))
