"""How a shop's own API is asked for orders: what to ask, and what its answers say; no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Annotated, Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from pydantic_core import from_json, to_json

from restock_common.errors import RestockError
from restock_common.units import Timestamp

MAX_RETRY_AFTER_S = 3_600.0


class Unreadable(RestockError):
    """A shop's orders cannot be read now; the reason holds nothing of what the shop has said.

    Args:
        reason: Why not.
        gone: There is nothing at the address that was asked.
        retry_after_s: How long the shop asks to be left alone.
    """

    def __init__(self, reason: str, *, gone: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gone = gone
        self.retry_after_s = retry_after_s


class ShopApi(BaseModel):
    """Where and how a shop's orders are read.

    Attributes:
        url: What the API's paths follow, such as `https://tea-house.myshopify.com`.
        key: Who reads; WooCommerce's consumer key.
        secret: Shopify's access token, WooCommerce's consumer secret.
        version: Of Shopify's API.
        every_s: The pause between two readings.
        since: Orders that changed since then are read the first time; not set, those since an
            hour before the shop was first heard of, or read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(max_length=2_048)]
    key: Annotated[SecretStr, Field(max_length=500)] = SecretStr("")
    secret: Annotated[SecretStr, Field(min_length=8, max_length=500)]
    version: Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-[0-9]{2}$")] = "2025-07"
    every_s: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    since: Timestamp | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for: a path behind the shop's URL, and a query."""

    path: str
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer says.

    Attributes:
        orders: Each as a webhook would send it.
        next: What to ask for the orders behind them; None where these were the last.
        total: How many orders all pages hold; None where that is not told.
    """

    orders: tuple[bytes, ...]
    next: Ask | None = None
    total: int | None = None


class OrdersApi(Protocol):
    """How the orders of a shop are read; pure.

    Attributes:
        headers: Of a webhook that shows an order as it is now.
    """

    headers: ClassVar[Mapping[str, str]]

    def credentials(self) -> Mapping[str, str]:
        """Return the headers that tell who asks."""

    def changed_since(self, since: datetime) -> Ask:
        """Return what to ask for all orders that changed since then."""

    def page(self, asked: Ask, headers: Mapping[str, str], body: bytes) -> Page:
        """Return what an answer says. Raises Unreadable.

        Args:
            asked: What was asked.
            headers: Of the answer, by name in lower case.
            body: Of the answer.
        """

    def one(self, order: str) -> Sequence[Ask]:
        """Return what to ask for a single order; nothing where no order can be called so."""

    def joined(self, bodies: Sequence[bytes]) -> bytes:
        """Return a single order as a webhook would send it. Raises Unreadable.

        Args:
            bodies: Of the answers to what `one` asks for, in that order.
        """

    def pause_s(self, headers: Mapping[str, str], /) -> float:
        """Return how long to wait before the next question, so that none is refused."""


def json_of(body: bytes) -> Any:
    """Return the JSON of an answer. Raises Unreadable."""
    try:
        return from_json(body)
    except ValueError:
        raise Unreadable("the answer is not JSON") from None


def orders_of(found: object, where: str) -> tuple[bytes, ...]:
    """Return each order of a list. Raises Unreadable."""
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unreadable(f"the answer holds no orders: {where} is not a list of objects")
    return tuple(map(to_json, found))


def retry_after_s(text: str | None, now: datetime) -> float:
    """Return the seconds that `Retry-After` asks for, as a number or as a date; 0 without it."""
    if text is None:
        return 0.0
    try:
        wanted = float(text)
    except ValueError:
        try:
            when = parsedate_to_datetime(text)
        except (TypeError, ValueError, IndexError, OverflowError):
            return 0.0
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
        wanted = (when - now).total_seconds()
    return min(max(wanted, 0.0), MAX_RETRY_AFTER_S) if isfinite(wanted) else 0.0
