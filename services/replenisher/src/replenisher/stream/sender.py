"""Sends orders to their suppliers: by signed webhook or by mail, until they have arrived."""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import aiohttp
import structlog

from replenisher.domain.sending import Channel, Sending, delay_after, letter, signed
from restock_common.addresses import is_public
from restock_common.errors import Transient
from restock_common.runtime import Background

log = structlog.get_logger()

_AT_ONCE = 10
_LOOK_EVERY_S = 1.0
_LEASE = timedelta(minutes=2)
_ACCEPTED = range(200, 300)
_SMTP_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


class Sendings(Protocol):
    """The outbox of orders."""

    async def claim(self, at_most: int, lease: timedelta) -> list[Sending]:
        """Return orders to be sent; nobody else gets them while the lease lasts."""

    async def sent(self, purchase_order: str) -> None:
        """Note that an order has arrived."""

    async def failed(self, purchase_order: str, failure: str, delay: timedelta) -> None:
        """Note why an order could not be sent, and try it again later."""


Post = Callable[[EmailMessage], None]
"""Hands a mail on. Raises OSError or SMTPException."""


class Sender(Background):
    """Sends what waits, beside as many others of its kind as there are.

    An order may arrive twice, where this process ends between the supplier's answer and the note of
    it: under the same message id.

    Args:
        sendings: The outbox.
        post: What mails are handed to; None leaves them waiting, with that reason.
        mail_from: Whom mails are from.
        timeout_s: How long a supplier's server may take.
        allow_private: Whether it may be in this network.
    """

    name = "sender"

    def __init__(
        self,
        sendings: Sendings,
        post: Post | None,
        *,
        mail_from: str,
        timeout_s: float,
        allow_private: bool,
    ) -> None:
        self._sendings = sendings
        self._post = post
        self._mail_from = mail_from
        self._timeout_s = timeout_s
        self._allow_private = allow_private

    async def _run(self) -> None:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(socket_factory=self._socket),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            headers={"User-Agent": "Restock"},
        ) as http:
            while True:
                try:
                    claimed = await self._sendings.claim(_AT_ONCE, _LEASE)
                    await asyncio.gather(*(self._send(http, one) for one in claimed))
                except Transient as error:
                    log.warning("sending_retry", error=str(error))
                    claimed = []
                if not claimed:
                    await asyncio.sleep(_LOOK_EVERY_S)

    async def _send(self, http: aiohttp.ClientSession, one: Sending) -> None:
        if one.channel is Channel.WEBHOOK:
            failure = await self._call(http, one)
        else:
            failure = await self._mail(one)
        if failure is None:
            await self._sendings.sent(one.name)
            log.info("order_sent", purchase_order=one.name, channel=one.channel.value)
        else:
            await self._sendings.failed(one.name, failure, delay_after(one.attempts))
            log.warning("order_not_sent", purchase_order=one.name, reason=failure)

    async def _call(self, http: aiohttp.ClientSession, one: Sending) -> str | None:
        """Try once; return why it failed, and nothing of what the other side says."""
        body, headers = signed(one, datetime.now(UTC))
        try:
            async with http.post(
                one.target, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return None if answer.status in _ACCEPTED else f"status {answer.status}"
        except TimeoutError:
            return f"no answer within {self._timeout_s:g} s"
        except aiohttp.ClientConnectorError as error:
            return f"no connection: {error.os_error}"[:200]
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"[:200]

    async def _mail(self, one: Sending) -> str | None:
        if self._post is None:
            return "RESTOCK_SMTP_URL is not set"
        try:
            await asyncio.to_thread(self._post, letter(one, self._mail_from))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return f"{type(error).__name__}: {error}"[:200]
        return None

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        """Return a socket for an address that has been resolved, unless it is a private one."""
        family, kind, protocol, _, where = address
        if not self._allow_private and not is_public(str(where[0])):
            raise PermissionError(f"{where[0]} is not a public address")
        return socket.socket(family, kind, protocol)


def smtp_post(url: str, timeout_s: float) -> Post:
    """Return what hands mails to an SMTP server. Raises ValueError where the URL is none."""
    parts = urlsplit(url)
    if parts.scheme not in _SMTP_PORTS or not parts.hostname:
        raise ValueError(f"{parts.scheme!r} is none of {', '.join(_SMTP_PORTS)}")
    host, port = parts.hostname, parts.port or _SMTP_PORTS[parts.scheme]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")

    def connect() -> smtplib.SMTP:
        if parts.scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=context)
        return smtplib.SMTP(host, port, timeout=timeout_s)

    def post(mail: EmailMessage) -> None:
        with connect() as server:
            if parts.scheme == "smtp":
                server.starttls(context=ssl.create_default_context())
            if user:
                server.login(user, password)
            server.send_message(mail)

    return post
