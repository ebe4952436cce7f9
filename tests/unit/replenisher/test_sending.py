"""What suppliers get: a signed webhook, a mail with the order attached, until it has arrived."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import orjson
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from replenisher.domain.sending import (
    Channel,
    Sending,
    check_address,
    check_secret,
    delay_after,
    letter,
)
from replenisher.stream.sender import Sender, smtp_post
from restock_common.errors import Permanent

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
ORDER = {
    "purchase_order": "po-1",
    "supplier": "acme",
    "location": "W1",
    "placed_at": datetime(2026, 1, 5, tzinfo=UTC),
    "expected_at": datetime(2026, 1, 8, tzinfo=UTC),
}
LINES = [
    {"order_line": "l1", "sku": "a", "quantity": 7, "cancelled": 2, "reason": {"unit_cost": 1.5}},
    {"order_line": "l2", "sku": "b", "quantity": 3, "cancelled": 3, "reason": {}},
]


def sending(channel: Channel, target: str) -> Sending:
    return Sending(ORDER, LINES, channel, target, SECRET, 1)


class Outbox:
    """One order waits; what became of it is noted."""

    def __init__(self, one: Sending) -> None:
        self._waiting = [one]
        self.noted = asyncio.Event()
        self.failure: str | None = None

    async def claim(self, *_: object) -> list[Sending]:
        claimed, self._waiting = self._waiting, []
        return claimed

    async def sent(self, _: str) -> None:
        self.noted.set()

    async def failed(self, _: str, failure: str, __: timedelta) -> None:
        self.failure = failure
        self.noted.set()


async def send(one: Sending, post: Any = None, *, allow_private: bool = True) -> str | None:
    """Let a sender send one order; return why it failed."""
    outbox = Outbox(one)
    sender = Sender(
        outbox, post, mail_from="buyer@shop.test", timeout_s=5, allow_private=allow_private
    )
    await sender.start()
    async with asyncio.timeout(10):
        await outbox.noted.wait()
    await sender.stop()
    return outbox.failure


async def test_a_webhook_is_signed_and_holds_what_is_still_wanted() -> None:
    heard: list[tuple[bytes, dict[str, str]]] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append((await request.read(), dict(request.headers)))
        return web.Response(status=204 if len(heard) == 1 else 500)

    app = web.Application()
    app.router.add_post("/orders", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        target = f"http://127.0.0.1:{runner.addresses[0][1]}/orders"
        one = sending(Channel.WEBHOOK, target)
        assert await send(one) is None
        assert await send(one) == "status 500"
        assert "not a public address" in str(await send(one, allow_private=False))
    finally:
        await runner.cleanup()
    (body, headers), (_, again) = heard
    headers = {name.lower(): value for name, value in headers.items()}
    Webhook(SECRET).verify(body, headers)
    assert headers["webhook-id"] == {name.lower(): one for name, one in again.items()}["webhook-id"]
    (line,) = orjson.loads(body)["data"]["lines"]
    assert (line["sku"], line["quantity"], line["unit_cost"]) == ("a", 5, 1.5)


async def test_a_mail_goes_to_the_server_with_the_order_attached() -> None:
    taken = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        in_data = False
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                if in_data:
                    in_data = line != b".\r\n"
                    taken.extend(line if in_data else b"")
                    if in_data:
                        continue
                elif line.upper().startswith(b"DATA"):
                    in_data = True
                    writer.write(b"354 go on\r\n")
                    continue
                quits = not in_data and line.upper().startswith(b"QUIT")
                writer.write(b"221 bye\r\n" if quits else b"250 fine\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        one = sending(Channel.MAIL, "orders@acme.test")
        assert await send(one, smtp_post(f"smtp+plain://127.0.0.1:{port}", 5)) is None
    finally:
        server.close()
    mail = message_from_bytes(bytes(taken), policy=policy.default)
    assert mail["To"] == "orders@acme.test"
    (attached,) = mail.iter_attachments()
    rows = attached.get_content().splitlines()
    assert rows[1] == "po-1,acme,W1,2026-01-08T00:00:00+00:00,l1,a,5,1.5"
    assert len(rows) == 2


async def test_without_a_server_mails_wait_with_their_reason() -> None:
    one = sending(Channel.MAIL, "orders@acme.test")
    assert await send(one) == "RESTOCK_SMTP_URL is not set"
    assert letter(one, "buyer@shop.test")["Message-ID"] == f"<{one.message}@shop.test>"
    with pytest.raises(ValueError, match="none of smtp"):
        smtp_post("http://mail.test", 5)


def test_what_cannot_be_reached_is_refused() -> None:
    check_secret(SECRET)
    check_address("orders@acme.test")
    for secret in ("", "whsec_", "whsec_c2hvcnQ="):
        with pytest.raises(Permanent):
            check_secret(secret)
    for address in ("nobody", "a@", "a@b, c@d", "<a@b>", "a@b\nBcc: c@d"):
        with pytest.raises(Permanent):
            check_address(address)


def test_the_longer_it_fails_the_longer_it_waits() -> None:
    assert [delay_after(n).total_seconds() for n in (1, 2, 3)] == [5, 10, 20]
    assert delay_after(10_000) == timedelta(hours=6)
