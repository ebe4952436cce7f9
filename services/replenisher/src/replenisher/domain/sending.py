"""How a supplier gets an order: signed JSON by webhook, or CSV by mail.

Source of the signature: the Standard Webhooks specification 1.0.0, https://www.standardwebhooks.com.
"""

import binascii
import csv
import io
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from enum import StrEnum
from typing import Any

import orjson
from standardwebhooks import Webhook

from restock_common.contracts.envelope import derive_id
from restock_common.errors import Permanent

MESSAGE_TYPE = "purchase_order.placed"
COLUMNS = (
    "purchase_order",
    "supplier",
    "location",
    "expected_at",
    "order_line",
    "sku",
    "quantity",
    "unit_cost",
)
_PREFIX = "whsec_"
_SECRET_BYTES_MIN, _SECRET_BYTES_MAX = 24, 64
_FIRST_DELAY = timedelta(seconds=5)
_LONGEST_DELAY = timedelta(hours=6)
_DOUBLINGS_MAX = 20


class Channel(StrEnum):
    """By what way orders are sent."""

    WEBHOOK = "webhook"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Sending:
    """One order on its way to its supplier.

    Attributes:
        order: The purchase order's row.
        lines: Its lines' rows.
        channel: By what way.
        target: A URL, or an address.
        secret: What a webhook is signed with.
        attempts: How often it has been tried, this time with it.
    """

    order: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    channel: Channel
    target: str
    secret: str | None
    attempts: int

    @property
    def name(self) -> str:
        """Return the order's id."""
        return str(self.order["purchase_order"])

    @property
    def message(self) -> str:
        """Return the message's id: the same on each attempt, so that it counts once."""
        return derive_id("sending", self.name)


def check_secret(text: str) -> None:
    """Refuse what a webhook cannot be signed with, without telling it. Raises Permanent."""
    try:
        key = b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not (text.startswith(_PREFIX) and _SECRET_BYTES_MIN <= len(key) <= _SECRET_BYTES_MAX):
        raise Permanent(
            f"is not {_PREFIX!r} and {_SECRET_BYTES_MIN} to {_SECRET_BYTES_MAX} bytes in base64",
            field="secret",
        )


def check_address(text: str) -> None:
    """Refuse what is no mail address. Raises Permanent."""
    _, at, host = text.rpartition("@")
    if not (at and host and text.isprintable()) or set(text) & set(' ,;<>"'):
        raise Permanent(f"is no mail address: {text[:80]!r}", field="target")


def wanted(order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines with units that are still wanted, by the names of `COLUMNS`."""
    expected_at = order["expected_at"]
    return [
        {
            "purchase_order": order["purchase_order"],
            "supplier": order["supplier"],
            "location": order["location"],
            "expected_at": None if expected_at is None else expected_at.isoformat(),
            "order_line": line["order_line"],
            "sku": line["sku"],
            "quantity": line["quantity"] - line["cancelled"],
            "unit_cost": line["reason"].get("unit_cost"),
        }
        for line in lines
        if line["quantity"] > line["cancelled"]
    ]


def csv_of(order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> str:
    """Return an order as CSV (RFC 4180), a row for each line with units that are still wanted."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(wanted(order, lines))
    return text.getvalue()


def signed(sending: Sending, now: datetime) -> tuple[bytes, dict[str, str]]:
    """Return a webhook's body and its headers."""
    assert sending.secret is not None, "a webhook has a secret"
    at = now.astimezone(UTC).replace(microsecond=0)
    body = orjson.dumps(
        {
            "type": MESSAGE_TYPE,
            "timestamp": sending.order["placed_at"].isoformat(),
            "data": {"lines": wanted(sending.order, sending.lines)},
        }
    )
    signature = Webhook(sending.secret).sign(sending.message, at, body.decode())
    return body, {
        "content-type": "application/json",
        "webhook-id": sending.message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def letter(sending: Sending, sender: str) -> EmailMessage:
    """Return a mail with the order attached."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = sending.target
    mail["Subject"] = f"Purchase order {sending.name}"
    mail["Message-ID"] = f"<{sending.message}@{sender.rpartition('@')[2]}>"
    mail.set_content(f"Purchase order {sending.name} is attached.\n")
    text = csv_of(sending.order, sending.lines)
    mail.add_attachment(text, subtype="csv", filename=f"{sending.name}.csv")
    return mail


def delay_after(attempts: int) -> timedelta:
    """Return for how long an order waits that could not be sent: doubled each time."""
    return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(attempts - 1, _DOUBLINGS_MAX))
